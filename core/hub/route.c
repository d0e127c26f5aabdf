/* route.c - what handlers of HTTP routes see of their request, and put in their answer beside its text. Hub. The
 * request's files are the gateway's: they are closed when the call is back there. */
#include <ctype.h>
#include <strings.h>
#include <unistd.h>

#include "hub/internal.h"

enum { HEADERS_MAX = 8192 };

static struct call *call_of(struct taut_call *c) {
    return CONTAINER_OF(c, struct call, pub);
}

/* ---- the request ---- */

static taut_str verb(struct taut_call *c) {
    const struct call_http *h = call_of(c)->http;
    return taut_str_z(h ? h->verb : NULL);
}

taut_str call_header(const struct call_http *h, const char *name) {
    size_t n = strlen(name);
    for (const char *at = h->head.ptr, *end = at + h->head.len; at < end;) {
        const char *eol = memchr(at, '\r', (size_t)(end - at));
        if (!eol) break;
        if ((size_t)(eol - at) > n && at[n] == ':' && strncasecmp(at, name, n) == 0) {
            const char *from = at + n + 1;
            while (from < eol && (*from == ' ' || *from == '\t')) from++;
            while (eol > from && (eol[-1] == ' ' || eol[-1] == '\t')) eol--;
            return taut_str_n(from, (size_t)(eol - from));
        }
        at = eol + 2;
    }
    return taut_str_n(NULL, 0);
}

static taut_str header(struct taut_call *c, const char *name) {
    const struct call_http *h = call_of(c)->http;
    return h && *name ? call_header(h, name) : taut_str_n(NULL, 0);
}

static const struct taut_body *body(struct taut_call *c) {
    static const struct taut_body none = {sizeof none, -1, 0, ""};
    const struct call_http *h = call_of(c)->http;
    return h && h->body.size ? &h->body : &none;
}

static const struct taut_part *part(struct taut_call *c, uint32_t i) {
    const struct call_http *h = call_of(c)->http;
    return h && i < h->nparts ? &h->parts[i] : NULL;
}

/* ---- the answer ---- */

/* What says how long the answer is or concerns the connection is not a handler's to say. */
static bool is_ours(const char *name) {
    static const char *const names[] = {"Connection",
                                        "Content-Length",
                                        "Content-Range",
                                        "Content-Type",
                                        "Accept-Ranges",
                                        "Keep-Alive",
                                        "TE",
                                        "Trailer",
                                        "Upgrade",
                                        "Proxy-Connection",
                                        "Transfer-Encoding",
                                        "Proxy-Authenticate",
                                        "Proxy-Authorization"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (strcasecmp(name, names[i]) == 0) return true;
    return false;
}

static bool is_token(const char *name) {
    const char *at = name;
    while (isalnum((unsigned char)*at) || (*at && strchr("!#$%&'*+-.^_`|~", *at))) at++;
    return at > name && !*at;
}

static bool is_clean(taut_str value) {
    for (size_t i = 0; i < value.len; i++) {
        unsigned char ch = (unsigned char)value.ptr[i];
        if ((ch < 0x20 && ch != '\t') || ch == 0x7f) return false;
    }
    return true;
}

/* The headers of this run, with room for n bytes more; NULL when they would be too long. */
static char *headers_room(struct call *c, size_t n) {
    struct call_http *h = c->http;
    if (h->headers_run != c->pub.run + 1) {
        h->headers_run = c->pub.run + 1;
        c->out.headers.len = 0;
    }
    size_t need = c->out.headers.len + n;
    if (need > HEADERS_MAX) return NULL;
    if (need > h->headers_cap) {
        uint32_t cap = need > 512 ? HEADERS_MAX : 512;
        char *bigger = arena_alloc(&c->arena, cap);
        if (c->out.headers.len) memcpy(bigger, c->out.headers.ptr, c->out.headers.len);
        c->out.headers.ptr = bigger;
        h->headers_cap = cap;
    }
    return (char *)(uintptr_t)c->out.headers.ptr + c->out.headers.len;
}

static int32_t put_header(struct taut_call *pub, const char *name, taut_str value) {
    struct call *c = call_of(pub);
    if (!c->http || pub->kind != TAUT_CALL_ROUTE || !is_token(name) || is_ours(name) || !is_clean(value))
        return TAUT_E_INVAL;
    size_t name_len = strlen(name), n = name_len + 2 + value.len + 2;
    char *at = headers_room(c, n);
    if (!at) return TAUT_E_LIMIT;
    memcpy(at, name, name_len);
    memcpy(at + name_len, ": ", 2);
    if (value.len) memcpy(at + name_len + 2, value.ptr, value.len);
    memcpy(at + n - 2, "\r\n", 2);
    c->out.headers.len += n;
    return TAUT_OK;
}

static void drop_file(struct call_http *h) {
    if (h->file.size) close(h->file.fd);
    h->file.size = 0;
}

void route_forget(struct call *c) {
    c->out.headers.len = 0;
    if (!c->http) return;
    c->http->headers_run = 0;
    drop_file(c->http);
}

void route_finish(struct call *c, bool failed) {
    struct call_http *h = c->http;
    if (!h) return;
    if (failed || h->headers_run != c->pub.run + 1) c->out.headers = taut_str_n(NULL, 0);
    if (failed || h->file_run != c->pub.run) drop_file(h);
}

static int32_t reply_file(struct taut_call *pub, int32_t status, const char *content_type,
                          const struct taut_file *file) {
    struct call *c = call_of(pub);
    if (!c->http || pub->kind != TAUT_CALL_ROUTE || file->fd < 0) {
        if (file->fd >= 0) close(file->fd);
        return TAUT_E_INVAL;
    }
    drop_file(c->http);
    c->http->file = (struct taut_file){sizeof *file, file->fd, file->offset, file->length};
    c->http->file_run = pub->run;
    return pub->mod->host->reply(pub, status, content_type, taut_str_n("", 0));
}

void route_add_to_host(struct taut_host *t) {
    static const struct taut_route_host table = {
        .size = sizeof table,
        .verb = verb,
        .header = header,
        .body = body,
        .part = part,
        .put_header = put_header,
        .reply_file = reply_file,
    };
    t->route = &table;
}
