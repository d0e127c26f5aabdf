/* internal.h - what the files of the hub share. Everything here belongs to the hub's thread, unless it says otherwise.
 *
 *   hub.c        the thread: mail in, one flush a loop turn, deadlines
 *   lifecycle.c  init, start and stop of all modules
 *   switch.c     modules stopped and started while the server runs
 *   instance.c   the steps of one module's life
 *   services.c   services: their consumers' places, down tables
 *   breaker.c    when services and hooks are left out
 *   hooks.c      filters, observers, providers at their points
 *   subscribe.c  modules that read the log
 *   sub_keep.c   their cursors
 *   ops.c        operations: slots with generations, completions from any thread
 *   timers.c     timers, watched descriptors and the work pool
 *   run.h        a call at work: run.c, held.c, load.c, await.c, answer.c, route.c, check*.c
 *   rows.c       the cache of rows, kept right by what becomes durable
 *   typed.c      values, scans and events against what was declared
 *   batch.c      batches: built by handlers, submitted, applied to the cache when durable
 *   publish.c    the stream of durable events, the tail of each log, refill
 *   conns.c      open sockets as the hub knows them
 *   host.c       the table that modules get
 *   observe.c    what is measured
 *   metrics.c    its names and texts
 *   report.c     what modules report about themselves: log lines, measures, health
 *   memory.c     what modules hold of the host, and may
 *   status.c     what an operator may see
 */
#ifndef HUB_INTERNAL_H
#define HUB_INTERNAL_H

#include "hub/hub.h"
#include "hub/observe.h"
#include "hub/run.h"
#include "taut/svc/auth.h"
#include "taut/taut.h"

enum { GATEWAYS_MAX = 32, KEY_MAX = 1024 };

/* Messages to the hub from its own side of the threads. */
enum { MSG_HUB_COMPLETIONS = MSG_HUB_INTERNAL, MSG_HUB_DURABLE, MSG_HUB_WORKED, MSG_HUB_POSTED };

/* ---- rows.c ---- */

/* A cached row, or the knowledge that there is none (row.ncols 0). Reference counted: calls that saw it keep it. */
struct crow {
    uint32_t refs;
    uint32_t table;
    taut_str key;                         /* encoded; behind the struct */
    struct crow *older, *newer;           /* of all cached rows, by use */
    struct crow *table_next, *table_prev; /* of the cached rows of its table */
    uint64_t applied_lsn;                 /* the last commit that was applied to it here; 0: as it was read */
    size_t bytes;
    bool cached; /* in the map, which holds one reference */
    struct taut_row row;
    struct taut_val vals[];
};
struct row_cache {
    struct map map;
    struct crow *newest, *oldest;
    struct crow **by_table;
    size_t bytes, max_bytes;
    uint64_t hits, misses, evictions;
};
bool key_fits(const struct taut_val *key, uint32_t nkey); /* into KEY_MAX, encoded */
/* Encodes table and key values; returns the length, 0 when over KEY_MAX. */
size_t key_encode(char out[KEY_MAX], uint32_t table, const struct taut_val *key, uint32_t nkey);
struct crow *crow_new(uint32_t table, taut_str key, const struct taut_val *vals, uint32_t nvals, uint32_t ncols,
                      uint64_t as_of);
static inline void crow_unref(struct crow *r) {
    if (--r->refs == 0) free(r);
}
void rows_init(struct row_cache *c, uint32_t ntables, size_t max_bytes);
struct crow *rows_find(struct row_cache *c, taut_str key); /* counts; moves it to the front */
struct crow *rows_peek(struct row_cache *c, taut_str key);
void rows_put(struct row_cache *c, struct crow *r); /* takes a reference of its own; replaces */
void rows_drop(struct row_cache *c, struct crow *r);
void rows_drop_prefix(struct row_cache *c, uint32_t table, taut_str prefix);
void rows_drop_all(struct row_cache *c);
void rows_free(struct row_cache *c);

