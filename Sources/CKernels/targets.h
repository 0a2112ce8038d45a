// SPDX-License-Identifier: Apache-2.0
// Which instruction sets the kernels are compiled for; included before Highway.
#ifndef SWK_TARGETS_H
#define SWK_TARGETS_H

#ifndef HWY_WANT_AVX3_DL
#define HWY_WANT_AVX3_DL
#endif
// Each target is one more copy of every kernel to compile. Left out are SSSE3 and SSE4, whose
// processors take the SSE2 kernels, what lies above AVX3_DL, and AVX3_DL itself where a file has
// nothing written for it (those that have define SWK_NEEDS_AVX3_DL).
#ifndef HWY_DISABLED_TARGETS
#ifdef SWK_NEEDS_AVX3_DL
#define HWY_DISABLED_TARGETS ((1LL << 12) | (1LL << 11) | ((1LL << 7) - 1))
#else
#define HWY_DISABLED_TARGETS ((1LL << 12) | (1LL << 11) | ((1LL << 8) - 1))
#endif
#endif

#endif
