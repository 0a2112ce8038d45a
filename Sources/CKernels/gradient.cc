// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradient.cc"
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

/// exp(x) for x <= 0; NaN stays.
template <class D>
HWY_INLINE hn::Vec<D> ExpOrNaN(D d, hn::Vec<D> x) {
  return hn::IfThenElse(hn::Eq(x, x), ExpOfNegative(d, x), x);
}

/// The sigmoids of `x` and of `-x`.
template <class D>
struct Sigmoids {
  hn::Vec<D> of, of_negative;
  HWY_INLINE Sigmoids(D d, hn::Vec<D> x) {
    const auto e = ExpOrNaN(d, hn::Neg(hn::Abs(x)));
    const auto large = hn::Div(hn::Set(d, 1.0f), hn::Add(hn::Set(d, 1.0f), e));
    const auto small = hn::Mul(e, large);
    const auto below = hn::Lt(x, hn::Zero(d));
    of = hn::IfThenElse(below, small, large);
    of_negative = hn::IfThenElse(below, large, small);
  }
};

/// `dy` times the derivative of `function` at `x`.
template <swk_gradient_function kFunction, class D>
HWY_INLINE hn::Vec<D> UnaryVector(
  D d, const swk_unary_gradient_args& a, hn::Vec<D> dy, hn::Vec<D> x) {
  const auto alpha = hn::Set(d, a.alpha), beta = hn::Set(d, a.beta);
  const auto zero = hn::Zero(d), one = hn::Set(d, 1.0f);
  if constexpr (kFunction == SWK_GRADIENT_CLIP) {
    return hn::IfThenElseZero(hn::And(hn::Gt(x, alpha), hn::Lt(x, beta)), dy);
  } else if constexpr (kFunction == SWK_GRADIENT_HARD_SIGMOID) {
    const auto h = hn::Add(hn::Mul(x, alpha), beta);
    const auto slope = hn::IfThenElseZero(hn::And(hn::Gt(h, zero), hn::Lt(h, one)), alpha);
    return hn::Mul(dy, slope);
  } else if constexpr (kFunction == SWK_GRADIENT_HARD_SWISH) {
    return hn::Mul(dy, HardSwishSlopes(d, x));
  } else if constexpr (kFunction == SWK_GRADIENT_LEAKY_RELU) {
    return hn::Mul(dy, hn::IfThenElse(hn::Lt(x, zero), alpha, one));
  } else if constexpr (kFunction == SWK_GRADIENT_TANH) {
    const Sigmoids<D> s(d, hn::Add(x, x));
    return hn::Mul(dy, hn::Mul(hn::Set(d, 4.0f), hn::Mul(s.of, s.of_negative)));
  } else {
    const Sigmoids<D> s(d, x);
    if constexpr (kFunction == SWK_GRADIENT_SIGMOID) {
      return hn::Mul(dy, hn::Mul(s.of, s.of_negative));
    } else {
      return hn::Mul(dy, hn::Mul(s.of, hn::Add(one, hn::Mul(x, s.of_negative))));
    }
  }
}

template <swk_gradient_function kFunction>
HWY_NOINLINE void UnaryOf(
  const swk_unary_gradient_args& args, bool hardware, const void* dy, const void* x, void* dx,
  size_t begin, size_t end) {
  const swk_unary_gradient_args a = args;
  WithData(a.type, hardware, [&](auto element) SWK_INLINE_LAMBDA {
    using T = decltype(element);
    const T* gradient = static_cast<const T*>(dy) + begin;
    const T* input = static_cast<const T*>(x) + begin;
    T* out = static_cast<T*>(dx) + begin;
    ForVectors(end - begin, [&](auto d, size_t i) SWK_INLINE_LAMBDA {
      const auto v =
        UnaryVector<kFunction>(d, a, LoadReal(d, gradient + i), LoadReal(d, input + i));
      StoreReal(d, v, out + i);
    });
  });
}

