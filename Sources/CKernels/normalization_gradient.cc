// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "normalization_gradient.cc"
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

}  // namespace HWY_NAMESPACE
}  // namespace swk
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace swk {
HWY_EXPORT(GradientSums);
HWY_EXPORT(GradientApply);

extern "C" void swk_batchnorm_gradient_sums(
  const swk_batchnorm_gradient* args, void* g, double* partial, size_t begin, size_t end) {
  HWY_DYNAMIC_DISPATCH(GradientSums)(args, RoundsToBFloat16(), g, partial, begin, end);
}

extern "C" void swk_batchnorm_gradient_apply(
  const swk_batchnorm_gradient* args, const float* factors, void* dx, size_t begin, size_t end) {
  HWY_DYNAMIC_DISPATCH(GradientApply)(args, RoundsToBFloat16(), factors, dx, begin, end);
}

}  // namespace swk
#endif
