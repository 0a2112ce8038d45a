// SPDX-License-Identifier: Apache-2.0
// The formulas of quantization in training for one element.
#ifndef SWK_QUANTIZE_FORMULAS_H
#define SWK_QUANTIZE_FORMULAS_H

#include "training.h"

namespace swk {

constexpr size_t kQuantizeSums = 16;
constexpr size_t kQuantizeBlock = 2048;

/// 2^(1/2), 2^(1/4) and 2^(3/4).
constexpr float kRoot2 = 1.41421356237309504880f;
constexpr float kRoot4 = 1.18920711500272106672f;
constexpr float kRoot4Cubed = 1.68179283050742908606f;

/// The sum of 16 partial sums in the order that `swk_quantize.h` states.
inline double AddedInPairs(const float* partial) {
  double sums[kQuantizeSums];
  for (size_t k = 0; k < kQuantizeSums; ++k) sums[k] = partial[k];
  for (size_t width = kQuantizeSums / 2; width > 0; width /= 2) {
    for (size_t k = 0; k < width; ++k) sums[k] += sums[k + width];
  }
  return sums[0];
}

}  // namespace swk

#endif
