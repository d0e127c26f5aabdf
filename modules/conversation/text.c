/* text.c - see text.h. Nothing here allocates, and nothing here knows the store. */
#include "text.h"

/* ---- message times ---- */

taut_str stamp_write(char out[STAMP_SIZE], int64_t us) {
    uint64_t sec = us > 0 ? (uint64_t)us / 1000000 : 0;
    uint64_t frac = us > 0 ? (uint64_t)us % 1000000 : 0;
    size_t n = STAMP_SIZE, digits = 0;
    for (; digits < 6; digits++, frac /= 10) out[--n] = (char)('0' + frac % 10);
    out[--n] = '.';
    for (digits = 0; digits < 10 || sec; digits++, sec /= 10) out[--n] = (char)('0' + sec % 10);
    return taut_str_n(out + n, STAMP_SIZE - n);
}

int64_t stamp_read(taut_str s) {
    int64_t us = 0;
    size_t i = 0, fraction = 0;
    for (; i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9'; i++) {
        if (i >= 12) return -1;
        us = us * 10 + (s.ptr[i] - '0');
    }
    if (!i) return -1;
    if (i < s.len && s.ptr[i++] != '.') return -1;
    for (; i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9' && fraction < 6; i++, fraction++)
        us = us * 10 + (s.ptr[i] - '0');
    if (i < s.len) return -1;
    for (; fraction < 6; fraction++) us *= 10;
    return us;
}

/* ---- names ---- */

/* Takes one character of a valid UTF-8 text. */
static uint32_t utf8_next(taut_str *s) {
    const unsigned char *p = (const unsigned char *)s->ptr;
    uint32_t ch = p[0];
    size_t n = ch < 0x80 ? 1 : ch < 0xe0 ? 2 : ch < 0xf0 ? 3 : 4, i;
    if (n > s->len) n = s->len;
    if (n > 1) ch &= 0xffu >> (n + 1);
    for (i = 1; i < n; i++) ch = ch << 6 | (p[i] & 0x3fu);
    s->ptr += n;
    s->len -= n;
    return ch;
}

/* Characters beyond ASCII that are no small letters: controls, signs, capitals, punctuation, blanks, pictures. */
static const struct {
    uint32_t from, to;
} not_in_names[] = {
    {0x80, 0xa9},     {0xab, 0xb4},     {0xb6, 0xb9},     {0xbb, 0xde},     {0xf7, 0xf7},       {0x386, 0x386},
    {0x388, 0x38f},   {0x391, 0x3ab},   {0x400, 0x42f},   {0x531, 0x556},   {0x1680, 0x1680},   {0x2000, 0x206f},
    {0x20a0, 0x2bff}, {0x3000, 0x3004}, {0x3008, 0x3020}, {0xe000, 0xf8ff}, {0xfe00, 0xfe6f},   {0xfeff, 0xfeff},
    {0xff00, 0xff0f}, {0xff1a, 0xff40}, {0xff5b, 0xff65}, {0xfff0, 0xffff}, {0x1f000, 0x1ffff}, {0xe0000, 0x10ffff},
};

static int letter_ok(uint32_t ch) {
    size_t i;
    if (ch < 0x80) return (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9');
    for (i = 0; i < sizeof not_in_names / sizeof not_in_names[0]; i++)
        if (ch >= not_in_names[i].from && ch <= not_in_names[i].to) return 0;
    return 1;
}

const char *channel_name_error(taut_str name) {
    taut_str rest = name;
    size_t n = 0, letters = 0;
    int special = 0;
    if (text_blank(name)) return "invalid_name_required";
    for (; rest.len; n++) {
        uint32_t ch = utf8_next(&rest);
        if (letter_ok(ch)) letters++;
        else if (ch != '-' && ch != '_') special = 1;
    }
    if (n > CHANNEL_NAME_MAX) return "invalid_name_maxlength";
    if (!letters) return "invalid_name_punctuation";
    return special ? "invalid_name_specials" : NULL;
}

int reaction_name_ok(taut_str name) {
    size_t i;
    if (!name.len || name.len > REACTION_NAME_MAX || name.ptr[0] == ':') return 0;
    for (i = 0; i < name.len; i++) {
        taut_str rest = taut_str_n(name.ptr + i, name.len - i);
        unsigned char ch = (unsigned char)name.ptr[i];
        if (ch == ':') { /* only as the seam of a skin tone: wave::skin-tone-3 */
            if (rest.len < 3 || memcmp(rest.ptr, "::s", 3) != 0) return 0;
            i++;
        } else if (ch >= 0x80) {
            taut_str from = rest;
            if (!letter_ok(utf8_next(&from))) return 0;
            i += rest.len - from.len - 1;
        } else if (!letter_ok(ch) && ch != '_' && ch != '-' && ch != '+' && ch != '\'') return 0;
    }
    return 1;
}

/* ---- texts ---- */

int text_blank(taut_str s) {
    size_t i;
    for (i = 0; i < s.len; i++)
        if (s.ptr[i] != ' ' && s.ptr[i] != '\n' && s.ptr[i] != '\t' && s.ptr[i] != '\r') return 0;
    return 1;
}

size_t text_length(taut_str s) {
    size_t i, n = 0;
    for (i = 0; i < s.len; i++) n += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
    return n;
}

taut_str text_cut(taut_str s, size_t max) {
    size_t i, n = 0;
    if (s.len <= max) return s;
    for (i = 0; i < s.len; i++) {
        if (((unsigned char)s.ptr[i] & 0xc0) == 0x80) continue;
        if (n++ == max) return taut_str_n(s.ptr, i);
    }
    return s;
}

/* ---- cursors ---- */

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

taut_str cursor_write(char out[CURSOR_SIZE], const char *kind, taut_str value) {
    unsigned char in[96] = {0};
    size_t nkind = strlen(kind), n = nkind + 1 + value.len, i, at = 0;
    if (value.len > 80 || nkind > 12) return taut_str_n(out, 0);
    memcpy(in, kind, nkind);
    in[nkind] = ':';
    if (value.len) memcpy(in + nkind + 1, value.ptr, value.len);
    for (i = 0; i < n; i += 3) {
        uint32_t bits = (uint32_t)in[i] << 16 | (uint32_t)in[i + 1] << 8 | in[i + 2];
        out[at++] = base64[bits >> 18];
        out[at++] = base64[bits >> 12 & 63];
        out[at++] = i + 1 < n ? base64[bits >> 6 & 63] : '=';
        out[at++] = i + 2 < n ? base64[bits & 63] : '=';
    }
    return taut_str_n(out, at);
}

int cursor_read(taut_str cursor, const char *kind, char out[CURSOR_SIZE], taut_str *value) {
    size_t i, at = 0, nkind = strlen(kind);
    uint32_t bits = 0, have = 0;
    while (cursor.len && cursor.ptr[cursor.len - 1] == '=') cursor.len--;
    if (cursor.len > CURSOR_SIZE) return 0;
    for (i = 0; i < cursor.len; i++) {
        const char *digit = cursor.ptr[i] ? strchr(base64, cursor.ptr[i]) : NULL;
        if (!digit) return 0;
        bits = bits << 6 | (uint32_t)(digit - base64);
        have += 6;
        if (have < 8) continue;
        have -= 8;
        out[at++] = (char)(bits >> have & 255);
    }
    if (at < nkind + 1 || memcmp(out, kind, nkind) != 0 || out[nkind] != ':') return 0;
    *value = taut_str_n(out + nkind + 1, at - nkind - 1);
    return value->len > 0;
}

/* ---- lists ---- */

int list_next(taut_str *rest, taut_str *item) {
    while (rest->len) {
        const char *comma = memchr(rest->ptr, ',', rest->len);
        size_t n = comma ? (size_t)(comma - rest->ptr) : rest->len;
        *item = taut_str_n(rest->ptr, n);
        rest->ptr += comma ? n + 1 : n;
        rest->len -= comma ? n + 1 : n;
        if (n) return 1;
    }
    return 0;
}

int list_has(taut_str list, taut_str item) {
    taut_str each;
    while (list_next(&list, &each))
        if (taut_str_eq(each, item)) return 1;
    return 0;
}

size_t list_count(taut_str list) {
    taut_str each;
    size_t n = 0;
    while (list_next(&list, &each)) n++;
    return n;
}

int32_t json_objects(taut_str json) {
    int32_t depth = 0, n = 0;
    int in_string = 0;
    size_t i;
    if (json.len < 2 || json.ptr[0] != '[') return -1;
    for (i = 0; i < json.len; i++) {
        char ch = json.ptr[i];
        if (in_string) {
            if (ch == '\\') i++;
            else if (ch == '"') in_string = 0;
            continue;
        }
        if (depth == 1 && ch != ',' && ch != '{' && ch != ']') return -1;
        if (ch == '"') in_string = 1;
        else if (ch == '[' || ch == '{') n += depth++ == 1;
        else if (ch == ']' || ch == '}') depth--;
    }
    return n;
}
