// SPDX-License-Identifier: Apache-2.0
#include "training.h"

#if defined(__clang__)
#pragma clang fp contract(off)
#endif

using namespace swk;

namespace {

/// Whether tap `(ky, kx)` of a window is the first greatest one.
template <class T>
bool Wins(const swk_pool& a, const T* image, size_t oy, size_t ox, size_t c, size_t ky, size_t kx) {
  bool found = false, wins = false;
  float best = 0.0f;
  for (size_t y = 0; y < a.kernel_height; ++y) {
    const ptrdiff_t iy =
      SourceIndex(oy, y, a.stride_height, a.dilation_height, a.pad_top, a.height);
    if (iy < 0) continue;
    for (size_t x = 0; x < a.kernel_width; ++x) {
      const ptrdiff_t ix =
        SourceIndex(ox, x, a.stride_width, a.dilation_width, a.pad_left, a.width);
      if (ix < 0) continue;
      const size_t pixel = static_cast<size_t>(iy) * a.width + static_cast<size_t>(ix);
      const float v = Load(image + pixel * a.channels + c);
      if (found && !(v > best)) continue;
      found = true;
      best = v;
      wins = y == ky && x == kx;
    }
  }
  return wins;
}

/// Calls `visit(oy, ox, ky, kx)` for the windows that hold source pixel `(iy, ix)`, in order.
template <class Visit>
void ForEachWindow(const swk_pool& a, size_t iy, size_t ix, const Visit& visit) {
  for (size_t ky = a.kernel_height; ky-- > 0;) {
    const ptrdiff_t oy =
      WindowIndex(iy, ky, a.stride_height, a.dilation_height, a.pad_top, a.output_height);
    if (oy < 0) continue;
    for (size_t kx = a.kernel_width; kx-- > 0;) {
      const ptrdiff_t ox =
        WindowIndex(ix, kx, a.stride_width, a.dilation_width, a.pad_left, a.output_width);
      if (ox >= 0) visit(static_cast<size_t>(oy), static_cast<size_t>(ox), ky, kx);
    }
  }
}

}  // namespace

extern "C" void swk_unary_gradient_reference(
  const swk_unary_gradient_args* args, const void* dy, const void* x, void* dx, size_t begin,
  size_t end) {
  WithReal(args->type, dx, [&](auto* out) {
    using T = std::remove_pointer_t<decltype(out)>;
    for (size_t i = begin; i < end; ++i) {
      const float d = Load(static_cast<const T*>(dy) + i);
      Store(UnaryGradientValue(*args, d, Load(static_cast<const T*>(x) + i)), out + i);
    }
  });
}

extern "C" void swk_add_real_reference(
  swk_type type, const void* a, const void* b, void* dst, size_t begin, size_t end) {
  WithReal(type, dst, [&](auto* out) {
    using T = std::remove_pointer_t<decltype(out)>;
    for (size_t i = begin; i < end; ++i) {
      Store(Load(static_cast<const T*>(a) + i) + Load(static_cast<const T*>(b) + i), out + i);
    }
  });
}

extern "C" void swk_channel_scale_gradient_reference(
  swk_type type, const void* dy, const void* x, const void* factor, void* dx, void* d_factor,
  size_t channels, size_t pixels, size_t begin, size_t end) {
  WithReal(type, dx, [&](auto* out) {
    using T = std::remove_pointer_t<decltype(out)>;
    for (size_t image = begin; image < end; ++image) {
      for (size_t c = 0; c < channels; ++c) {
        const float k = Load(static_cast<const T*>(factor) + image * channels + c);
        RowSum sum;
        for (size_t p = 0; p < pixels; ++p) {
          const size_t i = (image * pixels + p) * channels + c;
          const float d = Load(static_cast<const T*>(dy) + i);
          sum.Add(p, d * Load(static_cast<const T*>(x) + i));
          Store(d * k, out + i);
        }
        Store(
          static_cast<float>(sum.Finish()), static_cast<T*>(d_factor) + image * channels + c);
      }
    }
  });
}

extern "C" void swk_global_average_gradient_reference(
  swk_type type, const void* dy, void* dx, size_t channels, size_t pixels, size_t begin,
  size_t end) {
  WithReal(type, dx, [&](auto* out) {
    using T = std::remove_pointer_t<decltype(out)>;
    const float factor = 1.0f / static_cast<float>(pixels);
    for (size_t i = begin * pixels * channels; i < end * pixels * channels; ++i) {
      const size_t from = i / (pixels * channels) * channels + i % channels;
      Store(Load(static_cast<const T*>(dy) + from) * factor, out + i);
    }
  });
}

