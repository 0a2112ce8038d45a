// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "pool_gradient.cc"
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

constexpr size_t kChannels = 512;

/// Writes which tap of each window wins, `[output_height, output_width, channels]`.
template <class T>
HWY_NOINLINE void FindWinners(const swk_pool& a, const T* image, uint16_t* winners) {
  for (size_t window = 0; window < a.output_height * a.output_width; ++window) {
    const WindowTaps y(window / a.output_width, a.kernel_height, a.stride_height,
                       a.dilation_height, a.pad_top, a.height);
    const WindowTaps x(window % a.output_width, a.kernel_width, a.stride_width,
                       a.dilation_width, a.pad_left, a.width);
    uint16_t* out = winners + window * a.channels;
    if (y.begin == y.end || x.begin == x.end) {
      for (size_t c = 0; c < a.channels; ++c) out[c] = 0;
      continue;
    }
    const T* first = image + (y.source * a.width + x.source) * a.channels;
    const size_t row_step = a.dilation_height * a.width * a.channels;
    const size_t column_step = a.dilation_width * a.channels;
    ForVectors(a.channels, [&](auto d, size_t c) SWK_INLINE_LAMBDA {
      const hn::Rebind<int32_t, decltype(d)> di;
      auto best = LoadReal(d, first + c);
      auto winner = hn::Set(di, static_cast<int32_t>(y.begin * a.kernel_width + x.begin));
      for (size_t ky = y.begin; ky < y.end; ++ky) {
        const T* p = first + (ky - y.begin) * row_step + c;
        for (size_t kx = x.begin; kx < x.end; ++kx, p += column_step) {
          const auto v = LoadReal(d, p);
          const auto wins = hn::Gt(v, best);
          const auto tap = hn::Set(di, static_cast<int32_t>(ky * a.kernel_width + kx));
          best = hn::IfThenElse(wins, v, best);
          winner = hn::IfThenElse(hn::RebindMask(di, wins), tap, winner);
        }
      }
      const hn::Rebind<uint16_t, decltype(d)> d16;
      hn::StoreU(hn::DemoteTo(d16, winner), d16, out + c);
    });
  }
}

/// Calls `add(window, tap)` for the windows that hold source pixel `(iy, ix)`, in order.
template <class Add>
HWY_INLINE void ForWindows(const swk_pool& a, size_t iy, size_t ix, const Add& add) {
  for (size_t ky = a.kernel_height; ky-- > 0;) {
    const ptrdiff_t oy =
      WindowIndex(iy, ky, a.stride_height, a.dilation_height, a.pad_top, a.output_height);
    if (oy < 0) continue;
    for (size_t kx = a.kernel_width; kx-- > 0;) {
      const ptrdiff_t ox =
        WindowIndex(ix, kx, a.stride_width, a.dilation_width, a.pad_left, a.output_width);
      if (ox < 0) continue;
      add(static_cast<size_t>(oy) * a.output_width + static_cast<size_t>(ox),
          ky * a.kernel_width + kx);
    }
  }
}

/// Writes one pixel of an input's gradient: what `add(sums, window, tap, first, count)` adds for
/// each window to the sums of channels `[first, first + count)`.
template <class T, class Add>
HWY_INLINE void WritePixel(const swk_pool& a, size_t iy, size_t ix, T* out, const Add& add) {
  HWY_ALIGN float sums[kChannels];
  for (size_t first = 0; first < a.channels; first += kChannels) {
    const size_t count = a.channels - first < kChannels ? a.channels - first : kChannels;
    for (size_t c = 0; c < count; ++c) sums[c] = 0.0f;
    ForWindows(a, iy, ix, [&](size_t window, size_t tap) SWK_INLINE_LAMBDA {
      add(sums, window, tap, first, count);
    });
    ForVectors(count, [&](auto d, size_t c) SWK_INLINE_LAMBDA {
      StoreReal(d, hn::LoadU(d, sums + c), out + first + c);
    });
  }
}

