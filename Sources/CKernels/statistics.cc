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

void HistogramAbs(
  const float* src, size_t count, float limit, uint64_t* counts, size_t bins) {
  const DF df;
  const DI di;
  const size_t lanes = hn::Lanes(df);
  const VF factor = hn::Set(df, static_cast<float>(bins) / limit);
  const VF last = hn::Set(df, static_cast<float>(bins - 1));
  HWY_ALIGN int32_t index[HWY_LANES(float)];
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const VF v = hn::LoadU(df, src + i);
    const VF bin = MinOr(hn::Mul(hn::Abs(v), factor), last);
    hn::Store(hn::ConvertTo(di, bin), di, index);
    if (HWY_LIKELY(hn::AllTrue(df, hn::Eq(v, v)))) {
      for (size_t k = 0; k < lanes; ++k) ++counts[index[k]];
    } else {
      for (size_t k = 0; k < lanes; ++k) {
        if (src[i + k] == src[i + k]) ++counts[index[k]];
      }
    }
  }
  swk_histogram_abs_f32_reference(src + i, count - i, limit, counts, bins);
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

}  // namespace HWY_NAMESPACE
}  // namespace swk
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace swk {
HWY_EXPORT(MinMax);
HWY_EXPORT(HistogramAbs);
HWY_EXPORT(SumSquaresDifference);
HWY_EXPORT(ChannelSums);

extern "C" swk_range swk_min_max_f32(const float* src, size_t count) {
  swk_range range{0.0f, 0.0f, 0, 0};
  HWY_DYNAMIC_DISPATCH(MinMax)(src, count, &range);
  return range;
}

extern "C" void swk_histogram_abs_f32(
  const float* src, size_t count, float limit, uint64_t* counts, size_t bins) {
  HWY_DYNAMIC_DISPATCH(HistogramAbs)(src, count, limit, counts, bins);
}

extern "C" double swk_sum_squares_difference(const float* a, const float* b, size_t count) {
  return HWY_DYNAMIC_DISPATCH(SumSquaresDifference)(a, b, count);
}

extern "C" void swk_channel_sums_f32(
  const float* src, size_t rows, size_t channels, double* sums) {
  HWY_DYNAMIC_DISPATCH(ChannelSums)(src, rows, channels, sums);
}

}  // namespace swk
#endif
