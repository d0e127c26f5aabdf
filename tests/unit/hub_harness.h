/* hub_harness.h - the hub on one loop in one thread, with a store that does what the test says: rows it has, commits
 * and reads that it holds back, refuses or reports durable when told; a module under test; and a gateway that notes
 * what it gets. */
#ifndef HUB_HARNESS_H
#define HUB_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "hub/internal.h"

/* ---- a store by script ---- */

enum { HELD_MAX = 64 };
struct fake_store {
    struct taut_mod *mod;
    int64_t value; /* of the one row that exists: notes("W1","n1") */
    bool exists;
    uint64_t lsn, seq;
    uint32_t gets, commits;
    const struct taut_batch_view *held[HELD_MAX];
    taut_op held_op[HELD_MAX];
    uint32_t nheld;
    int32_t refuse_next; /* answer the next commit so, at once */
    bool hold_reads;
    taut_op read_op;
    uint32_t read_n;
    uint64_t read_as_of;
    int64_t read_value;
    bool hold_scans;
    taut_op scan_ops[HELD_MAX];
    uint32_t nscans;
    taut_op close_op;             /* waits for the reads that are held */
    uint64_t log_first, log_last; /* what the store has of W1's log; last 0: all that is asked for is gone */
    uint64_t cursor;              /* the one that it has, of the name "user"; 0: none */
    int32_t log_error;            /* answer the next question about the log so */
    uint32_t log_reads, log_max_bytes;
};

static const struct taut_col note_cols[] = {{"workspace", TAUT_TEXT, 0}, {"id", TAUT_TEXT, 0}, {"n", TAUT_INT, 0}};
static const struct taut_table notes = {
    .size = sizeof notes, .key_cols = 2, .name = "notes", .cols = TAUT_ARRAY(note_cols)};
static const struct taut_table *const all_tables[] = {&notes};

static struct fake_store store;

static void complete_get(taut_op op, uint32_t n, uint64_t as_of, int64_t value) {
    struct taut_get_result *res = calloc(1, sizeof *res + n * sizeof(struct taut_row) + 3 * sizeof(struct taut_val));
    struct taut_row *rows = (struct taut_row *)(void *)(res + 1);
    struct taut_val *vals = (struct taut_val *)(void *)(rows + n);
    vals[0] = taut_v_str(TAUT_LIT("W1"));
    vals[1] = taut_v_str(TAUT_LIT("n1"));
    vals[2] = taut_v_int(value);
    for (uint32_t i = 0; i < n; i++) rows[i] = (struct taut_row){store.exists ? 3 : 0, 0, as_of, vals};
    *res = (struct taut_get_result){sizeof *res, n, as_of, rows};
    taut_op_complete(store.mod, op, TAUT_OK, res, free);
}

