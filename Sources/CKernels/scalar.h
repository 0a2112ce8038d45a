// SPDX-License-Identifier: Apache-2.0
#ifndef SWK_SCALAR_H
#define SWK_SCALAR_H

#include <cmath>
#include <cstring>
#include <limits>

#include "include/CKernels.h"

#if defined(__clang__)
#pragma clang fp contract(off)
#define SWK_UNROLL _Pragma("clang loop unroll(full)")
#else
#define SWK_UNROLL _Pragma("GCC unroll 64")
#endif

namespace swk {

struct BFloat16 {
  uint16_t bits;
};

/// An epilogue made ready: relu and clip become bounds, and the output scale is multiplied in as
/// early as the activation allows.
struct Finish {
  swk_type type;
  swk_activation activation;  // never SWK_RELU or SWK_CLIP
  bool clamps;
  float alpha;
  float beta;
  float before;  // multiplies scale and bias
  float after;   // multiplies what the activation returns
  float low;
  float high;
  int32_t zero_point;
};

inline bool IsByte(swk_type type) { return type == SWK_U8 || type == SWK_S8; }

inline size_t ByteCount(swk_type type) {
  return IsByte(type) ? 1 : type == SWK_BF16 ? 2 : 4;
}

inline Finish Prepare(const swk_epilogue& e) {
  Finish f;
  f.type = e.type;
  f.activation = e.activation;
  f.alpha = e.alpha;
  f.beta = e.beta;
  f.before = f.after = 1.0f;
  f.low = -std::numeric_limits<float>::infinity();
  f.high = std::numeric_limits<float>::infinity();
  f.zero_point = 0;
  f.clamps = false;
  const bool commutes = e.activation == SWK_NONE || e.activation == SWK_RELU ||
                        e.activation == SWK_CLIP || e.activation == SWK_LEAKY_RELU;
  if (IsByte(e.type)) {
    (commutes ? f.before : f.after) = e.inverse_scale;
    f.zero_point = e.zero_point;
    f.low = static_cast<float>((e.type == SWK_U8 ? 0 : -128) - e.zero_point);
    f.high = static_cast<float>((e.type == SWK_U8 ? 255 : 127) - e.zero_point);
    f.clamps = true;
  }
  if (e.activation == SWK_RELU || e.activation == SWK_CLIP) {
    const float lower = e.activation == SWK_RELU ? 0.0f : e.alpha * f.before;
    if (lower > f.low) f.low = lower < f.high ? lower : f.high;
    if (e.activation == SWK_CLIP) {
      const float upper = e.beta * f.before;
      if (upper < f.high) f.high = upper > f.low ? upper : f.low;
    }
    f.activation = SWK_NONE;
    f.clamps = true;
  }
  return f;
}

inline float FloatFromBFloat16(BFloat16 b) {
  const uint32_t bits = static_cast<uint32_t>(b.bits) << 16;
  float v;
  std::memcpy(&v, &bits, sizeof v);
  return v;
}

inline BFloat16 BFloat16FromFloat(float v) {
  uint32_t bits;
  std::memcpy(&bits, &v, sizeof bits);
  if (v != v) return {static_cast<uint16_t>((bits >> 16) | 0x40)};
  return {static_cast<uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16)};
}

inline float ActivateScalar(const Finish& f, float y) {
  switch (f.activation) {
    case SWK_LEAKY_RELU:
      return y < 0.0f ? y * f.alpha : y;
    case SWK_HARD_SWISH:
    case SWK_HARD_SIGMOID: {
      float h = y * f.alpha + f.beta;
      h = h > 0.0f ? h : 0.0f;
      h = h < 1.0f ? h : 1.0f;
      return f.activation == SWK_HARD_SWISH ? y * h : h;
    }
    case SWK_SILU:
      return static_cast<float>(y / (1.0 + std::exp(-static_cast<double>(y))));
    default:
      return y;
  }
}

/// Activates, rescales and clamps; what remains for a byte is rounding and the zero point.
inline float FinishScalar(const Finish& f, float v) {
  v = ActivateScalar(f, v) * f.after;
  if (!f.clamps) return v;
  v = v > f.low ? v : f.low;
  return v < f.high ? v : f.high;
}

inline void StoreScalar(const Finish& f, float v, void* dst, size_t i) {
  v = FinishScalar(f, v);
  switch (f.type) {
    case SWK_BF16:
      static_cast<BFloat16*>(dst)[i] = BFloat16FromFloat(v);
      break;
    case SWK_U8:
      static_cast<uint8_t*>(dst)[i] =
        static_cast<uint8_t>(static_cast<int32_t>(std::nearbyint(v)) + f.zero_point);
      break;
    case SWK_S8:
      static_cast<int8_t*>(dst)[i] =
        static_cast<int8_t>(static_cast<int32_t>(std::nearbyint(v)) + f.zero_point);
      break;
    default:
      static_cast<float*>(dst)[i] = v;
  }
}

inline int32_t LoadByte(swk_type type, const void* src, size_t i) {
  return type == SWK_U8 ? static_cast<const uint8_t*>(src)[i]
                        : static_cast<const int8_t*>(src)[i];
}

inline float LoadScalar(swk_type type, const void* src, size_t i) {
  switch (type) {
    case SWK_F32:
      return static_cast<const float*>(src)[i];
    case SWK_BF16:
      return FloatFromBFloat16(static_cast<const BFloat16*>(src)[i]);
    case SWK_S32:
      return static_cast<float>(static_cast<const int32_t*>(src)[i]);
    default:
      return static_cast<float>(LoadByte(type, src, i));
  }
}

/// The source pixel along one axis, or -1 in the padding.
inline ptrdiff_t SourceIndex(
  size_t out, size_t tap, size_t stride, size_t dilation, size_t pad, size_t size) {
  const ptrdiff_t i = static_cast<ptrdiff_t>(out * stride + tap * dilation) -
                      static_cast<ptrdiff_t>(pad);
  return i >= 0 && i < static_cast<ptrdiff_t>(size) ? i : -1;
}

}  // namespace swk

#endif
