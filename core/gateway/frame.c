/* frame.c - prepared WebSocket frames: header and payload as they go on the wire, built once, written to many.
 * Gateway thread; references are plain counts.
 */
#include "gateway/ws_internal.h"

enum {
    FIN_TEXT = 0x81,
    FIN_CLOSE = 0x88,
    FIN_PING = 0x89,
    FIN_PONG = 0x8a,
    HEADER_MAX = 10,
    TAIL_MAX = CURSOR_MAX + 16
};

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

/* The end of an object: its last member and the brace. */
static size_t write_cursor(char tail[TAIL_MAX], uint64_t cursor, bool is_only_member) {
    static const char member[] = ",\"cursor\":\"";
    size_t comma = is_only_member ? 1 : 0, n = sizeof member - 1 - comma;
    memcpy(tail, member + comma, n);
    n += cursor_write(tail + n, cursor);
    tail[n++] = '"';
    tail[n++] = '}';
    return n;
}

struct frame *frame_text(enum frame_kind kind, taut_str body, const uint64_t *cursor) {
    char tail[TAIL_MAX];
    size_t ntail = 0;
    if (cursor && body.len >= 2 && body.ptr[body.len - 1] == '}') {
        ntail = write_cursor(tail, *cursor, body.len == 2);
        body.len--;
    }
    unsigned char *at;
    struct frame *f = frame_new(kind, cursor ? *cursor : 0, FIN_TEXT, body.len + ntail, &at);
    if (body.len) memcpy(at, body.ptr, body.len);
    memcpy(at + body.len, tail, ntail);
    return f;
}

/* In place: the length stands in the header, so blanks fill the room. */
void frame_forget_cursor(struct frame *f) {
    char tail[TAIL_MAX];
    for (int is_only = 0; is_only <= 1; is_only++) {
        size_t n = write_cursor(tail, f->seq, is_only != 0);
        if (n > f->len || memcmp(f->bytes + f->len - n, tail, n) != 0) continue;
        f->bytes[f->len - n] = '}';
        memset(f->bytes + f->len - n + 1, ' ', n - 1);
        break;
    }
    f->seq = 0;
}

struct frame *frame_event(const struct event *e) {
    return e->seq ? frame_text(FRAME_DURABLE, e->body, &e->seq) : frame_text(FRAME_EPHEMERAL, e->body, NULL);
}

struct frame *frame_ping(uint64_t payload) {
    unsigned char *at;
    struct frame *f = frame_new(FRAME_DIRECT, 0, FIN_PING, 16, &at);
    for (int i = 0; i < 16; i++) at[i] = (unsigned char)"0123456789abcdef"[payload >> (60 - 4 * i) & 15];
    return f;
}

struct frame *frame_pong(struct frame *before, const unsigned char *payload, size_t len) {
    size_t kept = before && before->len + 2 + len <= PONGS_BYTES ? before->len : 0;
    struct frame *f = xmalloc(sizeof *f + kept + 2 + len);
    *f = (struct frame){.refs = 1, .len = (uint32_t)(kept + 2 + len), .kind = FRAME_DIRECT};
    if (kept) memcpy(f->bytes, before->bytes, kept);
    unsigned char *at = f->bytes + kept;
    at[0] = FIN_PONG;
    at[1] = (unsigned char)len;
    if (len) memcpy(at + 2, payload, len);
    if (before) frame_unref(before);
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
