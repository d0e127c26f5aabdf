/* host.h - what the server offers a module: one table of functions, grown at its end only. Modules write the wrappers
 * of the other headers (and those below), which say what each function does.
 *
 * A module imports no symbol of the server: everything comes through m->host.
 *
 * Thread: the hub, the module's home loop, on which all of its callbacks run one at a time; except where it says "any
 * thread". A build with TAUT_CHECKS stops the process at a call from another thread, with the names of module and
 * function; others count it and log it once. Since 1.0.
 */
#ifndef TAUT_HOST_H
#define TAUT_HOST_H

#include <stdarg.h>
#include <stdio.h>

#include "taut/types.h"

struct taut_accept;
struct taut_actor;
struct taut_argv;
struct taut_completion;
struct taut_durable;
struct taut_event;
struct taut_json;
struct taut_outcome;
struct taut_row;
struct taut_rows;
struct taut_scan;
struct taut_set;
struct taut_subscription;
struct taut_svc;
struct taut_table;
struct taut_val;

enum { TAUT_LOG_DEBUG = 0, TAUT_LOG_INFO = 1, TAUT_LOG_WARN = 2, TAUT_LOG_ERROR = 3 };
enum { TAUT_HEALTH_OK = 0, TAUT_HEALTH_DEGRADED = 1, TAUT_HEALTH_DOWN = 2 };

struct taut_server_info {
    uint32_t size;
    uint32_t rate_limits; /* 0: modules slow nobody down */
    taut_str version;
    taut_str public_url; /* without a trailing slash: http://127.0.0.1:8065 */
    taut_str socket_url; /* the same with ws or wss */
    taut_str admin_url;
    taut_str data; /* the data directory, absolute */
};

/* The end of an operation. result: valid until this returns. */
typedef void (*taut_op_fn)(struct taut_mod *m, void *arg, int32_t status, void *result);
/* Plain callbacks: a timer, posted work, the end of work on the pool. */
typedef void (*taut_fn)(struct taut_mod *m, void *arg);
typedef int32_t (*taut_task_fn)(struct taut_mod *m, struct taut_call *c);
typedef void (*taut_task_done)(struct taut_mod *m, void *arg, const struct taut_outcome *o);
/* Begins something whose end completes op. */
typedef void (*taut_start_fn)(struct taut_mod *m, void *arg, taut_op op);

struct taut_host {
    uint32_t size;
    uint32_t reserved;

    /* -- any thread -- */
    void (*log)(struct taut_mod *m, int32_t level, const char *event, taut_str text, const struct taut_kv *kvs,
                uint32_t nkvs);
    void *(*alloc)(struct taut_mod *m, size_t n);
    void *(*realloc)(struct taut_mod *m, void *p, size_t n);
    void (*free)(struct taut_mod *m, void *p);
    int64_t (*now_us)(struct taut_mod *m);
    int64_t (*mono_us)(struct taut_mod *m);
    void (*random)(struct taut_mod *m, void *p, size_t n);
    void (*measure)(struct taut_mod *m, uint32_t metric, uint32_t label, int64_t n);
    void (*post)(struct taut_mod *m, taut_fn fn, void *arg);
    void (*ops_complete)(struct taut_mod *m, const struct taut_completion *list, uint32_t n);
    void (*durable)(struct taut_mod *m, const struct taut_durable *list, uint32_t n); /* svc/storage.h */

