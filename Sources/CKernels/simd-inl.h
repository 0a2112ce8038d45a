// SPDX-License-Identifier: Apache-2.0
// Per-target building blocks: loads that widen to float, activations, stores that narrow.
#if defined(SWK_SIMD_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SWK_SIMD_INL_H
#undef SWK_SIMD_INL_H
#else
#define SWK_SIMD_INL_H
#endif

#include "hwy/highway.h"
#include "scalar.h"

#if defined(__clang__)
#pragma clang fp contract(off)
#endif

HWY_BEFORE_NAMESPACE();
namespace swk {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using DF = hn::ScalableTag<float>;
using VF = hn::Vec<DF>;
using DI = hn::ScalableTag<int32_t>;
using VI = hn::Vec<DI>;

/// The larger of both, `b` where either is NaN.
template <class V>
HWY_INLINE V MaxOr(V a, V b) {
#if HWY_ARCH_X86 && HWY_TARGET != HWY_EMU128 && HWY_TARGET != HWY_SCALAR
  return hn::Max(a, b);
#else
  return hn::IfThenElse(hn::Gt(a, b), a, b);
#endif
}

/// The smaller of both, `b` where either is NaN.
template <class V>
HWY_INLINE V MinOr(V a, V b) {
#if HWY_ARCH_X86 && HWY_TARGET != HWY_EMU128 && HWY_TARGET != HWY_SCALAR
  return hn::Min(a, b);
#else
  return hn::IfThenElse(hn::Lt(a, b), a, b);
#endif
}

HWY_INLINE VF LoadFloat(DF df, const float* p) { return hn::LoadU(df, p); }
HWY_INLINE VF LoadFloat(DF df, const BFloat16* p) {
  const hn::Rebind<uint16_t, DF> d16;
  const hn::Rebind<uint32_t, DF> d32;
  const auto bits = hn::PromoteTo(d32, hn::LoadU(d16, reinterpret_cast<const uint16_t*>(p)));
  return hn::BitCast(df, hn::ShiftLeft<16>(bits));
}
template <class T>
HWY_INLINE VI LoadInt(DI di, const T* p) {
  return hn::PromoteTo(di, hn::LoadU(hn::Rebind<T, DI>(), p));
}
HWY_INLINE VF LoadFloat(DF df, const uint8_t* p) { return hn::ConvertTo(df, LoadInt(DI(), p)); }
HWY_INLINE VF LoadFloat(DF df, const int8_t* p) { return hn::ConvertTo(df, LoadInt(DI(), p)); }
HWY_INLINE VF LoadFloat(DF df, const int32_t* p) {
  return hn::ConvertTo(df, hn::LoadU(DI(), p));
}

/// exp(x) for x <= 0 to 2 ulp, with separate multiplications and additions; 0 below -87.
template <class D>
HWY_INLINE hn::Vec<D> ExpOfNegative(D df, hn::Vec<D> x) {
  using V = hn::Vec<D>;
  const hn::Rebind<int32_t, D> di;
  const V bounded = MaxOr(x, hn::Set(df, -87.0f));
  const auto n = hn::NearestInt(hn::Mul(bounded, hn::Set(df, 1.44269504f)));
  const V nf = hn::ConvertTo(df, n);
  V r = hn::Sub(bounded, hn::Mul(nf, hn::Set(df, 0.693359375f)));
  r = hn::Sub(r, hn::Mul(nf, hn::Set(df, -2.12194440e-4f)));
  V p = hn::Set(df, 1.9875691500e-4f);
  p = hn::Add(hn::Mul(p, r), hn::Set(df, 1.3981999507e-3f));
  p = hn::Add(hn::Mul(p, r), hn::Set(df, 8.3334519073e-3f));
  p = hn::Add(hn::Mul(p, r), hn::Set(df, 4.1665795894e-2f));
  p = hn::Add(hn::Mul(p, r), hn::Set(df, 1.6666665459e-1f));
  p = hn::Add(hn::Mul(p, r), hn::Set(df, 5.0000001201e-1f));
  p = hn::Add(hn::Add(hn::Mul(p, hn::Mul(r, r)), r), hn::Set(df, 1.0f));
  const auto exponent = hn::ShiftLeft<23>(hn::Add(n, hn::Set(di, 127)));
  const V e = hn::Mul(p, hn::BitCast(df, exponent));
  return hn::IfThenElseZero(hn::Ge(x, hn::Set(df, -87.0f)), e);
}

HWY_INLINE VF Silu(DF df, VF y) {
  const VF one = hn::Set(df, 1.0f);
  const VF e = ExpOfNegative(df, hn::Neg(hn::Abs(y)));
  const VF numerator = hn::IfThenElse(hn::Lt(y, hn::Zero(df)), e, one);
  const VF v = hn::Mul(y, hn::Div(numerator, hn::Add(one, e)));
  return hn::IfThenElse(hn::Eq(y, y), v, y);
}

HWY_MAYBE_UNUSED static HWY_NOINLINE VF Activate(
  swk_activation activation, float alpha, float beta, VF y) {
  const DF df;
  switch (activation) {
    case SWK_LEAKY_RELU:
      return hn::IfThenElse(
        hn::Lt(y, hn::Zero(df)), hn::Mul(y, hn::Set(df, alpha)), y);
    case SWK_HARD_SWISH:
    case SWK_HARD_SIGMOID: {
      VF h = hn::Add(hn::Mul(y, hn::Set(df, alpha)), hn::Set(df, beta));
      h = MinOr(MaxOr(h, hn::Zero(df)), hn::Set(df, 1.0f));
      return activation == SWK_HARD_SWISH ? hn::Mul(y, h) : h;
    }
    case SWK_SILU:
      return Silu(df, y);
    default:
      return y;
  }
}

HWY_INLINE VF FinishVector(DF df, const Finish& f, VF v) {
  if (f.activation != SWK_NONE) {
    v = hn::Mul(Activate(f.activation, f.alpha, f.beta, v), hn::Set(df, f.after));
  }
  if (f.clamps) v = MinOr(MaxOr(v, hn::Set(df, f.low)), hn::Set(df, f.high));
  return v;
}

/// The nearest bf16 of each lane, ties to even.
template <class D>
HWY_INLINE hn::Vec<hn::Rebind<uint16_t, D>> BFloat16Bits(D, hn::Vec<D> v) {
  const hn::Rebind<uint32_t, D> d32;
  const auto bits = hn::BitCast(d32, v);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(d32, 1u));
  const auto rounded = hn::Add(hn::Add(bits, hn::Set(d32, 0x7FFFu)), odd);
  const auto quiet = hn::Or(bits, hn::Set(d32, 0x400000u));
  const auto is_nan = hn::RebindMask(d32, hn::Ne(v, v));
  const auto high = hn::ShiftRight<16>(hn::IfThenElse(is_nan, quiet, rounded));
  // Values are below 2^16; as signed lanes for the saturating demotion, hence the bias.
  const hn::Rebind<int16_t, D> di16;
  const hn::Rebind<int32_t, D> di;
  const auto biased = hn::Sub(hn::BitCast(di, high), hn::Set(di, 0x8000));
  const hn::Rebind<uint16_t, D> d16;
  const auto narrow = hn::BitCast(d16, hn::DemoteTo(di16, biased));
  return hn::Xor(narrow, hn::Set(d16, static_cast<uint16_t>(0x8000)));
}

