// SPDX-License-Identifier: Apache-2.0
#ifndef SWK_TRAINING_H
#define SWK_TRAINING_H

#include "swk_base.h"

SWK_BEGIN

/// Kernels of training. Data are `SWK_F32` or `SWK_BF16`, `[rows, channels]` dense, where a row is
/// one pixel of one image; arithmetic is f32 with every product and sum rounded by itself;
/// parameters and statistics are f32, partial sums f64. bf16 is rounded to nearest, ties to even;
/// a bf16 result below 2^-126 in magnitude may be stored as a zero.
///
/// Sums over rows `[begin, end)` have this order: rows in blocks of 128 from `begin`, in each block
/// the rows at even and at odd places added one by one in f32 and then one to the other, and the
/// blocks added in order in f64. They depend on where the caller splits, and on nothing else.

/// The function behind a normalization: none, `max(v, 0)`, `min(max(v, 0), 6)`, or
/// `v * min(max(v / 6 + 1 / 2, 0), 1)`. NaN stays NaN.
///
/// Derivatives: 1 where the result `y` is `y > 0`, or `0 < y < 6`; for hard swish at `v`: 0 up to
/// -3, 1 from 3, `v / 3 + 1 / 2` between.
typedef enum swk_training_activation {
  SWK_TRAINING_NONE = 0,
  SWK_TRAINING_RELU = 1,
  SWK_TRAINING_RELU6 = 2,
  SWK_TRAINING_HARD_SWISH = 3
} swk_training_activation;

/// Writes to `partial` `[2, channels]` the mean and the sum of squared deviations from it of rows
/// `[begin, end)` of `x`; zeros for no rows.
///
/// Both follow from sums of `x - pivot` and of its squares. For f32 `pivot` is the first row or, for
/// 16 rows and more, the mean of 16 rows spread evenly, so that a mean far from zero costs no
/// digits. For bf16 it is 0: squares of 8 digits are exact in f32, and what sums of them lose
/// where the mean is far from zero is less than what rounding to bf16 has lost there.
void swk_batchnorm_statistics(
  swk_type type, const void *SWK_NONNULL x, double *SWK_NONNULL partial, size_t channels,
  size_t begin, size_t end);
void swk_batchnorm_statistics_reference(
  swk_type type, const void *SWK_NONNULL x, double *SWK_NONNULL partial, size_t channels,
  size_t begin, size_t end);

/// What a batch normalization has for each channel; every array is `[channels]`.
typedef struct swk_batchnorm {
  size_t channels;
  float epsilon;
  float momentum;  // how much of the running statistics is kept
  const float *SWK_NONNULL scale;
  const float *SWK_NONNULL bias;
  const float *SWK_NONNULL running_mean;
  const float *SWK_NONNULL running_variance;
  float *SWK_NONNULL mean;
  float *SWK_NONNULL inverse_deviation;
  float *SWK_NONNULL updated_mean;      // may be `running_mean`
  float *SWK_NONNULL updated_variance;  // may be `running_variance`
  float *SWK_NONNULL factor;            // scale * inverse_deviation
  float *SWK_NONNULL offset;            // bias - mean * factor
} swk_batchnorm;

/// Combines the partial statistics `[shards, 2, channels]` of shards with `rows[shards]` rows, in
/// order, in f64, and writes the results of `args`. The variance in the running statistics is the
/// unbiased one (for a single row the other). No rows leave the running statistics as they are and
/// count as mean 0, variance 0.
///
/// Source: Chan, Golub, LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample
/// Variances", 1979, Eq. 2.1.
void swk_batchnorm_combine(
  const swk_batchnorm *SWK_NONNULL args, const double *SWK_NONNULL partials,
  const size_t *SWK_NONNULL rows, size_t shards);

/// Factor and offset of a normalization from its mean and inverse deviation, all `[channels]`.
void swk_batchnorm_factors(
  const float *SWK_NONNULL scale, const float *SWK_NONNULL bias, const float *SWK_NONNULL mean,
  const float *SWK_NONNULL inverse_deviation, float *SWK_NONNULL factor,
  float *SWK_NONNULL offset, size_t channels);

/// Writes rows `[begin, end)` of `y = activation(x * factor + offset + addend)`.
/// `y` may be `x` or `addend`.
void swk_batchnorm_apply(
  swk_type type, swk_training_activation activation, const void *SWK_NONNULL x,
  const float *SWK_NONNULL factor, const float *SWK_NONNULL offset,
  const void *SWK_NULLABLE addend, void *SWK_NONNULL y, size_t channels, size_t begin,
  size_t end);
void swk_batchnorm_apply_reference(
  swk_type type, swk_training_activation activation, const void *SWK_NONNULL x,
  const float *SWK_NONNULL factor, const float *SWK_NONNULL offset,
  const void *SWK_NULLABLE addend, void *SWK_NONNULL y, size_t channels, size_t begin,
  size_t end);

