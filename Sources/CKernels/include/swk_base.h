// SPDX-License-Identifier: Apache-2.0
#ifndef SWK_BASE_H
#define SWK_BASE_H

#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#define SWK_NONNULL _Nonnull
#define SWK_NULLABLE _Nullable
#else
#define SWK_NONNULL
#define SWK_NULLABLE
#endif

#if defined(__cplusplus)
#define SWK_BEGIN extern "C" {
#define SWK_END }
#else
#define SWK_BEGIN
#define SWK_END
#endif

SWK_BEGIN

/// The element kinds in memory. A bf16 is its 16 bits as `uint16_t`.
typedef enum swk_type {
  SWK_F32 = 0,
  SWK_BF16 = 1,
  SWK_U8 = 2,
  SWK_S8 = 3,
  SWK_S32 = 4
} swk_type;

/// The function applied to a real value before it is stored.
///
/// - `SWK_CLIP`: `alpha` is the lower bound, `beta` the upper.
/// - `SWK_HARD_SIGMOID`: `h(y) = min(max(alpha * y + beta, 0), 1)`.
/// - `SWK_HARD_SWISH`: `y * h(y)`, with `alpha` and `beta` given (ONNX: 1/6 and 1/2).
/// - `SWK_LEAKY_RELU`: `y < 0 ? alpha * y : y`.
/// - `SWK_SILU`: `y / (1 + exp(-y))`; the reference may differ by 4 ulp or 2e-36 before rounding.
typedef enum swk_activation {
  SWK_NONE = 0,
  SWK_RELU = 1,
  SWK_CLIP = 2,
  SWK_HARD_SWISH = 3,
  SWK_HARD_SIGMOID = 4,
  SWK_LEAKY_RELU = 5,
  SWK_SILU = 6
} swk_activation;

/// How a real value `y` becomes a stored element.
///
/// `SWK_F32` and `SWK_BF16` store `activation(y)` (bf16: nearest, ties to even). `SWK_U8` and
/// `SWK_S8` store `clamp(round(activation(y) * inverse_scale) + zero_point)`, ties to even; NaN
/// becomes the lowest code. Where the activation commutes with a positive factor (none, relu,
/// clip, leaky relu), `inverse_scale` is multiplied into the kernel's own factors beforehand.
/// `zero_point` must be a code of `type`, and `inverse_scale` positive.
typedef struct swk_epilogue {
  swk_type type;
  swk_activation activation;
  float alpha;
  float beta;
  float inverse_scale;
  int32_t zero_point;
} swk_epilogue;

/// Processor features, as bits of `swk_cpu_features()`.
typedef enum swk_cpu_feature {
  SWK_CPU_SSE4 = 1 << 0,
  SWK_CPU_AVX2 = 1 << 1,
  SWK_CPU_FMA = 1 << 2,
  SWK_CPU_AVX512 = 1 << 3,
  SWK_CPU_AVX512_VNNI = 1 << 4,
  SWK_CPU_AVX512_BF16 = 1 << 5,
  SWK_CPU_AMX_INT8 = 1 << 6,
  SWK_CPU_AMX_BF16 = 1 << 7,
  SWK_CPU_NEON = 1 << 8,
  SWK_CPU_DOTPROD = 1 << 9,
  SWK_CPU_AVX_VNNI = 1 << 10
} swk_cpu_feature;

/// The instruction set that the kernels run on here, such as `AVX3_DL`; a static string.
const char *SWK_NONNULL swk_target_name(void);

/// The instruction sets that there are kernels for and that this processor has, best first; `NULL`
/// from their number on.
const char *SWK_NULLABLE swk_target_at(size_t index);

/// For tests, in a process of their own: makes all kernels run on the instruction set that
/// `swk_target_at` names, as long as nothing packed for another one is in use.
void swk_use_target(size_t index);

/// The features of this processor that the operating system lets programs use.
/// `SWK_CPU_AVX512` stands for F, BW, DQ and VL together.
uint32_t swk_cpu_features(void);

SWK_END

#endif