/// Stores what `FinishVector` returned.
HWY_INLINE void StoreFinished(DF df, const Finish&, VF v, float* p) { hn::StoreU(v, df, p); }
HWY_INLINE void StoreFinished(DF df, const Finish&, VF v, BFloat16* p) {
  const hn::Rebind<uint16_t, DF> d16;
  hn::StoreU(BFloat16Bits(df, v), d16, reinterpret_cast<uint16_t*>(p));
}
template <class T>
HWY_INLINE void StoreFinishedByte(const Finish& f, VF v, T* p) {
  const DI di;
  const hn::Rebind<T, DF> d8;
  const VI q = hn::Add(hn::NearestInt(v), hn::Set(di, f.zero_point));
  hn::StoreU(hn::DemoteTo(d8, q), d8, p);
}
HWY_INLINE void StoreFinished(DF, const Finish& f, VF v, uint8_t* p) {
  StoreFinishedByte(f, v, p);
}
HWY_INLINE void StoreFinished(DF, const Finish& f, VF v, int8_t* p) { StoreFinishedByte(f, v, p); }

/// Stores four vectors that `FinishVector` returned.
template <class Out>
HWY_INLINE void StoreFour(const Finish& f, VF v0, VF v1, VF v2, VF v3, Out* p) {
  const DF df;
  const size_t lanes = hn::Lanes(df);
#if HWY_TARGET <= HWY_AVX2 && HWY_ARCH_X86
  // Packing works within 128-bit blocks; one permutation of 32-bit groups restores the order.
  if constexpr (sizeof(Out) == 1) {
    const DI di;
    const hn::ScalableTag<int16_t> d16;
    const auto zero = hn::Set(d16, static_cast<int16_t>(f.zero_point));
    const auto lower =
      hn::Add(hn::ReorderDemote2To(d16, hn::NearestInt(v0), hn::NearestInt(v1)), zero);
    const auto upper =
      hn::Add(hn::ReorderDemote2To(d16, hn::NearestInt(v2), hn::NearestInt(v3)), zero);
#if HWY_TARGET <= HWY_AVX3
    const __m512i bytes = std::is_same<Out, uint8_t>::value
                            ? _mm512_packus_epi16(lower.raw, upper.raw)
                            : _mm512_packs_epi16(lower.raw, upper.raw);
    const __m512i order =
      _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    hn::StoreU(VI{_mm512_permutexvar_epi32(order, bytes)}, di, reinterpret_cast<int32_t*>(p));
#else
    const __m256i bytes = std::is_same<Out, uint8_t>::value
                            ? _mm256_packus_epi16(lower.raw, upper.raw)
                            : _mm256_packs_epi16(lower.raw, upper.raw);
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    hn::StoreU(
      VI{_mm256_permutevar8x32_epi32(bytes, order)}, di, reinterpret_cast<int32_t*>(p));
#endif
    return;
  }
#endif
  StoreFinished(df, f, v0, p);
  StoreFinished(df, f, v1, p + lanes);
  StoreFinished(df, f, v2, p + 2 * lanes);
  StoreFinished(df, f, v3, p + 3 * lanes);
}