void UnaryGradient(
  const swk_unary_gradient_args* a, bool hardware, const void* dy, const void* x, void* dx,
  size_t begin, size_t end) {
  switch (a->function) {
    case SWK_GRADIENT_CLIP:
      return UnaryOf<SWK_GRADIENT_CLIP>(*a, hardware, dy, x, dx, begin, end);
    case SWK_GRADIENT_HARD_SIGMOID:
      return UnaryOf<SWK_GRADIENT_HARD_SIGMOID>(*a, hardware, dy, x, dx, begin, end);
    case SWK_GRADIENT_HARD_SWISH:
      return UnaryOf<SWK_GRADIENT_HARD_SWISH>(*a, hardware, dy, x, dx, begin, end);
    case SWK_GRADIENT_SIGMOID:
      return UnaryOf<SWK_GRADIENT_SIGMOID>(*a, hardware, dy, x, dx, begin, end);
    case SWK_GRADIENT_TANH:
      return UnaryOf<SWK_GRADIENT_TANH>(*a, hardware, dy, x, dx, begin, end);
    case SWK_GRADIENT_SILU:
      return UnaryOf<SWK_GRADIENT_SILU>(*a, hardware, dy, x, dx, begin, end);
    case SWK_GRADIENT_LEAKY_RELU:
      return UnaryOf<SWK_GRADIENT_LEAKY_RELU>(*a, hardware, dy, x, dx, begin, end);
  }
}

void AddReal(
  swk_type type, bool hardware, const void* a, const void* b, void* dst, size_t begin,
  size_t end) {
  WithData(type, hardware, [&](auto element) SWK_INLINE_LAMBDA {
    using T = decltype(element);
    const T* left = static_cast<const T*>(a) + begin;
    const T* right = static_cast<const T*>(b) + begin;
    T* out = static_cast<T*>(dst) + begin;
    ForVectors(end - begin, [&](auto d, size_t i) SWK_INLINE_LAMBDA {
      StoreReal(d, hn::Add(LoadReal(d, left + i), LoadReal(d, right + i)), out + i);
    });
  });
}

template <class T, class D, int kVectors>
HWY_NOINLINE void ChannelScalePanel(
  D d, const T* dy, const T* x, const T* factor, T* dx, T* d_factor, size_t channels,
  size_t pixels) {
  const size_t lanes = hn::Lanes(d);
  hn::Vec<D> k[kVectors];
  SWK_UNROLL for (int v = 0; v < kVectors; ++v) {
    k[v] = LoadReal(d, factor + static_cast<size_t>(v) * lanes);
  }
  PanelTotals<1> totals;
  SumRows<1, kVectors>(
    d, pixels,
    [&](size_t p, auto& sums) SWK_INLINE_LAMBDA {
      SWK_UNROLL for (int v = 0; v < kVectors; ++v) {
        const size_t i = p * channels + static_cast<size_t>(v) * lanes;
        const auto gradient = LoadReal(d, dy + i);
        sums[v][0] = hn::Add(sums[v][0], hn::Mul(gradient, LoadReal(d, x + i)));
        StoreReal(d, hn::Mul(gradient, k[v]), dx + i);
      }
    },
    totals);
  HWY_ALIGN float rounded[kMaxPanel];
  for (size_t i = 0; i < kMaxPanel; ++i) rounded[i] = static_cast<float>(totals.values[0][i]);
  SWK_UNROLL for (int v = 0; v < kVectors; ++v) {
    const size_t at = static_cast<size_t>(v) * lanes;
    StoreReal(d, hn::LoadU(d, rounded + at), d_factor + at);
  }
}

void ChannelScaleGradient(
  swk_type type, bool hardware, const void* dy, const void* x, const void* factor, void* dx,
  void* d_factor, size_t channels, size_t pixels, size_t begin, size_t end) {
  WithData(type, hardware, [&](auto element) SWK_INLINE_LAMBDA {
    using T = decltype(element);
    for (size_t image = begin; image < end; ++image) {
      const size_t at = image * pixels * channels;
      ForPanels(channels, [&](auto d, auto vectors, size_t c) SWK_INLINE_LAMBDA {
        ChannelScalePanel<T, decltype(d), decltype(vectors)::value>(
          d, static_cast<const T*>(dy) + at + c, static_cast<const T*>(x) + at + c,
          static_cast<const T*>(factor) + image * channels + c, static_cast<T*>(dx) + at + c,
          static_cast<T*>(d_factor) + image * channels + c, channels, pixels);
      });
    }
  });
}

