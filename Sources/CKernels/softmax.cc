// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "softmax.cc"
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

/// Fills a row with one value, or with `row * factor`.
template <class Out>
HWY_INLINE void StoreRow(const float* row, float factor, Out* dst, size_t columns) {
  const DF df;
  const Finish none{};
  const size_t lanes = hn::Lanes(df);
  const VF f = hn::Set(df, factor);
  size_t c = 0;
  for (; c + lanes <= columns; c += lanes) {
    StoreFinished(df, none, hn::Mul(hn::LoadU(df, row + c), f), dst + c);
  }
  if (c < columns) {
    HWY_ALIGN float in[HWY_LANES(float)] = {};
    HWY_ALIGN Out out[HWY_LANES(float)];
    std::memcpy(in, row + c, (columns - c) * sizeof(float));
    StoreFinished(df, none, hn::Mul(hn::Load(df, in), f), out);
    std::memcpy(static_cast<void*>(dst + c), out, (columns - c) * sizeof(Out));
  }
}

/// Replaces the row by its exponentials and returns the factor that makes their sum 1.
HWY_INLINE float Exponentials(const swk_softmax& args, float* row, const float* mask) {
  const DF df;
  const size_t lanes = hn::Lanes(df), columns = args.columns;
  const VF scale = hn::Set(df, args.scale);
  const VF negative = hn::Set(df, -std::numeric_limits<float>::infinity());
  VF greatest = negative;
  auto undefined = hn::Ne(scale, scale);
  size_t c = 0;
  for (; c + lanes <= columns; c += lanes) {
    VF x = hn::Mul(hn::LoadU(df, row + c), scale);
    if (mask != nullptr) x = hn::Add(x, hn::LoadU(df, mask + c));
    hn::StoreU(x, df, row + c);
    undefined = hn::Or(undefined, hn::Ne(x, x));
    greatest = hn::Max(greatest, x);
  }
  float bound = hn::GetLane(hn::MaxOfLanes(df, greatest));
  bool is_undefined = !hn::AllFalse(df, undefined);
  for (; c < columns; ++c) {
    float x = row[c] * args.scale;
    if (mask != nullptr) x = x + mask[c];
    row[c] = x;
    is_undefined |= x != x;
    if (x > bound) bound = x;
  }
  const float infinity = std::numeric_limits<float>::infinity();
  if (HWY_UNLIKELY(is_undefined || bound == infinity || bound == -infinity)) {
    const bool is_closed = !is_undefined && bound == -infinity && args.closed_is_zero != 0;
    const float value = is_closed ? 0.0f : std::numeric_limits<float>::quiet_NaN();
    for (c = 0; c < columns; ++c) row[c] = value;
    return 1.0f;
  }
  const VF shift = hn::Set(df, bound);
  VF sum = hn::Zero(df);
  for (c = 0; c + lanes <= columns; c += lanes) {
    const VF e = ExpOfNegative(df, hn::Sub(hn::LoadU(df, row + c), shift));
    hn::StoreU(e, df, row + c);
    sum = hn::Add(sum, e);
  }
  float total = hn::GetLane(hn::SumOfLanes(df, sum));
  if (c < columns) {
    HWY_ALIGN float tail[HWY_LANES(float)];
    for (size_t k = 0; k < lanes; ++k) tail[k] = k < columns - c ? row[c + k] : -infinity;
    const VF e = ExpOfNegative(df, hn::Sub(hn::Load(df, tail), shift));
    hn::Store(e, df, tail);
    std::memcpy(row + c, tail, (columns - c) * sizeof(float));
    total += hn::GetLane(hn::SumOfLanes(df, e));
  }
  return 1.0f / total;
}

template <class Out>
HWY_INLINE void Rows(
  const swk_softmax& args, float* src, const float* mask, const size_t* offsets, Out* dst,
  size_t begin, size_t end) {
  for (size_t r = begin; r < end; ++r) {
    float* row = src + r * args.columns;
    const float* added = mask == nullptr ? nullptr : mask + offsets[r];
    StoreRow(row, Exponentials(args, row, added), dst + r * args.columns, args.columns);
  }
}

void SoftmaxRows(
  const swk_softmax* args, float* src, const float* mask, const size_t* offsets, void* dst,
  size_t begin, size_t end) {
  if (args->type == SWK_BF16) {
    Rows(*args, src, mask, offsets, static_cast<BFloat16*>(dst), begin, end);
  } else {
    Rows(*args, src, mask, offsets, static_cast<float*>(dst), begin, end);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace swk
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace swk {
HWY_EXPORT(SoftmaxRows);

extern "C" void swk_softmax_rows(
  const swk_softmax* args, float* src, const float* mask, const size_t* mask_offsets, void* dst,
  size_t begin, size_t end) {
  HWY_DYNAMIC_DISPATCH(SoftmaxRows)(args, src, mask, mask_offsets, dst, begin, end);
}

}  // namespace swk
#endif
