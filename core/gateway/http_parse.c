/* http_parse.c - HTTP/1.x requests. http_parser reads the head, once it is there as a whole and has passed checks that
 * http_parser (built without its strict mode by distributions) does not make. Bodies are framed here. */
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
    return len >= max ? refuse(r, 431, "the head is too large") : HTTP_MORE;
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
    NAME(H_EXPECT, "expect"),
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

static int on_url(http_parser *p, const char *at, size_t n) {
    struct head *h = p->data;
    h->r->target = (struct http_span){(uint32_t)(at - h->base), (uint32_t)n};
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
    r->verb = p->method == HTTP_GET    ? VERB_GET
              : p->method == HTTP_HEAD ? VERB_HEAD
              : p->method == HTTP_POST ? VERB_POST
                                       : VERB_OTHER;
    return 2; /* the body is not http_parser's business */
}

static bool has(const struct http_request *r, enum http_header h) {
    return r->seen >> h & 1;
}
static bool value_is(const struct http_request *r, const char *d, enum http_header h, const char *text) {
    return r->header[h].len == strlen(text) && strncasecmp(d + r->header[h].at, text, r->header[h].len) == 0;
}

static bool target_is_clean(const struct http_request *r, const char *d) {
    for (uint32_t i = 0; i < r->target.len; i++)
        if ((unsigned char)d[r->target.at + i] <= 0x20) return false;
    return r->target.len > 0;
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
static enum http_progress check_framing(struct http_request *r, const char *d, size_t max_body) {
    bool chunked = has(r, H_TRANSFER_ENCODING), sized = has(r, H_CONTENT_LENGTH);
    if (chunked && sized) return refuse(r, 400, "both Content-Length and Transfer-Encoding");
    if (chunked && !value_is(r, d, H_TRANSFER_ENCODING, "chunked"))
        return refuse(r, 501, "the only transfer coding is chunked");
    if (chunked && r->minor == 0) return refuse(r, 400, "Transfer-Encoding in HTTP/1.0");
    if (sized && !read_length(r, d)) return refuse(r, 400, "Content-Length is not a number");
    if (r->content_length > max_body) return refuse(r, 413, "the body is too large");
    r->phase = chunked ? PHASE_CHUNKS : PHASE_BODY;
    r->scanned = r->head_len;
    r->line_start = 0;
    return HTTP_DONE;
}

static enum http_progress check_head(struct http_request *r, const struct head *h, size_t max_body) {
    const char *d = h->base;
    if (h->bad_name) return refuse(r, 400, "a blank in a header's name");
    if (!target_is_clean(r, d)) return refuse(r, 400, "the request target holds blanks or control characters");
    if (h->twice >= 0 && h->twice != H_UPGRADE)
        return refuse(r, 400,
                      h->twice == H_HOST             ? "two Host headers"
                      : h->twice == H_CONTENT_LENGTH ? "two Content-Length headers"
                                                     : "a header came twice");
    if (!has(r, H_HOST) && r->minor) return refuse(r, 400, "no Host header");
    if (has(r, H_EXPECT) && r->minor) {
        if (!value_is(r, d, H_EXPECT, "100-continue")) return refuse(r, 417, "the only expectation is 100-continue");
        r->expects_continue = true;
    }
    return check_framing(r, d, max_body);
}

static enum http_progress parse_head(struct http_request *r, const char *d, size_t max_body) {
    static const http_parser_settings settings = {
        .on_url = on_url,
        .on_header_field = on_field,
        .on_header_value = on_value,
        .on_headers_complete = on_headers_complete,
    };
    struct head h = {r, d, -1, -1, false};
    http_parser p;
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
        enum http_progress checked = check_head(r, &h, max_body);
        if (checked != HTTP_DONE || err == HPE_OK) return checked;
    }
    return refuse(r, 400, http_errno_description(err));
}

/* ---- chunks ---- */

enum { CHUNK_SIZE, CHUNK_EXTENSION, CHUNK_SIZE_LF, CHUNK_DATA, CHUNK_DATA_CR, CHUNK_DATA_LF, TRAILER, TRAILER_LF };
enum { CHUNK_LINE_MAX = 1024 };

