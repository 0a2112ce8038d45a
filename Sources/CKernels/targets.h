// SPDX-License-Identifier: Apache-2.0
// Which instruction sets the kernels are compiled for; included before Highway.
#ifndef SWK_TARGETS_H
#define SWK_TARGETS_H

#ifndef HWY_WANT_AVX3_DL
#define HWY_WANT_AVX3_DL
#endif
// SSSE3 and SSE4, whose processors take the SSE2 kernels, and what lies above AVX3_DL: each target
// is one more copy of every kernel to compile, and these would be hardly faster.
#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS ((1LL << 12) | (1LL << 11) | (1LL << 7) - 1)
#endif

#endif
