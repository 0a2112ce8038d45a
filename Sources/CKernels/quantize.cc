// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quantize.cc"
#include "targets.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "quantize.h"
#include "training-inl.h"

#if defined(__clang__)
#pragma clang fp contract(off)
#endif

HWY_BEFORE_NAMESPACE();
namespace swk {
namespace HWY_NAMESPACE {

/// Bounds that turn NaN into the lower one.
template <class D>
HWY_INLINE hn::Vec<D> Bounded(D d, hn::Vec<D> u, hn::Vec<D> low, hn::Vec<D> high) {
  (void)d;
  return hn::Min(hn::IfThenElse(hn::Gt(u, low), u, low), high);
}

void FakeQuantize(
  const swk_fake_quantize_args* args, bool hardware, const void* x, void* y, size_t begin,
  size_t end) {
  const swk_fake_quantize_args a = *args;
  WithData(a.type, hardware, [&](auto element) SWK_INLINE_LAMBDA {
    using T = decltype(element);
    const T* in = static_cast<const T*>(x) + begin;
    T* out = static_cast<T*>(y) + begin;
    ForVectors(end - begin, [&](auto d, size_t i) SWK_INLINE_LAMBDA {
      const auto step = hn::Set(d, a.step), offset = hn::Set(d, a.offset);
      const auto u = hn::Div(hn::Sub(LoadReal(d, in + i), offset), step);
      const auto q = hn::Round(Bounded(d, u, hn::Set(d, a.low), hn::Set(d, a.high)));
      StoreReal(d, hn::Add(hn::Mul(q, step), offset), out + i);
    });
  });
}

/// One vector of gradients; adds to `sums` what its elements give to step and offset.
template <swk_step_gradient kStep, class D, class T>
HWY_INLINE void GradientVector(
  D d, const swk_fake_quantize_args& a, const T* dy, const T* x, T* dx, hn::Vec<D>& step_sum,
  hn::Vec<D>& offset_sum) {
  const auto low = hn::Set(d, a.low), high = hn::Set(d, a.high);
  const auto gradient = LoadReal(d, dy);
  const auto u = hn::Div(hn::Sub(LoadReal(d, x), hn::Set(d, a.offset)), hn::Set(d, a.step));
  const auto within = hn::And(hn::Gt(u, low), hn::Lt(u, high));
  const auto passes =
    a.includes_ends ? hn::And(hn::Ge(u, low), hn::Le(u, high)) : within;
  StoreReal(d, hn::IfThenElseZero(passes, gradient), dx);
  offset_sum = hn::Add(offset_sum, hn::IfThenZeroElse(within, gradient));
  if constexpr (kStep != SWK_STEP_NONE) {
    const auto q = hn::Round(Bounded(d, u, low, high));
    const auto inner = kStep == SWK_STEP_LEARNED ? hn::Sub(q, u) : hn::Zero(d);
    const auto slope = hn::IfThenElse(within, inner, q);
    step_sum = hn::Add(step_sum, hn::Mul(gradient, slope));
  }
}

template <swk_step_gradient kStep, class T>
HWY_NOINLINE void GradientOf(
  const swk_fake_quantize_args& a, const T* dy, const T* x, T* dx, double* sums, size_t count) {
  const hn::CappedTag<float, kQuantizeSums> d;
  using V = hn::Vec<decltype(d)>;
  const size_t lanes = hn::Lanes(d), vectors = kQuantizeSums / lanes;
  HWY_ALIGN float partial[2][kQuantizeSums];
  sums[0] = sums[1] = 0.0;
  for (size_t first = 0; first < count; first += kQuantizeBlock) {
    const size_t last = count - first < kQuantizeBlock ? count : first + kQuantizeBlock;
    const size_t whole = first + (last - first) / kQuantizeSums * kQuantizeSums;
    for (size_t v = 0; v < vectors; ++v) {
      V step_sum = hn::Zero(d), offset_sum = hn::Zero(d);
      hn::Store(step_sum, d, partial[0] + v * lanes);
      hn::Store(offset_sum, d, partial[1] + v * lanes);
    }
    if (vectors == 1) {
      V step_sum = hn::Zero(d), offset_sum = hn::Zero(d);
      for (size_t i = first; i < whole; i += kQuantizeSums) {
        GradientVector<kStep>(d, a, dy + i, x + i, dx + i, step_sum, offset_sum);
      }
      hn::Store(step_sum, d, partial[0]);
      hn::Store(offset_sum, d, partial[1]);
    } else {
      for (size_t i = first; i < whole; i += kQuantizeSums) {
        for (size_t v = 0; v < vectors; ++v) {
          const size_t at = v * lanes;
          V step_sum = hn::Load(d, partial[0] + at), offset_sum = hn::Load(d, partial[1] + at);
          GradientVector<kStep>(
            d, a, dy + i + at, x + i + at, dx + i + at, step_sum, offset_sum);
          hn::Store(step_sum, d, partial[0] + at);
          hn::Store(offset_sum, d, partial[1] + at);
        }
      }
    }
    const hn::CappedTag<float, 1> d1;
    for (size_t i = whole; i < last; ++i) {
      auto step_sum = hn::LoadU(d1, partial[0] + (i - whole));
      auto offset_sum = hn::LoadU(d1, partial[1] + (i - whole));
      GradientVector<kStep>(d1, a, dy + i, x + i, dx + i, step_sum, offset_sum);
      hn::StoreU(step_sum, d1, partial[0] + (i - whole));
      hn::StoreU(offset_sum, d1, partial[1] + (i - whole));
    }
    for (size_t k = 0; k < 2; ++k) sums[k] += AddedInPairs(partial[k]);
  }
}

void FakeQuantizeGradient(
  const swk_fake_quantize_args* args, bool hardware, const void* dy, const void* x, void* dx,
  double* sums, size_t begin, size_t end) {
  const swk_fake_quantize_args a = *args;
  WithData(a.type, hardware, [&](auto element) SWK_INLINE_LAMBDA {
    using T = decltype(element);
    const T* gradient = static_cast<const T*>(dy) + begin;
    const T* in = static_cast<const T*>(x) + begin;
    T* out = static_cast<T*>(dx) + begin;
    switch (a.step_gradient) {
      case SWK_STEP_NONE:
        return GradientOf<SWK_STEP_NONE>(a, gradient, in, out, sums, end - begin);
      case SWK_STEP_LEARNED:
        return GradientOf<SWK_STEP_LEARNED>(a, gradient, in, out, sums, end - begin);
      case SWK_STEP_CLIPPING:
        return GradientOf<SWK_STEP_CLIPPING>(a, gradient, in, out, sums, end - begin);
    }
  });
}

void LogQuantize(
  const swk_log_quantize_args* args, bool hardware, const void* x, void* y, size_t begin,
  size_t end) {
  const swk_log_quantize_args a = *args;
  WithData(a.type, hardware, [&](auto element) SWK_INLINE_LAMBDA {
    using T = decltype(element);
    const T* in = static_cast<const T*>(x) + begin;
    T* out = static_cast<T*>(y) + begin;
    ForVectors(end - begin, [&](auto d, size_t i) SWK_INLINE_LAMBDA {
      const hn::RebindToSigned<decltype(d)> di;
      const auto v = LoadReal(d, in + i);
      const auto bits = hn::BitCast(di, hn::Abs(v));
      const auto exponent = hn::Sub(hn::ShiftRight<23>(bits), hn::Set(di, 127));
      const auto mantissa = hn::BitCast(
        d, hn::Or(hn::And(bits, hn::Set(di, 0x7fffff)), hn::Set(di, 0x3f800000)));
      const auto above = [&](float bound) SWK_INLINE_LAMBDA {
        return hn::IfThenElseZero(
          hn::RebindMask(di, hn::Ge(mantissa, hn::Set(d, bound))), hn::Set(di, 1));
      };
      auto k = a.halves
                 ? hn::Add(hn::Add(exponent, exponent), hn::Add(above(kRoot4), above(kRoot4Cubed)))
                 : hn::Add(exponent, above(kRoot2));
      const auto vanishes = hn::Or(
        hn::Lt(k, hn::Set(di, a.least)),
        hn::Or(hn::Lt(bits, hn::Set(di, 0x800000)), hn::Gt(bits, hn::Set(di, 0x7f800000))));
      k = hn::Min(k, hn::Set(di, a.greatest));
      const auto whole = a.halves ? hn::ShiftRight<1>(k) : k;
      auto power = hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(whole, hn::Set(di, 127))));
      if (a.halves) {
        const auto is_odd = hn::RebindMask(
          d, hn::Eq(hn::And(k, hn::Set(di, 1)), hn::Set(di, 1)));
        power = hn::IfThenElse(is_odd, hn::Mul(power, hn::Set(d, kRoot2)), power);
      }
      const auto kept = hn::IfThenZeroElse(hn::RebindMask(d, vanishes), hn::CopySign(power, v));
      StoreReal(d, kept, out + i);
    });
  });
}

