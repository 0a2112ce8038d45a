// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "depthwise.cc"
#define SWK_NEEDS_AVX3_DL
#include "targets.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "depthwise_portable-inl.h"
#include "depthwise_vnni_pack-inl.h"

#if HWY_TARGET == HWY_AVX3_DL
HWY_PUSH_ATTRIBUTES(HWY_TARGET_STR ",avx512vnni")
#else
HWY_BEFORE_NAMESPACE();
#endif
namespace swk {
namespace HWY_NAMESPACE {

size_t PackedSize(const swk_depthwise* args) { return DepthwisePackedSize(*args); }

void Pack(const DepthwiseWeights* weights, void* packed) {
  DepthwisePack(*weights, static_cast<uint8_t*>(packed));
}

void Rows(const DepthwiseRun* run, const void* packed, size_t row_begin, size_t row_end) {
  DepthwiseRows(*run, static_cast<const uint8_t*>(packed), row_begin, row_end);
}

}  // namespace HWY_NAMESPACE
}  // namespace swk
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace swk {
HWY_EXPORT(PackedSize);
HWY_EXPORT(Pack);
HWY_EXPORT(Rows);

extern "C" size_t swk_depthwise_packed_size(const swk_depthwise* args) {
  return sizeof(DepthwiseHeader) + HWY_DYNAMIC_DISPATCH(PackedSize)(args);
}

extern "C" void swk_depthwise_pack(
  const swk_depthwise* args, const int8_t* weights, const float* scale, const float* bias,
  void* packed) {
  const Finish finish = Prepare(args->epilogue);
  const DepthwiseWeights all{args, weights, scale, bias, finish.before};
  DepthwiseHeader* header = static_cast<DepthwiseHeader*>(packed);
  *header = DepthwiseHeader{all.StaysSmall(finish.after), {}};
  HWY_DYNAMIC_DISPATCH(Pack)(&all, header + 1);
}

extern "C" void swk_depthwise_conv(
  const swk_depthwise* args, const void* packed, const void* src, void* dst, size_t row_begin,
  size_t row_end) {
  const DepthwiseHeader* header = static_cast<const DepthwiseHeader*>(packed);
  DepthwiseRun run;
  run.args = args;
  run.finish = Prepare(args->epilogue);
  const bool small = IsByte(run.finish.type) && header->stays_small != 0;
  run.ending = !small                                     ? DepthwiseEnding::kGeneral
               : run.finish.activation == SWK_NONE       ? DepthwiseEnding::kBytes
               : run.finish.activation == SWK_HARD_SWISH ? DepthwiseEnding::kHardSwishBytes
                                                          : DepthwiseEnding::kGeneral;
  run.src = static_cast<const uint8_t*>(src);
  run.dst = static_cast<uint8_t*>(dst);
  run.element = ByteCount(run.finish.type);
  HWY_DYNAMIC_DISPATCH(Rows)(&run, header + 1, row_begin, row_end);
}
}  // namespace swk
#endif
