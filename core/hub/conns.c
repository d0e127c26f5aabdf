/* conns.c - open sockets as the hub knows them: who is behind each, which gateway holds it, and its frames, which start
 * one after another so that what a peer sends in order is submitted in order. */
#include "base/fault.h"
#include "hub/internal.h"

enum { CLOSE_GOING_AWAY = 1001 };

static void to_conn(struct taut_mod *m, uint32_t kind, taut_conn id, uint32_t code, taut_str text);

static taut_str key_of(const taut_conn *id) {
    return taut_str_n((const char *)id, sizeof *id);
}

struct hconn *conns_find(struct hub *h, taut_conn id) {
    return map_get(&h->conns, key_of(&id));
}

/* An actor and its strings, in one block behind `head` bytes. */
static void *with_actor(size_t head, size_t actor_at, const struct taut_actor *a) {
    const taut_str *from[] = {&a->workspace, &a->user, &a->bot, &a->app, &a->token, &a->scopes};
    size_t bytes = head;
    for (size_t i = 0; i < COUNT_OF(from); i++) bytes += from[i]->len;
    char *block = xcalloc(1, bytes), *at = block + head;
    struct taut_actor *to = (struct taut_actor *)(void *)(block + actor_at);
    taut_str *into[] = {&to->workspace, &to->user, &to->bot, &to->app, &to->token, &to->scopes};
    taut_copy_sized(to, sizeof *to, a);
    for (size_t i = 0; i < COUNT_OF(from); i++) {
        if (from[i]->len) memcpy(at, from[i]->ptr, from[i]->len);
        *into[i] = taut_str_n(at, from[i]->len);
        at += from[i]->len;
    }
    return block;
}

static void copy_topics(struct call *c, const struct taut_accept *a) {
    struct taut_topic *t = arena_alloc(&c->arena, (a->ntopics ? a->ntopics : 1) * sizeof *t);
    for (uint32_t i = 0; i < a->ntopics; i++)
        t[i] = (struct taut_topic){arena_str(&c->arena, a->topics[i].name), a->topics[i].since_seq};
    c->out.topics = t;
    c->out.ntopics = a->ntopics;
}

static int32_t accept_conn(struct taut_call *pub, const struct taut_accept *a) {
    struct run *r = run_of(pub);
    check_thread(pub->mod, "taut_accept");
    if (!r && held_too_late(pub)) return TAUT_E_INVAL;
    struct hub *h = r->hub;
    struct call *c = r->call;
    struct call_out *o = &c->out;
    if (pub->kind != TAUT_CALL_OPEN || !a->actor || !TAUT_HAS(a->actor, scopes) || a->cursor > a->as_of)
        return TAUT_E_INVAL;
    check_ends(r, "taut_accept");
    if (r->rehearsing) { /* as if it were let in and gone at once: close finds what at_end has made of it */
        run_do_at_end(r);
        if (c->socket->def->close) c->socket->def->close(pub->mod, pub->conn, a->state);
        states_forgive(r, pub->mod);
        r->failed = false;
        r->replied = true;
        return TAUT_OK;
    }
    if (r->state == RUN_OVERDUE) { /* the peer has gone: as if it had been let in before */
        if (c->socket->def->close) c->socket->def->close(pub->mod, pub->conn, a->state);
        held_too_late(pub);
        return TAUT_OK;
    }
    struct wslog *l = wslog_get(h, a->actor->workspace);
    if (!l->position) l->position = a->as_of;
    if (a->as_of < l->position &&
        !tail_read(l, a->as_of, l->position, &c->arena, &o->events, &o->nevents)) { /* too old a snapshot: look again */
        if (h->running != r) { /* it was held for too long: the peer may try again */
            if (c->socket->def->close) c->socket->def->close(pub->mod, pub->conn, a->state);
            held_fails(r, "service_unavailable", "");
            return TAUT_OK;
        }
        run_forget_reads(r);
        r->restart = true;
        return TAUT_E_AGAIN;
    }
    if (MUTANT("attach_without_changes")) o->nevents = 0;
    copy_topics(c, a);
    o->accepted = true;
    o->as_of = a->as_of;
    o->cursor = a->cursor;
    o->position = l->position;
    o->workspace = arena_str(&c->arena, a->actor->workspace);
    o->body = arena_str(&c->arena, a->hello);

    struct hconn *conn = with_actor(sizeof *conn, offsetof(struct hconn, actor), a->actor);
    conn->id = pub->conn;
    conn->gateway = c->home;
    conn->socket = c->socket;
    conn->state = a->state;
    map_put(&h->conns, key_of(&conn->id), conn);
    r->failed = false;
    r->replied = true;
    held_answered(r);
    return TAUT_OK;
}

