/* api_form.c - forms: application/x-www-form-urlencoded (and the query, which has that form), multipart/form-data. */
#define _GNU_SOURCE
#include "gateway/api.h"

#include <strings.h>

/* Length of the UTF-8 sequence at p, 0 when it is none. */
static size_t utf8_len(const unsigned char *p, size_t n) {
    if (p[0] < 0x80) return p[0] ? 1 : 0;
    if (p[0] < 0xc2) return 0;
    size_t len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
    if (!len || len > n) return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80) return 0;
    if (p[0] == 0xe0 && p[1] < 0xa0) return 0;
    if (p[0] == 0xed && p[1] > 0x9f) return 0;
    if (p[0] == 0xf0 && p[1] < 0x90) return 0;
    if (p[0] == 0xf4 && p[1] > 0x8f) return 0;
    return len;
}

bool text_is_clean(taut_str s) {
    const unsigned char *p = (const unsigned char *)s.ptr;
    for (size_t i = 0; i < s.len;) {
        size_t n = p[i] - 1u < 0x7f ? 1 : utf8_len(p + i, s.len - i);
        if (!n) return false;
        i += n;
    }
    return true;
}

static int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A '%' that is no escape stands for itself, as browsers have it. */
static taut_str decode(struct arena *a, taut_str s) {
    char *out = arena_alloc(a, s.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == '+') {
            c = ' ';
        } else if (c == '%' && i + 2 < s.len && hex(s.ptr[i + 1]) >= 0 && hex(s.ptr[i + 2]) >= 0) {
            c = (char)(hex(s.ptr[i + 1]) << 4 | hex(s.ptr[i + 2]));
            i += 2;
        }
        out[n++] = c;
    }
    out[n] = 0;
    return taut_str_n(out, n);
}

const char *api_form(struct api_args *a, taut_str text) {
    struct arena *mem = &a->call->arena;
    for (size_t at = 0; at < text.len;) {
        const char *from = text.ptr + at, *amp = memchr(from, '&', text.len - at);
        size_t len = amp ? (size_t)(amp - from) : text.len - at;
        const char *eq = memchr(from, '=', len);
        size_t name_len = eq ? (size_t)(eq - from) : len;
        at += len + 1;
        if (!len) continue;
        taut_str name = decode(mem, taut_str_n(from, name_len));
        taut_str value = eq ? decode(mem, taut_str_n(eq + 1, len - name_len - 1)) : taut_str_n("", 0);
        if (!text_is_clean(name) || !text_is_clean(value)) return "invalid_form_data";
        api_set(a, name, API_TEXT, value);
    }
    return NULL;
}

/* ---- multipart ---- */

struct part {
    taut_str name;
    bool is_file;
};

/* A parameter of Content-Disposition: ; key="value" or ; key=value. ptr NULL: not there. */
static taut_str parameter(taut_str line, const char *key) {
    size_t n = strlen(key);
    bool quoted = false;
    for (size_t i = 0; i + n + 1 < line.len; i++) {
        if (line.ptr[i] == '"') quoted = !quoted;
        if (quoted || line.ptr[i] != ';') continue;
        size_t k = i + 1;
        while (k < line.len && line.ptr[k] == ' ') k++;
        if (k + n >= line.len || strncasecmp(line.ptr + k, key, n) != 0 || line.ptr[k + n] != '=') continue;
        const char *from = line.ptr + k + n + 1, *end = line.ptr + line.len;
        char stop = ';';
        if (from < end && *from == '"') stop = '"', from++;
        const char *to = memchr(from, stop, (size_t)(end - from));
        return taut_str_n(from, (size_t)((to ? to : end) - from));
    }
    return taut_str_n(NULL, 0);
}

static void part_header(struct part *p, taut_str line) {
    static const char disposition[] = "content-disposition:";
    if (line.len < sizeof disposition || strncasecmp(line.ptr, disposition, sizeof disposition - 1) != 0) return;
    taut_str name = parameter(line, "name");
    if (name.ptr) p->name = name;
    p->is_file = parameter(line, "filename").ptr || parameter(line, "filename*").ptr;
}

/* Reads the head of a part; returns where its content starts, or NULL. */
static const char *part_head(struct part *p, const char *at, const char *end) {
    for (;;) {
        const char *eol = memmem(at, (size_t)(end - at), "\r\n", 2);
        if (!eol) return NULL;
        if (eol == at) return at + 2;
        part_header(p, taut_str_n(at, (size_t)(eol - at)));
        at = eol + 2;
    }
}

const char *api_multipart(struct api_args *a, taut_str body, taut_str boundary) {
    static const char bad[] = "invalid_form_data";
    enum { BOUNDARY_MAX = 70 };
    char mark[BOUNDARY_MAX + 4];
    if (!boundary.len || boundary.len > BOUNDARY_MAX) return bad;
    memcpy(mark, "\r\n--", 4);
    memcpy(mark + 4, boundary.ptr, boundary.len);
    size_t mark_len = boundary.len + 4;
    const char *at = body.ptr, *end = body.ptr + body.len;
    if (body.len < mark_len || memcmp(at, mark + 2, mark_len - 2) != 0) return bad;
    at += mark_len - 2;
    for (;;) { /* at: behind a boundary */
        struct part p = {taut_str_n(NULL, 0), false};
        if (end - at < 2) return bad;
        if (memcmp(at, "--", 2) == 0) return NULL;
        if (memcmp(at, "\r\n", 2) != 0) return bad;
        const char *from = part_head(&p, at + 2, end);
        if (!from) return bad;
        /* The CRLF of an empty part's boundary is the one that ended the head. */
        const char *to = memmem(from - 2, (size_t)(end - from + 2), mark, mark_len);
        if (!to || !p.name.ptr) return bad;
        size_t len = to < from ? 0 : (size_t)(to - from);
        if (!p.is_file) {
            taut_str value = arena_str(&a->call->arena, taut_str_n(from, len));
            if (!text_is_clean(p.name) || !text_is_clean(value)) return bad;
            api_set(a, p.name, API_TEXT, value);
        }
        at = to + mark_len;
    }
}
