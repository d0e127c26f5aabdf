/* base.h - the small things everything stands on: memory, clock, random, errors. No libuv, no threads of its own. */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "taut/types.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* As malloc and friends, but they end the process with a message when there is no memory: for small things without
 * which nothing can go on. Memory whose size a stranger decides is bounded before it is asked for. */
void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n);
char *xstrdup(const char *z);
char *xstrndup(const char *p, size_t n);
char *xasprintf(const char *fmt, ...) TAUT_PRINTF(1, 2);

/* Ends the process: a broken invariant of our own. */
_Noreturn void panic(const char *fmt, ...) TAUT_PRINTF(1, 2);
extern char panic_text[256]; /* what it said, for a crash report */
#define ENSURE(cond) ((cond) ? (void)0 : panic("%s:%d: broken invariant: %s", __FILE__, __LINE__, #cond))

int64_t clock_wall_us(void);
int64_t clock_mono_us(void);

void random_bytes(void *p, size_t n);
uint64_t random_u64(void);

/* FNV-1a with a final mix. Not for strangers' keys where collisions matter: see map.h, which salts it. */
uint64_t hash_bytes(uint64_t seed, const void *p, size_t n);

/* One text for each TAUT_E_*. */
const char *error_text(int32_t err);

/* Distance for did-you-mean (insert, delete, replace, swap of neighbours); and the nearest of n candidates, or NULL
 * when none is near. */
const char *nearest(taut_str word, const char *const *candidates, size_t n);

#endif