static int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One byte of framing. Returns NULL, or what is wrong. */
static const char *chunk_byte(struct http_request *r, char c) {
    int digit;
    if (r->chunk_state <= CHUNK_EXTENSION || r->chunk_state == TRAILER) r->line_start++;
    switch (r->chunk_state) {
    case CHUNK_SIZE:
        digit = hex(c);
        if (digit >= 0) {
            if (r->line_start > 15) return "a chunk's size is too long";
            r->chunk_left = r->chunk_left << 4 | (unsigned)digit;
            return NULL;
        }
        if (r->line_start == 1) return "a chunk has no size";
        if (c != '\r' && c != ';') return "a chunk's size is no number";
        r->chunk_state = c == ';' ? CHUNK_EXTENSION : CHUNK_SIZE_LF;
        return NULL;
    case CHUNK_EXTENSION:
        if (c == '\r') r->chunk_state = CHUNK_SIZE_LF;
        else if (c == '\n') return "a chunk's line does not end in CRLF";
        return NULL;
    case CHUNK_SIZE_LF:
        r->chunk_state = r->chunk_left ? CHUNK_DATA : TRAILER;
        r->line_start = 0;
        return c == '\n' ? NULL : "a chunk's line does not end in CRLF";
    case CHUNK_DATA_CR: r->chunk_state = CHUNK_DATA_LF; return c == '\r' ? NULL : "a chunk is longer than its size";
    case CHUNK_DATA_LF:
        r->chunk_state = CHUNK_SIZE;
        r->line_start = 0;
        return c == '\n' ? NULL : "a chunk is longer than its size";
    case TRAILER: /* trailers are read over; chunk_left: 1 when their line has text */
        if (c == '\r') r->chunk_state = TRAILER_LF;
        else if (c == '\n') return "a trailer does not end in CRLF";
        else r->chunk_left = 1;
        return NULL;
    default: return "a broken state";
    }
}

static enum http_progress parse_chunks(struct http_request *r, char *d, size_t len, size_t max_body) {
    size_t i = r->scanned;
    while (i < len) {
        if (r->chunk_state == CHUNK_DATA) {
            size_t n = len - i < r->chunk_left ? len - i : (size_t)r->chunk_left;
            memmove(d + r->head_len + r->body_len, d + i, n);
            r->body_len += n;
            r->chunk_left -= n;
            i += n;
            if (!r->chunk_left) r->chunk_state = CHUNK_DATA_CR;
            continue;
        }
        if (r->chunk_state == TRAILER_LF) {
            if (d[i++] != '\n') return refuse(r, 400, "a trailer does not end in CRLF");
            if (!r->chunk_left) {
                r->end = i;
                return HTTP_DONE;
            }
            r->chunk_left = 0;
            r->chunk_state = TRAILER;
            continue;
        }
        const char *wrong = chunk_byte(r, d[i++]);
        if (wrong) return refuse(r, 400, wrong);
        if (r->line_start > CHUNK_LINE_MAX) return refuse(r, 400, "a chunk's extensions or the trailers are too long");
        if (r->chunk_state == CHUNK_SIZE && r->chunk_left > max_body - r->body_len)
            return refuse(r, 413, "the body is too large");
    }
    /* Framing may not outweigh what it frames without end. */
    if (i - r->head_len > 2 * max_body + 65536) return refuse(r, 413, "the body is too large");
    r->scanned = (uint32_t)i;
    return HTTP_MORE;
}

enum http_progress http_parse(struct http_request *r, char *data, size_t len, const struct http_limits *limits) {
    if (r->phase == PHASE_HEAD) {
        enum http_progress p = scan_head(r, data, len, limits->header);
        if (p == HTTP_DONE) p = parse_head(r, data, limits->body);
        if (p != HTTP_DONE) return p;
    }
    if (r->phase == PHASE_CHUNKS) return parse_chunks(r, data, len, limits->body);
    r->body_len = r->content_length;
    r->end = r->head_len + (size_t)r->content_length;
    return len >= r->end ? HTTP_DONE : HTTP_MORE;
}
