/* fuzz_ws.c - libFuzzer target: a peer's bytes through the reader of WebSocket frames, at once, in pieces, and with
 * pauses. However they come, the same is understood. What the reader calls is played here. */
#include "gateway/ws_internal.h"

const char too_big_text[] = "too big";

static uint64_t digest;
static size_t message;

static void saw(uint64_t kind, const void *p, size_t n) {
    digest = hash_bytes(digest ^ kind, p, n);
}

void conn_heard(struct conn *c) {
    (void)c;
}
void conn_close(struct conn *c, uint32_t code, taut_str text) {
    if (c->closing) return;
    c->closing = true;
    saw(1, &code, sizeof code);
    if (text.len > 200) abort();
}
void conn_queue_free(struct conn *c) {
    (void)c;
}
void conn_queue_pong(struct conn *c, const unsigned char *payload, size_t len) {
    if (len > 125) abort();
    if (!c->closing) saw(2, payload, len);
}
/* A message is told by its whole text, wherever its frames and reads were cut. */
void conn_on_fragment(struct conn *c, taut_str part, bool first, bool last, bool binary) {
    static char text[1 << 16];
    if (c->closing) return;
    if (first) message = 0;
    if (message + part.len > sizeof text) {
        conn_close(c, CLOSE_TOO_BIG, TAUT_LIT(""));
        c->in.ended = true;
        return;
    }
    if (part.len) memcpy(text + message, part.ptr, part.len);
    message += part.len;
    if (!last) return;
    saw(binary ? 3 : 4, text, message);
    message = 0;
    if (c->unanswered == 1) c->reading_paused = true; /* the caller lets it read on */
}

static uint64_t play(const uint8_t *data, size_t size, size_t piece, bool pauses) {
    struct conn c = {.unanswered = pauses};
    unsigned char *copy = malloc(size + !size);
    digest = 1;
    message = 0;
    if (size) memcpy(copy, data, size);
    for (size_t at = 0; at < size; at += piece) {
        conn_read(&c, copy + at, size - at < piece ? size - at : piece);
        while (c.reading_paused) {
            c.reading_paused = false;
            if (c.rest_len) conn_read_rest(&c);
        }
    }
    free(copy);
    free(c.rest);
    return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint64_t whole = play(data, size, size + 1, false);
    if (play(data, size, 1, false) != whole) panic("byte by byte it means something else");
    if (play(data, size, 7, true) != whole) panic("with pauses it means something else");
    return 0;
}
