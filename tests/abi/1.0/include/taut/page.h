/* page.h - what methods that answer in pages have in common: the arguments `limit` and `cursor`, and opaque cursors.
 *
 * A cursor is the base64 of "kind:value". The value is where the next page begins and nothing that its reader may not
 * see; whoever reads a cursor treats it as a position that anybody could have made up.
 * Thread: the pure functions any; those that take a call, the hub. Since 1.0.
 */
#ifndef TAUT_PAGE_H
#define TAUT_PAGE_H

#include "taut/call.h"

enum {
    TAUT_PAGE_DEFAULT = 100,
    TAUT_PAGE_MAX = 1000,
    TAUT_CURSOR_SIZE = 128,
    TAUT_CURSOR_KIND_MAX = 12,
    TAUT_CURSOR_VALUE_MAX = 80
};

#define TAUT_BASE64 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

/* Writes a cursor to out. Empty when kind or value are longer than they may be. */
static inline taut_str taut_cursor_write(char out[TAUT_CURSOR_SIZE], const char *kind, taut_str value) {
    unsigned char in[TAUT_CURSOR_KIND_MAX + 1 + TAUT_CURSOR_VALUE_MAX + 2] = {0};
    size_t nkind = strlen(kind), n = nkind + 1 + value.len, i, at = 0;
    if (value.len > TAUT_CURSOR_VALUE_MAX || nkind > TAUT_CURSOR_KIND_MAX) return taut_str_n(out, 0);
    memcpy(in, kind, nkind);
    in[nkind] = ':';
    if (value.len) memcpy(in + nkind + 1, value.ptr, value.len);
    for (i = 0; i < n; i += 3) {
        uint32_t bits = (uint32_t)in[i] << 16 | (uint32_t)in[i + 1] << 8 | in[i + 2];
        out[at++] = TAUT_BASE64[bits >> 18];
        out[at++] = TAUT_BASE64[bits >> 12 & 63];
        out[at++] = '=';
        out[at++] = '=';
        if (i + 1 < n) out[at - 2] = TAUT_BASE64[bits >> 6 & 63];
        if (i + 2 < n) out[at - 1] = TAUT_BASE64[bits & 63];
    }
    return taut_str_n(out, at);
}

/* The value of a cursor of that kind, in out. 0 when it is none. */
static inline int taut_cursor_read(taut_str cursor, const char *kind, char out[TAUT_CURSOR_SIZE], taut_str *value) {
    static const char digits[] = TAUT_BASE64;
    size_t i, at = 0, nkind = strlen(kind);
    uint32_t bits = 0, have = 0;
    while (cursor.len && cursor.ptr[cursor.len - 1] == '=') cursor.len--;
    if (cursor.len > TAUT_CURSOR_SIZE) return 0;
    for (i = 0; i < cursor.len; i++) {
        const char *digit = cursor.ptr[i] ? strchr(digits, cursor.ptr[i]) : NULL;
        if (!digit) return 0;
        bits = bits << 6 | (uint32_t)(digit - digits);
        have += 6;
        if (have < 8) continue;
        have -= 8;
        out[at++] = (char)(bits >> have & 255);
    }
    if (at < nkind + 1 || memcmp(out, kind, nkind) != 0 || out[nkind] != ':') return 0;
    *value = taut_str_n(out + nkind + 1, at - nkind - 1);
    return value->len > 0;
}

/* A limit as it was written: `dflt` when it is empty, at most TAUT_PAGE_MAX; 0 when it is no number above zero. */
static inline uint32_t taut_limit_read(taut_str s, uint32_t dflt) {
    uint32_t limit = 0;
    size_t i;
    if (!s.len) return dflt;
    for (i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9') return 0;
        if (limit < TAUT_PAGE_MAX) limit = limit * 10 + (uint32_t)(s.ptr[i] - '0');
    }
    return limit < (uint32_t)TAUT_PAGE_MAX ? limit : (uint32_t)TAUT_PAGE_MAX;
}

/* The argument `limit`, a TAUT_ARG_STR so that what is no number has its own code. Fails with invalid_limit. */
static inline int32_t taut_limit_arg(struct taut_call *c, uint32_t arg, uint32_t dflt, uint32_t *limit) {
    *limit = taut_limit_read(taut_arg_str(c, arg), dflt);
    return *limit ? TAUT_OK : taut_fail(c, "invalid_limit");
}

/* The value in the argument `cursor`, or empty when it is not given. Fails with invalid_cursor. */
static inline int32_t taut_cursor_arg(struct taut_call *c, uint32_t arg, const char *kind, taut_str *value) {
    taut_str text = taut_arg_str(c, arg);
    char *out = (char *)taut_scratch(c, TAUT_CURSOR_SIZE);
    *value = taut_str_n("", 0);
    if (text.len && !taut_cursor_read(text, kind, out, value)) return taut_fail(c, "invalid_cursor");
    return TAUT_OK;
}

/* Puts a cursor into the answer. */
static inline void taut_cursor_answer(struct taut_call *c, const char *kind, taut_str value) {
    char out[TAUT_CURSOR_SIZE];
    taut_next_cursor(c, taut_cursor_write(out, kind, value));
}

#endif
