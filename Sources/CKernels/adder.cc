// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "adder.cc"
#include "targets.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "training-inl.h"

#if defined(__clang__)
#pragma clang fp contract(off)
#endif

HWY_BEFORE_NAMESPACE();
namespace swk {
namespace HWY_NAMESPACE {

/// What stands for channels in the padding, and how many channels one pass takes at most.
constexpr size_t kZeros = 512;
alignas(64) static const float zeros[kZeros] = {};

/// Calls `body(tile, i)` for tiles of neighbouring pixels that cover `[0, count)`; `tile` is a
/// `std::integral_constant` of at most `kMost`.
template <int kMost, class Body>
HWY_INLINE void ForTiles(size_t count, const Body& body) {
  constexpr size_t kWhole = kMost;
  size_t i = 0;
  for (; i + kWhole <= count; i += kWhole) body(std::integral_constant<int, kMost>(), i);
  if constexpr (kMost > 4) {
    if (i + 4 <= count) {
      body(std::integral_constant<int, 4>(), i);
      i += 4;
    }
  }
  if constexpr (kMost > 2) {
    if (i + 2 <= count) {
      body(std::integral_constant<int, 2>(), i);
      i += 2;
    }
  }
  if (i < count) body(std::integral_constant<int, 1>(), i);
}

/// Output pixels `ox ..< ox + kTile` of a row, `kVectors` vectors of output channels from `m` on.
template <int kTile, int kVectors, class D>
HWY_NOINLINE void ConvolveTile(
  D d, const swk_adder& a, const float* image, const float* forward, float* y, size_t oy,
  size_t ox, size_t m) {
  using V = hn::Vec<D>;
  const size_t lanes = hn::Lanes(d), channels = a.channels, outputs = a.outputs;
  V sums[kTile][kVectors];
  SWK_UNROLL for (int p = 0; p < kTile; ++p) {
    SWK_UNROLL for (int v = 0; v < kVectors; ++v) sums[p][v] = hn::Zero(d);
  }
  for (size_t tap = 0; tap < a.kernel_height * a.kernel_width; ++tap) {
    const ptrdiff_t iy =
      SourceIndex(oy, tap / a.kernel_width, a.stride_height, 1, a.pad_top, a.height);
    const float* pixels[kTile];
    SWK_UNROLL for (int p = 0; p < kTile; ++p) {
      const ptrdiff_t ix = SourceIndex(
        ox + static_cast<size_t>(p), tap % a.kernel_width, a.stride_width, 1, a.pad_left,
        a.width);
      pixels[p] = iy < 0 || ix < 0
                    ? nullptr
                    : image + (static_cast<size_t>(iy) * a.width + static_cast<size_t>(ix)) *
                                channels;
    }
    for (size_t first = 0; first < channels; first += kZeros) {
      const size_t count = channels - first < kZeros ? channels - first : kZeros;
      const float* w = forward + (tap * channels + first) * outputs + m;
      const float* from[kTile];
      SWK_UNROLL for (int p = 0; p < kTile; ++p) from[p] = pixels[p] ? pixels[p] + first : zeros;
      for (size_t c = 0; c < count; ++c, w += outputs) {
        V weights[kVectors];
        SWK_UNROLL for (int v = 0; v < kVectors; ++v) {
          weights[v] = hn::LoadU(d, w + static_cast<size_t>(v) * lanes);
        }
        SWK_UNROLL for (int p = 0; p < kTile; ++p) {
          const V x = hn::Set(d, from[p][c]);
          SWK_UNROLL for (int v = 0; v < kVectors; ++v) {
            sums[p][v] = hn::Sub(sums[p][v], hn::Abs(hn::Sub(x, weights[v])));
          }
        }
      }
    }
  }
  SWK_UNROLL for (int p = 0; p < kTile; ++p) {
    SWK_UNROLL for (int v = 0; v < kVectors; ++v) {
      const size_t at = (ox + static_cast<size_t>(p)) * outputs + m;
      hn::StoreU(sums[p][v], d, y + at + static_cast<size_t>(v) * lanes);
    }
  }
}

void AdderConvolve(
  const swk_adder* args, const float* x, const float* forward, float* y, size_t begin,
  size_t end) {
  const swk_adder a = *args;
  for (size_t row = begin; row < end; ++row) {
    const float* image = x + row / a.output_height * a.height * a.width * a.channels;
    float* out = y + row * a.output_width * a.outputs;
    ForPanels(a.outputs, [&](auto d, auto vectors, size_t m) SWK_INLINE_LAMBDA {
      ForTiles<8>(a.output_width, [&](auto tile, size_t ox) SWK_INLINE_LAMBDA {
        ConvolveTile<decltype(tile)::value, decltype(vectors)::value>(
          d, a, image, forward, out, row % a.output_height, ox, m);
      });
    });
  }
}

/// Input pixels `phase + stride * (i ..< i + kTile)` of a row, `kVectors` vectors of channels from
/// `c` on. All of them have the same taps.
template <int kTile, int kVectors, class D>
HWY_NOINLINE void InputGradientTile(
  D d, const swk_adder& a, const float* dy, const float* x, const float* backward, float* dx,
  size_t iy, size_t phase, size_t i, size_t c) {
  using V = hn::Vec<D>;
  const size_t lanes = hn::Lanes(d), channels = a.channels, outputs = a.outputs;
  const V one = hn::Set(d, 1.0f), minus_one = hn::Set(d, -1.0f);
  V sums[kTile][kVectors], inputs[kTile][kVectors];
  size_t columns[kTile];
  SWK_UNROLL for (int p = 0; p < kTile; ++p) {
    columns[p] = phase + a.stride_width * (i + static_cast<size_t>(p));
    SWK_UNROLL for (int v = 0; v < kVectors; ++v) {
      sums[p][v] = hn::Zero(d);
      inputs[p][v] =
        hn::LoadU(d, x + columns[p] * channels + c + static_cast<size_t>(v) * lanes);
    }
  }
  for (size_t tap = 0; tap < a.kernel_height * a.kernel_width; ++tap) {
    const ptrdiff_t oy =
      WindowIndex(iy, tap / a.kernel_width, a.stride_height, 1, a.pad_top, a.output_height);
    if (oy < 0) continue;
    const float* windows[kTile];
    bool any = false;
    SWK_UNROLL for (int p = 0; p < kTile; ++p) {
      const ptrdiff_t ox = WindowIndex(
        columns[p], tap % a.kernel_width, a.stride_width, 1, a.pad_left, a.output_width);
      const size_t window = static_cast<size_t>(oy) * a.output_width + static_cast<size_t>(ox);
      windows[p] = ox < 0 ? nullptr : dy + window * outputs;
      any = any || ox >= 0;
    }
    if (!any) continue;
    for (size_t first = 0; first < outputs; first += kZeros) {
      const size_t count = outputs - first < kZeros ? outputs - first : kZeros;
      const float* w = backward + (tap * outputs + first) * channels + c;
      const float* from[kTile];
      SWK_UNROLL for (int p = 0; p < kTile; ++p) {
        from[p] = windows[p] ? windows[p] + first : zeros;
      }
      for (size_t m = 0; m < count; ++m, w += channels) {
        V weights[kVectors];
        SWK_UNROLL for (int v = 0; v < kVectors; ++v) {
          weights[v] = hn::LoadU(d, w + static_cast<size_t>(v) * lanes);
        }
        SWK_UNROLL for (int p = 0; p < kTile; ++p) {
          const V gradient = hn::Set(d, from[p][m]);
          SWK_UNROLL for (int v = 0; v < kVectors; ++v) {
            const V slope = MinOr(one, MaxOr(minus_one, hn::Sub(weights[v], inputs[p][v])));
            sums[p][v] = hn::Add(sums[p][v], hn::Mul(gradient, slope));
          }
        }
      }
    }
  }
  SWK_UNROLL for (int p = 0; p < kTile; ++p) {
    SWK_UNROLL for (int v = 0; v < kVectors; ++v) {
      hn::StoreU(
        sums[p][v], d, dx + columns[p] * channels + c + static_cast<size_t>(v) * lanes);
    }
  }
}

void AdderInputGradient(
  const swk_adder* args, const float* dy, const float* x, const float* backward, float* dx,
  size_t begin, size_t end) {
  const swk_adder a = *args;
  for (size_t row = begin; row < end; ++row) {
    const size_t line = row * a.width * a.channels;
    const float* gradient =
      dy + row / a.height * a.output_height * a.output_width * a.outputs;
    ForPanels(a.channels, [&](auto d, auto vectors, size_t c) SWK_INLINE_LAMBDA {
      for (size_t phase = 0; phase < a.stride_width && phase < a.width; ++phase) {
        const size_t count = (a.width - phase + a.stride_width - 1) / a.stride_width;
        ForTiles<4>(count, [&](auto tile, size_t i) SWK_INLINE_LAMBDA {
          InputGradientTile<decltype(tile)::value, decltype(vectors)::value>(
            d, a, gradient, x + line, backward, dx + line, row % a.height, phase, i, c);
        });
      }
    });
  }
}

/// The range of output positions along an axis whose tap lies inside the source.
struct Covered {
  size_t begin, end;
  Covered(size_t tap, size_t stride, size_t pad, size_t size, size_t outputs) {
    begin = tap >= pad ? 0 : (pad - tap + stride - 1) / stride;
    end = size + pad <= tap ? 0 : (size + pad - tap + stride - 1) / stride;
    if (end > outputs) end = outputs;
    if (begin > end) begin = end;
  }
};

/// One image's sums for input channels `c ..< c + kTile` and `kVectors` vectors of output channels.
template <int kTile, int kVectors, class D>
HWY_NOINLINE void WeightSumsTile(
  D d, const swk_adder& a, const float* dy, const float* x, float* sums, size_t tap, size_t c,
  size_t m) {
  using V = hn::Vec<D>;
  const size_t lanes = hn::Lanes(d), channels = a.channels, outputs = a.outputs;
  const size_t ky = tap / a.kernel_width, kx = tap % a.kernel_width;
  const Covered rows(ky, a.stride_height, a.pad_top, a.height, a.output_height);
  const Covered columns(kx, a.stride_width, a.pad_left, a.width, a.output_width);
  V products[kTile][kVectors];
  SWK_UNROLL for (int b = 0; b < kTile; ++b) {
    SWK_UNROLL for (int v = 0; v < kVectors; ++v) products[b][v] = hn::Zero(d);
  }
  for (size_t oy = rows.begin; oy < rows.end; ++oy) {
    if (columns.begin == columns.end) break;
    const size_t iy = oy * a.stride_height + ky - a.pad_top;
    const size_t ix = columns.begin * a.stride_width + kx - a.pad_left;
    const float* source = x + (iy * a.width + ix) * channels + c;
    const float* gradient = dy + (oy * a.output_width + columns.begin) * outputs + m;
    for (size_t ox = columns.begin; ox < columns.end; ++ox) {
      V factors[kVectors];
      SWK_UNROLL for (int v = 0; v < kVectors; ++v) {
        factors[v] = hn::LoadU(d, gradient + static_cast<size_t>(v) * lanes);
      }
      SWK_UNROLL for (int b = 0; b < kTile; ++b) {
        const V value = hn::Set(d, source[b]);
        SWK_UNROLL for (int v = 0; v < kVectors; ++v) {
          products[b][v] = hn::Add(products[b][v], hn::Mul(factors[v], value));
        }
      }
      source += a.stride_width * channels;
      gradient += outputs;
    }
  }
  SWK_UNROLL for (int b = 0; b < kTile; ++b) {
    float* out = sums + (tap * channels + c + static_cast<size_t>(b)) * outputs + m;
    SWK_UNROLL for (int v = 0; v < kVectors; ++v) {
      float* p = out + static_cast<size_t>(v) * lanes;
      hn::StoreU(hn::Add(hn::LoadU(d, p), products[b][v]), d, p);
    }
  }
}

void AdderWeightSums(
  const swk_adder* args, const float* dy, const float* x, float* sums, size_t begin,
  size_t end) {
  const swk_adder a = *args;
  const size_t taps = a.kernel_height * a.kernel_width;
  for (size_t i = 0; i < taps * a.channels * a.outputs; ++i) sums[i] = 0.0f;
  for (size_t image = begin; image < end; ++image) {
    const float* gradient = dy + image * a.output_height * a.output_width * a.outputs;
    const float* source = x + image * a.height * a.width * a.channels;
    ForPanels(a.outputs, [&](auto d, auto vectors, size_t m) SWK_INLINE_LAMBDA {
      for (size_t tap = 0; tap < taps; ++tap) {
        ForTiles<8>(a.channels, [&](auto tile, size_t c) SWK_INLINE_LAMBDA {
          WeightSumsTile<decltype(tile)::value, decltype(vectors)::value>(
            d, a, gradient, source, sums, tap, c, m);
        });
      }
    });
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace swk
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace swk {
HWY_EXPORT(AdderConvolve);
HWY_EXPORT(AdderInputGradient);
HWY_EXPORT(AdderWeightSums);

extern "C" void swk_adder_conv(
  const swk_adder* args, const float* x, const float* forward, float* y, size_t begin,
  size_t end) {
  HWY_DYNAMIC_DISPATCH(AdderConvolve)(args, x, forward, y, begin, end);
}

extern "C" void swk_adder_input_gradient(
  const swk_adder* args, const float* dy, const float* x, const float* backward, float* dx,
  size_t begin, size_t end) {
  HWY_DYNAMIC_DISPATCH(AdderInputGradient)(args, dy, x, backward, dx, begin, end);
}

extern "C" void swk_adder_weight_sums(
  const swk_adder* args, const float* dy, const float* x, float* sums, size_t begin,
  size_t end) {
  HWY_DYNAMIC_DISPATCH(AdderWeightSums)(args, dy, x, sums, begin, end);
}

}  // namespace swk
#endif
