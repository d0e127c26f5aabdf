/* http_target.c - the target of a request (RFC 9112 3.2): a path that every server on its way reads alike, or nothing.
 * Pure. */
#include <strings.h>

#include "base/text.h"
#include "gateway/http_request.h"

bool http_is_host(const char *p, size_t n) {
    size_t i = 0;
    if (i < n && p[i] == '[') { /* an IPv6 address */
        while (i < n && p[i] != ']') i++;
        if (i++ == n) return false;
        for (size_t k = 1; k + 1 < i; k++)
            if (hex_digit(p[k]) < 0 && p[k] != ':' && p[k] != '.') return false;
    }
    for (; i < n && p[i] != ':'; i++) {
        char c = p[i], lower = (char)(c | 0x20);
        bool ok = (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || (c && strchr("-._~%!$&'()*+,;=", c));
        if (!ok) return false;
    }
    for (i++; i < n; i++)
        if (p[i] < '0' || p[i] > '9') return false;
    return true;
}

/* Whether a segment is "." or "..", in whatever escapes. */
static bool is_dots(const char *p, size_t n) {
    size_t dots = 0;
    for (size_t i = 0; i < n; dots++) {
        if (p[i] == '.') i++;
        else if (n - i >= 3 && p[i] == '%' && p[i + 1] == '2' && (p[i + 2] | 0x20) == 'e') i += 3;
        else return false;
    }
    return dots == 1 || dots == 2;
}

static const char *check_path(const char *p, size_t n) {
    size_t segment = 0;
    for (size_t i = 0; i <= n; i++) {
        unsigned char c = i < n ? (unsigned char)p[i] : '/';
        if (c == '/') {
            if (is_dots(p + segment, i - segment)) return "the path has a dot segment";
            segment = i + 1;
        } else if (c == '%') {
            if (i + 2 >= n || hex_digit(p[i + 1]) < 0 || hex_digit(p[i + 2]) < 0) return "the path has a broken escape";
            int v = hex_digit(p[i + 1]) << 4 | hex_digit(p[i + 2]);
            if (v < 0x20 || v == 0x7f) return "the path has an escaped control character";
        } else if (c >= 0x80 || c == '\\' || c == '"' || c == '<' || c == '>' || c == '^' || c == '`' || c == '{' ||
                   c == '|' || c == '}') {
            return "the path has a character that must be escaped";
        }
    }
    return NULL;
}

/* Where the path of http://host/path begins, or NULL. */
static const char *behind_authority(const char *p, const char *end) {
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < COUNT_OF(schemes); i++) {
        size_t n = strlen(schemes[i]);
        if ((size_t)(end - p) <= n || strncasecmp(p, schemes[i], n) != 0) continue;
        const char *from = p + n, *at = from;
        while (at < end && *at != '/' && *at != '?') at++;
        return at > from && *from != ':' && http_is_host(from, (size_t)(at - from)) ? at : NULL;
    }
    return NULL;
}

const char *http_target(const char *data, struct http_span target, struct http_span *path, struct http_span *query) {
    const char *p = data + target.at, *end = p + target.len;
    for (const char *at = p; at < end; at++) {
        if ((unsigned char)*at <= 0x20 || *at == 0x7f) return "the request target holds blanks or control characters";
        if (*at == '#') return "the request target has a fragment";
    }
    if (p == end || *p != '/') p = behind_authority(p, end);
    if (!p) return "the request target is not a path";
    const char *mark = memchr(p, '?', (size_t)(end - p));
    *path = (struct http_span){(uint32_t)(p - data), (uint32_t)((mark ? mark : end) - p)};
    *query = mark ? (struct http_span){(uint32_t)(mark + 1 - data), (uint32_t)(end - mark - 1)}
                  : (struct http_span){(uint32_t)(end - data), 0};
    return check_path(p, path->len);
}

struct http_span http_target_host(const char *data, struct http_span target, struct http_span path) {
    if (path.at == target.at) return (struct http_span){target.at, 0};
    const char *slashes = memchr(data + target.at, '/', target.len);
    uint32_t at = (uint32_t)(slashes - data) + 2;
    return (struct http_span){at, path.at - at};
}
