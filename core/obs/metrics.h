/* metrics.h - the numbers that /metrics shows: each registered once with its name, its help and how to read it.
 *
 * A registry is filled by one thread while the server starts; afterwards it is read-only, and any thread may take its
 * text. So what a metric reads must be safe to read from any thread: an atomic, as a rule.
 */
#ifndef OBS_METRICS_H
#define OBS_METRICS_H

#include "base/base.h"

struct metrics;

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE };

struct metric {
    const char *name;   /* counters end in _total */
    const char *labels; /* `gateway="0"`, or NULL; metrics of one name differ in their labels */
    const char *help;   /* one line */
    enum metric_kind kind;
    double (*read)(const void *arg); /* any thread */
    const void *arg;
};

struct metrics *metrics_new(void);
void metrics_free(struct metrics *m);

/* Everything is copied but arg. */
void metrics_add(struct metrics *m, const struct metric *metric);

/* Memory, CPU time, descriptors and uptime of this process. */
void metrics_add_process(struct metrics *m);

/* Ready-made `read`s: arg is an atomic_llong *, or an atomic_ullong *. */
double metric_read_llong(const void *arg);
double metric_read_ullong(const void *arg);

/* The whole text. Any thread; *text is malloc'ed. `metrics` is a struct metrics *, so that this fits
 * gateway_config.metrics. */
void metrics_text(void *metrics, char **text, size_t *len);

#endif