static void fake_open(void *self, const struct taut_table_ref *tables, uint32_t n, taut_op op) {
    (void)self, (void)tables, (void)n;
    taut_op_complete(store.mod, op, TAUT_OK, NULL, NULL);
}
static void fake_get(void *self, const struct taut_get_req *reqs, uint32_t n, taut_op op) {
    (void)self, (void)reqs;
    store.gets++;
    if (store.hold_reads) {
        store.read_op = op;
        store.read_n = n;
        store.read_as_of = store.lsn;
        store.read_value = store.value;
        return;
    }
    complete_get(op, n, store.lsn, store.value);
}
static void fake_commit(void *self, const struct taut_batch_view *b, taut_op op) {
    static struct taut_commit_result refused;
    (void)self;
    store.commits++;
    if (store.refuse_next) {
        refused.claim_value = TAUT_LIT("first");
        taut_op_complete(store.mod, op, store.refuse_next, &refused, NULL);
        store.refuse_next = 0;
        return;
    }
    store.held[store.nheld] = b;
    store.held_op[store.nheld++] = op;
}
static void fake_scan(void *self, uint32_t table, const struct taut_scan *s, taut_op op) {
    static struct taut_rows rows;
    (void)self, (void)table, (void)s;
    rows = (struct taut_rows){.size = sizeof rows, .as_of = store.lsn, .seq = store.seq};
    if (store.hold_scans) {
        store.scan_ops[store.nscans++] = op;
        return;
    }
    taut_op_complete(store.mod, op, TAUT_OK, &rows, NULL);
}
static bool log_fails(taut_op op) {
    int32_t error = store.log_error;
    store.log_error = 0;
    if (error) taut_op_complete(store.mod, op, error, NULL, NULL);
    return error != 0;
}
static void fake_events(void *self, taut_str workspace, uint64_t after, uint32_t limit, uint32_t max_bytes,
                        taut_op op) {
    (void)self, (void)workspace;
    store.log_reads++;
    store.log_max_bytes = max_bytes;
    if (log_fails(op)) return;
    uint64_t left = after < store.log_last ? store.log_last - after : 0;
    uint32_t n = left < limit ? (uint32_t)left : limit;
    bool is_gap = !store.log_last || after + 1 < store.log_first;
    struct taut_event_rows *rows = calloc(1, sizeof *rows + n * sizeof(struct taut_event_rec));
    struct taut_event_rec *list = (struct taut_event_rec *)(void *)(rows + 1);
    for (uint32_t i = 0; i < n; i++)
        list[i] = (struct taut_event_rec){.seq = after + 1 + i, .topics = TAUT_LIT("C1"), .body = TAUT_LIT("{}")};
    *rows = (struct taut_event_rows){sizeof *rows, is_gap ? 0 : n, store.log_first, store.log_last, list};
    taut_op_complete(store.mod, op, is_gap ? TAUT_E_GAP : TAUT_OK, rows, free);
}
static void fake_logs(void *self, taut_op op) {
    static struct taut_log_head head;
    static struct taut_log_heads heads;
    (void)self;
    if (log_fails(op)) return;
    head = (struct taut_log_head){TAUT_LIT("W1"), store.log_first, store.log_last};
    heads = (struct taut_log_heads){sizeof heads, store.log_last > 0, &head};
    taut_op_complete(store.mod, op, TAUT_OK, &heads, NULL);
}
static void fake_cursors(void *self, taut_str workspace, taut_op op) {
    static struct taut_cursor cursor;
    static struct taut_cursors cursors;
    (void)self, (void)workspace;
    if (log_fails(op)) return;
    cursor = (struct taut_cursor){.name = TAUT_LIT("user"), .seq = store.cursor};
    cursors = (struct taut_cursors){sizeof cursors, store.cursor > 0, &cursor};
    taut_op_complete(store.mod, op, TAUT_OK, &cursors, NULL);
}
static void fake_close(void *self, taut_op op) {
    (void)self;
    store.close_op = op;
    if (!store.hold_reads) taut_op_complete(store.mod, op, TAUT_OK, NULL, NULL);
}
static const struct taut_storage_v1 fake_storage = {.close = fake_close,
                                                    .size = sizeof fake_storage,
                                                    .open = fake_open,
                                                    .commit = fake_commit,
                                                    .get = fake_get,
                                                    .scan = fake_scan,
                                                    .events = fake_events,
                                                    .logs = fake_logs,
                                                    .cursors = fake_cursors};

/* All held batches become durable, in order; then their ops complete. */
static void release(void) {
    for (uint32_t i = 0; i < store.nheld; i++) {
        struct taut_durable d = {store.held[i], ++store.lsn, 0};
        if (store.held[i]->events.len) {
            d.first_seq = store.seq + 1;
            store.seq += store.held[i]->events.len;
        }
        store.mod->host->durable(store.mod, &d, 1);
        taut_op_complete(store.mod, store.held_op[i], TAUT_OK, NULL, NULL);
    }
    store.nheld = 0;
}

static int32_t store_init(struct taut_mod *m) {
    store.mod = m;
    return taut_svc_provide(m, "storage", 1, &fake_storage, NULL);
}

/* ---- a module under test ---- */

#define NOTE TAUT_KEY(taut_v_str(TAUT_LIT("W1")), taut_v_str(TAUT_LIT("n1")))

static int runs;

/* Counts a run; of one that is rehearsed first, one of the two. */
static int32_t counted(struct taut_call *c, int32_t got) {
    runs += !run_of(c)->rehearsing || got == TAUT_E_AGAIN;
    return got;
}

