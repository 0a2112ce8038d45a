// SPDX-License-Identifier: Apache-2.0
// Depthwise convolution on any vector width: pairs of taps, widened to 16 bits and interleaved
// by channel, multiplied and added in pairs. A block is one vector of 16-bit channels.
#if defined(SWK_DEPTHWISE_PORTABLE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SWK_DEPTHWISE_PORTABLE_INL_H
#undef SWK_DEPTHWISE_PORTABLE_INL_H
#else
#define SWK_DEPTHWISE_PORTABLE_INL_H
#endif

#include "depthwise.h"
#include "simd-inl.h"

#if defined(__clang__)
#pragma clang fp contract(off)
#endif

#if HWY_TARGET != HWY_AVX3_DL
HWY_BEFORE_NAMESPACE();
namespace swk {
namespace HWY_NAMESPACE {

using D16 = hn::ScalableTag<int16_t>;
using V16 = hn::Vec<D16>;

/// Bytes of a block before its weights: start of the sum, scale, bias, and channel of each lane.
HWY_INLINE size_t PortableHead() { return 4 * hn::Lanes(D16()) * sizeof(int32_t); }

HWY_INLINE size_t PortableBlockBytes(const swk_depthwise& a) {
  const size_t pairs = (a.kernel_height * a.kernel_width + 1) / 2;
  return PortableHead() + pairs * 2 * hn::Lanes(D16()) * sizeof(int16_t);
}

HWY_INLINE size_t DepthwisePackedSize(const swk_depthwise& a) {
  const size_t lanes = hn::Lanes(D16());
  return (a.channels + lanes - 1) / lanes * PortableBlockBytes(a);
}

/// The channel, within a block, of each 32-bit lane of the lower and the upper accumulator.
HWY_INLINE void LaneChannels(int32_t* channel) {
  const D16 d16;
  const DI di;
  const V16 index = hn::Iota(d16, 0), zero = hn::Zero(d16);
  hn::StoreU(hn::BitCast(di, hn::InterleaveLower(d16, index, zero)), di, channel);
  hn::StoreU(
    hn::BitCast(di, hn::InterleaveUpper(d16, index, zero)), di, channel + hn::Lanes(di));
}

HWY_INLINE void DepthwisePack(const DepthwiseWeights& w, uint8_t* packed) {
  const swk_depthwise& a = *w.args;
  const size_t lanes = hn::Lanes(D16());
  for (size_t first = 0; first < a.channels; first += lanes) {
    int32_t* start = reinterpret_cast<int32_t*>(packed);
    float* scale = reinterpret_cast<float*>(start + lanes);
    float* bias = scale + lanes;
    int32_t* channel = reinterpret_cast<int32_t*>(bias + lanes);
    int16_t* weights = reinterpret_cast<int16_t*>(packed + PortableHead());
    LaneChannels(channel);
    for (size_t i = 0; i < lanes; ++i) {
      const size_t c = first + static_cast<size_t>(channel[i]);
      start[i] = c < a.channels ? -a.src_zero_point * w.Sum(c) : 0;
      scale[i] = w.Scale(c);
      bias[i] = w.Bias(c);
      for (size_t tap = 0; tap < w.Taps(); tap += 2) {
        weights[tap * lanes + 2 * i] = w.Weight(tap, c);
        weights[tap * lanes + 2 * i + 1] = w.Weight(tap + 1, c);
      }
    }
    packed += PortableBlockBytes(a);
  }
}

/// Finishes and stores `count` channels of one pixel, from sums in accumulator order.
template <class Bytes>
HWY_INLINE void FinishPixel(
  const DepthwiseRun& run, const uint8_t* packed, VI lower, VI upper, size_t count,
  uint8_t* out) {
  const DF df;
  const DI di;
  const D16 d16;
  const size_t half = hn::Lanes(di), lanes = 2 * half;
  const float* scale = reinterpret_cast<const float*>(packed) + lanes;
  const float* bias = scale + lanes;
  VF v0 = hn::Mul(hn::ConvertTo(df, lower), hn::LoadU(df, scale));
  VF v1 = hn::Mul(hn::ConvertTo(df, upper), hn::LoadU(df, scale + half));
  v0 = FinishVector(df, run.finish, hn::Add(v0, hn::LoadU(df, bias)));
  v1 = FinishVector(df, run.finish, hn::Add(v1, hn::LoadU(df, bias + half)));
  if (IsByte(run.finish.type)) {
    const hn::Rebind<Bytes, D16> d8;
    const V16 q = hn::Add(
      hn::ReorderDemote2To(d16, hn::NearestInt(v0), hn::NearestInt(v1)),
      hn::Set(d16, static_cast<int16_t>(run.finish.zero_point)));
    if (HWY_LIKELY(count == lanes)) {
      hn::StoreU(hn::DemoteTo(d8, q), d8, reinterpret_cast<Bytes*>(out));
    } else {
      HWY_ALIGN Bytes bytes[HWY_LANES(int16_t)];
      hn::StoreU(hn::DemoteTo(d8, q), d8, bytes);
      std::memcpy(out, bytes, count);
    }
    return;
  }
  HWY_ALIGN float values[HWY_LANES(int16_t)];
  hn::StoreU(v0, df, values);
  hn::StoreU(v1, df, values + half);
  const int32_t* channel = reinterpret_cast<const int32_t*>(bias + lanes);
  for (size_t i = 0; i < lanes; ++i) {
    const size_t c = static_cast<size_t>(channel[i]);
    if (c >= count) continue;
    if (run.finish.type == SWK_F32) {
      std::memcpy(out + 4 * c, values + i, sizeof(float));
    } else {
      const BFloat16 narrow = BFloat16FromFloat(values[i]);
      std::memcpy(out + 2 * c, &narrow, sizeof narrow);
    }
  }
}

/// `Pixels` neighbouring output pixels of one row and block. `rows` and `columns` say which
/// source pixel each tap reads; `padding` stands in for those outside.
template <class T, int Pixels, bool Ragged>
HWY_INLINE void PixelTile(
  const DepthwiseRun& run, const uint8_t* packed, size_t row, size_t ox, size_t first,
  size_t count, const T* padding) {
  const D16 d16;
  const DI di;
  const hn::Rebind<T, D16> d8;
  const swk_depthwise& a = *run.args;
  const size_t half = hn::Lanes(di), lanes = 2 * half;
  const size_t image = row / a.output_height, oy = row % a.output_height;
  const size_t taps = a.kernel_height * a.kernel_width;
  const VI start0 = hn::LoadU(di, reinterpret_cast<const int32_t*>(packed));
  const VI start1 = hn::LoadU(di, reinterpret_cast<const int32_t*>(packed) + half);
  VI lower[Pixels], lower_rest[Pixels], upper[Pixels], upper_rest[Pixels];
  SWK_UNROLL for (int p = 0; p < Pixels; ++p) {
    lower[p] = start0;
    upper[p] = start1;
    lower_rest[p] = upper_rest[p] = hn::Zero(di);
  }
  const int16_t* weights = reinterpret_cast<const int16_t*>(packed + PortableHead());
  size_t ky = 0, kx = 0;
  for (size_t tap = 0; tap < taps; tap += 2, weights += 2 * lanes) {
    V16 pixel[2][Pixels];
    SWK_UNROLL for (size_t i = 0; i < 2; ++i) {
      const T* source = nullptr;
      if (tap + i < taps) {
        source = reinterpret_cast<const T*>(run.SourceRow(
          image, SourceIndex(oy, ky, a.stride_height, a.dilation_height, a.pad_top, a.height)));
      }
      SWK_UNROLL for (int p = 0; p < Pixels; ++p) {
        const ptrdiff_t x = SourceIndex(
          ox + static_cast<size_t>(p), kx, a.stride_width, a.dilation_width, a.pad_left,
          a.width);
        const T* from =
          source && x >= 0 ? source + static_cast<size_t>(x) * a.channels + first : padding;
        if (Ragged) {
          HWY_ALIGN T part[HWY_LANES(int16_t)] = {};
          std::memcpy(part, from, count);
          pixel[i][p] = hn::PromoteTo(d16, hn::LoadU(d8, part));
        } else {
          pixel[i][p] = hn::PromoteTo(d16, hn::LoadU(d8, from));
        }
      }
      if (++kx == a.kernel_width) {
        kx = 0;
        ++ky;
      }
    }
    const V16 weight0 = hn::LoadU(d16, weights), weight1 = hn::LoadU(d16, weights + lanes);
    SWK_UNROLL for (int p = 0; p < Pixels; ++p) {
      lower[p] = hn::ReorderWidenMulAccumulate(
        di, hn::InterleaveLower(d16, pixel[0][p], pixel[1][p]), weight0, lower[p],
        lower_rest[p]);
      upper[p] = hn::ReorderWidenMulAccumulate(
        di, hn::InterleaveUpper(d16, pixel[0][p], pixel[1][p]), weight1, upper[p],
        upper_rest[p]);
    }
  }
  SWK_UNROLL for (int p = 0; p < Pixels; ++p) {
    const VI sum0 = hn::RearrangeToOddPlusEven(lower[p], lower_rest[p]);
    const VI sum1 = hn::RearrangeToOddPlusEven(upper[p], upper_rest[p]);
    uint8_t* out = run.Output(row, ox + static_cast<size_t>(p), first);
    if (run.finish.type == SWK_S8) {
      FinishPixel<int8_t>(run, packed, sum0, sum1, count, out);
    } else {
      FinishPixel<uint8_t>(run, packed, sum0, sum1, count, out);
    }
  }
}

template <class T>
HWY_NOINLINE void PortableRows(
  const DepthwiseRun& run, const uint8_t* packed, size_t row_begin, size_t row_end) {
  const swk_depthwise& a = *run.args;
  const size_t lanes = hn::Lanes(D16()), block_bytes = PortableBlockBytes(a);
  T padding[HWY_LANES(int16_t)];
  std::memset(padding, a.src_zero_point, sizeof padding);
  for (size_t row = row_begin; row < row_end; ++row) {
    const uint8_t* block = packed;
    for (size_t first = 0; first < a.channels; first += lanes, block += block_bytes) {
      const size_t count = a.channels - first < lanes ? a.channels - first : lanes;
      size_t ox = 0;
      if (count == lanes) {
        for (; ox + 4 <= a.output_width; ox += 4) {
          PixelTile<T, 4, false>(run, block, row, ox, first, count, padding);
        }
        for (; ox < a.output_width; ++ox) {
          PixelTile<T, 1, false>(run, block, row, ox, first, count, padding);
        }
      }
      for (; ox < a.output_width; ++ox) {
        PixelTile<T, 1, true>(run, block, row, ox, first, count, padding);
      }
    }
  }
}

HWY_INLINE void DepthwiseRows(
  const DepthwiseRun& run, const uint8_t* packed, size_t row_begin, size_t row_end) {
  if (run.args->src_type == SWK_S8) {
    PortableRows<int8_t>(run, packed, row_begin, row_end);
  } else {
    PortableRows<uint8_t>(run, packed, row_begin, row_end);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace swk
HWY_AFTER_NAMESPACE();
#endif

#endif