static int32_t reject_conn(struct taut_call *pub, taut_str last_frame, uint32_t close_code) {
    struct run *r = run_of(pub);
    if (held_too_late(pub)) return TAUT_E_TIMEOUT;
    check_ends(r, "taut_reject");
    r->call->out.accepted = false;
    r->call->out.body = arena_str(&r->call->arena, last_frame);
    r->call->out.close_code = close_code;
    r->failed = false; /* of a service that it asked: it has answered otherwise */
    r->replied = true;
    held_answered(r);
    return TAUT_OK;
}

/* ---- frames ---- */

static void give_back(struct hub *h, struct call *c) {
    c->out.sent = true;
    c->msg.kind = MSG_ANSWER;
    hub_send(h, c->home, &c->msg);
}

static struct call *queue_pop(struct hconn *conn) {
    struct call *c = conn->queue_first;
    if (!c) return NULL;
    conn->queue_first = (struct call *)(void *)c->msg.mail.next;
    if (!conn->queue_first) conn->queue_last = NULL;
    return c;
}

static void forget(struct hub *h, struct hconn *conn) {
    struct taut_mod *m = &conn->socket->owner->pub;
    if (!is_left(m)) {
        crumb_enter(crumbs_of(m), CRUMB_CLOSED, conn->socket->def->name);
        conn->socket->def->close(m, conn->id, conn->state);
        crumb_leave(NULL);
    }
    map_remove(&h->conns, key_of(&conn->id));
    free(conn);
}

/* A connection with work under way lives until that work has ended: its actor is in use. */
static void maybe_forget(struct hub *h, struct hconn *conn) {
    if (conn->closed && !conn->users && !conn->starting) forget(h, conn);
}

/* Starts what waits, one after another: a frame that ends at once calls back into here, and is left to the loop. */
static void next_frames(struct hub *h, struct hconn *conn) {
    if (conn->starting) return;
    conn->starting = true;
    conn->users++;
    while (!conn->busy && !conn->closed) {
        struct call *next = queue_pop(conn);
        if (!next) break;
        run_frame(h, next, conn);
    }
    conn->users--;
    conn->starting = false;
}

void conns_frame(struct hub *h, struct call *c) {
    struct hconn *conn = conns_find(h, c->pub.conn);
    if (!conn || conn->closed || conn->barred) {
        give_back(h, c);
        return;
    }
    c->msg.mail.next = NULL;
    if (conn->queue_last) conn->queue_last->msg.mail.next = &c->msg.mail;
    else conn->queue_first = c;
    conn->queue_last = c;
    next_frames(h, conn);
    maybe_forget(h, conn);
}

void conns_frame_passed(struct hub *h, struct hconn *conn, const struct run *r) {
    if (conn->busy != r) return;
    conn->busy = NULL;
    next_frames(h, conn);
}

void conns_frame_done(struct hub *h, struct hconn *conn, const struct run *r) {
    conns_frame_passed(h, conn, r);
    conn->users--;
    maybe_forget(h, conn);
}

