/* batch.c - batches: built by a handler in its call's memory, handed to the store, and, when the store says that they
 * are on disk, applied to the row cache and published. A batch stays as it is until its op completes. */
#include "base/fault.h"
#include "hub/internal.h"
#include "obs/log.h"

struct durables {
    struct msg msg;
    struct hub *hub;
    uint32_t n;
    struct taut_durable list[];
};

/* Room for one more element in an arena array. */
#define ROOM(a, array, n, cap)                                 \
    do {                                                       \
        if ((n) == (cap)) {                                    \
            uint32_t cap_ = (cap) ? (cap)*2 : 8;               \
            void *p_ = arena_alloc(a, cap_ * sizeof *(array)); \
            if (n) memcpy(p_, array, (n) * sizeof *(array));   \
            (array) = p_;                                      \
            (cap) = cap_;                                      \
        }                                                      \
    } while (0)

struct taut_batch *batch_begin(struct run *r) {
    if (r->batch) batch_drop_events(r->batch);
    struct taut_batch *b = arena_zalloc(&r->call->arena, sizeof *b);
    b->run = r;
    b->start = r->starts;
    b->view.size = sizeof b->view;
    if (r->call->pub.actor) b->view.workspace = arena_str(&r->call->arena, r->call->pub.actor->workspace);
    r->batch = b;
    return b;
}

void batch_drop_events(struct taut_batch *b) {
    for (uint32_t i = 0; i < b->nevent; i++) event_unref(b->events[i]);
    for (uint32_t i = 0; i < b->nephemeral; i++) event_unref(b->ephemera[i]);
    b->nevent = b->nephemeral = 0;
}

static struct arena *mem(struct taut_batch *b) {
    return &b->run->call->arena;
}

/* The first fault is what its author is told. */
static void find_bad(struct taut_batch *b, const char *fault) {
    if (!b->bad) b->bad = fault;
}

static struct taut_val copy_val(struct taut_batch *b, struct taut_val v) {
    if (v.type == TAUT_TEXT || v.type == TAUT_BLOB) v.u.p = arena_str(mem(b), taut_str_n(v.u.p, v.len)).ptr;
    return v;
}

static const struct taut_val *copy_vals(struct taut_batch *b, const struct taut_val *vals, uint32_t n) {
    struct taut_val *out = arena_alloc(mem(b), (n ? n : 1) * sizeof *out);
    for (uint32_t i = 0; i < n; i++) out[i] = copy_val(b, vals[i]);
    return out;
}

static void add_cond(struct taut_batch *b, struct taut_mod *m, const struct taut_table *t, const struct taut_val *key,
                     uint32_t nkey, uint32_t how, uint32_t col, const struct taut_val *v) {
    uint32_t table;
    const char *fault = table_id(m, t, &table) ? key_fault(mem(b), t, key, nkey, VALUE_SOUGHT) : "not its own table";
    if (!fault && v && how == TAUT_COND_EQUALS) fault = value_fault(mem(b), t, col, v, VALUE_SOUGHT);
    if (fault) {
        find_bad(b, fault);
        return;
    }
    ROOM(mem(b), b->conds, b->ncond, b->cap_cond);
    b->conds[b->ncond++] = (struct taut_cond){.table = table,
                                              .how = how,
                                              .key = copy_vals(b, key, nkey),
                                              .nkey = nkey,
                                              .col = col,
                                              .val = v ? copy_val(b, *v) : taut_v_null()};
}

static struct taut_write *add_write(struct taut_batch *b, struct taut_mod *m, const struct taut_table *t, uint32_t kind,
                                    const struct taut_val *vals, uint32_t n) {
    uint32_t table;
    const char *fault = table_id(m, t, &table) ? values_fault(mem(b), t, vals, n, VALUE_WRITTEN) : "not its own table";
    if (!fault && !n) fault = arena_fmt(mem(b), "table %s: a write without a value", t->name).ptr;
    if (!fault && !key_fits(vals, n < t->key_cols ? n : t->key_cols))
        fault = arena_fmt(mem(b), "table %s: a key of more than %d bytes", t->name, KEY_MAX).ptr;
    if (fault) {
        find_bad(b, fault);
        return NULL;
    }
    ROOM(mem(b), b->writes, b->nwrite, b->cap_write);
    struct taut_write *w = &b->writes[b->nwrite++];
    *w = (struct taut_write){.table = table, .kind = kind, .vals = copy_vals(b, vals, n), .nvals = n};
    return w;
}