    /* -- hub -- */
    const struct taut_server_info *(*info)(struct taut_mod *m);
    void (*health)(struct taut_mod *m, uint32_t level, const char *code, taut_str text);
    taut_op (*op_new)(struct taut_mod *m, const struct taut_svc *svc, uint32_t timeout_ms, taut_op_fn fn, void *arg);
    void (*op_cancel)(struct taut_mod *m, taut_op op);
    int32_t (*op_on_cancel)(struct taut_mod *m, taut_op op, taut_fn fn, void *arg);
    taut_timer (*timer_start)(struct taut_mod *m, uint64_t ms, uint64_t repeat_ms, taut_fn fn, void *arg);
    void (*timer_stop)(struct taut_mod *m, taut_timer t);
    taut_poll (*poll_start)(struct taut_mod *m, int32_t fd, uint32_t events,
                            void (*fn)(struct taut_mod *m, void *arg, uint32_t events), void *arg);
    void (*poll_stop)(struct taut_mod *m, taut_poll p);
    int32_t (*work)(struct taut_mod *m, void (*work)(void *arg), taut_fn done, void *arg);
    int32_t (*svc_provide)(struct taut_mod *m, const char *family, uint32_t major, const void *vtable, void *self);
    const struct taut_svc *(*svc_get)(struct taut_mod *m, const char *family, uint32_t major, const void *down);
    taut_sub (*subscribe)(struct taut_mod *m, const struct taut_subscription *s);
    void (*subscription_seek)(struct taut_mod *m, taut_sub sub, taut_str workspace, uint64_t seq);
    void (*unsubscribe)(struct taut_mod *m, taut_sub sub);

    /* -- hooks -- */
    uint32_t (*hooked)(struct taut_mod *m, const char *point);
    int32_t (*filter)(struct taut_mod *m, struct taut_call *c, const char *point, taut_str key, struct taut_batch *b,
                      void *data);
    void (*observe)(struct taut_mod *m, struct taut_batch *b, const char *point, taut_str workspace, taut_str body);
    int32_t (*provide)(struct taut_mod *m, struct taut_call *c, const char *point, void *data);

    /* -- calls -- */
    const struct taut_argv *(*arg)(struct taut_call *c, uint32_t i);
    void *(*scratch)(struct taut_call *c, size_t n);
    int64_t (*stamp_us)(struct taut_call *c, int64_t after_us);
    int32_t (*get)(struct taut_mod *m, struct taut_call *c, const struct taut_table *t, const struct taut_val *key,
                   uint32_t nkey, const struct taut_row **row);
    int32_t (*scan)(struct taut_mod *m, struct taut_call *c, const struct taut_table *t, const struct taut_scan *s,
                    const struct taut_rows **rows);
    int32_t (*await)(struct taut_mod *m, struct taut_call *c, const struct taut_svc *svc, taut_str key,
                     uint32_t timeout_ms, taut_start_fn start, void *arg, void **result);
    struct taut_json *(*json)(struct taut_call *c);
    struct taut_json *(*answer)(struct taut_call *c);
    void (*next_cursor)(struct taut_call *c, taut_str cursor);
    void (*warn)(struct taut_call *c, const char *code);
    int32_t (*fail_with)(struct taut_call *c, const char *error, taut_str message);
    int32_t (*done)(struct taut_call *c);
    void (*at_end)(struct taut_mod *m, struct taut_call *c, taut_fn fn, void *arg);
    int32_t (*reply)(struct taut_call *c, int32_t status, const char *content_type, taut_str body);
    int32_t (*accept)(struct taut_call *c, const struct taut_accept *a);
    int32_t (*reject)(struct taut_call *c, taut_str last_frame, uint32_t close_code);
    int32_t (*commit)(struct taut_call *c, struct taut_batch *b);
    void (*progress)(struct taut_call *c, taut_str line);
    int32_t (*task)(struct taut_mod *m, const struct taut_actor *actor, taut_task_fn fn, void *arg,
                    taut_task_done done);

    /* -- batches -- */
    struct taut_batch *(*batch)(struct taut_call *c);
    void (*batch_workspace)(struct taut_batch *b, taut_str workspace);
    void (*background)(struct taut_batch *b);
    void (*expect)(struct taut_batch *b, struct taut_mod *m, const struct taut_table *t, const struct taut_val *key,
                   uint32_t nkey, uint32_t how, uint32_t col, const struct taut_val *v);
    void (*insert)(struct taut_batch *b, struct taut_mod *m, const struct taut_table *t, const struct taut_val *vals,
                   uint32_t n, uint32_t upsert);
    void (*update)(struct taut_batch *b, struct taut_mod *m, const struct taut_table *t, const struct taut_val *key,
                   uint32_t nkey, const struct taut_set *sets, uint32_t nsets);
    void (*remove)(struct taut_batch *b, struct taut_mod *m, const struct taut_table *t, const struct taut_val *key,
                   uint32_t nkey);
    void (*claim)(struct taut_batch *b, taut_str key, taut_str value);
    uint32_t (*append)(struct taut_batch *b, const struct taut_event *e);
    void (*set_cursor)(struct taut_batch *b, taut_str name, uint64_t seq);
    void (*trim)(struct taut_batch *b, uint64_t seq);

