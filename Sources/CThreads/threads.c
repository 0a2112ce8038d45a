// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "CThreads.h"

#include <sched.h>

struct region {
  swt_body body;
  void *context;
};

#ifdef __APPLE__
#include <dispatch/dispatch.h>
#include <unistd.h>

struct applied {
  struct region region;
  int count;
};

static void apply_one(void *pointer, size_t index) {
  const struct applied *applied = pointer;
  applied->region.body(applied->region.context, (int)index, applied->count);
}

void swt_set_threads(int threads) { (void)threads; }

void swt_parallel(int threads, swt_body body, void *context) {
  if (threads == 0) threads = swt_processor_count();
  struct applied applied = {{body, context}, threads};
  dispatch_apply_f((size_t)threads, dispatch_get_global_queue(QOS_CLASS_USER_INITIATED, 0),
                   &applied, apply_one);
}

int swt_processor_count(void) { return (int)sysconf(_SC_NPROCESSORS_ONLN); }
#else
// The entry points that a compiler calls for `#pragma omp parallel`, in libgomp.
extern void GOMP_parallel(void (*function)(void *), void *data, unsigned threads, unsigned flags);
extern int omp_get_thread_num(void);
extern int omp_get_num_threads(void);
extern void omp_set_num_threads(int threads);

static void run_region(void *pointer) {
  const struct region *region = pointer;
  region->body(region->context, omp_get_thread_num(), omp_get_num_threads());
}

void swt_set_threads(int threads) { omp_set_num_threads(threads); }

void swt_parallel(int threads, swt_body body, void *context) {
  if (threads == 1) {
    body(context, 0, 1);
    return;
  }
  struct region region = {body, context};
  GOMP_parallel(run_region, &region, (unsigned)threads, 0);
}

int swt_processor_count(void) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  int count = CPU_COUNT(&set);
  return count > 0 ? count : 1;
}
#endif

static void pause_briefly(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

void swt_wait(struct swt_barrier *barrier, int members) {
  if (members < 2) return;
  const int generation = __atomic_load_n(&barrier->generation, __ATOMIC_ACQUIRE);
  if (__atomic_add_fetch(&barrier->arrived, 1, __ATOMIC_ACQ_REL) == members) {
    __atomic_store_n(&barrier->arrived, 0, __ATOMIC_RELAXED);
    __atomic_add_fetch(&barrier->generation, 1, __ATOMIC_RELEASE);
    return;
  }
  for (int look = 0; __atomic_load_n(&barrier->generation, __ATOMIC_ACQUIRE) == generation;
       ++look) {
    if (look < 2000) {
      pause_briefly();
    } else {
      sched_yield();
    }
  }
}
