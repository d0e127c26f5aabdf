/* host.h - what the server offers a module: one table of functions, and wrappers that read better than the table.
 *
 * Thread: the hub, except where a function says "any thread".
 */
#ifndef TAUT_HOST_H
#define TAUT_HOST_H

#include <stdarg.h>
#include <stdio.h>

#include "taut/module.h"
#include "taut/svc/storage.h"

enum { TAUT_LOG_DEBUG = 0, TAUT_LOG_INFO = 1, TAUT_LOG_WARN = 2, TAUT_LOG_ERROR = 3 };
enum { TAUT_HEALTH_OK = 0, TAUT_HEALTH_DEGRADED = 1, TAUT_HEALTH_DOWN = 2 };

/* A field of a log line. */
struct taut_kv {
    const char *key; /* [a-z0-9_]+ */
    taut_str value;
};

/* A service as its consumer holds it: the core owns it and swaps vtable when the provider goes away. */
struct taut_svc {
    const void *vtable;
    void *self;
    uint64_t generation;
};

struct taut_server_info {
    uint32_t size;
    uint32_t rate_limits; /* 0: modules slow nobody down */
    taut_str version;
    taut_str public_url; /* without a trailing slash: http://127.0.0.1:8065 */
    taut_str socket_url; /* the same with ws or wss */
    taut_str admin_url;
    taut_str data; /* the data directory, absolute */
};

typedef void (*taut_op_fn)(struct taut_mod *m, void *arg, int32_t status, void *result);
typedef int32_t (*taut_task_fn)(struct taut_mod *m, struct taut_call *c);
typedef void (*taut_task_done)(struct taut_mod *m, void *arg, const struct taut_outcome *o);

/* For ops_complete: many at once. */
struct taut_completion {
    taut_op op;
    int32_t status;
    uint32_t reserved;
    void *result;            /* read by the receiver on the hub, then destroyed */
    void (*destroy)(void *); /* may be NULL */
};

struct taut_host {
    uint32_t size;
    uint32_t reserved;

    /* -- any thread -- */
    void (*log)(struct taut_mod *m, int32_t level, const char *event, taut_str text);
    void *(*alloc)(struct taut_mod *m, size_t n);            /* NULL when out of memory */
    void *(*realloc)(struct taut_mod *m, void *p, size_t n); /* as realloc */
    void (*free)(struct taut_mod *m, void *p);
    int64_t (*now_us)(struct taut_mod *m);                         /* wall clock, microseconds since 1970 */
    int64_t (*mono_us)(struct taut_mod *m);                        /* monotonic */
    void (*random)(struct taut_mod *m, void *p, size_t n);         /* cryptographic */
    void (*count)(struct taut_mod *m, uint32_t metric, int64_t n); /* COUNTER: add; GAUGE: set */
    void (*post)(struct taut_mod *m, void (*fn)(struct taut_mod *m, void *arg), void *arg); /* run fn on the hub */
    void (*ops_complete)(struct taut_mod *m, const struct taut_completion *list, uint32_t n);
    /* The storage provider's report that these batches are on disk, in order, before it completes their ops. The
     * events in them are published now, whatever became of their callers. */
    void (*durable)(struct taut_mod *m, const struct taut_durable *list, uint32_t n);

    /* -- hub -- */
    const struct taut_server_info *(*info)(struct taut_mod *m);
    /* timeout_ms 0: no deadline. fn runs on a later turn, once. */
    taut_op (*op_new)(struct taut_mod *m, uint32_t timeout_ms, taut_op_fn fn, void *arg);
    taut_timer (*timer_start)(struct taut_mod *m, uint64_t ms, uint64_t repeat_ms,
                              void (*fn)(struct taut_mod *m, void *arg), void *arg);
    void (*timer_stop)(struct taut_mod *m, taut_timer t);
    /* Runs work on a pool thread, then done on the hub. */
    int32_t (*work)(struct taut_mod *m, void (*work)(void *arg), void (*done)(struct taut_mod *m, void *arg),
                    void *arg);
    int32_t (*svc_provide)(struct taut_mod *m, const char *family, uint32_t major, const void *vtable, void *self);
    const struct taut_svc *(*svc_get)(struct taut_mod *m, const char *family,
                                      uint32_t major); /* NULL: nobody provides it */
    int32_t (*hook_run)(struct taut_mod *m, struct taut_call *c, const char *point, struct taut_batch *b, void *data);

