// SPDX-License-Identifier: Apache-2.0
#ifndef SWK_STATISTICS_H
#define SWK_STATISTICS_H

#include "swk_base.h"

SWK_BEGIN

/// What `swk_min_max_f32` found.
typedef struct swk_range {
  float minimum;       // of the finite values; +infinity if there is none
  float maximum;       // of the finite values; -infinity if there is none
  uint64_t nan_count;
  uint64_t infinite_count;
} swk_range;

/// Range of `count` values; NaN and infinities are counted and otherwise left out.
swk_range swk_min_max_f32(const float *SWK_NONNULL src, size_t count);
swk_range swk_min_max_f32_reference(const float *SWK_NONNULL src, size_t count);

/// Counts values of `src` `[rows, channels]` in bins of width `limit / bins` (`bins` at least 1):
/// those of 0 and more in `positive[bins]`, the others in `negative[bins]`, outwards from zero.
/// The bin is `min(floor(|x| * (bins / limit)), bins - 1)` with the factor rounded to f32, so
/// larger magnitudes count in the last bin; NaN is left out. Of the values in the order channel by
/// channel, row by row, every `step`-th (at least 1) is counted from the first on.
void swk_histogram_f32(
  const float *SWK_NONNULL src, size_t rows, size_t channels, size_t step, float limit,
  uint64_t *SWK_NONNULL positive, uint64_t *SWK_NONNULL negative, size_t bins);
void swk_histogram_f32_reference(
  const float *SWK_NONNULL src, size_t rows, size_t channels, size_t step, float limit,
  uint64_t *SWK_NONNULL positive, uint64_t *SWK_NONNULL negative, size_t bins);

/// The sum of `(a - b)^2` in f64, in an order that depends on `count` alone: sixteen partial
/// sums over the elements of equal index modulo 16, then added in pairs.
double swk_sum_squares_difference(
  const float *SWK_NONNULL a, const float *SWK_NONNULL b, size_t count);
double swk_sum_squares_difference_reference(
  const float *SWK_NONNULL a, const float *SWK_NONNULL b, size_t count);

/// Adds to `sums[channels]` each channel's sum over `rows` of `src` `[rows, channels]`, in f64,
/// row by row.
void swk_channel_sums_f32(
  const float *SWK_NONNULL src, size_t rows, size_t channels, double *SWK_NONNULL sums);
void swk_channel_sums_f32_reference(
  const float *SWK_NONNULL src, size_t rows, size_t channels, double *SWK_NONNULL sums);

/// Adds to `sums[channels]` each channel's sum over `rows` of `src` `[rows, channels]`, in f64, row
/// by row, and widens `minima[channels]` and `maxima[channels]` to its finite values.
///
/// Returns how many values are NaN or infinite; they are part of the sums.
size_t swk_channel_statistics_f32(
  const float *SWK_NONNULL src, size_t rows, size_t channels, double *SWK_NONNULL sums,
  float *SWK_NONNULL minima, float *SWK_NONNULL maxima);
size_t swk_channel_statistics_f32_reference(
  const float *SWK_NONNULL src, size_t rows, size_t channels, double *SWK_NONNULL sums,
  float *SWK_NONNULL minima, float *SWK_NONNULL maxima);

SWK_END

#endif
