// SPDX-License-Identifier: Apache-2.0
#include "training.h"

extern "C" void swk_batchnorm_statistics(swk_type type, const void *x, double *partial, size_t channels, size_t begin, size_t end) {
  return swk_batchnorm_statistics_reference(type, x, partial, channels, begin, end);
}
extern "C" void swk_batchnorm_apply(swk_type type, swk_training_activation activation, const void *x, const float *factor, const float *offset, const void *addend, void *y, size_t channels, size_t begin, size_t end) {
  return swk_batchnorm_apply_reference(type, activation, x, factor, offset, addend, y, channels, begin, end);
}
extern "C" void swk_batchnorm_gradient_sums(const swk_batchnorm_gradient *args, void *g, double *partial, size_t begin, size_t end) {
  return swk_batchnorm_gradient_sums_reference(args, g, partial, begin, end);
}
extern "C" void swk_batchnorm_gradient_apply(const swk_batchnorm_gradient *args, const float *factors, void *dx, size_t begin, size_t end) {
  return swk_batchnorm_gradient_apply_reference(args, factors, dx, begin, end);
}
extern "C" void swk_channel_sum(swk_type type, const void *x, double *partial, size_t channels, size_t begin, size_t end) {
  return swk_channel_sum_reference(type, x, partial, channels, begin, end);
}
extern "C" void swk_sum_partials(const float *partials, size_t count, size_t stride, float *dst, size_t begin, size_t end) {
  return swk_sum_partials_reference(partials, count, stride, dst, begin, end);
}
extern "C" double swk_sum_squares(const float *src, size_t count) {
  return swk_sum_squares_reference(src, count);
}
extern "C" void swk_f32_to_bf16(const float *src, uint16_t *dst, size_t count) {
  return swk_f32_to_bf16_reference(src, dst, count);
}
extern "C" void swk_bf16_to_f32(const uint16_t *src, float *dst, size_t count) {
  return swk_bf16_to_f32_reference(src, dst, count);
}
extern "C" void swk_unary_gradient(const swk_unary_gradient_args *args, const void *dy, const void *x, void *dx, size_t begin, size_t end) {
  return swk_unary_gradient_reference(args, dy, x, dx, begin, end);
}
extern "C" void swk_add_real(swk_type type, const void *a, const void *b, void *dst, size_t begin, size_t end) {
  return swk_add_real_reference(type, a, b, dst, begin, end);
}
extern "C" void swk_channel_scale_gradient(swk_type type, const void *dy, const void *x, const void *factor, void *dx, void *d_factor, size_t channels, size_t pixels, size_t begin, size_t end) {
  return swk_channel_scale_gradient_reference(type, dy, x, factor, dx, d_factor, channels, pixels, begin, end);
}
extern "C" void swk_global_average_gradient(swk_type type, const void *dy, void *dx, size_t channels, size_t pixels, size_t begin, size_t end) {
  return swk_global_average_gradient_reference(type, dy, dx, channels, pixels, begin, end);
}
extern "C" void swk_max_pool_gradient(const swk_pool *args, const void *dy, const void *x, void *dx, void *scratch, size_t begin, size_t end) {
  return swk_max_pool_gradient_reference(args, dy, x, dx, scratch, begin, end);
}
extern "C" void swk_average_pool_gradient(const swk_pool *args, int count_include_pad, const void *dy, void *dx, size_t begin, size_t end) {
  return swk_average_pool_gradient_reference(args, count_include_pad, dy, dx, begin, end);
}
extern "C" void swk_softmax_cross_entropy(swk_type type, const void *logits, const float *targets, float *probabilities, double *losses, size_t classes, size_t begin, size_t end) {
  return swk_softmax_cross_entropy_reference(type, logits, targets, probabilities, losses, classes, begin, end);
}
extern "C" void swk_softmax_cross_entropy_gradient(swk_type type, const float *probabilities, const float *targets, float factor, void *d_logits, size_t classes, size_t begin, size_t end) {
  return swk_softmax_cross_entropy_gradient_reference(type, probabilities, targets, factor, d_logits, classes, begin, end);
}
extern "C" void swk_sgd_update(const swk_sgd *args, float *w, const float *dw, float *v, size_t begin, size_t end) {
  return swk_sgd_update_reference(args, w, dw, v, begin, end);
}
extern "C" void swk_adam_update(const swk_adam *args, float *w, const float *dw, float *m, float *v, size_t begin, size_t end) {
  return swk_adam_update_reference(args, w, dw, m, v, begin, end);
}
extern "C" void swk_rmsprop_update(const swk_rmsprop *args, float *w, const float *dw, float *s, float *v, size_t begin, size_t end) {
  return swk_rmsprop_update_reference(args, w, dw, s, v, begin, end);
}
extern "C" void swk_average_update(float decay, float *average, const float *value, size_t begin, size_t end) {
  return swk_average_update_reference(decay, average, value, begin, end);
}
