/* run.h - a call at work in the hub: what becomes of it from its arrival to its answer, how it waits, and how a build
 * with checks looks after the module that handles it. Everything here belongs to the hub's thread, unless it says
 * otherwise.
 *
 *   run.c          the life of a call: authentication, runs, conflicts, its end
 *   held.c         calls that modules keep open
 *   load.c         reads that missed: collected over a turn, asked together, calls run again
 *   await.c        calls that wait for something else, and for their turn
 *   answer.c       the envelope
 *   route.c        requests and answers of HTTP routes
 *   check.c        what modules may not do: wrong threads, effects before the last read, runs that differ
 *   check_state.c  … and changes of their state while a handler runs
 *   check_text.c   … and texts that are no JSON
 */
#ifndef HUB_RUN_H
#define HUB_RUN_H

#include "hub/hub.h"
#include "taut/taut.h"

enum { RUNS_MAX_CONFLICTS = 8, RUNS_MAX = 64 };

struct hub;
struct hconn;
struct crow;

/* ---- run.c ---- */
enum run_state {
    RUN_RUNNING,    /* its handler runs, or is about to */
    RUN_LOADING,    /* waits for rows, for what it awaits, for its turn: to run again */
    RUN_COMMITTING, /* its batch is at the store */
    RUN_HELD,       /* TAUT_E_PENDING: a module will answer */
    RUN_OVERDUE,    /* the same, and its caller has been answered in the module's place */
    RUN_SETTLED,    /* its answer stands; a read is still under way */
    RUN_DONE,
    RUN_STATES
};
struct memo {
    struct memo *next;
    taut_str key;           /* encoded read */
    struct crow *row;       /* get */
    struct taut_rows *rows; /* scan */
    void (*destroy)(void *);
};
struct run {
    struct hub *hub;
    struct call *call;
    struct instance *owner;
    taut_task_fn handler;
    enum run_state state;
    const char *name; /* of the method, the command …; NULL: none */
    uint64_t began_ns, submitted_ns;
    struct run *prev, *next; /* all runs, oldest first */
    int64_t deadline_us;     /* 0: none */
    bool dead;               /* its caller has been answered: end it when it can be ended */
    bool scanning;           /* it has one of the places for calls with scans */
    bool restart;            /* run the handler again from its start, at once */
    bool was_held;           /* it ends where it was held: it is not begun anew */
    bool failed, answer_open, replied;
    bool rehearsing;         /* this run is for show (check.c): its effects go nowhere */
    const char *effect;      /* the first one of this run, or NULL */
    const char *asked;       /* the function that has made it wait last */
    const char *ended_by;    /* the function that has ended the call in this run, or NULL (TAUT_CHECKS) */
    struct states *states;   /* of all modules, as its rehearsal began (TAUT_CHECKS) */
    int64_t now_us, mono_us; /* the clocks as this run sees them; 0: not looked at */
    bool same_moment;        /* it runs again for rows alone: with the clocks of the run before */
    struct at_end *at_end;   /* what this run wants done when it is the one that counts; newest first */
    bool ended_once;         /* that has been done */
    struct tape *tape;       /* what chance gave the rehearsal, to be given again */
    struct await *awaits;
    uint32_t awaiting; /* of `waiting`: for something else than reads */
    struct run *next_ready;
    struct turn *turns;           /* its places in queues (await.c), newest first */
    struct hook_time *hook_times; /* of the filters that have been asked in this call */
    struct hook_time *hook;       /* of the one that runs now, or NULL */
    uint32_t hook_depth;          /* filters that run now, each inside the one before */
    int32_t load_error;
    uint64_t as_of;         /* the newest snapshot among its reads */
    uint64_t scan_as_of;    /* the newest among its scans: rows from before it are read again */
    struct run *next_ahead; /* in hub.ahead */
    uint32_t conflicts, waiting, starts;
    struct memo *memos;
    struct crow **pinned; /* rows that this call was shown */
    uint32_t npinned, cap_pinned;
    struct taut_batch *batch;
    struct taut_actor actor;
    struct taut_json json;
    taut_str next_cursor, fail_text;
    const char *warnings[8];
    uint32_t nwarnings;
    uint64_t seq;       /* of the last event of its batch */
    struct hconn *conn; /* FRAME */
    struct call *next_frame;
    /* TASK, COMMAND */
    taut_task_done task_done;
    const struct hub_command *command;
};
#ifdef TAUT_CHECKS
struct run *run_of(struct taut_call *c); /* stops who uses a call that has ended */
#else
static inline struct run *run_of(struct taut_call *c) {
    return CONTAINER_OF(c, struct call, pub)->run;
}
#endif
static inline bool run_is_held(const struct run *r) {
    return r->state == RUN_HELD || r->state == RUN_OVERDUE;
}
void run_to(struct run *r, enum run_state to); /* the one way from state to state */
/* Does the run that has ended so wait for something, to run again? Also one that went on without what it asked for:
 * what it then came to rests on nothing. */
static inline bool run_waits(const struct run *r, int32_t err) {
    return r->waiting && (err >= 0 || err == TAUT_E_AGAIN || err == TAUT_E_PENDING || err == TAUT_E_FAILED);
}
void run_begin(struct hub *h, struct call *c);                     /* owns c from here */
void run_frame(struct hub *h, struct call *c, struct hconn *conn); /* the next frame of a connection */
void run_again(struct run *r);                                     /* its rows are there, or its batch met a conflict */
void run_committed(struct run *r, int32_t status, const struct taut_commit_result *res);
void run_finish(struct run *r); /* the answer is in call->out */
void answer_now(struct run *r); /* its caller gets it now, whenever the call ends */
void run_tick(struct hub *h, int64_t now_us);
void run_end_all(struct hub *h); /* no handler runs any more */
void run_add_to_host(struct taut_host *t);
int32_t run_task(struct taut_mod *m, const struct taut_actor *actor, taut_task_fn fn, void *arg, taut_task_done done);

