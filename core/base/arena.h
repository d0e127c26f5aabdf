/* arena.h - memory that is given back all at once. Not thread-safe: it belongs to one thread at a time, and may travel.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/base.h"

struct arena_chunk;
struct arena {
    struct arena_chunk *head; /* the one being filled */
    char *at, *end;
    size_t total; /* bytes held in chunks */
};

/* 16-byte aligned, not zeroed; never NULL. */
void *arena_alloc(struct arena *a, size_t n);
void *arena_zalloc(struct arena *a, size_t n);
taut_str arena_str(struct arena *a, taut_str s); /* a copy, with a NUL behind it */
taut_str arena_fmt(struct arena *a, const char *fmt, ...) TAUT_PRINTF(2, 3);

/* Forgets everything; keeps one small chunk for the next use. */
void arena_reset(struct arena *a);
void arena_free(struct arena *a);

/* Makes *j a writer whose text lies in the arena. */
struct taut_json;
void arena_json(struct arena *a, struct taut_json *j);

#endif
