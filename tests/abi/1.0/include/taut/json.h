/* json.h - a small writer of JSON. It writes compact, valid JSON and escapes what must be escaped.
 *
 * The writer never fails half way: when memory runs out it sets `failed`, ignores what follows, and whoever takes the
 * text sees it. What it is given is copied. Thread: that of its owner. Since 1.0.
 */
#ifndef TAUT_JSON_H
#define TAUT_JSON_H

#include "taut/types.h"

/* Frozen: the functions below are compiled into modules. */
struct taut_json {
    char *ptr;
    size_t len, cap;
    int32_t (*grow)(struct taut_json *j, size_t need); /* make cap >= need */
    void *owner;
    uint32_t comma; /* 1: a value stands before the next one */
    uint32_t failed;
};

/* Bytes as they are: part of a value that the caller writes itself, between taut_json_sep and the next value. */
static inline void taut_json_raw(struct taut_json *j, const char *p, size_t n) {
    if (j->failed) return;
    if (j->len + n > j->cap && j->grow(j, j->len + n) != TAUT_OK) {
        j->failed = 1;
        return;
    }
    if (n) memcpy(j->ptr + j->len, p, n);
    j->len += n;
}

/* The comma that is due before a value, for those who write one with taut_json_raw. The other functions do it. */
static inline void taut_json_sep(struct taut_json *j) {
    if (j->comma) taut_json_raw(j, ",", 1);
    j->comma = 1;
}

/* A string with its quotes, what must be escaped escaped; s is UTF-8. */
static inline void taut_json_quoted(struct taut_json *j, taut_str s) {
    static const char hex[] = "0123456789abcdef";
    size_t from = 0, i;
    taut_json_raw(j, "\"", 1);
    for (i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        char esc[6];
        size_t n = 2;
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        esc[0] = '\\';
        switch (c) {
        case '"': esc[1] = '"'; break;
        case '\\': esc[1] = '\\'; break;
        case '\n': esc[1] = 'n'; break;
        case '\r': esc[1] = 'r'; break;
        case '\t': esc[1] = 't'; break;
        default: esc[1] = 'u', esc[2] = '0', esc[3] = '0', esc[4] = hex[c >> 4], esc[5] = hex[c & 15]; n = 6;
        }
        taut_json_raw(j, s.ptr + from, i - from);
        taut_json_raw(j, esc, n);
        from = i + 1;
    }
    taut_json_raw(j, s.ptr + from, s.len - from);
    taut_json_raw(j, "\"", 1);
}

/* Containers. A key, then an opener or a value; inside an array just values. */
static inline void taut_json_key(struct taut_json *j, const char *key) {
    taut_json_sep(j);
    taut_json_quoted(j, taut_str_z(key));
    taut_json_raw(j, ":", 1);
    j->comma = 0;
}
static inline void taut_json_open(struct taut_json *j, char bracket) {
    taut_json_sep(j);
    taut_json_raw(j, &bracket, 1);
    j->comma = 0;
}
static inline void taut_json_close(struct taut_json *j, char bracket) {
    taut_json_raw(j, &bracket, 1);
    j->comma = 1;
}

/* Values. */
static inline void taut_json_str(struct taut_json *j, taut_str s) {
    taut_json_sep(j);
    taut_json_quoted(j, s);
}
static inline void taut_json_int(struct taut_json *j, int64_t v) {
    char b[24];
    size_t n = sizeof b;
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do b[--n] = (char)('0' + u % 10);
    while (u /= 10);
    if (v < 0) b[--n] = '-';
    taut_json_sep(j);
    taut_json_raw(j, b + n, sizeof b - n);
}
static inline void taut_json_bool(struct taut_json *j, int v) {
    taut_json_sep(j);
    if (v) taut_json_raw(j, "true", 4);
    else taut_json_raw(j, "false", 5);
}
static inline void taut_json_null(struct taut_json *j) {
    taut_json_sep(j);
    taut_json_raw(j, "null", 4);
}
/* JSON text that is known to be valid, as a value. */
static inline void taut_json_text(struct taut_json *j, taut_str json) {
    taut_json_sep(j);
    taut_json_raw(j, json.ptr, json.len);
}

/* Members. */
static inline void taut_json_kstr(struct taut_json *j, const char *k, taut_str s) {
    taut_json_key(j, k);
    taut_json_str(j, s);
}
static inline void taut_json_kint(struct taut_json *j, const char *k, int64_t v) {
    taut_json_key(j, k);
    taut_json_int(j, v);
}
static inline void taut_json_kbool(struct taut_json *j, const char *k, int v) {
    taut_json_key(j, k);
    taut_json_bool(j, v);
}
static inline void taut_json_ktext(struct taut_json *j, const char *k, taut_str json) {
    taut_json_key(j, k);
    taut_json_text(j, json);
}
static inline void taut_json_kopen(struct taut_json *j, const char *k, char bracket) {
    taut_json_key(j, k);
    taut_json_open(j, bracket);
}

#endif
