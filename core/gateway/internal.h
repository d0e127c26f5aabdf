/* internal.h - what the files of the gateway share. Everything here belongs to the gateway's own thread.
 *
 *   gateway.c  thread, loop, listeners, mail from the hub, timer wheel ticks
 *   http.c     HTTP/1.1: connections, requests in order, answers
 *   api.c      /api/METHOD: arguments and token out of query, form and JSON
 *   ws.c       WebSockets: adoption by libwebsockets, frames in, pings, closing
 *   fanout.c   topics, frames, queues, lagging and refill
 */
#ifndef GATEWAY_INTERNAL_H
#define GATEWAY_INTERNAL_H

#include "gateway/gateway.h"

struct http_conn;
struct tls_front;
struct ws_server; /* ws.c's own */

struct gateway {
    struct gateway_config config;
    uv_loop_t loop;
    uv_thread_t thread;
    struct port port;     /* mail from the hub */
    struct outbox to_hub; /* flushed once per loop turn (uv_prepare / check) */
    struct call_pool calls;
    uint32_t at_hub; /* of them; the others are answers that wait to be read */
    struct gateway_stats stats;
    struct beat beat;
    char name[24];      /* "gateway 0" */
    uint64_t next_conn; /* ids of connections: high bits random per boot, the gateway's number in the middle */
    struct ws_server *ws;
    bool stopping;
    /* http.c's and gateway.c's own fields follow */
    struct http_server *http;
    struct edge *edge;       /* config.edge, or one of its own */
    struct tls_front *front; /* NULL: no TLS */
    /* gateway.c */
    struct listener *listeners[2]; /* public, admin or NULL */
    uv_prepare_t prepare;
    uv_check_t check;
    uv_timer_t tick;
    bool started, ended; /* ended: the thread is done; mail is only thrown away */
    bool ws_stopped;
    uint64_t stop_deadline; /* uv_now; connections still open then are closed */
};

/* ---- gauges.c offers ---- */
void gateway_sample(void *gateway);

/* ---- limits.c offers ---- */
void limits_apply(struct gateway *g, struct msg *m); /* MSG_LIMITS */

/* ---- http.c offers ---- */
void http_limits_changed(struct gateway *g); /* takes them from g->config */
/* A call came back (MSG_ANSWER of METHOD or ROUTE), or MSG_EARLY. */
void http_answer(struct gateway *g, struct call *c);
void http_early(struct gateway *g, struct early_msg *m);
/* OPEN came back: takes the socket out of its HTTP connection (which ends): *fd, and the bytes read so far, head of the
 * request included, for lws_adopt_socket_vhost_readbuf, and its seat. False: the peer has gone meanwhile. */
bool http_release_for_upgrade(struct gateway *g, uint64_t cookie, int *fd, const char **head, size_t *len,
                              struct seat *seat);

/* ---- ws.c offers ---- */
void ws_limits_changed(struct gateway *g); /* as http_limits_changed */
void ws_init(struct gateway *g);
/* OPEN came back, accepted or not: adopts the socket, sends hello, catches up. Owns c. */
void ws_opened(struct gateway *g, struct call *c);
/* FRAME came back (the answer is to be sent as a frame), MSG_SEND, MSG_CLOSE. */
void ws_answer(struct gateway *g, struct call *c);
void ws_early(struct gateway *g, struct early_msg *m);
void ws_send(struct gateway *g, struct conn_msg *m);
void ws_close(struct gateway *g, struct conn_msg *m);
void ws_tick(struct gateway *g); /* once a second */
void ws_stop(struct gateway *g,
             void (*done)(struct gateway *g)); /* close all with 1001, destroy the context; takes turns */

/* ---- fanout.c offers ---- */
void fanout_events(struct gateway *g, struct events_msg *m);   /* MSG_EVENTS */
void fanout_refilled(struct gateway *g, struct events_msg *m); /* MSG_REFILLED */

/* Every message to the hub goes through this; it leaves at the end of the loop turn. */
static inline void to_hub(struct gateway *g, struct msg *m) {
    g->at_hub += m->kind == MSG_CALL;
    outbox_add(&g->to_hub, m);
}

#endif
