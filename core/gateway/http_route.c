/* http_route.c - whose a request is: /api/METHOD, a module's route, a socket route, or nobody's. */
#include "base/text.h"
#include "gateway/api.h"
#include "gateway/http.h"
#include "gateway/http_edge.h"

#include <stdio.h>
#include <strings.h>

struct request {
    struct http_conn *conn;
    const struct http_request *parsed;
    const struct http_found *found;
    const char *data;
    taut_str path, query, body; /* body: empty when the connection's intake has it */
    taut_str method_name;       /* of a method */
    bool head_only;
    size_t expected; /* bytes of the answer */
};

static taut_str header(const struct request *r, enum http_header h) {
    if (!(r->parsed->seen >> h & 1)) return taut_str_n(NULL, 0);
    return taut_str_n(r->data + r->parsed->header[h].at, r->parsed->header[h].len);
}

/* ---- calls ---- */

/* What a call of HTTP has beside its arguments. */
static void add_http(struct request *r, struct call *call) {
    struct call_http *h = call->http = arena_zalloc(&call->arena, sizeof *h);
    const char *lines = memchr(r->data, '\n', r->parsed->head_len); /* behind the request line */
    h->verb = http_verb_names[r->parsed->verb];
    h->head = taut_str_n(lines + 1, (size_t)(r->data + r->parsed->head_len - lines - 1));
    if (r->conn->intake) { /* the head is its own, too */
        http_intake_give(r->conn, call);
        return;
    }
    h->head = arena_str(&call->arena, h->head);
    taut_str body = arena_str(&call->arena, r->body);
    h->body = (struct taut_body){sizeof h->body, -1, body.len, body.ptr};
    h->bytes = body.len;
}

static struct call *new_call(struct request *r, uint32_t kind) {
    struct http_conn *c = r->conn;
    struct gateway *g = c->s->g;
    struct call *call = call_get(&g->calls, kind, &g->port);
    call->cookie = http_cookie(c, c->next);
    http_name_client(c, r->data, call);
    struct http_slot *s = http_slot_add(c);
    s->head_only = r->head_only;
    s->close = c->closing;
    s->says_keep = r->parsed->minor == 0;
    s->bytes = r->parsed->head_len + (uint32_t)r->body.len;
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
    struct http_intake *intake = r->conn->intake;
    struct api_request api = {
        .method = r->method_name,
        .query = r->query,
        .content_type = header(r, H_CONTENT_TYPE),
        .authorization = header(r, H_AUTHORIZATION),
        .body = r->body,
        .is_multipart = intake != NULL,
        .form_error = intake ? http_intake_error(intake) : NULL,
    };
    struct call *call = new_call(r, TAUT_CALL_METHOD);
    if (intake) {
        add_http(r, call);
        api.parts = call->http->parts;
        api.nparts = call->http->nparts;
    }
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
    if (!http_may_open(c, r->data)) return HTTP_TAKEN;
    size_t prefix = strlen(r->found->socket->def->prefix);
    c->closing = true; /* no further requests: what follows are frames */
    struct call *call = new_call(r, TAUT_CALL_OPEN);
    http_slot_at(c, cookie_seq(call->cookie))->upgrade = true;
    add_http(r, call);
    call->socket = r->found->socket;
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
    return strcmp(verb, http_verb_names[asked]) == 0 || (asked == VERB_HEAD && strcmp(verb, "GET") == 0);
}

static bool has_path(const struct http_conn *c, const struct taut_route *def, taut_str path) {
    return ((def->flags & TAUT_ROUTE_ADMIN) != 0) == c->admin && path_matches(def->path, path);
}

/* The longest path wins. */
static void find_route(struct http_conn *c, taut_str path) {
    const struct modules *ms = c->s->g->config.modules;
    struct http_found *f = &c->found;
    for (uint32_t i = 0; i < ms->nroutes; i++) {
        const struct taut_route *def = ms->routes[i].def;
        if (!has_path(c, def, path)) continue;
        if (!verb_matches(def->method, c->req.verb)) f->other_verb = true;
        else if (!f->route || strlen(def->path) > strlen(f->route->def->path)) f->route = &ms->routes[i];
    }
}

/* The line that says which verbs the path has. */
static void allowed(const struct request *r, char line[128]) {
    const struct modules *ms = r->conn->s->g->config.modules;
    size_t n = (size_t)snprintf(line, 128, "Allow: ");
    for (unsigned v = VERB_GET; v <= VERB_OPTIONS; v++) {
        bool has = false;
        for (uint32_t i = 0; i < ms->nroutes && !has; i++)
            has = has_path(r->conn, ms->routes[i].def, r->path) && verb_matches(ms->routes[i].def->method, (uint8_t)v);
        if (has) n += (size_t)snprintf(line + n, 128 - n, "%s%s", n > 7 ? ", " : "", http_verb_names[v]);
    }
    snprintf(line + n, 128 - n, "\r\n");
}

static void to_route(struct request *r) {
    struct call *call = new_call(r, TAUT_CALL_ROUTE);
    call->route = r->found->route;
    call->token = arena_str(&call->arena, api_bearer(header(r, H_AUTHORIZATION)));
    call->pub.text = arena_str(&call->arena, r->path);
    call->pub.query = arena_str(&call->arena, r->query);
    add_http(r, call);
    send_call(r, call);
}

/* ---- all ---- */

static taut_str path_of(const struct http_conn *c, const char *data) {
    const struct http_request *q = &c->req;
    return q->path.len ? http_path_below(c, taut_str_n(data + q->path.at, q->path.len)) : TAUT_LIT("/");
}

