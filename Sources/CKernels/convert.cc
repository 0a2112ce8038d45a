// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "convert.cc"
#include "targets.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "conversion.h"
#include "transpose-inl.h"

#if defined(__clang__)
#pragma clang fp contract(off)
#endif

HWY_BEFORE_NAMESPACE();
namespace swk {
namespace HWY_NAMESPACE {

constexpr size_t kTilePixels = 64;
constexpr size_t kTileChannels = 16;

template <class T>
struct BitsOf {
  using Type = typename std::conditional<
    sizeof(T) == 1, uint8_t,
    typename std::conditional<sizeof(T) == 2, uint16_t, uint32_t>::type>::type;
};

template <class In>
struct ConvertTo {
  const Conversion& c;
  const In* src;
  size_t count;
  template <class Out>
  HWY_ATTR void operator()(Out* dst) const {
    ConvertRun(c, src, dst, count);
  }
};
struct ConvertFrom {
  const Conversion& c;
  void* dst;
  size_t count;
  template <class In>
  HWY_ATTR void operator()(const In* src) const {
    WithDestination(c.finish.type, dst, ConvertTo<In>{c, src, count});
  }
};
void Convert(const Conversion* c, swk_type from, const void* src, void* dst, size_t count) {
  WithSource(from, src, ConvertFrom{*c, dst, count});
}

/// Three channels at once: runs of each plane are converted, then interleaved.
template <class Out>
HWY_INLINE void InterleavePlanes(
  const Conversion& c, const float* planes, size_t plane, Out* dst, size_t count) {
  using Bits = typename BitsOf<Out>::Type;
  const hn::ScalableTag<Bits> d;
  const size_t lanes = hn::Lanes(d);
  constexpr size_t kRun = 512;
  HWY_ALIGN Out converted[3][kRun];
  for (size_t i = 0; i < count; i += kRun) {
    const size_t n = count - i < kRun ? count - i : kRun;
    for (size_t k = 0; k < 3; ++k) ConvertRun(c, planes + k * plane + i, converted[k], n);
    const Bits* red = reinterpret_cast<const Bits*>(converted[0]);
    const Bits* green = reinterpret_cast<const Bits*>(converted[1]);
    const Bits* blue = reinterpret_cast<const Bits*>(converted[2]);
    Bits* out = reinterpret_cast<Bits*>(dst + i * 3);
    size_t p = 0;
    for (; p + lanes <= n; p += lanes) {
      hn::StoreInterleaved3(
        hn::LoadU(d, red + p), hn::LoadU(d, green + p), hn::LoadU(d, blue + p), d, out + 3 * p);
    }
    for (; p < n; ++p) {
      out[3 * p] = red[p];
      out[3 * p + 1] = green[p];
      out[3 * p + 2] = blue[p];
    }
  }
}

/// Pixels `[begin, end)` of one image.
struct ToChannelsLast {
  const Conversion& c;
  const float* src;
  size_t channels, pixels, begin, end;
  template <class Out>
  HWY_ATTR void operator()(Out* dst) const {
    using Bits = typename BitsOf<Out>::Type;
    if (channels == 3) {
      InterleavePlanes(c, src + begin, pixels, dst + begin * 3, end - begin);
      return;
    }
    if (channels == 1) {
      ConvertRun(c, src + begin, dst + begin, end - begin);
      return;
    }
    HWY_ALIGN Out tile[kTileChannels * kTilePixels];
    for (size_t p = begin; p < end; p += kTilePixels) {
      const size_t count = end - p < kTilePixels ? end - p : kTilePixels;
      for (size_t first = 0; first < channels; first += kTileChannels) {
        const size_t n = channels - first < kTileChannels ? channels - first : kTileChannels;
        for (size_t i = 0; i < n; ++i) {
          ConvertRun(c, src + (first + i) * pixels + p, tile + i * kTilePixels, count);
        }
        TransposeTile(
          reinterpret_cast<const Bits*>(tile), kTilePixels,
          reinterpret_cast<Bits*>(dst + p * channels + first), channels, n, count);
      }
    }
  }
};
void NchwToNhwc(
  const Conversion* c, const float* src, void* dst, size_t channels, size_t pixels,
  size_t begin, size_t end) {
  WithDestination(c->finish.type, dst, ToChannelsLast{*c, src, channels, pixels, begin, end});
}

/// Pixels `[begin, end)` of one image.
struct ToChannelsFirst {
  const Conversion& c;
  float* dst;
  size_t channels, pixels, begin, end;
  template <class In>
  HWY_ATTR void operator()(const In* src) const {
    using Bits = typename BitsOf<In>::Type;
    HWY_ALIGN In tile[kTileChannels * kTilePixels];
    for (size_t p = begin; p < end; p += kTilePixels) {
      const size_t count = end - p < kTilePixels ? end - p : kTilePixels;
      for (size_t first = 0; first < channels; first += kTileChannels) {
        const size_t n = channels - first < kTileChannels ? channels - first : kTileChannels;
        TransposeTile(
          reinterpret_cast<const Bits*>(src + p * channels + first), channels,
          reinterpret_cast<Bits*>(tile), kTilePixels, count, n);
        for (size_t i = 0; i < n; ++i) {
          ConvertRun(c, tile + i * kTilePixels, dst + (first + i) * pixels + p, count);
        }
      }
    }
  }
};
void NhwcToNchw(
  const Conversion* c, swk_type from, const void* src, float* dst, size_t channels,
  size_t pixels, size_t begin, size_t end) {
  WithSource(from, src, ToChannelsFirst{*c, dst, channels, pixels, begin, end});
}

template <class T>
HWY_INLINE void TransposeRows(
  const void* src, void* dst, size_t rows, size_t columns, size_t begin, size_t end) {
  constexpr size_t kTile = 64;
  const T* from = static_cast<const T*>(src);
  T* to = static_cast<T*>(dst);
  for (size_t row = begin; row < end;) {
    const size_t image = row / columns, c = row % columns;
    size_t n = columns - c < end - row ? columns - c : end - row;
    if (n > kTile) n = kTile;
    for (size_t r = 0; r < rows; r += kTile) {
      const size_t height = rows - r < kTile ? rows - r : kTile;
      TransposeTile(
        from + (image * rows + r) * columns + c, columns, to + row * rows + r, rows, height, n);
    }
    row += n;
  }
}
void Transpose(
  const void* src, void* dst, size_t rows, size_t columns, size_t element_bytes, size_t begin,
  size_t end) {
  switch (element_bytes) {
    case 1:
      return TransposeRows<uint8_t>(src, dst, rows, columns, begin, end);
    case 2:
      return TransposeRows<uint16_t>(src, dst, rows, columns, begin, end);
    case 4:
      return TransposeRows<uint32_t>(src, dst, rows, columns, begin, end);
    case 8:
      return TransposeRows<uint64_t>(src, dst, rows, columns, begin, end);
  }
}

template <class In>
struct RowsTo {
  const Conversion& c;
  const In* src;
  size_t channels, stride, begin, end;
  template <class Out>
  HWY_ATTR void operator()(Out* dst) const {
    for (size_t row = begin; row < end; ++row) {
      ConvertRun(c, src + row * channels, dst + row * stride, channels);
    }
  }
};
struct RowsFrom {
  const Conversion& c;
  void* dst;
  size_t channels, stride, begin, end;
  template <class In>
  HWY_ATTR void operator()(const In* src) const {
    WithDestination(c.finish.type, dst, RowsTo<In>{c, src, channels, stride, begin, end});
  }
};
void ConcatRows(
  const Conversion* c, swk_type from, const void* src, void* dst, size_t channels,
  size_t stride, size_t begin, size_t end) {
  WithSource(from, src, RowsFrom{*c, dst, channels, stride, begin, end});
}

}  // namespace HWY_NAMESPACE
}  // namespace swk
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace swk {
HWY_EXPORT(Convert);
HWY_EXPORT(NchwToNhwc);
HWY_EXPORT(NhwcToNchw);
HWY_EXPORT(Transpose);
HWY_EXPORT(ConcatRows);

extern "C" void swk_convert(
  const swk_format* from, const void* src, const swk_format* to, void* dst, size_t count) {
  const Conversion c = Prepare(*from, *to);
  HWY_DYNAMIC_DISPATCH(Convert)(&c, from->type, src, dst, count);
}

extern "C" void swk_nchw_to_nhwc(
  const float* src, const swk_format* to, void* dst, size_t channels, size_t pixels,
  size_t begin, size_t end) {
  const Conversion c = Prepare(swk_format{SWK_F32, 1.0f, 0}, *to);
  uint8_t* out = static_cast<uint8_t*>(dst);
  while (begin < end) {
    const size_t image = begin / pixels, first = begin % pixels;
    const size_t count = pixels - first < end - begin ? pixels - first : end - begin;
    const size_t offset = image * channels * pixels;
    HWY_DYNAMIC_DISPATCH(NchwToNhwc)
    (&c, src + offset, out + offset * ByteCount(to->type), channels, pixels, first,
     first + count);
    begin += count;
  }
}

extern "C" void swk_nhwc_to_nchw(
  const swk_format* from, const void* src, float* dst, size_t channels, size_t pixels,
  size_t begin, size_t end) {
  const Conversion c = Prepare(*from, swk_format{SWK_F32, 1.0f, 0});
  const uint8_t* in = static_cast<const uint8_t*>(src);
  while (begin < end) {
    const size_t image = begin / pixels, first = begin % pixels;
    const size_t count = pixels - first < end - begin ? pixels - first : end - begin;
    const size_t offset = image * channels * pixels;
    HWY_DYNAMIC_DISPATCH(NhwcToNchw)
    (&c, from->type, in + offset * ByteCount(from->type), dst + offset, channels, pixels, first,
     first + count);
    begin += count;
  }
}

extern "C" void swk_transpose(
  const void* src, void* dst, size_t rows, size_t columns, size_t element_bytes, size_t begin,
  size_t end) {
  HWY_DYNAMIC_DISPATCH(Transpose)(src, dst, rows, columns, element_bytes, begin, end);
}

extern "C" void swk_concat_rows(
  const swk_format* from, const void* src, const swk_format* to, void* dst, size_t channels,
  size_t dst_stride, size_t begin, size_t end) {
  const Conversion c = Prepare(*from, *to);
  HWY_DYNAMIC_DISPATCH(ConcatRows)
  (&c, from->type, src, dst, channels, dst_stride, begin, end);
}

}  // namespace swk
#endif