static void insert(struct taut_batch *b, struct taut_mod *m, const struct taut_table *t, const struct taut_val *vals,
                   uint32_t n, uint32_t upsert) {
    if (n < t->key_cols)
        find_bad(b, arena_fmt(mem(b), "table %s: its key has %u columns, got %u", t->name, t->key_cols, n).ptr);
    add_write(b, m, t, upsert ? TAUT_W_UPSERT : TAUT_W_INSERT, vals, n);
}

static void update(struct taut_batch *b, struct taut_mod *m, const struct taut_table *t, const struct taut_val *key,
                   uint32_t nkey, const struct taut_set *sets, uint32_t nsets) {
    find_bad(b, key_fault(mem(b), t, key, nkey, VALUE_WRITTEN));
    struct taut_write *w = add_write(b, m, t, TAUT_W_UPDATE, key, nkey);
    if (!w) return;
    struct taut_set *copy = arena_alloc(mem(b), (nsets ? nsets : 1) * sizeof *copy);
    for (uint32_t i = 0; i < nsets; i++) {
        copy[i] = sets[i];
        copy[i].val = copy_val(b, sets[i].val);
        find_bad(b, set_fault(mem(b), t, sets, i));
    }
    w->sets = copy;
    w->nsets = nsets;
}

static void delete_rows(struct taut_batch *b, struct taut_mod *m, const struct taut_table *t,
                        const struct taut_val *key, uint32_t nkey) {
    if (nkey > t->key_cols)
        find_bad(b, arena_fmt(mem(b), "table %s: its key has %u columns, got %u", t->name, t->key_cols, nkey).ptr);
    add_write(b, m, t, TAUT_W_DELETE, key, nkey);
}

static void claim(struct taut_batch *b, taut_str key, taut_str value) {
    b->view.claim_key = arena_str(mem(b), key);
    b->view.claim_value = arena_str(mem(b), value);
}

static taut_str topics_text(struct arena *a, const struct taut_event *e) {
    size_t n = 0;
    for (uint32_t i = 0; i < e->ntopics; i++) n += e->topics[i].len + 1;
    char *p = arena_alloc(a, n + 1), *at = p;
    for (uint32_t i = 0; i < e->ntopics; i++) {
        if (i) *at++ = ' ';
        memcpy(at, e->topics[i].ptr, e->topics[i].len);
        at += e->topics[i].len;
    }
    return taut_str_n(p, (size_t)(at - p));
}

static taut_str deltas_text(struct arena *a, const struct taut_event *e) {
    taut_str all = taut_str_n("", 0);
    for (uint32_t i = 0; i < e->ndeltas; i++) {
        const struct taut_delta *d = &e->deltas[i];
        all = arena_fmt(a, "%.*s%s%c%.*s %.*s", (int)all.len, all.ptr, i ? "," : "", (int)d->how, (int)d->who.len,
                        d->who.ptr, (int)d->topic.len, d->topic.ptr);
    }
    return all;
}

