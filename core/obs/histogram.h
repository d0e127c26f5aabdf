/* histogram.h - how often what took how long. Buckets of fixed bounds, 1, 2.5, 5, 10 … 10^7 times the base.
 *
 * What is counted are nanoseconds, or thousandths of whatever else is measured: the base is a microsecond, or one. Any
 * thread may read; histogram_add is for the one thread that writes, histogram_add_shared for several. Since nothing is
 * locked, a reader sees the sum and the buckets as they are at slightly different moments.
 */
#ifndef OBS_HISTOGRAM_H
#define OBS_HISTOGRAM_H

#include <stdatomic.h>
#include <time.h>

#include "base/base.h"

enum { HISTOGRAM_BOUNDS = 22 };

struct histogram {
    atomic_ullong buckets[HISTOGRAM_BOUNDS + 1]; /* not cumulative; the last: over all bounds */
    atomic_ullong sum;
};

extern const uint64_t histogram_bounds[HISTOGRAM_BOUNDS];
/* The first bound that a value with this highest bit can be under. */
extern const uint8_t histogram_first[64];

static inline uint32_t histogram_bucket(uint64_t v) {
    uint32_t i = histogram_first[63 - __builtin_clzll(v | 1)];
    while (i < HISTOGRAM_BOUNDS && v > histogram_bounds[i]) i++; /* at most twice */
    return i;
}

/* An add without a lock: right as long as one thread does it. */
static inline void own_add(atomic_ullong *at, uint64_t n) {
    atomic_store_explicit(at, atomic_load_explicit(at, memory_order_relaxed) + n, memory_order_relaxed);
}

static inline void histogram_add(struct histogram *h, uint64_t v) {
    own_add(&h->buckets[histogram_bucket(v)], 1);
    own_add(&h->sum, v);
}
void histogram_add_shared(struct histogram *h, uint64_t v);
uint64_t histogram_count(const struct histogram *h);
/* The bound under which this share (0 … 1) of all lies, interpolated; 0 when there are none. */
double histogram_quantile(const struct histogram *h, double share);

static inline uint64_t clock_mono_ns(void) {
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

#endif