static int32_t bump(struct taut_mod *m, struct taut_call *c) {
    const struct taut_row *row;
    if (c->claimed.len) {
        counted(c, TAUT_OK);
        taut_json_kstr(taut_answer(c), "earlier", c->claimed);
        return taut_done(c);
    }
    TAUT_TRY(counted(c, taut_get(m, c, &notes, NOTE, &row)));
    struct taut_batch *b = taut_batch(c);
    taut_str topic = TAUT_LIT("C1");
    struct taut_event e = {.size = sizeof e, .ntopics = 1, .topics = &topic, .body = TAUT_LIT("{\"type\":\"bump\"}")};
    struct taut_set add = {2, TAUT_ADD, taut_v_int(1)};
    taut_batch_workspace(c->mod, b, TAUT_LIT("W1"));
    taut_update(m, b, &notes, TAUT_KEY(taut_v_str(TAUT_LIT("W1")), taut_v_str(TAUT_LIT("n1"))), &add, 1);
    taut_append(m, b, &e);
    taut_json_kint(taut_answer(c), "was", row ? taut_row_int(row, 2) : -1);
    return taut_commit(c, b);
}

static int32_t endless(struct taut_mod *m, struct taut_call *c) {
    (void)m;
    taut_answer(c);
    return TAUT_OK; /* neither answers nor commits */
}

static int32_t let_in(struct taut_mod *m, struct taut_call *c) {
    const struct taut_rows *rows;
    struct taut_actor *a = taut_scratch(c, sizeof *a);
    struct taut_scan s = {.size = sizeof s, .index = TAUT_SCAN_PRIMARY, .limit = 10, .workspace = TAUT_LIT("W1")};
    TAUT_TRY(taut_scan(m, c, &notes, &s, &rows));
    *a = (struct taut_actor){.size = sizeof *a, .workspace = TAUT_LIT("W1"), .user = TAUT_LIT("U1")};
    struct taut_topic t = {TAUT_LIT("C1"), 0};
    struct taut_accept acc = {
        .size = sizeof acc, .actor = a, .ntopics = 1, .topics = &t, .as_of = rows->seq, .cursor = rows->seq};
    return taut_accept(c, &acc);
}

static void add_one(struct taut_mod *m, struct taut_batch *b) {
    const struct taut_set add = {2, TAUT_ADD, taut_v_int(1)};
    taut_update(m, b, &notes, NOTE, &add, 1);
}

static int32_t blind(struct taut_mod *m, struct taut_call *c) { /* adds 1 without reading */
    struct taut_batch *b = taut_batch(c);
    add_one(m, b);
    taut_answer(c);
    return taut_commit(c, b);
}

static int32_t twice(struct taut_mod *m, struct taut_call *c) {
    const struct taut_row *row;
    TAUT_TRY(taut_get(m, c, &notes, NOTE, &row));
    struct taut_batch *b = taut_batch(c);
    add_one(m, b);
    add_one(m, b);
    taut_answer(c);
    return taut_commit(c, b);
}

static int32_t peek(struct taut_mod *m, struct taut_call *c) {
    const struct taut_row *row;
    TAUT_TRY(counted(c, taut_get(m, c, &notes, NOTE, &row)));
    taut_json_kint(taut_answer(c), "is", taut_row_int(row, 2));
    return taut_done(c);
}

/* Looks at the row only when it was claimed earlier. */
static int32_t late(struct taut_mod *m, struct taut_call *c) {
    if (!c->claimed.len) return blind(m, c);
    return peek(m, c);
}

/* Needs two scans, and asks for both at once. */
static int32_t scanner(struct taut_mod *m, struct taut_call *c) {
    const struct taut_rows *a, *b;
    struct taut_scan s = {.size = sizeof s, .index = TAUT_SCAN_PRIMARY, .limit = 10};
    int32_t first = taut_scan(m, c, &notes, &s, &a);
    s.limit = 11;
    TAUT_TRY(taut_scan(m, c, &notes, &s, &b));
    TAUT_TRY(first);
    taut_answer(c);
    return taut_done(c);
}