/// What the gradient `g` behind the activation is made of: `g = (dy + dy2) * activation'`.
/// With a stored `g` as `dy`, no `dy2` and `SWK_TRAINING_NONE` it is read back. Without `y`, the
/// side of the bounds of relu and relu6 on which a result lies is that of `x * factor + offset`.
typedef struct swk_batchnorm_gradient {
  swk_type type;
  swk_training_activation activation;
  size_t channels;
  const void *SWK_NONNULL dy;
  const void *SWK_NULLABLE dy2;
  const void *SWK_NONNULL x;
  const void *SWK_NULLABLE y;         // needed for relu and relu6 without `factor` and `offset`
  const float *SWK_NONNULL mean;
  const float *SWK_NULLABLE factor;   // needed for hard swish, as is `offset`
  const float *SWK_NULLABLE offset;
} swk_batchnorm_gradient;

/// Writes rows `[begin, end)` of `g`, unless it is `NULL`, and to `partial` `[2, channels]` the
/// sums of `g` and of `g * (x - mean)` over them (of `g` before it is rounded to its type).
/// For bf16 the second is the sum of `g * x` less `mean` times the first, in f64. `g` may be `dy`,
/// `dy2` or `y`.
void swk_batchnorm_gradient_sums(
  const swk_batchnorm_gradient *SWK_NONNULL args, void *SWK_NULLABLE g,
  double *SWK_NONNULL partial, size_t begin, size_t end);
void swk_batchnorm_gradient_sums_reference(
  const swk_batchnorm_gradient *SWK_NONNULL args, void *SWK_NULLABLE g,
  double *SWK_NONNULL partial, size_t begin, size_t end);

/// Adds the partial sums `[shards, 2, channels]` in order and writes `d_scale`, `d_bias`
/// `[channels]` and what `swk_batchnorm_gradient_apply` needs, `factors` `[3, channels]`.
/// `rows` is how many rows all shards have together.
void swk_batchnorm_gradient_combine(
  const double *SWK_NONNULL partials, size_t shards, size_t rows, size_t channels,
  const float *SWK_NONNULL scale, const float *SWK_NONNULL inverse_deviation,
  float *SWK_NONNULL d_scale, float *SWK_NONNULL d_bias, float *SWK_NONNULL factors);

/// Writes rows `[begin, end)` of the gradient of the normalization's input,
/// `dx = (g * factors[0] + (x - mean) * factors[1]) + factors[2]`, which is
/// `scale * inverse_deviation * (g - sum(g) / rows - xhat * sum(g * xhat) / rows)`.
/// `dx` may be any of the arrays that `args` names.
void swk_batchnorm_gradient_apply(
  const swk_batchnorm_gradient *SWK_NONNULL args, const float *SWK_NONNULL factors,
  void *SWK_NONNULL dx, size_t begin, size_t end);
void swk_batchnorm_gradient_apply_reference(
  const swk_batchnorm_gradient *SWK_NONNULL args, const float *SWK_NONNULL factors,
  void *SWK_NONNULL dx, size_t begin, size_t end);

/// Writes to `partial` `[channels]` each channel's sum over rows `[begin, end)` of `x`.
void swk_channel_sum(
  swk_type type, const void *SWK_NONNULL x, double *SWK_NONNULL partial, size_t channels,
  size_t begin, size_t end);
void swk_channel_sum_reference(
  swk_type type, const void *SWK_NONNULL x, double *SWK_NONNULL partial, size_t channels,
  size_t begin, size_t end);

/// `dst[i] = ((partials[0][i] + partials[1][i]) + partials[2][i]) + ...` for elements
/// `[begin, end)`, in f32; partial `k` begins at `partials + k * stride`. `dst` may be
/// the first partial. Without partials the elements are zeros.
void swk_sum_partials(
  const float *SWK_NONNULL partials, size_t count, size_t stride, float *SWK_NONNULL dst,
  size_t begin, size_t end);
void swk_sum_partials_reference(
  const float *SWK_NONNULL partials, size_t count, size_t stride, float *SWK_NONNULL dst,
  size_t begin, size_t end);

/// As `swk_sum_partials` of f64, added in f64 and then rounded: what sums over rows become.
void swk_sum_partials_f64(
  const double *SWK_NONNULL partials, size_t count, size_t stride, float *SWK_NONNULL dst,
  size_t begin, size_t end);

/// The sum of the squares of `count` values, in f64: sixteen partial sums over the elements of
/// equal index modulo 16, then added in pairs.
double swk_sum_squares(const float *SWK_NONNULL src, size_t count);
double swk_sum_squares_reference(const float *SWK_NONNULL src, size_t count);

/// Rounds `count` values to bf16.
void swk_f32_to_bf16(const float *SWK_NONNULL src, uint16_t *SWK_NONNULL dst, size_t count);
void swk_f32_to_bf16_reference(
  const float *SWK_NONNULL src, uint16_t *SWK_NONNULL dst, size_t count);

/// Widens `count` values from bf16.
void swk_bf16_to_f32(const uint16_t *SWK_NONNULL src, float *SWK_NONNULL dst, size_t count);
void swk_bf16_to_f32_reference(
  const uint16_t *SWK_NONNULL src, float *SWK_NONNULL dst, size_t count);

SWK_END

#endif
