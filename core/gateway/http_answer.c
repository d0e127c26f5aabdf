/* http_answer.c - answers: each fills its request's slot, filled slots leave in the order of their requests. */
#include "gateway/http.h"
#include "gateway/http_range.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { LARGE_MIN = 16384 /* bytes of a body */, COPY_MAX = 8192, HEAD_MAX = 512, IOV_MAX_USED = 256 };

static const struct {
    uint16_t status;
    const char *reason, *error;
} statuses[] = {
    {200, "OK", "ok"},
    {201, "Created", ""},
    {202, "Accepted", ""},
    {204, "No Content", ""},
    {206, "Partial Content", ""},
    {301, "Moved Permanently", ""},
    {302, "Found", ""},
    {303, "See Other", ""},
    {304, "Not Modified", ""},
    {307, "Temporary Redirect", ""},
    {308, "Permanent Redirect", ""},
    {400, "Bad Request", "bad_request"},
    {401, "Unauthorized", "unauthorized"},
    {403, "Forbidden", "forbidden"},
    {404, "Not Found", "not_found"},
    {405, "Method Not Allowed", "method_not_allowed"},
    {408, "Request Timeout", "request_timeout"},
    {409, "Conflict", "conflict"},
    {410, "Gone", "gone"},
    {412, "Precondition Failed", "precondition_failed"},
    {413, "Content Too Large", "body_too_large"},
    {414, "URI Too Long", "uri_too_long"},
    {415, "Unsupported Media Type", "unsupported_media_type"},
    {416, "Range Not Satisfiable", "range_not_satisfiable"},
    {417, "Expectation Failed", "expectation_failed"},
    {422, "Unprocessable Content", "unprocessable_content"},
    {426, "Upgrade Required", "upgrade_required"},
    {429, "Too Many Requests", "ratelimited"},
    {431, "Request Header Fields Too Large", "headers_too_large"},
    {500, "Internal Server Error", "internal_error"},
    {501, "Not Implemented", "not_implemented"},
    {503, "Service Unavailable", "service_unavailable"},
    {504, "Gateway Timeout", "request_timeout"},
    {505, "HTTP Version Not Supported", "http_version_not_supported"},
    {507, "Insufficient Storage", "insufficient_storage"},
};

const char *http_reason(unsigned status) {
    for (size_t i = 0; i < COUNT_OF(statuses); i++)
        if (statuses[i].status == status) return statuses[i].reason;
    return "Status";
}

static const char *error_code(unsigned status) {
    for (size_t i = 0; i < COUNT_OF(statuses); i++)
        if (statuses[i].status == status) return statuses[i].error;
    return "error";
}

/* ---- slots ---- */

uint64_t http_cookie(const struct http_conn *c, uint16_t seq) {
    return (uint64_t)c->index << 44 | (uint64_t)c->generation << 16 | seq;
}

static struct http_slot *slot(struct http_conn *c, uint16_t seq) {
    return c->ring ? &c->ring[seq & (c->ring_size - 1)] : &c->one;
}

struct http_slot *http_slot_at(struct http_conn *c, uint16_t seq) {
    return (uint16_t)(seq - c->first) < http_outstanding(c) ? slot(c, seq) : NULL;
}

struct http_slot *http_slot_add(struct http_conn *c) {
    uint16_t n = http_outstanding(c), size = c->ring ? c->ring_size : 1;
    if (n == size) {
        uint16_t bigger = size == 1 ? 8 : (uint16_t)(size * 4);
        struct http_slot *ring = xcalloc(bigger, sizeof *ring);
        for (uint16_t i = 0; i < n; i++) {
            uint16_t seq = (uint16_t)(c->first + i);
            ring[seq & (bigger - 1)] = *slot(c, seq);
        }
        free(c->ring);
        c->ring = ring;
        c->ring_size = bigger;
    }
    struct http_slot *s = slot(c, c->next++);
    memset(s, 0, sizeof *s);
    return s;
}

static void slot_release(struct http_conn *c, struct http_slot *s) {
    if (s->call) call_put(&c->s->g->calls, s->call);
    http_file_free(s->file);
    free(s->block);
    s->file = NULL;
    s->call = NULL;
    s->block = NULL;
}

static void drop_first(struct http_conn *c) {
    struct http_slot *s = slot(c, c->first);
    c->outstanding_bytes -= s->bytes;
    c->answers -= s->answer_bytes;
    if (s->status) {
        c->unread -= s->answer_bytes;
        c->s->unsent -= s->answer_bytes;
    }
    slot_release(c, s);
    c->first++;
}

void http_slots_drop(struct http_conn *c) {
    while (http_outstanding(c)) drop_first(c);
    free(c->ring);
    c->ring = NULL;
}

void http_output_drop(struct http_conn *c) {
    c->s->unsent -= c->out_len;
    free(c->out);
    c->out = NULL;
    c->out_at = c->out_len = 0;
}

/* ---- filling them ---- */

