// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "normalization.cc"
#include "targets.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "training-inl.h"

#if defined(__clang__)
#pragma clang fp contract(off)
#endif

HWY_BEFORE_NAMESPACE();
namespace swk {
namespace HWY_NAMESPACE {

template <class T, class D>
HWY_INLINE hn::Vec<D> PivotOf(D d, const T* x, size_t rows, size_t channels) {
  if (IsNarrow<T>()) return hn::Zero(d);
  if (rows < kPivotRows) return LoadReal(d, x);
  hn::Vec<D> sums[kPivotRows];
  SWK_UNROLL for (size_t i = 0; i < kPivotRows; ++i) {
    sums[i] = LoadReal(d, x + i * rows / kPivotRows * channels);
  }
  SWK_UNROLL for (size_t width = kPivotRows / 2; width > 0; width /= 2) {
    SWK_UNROLL for (size_t i = 0; i < width; ++i) {
      sums[i] = hn::Add(sums[2 * i], sums[2 * i + 1]);
    }
  }
  return hn::Mul(sums[0], hn::Set(d, 1.0f / static_cast<float>(kPivotRows)));
}

template <class T, class D, int kVectors>
HWY_NOINLINE void StatisticsPanel(
  D d, const T* x, size_t rows, size_t channels, double* partial) {
  const size_t lanes = hn::Lanes(d);
  hn::Vec<D> pivot[kVectors];
  SWK_UNROLL for (int v = 0; v < kVectors; ++v) {
    pivot[v] = PivotOf(d, x + static_cast<size_t>(v) * lanes, rows, channels);
  }
  PanelTotals<2> totals;
  SumRows<2, kVectors>(
    d, rows,
    [&](size_t r, auto& sums) SWK_INLINE_LAMBDA {
      SWK_UNROLL for (int v = 0; v < kVectors; ++v) {
        const auto value = LoadReal(d, x + r * channels + static_cast<size_t>(v) * lanes);
        const auto shifted = IsNarrow<T>() ? value : hn::Sub(value, pivot[v]);
        sums[v][0] = hn::Add(sums[v][0], shifted);
        sums[v][1] = AddProduct<IsNarrow<T>()>(shifted, shifted, sums[v][1]);
      }
    },
    totals);
  HWY_ALIGN float pivots[kMaxPanel];
  SWK_UNROLL for (int v = 0; v < kVectors; ++v) {
    hn::StoreU(pivot[v], d, pivots + static_cast<size_t>(v) * lanes);
  }
  for (size_t i = 0; i < static_cast<size_t>(kVectors) * lanes; ++i) {
    FinishStatistics(
      pivots[i], totals.values[0][i], totals.values[1][i], rows, partial + i,
      partial + channels + i);
  }
}

void Statistics(
  swk_type type, const void* x, double* partial, size_t channels, size_t begin, size_t end) {
  for (size_t c = 0; begin >= end && c < 2 * channels; ++c) partial[c] = 0.0;
  if (begin >= end) return;
  WithData(type, false, [&](auto element) SWK_INLINE_LAMBDA {
    using T = decltype(element);
    const T* data = static_cast<const T*>(x) + begin * channels;
    ForPanels(channels, [&](auto d, auto vectors, size_t c) SWK_INLINE_LAMBDA {
      StatisticsPanel<T, decltype(d), decltype(vectors)::value>(
        d, data + c, end - begin, channels, partial + c);
    });
  });
}

/// `activation(v)`: bounds, or hard swish.
template <bool kHardSwish, class D>
HWY_INLINE hn::Vec<D> ActivatedVector(D d, hn::Vec<D> v, float low, float high) {
  if constexpr (kHardSwish) {
    auto h = hn::Add(hn::Mul(v, hn::Set(d, kSixth)), hn::Set(d, 0.5f));
    h = MinOr(hn::Set(d, 1.0f), MaxOr(hn::Zero(d), h));
    return hn::Mul(v, h);
  } else {
    return MinOr(hn::Set(d, high), MaxOr(hn::Set(d, low), v));
  }
}

template <class T, bool kHardSwish>
HWY_NOINLINE void ApplyRows(const Normalization& a) {
  const float* const parameters[] = {a.factor, a.offset};
  const T* x = static_cast<const T*>(a.x);
  const T* addend = static_cast<const T*>(a.addend);
  T* y = static_cast<T*>(a.y);
  const float low = a.low, high = a.high;
  ForRuns(
    parameters, a.channels, a.begin, a.end,
    [&](const auto& tables, size_t at, size_t count) SWK_INLINE_LAMBDA {
      const auto normalized = [&](auto d, size_t i) SWK_INLINE_LAMBDA {
        const auto v = hn::Mul(LoadReal(d, x + at + i), hn::LoadU(d, tables[0] + i));
        return hn::Add(v, hn::LoadU(d, tables[1] + i));
      };
      if (addend) {
        ForVectors(count, [&](auto d, size_t i) SWK_INLINE_LAMBDA {
          const auto v = hn::Add(normalized(d, i), LoadReal(d, addend + at + i));
          StoreReal(d, ActivatedVector<kHardSwish>(d, v, low, high), y + at + i);
        });
      } else {
        ForVectors(count, [&](auto d, size_t i) SWK_INLINE_LAMBDA {
          StoreReal(
            d, ActivatedVector<kHardSwish>(d, normalized(d, i), low, high), y + at + i);
        });
      }
    });
}

void Apply(const Normalization* a) {
  WithData(a->type, a->hardware, [&](auto element) SWK_INLINE_LAMBDA {
    using T = decltype(element);
    a->hard_swish ? ApplyRows<T, true>(*a) : ApplyRows<T, false>(*a);
  });
}

template <class T, class D, int kVectors>
HWY_NOINLINE void ChannelSumPanel(
  D d, const T* x, size_t rows, size_t channels, double* partial) {
  const size_t lanes = hn::Lanes(d);
  PanelTotals<1> totals;
  SumRows<1, kVectors>(
    d, rows,
    [&](size_t r, auto& sums) SWK_INLINE_LAMBDA {
      SWK_UNROLL for (int v = 0; v < kVectors; ++v) {
        const T* p = x + r * channels + static_cast<size_t>(v) * lanes;
        sums[v][0] = hn::Add(sums[v][0], LoadReal(d, p));
      }
    },
    totals);
  for (size_t i = 0; i < static_cast<size_t>(kVectors) * lanes; ++i) {
    partial[i] = totals.values[0][i];
  }
}

void ChannelSum(
  swk_type type, const void* x, double* partial, size_t channels, size_t begin, size_t end) {
  WithData(type, false, [&](auto element) SWK_INLINE_LAMBDA {
    using T = decltype(element);
    const T* data = static_cast<const T*>(x) + begin * channels;
    ForPanels(channels, [&](auto d, auto vectors, size_t c) SWK_INLINE_LAMBDA {
      ChannelSumPanel<T, decltype(d), decltype(vectors)::value>(
        d, data + c, end - begin, channels, partial + c);
    });
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace swk
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace swk {
HWY_EXPORT(Statistics);
HWY_EXPORT(Apply);
HWY_EXPORT(ChannelSum);

extern "C" void swk_batchnorm_statistics(
  swk_type type, const void* x, double* partial, size_t channels, size_t begin, size_t end) {
  HWY_DYNAMIC_DISPATCH(Statistics)(type, x, partial, channels, begin, end);
}

extern "C" void swk_batchnorm_apply(
  swk_type type, swk_training_activation activation, const void* x, const float* factor,
  const float* offset, const void* addend, void* y, size_t channels, size_t begin, size_t end) {
  const float infinity = std::numeric_limits<float>::infinity();
  const Normalization args{
    type, activation == SWK_TRAINING_HARD_SWISH, RoundsToBFloat16(),
    activation == SWK_TRAINING_NONE ? -infinity : 0.0f,
    activation == SWK_TRAINING_RELU6 ? 6.0f : infinity, x, factor, offset, addend, y, channels,
    begin, end};
  HWY_DYNAMIC_DISPATCH(Apply)(&args);
}

extern "C" void swk_channel_sum(
  swk_type type, const void* x, double* partial, size_t channels, size_t begin, size_t end) {
  HWY_DYNAMIC_DISPATCH(ChannelSum)(type, x, partial, channels, begin, end);
}

}  // namespace swk
#endif
