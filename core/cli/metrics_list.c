/* metrics_list.c - the metrics that there are, told without a server: from the same tables and by the same functions
 * that fill the registry of a running one. For `taut module info`, and so for docs/metrics.md. */
#include "cli/server.h"
#include "hub/observe.h"
#include "taut/json.h"

enum { LABELS_MAX = 1024 };

/* ---- labels of a family: `loop`, or `kind=method|open|frame` where all values are known ---- */

/* The value of label `at` (0 for the first) in the text of a series; its key too. False: it has no more labels. */
static bool label_at(const char *labels, uint32_t at, taut_str *key, taut_str *value) {
    const char *p = labels;
    for (uint32_t i = 0; p && *p; i++) {
        size_t nkey = strcspn(p, "="), nvalue = strcspn(p + nkey + 2, "\"");
        *key = taut_str_n(p, nkey);
        *value = taut_str_n(p + nkey + 2, nvalue);
        if (i == at) return true;
        p += nkey + 2 + nvalue + 1;
        p += *p == ',';
    }
    return false;
}

static bool was_before(const struct metric *series, uint32_t n, uint32_t at, taut_str value) {
    taut_str key, other;
    for (uint32_t i = 0; i < n; i++)
        if (label_at(series[i].labels, at, &key, &other) && taut_str_eq(other, value)) return true;
    return false;
}

static void put_values(FILE *out, const struct metric *series, uint32_t n, uint32_t at) {
    taut_str key, value;
    const char *before = "=";
    for (uint32_t i = 0; i < n; i++) {
        if (!label_at(series[i].labels, at, &key, &value) || was_before(series, i, at, value)) continue;
        fprintf(out, "%s%.*s", before, (int)value.len, value.ptr);
        before = "|";
    }
}

static void put_labels(FILE *out, const struct metric *series, uint32_t n) {
    taut_str key, value, last;
    for (uint32_t at = 0; label_at(series[0].labels, at, &key, &value); at++) {
        fprintf(out, "%s%.*s", at ? ", " : "", (int)key.len, key.ptr);
        label_at(series[n - 1].labels, at, &key, &last);
        if (!taut_str_eq(value, last)) put_values(out, series, n, at);
    }
}

/* ---- families ---- */

static void write_family(void *json, const struct metric *series, uint32_t n) {
    struct taut_json *j = json;
    char labels[LABELS_MAX] = "";
    const char *unit = metric_unit(series);
    FILE *out = fmemopen(labels, sizeof labels, "w");
    if (!out) panic("out of memory");
    put_labels(out, series, n);
    fclose(out);
    taut_json_open(j, '{');
    taut_json_kstr(j, "name", taut_str_z(series->name));
    taut_json_kstr(j, "type", taut_str_z(metric_kinds[series->kind]));
    taut_json_kstr(j, "labels", taut_str_z(labels));
    taut_json_kstr(j, "unit", taut_str_z(unit ? unit : ""));
    taut_json_kstr(j, "help", taut_str_z(series->help));
    taut_json_close(j, '}');
}

static void write_families(struct taut_json *j, const struct metrics *m) {
    taut_json_kopen(j, "metrics", '[');
    metrics_each(m, write_family, j);
    taut_json_close(j, ']');
}

void metrics_list_core(struct taut_json *j) {
    static const struct gateway_stats gateway;
    static const struct spool_stats spool;
    static const struct beat beat;
    static const struct port port;
    static const atomic_llong expires;
    const struct gateway_stats *gateways[] = {&gateway};
    struct watch watch = {.nloops = 0};
    struct metrics *m = metrics_new();
    watch_loop(&watch, "LOOP", &beat, &port);
    server_metrics(m, &(struct metric_sources){&watch, gateways, COUNT_OF(gateways), &spool, &expires});
    hub_metrics_example(m);
    write_families(j, m);
    metrics_free(m);
}

void metrics_list_module(struct taut_json *j, const struct taut_module *d) {
    struct metrics *m = metrics_new();
    struct seen *s = seen_new(d->name, d->metrics);
    seen_register_own(s, m);
    write_families(j, m);
    metrics_free(m);
    seen_free(s);
}
