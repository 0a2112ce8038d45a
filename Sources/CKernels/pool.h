// SPDX-License-Identifier: Apache-2.0
#ifndef SWK_POOL_PLAN_H
#define SWK_POOL_PLAN_H

#include "conversion.h"

#if defined(__clang__)
#pragma clang fp contract(off)
#endif

namespace swk {

/// The source pixels of one window: a grid, in elements from the source's first.
struct Span {
  size_t start;
  size_t rows;
  size_t columns;
  size_t row_step;
  size_t column_step;
};

/// The first tap inside the source and how many are.
struct Taps {
  size_t first = 0;
  size_t count = 0;
  Taps(size_t out, size_t kernel, size_t stride, size_t dilation, size_t pad, size_t size) {
    const size_t begin = out * stride;
    if (begin >= pad && begin - pad + (kernel - 1) * dilation < size) {
      first = begin - pad;
      count = kernel;
      return;
    }
    for (size_t k = 0; k < kernel; ++k) {
      const ptrdiff_t i = SourceIndex(out, k, stride, dilation, pad, size);
      if (i < 0) continue;
      if (count++ == 0) first = static_cast<size_t>(i);
    }
  }
};

inline Span WindowAt(const swk_pool& a, size_t row, size_t ox) {
  const size_t image = row / a.output_height, oy = row % a.output_height;
  const Taps y(oy, a.kernel_height, a.stride_height, a.dilation_height, a.pad_top, a.height);
  const Taps x(ox, a.kernel_width, a.stride_width, a.dilation_width, a.pad_left, a.width);
  const size_t line = a.width * a.channels;
  return {(image * a.height + y.first) * line + x.first * a.channels, y.count, x.count,
          a.dilation_height * line, a.dilation_width * a.channels};
}

/// An average made ready: `finish((sum - pixels * zero) * factor)`.
struct Average {
  int32_t zero;
  float scale;
  Finish finish;

  float Factor(size_t divisor) const {
    return scale / static_cast<float>(divisor) * finish.before;
  }
};

inline Average PrepareAverage(const swk_format& from, const swk_epilogue& epilogue) {
  Average plan;
  plan.zero = IsByte(from.type) ? from.zero_point : 0;
  plan.scale = IsByte(from.type) ? from.scale : 1.0f;
  plan.finish = Prepare(epilogue);
  return plan;
}

/// What an average runs over: whole images, or windows.
struct AverageJob {
  const Average* plan;
  const swk_pool* windows;  // null: whole images
  bool counts_padding;
  size_t channels, pixels, begin, end;
};

}  // namespace swk

#endif
