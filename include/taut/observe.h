/* observe.h - what a module tells the operator: measurements, its health, and lines of the log with fields.
 *
 *     static const struct taut_metric metrics[] = {
 *         [SENT] = {.name = "sent_total", .kind = TAUT_COUNTER, .help = "Mails sent.", .labels = "result=ok|error"},
 *         [TOOK] = {.name = "delivery", .kind = TAUT_HISTOGRAM, .unit = "seconds", .help = "Time of a delivery."},
 *     };
 *     taut_measure(m, SENT, 1, 1);
 *     taut_measure(m, TOOK, 0, took_us);
 *     taut_health(m, TAUT_HEALTH_DEGRADED, "relay_down", "the relay does not answer");
 *
 * Thread: any. Since 0.2.
 */
#ifndef TAUT_OBSERVE_H
#define TAUT_OBSERVE_H

#include "taut/host.h"

/* Counts, sets or measures: COUNTER adds value, GAUGE is set to it, HISTOGRAM takes it as one measurement, which is in
 * microseconds when the metric's unit is "seconds". label: which of the values that the metric's `labels` names, from
 * 0; 0 when it has none. A metric or label that was not declared is ignored. */
static inline void taut_measure(struct taut_mod *m, uint32_t metric, uint32_t label, int64_t value) {
    if (TAUT_HAS(m->host, measure)) m->host->measure(m, metric, label, value);
}

/* Says how the module is. code: a short fixed name such as "relay_down"; text: one line for the operator, without
 * secrets. It stays until the same code is reported again, as OK when it is over; OK with the code NULL takes back
 * everything. The state of the module is the worst of what stands. A server is not ready while a module that others
 * need is DOWN. */
static inline void taut_health(struct taut_mod *m, uint32_t level, const char *code, taut_str text) {
    if (TAUT_HAS(m->host, health)) m->host->health(m, level, code, text);
}

/* As taut_log, with fields: `text key=value …`, or members of the line's JSON object. At most 16. Never a token, a
 * password or a message's text. */
static inline void taut_log_kv(struct taut_mod *m, int32_t level, const char *event, taut_str text,
                               const struct taut_kv *kvs, uint32_t n) {
    if (TAUT_HAS(m->host, log_kv)) m->host->log_kv(m, level, event, text, kvs, n);
    else m->host->log(m, level, event, text);
}

#endif
