// SPDX-License-Identifier: Apache-2.0
#ifndef SWK_ADDER_H
#define SWK_ADDER_H

#include "swk_base.h"

SWK_BEGIN

/// Adder convolution (Chen et al., "AdderNet: Do We Really Need Multiplications in Deep Learning?",
/// 2020) and the paper's gradients, in f32, channels-last: `x` `[N, height, width, channels]`, `y`
/// `[N, output_height, output_width, outputs]`. Weights are `[outputs, channels, kernel_height,
/// kernel_width]`; the kernels take them packed. Padding counts as zeros; at the bottom and the
/// right it follows from the output sizes.
///
/// No memory is needed beyond results, and every sum is f32 with its terms in the stated order,
/// rounded one by one.
typedef struct swk_adder {
  size_t channels;
  size_t outputs;
  size_t height;
  size_t width;
  size_t output_height;
  size_t output_width;
  size_t kernel_height;
  size_t kernel_width;
  size_t stride_height;
  size_t stride_width;
  size_t pad_top;
  size_t pad_left;
} swk_adder;

/// Lays weights out for `swk_adder_conv` as `[taps, channels, outputs]` and for
/// `swk_adder_input_gradient` as `[taps, outputs, channels]`, where the taps are
/// `kernel_height * kernel_width`; either may be left out.
void swk_adder_pack(
  const swk_adder *SWK_NONNULL args, const float *SWK_NONNULL weights,
  float *SWK_NULLABLE forward, float *SWK_NULLABLE backward);

/// Rows `[begin, end)` of the `batch * output_height` of `y = -sum |x - w|`; terms by tap, then
/// channel.
void swk_adder_conv(
  const swk_adder *SWK_NONNULL args, const float *SWK_NONNULL x, const float *SWK_NONNULL forward,
  float *SWK_NONNULL y, size_t begin, size_t end);
void swk_adder_conv_reference(
  const swk_adder *SWK_NONNULL args, const float *SWK_NONNULL x, const float *SWK_NONNULL forward,
  float *SWK_NONNULL y, size_t begin, size_t end);

/// Rows `[begin, end)` of the `batch * height` of `dx = sum dy * min(max(w - x, -1), 1)`; terms by
/// tap, then output channel. NaN stays NaN.
void swk_adder_input_gradient(
  const swk_adder *SWK_NONNULL args, const float *SWK_NONNULL dy, const float *SWK_NONNULL x,
  const float *SWK_NONNULL backward, float *SWK_NONNULL dx, size_t begin, size_t end);
void swk_adder_input_gradient_reference(
  const swk_adder *SWK_NONNULL args, const float *SWK_NONNULL dy, const float *SWK_NONNULL x,
  const float *SWK_NONNULL backward, float *SWK_NONNULL dx, size_t begin, size_t end);

/// Writes to `sums` `[taps, channels, outputs]` the sums of `dy * x` over images `[begin, end)`:
/// one image's positions in order, then the images in order.
void swk_adder_weight_sums(
  const swk_adder *SWK_NONNULL args, const float *SWK_NONNULL dy, const float *SWK_NONNULL x,
  float *SWK_NONNULL sums, size_t begin, size_t end);
void swk_adder_weight_sums_reference(
  const swk_adder *SWK_NONNULL args, const float *SWK_NONNULL dy, const float *SWK_NONNULL x,
  float *SWK_NONNULL sums, size_t begin, size_t end);

/// The gradient of the weights, laid out as they are: `g = sum dy * (x - w)`, which is `sums` less
/// the weight times the sum of all its channel's `dy`, in `dy_sums` `[outputs]`. With a positive
/// `adaptive_rate` it is scaled by `adaptive_rate * sqrt(k) / max(|g|, 1e-12)`, where `k` is the
/// number of weights and `|g|` comes from `swk_sum_squares`.
void swk_adder_weight_gradient(
  const swk_adder *SWK_NONNULL args, const float *SWK_NONNULL sums,
  const float *SWK_NONNULL dy_sums, const float *SWK_NONNULL weights, float adaptive_rate,
  float *SWK_NONNULL dw);

SWK_END

#endif
