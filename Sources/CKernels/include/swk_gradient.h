// SPDX-License-Identifier: Apache-2.0
#ifndef SWK_GRADIENT_H
#define SWK_GRADIENT_H

#include "swk_base.h"
#include "swk_pool.h"

SWK_BEGIN

/// Gradients of elementwise functions and pools, and cross entropy. Types, arithmetic and rounding
/// are those of `swk_training.h`; in `swk_pool`, `type` is the type of the data.

/// The functions that `swk_unary_gradient` differentiates, at `x`:
///
/// - `SWK_GRADIENT_CLIP`: 1 where `alpha < x < beta`, else 0 (relu: 0 and infinity).
/// - `SWK_GRADIENT_HARD_SIGMOID`: `alpha` where `0 < alpha * x + beta < 1`, else 0.
/// - `SWK_GRADIENT_HARD_SWISH`: 0 up to -3, 1 from 3, `x / 3 + 1 / 2` between.
/// - `SWK_GRADIENT_SIGMOID`: `s * (1 - s)`, `SWK_GRADIENT_TANH`: `1 - t * t`,
///   `SWK_GRADIENT_SILU`: `s * (1 + x * (1 - s))`; the reference's factor may differ by 1e-6.
/// - `SWK_GRADIENT_LEAKY_RELU`: `x < 0 ? alpha : 1`.
typedef enum swk_gradient_function {
  SWK_GRADIENT_CLIP = 0,
  SWK_GRADIENT_HARD_SIGMOID = 1,
  SWK_GRADIENT_HARD_SWISH = 2,
  SWK_GRADIENT_SIGMOID = 3,
  SWK_GRADIENT_TANH = 4,
  SWK_GRADIENT_SILU = 5,
  SWK_GRADIENT_LEAKY_RELU = 6
} swk_gradient_function;

typedef struct swk_unary_gradient_args {
  swk_type type;
  swk_gradient_function function;
  float alpha;
  float beta;
} swk_unary_gradient_args;

/// Elements `[begin, end)` of `dx = dy * function'(x)`. `dx` may be `dy` or `x`.
void swk_unary_gradient(
  const swk_unary_gradient_args *SWK_NONNULL args, const void *SWK_NONNULL dy,
  const void *SWK_NONNULL x, void *SWK_NONNULL dx, size_t begin, size_t end);
void swk_unary_gradient_reference(
  const swk_unary_gradient_args *SWK_NONNULL args, const void *SWK_NONNULL dy,
  const void *SWK_NONNULL x, void *SWK_NONNULL dx, size_t begin, size_t end);

/// Elements `[begin, end)` of `dst = a + b`. `dst` may be `a` or `b`.
void swk_add_real(
  swk_type type, const void *SWK_NONNULL a, const void *SWK_NONNULL b, void *SWK_NONNULL dst,
  size_t begin, size_t end);
void swk_add_real_reference(
  swk_type type, const void *SWK_NONNULL a, const void *SWK_NONNULL b, void *SWK_NONNULL dst,
  size_t begin, size_t end);

/// The gradients of `y[n, p, c] = x[n, p, c] * factor[n, c]` (forward: `swk_mul_channels`) for
/// images `[begin, end)`: `dx = dy * factor`, and `d_factor`, the sum of `dy * x` over an image's
/// pixels, in the order of sums over rows. All of one type. `dx` may be `dy` or `x`.
void swk_channel_scale_gradient(
  swk_type type, const void *SWK_NONNULL dy, const void *SWK_NONNULL x,
  const void *SWK_NONNULL factor, void *SWK_NONNULL dx, void *SWK_NONNULL d_factor,
  size_t channels, size_t pixels, size_t begin, size_t end);
void swk_channel_scale_gradient_reference(
  swk_type type, const void *SWK_NONNULL dy, const void *SWK_NONNULL x,
  const void *SWK_NONNULL factor, void *SWK_NONNULL dx, void *SWK_NONNULL d_factor,
  size_t channels, size_t pixels, size_t begin, size_t end);

/// The gradient of an average over all pixels (forward: `swk_global_average`): `dy`
/// `[batch, channels]` times `1 / pixels` at every pixel of images `[begin, end)` of `dx`.
void swk_global_average_gradient(
  swk_type type, const void *SWK_NONNULL dy, void *SWK_NONNULL dx, size_t channels,
  size_t pixels, size_t begin, size_t end);
void swk_global_average_gradient_reference(
  swk_type type, const void *SWK_NONNULL dy, void *SWK_NONNULL dx, size_t channels,
  size_t pixels, size_t begin, size_t end);