extern "C" void swk_max_pool_gradient_reference(
  const swk_pool* args, const void* dy, const void* x, void* dx, void*, size_t begin,
  size_t end) {
  const swk_pool& a = *args;
  WithReal(a.type, dx, [&](auto* out) {
    using T = std::remove_pointer_t<decltype(out)>;
    const size_t outputs = a.output_height * a.output_width, inputs = a.height * a.width;
    for (size_t row = begin * inputs; row < end * inputs; ++row) {
      const size_t image = row / inputs, iy = row % inputs / a.width, ix = row % a.width;
      for (size_t c = 0; c < a.channels; ++c) {
        float sum = 0.0f;
        ForEachWindow(a, iy, ix, [&](size_t oy, size_t ox, size_t ky, size_t kx) {
          const T* source = static_cast<const T*>(x) + image * inputs * a.channels;
          if (!Wins(a, source, oy, ox, c, ky, kx)) return;
          const size_t window = image * outputs + oy * a.output_width + ox;
          sum += Load(static_cast<const T*>(dy) + window * a.channels + c);
        });
        Store(sum, out + row * a.channels + c);
      }
    }
  });
}

extern "C" void swk_average_pool_gradient_reference(
  const swk_pool* args, int count_include_pad, const void* dy, void* dx, size_t begin,
  size_t end) {
  const swk_pool& a = *args;
  WithReal(a.type, dx, [&](auto* out) {
    using T = std::remove_pointer_t<decltype(out)>;
    const size_t outputs = a.output_height * a.output_width;
    for (size_t pixel = begin * a.width; pixel < end * a.width; ++pixel) {
      const size_t image = pixel / (a.height * a.width);
      const size_t iy = pixel / a.width % a.height, ix = pixel % a.width;
      for (size_t c = 0; c < a.channels; ++c) {
        float sum = 0.0f;
        ForEachWindow(a, iy, ix, [&](size_t oy, size_t ox, size_t, size_t) {
          const size_t divisor =
            WindowSize(a, count_include_pad != 0, oy * a.output_width + ox);
          const size_t window = image * outputs + oy * a.output_width + ox;
          sum += Load(static_cast<const T*>(dy) + window * a.channels + c) *
                 (1.0f / static_cast<float>(divisor));
        });
        Store(sum, out + pixel * a.channels + c);
      }
    }
  });
}

extern "C" void swk_softmax_cross_entropy_reference(
  swk_type type, const void* logits, const float* targets, float* probabilities, double* losses,
  size_t classes, size_t begin, size_t end) {
  WithReal(type, logits, [&](auto* data) {
    for (size_t row = begin; row < end; ++row) {
      const auto* x = data + row * classes;
      double best = -std::numeric_limits<double>::infinity(), sum = 0.0, loss = 0.0;
      for (size_t c = 0; c < classes; ++c) best = Load(x + c) > best ? Load(x + c) : best;
      for (size_t c = 0; c < classes; ++c) sum += std::exp(Load(x + c) - best);
      for (size_t c = 0; c < classes; ++c) {
        const double d = Load(x + c) - best;
        const double target = targets[row * classes + c];
        probabilities[row * classes + c] = static_cast<float>(std::exp(d) / sum);
        if (target != 0.0) loss += target * (std::log(sum) - d);
      }
      losses[row] = loss;
    }
  });
}

extern "C" void swk_softmax_cross_entropy_gradient_reference(
  swk_type type, const float* probabilities, const float* targets, float factor, void* d_logits,
  size_t classes, size_t begin, size_t end) {
  WithReal(type, d_logits, [&](auto* out) {
    for (size_t row = begin; row < end; ++row) {
      const float* p = probabilities + row * classes;
      const float* t = targets + row * classes;
      double mass = 0.0;
      for (size_t c = 0; c < classes; ++c) mass += t[c];
      const float total = static_cast<float>(mass);
      for (size_t c = 0; c < classes; ++c) {
        Store((p[c] * total - t[c]) * factor, out + row * classes + c);
      }
    }
  });
}

extern "C" void swk_dropout_reference(
  const swk_dropout_args* args, const void* x, void* y, size_t begin, size_t end) {
  const DropoutRule rule(*args);
  const size_t channels = args->channels, pixels = args->pixels;
  WithReal(args->type, y, [&](auto* out) {
    using T = std::remove_pointer_t<decltype(out)>;
    for (size_t i = begin * channels; i < end * channels; ++i) {
      const size_t row = i / channels;
      const size_t plane = row / pixels * channels + i % channels;
      const float factor = rule.Factor(plane * pixels + row % pixels);
      Store(factor != 0.0f ? Load(static_cast<const T*>(x) + i) * factor : 0.0f, out + i);
    }
  });
}
