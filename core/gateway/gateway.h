/* gateway.h - a thread with its own libuv loop, listeners, HTTP server and WebSockets. */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include "gateway/edge.h"
#include "gateway/spool.h"
#include "hub/beat.h"
#include "hub/hub.h"

struct gateway;

/* In bytes and milliseconds. */
struct gateway_limits {
    int64_t max_body;
    int64_t max_answers;    /* bytes of answers that are not yet sent, of all connections; 0: 64 MiB */
    int64_t max_calls;      /* that the hub may have of this gateway; what comes on top is told to come again */
    int64_t max_call_bytes; /* of HTTP requests that the hub may have of it; the same; 0: 64 MiB */
    int64_t max_input;      /* buffers of requests that have not arrived as a whole; 0: 64 MiB */
    int64_t header_timeout, idle_timeout;
    int64_t body_timeout;     /* for each 16 KiB of a body; 0: header_timeout */
    int64_t answer_timeout;   /* without the peer reading anything of its answer; 0: header_timeout */
    int64_t connection_queue; /* of a WebSocket, kernel buffer included */
};

struct gateway_config {
    const char *listen;       /* HOST:PORT; port 0: any */
    const char *admin_listen; /* NULL: this gateway has no admin listener */
    struct modules *modules;
    struct port *hub;
    int64_t max_connections; /* public ones; the admin address has 32 of its own */
    int64_t max_header, ping_interval;
    struct gateway_limits limits; /* as it starts */
    struct spool *spool;          /* where large bodies go, shared by all gateways; NULL: max_body is kept in memory */
    bool reuse_port;              /* several gateways share the address */
    struct edge *edge;            /* shared by all gateways; NULL: no TLS, nobody is trusted, no limits per address */
    /* GET /metrics of the admin address: appends its text. Called on the gateway's thread; may read counters only. */
    void (*metrics)(void *arg, char **text, size_t *len); /* malloc'ed */
    void *metrics_arg;
    /* GET /healthz and /readyz, of both addresses: writes members into an open object, returns whether all is well. As
     * `metrics`: on the gateway's thread. NULL: there is no such page. */
    bool (*live)(void *watch, struct taut_json *j), (*ready)(void *watch, struct taut_json *j);
    void *watch;
};

/* Binds and listens, on the caller's thread; NULL and *why (malloc'ed: "127.0.0.1:8065: address already in use; …"). */
struct gateway *gateway_new(const struct gateway_config *c, char **why);
const char *gateway_address(struct gateway *g, bool admin); /* "127.0.0.1:40123": where it really listens */
struct port *gateway_port(struct gateway *g);               /* for hub_add_gateway */
void gateway_start(struct gateway *g);                      /* starts the thread */
void gateway_stop(struct gateway *g); /* any thread: drains, closes with 1001, ends the thread, joins it */
void gateway_free(struct gateway *g);

/* What a reload may change. Any thread; it holds from the next request on. */
void gateway_set_limits(struct gateway *g, const struct gateway_limits *limits);

/* Counters, readable from any thread. */
struct gateway_stats {
    atomic_ullong http_connections, http_requests, ws_connections, ws_opened, frames_in, deliveries, writes, bytes_out,
        lagging, dropped_ephemeral, slow_closed, refused, refused_address /* of those: by a limit per address */,
        refused_origin, tls_connections, tls_handshakes, tls_failed;
    /* noted once a second */
    atomic_ullong calls, call_bytes, input_bytes, answer_bytes, lagging_now, queued_bytes, disk_jobs;
};
const struct gateway_stats *gateway_stats(struct gateway *g);
const struct beat *gateway_beat(struct gateway *g);

#endif