/// Bytes of scratch memory that `swk_max_pool_gradient` needs, whatever the range.
size_t swk_max_pool_gradient_scratch_size(const swk_pool *SWK_NONNULL args);

/// The gradient of a max pool for images `[begin, end)`. The first greatest element of a window, in
/// row-major order, takes its `dy` (the winner begins as the first element and gives way to a
/// greater one; padding does not count); an element's several gradients are added in the order of
/// their windows, in f32. A window may have up to 65,535 taps. `scratch` is aligned to 2 bytes.
void swk_max_pool_gradient(
  const swk_pool *SWK_NONNULL args, const void *SWK_NONNULL dy, const void *SWK_NONNULL x,
  void *SWK_NONNULL dx, void *SWK_NONNULL scratch, size_t begin, size_t end);
void swk_max_pool_gradient_reference(
  const swk_pool *SWK_NONNULL args, const void *SWK_NONNULL dy, const void *SWK_NONNULL x,
  void *SWK_NONNULL dx, void *SWK_NONNULL scratch, size_t begin, size_t end);

/// The gradient of an average pool (forward: `swk_average_pool`, which has the same divisor) for
/// rows `[begin, end)` of the `batch * height` of `dx`: the sum of `dy * (1 / divisor)` over the
/// windows that hold the element, in their order, in f32.
void swk_average_pool_gradient(
  const swk_pool *SWK_NONNULL args, int count_include_pad, const void *SWK_NONNULL dy,
  void *SWK_NONNULL dx, size_t begin, size_t end);
void swk_average_pool_gradient_reference(
  const swk_pool *SWK_NONNULL args, int count_include_pad, const void *SWK_NONNULL dy,
  void *SWK_NONNULL dx, size_t begin, size_t end);

/// A dropout of `[batch, pixels, channels]`.
typedef struct swk_dropout_args {
  swk_type type;
  float ratio;     // from 0, below 1
  uint64_t seed;   // of the stream and the step
  size_t channels;
  size_t pixels;
} swk_dropout_args;

/// Rows `[begin, end)` of the `batch * pixels`: an element is multiplied by `1 / (1 - ratio)` where
/// `uniform >= ratio`, else it becomes 0. `uniform` is the upper 24 bits, as a fraction, of the
/// number of SplitMix64 from `seed` at the element's index in `[batch, channels, pixels]`. `y` may
/// be `x`. Its own gradient.
void swk_dropout(
  const swk_dropout_args *SWK_NONNULL args, const void *SWK_NONNULL x, void *SWK_NONNULL y,
  size_t begin, size_t end);
void swk_dropout_reference(
  const swk_dropout_args *SWK_NONNULL args, const void *SWK_NONNULL x, void *SWK_NONNULL y,
  size_t begin, size_t end);

/// Softmax and cross entropy of rows `[begin, end)`: `logits` `[rows, classes]` of `type`,
/// `targets`, `probabilities` `[rows, classes]` f32. `losses[row]` becomes
/// `-sum(target * log probability)`, where a target of 0 adds nothing, in f64.
/// The reference's probabilities may differ by `(8 + d) * 2^-24` of the value, where `d` is how far
/// the logit lies below the greatest, or by 2e-36; its losses by 1e-6 of the value or of 1.
void swk_softmax_cross_entropy(
  swk_type type, const void *SWK_NONNULL logits, const float *SWK_NONNULL targets,
  float *SWK_NONNULL probabilities, double *SWK_NONNULL losses, size_t classes, size_t begin,
  size_t end);
void swk_softmax_cross_entropy_reference(
  swk_type type, const void *SWK_NONNULL logits, const float *SWK_NONNULL targets,
  float *SWK_NONNULL probabilities, double *SWK_NONNULL losses, size_t classes, size_t begin,
  size_t end);

/// Rows `[begin, end)` of `d_logits = (probability * sum(row of targets) - target) * factor`, where
/// `factor` is the loss's gradient over the size of the batch. The sum goes from first to last in
/// f64.
void swk_softmax_cross_entropy_gradient(
  swk_type type, const float *SWK_NONNULL probabilities, const float *SWK_NONNULL targets,
  float factor, void *SWK_NONNULL d_logits, size_t classes, size_t begin, size_t end);
void swk_softmax_cross_entropy_gradient_reference(
  swk_type type, const float *SWK_NONNULL probabilities, const float *SWK_NONNULL targets,
  float factor, void *SWK_NONNULL d_logits, size_t classes, size_t begin, size_t end);

SWK_END

#endif