/// Finishes `value(in + i)` and stores it at `out + i`, for `count` elements. `value` maps
/// `Lanes(DF())` elements to a vector. The last, partial vector goes through buffers, so nothing
/// outside the arrays is touched. In place is allowed where the elements have one size.
template <class In, class Out, class Value>
HWY_INLINE void Map(
  const Finish& finish, const In* in, Out* out, size_t count, const Value value) {
  const Finish f = finish;  // a copy, which stores of bytes cannot change
  const DF df;
  const size_t lanes = hn::Lanes(df);
  size_t i = 0;
  if (sizeof(Out) == 1 && f.activation == SWK_NONE) {
    const VF low = hn::Set(df, f.low), high = hn::Set(df, f.high);
    for (; i + 4 * lanes <= count; i += 4 * lanes) {
      const In* p = in + i;
      const VF v0 = MinOr(MaxOr(value(p), low), high);
      const VF v1 = MinOr(MaxOr(value(p + lanes), low), high);
      const VF v2 = MinOr(MaxOr(value(p + 2 * lanes), low), high);
      const VF v3 = MinOr(MaxOr(value(p + 3 * lanes), low), high);
      StoreFour(f, v0, v1, v2, v3, out + i);
    }
  }
  HWY_ALIGN In in_tail[HWY_LANES(float)];
  HWY_ALIGN Out out_tail[HWY_LANES(float)];
  for (; i < count; i += lanes) {
    const bool whole = count - i >= lanes;
    if (!whole) {
      std::memset(static_cast<void*>(in_tail), 0, sizeof in_tail);
      std::memcpy(in_tail, in + i, (count - i) * sizeof(In));
    }
    const VF v = FinishVector(df, f, value(whole ? in + i : in_tail));
    StoreFinished(df, f, v, whole ? out + i : out_tail);
    if (!whole) std::memcpy(static_cast<void*>(out + i), out_tail, (count - i) * sizeof(Out));
  }
}

/// As `Map`, of `value(a + i, b + i)`.
template <class A, class B, class Out, class Value>
HWY_INLINE void MapPairs(
  const Finish& finish, const A* a, const B* b, Out* out, size_t count, const Value value) {
  const Finish f = finish;
  const DF df;
  const size_t lanes = hn::Lanes(df);
  size_t i = 0;
  if (sizeof(Out) == 1 && f.activation == SWK_NONE) {
    const VF low = hn::Set(df, f.low), high = hn::Set(df, f.high);
    for (; i + 4 * lanes <= count; i += 4 * lanes) {
      const A* p = a + i;
      const B* q = b + i;
      const VF v0 = MinOr(MaxOr(value(p, q), low), high);
      const VF v1 = MinOr(MaxOr(value(p + lanes, q + lanes), low), high);
      const VF v2 = MinOr(MaxOr(value(p + 2 * lanes, q + 2 * lanes), low), high);
      const VF v3 = MinOr(MaxOr(value(p + 3 * lanes, q + 3 * lanes), low), high);
      StoreFour(f, v0, v1, v2, v3, out + i);
    }
  }
  HWY_ALIGN A a_tail[HWY_LANES(float)];
  HWY_ALIGN B b_tail[HWY_LANES(float)];
  HWY_ALIGN Out out_tail[HWY_LANES(float)];
  for (; i < count; i += lanes) {
    const bool whole = count - i >= lanes;
    if (!whole) {
      std::memset(static_cast<void*>(a_tail), 0, sizeof a_tail);
      std::memset(static_cast<void*>(b_tail), 0, sizeof b_tail);
      std::memcpy(a_tail, a + i, (count - i) * sizeof(A));
      std::memcpy(b_tail, b + i, (count - i) * sizeof(B));
    }
    const VF v = FinishVector(df, f, value(whole ? a + i : a_tail, whole ? b + i : b_tail));
    StoreFinished(df, f, v, whole ? out + i : out_tail);
    if (!whole) std::memcpy(static_cast<void*>(out + i), out_tail, (count - i) * sizeof(Out));
  }
}

/// The value of an f32 as it is.
struct Itself {
  HWY_INLINE VF operator()(const float* in) const { return hn::LoadU(DF(), in); }
};

}  // namespace HWY_NAMESPACE
}  // namespace swk
HWY_AFTER_NAMESPACE();

#endif