/* Reads what depends on a row, and answers with the row. */
static int32_t guarded(struct taut_mod *m, struct taut_call *c) {
    const struct taut_row *row;
    const struct taut_rows *rows;
    const struct taut_scan s = {.size = sizeof s, .index = TAUT_SCAN_PRIMARY, .limit = 10};
    TAUT_TRY(taut_get(m, c, &notes, NOTE, &row));
    TAUT_TRY(taut_scan(m, c, &notes, &s, &rows));
    taut_json_kint(taut_answer(c), "is", taut_row_int(row, 2));
    return taut_done(c);
}

/* Knows its answer before the row that it asked for is there. */
static int32_t hasty(struct taut_mod *m, struct taut_call *c) {
    const struct taut_row *row;
    (void)taut_get(m, c, &notes, NOTE, &row);
    return taut_fail(c, "no_need");
}

static int closed;
static void on_close(struct taut_mod *m, taut_conn conn, void *state) {
    (void)m, (void)conn, (void)state;
    closed += !run_here();
}

static const struct taut_method methods[] = {{.name = "bump", .flags = TAUT_METHOD_NOAUTH, .run = bump},
                                             {.name = "endless", .flags = TAUT_METHOD_NOAUTH, .run = endless},
                                             {.name = "blind", .flags = TAUT_METHOD_NOAUTH, .run = blind},
                                             {.name = "twice", .flags = TAUT_METHOD_NOAUTH, .run = twice},
                                             {.name = "peek", .flags = TAUT_METHOD_NOAUTH, .run = peek},
                                             {.name = "hasty", .flags = TAUT_METHOD_NOAUTH, .run = hasty},
                                             {.name = "late", .flags = TAUT_METHOD_NOAUTH, .run = late},
                                             {.name = "scanner", .flags = TAUT_METHOD_NOAUTH, .run = scanner},
                                             {.name = "guarded", .flags = TAUT_METHOD_NOAUTH, .run = guarded}};
enum { BUMP, ENDLESS, BLIND, TWICE, PEEK, HASTY, LATE, SCANNER, GUARDED, METHODS };
static const struct taut_socket_route sockets[] = {{"/s/", "s", let_in, bump, on_close},
                                                   {"/p/", "p", let_in, peek, on_close}};
static const struct taut_module store_def = {
    .size = sizeof store_def, .name = "store", .provides = TAUT_LIST("storage/1"), .init = store_init};
static const struct taut_module user_def = {.size = sizeof user_def, .name = "user", .tables = TAUT_ARRAY(all_tables)};

/* ---- the bench ---- */

struct bench {
    uv_loop_t loop;
    struct hub *hub;
    struct modules ms;
    struct instance store_in, user_in;
    struct instance *list[2];
    struct taut_table_ref refs[1];
    struct method_entry methods[METHODS];
    struct socket_entry socket;
    struct port gateway;
    struct call_pool pool;
    /* what the gateway got */
    struct call *answers[96];
    uint32_t nanswers;
    char early[512];
    uint64_t events[64];
    uint32_t nevents;
    uint64_t refilled[64], upto;
    uint32_t nrefilled, gaps;
    bool ready;
};
static struct bench *b_;

static void on_gateway_mail(struct port *p, struct msg *m) {
    (void)p;
    if (m->kind == MSG_ANSWER) {
        b_->answers[b_->nanswers++] = CONTAINER_OF(m, struct call, msg);
        return;
    }
    if (m->kind == MSG_EARLY) {
        struct early_msg *e = CONTAINER_OF(m, struct early_msg, msg);
        snprintf(b_->early, sizeof b_->early, "%.*s", (int)e->body.len, e->body.ptr);
    } else if (m->kind == MSG_EVENTS || m->kind == MSG_REFILLED) {
        struct events_msg *e = CONTAINER_OF(m, struct events_msg, msg);
        for (uint32_t i = 0; i < e->n; i++) {
            if (m->kind == MSG_EVENTS) b_->events[b_->nevents++] = e->events[i]->seq;
            else b_->refilled[b_->nrefilled++] = e->events[i]->seq;
            event_unref(e->events[i]);
        }
        if (m->kind == MSG_REFILLED) b_->upto = e->upto, b_->gaps += e->gap;
    }
    free(m);
}

