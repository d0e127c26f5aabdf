/* api_json.c - JSON bodies. What is flat and plain, as nearly every body is, is checked here (jansson's tree was 11 %
 * of a post's CPU); whether anything else is valid, jansson says. The members are then cut out of the text itself, so
 * that numbers and strings arrive as they were written. Pure functions. */
#include "base/text.h"
#include "gateway/api.h"

#include <jansson.h>

static size_t skip_blanks(taut_str s, size_t i) {
    while (i < s.len && is_json_blank(s.ptr[i])) i++;
    return i;
}

/* Nesting by counting brackets outside strings: refused before a tree is built. And no NUL, which jansson reads over
 * behind a number. */
static bool is_shallow(taut_str s) {
    unsigned depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!c) return false;
        if (in_string) {
            if (c == '\\') i++;
            else if (c == '"') in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > JSON_DEPTH_MAX) return false;
        } else if ((c == '}' || c == ']') && depth) {
            depth--;
        }
    }
    return true;
}

/* ---- flat and plain: one object of strings, whole numbers, true, false, null; "no" only means "ask jansson" ---- */

enum { PLAIN_KEYS_MAX = 16 };

/* Past the string at i, or 0. Escapes of one letter; *high: it has bytes that may or may not be UTF-8. */
static size_t plain_string(taut_str s, size_t i, bool escapes, bool *high) {
    if (i >= s.len || s.ptr[i] != '"') return 0;
    for (i++; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c == '"') return i + 1;
        if (c < 0x20) return 0;
        if (c >= 0x80) *high = true;
        if (c != '\\') continue;
        if (!escapes || ++i >= s.len || !s.ptr[i] || !strchr("\"\\/bfnrt", s.ptr[i])) return 0;
    }
    return 0;
}

static size_t plain_scalar(taut_str s, size_t i) {
    static const char *const words[] = {"true", "false", "null"};
    size_t from = i;
    for (size_t w = 0; w < COUNT_OF(words); w++) {
        size_t n = strlen(words[w]);
        if (s.len - i >= n && memcmp(s.ptr + i, words[w], n) == 0) return i + n;
    }
    while (i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9') i++;
    bool number = i > from && i - from <= 18 && (s.ptr[from] != '0' || i == from + 1);
    return number ? i : 0;
}

bool json_is_plain(taut_str s) {
    taut_str keys[PLAIN_KEYS_MAX];
    size_t n = 0, i = skip_blanks(s, 0);
    if (i >= s.len || s.ptr[i] != '{') return false;
    do {
        size_t from = skip_blanks(s, i + 1), to;
        bool high = false;
        if (!(to = plain_string(s, from, false, &high)) || high || n == PLAIN_KEYS_MAX) return false;
        keys[n] = taut_str_n(s.ptr + from, to - from);
        for (size_t k = 0; k < n; k++)
            if (taut_str_eq(keys[k], keys[n])) return false;
        n++;
        i = skip_blanks(s, to);
        if (i >= s.len || s.ptr[i] != ':') return false;
        from = skip_blanks(s, i + 1);
        if (from >= s.len) return false;
        to = s.ptr[from] == '"' ? plain_string(s, from, true, &high) : plain_scalar(s, from);
        if (!to || (high && !text_is_clean(taut_str_n(s.ptr + from, to - from)))) return false;
        i = skip_blanks(s, to);
    } while (i < s.len && s.ptr[i] == ',');
    return i < s.len && s.ptr[i] == '}' && skip_blanks(s, i + 1) == s.len;
}

bool json_is_valid(taut_str s) {
    if (json_is_plain(s)) return true;
    if (!is_shallow(s)) return false;
    json_error_t error;
    json_t *tree = json_loadb(s.ptr, s.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!tree) return false;
    json_decref(tree);
    return true;
}

/* ---- of valid text only ---- */

static size_t skip_string(taut_str s, size_t i) {
    for (i++; i < s.len && s.ptr[i] != '"'; i++)
        if (s.ptr[i] == '\\') i++;
    return i < s.len ? i + 1 : s.len;
}

static size_t skip_value(taut_str s, size_t i) {
    unsigned depth = 0;
    while (i < s.len) {
        char c = s.ptr[i];
        if (c == '"') {
            i = skip_string(s, i);
        } else if (c == '{' || c == '[') {
            depth++, i++;
        } else if (c == '}' || c == ']') {
            if (!depth) return i;
            depth--, i++;
        } else {
            if (!depth && (c == ',' || is_json_blank(c))) return i;
            i++;
            continue;
        }
        if (!depth) return i;
    }
    return i;
}

taut_str json_compact(struct arena *a, taut_str s) {
    char *out = arena_alloc(a, s.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.len;) {
        size_t from = i;
        if (s.ptr[i] == '"') i = skip_string(s, i);
        else i++;
        if (is_json_blank(s.ptr[from])) continue;
        memcpy(out + n, s.ptr + from, i - from);
        n += i - from;
    }
    out[n] = 0;
    return taut_str_n(out, n);
}

static uint32_t hex4(const char *p) {
    uint32_t v = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        v = v << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return v;
}

static size_t put_utf8(char *out, uint32_t c) {
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6), out[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12), out[1] = (char)(0x80 | (c >> 6 & 63)), out[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18), out[1] = (char)(0x80 | (c >> 12 & 63));
    out[2] = (char)(0x80 | (c >> 6 & 63)), out[3] = (char)(0x80 | (c & 63));
    return 4;
}

