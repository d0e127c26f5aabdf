/* types.h - strings, error codes and handles that every other header uses. Pure: any thread. Since 1.0. */
#ifndef TAUT_TYPES_H
#define TAUT_TYPES_H

#include <string.h>

#include "taut/abi.h"

/* Bytes with a length. UTF-8 is checked where text enters the server; never assume a NUL behind it. */
typedef struct taut_str {
    const char *ptr;
    size_t len;
} taut_str;

/* A literal as the initialiser of a taut_str, where it has to be constant. */
#define TAUT_LIT_INIT(s) \
    { ("" s), sizeof(s) - 1 }
/* C only: a literal as a taut_str, and the empty one. */
#define TAUT_LIT(s) ((taut_str)TAUT_LIT_INIT(s))
#define TAUT_NONE ((taut_str){"", 0})

/* The text up to its NUL; NULL is the empty one. It points to what it was made of. */
static inline taut_str taut_str_z(const char *z) {
    taut_str s = {z ? z : "", z ? strlen(z) : 0};
    return s;
}
/* n bytes. It points to what it was made of. */
static inline taut_str taut_str_n(const char *p, size_t n) {
    taut_str s = {p, n};
    return s;
}
/* 1 when they are the same bytes, or the same as those of a text; otherwise 0. */
static inline int taut_str_eq(taut_str a, taut_str b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}
static inline int taut_str_is(taut_str a, const char *z) {
    return taut_str_eq(a, taut_str_z(z));
}

/* Every function that can fail returns one of these; 0 and above is success. */
enum {
    TAUT_OK = 0,
    TAUT_E_AGAIN = -1,       /* a restartable handler needs rows that are being loaded: return this at once */
    TAUT_E_PENDING = -2,     /* the handler keeps the call open and will answer later: call.h, HELD CALLS */
    TAUT_E_FAILED = -3,      /* the call has been answered with an error */
    TAUT_E_INVAL = -4,       /* an argument is wrong */
    TAUT_E_NOMEM = -5,       /* out of memory, or over a limit of memory */
    TAUT_E_TIMEOUT = -6,     /* the deadline passed; for a commit: the outcome is unknown */
    TAUT_E_UNAVAILABLE = -7, /* the provider is not there or does not work now */
    TAUT_E_CONFLICT = -8,    /* a condition of the batch did not hold; nothing of it was written */
    TAUT_E_CLAIMED = -9,     /* the batch's claim was taken earlier; nothing was written */
    TAUT_E_GAP = -10,        /* the log no longer reaches back to the position asked for */
    TAUT_E_NOTFOUND = -11,   /* no such thing */
    TAUT_E_EXISTS = -12,     /* there is one already */
    TAUT_E_LIMIT = -13,      /* over a documented limit */
    TAUT_E_IO = -14,         /* the disk or the network said no */
    TAUT_E_UNKNOWN = -15,    /* it may or may not have happened */
    TAUT_E_DENIED = -16,     /* the actor may not do this */
    TAUT_E_CANCELLED = -17   /* whoever asked wants it no more */
};

/* An asynchronous operation: a slot and a generation, never a pointer. 0 is none. */
typedef uint64_t taut_op;
/* A live socket. Unique over restarts of the server. 0 is none. */
typedef uint64_t taut_conn;
/* A timer, a watched descriptor, a subscription. 0 is none. */
typedef uint64_t taut_timer;
typedef uint64_t taut_poll;
typedef uint64_t taut_sub;

/* What the core owns and modules only hand around. */
struct taut_host;
struct taut_batch;
struct taut_call;

/* A configured instance of a module. The core owns it; `state` is the module's, to be set in init. */
struct taut_mod {
    uint32_t size;
    uint32_t reserved;
    const struct taut_host *host;
    const void *config; /* the module's own options struct, parsed and checked; a reload puts another one here */
    void *state;
    const char *name; /* the instance's name: the module's, or what `as:` says */
};

/* A named value, for logs. Frozen. */
struct taut_kv {
    const char *key;
    taut_str value;
};

/* Copies a struct that begins with its size, as far as both sides know it: zeroes dst, whose size is n, copies from src
 * what fits, and sets dst's size to n. For what somebody else's code made: `*dst = *src` would read behind an older
 * one. */
static inline void taut_copy_sized(void *dst, size_t n, const void *src) {
    uint32_t own = (uint32_t)n, theirs;
    memcpy(&theirs, src, sizeof theirs);
    memset(dst, 0, n);
    memcpy(dst, src, theirs < n ? theirs : n);
    memcpy(dst, &own, sizeof own);
}

/* In a function that returns an error code: hands on the error of another one. */
#define TAUT_TRY(expr)                       \
    do {                                     \
        int32_t taut_try_ = (expr);          \
        if (taut_try_ < 0) return taut_try_; \
    } while (0)

#endif
