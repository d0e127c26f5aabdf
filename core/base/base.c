/* base.c - memory that does not fail, clocks, random numbers, error texts. */
#include "base/base.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

char panic_text[256];

_Noreturn void panic(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(panic_text, sizeof panic_text, fmt, ap);
    va_end(ap);
    fprintf(stderr, "taut: fatal: %s\n", panic_text);
    abort();
}

static void *must(void *p, size_t n) {
    if (!p && n) panic("out of memory (%zu bytes)", n);
    return p;
}

void *xmalloc(size_t n) {
    return must(malloc(n ? n : 1), n);
}
void *xcalloc(size_t n, size_t size) {
    return must(calloc(n ? n : 1, size ? size : 1), n * size);
}
void *xrealloc(void *p, size_t n) {
    return must(realloc(p, n ? n : 1), n);
}

char *xstrndup(const char *p, size_t n) {
    char *z = xmalloc(n + 1);
    if (n) memcpy(z, p, n);
    z[n] = 0;
    return z;
}
char *xstrdup(const char *z) {
    return xstrndup(z, strlen(z));
}

char *xasprintf(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0) panic("bad format %s", fmt);
    char *z = xmalloc((size_t)n + 1);
    va_start(ap, fmt);
    vsnprintf(z, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return z;
}

static int64_t clock_us(clockid_t id) {
    struct timespec ts;
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}
int64_t clock_wall_us(void) {
    return clock_us(CLOCK_REALTIME);
}
int64_t clock_mono_us(void) {
    return clock_us(CLOCK_MONOTONIC);
}

void random_bytes(void *p, size_t n) {
    char *at = p;
    while (n) {
        ssize_t got = getrandom(at, n, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) panic("getrandom: errno %d", errno);
        at += got;
        n -= (size_t)got;
    }
}
uint64_t random_u64(void) {
    uint64_t v;
    random_bytes(&v, sizeof v);
    return v;
}

uint64_t hash_bytes(uint64_t seed, const void *p, size_t n) {
    const unsigned char *b = p;
    uint64_t h = seed ^ 0xcbf29ce484222325u;
    for (; n >= 8; b += 8, n -= 8) {
        uint64_t w;
        memcpy(&w, b, 8);
        h = (h ^ w) * 0x9fb21c651e98df25u;
        h ^= h >> 32;
    }
    for (; n; b++, n--) h = (h ^ *b) * 0x100000001b3u;
    h ^= h >> 29;
    h *= 0xbf58476d1ce4e5b9u;
    return h ^ (h >> 32);
}

static const char *const texts[] = {
    [0] = "ok",
    [-TAUT_E_AGAIN] = "rows are being loaded",
    [-TAUT_E_PENDING] = "still open",
    [-TAUT_E_FAILED] = "already answered with an error",
    [-TAUT_E_INVAL] = "invalid argument",
    [-TAUT_E_NOMEM] = "out of memory",
    [-TAUT_E_TIMEOUT] = "timed out",
    [-TAUT_E_UNAVAILABLE] = "unavailable",
    [-TAUT_E_CONFLICT] = "a condition did not hold",
    [-TAUT_E_CLAIMED] = "claimed earlier",
    [-TAUT_E_GAP] = "the log no longer reaches back that far",
    [-TAUT_E_NOTFOUND] = "not found",
    [-TAUT_E_EXISTS] = "exists already",
    [-TAUT_E_LIMIT] = "over a limit",
    [-TAUT_E_IO] = "input/output error",
    [-TAUT_E_UNKNOWN] = "it is unknown whether this happened",
    [-TAUT_E_DENIED] = "not permitted",
};

const char *error_text(int32_t err) {
    size_t i = err < 0 ? (size_t) - (int64_t)err : 0;
    return i < COUNT_OF(texts) && texts[i] ? texts[i] : "unknown error";
}

/* Optimal string alignment distance of two short words. */
static unsigned distance(taut_str a, const char *b, size_t bn) {
    unsigned row[3][48];
    if (a.len >= COUNT_OF(row[0]) || bn >= COUNT_OF(row[0])) return 99;
    for (size_t j = 0; j <= bn; j++) row[1][j] = (unsigned)j;
    for (size_t i = 1; i <= a.len; i++) {
        unsigned *prev2 = row[(i + 2) % 3], *prev = row[i % 3], *cur = row[(i + 1) % 3];
        cur[0] = (unsigned)i;
        for (size_t j = 1; j <= bn; j++) {
            unsigned cost = a.ptr[i - 1] != b[j - 1], best = prev[j] + 1;
            if (cur[j - 1] + 1 < best) best = cur[j - 1] + 1;
            if (prev[j - 1] + cost < best) best = prev[j - 1] + cost;
            if (i > 1 && j > 1 && a.ptr[i - 1] == b[j - 2] && a.ptr[i - 2] == b[j - 1] && prev2[j - 2] + 1 < best)
                best = prev2[j - 2] + 1;
            cur[j] = best;
        }
    }
    return row[(a.len + 1) % 3][bn];
}

const char *nearest(taut_str word, const char *const *candidates, size_t n) {
    const char *best = NULL;
    unsigned best_d = word.len < 5 ? 2 : word.len < 9 ? 3 : 4; /* must be under this */
    for (size_t i = 0; i < n; i++) {
        unsigned d = distance(word, candidates[i], strlen(candidates[i]));
        if (d < best_d) best = candidates[i], best_d = d;
    }
    return best;
}
