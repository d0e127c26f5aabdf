/* call.h - a call: one thing that somebody asked for, from its arguments to its answer.
 *
 * A Web API method over HTTP, a text frame on a socket, the opening of a socket, a sub-command of `taut` and a task
 * that a module starts itself are all calls, and their handlers are written alike.
 *
 * HANDLERS ARE RESTARTABLE. taut_get and taut_scan return rows at once when they are at hand; otherwise they return
 * TAUT_E_AGAIN, the handler returns that at once, the core loads all rows that it missed and runs the handler again
 * from its start. So a handler has no side effect before its last read, and at its end exactly one of: taut_commit
 * (answers when the batch is on disk), taut_done (answers now), taut_fail. When a condition of the batch did not hold
 * (TAUT_E_CONFLICT) the core runs the handler again, up to 8 times.
 *
 *     static int32_t on_pin(struct taut_mod *m, struct taut_call *c) {
 *         struct state *s = m->state;
 *         const struct taut_conversation_v1 *conversation = s->conversation->vtable;
 *         const struct taut_channel *ch;
 *         const struct taut_row *pin;
 *         struct taut_batch *b = taut_batch(c);
 *         TAUT_TRY(conversation->channel(s->conversation->self, c, taut_arg_str(c, CHANNEL), &ch));
 *         TAUT_TRY(conversation->may(s->conversation->self, c, TAUT_ACT_POST, ch, TAUT_NONE, b));
 *         TAUT_TRY(taut_get(m, c, &pins, TAUT_KEY(taut_v_str(ch->id), taut_v_str(taut_arg_str(c, TS))), &pin));
 *         if (pin) return taut_fail(c, "already_pinned");
 *         taut_expect_absent(m, b, &pins, TAUT_KEY(taut_v_str(ch->id), taut_v_str(taut_arg_str(c, TS))));
 *         taut_insert(m, b, &pins, TAUT_KEY(taut_v_str(ch->id), taut_v_str(taut_arg_str(c, TS))));
 *         return taut_commit(c, b);
 *     }
 *
 * HELD CALLS. A handler that returns TAUT_E_PENDING keeps its call (a pointer that it hands to what it has begun, by
 * taut_at_end where that is state of its module) and ends it later, on the home loop, by taut_done, taut_fail,
 * taut_reply, taut_accept, taut_reject or taut_commit: once, and whatever happens, for the call's memory waits for
 * that. A handler that does so while a row or a wait that it asked for is under way runs again first; and who holds a
 * call may not ask for further ones (TAUT_E_INVAL). A batch that meets a conflict is refused (service_unavailable):
 * nothing begins anew. Requests and frames have the server's deadline (server.call_timeout): when it passes, the core
 * tells the caller that the outcome is unknown. An answer behind that goes nowhere (TAUT_E_TIMEOUT: nothing is stored
 * of such a commit), and is the end of the call all the same. A module with 64 calls that are overdue gets no further
 * ones. Prefer taut_await, which needs none of this; commands and tasks have no deadline.
 *
 * WHAT THE ROWS OF A CALL ARE. Each row is as it was on disk at some moment between the beginning of the call and its
 * answer, and no older than a scan that the call has made. Rows of one scan, and those that one run missed and that
 * were loaded together, are of one moment; two rows that were found one after the other may be of two, with a commit
 * between them. So what a permission or a sum rests on becomes a condition of the batch (taut_expect), which is held
 * against the present when the batch is written; an answer that only shows rows may show two moments side by side.
 *
 * What a run may depend on: its arguments, its actor, rows, what it awaited, the clock, randomness, stamps, and state
 * of its module, which it changes by taut_at_end alone. A build with TAUT_CHECKS runs every handler twice, the first
 * time for show: batches, answers, frames, timers, tasks of that run go nowhere. Two runs that do not come to the same
 * end, and effects before the last read, stop the process with the name of the handler.
 *
 * Thread: the home loop (the hub), all of it. Everything a call hands out lives until the call ends. Since 1.0.
 */
#ifndef TAUT_CALL_H
#define TAUT_CALL_H

#include "taut/host.h"
#include "taut/json.h"

