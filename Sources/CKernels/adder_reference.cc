// SPDX-License-Identifier: Apache-2.0
#include "training.h"

#if defined(__clang__)
#pragma clang fp contract(off)
#endif

using namespace swk;

namespace {

/// Calls `visit(tap, source pixel or -1)` for each tap of output pixel `(oy, ox)` of an image.
template <class Visit>
void ForTaps(const swk_adder& a, size_t image, size_t oy, size_t ox, const Visit& visit) {
  for (size_t ky = 0; ky < a.kernel_height; ++ky) {
    const ptrdiff_t iy = SourceIndex(oy, ky, a.stride_height, 1, a.pad_top, a.height);
    for (size_t kx = 0; kx < a.kernel_width; ++kx) {
      const ptrdiff_t ix = SourceIndex(ox, kx, a.stride_width, 1, a.pad_left, a.width);
      const ptrdiff_t first = static_cast<ptrdiff_t>(image * a.height);
      const ptrdiff_t pixel =
        iy < 0 || ix < 0 ? -1 : (first + iy) * static_cast<ptrdiff_t>(a.width) + ix;
      visit(ky * a.kernel_width + kx, pixel);
    }
  }
}

}  // namespace

extern "C" void swk_adder_pack(
  const swk_adder* args, const float* weights, float* forward, float* backward) {
  const size_t taps = args->kernel_height * args->kernel_width;
  const size_t channels = args->channels, outputs = args->outputs;
  for (size_t m = 0; m < outputs; ++m) {
    for (size_t c = 0; c < channels; ++c) {
      for (size_t t = 0; t < taps; ++t) {
        const float w = weights[(m * channels + c) * taps + t];
        if (forward) forward[(t * channels + c) * outputs + m] = w;
        if (backward) backward[(t * outputs + m) * channels + c] = w;
      }
    }
  }
}

extern "C" void swk_adder_conv_reference(
  const swk_adder* args, const float* x, const float* forward, float* y, size_t begin,
  size_t end) {
  const swk_adder& a = *args;
  for (size_t pixel = begin * a.output_width; pixel < end * a.output_width; ++pixel) {
    const size_t row = pixel / a.output_width;
    const size_t image = row / a.output_height, oy = row % a.output_height;
    for (size_t m = 0; m < a.outputs; ++m) {
      float sum = 0.0f;
      ForTaps(a, image, oy, pixel % a.output_width, [&](size_t tap, ptrdiff_t from) {
        for (size_t c = 0; c < a.channels; ++c) {
          const float v = from < 0 ? 0.0f : x[static_cast<size_t>(from) * a.channels + c];
          sum -= std::fabs(v - forward[(tap * a.channels + c) * a.outputs + m]);
        }
      });
      y[pixel * a.outputs + m] = sum;
    }
  }
}

extern "C" void swk_adder_input_gradient_reference(
  const swk_adder* args, const float* dy, const float* x, const float* backward, float* dx,
  size_t begin, size_t end) {
  const swk_adder& a = *args;
  for (size_t pixel = begin * a.width; pixel < end * a.width; ++pixel) {
    const size_t image = pixel / a.width / a.height;
    const size_t iy = pixel / a.width % a.height, ix = pixel % a.width;
    for (size_t c = 0; c < a.channels; ++c) {
      float sum = 0.0f;
      for (size_t tap = 0; tap < a.kernel_height * a.kernel_width; ++tap) {
        const ptrdiff_t oy = WindowIndex(
          iy, tap / a.kernel_width, a.stride_height, 1, a.pad_top, a.output_height);
        const ptrdiff_t ox = WindowIndex(
          ix, tap % a.kernel_width, a.stride_width, 1, a.pad_left, a.output_width);
        if (oy < 0 || ox < 0) continue;
        const size_t window =
          (image * a.output_height + static_cast<size_t>(oy)) * a.output_width +
          static_cast<size_t>(ox);
        for (size_t m = 0; m < a.outputs; ++m) {
          float slope =
            backward[(tap * a.outputs + m) * a.channels + c] - x[pixel * a.channels + c];
          slope = -1.0f > slope ? -1.0f : slope;
          slope = 1.0f < slope ? 1.0f : slope;
          sum += dy[window * a.outputs + m] * slope;
        }
      }
      dx[pixel * a.channels + c] = sum;
    }
  }
}

extern "C" void swk_adder_weight_sums_reference(
  const swk_adder* args, const float* dy, const float* x, float* sums, size_t begin,
  size_t end) {
  const swk_adder& a = *args;
  const size_t taps = a.kernel_height * a.kernel_width;
  for (size_t i = 0; i < taps * a.channels * a.outputs; ++i) sums[i] = 0.0f;
  for (size_t image = begin; image < end; ++image) {
    for (size_t i = 0; i < taps * a.channels * a.outputs; ++i) {
      const size_t wanted = i / a.outputs / a.channels;
      const size_t c = i / a.outputs % a.channels, m = i % a.outputs;
      float sum = 0.0f;
      for (size_t p = 0; p < a.output_height * a.output_width; ++p) {
        const size_t window = image * a.output_height * a.output_width + p;
        ForTaps(
          a, image, p / a.output_width, p % a.output_width, [&](size_t tap, ptrdiff_t from) {
            if (tap != wanted || from < 0) return;
            sum += dy[window * a.outputs + m] * x[static_cast<size_t>(from) * a.channels + c];
          });
      }
      sums[i] += sum;
    }
  }
}

extern "C" void swk_adder_weight_gradient(
  const swk_adder* args, const float* sums, const float* dy_sums, const float* weights,
  float adaptive_rate, float* dw) {
  const size_t taps = args->kernel_height * args->kernel_width;
  const size_t channels = args->channels, outputs = args->outputs;
  const size_t count = outputs * channels * taps;
  for (size_t m = 0; m < outputs; ++m) {
    for (size_t c = 0; c < channels; ++c) {
      for (size_t t = 0; t < taps; ++t) {
        const size_t i = (m * channels + c) * taps + t;
        dw[i] = sums[(t * channels + c) * outputs + m] - weights[i] * dy_sums[m];
      }
    }
  }
  if (!(adaptive_rate > 0.0f)) return;
  const double norm = std::sqrt(swk_sum_squares(dw, count));
  const double factor =
    adaptive_rate * std::sqrt(static_cast<double>(count)) / (norm < 1e-12 ? 1e-12 : norm);
  for (size_t i = 0; i < count; ++i) dw[i] *= static_cast<float>(factor);
}
