/* seen.h - everything that is seen of one module instance: time, memory, health, and the metrics that it declared. Made
 * with its hub, and freed with it. Any thread may read; each part says who writes.
 */
#ifndef OBS_SEEN_H
#define OBS_SEEN_H

#include "obs/crumb.h"
#include "obs/health.h"
#include "obs/metrics.h"
#include "taut/module.h"

enum { METRICS_MAX = 64, SEEN_LABELS = 32 /* values of one label */ };

/* A declared metric: one value, or one for each of its label's values. */
struct seen_metric {
    struct taut_metric def;
    uint32_t n;
    atomic_llong *values;         /* COUNTER, GAUGE */
    struct histogram *histograms; /* HISTOGRAM */
};

struct seen {
    struct crumb_owner crumbs;
    struct health health;
    atomic_llong memory_bytes, memory_blocks; /* taken through the host and not given back */
    atomic_ullong allocations, allocations_refused;
    atomic_llong events_behind, readers_stuck; /* of its subscriptions; hub, about once a second */
    atomic_ullong trips;                       /* of circuit breakers of its hooks and services; hub */
    atomic_llong memory_soft, memory_hard;     /* bytes; 0: no limit */
    atomic_bool memory_over; /* above the soft limit, or was refused something; and not yet well below */
    struct seen_metric *metrics;
    uint32_t nmetrics;
};

struct seen *seen_new(const char *name, struct taut_array metrics); /* keeps the name */
void seen_free(struct seen *s);

/* COUNTER: adds; GAUGE: sets; HISTOGRAM: counts a measurement, in microseconds when its unit is "seconds". What was not
 * declared is ignored. */
void seen_measure(struct seen *s, uint32_t metric, uint32_t label, int64_t value);

/* Any thread, any time. */
void seen_limit_memory(struct seen *s, int64_t soft, int64_t hard);
/* As malloc, realloc and free, counted. NULL also where the module would hold more than its hard limit. */
void *seen_alloc(struct seen *s, size_t n);
void *seen_realloc(struct seen *s, void *p, size_t n);
void seen_release(struct seen *s, void *p);

/* Registers all of it; or what the module declared alone, as taut_mod_<name>_<metric>. */
void seen_register(struct seen *s, struct metrics *metrics);
void seen_register_own(struct seen *s, struct metrics *metrics);

/* Metric i of a module's table, whatever the size that its maker knew. */
struct taut_metric seen_metric_at(struct taut_array metrics, uint32_t i);
/* The name under which it is shown, without the module's; malloc'ed. */
char *seen_metric_name(const struct taut_metric *def);

#endif
