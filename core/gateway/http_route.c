/* http_route.c - whose a request is: /api/METHOD, a module's route, a socket route, or nobody's. */
#include "gateway/api.h"
#include "gateway/http.h"

#include <strings.h>

struct request {
    struct http_conn *conn;
    const struct http_request *parsed;
    const char *data;
    taut_str path, query, body;
    bool head_only;
    /* whose it is, at most one of them */
    bool is_method;
    taut_str method_name;
    const struct socket_entry *socket;
    const struct route_entry *route;
    const char *other_verb; /* of a route that has the path but not the verb asked for */
    size_t expected;        /* bytes of the answer */
};

static taut_str header(const struct request *r, enum http_header h) {
    if (!(r->parsed->seen >> h & 1)) return taut_str_n(NULL, 0);
    return taut_str_n(r->data + r->parsed->header[h].at, r->parsed->header[h].len);
}

static bool starts_with(taut_str s, const char *z) {
    size_t n = strlen(z);
    return s.len >= n && memcmp(s.ptr, z, n) == 0;
}

/* ---- calls ---- */

static struct call *new_call(struct request *r, uint32_t kind) {
    struct http_conn *c = r->conn;
    struct gateway *g = c->s->g;
    struct call *call = call_get(&g->calls, kind, &g->port);
    call->cookie = http_cookie(c, c->next);
    struct http_slot *s = http_slot_add(c);
    s->head_only = r->head_only;
    s->close = c->closing;
    s->says_keep = r->parsed->minor == 0;
    s->bytes = (uint32_t)r->parsed->end;
    s->answer_bytes = r->expected;
    c->outstanding_bytes += s->bytes;
    c->answers += s->answer_bytes;
    return call;
}

static void send_call(struct request *r, struct call *call) {
    http_call_sent(r->conn->s->g, call);
    to_hub(r->conn->s->g, &call->msg);
}

static void refuse(struct request *r, uint16_t status, const char *message, const char *headers) {
    http_reply_error(r->conn, r->head_only, status, message, headers);
}

/* ---- /api/METHOD ---- */

static void to_method(struct request *r) {
    if (r->parsed->verb == VERB_OTHER) {
        refuse(r, 405, NULL, "Allow: GET, POST\r\n");
        return;
    }
    struct api_request api = {
        .method = r->method_name,
        .query = r->query,
        .content_type = header(r, H_CONTENT_TYPE),
        .authorization = header(r, H_AUTHORIZATION),
        .body = r->body,
    };
    struct call *call = new_call(r, TAUT_CALL_METHOD);
    api_arguments(r->conn->s->g->config.modules, call, &api);
    send_call(r, call);
}

/* ---- socket routes ---- */

static const struct socket_entry *find_socket(const struct modules *ms, taut_str path) {
    for (uint32_t i = 0; i < ms->nsockets; i++)
        if (starts_with(path, ms->sockets[i].def->prefix)) return &ms->sockets[i];
    return NULL;
}

