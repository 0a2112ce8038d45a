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

/// `a * b + sum`, each rounded by itself; with an exact product that makes no difference.
template <bool kExact, class V>
HWY_INLINE V AddProduct(V a, V b, V sum) {
  return kExact ? hn::MulAdd(a, b, sum) : hn::Add(hn::Mul(a, b), sum);
}

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

/// What decides which part of a gradient passes: the result, if anything; hard swish; or bounds of
/// the result computed anew.
enum class Mask { kResult, kHardSwish, kArgument };

HWY_INLINE Mask MaskOf(const swk_batchnorm_gradient& a) {
  if (a.activation == SWK_TRAINING_HARD_SWISH) return Mask::kHardSwish;
  return a.activation == SWK_TRAINING_NONE || a.y ? Mask::kResult : Mask::kArgument;
}

/// Calls `visit(mask)` with a `std::integral_constant`.
template <class Visit>
HWY_INLINE void WithMask(const swk_batchnorm_gradient& a, const Visit& visit) {
  switch (MaskOf(a)) {
    case Mask::kResult:
      return visit(std::integral_constant<Mask, Mask::kResult>());
    case Mask::kHardSwish:
      return visit(std::integral_constant<Mask, Mask::kHardSwish>());
    case Mask::kArgument:
      return visit(std::integral_constant<Mask, Mask::kArgument>());
  }
}

/// Where a gradient comes from. `y` is null where nothing is masked, `last` is the greatest result
/// whose derivative is not 0.
template <class T>
struct Source {
  const T* dy;
  const T* dy2;
  const T* y;
  float last;
};
template <class T>
HWY_INLINE Source<T> SourceOf(const swk_batchnorm_gradient& a) {
  const bool bounded =
    a.activation == SWK_TRAINING_RELU || a.activation == SWK_TRAINING_RELU6;
  return {static_cast<const T*>(a.dy), static_cast<const T*>(a.dy2),
          bounded ? static_cast<const T*>(a.y) : nullptr,
          a.activation == SWK_TRAINING_RELU6 ? std::nextafter(6.0f, 0.0f)
                                             : std::numeric_limits<float>::infinity()};
}

/// The gradient at element `i`; `x`, `factor` and `offset` matter where the result is not given.
template <Mask kMask, class D, class T>
HWY_INLINE hn::Vec<D> GradientVector(
  D d, const Source<T>& s, size_t i, hn::Vec<D> x, hn::Vec<D> factor, hn::Vec<D> offset) {
  auto g = LoadReal(d, s.dy + i);
  if (s.dy2) g = hn::Add(g, LoadReal(d, s.dy2 + i));
  if constexpr (kMask == Mask::kHardSwish) {
    return hn::Mul(g, HardSwishSlopes(d, hn::Add(hn::Mul(x, factor), offset)));
  } else if constexpr (kMask == Mask::kArgument) {
    const auto v = hn::Add(hn::Mul(x, factor), offset);
    const auto passes = hn::And(hn::Gt(v, hn::Zero(d)), hn::Le(v, hn::Set(d, s.last)));
    return hn::IfThenElseZero(passes, g);
  } else {
    if (!s.y) return g;
    const auto y = LoadReal(d, s.y + i);
    const auto passes = hn::And(hn::Gt(y, hn::Zero(d)), hn::Le(y, hn::Set(d, s.last)));
    return hn::IfThenElseZero(passes, g);
  }
}

/// With `kExact`, `g` and `x` are bf16, so that their product is exact in f32.
template <class T, Mask kMask, bool kExact, class D, int kVectors>
HWY_NOINLINE void GradientSumsPanel(
  D d, const swk_batchnorm_gradient& a, T* out, double* partial, size_t begin, size_t end,
  size_t first) {
  using V = hn::Vec<D>;
  const size_t lanes = hn::Lanes(d), channels = a.channels;
  V mean[kVectors], factor[kVectors], offset[kVectors];
  SWK_UNROLL for (int v = 0; v < kVectors; ++v) {
    const size_t c = first + static_cast<size_t>(v) * lanes;
    mean[v] = hn::LoadU(d, a.mean + c);
    factor[v] = kMask != Mask::kResult ? hn::LoadU(d, a.factor + c) : hn::Zero(d);
    offset[v] = kMask != Mask::kResult ? hn::LoadU(d, a.offset + c) : hn::Zero(d);
  }
  const Source<T> source = SourceOf<T>(a);
  const T* data = static_cast<const T*>(a.x);
  PanelTotals<2> totals;
  SumRows<2, kVectors>(
    d, end - begin,
    [&](size_t r, auto& sums) SWK_INLINE_LAMBDA {
      SWK_UNROLL for (int v = 0; v < kVectors; ++v) {
        const size_t i = (begin + r) * channels + first + static_cast<size_t>(v) * lanes;
        const V x = LoadReal(d, data + i);
        const V g = GradientVector<kMask>(d, source, i, x, factor[v], offset[v]);
        if (out) StoreReal(d, g, out + i);
        const V centred = IsNarrow<T>() ? x : hn::Sub(x, mean[v]);
        sums[v][0] = hn::Add(sums[v][0], g);
        sums[v][1] = AddProduct<kExact>(g, centred, sums[v][1]);
      }
    },
    totals);
  for (size_t i = 0; i < static_cast<size_t>(kVectors) * lanes; ++i) {
    const double sum = totals.values[0][i], mean = IsNarrow<T>() ? a.mean[first + i] : 0.0f;
    partial[first + i] = sum;
    partial[channels + first + i] = totals.values[1][i] - mean * sum;
  }
}

