/* gateway.c - a gateway's thread: its loop, its mail, its end.
 *
 * Everything found during a loop turn is sent at its end: answers first, then mail to the hub. uv_check runs behind the
 * polling (sockets, mail), uv_prepare behind the timers and before the next polling: so nothing waits while the loop
 * sleeps. The port stays open until gateway_free: the hub may post to a gateway that has ended.
 */
#include "gateway/gateway.h"

#include <stdio.h>

#include "gateway/http.h"
#include "gateway/internal.h"
#include "gateway/listen.h"
#include "gateway/tls_front.h"
#include "obs/crumb.h"

enum { TICK_MS = 1000, STOP_MS = 5000 };

static atomic_uint gateways; /* numbers them, for the ids of their connections */

/* ---- mail ---- */

static void on_call(struct gateway *g, struct call *c) {
    switch (c->pub.kind) {
    case TAUT_CALL_OPEN: ws_opened(g, c); break;
    case TAUT_CALL_FRAME: ws_answer(g, c); break;
    default: http_answer(g, c);
    }
}

static void discard_events(struct events_msg *m) {
    for (uint32_t i = 0; i < m->n; i++) event_unref(m->events[i]);
    free(m);
}

/* Mail that came too late. */
static void discard(struct gateway *g, struct msg *m) {
    if (m->kind == MSG_ANSWER) {
        struct call *c = CONTAINER_OF(m, struct call, msg);
        for (uint32_t i = 0; i < c->out.nevents; i++) event_unref(c->out.events[i]);
        call_put(&g->calls, c);
    } else if (m->kind == MSG_EVENTS || m->kind == MSG_REFILLED) {
        discard_events(CONTAINER_OF(m, struct events_msg, msg));
    } else {
        free(m); /* msg is the first member of all of them */
    }
}

static bool is_for_ws(const struct msg *m) {
    const struct call *c = CONTAINER_OF(m, const struct call, msg);
    switch (m->kind) {
    case MSG_ANSWER: return c->pub.kind == TAUT_CALL_OPEN || c->pub.kind == TAUT_CALL_FRAME;
    case MSG_EARLY: return CONTAINER_OF(m, const struct early_msg, msg)->conn != 0;
    default: return m->kind != MSG_STOP;
    }
}

static void on_early(struct gateway *g, struct early_msg *m) {
    if (m->conn) ws_early(g, m);
    else http_early(g, m);
}

static void on_ws_stopped(struct gateway *g) {
    g->ws_stopped = true;
}

static void begin_stop(struct gateway *g) {
    if (g->stopping) return;
    g->stopping = true;
    g->stop_deadline = uv_now(&g->loop) + STOP_MS;
    for (size_t i = 0; i < COUNT_OF(g->listeners); i++)
        if (g->listeners[i]) listener_close(g->listeners[i]);
    if (g->front) tls_front_stop(g->front);
    http_stop(g);
    ws_stop(g, on_ws_stopped);
}

static void on_mail(struct port *p, struct msg *m) {
    struct gateway *g = CONTAINER_OF(p, struct gateway, port);
    if (m->kind == MSG_ANSWER && !g->ended) {
        g->at_hub--;
        http_call_returned(g, CONTAINER_OF(m, struct call, msg));
    }
    if (g->ended || (g->ws_stopped && is_for_ws(m))) {
        discard(g, m);
        return;
    }
    switch (m->kind) {
    case MSG_ANSWER: on_call(g, CONTAINER_OF(m, struct call, msg)); break;
    case MSG_EARLY: on_early(g, CONTAINER_OF(m, struct early_msg, msg)); break;
    case MSG_EVENTS: fanout_events(g, CONTAINER_OF(m, struct events_msg, msg)); break;
    case MSG_REFILLED: fanout_refilled(g, CONTAINER_OF(m, struct events_msg, msg)); break;
    case MSG_SEND: ws_send(g, CONTAINER_OF(m, struct conn_msg, msg)); break;
    case MSG_LIMITS: limits_apply(g, m); break;
    case MSG_CLOSE: ws_close(g, CONTAINER_OF(m, struct conn_msg, msg)); break;
    case MSG_STOP:
        free(m);
        begin_stop(g);
        break;
    default: panic("gateway: mail of kind %u", m->kind);
    }
}

/* ---- the loop ---- */

static void end_turn(struct gateway *g) {
    http_turn(g);
    outbox_flush(&g->to_hub, g->config.hub);
    if (g->stopping && g->ws_stopped && g->http->nopen == 0 && tls_front_open(g->front) == 0) uv_stop(&g->loop);
}

static void on_prepare(uv_prepare_t *h) {
    end_turn(h->data);
}
static void on_check(uv_check_t *h) {
    end_turn(h->data);
}

