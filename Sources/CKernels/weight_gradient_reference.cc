// SPDX-License-Identifier: Apache-2.0
#include "training.h"

#if defined(__clang__)
#pragma clang fp contract(off)
#endif

using namespace swk;

namespace {

/// The sum for the tap `(ky, kx)`, input channel `c` and output channel `m`.
double SumOf(
  const swk_weight_gradient_args& a, const BFloat16* dy, const BFloat16* x, size_t ky, size_t kx,
  size_t c, size_t m, size_t begin, size_t end) {
  double sum = 0.0;
  for (size_t row = begin * a.output_height; row < end * a.output_height; ++row) {
    const size_t image = row / a.output_height, oy = row % a.output_height;
    const ptrdiff_t iy = SourceIndex(oy, ky, a.stride_height, 1, a.pad_top, a.height);
    if (iy < 0) continue;
    const size_t line = image * a.height + static_cast<size_t>(iy);
    for (size_t ox = 0; ox < a.output_width; ++ox) {
      const ptrdiff_t ix = SourceIndex(ox, kx, a.stride_width, 1, a.pad_left, a.width);
      if (ix < 0) continue;
      const float value = Load(x + (line * a.width + static_cast<size_t>(ix)) * a.channels + c);
      const float gradient = Load(dy + (row * a.output_width + ox) * a.outputs + m);
      sum += static_cast<double>(value) * static_cast<double>(gradient);
    }
  }
  return sum;
}

}  // namespace

extern "C" void swk_weight_gradient_reference(
  const swk_weight_gradient_args* args, const uint16_t* dy, const uint16_t* x, float* dw,
  void* scratch, size_t begin, size_t end) {
  (void)scratch;
  const swk_weight_gradient_args& a = *args;
  const BFloat16* gradients = reinterpret_cast<const BFloat16*>(dy);
  const BFloat16* values = reinterpret_cast<const BFloat16*>(x);
  for (size_t ky = 0; ky < a.kernel_height; ++ky) {
    for (size_t kx = 0; kx < a.kernel_width; ++kx) {
      for (size_t c = 0; c < a.channels; ++c) {
        for (size_t m = 0; m < a.outputs; ++m) {
          *dw++ = static_cast<float>(SumOf(a, gradients, values, ky, kx, c, m, begin, end));
        }
      }
    }
  }
}