/* ---- ops.c ---- */
struct op_slot {
    uint32_t generation; /* odd: in use */
    uint32_t next_free;
    struct taut_mod *mod;
    taut_op_fn fn;
    void *arg;
    int64_t deadline_us;     /* 0: none */
    struct service *service; /* that was asked, or NULL */
    taut_str key;            /* of an await, in its call's memory; else empty */
    bool hurried;            /* a filter's budget leaves less time than it asked for: no fault of the service */
    struct taut_mod *doer;   /* wants to hear of a cancellation, or NULL */
    bool is_modules;         /* fn is the module's; else the core's, on behalf of mod */
    taut_fn on_cancel;
    void *cancel_arg;
    uint32_t completed; /* the generation that was completed last, and by whom (NULL: the core) */
    const struct taut_mod *completed_by;
};
struct ops {
    struct op_slot *slots;
    uint32_t n, cap, free; /* free: index + 1 */
    uint32_t with_deadline;
    uint64_t stale, timed_out;
    bool expired; /* what is delivered now is the end of a deadline, not an answer */
    struct taut_completion delivering;
};
taut_op op_new(struct taut_mod *m, uint32_t timeout_ms, taut_op_fn fn, void *arg); /* of the core's, or of no service */
taut_op op_new_await(struct taut_mod *m, const struct taut_svc *svc, taut_str key, uint32_t timeout_ms, bool hurried,
                     taut_op_fn fn, void *arg);
void ops_add_to_host(struct taut_host *t);
void ops_fail_of(struct hub *h, struct service *s); /* those that were asked of it: unavailable */
void ops_end_of(struct hub *h, struct taut_mod *m); /* nothing that it has begun reaches it any more */
void ops_complete(struct taut_mod *m, const struct taut_completion *list, uint32_t n); /* any thread */
void ops_deliver(struct hub *h, struct msg *m);
void ops_tick(struct hub *h, int64_t now_us);
/* Inside a receiver: the result is the receiver's, to be destroyed with what this returns. */
void (*ops_keep_result(struct hub *h))(void *);
void ops_abandon(struct hub *h); /* no receiver is called any more; late results are just destroyed */
void ops_free(struct hub *h);

/* ---- typed.c: what is wrong, for people, in the arena's memory; or NULL ---- */
enum value_use { VALUE_SOUGHT, VALUE_WRITTEN };
const char *value_fault(struct arena *a, const struct taut_table *t, uint32_t col, const struct taut_val *v,
                        enum value_use use);
const char *values_fault(struct arena *a, const struct taut_table *t, const struct taut_val *vals, uint32_t n,
                         enum value_use use); /* of the first n columns */
const char *key_fault(struct arena *a, const struct taut_table *t, const struct taut_val *key, uint32_t nkey,
                      enum value_use use);
/* Of the i-th of what an update sets. */
const char *set_fault(struct arena *a, const struct taut_table *t, const struct taut_set *sets, uint32_t i);
const char *scan_fault(struct arena *a, const struct taut_table *t, const struct taut_scan *s);
const char *event_fault(struct arena *a, const struct taut_event *e);

/* ---- batch.c ---- */
struct taut_batch {
    struct taut_batch_view view; /* first: durable() finds the batch by its view */
    struct run *run;
    uint32_t ncond, cap_cond, nwrite, cap_write, nevent, cap_event, nephemeral, cap_ephemeral;
    struct taut_cond *conds;
    struct taut_write *writes;
    struct event **events, **ephemera; /* one reference each until published or dropped */
    struct taut_event_rec *records;
    struct taut_cursor *cursors;
    uint32_t start; /* of the run that has begun it */
    uint32_t ncursor, cap_cursor;
    struct observed *observed, *observed_last; /* to be told when this is on disk */
    const char *bad;                           /* what could not be added: the commit fails; or NULL */
};
struct taut_batch *batch_begin(struct run *r);
void batch_drop_events(struct taut_batch *b);
void batch_add_to_host(struct taut_host *t);
void batch_durable(struct taut_mod *m, const struct taut_durable *list, uint32_t n); /* any thread */
void batch_on_durable(struct hub *h, struct msg *m);
int32_t batch_commit(struct taut_call *c, struct taut_batch *b);

