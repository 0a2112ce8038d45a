// SPDX-License-Identifier: Apache-2.0
#include "training.h"

#if defined(__clang__)
#pragma clang fp contract(off)
#endif

using namespace swk;

extern "C" void swk_sgd_update_reference(
  const swk_sgd* args, float* w, const float* dw, float* v, size_t begin, size_t end) {
  for (size_t i = begin; i < end; ++i) w[i] = Updated(*args, w[i], dw[i], v + i);
}

extern "C" void swk_adam_update_reference(
  const swk_adam* args, float* w, const float* dw, float* m, float* v, size_t begin,
  size_t end) {
  const AdamStep step(*args);
  for (size_t i = begin; i < end; ++i) w[i] = step.Update(w[i], dw[i], m + i, v + i);
}

extern "C" void swk_rmsprop_update_reference(
  const swk_rmsprop* args, float* w, const float* dw, float* s, float* v, size_t begin,
  size_t end) {
  for (size_t i = begin; i < end; ++i) w[i] = Updated(*args, w[i], dw[i], s + i, v + i);
}

extern "C" void swk_average_update_reference(
  float decay, float* average, const float* value, size_t begin, size_t end) {
  const float rest = 1.0f - decay;
  for (size_t i = begin; i < end; ++i) average[i] = average[i] * decay + value[i] * rest;
}