enum {
    TAUT_ACTOR_ADMIN = 1,
    TAUT_ACTOR_OWNER = 2,
    TAUT_ACTOR_BOT = 4,
    TAUT_ACTOR_OPERATOR = 8, /* the person at the command line of the server; belongs to no workspace */
    TAUT_ACTOR_SYSTEM = 16   /* a module acting for itself */
};

/* Who asks. That of a call belongs to the core and is never changed. */
struct taut_actor {
    uint32_t size;
    uint32_t flags;
    taut_str workspace; /* T… */
    taut_str user;      /* U…; a bot's user too */
    taut_str bot;       /* B… or empty */
    taut_str app;       /* A… or empty */
    taut_str token;     /* the token's id (not the token), or empty */
    taut_str scopes;    /* comma list */
};

enum {
    TAUT_CALL_METHOD = 1,  /* a Web API method over HTTP */
    TAUT_CALL_OPEN = 2,    /* a socket asks to be opened */
    TAUT_CALL_FRAME = 3,   /* a text frame on an open socket */
    TAUT_CALL_COMMAND = 4, /* a sub-command of `taut` */
    TAUT_CALL_TASK = 5,    /* started by a module */
    TAUT_CALL_ROUTE = 6    /* an HTTP route of a module */
};

/* The part of a call that modules see. The core owns it. */
struct taut_call {
    uint32_t size;
    uint32_t kind;        /* TAUT_CALL_* */
    struct taut_mod *mod; /* whose handler this is */
    const struct taut_actor *actor;
    taut_conn conn; /* FRAME and OPEN: the connection; else 0 */
    uint32_t run;   /* how often the handler was started before: 0 the first time */
    uint32_t reserved;
    taut_str text;   /* FRAME: the frame. OPEN: the path below the route's prefix. ROUTE: path. Borrowed */
    taut_str query;  /* OPEN, ROUTE: the query string, undecoded */
    taut_str failed; /* the code that taut_fail was given in this run, or empty */
    taut_str
        refused; /* FRAME: why the batch of the run before was not stored; to be answered, in the protocol's form */
    taut_str claimed;     /* after TAUT_E_CLAIMED the handler runs again with the value of the earlier claim here */
    uint64_t claimed_seq; /* and with the seq of that batch's first event */
    void *arg;            /* TASK: as given to taut_task. FRAME: the connection's state */
};

/* ---- arguments ---- */

enum {
    TAUT_ARG_STR = 1,
    TAUT_ARG_INT = 2,  /* a JSON number, or digits */
    TAUT_ARG_BOOL = 3, /* true/false, 1/0, JSON booleans */
    TAUT_ARG_LIST = 4, /* comma text or a JSON array of strings; handed out as comma text without blanks */
    TAUT_ARG_JSON = 5  /* a JSON array or object, or such a text in a string; handed out as valid compact JSON */
};
enum {
    TAUT_ARG_REQUIRED = 1,
    TAUT_ARG_POSITIONAL = 2 /* on the command line it stands without its name */
};

struct taut_arg {
    const char *name;
    uint32_t type;
    uint32_t flags;
    const char *missing; /* error code when a required one is missing or empty, or when it has the wrong type; NULL:
                            invalid_arguments, invalid_array_arg */
    const char *help;    /* for commands */
};

/* A parsed argument. STR, LIST, JSON: s. INT: i (and s, as given). BOOL: i. Frozen. */
struct taut_argv {
    uint32_t present;
    uint32_t type;
    taut_str s;
    int64_t i;
};

/* What a task ends with. body: the answer as JSON text, or empty. error: the code that taut_fail was given. */
struct taut_outcome {
    uint32_t size;
    int32_t status; /* TAUT_OK, TAUT_E_FAILED, TAUT_E_UNKNOWN … */
    taut_str body;
    taut_str error;
    uint64_t seq; /* of the batch's last event, or 0 */
};

/* ---- what a handler has ---- */

/* Argument i of the table; absent ones have present 0. */
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

/* Memory that lives as long as the call: zeroed, 16-byte aligned. The server ends when there is none: never NULL. */
static inline void *taut_scratch(struct taut_call *c, size_t n) {
    return c->mod->host->scratch(c, n);
}
/* A copy that lives as long as the call, with a NUL behind it. */
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

/* A time in microseconds since 1970 that no other call of this server was or will be given, later than all before it
 * and than after_us: the now, or a microsecond after the last one. For ids that are times. */
