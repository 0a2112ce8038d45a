// SPDX-License-Identifier: Apache-2.0
// Gradients of a convolution's weights as products of pairs of bf16.
//
// A sum goes over the positions of the output. Two neighbours make a pair, so one instruction adds
// two positions to the sums of 16 output channels: the pair of gradients of each channel times one
// pair of input values for all of them. Values and gradients are laid out as such pairs first,
// image by image. Which input pixels a tap pairs depends on where it begins: taps that are twice
// the stride apart read the same pairs, some places on.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "weight_gradient.cc"
#define SWK_NEEDS_AVX3_DL
#include "targets.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include <cstring>

#include "training.h"

#if defined(__clang__)
#pragma clang fp contract(off)
#endif

#ifndef SWK_WEIGHT_GRADIENT_PAIRS
#define SWK_WEIGHT_GRADIENT_PAIRS
namespace swk {

constexpr size_t kTaps = 3;      // of a kernel's row
constexpr size_t kChannels = 8;  // whose sums one pass keeps in registers, for all taps of a row
constexpr size_t kOutputs = 16;

/// How the pairs of one image are laid out: `[phases, height, pixel_pairs, channels]` for the
/// input, `[output_height, gradient_pairs, outputs]` for the gradients.
struct PairLayout {
  size_t period, phases, gradient_pairs, pixel_pairs, pixels, gradients;

  explicit PairLayout(const swk_weight_gradient_args& a)
      : period(2 * a.stride_width),
        phases(a.kernel_width < period ? a.kernel_width : period),
        gradient_pairs((a.output_width + 1) / 2),
        pixel_pairs(gradient_pairs + (a.kernel_width - 1) / period),
        pixels(phases * a.height * pixel_pairs * a.channels),
        gradients(a.output_height * gradient_pairs * a.outputs) {}
};

}  // namespace swk
#endif

#undef SWK_PAIR_PRODUCTS
#define SWK_PAIR_PRODUCTS (HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3_DL)

