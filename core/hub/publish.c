/* publish.c - the only source of publication: batches that the store has reported durable, in their order. Each log
 * keeps its newest events in memory for refill; older ones are asked of the store. */
#include "base/fault.h"
#include "hub/internal.h"
#include "obs/log.h"

enum { REFILL_AGAIN_MS = 1000, REFILL_EVENTS = 512, REFILL_BYTES = 256 * 1024, TAIL_BYTES = 16 * 1024 * 1024 };

struct wslog *wslog_get(struct hub *h, taut_str workspace) {
    struct wslog *l = map_get(&h->logs, workspace);
    if (l) return l;
    l = xcalloc(1, sizeof *l);
    l->name = taut_str_n(xstrndup(workspace.ptr, workspace.len), workspace.len);
    map_put(&h->logs, l->name, l);
    return l;
}

/* ---- the tail ---- */

static struct event *tail_at(const struct tail *t, uint32_t i) {
    return t->ring[(t->first + i) & (t->cap - 1)];
}

static void tail_pop(struct tail *t) {
    struct event *e = tail_at(t, 0);
    t->bytes -= e->bytes;
    t->first = (t->first + 1) & (t->cap - 1);
    t->n--;
    event_unref(e);
}

static void tail_push(struct tail *t, struct event *e, int64_t max_events) {
    if (t->n == t->cap) {
        uint32_t cap = t->cap ? t->cap * 2 : 64;
        struct event **ring = xmalloc(cap * sizeof *ring);
        for (uint32_t i = 0; i < t->n; i++) ring[i] = tail_at(t, i);
        free(t->ring);
        t->ring = ring;
        t->cap = cap;
        t->first = 0;
    }
    t->ring[(t->first + t->n) & (t->cap - 1)] = event_ref(e);
    t->n++;
    t->bytes += e->bytes;
    while (t->n > 1 && (t->n > max_events || t->bytes > TAIL_BYTES)) tail_pop(t);
}

/* How many events of the tail are newer than `after`; -1 when the tail does not reach back to it. */
static int64_t tail_newer(const struct wslog *l, uint64_t after) {
    if (after >= l->position) return 0;
    uint64_t missing = l->position - after - MUTANT("refill_off_by_one");
    if (MUTANT("tail_overwritten") && missing > l->tail.n) return l->tail.n;
    return missing <= l->tail.n ? (int64_t)missing : -1;
}

bool tail_read(struct wslog *l, uint64_t after, uint64_t to, struct arena *a, struct event ***events, uint32_t *n) {
    int64_t newer = tail_newer(l, after);
    *n = 0;
    if (newer < 0) return false;
    *events = arena_alloc(a, (size_t)(newer ? newer : 1) * sizeof **events);
    for (uint32_t i = l->tail.n - (uint32_t)newer; i < l->tail.n && tail_at(&l->tail, i)->seq <= to; i++)
        (*events)[(*n)++] = event_ref(tail_at(&l->tail, i));
    return true;
}

/* ---- publishing ---- */

void publish_begin(struct hub *h) {
    h->npending = 0;
}

void publish_durable(struct hub *h, taut_str workspace, uint64_t seq, struct event *e) {
    struct wslog *l = wslog_get(h, workspace);
    e->seq = seq;
    for (uint32_t i = 0; i < e->ndeltas; i++)
        if (e->deltas[i].how == 'x') conns_bar(h, workspace, e->deltas[i].who);
    if (l->position && seq != l->position + 1) {
        while (l->tail.n) tail_pop(&l->tail); /* it is taken for dense: the store is asked for what lies before */
        log_fmt(TAUT_LOG_ERROR, "hub", "log_hole", "the store gave seq %llu after %llu", (unsigned long long)seq,
                (unsigned long long)l->position);
    }
    l->position = seq;
    l->grown = true;
    tail_push(&l->tail, e, h->config.tail_events);
    if (h->npending == h->cap_pending) {
        h->cap_pending = h->cap_pending ? h->cap_pending * 2 : 256;
        h->pending = xrealloc(h->pending, h->cap_pending * sizeof *h->pending);
    }
    h->pending[h->npending++] = e;
}

static struct events_msg *events_msg_new(uint32_t kind, struct event *const *events, uint32_t n) {
    struct events_msg *m = xmalloc(sizeof *m + n * sizeof *events);
    memset(m, 0, sizeof *m);
    m->msg.kind = kind;
    m->n = n;
    for (uint32_t i = 0; i < n; i++) m->events[i] = event_ref(events[i]);
    return m;
}

static void to_all(struct hub *h, struct event *const *events, uint32_t n) {
    for (uint32_t g = 0; g < h->ngateways; g++)
        hub_send(h, h->gateways[g].port, &events_msg_new(MSG_EVENTS, events, n)->msg);
}

