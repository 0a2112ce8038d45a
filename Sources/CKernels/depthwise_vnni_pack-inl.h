// SPDX-License-Identifier: Apache-2.0
// Which tiling a shape gets, the packing of its weights, and the way in.
#if defined(SWK_DEPTHWISE_VNNI_PACK_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SWK_DEPTHWISE_VNNI_PACK_INL_H
#undef SWK_DEPTHWISE_VNNI_PACK_INL_H
#else
#define SWK_DEPTHWISE_VNNI_PACK_INL_H
#endif

#include "depthwise_vnni_tiles-inl.h"

#if defined(__clang__)
#pragma clang fp contract(off)
#endif

#if HWY_TARGET == HWY_AVX3_DL
HWY_PUSH_ATTRIBUTES(HWY_TARGET_STR ",avx512vnni")
namespace swk {
namespace HWY_NAMESPACE {

/// Calls `visit` with the tiling for `a`.
template <class Visit>
HWY_INLINE auto WithWindow(const swk_depthwise& a, const Visit& visit) {
  const size_t k = a.kernel_width, s = a.stride_width;
  const bool square = a.kernel_height == k && a.stride_height == s &&
                      a.dilation_height == 1 && a.dilation_width == 1;
  if (square && k == 3 && s == 1) return visit(Window<3, 1>());
  if (square && k == 3 && s == 2) return visit(Window<3, 2>());
  if (square && k == 5 && s == 1) return visit(Window<5, 1>());
  if (square && k == 5 && s == 2) return visit(Window<5, 2>());
  return visit(General());
}

struct CountGroups {
  const swk_depthwise& a;
  template <class W>
  HWY_INLINE size_t operator()(W) const {
    return static_cast<size_t>(W::kKernel * W::kGroups);
  }
  HWY_INLINE size_t operator()(General) const {
    return (a.kernel_height * a.kernel_width + 3) / 4;
  }
};

/// The weight tap at position `i` of group `group`, or one past the last for none.
struct TapAt {
  const swk_depthwise& a;
  size_t group;
  int i;
  template <class W>
  HWY_INLINE size_t operator()(W) const {
    const int ky = static_cast<int>(group) / W::kGroups;
    const int member = static_cast<int>(group) % W::kGroups;
    for (int q = 0; q < W::kQuads; ++q) {
      for (int t = 0; t < W::kTile; ++t) {
        if (!W::Uses(t, q) || W::Group(t, q) != member) continue;
        const int kx = W::Offset(q) + i - t * W::kStride;
        if (kx >= 0 && kx < W::kKernel) return static_cast<size_t>(ky * W::kKernel + kx);
      }
    }
    return a.kernel_height * a.kernel_width;
  }
  HWY_INLINE size_t operator()(General) const { return group * 4 + static_cast<size_t>(i); }
};

struct RunVisit {
  const DepthwiseRun& run;
  const uint8_t* packed;
  size_t block_bytes, row_begin, row_end;
  template <class W>
  HWY_INLINE void operator()(W) const {
    RunWindow<W>(run, packed, block_bytes, row_begin, row_end);
  }
};

HWY_INLINE size_t BlockBytes(const swk_depthwise& a) {
  return kHeadBytes + WithWindow(a, CountGroups{a}) * kGroupBytes;
}

HWY_INLINE size_t DepthwisePackedSize(const swk_depthwise& a) {
  size_t n = 0;
  for (size_t c = 0; c < a.channels; ++n) c += BlockAt(c, a.channels).count;
  return n * BlockBytes(a);
}

HWY_INLINE void DepthwisePack(const DepthwiseWeights& w, uint8_t* packed) {
  const swk_depthwise& a = *w.args;
  const int32_t zero = a.src_zero_point + (a.src_type == SWK_S8 ? 128 : 0);
  const size_t groups = WithWindow(a, CountGroups{a});
  for (size_t first = 0; first < a.channels; packed += BlockBytes(a)) {
    const Block block = BlockAt(first, a.channels);
    int32_t* start = reinterpret_cast<int32_t*>(packed);
    float* scale = reinterpret_cast<float*>(packed + kGroupBytes);
    float* bias = reinterpret_cast<float*>(packed + 2 * kGroupBytes);
    int8_t* weights = reinterpret_cast<int8_t*>(packed + kHeadBytes);
    for (size_t at = 0; at < 64; ++at) {
      const size_t c = first + LaneChannel(at / 16, at % 16, block.width);
      start[at] = c < a.channels ? -zero * w.Sum(c) : 0;
      scale[at] = w.Scale(c);
      bias[at] = w.Bias(c);
      for (size_t group = 0; group < groups; ++group) {
        for (int i = 0; i < 4; ++i) {
          const size_t tap = WithWindow(a, TapAt{a, group, i});
          weights[group * kGroupBytes + at * 4 + static_cast<size_t>(i)] = w.Weight(tap, c);
        }
      }
    }
    first += block.count;
  }
}

HWY_INLINE void DepthwiseRows(
  const DepthwiseRun& run, const uint8_t* packed, size_t row_begin, size_t row_end) {
  const RunVisit visit{run, packed, BlockBytes(*run.args), row_begin, row_end};
  WithWindow(*run.args, visit);
}

}  // namespace HWY_NAMESPACE
}  // namespace swk
HWY_POP_ATTRIBUTES
#endif

#endif
