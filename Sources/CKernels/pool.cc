// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "pool.cc"
#include "targets.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "pool.h"
#include "simd-inl.h"

#if defined(__clang__)
#pragma clang fp contract(off)
#endif

HWY_BEFORE_NAMESPACE();
namespace swk {
namespace HWY_NAMESPACE {

HWY_INLINE VI Accumulate(VI sum, const uint8_t* p) { return hn::Add(sum, LoadInt(DI(), p)); }
HWY_INLINE VI Accumulate(VI sum, const int8_t* p) { return hn::Add(sum, LoadInt(DI(), p)); }
HWY_INLINE VF Accumulate(VF sum, const float* p) { return hn::Add(sum, LoadFloat(DF(), p)); }
HWY_INLINE VF Accumulate(VF sum, const BFloat16* p) { return hn::Add(sum, LoadFloat(DF(), p)); }

HWY_INLINE VF Centred(VI sum, int32_t offset) {
  return hn::ConvertTo(DF(), hn::Sub(sum, hn::Set(DI(), offset)));
}
HWY_INLINE VF Centred(VF sum, int32_t) { return sum; }

/// Averages `Vectors` vectors of channels over a span that starts at `src`.
template <int Vectors, class In>
HWY_INLINE void AverageVectors(
  const Average& plan, const In* src, const Span& span, float factor, float* out) {
  using D = typename std::conditional<sizeof(In) == 1, DI, DF>::type;
  const DF df;
  const size_t lanes = hn::Lanes(df);
  hn::Vec<D> sum[Vectors];
  SWK_UNROLL for (int i = 0; i < Vectors; ++i) sum[i] = hn::Zero(D());
  for (size_t y = 0; y < span.rows; ++y) {
    const In* p = src + y * span.row_step;
    for (size_t x = 0; x < span.columns; ++x, p += span.column_step) {
      SWK_UNROLL for (int i = 0; i < Vectors; ++i) {
        sum[i] = Accumulate(sum[i], p + static_cast<size_t>(i) * lanes);
      }
    }
  }
  const int32_t offset = static_cast<int32_t>(span.rows * span.columns) * plan.zero;
  SWK_UNROLL for (int i = 0; i < Vectors; ++i) {
    const VF v = hn::Mul(Centred(sum[i], offset), hn::Set(df, factor));
    hn::StoreU(v, df, out + static_cast<size_t>(i) * lanes);
  }
}

/// Averages fewer channels than a vector has, each pixel through a buffer.
template <class In>
HWY_INLINE void AverageNarrow(
  const Average& plan, const In* src, const Span& span, float factor, float* out,
  size_t channels) {
  using D = typename std::conditional<sizeof(In) == 1, DI, DF>::type;
  const DF df;
  HWY_ALIGN In pixel[HWY_LANES(float)] = {};
  hn::Vec<D> sum = hn::Zero(D());
  for (size_t y = 0; y < span.rows; ++y) {
    for (size_t x = 0; x < span.columns; ++x) {
      std::memcpy(
        pixel, src + y * span.row_step + x * span.column_step, channels * sizeof(In));
      sum = Accumulate(sum, pixel);
    }
  }
  const int32_t offset = static_cast<int32_t>(span.rows * span.columns) * plan.zero;
  hn::StoreU(hn::Mul(Centred(sum, offset), hn::Set(df, factor)), df, out);
}

/// The averages of `channels` channels, at least `Lanes(DF())` floats written; the last vector
/// overlaps the one before.
struct AverageChannels {
  const Average& plan;
  const Span& span;
  float factor;
  size_t first, channels;
  float* out;
  template <class In>
  HWY_ATTR void operator()(const In* src) const {
    if constexpr (!std::is_same<In, int32_t>::value) {
      const size_t lanes = hn::Lanes(DF());
      const In* from = src + span.start + first;
      if (channels < lanes) return AverageNarrow(plan, from, span, factor, out, channels);
      size_t c = 0;
      for (; c + 4 * lanes <= channels; c += 4 * lanes) {
        AverageVectors<4>(plan, from + c, span, factor, out + c);
      }
      for (; c < channels; c += lanes) {
        if (c + lanes > channels) c = channels - lanes;
        AverageVectors<1>(plan, from + c, span, factor, out + c);
      }
    }
  }
};

struct FinishAverages {
  const Finish& finish;
  const float* values;
  size_t at, count;
  template <class Out>
  HWY_ATTR void operator()(Out* dst) const {
    Map(finish, values, dst + at, count, Itself());
  }
};

/// All channels of one span, to elements `at` and following of the output.
HWY_INLINE void AverageSpan(
  const AverageJob& job, swk_type type, const void* src, const Span& span, float factor,
  void* dst, size_t at) {
  constexpr size_t kChannels = 512;
  HWY_ALIGN float values[kChannels];
  for (size_t first = 0; first < job.channels; first += kChannels) {
    const size_t n = job.channels - first < kChannels ? job.channels - first : kChannels;
    WithSource(type, src, AverageChannels{*job.plan, span, factor, first, n, values});
    WithDestination(
      job.plan->finish.type, dst, FinishAverages{job.plan->finish, values, at + first, n});
  }
}

void AveragePool(const AverageJob* job, swk_type type, const void* src, void* dst) {
  const size_t channels = job->channels;
  for (size_t row = job->begin; row < job->end; ++row) {
    if (!job->windows) {
      const Span span{row * job->pixels * channels, 1, job->pixels, 0, channels};
      const float factor = job->plan->Factor(job->pixels);
      AverageSpan(*job, type, src, span, factor, dst, row * channels);
      continue;
    }
    const swk_pool& a = *job->windows;
    for (size_t ox = 0; ox < a.output_width; ++ox) {
      const Span span = WindowAt(a, row, ox);
      const float factor = job->plan->Factor(
        job->counts_padding ? a.kernel_height * a.kernel_width : span.rows * span.columns);
      AverageSpan(
        *job, type, src, span, factor, dst, (row * a.output_width + ox) * channels);
    }
  }
}

template <class T>
HWY_INLINE void MaxSpan(const T* src, const Span& span, T* out, size_t channels) {
  const hn::ScalableTag<T> d;
  const size_t lanes = hn::Lanes(d);
  for (size_t c = 0; c < channels; c += lanes) {
    if (c + lanes > channels) {
      if (channels < lanes) {
        c = 0;
        break;
      }
      c = channels - lanes;
    }
    auto best = hn::Set(d, hwy::LowestValue<T>());
    for (size_t y = 0; y < span.rows; ++y) {
      const T* p = src + span.start + y * span.row_step + c;
      for (size_t x = 0; x < span.columns; ++x, p += span.column_step) {
        best = hn::Max(best, hn::LoadU(d, p));
      }
    }
    hn::StoreU(best, d, out + c);
  }
  if (channels >= lanes) return;
  HWY_ALIGN T best[HWY_LANES(uint8_t)];
  for (size_t c = 0; c < channels; ++c) best[c] = hwy::LowestValue<T>();
  for (size_t y = 0; y < span.rows; ++y) {
    for (size_t x = 0; x < span.columns; ++x) {
      const T* p = src + span.start + y * span.row_step + x * span.column_step;
      for (size_t c = 0; c < channels; ++c) best[c] = p[c] > best[c] ? p[c] : best[c];
    }
  }
  std::memcpy(out, best, channels * sizeof(T));
}
template <class T>
HWY_INLINE void MaxRows(
  const swk_pool& a, const T* src, T* dst, size_t begin, size_t end) {
  for (size_t row = begin; row < end; ++row) {
    for (size_t ox = 0; ox < a.output_width; ++ox) {
      MaxSpan(
        src, WindowAt(a, row, ox), dst + (row * a.output_width + ox) * a.channels, a.channels);
    }
  }
}
void MaxPool(const swk_pool* a, const void* src, void* dst, size_t begin, size_t end) {
  if (a->type == SWK_U8) {
    MaxRows(*a, static_cast<const uint8_t*>(src), static_cast<uint8_t*>(dst), begin, end);
  } else {
    MaxRows(*a, static_cast<const int8_t*>(src), static_cast<int8_t*>(dst), begin, end);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace swk
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace swk {
HWY_EXPORT(AveragePool);
HWY_EXPORT(MaxPool);

extern "C" void swk_global_average(
  const swk_format* from, const void* src, const swk_epilogue* epilogue, void* dst,
  size_t channels, size_t pixels, size_t begin, size_t end) {
  const Average plan = PrepareAverage(*from, *epilogue);
  const AverageJob job{&plan, nullptr, false, channels, pixels, begin, end};
  HWY_DYNAMIC_DISPATCH(AveragePool)(&job, from->type, src, dst);
}

extern "C" void swk_average_pool(
  const swk_pool* args, int count_include_pad, const swk_format* from, const void* src,
  const swk_epilogue* epilogue, void* dst, size_t begin, size_t end) {
  const Average plan = PrepareAverage(*from, *epilogue);
  const AverageJob job{
    &plan, args, count_include_pad != 0, args->channels, 0, begin, end};
  HWY_DYNAMIC_DISPATCH(AveragePool)(&job, from->type, src, dst);
}

extern "C" void swk_max_pool(
  const swk_pool* args, const void* src, void* dst, size_t begin, size_t end) {
  HWY_DYNAMIC_DISPATCH(MaxPool)(args, src, dst, begin, end);
}

}  // namespace swk
#endif
