/* arena.c - chunks of doubling size; the first is small because most calls are. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>

#include "taut/json.h"

enum { CHUNK_MIN = 4096 - 64, CHUNK_MAX = 256 * 1024 };

struct arena_chunk {
    struct arena_chunk *next;
    size_t size;
    _Alignas(16) char data[];
};

static void add_chunk(struct arena *a, size_t need) {
    size_t size = a->head ? a->head->size * 2 : CHUNK_MIN;
    if (size > CHUNK_MAX) size = CHUNK_MAX;
    if (size < need) size = need;
    struct arena_chunk *c = xmalloc(sizeof *c + size);
    c->next = a->head;
    c->size = size;
    a->head = c;
    a->at = c->data;
    a->end = c->data + size;
    a->total += size;
}

void *arena_alloc(struct arena *a, size_t n) {
    n = (n + 15) & ~(size_t)15;
    if (!a->at || (size_t)(a->end - a->at) < n) add_chunk(a, n);
    void *p = a->at;
    a->at += n;
    return p;
}

void *arena_zalloc(struct arena *a, size_t n) {
    return memset(arena_alloc(a, n), 0, n);
}

taut_str arena_str(struct arena *a, taut_str s) {
    char *p = arena_alloc(a, s.len + 1);
    if (s.len) memcpy(p, s.ptr, s.len);
    p[s.len] = 0;
    return taut_str_n(p, s.len);
}

taut_str arena_fmt(struct arena *a, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0) panic("bad format %s", fmt);
    char *p = arena_alloc(a, (size_t)n + 1);
    va_start(ap, fmt);
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return taut_str_n(p, (size_t)n);
}

void arena_reset(struct arena *a) {
    struct arena_chunk *c = a->head;
    while (c && c->next) {
        struct arena_chunk *next = c->next;
        a->total -= c->size;
        free(c);
        c = next;
    }
    if (c && c->size > CHUNK_MIN) { /* the oldest one was made for something large */
        a->total -= c->size;
        free(c);
        c = NULL;
    }
    a->head = c;
    a->at = c ? c->data : NULL;
    a->end = c ? c->data + c->size : NULL;
}

void arena_free(struct arena *a) {
    while (a->head) {
        struct arena_chunk *next = a->head->next;
        free(a->head);
        a->head = next;
    }
    memset(a, 0, sizeof *a);
}

static int32_t json_grow(struct taut_json *j, size_t need) {
    struct arena *a = j->owner;
    size_t cap = j->cap ? j->cap * 2 : 512;
    while (cap < need) cap *= 2;
    char *p = arena_alloc(a, cap);
    if (j->len) memcpy(p, j->ptr, j->len);
    j->ptr = p;
    j->cap = cap;
    return TAUT_OK;
}

void arena_json(struct arena *a, struct taut_json *j) {
    memset(j, 0, sizeof *j);
    j->grow = json_grow;
    j->owner = a;
}