static bool is_base64_key(taut_str v) {
    if (v.len != 24 || v.ptr[22] != '=' || v.ptr[23] != '=') return false;
    for (size_t i = 0; i < 22; i++) {
        char c = v.ptr[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z', digit = c >= '0' && c <= '9';
        if (!letter && !digit && c != '+' && c != '/') return false;
    }
    return true;
}

static enum http_fate to_socket(struct request *r) {
    taut_str upgrade = header(r, H_UPGRADE), version = header(r, H_WS_VERSION);
    bool is_ws = r->parsed->wants_upgrade && r->parsed->verb == VERB_GET && r->parsed->minor && upgrade.len == 9 &&
                 strncasecmp(upgrade.ptr, "websocket", 9) == 0;
    if (!is_ws || !taut_str_is(version, "13")) {
        refuse(r, 426, "this address speaks WebSocket, version 13",
               "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n");
        return HTTP_TAKEN;
    }
    if (!is_base64_key(header(r, H_WS_KEY))) {
        refuse(r, 400, "Sec-WebSocket-Key is not 16 bytes in base64", "");
        return HTTP_TAKEN;
    }
    if (r->parsed->phase == PHASE_CHUNKS || r->body.len) {
        refuse(r, 400, "a WebSocket request has no body", "");
        return HTTP_TAKEN;
    }
    struct http_conn *c = r->conn;
    size_t prefix = strlen(r->socket->def->prefix);
    c->closing = true; /* no further requests: what follows are frames */
    struct call *call = new_call(r, TAUT_CALL_OPEN);
    http_slot_at(c, cookie_seq(call->cookie))->upgrade = true;
    call->socket = r->socket;
    call->token = arena_str(&call->arena, api_bearer(header(r, H_AUTHORIZATION)));
    call->pub.conn = c->s->g->next_conn++;
    call->pub.text = arena_str(&call->arena, taut_str_n(r->path.ptr + prefix, r->path.len - prefix));
    call->pub.query = arena_str(&call->arena, r->query);
    send_call(r, call);
    return HTTP_PARKED;
}

/* ---- routes ---- */

static bool path_matches(const char *pattern, taut_str path) {
    size_t n = strlen(pattern);
    if (n > 1 && pattern[n - 1] == '/') return starts_with(path, pattern);
    return taut_str_is(path, pattern);
}

static bool verb_matches(const char *verb, uint8_t asked) {
    if (strcmp(verb, "GET") == 0) return asked == VERB_GET || asked == VERB_HEAD;
    return strcmp(verb, "POST") == 0 && asked == VERB_POST;
}

/* The longest path wins. */
static void find_route(struct request *r) {
    const struct modules *ms = r->conn->s->g->config.modules;
    for (uint32_t i = 0; i < ms->nroutes; i++) {
        const struct taut_route *def = ms->routes[i].def;
        if (((def->flags & TAUT_ROUTE_ADMIN) != 0) != r->conn->admin || !path_matches(def->path, r->path)) continue;
        if (!verb_matches(def->method, r->parsed->verb)) r->other_verb = def->method;
        else if (!r->route || strlen(def->path) > strlen(r->route->def->path)) r->route = &ms->routes[i];
    }
}

static void to_route(struct request *r) {
    struct call *call = new_call(r, TAUT_CALL_ROUTE);
    call->route = r->route;
    call->token = arena_str(&call->arena, api_bearer(header(r, H_AUTHORIZATION)));
    call->pub.text = arena_str(&call->arena, r->path);
    call->pub.query = arena_str(&call->arena, r->query);
    call->body = arena_str(&call->arena, r->body);
    send_call(r, call);
}

/* What the admin address answers by itself. */
static bool to_admin(struct request *r) {
    struct http_conn *c = r->conn;
    const struct gateway_config *config = &c->s->g->config;
    bool reads = r->parsed->verb == VERB_GET || r->parsed->verb == VERB_HEAD;
    if (!c->admin || !reads) return false;
    if (taut_str_is(r->path, "/")) {
        http_reply(c, r->head_only, 200, "text/plain; charset=utf-8",
                   TAUT_LIT("Taut's admin address. GET /metrics has its numbers.\n"));
        return true;
    }
    if (!config->metrics || !taut_str_is(r->path, "/metrics")) return false;
    char *text = NULL;
    size_t len = 0;
    config->metrics(config->metrics_arg, &text, &len);
    http_reply(c, r->head_only, 200, "text/plain; version=0.0.4; charset=utf-8", taut_str_n(text ? text : "", len));
    http_slot_at(c, (uint16_t)(c->next - 1))->block = text;
    return true;
}

/* ---- all ---- */

/* Path and query of the target, which may be a whole URL. False: it is neither. */
static bool split_target(struct request *r) {
    taut_str t = taut_str_n(r->data + r->parsed->target.at, r->parsed->target.len);
    const char *fragment = memchr(t.ptr, '#', t.len);
    if (fragment) t.len = (size_t)(fragment - t.ptr);
    if (t.len >= 7 && strncasecmp(t.ptr, "http://", 7) == 0) {
        const char *slash = memchr(t.ptr + 7, '/', t.len - 7);
        t = slash ? taut_str_n(slash, t.len - (size_t)(slash - t.ptr)) : TAUT_LIT("/");
    }
    if (!t.len || t.ptr[0] != '/') return false;
    const char *mark = memchr(t.ptr, '?', t.len);
    r->path = taut_str_n(t.ptr, mark ? (size_t)(mark - t.ptr) : t.len);
    r->query = mark ? taut_str_n(mark + 1, t.len - r->path.len - 1) : taut_str_n("", 0);
    return true;
}

/* Whose the request is. Returns its table entry, or NULL. */
static const void *find(struct request *r) {
    const struct http_conn *c = r->conn;
    const struct modules *ms = c->s->g->config.modules;
    if (!c->admin && starts_with(r->path, "/api/")) {
        taut_str name = taut_str_n(r->path.ptr + 5, r->path.len - 5);
        if (name.len && name.ptr[name.len - 1] == '/') name.len--;
        r->is_method = true;
        r->method_name = name;
        return modules_method(ms, name);
    }
    r->socket = c->admin ? NULL : find_socket(ms, r->path);
    if (!r->socket) find_route(r);
    return r->route;
}

static enum http_fate take(struct request *r) {
    struct http_conn *c = r->conn;
    if (to_admin(r)) return HTTP_TAKEN;
    if (http_hub_is_full(c->s->g)) {
        atomic_fetch_add_explicit(&c->s->g->stats.refused, 1, memory_order_relaxed);
        refuse(r, 429, "the server has more to do than it can; try again", "Retry-After: 1\r\n");
        return HTTP_TAKEN;
    }
    if (r->socket) return to_socket(r);
    if (r->is_method) to_method(r);
    else if (r->route) to_route(r);
    else if (r->other_verb)
        refuse(r, 405, NULL, strcmp(r->other_verb, "GET") == 0 ? "Allow: GET, HEAD\r\n" : "Allow: POST\r\n");
    else refuse(r, 404, NULL, "");
    return HTTP_TAKEN;
}

enum http_fate http_dispatch(struct http_conn *c, const char *data) {
    struct request r = {.conn = c, .parsed = &c->req, .data = data, .head_only = c->req.verb == VERB_HEAD};
    r.body = taut_str_n(data + c->req.head_len, (size_t)c->req.body_len);
    bool is_path = split_target(&r);
    if (is_path) r.expected = http_expected(c->s, find(&r), c->req.end);
    if (!http_has_room(c, r.expected)) return HTTP_WAITS;
    if (!c->req.keep_alive) c->closing = true;
    if (is_path) return take(&r);
    refuse(&r, 400, "the request target is not a path", "");
    return HTTP_TAKEN;
}
