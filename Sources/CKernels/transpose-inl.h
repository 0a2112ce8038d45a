// SPDX-License-Identifier: Apache-2.0
// Transposition of small tiles, and conversion of runs of elements.
#if defined(SWK_TRANSPOSE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SWK_TRANSPOSE_INL_H
#undef SWK_TRANSPOSE_INL_H
#else
#define SWK_TRANSPOSE_INL_H
#endif

#include "conversion.h"
#include "simd-inl.h"

#if defined(__clang__)
#pragma clang fp contract(off)
#endif

HWY_BEFORE_NAMESPACE();
namespace swk {
namespace HWY_NAMESPACE {

/// Transposes `N x N` elements, `N = 16 / sizeof(T)`; strides in elements.
template <class T>
HWY_INLINE void TransposeSquare(
  const T* src, size_t src_stride, T* dst, size_t dst_stride) {
  constexpr size_t kSide = 16 / sizeof(T);
  const hn::FixedTag<T, kSide> d;
  hn::Vec<decltype(d)> row[kSide], next[kSide];
  SWK_UNROLL for (size_t i = 0; i < kSide; ++i) row[i] = hn::LoadU(d, src + i * src_stride);
  SWK_UNROLL for (size_t step = 1; step < kSide; step *= 2) {
    SWK_UNROLL for (size_t i = 0; i < kSide / 2; ++i) {
      next[2 * i] = hn::InterleaveLower(d, row[i], row[i + kSide / 2]);
      next[2 * i + 1] = hn::InterleaveUpper(d, row[i], row[i + kSide / 2]);
    }
    SWK_UNROLL for (size_t i = 0; i < kSide; ++i) row[i] = next[i];
  }
  SWK_UNROLL for (size_t i = 0; i < kSide; ++i) hn::StoreU(row[i], d, dst + i * dst_stride);
}

/// Transposes `rows x columns` elements into `columns x rows`; strides in elements.
template <class T>
HWY_INLINE void TransposeTile(
  const T* src, size_t src_stride, T* dst, size_t dst_stride, size_t rows, size_t columns) {
  constexpr size_t kSide = 16 / sizeof(T);
  for (size_t r = 0; r < rows; r += kSide) {
    const size_t height = rows - r < kSide ? rows - r : kSide;
    for (size_t c = 0; c < columns; c += kSide) {
      const size_t width = columns - c < kSide ? columns - c : kSide;
      const T* from = src + r * src_stride + c;
      T* to = dst + c * dst_stride + r;
      if (height == kSide && width == kSide) {
        TransposeSquare(from, src_stride, to, dst_stride);
        continue;
      }
      HWY_ALIGN T in[kSide * kSide] = {};
      HWY_ALIGN T out[kSide * kSide];
      for (size_t i = 0; i < height; ++i) {
        std::memcpy(in + i * kSide, from + i * src_stride, width * sizeof(T));
      }
      TransposeSquare(in, kSide, out, kSide);
      for (size_t i = 0; i < width; ++i) {
        std::memcpy(to + i * dst_stride, out + i * kSide, height * sizeof(T));
      }
    }
  }
}

template <class In>
HWY_INLINE VF LoadCentred(DF df, const In* p, int32_t zero) {
  if constexpr (std::is_same<In, float>::value || std::is_same<In, BFloat16>::value) {
    return LoadFloat(df, p);
  } else {
    const DI di;
    VI v;
    if constexpr (sizeof(In) == 4) {
      v = hn::LoadU(di, p);
    } else {
      v = LoadInt(di, p);
    }
    return hn::ConvertTo(df, hn::Sub(v, hn::Set(di, zero)));
  }
}

/// The value of an element that is to be converted.
template <class In, class Out>
struct ConvertedValue {
  int32_t zero;
  float factor;
  float divisor;
  HWY_INLINE VF operator()(const In* in) const {
    const DF df;
    if constexpr (
      (std::is_same<In, float>::value || std::is_same<In, BFloat16>::value) && sizeof(Out) == 1) {
      return hn::Div(LoadCentred(df, in, zero), hn::Set(df, divisor));
    }
    return hn::Mul(LoadCentred(df, in, zero), hn::Set(df, factor));
  }
};

/// Converts `count` neighbouring elements.
template <class In, class Out>
HWY_NOINLINE void ConvertRun(const Conversion& c, const In* in, Out* out, size_t count) {
  if (count == 0) return;
  if (c.copies) {
    std::memmove(static_cast<void*>(out), in, count * sizeof(Out));
    return;
  }
  Map(c.finish, in, out, count, ConvertedValue<In, Out>{c.zero, c.factor, c.divisor});
}

}  // namespace HWY_NAMESPACE
}  // namespace swk
HWY_AFTER_NAMESPACE();

#endif
