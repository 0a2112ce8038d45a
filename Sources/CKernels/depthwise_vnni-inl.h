// SPDX-License-Identifier: Apache-2.0
// Depthwise convolution with the AVX-512 VNNI byte product.
//
// A quad is four neighbouring pixels of a row, byte-interleaved by channel: one product adds four
// taps to 16 channels. A vector holds 64 channels of one pixel, or 32 of two that are `kTile`
// output columns apart; the last channels may fill either in part. Interleaving within
// 128-bit lanes permutes the channels; packing to bytes undoes it, and all per-channel
// constants are stored in that order.
#if defined(SWK_DEPTHWISE_VNNI_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SWK_DEPTHWISE_VNNI_INL_H
#undef SWK_DEPTHWISE_VNNI_INL_H
#else
#define SWK_DEPTHWISE_VNNI_INL_H
#endif

#include "depthwise.h"
#include "simd-inl.h"

#if defined(__clang__)
#pragma clang fp contract(off)
#endif

#if HWY_TARGET == HWY_AVX3_DL
HWY_PUSH_ATTRIBUTES(HWY_TARGET_STR ",avx512vnni")
namespace swk {
namespace HWY_NAMESPACE {

/// How quads serve the outputs of a tile: `kRows` rows of `kTile` output columns of a square
/// kernel `K` with stride `S`. Output `t` takes its taps of a row from the quads that start at
/// source columns `Offset(q)` and that it `Uses`, with the weights `Group(t, q)` of that row.
template <int K, int S>
struct Window;

template <>
struct Window<3, 1> {
  static constexpr int kKernel = 3, kStride = 1, kTile = 2, kRows = 2, kQuads = 1, kGroups = 2;
  static constexpr int Offset(int) { return 0; }
  static constexpr bool Uses(int, int) { return true; }
  static constexpr int Group(int t, int) { return t; }
};
template <>
struct Window<3, 2> {
  static constexpr int kKernel = 3, kStride = 2, kTile = 2, kRows = 1, kQuads = 2, kGroups = 1;
  static constexpr int Offset(int q) { return 2 * q; }
  static constexpr bool Uses(int t, int q) { return t == q; }
  static constexpr int Group(int, int) { return 0; }
};
template <>
struct Window<5, 1> {
  static constexpr int kKernel = 5, kStride = 1, kTile = 2, kRows = 2, kQuads = 2, kGroups = 4;
  static constexpr int Offset(int q) { return 4 * q; }
  static constexpr bool Uses(int, int) { return true; }
  static constexpr int Group(int t, int q) { return 2 * q + t; }
};
template <>
struct Window<5, 2> {
  static constexpr int kKernel = 5, kStride = 2, kTile = 2, kRows = 1, kQuads = 2, kGroups = 4;
  static constexpr int Offset(int q) { return 4 * q; }
  static constexpr bool Uses(int, int) { return true; }
  static constexpr int Group(int t, int q) { return 2 * q + t; }
};

constexpr size_t kVectorBytes = 64;
constexpr size_t kGroupBytes = 4 * kVectorBytes;
constexpr size_t kHeadBytes = 3 * kGroupBytes;  // start of the sum, scale, bias

/// A run of channels that fill a vector together: `width` 64 or 32, `count` of them real.
struct Block {
  size_t channel;
  size_t width;
  size_t count;
};

HWY_INLINE Block BlockAt(size_t channel, size_t channels) {
  const size_t rest = channels - channel;
  const size_t width = rest > 32 ? 64 : 32;
  return {channel, width, rest < width ? rest : width};
}

/// Which channels of a part are real.
HWY_INLINE __mmask64 PartMask(const Block& block) {
  return block.count >= 64 ? ~__mmask64{0} : (__mmask64{1} << block.count) - 1;
}

/// The channel, within a block, of 32-bit lane `lane` of accumulator `j`.
HWY_INLINE size_t LaneChannel(size_t j, size_t lane, size_t width) {
  return (16 * (lane / 4) + 4 * j + lane % 4) % width;
}

HWY_INLINE __m512i Load(const void* p) { return _mm512_loadu_si512(p); }

/// Interleaves four pixels: lane 4k + i of `quad[j]` is channel 16k + 4j + i of each.
HWY_INLINE void Interleave(
  __m512i p0, __m512i p1, __m512i p2, __m512i p3, __m512i (&quad)[4]) {
  const __m512i lo01 = _mm512_unpacklo_epi8(p0, p1), hi01 = _mm512_unpackhi_epi8(p0, p1);
  const __m512i lo23 = _mm512_unpacklo_epi8(p2, p3), hi23 = _mm512_unpackhi_epi8(p2, p3);
  quad[0] = _mm512_unpacklo_epi16(lo01, lo23);
  quad[1] = _mm512_unpackhi_epi16(lo01, lo23);
  quad[2] = _mm512_unpacklo_epi16(hi01, hi23);
  quad[3] = _mm512_unpackhi_epi16(hi01, hi23);
}

template <bool Ragged>
HWY_INLINE __m512i LoadWhole(const uint8_t* p, __mmask64 mask) {
  return Ragged ? _mm512_maskz_loadu_epi8(mask, p) : Load(p);
}
template <bool Ragged>
HWY_INLINE __m256i LoadHalf(const uint8_t* p, __mmask64 mask) {
  return Ragged ? _mm256_maskz_loadu_epi8(static_cast<__mmask32>(mask), p)
                : _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}

/// One vector from `64 / Width` pixels that are `step` pointers apart.
template <int Width, bool Ragged>
HWY_INLINE __m512i Gather(const uint8_t* const* p, size_t step, __mmask64 mask) {
  if constexpr (Width == 64) {
    return LoadWhole<Ragged>(p[0], mask);
  } else {
    const __m512i low = _mm512_castsi256_si512(LoadHalf<Ragged>(p[0], mask));
    return _mm512_inserti64x4(low, LoadHalf<Ragged>(p[step], mask), 1);
  }
}

/// The upper part of `v` moved down, and the pixel at `p` above it.
template <int Width, bool Ragged>
HWY_INLINE __m512i ShiftIn(__m512i v, const uint8_t* p, __mmask64 mask) {
  if constexpr (Width == 64) {
    return LoadWhole<Ragged>(p, mask);
  } else {
    return _mm512_alignr_epi64(_mm512_castsi256_si512(LoadHalf<Ragged>(p, mask)), v, 4);
  }
}

/// The constants of the way from rounded values to bytes: the zero point of an unsigned code,
/// the bounds as unsigned codes, and what turns an unsigned code into a stored one.
struct ByteOutput {
  __m512i zero;
  __m512i low;
  __m512i high;
  __m512i sign;
};

HWY_INLINE ByteOutput PrepareBytes(const Finish& f) {
  if (!IsByte(f.type)) {
    const __m512i zero = _mm512_setzero_si512();
    return {zero, zero, zero, zero};
  }
  const int32_t sign = f.type == SWK_S8 ? 128 : 0, zero = f.zero_point + sign;
  const auto code = [zero](float bound) {
    return static_cast<char>(static_cast<int32_t>(std::nearbyint(bound)) + zero);
  };
  return {
    _mm512_set1_epi16(static_cast<int16_t>(zero)), _mm512_set1_epi8(code(f.low)),
    _mm512_set1_epi8(code(f.high)), _mm512_set1_epi8(static_cast<char>(sign))};
}

/// Rounded values of 64 channels to bytes, in channel order.
HWY_INLINE __m512i NarrowToBytes(const ByteOutput& o, const __m512i (&q)[4]) {
  const __m512i lower = _mm512_adds_epi16(_mm512_packs_epi32(q[0], q[1]), o.zero);
  const __m512i upper = _mm512_adds_epi16(_mm512_packs_epi32(q[2], q[3]), o.zero);
  const __m512i code = _mm512_packus_epi16(lower, upper);
  const __m512i bounded = _mm512_min_epu8(_mm512_max_epu8(code, o.low), o.high);
  return _mm512_xor_si512(bounded, o.sign);
}

/// Stores part `g` of a vector of bytes.
template <int Width, bool Ragged>
HWY_INLINE void StoreBytes(__m512i bytes, int g, uint8_t* out, __mmask64 mask) {
  if constexpr (Width == 64) {
    if (Ragged) {
      _mm512_mask_storeu_epi8(out, mask, bytes);
    } else {
      _mm512_storeu_si512(out, bytes);
    }
  } else {
    const __m256i part =
      g == 0 ? _mm512_castsi512_si256(bytes) : _mm512_extracti64x4_epi64(bytes, 1);
    if (Ragged) {
      _mm256_mask_storeu_epi8(out, static_cast<__mmask32>(mask), part);
    } else {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), part);
    }
  }
}

