/* fuzz_range.c - libFuzzer target: ranges and conditions of a request against an answer. What is sent lies within what
 * there is, and its head says so.
 *
 * The input: a byte for the verb and the kind of answer, two for its length, then the request's header lines, an empty
 * line, the answer's.
 */
#define _GNU_SOURCE /* memmem */
#include <string.h>

#include "gateway/http_range.h"

enum { BODY_MAX = 1 << 16 };

static char body[BODY_MAX];

static struct taut_str lines(struct arena *a, taut_str text) {
    taut_str out = TAUT_NONE;
    while (text.len) {
        const char *lf = memchr(text.ptr, '\n', text.len);
        size_t n = lf ? (size_t)(lf - text.ptr) : text.len, keep = n;
        while (keep && (text.ptr[keep - 1] == '\r' || !text.ptr[keep - 1])) keep--;
        if (keep && !memchr(text.ptr, 0, keep) && !memchr(text.ptr, '\r', keep))
            out = arena_fmt(a, "%.*s%.*s\r\n", (int)out.len, out.ptr, (int)keep, text.ptr);
        text = taut_str_n(text.ptr + n + !!lf, text.len - n - !!lf);
    }
    return out;
}

static uint64_t number_behind(const char *z, const char *mark) {
    const char *at = strstr(z, mark);
    return at ? strtoull(at + strlen(mark), NULL, 10) : UINT64_MAX;
}

/* The answer's head is a text with a NUL here. */
static void check(const struct call *c, bool is_file, uint64_t total, uint64_t from) {
    uint64_t length = is_file ? c->http->file.length : c->out.body.len;
    const char *head = c->out.headers.len ? c->out.headers.ptr : "", *range = strstr(head, "Content-Range: bytes ");
    switch (c->out.http_status) {
    case 200:
        if (from || length != total) panic("200, and not the whole");
        break;
    case 206:
        if (!range || !length || from >= total || length > total - from) panic("206 outside: %s", head);
        if (number_behind(range, "bytes ") != from || number_behind(range, "/") != total)
            panic("206 says otherwise: %s", head);
        break;
    case 304:
    case 412:
        if (length) panic("%d with a body", c->out.http_status);
        break;
    case 416:
        if (length || !range || !strstr(range, "bytes */")) panic("416 says otherwise: %s", head);
        break;
    default: panic("status %d", c->out.http_status);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct call_pool pool;
    if (size < 3) return 0;
    uint64_t total = (uint64_t)data[1] << 8 | data[2];
    bool is_file = data[0] & 1, is_get = data[0] & 2;
    taut_str text = taut_str_n((const char *)data + 3, size - 3);
    const char *gap = memmem(text.ptr, text.len, "\n\n", 2);
    size_t n = gap ? (size_t)(gap - text.ptr) : text.len;
    struct call *c = call_get(&pool, TAUT_CALL_ROUTE, NULL);
    struct call_http h = {.verb = is_get ? "GET" : "HEAD", .head = lines(&c->arena, taut_str_n(text.ptr, n))};
    c->http = &h;
    c->out.headers = gap ? lines(&c->arena, taut_str_n(gap + 2, text.len - n - 2)) : TAUT_NONE;
    if (is_file) {
        if (data[0] & 4) total <<= 40;
        h.file = (struct taut_file){.size = sizeof h.file, .fd = -1, .offset = 7, .length = total};
    } else {
        c->out.body = taut_str_n(body, (size_t)total);
    }
    bool lies = memmem(c->out.headers.ptr, c->out.headers.len, "Content-Range", 13);
    http_apply_selection(c);
    uint64_t from = is_file ? h.file.offset - 7 : (uint64_t)(c->out.body.ptr - body);
    if (!is_get && c->out.http_status == 206) panic("a part for HEAD");
    if (!lies) check(c, is_file, total, from); /* handlers may not set it: core/hub/route.c */
    c->http = NULL;
    call_put(&pool, c);
    return 0;
}