/* Of the path of a method. */
static taut_str method_name_in(taut_str path) {
    taut_str name = taut_str_n(path.ptr + 5, path.len - 5);
    if (name.len && name.ptr[name.len - 1] == '/') name.len--;
    return name;
}

static struct request request_of(struct http_conn *c, const char *data) {
    const struct http_request *q = &c->req;
    struct request r = {.conn = c, .parsed = q, .found = &c->found, .data = data, .head_only = q->verb == VERB_HEAD};
    r.path = path_of(c, data);
    r.query = taut_str_n(data + q->query.at, q->query.len);
    if (c->found.is_method) r.method_name = method_name_in(r.path);
    return r;
}

/* Whose the request is. */
static void find(struct http_conn *c, const char *data) {
    const struct modules *ms = c->s->g->config.modules;
    struct http_found *f = &c->found;
    taut_str path = path_of(c, data);
    f->is_method = !c->admin && starts_with(path, "/api/");
    if (f->is_method) {
        f->method = modules_method(ms, method_name_in(path));
        return;
    }
    f->socket = c->admin ? NULL : find_socket(ms, path);
    if (!f->socket) find_route(c, path);
}

/* What can be told from the head alone. True: it was answered. */
static bool is_nobodys(struct request *r) {
    const struct http_found *f = r->found;
    char allow[128];
    if (f->is_method) {
        bool ok = r->parsed->verb <= VERB_POST;
        if (!ok) refuse(r, 405, NULL, "Allow: GET, POST\r\n");
        return !ok;
    }
    if (f->socket || f->route) return false;
    if (!f->other_verb) {
        refuse(r, 404, NULL, "");
        return true;
    }
    allowed(r, allow);
    refuse(r, 405, NULL, allow);
    return true;
}

static bool is_too_much(struct request *r) {
    struct gateway *g = r->conn->s->g;
    if (!http_hub_is_full(g)) return false;
    atomic_fetch_add_explicit(&g->stats.refused, 1, memory_order_relaxed);
    refuse(r, 429, "the server has more to do than it can; try again", "Retry-After: 1\r\n");
    return true;
}

static uint64_t max_body(const struct http_conn *c) {
    const struct route_entry *route = c->found.route;
    uint64_t most = route && route->def->max_body ? route->def->max_body : c->s->max_body;
    bool fits_memory = most <= c->s->max_body || c->s->g->config.spool;
    return fits_memory ? most : c->s->max_body;
}

static bool is_encoded(const struct request *r) {
    taut_str coding = header(r, H_CONTENT_ENCODING);
    return coding.len && !(coding.len == 8 && strncasecmp(coding.ptr, "identity", 8) == 0);
}

static bool admit(struct http_conn *c, const char *data) {
    struct http_request *q = &c->req;
    taut_str boundary = {NULL, 0};
    find(c, data);
    q->max_body = max_body(c);
    if (q->phase != PHASE_CHUNKS && !q->content_length) return true;
    struct request r = request_of(c, data);
    bool is_large = q->phase == PHASE_CHUNKS || q->content_length > INTAKE_MEMORY_MAX;
    if (q->content_length > q->max_body) {
        http_refuse(c, 413, "the body is too large", "");
        return false;
    }
    if (is_encoded(&r)) {
        http_refuse(c, 415, "a body with a content coding is not taken; send it as it is",
                    "Accept-Encoding: identity\r\n");
        return false;
    }
    /* Who waits with the body, or has much of it, is told at once what does not depend on it. */
    c->closing = c->lingers = q->expects_continue || q->content_length > INTAKE_MEMORY_MAX;
    if (c->closing && (is_nobodys(&r) || is_too_much(&r))) return false;
    c->closing = c->lingers = false;
    bool is_multipart = (c->found.is_method || (c->found.route && c->found.route->def->flags & TAUT_ROUTE_PARTS)) &&
                        api_is_multipart(header(&r, H_CONTENT_TYPE), &boundary);
    if (!is_multipart && !(c->found.route && is_large)) return true;
    return http_intake_start(c, data, is_multipart, boundary, c->found.is_method);
}

bool http_admit(struct http_conn *c, const char *data) {
    uint16_t from = c->next;
    bool may_come = admit(c, data);
    http_cors(c, data, from);
    return may_come;
}

static enum http_fate dispatch(struct http_conn *c, const char *data) {
    struct request r = request_of(c, data);
    const struct http_found *f = &c->found;
    if (!c->intake) r.body = taut_str_n(data + c->req.head_len, (size_t)c->req.body_len);
    r.expected =
        http_expected(c->s, f->method ? (const void *)f->method : (const void *)f->route, c->req.head_len + r.body.len);
    if (!http_has_room(c, r.expected)) return HTTP_WAITS;
    if (!c->req.keep_alive) c->closing = true;
    bool reads = c->req.verb == VERB_GET || c->req.verb == VERB_HEAD;
    if (http_edge_answers(c, data)) return HTTP_TAKEN;
    if (reads && http_own(c, r.head_only, r.path)) return HTTP_TAKEN;
    if (is_nobodys(&r) || is_too_much(&r)) return HTTP_TAKEN;
    if (f->socket) return to_socket(&r);
    if (f->is_method) to_method(&r);
    else to_route(&r);
    return HTTP_TAKEN;
}

enum http_fate http_dispatch(struct http_conn *c, const char *data) {
    uint16_t from = c->next;
    enum http_fate fate = dispatch(c, data);
    http_cors(c, data, from);
    return fate;
}
