/* metrics.c - the registry of metrics and its text: "# HELP", "# TYPE", then one line a series. */
#include "obs/metrics.h"

#include <stdatomic.h>
#include <stdio.h>

#include "base/arena.h"

struct metrics {
    struct arena arena;
    struct metric *list; /* metrics of one name stand together */
    uint32_t n, cap;
};

struct metrics *metrics_new(void) {
    return xcalloc(1, sizeof(struct metrics));
}

void metrics_free(struct metrics *m) {
    if (!m) return;
    arena_free(&m->arena);
    free(m->list);
    free(m);
}

void metrics_add(struct metrics *m, const struct metric *metric) {
    if (m->n == m->cap) {
        m->cap = m->cap ? m->cap * 2 : 32;
        m->list = xrealloc(m->list, m->cap * sizeof *m->list);
    }
    uint32_t at = m->n++;
    for (uint32_t i = 0; i + 1 < m->n; i++)
        if (!strcmp(m->list[i].name, metric->name)) at = i + 1;
    memmove(m->list + at + 1, m->list + at, (m->n - 1 - at) * sizeof *m->list);
    struct metric *copy = &m->list[at];
    *copy = *metric;
    copy->name = arena_str(&m->arena, taut_str_z(metric->name)).ptr;
    copy->labels = metric->labels ? arena_str(&m->arena, taut_str_z(metric->labels)).ptr : NULL;
    copy->help = arena_str(&m->arena, taut_str_z(metric->help)).ptr;
}

double metric_read_llong(const void *arg) {
    return (double)atomic_load_explicit((atomic_llong *)(uintptr_t)arg, memory_order_relaxed);
}
double metric_read_ullong(const void *arg) {
    return (double)atomic_load_explicit((atomic_ullong *)(uintptr_t)arg, memory_order_relaxed);
}

static void print_series(FILE *out, const struct metric *m) {
    double v = m->read(m->arg);
    fputs(m->name, out);
    if (m->labels) fprintf(out, "{%s}", m->labels);
    if (v == (double)(int64_t)v) fprintf(out, " %lld\n", (long long)v);
    else fprintf(out, " %.6f\n", v);
}

void metrics_text(void *metrics, char **text, size_t *len) {
    const struct metrics *m = metrics;
    FILE *out = open_memstream(text, len);
    if (!out) panic("out of memory");
    for (uint32_t i = 0; i < m->n; i++) {
        const struct metric *s = &m->list[i];
        if (!i || strcmp(m->list[i - 1].name, s->name))
            fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", s->name, s->help, s->name,
                    s->kind == METRIC_COUNTER ? "counter" : "gauge");
        print_series(out, s);
    }
    if (fclose(out)) panic("out of memory");
}
