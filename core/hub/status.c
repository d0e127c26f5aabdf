/* status.c - the hub seen from outside: its numbers as an operator wants them, at this moment. Hub thread. */
#include "hub/status.h"

#include <stdio.h>

#include "hub/internal.h"
#include "taut/json.h"

struct instance *hub_core(struct hub *h) {
    return &h->core;
}

static long long get(const atomic_llong *at) {
    return atomic_load_explicit(at, memory_order_relaxed);
}

static void number(struct taut_json *j, const char *key, double v) {
    char text[32];
    int n = snprintf(text, sizeof text, "%.3f", v);
    taut_json_key(j, key);
    taut_json_sep(j);
    taut_json_raw(j, text, (size_t)n);
}

static void module(struct taut_json *j, const struct instance *in) {
    static const char *const states[] = {"loaded", "init", "running", "stopped", "failed"};
    struct seen *s = in->seen;
    taut_json_open(j, '{');
    taut_json_kstr(j, "name", taut_str_z(in->pub.name));
    taut_json_kstr(j, "version", taut_str_z(in->def->version));
    taut_json_kstr(j, "state", taut_str_z(in->hung[0] ? "hung" : states[in->state]));
    taut_json_kstr(j, "health", taut_str_z(health_names[health_worst(&s->health)]));
    taut_json_kint(j, "memory_bytes", get(&s->memory_bytes));
    taut_json_kint(j, "soft_bytes", get(&s->memory_soft));
    taut_json_kint(j, "hard_bytes", get(&s->memory_hard));
    taut_json_kint(j, "refused", (int64_t)atomic_load_explicit(&s->allocations_refused, memory_order_relaxed));
    number(j, "busy_s", metric_read_ns(&s->crumbs.busy_ns));
    taut_json_close(j, '}');
}

static const char *state_of(const struct service *s) {
    if (!s->provider) return "down";
    return s->breaker.open ? "cut off" : s->breaker.trial ? "on trial" : "up";
}

static void services(struct hub *h, struct taut_json *j) {
    taut_json_kopen(j, "services", '[');
    for (const struct service *s = h->services; s; s = s->next) {
        char name[80];
        int n = snprintf(name, sizeof name, "%s/%u", s->family, s->major);
        taut_json_open(j, '{');
        taut_json_kstr(j, "service", taut_str_n(name, (size_t)n));
        taut_json_kstr(j, "provider", taut_str_z(s->provider ? s->provider->pub.name : ""));
        taut_json_kstr(j, "state", taut_str_z(state_of(s)));
        taut_json_kint(j, "timeouts", (int64_t)s->timeouts);
        taut_json_kint(j, "cut_off_ms", s->breaker.open ? s->breaker.open_ms : 0);
        taut_json_close(j, '}');
    }
    taut_json_close(j, ']');
}

/* The oldest one that no module holds open, this command itself left out. */
static const struct run *oldest(const struct hub *h) {
    for (const struct run *r = h->runs; r; r = r->next)
        if (!run_is_held(r) && r->state != RUN_RUNNING) return r;
    return NULL;
}

/* Held by modules behind their deadline. */
static uint32_t overdue(const struct hub *h) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < h->modules->n; i++) n += h->modules->list[i]->overdue;
    return n;
}

static void calls(struct hub *h, struct taut_json *j) {
    const struct run *r = oldest(h);
    taut_json_kopen(j, "calls", '{');
    taut_json_kint(j, "under_way", h->nruns - 1); /* without this command */
    taut_json_kint(j, "overdue", overdue(h));
    for (size_t i = 0; i + 1 < CALL_STATES; i++) taut_json_kint(j, call_state_names[i], get(&h->seen.now.calls[i]));
    if (r) {
        taut_json_kstr(j, "oldest", taut_str_z(r->name ? r->name : crumb_kinds[r->call->pub.kind]));
        taut_json_kint(j, "oldest_ms", (int64_t)((clock_mono_ns() - r->began_ns) / 1000000));
    }
    taut_json_close(j, '}');
}

static void store(struct hub *h, struct taut_json *j) {
    const struct hub_seen *s = &h->seen;
    taut_json_kopen(j, "store", '{');
    taut_json_kbool(j, "takes_writes", !get(&s->store_refused_us));
    taut_json_kint(j, "commits_under_way", h->commits);
    taut_json_kint(j, "reads_under_way", (int64_t)h->loads.len);
    taut_json_kint(j, "scans_waiting", load_scans_waiting(h));
    taut_json_kint(j, "commits", (int64_t)atomic_load(&s->commits[COMMIT_OK]));
    number(j, "commit_p50_ms", histogram_quantile(&s->commit_durable, 0.5) / 1e6);
    number(j, "commit_p99_ms", histogram_quantile(&s->commit_durable, 0.99) / 1e6);
    taut_json_close(j, '}');
}

static void cache(struct hub *h, struct taut_json *j) {
    const struct row_cache *c = &h->rows;
    uint64_t all = c->hits + c->misses;
    taut_json_kopen(j, "cache", '{');
    taut_json_kint(j, "rows", (int64_t)c->map.len);
    taut_json_kint(j, "bytes", (int64_t)c->bytes);
    taut_json_kint(j, "limit_bytes", (int64_t)c->max_bytes);
    number(j, "hit_rate", all ? (double)c->hits / (double)all : 1);
    taut_json_close(j, '}');
}

void hub_status(struct hub *h, struct taut_json *j) {
    hub_sample(h);
    taut_json_kopen(j, "modules", '[');
    for (uint32_t i = 0; i < h->modules->n; i++) module(j, h->modules->list[i]);
    taut_json_close(j, ']');
    services(h, j);
    subs_status(h, j);
    calls(h, j);
    store(h, j);
    cache(h, j);
    taut_json_kopen(j, "logs", '{');
    taut_json_kint(j, "used", (int64_t)h->logs.len);
    taut_json_kint(j, "tail_events", get(&h->seen.now.tail_events));
    taut_json_kint(j, "tail_bytes", get(&h->seen.now.tail_bytes));
    taut_json_close(j, '}');
}
