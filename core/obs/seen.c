/* seen.c - see seen.h. */
#include "obs/seen.h"

#include <malloc.h>
#include <stdio.h>

/* ---- declared metrics ---- */

struct taut_metric seen_metric_at(struct taut_array metrics, uint32_t i) {
    struct taut_metric def = {.name = NULL};
    memcpy(&def, TAUT_AT(metrics, struct taut_metric, i),
           metrics.elem_size < sizeof def ? metrics.elem_size : sizeof def);
    return def;
}

static uint32_t count_labels(const char *labels) {
    const char *at = labels ? strchr(labels, '=') : NULL;
    uint32_t n = 1;
    for (; at && *at && n < SEEN_LABELS; at++) n += *at == '|';
    return n;
}

/* `result="ok"` for value i of "result=ok|error". False: it has no label. */
static bool label_text(const char *labels, uint32_t i, char *out, size_t cap) {
    const char *equals = labels ? strchr(labels, '=') : NULL;
    char key[32], value[64];
    if (!equals) return false;
    const char *at = equals + 1;
    for (; i && *at; at++) i -= *at == '|';
    snprintf(key, sizeof key, "%.*s", (int)(equals - labels), labels);
    snprintf(value, sizeof value, "%.*s", (int)strcspn(at, "|"), at);
    metric_label(out, cap, key, value);
    return true;
}

struct seen *seen_new(const char *name, struct taut_array metrics) {
    struct seen *s = xcalloc(1, sizeof *s);
    s->crumbs.name = name;
    health_init(&s->health);
    s->nmetrics = metrics.len < METRICS_MAX ? metrics.len : METRICS_MAX;
    s->metrics = xcalloc(s->nmetrics, sizeof *s->metrics);
    for (uint32_t i = 0; i < s->nmetrics; i++) {
        struct seen_metric *m = &s->metrics[i];
        m->def = seen_metric_at(metrics, i);
        m->n = count_labels(m->def.labels);
        if (m->def.kind == TAUT_HISTOGRAM) m->histograms = xcalloc(m->n, sizeof *m->histograms);
        else m->values = xcalloc(m->n, sizeof *m->values);
    }
    return s;
}

void seen_free(struct seen *s) {
    if (!s) return;
    for (uint32_t i = 0; i < s->nmetrics; i++) {
        free(s->metrics[i].values);
        free(s->metrics[i].histograms);
    }
    free(s->metrics);
    health_fini(&s->health);
    free(s);
}

void seen_measure(struct seen *s, uint32_t metric, uint32_t label, int64_t value) {
    if (!s || metric >= s->nmetrics || label >= s->metrics[metric].n) return;
    struct seen_metric *m = &s->metrics[metric];
    switch (m->def.kind) {
    case TAUT_HISTOGRAM: histogram_add_shared(&m->histograms[label], value > 0 ? (uint64_t)value * 1000 : 0); break;
    case TAUT_GAUGE: atomic_store_explicit(&m->values[label], value, memory_order_relaxed); break;
    default: atomic_fetch_add_explicit(&m->values[label], value, memory_order_relaxed);
    }
}

/* ---- memory ---- */

static void account(struct seen *s, size_t bytes, int sign) {
    if (!s || !bytes) return;
    atomic_fetch_add_explicit(&s->memory_bytes, sign * (long long)bytes, memory_order_relaxed);
    atomic_fetch_add_explicit(&s->memory_blocks, sign, memory_order_relaxed);
}

void seen_limit_memory(struct seen *s, int64_t soft, int64_t hard) {
    atomic_store_explicit(&s->memory_soft, soft, memory_order_relaxed);
    atomic_store_explicit(&s->memory_hard, hard, memory_order_relaxed);
}

static bool has_room(struct seen *s, size_t more) {
    long long hard = s ? atomic_load_explicit(&s->memory_hard, memory_order_relaxed) : 0;
    if (!hard) return true;
    long long left = hard - atomic_load_explicit(&s->memory_bytes, memory_order_relaxed);
    if (left >= 0 && more <= (unsigned long long)left) return true;
    atomic_fetch_add_explicit(&s->allocations_refused, 1, memory_order_relaxed);
    return false;
}

void *seen_alloc(struct seen *s, size_t n) {
    if (!has_room(s, n)) return NULL;
    void *p = malloc(n ? n : 1);
    if (s) atomic_fetch_add_explicit(&s->allocations, 1, memory_order_relaxed);
    account(s, malloc_usable_size(p), 1);
    return p;
}

void *seen_realloc(struct seen *s, void *p, size_t n) {
    size_t before = malloc_usable_size(p);
    if (n > before && !has_room(s, n - before)) return NULL;
    void *q = realloc(p, n ? n : 1);
    if (!q) return NULL;
    if (s) atomic_fetch_add_explicit(&s->allocations, 1, memory_order_relaxed);
    account(s, before, -1);
    account(s, malloc_usable_size(q), 1);
    return q;
}

