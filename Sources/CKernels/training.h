// SPDX-License-Identifier: Apache-2.0
// The formulas of training for one element: what the vector kernels do to each lane.
#ifndef SWK_TRAINING_FORMULAS_H
#define SWK_TRAINING_FORMULAS_H

#include "scalar.h"

#if defined(__clang__)
#pragma clang fp contract(off)
#endif

namespace swk {

constexpr size_t kSumBlock = 128;
constexpr size_t kPivotRows = 16;
constexpr float kSixth = 1.0f / 6.0f;
constexpr float kThird = 1.0f / 3.0f;

inline float Load(const float* p) { return *p; }
inline float Load(const BFloat16* p) { return FloatFromBFloat16(*p); }
inline void Store(float v, float* p) { *p = v; }
inline void Store(float v, BFloat16* p) { *p = BFloat16FromFloat(v); }

/// Whether this processor has the instructions of AVX-512 that round to bf16.
bool RoundsToBFloat16();

/// What `swk_batchnorm_apply` does, with activations other than hard swish as bounds.
struct Normalization {
  swk_type type;
  bool hard_swish, hardware;
  float low, high;
  const void* x;
  const float* factor;
  const float* offset;
  const void* addend;
  void* y;
  size_t channels, begin, end;
};

/// Whether products of two elements are exact in f32.
template <class T>
constexpr bool IsNarrow() {
  return sizeof(T) == sizeof(BFloat16);
}

/// Calls `visit(pointer to element)` with the element type of `type`, f32 or bf16.
template <class Visit>
inline void WithReal(swk_type type, void* p, const Visit& visit) {
  if (type == SWK_BF16) return visit(static_cast<BFloat16*>(p));
  visit(static_cast<float*>(p));
}
template <class Visit>
inline void WithReal(swk_type type, const void* p, const Visit& visit) {
  if (type == SWK_BF16) return visit(static_cast<const BFloat16*>(p));
  visit(static_cast<const float*>(p));
}

/// A sum over rows in the order that `swk_training.h` states.
struct RowSum {
  float parts[2] = {0.0f, 0.0f};
  double total = 0.0;

  void Add(size_t row, float v) {
    if (row > 0 && row % kSumBlock == 0) CloseBlock();
    parts[row % 2] += v;
  }
  double Finish() {
    CloseBlock();
    return total;
  }

 private:
  void CloseBlock() {
    total += parts[0] + parts[1];
    parts[0] = parts[1] = 0.0f;
  }
};

/// Mean and sum of squared deviations, from sums of `x - pivot` and of its squares.
inline void FinishStatistics(
  float pivot, double sum, double squares, size_t rows, double* mean, double* deviations) {
  const double n = static_cast<double>(rows);
  const double centred = squares - sum * sum / n;
  *mean = pivot + sum / n;
  *deviations = centred > 0.0 || centred != centred ? centred : 0.0;
}

inline float Activated(swk_training_activation activation, float v) {
  switch (activation) {
    case SWK_TRAINING_NONE:
      return v;
    case SWK_TRAINING_RELU:
      return 0.0f > v ? 0.0f : v;
    case SWK_TRAINING_RELU6:
      v = 0.0f > v ? 0.0f : v;
      return 6.0f < v ? 6.0f : v;
    case SWK_TRAINING_HARD_SWISH: {
      float h = v * kSixth + 0.5f;
      h = 0.0f > h ? 0.0f : h;
      h = 1.0f < h ? 1.0f : h;
      return v * h;
    }
  }
  return v;
}

inline float HardSwishSlope(float v) {
  return v <= -3.0f ? 0.0f : v >= 3.0f ? 1.0f : v * kThird + 0.5f;
}

/// `d` behind the activation, whose result is `y` and whose argument is `v`.
inline float Masked(swk_training_activation activation, float d, float y, float v) {
  switch (activation) {
    case SWK_TRAINING_NONE:
      return d;
    case SWK_TRAINING_RELU:
      return y > 0.0f ? d : 0.0f;
    case SWK_TRAINING_RELU6:
      return y > 0.0f && y < 6.0f ? d : 0.0f;
    case SWK_TRAINING_HARD_SWISH:
      return d * HardSwishSlope(v);
  }
  return d;
}

/// The gradient `g` of element `i`, in channel `c`.
template <class T>
inline float GradientAt(const swk_batchnorm_gradient& a, size_t i, size_t c) {
  float d = Load(static_cast<const T*>(a.dy) + i);
  if (a.dy2) d = d + Load(static_cast<const T*>(a.dy2) + i);
  switch (a.activation) {
    case SWK_TRAINING_NONE:
      return d;
    case SWK_TRAINING_HARD_SWISH: {
      const float x = Load(static_cast<const T*>(a.x) + i);
      return Masked(a.activation, d, 0.0f, x * a.factor[c] + a.offset[c]);
    }
    default: {
      if (a.y) return Masked(a.activation, d, Load(static_cast<const T*>(a.y) + i), 0.0f);
      const float x = Load(static_cast<const T*>(a.x) + i);
      return Masked(a.activation, d, x * a.factor[c] + a.offset[c], 0.0f);
    }
  }
}

inline float InputGradient(float g, float x, float mean, const float* factors, size_t channels) {
  return (g * factors[0] + (x - mean) * factors[channels]) + factors[2 * channels];
}

/// The factor of `swk_unary_gradient` at `x`.
inline float Slope(const swk_unary_gradient_args& a, float x) {
  switch (a.function) {
    case SWK_GRADIENT_CLIP:
      return x > a.alpha && x < a.beta ? 1.0f : 0.0f;
    case SWK_GRADIENT_HARD_SIGMOID: {
      const float h = x * a.alpha + a.beta;
      return h > 0.0f && h < 1.0f ? a.alpha : 0.0f;
    }
    case SWK_GRADIENT_HARD_SWISH:
      return HardSwishSlope(x);
    case SWK_GRADIENT_LEAKY_RELU:
      return x < 0.0f ? a.alpha : 1.0f;
    case SWK_GRADIENT_TANH: {
      const double t = std::tanh(static_cast<double>(x));
      return static_cast<float>(1.0 - t * t);
    }
    case SWK_GRADIENT_SIGMOID:
    case SWK_GRADIENT_SILU: {
      const double s = 1.0 / (1.0 + std::exp(-static_cast<double>(x)));
      return static_cast<float>(
        a.function == SWK_GRADIENT_SIGMOID ? s * (1.0 - s) : s * (1.0 + x * (1.0 - s)));
    }
  }
  return 0.0f;
}

/// Where the slope selects, it does so without a product, so that nothing becomes NaN.
inline float UnaryGradientValue(const swk_unary_gradient_args& a, float dy, float x) {
  const float slope = Slope(a, x);
  if (a.function == SWK_GRADIENT_CLIP) return slope != 0.0f ? dy : 0.0f;
  return dy * slope;
}

/// The taps of one window along an axis that lie inside the source, and what the first reads.
struct WindowTaps {
  size_t begin = 0;
  size_t end = 0;
  size_t source = 0;