template <class T>
HWY_NOINLINE void AddWinners(const swk_pool& a, const T* dy, const uint16_t* winners, T* dx) {
  for (size_t pixel = 0; pixel < a.height * a.width; ++pixel) {
    T* out = dx + pixel * a.channels;
    WritePixel(
      a, pixel / a.width, pixel % a.width, out,
      [&](float* sums, size_t window, size_t tap, size_t first, size_t count)
        SWK_INLINE_LAMBDA {
          const size_t at = window * a.channels + first;
          ForVectors(count, [&](auto d, size_t c) SWK_INLINE_LAMBDA {
            const hn::Rebind<int32_t, decltype(d)> di;
            const hn::Rebind<uint16_t, decltype(d)> d16;
            const auto winner = hn::PromoteTo(di, hn::LoadU(d16, winners + at + c));
            const auto wins =
              hn::RebindMask(d, hn::Eq(winner, hn::Set(di, static_cast<int32_t>(tap))));
            const auto sum = hn::LoadU(d, sums + c);
            const auto more = hn::Add(sum, LoadReal(d, dy + at + c));
            hn::StoreU(hn::IfThenElse(wins, more, sum), d, sums + c);
          });
        });
  }
}

void MaxPoolGradient(
  const swk_pool* args, bool hardware, const void* dy, const void* x, void* dx,
  uint16_t* winners, size_t begin, size_t end) {
  const swk_pool a = *args;
  WithData(a.type, hardware, [&](auto element) SWK_INLINE_LAMBDA {
    using T = decltype(element);
    const size_t inputs = a.height * a.width * a.channels;
    const size_t outputs = a.output_height * a.output_width * a.channels;
    for (size_t image = begin; image < end; ++image) {
      FindWinners(a, static_cast<const T*>(x) + image * inputs, winners);
      AddWinners(
        a, static_cast<const T*>(dy) + image * outputs, winners,
        static_cast<T*>(dx) + image * inputs);
    }
  });
}

template <class T>
HWY_NOINLINE void AverageGradientRows(
  const swk_pool& a, bool counts_padding, const T* dy, T* dx, size_t begin, size_t end) {
  for (size_t row = begin; row < end; ++row) {
    const size_t image = row / a.height;
    const T* gradient = dy + image * a.output_height * a.output_width * a.channels;
    for (size_t ix = 0; ix < a.width; ++ix) {
      T* out = dx + (row * a.width + ix) * a.channels;
      WritePixel(
        a, row % a.height, ix, out,
        [&](float* sums, size_t window, size_t, size_t first, size_t count)
          SWK_INLINE_LAMBDA {
            const float factor = 1.0f / static_cast<float>(WindowSize(a, counts_padding, window));
            const T* from = gradient + window * a.channels + first;
            ForVectors(count, [&](auto d, size_t c) SWK_INLINE_LAMBDA {
              const auto share = hn::Mul(LoadReal(d, from + c), hn::Set(d, factor));
              hn::StoreU(hn::Add(hn::LoadU(d, sums + c), share), d, sums + c);
            });
          });
    }
  }
}

void AveragePoolGradient(
  const swk_pool* args, bool hardware, bool counts_padding, const void* dy, void* dx,
  size_t begin, size_t end) {
  const swk_pool a = *args;
  WithData(a.type, hardware, [&](auto element) SWK_INLINE_LAMBDA {
    using T = decltype(element);
    AverageGradientRows(
      a, counts_padding, static_cast<const T*>(dy), static_cast<T*>(dx), begin, end);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace swk
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace swk {
HWY_EXPORT(MaxPoolGradient);
HWY_EXPORT(AveragePoolGradient);

extern "C" size_t swk_max_pool_gradient_scratch_size(const swk_pool* args) {
  return args->output_height * args->output_width * args->channels * sizeof(uint16_t);
}

extern "C" void swk_max_pool_gradient(
  const swk_pool* args, const void* dy, const void* x, void* dx, void* scratch, size_t begin,
  size_t end) {
  HWY_DYNAMIC_DISPATCH(MaxPoolGradient)
  (args, RoundsToBFloat16(), dy, x, dx, static_cast<uint16_t*>(scratch), begin, end);
}

extern "C" void swk_average_pool_gradient(
  const swk_pool* args, int count_include_pad, const void* dy, void* dx, size_t begin,
  size_t end) {
  HWY_DYNAMIC_DISPATCH(AveragePoolGradient)
  (args, RoundsToBFloat16(), count_include_pad != 0, dy, dx, begin, end);
}

}  // namespace swk
#endif
