/* http_parse.c - the heads of HTTP/1.x requests. http_parser reads one once it is there as a whole and has passed
 * checks that http_parser (built without its strict mode by distributions) does not make. */
#include "gateway/http_request.h"

#include <http_parser.h>
#include <strings.h>

static enum http_progress refuse(struct http_request *r, uint16_t status, const char *why) {
    r->status = status;
    r->why = why;
    return HTTP_REFUSED;
}

/* ---- the head: lines ---- */

/* Looks for the empty line. Every line ends in CRLF, none is folded, none holds control characters. */
static enum http_progress scan_head(struct http_request *r, const char *d, size_t len, size_t max) {
    size_t i = r->scanned, line = r->line_start, end = len < max ? len : max;
    for (; i < end; i++) {
        unsigned char c = (unsigned char)d[i];
        if (c >= 0x20 && c != 0x7f) {
            if (i == line && line && c == ' ') return refuse(r, 400, "a header is folded over two lines");
            continue;
        }
        if (c == '\t') {
            if (i == line && line) return refuse(r, 400, "a header is folded over two lines");
            continue;
        }
        if (c == '\r') {
            if (i + 1 == end) break; /* looked at again with what follows it */
            if (d[i + 1] != '\n') return refuse(r, 400, "a carriage return without a line feed");
            continue;
        }
        if (c != '\n') return refuse(r, 400, "a control character in the head");
        if (i == line || d[i - 1] != '\r') return refuse(r, 400, "a line does not end in CRLF");
        if (i == line + 1) {
            r->head_len = (uint32_t)i + 1;
            return HTTP_DONE;
        }
        line = i + 1;
    }
    r->scanned = (uint32_t)i;
    r->line_start = (uint32_t)line;
    if (len < max) return HTTP_MORE;
    return line ? refuse(r, 431, "the head is too large") : refuse(r, 414, "the request line is too long");
}

/* ---- the head: fields ---- */

static const struct {
    const char *name;
    uint32_t len;
} names[H_COUNT] = {
#define NAME(h, text) [h] = {text, sizeof text - 1}
    NAME(H_HOST, "host"),
    NAME(H_CONTENT_LENGTH, "content-length"),
    NAME(H_CONTENT_TYPE, "content-type"),
    NAME(H_TRANSFER_ENCODING, "transfer-encoding"),
    NAME(H_AUTHORIZATION, "authorization"),
    NAME(H_CONTENT_ENCODING, "content-encoding"),
    NAME(H_EXPECT, "expect"),
    NAME(H_ORIGIN, "origin"),
    NAME(H_UPGRADE, "upgrade"),
    NAME(H_WS_KEY, "sec-websocket-key"),
    NAME(H_WS_VERSION, "sec-websocket-version"),
#undef NAME
};

struct head {
    struct http_request *r;
    const char *base;
    int current; /* enum http_header, or -1 */
    int twice;   /* a header that came more than once, or -1 */
    bool bad_name;
};

