// SPDX-License-Identifier: Apache-2.0
#ifndef SWK_POOL_H
#define SWK_POOL_H

#include "swk_base.h"
#include "swk_convert.h"

SWK_BEGIN

/// Averages over all pixels: `[batch, pixels, channels]` to `[batch, channels]`, images
/// `[begin, end)`.
///
/// 8-bit sources are summed exactly (up to 2^22 pixels); the real value is
/// `(sum - pixels * zero) * (scale / pixels)`. f32 and bf16 are added pixel by pixel in f32 and
/// multiplied by `1 / pixels`. `inverse_scale` enters as the epilogue says.
void swk_global_average(
  const swk_format *SWK_NONNULL from, const void *SWK_NONNULL src,
  const swk_epilogue *SWK_NONNULL epilogue, void *SWK_NONNULL dst, size_t channels,
  size_t pixels, size_t begin, size_t end);
void swk_global_average_reference(
  const swk_format *SWK_NONNULL from, const void *SWK_NONNULL src,
  const swk_epilogue *SWK_NONNULL epilogue, void *SWK_NONNULL dst, size_t channels,
  size_t pixels, size_t begin, size_t end);

/// A pooling window over `[N, H, W, C]`, `SWK_U8` or `SWK_S8`. Padding at the bottom and the
/// right follows from the output sizes; every window must touch a source pixel.
typedef struct swk_pool {
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
  swk_type type;
} swk_pool;

/// Average over each window. With `count_include_pad` padding counts as real zeros and the
/// divisor is the kernel's size, otherwise the number of source pixels in the window.
/// Real value: `(sum - pixels * zero) * (scale / divisor)`. Output rows `[begin, end)` of the
/// `batch * output_height`.
void swk_average_pool(
  const swk_pool *SWK_NONNULL args, int count_include_pad, const swk_format *SWK_NONNULL from,
  const void *SWK_NONNULL src, const swk_epilogue *SWK_NONNULL epilogue,
  void *SWK_NONNULL dst, size_t begin, size_t end);
void swk_average_pool_reference(
  const swk_pool *SWK_NONNULL args, int count_include_pad, const swk_format *SWK_NONNULL from,
  const void *SWK_NONNULL src, const swk_epilogue *SWK_NONNULL epilogue,
  void *SWK_NONNULL dst, size_t begin, size_t end);

/// The largest code of each window; padding does not count. Output rows `[begin, end)`.
void swk_max_pool(
  const swk_pool *SWK_NONNULL args, const void *SWK_NONNULL src, void *SWK_NONNULL dst,
  size_t begin, size_t end);
void swk_max_pool_reference(
  const swk_pool *SWK_NONNULL args, const void *SWK_NONNULL src, void *SWK_NONNULL dst,
  size_t begin, size_t end);

SWK_END

#endif