void GradientSums(
  const swk_batchnorm_gradient* a, bool hardware, void* g, double* partial, size_t begin,
  size_t end) {
  WithData(a->type, hardware && g, [&](auto element) SWK_INLINE_LAMBDA {
    using T = decltype(element);
    T* out = static_cast<T*>(g);
    ForPanels(a->channels, [&](auto d, auto vectors, size_t c) SWK_INLINE_LAMBDA {
      using D = decltype(d);
      constexpr int kVectors = decltype(vectors)::value;
      const auto sum = [&](auto mask, auto exact) SWK_INLINE_LAMBDA {
        GradientSumsPanel<T, decltype(mask)::value, decltype(exact)::value, D, kVectors>(
          d, *a, out, partial, begin, end, c);
      };
      using Exact = std::integral_constant<bool, IsNarrow<T>()>;
      WithMask(*a, [&](auto mask) SWK_INLINE_LAMBDA {
        constexpr bool kIsProduct = decltype(mask)::value == Mask::kHardSwish;
        if (kIsProduct || a->dy2) {
          sum(mask, std::false_type());
        } else {
          sum(mask, Exact());
        }
      });
    });
  });
}

template <class T, Mask kMask>
HWY_NOINLINE void GradientRows(
  const swk_batchnorm_gradient& a, const float* factors, T* dx, size_t begin, size_t end) {
  const size_t channels = a.channels;
  constexpr bool kNeedsArgument = kMask != Mask::kResult;
  const float* parameters[kNeedsArgument ? 6 : 4] = {
    a.mean, factors, factors + channels, factors + 2 * channels};
  if constexpr (kNeedsArgument) {
    parameters[4] = a.factor;
    parameters[5] = a.offset;
  }
  const Source<T> source = SourceOf<T>(a);
  const T* data = static_cast<const T*>(a.x);
  ForRuns(
    parameters, channels, begin, end,
    [&](const auto& tables, size_t at, size_t count) SWK_INLINE_LAMBDA {
      ForVectors(count, [&](auto d, size_t i) SWK_INLINE_LAMBDA {
        const auto x = LoadReal(d, data + at + i);
        const float* scale = tables[kNeedsArgument ? 4 : 0] + i;
        const float* shift = tables[kNeedsArgument ? 5 : 0] + i;
        const auto g = GradientVector<kMask>(
          d, source, at + i, x, hn::LoadU(d, scale), hn::LoadU(d, shift));
        const auto centred = hn::Sub(x, hn::LoadU(d, tables[0] + i));
        const auto first = hn::Mul(g, hn::LoadU(d, tables[1] + i));
        const auto second = hn::Mul(centred, hn::LoadU(d, tables[2] + i));
        StoreReal(
          d, hn::Add(hn::Add(first, second), hn::LoadU(d, tables[3] + i)), dx + at + i);
      });
    });
}

void GradientApply(
  const swk_batchnorm_gradient* a, bool hardware, const float* factors, void* dx, size_t begin,
  size_t end) {
  WithData(a->type, hardware, [&](auto element) SWK_INLINE_LAMBDA {
    using T = decltype(element);
    T* out = static_cast<T*>(dx);
    WithMask(*a, [&](auto mask) SWK_INLINE_LAMBDA {
      GradientRows<T, decltype(mask)::value>(*a, factors, out, begin, end);
    });
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
HWY_EXPORT(GradientSums);
HWY_EXPORT(GradientApply);
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

extern "C" void swk_batchnorm_gradient_sums(
  const swk_batchnorm_gradient* args, void* g, double* partial, size_t begin, size_t end) {
  HWY_DYNAMIC_DISPATCH(GradientSums)(args, RoundsToBFloat16(), g, partial, begin, end);
}

extern "C" void swk_batchnorm_gradient_apply(
  const swk_batchnorm_gradient* args, const float* factors, void* dx, size_t begin, size_t end) {
  HWY_DYNAMIC_DISPATCH(GradientApply)(args, RoundsToBFloat16(), factors, dx, begin, end);
}

extern "C" void swk_channel_sum(
  swk_type type, const void* x, double* partial, size_t channels, size_t begin, size_t end) {
  HWY_DYNAMIC_DISPATCH(ChannelSum)(type, x, partial, channels, begin, end);
}

}  // namespace swk
#endif