const char *const http_verb_names[] = {"", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

static uint8_t verb_of(unsigned method) {
    switch (method) {
    case HTTP_GET: return VERB_GET;
    case HTTP_HEAD: return VERB_HEAD;
    case HTTP_POST: return VERB_POST;
    case HTTP_PUT: return VERB_PUT;
    case HTTP_PATCH: return VERB_PATCH;
    case HTTP_DELETE: return VERB_DELETE;
    case HTTP_OPTIONS: return VERB_OPTIONS;
    default: return VERB_OTHER;
    }
}

static int on_url(http_parser *p, const char *at, size_t n) {
    struct head *h = p->data;
    h->r->target = (struct http_span){(uint32_t)(at - h->base), (uint32_t)n};
    h->r->verb = verb_of(p->method);
    return 0;
}

static int on_field(http_parser *p, const char *at, size_t n) {
    struct head *h = p->data;
    h->current = -1;
    if (memchr(at, ' ', n)) h->bad_name = true;
    for (int i = 0; i < H_COUNT; i++)
        if (names[i].len == n && strncasecmp(at, names[i].name, n) == 0) h->current = i;
    if (h->current < 0) return 0;
    if (h->r->seen >> h->current & 1) h->twice = h->current;
    h->r->seen = (uint16_t)(h->r->seen | 1u << h->current);
    return 0;
}

static int on_value(http_parser *p, const char *at, size_t n) {
    struct head *h = p->data;
    if (h->current < 0) return 0;
    while (n && (at[n - 1] == ' ' || at[n - 1] == '\t')) n--;
    h->r->header[h->current] = (struct http_span){(uint32_t)(at - h->base), (uint32_t)n};
    return 0;
}

static int on_headers_complete(http_parser *p) {
    struct head *h = p->data;
    struct http_request *r = h->r;
    r->minor = (uint8_t)p->http_minor;
    r->keep_alive = http_should_keep_alive(p) != 0;
    r->wants_upgrade = p->upgrade && p->method != HTTP_CONNECT;
    return 2; /* the body is not http_parser's business */
}

static bool has(const struct http_request *r, enum http_header h) {
    return r->seen >> h & 1;
}
static bool value_is(const struct http_request *r, const char *d, enum http_header h, const char *text) {
    return r->header[h].len == strlen(text) && strncasecmp(d + r->header[h].at, text, r->header[h].len) == 0;
}

static bool read_length(struct http_request *r, const char *d) {
    struct http_span v = r->header[H_CONTENT_LENGTH];
    if (!v.len || v.len > 18) return false;
    for (uint32_t i = 0; i < v.len; i++) {
        unsigned digit = (unsigned char)d[v.at + i] - '0';
        if (digit > 9) return false;
        r->content_length = r->content_length * 10 + digit;
    }
    return true;
}

/* What makes two servers see two different requests in the same bytes is refused. */
static enum http_progress check_framing(struct http_request *r, const char *d) {
    bool chunked = has(r, H_TRANSFER_ENCODING), sized = has(r, H_CONTENT_LENGTH);
    if (chunked && sized) return refuse(r, 400, "both Content-Length and Transfer-Encoding");
    if (chunked && !value_is(r, d, H_TRANSFER_ENCODING, "chunked"))
        return refuse(r, 501, "the only transfer coding is chunked");
    if (chunked && r->minor == 0) return refuse(r, 400, "Transfer-Encoding in HTTP/1.0");
    if (sized && !read_length(r, d)) return refuse(r, 400, "Content-Length is not a number");
    r->phase = chunked ? PHASE_CHUNKS : PHASE_BODY;
    r->scanned = r->head_len;
    r->line_start = 0;
    return HTTP_DONE;
}

static const char *twice_text(int header) {
    switch (header) {
    case H_HOST: return "two Host headers";
    case H_CONTENT_LENGTH: return "two Content-Length headers";
    case H_TRANSFER_ENCODING: return "two Transfer-Encoding headers";
    default: return "a header came twice";
    }
}

/* RFC 9112 3.2.2: the Host header beside an absolute form is ignored. */
static void use_target_host(struct http_request *r, const char *d) {
    struct http_span host = http_target_host(d, r->target, r->path);
    if (!host.len) return;
    r->header[H_HOST] = host;
    r->seen = (uint16_t)(r->seen | 1u << H_HOST);
}

static enum http_progress check_head(struct http_request *r, const struct head *h) {
    const char *d = h->base;
    if (h->bad_name) return refuse(r, 400, "a blank in a header's name");
    if (r->verb == VERB_OTHER) return refuse(r, 501, "no such HTTP method");
    const char *wrong = http_target(d, r->target, &r->path, &r->query);
    if (wrong) return refuse(r, 400, wrong);
    if (h->twice >= 0 && h->twice != H_UPGRADE) return refuse(r, 400, twice_text(h->twice));
    if (!has(r, H_HOST) && r->minor) return refuse(r, 400, "no Host header");
    if (has(r, H_HOST) && !http_is_host(d + r->header[H_HOST].at, r->header[H_HOST].len))
        return refuse(r, 400, "Host is no host");
    use_target_host(r, d);
    if (has(r, H_EXPECT) && r->minor) {
        if (!value_is(r, d, H_EXPECT, "100-continue")) return refuse(r, 417, "the only expectation is 100-continue");
        r->expects_continue = true;
    }
    return check_framing(r, d);
}

static bool is_token_char(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

/* METHOD SP target SP HTTP/d.d, which http_parser takes less exactly. NULL, or what is wrong. */
static const char *check_request_line(const char *d) {
    size_t i = 0;
    while (is_token_char(d[i])) i++;
    if (!i || d[i] != ' ') return "the request line does not begin with a method";
    size_t target = ++i;
    while (d[i] != ' ' && d[i] != '\r') i++;
    if (i == target || d[i] != ' ') return "the request line is not a method, a target and a version";
    const char *version = d + i + 1;
    bool ok = strncmp(version, "HTTP/", 5) == 0 && version[5] >= '0' && version[5] <= '9' && version[6] == '.' &&
              version[7] >= '0' && version[7] <= '9' && version[8] == '\r';
    return ok ? NULL : "the request line is not a method, a target and a version";
}

static enum http_progress parse_head(struct http_request *r, const char *d) {
    static const http_parser_settings settings = {
        .on_url = on_url,
        .on_header_field = on_field,
        .on_header_value = on_value,
        .on_headers_complete = on_headers_complete,
    };
    struct head h = {r, d, -1, -1, false};
    http_parser p;
    const char *wrong = check_request_line(d);
    if (wrong) return refuse(r, 400, wrong);
    http_parser_init(&p, HTTP_REQUEST);
    p.data = &h;
    size_t n = http_parser_execute(&p, &settings, d, r->head_len);
    enum http_errno err = HTTP_PARSER_ERRNO(&p);
    if (err == HPE_INVALID_VERSION || (err == HPE_OK && p.http_major != 1))
        return refuse(r, 505, "the HTTP version is not 1.0 or 1.1");
    if (err == HPE_INVALID_METHOD) return refuse(r, 501, "no such HTTP method");
    if (err == HPE_HEADER_OVERFLOW) return refuse(r, 431, "the head is too large");
    /* What http_parser refuses by itself still gets the words of our own check where it has some. */
    bool is_ours = h.twice >= 0 || (has(r, H_CONTENT_LENGTH) && has(r, H_TRANSFER_ENCODING));
    if (is_ours || (err == HPE_OK && n == r->head_len)) {
        enum http_progress checked = check_head(r, &h);
        if (checked != HTTP_DONE || err == HPE_OK) return checked;
    }
    return refuse(r, 400, http_errno_description(err));
}

enum http_progress http_parse_head(struct http_request *r, const char *data, size_t len, size_t max_header) {
    if (r->phase != PHASE_HEAD) return HTTP_DONE;
    enum http_progress p = scan_head(r, data, len, max_header);
    return p == HTTP_DONE ? parse_head(r, data) : p;
}
