/* text.c - see text.h. */
#include "base/text.h"

#include <strings.h>

size_t utf8_len(const char *text, size_t n) {
    const unsigned char *p = (const unsigned char *)text;
    size_t len = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
    if (!len || len > n) return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80) return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f)) return 0;
    if ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f)) return 0;
    return len;
}

bool text_is_clean(taut_str s) {
    for (size_t i = 0, n; i < s.len; i += n) {
        n = s.ptr[i] ? utf8_len(s.ptr + i, s.len - i) : 0;
        if (!n) return false;
    }
    return true;
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool starts_with(taut_str s, const char *beginning) {
    size_t n = strlen(beginning);
    return s.len >= n && memcmp(s.ptr, beginning, n) == 0;
}

bool starts_with_nocase(taut_str s, const char *beginning) {
    size_t n = strlen(beginning);
    return s.len >= n && strncasecmp(s.ptr, beginning, n) == 0;
}