void conns_closed(struct hub *h, struct conn_msg *m) {
    struct hconn *conn = conns_find(h, m->conn);
    struct call *c;
    if (!conn || conn->closed) return;
    conn->closed = true;
    while ((c = queue_pop(conn))) give_back(h, c);
    maybe_forget(h, conn);
}

/* ---- those of one module ---- */

struct chosen {
    const struct instance *in;
    struct hconn **list;
    uint32_t n, cap;
};
static void choose(void *value, void *arg) {
    struct hconn *conn = value;
    struct chosen *c = arg;
    if (conn->socket->owner != c->in) return;
    if (c->n == c->cap) {
        c->cap = c->cap ? c->cap * 2 : 64;
        c->list = xrealloc(c->list, c->cap * sizeof *c->list);
    }
    c->list[c->n++] = conn;
}

uint32_t conns_of(struct hub *h, const struct instance *in) {
    struct chosen c = {.in = in};
    map_each(&h->conns, choose, &c);
    free(c.list);
    return c.n;
}

/* The peer is told by its gateway; here they are closed at once. */
void conns_end_of(struct hub *h, const struct instance *in) {
    struct chosen c = {.in = in};
    map_each(&h->conns, choose, &c);
    for (uint32_t i = 0; i < c.n; i++) {
        struct hconn *conn = c.list[i];
        struct call *queued;
        to_conn(core_mod(h), MSG_CLOSE, conn->id, CLOSE_GOING_AWAY, TAUT_LIT("the module was stopped"));
        conn->closed = true;
        while ((queued = queue_pop(conn))) give_back(h, queued);
        maybe_forget(h, conn);
    }
    free(c.list);
}

struct barred {
    struct hub *hub;
    taut_str workspace, who;
};
static void bar_one(void *value, void *arg) {
    struct hconn *conn = value;
    const struct barred *b = arg;
    struct call *c;
    if (!taut_str_eq(conn->actor.workspace, b->workspace) ||
        !(taut_str_eq(conn->actor.user, b->who) || taut_str_eq(conn->actor.token, b->who)))
        return;
    conn->barred = true;
    while ((c = queue_pop(conn))) give_back(b->hub, c);
}
void conns_bar(struct hub *h, taut_str workspace, taut_str who) {
    map_each(&h->conns, bar_one, &(struct barred){h, workspace, who});
}

/* ---- towards a connection ---- */

static void to_conn(struct taut_mod *m, uint32_t kind, taut_conn id, uint32_t code, taut_str text) {
    struct hub *h = hub_of(m);
    check_thread(m, kind == MSG_SEND ? "taut_send" : "taut_conn_close");
    if (!check_effect(m, kind == MSG_SEND ? "taut_send" : "taut_conn_close")) return;
    if (kind == MSG_SEND) check_object(m, run_here(), "a frame", text);
    struct hconn *conn = conns_find(h, id);
    if (!conn || conn->closed) return;
    struct conn_msg *out = xcalloc(1, sizeof *out + text.len);
    out->msg.kind = kind;
    out->conn = id;
    out->code = code;
    out->text = taut_str_n((char *)(out + 1), text.len);
    if (text.len) memcpy(out + 1, text.ptr, text.len);
    hub_send(h, conn->gateway, &out->msg);
}

static void send_json(struct taut_mod *m, taut_conn conn, taut_str json) {
    to_conn(m, MSG_SEND, conn, 0, json);
}
static void close_conn(struct taut_mod *m, taut_conn conn, uint32_t code, taut_str reason) {
    to_conn(m, MSG_CLOSE, conn, code, reason);
}

void conns_add_to_host(struct taut_host *t) {
    t->accept = accept_conn;
    t->reject = reject_conn;
    t->send = send_json;
    t->close = close_conn;
}

static void free_conn(void *value, void *arg) {
    (void)arg;
    free(value);
}
void conns_free(struct hub *h) {
    map_each(&h->conns, free_conn, NULL);
    map_free(&h->conns);
}
