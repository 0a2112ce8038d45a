// SPDX-License-Identifier: Apache-2.0
#include "scalar.h"

#if defined(__clang__)
#pragma clang fp contract(off)
#endif

namespace {

int32_t Accumulate(
  const swk_depthwise& a, const int8_t* weights, const void* src, size_t image, size_t oy,
  size_t ox, size_t c) {
  int32_t acc = 0;
  for (size_t ky = 0; ky < a.kernel_height; ++ky) {
    const ptrdiff_t y =
      swk::SourceIndex(oy, ky, a.stride_height, a.dilation_height, a.pad_top, a.height);
    if (y < 0) continue;
    for (size_t kx = 0; kx < a.kernel_width; ++kx) {
      const ptrdiff_t x =
        swk::SourceIndex(ox, kx, a.stride_width, a.dilation_width, a.pad_left, a.width);
      if (x < 0) continue;
      const size_t i = ((image * a.height + y) * a.width + x) * a.channels + c;
      acc += weights[(ky * a.kernel_width + kx) * a.channels + c] *
             (swk::LoadByte(a.src_type, src, i) - a.src_zero_point);
    }
  }
  return acc;
}

}  // namespace

extern "C" void swk_depthwise_conv_reference(
  const swk_depthwise* args, const int8_t* weights, const float* scale, const float* bias,
  const void* src, void* dst, size_t row_begin, size_t row_end) {
  const swk_depthwise& a = *args;
  const swk::Finish finish = swk::Prepare(a.epilogue);
  for (size_t row = row_begin; row < row_end; ++row) {
    const size_t image = row / a.output_height, oy = row % a.output_height;
    for (size_t ox = 0; ox < a.output_width; ++ox) {
      for (size_t c = 0; c < a.channels; ++c) {
        const float acc =
          static_cast<float>(Accumulate(a, weights, src, image, oy, ox, c));
        const float factor = scale[c] * finish.before;
        const float offset = bias ? bias[c] * finish.before : 0.0f;
        const float v = acc * factor + offset;
        swk::StoreScalar(finish, v, dst, (row * a.output_width + ox) * a.channels + c);
      }
    }
  }
}
