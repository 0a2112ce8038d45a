// SPDX-License-Identifier: Apache-2.0
#ifndef SWK_SOFTMAX_H
#define SWK_SOFTMAX_H

#include "swk_base.h"

SWK_BEGIN

/// How rows of scores become weights that add up to 1.
typedef struct swk_softmax {
  /// `SWK_F32` or `SWK_BF16`.
  swk_type type;
  size_t columns;
  /// What the scores are multiplied by before the mask is added.
  float scale;
  /// Whether a row of which every element is -infinity becomes 0; NaN if this is 0.
  int closed_is_zero;
} swk_softmax;

/// `dst[r, c] = e^(x[c] - m) / sum(e^(x - m))` with `x = src[r] * scale + mask` and `m` the
/// greatest `x`, for rows `[begin, end)` of `columns` elements.
///
/// The mask's row for row `r` begins at `mask + mask_offsets[r]`; no mask if `mask` is null. Rows
/// with a NaN or +infinity are NaN as a whole. These rows of `src` are overwritten; `dst` may be
/// `src` with `SWK_F32`. Instruction sets and the reference differ in the order of the sum and by
/// 4 ulp of the exponentials.
void swk_softmax_rows(
  const swk_softmax *SWK_NONNULL args, float *SWK_NONNULL src,
  const float *SWK_NULLABLE mask, const size_t *SWK_NULLABLE mask_offsets, void *SWK_NONNULL dst,
  size_t begin, size_t end);
void swk_softmax_rows_reference(
  const swk_softmax *SWK_NONNULL args, float *SWK_NONNULL src,
  const float *SWK_NULLABLE mask, const size_t *SWK_NULLABLE mask_offsets, void *SWK_NONNULL dst,
  size_t begin, size_t end);

SWK_END

#endif