    /* -- calls -- */
    const struct taut_argv *(*arg)(struct taut_call *c, uint32_t i);
    void *(*scratch)(
        struct taut_call *c,
        size_t n); /* zeroed, 16-byte aligned; freed with the call; aborts the run when out of memory: never NULL */
    int32_t (*get)(struct taut_mod *m, struct taut_call *c, const struct taut_table *t, const struct taut_val *key,
                   uint32_t nkey, const struct taut_row **row);
    int32_t (*scan)(struct taut_mod *m, struct taut_call *c, const struct taut_table *t, const struct taut_scan *s,
                    const struct taut_rows **rows);
    struct taut_json *(*json)(struct taut_call *c);
    struct taut_json *(*answer)(struct taut_call *c);
    void (*next_cursor)(struct taut_call *c, taut_str cursor);
    void (*warn)(struct taut_call *c, const char *code);
    int32_t (*fail_with)(struct taut_call *c, const char *error, taut_str message);
    int32_t (*done)(struct taut_call *c);
    int32_t (*reply)(struct taut_call *c, int32_t status, const char *content_type, taut_str body);
    int32_t (*accept)(struct taut_call *c, const struct taut_accept *a);
    int32_t (*reject)(struct taut_call *c, taut_str last_frame, uint32_t close_code);
    int32_t (*commit)(struct taut_call *c, struct taut_batch *b);
    void (*progress)(struct taut_call *c, taut_str line);
    int32_t (*task)(struct taut_mod *m, taut_task_fn fn, void *arg, taut_task_done done);

    /* -- batches -- */
    struct taut_batch *(*batch)(struct taut_call *c);
    void (*expect)(struct taut_batch *b, struct taut_mod *m, const struct taut_table *t, const struct taut_val *key,
                   uint32_t nkey, uint32_t how, uint32_t col, struct taut_val v);
    void (*insert)(struct taut_batch *b, struct taut_mod *m, const struct taut_table *t, const struct taut_val *vals,
                   uint32_t n, uint32_t upsert);
    void (*update)(struct taut_batch *b, struct taut_mod *m, const struct taut_table *t, const struct taut_val *key,
                   uint32_t nkey, const struct taut_set *sets, uint32_t nsets);
    void (*remove)(struct taut_batch *b, struct taut_mod *m, const struct taut_table *t, const struct taut_val *key,
                   uint32_t nkey);
    void (*claim)(struct taut_batch *b, taut_str key, taut_str value);
    uint32_t (*append)(struct taut_batch *b, const struct taut_event *e);
    void (*background)(struct taut_batch *b);
    void (*batch_workspace)(struct taut_batch *b, taut_str workspace);

    /* -- events and connections -- */
    void (*publish)(struct taut_mod *m, taut_str workspace, const struct taut_event *e);
    void (*send)(struct taut_mod *m, taut_conn conn, taut_str json);
    void (*close)(struct taut_mod *m, taut_conn conn, uint32_t code, taut_str reason);

    /* -- routes: request.h has the wrappers; since 0.2 -- */
    const struct taut_route_host *route;

    /* -- any thread: observe.h has the wrappers; since 0.2 -- */
    void (*measure)(struct taut_mod *m, uint32_t metric, uint32_t label, int64_t value);
    void (*health)(struct taut_mod *m, uint32_t level, const char *code, taut_str text);
    void (*log_kv)(struct taut_mod *m, int32_t level, const char *event, taut_str text, const struct taut_kv *kvs,
                   uint32_t n);
};

/* ---- wrappers: modules write these ---- */

