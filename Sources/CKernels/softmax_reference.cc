// SPDX-License-Identifier: Apache-2.0
#include "scalar.h"

#include <cmath>

#if defined(__clang__)
#pragma clang fp contract(off)
#endif

using namespace swk;

extern "C" void swk_softmax_rows_reference(
  const swk_softmax* args, float* src, const float* mask, const size_t* mask_offsets, void* dst,
  size_t begin, size_t end) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (size_t r = begin; r < end; ++r) {
    float* row = src + r * args->columns;
    const float* added = mask == nullptr ? nullptr : mask + mask_offsets[r];
    float greatest = -infinity;
    bool is_undefined = false;
    for (size_t c = 0; c < args->columns; ++c) {
      row[c] = row[c] * args->scale;
      if (added != nullptr) row[c] = row[c] + added[c];
      is_undefined |= row[c] != row[c];
      if (row[c] > greatest) greatest = row[c];
    }
    const bool is_closed = !is_undefined && greatest == -infinity;
    const bool is_special = is_undefined || is_closed || greatest == infinity;
    float sum = 0;
    for (size_t c = 0; c < args->columns; ++c) {
      row[c] = is_special ? (is_closed && args->closed_is_zero != 0
                               ? 0.0f
                               : std::numeric_limits<float>::quiet_NaN())
                          : std::exp(row[c] - greatest);
      sum += row[c];
    }
    const float factor = is_special ? 1.0f : 1.0f / sum;
    for (size_t c = 0; c < args->columns; ++c) {
      const float value = row[c] * factor;
      const size_t i = r * args->columns + c;
      if (args->type == SWK_BF16) {
        static_cast<BFloat16*>(dst)[i] = BFloat16FromFloat(value);
      } else {
        static_cast<float*>(dst)[i] = value;
      }
    }
  }
}
