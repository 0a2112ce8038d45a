// SPDX-License-Identifier: Apache-2.0
// The tiles and loops of the VNNI depthwise convolution.
#if defined(SWK_DEPTHWISE_VNNI_TILES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SWK_DEPTHWISE_VNNI_TILES_INL_H
#undef SWK_DEPTHWISE_VNNI_TILES_INL_H
#else
#define SWK_DEPTHWISE_VNNI_TILES_INL_H
#endif

#include "depthwise_vnni-inl.h"

#if defined(__clang__)
#pragma clang fp contract(off)
#endif

#if HWY_TARGET == HWY_AVX3_DL
HWY_PUSH_ATTRIBUTES(HWY_TARGET_STR ",avx512vnni")
namespace swk {
namespace HWY_NAMESPACE {

/// Where a tile stands: for each source row, the tile's first column from the channel block on
/// (perhaps before the row's start) and the distance of columns; the output row and column. A row
/// that is padding stands still in a vector of padding.
template <int Rows>
struct Place {
  const uint8_t* rows[Rows];
  size_t steps[Rows];
  size_t output_row;
  size_t output_column;
};

/// The source columns of a tile, all parts together: all bits of `real` are set, or none for
/// padding.
template <class W, int Width>
struct Columns {
  static constexpr int kWindow = (W::kTile - 1) * W::kStride + W::kKernel;
  static constexpr int kStep = W::kTile * W::kStride;  // from one part to the next
  static constexpr int kCount = (64 / Width - 1) * kStep + kWindow;
  intptr_t real[kCount];
};

/// One quad of a source row, for every part.
template <class W, int Width, bool Ragged, bool Border, bool Flip>
HWY_INLINE void LoadQuad(
  int q, const uint8_t* row, size_t step, const Columns<W, Width>& columns,
  const uint8_t* padding, __mmask64 mask, __m512i (&quad)[4]) {
  using C = Columns<W, Width>;
  const uint8_t* from[C::kCount];
  SWK_UNROLL for (int i = 0; i < C::kCount; ++i) {
    from[i] = row + static_cast<size_t>(i) * step;
    if (Border) {
      const intptr_t distance =
        reinterpret_cast<intptr_t>(from[i]) - reinterpret_cast<intptr_t>(padding);
      from[i] = padding + (distance & columns.real[i]);
    }
  }
  __m512i pixel[4];
  SWK_UNROLL for (int i = 0; i < 4; ++i) {
    const int at = W::Offset(q) + i < C::kWindow ? W::Offset(q) + i : C::kWindow - 1;
    if (i >= C::kStep && at == W::Offset(q) + i) {
      pixel[i] = ShiftIn<Width, Ragged>(
        pixel[i - C::kStep < 0 ? 0 : i - C::kStep], from[at + (64 / Width - 1) * C::kStep], mask);
    } else {
      pixel[i] = Gather<Width, Ragged>(from + at, C::kStep, mask);
    }
  }
  if (Flip) {
    const __m512i sign = _mm512_set1_epi8(static_cast<char>(0x80));
    SWK_UNROLL for (int i = 0; i < 4; ++i) pixel[i] = _mm512_xor_si512(pixel[i], sign);
  }
  Interleave(pixel[0], pixel[1], pixel[2], pixel[3], quad);
}

/// Adds one quad's taps of kernel row `ky` to all outputs of a row of the tile.
template <class W>
HWY_INLINE void AddQuad(
  const uint8_t* packed, int ky, int q, const __m512i (&quad)[4],
  __m512i (&acc)[W::kTile][4]) {
  SWK_UNROLL for (int t = 0; t < W::kTile; ++t) {
    if (!W::Uses(t, q)) continue;
    const uint8_t* weights =
      packed + kHeadBytes + (ky * W::kGroups + W::Group(t, q)) * kGroupBytes;
    SWK_UNROLL for (int j = 0; j < 4; ++j) {
      acc[t][j] = _mm512_dpbusd_epi32(acc[t][j], quad[j], Load(weights + j * kVectorBytes));
    }
  }
}

/// Likewise for the quads of two source rows and two rows of the tile: each weight is loaded once.
template <class W>
HWY_INLINE void AddTwoQuads(
  const uint8_t* packed, int ky, int q, const __m512i (&first)[4], const __m512i (&second)[4],
  __m512i (&acc)[2 * W::kTile][4]) {
  SWK_UNROLL for (int t = 0; t < W::kTile; ++t) {
    if (!W::Uses(t, q)) continue;
    const uint8_t* weights =
      packed + kHeadBytes + (ky * W::kGroups + W::Group(t, q)) * kGroupBytes;
    SWK_UNROLL for (int j = 0; j < 4; ++j) {
      const __m512i weight = Load(weights + j * kVectorBytes);
      acc[t][j] = _mm512_dpbusd_epi32(acc[t][j], first[j], weight);
      acc[W::kTile + t][j] = _mm512_dpbusd_epi32(acc[W::kTile + t][j], second[j], weight);
    }
  }
}

/// `Rows` rows of `kTile * 64 / Width` output pixels. Without `Border` every source column and
/// every output column exists.
template <class W, int Rows, int Width, bool Ragged, bool Flip, bool Border>
HWY_NOINLINE void Tile(
  const DepthwiseRun& run, const Block& block, const uint8_t* packed,
  const Place<(Rows - 1) * W::kStride + W::kKernel>& place, const ByteOutput& bytes_out,
  const uint8_t* padding) {
  constexpr int kParts = 64 / Width, kTile = W::kTile;
  const swk_depthwise& a = *run.args;
  const __mmask64 mask = PartMask(block);
  const ptrdiff_t left = static_cast<ptrdiff_t>(place.output_column * W::kStride) -
                         static_cast<ptrdiff_t>(a.pad_left);
  Columns<W, Width> columns;
  SWK_UNROLL for (int i = 0; i < columns.kCount; ++i) {
    columns.real[i] = -static_cast<intptr_t>(static_cast<size_t>(left + i) < a.width);
  }
  __m512i acc[Rows * kTile][4];
  SWK_UNROLL for (int j = 0; j < 4; ++j) {
    const __m512i start = Load(packed + j * kVectorBytes);
    SWK_UNROLL for (int t = 0; t < Rows * kTile; ++t) acc[t][j] = start;
  }
  if constexpr (Rows == 1) {
    SWK_UNROLL for (int ky = 0; ky < W::kKernel; ++ky) {
      SWK_UNROLL for (int q = 0; q < W::kQuads; ++q) {
        __m512i quad[4];
        LoadQuad<W, Width, Ragged, Border, Flip>(
          q, place.rows[ky], place.steps[ky], columns, padding, mask, quad);
        AddQuad<W>(packed, ky, q, quad, acc);
      }
    }
  } else {
    static_assert(W::kStride == 1, "the second row of the tile is one source row below");
    SWK_UNROLL for (int q = 0; q < W::kQuads; ++q) {
      __m512i quad[2][4];
      LoadQuad<W, Width, Ragged, Border, Flip>(
        q, place.rows[0], place.steps[0], columns, padding, mask, quad[0]);
      SWK_UNROLL for (int ky = 0; ky < W::kKernel; ++ky) {
        LoadQuad<W, Width, Ragged, Border, Flip>(
          q, place.rows[ky + 1], place.steps[ky + 1], columns, padding, mask,
          quad[(ky + 1) % 2]);
        AddTwoQuads<W>(packed, ky, q, quad[ky % 2], quad[(ky + 1) % 2], acc);
      }
    }
  }
  uint8_t* out[Rows * kTile][kParts];
  SWK_UNROLL for (int i = 0; i < Rows * kTile; ++i) {
    SWK_UNROLL for (int g = 0; g < kParts; ++g) {
      const size_t row = place.output_row + static_cast<size_t>(i / kTile);
      const size_t ox = place.output_column + static_cast<size_t>(g * kTile + i % kTile);
      out[i][g] = !Border || ox < a.output_width ? run.Output(row, ox, block.channel) : nullptr;
    }
  }
  FinishSums<Width, Ragged, Border>(run, bytes_out, block, packed, acc, out, mask);
}

/// `Rows` output rows of one block of channels.
template <class W, int Rows, int Width, bool Ragged, bool Flip>
HWY_NOINLINE void WindowRows(
  const DepthwiseRun& run, const Block& block, const uint8_t* packed, size_t row,
  const uint8_t* padding) {
  constexpr int kSourceRows = (Rows - 1) * W::kStride + W::kKernel;
  constexpr size_t kStep = W::kTile * 64 / Width;
  const swk_depthwise& a = *run.args;
  const size_t image = row / a.output_height;
  const ptrdiff_t top = static_cast<ptrdiff_t>(row % a.output_height * W::kStride) -
                        static_cast<ptrdiff_t>(a.pad_top);
  const ByteOutput bytes_out = PrepareBytes(run.finish);
  Place<kSourceRows> place;
  place.output_row = row;
  for (int y = 0; y < kSourceRows; ++y) {
    const uint8_t* source = run.SourceRow(image, top + y);
    place.steps[y] = source ? a.channels : 0;
    place.rows[y] = source ? source + block.channel - a.pad_left * a.channels : padding;
  }
  for (size_t ox = 0; ox < a.output_width; ox += kStep) {
    place.output_column = ox;
    const size_t first = ox * W::kStride, last = (ox + kStep - 1) * W::kStride + W::kKernel - 1;
    if (first >= a.pad_left && last < a.width + a.pad_left && ox + kStep <= a.output_width) {
      Tile<W, Rows, Width, Ragged, Flip, false>(run, block, packed, place, bytes_out, padding);
    } else {
      Tile<W, Rows, Width, Ragged, Flip, true>(run, block, packed, place, bytes_out, padding);
    }
    SWK_UNROLL for (int y = 0; y < kSourceRows; ++y) {
      place.rows[y] += kStep * W::kStride * place.steps[y];
    }
  }
}

/// Any kernel, stride and dilation, `64 / Width` output pixels at a time; taps in groups of four.
template <int Width, bool Ragged>
HWY_NOINLINE void GeneralRow(
  const DepthwiseRun& run, const Block& block, const uint8_t* packed, size_t row,
  const uint8_t* padding) {
  constexpr size_t kParts = 64 / Width;
  const swk_depthwise& a = *run.args;
  const size_t image = row / a.output_height, oy = row % a.output_height;
  const size_t taps = a.kernel_height * a.kernel_width;
  const __mmask64 mask = PartMask(block);
  const __m512i flip =
    _mm512_set1_epi8(a.src_type == SWK_S8 ? static_cast<char>(0x80) : 0);
  const ByteOutput bytes_out = PrepareBytes(run.finish);
  for (size_t ox = 0; ox < a.output_width; ox += kParts) {
    __m512i acc[1][4], pixel[4], quad[4];
    for (int j = 0; j < 4; ++j) acc[0][j] = Load(packed + j * kVectorBytes);
    size_t ky = 0, kx = 0;
    const uint8_t* weights = packed + kHeadBytes;
    for (size_t tap = 0; tap < taps; weights += kGroupBytes) {
      SWK_UNROLL for (int i = 0; i < 4; ++i, ++tap) {
        const uint8_t* from[kParts];
        const uint8_t* source = nullptr;
        if (tap < taps) {
          const ptrdiff_t y = SourceIndex(
            oy, ky, a.stride_height, a.dilation_height, a.pad_top, a.height);
          source = run.SourceRow(image, y);
        }
        for (size_t g = 0; g < kParts; ++g) {
          const ptrdiff_t x = SourceIndex(
            ox + g, kx, a.stride_width, a.dilation_width, a.pad_left, a.width);
          from[g] = source && x >= 0 ? source + x * a.channels + block.channel : padding;
        }
        pixel[i] = _mm512_xor_si512(Gather<Width, Ragged>(from, 1, mask), flip);
        if (++kx == a.kernel_width) {
          kx = 0;
          ++ky;
        }
      }
      Interleave(pixel[0], pixel[1], pixel[2], pixel[3], quad);
      for (int j = 0; j < 4; ++j) {
        acc[0][j] =
          _mm512_dpbusd_epi32(acc[0][j], quad[j], Load(weights + j * kVectorBytes));
      }
    }
    uint8_t* out[1][kParts];
    for (size_t g = 0; g < kParts; ++g) {
      out[0][g] = ox + g < a.output_width ? run.Output(row, ox + g, block.channel) : nullptr;
    }
    FinishSums<Width, Ragged, true>(run, bytes_out, block, packed, acc, out, mask);
  }
}

/// The tiling for a shape: a window of its own, or taps in groups of four.
struct General {
  static constexpr int kRows = 1;
};

template <class W, int Rows, int Width, bool Ragged>
HWY_INLINE void BlockRows(
  const DepthwiseRun& run, const Block& block, const uint8_t* packed, size_t row,
  const uint8_t* padding) {
  if constexpr (std::is_same<W, General>::value) {
    GeneralRow<Width, Ragged>(run, block, packed, row, padding);
  } else {
    if (run.args->src_type == SWK_S8) {
      WindowRows<W, Rows, Width, Ragged, true>(run, block, packed, row, padding);
    } else {
      WindowRows<W, Rows, Width, Ragged, false>(run, block, packed, row, padding);
    }
  }
}

template <class W, int Rows>
HWY_INLINE void DispatchWidth(
  const DepthwiseRun& run, const Block& block, const uint8_t* packed, size_t row,
  const uint8_t* padding) {
  if (block.count == 64) {
    BlockRows<W, Rows, 64, false>(run, block, packed, row, padding);
  } else if (block.width == 64) {
    BlockRows<W, Rows, 64, true>(run, block, packed, row, padding);
  } else if (block.count == 32) {
    BlockRows<W, Rows, 32, false>(run, block, packed, row, padding);
  } else {
    BlockRows<W, Rows, 32, true>(run, block, packed, row, padding);
  }
}

/// One block of channels over as many rows, up to `kRows`, as one image and the range have.
template <class W>
HWY_INLINE size_t RunRows(
  const DepthwiseRun& run, const Block& block, const uint8_t* packed, size_t row,
  size_t row_end, const uint8_t* padding) {
  if constexpr (W::kRows == 2) {
    if (row + 1 < row_end && (row + 1) % run.args->output_height != 0) {
      DispatchWidth<W, 2>(run, block, packed, row, padding);
      return 2;
    }
  }
  DispatchWidth<W, 1>(run, block, packed, row, padding);
  return 1;
}

/// All rows and channels. Large kernels stay in the cache by going over all rows of a block of
/// channels, small ones let all blocks share a source row.
template <class W>
HWY_NOINLINE void RunWindow(
  const DepthwiseRun& run, const uint8_t* packed, size_t block_bytes, size_t row_begin,
  size_t row_end) {
  const size_t channels = run.args->channels;
  alignas(64) uint8_t padding[64];
  std::memset(padding, run.args->src_zero_point, sizeof padding);
  const bool channels_inside = (channels + 63) / 64 * block_bytes <= 16384;
  if (channels_inside) {
    for (size_t row = row_begin; row < row_end;) {
      size_t done = 1, n = 0;
      for (size_t c = 0; c < channels; ++n) {
        const Block block = BlockAt(c, channels);
        done = RunRows<W>(run, block, packed + n * block_bytes, row, row_end, padding);
        c += block.count;
      }
      row += done;
    }
    return;
  }
  size_t n = 0;
  for (size_t c = 0; c < channels; ++n) {
    const Block block = BlockAt(c, channels);
    for (size_t row = row_begin; row < row_end;) {
      row += RunRows<W>(run, block, packed + n * block_bytes, row, row_end, padding);
    }
    c += block.count;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace swk
HWY_POP_ATTRIBUTES
#endif

#endif
