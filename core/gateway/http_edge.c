/* http_edge.c - requests at the edge: the prefix of paths, origins, names, seats. */
#include "gateway/http_edge.h"

#include "obs/log.h"

static const struct edge_rules *rules(const struct http_conn *c) {
    return edge_rules(c->s->g->edge);
}

static bool has(const struct http_conn *c, enum http_header h) {
    return c->req.seen >> h & 1;
}

static taut_str header(const struct http_conn *c, const char *data, enum http_header h) {
    return has(c, h) ? taut_str_n(data + c->req.header[h].at, c->req.header[h].len) : TAUT_LIT("");
}

static void refuse(struct http_conn *c, uint16_t status, const char *why, const char *headers) {
    http_reply_error(c, c->req.verb == VERB_HEAD, status, why, headers);
}

/* ---- who asks ---- */

taut_str http_path_below(const struct http_conn *c, taut_str path) {
    const char *prefix = rules(c)->prefix;
    size_t n = strlen(prefix);
    bool below = n && path.len >= n && memcmp(path.ptr, prefix, n) == 0 && (path.len == n || path.ptr[n] == '/');
    if (!below) return path;
    return path.len == n ? TAUT_LIT("/") : taut_str_n(path.ptr + n, path.len - n);
}

static struct asker asker(const struct http_conn *c, const char *data) {
    return proxies_asker(&rules(c)->proxies, &c->peer, taut_str_n(data, c->req.head_len), header(c, data, H_HOST));
}

void http_name_client(const struct http_conn *c, const char *data, struct call *call) {
    struct asker who = asker(c, data);
    call->client = who.addr;
    call->secure = who.secure;
    call->host = arena_str(&call->arena, who.host);
}

uint64_t http_limited_group(const struct http_conn *c, const char *data) {
    struct asker who = asker(c, data);
    return c->admin || !edge_limits(c->s->g->edge, &who.addr) ? 0 : addr_group(&who.addr);
}

/* ---- pages ---- */

static const char origin_refused[] = "pages of this origin may not use this server; see server.allowed_origins";

static void refuse_origin(struct http_conn *c, taut_str origin) {
    char text[ADDR_TEXT];
    atomic_fetch_add_explicit(&c->s->g->stats.refused_origin, 1, memory_order_relaxed);
    log_fmt(TAUT_LOG_WARN, "gateway", "origin", "refused %s: \"%.*s\" is not in server.allowed_origins",
            addr_text(&c->peer.addr, text).ptr, origin.len > 200 ? 200 : (int)origin.len, origin.ptr);
    refuse(c, 403, origin_refused, "");
}

static void answer_preflight(struct http_conn *c, const char *data) {
    static const char lines[] = "Access-Control-Allow-Methods: GET, POST\r\n"
                                "Access-Control-Allow-Headers: Authorization, Content-Type\r\n"
                                "Access-Control-Max-Age: 7200\r\n";
    taut_str origin = header(c, data, H_ORIGIN);
    if (!origins_cors(&rules(c)->origins, origin)) {
        refuse_origin(c, origin);
        return;
    }
    http_reply(c, false, 204, NULL, taut_str_n("", 0));
    http_slot_at(c, (uint16_t)(c->next - 1))->headers = taut_str_n(lines, sizeof lines - 1);
}

void http_cors(struct http_conn *c, const char *data, uint16_t from) {
    if (!c->found.is_method || !has(c, H_ORIGIN) || c->closed) return;
    const char *lines = origins_cors(&rules(c)->origins, header(c, data, H_ORIGIN));
    for (; from != c->next; from++) {
        struct http_slot *s = http_slot_at(c, from);
        if (s) s->cors = lines;
    }
}

/* ---- requests ---- */

bool http_edge_answers(struct http_conn *c, const char *data) {
    if (c->admin && has(c, H_HOST) && !host_is_own(header(c, data, H_HOST), taut_str_z(rules(c)->admin_listen))) {
        refuse(c, 403, "ask the admin address by its IP address, as localhost, or as admin.listen names it", "");
        return true;
    }
    if (!c->found.is_method || c->req.verb != VERB_OPTIONS || !has(c, H_ORIGIN)) return false;
    answer_preflight(c, data);
    return true;
}

bool http_may_open(struct http_conn *c, const char *data) {
    struct gateway *g = c->s->g;
    if (has(c, H_ORIGIN) && !origins_may_open(&rules(c)->origins, header(c, data, H_ORIGIN))) {
        refuse_origin(c, header(c, data, H_ORIGIN));
        return false;
    }
    struct asker who = asker(c, data);
    if (!who.forwarded || edge_admit(g->edge, &who.addr, &c->seat) == ADMITTED) return true;
    char text[ADDR_TEXT];
    atomic_fetch_add_explicit(&g->stats.refused, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&g->stats.refused_address, 1, memory_order_relaxed);
    log_fmt(TAUT_LOG_WARN, "gateway", "address_limit", "refused a socket to %s, behind a proxy",
            addr_text(&who.addr, text).ptr);
    refuse(c, 429, "your address has, or opens, more connections than it may; try again", "Retry-After: 5\r\n");
    return false;
}