static uint32_t append(struct taut_batch *b, const struct taut_event *e) {
    uint32_t cap = b->cap_event, n = b->nevent;
    const char *fault = event_fault(mem(b), e);
    if (fault) {
        find_bad(b, fault);
        return n;
    }
    if (e->body.len) check_object(b->run->call->pub.mod, b->run, "the body of an event", e->body);
    if (e->flags & TAUT_EVENT_EPHEMERAL) {
        if (e->ndeltas)
            find_bad(b, "an ephemeral event has deltas: who may see what is never left to what can be lost");
        ROOM(mem(b), b->ephemera, b->nephemeral, b->cap_ephemeral);
        b->ephemera[b->nephemeral++] = event_new(b->view.workspace, 0, e);
        return n;
    }
    if (n == cap) {
        uint32_t records = cap;
        ROOM(mem(b), b->events, n, b->cap_event);
        ROOM(mem(b), b->records, n, records);
    }
    b->events[n] = event_new(b->view.workspace, 0, e);
    b->events[n]->at_us = clock_wall_us();
    b->records[n] = (struct taut_event_rec){
        .at_us = b->events[n]->at_us,
        .skip = e->skip,
        .topics = topics_text(mem(b), e),
        .deltas = deltas_text(mem(b), e),
        .body = b->events[n]->body,
    };
    return b->nevent++;
}

static void set_cursor(struct taut_batch *b, taut_str name, uint64_t seq) {
    if (!name.len) find_bad(b, "a cursor without a name");
    ROOM(mem(b), b->cursors, b->ncursor, b->cap_cursor);
    b->cursors[b->ncursor++] = (struct taut_cursor){.name = arena_str(mem(b), name), .seq = seq};
}

static void trim(struct taut_batch *b, uint64_t seq) {
    b->view.trim = seq;
}

static void background(struct taut_batch *b) {
    b->view.cls = TAUT_CLASS_BACKGROUND;
}

static void set_workspace(struct taut_batch *b, taut_str workspace) {
    if (taut_str_eq(b->view.workspace, workspace)) return;
    if (b->nevent) find_bad(b, "its workspace is set behind taut_append: its events already name another log");
    b->view.workspace = arena_str(mem(b), workspace);
}

static struct taut_batch *batch_of_call(struct taut_call *c) {
    check_thread(c->mod, "taut_batch");
    return batch_begin(run_of(c));
}

/* ---- submit ---- */

static void on_commit(struct taut_mod *m, void *arg, int32_t status, void *result) {
    struct run *r = arg;
    struct hub *h = hub_of(m);
    h->commits--;
    run_committed(r, status, result);
    load_release(h);
}

static const char *commit_fault(const struct run *r, const struct taut_batch *b, bool of_log) {
    if (r->replied || r->state == RUN_COMMITTING) return "its call has ended already";
    if (b != r->batch) return "it is not the last one that taut_batch made for this call";
    if (b->bad) return b->bad;
    if (of_log && !b->view.workspace.len) return "events or cursors without a workspace; see taut_batch_workspace";
    return b->view.claim_key.len && !b->nevent ? "a claim without an event" : NULL;
}

int32_t batch_commit(struct taut_call *c, struct taut_batch *b) {
    struct run *r = run_of(c);
    if (held_too_late(c)) return TAUT_E_TIMEOUT; /* nothing is stored */
    struct hub *h = r->hub;
    if (r->waiting) return TAUT_E_AGAIN; /* it went on without a row that it had asked for */
    bool of_log = b->nevent || b->ncursor || b->view.trim;
    bool has_ended = r->replied || r->state == RUN_COMMITTING;
    const char *fault = commit_fault(r, b, of_log);
    if (!fault || has_ended) check_ends(r, "taut_commit");
    if (fault) {
        if (!r->rehearsing)
            log_fmt(TAUT_LOG_ERROR, c->mod->name, "bad_batch", "%s: a batch that cannot be committed: %s",
                    handler_name(r), fault);
        if (!has_ended) held_fails(r, "internal_error", "");
        return TAUT_E_INVAL;
    }
    check_batch(r, b);
    if (r->rehearsing || (!b->nwrite && !of_log && !b->nephemeral)) {
        r->replied = true;
        held_answered(r);
        return TAUT_OK;
    }
    b->view.conds = (struct taut_array){b->conds, b->ncond, sizeof *b->conds};
    b->view.writes = (struct taut_array){b->writes, b->nwrite, sizeof *b->writes};
    b->view.events = (struct taut_array){b->records, b->nevent, sizeof *b->records};
    b->view.cursors = (struct taut_array){b->cursors, b->ncursor, sizeof *b->cursors};
    run_to(r, RUN_COMMITTING);
    r->submitted_ns = clock_mono_ns();
    h->commits++;
    ASK_STORE(h, commit, &b->view, op_new(core_mod(h), 0, on_commit, r));
    return TAUT_OK;
}

