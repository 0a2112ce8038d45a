// SPDX-License-Identifier: Apache-2.0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "target.cc"
#define SWK_NEEDS_AVX3_DL
#include "targets.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "training.h"

HWY_BEFORE_NAMESPACE();
namespace swk {
namespace HWY_NAMESPACE {
const char* TargetName() { return hwy::TargetName(HWY_TARGET); }
}  // namespace HWY_NAMESPACE
}  // namespace swk
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#if HWY_ARCH_X86
#include <cpuid.h>
#elif defined(__linux__)
#include <sys/auxv.h>
#endif

namespace swk {
HWY_EXPORT(TargetName);

namespace {

#if HWY_ARCH_X86
struct Leaf {
  uint32_t a = 0, b = 0, c = 0, d = 0;
  Leaf(uint32_t leaf, uint32_t sub) { __get_cpuid_count(leaf, sub, &a, &b, &c, &d); }
};

bool Bit(uint32_t word, int bit) { return (word >> bit) & 1; }

/// The register sets that the operating system saves (XCR0); 0 without XSAVE.
uint64_t SavedState(const Leaf& basic) {
  if (!Bit(basic.c, 27)) return 0;
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<uint64_t>(high) << 32) | low;
}

uint32_t Features() {
  const Leaf basic(1, 0), extended(7, 0), more(7, 1);
  const uint64_t saved = SavedState(basic);
  const bool avx = (saved & 0x6) == 0x6, avx512 = (saved & 0xE6) == 0xE6;
  const bool amx = (saved & 0x60000) == 0x60000;
  uint32_t f = 0;
  if (Bit(basic.c, 19) && Bit(basic.c, 20)) f |= SWK_CPU_SSE4;
  if (avx && Bit(extended.b, 5)) f |= SWK_CPU_AVX2;
  if (avx && Bit(basic.c, 12)) f |= SWK_CPU_FMA;
  if (avx && Bit(more.a, 4)) f |= SWK_CPU_AVX_VNNI;
  if (avx512 && Bit(extended.b, 16) && Bit(extended.b, 17) && Bit(extended.b, 30) &&
      Bit(extended.b, 31)) {
    f |= SWK_CPU_AVX512;
    if (Bit(extended.c, 11)) f |= SWK_CPU_AVX512_VNNI;
    if (Bit(more.a, 5)) f |= SWK_CPU_AVX512_BF16;
  }
  if (amx && Bit(extended.d, 24)) {
    if (Bit(extended.d, 25)) f |= SWK_CPU_AMX_INT8;
    if (Bit(extended.d, 22)) f |= SWK_CPU_AMX_BF16;
  }
  return f;
}
#elif HWY_ARCH_ARM_A64
uint32_t Features() {
  uint32_t f = SWK_CPU_NEON;
#if defined(__linux__)
  if ((getauxval(AT_HWCAP) >> 20) & 1) f |= SWK_CPU_DOTPROD;
#endif
  return f;
}
#else
uint32_t Features() { return 0; }
#endif

}  // namespace

bool RoundsToBFloat16() {
  static const bool rounds = (Features() & SWK_CPU_AVX512_BF16) != 0;
  return rounds;
}

extern "C" const char* swk_target_name(void) { return HWY_DYNAMIC_DISPATCH(TargetName)(); }

/// The bit of the target at `index`, or 0.
static int64_t TargetAt(size_t index) {
  int64_t targets = hwy::SupportedTargets() & HWY_TARGETS;
  while (index-- > 0) targets &= targets - 1;
  return targets & -targets;
}

extern "C" const char* swk_target_at(size_t index) {
  const int64_t target = TargetAt(index);
  return target == 0 ? nullptr : hwy::TargetName(target);
}

extern "C" void swk_use_target(size_t index) {
  const int64_t target = TargetAt(index);
  // With all below it: not every file has kernels for every target.
  if (target != 0) hwy::GetChosenTarget().Update(hwy::SupportedTargets() & -target);
}

extern "C" uint32_t swk_cpu_features(void) { return Features(); }

}  // namespace swk
#endif
