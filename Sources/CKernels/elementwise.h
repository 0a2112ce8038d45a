// SPDX-License-Identifier: Apache-2.0
#ifndef SWK_ELEMENTWISE_PLAN_H
#define SWK_ELEMENTWISE_PLAN_H

#include "conversion.h"

#if defined(__clang__)
#pragma clang fp contract(off)
#endif

namespace swk {

/// A sum made ready: `finish((a * a_factor + b * b_factor) + offset)`.
struct Addition {
  float a_factor;
  float b_factor;
  float offset;
  Finish finish;
};

inline Addition PrepareAddition(
  const swk_format& a, const swk_format& b, const swk_epilogue& epilogue) {
  Addition plan;
  plan.finish = Prepare(epilogue);
  const float a_scale = IsInteger(a.type) ? a.scale : 1.0f;
  const float b_scale = IsInteger(b.type) ? b.scale : 1.0f;
  const float a_zero = IsByte(a.type) ? a_scale * static_cast<float>(a.zero_point) : 0.0f;
  const float b_zero = IsByte(b.type) ? b_scale * static_cast<float>(b.zero_point) : 0.0f;
  plan.a_factor = a_scale * plan.finish.before;
  plan.b_factor = b_scale * plan.finish.before;
  plan.offset = -(a_zero + b_zero) * plan.finish.before;
  return plan;
}

/// A product by channel made ready: `finish((x - x_zero) * k)` with
/// `k = (factor - factor_zero) * scale`.
struct ChannelProduct {
  int32_t x_zero;
  int32_t factor_zero;
  float scale;
  swk_type factor_type;
  Finish finish;

  float Factor(const void* factors, size_t i) const {
    const float f = IsByte(factor_type)
                      ? static_cast<float>(LoadByte(factor_type, factors, i) - factor_zero)
                      : LoadScalar(factor_type, factors, i);
    return f * scale;
  }
};

inline ChannelProduct PrepareProduct(
  const swk_format& x, const swk_format& factor, const swk_epilogue& epilogue) {
  ChannelProduct plan;
  plan.finish = Prepare(epilogue);
  plan.x_zero = IsByte(x.type) ? x.zero_point : 0;
  plan.factor_zero = IsByte(factor.type) ? factor.zero_point : 0;
  plan.factor_type = factor.type;
  const float x_scale = IsInteger(x.type) ? x.scale : 1.0f;
  const float factor_scale = IsInteger(factor.type) ? factor.scale : 1.0f;
  plan.scale = x_scale * factor_scale * plan.finish.before;
  return plan;
}

}  // namespace swk

#endif