/* ---- publish.c ---- */
struct tail {
    struct event **ring;
    uint32_t cap, first, n; /* events of dense seq, oldest first */
    size_t bytes;
};
struct wslog {
    taut_str name;
    uint64_t position; /* of the last published event; 0: none since the start */
    bool grown;        /* in this group */
    struct tail tail;
    struct feed *feeds; /* who reads it (subscribe.c) */
};
struct wslog *wslog_get(struct hub *h, taut_str workspace);
void publish_begin(struct hub *h);
void publish_durable(struct hub *h, taut_str workspace, uint64_t seq, struct event *e); /* takes the reference */
void publish_end(struct hub *h);                    /* everything since begin, as one message a gateway */
void publish_event(struct hub *h, struct event *e); /* ephemeral; takes the reference */
void publish_ephemeral(struct taut_mod *m, taut_str workspace, const struct taut_event *e);
void publish_refill(struct hub *h, struct conn_msg *m);
/* Events (after, to] from memory, a reference each; false when the tail does not reach back. */
bool tail_read(struct wslog *l, uint64_t after, uint64_t to, struct arena *a, struct event ***events, uint32_t *n);
void publish_free(struct hub *h);

/* ---- conns.c ---- */
struct hconn {
    taut_conn id;
    struct port *gateway;
    const struct socket_entry *socket;
    struct taut_actor actor; /* its strings are in one block with it */
    void *state;
    struct call *queue_first, *queue_last;
    struct run *busy; /* the frame that has not yet submitted or answered */
    bool closed;
    uint32_t users; /* frames under way */
    bool starting;  /* next_frames is at work */
    bool barred;
};
void conns_add_to_host(struct taut_host *t);
void conns_frame(struct hub *h, struct call *c);
void conns_frame_passed(struct hub *h, struct hconn *conn, const struct run *r); /* submitted: the next one may start */
void conns_frame_done(struct hub *h, struct hconn *conn, const struct run *r);   /* answered; r is only compared */
/* Who was shut out: frames of theirs that are still to start are not run. */
void conns_bar(struct hub *h, taut_str workspace, taut_str who);
void conns_closed(struct hub *h, struct conn_msg *m);
struct hconn *conns_find(struct hub *h, taut_conn id);
void conns_end_of(struct hub *h, const struct instance *in); /* closes those of its routes */
uint32_t conns_of(struct hub *h, const struct instance *in);
void conns_free(struct hub *h);

/* ---- breaker.c ---- */
bool breaker_fault(struct breaker *b, int64_t now_us); /* true: it is to open, for open_ms */
void breaker_success(struct breaker *b);
void breaker_close(struct breaker *b); /* for a trial */

/* ---- services.c ---- */
struct proxy;
struct service {
    struct service *next;
    char *family;
    uint32_t major;
    struct instance *provider; /* NULL: none, or it has stopped */
    const void *vtable;
    void *self;
    struct breaker breaker;
    uint64_t timeouts;
    struct proxy *proxies;
    const struct instance *asked_undeclared; /* who did so last: told once */
};
void services_add_to_host(struct taut_host *t);
const struct taut_svc *svc_get(struct taut_mod *m, const char *family, uint32_t major, const void *down);
struct service *service_of(const struct taut_svc *svc);
const char *services_missing(struct hub *h, const struct instance *in); /* one that it should provide; or NULL */
void service_timed_out(struct hub *h, struct service *s);
void service_succeeded(struct hub *h, struct service *s);
void services_stop_of(struct hub *h, struct instance *in); /* it provides nothing any more */
void services_free(struct hub *h);

