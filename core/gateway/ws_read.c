/* ws_read.c - a peer's frames, out of the bytes as they come: heads, masks, control frames. Gateway thread.
 *
 * libwebsockets could do this, but it hides the mask bit, takes a pong for text, and of several pings in one segment
 * answers the first, where RFC 6455 (5.5.3) wants the newest. Nothing is buffered but a head or a control frame that
 * has come in part, and what came behind the frame with which reading was paused: payload is unmasked where it lies.
 */
#include "base/text.h"
#include "gateway/ws_internal.h"

enum { FIN = 0x80, RESERVED = 0x70, MASKED = 0x80, SHORT_MAX = 125, LEN_16 = 126, LEN_64 = 127 };
enum { OP_CONTINUE = 0, OP_TEXT = 1, OP_BINARY = 2, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10, OP_IS_CONTROL = 8 };

/* Nothing that comes after it has a meaning. */
static void fail(struct conn *c, uint32_t code, const char *why) {
    c->in.ended = true;
    conn_close(c, code, taut_str_z(why));
}

/* ---- heads ---- */

static const char *fault_of(const struct reader *r) {
    int op = r->head[0] & 15, len = r->head[1] & 0x7f;
    bool final = r->head[0] & FIN;
    if (r->head[0] & RESERVED) return "reserved bits are set: no extension was agreed on";
    if (!(r->head[1] & MASKED)) return "frames of a client are masked";
    switch (op) {
    case OP_CONTINUE: return r->in_message ? NULL : "there is nothing to continue";
    case OP_TEXT:
    case OP_BINARY: return r->in_message ? "the last message has not ended" : NULL;
    case OP_CLOSE:
    case OP_PING:
    case OP_PONG: return final && len <= SHORT_MAX ? NULL : "a control frame is whole and has at most 125 bytes";
    default: return "there is no such opcode";
    }
}

static size_t length_of_head(const struct reader *r) {
    int len = r->head[1] & 0x7f;
    return 6 + (len == LEN_16 ? 2u : len == LEN_64 ? 8u : 0u);
}

/* RFC 6455, 5.2. */
static bool is_shortest(size_t wide, uint64_t len) {
    return len > (wide == 2 ? SHORT_MAX : UINT16_MAX) && !(len >> 63);
}

static void begin_frame(struct conn *c) {
    struct reader *r = &c->in;
    size_t wide = r->nhead - 6u;
    r->opcode = r->head[0] & 15;
    r->final = r->head[0] & FIN;
    r->left = wide ? 0 : r->head[1] & 0x7f;
    for (size_t i = 0; i < wide; i++) r->left = r->left << 8 | r->head[2 + i];
    memcpy(r->mask, r->head + r->nhead - 4, 4);
    r->mask_at = r->nhead = r->ncontrol = 0;
    r->in_payload = true;
    if (wide && !is_shortest(wide, r->left)) {
        fail(c, CLOSE_PROTOCOL, "a length is written in the fewest bytes that hold it, and is below 2^63");
        return;
    }
    if (r->opcode & OP_IS_CONTROL) return;
    if (r->opcode != OP_CONTINUE) r->is_binary = r->opcode == OP_BINARY;
    r->is_first = r->opcode != OP_CONTINUE;
    r->in_message = !r->final;
    if (r->left > TEXT_BYTES) fail(c, CLOSE_TOO_BIG, too_big_text);
}

static size_t take_head(struct conn *c, const unsigned char *p, size_t n) {
    struct reader *r = &c->in;
    size_t used = 0;
    while (used < n) {
        r->head[r->nhead++] = p[used++];
        if (r->nhead < 2) continue;
        const char *fault = r->nhead == 2 ? fault_of(r) : NULL;
        if (fault) {
            fail(c, CLOSE_PROTOCOL, fault);
            break;
        }
        if (r->nhead < length_of_head(r)) continue;
        begin_frame(c);
        break;
    }
    return used;
}

/* ---- control frames ---- */

static bool is_code(uint32_t code) {
    return (code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) || (code >= 3000 && code <= 4999);
}

/* Answered with its own code. What waits is not sent any more: the peer has gone. */
static void on_close(struct conn *c) {
    const struct reader *r = &c->in;
    uint32_t code = r->ncontrol >= 2 ? (uint32_t)r->control[0] << 8 | r->control[1] : CLOSE_NORMAL;
    c->in.ended = c->in.closed = true;
    if (c->closing || c->detached) return;
    conn_queue_free(c);
    if (r->ncontrol == 1 || !is_code(code)) code = CLOSE_PROTOCOL;
    else if (r->ncontrol > 2 && !text_is_clean(taut_str_n((const char *)r->control + 2, r->ncontrol - 2u)))
        code = CLOSE_BAD_TEXT;
    conn_close(c, code, TAUT_LIT(""));
}

static void end_control(struct conn *c) {
    if (c->in.opcode == OP_CLOSE) on_close(c);
    if (c->in.opcode == OP_PING) conn_queue_pong(c, c->in.control, c->in.ncontrol);
}

/* ---- payload ---- */

static void unmask(struct reader *r, unsigned char *p, size_t n) {
    for (size_t i = 0; i < n; i++) p[i] ^= r->mask[r->mask_at++ & 3];
}

static size_t take_payload(struct conn *c, unsigned char *p, size_t n) {
    struct reader *r = &c->in;
    size_t part = r->left < n ? (size_t)r->left : n;
    unmask(r, p, part);
    r->left -= part;
    r->in_payload = r->left > 0;
    if (r->opcode & OP_IS_CONTROL) {
        if (part) memcpy(r->control + r->ncontrol, p, part);
        r->ncontrol = (uint8_t)(r->ncontrol + part);
        if (!r->left) end_control(c);
    } else {
        conn_on_fragment(c, taut_str_n((const char *)p, part), r->is_first, r->final && !r->left, r->is_binary);
        r->is_first = false;
    }
    return part;
}

/* ---- bytes ---- */

static void keep_rest(struct conn *c, const unsigned char *p, size_t n) {
    c->rest = xrealloc(c->rest, c->rest_len + n);
    memcpy(c->rest + c->rest_len, p, n);
    c->rest_len += (uint32_t)n;
}

/* A frame without payload is taken though no byte is left. */
static size_t take(struct conn *c, unsigned char *p, size_t n) {
    struct reader *r = &c->in;
    size_t at = 0;
    while (!r->ended && !c->reading_paused && (at < n || (r->in_payload && !r->left)))
        at += r->in_payload ? take_payload(c, p + at, n - at) : take_head(c, p + at, n - at);
    return r->ended ? n : at;
}

void conn_read(struct conn *c, unsigned char *p, size_t n) {
    conn_heard(c);
    size_t used = c->rest_len ? 0 : take(c, p, n);
    if (used < n) keep_rest(c, p + used, n - used);
}

void conn_read_rest(struct conn *c) {
    unsigned char *rest = c->rest;
    size_t len = c->rest_len;
    c->rest = NULL;
    c->rest_len = 0;
    size_t used = take(c, rest, len);
    if (used < len) keep_rest(c, rest + used, len - used);
    free(rest);
}
