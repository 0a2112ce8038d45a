// SPDX-License-Identifier: Apache-2.0
#include "training.h"

#if defined(__clang__)
#pragma clang fp contract(off)
#endif

using namespace swk;

namespace {

template <class T>
float Pivot(const T* x, size_t rows, size_t channels) {
  if (IsNarrow<T>()) return 0.0f;
  if (rows < kPivotRows) return Load(x);
  float sums[kPivotRows];
  for (size_t i = 0; i < kPivotRows; ++i) sums[i] = Load(x + i * rows / kPivotRows * channels);
  for (size_t width = kPivotRows / 2; width > 0; width /= 2) {
    for (size_t i = 0; i < width; ++i) sums[i] = sums[2 * i] + sums[2 * i + 1];
  }
  return sums[0] * (1.0f / static_cast<float>(kPivotRows));
}

}  // namespace

extern "C" void swk_batchnorm_statistics_reference(
  swk_type type, const void* x, double* partial, size_t channels, size_t begin, size_t end) {
  WithReal(type, x, [&](auto* data) {
    for (size_t c = 0; c < channels; ++c) {
      partial[c] = partial[channels + c] = 0.0;
      if (begin >= end) continue;
      const auto* first = data + begin * channels + c;
      const size_t rows = end - begin;
      const float pivot = Pivot(first, rows, channels);
      RowSum sum, squares;
      for (size_t row = 0; row < rows; ++row) {
        const float d = Load(first + row * channels) - pivot;
        sum.Add(row, d);
        squares.Add(row, d * d);
      }
      const double total = sum.Finish();
      FinishStatistics(
        pivot, total, squares.Finish(), rows, partial + c, partial + channels + c);
    }
  });
}

extern "C" void swk_batchnorm_apply_reference(
  swk_type type, swk_training_activation activation, const void* x, const float* factor,
  const float* offset, const void* addend, void* y, size_t channels, size_t begin, size_t end) {
  WithReal(type, y, [&](auto* out) {
    using T = std::remove_pointer_t<decltype(out)>;
    for (size_t i = begin * channels; i < end * channels; ++i) {
      const size_t c = i % channels;
      float v = Load(static_cast<const T*>(x) + i) * factor[c] + offset[c];
      if (addend) v = v + Load(static_cast<const T*>(addend) + i);
      Store(Activated(activation, v), out + i);
    }
  });
}

extern "C" void swk_batchnorm_gradient_sums_reference(
  const swk_batchnorm_gradient* args, void* g, double* partial, size_t begin, size_t end) {
  const size_t channels = args->channels;
  WithReal(args->type, args->x, [&](auto* x) {
    using T = std::remove_cv_t<std::remove_pointer_t<decltype(x)>>;
    for (size_t c = 0; c < channels; ++c) {
      RowSum sum, products;
      for (size_t row = begin; row < end; ++row) {
        const size_t i = row * channels + c;
        const float v = GradientAt<T>(*args, i, c);
        sum.Add(row - begin, v);
        products.Add(row - begin, v * (Load(x + i) - (IsNarrow<T>() ? 0.0f : args->mean[c])));
        if (g) Store(v, static_cast<T*>(g) + i);
      }
      partial[c] = sum.Finish();
      partial[channels + c] = products.Finish();
      if (IsNarrow<T>()) partial[channels + c] -= double{args->mean[c]} * partial[c];
    }
  });
}

extern "C" void swk_batchnorm_gradient_apply_reference(
  const swk_batchnorm_gradient* args, const float* factors, void* dx, size_t begin, size_t end) {
  const size_t channels = args->channels;
  WithReal(args->type, dx, [&](auto* out) {
    using T = std::remove_pointer_t<decltype(out)>;
    for (size_t i = begin * channels; i < end * channels; ++i) {
      const size_t c = i % channels;
      const float x = Load(static_cast<const T*>(args->x) + i);
      const float g = GradientAt<T>(*args, i, c);
      Store(InputGradient(g, x, args->mean[c], factors + c, channels), out + i);
    }
  });
}

extern "C" void swk_channel_sum_reference(
  swk_type type, const void* x, double* partial, size_t channels, size_t begin, size_t end) {
  WithReal(type, x, [&](auto* data) {
    for (size_t c = 0; c < channels; ++c) {
      RowSum sum;
      for (size_t row = begin; row < end; ++row) {
        sum.Add(row - begin, Load(data + row * channels + c));
      }
      partial[c] = sum.Finish();
    }
  });
}

extern "C" void swk_sum_partials_reference(
  const float* partials, size_t count, size_t stride, float* dst, size_t begin, size_t end) {
  for (size_t i = begin; i < end; ++i) {
    float sum = count > 0 ? partials[i] : 0.0f;
    for (size_t k = 1; k < count; ++k) sum += partials[k * stride + i];
    dst[i] = sum;
  }
}

extern "C" double swk_sum_squares_reference(const float* src, size_t count) {
  double sums[16] = {};
  for (size_t i = 0; i < count; ++i) sums[i % 16] += double{src[i]} * double{src[i]};
  for (size_t width = 8; width > 0; width /= 2) {
    for (size_t k = 0; k < width; ++k) sums[k] += sums[k + width];
  }
  return sums[0];
}

extern "C" void swk_f32_to_bf16_reference(const float* src, uint16_t* dst, size_t count) {
  for (size_t i = 0; i < count; ++i) dst[i] = BFloat16FromFloat(src[i]).bits;
}

extern "C" void swk_bf16_to_f32_reference(const uint16_t* src, float* dst, size_t count) {
  for (size_t i = 0; i < count; ++i) dst[i] = FloatFromBFloat16({src[i]});
}