static inline int64_t taut_stamp_us(struct taut_call *c, int64_t after_us) {
    return c->mod->host->stamp_us(c, after_us);
}

/* Waits, in the restartable way, for what takes time: a question to another process, a hash. The first time `start` is
 * called, which begins it and lets its end complete the op; the handler returns TAUT_E_AGAIN, and when it runs again
 * this returns what came of it: TAUT_OK and *result (valid until the call ends), or the error. svc: the service that is
 * asked, whose circuit breaker this is (service.h), or NULL: none. key: tells the waits of one module in one call
 * apart, and must hold what the question depends on; its first word, a name, stands in the log when the time passes.
 * It is asked once a call and key, conflicts included; it must be harmless to ask in vain. timeout_ms: more than 0.
 * arg: used by start alone, at once. Errors: TAUT_E_AGAIN, TAUT_E_TIMEOUT, TAUT_E_UNAVAILABLE when the provider of
 * svc is gone, and what the op was completed with. */
static inline int32_t taut_await(struct taut_mod *m, struct taut_call *c, const struct taut_svc *svc, taut_str key,
                                 uint32_t timeout_ms, taut_start_fn start, void *arg, void **result) {
    return m->host->await(m, c, svc, key, timeout_ms, start, arg, result);
}

/* A writer on a scratch buffer of the call, for event bodies and the like; empty, no bracket open. */
static inline struct taut_json *taut_json_scratch(struct taut_call *c) {
    return c->mod->host->json(c);
}
/* What the writer holds. */
static inline taut_str taut_json_out(const struct taut_json *j) {
    return taut_str_n(j->ptr, j->len);
}

/* ---- how it ends ---- */

/* The answer, for METHOD opened as {"ok":true ; for FRAME, COMMAND and TASK as { ; add members, do not close it. Each
 * run starts it anew, and so does each call of this function. */
static inline struct taut_json *taut_answer(struct taut_call *c) {
    return c->mod->host->answer(c);
}
/* response_metadata.next_cursor of the answer. */
static inline void taut_next_cursor(struct taut_call *c, taut_str cursor) {
    c->mod->host->next_cursor(c, cursor);
}
/* Adds a code (static text) to `warning` and response_metadata.warnings; at most 8. */
static inline void taut_warn(struct taut_call *c, const char *code) {
    c->mod->host->warn(c, code);
}
/* Answers an error code. Returns TAUT_E_FAILED, to be returned by the handler. One who calls such a function and gets
 * TAUT_E_FAILED may still answer otherwise (taut_answer, taut_done): the code stands in c->failed. */
static inline int32_t taut_fail(struct taut_call *c, const char *error) {
    return c->mod->host->fail_with(c, error, taut_str_n("", 0));
}
/* The same with a line for people, which goes to response_metadata.messages as "[ERROR] message". TAUT_E_FAILED. */
static inline int32_t taut_fail_text(struct taut_call *c, const char *error, taut_str message) {
    return c->mod->host->fail_with(c, error, message);
}
/* Sends the answer now. TAUT_OK, to be returned by the handler; TAUT_E_TIMEOUT: the call was held for too long, and
 * nobody waits for the answer any more. */
static inline int32_t taut_done(struct taut_call *c) {
    return c->mod->host->done(c);
}

/* What a handler changes in its module's own state (a counter, a table of tickets): fn(m, arg) runs once a call, right
 * after the run that answers or submits its batch; not after runs that wait, and not again when a conflict makes the
 * handler run again. arg: in the call's memory. */
static inline void taut_at_end(struct taut_mod *m, struct taut_call *c, taut_fn fn, void *arg) {
    m->host->at_end(m, c, fn, arg);
}

/* Starts a call of the module's own; fn reads c->arg. done (may be NULL) runs once at its end. Both run on later turns,
 * never within this function. actor: who the call is to be, such as a bot that posts; copied with its strings. NULL:
 * SYSTEM, which belongs to no workspace. TAUT_OK: what went wrong stands in the outcome. TAUT_E_INVAL: the actor's size
 * is not set; neither runs. */
static inline int32_t taut_task(struct taut_mod *m, const struct taut_actor *actor, taut_task_fn fn, void *arg,
                                taut_task_done done) {
    return m->host->task(m, actor, fn, arg, done);
}

#endif
