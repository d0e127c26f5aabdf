/* log_format.c - see log_format.h.
 *
 *   2026-01-31T12:00:00.000Z info  server ready: http://127.0.0.1:8065 modules=5 took="12 ms"
 *   {"time":"2026-01-31T12:00:00.000Z","level":"info","module":"server","event":"ready","text":"…","modules":"5"}
 */
#include "obs/log_format.h"

#include <stdio.h>
#include <time.h>

#include "base/text.h"

enum { TAIL_BYTES = 8 /* what closes a line: quotes, braces, a newline */, KVS_MAX = 16, UNIT_MAX = 8 };

const char *const log_level_names[4] = {"debug", "info", "warn", "error"};

/* A buffer that is never overrun: what does not fit is left out. */
struct line {
    char *out;
    size_t n, cap; /* cap: TAIL_BYTES less than there are */
};

static void put(struct line *l, const char *p, size_t n) {
    if (n > l->cap - l->n) return;
    memcpy(l->out + l->n, p, n);
    l->n += n;
}
static void put_z(struct line *l, const char *z) {
    put(l, z, strlen(z));
}

static bool is_control(const unsigned char *p, size_t n) {
    return (n == 1 && (p[0] < 0x20 || p[0] == 0x7f)) || (n == 2 && p[0] == 0xc2 && p[1] < 0xa0);
}

/* Text as it is, with control characters as \x0a; in quotes, these and the backslash too. */
static void put_text(struct line *l, taut_str s, bool quoted) {
    for (size_t i = 0; i < s.len && l->n < l->cap;) {
        const unsigned char *p = (const unsigned char *)s.ptr + i;
        size_t n = utf8_len(s.ptr + i, s.len - i);
        char unit[UNIT_MAX + 1];
        if (n && !is_control(p, n) && !(quoted && (*p == '"' || *p == '\\'))) {
            put(l, s.ptr + i, n);
        } else if (n && (*p == '"' || *p == '\\')) {
            unit[0] = '\\', unit[1] = (char)*p;
            put(l, unit, 2);
        } else {
            n = 1; /* byte by byte */
            snprintf(unit, sizeof unit, "\\x%02x", *p);
            put(l, unit, 4);
        }
        i += n;
    }
}

static void put_json(struct line *l, taut_str s) {
    put_z(l, "\"");
    for (size_t i = 0; i < s.len && l->n < l->cap;) {
        const unsigned char *p = (const unsigned char *)s.ptr + i;
        size_t n = utf8_len(s.ptr + i, s.len - i);
        char unit[UNIT_MAX];
        if (!n) {
            put_z(l, "\xef\xbf\xbd");
            n = 1;
        } else if (*p == '"' || *p == '\\') {
            unit[0] = '\\', unit[1] = (char)*p;
            put(l, unit, 2);
        } else if (is_control(p, n)) {
            snprintf(unit, sizeof unit, "\\u%04x", n == 1 ? *p : (unsigned)p[1]);
            put(l, unit, 6);
        } else {
            put(l, s.ptr + i, n);
        }
        i += n;
    }
    if (l->n < l->cap + 1) l->out[l->n++] = '"'; /* of the tail: a string is always closed */
}

void log_format_time(char out[LOG_TIME_MAX], int64_t at_us) {
    time_t sec = (time_t)(at_us / 1000000);
    struct tm tm;
    gmtime_r(&sec, &tm);
    snprintf(out, LOG_TIME_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%03uZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
             tm.tm_hour, tm.tm_min, tm.tm_sec, (unsigned)((uint64_t)at_us / 1000 % 1000));
}

static taut_str short_word(const char *z) {
    size_t n = strlen(z);
    return taut_str_n(z, n < 64 ? n : 64);
}

static bool is_plain(taut_str s) {
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] <= ' ' || s.ptr[i] == '"' || s.ptr[i] == '=' || s.ptr[i] == '\\' || (s.ptr[i] & 0x80))
            return false;
    return s.len > 0;
}

static void text_line(struct line *l, const struct log_record *r, const char *level, const char *time) {
    put_z(l, time);
    put_z(l, " ");
    put_z(l, level);
    put(l, "      ", 6 - strlen(level));
    put_text(l, short_word(r->who), false);
    put_z(l, " ");
    put_text(l, short_word(r->event), false);
    put_z(l, ": ");
    put_text(l, r->text, false);
    for (uint32_t i = 0; i < r->nkvs && i < KVS_MAX; i++) {
        if (l->n + strlen(r->kvs[i].key) + 4 > l->cap) break;
        put_z(l, " ");
        put_z(l, r->kvs[i].key);
        put_z(l, "=");
        bool plain = is_plain(r->kvs[i].value);
        if (!plain) put_z(l, "\"");
        put_text(l, r->kvs[i].value, !plain);
        if (!plain) l->out[l->n++] = '"';
    }
}

/* A field must not stand in for one of the line's own. */
static bool is_taken(const char *key) {
    static const char *const own[] = {"time", "level", "module", "event", "text"};
    for (size_t i = 0; i < COUNT_OF(own); i++)
        if (!strcmp(own[i], key)) return true;
    return false;
}

static void json_member(struct line *l, const char *key, const char *behind, taut_str value) {
    if (l->n + strlen(key) + 8 > l->cap) return;
    put_z(l, l->n ? ",\"" : "{\"");
    put_z(l, key);
    put_z(l, behind);
    put_z(l, "\":");
    put_json(l, value);
}

static void json_line(struct line *l, const struct log_record *r, const char *level, const char *time) {
    json_member(l, "time", "", taut_str_z(time));
    json_member(l, "level", "", taut_str_z(level));
    json_member(l, "module", "", short_word(r->who));
    json_member(l, "event", "", short_word(r->event));
    json_member(l, "text", "", r->text);
    for (uint32_t i = 0; i < r->nkvs && i < KVS_MAX; i++)
        json_member(l, r->kvs[i].key, is_taken(r->kvs[i].key) ? "_" : "", r->kvs[i].value);
    l->out[l->n++] = '}';
}

size_t log_format_line(char *out, size_t cap, enum log_format format, const struct log_record *r) {
    struct line l = {.out = out, .cap = cap - TAIL_BYTES};
    const char *level = log_level_names[r->level < 0 ? 0 : r->level > 3 ? 3 : r->level];
    char time[LOG_TIME_MAX];
    log_format_time(time, r->at_us);
    if (format == LOG_JSON) json_line(&l, r, level, time);
    else text_line(&l, r, level, time);
    l.out[l.n++] = '\n';
    return l.n;
}
