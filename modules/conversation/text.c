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

/* exact: 1 when more than six decimals are no time. */
static int64_t stamp_parse(taut_str s, int exact) {
    int64_t us = 0;
    size_t i = 0, fraction = 0;
    for (; i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9'; i++) {
        if (i >= 12) return -1;
        us = us * 10 + (s.ptr[i] - '0');
    }
    if (!i) return -1;
    if (i < s.len && s.ptr[i++] != '.') return -1;
    for (; i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9'; i++, fraction++) {
        if (fraction < 6) us = us * 10 + (s.ptr[i] - '0');
        else if (exact) return -1;
    }
    if (i < s.len) return -1;
    for (; fraction < 6; fraction++) us *= 10;
    return us;
}

int64_t stamp_read(taut_str s) {
    return stamp_parse(s, 1);
}

int64_t stamp_read_bound(taut_str s) {
    return stamp_parse(s, 0);
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

struct range {
    uint32_t from, to;
};

/* Characters beyond ASCII that are no small letters: controls, signs, capitals, punctuation, blanks, pictures; and what
 * nobody sees, or what changes the order of the others. */
static const struct range not_in_names[] = {
    {0x80, 0xa9},       {0xab, 0xb4},        {0xb6, 0xb9},     {0xbb, 0xde},     {0xf7, 0xf7},     {0x130, 0x130},
    {0x34f, 0x34f},     {0x386, 0x386},      {0x388, 0x38f},   {0x391, 0x3ab},   {0x400, 0x42f},   {0x531, 0x556},
    {0x61c, 0x61c},     {0x115f, 0x1160},    {0x1680, 0x1680}, {0x17b4, 0x17b5}, {0x180b, 0x180f}, {0x2000, 0x206f},
    {0x20a0, 0x2bff},   {0x3000, 0x3004},    {0x3008, 0x3020}, {0x3164, 0x3164}, {0xe000, 0xf8ff}, {0xfe00, 0xfe6f},
    {0xfeff, 0xfeff},   {0xff00, 0xff0f},    {0xff1a, 0xff40}, {0xff5b, 0xff65}, {0xffa0, 0xffa0}, {0xfff0, 0xffff},
    {0x1f000, 0x1ffff}, {0xe0000, 0x10ffff},
};

/* Marks that join the character before them; a name does not begin with one. */
static const struct range marks[] = {
    {0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5c7},   {0x610, 0x61a},   {0x64b, 0x65f},   {0x670, 0x670},
    {0x6d6, 0x6ed},   {0x711, 0x711},   {0x730, 0x74a},   {0x7a6, 0x7b0},   {0x7eb, 0x7f3},   {0x816, 0x82d},
    {0x859, 0x85b},   {0x8d3, 0x903},   {0x93a, 0x93c},   {0x93e, 0x94f},   {0x981, 0x983},   {0x9bc, 0x9cd},
    {0xa01, 0xa03},   {0xa3c, 0xa4d},   {0xb01, 0xb03},   {0xb3c, 0xb57},   {0xbbe, 0xbcd},   {0xc3e, 0xc56},
    {0xcbc, 0xcd6},   {0xd3b, 0xd4d},   {0xe31, 0xe31},   {0xe34, 0xe3a},   {0xe47, 0xe4e},   {0xeb1, 0xeb1},
    {0xeb4, 0xebc},   {0xf35, 0xf39},   {0xf71, 0xf84},   {0x102b, 0x103e}, {0x135d, 0x135f}, {0x17b6, 0x17d3},
    {0x1a17, 0x1a1b}, {0x1ab0, 0x1aff}, {0x1b00, 0x1b04}, {0x1dc0, 0x1dff}, {0x302a, 0x302f}, {0x3099, 0x309a},
    {0xa66f, 0xa67d}, {0xa8e0, 0xa8f1},
};

static int is_in(const struct range *list, size_t n, uint32_t ch) {
    size_t i = 0;
    while (i < n && (ch < list[i].from || ch > list[i].to)) i++;
    return i < n;
}

static int letter_ok(uint32_t ch) {
    if (ch < 0x80) return (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9');
    return !is_in(not_in_names, sizeof not_in_names / sizeof not_in_names[0], ch);
}

const char *channel_name_error(taut_str name) {
    taut_str rest = name;
    size_t n = 0, letters = 0;
    int special = 0;
    if (text_blank(name)) return "invalid_name_required";
    for (; rest.len; n++) {
        uint32_t ch = utf8_next(&rest);
        if (!n && is_in(marks, sizeof marks / sizeof marks[0], ch)) special = 1;
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

int text_is_utf8(taut_str s) {
    const unsigned char *p = (const unsigned char *)s.ptr, *end = p + s.len;
    while (p < end) {
        static const unsigned char lowest[] = {0, 0, 0xa0, 0x90}; /* of the second byte, behind e0 and f0 */
        int more = *p < 0x80                 ? 0
                   : *p >= 0xc2 && *p < 0xe0 ? 1
                   : *p >= 0xe0 && *p < 0xf0 ? 2
                   : *p >= 0xf0 && *p < 0xf5 ? 3
                                             : -1;
        if (more < 0 || end - p <= more) return 0;
        if ((*p == 0xe0 || *p == 0xf0) && p[1] < lowest[more]) return 0;
        if ((*p == 0xed && p[1] > 0x9f) || (*p == 0xf4 && p[1] > 0x8f)) return 0;
        for (int i = 1; i <= more; i++)
            if ((p[i] & 0xc0) != 0x80) return 0;
        p += more + 1;
    }
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
