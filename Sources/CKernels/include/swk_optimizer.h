// SPDX-License-Identifier: Apache-2.0
#ifndef SWK_OPTIMIZER_H
#define SWK_OPTIMIZER_H

#include "swk_base.h"

SWK_BEGIN

/// Updates of f32 parameters and their state in place, elements `[begin, end)`. Operations are
/// rounded one by one, in the order that the formulas show; every result is the same bytes on
/// every instruction set. The parameter is `w`, its gradient `dw`.

/// `g = dw * gradient_scale + decay * w`, `v = momentum * v + g`,
/// `w = w - rate * (nesterov ? g + momentum * v : v)`.
typedef struct swk_sgd {
  float rate;
  float momentum;
  float decay;
  float gradient_scale;
  int nesterov;
} swk_sgd;
void swk_sgd_update(
  const swk_sgd *SWK_NONNULL args, float *SWK_NONNULL w, const float *SWK_NONNULL dw,
  float *SWK_NONNULL v, size_t begin, size_t end);
void swk_sgd_update_reference(
  const swk_sgd *SWK_NONNULL args, float *SWK_NONNULL w, const float *SWK_NONNULL dw,
  float *SWK_NONNULL v, size_t begin, size_t end);

/// `g = dw * gradient_scale` (`+ decay * w` unless decay is decoupled),
/// `m = beta1 * m + (1 - beta1) * g`, `v = beta2 * v + (1 - beta2) * (g * g)`,
/// `w = k * w - rate * (m * c1 / (sqrt(v * c2) + epsilon))`, where `k` is `1 - rate * decay` if
/// decay is decoupled, else 1, and `c1 = 1 / (1 - beta1^step)`, `c2 = 1 / (1 - beta2^step)`,
/// computed in f64. `step` counts from 1.
typedef struct swk_adam {
  float rate;
  float beta1;
  float beta2;
  float epsilon;
  float decay;
  float gradient_scale;
  double step;
  int decouples_decay;
} swk_adam;
void swk_adam_update(
  const swk_adam *SWK_NONNULL args, float *SWK_NONNULL w, const float *SWK_NONNULL dw,
  float *SWK_NONNULL m, float *SWK_NONNULL v, size_t begin, size_t end);
void swk_adam_update_reference(
  const swk_adam *SWK_NONNULL args, float *SWK_NONNULL w, const float *SWK_NONNULL dw,
  float *SWK_NONNULL m, float *SWK_NONNULL v, size_t begin, size_t end);

/// `g` as for `swk_sgd`, `s = smoothing * s + (1 - smoothing) * (g * g)`,
/// `v = momentum * v + g / (sqrt(s) + epsilon)`, `w = w - rate * v`.
typedef struct swk_rmsprop {
  float rate;
  float smoothing;
  float epsilon;
  float momentum;
  float decay;
  float gradient_scale;
} swk_rmsprop;
void swk_rmsprop_update(
  const swk_rmsprop *SWK_NONNULL args, float *SWK_NONNULL w, const float *SWK_NONNULL dw,
  float *SWK_NONNULL s, float *SWK_NONNULL v, size_t begin, size_t end);
void swk_rmsprop_update_reference(
  const swk_rmsprop *SWK_NONNULL args, float *SWK_NONNULL w, const float *SWK_NONNULL dw,
  float *SWK_NONNULL s, float *SWK_NONNULL v, size_t begin, size_t end);

/// `average = average * decay + value * (1 - decay)`.
void swk_average_update(
  float decay, float *SWK_NONNULL average, const float *SWK_NONNULL value, size_t begin,
  size_t end);
void swk_average_update_reference(
  float decay, float *SWK_NONNULL average, const float *SWK_NONNULL value, size_t begin,
  size_t end);

SWK_END

#endif
