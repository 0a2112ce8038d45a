// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "elementwise.cc"
#define SWK_NEEDS_AVX3_DL
#include "targets.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "elementwise.h"
#include "transpose-inl.h"

#if defined(__clang__)
#pragma clang fp contract(off)
#endif

HWY_BEFORE_NAMESPACE();
namespace swk {
namespace HWY_NAMESPACE {

struct SumValue {
  float a_factor, b_factor, offset;
  template <class A, class B>
  HWY_INLINE VF operator()(const A* a, const B* b) const {
    const DF df;
    const VF va = hn::Mul(LoadFloat(df, a), hn::Set(df, a_factor));
    const VF vb = hn::Mul(LoadFloat(df, b), hn::Set(df, b_factor));
    return hn::Add(hn::Add(va, vb), hn::Set(df, offset));
  }
};
template <class A, class B>
struct AddTo {
  const Addition& plan;
  const A* a;
  const B* b;
  size_t begin, end;
  template <class Out>
  HWY_ATTR void operator()(Out* out) const {
    const SumValue sum{plan.a_factor, plan.b_factor, plan.offset};
    MapPairs(plan.finish, a + begin, b + begin, out + begin, end - begin, sum);
  }
};
template <class A>
HWY_INLINE void AddOperands(
  const Addition& plan, const A* a, swk_type b_type, const void* b, void* dst, size_t begin,
  size_t end) {
  const swk_type type = plan.finish.type;
  switch (b_type) {
    case SWK_U8: {
      const uint8_t* p = static_cast<const uint8_t*>(b);
      return WithDestination(type, dst, AddTo<A, uint8_t>{plan, a, p, begin, end});
    }
    case SWK_S8: {
      const int8_t* p = static_cast<const int8_t*>(b);
      return WithDestination(type, dst, AddTo<A, int8_t>{plan, a, p, begin, end});
    }
    default: {
      const float* p = static_cast<const float*>(b);
      return WithDestination(type, dst, AddTo<A, float>{plan, a, p, begin, end});
    }
  }
}
void AddQuantized(
  const Addition* plan, swk_type a_type, const void* a, swk_type b_type, const void* b,
  void* dst, size_t begin, size_t end) {
  if (a_type == SWK_U8) {
    AddOperands(*plan, static_cast<const uint8_t*>(a), b_type, b, dst, begin, end);
  } else {
    AddOperands(*plan, static_cast<const int8_t*>(a), b_type, b, dst, begin, end);
  }
}

template <class In>
struct ProductValue {
  int32_t zero;
  HWY_INLINE VF operator()(const In* x, const float* factor) const {
    const DF df;
    return hn::Mul(LoadCentred(df, x, zero), hn::LoadU(df, factor));
  }
};
template <class In>
struct ProductTo {
  const ChannelProduct& plan;
  const In* x;
  const void* factors;
  size_t channels, pixels, begin, end;
  template <class Out>
  HWY_ATTR void operator()(Out* out) const {
    constexpr size_t kFactors = 1024;
    HWY_ALIGN float factor[kFactors];
    for (size_t p = begin; p < end;) {
      const size_t image = p / pixels, left = pixels - p % pixels;
      const size_t stop = left < end - p ? p + left : end;
      for (size_t first = 0; first < channels; first += kFactors) {
        const size_t n = channels - first < kFactors ? channels - first : kFactors;
        for (size_t i = 0; i < n; ++i) {
          factor[i] = plan.Factor(factors, image * channels + first + i);
        }
        // Several pixels of few channels make one run.
        size_t run = n == channels ? kFactors / channels : 1;
        if (run > stop - p) run = stop - p;
        for (size_t i = n; i < run * n; ++i) factor[i] = factor[i - n];
        for (size_t q = p; q < stop; q += run) {
          const size_t at = q * channels + first, count = (stop - q < run ? stop - q : run) * n;
          MapPairs(plan.finish, x + at, factor, out + at, count, ProductValue<In>{plan.x_zero});
        }
      }
      p = stop;
    }
  }
};
struct ProductFrom {
  const ChannelProduct& plan;
  const void* factors;
  void* dst;
  size_t channels, pixels, begin, end;
  template <class In>
  HWY_ATTR void operator()(const In* x) const {
    if constexpr (!std::is_same<In, int32_t>::value) {
      const ProductTo<In> visit{plan, x, factors, channels, pixels, begin, end};
      WithDestination(plan.finish.type, dst, visit);
    }
  }
};
void MulChannels(
  const ChannelProduct* plan, swk_type x_type, const void* x, const void* factors, void* dst,
  size_t channels, size_t pixels, size_t begin, size_t end) {
  WithSource(x_type, x, ProductFrom{*plan, factors, dst, channels, pixels, begin, end});
}

void Lookup(const uint8_t* table, const uint8_t* src, uint8_t* dst, size_t count) {
  size_t i = 0;
#if HWY_TARGET == HWY_AVX3_DL
  const __m512i t0 = _mm512_loadu_si512(table), t1 = _mm512_loadu_si512(table + 64);
  const __m512i t2 = _mm512_loadu_si512(table + 128), t3 = _mm512_loadu_si512(table + 192);
  for (; i < count; i += 64) {
    const __mmask64 valid =
      count - i >= 64 ? ~__mmask64{0} : (__mmask64{1} << (count - i)) - 1;
    const __m512i code = _mm512_maskz_loadu_epi8(valid, src + i);
    const __m512i low = _mm512_permutex2var_epi8(t0, code, t1);
    const __m512i high = _mm512_permutex2var_epi8(t2, code, t3);
    const __mmask64 upper = _mm512_movepi8_mask(code);
    _mm512_mask_storeu_epi8(dst + i, valid, _mm512_mask_blend_epi8(upper, low, high));
  }
#endif
  for (; i < count; ++i) dst[i] = table[src[i]];
}

}  // namespace HWY_NAMESPACE
}  // namespace swk
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace swk {
HWY_EXPORT(AddQuantized);
HWY_EXPORT(MulChannels);
HWY_EXPORT(Lookup);

extern "C" void swk_add_quantized(
  const swk_format* a_format, const void* a, const swk_format* b_format, const void* b,
  const swk_epilogue* epilogue, void* dst, size_t begin, size_t end) {
  const Addition plan = PrepareAddition(*a_format, *b_format, *epilogue);
  HWY_DYNAMIC_DISPATCH(AddQuantized)
  (&plan, a_format->type, a, b_format->type, b, dst, begin, end);
}

extern "C" void swk_mul_channels(
  const swk_format* x_format, const void* x, const swk_format* factor_format,
  const void* factor, const swk_epilogue* epilogue, void* dst, size_t channels, size_t pixels,
  size_t begin, size_t end) {
  const ChannelProduct plan = PrepareProduct(*x_format, *factor_format, *epilogue);
  HWY_DYNAMIC_DISPATCH(MulChannels)
  (&plan, x_format->type, x, factor, dst, channels, pixels, begin, end);
}

extern "C" void swk_lookup(
  const uint8_t* table, const uint8_t* src, uint8_t* dst, size_t count) {
  HWY_DYNAMIC_DISPATCH(Lookup)(table, src, dst, count);
}

}  // namespace swk
#endif