/* ---- hooks.c ---- */
struct hook_time;
void hook_count(struct hook_time *t);                                    /* up to now, its budget was used */
uint32_t hook_time_left(const struct hook_time *t, uint32_t timeout_ms); /* at most timeout_ms; 0: none */
void hooks_add_to_host(struct taut_host *t);
void hooks_durable(struct taut_batch *b, uint64_t seq);
void hooks_turn(struct hub *h); /* tells observers what was left for a later turn */
void hooks_free(struct hub *h);

/* ---- subscribe.c ---- */
void subs_add_to_host(struct taut_host *t);
void subs_published(struct hub *h, struct wslog *l); /* it has grown */
void subs_stop_of(struct hub *h, struct taut_mod *m);
void subs_free(struct hub *h);

/* ---- sub_keep.c ---- */
void subs_flush(struct hub *h, void (*then)(struct hub *h)); /* keeps all cursors, then goes on */

/* ---- sub_watch.c ---- */
void subs_watch(struct hub *h);                       /* about once a second: health of those that do not go on */
void subs_status(struct hub *h, struct taut_json *j); /* adds "readers" */

/* ---- restore.c ---- */
void restore_instead_of_open(struct hub *h);

/* ---- instance.c ---- */
struct instance *store_module(struct hub *h);
uint32_t start_timeout_ms(const struct hub *h);
uint32_t stop_timeout_ms(const struct hub *h);
int32_t instance_init(struct hub *h, struct instance *in);
taut_str instance_why(const struct instance *in, int32_t err);                        /* its init or start failed so */
void instance_start(struct hub *h, struct instance *in, taut_op_fn fn, void *arg);    /* one that has a start */
uint32_t instance_stop(struct hub *h, struct instance *in, taut_op_fn fn, void *arg); /* … a stop; its deadline in ms */
void instance_sweep(struct hub *h, struct instance *in); /* takes away what it has registered */
void instance_fini(struct instance *in);
/* A step did not end in time ("stop"): nothing of it is called any more, and its memory stays. */
void instance_hangs(struct hub *h, struct instance *in, const char *what, uint32_t timeout_ms);

/* ---- switch.c ---- */
/* Does a switch go on? Then the modules are stopped when its step has ended. */
bool switch_stops_first(struct hub *h, void (*done)(void *arg, int32_t err, const char *text), void *arg);

/* ---- lifecycle.c, timers.c, host.c ---- */
/* While it starts: ends what has begun; `done` hears that. */
void lifecycle_end(struct hub *h, int32_t err, taut_str text);
void timers_init(struct hub *h);
taut_timer timer_start(struct taut_mod *m, uint64_t ms, uint64_t repeat_ms, taut_fn fn, void *arg);
void timer_stop(struct taut_mod *m, taut_timer id);
void work_deliver(struct msg *m);
void work_forget(struct hub *h, struct taut_mod *m); /* what is queued of it */
void host_posted(struct msg *m);
void timers_stop_of(struct hub *h, struct taut_mod *m);
bool work_stop(struct hub *h); /* false: a thread does not end (logged) */
uint32_t timers_count(struct hub *h);
uint32_t work_queued(struct hub *h);
void host_init(struct hub *h);

/* ---- report.c: any thread ---- */
void report_add_to_host(struct taut_host *t);
void report_health(struct taut_mod *m, uint32_t level, const char *code, taut_str text); /* what the core finds */

/* ---- memory.c: any thread ---- */
void memory_add_to_host(struct taut_host *t);
void memory_watch(struct taut_mod *m); /* is it over its limits, or below again? */