    /* -- events and connections -- */
    void (*publish)(struct taut_mod *m, taut_str workspace, const struct taut_event *e);
    void (*send)(struct taut_mod *m, taut_conn conn, taut_str json);
    void (*close)(struct taut_mod *m, taut_conn conn, uint32_t code, taut_str reason);

    /* -- routes: route.h -- */
    const struct taut_route_host *route;
};

/* ---- the base ---- */

/* Writes one line. event: a short fixed name such as "store_open", by which lines are counted and rate-limited. Never a
 * token, a password or a message's text. Any thread. */
static inline void taut_log_kv(struct taut_mod *m, int32_t level, const char *event, taut_str text,
                               const struct taut_kv *kvs, uint32_t nkvs) {
    m->host->log(m, level, event, text, kvs, nkvs);
}
TAUT_PRINTF(4, 5)
static inline void taut_log(struct taut_mod *m, int32_t level, const char *event, const char *fmt, ...) {
    char line[512];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    if (n < 0) n = 0;
    m->host->log(m, level, event, taut_str_n(line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1), NULL, 0);
}

/* Memory of the module, counted as its own. NULL: out of memory, or over `memory.hard` of its item in taut.yaml.
 * Aligned for any type. free(NULL) does nothing. Any thread. */
static inline void *taut_alloc(struct taut_mod *m, size_t n) {
    return m->host->alloc(m, n);
}
static inline void *taut_realloc(struct taut_mod *m, void *p, size_t n) {
    return m->host->realloc(m, p, n);
}
static inline void taut_free(struct taut_mod *m, void *p) {
    m->host->free(m, p);
}

/* The wall clock in microseconds since 1970; a clock that only rises. Inside a handler both stand still for the length
 * of one run, and of those that follow it because rows were loaded; they begin anew behind a wait or a conflict. Any
 * thread. */
static inline int64_t taut_now_us(struct taut_mod *m) {
    return m->host->now_us(m);
}
static inline int64_t taut_mono_us(struct taut_mod *m) {
    return m->host->mono_us(m);
}

/* Bytes that nobody can guess. Any thread. */
static inline void taut_random(struct taut_mod *m, void *p, size_t n) {
    m->host->random(m, p, n);
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

/* A metric by its place in the module's table: COUNTER adds n, GAUGE is set to it, HISTOGRAM takes it as one more
 * measurement, which is in microseconds when the metric's unit is "seconds". label: which of the values that the
 * metric's `labels` names, from 0; 0 when it has none. What was not declared is ignored. Any thread.
 *
 *     static const struct taut_metric metrics[] = {
 *         [SENT] = {.name = "sent_total", .kind = TAUT_COUNTER, .help = "Mails sent.", .labels = "result=ok|error"},
 *         [TOOK] = {.name = "delivery", .kind = TAUT_HISTOGRAM, .unit = "seconds", .help = "Time of a delivery."},
 *     };
 */
static inline void taut_measure(struct taut_mod *m, uint32_t metric, uint32_t label, int64_t n) {
    m->host->measure(m, metric, label, n);
}
static inline void taut_count(struct taut_mod *m, uint32_t metric, int64_t n) {
    m->host->measure(m, metric, 0, n);
}

/* How the module is. code: a short fixed name such as "relay_down"; text: one line for the operator, without secrets.
 * The state is the worst of what was reported; a report replaces the one of the same code, and TAUT_HEALTH_OK takes it
 * back (with code NULL: all of them). Shown by `taut status` and /readyz. Any thread. */
static inline void taut_health(struct taut_mod *m, uint32_t level, const char *code, taut_str text) {
    m->host->health(m, level, code, text);
}

/* What this server is. Its strings live as long as the module; `size` says how far it reaches. Hub. */
static inline const struct taut_server_info *taut_info(struct taut_mod *m) {
    return m->host->info(m);
}

#endif