static void on_tick(uv_timer_t *h) {
    struct gateway *g = h->data;
    http_tick(g);
    if (g->front) tls_front_tick(g->front);
    if (!g->ws_stopped) ws_tick(g);
    for (size_t i = 0; i < COUNT_OF(g->listeners); i++)
        if (g->listeners[i]) listener_tick(g->listeners[i]);
    if (!g->stopping || uv_now(&g->loop) < g->stop_deadline) return;
    http_close_all(g);
    if (g->front) tls_front_close_all(g->front);
}

static void run(void *arg) {
    struct gateway *g = arg;
    crumb_thread_begin(g->name);
    ws_init(g);
    uv_run(&g->loop, UV_RUN_DEFAULT);
    g->ended = true;
    crumb_thread_end();
}

/* ---- life ---- */

static void open_handles(struct gateway *g) {
    uv_prepare_init(&g->loop, &g->prepare);
    uv_check_init(&g->loop, &g->check);
    uv_timer_init(&g->loop, &g->tick);
    g->prepare.data = g->check.data = g->tick.data = g;
    uv_prepare_start(&g->prepare, on_prepare);
    uv_check_start(&g->check, on_check);
    uv_timer_start(&g->tick, on_tick, TICK_MS, TICK_MS);
    port_open(&g->port, &g->loop, on_mail, NULL);
    beat_start(&g->beat, &g->loop, gateway_sample, g);
}

static bool listen_on(struct gateway *g, int i, const char *address, char **why) {
    struct listener *l = xcalloc(1, sizeof *l);
    if (!listener_open(l, g, address, i == 1, i == 0 && g->config.reuse_port, why)) {
        free(l);
        return false;
    }
    g->listeners[i] = l;
    return true;
}

/* Nobody is trusted, nothing is limited. */
static struct edge *own_edge(const struct gateway_config *config) {
    const struct edge_config open = {.public_url = TAUT_LIT(""),
                                     .admin_listen = taut_str_z(config->admin_listen),
                                     .cert = TAUT_LIT(""),
                                     .key = TAUT_LIT(""),
                                     .max_connections = config->max_connections};
    return edge_new(&open, NULL, NULL);
}

struct gateway *gateway_new(const struct gateway_config *config, char **why) {
    struct gateway *g = xcalloc(1, sizeof *g);
    uint64_t number = atomic_fetch_add(&gateways, 1) & 0xff;
    g->config = *config;
    snprintf(g->name, sizeof g->name, "gateway %u", (unsigned)number);
    g->next_conn = (random_u64() & 0x7fffff) << 40 | number << 32 | 1;
    if (uv_loop_init(&g->loop) != 0) panic("no loop");
    g->edge = config->edge ? config->edge : own_edge(config);
    g->front = edge_has_tls(g->edge) ? tls_front_new(g) : NULL;
    http_init(g);
    open_handles(g);
    if (!listen_on(g, 0, config->listen, why) ||
        (config->admin_listen && !listen_on(g, 1, config->admin_listen, why))) {
        gateway_free(g);
        return NULL;
    }
    return g;
}

const char *gateway_address(struct gateway *g, bool admin) {
    return g->listeners[admin] ? g->listeners[admin]->address : NULL;
}
struct port *gateway_port(struct gateway *g) {
    return &g->port;
}
const struct beat *gateway_beat(struct gateway *g) {
    return &g->beat;
}
const struct gateway_stats *gateway_stats(struct gateway *g) {
    return &g->stats;
}

void gateway_start(struct gateway *g) {
    g->started = true;
    if (uv_thread_create(&g->thread, run, g) != 0) panic("cannot start a gateway's thread");
}

void gateway_stop(struct gateway *g) {
    if (!g->started) return;
    struct conn_msg *m = xcalloc(1, sizeof *m);
    m->msg.kind = MSG_STOP;
    port_post(&g->port, &m->msg);
    uv_thread_join(&g->thread);
    g->started = false;
}

void gateway_free(struct gateway *g) {
    if (!g) return;
    g->ended = true;
    if (g->front) tls_front_close_all(g->front);
    http_close_all(g);
    for (size_t i = 0; i < COUNT_OF(g->listeners); i++)
        if (g->listeners[i]) listener_close(g->listeners[i]);
    port_close(&g->port);
    disk_close(&g->http->disk);
    beat_stop(&g->beat);
    uv_close((uv_handle_t *)&g->prepare, NULL);
    uv_close((uv_handle_t *)&g->check, NULL);
    uv_close((uv_handle_t *)&g->tick, NULL);
    uv_run(&g->loop, UV_RUN_DEFAULT);
    http_free(g);
    tls_front_free(g->front);
    if (!g->config.edge) edge_free(g->edge);
    for (size_t i = 0; i < COUNT_OF(g->listeners); i++) free(g->listeners[i]);
    ENSURE(uv_loop_close(&g->loop) == 0);
    call_pool_free(&g->calls);
    free(g);
}