static void fill(struct http_conn *c, struct http_slot *s, int status, const char *type, taut_str body) {
    s->status = (uint16_t)(status ? status : 200);
    s->content_type = type;
    s->body = body;
    c->answers += body.len - s->answer_bytes;
    c->unread += body.len;
    c->s->unsent += body.len;
    s->answer_bytes = body.len;
    http_conn_dirty(c);
}

void http_reply(struct http_conn *c, bool head_only, uint16_t status, const char *type, taut_str body) {
    struct http_slot *s = http_slot_add(c);
    s->head_only = head_only;
    s->close = c->closing;
    fill(c, s, status, type, body);
}

void http_reply_error(struct http_conn *c, bool head_only, uint16_t status, const char *message, const char *headers) {
    const char *code = error_code(status);
    char *text = message ? xasprintf("%s{\"ok\":false,\"error\":\"%s\",\"message\":\"%s\"}", headers, code, message)
                         : xasprintf("%s{\"ok\":false,\"error\":\"%s\"}", headers, code);
    size_t n = strlen(headers);
    http_reply(c, head_only, status, NULL, taut_str_z(text + n));
    struct http_slot *s = slot(c, (uint16_t)(c->next - 1));
    s->block = text;
    s->headers = taut_str_n(text, n);
}

static taut_str move(char **at, taut_str s) {
    taut_str moved = taut_str_n(memcpy(*at, s.len ? s.ptr : "", s.len), s.len);
    *at += s.len;
    return moved;
}

/* Takes a large answer out of its call, whose memory, several times as much, is of use again. */
static void *detach(struct call_out *out) {
    size_t type = out->content_type ? strlen(out->content_type) + 1 : 0;
    char *block = xmalloc(out->headers.len + out->body.len + type), *at = block;
    out->headers = move(&at, out->headers);
    out->body = move(&at, out->body);
    if (type) out->content_type = memcpy(at, out->content_type, type);
    return block;
}

/* Whoever reads slowest gives way when all together hold too much. */
static void make_room(struct http_server *s) {
    struct http_conn *longest;
    while (s->unsent > s->max_answers && (longest = http_longest_unread(s))) {
        atomic_fetch_add_explicit(&s->g->stats.refused, 1, memory_order_relaxed);
        http_conn_close(longest);
    }
}

/* What of the answer is wanted, and its file; nobody needs the request's own any more. */
static void of_http(struct gateway *g, struct http_slot *s, struct call *call) {
    struct call_http *h = call->http;
    if (call->route) http_apply_selection(call);
    if (h->file.size && h->file.length) {
        s->file = http_file_new(g->http, &h->file);
        h->file.size = 0;
    }
    if (h->release) h->release(h);
}

void http_answer(struct gateway *g, struct call *call) {
    struct http_conn *c = http_conn_find(g, call->cookie);
    struct http_slot *s = c ? http_slot_at(c, cookie_seq(call->cookie)) : NULL;
    if (!s || s->status || call->out.sent) {
        call_put(&g->calls, call);
        return;
    }
    if (call->http) of_http(g, s, call);
    struct call_out out = call->out;
    if (out.body.len > LARGE_MIN) {
        s->block = detach(&out);
        call_put(&g->calls, call);
    } else {
        s->call = call;
    }
    s->headers = out.headers;
    fill(c, s, out.http_status, out.content_type, out.body);
    make_room(g->http);
}

void http_early(struct gateway *g, struct early_msg *m) {
    struct http_conn *c = http_conn_find(g, m->cookie);
    struct http_slot *s = c ? http_slot_at(c, cookie_seq(m->cookie)) : NULL;
    if (!s || s->status) {
        free(m);
        return;
    }
    s->upgrade = false; /* no socket comes of it any more */
    s->block = m;
    fill(c, s, m->http_status, m->content_type, m->body);
}

/* ---- writing ---- */

struct batch {
    struct http_conn *c;
    struct iovec iov[IOV_MAX_USED];
    int niov;
    size_t used;     /* of the scratch */
    size_t total;    /* bytes in iov */
    uint16_t nslots; /* from first on */
    bool has_file;   /* the last of them is followed by its file */
};

static void add_bytes(struct batch *b, const char *p, size_t n) {
    struct iovec *last = b->niov ? &b->iov[b->niov - 1] : NULL;
    b->total += n;
    if (last && (char *)last->iov_base + last->iov_len == p) last->iov_len += n;
    else b->iov[b->niov++] = (struct iovec){(void *)(uintptr_t)p, n};
}

static void add_copy(struct batch *b, const char *p, size_t n) {
    char *at = b->c->s->scratch + b->used;
    if (!n) return;
    memcpy(at, p, n);
    b->used += n;
    add_bytes(b, at, n);
}

static void add_text(struct batch *b, taut_str s) {
    if (s.len <= COPY_MAX) add_copy(b, s.ptr, s.len);
    else add_bytes(b, s.ptr, s.len);
}

static bool has_room(const struct batch *b) {
    return !b->has_file && b->niov + 6 <= IOV_MAX_USED &&
           SCRATCH_SIZE - b->used >= HEAD_MAX + 2 * COPY_MAX + CORS_MAX + 64;
}

