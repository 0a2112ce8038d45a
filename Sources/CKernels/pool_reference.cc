// SPDX-License-Identifier: Apache-2.0
#include "pool.h"

#if defined(__clang__)
#pragma clang fp contract(off)
#endif

using namespace swk;

static void AverageScalar(
  const Average& plan, swk_type type, const void* src, const Span& span, size_t divisor,
  size_t c, void* dst, size_t at) {
  int32_t sum = 0;
  float real = 0.0f;
  for (size_t y = 0; y < span.rows; ++y) {
    for (size_t x = 0; x < span.columns; ++x) {
      const size_t i = span.start + y * span.row_step + x * span.column_step + c;
      if (IsByte(type)) {
        sum += LoadByte(type, src, i);
      } else {
        real += LoadScalar(type, src, i);
      }
    }
  }
  if (IsByte(type)) {
    real = static_cast<float>(sum - static_cast<int32_t>(span.rows * span.columns) * plan.zero);
  }
  StoreScalar(plan.finish, real * plan.Factor(divisor), dst, at);
}

extern "C" void swk_global_average_reference(
  const swk_format* from, const void* src, const swk_epilogue* epilogue, void* dst,
  size_t channels, size_t pixels, size_t begin, size_t end) {
  const Average plan = PrepareAverage(*from, *epilogue);
  for (size_t image = begin; image < end; ++image) {
    const Span span{image * pixels * channels, 1, pixels, 0, channels};
    for (size_t c = 0; c < channels; ++c) {
      AverageScalar(plan, from->type, src, span, pixels, c, dst, image * channels + c);
    }
  }
}

extern "C" void swk_average_pool_reference(
  const swk_pool* args, int count_include_pad, const swk_format* from, const void* src,
  const swk_epilogue* epilogue, void* dst, size_t begin, size_t end) {
  const Average plan = PrepareAverage(*from, *epilogue);
  for (size_t row = begin; row < end; ++row) {
    for (size_t ox = 0; ox < args->output_width; ++ox) {
      const Span span = WindowAt(*args, row, ox);
      const size_t divisor = count_include_pad ? args->kernel_height * args->kernel_width
                                               : span.rows * span.columns;
      for (size_t c = 0; c < args->channels; ++c) {
        const size_t at = (row * args->output_width + ox) * args->channels + c;
        AverageScalar(plan, from->type, src, span, divisor, c, dst, at);
      }
    }
  }
}

extern "C" void swk_max_pool_reference(
  const swk_pool* args, const void* src, void* dst, size_t begin, size_t end) {
  for (size_t row = begin; row < end; ++row) {
    for (size_t ox = 0; ox < args->output_width; ++ox) {
      const Span span = WindowAt(*args, row, ox);
      for (size_t c = 0; c < args->channels; ++c) {
        int32_t best = args->type == SWK_U8 ? 0 : -128;
        for (size_t y = 0; y < span.rows; ++y) {
          for (size_t x = 0; x < span.columns; ++x) {
            const size_t i = span.start + y * span.row_step + x * span.column_step + c;
            const int32_t code = LoadByte(args->type, src, i);
            best = code > best ? code : best;
          }
        }
        static_cast<uint8_t*>(dst)[(row * args->output_width + ox) * args->channels + c] =
          static_cast<uint8_t>(best);
      }
    }
  }
}