/* Writes one line. event: a short fixed name such as "store_open", by which lines are counted and rate-limited. Never a
 * token, a password or a message's text. Any thread. */
TAUT_PRINTF(4, 5)
static inline void taut_log(struct taut_mod *m, int32_t level, const char *event, const char *fmt, ...) {
    char line[512];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    if (n < 0) n = 0;
    m->host->log(m, level, event, taut_str_n(line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1));
}
static inline void *taut_alloc(struct taut_mod *m, size_t n) {
    return m->host->alloc(m, n);
}
static inline void *taut_realloc(struct taut_mod *m, void *p, size_t n) {
    return m->host->realloc(m, p, n);
}
static inline void taut_free(struct taut_mod *m, void *p) {
    m->host->free(m, p);
}
static inline int64_t taut_now_us(struct taut_mod *m) {
    return m->host->now_us(m);
}
static inline int64_t taut_mono_us(struct taut_mod *m) {
    return m->host->mono_us(m);
}
static inline void taut_count(struct taut_mod *m, uint32_t metric, int64_t n) {
    m->host->count(m, metric, n);
}

/* Completes an operation; it runs its receiver on the hub on a later turn. A stale op is counted and its result
 * destroyed. Any thread. */
static inline void taut_op_complete(struct taut_mod *m, taut_op op, int32_t status, void *result,
                                    void (*destroy)(void *)) {
    struct taut_completion c = {op, status, 0, result, destroy};
    m->host->ops_complete(m, &c, 1);
}

/* Writes a new id: `kind`, then 10 characters of [0-9A-Z]. out holds 12 bytes. Any thread. */
static inline taut_str taut_id_new(struct taut_mod *m, char kind, char out[12]) {
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    unsigned char r[10];
    int i;
    m->host->random(m, r, sizeof r);
    out[0] = kind;
    for (i = 0; i < 10; i++) out[i + 1] = digits[r[i] & 31];
    out[11] = 0;
    return taut_str_n(out, 11);
}

/* The row of that key, or NULL in *row when there is none. Errors: TAUT_E_AGAIN (return it), TAUT_E_UNAVAILABLE. */
static inline int32_t taut_get(struct taut_mod *m, struct taut_call *c, const struct taut_table *t,
                               const struct taut_val *key, uint32_t nkey, const struct taut_row **row) {
    return m->host->get(m, c, t, key, nkey, row);
}
/* Rows in order. Errors as taut_get. */
static inline int32_t taut_scan(struct taut_mod *m, struct taut_call *c, const struct taut_table *t,
                                const struct taut_scan *s, const struct taut_rows **rows) {
    return m->host->scan(m, c, t, s, rows);
}
static inline const struct taut_argv *taut_arg(struct taut_call *c, uint32_t i) {
    return c->mod->host->arg(c, i);
}
static inline taut_str taut_arg_str(struct taut_call *c, uint32_t i) {
    return taut_arg(c, i)->s;
}
static inline int taut_arg_given(struct taut_call *c, uint32_t i) {
    return taut_arg(c, i)->present != 0;
}
static inline int64_t taut_arg_int(struct taut_call *c, uint32_t i, int64_t dflt) {
    const struct taut_argv *a = taut_arg(c, i);
    return a->present ? a->i : dflt;
}
static inline void *taut_scratch(struct taut_call *c, size_t n) {
    return c->mod->host->scratch(c, n);
}
/* A copy that lives as long as the call. */
static inline taut_str taut_keep(struct taut_call *c, taut_str s) {
    char *p = (char *)taut_scratch(c, s.len + 1);
    if (s.len) memcpy(p, s.ptr, s.len);
    return taut_str_n(p, s.len);
}
/* A formatted string that lives as long as the call. */
TAUT_PRINTF(2, 3) static inline taut_str taut_fmt(struct taut_call *c, const char *fmt, ...) {
    char small[256];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(small, sizeof small, fmt, ap);
    va_end(ap);
    if (n < 0) n = 0;
    if ((size_t)n < sizeof small) return taut_keep(c, taut_str_n(small, (size_t)n));
    char *p = (char *)taut_scratch(c, (size_t)n + 1);
    va_start(ap, fmt);
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return taut_str_n(p, (size_t)n);
}
/* A writer on a scratch buffer of the call, for event bodies and the like; empty, no bracket open. */
static inline struct taut_json *taut_json_scratch(struct taut_call *c) {
    return c->mod->host->json(c);
}
/* What the writer holds. */
static inline taut_str taut_json_out(const struct taut_json *j) {
    return taut_str_n(j->ptr, j->len);
}

