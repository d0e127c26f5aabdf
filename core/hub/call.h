/* call.h - a call as the core sees it, and the other messages between gateways and the hub.
 *
 * A call is made by a gateway (or by the hub for tasks), filled, pushed to the hub, run there, and comes back to its
 * gateway with its answer; whoever has it owns it, memory and all: one arena travels with it. The gateway recycles it.
 */
#ifndef HUB_CALL_H
#define HUB_CALL_H

#include "base/addr.h"
#include "base/arena.h"
#include "base/mailbox.h"
#include "log/event.h"
#include "module/module.h"
#include "taut/host.h"

/* What a message between threads is: the first member of each. */
enum msg_kind {
    /* gateway -> hub */
    MSG_CALL = 1, /* struct call: METHOD, ROUTE, OPEN, FRAME, or COMMAND (from the control socket) */
    MSG_CLOSED,   /* struct conn_msg: an accepted connection is gone */
    MSG_REFILL,   /* struct conn_msg: send me the events of `workspace` after `seq` (the connection lags) */
    /* hub -> gateway */
    MSG_ANSWER,   /* struct call: finished; write the answer (unless out.sent) and recycle it */
    MSG_EARLY,    /* struct early_msg: an answer for a call that is still at the hub; free() it */
    MSG_EVENTS,   /* struct events_msg: publish; free() it */
    MSG_REFILLED, /* struct events_msg with conn: the events asked for; free() it */
    MSG_SEND,     /* struct conn_msg: a text frame for conn; free() it */
    MSG_CLOSE,    /* struct conn_msg: close conn with code, reason in text; free() it */
    MSG_LIMITS,   /* gateway/limits.c's: limits that a reload changed; free() it */
    MSG_STOP,     /* struct conn_msg: stop accepting, say goodbye, close everything, end the thread; free() it */
    /* any thread -> hub: see hub.c */
    MSG_HUB_INTERNAL = 100
};
struct msg {
    struct mail mail; /* first */
    uint32_t kind;
};

struct port; /* hub/port.h: a mailbox with a wake-up */

/* The answer of a call. Strings lie in the call's arena or are static. */
struct call_out {
    int http_status;          /* 200 … */
    const char *content_type; /* NULL: application/json; charset=utf-8 */
    taut_str headers;         /* more header lines, each ending in CRLF */
    taut_str body;
    uint64_t seq; /* FRAME: the log position of its commit, or 0: framing adds it as "cursor" */
    bool sent;    /* MSG_EARLY has already answered: only recycle */
    /* OPEN */
    bool accepted;
    uint32_t close_code; /* not accepted: send body as a last text frame (if any), then close so */
    uint32_t ntopics;
    const struct taut_topic *topics;
    uint64_t as_of, cursor; /* see taut_accept */
    taut_str workspace;
    uint64_t position; /* the hub's published position of that log when this message was sent */
    uint32_t nevents;  /* the events (as_of, position], for their deltas: one reference each, owned by the message */
    struct event **events;
};

/* What a call of HTTP has beside arguments and the answer's text: a route's request, a method's parts, a file to answer
 * with. In the call's arena. */
struct call_http {
    const char *verb;
    taut_str head;         /* the request's header lines, each with its CRLF, checked */
    struct taut_body body; /* not that of parts */
    const struct taut_part *parts;
    uint32_t nparts;
    size_t bytes; /* that body and parts hold in memory */
    void *files;  /* whose body and parts are, the gateway's; NULL: nobody's */
    /* Gives back files and the answer's file. On the thread of the pool that the call belongs to. */
    void (*release)(struct call_http *h);
    /* the answer */
    uint32_t headers_run, headers_cap; /* the run that put out.headers + 1; what their buffer holds */
    struct taut_file file;             /* size 0: none */
    uint32_t file_run;
};

/* The value of the first header of that name, without blanks around it; ptr NULL: there is none. */
taut_str call_header(const struct call_http *h, const char *name);

struct call {
    struct msg msg;       /* first */
    struct taut_call pub; /* what the handler sees */
    struct arena arena;   /* everything of this call; not used by two threads at once */
    struct port *home;    /* whom the answer goes to; NULL: the hub itself (tasks) */
    uint64_t cookie;      /* the gateway's: which connection and request; with a generation against reuse */

    /* request, filled by the gateway */
    const struct method_entry *method; /* METHOD; NULL: unknown_method */
    const struct route_entry *route;   /* ROUTE */
    const struct socket_entry *socket; /* OPEN, FRAME */
    const struct command_entry *command;
    taut_str method_name;
    taut_str token;
    struct addr client;     /* who asks over HTTP: the peer, or whom a trusted proxy names; none for FRAME */
    bool secure;            /* by TLS, here or at that proxy */
    taut_str host;          /* as the client called this server */
    struct taut_argv *args; /* one for each declared argument */
    uint32_t nargs;
    const char *arg_error; /* found while parsing, answered after the token was looked at: invalid_json … */
    taut_str arg_error_text;
    const char *arg_warning; /* missing_charset, superfluous_charset */
    struct call_http *http;  /* ROUTE, OPEN, and METHOD with parts; else NULL */

    struct call_out out;
    struct run *run; /* the hub's: state while it is there */
};

struct conn_msg {
    struct msg msg;
    taut_conn conn;
    uint64_t seq;
    uint32_t code;
    taut_str text;     /* lies behind the struct, in the same block (MSG_REFILL: the workspace) */
    struct port *from; /* MSG_REFILL, MSG_CLOSED: who asks */
};

struct early_msg {
    struct msg msg;
    uint64_t cookie;
    taut_conn conn; /* FRAME calls: where to send body as a frame; METHOD: 0, use cookie */
    int http_status;
    const char *content_type; /* NULL: JSON */
    taut_str body;            /* behind the struct */
};

/* n events in seq order per workspace, each with one reference that the receiver gives back. */
struct events_msg {
    struct msg msg;
    taut_conn conn; /* MSG_REFILLED */
    uint64_t upto;  /* MSG_REFILLED: these are all events after the asked one up to this seq */
    uint32_t gap;   /* MSG_REFILLED: 1 when the log no longer reaches back: close the connection */
    uint32_t n;
    struct event *events[];
};

/* A call without a connection to the hub yet: all zero but these. Its memory is recycled through a list of at most
 * CALLS_KEPT per owner. Thread: the owner's. */
#ifdef TAUT_CHECKS
enum { CALLS_KEPT = 512, CALLS_RESTING = 256 /* not used again yet: who still does is found */ };
#else
enum { CALLS_KEPT = 512, CALLS_RESTING = 0 };
#endif
struct call_pool {
    struct call *free, *last; /* last: the one that was put back last */
    uint32_t n;               /* in the list */
    uint32_t out;             /* given out and not yet put back */
};
struct call *call_get(struct call_pool *p, uint32_t kind, struct port *home);
void call_put(struct call_pool *p, struct call *c);
void call_pool_free(struct call_pool *p);

#endif
