// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "statistics.cc"
#include "targets.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "simd-inl.h"

#if defined(__clang__)
#pragma clang fp contract(off)
#endif

HWY_BEFORE_NAMESPACE();
namespace swk {
namespace HWY_NAMESPACE {

void MinMax(const float* src, size_t count, swk_range* range) {
  const DF df;
  const size_t lanes = hn::Lanes(df);
  const VF infinity = hn::Set(df, std::numeric_limits<float>::infinity());
  const VF negative = hn::Neg(infinity);
  VF low = infinity, high = negative;
  for (size_t i = 0; i < count; i += lanes) {
    HWY_ALIGN float tail[HWY_LANES(float)];
    const float* p = src + i;
    if (count - i < lanes) {
      for (size_t k = 0; k < lanes; ++k) tail[k] = src[i + (k < count - i ? k : 0)];
      p = tail;
    }
    const VF v = hn::LoadU(df, p);
    const auto finite = hn::Lt(hn::Abs(v), infinity);
    low = hn::Min(low, hn::IfThenElse(finite, v, infinity));
    high = hn::Max(high, hn::IfThenElse(finite, v, negative));
    if (HWY_UNLIKELY(!hn::AllTrue(df, finite))) {
      const size_t n = count - i < lanes ? count - i : lanes;
      for (size_t k = 0; k < n; ++k) {
        range->nan_count += src[i + k] != src[i + k];
        range->infinite_count += std::isinf(src[i + k]);
      }
    }
  }
  range->minimum = hn::GetLane(hn::MinOfLanes(df, low));
  range->maximum = hn::GetLane(hn::MaxOfLanes(df, high));
}

/// Counts values that lie one behind the other.
HWY_NOINLINE void CountRun(
  const float* src, size_t count, float limit, uint64_t* positive, uint64_t* negative,
  size_t bins) {
  const DF df;
  const DI di;
  const size_t lanes = hn::Lanes(df);
  const VF factor = hn::Set(df, static_cast<float>(bins) / limit);
  const VF last = hn::Set(df, static_cast<float>(bins - 1));
  uint64_t* const sides[2] = {positive, negative};
  HWY_ALIGN int32_t index[HWY_LANES(float)];
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const VF v = hn::LoadU(df, src + i);
    if (HWY_UNLIKELY(!hn::AllTrue(df, hn::Eq(v, v)))) {
      swk_histogram_f32_reference(src + i, lanes, 1, 1, limit, positive, negative, bins);
      continue;
    }
    const VF bin = MinOr(hn::Mul(hn::Abs(v), factor), last);
    const auto below = hn::VecFromMask(di, hn::RebindMask(di, hn::Lt(v, hn::Zero(df))));
    const VI side = hn::And(below, hn::Set(di, 1));
    hn::Store(hn::Or(hn::ShiftLeft<1>(hn::ConvertTo(di, bin)), side), di, index);
    for (size_t k = 0; k < lanes; ++k) ++sides[index[k] & 1][index[k] >> 1];
  }
  swk_histogram_f32_reference(src + i, count - i, 1, 1, limit, positive, negative, bins);
}

void Histogram(
  const float* src, size_t rows, size_t channels, size_t step, float limit, uint64_t* positive,
  uint64_t* negative, size_t bins) {
  if (step == 1) return CountRun(src, rows * channels, limit, positive, negative, bins);
  constexpr size_t kRun = 512;
  float run[kRun];
  size_t filled = 0, row = 0, channel = 0;
  while (rows > 0 && channel < channels) {
    run[filled++] = src[row * channels + channel];
    row += step;
    if (row >= rows) {
      channel += row / rows;
      row %= rows;
    }
    if (filled == kRun) {
      CountRun(run, filled, limit, positive, negative, bins);
      filled = 0;
    }
  }
  CountRun(run, filled, limit, positive, negative, bins);
}

double SumSquaresDifference(const float* a, const float* b, size_t count) {
  const hn::CappedTag<double, 8> d;
  const hn::Rebind<float, decltype(d)> df;
  using V = hn::Vec<decltype(d)>;
  constexpr size_t kSums = 16, kMaxVectors = 16;
  const size_t lanes = hn::Lanes(d), vectors = kSums / lanes;
  HWY_ALIGN double sums[kSums] = {};
  V sum[kMaxVectors];
  for (size_t v = 0; v < vectors; ++v) sum[v] = hn::Zero(d);
  size_t i = 0;
  for (; i + kSums <= count; i += kSums) {
    for (size_t v = 0; v < vectors; ++v) {
      const size_t at = i + v * lanes;
      const V x = hn::PromoteTo(d, hn::LoadU(df, a + at));
      const V y = hn::PromoteTo(d, hn::LoadU(df, b + at));
      const V difference = hn::Sub(x, y);
      sum[v] = hn::Add(sum[v], hn::Mul(difference, difference));
    }
  }
  for (size_t v = 0; v < vectors; ++v) hn::Store(sum[v], d, sums + v * lanes);
  for (; i < count; ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    const double square = difference * difference;
    sums[i % kSums] += square;
  }
  for (size_t width = kSums / 2; width > 0; width /= 2) {
    for (size_t k = 0; k < width; ++k) sums[k] += sums[k + width];
  }
  return sums[0];
}

void ChannelSums(const float* src, size_t rows, size_t channels, double* sums) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> df;
  const size_t lanes = hn::Lanes(d);
  for (size_t row = 0; row < rows; ++row) {
    const float* p = src + row * channels;
    size_t c = 0;
    for (; c + lanes <= channels; c += lanes) {
      const auto x = hn::PromoteTo(d, hn::LoadU(df, p + c));
      hn::StoreU(hn::Add(hn::LoadU(d, sums + c), x), d, sums + c);
    }
    for (; c < channels; ++c) sums[c] += p[c];
  }
}

