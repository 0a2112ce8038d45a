// SPDX-License-Identifier: Apache-2.0
#include "training.h"

#if defined(__clang__)
#pragma clang fp contract(off)
#endif

using namespace swk;

extern "C" void swk_batchnorm_combine(
  const swk_batchnorm* args, const double* partials, const size_t* rows, size_t shards) {
  const swk_batchnorm& a = *args;
  for (size_t c = 0; c < a.channels; ++c) {
    double n = 0.0, mean = 0.0, deviations = 0.0;
    for (size_t s = 0; s < shards; ++s) {
      if (rows[s] == 0) continue;
      const double* partial = partials + 2 * s * a.channels + c;
      const double m = static_cast<double>(rows[s]), sum = n + m;
      const double difference = partial[0] - mean;
      mean += difference * (m / sum);
      deviations += partial[a.channels] + difference * difference * (n * m / sum);
      n = sum;
    }
    const double variance = n > 0.0 ? deviations / n : 0.0;
    const double inverse = 1.0 / std::sqrt(variance + double{a.epsilon});
    a.mean[c] = static_cast<float>(mean);
    a.inverse_deviation[c] = static_cast<float>(inverse);
    a.factor[c] = static_cast<float>(a.scale[c] * inverse);
    a.offset[c] = static_cast<float>(a.bias[c] - mean * a.factor[c]);
    a.updated_mean[c] = a.running_mean[c];
    a.updated_variance[c] = a.running_variance[c];
    if (n == 0.0) continue;
    const double kept = a.momentum, unbiased = n > 1.0 ? deviations / (n - 1.0) : variance;
    a.updated_mean[c] = static_cast<float>(a.updated_mean[c] * kept + mean * (1.0 - kept));
    a.updated_variance[c] =
      static_cast<float>(a.updated_variance[c] * kept + unbiased * (1.0 - kept));
  }
}

extern "C" void swk_batchnorm_gradient_combine(
  const double* partials, size_t shards, size_t rows, size_t channels, const float* scale,
  const float* inverse_deviation, float* d_scale, float* d_bias, float* factors) {
  for (size_t c = 0; c < channels; ++c) {
    double sum = 0.0, products = 0.0;
    for (size_t s = 0; s < shards; ++s) {
      sum += partials[2 * s * channels + c];
      products += partials[(2 * s + 1) * channels + c];
    }
    const double inverse = inverse_deviation[c], slope = scale[c] * inverse;
    const double n = static_cast<double>(rows > 0 ? rows : 1);
    d_scale[c] = static_cast<float>(products * inverse);
    d_bias[c] = static_cast<float>(sum);
    factors[c] = static_cast<float>(slope);
    factors[channels + c] = static_cast<float>(-slope * inverse * inverse * (products / n));
    factors[2 * channels + c] = static_cast<float>(-slope * (sum / n));
  }
}

extern "C" void swk_sum_partials_f64(
  const double* partials, size_t count, size_t stride, float* dst, size_t begin, size_t end) {
  for (size_t i = begin; i < end; ++i) {
    double sum = 0.0;
    for (size_t k = 0; k < count; ++k) sum += partials[k * stride + i];
    dst[i] = static_cast<float>(sum);
  }
}

extern "C" void swk_batchnorm_factors(
  const float* scale, const float* bias, const float* mean, const float* inverse_deviation,
  float* factor, float* offset, size_t channels) {
  for (size_t c = 0; c < channels; ++c) {
    factor[c] = scale[c] * inverse_deviation[c];
    offset[c] = static_cast<float>(bias[c] - double{mean[c]} * factor[c]);
  }
}
