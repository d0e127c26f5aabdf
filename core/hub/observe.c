/* observe.c - what is measured at the hub. */
#include "hub/observe.h"

#include "hub/internal.h"

const char *const call_state_names[CALL_STATES] = {"reading", "committing", "held", "other"};

/* ---- life ---- */

void observe_begin(struct hub *h) {
    static const struct taut_array none = {NULL, 0, 0};
    crumb_thread_begin("hub");
    h->core.seen = seen_new("core", none);
    for (uint32_t i = 0; i < h->modules->n; i++) {
        struct instance *in = h->modules->list[i];
        in->seen = seen_new(in->name ? in->name : in->def->name, in->def->metrics);
        seen_limit_memory(in->seen, in->item.memory.soft, in->item.memory.hard);
    }
}

void observe_end(struct hub *h) {
    for (uint32_t i = 0; i < h->modules->n; i++) {
        seen_free(h->modules->list[i]->seen);
        h->modules->list[i]->seen = NULL;
    }
    seen_free(h->core.seen);
    crumb_thread_end();
}

struct hub_seen *hub_seen(struct hub *h) {
    return &h->seen;
}

/* ---- calls ---- */

void observe_commit(struct hub *h, int32_t status) {
    static const enum commit_end ends[] = {
        [0] = COMMIT_OK,
        [-TAUT_E_CONFLICT] = COMMIT_CONFLICT,
        [-TAUT_E_CLAIMED] = COMMIT_CLAIMED,
        [-TAUT_E_UNAVAILABLE] = COMMIT_UNAVAILABLE,
        [-TAUT_E_UNKNOWN] = COMMIT_UNKNOWN,
        [-TAUT_E_TIMEOUT] = COMMIT_UNKNOWN,
    };
    size_t i = status <= 0 ? (size_t) - (int64_t)status : 0;
    enum commit_end end = i < COUNT_OF(ends) && (ends[i] || !i) ? ends[i] : COMMIT_FAILED;
    bool refused = end == COMMIT_UNAVAILABLE || end == COMMIT_UNKNOWN || end == COMMIT_FAILED;
    own_add(&h->seen.commits[end], 1);
    if (refused || atomic_load_explicit(&h->seen.store_refused_us, memory_order_relaxed))
        atomic_store_explicit(&h->seen.store_refused_us, refused ? clock_mono_us() : 0, memory_order_relaxed);
}

void observe_end_of(struct hub *h, const struct run *r) {
    const struct call *c = r->call;
    uint32_t kind = c->pub.kind < CALL_KINDS ? c->pub.kind : 0;
    uint64_t now = clock_mono_ns(), took = now - r->began_ns;
    struct method_entry *method = (struct method_entry *)(uintptr_t)c->method;
    histogram_add(&h->seen.calls[kind], took);
    if (r->failed) own_add(&h->seen.calls_failed[kind], 1);
    if (r->submitted_ns) histogram_add(&h->seen.commit_answered, now - r->submitted_ns);
    if (kind != TAUT_CALL_METHOD || !method) return;
    histogram_add(&method->seconds, took);
    if (r->failed) own_add(&method->failed, 1);
}

/* ---- gauges ---- */

static enum call_state state_of(const struct run *r) {
    switch (r->state) {
    case RUN_LOADING:
    case RUN_SETTLED: return STATE_READING;
    case RUN_COMMITTING: return STATE_COMMITTING;
    case RUN_HELD:
    case RUN_OVERDUE: return STATE_HELD;
    default: return STATE_OTHER;
    }
}

#define SET(gauge, value) atomic_store_explicit(&h->seen.now.gauge, (value), memory_order_relaxed)

static void sample_calls(struct hub *h) {
    long long n[CALL_STATES] = {0};
    uint64_t oldest = 0, commit = 0, now = clock_mono_ns();
    for (const struct run *r = h->runs; r; r = r->next) {
        n[state_of(r)]++;
        if (!run_is_held(r) && !oldest) oldest = now - r->began_ns; /* the oldest come first */
        if (r->state == RUN_COMMITTING && now - r->submitted_ns > commit) commit = now - r->submitted_ns;
    }
    for (size_t i = 0; i < CALL_STATES; i++) SET(calls[i], n[i]);
    SET(oldest_call_ns, (long long)oldest);
    SET(oldest_commit_ns, (long long)commit);
}

struct tails {
    long long events, bytes;
};
static void add_tail(void *value, void *arg) {
    const struct wslog *l = value;
    struct tails *t = arg;
    t->events += l->tail.n;
    t->bytes += (long long)l->tail.bytes;
}

void hub_sample(struct hub *h) {
    struct tails t = {0, 0};
    sample_calls(h);
    map_each(&h->logs, add_tail, &t);
    SET(connections, (long long)h->conns.len);
    SET(store_commits, h->commits);
    SET(store_reads, (long long)h->loads.len);
    SET(scans, h->scanning);
    SET(scans_waiting, load_scans_waiting(h));
    SET(cache_bytes, (long long)h->rows.bytes);
    SET(cache_max_bytes, (long long)h->rows.max_bytes);
    SET(cache_rows, (long long)h->rows.map.len);
    SET(cache_hits, h->rows.hits);
    SET(cache_misses, h->rows.misses);
    SET(cache_evictions, h->rows.evictions);
    SET(logs, (long long)h->logs.len);
    SET(tail_events, t.events);
    SET(tail_bytes, t.bytes);
    SET(ops, h->ops.n);
    SET(ops_stale, h->ops.stale);
    SET(ops_timed_out, h->ops.timed_out);
    SET(timers, timers_count(h));
    SET(work_queued, work_queued(h));
    subs_watch(h);
    for (uint32_t i = 0; i < h->modules->n; i++) memory_watch(&h->modules->list[i]->pub); /* a reload moved limits */
}
