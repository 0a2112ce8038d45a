// SPDX-License-Identifier: Apache-2.0
#include "conversion.h"

using swk::Conversion;
using swk::ConvertScalar;
using swk::Prepare;

extern "C" void swk_convert_reference(
  const swk_format* from, const void* src, const swk_format* to, void* dst, size_t count) {
  const Conversion c = Prepare(*from, *to);
  for (size_t i = 0; i < count; ++i) ConvertScalar(c, from->type, src, i, dst, i);
}

extern "C" void swk_nchw_to_nhwc_reference(
  const float* src, const swk_format* to, void* dst, size_t channels, size_t pixels,
  size_t begin, size_t end) {
  const Conversion c = Prepare(swk_format{SWK_F32, 1.0f, 0}, *to);
  for (size_t p = begin; p < end; ++p) {
    for (size_t k = 0; k < channels; ++k) {
      const size_t from = (p / pixels * channels + k) * pixels + p % pixels;
      ConvertScalar(c, SWK_F32, src, from, dst, p * channels + k);
    }
  }
}

extern "C" void swk_nhwc_to_nchw_reference(
  const swk_format* from, const void* src, float* dst, size_t channels, size_t pixels,
  size_t begin, size_t end) {
  const Conversion c = Prepare(*from, swk_format{SWK_F32, 1.0f, 0});
  for (size_t p = begin; p < end; ++p) {
    for (size_t k = 0; k < channels; ++k) {
      const size_t to = (p / pixels * channels + k) * pixels + p % pixels;
      ConvertScalar(c, from->type, src, p * channels + k, dst, to);
    }
  }
}

extern "C" void swk_transpose_reference(
  const void* src, void* dst, size_t rows, size_t columns, size_t element_bytes, size_t begin,
  size_t end) {
  for (size_t row = begin; row < end; ++row) {
    const size_t image = row / columns, c = row % columns;
    for (size_t r = 0; r < rows; ++r) {
      std::memcpy(
        static_cast<uint8_t*>(dst) + (row * rows + r) * element_bytes,
        static_cast<const uint8_t*>(src) + ((image * rows + r) * columns + c) * element_bytes,
        element_bytes);
    }
  }
}