/* ---- observe.c ---- */
void observe_begin(struct hub *h);
void observe_end(struct hub *h);
void observe_commit(struct hub *h, int32_t status);
void observe_end_of(struct hub *h, const struct run *r);
static inline struct crumb_owner *crumbs_of(const struct taut_mod *m) {
    return &((const struct instance *)(const void *)m)->seen->crumbs;
}
struct hub *hub_of(const struct taut_mod *m);
/* It did not start or stop in time, or has failed and cleaned up after itself: nothing of it is called. */
static inline bool is_left(const struct taut_mod *m) {
    const struct instance *in = (const struct instance *)(const void *)m;
    return in->hung[0] || in->state == INSTANCE_FAILED;
}

struct hub {
    struct taut_host host; /* first: a module's host pointer is a hub pointer */
    uv_loop_t *loop;
    struct port port;
    uv_prepare_t turn; /* flushes what a turn collected */
    uv_timer_t tick;
    struct modules *modules;
    struct hub_config config;
    struct {
        struct port *port;
        struct outbox out;
    } gateways[GATEWAYS_MAX];
    uint32_t ngateways;

    struct ops ops;
    struct row_cache rows;
    struct map loads;    /* key -> struct load */
    struct load *unsent; /* loads of this turn */
    uint32_t nunsent;
    struct scan_wait *scans; /* those that wait for their turn */
    uint32_t scanning;       /* calls that have scans */
    struct run *ahead;       /* their snapshots are newer than what is applied here */
    uint64_t applied_lsn;    /* the last commit whose rows and events are applied and published */
    uint32_t commits;        /* at the store */
    bool in_doubt; /* a commit may be on disk of which durable() will never tell: no row is kept until the next one */
    struct run *runs, *runs_last;
    struct run *next_run; /* of who goes through them while they end */
    uint32_t nruns;
    struct call_pool pool;  /* tasks and commands */
    struct map logs;        /* workspace -> struct wslog */
    struct map conns;       /* id -> struct hconn */
    struct event **pending; /* published in this group */
    uint32_t npending, cap_pending;
    struct service *services;
    const struct taut_svc *storage, *auth; /* never NULL once modules start */
    struct sub *subs, *ended_subs;
    struct sub *next_sub; /* of who goes through them while they end */
    uint64_t last_sub;
    struct observed *observed, *observed_last; /* for a later turn */
    struct map turns;                          /* key -> struct turn_queue */
    struct run *ready;                         /* whose turn has come */
    taut_timer keeping;                        /* of cursors that have moved (sub_keep.c); 0: none has */
    struct keep *keeps;                        /* cursors at the store */
    struct run *running;                       /* whose handler runs now */
    int64_t last_stamp_us;
    struct lifecycle *lifecycle;
    struct switching *switching; /* modules are stopped or started while the server runs */
    struct restoring *restoring; /* the store is to be restored, not opened */
    struct timers *timers;
    struct work *work;
    struct instance core; /* the owner of the core's own operations and commands */
    struct hub_seen seen;
    bool stopping;          /* no handler runs any more */
    bool store_open, ended; /* ended: mail is only thrown away */
    bool hung;              /* a module did not start, stop or close: its threads may still use memory of ours */
};
static inline const struct taut_storage_v1 *storage_of(struct hub *h) {
    return h->storage->vtable;
}
/* Whose time a call of the service is; NULL: nobody provides it. */
static inline struct crumb_owner *provider_crumbs(const struct taut_svc *svc) {
    const struct service *s = service_of(svc);
    return s && s->provider ? &s->provider->seen->crumbs : NULL;
}
/* Calls a function of storage/1, with a crumb. */
#define ASK_STORE(h, function, ...)                                                        \
    do {                                                                                   \
        crumb_enter(provider_crumbs((h)->storage), CRUMB_SERVICE, "storage/1 " #function); \
        storage_of(h)->function((h)->storage->self, __VA_ARGS__);                          \
        crumb_leave(NULL);                                                                 \
    } while (0)
/* The instance whose name storage's ops run under. */
struct taut_mod *core_mod(struct hub *h);
void hub_tick_on(struct hub *h); /* deadlines are to be watched */
void hub_send(struct hub *h, struct port *to, struct msg *m);

#endif
