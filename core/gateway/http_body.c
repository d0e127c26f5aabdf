/* http_body.c - where a request's body ends and which of its bytes are its own: by Content-Length, or chunked (RFC 9112
 * 6 and 7). Pure. */
#include "base/text.h"
#include "gateway/http_request.h"

enum { CHUNK_SIZE, CHUNK_EXTENSION, CHUNK_SIZE_LF, CHUNK_DATA, CHUNK_DATA_CR, CHUNK_DATA_LF, TRAILER, TRAILER_LF };
enum { CHUNK_LINE_MAX = 1024 };

static enum http_progress refuse(struct http_request *r, uint16_t status, const char *why) {
    r->status = status;
    r->why = why;
    return HTTP_REFUSED;
}

static bool is_control(char c) {
    return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

/* One byte of framing. Returns NULL, or what is wrong. */
static const char *chunk_byte(struct http_request *r, char c) {
    int digit;
    if (r->chunk_state <= CHUNK_EXTENSION || r->chunk_state == TRAILER) r->line_start++;
    switch (r->chunk_state) {
    case CHUNK_SIZE:
        digit = hex_digit(c);
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
        else if (is_control(c)) return "a control character in a chunk's extension";
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
        else if (is_control(c)) return "a control character in a trailer";
        else r->chunk_left = 1;
        return NULL;
    default: return "a broken state";
    }
}

/* Behind a trailer's carriage return. */
static enum http_progress trailer_end(struct http_request *r, char c) {
    if (c != '\n') return refuse(r, 400, "a trailer does not end in CRLF");
    if (!r->chunk_left) return HTTP_DONE;
    r->chunk_left = 0;
    r->chunk_state = TRAILER;
    return HTTP_MORE;
}

static enum http_progress next_of_chunks(struct http_request *r, const char *d, size_t len, size_t *used,
                                         taut_str *piece) {
    size_t i = 0;
    while (i < len && r->chunk_state != CHUNK_DATA) {
        /* Framing may not outweigh what it frames without end. */
        if (++r->framing > r->max_body + 65536) return refuse(r, 413, "the body is too large");
        if (r->chunk_state == TRAILER_LF) {
            enum http_progress end = trailer_end(r, d[i++]);
            if (end == HTTP_MORE) continue;
            *used = i;
            return end;
        }
        const char *wrong = chunk_byte(r, d[i++]);
        if (wrong) return refuse(r, 400, wrong);
        if (r->line_start > CHUNK_LINE_MAX) return refuse(r, 400, "a chunk's extensions or the trailers are too long");
        if (r->chunk_state == CHUNK_SIZE && r->chunk_left > r->max_body - r->body_len)
            return refuse(r, 413, "the body is too large");
    }
    if (i < len) {
        *piece = taut_str_n(d + i, len - i < r->chunk_left ? len - i : (size_t)r->chunk_left);
        r->body_len += piece->len;
        r->chunk_left -= piece->len;
        i += piece->len;
        if (!r->chunk_left) r->chunk_state = CHUNK_DATA_CR;
    }
    *used = i;
    return HTTP_MORE;
}

enum http_progress http_body_next(struct http_request *r, const char *d, size_t len, size_t *used, taut_str *piece) {
    *piece = taut_str_n(d, 0);
    *used = 0;
    if (r->phase == PHASE_CHUNKS) return next_of_chunks(r, d, len, used, piece);
    uint64_t left = r->content_length - r->body_len;
    *used = piece->len = len < left ? len : (size_t)left;
    r->body_len += piece->len;
    return r->body_len == r->content_length ? HTTP_DONE : HTTP_MORE;
}

static enum http_progress join_chunks(struct http_request *r, char *d, size_t len) {
    enum http_progress p = HTTP_MORE;
    size_t i = r->scanned, used = 1;
    taut_str piece;
    while (p == HTTP_MORE && i < len) {
        uint64_t before = r->body_len;
        p = http_body_next(r, d + i, len - i, &used, &piece);
        if (piece.len) memmove(d + r->head_len + before, piece.ptr, piece.len);
        i += used;
    }
    r->scanned = (uint32_t)i;
    r->end = i;
    return p;
}

enum http_progress http_parse_body(struct http_request *r, char *data, size_t len) {
    if (r->phase == PHASE_CHUNKS) return join_chunks(r, data, len);
    r->body_len = r->content_length;
    r->end = r->head_len + (size_t)r->content_length;
    return len >= r->end ? HTTP_DONE : HTTP_MORE;
}