/// Finishes with any activation and output type; `out[g]` is null for columns beyond the row.
HWY_NOINLINE void StoreGeneral(
  const Finish& f, const Block& block, const __m512 (&values)[4], uint8_t* const* out) {
  __m512 v[4];
  for (int j = 0; j < 4; ++j) v[j] = FinishVector(DF(), f, VF{values[j]}).raw;
  alignas(64) float natural[64];
  alignas(64) uint8_t bytes[64];
  if (IsByte(f.type)) {
    __m512i q[4];
    for (int j = 0; j < 4; ++j) q[j] = _mm512_cvtps_epi32(v[j]);
    _mm512_store_si512(bytes, NarrowToBytes(PrepareBytes(f), q));
  } else {
    for (size_t j = 0; j < 4; ++j) {
      alignas(64) float lanes[16];
      _mm512_store_ps(lanes, v[j]);
      for (size_t k = 0; k < 4; ++k) std::memcpy(natural + 16 * k + 4 * j, lanes + 4 * k, 16);
    }
  }
  for (size_t g = 0; g < 64 / block.width; ++g) {
    if (!out[g]) continue;
    const size_t first = g * block.width;
    if (IsByte(f.type)) {
      std::memcpy(out[g], bytes + first, block.count);
    } else if (f.type == SWK_F32) {
      std::memcpy(out[g], natural + first, block.count * sizeof(float));
    } else {
      BFloat16 narrow[64];
      for (size_t i = 0; i < block.count; ++i) narrow[i] = BFloat16FromFloat(natural[first + i]);
      std::memcpy(out[g], narrow, block.count * sizeof(BFloat16));
    }
  }
}

