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
 *         const struct taut_row *msg;
 *         TAUT_TRY(conversation->may(conversation_self, c, TAUT_ACT_PIN, channel));
 *         TAUT_TRY(taut_get(m, c, &messages, TAUT_KEY(…), &msg));
 *         if (!msg) return taut_fail(c, "message_not_found");
 *         struct taut_batch *b = taut_batch(c);
 *         taut_insert(b, m, &pins, TAUT_KEY(…));
 *         taut_append(b, &event);
 *         taut_answer(c);
 *         return taut_commit(c, b);
 *     }
 *
 * Thread: the home loop (the hub), all of it. Everything a call hands out lives until the call ends.
 */
#ifndef TAUT_CALL_H
#define TAUT_CALL_H

#include "taut/json.h"
#include "taut/table.h"

enum {
    TAUT_ACTOR_ADMIN = 1,
    TAUT_ACTOR_OWNER = 2,
    TAUT_ACTOR_BOT = 4,
    TAUT_ACTOR_OPERATOR = 8, /* the person at the command line of the server; belongs to no workspace */
    TAUT_ACTOR_SYSTEM = 16   /* a module acting for itself */
};

/* Who asks. */
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
    struct taut_mod *mod; /* whose handler this is */
    const struct taut_actor *actor;
    taut_conn conn; /* FRAME and OPEN: the connection; else 0 */
    uint32_t kind;
    uint32_t run;    /* how often the handler was started before: 0 the first time */
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

/* A parsed argument. STR, LIST, JSON: s. INT: i (and s, as given). BOOL: i. */
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

#endif
