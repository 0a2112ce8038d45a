// SPDX-License-Identifier: Apache-2.0
#ifndef SWK_QUANTIZE_H
#define SWK_QUANTIZE_H

#include "swk_base.h"

SWK_BEGIN

/// Rounding to codes and back in training. Data are `SWK_F32` or `SWK_BF16`; arithmetic is f32 with
/// every operation rounded by itself.

/// What the step gets of the gradient `d` of an element with `u = (x - offset) / step`, whose code
/// is `q = round(clamp(u, low, high))`:
///
/// - `SWK_STEP_NONE`: 0.
/// - `SWK_STEP_LEARNED`: `d * (q - u)` where `low < u < high`, else `d * q`.
/// - `SWK_STEP_CLIPPING`: 0 where `low < u < high`, else `d * q`.
typedef enum swk_step_gradient {
  SWK_STEP_NONE = 0,
  SWK_STEP_LEARNED = 1,
  SWK_STEP_CLIPPING = 2
} swk_step_gradient;

typedef struct swk_fake_quantize_args {
  swk_type type;
  swk_step_gradient step_gradient;
  int includes_ends;  // whether `u == low` and `u == high` count as within for `dx`
  float low, high;    // the least and the greatest code
  float step;         // above 0
  float offset;
} swk_fake_quantize_args;

/// Elements `[begin, end)` of `y = q * step + offset`; NaN becomes the least code. `y` may be `x`.
void swk_fake_quantize(
  const swk_fake_quantize_args *SWK_NONNULL args, const void *SWK_NONNULL x,
  void *SWK_NONNULL y, size_t begin, size_t end);
void swk_fake_quantize_reference(
  const swk_fake_quantize_args *SWK_NONNULL args, const void *SWK_NONNULL x,
  void *SWK_NONNULL y, size_t begin, size_t end);

/// Elements `[begin, end)` of `dx`: `dy` within the range, else 0. `sums` gets the gradient of the
/// step and that of the offset, the sum of `dy` where not `low < u < high`.
///
/// Sums have this order: element `begin + i` goes to partial sum `i % 16` in f32; after every 2048
/// elements and at the end the partial sums are added in f64 to the total, in pairs `k` and
/// `k + 8`, then `k + 4`, `k + 2`, `k + 1`. `dx` may be `dy` or `x`.
void swk_fake_quantize_gradient(
  const swk_fake_quantize_args *SWK_NONNULL args, const void *SWK_NONNULL dy,
  const void *SWK_NONNULL x, void *SWK_NONNULL dx, double *SWK_NONNULL sums, size_t begin,
  size_t end);
void swk_fake_quantize_gradient_reference(
  const swk_fake_quantize_args *SWK_NONNULL args, const void *SWK_NONNULL dy,
  const void *SWK_NONNULL x, void *SWK_NONNULL dx, double *SWK_NONNULL sums, size_t begin,
  size_t end);

/// The codes of `swk_log_quantize`: 0 and the powers `base^k`, `least <= k <= greatest`.
typedef struct swk_log_quantize_args {
  swk_type type;
  int halves;    // 0: base 2; 1: base sqrt(2)
  int least;     // -120 or more
  int greatest;  // 120 or less
} swk_log_quantize_args;

/// Elements `[begin, end)` of `y = sign(x) * base^k`, `k` the whole number next to the logarithm of
/// `|x|` (a logarithm half-way between two counts up); 0 where `k < least`, `greatest` at most.
/// NaN, and subnormal numbers, become 0. `y` may be `x`.
void swk_log_quantize(
  const swk_log_quantize_args *SWK_NONNULL args, const void *SWK_NONNULL x, void *SWK_NONNULL y,
  size_t begin, size_t end);
void swk_log_quantize_reference(
  const swk_log_quantize_args *SWK_NONNULL args, const void *SWK_NONNULL x, void *SWK_NONNULL y,
  size_t begin, size_t end);

/// Updates `range` with elements `[begin, end)`: `range[0]` becomes the least of it and them,
/// `range[1]` the greatest; NaN is passed over.
void swk_minimum_maximum(
  swk_type type, const void *SWK_NONNULL x, float *SWK_NONNULL range, size_t begin, size_t end);
void swk_minimum_maximum_reference(
  swk_type type, const void *SWK_NONNULL x, float *SWK_NONNULL range, size_t begin, size_t end);

SWK_END

#endif
