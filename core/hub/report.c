/* report.c - what modules report about themselves, and the core about them: log lines, measures, health. Any thread. */
#include "hub/internal.h"
#include "obs/log.h"

static struct seen *seen_of(struct taut_mod *m) {
    return ((struct instance *)(void *)m)->seen;
}

/* In a rehearsal (check.c) nothing is told: the run that counts tells it. */
static bool for_show(void) {
    const struct run *r = run_here();
    return r && r->rehearsing;
}

static void host_log(struct taut_mod *m, int32_t level, const char *event, taut_str text, const struct taut_kv *kvs,
                     uint32_t n) {
    if (!for_show()) log_kv(level, m->name, event, text, kvs, n);
}
static void host_measure(struct taut_mod *m, uint32_t metric, uint32_t label, int64_t value) {
#ifdef TAUT_CHECKS
    const struct seen *s = seen_of(m);
    if (metric >= s->nmetrics || label >= s->metrics[metric].n)
        panic("module %s: measures number %u, label %u, and has declared %u metrics; this one has %u labels", m->name,
              metric, label, s->nmetrics, metric < s->nmetrics ? s->metrics[metric].n : 0);
#endif
    if (!for_show()) seen_measure(seen_of(m), metric, label, value);
}

void report_health(struct taut_mod *m, uint32_t level, const char *code, taut_str text) {
    static const int levels[] = {TAUT_LOG_INFO, TAUT_LOG_WARN, TAUT_LOG_ERROR};
    if (!health_set(&seen_of(m)->health, level, code, text)) return;
    log_fmt(levels[level <= TAUT_HEALTH_DOWN ? level : TAUT_HEALTH_DOWN], m->name, "health", "%s: %s%s%.*s",
            level == TAUT_HEALTH_OK ? "over" : health_names[level <= TAUT_HEALTH_DOWN ? level : TAUT_HEALTH_DOWN],
            code ? code : "all", text.len ? ": " : "", (int)text.len, text.ptr);
}

static void module_health(struct taut_mod *m, uint32_t level, const char *code, taut_str text) {
    if (!for_show()) report_health(m, level, code, text);
}

void report_add_to_host(struct taut_host *t) {
    t->log = host_log;
    t->measure = host_measure;
    t->health = module_health;
}