/// Neighbouring channels over all rows, in `Vectors` registers each.
template <size_t Vectors>
HWY_INLINE size_t TileStatistics(
  const float* src, size_t rows, size_t stride, double* sums, float* minima, float* maxima) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> df;
  const auto infinity = hn::Set(df, std::numeric_limits<float>::infinity());
  const auto negative = hn::Neg(infinity);
  const size_t lanes = hn::Lanes(d);
  hn::Vec<decltype(df)> low[Vectors], high[Vectors];
  hn::Vec<decltype(d)> sum[Vectors];
  SWK_UNROLL for (size_t v = 0; v < Vectors; ++v) {
    low[v] = hn::LoadU(df, minima + v * lanes);
    high[v] = hn::LoadU(df, maxima + v * lanes);
    sum[v] = hn::LoadU(d, sums + v * lanes);
  }
  size_t others = 0;
  for (size_t row = 0; row < rows; ++row) {
    const float* p = src + row * stride;
    SWK_UNROLL for (size_t v = 0; v < Vectors; ++v) {
      const auto x = hn::LoadU(df, p + v * lanes);
      sum[v] = hn::Add(sum[v], hn::PromoteTo(d, x));
      const auto finite = hn::Lt(hn::Abs(x), infinity);
      if (HWY_UNLIKELY(!hn::AllTrue(df, finite))) others += lanes - hn::CountTrue(df, finite);
      low[v] = hn::Min(low[v], hn::IfThenElse(finite, x, infinity));
      high[v] = hn::Max(high[v], hn::IfThenElse(finite, x, negative));
    }
  }
  SWK_UNROLL for (size_t v = 0; v < Vectors; ++v) {
    hn::StoreU(low[v], df, minima + v * lanes);
    hn::StoreU(high[v], df, maxima + v * lanes);
    hn::StoreU(sum[v], d, sums + v * lanes);
  }
  return others;
}

size_t ChannelStatistics(
  const float* src, size_t rows, size_t channels, double* sums, float* minima, float* maxima) {
  constexpr size_t kVectors = 4;
  const size_t lanes = hn::Lanes(hn::ScalableTag<double>());
  size_t c = 0, others = 0;
  for (; c + kVectors * lanes <= channels; c += kVectors * lanes) {
    others +=
      TileStatistics<kVectors>(src + c, rows, channels, sums + c, minima + c, maxima + c);
  }
  for (; c + lanes <= channels; c += lanes) {
    others += TileStatistics<1>(src + c, rows, channels, sums + c, minima + c, maxima + c);
  }
  for (; c < channels; ++c) {
    for (size_t row = 0; row < rows; ++row) {
      others += swk_channel_statistics_f32_reference(
        src + row * channels + c, 1, 1, sums + c, minima + c, maxima + c);
    }
  }
  return others;
}

}  // namespace HWY_NAMESPACE
}  // namespace swk
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace swk {
HWY_EXPORT(MinMax);
HWY_EXPORT(Histogram);
HWY_EXPORT(SumSquaresDifference);
HWY_EXPORT(ChannelSums);
HWY_EXPORT(ChannelStatistics);

extern "C" swk_range swk_min_max_f32(const float* src, size_t count) {
  swk_range range{0.0f, 0.0f, 0, 0};
  HWY_DYNAMIC_DISPATCH(MinMax)(src, count, &range);
  return range;
}

extern "C" void swk_histogram_f32(
  const float* src, size_t rows, size_t channels, size_t step, float limit, uint64_t* positive,
  uint64_t* negative, size_t bins) {
  HWY_DYNAMIC_DISPATCH(Histogram)(src, rows, channels, step, limit, positive, negative, bins);
}

extern "C" double swk_sum_squares_difference(const float* a, const float* b, size_t count) {
  return HWY_DYNAMIC_DISPATCH(SumSquaresDifference)(a, b, count);
}

extern "C" void swk_channel_sums_f32(
  const float* src, size_t rows, size_t channels, double* sums) {
  HWY_DYNAMIC_DISPATCH(ChannelSums)(src, rows, channels, sums);
}

extern "C" size_t swk_channel_statistics_f32(
  const float* src, size_t rows, size_t channels, double* sums, float* minima, float* maxima) {
  return HWY_DYNAMIC_DISPATCH(ChannelStatistics)(src, rows, channels, sums, minima, maxima);
}

}  // namespace swk
#endif
