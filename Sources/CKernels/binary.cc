// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "binary.cc"
#define SWK_NEEDS_AVX3_DL
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
struct BinaryValue {
  bool swapped;
  HWY_INLINE VF Result(VF a, VF b) const {
    return swapped ? Operate<Operation>(b, a) : Operate<Operation>(a, b);
  }
  HWY_INLINE VF operator()(const float* a, const float* b) const {
    const DF df;
    return Result(hn::LoadU(df, a), hn::LoadU(df, b));
  }
};

template <swk_binary Operation>
struct ScalarValue {
  BinaryValue<Operation> value;
  float b;
  HWY_INLINE VF operator()(const float* a) const {
    const DF df;
    return value.Result(hn::LoadU(df, a), hn::Set(df, b));
  }
};

template <swk_binary Operation>
HWY_INLINE void BinaryRows(
  const swk_binary_args& args, const float* a, const float* b, float* dst, size_t begin,
  size_t end) {
  const BinaryValue<Operation> value{args.swapped != 0};
  const swk_activation activation = args.relu ? SWK_RELU : SWK_NONE;
  const Finish finish = Prepare(swk_epilogue{SWK_F32, activation, 0.0f, 0.0f, 1.0f, 0});
  const size_t n = args.channels, first = begin * n, count = (end - begin) * n;
  switch (args.broadcast) {
    case SWK_SAME:
      return MapPairs(finish, a + first, b + first, dst + first, count, value);
    case SWK_SCALAR:
      return Map(finish, a + first, dst + first, count, ScalarValue<Operation>{value, b[0]});
    case SWK_PER_CHANNEL:
      for (size_t row = begin; row < end; ++row) {
        MapPairs(finish, a + row * n, b, dst + row * n, n, value);
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
