// SPDX-License-Identifier: Apache-2.0
// Which instruction sets the kernels are compiled for; included before Highway.
#ifndef SWK_TARGETS_H
#define SWK_TARGETS_H

#ifndef HWY_WANT_AVX3_DL
#define HWY_WANT_AVX3_DL
#endif
#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (1LL << 12)  // SSSE3
#endif

#endif
