// SPDX-License-Identifier: Apache-2.0
#include "elementwise.h"

#if defined(__clang__)
#pragma clang fp contract(off)
#endif

using namespace swk;

extern "C" void swk_add_quantized_reference(
  const swk_format* a_format, const void* a, const swk_format* b_format, const void* b,
  const swk_epilogue* epilogue, void* dst, size_t begin, size_t end) {
  const Addition plan = PrepareAddition(*a_format, *b_format, *epilogue);
  for (size_t i = begin; i < end; ++i) {
    const float va = LoadScalar(a_format->type, a, i) * plan.a_factor;
    const float vb = LoadScalar(b_format->type, b, i) * plan.b_factor;
    const float v = (va + vb) + plan.offset;
    StoreScalar(plan.finish, v, dst, i);
  }
}

extern "C" void swk_mul_channels_reference(
  const swk_format* x_format, const void* x, const swk_format* factor_format,
  const void* factor, const swk_epilogue* epilogue, void* dst, size_t channels, size_t pixels,
  size_t begin, size_t end) {
  const ChannelProduct plan = PrepareProduct(*x_format, *factor_format, *epilogue);
  for (size_t p = begin; p < end; ++p) {
    for (size_t c = 0; c < channels; ++c) {
      const size_t i = p * channels + c;
      const float v = IsByte(x_format->type)
                        ? static_cast<float>(LoadByte(x_format->type, x, i) - plan.x_zero)
                        : LoadScalar(x_format->type, x, i);
      StoreScalar(plan.finish, v * plan.Factor(factor, p / pixels * channels + c), dst, i);
    }
  }
}

extern "C" void swk_lookup_reference(
  const uint8_t* table, const uint8_t* src, uint8_t* dst, size_t count) {
  for (size_t i = 0; i < count; ++i) dst[i] = table[src[i]];
}

extern "C" void swk_concat_rows_reference(
  const swk_format* from, const void* src, const swk_format* to, void* dst, size_t channels,
  size_t dst_stride, size_t begin, size_t end) {
  const Conversion c = Prepare(*from, *to);
  for (size_t row = begin; row < end; ++row) {
    for (size_t i = 0; i < channels; ++i) {
      ConvertScalar(c, from->type, src, row * channels + i, dst, row * dst_stride + i);
    }
  }
}

static float Operate(swk_binary operation, float a, float b) {
  switch (operation) {
    case SWK_ADD:
      return a + b;
    case SWK_MUL:
      return a * b;
    case SWK_SUB:
      return a - b;
    case SWK_DIV:
      return a / b;
    case SWK_MIN:
      return a < b ? a : b;
    case SWK_MAX:
      return a > b ? a : b;
  }
  return a;
}

extern "C" void swk_binary_f32_reference(
  const swk_binary_args* args, const float* a, const float* b, float* dst, size_t begin,
  size_t end) {
  for (size_t i = begin * args->channels; i < end * args->channels; ++i) {
    const float y = args->broadcast == SWK_SAME          ? b[i]
                    : args->broadcast == SWK_PER_CHANNEL ? b[i % args->channels]
                                                         : b[0];
    const float v = args->swapped ? Operate(args->operation, y, a[i])
                                  : Operate(args->operation, a[i], y);
    dst[i] = args->relu ? (v > 0.0f ? v : 0.0f) : v;
  }
}
