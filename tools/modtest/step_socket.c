/* step_socket.c - sockets: opened, frames to the module and from it, closed by either side. */
#include "ask.h"

static const char *conn_name(const struct step *s) {
    return node_text(node_child(s->node, "conn"), "1").ptr;
}

/* NULL: reported, unless it may well be so. */
static struct conn *find_conn(struct world *w, const struct step *s, const char *name) {
    struct conn *c = gateway_conn(w, name);
    if (!c && is_judged(w)) fail_at(w, s->value, "there is no connection \"%s\"", name);
    return c;
}

static bool has_frame(struct world *w, const void *arg) {
    (void)w;
    return ((const struct conn *)arg)->frames != NULL;
}

/* The next frame that was not looked at. */
static bool next_is(struct world *w, const struct step *s, struct conn *c, const struct node *want, const char *path) {
    if (!world_wait(w, has_frame, c)) {
        if (is_judged(w)) fail_at(w, want, "%s: expected a frame, got none", path);
        return !w->failed;
    }
    struct frame *f = c->frames;
    c->frames = f->next;
    if (!c->frames) c->tail = &c->frames;
    json_t *got = json_loadb(f->json.ptr, f->json.len, JSON_DECODE_ANY, NULL);
    keep_of(w, s, f->json);
    bool ok = !is_judged(w) || (got ? expect_json(w, want, got, path) : expect_text(w, want, f->json, path));
    json_decref(got);
    return ok;
}

/* ---- opening and closing ---- */

static const struct socket_entry *find_socket(const struct world *w, taut_str path) {
    for (uint32_t i = 0; i < w->modules->nsockets; i++) {
        const char *prefix = w->modules->sockets[i].def->prefix;
        if (path.len >= strlen(prefix) && !memcmp(path.ptr, prefix, strlen(prefix))) return &w->modules->sockets[i];
    }
    return NULL;
}

static bool judge_open(struct world *w, const struct step *s, struct conn *c) {
    const struct node *refused = node_child(s->node, "refused"), *hello = node_child(s->node, "hello");
    if (!is_judged(w)) return true;
    if (c->open == (refused != NULL)) {
        fail_at(w, refused ? refused : s->value,
                refused ? "connect: expected a refusal, got let in" : "connect: was refused with code %u", c->code);
        return false;
    }
    if (!refused) return !hello || next_is(w, s, c, hello, "hello");
    json_t *code = json_integer(c->code);
    bool ok = expect_json(w, refused, code, "refused");
    json_decref(code);
    return ok;
}

/* The path of ws://HOST/PATH; a path is one already. */
static taut_str path_of(taut_str url) {
    const char *host = strstr(url.ptr, "://"), *path = host ? strchr(host + 3, '/') : NULL;
    return path ? taut_str_z(path) : url;
}

bool step_connect(struct world *w, const struct step *s) {
    taut_str target = path_of(node_text(s->value, ""));
    const char *query = strchr(target.ptr, '?');
    const struct socket_entry *socket = find_socket(w, target);
    struct asking how;
    if (!socket) {
        fail_at(w, s->value, "no module has a socket route for \"%s\"", target.ptr);
        return false;
    }
    size_t prefix = strlen(socket->def->prefix);
    struct asked *a = gateway_call(w, TAUT_CALL_OPEN);
    struct conn *c = a->conn = gateway_connect(w, conn_name(s), socket);
    a->call->socket = socket;
    a->call->token = token_of(w, s);
    a->call->http = arena_zalloc(&a->call->arena, sizeof *a->call->http);
    a->call->http->verb = "GET";
    a->call->http->head = head_of(w, node_child(s->node, "headers"), a->call->token);
    a->call->pub.conn = c->id;
    a->call->pub.text = taut_str_n(target.ptr + prefix, (query ? (size_t)(query - target.ptr) : target.len) - prefix);
    a->call->pub.query = query ? taut_str_z(query + 1) : TAUT_NONE;
    if (!ask(w, s, a, &how)) return !w->failed;
    return judge_open(w, s, c);
}

bool step_disconnect(struct world *w, const struct step *s) {
    struct conn *c = find_conn(w, s, node_text(s->value, "1").ptr);
    if (!c) return !w->failed;
    gateway_disconnect(w, c);
    world_settle(w);
    return !w->failed;
}

static bool is_closed(struct world *w, const void *arg) {
    (void)w;
    return ((const struct conn *)arg)->closed;
}

bool step_closed(struct world *w, const struct step *s) {
    struct conn *c = find_conn(w, s, conn_name(s));
    if (!c) return !w->failed;
    if (!world_wait(w, is_closed, c)) {
        if (is_judged(w)) fail_at(w, s->value, "closed: the connection is open");
        return !w->failed;
    }
    if (!is_judged(w)) return true;
    json_t *got =
        json_pack("{s:i,s:s%}", "code", (int)c->code, "reason", c->reason.ptr ? c->reason.ptr : "", c->reason.len);
    bool ok = expect_json(w, s->value, got, "closed");
    json_decref(got);
    return ok;
}

/* ---- frames ---- */

bool step_frame(struct world *w, const struct step *s) {
    const struct node *answer = node_child(s->node, "answer");
    struct conn *c = find_conn(w, s, conn_name(s));
    struct asking how;
    if (!c) return !w->failed;
    if (!c->open) {
        if (is_judged(w)) fail_at(w, s->value, "frame: the connection is not open");
        return !w->failed;
    }
    struct asked *a = gateway_call(w, TAUT_CALL_FRAME);
    a->call->socket = c->socket;
    a->call->pub.conn = c->id;
    a->call->pub.text = s->value->kind == NODE_SCALAR ? s->value->text : node_json_text(&w->arena, s->value);
    if (!ask(w, s, a, &how)) return !w->failed;
    if (!answer || !may_judge(&how, true)) return keep_of(w, s, a->body);
    json_t *got = json_loadb(a->body.ptr, a->body.len, JSON_DECODE_ANY, NULL);
    bool ok = expect_json(w, answer, got, "answer");
    json_decref(got);
    return ok && keep_of(w, s, a->body);
}

bool step_sent(struct world *w, const struct step *s) {
    struct conn *c = find_conn(w, s, conn_name(s));
    return c ? next_is(w, s, c, s->value, "sent") : !w->failed;
}