void publish_end(struct hub *h) {
    if (h->npending) to_all(h, h->pending, h->npending);
    for (uint32_t i = 0; i < h->npending; i++) {
        struct wslog *l = h->subs ? wslog_get(h, h->pending[i]->workspace) : NULL;
        event_unref(h->pending[i]);
        if (!l || !l->grown) continue;
        l->grown = false;
        subs_published(h, l);
    }
    h->npending = 0;
}

void publish_event(struct hub *h, struct event *e) {
    to_all(h, &e, 1);
    event_unref(e);
}

void publish_ephemeral(struct taut_mod *m, taut_str workspace, const struct taut_event *in) {
    check_thread(m, "taut_publish");
    if (!check_effect(m, "taut_publish")) return;
    struct arena a = {0};
    const char *fault = event_fault(&a, in);
    if (fault) log_fmt(TAUT_LOG_ERROR, m->name, "bad_event", "taut_publish(): %s; it is published to nobody", fault);
    arena_free(&a);
    if (fault) return;
    if (in->body.len) check_object(m, run_here(), "the body of an event", in->body);
    publish_event(hub_of(m), event_new(workspace, 0, in));
}

/* ---- refill ---- */

/* A read of the log for a connection that lags. While the store cannot be read it is tried again: the connection has
 * time. */
struct refill {
    uv_timer_t again; /* first */
    struct hub *hub;
    taut_conn conn;
    struct port *to;
    struct wslog *log;
    uint64_t after, asked_ns;
};

static void ask_log(struct refill *f);

static void send_refill(struct hub *h, struct port *to, taut_conn conn, struct event *const *events, uint32_t n,
                        uint64_t upto, bool gap) {
    struct events_msg *m = events_msg_new(MSG_REFILLED, events, n);
    m->conn = conn;
    m->upto = upto;
    m->gap = gap;
    hub_send(h, to, &m->msg);
}

static void refill_free(uv_handle_t *again) {
    free(again);
}

static void on_again(uv_timer_t *again) {
    struct refill *f = (struct refill *)(void *)again;
    if (f->hub->stopping) uv_close((uv_handle_t *)again, refill_free);
    else ask_log(f);
}

static void on_events(struct taut_mod *mod, void *arg, int32_t status, void *result) {
    struct refill *f = arg;
    const struct taut_event_rows *rows = result;
    struct event *events[REFILL_EVENTS];
    uint32_t n = 0;
    histogram_add(&hub_of(mod)->seen.reads[READ_EVENTS], clock_mono_ns() - f->asked_ns);
    if (status != TAUT_OK && status != TAUT_E_GAP) {
        log_fmt(TAUT_LOG_WARN, "hub", "refill_failed", "the log could not be read for a connection that lags: %s",
                error_text(status));
        uv_timer_start(&f->again, on_again, REFILL_AGAIN_MS, 0);
        return;
    }
    for (uint32_t i = 0; status == TAUT_OK && i < rows->n && n < REFILL_EVENTS; i++) {
        const struct taut_event_rec *r = &rows->events[i];
        if (r->seq > f->log->position) break; /* not published yet: it will come by itself */
        events[n++] = event_from_record(f->log->name, r->seq, r->skip, r->topics, r->deltas, r->body);
    }
    send_refill(f->hub, f->to, f->conn, events, n, n ? events[n - 1]->seq : f->after, n == 0);
    for (uint32_t i = 0; i < n; i++) event_unref(events[i]);
    uv_close((uv_handle_t *)&f->again, refill_free);
}

static void ask_log(struct refill *f) {
    struct hub *h = f->hub;
    f->asked_ns = clock_mono_ns();
    ASK_STORE(h, events, f->log->name, f->after, REFILL_EVENTS, REFILL_BYTES, op_new(core_mod(h), 0, on_events, f));
}

void publish_refill(struct hub *h, struct conn_msg *m) {
    struct wslog *l = wslog_get(h, m->text);
    int64_t newer = tail_newer(l, m->seq);
    if (newer < 0) {
        struct refill *f = xcalloc(1, sizeof *f);
        *f = (struct refill){.hub = h, .conn = m->conn, .to = m->from, .log = l, .after = m->seq};
        uv_timer_init(h->loop, &f->again);
        ask_log(f);
        return;
    }
    struct event *events[REFILL_EVENTS];
    uint32_t n = 0;
    size_t bytes = 0;
    for (uint32_t i = l->tail.n - (uint32_t)newer; i < l->tail.n && n < REFILL_EVENTS && bytes < REFILL_BYTES; i++) {
        events[n] = tail_at(&l->tail, i);
        bytes += events[n++]->bytes;
    }
    send_refill(h, m->from, m->conn, events, n, n ? events[n - 1]->seq : m->seq, false);
}

static void free_log(void *value, void *arg) {
    struct wslog *l = value;
    (void)arg;
    while (l->tail.n) tail_pop(&l->tail);
    free(l->tail.ring);
    free((void *)(uintptr_t)l->name.ptr);
    free(l);
}

void publish_free(struct hub *h) {
    map_each(&h->logs, free_log, NULL);
    map_free(&h->logs);
    free(h->pending);
}
