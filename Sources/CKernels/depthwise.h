// SPDX-License-Identifier: Apache-2.0
#ifndef SWK_DEPTHWISE_PLAN_H
#define SWK_DEPTHWISE_PLAN_H

#include "scalar.h"

namespace swk {

/// Where one channel's numbers come from while packing.
struct DepthwiseWeights {
  const swk_depthwise* args;
  const int8_t* weights;
  const float* scale;
  const float* bias;
  float factor;

  size_t Taps() const { return args->kernel_height * args->kernel_width; }
  int8_t Weight(size_t tap, size_t c) const {
    return tap < Taps() && c < args->channels ? weights[tap * args->channels + c] : 0;
  }
  int32_t Sum(size_t c) const {
    int32_t sum = 0;
    for (size_t tap = 0; tap < Taps(); ++tap) sum += Weight(tap, c);
    return sum;
  }
  float Scale(size_t c) const { return c < args->channels ? scale[c] * factor : 0.0f; }
  /// Whether no sum, scaled, offset and multiplied by `after`, can leave the range of 32-bit
  /// integers.
  bool StaysSmall(float after) const {
    for (size_t c = 0; c < args->channels; ++c) {
      int64_t magnitude = 0;
      for (size_t tap = 0; tap < Taps(); ++tap) {
        const int32_t w = Weight(tap, c);
        magnitude += 255 * (w < 0 ? -w : w);
      }
      const float bound =
        static_cast<float>(magnitude) * std::fabs(Scale(c)) + std::fabs(Bias(c));
      if (!(bound * after < 1073741824.0f)) return false;
    }
    return true;
  }
  float Bias(size_t c) const {
    return bias && c < args->channels ? bias[c] * factor : 0.0f;
  }
};

/// What stands before the blocks in packed weights; as long as a cache line.
struct DepthwiseHeader {
  int32_t stays_small;
  int32_t unused[15];
};

/// How sums are finished: as bytes that need no bound before they are rounded (no activation
/// but relu and clip, or hard swish), or in any other way.
enum class DepthwiseEnding { kBytes, kHardSwishBytes, kGeneral };

/// What every tile of one call needs.
struct DepthwiseRun {
  const swk_depthwise* args;
  Finish finish;
  DepthwiseEnding ending;
  const uint8_t* src;
  uint8_t* dst;
  size_t element;  // bytes of an output element

  const uint8_t* SourceRow(size_t image, ptrdiff_t y) const {
    if (y < 0 || y >= static_cast<ptrdiff_t>(args->height)) return nullptr;
    return src + (image * args->height + y) * args->width * args->channels;
  }
  uint8_t* Output(size_t row, size_t ox, size_t c) const {
    return dst + ((row * args->output_width + ox) * args->channels + c) * element;
  }
};

}  // namespace swk

#endif
