// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "training.cc"
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

void SumPartials(
  const float* partials, size_t count, size_t stride, float* dst, size_t begin, size_t end) {
  const float* first = partials + begin;
  float* out = dst + begin;
  ForVectors(end - begin, [&](auto d, size_t i) SWK_INLINE_LAMBDA {
    auto sum = count > 0 ? hn::LoadU(d, first + i) : hn::Zero(d);
    for (size_t k = 1; k < count; ++k) sum = hn::Add(sum, hn::LoadU(d, first + k * stride + i));
    hn::StoreU(sum, d, out + i);
  });
}

double SumSquares(const float* src, size_t count) {
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
      const V x = hn::PromoteTo(d, hn::LoadU(df, src + i + v * lanes));
      sum[v] = hn::Add(sum[v], hn::Mul(x, x));
    }
  }
  for (size_t v = 0; v < vectors; ++v) hn::Store(sum[v], d, sums + v * lanes);
  for (; i < count; ++i) sums[i % kSums] += double{src[i]} * double{src[i]};
  for (size_t width = kSums / 2; width > 0; width /= 2) {
    for (size_t k = 0; k < width; ++k) sums[k] += sums[k + width];
  }
  return sums[0];
}

void ToBFloat16(bool hardware, const float* src, uint16_t* dst, size_t count) {
  WithData(SWK_BF16, hardware, [&](auto element) SWK_INLINE_LAMBDA {
    auto* out = reinterpret_cast<decltype(element)*>(dst);
    ForVectors(count, [&](auto d, size_t i) SWK_INLINE_LAMBDA {
      StoreReal(d, hn::LoadU(d, src + i), out + i);
    });
  });
}

void FromBFloat16(const uint16_t* src, float* dst, size_t count) {
  const BFloat16* in = reinterpret_cast<const BFloat16*>(src);
  ForVectors(count, [&](auto d, size_t i) SWK_INLINE_LAMBDA {
    hn::StoreU(LoadReal(d, in + i), d, dst + i);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace swk
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace swk {
HWY_EXPORT(SumPartials);
HWY_EXPORT(SumSquares);
HWY_EXPORT(ToBFloat16);
HWY_EXPORT(FromBFloat16);

extern "C" void swk_sum_partials(
  const float* partials, size_t count, size_t stride, float* dst, size_t begin, size_t end) {
  HWY_DYNAMIC_DISPATCH(SumPartials)(partials, count, stride, dst, begin, end);
}

extern "C" double swk_sum_squares(const float* src, size_t count) {
  return HWY_DYNAMIC_DISPATCH(SumSquares)(src, count);
}

extern "C" void swk_f32_to_bf16(const float* src, uint16_t* dst, size_t count) {
  HWY_DYNAMIC_DISPATCH(ToBFloat16)(RoundsToBFloat16(), src, dst, count);
}

extern "C" void swk_bf16_to_f32(const uint16_t* src, float* dst, size_t count) {
  HWY_DYNAMIC_DISPATCH(FromBFloat16)(src, dst, count);
}

}  // namespace swk
#endif