/* The escape at in[*i] == '\\'; moves *i past it (and past the second half of a pair). */
static size_t unescape(taut_str s, size_t *i, char *out) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char c = s.ptr[*i + 1];
    if (c != 'u') {
        const char *at = strchr(from, c);
        *i += 2;
        out[0] = at ? to[at - from] : c;
        return 1;
    }
    uint32_t v = hex4(s.ptr + *i + 2);
    *i += 6;
    if (v >= 0xd800 && v < 0xdc00) {
        v = 0x10000 + ((v - 0xd800) << 10) + (hex4(s.ptr + *i + 2) - 0xdc00);
        *i += 6;
    }
    return put_utf8(out, v);
}

taut_str json_unquote(struct arena *a, taut_str s) {
    char *out = arena_alloc(a, s.len);
    size_t n = 0, end = s.len - 1;
    for (size_t i = 1; i < end;) {
        if (s.ptr[i] == '\\') n += unescape(s, &i, out + n);
        else out[n++] = s.ptr[i++];
    }
    out[n] = 0;
    return taut_str_n(out, n);
}

bool json_next_item(taut_str s, size_t *at, taut_str *item) {
    size_t from = skip_blanks(s, *at ? *at : skip_blanks(s, 0) + 1);
    if (from >= s.len || s.ptr[from] == ']') return false;
    if (s.ptr[from] == ',') from = skip_blanks(s, from + 1);
    *at = skip_value(s, from);
    *item = taut_str_n(s.ptr + from, *at - from);
    return true;
}

/* ---- the body ---- */

static void members(struct api_args *a, taut_str s) {
    size_t i = skip_blanks(s, skip_blanks(s, 0) + 1);
    while (i < s.len && s.ptr[i] == '"') {
        size_t key_end = skip_string(s, i);
        taut_str key = json_unquote(&a->call->arena, taut_str_n(s.ptr + i, key_end - i));
        size_t from = skip_blanks(s, skip_blanks(s, key_end) + 1), to = skip_value(s, from);
        taut_str value = taut_str_n(s.ptr + from, to - from);
        api_set(a, key, value.ptr[0] == 'n' ? API_NONE : API_JSON, value);
        i = skip_blanks(s, to);
        if (i < s.len && s.ptr[i] == ',') i = skip_blanks(s, i + 1);
    }
}

const char *api_json(struct api_args *a, taut_str body) {
    size_t i = skip_blanks(body, 0);
    if (i == body.len) return NULL; /* SDKs send an empty body where there are no arguments */
    if (!json_is_valid(body)) return "invalid_json";
    if (body.ptr[i] == '{') members(a, body);
    else if (body.ptr[i] != 'n') return "json_not_object"; /* the literal null is an empty body */
    return NULL;
}
