/* fuzz_bodies.c - libFuzzer target: chunked bodies and multipart bodies, cut wherever the input says. Where they are
 * cut makes no difference; and what a plain writer wrote is read as it was.
 *
 * The input: which of the two, three bytes of where to cut, the body.
 */
#define _GNU_SOURCE /* memmem */
#include <stdio.h>
#include <string.h>

#include "gateway/http_request.h"
#include "gateway/multipart.h"

enum { LIMIT = 2048, CUTS = 3 };

/* What a body was understood as: the bytes that are its own, with a mark before each part. */
struct seen {
    char text[16384];
    size_t len, parts;
    const char *wrong; /* static, or NULL */
    bool done;
};

static void saw(struct seen *s, const char *p, size_t n) {
    if (n > sizeof s->text - s->len) panic("more came out than went in");
    memcpy(s->text + s->len, p, n);
    s->len += n;
}

static bool same(const struct seen *a, const struct seen *b) {
    return a->len == b->len && !memcmp(a->text, b->text, a->len) && a->wrong == b->wrong && a->done == b->done &&
           a->parts == b->parts;
}

/* Of the n bytes that are left, how many come next. */
typedef size_t next_cut(const void *arg, size_t i, size_t n);

static size_t by_bytes(const void *arg, size_t i, size_t n) {
    size_t cut = i < CUTS ? ((const uint8_t *)arg)[i] : n;
    return cut < n ? cut : n;
}
static size_t one_by_one(const void *arg, size_t i, size_t n) {
    (void)arg, (void)i;
    return n ? 1 : 0;
}

/* ---- chunks ---- */

static void read_chunks(struct seen *s, const char *data, size_t len, next_cut *cut, const void *arg) {
    struct http_request r = {.phase = PHASE_CHUNKS, .max_body = LIMIT};
    enum http_progress p = HTTP_MORE;
    *s = (struct seen){.len = 0};
    for (size_t at = 0, end = 0, i = 0; p == HTTP_MORE && (at < len || end < len);) {
        taut_str piece;
        size_t used;
        if (at == end) {
            end += cut(arg, i++, len - end);
            continue;
        }
        p = http_body_next(&r, data + at, end - at, &used, &piece);
        if (p != HTTP_REFUSED) {
            if (used > end - at) panic("used more than there is");
            saw(s, piece.ptr, piece.len);
            at += used;
        }
    }
    if (r.body_len > LIMIT) panic("longer than allowed");
    s->done = p == HTTP_DONE;
    s->wrong = p == HTTP_REFUSED ? r.why : NULL;
}

/* The data as chunks of the sizes that the cuts say, then read. */
static void chunks_come_back(const uint8_t cuts[CUTS], const char *data, size_t len) {
    char wire[4 * LIMIT];
    size_t n = 0, at = 0;
    static struct seen s;
    if (len > LIMIT) return;
    for (size_t i = 0; at < len;) {
        size_t size = by_bytes(cuts, i++, len - at);
        if (!size) continue;
        n += (size_t)snprintf(wire + n, sizeof wire - n, i & 1 ? "%zx;a=\"b\"\r\n" : "%zX\r\n", size);
        memcpy(wire + n, data + at, size);
        memcpy(wire + n + size, "\r\n", 2);
        n += size + 2;
        at += size;
    }
    n += (size_t)snprintf(wire + n, sizeof wire - n, "0\r\nTrailer: yes\r\n\r\n");
    read_chunks(&s, wire, n, one_by_one, NULL);
    if (!s.done || s.len != len || memcmp(s.text, data, len) != 0) panic("the chunks came back otherwise: %s", s.wrong);
}

/* ---- parts ---- */

static void on_part(void *arg, const struct multipart_part *p) {
    struct seen *s = arg;
    char mark[32];
    if (p->name.len > MULTIPART_NAME_MAX || p->filename.len > MULTIPART_FILENAME_MAX) panic("a name is too long");
    if (++s->parts > MULTIPART_PARTS_MAX) panic("too many parts");
    saw(s, mark, (size_t)snprintf(mark, sizeof mark, "|%zu.%zu.%d|", p->name.len, p->filename.len, p->is_file));
    saw(s, p->name.ptr, p->name.len);
    saw(s, p->filename.ptr, p->filename.len);
    saw(s, p->content_type.ptr, p->content_type.len);
}

static void on_data(void *arg, const char *p, size_t n) {
    if (!n) panic("no data");
    saw(arg, p, n);
}

static void read_parts(struct seen *s, taut_str boundary, const char *data, size_t len, next_cut *cut,
                       const void *arg) {
    static struct multipart m;
    *s = (struct seen){.len = 0};
    m.arg = s;
    m.on_part = on_part;
    m.on_data = on_data;
    if (!multipart_init(&m, boundary)) {
        s->wrong = "no boundary";
        return;
    }
    for (size_t at = 0, i = 0; at < len && !s->wrong;) {
        size_t n = cut(arg, i++, len - at);
        char *copy = malloc(n + !n); /* a sanitizer sees what reads past a piece */
        memcpy(copy, data + at, n);
        s->wrong = multipart_feed(&m, copy, n);
        free(copy);
        at += n;
    }
    if (!s->wrong) s->wrong = multipart_end(&m);
    s->done = !s->wrong;
}

static void part_comes_back(const char *data, size_t len) {
    static const char head[] = "--q\r\nContent-Disposition: form-data; name=\"n\"; filename=\"f\"\r\n\r\n",
                      tail[] = "\r\n--q--";
    char wire[2 * LIMIT];
    static struct seen s;
    if (len > LIMIT || memmem(data, len, "\r\n--q", 5) || (len >= 3 && !memcmp(data, "--q", 3))) return;
    size_t n = sizeof head - 1;
    memcpy(wire, head, n);
    memcpy(wire + n, data, len);
    memcpy(wire + n + len, tail, sizeof tail - 1);
    read_parts(&s, TAUT_LIT("q"), wire, n + len + sizeof tail - 1, one_by_one, NULL);
    if (!s.done || s.parts != 1 || s.len != len + 9 || memcmp(s.text, "|1.1.1|nf", 9) != 0 ||
        memcmp(s.text + 9, data, len) != 0)
        panic("the part came back otherwise: %s", s.wrong);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct seen whole, cut, bytes;
    if (size < 1 + CUTS) return 0;
    const uint8_t *cuts = data + 1, all[CUTS] = {255, 255, 255};
    const char *body = (const char *)data + 1 + CUTS;
    size_t len = size - 1 - CUTS;
    if (data[0] & 1) {
        read_chunks(&whole, body, len, by_bytes, all);
        read_chunks(&cut, body, len, by_bytes, cuts);
        read_chunks(&bytes, body, len, one_by_one, NULL);
        chunks_come_back(cuts, body, len);
    } else {
        const char *lf = len ? memchr(body, '\n', len) : NULL; /* the first line is the boundary */
        size_t n = lf ? (size_t)(lf - body) : 0;
        taut_str boundary = taut_str_n(body, n);
        size_t from = lf ? n + 1 : 0;
        read_parts(&whole, boundary, body + from, len - from, by_bytes, all);
        read_parts(&cut, boundary, body + from, len - from, by_bytes, cuts);
        read_parts(&bytes, boundary, body + from, len - from, one_by_one, NULL);
        part_comes_back(body, len);
    }
    if (!same(&whole, &cut) || !same(&whole, &bytes)) panic("where it is cut makes a difference");
    return 0;
}
