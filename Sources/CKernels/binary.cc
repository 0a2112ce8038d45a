// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "binary.cc"
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

template <swk_binary Operation>
HWY_INLINE VF Operate(VF a, VF b) {
  switch (Operation) {
    case SWK_ADD:
      return hn::Add(a, b);
    case SWK_MUL:
      return hn::Mul(a, b);
    case SWK_SUB:
      return hn::Sub(a, b);
    case SWK_DIV:
      return hn::Div(a, b);
    case SWK_MIN:
      return MinOr(a, b);
    case SWK_MAX:
      return MaxOr(a, b);
  }
}

template <swk_binary Operation>
struct BinaryBody {
  bool swapped;
  bool relu;
  HWY_INLINE VF Result(VF a, VF b) const {
    const VF v = swapped ? Operate<Operation>(b, a) : Operate<Operation>(a, b);
    return relu ? MaxOr(v, hn::Zero(DF())) : v;
  }
  HWY_INLINE void operator()(const float* a, const float* b, float* out) const {
    const DF df;
    hn::StoreU(Result(hn::LoadU(df, a), hn::LoadU(df, b)), df, out);
  }
};

template <swk_binary Operation>
struct ScalarBody {
  BinaryBody<Operation> body;
  float b;
  HWY_INLINE void operator()(const float* a, float* out) const {
    const DF df;
    hn::StoreU(body.Result(hn::LoadU(df, a), hn::Set(df, b)), df, out);
  }
};

template <swk_binary Operation>
HWY_INLINE void BinaryRows(
  const swk_binary_args& args, const float* a, const float* b, float* dst, size_t begin,
  size_t end) {
  const BinaryBody<Operation> body{args.swapped != 0, args.relu != 0};
  const size_t n = args.channels, first = begin * n, count = (end - begin) * n;
  switch (args.broadcast) {
    case SWK_SAME:
      return ForEachPair(a + first, b + first, dst + first, count, body);
    case SWK_SCALAR:
      return ForEachVector(a + first, dst + first, count, ScalarBody<Operation>{body, b[0]});
    case SWK_PER_CHANNEL:
      for (size_t row = begin; row < end; ++row) {
        ForEachPair(a + row * n, b, dst + row * n, n, body);
      }
  }
}

void Binary(
  const swk_binary_args* args, const float* a, const float* b, float* dst, size_t begin,
  size_t end) {
  switch (args->operation) {
    case SWK_ADD:
      return BinaryRows<SWK_ADD>(*args, a, b, dst, begin, end);
    case SWK_MUL:
      return BinaryRows<SWK_MUL>(*args, a, b, dst, begin, end);
    case SWK_SUB:
      return BinaryRows<SWK_SUB>(*args, a, b, dst, begin, end);
    case SWK_DIV:
      return BinaryRows<SWK_DIV>(*args, a, b, dst, begin, end);
    case SWK_MIN:
      return BinaryRows<SWK_MIN>(*args, a, b, dst, begin, end);
    case SWK_MAX:
      return BinaryRows<SWK_MAX>(*args, a, b, dst, begin, end);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace swk
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace swk {
HWY_EXPORT(Binary);

extern "C" void swk_binary_f32(
  const swk_binary_args* args, const float* a, const float* b, float* dst, size_t begin,
  size_t end) {
  if (begin < end) HWY_DYNAMIC_DISPATCH(Binary)(args, a, b, dst, begin, end);
}

}  // namespace swk
#endif
