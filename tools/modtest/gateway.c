/* gateway.c - a gateway without sockets: it sends calls as the real one does, and notes what comes back: answers,
 * frames, closed connections, published events. Who gets an event by its topics is the real one's business. */
#include "modtest.h"

/* ---- calls ---- */

struct asked *gateway_call(struct world *w, uint32_t kind) {
    struct gateway *g = w->gateway;
    struct asked *a = arena_zalloc(&w->arena, sizeof *a);
    a->call = call_get(&g->pool, kind, &g->port);
    a->call->cookie = (uint64_t)(uintptr_t)a;
    *g->asked_tail = a;
    g->asked_tail = &a->next;
    return a;
}

void gateway_send(struct world *w, struct asked *a) {
    port_post(hub_port(w->hub), &a->call->msg);
}

bool gateway_is_answered(struct world *w, const void *asked) {
    (void)w;
    return ((const struct asked *)asked)->answered;
}

static void add_frame(struct world *w, struct conn *c, taut_str json) {
    struct frame *f = arena_zalloc(&w->arena, sizeof *f);
    f->json = arena_str(&w->arena, json);
    *c->tail = f;
    c->tail = &f->next;
}

/* What a file of the answer holds, in memory. */
static taut_str file_text(struct world *w, const struct taut_file *f) {
    char *text = arena_alloc(&w->arena, f->length + 1);
    size_t n = 0;
    for (ssize_t got = 1; n < f->length && got > 0; n += got > 0 ? (size_t)got : 0)
        got = pread(f->fd, text + n, f->length - n, (off_t)(f->offset + n));
    return taut_str_n(text, n);
}

static void take_open(struct world *w, struct asked *a) {
    const struct call_out *o = &a->call->out;
    struct conn *c = a->conn;
    c->open = o->accepted;
    c->closed = !o->accepted;
    c->code = o->close_code;
    if (o->body.len) add_frame(w, c, o->body);
    for (uint32_t i = 0; i < o->nevents; i++) event_unref(o->events[i]);
}

static void take_answer(struct world *w, struct call *call) {
    struct asked *a = (struct asked *)(uintptr_t)call->cookie;
    const struct call_out *o = &call->out;
    if (!a->late) {
        bool has_file = call->http && call->http->file.size;
        a->status = o->http_status;
        a->type = arena_str(&w->arena, taut_str_z(o->content_type ? o->content_type : "application/json")).ptr;
        a->headers = arena_str(&w->arena, o->headers);
        a->body = has_file ? file_text(w, &call->http->file) : arena_str(&w->arena, o->body);
        a->silent = o->sent;
        if (has_file) close(call->http->file.fd);
        if (call->pub.kind == TAUT_CALL_OPEN) take_open(w, a);
    }
    a->answered = true;
    a->call = NULL;
    call_put(&w->gateway->pool, call);
}

static void take_early(struct world *w, const struct early_msg *m) {
    struct asked *a = (struct asked *)(uintptr_t)m->cookie;
    a->answered = a->late = true;
    a->status = m->http_status;
    a->type = "application/json";
    a->body = arena_str(&w->arena, m->body);
}

/* ---- events ---- */

static void take_events(struct world *w, struct events_msg *m) {
    for (uint32_t i = 0; i < m->n; i++) {
        struct note *n = arena_zalloc(&w->arena, sizeof *n);
        n->event = m->events[i]; /* its reference is this one's now */
        *w->gateway->events_tail = n;
        w->gateway->events_tail = &n->next;
    }
}

void gateway_forget_event(struct world *w, taut_str workspace, uint64_t seq) {
    struct gateway *g = w->gateway;
    for (struct note **at = &g->events; *at; at = &(*at)->next) {
        struct event *e = (*at)->event;
        if (e->seq != seq || !taut_str_eq(e->workspace, workspace)) continue;
        event_unref(e);
        if (g->events_tail == &(*at)->next) g->events_tail = at;
        *at = (*at)->next;
        return;
    }
}

/* ---- connections ---- */

struct conn *gateway_conn(struct world *w, const char *name) {
    for (struct conn *c = w->gateway->conns; c; c = c->next)
        if (!strcmp(c->name, name)) return c;
    return NULL;
}

static struct conn *conn_by_id(struct world *w, taut_conn id) {
    struct conn *c = w->gateway->conns;
    while (c && c->id != id) c = c->next;
    return c;
}

struct conn *gateway_connect(struct world *w, const char *name, const struct socket_entry *socket) {
    struct conn *c = arena_zalloc(&w->arena, sizeof *c);
    *c = (struct conn){
        .next = w->gateway->conns, .id = ++w->gateway->last_conn, .name = name, .socket = socket, .tail = NULL};
    c->tail = &c->frames;
    w->gateway->conns = c;
    return c;
}

void gateway_disconnect(struct world *w, struct conn *c) {
    if (!c->open) return;
    struct conn_msg *m = xcalloc(1, sizeof *m);
    m->msg.kind = MSG_CLOSED;
    m->conn = c->id;
    m->from = &w->gateway->port;
    c->open = false;
    c->closed = true;
    port_post(hub_port(w->hub), &m->msg);
}

void gateway_disconnect_all(struct world *w) {
    for (struct conn *c = w->gateway->conns; c; c = c->next) gateway_disconnect(w, c);
}

static void take_close(struct world *w, const struct conn_msg *m) {
    struct conn *c = conn_by_id(w, m->conn);
    if (!c || !c->open) return;
    c->code = m->code;
    c->reason = arena_str(&w->arena, m->text);
    gateway_disconnect(w, c);
}

static void on_mail(struct port *p, struct msg *m) {
    struct world *w = CONTAINER_OF(p, struct gateway, port)->world;
    struct conn *c;
    switch (m->kind) {
    case MSG_ANSWER: take_answer(w, CONTAINER_OF(m, struct call, msg)); return;
    case MSG_EARLY: take_early(w, CONTAINER_OF(m, struct early_msg, msg)); break;
    case MSG_EVENTS: take_events(w, CONTAINER_OF(m, struct events_msg, msg)); break;
    case MSG_SEND:
        c = conn_by_id(w, CONTAINER_OF(m, struct conn_msg, msg)->conn);
        if (c) add_frame(w, c, CONTAINER_OF(m, struct conn_msg, msg)->text);
        break;
    case MSG_CLOSE: take_close(w, CONTAINER_OF(m, struct conn_msg, msg)); break;
    default: break;
    }
    free(m);
}

/* ---- life ---- */

void gateway_open(struct world *w) {
    struct gateway *g = w->gateway = arena_zalloc(&w->arena, sizeof *g);
    g->world = w;
    g->asked_tail = &g->asked;
    g->events_tail = &g->events;
    port_open(&g->port, &w->loop, on_mail, NULL);
    hub_add_gateway(w->hub, &g->port);
}

void gateway_close(struct world *w) {
    struct gateway *g = w->gateway;
    port_close(&g->port);
    while (uv_is_active((uv_handle_t *)&g->port.wake)) uv_run(&w->loop, UV_RUN_NOWAIT);
    for (struct note *n = g->events; n; n = n->next) event_unref(n->event);
    call_pool_free(&g->pool);
}
