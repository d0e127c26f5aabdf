/* frame.c - prepared WebSocket frames: header and payload as they go on the wire, built once, written to many.
 * Gateway thread; references are plain counts.
 */
#include "gateway/ws_internal.h"

enum { FIN_TEXT = 0x81, FIN_CLOSE = 0x88, FIN_PING = 0x89, HEADER_MAX = 10 };

static size_t write_header(unsigned char out[HEADER_MAX], unsigned char first, size_t len) {
    out[0] = first;
    if (len < 126) {
        out[1] = (unsigned char)len;
        return 2;
    }
    size_t width = len < 65536 ? 2 : 8;
    out[1] = width == 2 ? 126 : 127;
    for (size_t i = 0; i < width; i++) out[2 + i] = (unsigned char)((uint64_t)len >> (8 * (width - 1 - i)));
    return 2 + width;
}

static struct frame *frame_new(enum frame_kind kind, uint64_t seq, unsigned char first, size_t payload,
                               unsigned char **at) {
    unsigned char header[HEADER_MAX];
    size_t head = write_header(header, first, payload);
    struct frame *f = xmalloc(sizeof *f + head + payload);
    f->refs = 1;
    f->len = (uint32_t)(head + payload);
    f->seq = seq;
    f->kind = kind;
    memcpy(f->bytes, header, head);
    *at = f->bytes + head;
    return f;
}

struct frame *frame_text(enum frame_kind kind, uint64_t seq, taut_str body, const uint64_t *cursor) {
    char tail[CURSOR_MAX + 16];
    size_t ntail = 0;
    if (cursor && body.len >= 2 && body.ptr[body.len - 1] == '}') {
        static const char member[] = ",\"cursor\":\"";
        size_t from = body.len == 2 ? 1 : 0; /* {}: no comma */
        ntail = sizeof member - 1 - from;
        memcpy(tail, member + from, ntail);
        ntail += cursor_write(tail + ntail, *cursor);
        tail[ntail++] = '"';
        tail[ntail++] = '}';
        body.len--;
    }
    unsigned char *at;
    struct frame *f = frame_new(kind, seq, FIN_TEXT, body.len + ntail, &at);
    if (body.len) memcpy(at, body.ptr, body.len);
    memcpy(at + body.len, tail, ntail);
    return f;
}

struct frame *frame_event(const struct event *e) {
    return e->seq ? frame_text(FRAME_DURABLE, e->seq, e->body, &e->seq) : frame_text(FRAME_EPHEMERAL, 0, e->body, NULL);
}

struct frame *frame_ping(uint64_t payload) {
    unsigned char *at;
    struct frame *f = frame_new(FRAME_DIRECT, 0, FIN_PING, sizeof payload, &at);
    memcpy(at, &payload, sizeof payload);
    return f;
}

struct frame *frame_close(uint32_t code, taut_str text) {
    unsigned char *at;
    size_t len = text.len < CLOSE_TEXT_BYTES ? text.len : CLOSE_TEXT_BYTES;
    while (len < text.len && len && ((unsigned char)text.ptr[len] & 0xc0) == 0x80) len--; /* no half character */
    struct frame *f = frame_new(FRAME_DIRECT, 0, FIN_CLOSE, 2 + len, &at);
    at[0] = (unsigned char)(code >> 8);
    at[1] = (unsigned char)code;
    if (len) memcpy(at + 2, text.ptr, len);
    return f;
}

void frame_unref(struct frame *f) {
    if (--f->refs == 0) free(f);
}