void MinimumMaximum(
  swk_type type, const void* x, float* range, size_t begin, size_t end) {
  WithData(type, false, [&](auto element) SWK_INLINE_LAMBDA {
    using T = decltype(element);
    const T* in = static_cast<const T*>(x) + begin;
    const DF df;
    const size_t lanes = hn::Lanes(df), count = end - begin;
    auto least = hn::Set(df, range[0]), greatest = hn::Set(df, range[1]);
    size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
      const auto v = LoadReal(df, in + i);
      least = hn::IfThenElse(hn::Lt(v, least), v, least);
      greatest = hn::IfThenElse(hn::Gt(v, greatest), v, greatest);
    }
    HWY_ALIGN float lanewise[2][HWY_LANES(float)];
    hn::Store(least, df, lanewise[0]);
    hn::Store(greatest, df, lanewise[1]);
    float low = range[0], high = range[1];
    for (size_t k = 0; k < lanes; ++k) {
      low = lanewise[0][k] < low ? lanewise[0][k] : low;
      high = lanewise[1][k] > high ? lanewise[1][k] : high;
    }
    for (; i < count; ++i) {
      const float v = Load(in + i);
      if (v < low) low = v;
      if (v > high) high = v;
    }
    range[0] = low;
    range[1] = high;
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace swk
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace swk {
HWY_EXPORT(FakeQuantize);
HWY_EXPORT(FakeQuantizeGradient);
HWY_EXPORT(LogQuantize);
HWY_EXPORT(MinimumMaximum);

extern "C" void swk_fake_quantize(
  const swk_fake_quantize_args* args, const void* x, void* y, size_t begin, size_t end) {
  HWY_DYNAMIC_DISPATCH(FakeQuantize)(args, RoundsToBFloat16(), x, y, begin, end);
}

extern "C" void swk_fake_quantize_gradient(
  const swk_fake_quantize_args* args, const void* dy, const void* x, void* dx, double* sums,
  size_t begin, size_t end) {
  HWY_DYNAMIC_DISPATCH(FakeQuantizeGradient)
  (args, RoundsToBFloat16(), dy, x, dx, sums, begin, end);
}

extern "C" void swk_log_quantize(
  const swk_log_quantize_args* args, const void* x, void* y, size_t begin, size_t end) {
  HWY_DYNAMIC_DISPATCH(LogQuantize)(args, RoundsToBFloat16(), x, y, begin, end);
}

extern "C" void swk_minimum_maximum(
  swk_type type, const void* x, float* range, size_t begin, size_t end) {
  HWY_DYNAMIC_DISPATCH(MinimumMaximum)(type, x, range, begin, end);
}

}  // namespace swk
#endif