/* ---- held.c ---- */
void held_expire(struct run *r);
bool held_too_many(const struct instance *in); /* it gets no more calls */
void held_returned(struct run *r);             /* one that was overdue ends */
/* A module answers a held call. True: nobody waits for it any more, and it has ended: r is gone. */
bool held_too_late(struct taut_call *c);
void run_do_at_end(const struct run *r); /* what this run wants done then */
void held_answered(struct run *r);       /* if it is held: the call ends with that */
/* If its handler does not run: what the module ends it with cannot be, and it ends with this. */
void held_fails(struct run *r, const char *code, const char *text);
void held_end_of(struct hub *h, struct instance *in); /* it was stopped: none of its calls stays open */

/* ---- load.c ---- */
int32_t load_get(struct taut_mod *m, struct taut_call *c, const struct taut_table *t, const struct taut_val *key,
                 uint32_t nkey, const struct taut_row **row);
int32_t load_scan(struct taut_mod *m, struct taut_call *c, const struct taut_table *t, const struct taut_scan *s,
                  const struct taut_rows **rows);
void load_flush(struct hub *h);
void load_arrived(struct run *r, int32_t status, uint64_t as_of); /* one thing that the run waited for is there */
uint32_t load_scans_waiting(const struct hub *h);
void load_scan_freed(struct hub *h);                          /* a call that had scans has ended, or reads no more */
void load_release(struct hub *h);                             /* calls whose snapshots are no longer ahead go on */
void load_touched(struct hub *h, taut_str key, uint64_t lsn); /* a commit wrote this key */
void load_doubt(struct hub *h); /* what is cached, or being read, may be outdated already */
void load_touched_table(struct hub *h, uint32_t table, uint64_t lsn);
void run_forget_reads(struct run *r);
bool table_id(const struct taut_mod *m, const struct taut_table *t, uint32_t *id);

/* ---- answer.c ---- */
void answer_add_to_host(struct taut_host *t);
void answer_error(struct run *r, const char *code, taut_str text);
void answer_finish(struct run *r); /* call->out from what the handler left */

/* ---- route.c ---- */
void route_add_to_host(struct taut_host *t);
void route_forget(struct call *c);              /* what a rehearsal put into the answer */
void route_finish(struct call *c, bool failed); /* drops the headers and the file of an answer that is not given */

/* ---- await.c ---- */
int32_t await_result(struct taut_mod *m, struct taut_call *c, const struct taut_svc *svc, taut_str key,
                     uint32_t timeout_ms, taut_start_fn start, void *arg, void **result);
void await_forget(struct run *r); /* its results, at its end */
void turns_go_on(struct hub *h);
/* TAUT_OK when no earlier run is before this one in the queue of that key; AGAIN: it waits. */
int32_t turn_take(struct run *r, taut_str key);
void turns_leave(struct run *r);
void turns_free(struct hub *h);

/* ---- check.c ---- */
void check_hub_thread(struct hub *h); /* the calling thread is its */
bool check_is_hub_thread(const struct hub *h);
/* Is this the hub's thread? A module that calls from another one is stopped (TAUT_CHECKS), or told once. */
bool check_thread(const struct taut_mod *m, const char *function);
/* A handler (if one runs) causes something. False: it only rehearses, and nothing is to happen. */
bool check_effect(struct taut_mod *m, const char *function);
/* False: the module gave something that cannot be used, or nothing; logged. Any thread. */
bool check_given(const struct taut_mod *m, const char *function, bool is_given, const char *what);
void check_completed_twice(const struct taut_mod *m); /* an op, by the same module */
/* It is to wait for something: it may have caused nothing yet. False: its handler does not run, it cannot wait. */
bool check_read(struct run *r, const char *function);
struct run *run_here(void); /* the run whose handler runs on this thread, or NULL */
/* With TAUT_CHECKS: runs the handler for show. True: it waits, *err says for what, and the run that counts comes later.
 */
bool check_rehearse(struct run *r, int32_t (*run)(struct run *r), int32_t *err);
void check_batch(struct run *r, const struct taut_batch *b); /* it is to be submitted */
void check_compare(struct run *r, int32_t err);              /* the run that counts has ended: as in its rehearsal? */
uint64_t check_actor(const struct run *r);                   /* who its call is, as a digest */
void check_actor_is(const struct run *r, uint64_t digest);   /* it still is that one */
void check_random(struct run *r, void *p, size_t n);
int64_t check_stamp(struct run *r, int64_t after_us);
void check_ends(struct run *r, const char *function); /* the module ends its call by that */
const char *handler_name(const struct run *r);        /* for people: of the method, the path … */

/* ---- check_state.c ---- */
void state_took(struct taut_mod *m, const void *at, size_t bytes); /* any thread: a block is the module's */
void state_gave(const void *at);                                   /* any thread */
void states_note(struct run *r);                                   /* a rehearsal begins: what modules remember now */
void states_compare(struct run *r);                                /* … and must still remember */
void states_forgive(struct run *r, const struct taut_mod *m);      /* the core itself has called it: not compared */

/* ---- check_text.c ---- */
/* Stops the module that has written something else. With TAUT_CHECKS. r: whose handler it was, or NULL. */
void check_object(const struct taut_mod *m, const struct run *r, const char *what, taut_str text);

#endif
