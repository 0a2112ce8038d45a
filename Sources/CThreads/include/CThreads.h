// SPDX-License-Identifier: Apache-2.0
// One team of threads for everything: the team that oneDNN's OpenMP runtime keeps.
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

/// What one member of the team does; `index` counts from 0 below `count`.
typedef void (*swt_body)(void *context, int index, int count);

/// Lets the calling thread's parallel regions, oneDNN's among them, use `threads` threads.
void swt_set_threads(int threads);

/// Runs `body` on `threads` members of the team, the caller among them, and waits for all.
/// The team may be smaller than asked; `count` says how large it is. 0 threads stand for as many
/// as `swt_set_threads` last said in this thread.
void swt_parallel(int threads, swt_body body, void *context);

/// Processors that this process may run on.
int swt_processor_count(void);

/// A barrier for the members of one parallel region; zero-initialise it.
struct swt_barrier {
  int arrived;
  int generation;
};

/// Waits until `members` threads have called it: spins for a moment, then gives way to other
/// threads of the machine between looks.
void swt_wait(struct swt_barrier *barrier, int members);

#ifdef __cplusplus
}
#endif