/* ---- durable ---- */

static struct taut_val resolve(struct taut_val v, uint64_t first_seq) {
    return v.type == TAUT_SEQ ? taut_v_int((int64_t)first_seq + v.u.i) : v;
}

/* A key of an event's number is known by that number. */
static taut_str written_key(char text[KEY_MAX], const struct taut_write *w, uint32_t n, uint64_t first_seq) {
    struct taut_val key[64];
    if (n > COUNT_OF(key)) return taut_str_n(text, 0);
    for (uint32_t i = 0; i < n; i++) key[i] = resolve(w->vals[i], first_seq);
    return taut_str_n(text, key_encode(text, w->table, key, n));
}

static void apply_insert(struct hub *h, const struct taut_write *w, taut_str key, struct crow *old, uint64_t lsn,
                         uint64_t first_seq) {
    struct taut_val vals[64];
    uint32_t ncols = h->modules->tables[w->table].table->cols.len;
    if (w->nvals > COUNT_OF(vals) || ncols > COUNT_OF(vals)) {
        rows_drop(&h->rows, old);
        return;
    }
    for (uint32_t i = 0; i < w->nvals; i++) vals[i] = resolve(w->vals[i], first_seq);
    struct crow *r = crow_new(w->table, key, vals, w->nvals, ncols, lsn);
    r->applied_lsn = lsn;
    rows_put(&h->rows, r);
    crow_unref(r);
}

