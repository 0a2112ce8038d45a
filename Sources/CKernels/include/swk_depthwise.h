// SPDX-License-Identifier: Apache-2.0
#ifndef SWK_DEPTHWISE_H
#define SWK_DEPTHWISE_H

#include "swk_base.h"

SWK_BEGIN

/// An 8-bit depthwise convolution with channel multiplier 1.
///
/// `src` is `[N, H, W, C]` of `src_type` (`SWK_U8` or `SWK_S8`) with zero point
/// `src_zero_point`; padding counts as the zero point. Weights are signed 8-bit, symmetric, one
/// scale per channel. The sum `acc = sum(weight * (src - src_zero_point))` is exact in 32 bits
/// (`kernel_height * kernel_width` up to 60,000), and the real value is
/// `acc * scale[c] + bias[c]`, where `scale[c]` is source scale times weight scale. `epilogue`
/// says what is stored (`SWK_F32`, `SWK_BF16`, `SWK_U8`, `SWK_S8`).
///
/// Tap `(y, x)` of output pixel `(i, j)` reads source pixel
/// `(i * stride_height + y * dilation_height - pad_top,
///   j * stride_width + x * dilation_width - pad_left)`. Padding at the bottom and the right
/// follows from `output_height` and `output_width`.
typedef struct swk_depthwise {
  size_t batch;
  size_t channels;
  size_t height;
  size_t width;
  size_t output_height;
  size_t output_width;
  size_t kernel_height;
  size_t kernel_width;
  size_t stride_height;
  size_t stride_width;
  size_t dilation_height;
  size_t dilation_width;
  size_t pad_top;
  size_t pad_left;
  swk_type src_type;
  int32_t src_zero_point;
  swk_epilogue epilogue;
} swk_depthwise;

/// Bytes that `swk_depthwise_pack` writes. Depends on channels, kernel, strides and dilations.
size_t swk_depthwise_packed_size(const swk_depthwise *SWK_NONNULL args);

/// Packs weights `[kernel_height * kernel_width, channels]`, the scales `[channels]` and the
/// biases `[channels]` (`NULL` for zeros) for this processor.
///
/// `packed` is aligned to 64 bytes. Batch, sizes and padding of `args` do not matter here;
/// kernel, strides, dilations, channels, source type, zero point and epilogue do.
void swk_depthwise_pack(
  const swk_depthwise *SWK_NONNULL args, const int8_t *SWK_NONNULL weights,
  const float *SWK_NONNULL scale, const float *SWK_NULLABLE bias, void *SWK_NONNULL packed);

/// Computes the output rows `[row_begin, row_end)` of the `batch * output_height` there are,
/// with what `swk_depthwise_pack` wrote in this process for the same `args`.
void swk_depthwise_conv(
  const swk_depthwise *SWK_NONNULL args, const void *SWK_NONNULL packed,
  const void *SWK_NONNULL src, void *SWK_NONNULL dst, size_t row_begin, size_t row_end);

/// As `swk_depthwise_conv`, from weights as `swk_depthwise_pack` takes them.
void swk_depthwise_conv_reference(
  const swk_depthwise *SWK_NONNULL args, const int8_t *SWK_NONNULL weights,
  const float *SWK_NONNULL scale, const float *SWK_NULLABLE bias, const void *SWK_NONNULL src,
  void *SWK_NONNULL dst, size_t row_begin, size_t row_end);

SWK_END

#endif
