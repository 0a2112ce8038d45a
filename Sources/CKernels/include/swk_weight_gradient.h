// SPDX-License-Identifier: Apache-2.0
#ifndef SWK_WEIGHT_GRADIENT_H
#define SWK_WEIGHT_GRADIENT_H

#include "swk_base.h"

SWK_BEGIN

/// The gradient of a convolution's weights, in bf16 with sums in f32, channels-last: `x`
/// `[N, height, width, channels]`, `dy` `[N, output_height, output_width, outputs]`. Padding counts
/// as zeros; at the bottom and the right it follows from the output sizes.
typedef struct swk_weight_gradient_args {
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
} swk_weight_gradient_args;

/// Whether `swk_weight_gradient` has vectors for these sizes here: kernels 3 wide, channels a
/// multiple of 8 and outputs of 16, on processors that multiply pairs of bf16 (AVX-512 BF16).
/// Elsewhere it does what its reference does.
int swk_weight_gradient_is_fast(const swk_weight_gradient_args *SWK_NONNULL args);

/// Bytes of scratch memory that `swk_weight_gradient` needs, whatever the range.
size_t swk_weight_gradient_scratch_size(const swk_weight_gradient_args *SWK_NONNULL args);

/// Writes to `dw` `[kernel_height, kernel_width, channels, outputs]` the sums of `dy * x` over
/// images `[begin, end)`. The reference adds in f64; a sum may differ from its by 1e-5 of the sum
/// of the absolute products. `x` must be finite. `scratch` is aligned to 4 bytes.
void swk_weight_gradient(
  const swk_weight_gradient_args *SWK_NONNULL args, const uint16_t *SWK_NONNULL dy,
  const uint16_t *SWK_NONNULL x, float *SWK_NONNULL dw, void *SWK_NONNULL scratch, size_t begin,
  size_t end);
void swk_weight_gradient_reference(
  const swk_weight_gradient_args *SWK_NONNULL args, const uint16_t *SWK_NONNULL dy,
  const uint16_t *SWK_NONNULL x, float *SWK_NONNULL dw, void *SWK_NONNULL scratch, size_t begin,
  size_t end);

SWK_END

#endif
