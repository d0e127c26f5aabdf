/* metrics.h - the numbers that /metrics shows: each registered once with its name, its help and how to read it, and
 * printed as OpenMetrics text.
 *
 * A registry is filled by one thread while the server starts; afterwards it is read-only, and any thread may take its
 * text. So what a metric reads must be safe to read from any thread: an atomic, as a rule.
 */
#ifndef OBS_METRICS_H
#define OBS_METRICS_H

#include "obs/histogram.h"

struct metrics;

#define METRICS_CONTENT_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM, METRIC_INFO };

struct metric {
    const char *name;   /* counters end in _total, infos in _info; seconds, bytes: in _seconds, _bytes before that */
    const char *labels; /* `gateway="0"`, or NULL; metrics of one name differ in their labels */
    const char *help;   /* one line */
    enum metric_kind kind;
    double (*read)(const void *arg); /* any thread; not of histograms, nor of infos, which are 1 */
    const void *arg;                 /* of histograms: the struct histogram. One without a count is not shown */
};

struct metrics *metrics_new(void);
void metrics_free(struct metrics *m);

/* Everything is copied but arg. */
void metrics_add(struct metrics *m, const struct metric *metric);

/* Memory, CPU time, descriptors and uptime of this process. */
void metrics_add_process(struct metrics *m);

/* Ready-made `read`s: arg is an atomic_llong *, or an atomic_ullong *; of nanoseconds shown as seconds. */
double metric_read_llong(const void *arg);
double metric_read_ullong(const void *arg);
double metric_read_ns(const void *arg);

/* The text of a label value: `"`, `\` and newlines escaped. Returns the length, less than cap. */
size_t metric_label(char *out, size_t cap, const char *key, const char *value);

/* The whole text. Any thread; *text is malloc'ed. `metrics` is a struct metrics *, so that this fits
 * gateway_config.metrics. */
void metrics_text(void *metrics, char **text, size_t *len);

/* What there is, a family a time, in the order of the text. For the reference. */
void metrics_each(const struct metrics *m, void (*fn)(void *arg, const struct metric *series, uint32_t n), void *arg);
/* "counter" …, and the unit that its name ends in, or NULL. */
extern const char *const metric_kinds[4];
const char *metric_unit(const struct metric *m);

#endif