static void turn(void) {
    for (int i = 0; i < 6; i++) uv_run(&b_->loop, UV_RUN_NOWAIT);
}

static void on_ready(void *arg, int32_t err, const char *text) {
    (void)arg, (void)text;
    assert_int_equal(err, 0);
    b_->ready = true;
}

static const struct taut_module *module_of_user = &user_def; /* of the next setup */

TAUT_UNUSED static int setup(void **state) {
    static const struct taut_server_info info = {.size = sizeof info};
    struct bench *b = b_ = *state = calloc(1, sizeof *b);
    memset(&store, 0, sizeof store);
    store.exists = true;
    store.value = 7;
    runs = closed = 0;
    uv_loop_init(&b->loop);
    b->store_in = (struct instance){.def = &store_def, .name = (char *)(uintptr_t) "store"};
    b->user_in = (struct instance){.def = module_of_user, .name = (char *)(uintptr_t) "user", .ntables = 1};
    b->list[0] = &b->store_in, b->list[1] = &b->user_in;
    b->refs[0] = (struct taut_table_ref){.sql_name = "user_notes", .table = &notes};
    b->ms = (struct modules){.list = b->list, .n = 2, .tables = b->refs, .ntables = 1};
    for (int i = 0; i < METHODS; i++) b->methods[i] = (struct method_entry){.owner = &b->user_in, .def = &methods[i]};
    b->socket = (struct socket_entry){&b->user_in, &sockets[0]};
    struct hub_config config = {.info = &info, .call_timeout_ms = 150, .cache_bytes = 1 << 20, .tail_events = 4};
    b->hub = hub_new(&b->loop, &b->ms, &config);
    port_open(&b->gateway, &b->loop, on_gateway_mail, NULL);
    hub_add_gateway(b->hub, &b->gateway);
    hub_start_modules(b->hub, on_ready, NULL);
    turn();
    assert_true(b->ready);
    return 0;
}

static void on_end(void *arg, int32_t err, const char *text) {
    (void)arg, (void)err, (void)text;
}

TAUT_UNUSED static int teardown(void **state) {
    struct bench *b = *state;
    store.hold_reads = false;
    release();
    turn();
    if (!b->hub->stopping) hub_stop_modules(b->hub, on_end, NULL);
    turn();
    for (uint32_t i = 0; i < b->nanswers; i++) call_put(&b->pool, b->answers[i]);
    port_close(&b->gateway);
    hub_free(b->hub);
    call_pool_free(&b->pool);
    uv_run(&b->loop, UV_RUN_DEFAULT);
    uv_loop_close(&b->loop);
    free(b);
    return 0;
}

TAUT_UNUSED static struct call *ask(int method) {
    struct call *c = call_get(&b_->pool, TAUT_CALL_METHOD, &b_->gateway);
    c->method = &b_->methods[method];
    c->msg.kind = MSG_CALL;
    port_post(hub_port(b_->hub), &c->msg);
    turn();
    return c;
}

TAUT_UNUSED static void open_socket(taut_conn id) {
    struct call *c = call_get(&b_->pool, TAUT_CALL_OPEN, &b_->gateway);
    c->socket = &b_->socket;
    c->pub.conn = id;
    c->msg.kind = MSG_CALL;
    port_post(hub_port(b_->hub), &c->msg);
    turn();
}

TAUT_UNUSED static struct call *frame(taut_conn id) {
    struct call *c = call_get(&b_->pool, TAUT_CALL_FRAME, &b_->gateway);
    c->socket = &b_->socket;
    c->pub.conn = id;
    c->msg.kind = MSG_CALL;
    port_post(hub_port(b_->hub), &c->msg);
    return c;
}

#define assert_body(i, text)                                                                                    \
    do {                                                                                                        \
        char body_[512];                                                                                        \
        assert_true((i) < b_->nanswers);                                                                        \
        snprintf(body_, sizeof body_, "%.*s", (int)b_->answers[i]->out.body.len, b_->answers[i]->out.body.ptr); \
        assert_string_equal(body_, text);                                                                       \
    } while (0)

#endif
