// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "optimizer.cc"
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

template <class D>
HWY_INLINE hn::Vec<D> Scaled(D d, float factor, hn::Vec<D> v) {
  return hn::Mul(v, hn::Set(d, factor));
}

template <class D>
HWY_INLINE hn::Vec<D> Decayed(
  D d, float scale, float decay, hn::Vec<D> gradient, hn::Vec<D> weight) {
  return hn::Add(Scaled(d, scale, gradient), Scaled(d, decay, weight));
}

void UpdateSGD(
  const swk_sgd* args, float* w, const float* dw, float* velocity, size_t begin, size_t end) {
  const swk_sgd a = *args;
  ForVectors(end - begin, [&](auto d, size_t k) SWK_INLINE_LAMBDA {
    const size_t i = begin + k;
    const auto weight = hn::LoadU(d, w + i);
    const auto g = Decayed(d, a.gradient_scale, a.decay, hn::LoadU(d, dw + i), weight);
    const auto v = hn::Add(Scaled(d, a.momentum, hn::LoadU(d, velocity + i)), g);
    const auto step = a.nesterov ? hn::Add(g, Scaled(d, a.momentum, v)) : v;
    hn::StoreU(v, d, velocity + i);
    hn::StoreU(hn::Sub(weight, Scaled(d, a.rate, step)), d, w + i);
  });
}

void UpdateAdam(
  const AdamStep* args, float* w, const float* dw, float* first, float* second, size_t begin,
  size_t end) {
  const AdamStep a = *args;
  ForVectors(end - begin, [&](auto d, size_t k) SWK_INLINE_LAMBDA {
    const size_t i = begin + k;
    const auto weight = hn::LoadU(d, w + i);
    const auto g = Decayed(d, a.scale, a.decay, hn::LoadU(d, dw + i), weight);
    const auto m =
      hn::Add(Scaled(d, a.beta1, hn::LoadU(d, first + i)), Scaled(d, a.rest1, g));
    const auto v = hn::Add(
      Scaled(d, a.beta2, hn::LoadU(d, second + i)), Scaled(d, a.rest2, hn::Mul(g, g)));
    const auto root = hn::Sqrt(Scaled(d, a.correction2, v));
    const auto step =
      hn::Div(Scaled(d, a.correction1, m), hn::Add(root, hn::Set(d, a.epsilon)));
    hn::StoreU(m, d, first + i);
    hn::StoreU(v, d, second + i);
    hn::StoreU(hn::Sub(Scaled(d, a.keep, weight), Scaled(d, a.rate, step)), d, w + i);
  });
}

void UpdateRMSProp(
  const swk_rmsprop* args, float* w, const float* dw, float* squares, float* velocity,
  size_t begin, size_t end) {
  const swk_rmsprop a = *args;
  const float rest = 1.0f - a.smoothing;
  ForVectors(end - begin, [&](auto d, size_t k) SWK_INLINE_LAMBDA {
    const size_t i = begin + k;
    const auto weight = hn::LoadU(d, w + i);
    const auto g = Decayed(d, a.gradient_scale, a.decay, hn::LoadU(d, dw + i), weight);
    const auto s = hn::Add(
      Scaled(d, a.smoothing, hn::LoadU(d, squares + i)), Scaled(d, rest, hn::Mul(g, g)));
    const auto step = hn::Div(g, hn::Add(hn::Sqrt(s), hn::Set(d, a.epsilon)));
    const auto v = hn::Add(Scaled(d, a.momentum, hn::LoadU(d, velocity + i)), step);
    hn::StoreU(s, d, squares + i);
    hn::StoreU(v, d, velocity + i);
    hn::StoreU(hn::Sub(weight, Scaled(d, a.rate, v)), d, w + i);
  });
}

void UpdateAverage(float decay, float* average, const float* value, size_t begin, size_t end) {
  const float rest = 1.0f - decay;
  ForVectors(end - begin, [&](auto d, size_t k) SWK_INLINE_LAMBDA {
    const size_t i = begin + k;
    const auto kept = Scaled(d, decay, hn::LoadU(d, average + i));
    hn::StoreU(hn::Add(kept, Scaled(d, rest, hn::LoadU(d, value + i))), d, average + i);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace swk
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace swk {
HWY_EXPORT(UpdateSGD);
HWY_EXPORT(UpdateAdam);
HWY_EXPORT(UpdateRMSProp);
HWY_EXPORT(UpdateAverage);

extern "C" void swk_sgd_update(
  const swk_sgd* args, float* w, const float* dw, float* v, size_t begin, size_t end) {
  HWY_DYNAMIC_DISPATCH(UpdateSGD)(args, w, dw, v, begin, end);
}

extern "C" void swk_adam_update(
  const swk_adam* args, float* w, const float* dw, float* m, float* v, size_t begin,
  size_t end) {
  const AdamStep step(*args);
  HWY_DYNAMIC_DISPATCH(UpdateAdam)(&step, w, dw, m, v, begin, end);
}

extern "C" void swk_rmsprop_update(
  const swk_rmsprop* args, float* w, const float* dw, float* s, float* v, size_t begin,
  size_t end) {
  HWY_DYNAMIC_DISPATCH(UpdateRMSProp)(args, w, dw, s, v, begin, end);
}

extern "C" void swk_average_update(
  float decay, float* average, const float* value, size_t begin, size_t end) {
  HWY_DYNAMIC_DISPATCH(UpdateAverage)(decay, average, value, begin, end);
}

}  // namespace swk
#endif
