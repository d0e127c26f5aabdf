/* histogram.c - the bounds, and what is not done often. */
#include "obs/histogram.h"

const uint64_t histogram_bounds[HISTOGRAM_BOUNDS] = {
    1000,      2500,      5000,       10000,      25000,      50000,       100000,   250000,
    500000,    1000000,   2500000,    5000000,    10000000,   25000000,    50000000, 100000000,
    250000000, 500000000, 1000000000, 2500000000, 5000000000, 10000000000,
};

const uint8_t histogram_first[64] = {
    0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  1,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 10,
    11, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 21, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22,
    22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22,
};

void histogram_add_shared(struct histogram *h, uint64_t v) {
    atomic_fetch_add_explicit(&h->buckets[histogram_bucket(v)], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->sum, v, memory_order_relaxed);
}

uint64_t histogram_count(const struct histogram *h) {
    uint64_t n = 0;
    for (size_t i = 0; i < COUNT_OF(h->buckets); i++) n += atomic_load_explicit(&h->buckets[i], memory_order_relaxed);
    return n;
}

double histogram_quantile(const struct histogram *h, double share) {
    double wanted = share * (double)histogram_count(h), below = 0;
    for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
        double n = (double)atomic_load_explicit(&h->buckets[i], memory_order_relaxed);
        double low = i ? (double)histogram_bounds[i - 1] : 0, high = (double)histogram_bounds[i];
        if (n > 0 && below + n >= wanted) return low + (high - low) * (wanted - below) / n;
        below += n;
    }
    return below > 0 || histogram_count(h) ? (double)histogram_bounds[HISTOGRAM_BOUNDS - 1] : 0;
}