void GlobalAverageGradient(
  swk_type type, bool hardware, const void* dy, void* dx, size_t channels, size_t pixels,
  size_t begin, size_t end) {
  WithData(type, hardware, [&](auto element) SWK_INLINE_LAMBDA {
    using T = decltype(element);
    const float factor = 1.0f / static_cast<float>(pixels);
    for (size_t image = begin; pixels > 0 && image < end; ++image) {
      const T* in = static_cast<const T*>(dy) + image * channels;
      T* out = static_cast<T*>(dx) + image * pixels * channels;
      ForVectors(channels, [&](auto d, size_t i) SWK_INLINE_LAMBDA {
        StoreReal(d, hn::Mul(LoadReal(d, in + i), hn::Set(d, factor)), out + i);
      });
      for (size_t p = 1; p < pixels; ++p) {
        std::memcpy(static_cast<void*>(out + p * channels), out, channels * sizeof(T));
      }
    }
  });
}

template <class T>
HWY_INLINE void SoftmaxRow(
  const T* x, const float* targets, float* p, double* loss, size_t classes) {
  float best = -std::numeric_limits<float>::infinity();
  for (size_t c = 0; c < classes; ++c) best = Load(x + c) > best ? Load(x + c) : best;
  ForVectors(classes, [&](auto d, size_t c) SWK_INLINE_LAMBDA {
    hn::StoreU(ExpOrNaN(d, hn::Sub(LoadReal(d, x + c), hn::Set(d, best))), d, p + c);
  });
  double sum = 0.0, total = 0.0;
  for (size_t c = 0; c < classes; ++c) sum += p[c];
  const float factor = static_cast<float>(1.0 / sum);
  ForVectors(classes, [&](auto d, size_t c) SWK_INLINE_LAMBDA {
    hn::StoreU(hn::Mul(hn::LoadU(d, p + c), hn::Set(d, factor)), d, p + c);
  });
  const double logarithm = std::log(sum);
  for (size_t c = 0; c < classes; ++c) {
    const double target = targets[c];
    if (target != 0.0) total += target * (logarithm - (double{Load(x + c)} - best));
  }
  *loss = total;
}

void SoftmaxCrossEntropy(
  swk_type type, const void* logits, const float* targets, float* probabilities,
  double* losses, size_t classes, size_t begin, size_t end) {
  WithData(type, false, [&](auto element) SWK_INLINE_LAMBDA {
    using T = decltype(element);
    for (size_t row = begin; row < end; ++row) {
      const size_t at = row * classes;
      SoftmaxRow(
        static_cast<const T*>(logits) + at, targets + at, probabilities + at, losses + row,
        classes);
    }
  });
}

void SoftmaxCrossEntropyGradient(
  swk_type type, bool hardware, const float* probabilities, const float* targets, float factor,
  void* d_logits, size_t classes, size_t begin, size_t end) {
  WithData(type, hardware, [&](auto element) SWK_INLINE_LAMBDA {
    using T = decltype(element);
    for (size_t row = begin; row < end; ++row) {
      const float* p = probabilities + row * classes;
      const float* t = targets + row * classes;
      T* out = static_cast<T*>(d_logits) + row * classes;
      double mass = 0.0;
      for (size_t c = 0; c < classes; ++c) mass += t[c];
      const float total = static_cast<float>(mass);
      ForVectors(classes, [&](auto d, size_t c) SWK_INLINE_LAMBDA {
        const auto expected = hn::Mul(hn::LoadU(d, p + c), hn::Set(d, total));
        const auto difference = hn::Sub(expected, hn::LoadU(d, t + c));
        StoreReal(d, hn::Mul(difference, hn::Set(d, factor)), out + c);
      });
    }
  });
}

