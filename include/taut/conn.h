/* conn.h - socket routes: what a module does with a WebSocket.
 *
 * The gateway upgrades GET <prefix><rest> to a WebSocket after the route's `open` has accepted it. Each text frame is
 * a call (kind FRAME) of `frame`; frames of one connection start in the order in which they came, the next one when
 * the one before has answered or submitted its batch. The answer of a frame's call, a JSON object, is sent as a text
 * frame on that connection.
 *
 * Who opens it the core does not ask: c->actor is NULL in `open`. What says so is in the path (c->text), the query
 * (c->query) or a header (taut_request_header in taut/route.h); auth/1 knows whose token it is.
 *
 * Thread: hub. Since 1.0.
 */
#ifndef TAUT_CONN_H
#define TAUT_CONN_H

#include "taut/call.h"

/* A topic that a connection starts with. An event on it is seen when its seq is >= since_seq. Frozen. */
struct taut_topic {
    taut_str name;
    uint64_t since_seq;
};

/* What `open` accepts with. Copied. */
struct taut_accept {
    uint32_t size;
    uint32_t ntopics;
    const struct taut_actor *actor; /* who this connection acts as; its workspace is the log that it follows */
    const struct taut_topic *topics;
    uint64_t as_of;  /* the log position for which `topics` is right: taut_rows.seq of the scan that gave it */
    uint64_t cursor; /* deliver the events after this one; at most as_of */
    taut_str hello;  /* a JSON object, sent first; framing adds the cursor. Or empty */
    void *state;     /* handed to frame (call.arg) and close */
};

struct taut_socket_route {
    const char *prefix; /* such as "/rtm/" */
    const char *name;
    /* A build with checks rehearses it: what it lets in then is closed at once, behind its taut_at_end. */
    int32_t (*open)(struct taut_mod *m, struct taut_call *c);
    int32_t (*frame)(struct taut_mod *m, struct taut_call *c);
    void (*close)(struct taut_mod *m, taut_conn conn, void *state); /* once for each accepted connection */
};

/* In `open`: lets the socket in. */
static inline int32_t taut_accept(struct taut_call *c, const struct taut_accept *a) {
    return c->mod->host->accept(c, a);
}
/* In `open`: sends the socket a last frame (or none) and closes it. */
static inline int32_t taut_reject(struct taut_call *c, taut_str last_frame, uint32_t close_code) {
    return c->mod->host->reject(c, last_frame, close_code);
}
/* A text frame to one connection; a closed one is ignored. In a handler: as the last thing before its answer. */
static inline void taut_send(struct taut_mod *m, taut_conn conn, taut_str json) {
    m->host->send(m, conn, json);
}
static inline void taut_conn_close(struct taut_mod *m, taut_conn conn, uint32_t code, taut_str reason) {
    m->host->close(m, conn, code, reason);
}

#endif