static size_t put(char *at, const char *text) {
    size_t n = strlen(text);
    memcpy(at, text, n);
    return n;
}

static size_t put_number(char *at, uint64_t v) {
    char digits[20];
    size_t n = 0, i = sizeof digits;
    do digits[--i] = (char)('0' + v % 10);
    while (v /= 10);
    n = sizeof digits - i;
    memcpy(at, digits + i, n);
    return n;
}

static void add_answer(struct batch *b, const struct http_slot *s) {
    char head[HEAD_MAX];
    const char *type = s->content_type ? s->content_type : "application/json; charset=utf-8";
    bool no_body = s->status == 204 || s->status == 304 || s->status < 200;
    size_t n = put(head, "HTTP/1.1 ");
    n += put_number(head + n, s->status);
    head[n++] = ' ';
    n += put(head + n, http_reason(s->status));
    if (!no_body) {
        size_t type_len = strnlen(type, HEAD_MAX / 2);
        n += put(head + n, "\r\nContent-Type: ");
        memcpy(head + n, type, type_len);
        n += type_len;
        n += put(head + n, "\r\nContent-Length: ");
        n += put_number(head + n, s->file ? http_file_length(s->file) : s->body.len);
    }
    n += put(head + n, s->close       ? "\r\nConnection: close\r\n"
                       : s->says_keep ? "\r\nConnection: keep-alive\r\n"
                                      : "\r\n");
    add_copy(b, head, n);
    add_text(b, s->headers);
    if (s->cors) add_copy(b, s->cors, strlen(s->cors));
    add_copy(b, "\r\n", 2);
    if (s->head_only || no_body) return;
    b->has_file = s->file != NULL;
    if (s->body.len) add_text(b, s->body);
}

/* Keeps what the socket did not take. */
static void keep_rest(struct http_conn *c, const struct batch *b, size_t sent) {
    c->out_len = b->total - sent;
    c->s->unsent += c->out_len;
    c->out_at = 0;
    c->out = xmalloc(c->out_len);
    size_t n = 0;
    for (int i = 0; i < b->niov; i++) {
        size_t skip = sent < b->iov[i].iov_len ? sent : b->iov[i].iov_len;
        memcpy(c->out + n, (char *)b->iov[i].iov_base + skip, b->iov[i].iov_len - skip);
        n += b->iov[i].iov_len - skip;
        sent -= skip;
    }
}

static bool send_batch(struct http_conn *c, struct batch *b) {
    struct msghdr m = {.msg_iov = b->iov, .msg_iovlen = (size_t)b->niov};
    ssize_t n;
    do n = sendmsg(c->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT | (b->has_file ? MSG_MORE : 0));
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK) return false;
    size_t sent = n < 0 ? 0 : (size_t)n;
    struct gateway_stats *stats = &c->s->g->stats;
    atomic_fetch_add_explicit(&stats->writes, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&stats->bytes_out, sent, memory_order_relaxed);
    if (sent < b->total) keep_rest(c, b, sent);
    for (; b->nslots; b->nslots--) {
        struct http_slot *s = slot(c, c->first);
        if (b->has_file && b->nslots == 1) {
            c->file = s->file;
            s->file = NULL;
        }
        drop_first(c);
    }
    return true;
}

/* False: the connection is broken. */
static bool send_rest(struct http_conn *c) {
    while (c->out) {
        ssize_t n = send(c->fd, c->out + c->out_at, c->out_len - c->out_at, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
        c->out_at += (size_t)n;
        c->progressed = true;
        atomic_fetch_add_explicit(&c->s->g->stats.bytes_out, (size_t)n, memory_order_relaxed);
        if (c->out_at < c->out_len) continue;
        http_output_drop(c);
    }
    return true;
}

/* The next answers in one write. False: there is nothing to write, or the connection is broken (and closed). */
static bool write_batch(struct http_conn *c) {
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct batch b;
    b.c = c;
    b.niov = 0;
    b.used = b.total = 0;
    b.nslots = 0;
    b.has_file = false;
    uint16_t n = http_outstanding(c);
    while (b.nslots < n && has_room(&b)) {
        const struct http_slot *s = slot(c, (uint16_t)(c->first + b.nslots));
        if (!s->status) break;
        add_answer(&b, s);
        b.nslots++;
    }
    if (b.nslots == n && c->owes_continue && !b.has_file) {
        c->owes_continue = false;
        add_copy(&b, go_on, sizeof go_on - 1);
    }
    if (!b.niov) return false;
    if (send_batch(c, &b)) return true;
    http_conn_close(c);
    return false;
}

void http_write_answers(struct http_conn *c) {
    if (!send_rest(c)) {
        http_conn_close(c);
        return;
    }
    while (!c->out) {
        if (c->file && !http_file_send(c)) {
            http_conn_close(c);
            return;
        }
        if (c->file || !write_batch(c)) return;
    }
}