/* The answer, for METHOD opened as {"ok":true ; for FRAME, COMMAND and TASK as { ; add members, do not close it. Each
 * run starts it anew, and so does each call of this function. */
static inline struct taut_json *taut_answer(struct taut_call *c) {
    return c->mod->host->answer(c);
}
/* response_metadata.next_cursor of the answer. */
static inline void taut_next_cursor(struct taut_call *c, taut_str cursor) {
    c->mod->host->next_cursor(c, cursor);
}
/* Adds a code to `warning` and response_metadata.warnings. */
static inline void taut_warn(struct taut_call *c, const char *code) {
    c->mod->host->warn(c, code);
}
/* Answers an error code. Returns TAUT_E_FAILED, to be returned by the handler. One who calls such a function and gets
 * TAUT_E_FAILED may still answer otherwise (taut_answer, taut_done): the code stands in c->failed. */
static inline int32_t taut_fail(struct taut_call *c, const char *error) {
    return c->mod->host->fail_with(c, error, taut_str_n("", 0));
}
/* The same with a line for people, which goes to response_metadata.messages as "[ERROR] message". */
static inline int32_t taut_fail_text(struct taut_call *c, const char *error, taut_str message) {
    return c->mod->host->fail_with(c, error, message);
}
/* Sends the answer now. */
static inline int32_t taut_done(struct taut_call *c) {
    return c->mod->host->done(c);
}
/* ROUTE: sends this. */
static inline int32_t taut_reply(struct taut_call *c, int32_t status, const char *content_type, taut_str body) {
    return c->mod->host->reply(c, status, content_type, body);
}
/* OPEN: lets the socket in, or sends it a last frame (or none) and closes it. */
static inline int32_t taut_accept(struct taut_call *c, const struct taut_accept *a) {
    return c->mod->host->accept(c, a);
}
static inline int32_t taut_reject(struct taut_call *c, taut_str last_frame, uint32_t close_code) {
    return c->mod->host->reject(c, last_frame, close_code);
}
/* Submits the batch; the answer leaves when it is on disk. A batch with neither writes nor events answers at once. */
static inline int32_t taut_commit(struct taut_call *c, struct taut_batch *b) {
    return c->mod->host->commit(c, b);
}
/* COMMAND: one line of progress for the person who waits. */
static inline void taut_progress(struct taut_call *c, taut_str line) {
    c->mod->host->progress(c, line);
}
/* Starts a call of the module's own, as actor SYSTEM; fn reads c->arg. done (may be NULL) runs once at its end. */
static inline int32_t taut_task(struct taut_mod *m, taut_task_fn fn, void *arg, taut_task_done done) {
    return m->host->task(m, fn, arg, done);
}

