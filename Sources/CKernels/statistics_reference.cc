// SPDX-License-Identifier: Apache-2.0
#include "scalar.h"

#if defined(__clang__)
#pragma clang fp contract(off)
#endif

extern "C" swk_range swk_min_max_f32_reference(const float* src, size_t count) {
  const float infinity = std::numeric_limits<float>::infinity();
  swk_range range{infinity, -infinity, 0, 0};
  for (size_t i = 0; i < count; ++i) {
    const float x = src[i];
    if (x != x) {
      ++range.nan_count;
    } else if (std::isinf(x)) {
      ++range.infinite_count;
    } else {
      range.minimum = x < range.minimum ? x : range.minimum;
      range.maximum = x > range.maximum ? x : range.maximum;
    }
  }
  return range;
}

extern "C" void swk_histogram_f32_reference(
  const float* src, size_t rows, size_t channels, size_t step, float limit, uint64_t* positive,
  uint64_t* negative, size_t bins) {
  const float factor = static_cast<float>(bins) / limit;
  const float last = static_cast<float>(bins - 1);
  for (size_t i = 0; i < rows * channels; i += step) {
    const float x = src[i % rows * channels + i / rows];
    if (x != x) continue;
    const float bin = std::fabs(x) * factor;
    ++(x < 0 ? negative : positive)[static_cast<size_t>(bin < last ? bin : last)];
  }
}

extern "C" double swk_sum_squares_difference_reference(
  const float* a, const float* b, size_t count) {
  double sums[16] = {};
  for (size_t i = 0; i < count; ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    const double square = difference * difference;
    sums[i % 16] += square;
  }
  for (size_t width = 8; width > 0; width /= 2) {
    for (size_t k = 0; k < width; ++k) sums[k] += sums[k + width];
  }
  return sums[0];
}

extern "C" void swk_channel_sums_f32_reference(
  const float* src, size_t rows, size_t channels, double* sums) {
  for (size_t row = 0; row < rows; ++row) {
    for (size_t c = 0; c < channels; ++c) sums[c] += src[row * channels + c];
  }
}

extern "C" size_t swk_channel_statistics_f32_reference(
  const float* src, size_t rows, size_t channels, double* sums, float* minima, float* maxima) {
  size_t others = 0;
  for (size_t row = 0; row < rows; ++row) {
    for (size_t c = 0; c < channels; ++c) {
      const float x = src[row * channels + c];
      sums[c] += x;
      if (!std::isfinite(x)) {
        ++others;
        continue;
      }
      minima[c] = x < minima[c] ? x : minima[c];
      maxima[c] = x > maxima[c] ? x : maxima[c];
    }
  }
  return others;
}
