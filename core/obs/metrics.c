/* metrics.c - the registry of metrics and its text: "# TYPE", "# UNIT", "# HELP", then the samples of each series, and
 * "# EOF" at the end. */
#include "obs/metrics.h"

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

/* Behind the others of its name; at the end when there are none. */
static uint32_t place_for(const struct metrics *m, const char *name) {
    for (uint32_t i = m->n; i > 0; i--) /* the others came right before, as a rule */
        if (!strcmp(m->list[i - 1].name, name)) return i;
    return m->n;
}

void metrics_add(struct metrics *m, const struct metric *metric) {
    if (m->n == m->cap) {
        m->cap = m->cap ? m->cap * 2 : 64;
        m->list = xrealloc(m->list, m->cap * sizeof *m->list);
    }
    uint32_t at = place_for(m, metric->name);
    memmove(m->list + at + 1, m->list + at, (m->n - at) * sizeof *m->list);
    m->n++;
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
double metric_read_ns(const void *arg) {
    return metric_read_ullong(arg) / 1e9;
}

/* ---- text ---- */

/* z with what the format does not let stand as it is: in HELP, and between quotes in labels. */
static void escape(FILE *out, const char *z) {
    for (; *z; z++) {
        if (*z == '\n') fputs("\\n", out);
        else if (*z == '\\' || *z == '"') fprintf(out, "\\%c", *z);
        else fputc(*z, out);
    }
}

size_t metric_label(char *text, size_t cap, const char *key, const char *value) {
    FILE *out = fmemopen(text, cap, "w");
    if (!out) panic("out of memory");
    fprintf(out, "%s=\"", key);
    escape(out, value);
    fputc('"', out);
    fclose(out);
    text[cap - 1] = 0;
    return strlen(text);
}

const char *const metric_kinds[4] = {"counter", "gauge", "histogram", "info"};
static const char *const suffixes[4] = {"_total", "", "", "_info"};

/* The family's name: a counter's without _total. */
static int family_len(const struct metric *m) {
    size_t n = strlen(m->name), cut = strlen(suffixes[m->kind]);
    return (int)(n > cut && !strcmp(m->name + n - cut, suffixes[m->kind]) ? n - cut : n);
}

const char *metric_unit(const struct metric *m) {
    static const char *const units[] = {"seconds", "bytes", "ratio"};
    size_t n = (size_t)family_len(m);
    for (size_t i = 0; i < COUNT_OF(units); i++) {
        size_t len = strlen(units[i]);
        if (n > len && m->name[n - len - 1] == '_' && !memcmp(m->name + n - len, units[i], len)) return units[i];
    }
    return NULL;
}

static void print_head(FILE *out, const struct metric *m) {
    const char *unit = metric_unit(m);
    int n = family_len(m);
    fprintf(out, "# TYPE %.*s %s\n", n, m->name, metric_kinds[m->kind]);
    if (unit) fprintf(out, "# UNIT %.*s %s\n", n, m->name, unit);
    fprintf(out, "# HELP %.*s ", n, m->name);
    escape(out, m->help);
    fputc('\n', out);
}

/* NAME{LABELS,MORE} */
static void print_name(FILE *out, const struct metric *m, const char *suffix, const char *more) {
    fprintf(out, "%.*s%s", family_len(m), m->name, suffix);
    if (!m->labels && !more) return;
    fprintf(out, "{%s%s%s}", m->labels ? m->labels : "", m->labels && more ? "," : "", more ? more : "");
}

static void print_value(FILE *out, double v) {
    if (v == (double)(int64_t)v) fprintf(out, " %lld\n", (long long)v);
    else fprintf(out, " %.9g\n", v);
}

/* A bound as the format wants it: a float, 1.0 and not 1. */
static void write_bound(char out[48], double v) {
    if (v == (double)(int64_t)v) snprintf(out, 48, "le=\"%lld.0\"", (long long)v);
    else snprintf(out, 48, "le=\"%.6g\"", v);
}

static void print_histogram(FILE *out, const struct metric *m) {
    const struct histogram *h = m->arg;
    const char *unit = metric_unit(m);
    double base = unit && !strcmp(unit, "seconds") ? 1e9 : 1e3;
    uint64_t n = 0, sum = atomic_load_explicit(&h->sum, memory_order_relaxed);
    char bound[48];
    if (!histogram_count(h)) return;
    for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
        n += atomic_load_explicit(&h->buckets[i], memory_order_relaxed);
        write_bound(bound, (double)histogram_bounds[i] / base);
        print_name(out, m, "_bucket", bound);
        fprintf(out, " %llu\n", (unsigned long long)n);
    }
    n += atomic_load_explicit(&h->buckets[HISTOGRAM_BOUNDS], memory_order_relaxed);
    print_name(out, m, "_bucket", "le=\"+Inf\"");
    fprintf(out, " %llu\n", (unsigned long long)n);
    print_name(out, m, "_count", NULL);
    fprintf(out, " %llu\n", (unsigned long long)n);
    print_name(out, m, "_sum", NULL);
    print_value(out, (double)sum / base);
}

static void print_series(FILE *out, const struct metric *m) {
    if (m->kind == METRIC_HISTOGRAM) {
        print_histogram(out, m);
        return;
    }
    print_name(out, m, suffixes[m->kind], NULL);
    print_value(out, m->kind == METRIC_INFO ? 1 : m->read(m->arg));
}

static bool is_first(const struct metrics *m, uint32_t i) {
    return !i || strcmp(m->list[i - 1].name, m->list[i].name) != 0;
}

void metrics_text(void *metrics, char **text, size_t *len) {
    const struct metrics *m = metrics;
    FILE *out = open_memstream(text, len);
    if (!out) panic("out of memory");
    for (uint32_t i = 0; i < m->n; i++) {
        if (is_first(m, i)) print_head(out, &m->list[i]);
        print_series(out, &m->list[i]);
    }
    fputs("# EOF\n", out);
    if (fclose(out)) panic("out of memory");
}

void metrics_each(const struct metrics *m, void (*fn)(void *arg, const struct metric *series, uint32_t n), void *arg) {
    for (uint32_t i = 0, n; i < m->n; i += n) {
        for (n = 1; i + n < m->n && !is_first(m, i + n);) n++;
        fn(arg, &m->list[i], n);
    }
}
