// SPDX-License-Identifier: Apache-2.0
#include "quantize.h"

#include <cmath>

#if defined(__clang__)
#pragma clang fp contract(off)
#endif

using namespace swk;

namespace {

float Bounded(const swk_fake_quantize_args& a, float u) {
  if (!(u > a.low)) return a.low;
  return u < a.high ? u : a.high;
}

float Code(const swk_fake_quantize_args& a, float u) { return std::nearbyint(Bounded(a, u)); }

float LogQuantized(const swk_log_quantize_args& a, float v) {
  const float magnitude = std::fabs(v);
  if (!(magnitude >= 0x1p-126f)) return 0.0f;
  int exponent = 128;
  float mantissa = 1.0f;
  if (!std::isinf(magnitude)) {
    mantissa = 2.0f * std::frexp(magnitude, &exponent);
    exponent -= 1;
  }
  int k = exponent + (mantissa >= kRoot2 ? 1 : 0);
  if (a.halves) {
    k = 2 * exponent + (mantissa >= kRoot4 ? 1 : 0) + (mantissa >= kRoot4Cubed ? 1 : 0);
  }
  if (k < a.least) return 0.0f;
  if (k > a.greatest) k = a.greatest;
  float power = std::ldexp(1.0f, a.halves ? (k >= 0 ? k / 2 : -((1 - k) / 2)) : k);
  if (a.halves && k % 2 != 0) power = power * kRoot2;
  return std::copysign(power, v);
}

}  // namespace

extern "C" void swk_fake_quantize_reference(
  const swk_fake_quantize_args* args, const void* x, void* y, size_t begin, size_t end) {
  const swk_fake_quantize_args a = *args;
  WithReal(a.type, y, [&](auto* out) {
    const auto* in = static_cast<decltype(out)>(const_cast<void*>(x));
    for (size_t i = begin; i < end; ++i) {
      const float u = (Load(in + i) - a.offset) / a.step;
      Store(Code(a, u) * a.step + a.offset, out + i);
    }
  });
}

extern "C" void swk_fake_quantize_gradient_reference(
  const swk_fake_quantize_args* args, const void* dy, const void* x, void* dx, double* sums,
  size_t begin, size_t end) {
  const swk_fake_quantize_args a = *args;
  sums[0] = sums[1] = 0.0;
  WithReal(a.type, dx, [&](auto* out) {
    const auto* gradients = static_cast<decltype(out)>(const_cast<void*>(dy));
    const auto* in = static_cast<decltype(out)>(const_cast<void*>(x));
    for (size_t first = begin; first < end; first += kQuantizeBlock) {
      const size_t last = end - first < kQuantizeBlock ? end : first + kQuantizeBlock;
      float partial[2][kQuantizeSums] = {};
      for (size_t i = first; i < last; ++i) {
        const size_t k = (i - first) % kQuantizeSums;
        const float d = Load(gradients + i);
        const float u = (Load(in + i) - a.offset) / a.step;
        const bool within = u > a.low && u < a.high;
        const bool passes = a.includes_ends ? u >= a.low && u <= a.high : within;
        const float q = Code(a, u);
        const float inner = a.step_gradient == SWK_STEP_LEARNED ? q - u : 0.0f;
        const float slope = within ? inner : q;
        if (a.step_gradient != SWK_STEP_NONE) partial[0][k] += d * slope;
        partial[1][k] += within ? 0.0f : d;
        Store(passes ? d : 0.0f, out + i);
      }
      for (size_t k = 0; k < 2; ++k) sums[k] += AddedInPairs(partial[k]);
    }
  });
}

extern "C" void swk_log_quantize_reference(
  const swk_log_quantize_args* args, const void* x, void* y, size_t begin, size_t end) {
  const swk_log_quantize_args a = *args;
  WithReal(a.type, y, [&](auto* out) {
    const auto* in = static_cast<decltype(out)>(const_cast<void*>(x));
    for (size_t i = begin; i < end; ++i) Store(LogQuantized(a, Load(in + i)), out + i);
  });
}

extern "C" void swk_minimum_maximum_reference(
  swk_type type, const void* x, float* range, size_t begin, size_t end) {
  WithReal(type, x, [&](const auto* in) {
    for (size_t i = begin; i < end; ++i) {
      const float v = Load(in + i);
      if (v < range[0]) range[0] = v;
      if (v > range[1]) range[1] = v;
    }
  });
}
