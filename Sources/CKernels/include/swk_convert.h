// SPDX-License-Identifier: Apache-2.0
#ifndef SWK_CONVERT_H
#define SWK_CONVERT_H

#include "swk_base.h"

SWK_BEGIN

/// One side of a conversion: its element kind and, for 8-bit kinds, what a code means:
/// real = `scale * (code - zero_point)`. Scale and zero point are ignored for the others, except
/// that `SWK_S32` has real = `scale * code`.
typedef struct swk_format {
  swk_type type;
  float scale;
  int32_t zero_point;
} swk_format;

/// Converts `count` elements. Source: `SWK_F32`, `SWK_BF16`, `SWK_U8`, `SWK_S8`, `SWK_S32`;
/// destination: `SWK_F32`, `SWK_BF16`, `SWK_U8`, `SWK_S8`. In place is allowed where both kinds
/// have the same size.
///
/// 8-bit results are `clamp(round(x * (1 / scale)) + zero_point)` from f32 and bf16,
/// `clamp(round((code - zero) * (source scale / scale)) + zero_point)` from codes, ties to even
/// (`1 / scale` and the quotient are rounded to f32 first); NaN becomes the lowest code. The same
/// 8-bit formats on both sides copy the codes.
void swk_convert(
  const swk_format *SWK_NONNULL from, const void *SWK_NONNULL src,
  const swk_format *SWK_NONNULL to, void *SWK_NONNULL dst, size_t count);
void swk_convert_reference(
  const swk_format *SWK_NONNULL from, const void *SWK_NONNULL src,
  const swk_format *SWK_NONNULL to, void *SWK_NONNULL dst, size_t count);

/// Writes pixels `[begin, end)` of the `batch * pixels` of `dst` `[batch, pixels, channels]` from
/// `src` `[batch, channels, pixels]` f32, converted as `swk_convert` does.
void swk_nchw_to_nhwc(
  const float *SWK_NONNULL src, const swk_format *SWK_NONNULL to, void *SWK_NONNULL dst,
  size_t channels, size_t pixels, size_t begin, size_t end);
void swk_nchw_to_nhwc_reference(
  const float *SWK_NONNULL src, const swk_format *SWK_NONNULL to, void *SWK_NONNULL dst,
  size_t channels, size_t pixels, size_t begin, size_t end);

/// Reads pixels `[begin, end)` of the `batch * pixels` of `src` `[batch, pixels, channels]` into
/// `dst` `[batch, channels, pixels]` f32, converted as `swk_convert` does.
void swk_nhwc_to_nchw(
  const swk_format *SWK_NONNULL from, const void *SWK_NONNULL src, float *SWK_NONNULL dst,
  size_t channels, size_t pixels, size_t begin, size_t end);
void swk_nhwc_to_nchw_reference(
  const swk_format *SWK_NONNULL from, const void *SWK_NONNULL src, float *SWK_NONNULL dst,
  size_t channels, size_t pixels, size_t begin, size_t end);

/// Transposes matrices `[batch, rows, columns]` to `[batch, columns, rows]`, elements of
/// `element_bytes` 1, 2, 4 or 8: rows `[begin, end)` of the `batch * columns` of the result.
void swk_transpose(
  const void *SWK_NONNULL src, void *SWK_NONNULL dst, size_t rows, size_t columns,
  size_t element_bytes, size_t begin, size_t end);
void swk_transpose_reference(
  const void *SWK_NONNULL src, void *SWK_NONNULL dst, size_t rows, size_t columns,
  size_t element_bytes, size_t begin, size_t end);

SWK_END

#endif