#if SWK_PAIR_PRODUCTS
HWY_PUSH_ATTRIBUTES(HWY_TARGET_STR ",avx512bf16")
#else
HWY_BEFORE_NAMESPACE();
#endif
namespace swk {
namespace HWY_NAMESPACE {

#if SWK_PAIR_PRODUCTS
#undef SWK_UNROLL_ALL
#define SWK_UNROLL_ALL _Pragma("GCC unroll 8")

/// `count` pairs of the elements of two rows; a row that is not there is zeros.
HWY_INLINE void WritePairs(
  const uint16_t* first, const uint16_t* second, uint32_t* pairs, size_t count) {
  for (size_t i = 0; i < count; i += 8) {
    __m256i low = _mm256_setzero_si256(), high = low;
    if (first) low = _mm256_cvtepu16_epi32(_mm_loadu_si128(
      reinterpret_cast<const __m128i*>(first + i)));
    if (second) high = _mm256_cvtepu16_epi32(_mm_loadu_si128(
      reinterpret_cast<const __m128i*>(second + i)));
    _mm256_storeu_si256(
      reinterpret_cast<__m256i*>(pairs + i), _mm256_or_si256(low, _mm256_slli_epi32(high, 16)));
  }
}

HWY_NOINLINE void PairPixels(
  const swk_weight_gradient_args& a, const PairLayout& layout, const uint16_t* image,
  uint32_t* pairs) {
  const auto pixel = [&](const uint16_t* line, size_t place) -> const uint16_t* {
    return place >= a.pad_left && place < a.pad_left + a.width
             ? line + (place - a.pad_left) * a.channels
             : nullptr;
  };
  for (size_t phase = 0; phase < layout.phases; ++phase) {
    for (size_t y = 0; y < a.height; ++y) {
      const uint16_t* line = image + y * a.width * a.channels;
      for (size_t pair = 0; pair < layout.pixel_pairs; ++pair, pairs += a.channels) {
        const size_t place = layout.period * pair + phase;
        WritePairs(pixel(line, place), pixel(line, place + a.stride_width), pairs, a.channels);
      }
    }
  }
}

HWY_NOINLINE void PairGradients(
  const swk_weight_gradient_args& a, const PairLayout& layout, const uint16_t* image,
  uint32_t* pairs) {
  for (size_t y = 0; y < a.output_height; ++y) {
    const uint16_t* line = image + y * a.output_width * a.outputs;
    for (size_t pair = 0; pair < layout.gradient_pairs; ++pair, pairs += a.outputs) {
      const uint16_t* first = line + 2 * pair * a.outputs;
      const bool last = 2 * pair + 1 == a.output_width;
      WritePairs(first, last ? nullptr : first + a.outputs, pairs, a.outputs);
    }
  }
}

/// Adds an image to the sums of one row of taps for `kChannels` input and `kOutputs` output
/// channels, from `c` and `m` on.
HWY_NOINLINE void AddImage(
  const swk_weight_gradient_args& a, const PairLayout& layout, const uint32_t* pixels,
  const uint32_t* gradients, float* dw, size_t ky, size_t c, size_t m) {
  float* const block = dw + (ky * kTaps * a.channels + c) * a.outputs + m;
  const auto sum = [&](size_t tap, size_t channel) {
    return block + (tap * a.channels + channel) * a.outputs;
  };
  __m512 sums[kTaps][kChannels];
  SWK_UNROLL_ALL for (size_t t = 0; t < kTaps; ++t) {
    SWK_UNROLL_ALL for (size_t i = 0; i < kChannels; ++i) sums[t][i] = _mm512_loadu_ps(sum(t, i));
  }
  const size_t line = layout.pixel_pairs * a.channels;
  size_t place[kTaps];
  SWK_UNROLL_ALL for (size_t t = 0; t < kTaps; ++t) {
    place[t] = t % layout.period * a.height * line + t / layout.period * a.channels + c;
  }
  for (size_t oy = 0; oy < a.output_height; ++oy) {
    const ptrdiff_t iy = SourceIndex(oy, ky, a.stride_height, 1, a.pad_top, a.height);
    if (iy < 0) continue;
    const uint32_t* from[kTaps];
    SWK_UNROLL_ALL for (size_t t = 0; t < kTaps; ++t) {
      from[t] = pixels + place[t] + static_cast<size_t>(iy) * line;
    }
    const uint32_t* gradient = gradients + oy * layout.gradient_pairs * a.outputs + m;
    for (size_t pair = 0; pair < layout.gradient_pairs; ++pair) {
      const __m512bh factor = reinterpret_cast<__m512bh>(_mm512_loadu_si512(gradient));
      SWK_UNROLL_ALL for (size_t t = 0; t < kTaps; ++t) {
        SWK_UNROLL_ALL for (size_t i = 0; i < kChannels; ++i) {
          const __m512i value = _mm512_set1_epi32(static_cast<int>(from[t][i]));
          sums[t][i] = _mm512_dpbf16_ps(sums[t][i], factor, reinterpret_cast<__m512bh>(value));
        }
        from[t] += a.channels;
      }
      gradient += a.outputs;
    }
  }
  SWK_UNROLL_ALL for (size_t t = 0; t < kTaps; ++t) {
    SWK_UNROLL_ALL for (size_t i = 0; i < kChannels; ++i) _mm512_storeu_ps(sum(t, i), sums[t][i]);
  }
}
#endif

/// False where the target has no products of pairs.
bool WeightGradient(
  const swk_weight_gradient_args* args, const uint16_t* dy, const uint16_t* x, float* dw,
  uint32_t* scratch, size_t begin, size_t end) {
#if SWK_PAIR_PRODUCTS
  const swk_weight_gradient_args a = *args;
  const PairLayout layout(a);
  std::memset(dw, 0, a.kernel_height * kTaps * a.channels * a.outputs * sizeof(float));
  uint32_t *const pixels = scratch, *const gradients = scratch + layout.pixels;
  for (size_t image = begin; image < end; ++image) {
    PairPixels(a, layout, x + image * a.height * a.width * a.channels, pixels);
    PairGradients(
      a, layout, dy + image * a.output_height * a.output_width * a.outputs, gradients);
    for (size_t m = 0; m < a.outputs; m += kOutputs) {
      for (size_t c = 0; c < a.channels; c += kChannels) {
        for (size_t ky = 0; ky < a.kernel_height; ++ky) {
          AddImage(a, layout, pixels, gradients, dw, ky, c, m);
        }
      }
    }
  }
  return true;
#else
  (void)args, (void)dy, (void)x, (void)dw, (void)scratch, (void)begin, (void)end;
  return false;
#endif
}

bool HasPairProducts() { return SWK_PAIR_PRODUCTS; }

}  // namespace HWY_NAMESPACE
}  // namespace swk
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace swk {
HWY_EXPORT(WeightGradient);
HWY_EXPORT(HasPairProducts);

extern "C" int swk_weight_gradient_is_fast(const swk_weight_gradient_args* args) {
  return args->kernel_width == kTaps && args->channels % kChannels == 0 &&
         args->outputs % kOutputs == 0 && args->stride_width > 0 && RoundsToBFloat16() &&
         HWY_DYNAMIC_DISPATCH(HasPairProducts)();
}

extern "C" size_t swk_weight_gradient_scratch_size(const swk_weight_gradient_args* args) {
  if (!swk_weight_gradient_is_fast(args)) return 0;
  const PairLayout layout(*args);
  return (layout.pixels + layout.gradients) * sizeof(uint32_t);
}

extern "C" void swk_weight_gradient(
  const swk_weight_gradient_args* args, const uint16_t* dy, const uint16_t* x, float* dw,
  void* scratch, size_t begin, size_t end) {
  if (swk_weight_gradient_is_fast(args)) {
    HWY_DYNAMIC_DISPATCH(WeightGradient)
    (args, dy, x, dw, static_cast<uint32_t*>(scratch), begin, end);
  } else {
    swk_weight_gradient_reference(args, dy, x, dw, scratch, begin, end);
  }
}
}  // namespace swk
#endif
