// SPDX-License-Identifier: Apache-2.0
#ifndef SWK_CONVERSION_H
#define SWK_CONVERSION_H

#include <type_traits>

#include "scalar.h"

#if defined(__clang__)
#pragma clang fp contract(off)
#endif

namespace swk {

/// A conversion made ready: `finish((code - zero) * factor / divisor)`.
///
/// Reals become codes by a division, as ONNX defines `QuantizeLinear`: a product with the rounded
/// reciprocal turns ties, of which pixels on an even grid have many, to the other side.
struct Conversion {
  bool copies;
  int32_t zero;
  float factor;
  float divisor;
  Finish finish;
};

inline bool IsInteger(swk_type type) { return IsByte(type) || type == SWK_S32; }

inline Conversion Prepare(const swk_format& from, const swk_format& to) {
  Conversion c;
  c.zero = IsByte(from.type) ? from.zero_point : 0;
  c.copies = from.type == to.type && from.type != SWK_S32 &&
             (!IsByte(to.type) || (from.scale == to.scale && from.zero_point == to.zero_point));
  c.divisor = 1.0f;
  if (IsByte(to.type)) {
    c.factor = IsInteger(from.type) ? from.scale / to.scale : 1.0f;
    if (!IsInteger(from.type)) c.divisor = to.scale;
  } else {
    c.factor = IsInteger(from.type) ? from.scale : 1.0f;
  }
  c.finish = Prepare(swk_epilogue{to.type, SWK_NONE, 0.0f, 0.0f, 1.0f, to.zero_point});
  return c;
}

inline void ConvertScalar(
  const Conversion& c, swk_type from, const void* src, size_t i, void* dst, size_t o) {
  if (c.copies) {
    const size_t bytes = ByteCount(from);
    std::memmove(static_cast<uint8_t*>(dst) + o * bytes,
                 static_cast<const uint8_t*>(src) + i * bytes, bytes);
    return;
  }
  const float v = IsByte(from) ? static_cast<float>(LoadByte(from, src, i) - c.zero)
                               : LoadScalar(from, src, i);
  StoreScalar(c.finish, v * c.factor / c.divisor, dst, o);
}

/// Calls `visit(pointer to const element)` with the element type of `type`.
template <class Visit>
inline void WithSource(swk_type type, const void* p, const Visit& visit) {
  switch (type) {
    case SWK_F32:
      return visit(static_cast<const float*>(p));
    case SWK_BF16:
      return visit(static_cast<const BFloat16*>(p));
    case SWK_U8:
      return visit(static_cast<const uint8_t*>(p));
    case SWK_S8:
      return visit(static_cast<const int8_t*>(p));
    case SWK_S32:
      return visit(static_cast<const int32_t*>(p));
  }
}

/// Calls `visit(pointer to element)` likewise; `SWK_S32` is no destination.
template <class Visit>
inline void WithDestination(swk_type type, void* p, const Visit& visit) {
  switch (type) {
    case SWK_BF16:
      return visit(static_cast<BFloat16*>(p));
    case SWK_U8:
      return visit(static_cast<uint8_t*>(p));
    case SWK_S8:
      return visit(static_cast<int8_t*>(p));
    default:
      return visit(static_cast<float*>(p));
  }
}

}  // namespace swk

#endif
