/* hub.c - the hub's thread: mail in, handlers run, and at the end of each loop turn one flush: the reads that were
 * missed go to the store together, and each gateway gets its mail with one wake-up. */
#include <stdio.h>
#include <unistd.h>

#include "hub/internal.h"
#include "obs/log.h"

enum { TICK_MS = 50 };

struct taut_mod *core_mod(struct hub *h) {
    return &h->core.pub;
}

void hub_send(struct hub *h, struct port *to, struct msg *m) {
    for (uint32_t i = 0; i < h->ngateways; i++) {
        if (h->gateways[i].port != to) continue;
        outbox_add(&h->gateways[i].out, m);
        return;
    }
    port_post(to, m);
}

static void on_mail(struct port *p, struct msg *m) {
    struct hub *h = CONTAINER_OF(p, struct hub, port);
    if (h->ended && m->kind != MSG_HUB_COMPLETIONS) {
        if (m->kind != MSG_CALL) free(m); /* a call is its gateway's, which has ended too */
        return;
    }
    switch (m->kind) {
    case MSG_CALL: run_begin(h, CONTAINER_OF(m, struct call, msg)); break;
    case MSG_CLOSED:
        conns_closed(h, CONTAINER_OF(m, struct conn_msg, msg));
        free(m);
        break;
    case MSG_REFILL:
        publish_refill(h, CONTAINER_OF(m, struct conn_msg, msg));
        free(m);
        break;
    case MSG_HUB_COMPLETIONS: ops_deliver(h, m); break;
    case MSG_HUB_DURABLE: batch_on_durable(h, m); break;
    case MSG_HUB_WORKED: work_deliver(m); break;
    case MSG_HUB_POSTED: host_posted(m); break;
    default: panic("hub: message of unknown kind %u", m->kind);
    }
}

static void flush(struct hub *h) {
    hooks_turn(h);
    turns_go_on(h);
    load_flush(h);
    for (uint32_t i = 0; i < h->ngateways; i++) outbox_flush(&h->gateways[i].out, h->gateways[i].port);
}

/* Before the loop waits: whatever a callback of this turn left is sent. */
static void on_turn(uv_prepare_t *p) {
    flush(p->data);
}

static void on_tick(uv_timer_t *t) {
    struct hub *h = t->data;
    int64_t now = clock_mono_us();
    run_tick(h, now);
    ops_tick(h, now);
    if (!h->nruns && !h->ops.with_deadline) uv_timer_stop(t); /* an idle server sleeps */
}

void hub_tick_on(struct hub *h) {
    if (!uv_is_active((uv_handle_t *)&h->tick)) uv_timer_start(&h->tick, on_tick, TICK_MS, TICK_MS);
}

struct hub *hub_new(uv_loop_t *loop, struct modules *modules, const struct hub_config *config) {
    static const struct taut_module core = {.size = sizeof core, .name = "core"};
    struct hub *h = xcalloc(1, sizeof *h);
    h->loop = loop;
    h->modules = modules;
    h->config = *config;
    rows_init(&h->rows, modules->ntables, (size_t)config->cache_bytes);
    h->core.def = &core;
    h->core.name = "core";
    h->core.pub.name = "core";
    h->core.pub.size = sizeof h->core.pub;
    h->core.pub.host = &h->host;
    check_hub_thread(h);
    observe_begin(h);
    host_init(h);
    timers_init(h);
    port_open(&h->port, loop, on_mail, NULL);
    uv_prepare_init(loop, &h->turn);
    h->turn.data = h;
    uv_prepare_start(&h->turn, on_turn);
    uv_timer_init(loop, &h->tick);
    h->tick.data = h;
    return h;
}

const struct taut_host *hub_host(struct hub *h) {
    return &h->host;
}
struct port *hub_port(struct hub *h) {
    return &h->port;
}

void hub_add_gateway(struct hub *h, struct port *p) {
    ENSURE(h->ngateways < GATEWAYS_MAX);
    h->gateways[h->ngateways++].port = p;
}

void hub_free(struct hub *h) {
    if (h->hung || !work_stop(h)) { /* what was acknowledged is on disk; nothing else can be done safely */
        fflush(NULL);
        log_close();
        _exit(EXIT_FAILURE);
    }
    timers_stop_of(h, NULL);
    port_close(&h->port);
    uv_close((uv_handle_t *)&h->turn, NULL);
    uv_close((uv_handle_t *)&h->tick, NULL);
    uv_run(h->loop, UV_RUN_DEFAULT);
    rows_free(&h->rows);
    map_free(&h->loads);
    subs_free(h);
    publish_free(h);
    conns_free(h);
    ops_free(h);
    call_pool_free(&h->pool);
    services_free(h);
    hooks_free(h);
    turns_free(h);
    check_hub_thread(NULL);
    free(h->timers);
    observe_end(h);
    free(h);
}
