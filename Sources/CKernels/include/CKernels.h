// SPDX-License-Identifier: Apache-2.0
#ifndef SWK_CKERNELS_H
#define SWK_CKERNELS_H

/// SIMD kernels of the CPU runtime, behind plain C.
///
/// Every kernel is single-threaded, allocates nothing, keeps no state and does no I/O. A kernel
/// that takes `begin` and `end` computes that part of its output only, and writes the same bytes
/// however the whole is split. Every kernel `swk_x` has a scalar twin `swk_x_reference` with the
/// same arguments; unless its comment gives a tolerance, both write the same bytes on every
/// instruction set.
///
/// Activations are channels-last, dense: `[N, H, W, C]`. Pointers need the alignment of their
/// element type and no more. Sources and destinations must not overlap unless a comment says
/// "in place". Sizes of zero are allowed and do nothing.

#include "swk_adder.h"
#include "swk_base.h"
#include "swk_convert.h"
#include "swk_depthwise.h"
#include "swk_elementwise.h"
#include "swk_gradient.h"
#include "swk_optimizer.h"
#include "swk_pool.h"
#include "swk_quantize.h"
#include "swk_softmax.h"
#include "swk_statistics.h"
#include "swk_training.h"
#include "swk_weight_gradient.h"

#endif