/// The real value of accumulator `j`.
HWY_INLINE __m512 RealValue(const uint8_t* packed, int j, __m512i sum) {
  const uint8_t* constants = packed + static_cast<size_t>(j) * kVectorBytes;
  const __m512 scale = _mm512_loadu_ps(constants + kGroupBytes);
  const __m512 bias = _mm512_loadu_ps(constants + 2 * kGroupBytes);
  return _mm512_add_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(sum), scale), bias);
}

/// The rounded code, before zero point and bounds, of accumulator `j`.
template <bool HardSwish>
HWY_INLINE __m512i RoundedCode(
  const Finish& f, const uint8_t* packed, int j, __m512i sum) {
  __m512 v = RealValue(packed, j, sum);
  if (HardSwish) {
    __m512 h = _mm512_add_ps(_mm512_mul_ps(v, _mm512_set1_ps(f.alpha)), _mm512_set1_ps(f.beta));
    h = _mm512_min_ps(_mm512_max_ps(h, _mm512_setzero_ps()), _mm512_set1_ps(1.0f));
    v = _mm512_mul_ps(_mm512_mul_ps(v, h), _mm512_set1_ps(f.after));
  }
  return _mm512_cvtps_epi32(v);
}

/// Finishes and stores `Count` accumulated vectors as bytes.
template <int Width, bool Ragged, bool Border, bool HardSwish, int Count>
HWY_INLINE void FinishBytes(
  const Finish& f, const ByteOutput& bytes_out, const uint8_t* packed,
  __m512i (&acc)[Count][4], uint8_t* const (*out)[64 / Width], __mmask64 mask) {
  SWK_UNROLL for (int j = 0; j < 4; ++j) {
    SWK_UNROLL for (int i = 0; i < Count; ++i) {
      acc[i][j] = RoundedCode<HardSwish>(f, packed, j, acc[i][j]);
    }
  }
  SWK_UNROLL for (int i = 0; i < Count; ++i) {
    const __m512i bytes = NarrowToBytes(bytes_out, acc[i]);
    SWK_UNROLL for (int g = 0; g < 64 / Width; ++g) {
      if (!Border || out[i][g]) StoreBytes<Width, Ragged>(bytes, g, out[i][g], mask);
    }
  }
}

/// Scales, finishes and stores `Count` accumulated vectors; `out` has a pointer for each part.
template <int Width, bool Ragged, bool Border, int Count>
HWY_INLINE void FinishSums(
  const DepthwiseRun& run, const ByteOutput& bytes_out, const Block& block,
  const uint8_t* packed, __m512i (&acc)[Count][4], uint8_t* const (*out)[64 / Width],
  __mmask64 mask) {
  if (run.ending == DepthwiseEnding::kBytes) {
    FinishBytes<Width, Ragged, Border, false>(run.finish, bytes_out, packed, acc, out, mask);
    return;
  }
  if (run.ending == DepthwiseEnding::kHardSwishBytes) {
    FinishBytes<Width, Ragged, Border, true>(run.finish, bytes_out, packed, acc, out, mask);
    return;
  }
  SWK_UNROLL for (int i = 0; i < Count; ++i) {
    __m512 values[4];
    SWK_UNROLL for (int j = 0; j < 4; ++j) values[j] = RealValue(packed, j, acc[i][j]);
    StoreGeneral(run.finish, block, values, out[i]);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace swk
HWY_POP_ATTRIBUTES
#endif

#endif