/* What leaves the range is not defined by storage/1, but must not be by C either. */
static int64_t sum(int64_t a, int64_t b) {
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static bool apply_in_place(struct crow *r, const struct taut_write *w, uint64_t lsn, uint64_t first_seq) {
    if (r->refs > 1) return false;
    for (uint32_t i = 0; i < w->nsets; i++) {
        uint32_t type = w->sets[i].val.type;
        if (type != TAUT_INT && type != TAUT_SEQ) return false;
    }
    for (uint32_t i = 0; i < w->nsets; i++) {
        struct taut_val *at = &r->vals[w->sets[i].col], v = resolve(w->sets[i].val, first_seq);
        int64_t before = at->type == TAUT_INT ? at->u.i : 0;
        bool had = at->type == TAUT_INT;
        if (w->sets[i].how == TAUT_ADD) v.u.i = sum(v.u.i, before);
        if (w->sets[i].how == TAUT_MAX && had && before > v.u.i) v.u.i = before;
        *at = v;
    }
    r->row.as_of = r->applied_lsn = lsn;
    return true;
}

static void apply_update(struct hub *h, const struct taut_write *w, struct crow *old, uint64_t lsn,
                         uint64_t first_seq) {
    struct taut_val vals[64];
    if (!old->row.ncols) return; /* no such row: nothing was updated */
    if (apply_in_place(old, w, lsn, first_seq)) return;
    if (old->row.ncols > COUNT_OF(vals)) {
        rows_drop(&h->rows, old);
        return;
    }
    memcpy(vals, old->vals, old->row.ncols * sizeof *vals);
    for (uint32_t i = 0; i < w->nsets; i++) {
        struct taut_val *at = &vals[w->sets[i].col], v = resolve(w->sets[i].val, first_seq);
        bool had = at->type == TAUT_INT;
        if (w->sets[i].how == TAUT_ADD && v.type == TAUT_INT) v.u.i = sum(v.u.i, had ? at->u.i : 0);
        if (w->sets[i].how == TAUT_MAX && had && v.type == TAUT_INT && at->u.i > v.u.i) v.u.i = at->u.i;
        *at = v;
    }
    struct crow *r = crow_new(w->table, old->key, vals, old->row.ncols, old->row.ncols, lsn);
    r->applied_lsn = lsn;
    rows_put(&h->rows, r);
    crow_unref(r);
}

static void apply_write(struct hub *h, const struct taut_write *w, uint64_t lsn, uint64_t first_seq) {
    const struct taut_table *t = h->modules->tables[w->table].table;
    char text[KEY_MAX];
    bool range = w->kind == TAUT_W_DELETE && w->nvals < t->key_cols;
    taut_str key = written_key(text, w, range ? w->nvals : t->key_cols, first_seq);
    if (!key.len) return;
    if (range) {
        rows_drop_prefix(&h->rows, w->table, key);
        load_touched_table(h, w->table, lsn);
        return;
    }
    load_touched(h, key, lsn);
    struct crow *old = rows_peek(&h->rows, key);
    if (!old || MUTANT_ONE_IN("stale_rows", 20)) return;
    if (old->row.as_of >= lsn && old->applied_lsn != lsn) return; /* it was read when this was already in it */
    if (w->kind == TAUT_W_UPDATE) {
        apply_update(h, w, old, lsn, first_seq);
    } else if (w->kind == TAUT_W_DELETE) {
        struct crow *r = crow_new(w->table, key, NULL, 0, 0, lsn);
        r->applied_lsn = lsn;
        rows_put(&h->rows, r);
        crow_unref(r);
    } else {
        apply_insert(h, w, key, old, lsn, first_seq);
    }
}

void batch_durable(struct taut_mod *m, const struct taut_durable *list, uint32_t n) {
    struct hub *h = hub_of(m);
    struct durables *d = xmalloc(sizeof *d + n * sizeof *list);
    d->msg.kind = MSG_HUB_DURABLE;
    d->hub = h;
    d->n = n;
    memcpy(d->list, list, n * sizeof *list);
    port_post(&h->port, &d->msg);
}

void batch_on_durable(struct hub *h, struct msg *m) {
    struct durables *d = CONTAINER_OF(m, struct durables, msg);
    uint64_t now_ns = clock_mono_ns();
    crash_point("hub.before_publish");
    if (h->in_doubt) { /* the store has been brought to a known state: what is read from now on is that */
        h->in_doubt = false;
        load_doubt(h);
    }
    publish_begin(h);
    for (uint32_t i = 0; i < d->n; i++) {
        struct taut_batch *b = (struct taut_batch *)(uintptr_t)d->list[i].batch;
        for (uint32_t w = 0; w < b->nwrite; w++) apply_write(h, &b->writes[w], d->list[i].lsn, d->list[i].first_seq);
        for (uint32_t e = 0; e < b->nevent; e++)
            publish_durable(h, b->view.workspace, d->list[i].first_seq + e, b->events[e]);
        if (b->run) {
            histogram_add(&h->seen.commit_durable, now_ns - b->run->submitted_ns);
            b->run->seq = d->list[i].first_seq ? d->list[i].first_seq + b->view.events.len - 1 : 0;
        }
        h->applied_lsn = d->list[i].lsn;
    }
    publish_end(h);
    for (uint32_t i = 0; i < d->n; i++) {
        struct taut_batch *b = (struct taut_batch *)(uintptr_t)d->list[i].batch;
        for (uint32_t e = 0; e < b->nephemeral; e++) publish_event(h, b->ephemera[e]);
        hooks_durable(b, b->run ? b->run->seq : 0);
        b->nevent = b->nephemeral = 0; /* the references are given away */
    }
    free(d);
    load_release(h);
}

void batch_add_to_host(struct taut_host *t) {
    t->batch = batch_of_call;
    t->expect = add_cond;
    t->insert = insert;
    t->update = update;
    t->remove = delete_rows;
    t->claim = claim;
    t->append = append;
    t->set_cursor = set_cursor;
    t->trim = trim;
    t->background = background;
    t->batch_workspace = set_workspace;
    t->commit = batch_commit;
}