/* The call's batch, empty at each run. It copies what it is given. Its workspace is the actor's. */
static inline struct taut_batch *taut_batch(struct taut_call *c) {
    return c->mod->host->batch(c);
}
/* For OPERATOR and SYSTEM calls: whose log the events go to. Before the first taut_append. */
static inline void taut_batch_workspace(struct taut_call *c, struct taut_batch *b, taut_str workspace) {
    c->mod->host->batch_workspace(b, workspace);
}
/* Conditions: all of them are checked before anything is written. */
static inline void taut_expect_absent(struct taut_batch *b, struct taut_mod *m, const struct taut_table *t,
                                      const struct taut_val *key, uint32_t nkey) {
    m->host->expect(b, m, t, key, nkey, TAUT_COND_ABSENT, 0, taut_v_null());
}
static inline void taut_expect_present(struct taut_batch *b, struct taut_mod *m, const struct taut_table *t,
                                       const struct taut_val *key, uint32_t nkey) {
    m->host->expect(b, m, t, key, nkey, TAUT_COND_PRESENT, 0, taut_v_null());
}
/* The row is there and its column equals v. */
static inline void taut_expect_equals(struct taut_batch *b, struct taut_mod *m, const struct taut_table *t,
                                      const struct taut_val *key, uint32_t nkey, uint32_t col, struct taut_val v) {
    m->host->expect(b, m, t, key, nkey, TAUT_COND_EQUALS, col, v);
}
/* A new row: all columns, or the first n (the rest NULL). A conflict when the key, or a unique index, has one already.
 */
static inline void taut_insert(struct taut_batch *b, struct taut_mod *m, const struct taut_table *t,
                               const struct taut_val *vals, uint32_t n) {
    m->host->insert(b, m, t, vals, n, 0);
}
/* The same, or in place of the row that is there. */
static inline void taut_upsert(struct taut_batch *b, struct taut_mod *m, const struct taut_table *t,
                               const struct taut_val *vals, uint32_t n) {
    m->host->insert(b, m, t, vals, n, 1);
}
/* Changes columns outside the key. A row that is not there is left so: add a condition where that matters. */
static inline void taut_update(struct taut_batch *b, struct taut_mod *m, const struct taut_table *t,
                               const struct taut_val *key, uint32_t nkey, const struct taut_set *sets, uint32_t nsets) {
    m->host->update(b, m, t, key, nkey, sets, nsets);
}
/* Deletes the rows whose first nkey key columns are these: one row, or a range. */
static inline void taut_delete(struct taut_batch *b, struct taut_mod *m, const struct taut_table *t,
                               const struct taut_val *key, uint32_t nkey) {
    m->host->remove(b, m, t, key, nkey);
}
/* Claims `key` (within the workspace) for 24 h. When it was claimed before, nothing is written and the handler runs
 * again with c->claimed set to the earlier value. At most one a batch; a batch with a claim has an event. */
static inline void taut_claim(struct taut_batch *b, struct taut_mod *m, taut_str key, taut_str value) {
    m->host->claim(b, key, value);
}
/* Appends an event to the workspace's log. Returns its number in the batch, for taut_v_seq; of an ephemeral one:
 * nothing of use. */
static inline uint32_t taut_append(struct taut_batch *b, struct taut_mod *m, const struct taut_event *e) {
    return m->host->append(b, e);
}
/* Bulk work: goes behind what people wait for. */
static inline void taut_background(struct taut_batch *b, struct taut_mod *m) {
    m->host->background(b);
}

/* An event past the log: may be lost. */
static inline void taut_publish(struct taut_mod *m, taut_str workspace, const struct taut_event *e) {
    m->host->publish(m, workspace, e);
}
/* A text frame to one connection; a closed one is ignored. */
static inline void taut_send(struct taut_mod *m, taut_conn conn, taut_str json) {
    m->host->send(m, conn, json);
}
static inline void taut_conn_close(struct taut_mod *m, taut_conn conn, uint32_t code, taut_str reason) {
    m->host->close(m, conn, code, reason);
}

/* Runs every function at that hook point; stops at the first that does not return TAUT_OK. */
static inline int32_t taut_hook_run(struct taut_mod *m, struct taut_call *c, const char *point, struct taut_batch *b,
                                    void *data) {
    return m->host->hook_run(m, c, point, b, data);
}
static inline const struct taut_svc *taut_svc_get(struct taut_mod *m, const char *family, uint32_t major) {
    return m->host->svc_get(m, family, major);
}
static inline int32_t taut_svc_provide(struct taut_mod *m, const char *family, uint32_t major, const void *vtable,
                                       void *self) {
    return m->host->svc_provide(m, family, major, vtable, self);
}

#endif