  WindowTaps(
    size_t out, size_t kernel, size_t stride, size_t dilation, size_t pad, size_t size) {
    for (size_t k = 0; k < kernel; ++k) {
      const ptrdiff_t i = SourceIndex(out, k, stride, dilation, pad, size);
      if (i < 0) continue;
      if (begin == end) {
        begin = k;
        source = static_cast<size_t>(i);
      }
      end = k + 1;
    }
  }
};

/// What the sum over a window of an average pool is divided by.
inline size_t WindowSize(const swk_pool& a, bool counts_padding, size_t window) {
  if (counts_padding) return a.kernel_height * a.kernel_width;
  const WindowTaps y(window / a.output_width, a.kernel_height, a.stride_height,
                     a.dilation_height, a.pad_top, a.height);
  const WindowTaps x(window % a.output_width, a.kernel_width, a.stride_width, a.dilation_width,
                     a.pad_left, a.width);
  return (y.end - y.begin) * (x.end - x.begin);
}

/// The output index along one axis whose tap `tap` reads source index `at`, or -1.
inline ptrdiff_t WindowIndex(
  size_t at, size_t tap, size_t stride, size_t dilation, size_t pad, size_t outputs) {
  const ptrdiff_t from = static_cast<ptrdiff_t>(at + pad) - static_cast<ptrdiff_t>(tap * dilation);
  if (from < 0 || static_cast<size_t>(from) % stride != 0) return -1;
  const size_t window = static_cast<size_t>(from) / stride;
  return window < outputs ? static_cast<ptrdiff_t>(window) : -1;
}

/// Which elements a dropout keeps: the numbers are those of SplitMix64 at an index.
///
/// Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014.
struct DropoutRule {
  uint64_t seed;
  uint64_t threshold;  // of the upper 24 bits
  float factor;

  explicit DropoutRule(const swk_dropout_args& a)
    : seed(a.seed), threshold(static_cast<uint64_t>(std::ceil(double{a.ratio} * 0x1p24))),
      factor(1.0f / (1.0f - a.ratio)) {}

  /// 0, or what the element is multiplied by.
  float Factor(size_t index) const {
    uint64_t z = seed + (static_cast<uint64_t>(index) + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    return (z >> 40) >= threshold ? factor : 0.0f;
  }
};

inline float Updated(const swk_sgd& a, float w, float dw, float* v) {
  const float g = dw * a.gradient_scale + a.decay * w;
  *v = a.momentum * *v + g;
  return w - a.rate * (a.nesterov ? g + a.momentum * *v : *v);
}

/// The constants of one step of Adam.
struct AdamStep {
  float rate, beta1, beta2, rest1, rest2, epsilon, scale, decay, keep, correction1, correction2;

  explicit AdamStep(const swk_adam& a)
    : rate(a.rate), beta1(a.beta1), beta2(a.beta2), rest1(1.0f - a.beta1),
      rest2(1.0f - a.beta2), epsilon(a.epsilon), scale(a.gradient_scale),
      decay(a.decouples_decay ? 0.0f : a.decay),
      keep(a.decouples_decay ? 1.0f - a.rate * a.decay : 1.0f),
      correction1(static_cast<float>(1.0 / (1.0 - std::pow(double{a.beta1}, a.step)))),
      correction2(static_cast<float>(1.0 / (1.0 - std::pow(double{a.beta2}, a.step)))) {}

  float Update(float w, float dw, float* m, float* v) const {
    const float g = dw * scale + decay * w;
    *m = beta1 * *m + rest1 * g;
    *v = beta2 * *v + rest2 * (g * g);
    const float update = *m * correction1 / (std::sqrt(*v * correction2) + epsilon);
    return keep * w - rate * update;
  }
};

inline float Updated(const swk_rmsprop& a, float w, float dw, float* s, float* v) {
  const float g = dw * a.gradient_scale + a.decay * w;
  *s = a.smoothing * *s + (1.0f - a.smoothing) * (g * g);
  *v = a.momentum * *v + g / (std::sqrt(*s) + a.epsilon);
  return w - a.rate * *v;
}

}  // namespace swk

#endif
