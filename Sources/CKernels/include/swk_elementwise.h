// SPDX-License-Identifier: Apache-2.0
#ifndef SWK_ELEMENTWISE_H
#define SWK_ELEMENTWISE_H

#include "swk_base.h"
#include "swk_convert.h"

SWK_BEGIN

/// Adds elements `[begin, end)`: `dst = epilogue(a + b)` of the real values.
///
/// `a` is `SWK_U8` or `SWK_S8`, `b` that or `SWK_F32`; any epilogue. The sum is
/// `(a * ka + b * kb) + k0` in f32, where `ka` and `kb` are the scales, `k0` is
/// `-(ka * zero_a + kb * zero_b)`, each times `inverse_scale` where the epilogue says so.
/// `dst` may be `a` or `b` where the kinds have the same size.
void swk_add_quantized(
  const swk_format *SWK_NONNULL a_format, const void *SWK_NONNULL a,
  const swk_format *SWK_NONNULL b_format, const void *SWK_NONNULL b,
  const swk_epilogue *SWK_NONNULL epilogue, void *SWK_NONNULL dst, size_t begin, size_t end);
void swk_add_quantized_reference(
  const swk_format *SWK_NONNULL a_format, const void *SWK_NONNULL a,
  const swk_format *SWK_NONNULL b_format, const void *SWK_NONNULL b,
  const swk_epilogue *SWK_NONNULL epilogue, void *SWK_NONNULL dst, size_t begin, size_t end);

/// Multiplies each channel of an image by its factor (squeeze and excite):
/// `dst[n, p, c] = epilogue(x[n, p, c] * factor[n, c])` of the real values.
///
/// `x` and `dst` are `[batch, pixels, channels]`, `factor` is `[batch, channels]`; each any of
/// `SWK_F32`, `SWK_BF16`, `SWK_U8`, `SWK_S8`. The product is `(x - zero) * k`, where `k` is
/// `(factor - zero) * (scale_x * scale_factor)`, times `inverse_scale` where the epilogue says
/// so. Pixels `[begin, end)` of the `batch * pixels`. `dst` may be `x` where the kinds have the
/// same size.
void swk_mul_channels(
  const swk_format *SWK_NONNULL x_format, const void *SWK_NONNULL x,
  const swk_format *SWK_NONNULL factor_format, const void *SWK_NONNULL factor,
  const swk_epilogue *SWK_NONNULL epilogue, void *SWK_NONNULL dst, size_t channels,
  size_t pixels, size_t begin, size_t end);
void swk_mul_channels_reference(
  const swk_format *SWK_NONNULL x_format, const void *SWK_NONNULL x,
  const swk_format *SWK_NONNULL factor_format, const void *SWK_NONNULL factor,
  const swk_epilogue *SWK_NONNULL epilogue, void *SWK_NONNULL dst, size_t channels,
  size_t pixels, size_t begin, size_t end);

/// `dst[i] = table[src[i]]` for `count` bytes; `table` has 256 entries, indexed by the bits of
/// the code (signed codes: -1 is entry 255). In place is allowed.
void swk_lookup(
  const uint8_t *SWK_NONNULL table, const uint8_t *SWK_NONNULL src, uint8_t *SWK_NONNULL dst,
  size_t count);
void swk_lookup_reference(
  const uint8_t *SWK_NONNULL table, const uint8_t *SWK_NONNULL src, uint8_t *SWK_NONNULL dst,
  size_t count);

/// Copies rows of `channels` elements into rows that are `dst_stride` elements apart, converted
/// as `swk_convert` does: one input of a concatenation of channels. `dst` points at the first
/// element to write; rows `[begin, end)`.
void swk_concat_rows(
  const swk_format *SWK_NONNULL from, const void *SWK_NONNULL src,
  const swk_format *SWK_NONNULL to, void *SWK_NONNULL dst, size_t channels, size_t dst_stride,
  size_t begin, size_t end);
void swk_concat_rows_reference(
  const swk_format *SWK_NONNULL from, const void *SWK_NONNULL src,
  const swk_format *SWK_NONNULL to, void *SWK_NONNULL dst, size_t channels, size_t dst_stride,
  size_t begin, size_t end);

/// What `swk_binary_f32` computes from `a` and `b`. Where either is NaN, minimum and maximum
/// give `b`.
typedef enum swk_binary {
  SWK_ADD = 0,
  SWK_MUL = 1,
  SWK_SUB = 2,
  SWK_DIV = 3,
  SWK_MIN = 4,
  SWK_MAX = 5
} swk_binary;

/// How `b` lies over `a`: element by element, one value a channel (`b` is `[channels]`), or one
/// value.
typedef enum swk_broadcast { SWK_SAME = 0, SWK_PER_CHANNEL = 1, SWK_SCALAR = 2 } swk_broadcast;

/// `dst = operation(a, b)`, then relu if `relu` is not 0 (NaN becomes 0), for rows
/// `[begin, end)` of `channels` elements. With `swapped` not 0: `operation(b, a)`. `dst` may be
/// `a`, or `b` with `SWK_SAME`.
typedef struct swk_binary_args {
  swk_binary operation;
  swk_broadcast broadcast;
  int swapped;
  int relu;
  size_t channels;
} swk_binary_args;
void swk_binary_f32(
  const swk_binary_args *SWK_NONNULL args, const float *SWK_NONNULL a,
  const float *SWK_NONNULL b, float *SWK_NONNULL dst, size_t begin, size_t end);
void swk_binary_f32_reference(
  const swk_binary_args *SWK_NONNULL args, const float *SWK_NONNULL a,
  const float *SWK_NONNULL b, float *SWK_NONNULL dst, size_t begin, size_t end);

SWK_END

#endif