void seen_release(struct seen *s, void *p) {
    account(s, malloc_usable_size(p), -1);
    free(p);
}

/* ---- registration ---- */

static double read_health(const void *arg) {
    return health_worst(arg);
}

char *seen_metric_name(const struct taut_metric *def) {
    const char *total = def->kind == TAUT_COUNTER ? "_total" : "";
    size_t n = strlen(def->name), cut = strlen(total);
    if (cut && n > cut && !strcmp(def->name + n - cut, total)) n -= cut;
    size_t unit = def->unit ? strlen(def->unit) : 0;
    bool has_unit = unit && n > unit && !memcmp(def->name + n - unit, def->unit, unit);
    return xasprintf("%.*s%s%s%s", (int)n, def->name, unit && !has_unit ? "_" : "", unit && !has_unit ? def->unit : "",
                     total);
}

void seen_register_own(struct seen *s, struct metrics *metrics) {
    static const enum metric_kind kinds[] = {METRIC_COUNTER, METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM};
    for (uint32_t i = 0; i < s->nmetrics; i++) {
        struct seen_metric *m = &s->metrics[i];
        char *own = seen_metric_name(&m->def), *name = xasprintf("taut_mod_%s_%s", s->crumbs.name, own), label[128];
        for (uint32_t k = 0; k < m->n; k++) {
            const void *arg = m->histograms ? (const void *)&m->histograms[k] : (const void *)&m->values[k];
            bool labelled = label_text(m->def.labels, k, label, sizeof label);
            metrics_add(metrics, &(struct metric){.name = name,
                                                  .labels = labelled ? label : NULL,
                                                  .help = m->def.help ? m->def.help : "",
                                                  .kind = kinds[m->def.kind & 3],
                                                  .read = metric_read_llong,
                                                  .arg = arg});
        }
        free(own);
        free(name);
    }
}

static void register_times(struct seen *s, struct metrics *metrics) {
    for (uint32_t kind = CRUMB_METHOD; kind < CRUMB_KINDS; kind++) {
        char labels[128];
        size_t n = metric_label(labels, sizeof labels, "module", s->crumbs.name);
        snprintf(labels + n, sizeof labels - n, ",kind=\"%s\"", crumb_kinds[kind]);
        metrics_add(metrics, &(struct metric){.name = "taut_callback_seconds",
                                              .labels = labels,
                                              .help = "Time of callbacks, by module and by what was called.",
                                              .kind = METRIC_HISTOGRAM,
                                              .arg = &s->crumbs.kinds[kind]});
    }
}

void seen_register(struct seen *s, struct metrics *metrics) {
    char module[96];
    metric_label(module, sizeof module, "module", s->crumbs.name);
    const struct metric list[] = {
        {"taut_module_busy_seconds_total", module,
         "Time on the hub's thread in callbacks of the module, without what they called of others.", METRIC_COUNTER,
         metric_read_ns, &s->crumbs.busy_ns},
        {"taut_module_memory_bytes", module, "Memory that the module holds of the host.", METRIC_GAUGE,
         metric_read_llong, &s->memory_bytes},
        {"taut_module_memory_blocks", module, "Blocks of memory that the module holds of the host.", METRIC_GAUGE,
         metric_read_llong, &s->memory_blocks},
        {"taut_module_allocations_total", module, "Allocations of the module.", METRIC_COUNTER, metric_read_ullong,
         &s->allocations},
        {"taut_module_allocations_refused_total", module, "Allocations that its memory.hard did not allow.",
         METRIC_COUNTER, metric_read_ullong, &s->allocations_refused},
        {"taut_module_memory_soft_limit_bytes", module, "Its memory.soft; 0: no limit.", METRIC_GAUGE,
         metric_read_llong, &s->memory_soft},
        {"taut_module_memory_hard_limit_bytes", module, "Its memory.hard; 0: no limit.", METRIC_GAUGE,
         metric_read_llong, &s->memory_hard},
        {"taut_module_trips_total", module, "Times that a hook or service of the module was cut off for a while.",
         METRIC_COUNTER, metric_read_ullong, &s->trips},
        {"taut_module_events_behind", module, "Events that its subscriptions have not done with.", METRIC_GAUGE,
         metric_read_llong, &s->events_behind},
        {"taut_module_readers_stuck", module, "Workspaces in which a subscription of it does not go on.", METRIC_GAUGE,
         metric_read_llong, &s->readers_stuck},
        {"taut_module_health", module, "0: ok, 1: degraded, 2: down.", METRIC_GAUGE, read_health, &s->health},
    };
    for (size_t i = 0; i < COUNT_OF(list); i++) metrics_add(metrics, &list[i]);
    register_times(s, metrics);
    seen_register_own(s, metrics);
}