void Dropout(
  swk_type type, bool hardware, const swk_dropout_args* args, const void* x, void* y,
  size_t begin, size_t end) {
  WithData(type, hardware, [&](auto element) SWK_INLINE_LAMBDA {
    using T = decltype(element);
    constexpr size_t kChunk = 256;
    HWY_ALIGN float factors[kChunk];
    const DropoutRule rule(*args);
    const size_t channels = args->channels, pixels = args->pixels;
    for (size_t row = begin; row < end; ++row) {
      const size_t image = row / pixels, pixel = row % pixels;
      for (size_t first = 0; first < channels; first += kChunk) {
        const size_t n = channels - first < kChunk ? channels - first : kChunk;
        for (size_t c = 0; c < n; ++c) {
          factors[c] = rule.Factor((image * channels + first + c) * pixels + pixel);
        }
        const T* in = static_cast<const T*>(x) + row * channels + first;
        T* out = static_cast<T*>(y) + row * channels + first;
        ForVectors(n, [&](auto d, size_t c) SWK_INLINE_LAMBDA {
          const auto factor = hn::LoadU(d, factors + c);
          const auto scaled = hn::Mul(LoadReal(d, in + c), factor);
          StoreReal(d, hn::IfThenElseZero(hn::Ne(factor, hn::Zero(d)), scaled), out + c);
        });
      }
    }
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace swk
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace swk {
HWY_EXPORT(UnaryGradient);
HWY_EXPORT(AddReal);
HWY_EXPORT(ChannelScaleGradient);
HWY_EXPORT(GlobalAverageGradient);
HWY_EXPORT(SoftmaxCrossEntropy);
HWY_EXPORT(SoftmaxCrossEntropyGradient);
HWY_EXPORT(Dropout);

extern "C" void swk_unary_gradient(
  const swk_unary_gradient_args* args, const void* dy, const void* x, void* dx, size_t begin,
  size_t end) {
  HWY_DYNAMIC_DISPATCH(UnaryGradient)(args, RoundsToBFloat16(), dy, x, dx, begin, end);
}

extern "C" void swk_add_real(
  swk_type type, const void* a, const void* b, void* dst, size_t begin, size_t end) {
  HWY_DYNAMIC_DISPATCH(AddReal)(type, RoundsToBFloat16(), a, b, dst, begin, end);
}

extern "C" void swk_channel_scale_gradient(
  swk_type type, const void* dy, const void* x, const void* factor, void* dx, void* d_factor,
  size_t channels, size_t pixels, size_t begin, size_t end) {
  HWY_DYNAMIC_DISPATCH(ChannelScaleGradient)
  (type, RoundsToBFloat16(), dy, x, factor, dx, d_factor, channels, pixels, begin, end);
}

extern "C" void swk_global_average_gradient(
  swk_type type, const void* dy, void* dx, size_t channels, size_t pixels, size_t begin,
  size_t end) {
  HWY_DYNAMIC_DISPATCH(GlobalAverageGradient)
  (type, RoundsToBFloat16(), dy, dx, channels, pixels, begin, end);
}

extern "C" void swk_softmax_cross_entropy(
  swk_type type, const void* logits, const float* targets, float* probabilities, double* losses,
  size_t classes, size_t begin, size_t end) {
  HWY_DYNAMIC_DISPATCH(SoftmaxCrossEntropy)
  (type, logits, targets, probabilities, losses, classes, begin, end);
}

extern "C" void swk_softmax_cross_entropy_gradient(
  swk_type type, const float* probabilities, const float* targets, float factor, void* d_logits,
  size_t classes, size_t begin, size_t end) {
  HWY_DYNAMIC_DISPATCH(SoftmaxCrossEntropyGradient)
  (type, RoundsToBFloat16(), probabilities, targets, factor, d_logits, classes, begin, end);
}

extern "C" void swk_dropout(
  const swk_dropout_args* args, const void* x, void* y, size_t begin, size_t end) {
  HWY_DYNAMIC_DISPATCH(Dropout)(args->type, RoundsToBFloat16(), args, x, y, begin, end);
}

}  // namespace swk
#endif
