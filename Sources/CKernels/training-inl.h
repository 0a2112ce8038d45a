// SPDX-License-Identifier: Apache-2.0
// Per-target building blocks of training: loops over elements, over channels, and sums over rows.
#if defined(SWK_TRAINING_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SWK_TRAINING_INL_H
#undef SWK_TRAINING_INL_H
#else
#define SWK_TRAINING_INL_H
#endif

#include "simd-inl.h"
#include "training.h"

#if defined(__clang__)
#pragma clang fp contract(off)
#endif

/// Whether a target has vectors that the bf16 instructions of AVX-512 work on.
#undef SWK_HARDWARE_BF16
#define SWK_HARDWARE_BF16 (HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3)

#undef SWK_INLINE_LAMBDA
#define SWK_INLINE_LAMBDA HWY_ATTR __attribute__((always_inline))

HWY_BEFORE_NAMESPACE();
namespace swk {
namespace HWY_NAMESPACE {

template <class D>
HWY_INLINE hn::Vec<D> LoadReal(D d, const float* p) {
  return hn::LoadU(d, p);
}
template <class D>
HWY_INLINE hn::Vec<D> LoadReal(D d, const BFloat16* p) {
  const hn::Rebind<uint16_t, D> d16;
  const hn::Rebind<uint32_t, D> d32;
  const auto bits = hn::PromoteTo(d32, hn::LoadU(d16, reinterpret_cast<const uint16_t*>(p)));
  return hn::BitCast(d, hn::ShiftLeft<16>(bits));
}

#if SWK_HARDWARE_BF16
/// With one permutation in place of a conversion and a shift.
HWY_INLINE VF LoadReal(DF, const BFloat16* p) {
  const __m512i places = _mm512_set_epi16(
    15, 0, 14, 0, 13, 0, 12, 0, 11, 0, 10, 0, 9, 0, 8, 0, 7, 0, 6, 0, 5, 0, 4, 0, 3, 0, 2, 0, 1,
    0, 0, 0);
  const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  return VF{_mm512_castsi512_ps(
    _mm512_maskz_permutexvar_epi16(0xAAAAAAAA, places, _mm512_castsi256_si512(bits)))};
}
#endif

template <class D>
HWY_INLINE void StoreReal(D d, hn::Vec<D> v, float* p) {
  hn::StoreU(v, d, p);
}
template <class D>
HWY_INLINE void StoreReal(D d, hn::Vec<D> v, BFloat16* p) {
  hn::StoreU(BFloat16Bits(d, v), hn::Rebind<uint16_t, D>(), reinterpret_cast<uint16_t*>(p));
}

/// A bf16 that the processor rounds to by itself.
struct HardwareBFloat16 : BFloat16 {};

#if SWK_HARDWARE_BF16
// As assembly, since the instruction is not part of the target that this is compiled for.
HWY_INLINE __m256i RoundToBFloat16(__m512 v) {
  __m256i bits;
  __asm__("vcvtneps2bf16 %1, %0" : "=v"(bits) : "v"(v));
  return bits;
}
HWY_INLINE __m128i RoundToBFloat16(__m256 v) {
  __m128i bits;
  __asm__("vcvtneps2bf16 %1, %0" : "=v"(bits) : "v"(v));
  return bits;
}
HWY_INLINE __m128i RoundToBFloat16(__m128 v) {
  __m128i bits;
  __asm__("vcvtneps2bf16 %1, %0" : "=v"(bits) : "v"(v));
  return bits;
}
template <class D>
HWY_INLINE void StoreReal(D, hn::Vec<D> v, HardwareBFloat16* p) {
  const hn::Rebind<uint16_t, D> d16;
  const hn::Vec<decltype(d16)> bits{RoundToBFloat16(v.raw)};
  hn::StoreU(bits, d16, reinterpret_cast<uint16_t*>(p));
}
#endif

/// Calls `visit(element)` with an element of the type that stands for `type`.
template <class Visit>
HWY_INLINE void WithData(swk_type type, bool hardware, const Visit& visit) {
  if (type == SWK_F32) return visit(float());
#if SWK_HARDWARE_BF16
  if (hardware) return visit(HardwareBFloat16());
#endif
  (void)hardware;
  visit(BFloat16());
}

/// Calls `body(tag, i)` for vectors that cover elements `[0, count)`: whole ones, then narrower
/// ones, so that nothing outside is touched and nothing is visited twice.
///
/// Few widths: each is one more copy of every kernel to compile.
template <class Body>
HWY_INLINE void ForVectors(size_t count, const Body& body) {
  const DF df;
  const size_t lanes = hn::Lanes(df);
  size_t i = 0;
  for (; i + 2 * lanes <= count; i += 2 * lanes) {
    body(df, i);
    body(df, i + lanes);
  }
  if (i + lanes <= count) {
    body(df, i);
    i += lanes;
  }
  if constexpr (HWY_LANES(float) > 8) {
    const hn::CappedTag<float, 8> d8;
    for (; i + 8 <= count && hn::Lanes(d8) == 8; i += 8) body(d8, i);
  }
  const hn::CappedTag<float, 1> d1;
  for (; i < count; ++i) body(d1, i);
}

/// Calls `body(tag, vectors, c)` for panels of channels: two vectors, one, or narrower ones.
/// `vectors` is a `std::integral_constant`.
template <class Body>
HWY_INLINE void ForPanels(size_t channels, const Body& body) {
  using One = std::integral_constant<int, 1>;
  const DF df;
  const size_t lanes = hn::Lanes(df);
  size_t c = 0;
  for (; c + 2 * lanes <= channels; c += 2 * lanes) {
    body(df, std::integral_constant<int, 2>(), c);
  }
  for (; c + lanes <= channels; c += lanes) body(df, One(), c);
  if constexpr (HWY_LANES(float) > 8) {
    const hn::CappedTag<float, 8> d8;
    for (; c + 8 <= channels && hn::Lanes(d8) == 8; c += 8) body(d8, One(), c);
  }
  const hn::CappedTag<float, 1> d1;
  for (; c < channels; ++c) body(d1, One(), c);
}

/// `a * b + sum`, each rounded by itself; with an exact product that makes no difference.
template <bool kExact, class V>
HWY_INLINE V AddProduct(V a, V b, V sum) {
  return kExact ? hn::MulAdd(a, b, sum) : hn::Add(hn::Mul(a, b), sum);
}

/// The derivative of hard swish.
template <class D>
HWY_INLINE hn::Vec<D> HardSwishSlopes(D d, hn::Vec<D> v) {
  const auto middle = hn::Add(hn::Mul(v, hn::Set(d, kThird)), hn::Set(d, 0.5f));
  const auto bounded =
    hn::IfThenElse(hn::Ge(v, hn::Set(d, 3.0f)), hn::Set(d, 1.0f), middle);
  return hn::IfThenZeroElse(hn::Le(v, hn::Set(d, -3.0f)), bounded);
}

constexpr size_t kMaxPanel = 2 * HWY_LANES(float);

/// The sums over rows of a panel: `quantities` values for each of `vectors` vectors.
template <int kQuantities>
struct PanelTotals {
  double values[kQuantities][kMaxPanel];
};

/// Sums over `rows` in the order that `swk_training.h` states; `row(r, sums)` adds what row `r` has
/// to `sums[vector][quantity]`.
template <int kQuantities, int kVectors, class D, class Row>
HWY_INLINE void SumRows(D d, size_t rows, const Row& row, PanelTotals<kQuantities>& totals) {
  using V = hn::Vec<D>;
  const size_t lanes = hn::Lanes(d);
  for (int q = 0; q < kQuantities; ++q) {
    for (size_t i = 0; i < kMaxPanel; ++i) totals.values[q][i] = 0.0;
  }
  HWY_ALIGN float block[kMaxPanel];
  for (size_t first = 0; first < rows; first += kSumBlock) {
    const size_t last = rows - first < kSumBlock ? rows : first + kSumBlock;
    V even[kVectors][kQuantities], odd[kVectors][kQuantities];
    SWK_UNROLL for (int v = 0; v < kVectors; ++v) {
      SWK_UNROLL for (int q = 0; q < kQuantities; ++q) even[v][q] = odd[v][q] = hn::Zero(d);
    }
    size_t r = first;
    for (; r + 2 <= last; r += 2) {
      row(r, even);
      row(r + 1, odd);
    }
    if (r < last) row(r, even);
    SWK_UNROLL for (int q = 0; q < kQuantities; ++q) {
      SWK_UNROLL for (int v = 0; v < kVectors; ++v) {
        hn::StoreU(hn::Add(even[v][q], odd[v][q]), d, block + static_cast<size_t>(v) * lanes);
      }
      for (size_t i = 0; i < static_cast<size_t>(kVectors) * lanes; ++i) {
        totals.values[q][i] += block[i];
      }
    }
  }
}

constexpr size_t kTable = 512;

/// Calls `run(tables, at, count)` for runs of elements of rows `[begin, end)`, where element
/// `at + i` has the parameters `tables[k][i]`: those of its channel. Many rows of few channels make
/// one run.
template <size_t kTables, class Run>
HWY_INLINE void ForRuns(
  const float* const (&parameters)[kTables], size_t channels, size_t begin, size_t end,
  const Run& run) {
  HWY_ALIGN float tables[kTables][kTable];
  for (size_t first = 0; first < channels; first += kTable) {
    const size_t n = channels - first < kTable ? channels - first : kTable;
    size_t rows = n == channels ? kTable / channels : 1;
    if (rows > end - begin) rows = end - begin;
    for (size_t k = 0; k < kTables; ++k) {
      for (size_t i = 0; i < n; ++i) tables[k][i] = parameters[k][first + i];
      for (size_t i = n; i < rows * n; ++i) tables[k][i] = tables[k][i - n];
    }
    for (size_t row = begin; row < end; row += rows) {
      run(tables, row * channels + first, (end - row < rows ? end - row : rows) * n);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace swk
HWY_AFTER_NAMESPACE();

#endif
