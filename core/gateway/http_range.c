/* http_range.c - conditions (RFC 9110 13) and ranges (14). Entity tags and dates are compared as the handler put them;
 * dates are understood in the form that servers must write (IMF-fixdate), all others are no condition. */
#define _GNU_SOURCE
#include "gateway/http_range.h"

#include <time.h>

/* Of the answer's header lines. */
static taut_str answer_header(taut_str lines, const char *name) {
    const struct call_http h = {.head = lines};
    return call_header(&h, name);
}

/* ---- entity tags ---- */

/* The next tag of a list, W/ and quotes included; *at moves behind it. len 0: no more. */
static taut_str next_tag(taut_str list, size_t *at) {
    size_t i = *at;
    while (i < list.len && (list.ptr[i] == ' ' || list.ptr[i] == '\t' || list.ptr[i] == ',')) i++;
    size_t from = i;
    if (i + 1 < list.len && list.ptr[i] == 'W' && list.ptr[i + 1] == '/') i += 2;
    if (i >= list.len || list.ptr[i] != '"') return taut_str_n(list.ptr, 0);
    const char *quote = memchr(list.ptr + i + 1, '"', list.len - i - 1);
    if (!quote) return taut_str_n(list.ptr, 0);
    *at = (size_t)(quote - list.ptr) + 1;
    return taut_str_n(list.ptr + from, *at - from);
}

static bool is_weak(taut_str tag) {
    return tag.len > 1 && tag.ptr[0] == 'W';
}

static taut_str without_weak(taut_str tag) {
    return is_weak(tag) ? taut_str_n(tag.ptr + 2, tag.len - 2) : tag;
}

static bool tag_in(taut_str list, taut_str tag, bool strongly) {
    if (taut_str_is(list, "*")) return true;
    taut_str one;
    for (size_t at = 0; (one = next_tag(list, &at)).len;) {
        if (strongly && (is_weak(one) || is_weak(tag))) continue;
        if (taut_str_eq(without_weak(one), without_weak(tag))) return true;
    }
    return false;
}

/* ---- dates ---- */

static bool read_date(taut_str text, time_t *t) {
    char z[32];
    struct tm tm;
    memset(&tm, 0, sizeof tm);
    if (text.len != 29) return false;
    memcpy(z, text.ptr, text.len);
    z[text.len] = 0;
    const char *end = strptime(z, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    if (!end || *end) return false;
    *t = timegm(&tm);
    return true;
}

/* Was it changed after the date that the request names? Unknown dates: `otherwise`. */
static bool changed_since(taut_str asked, taut_str modified, bool otherwise) {
    time_t since, at;
    if (!asked.ptr || !modified.ptr || !read_date(asked, &since) || !read_date(modified, &at)) return otherwise;
    return at > since;
}

/* ---- ranges ---- */

enum range { RANGE_NONE, RANGE_ONE, RANGE_OUTSIDE };

static bool read_number(const char **at, const char *end, uint64_t *v) {
    const char *from = *at;
    for (*v = 0; *at < end && **at >= '0' && **at <= '9'; ++*at) {
        if (*v > (UINT64_MAX - 9) / 10) return false;
        *v = *v * 10 + (uint64_t)(**at - '0');
    }
    return *at > from;
}

/* bytes=A-B, bytes=A-, bytes=-N. What is malformed, of another unit, or has several ranges is no range: the answer is
 * the whole (RFC 9110 14.2 lets a server ignore any). */
static enum range read_range(taut_str v, uint64_t total, uint64_t *from, uint64_t *length) {
    static const char unit[] = "bytes=";
    size_t n = sizeof unit - 1;
    if (v.len <= n || strncasecmp(v.ptr, unit, n) != 0) return RANGE_NONE;
    const char *at = v.ptr + n, *end = v.ptr + v.len;
    uint64_t first = 0, last = UINT64_MAX;
    bool is_suffix = *at == '-';
    if (!is_suffix && !read_number(&at, end, &first)) return RANGE_NONE;
    if (at == end || *at++ != '-') return RANGE_NONE;
    bool has_last = at < end;
    if (has_last && !read_number(&at, end, &last)) return RANGE_NONE;
    if (at != end || (is_suffix && !has_last) || (!is_suffix && last < first)) return RANGE_NONE;
    if (is_suffix) {
        if (!last || !total) return RANGE_OUTSIDE;
        *length = last < total ? last : total;
        *from = total - *length;
        return RANGE_ONE;
    }
    if (first >= total) return RANGE_OUTSIDE;
    *from = first;
    *length = (last < total ? last + 1 : total) - first;
    return RANGE_ONE;
}

/* A header that must not come twice, and came so, is as good as none. */
static taut_str only(const struct call_http *h, const char *name) {
    taut_str first = call_header(h, name);
    if (!first.ptr) return first;
    const char *behind = first.ptr + first.len, *end = h->head.ptr + h->head.len;
    const char *eol = memchr(behind, '\n', (size_t)(end - behind));
    const struct call_http rest = {.head = taut_str_n(eol ? eol + 1 : end, eol ? (size_t)(end - eol - 1) : 0)};
    return call_header(&rest, name).ptr ? taut_str_n(NULL, 0) : first;
}

/* If-Range: the range only of what the client has a part of already. */
static bool range_holds(taut_str condition, taut_str tag, taut_str modified) {
    if (!condition.ptr) return true;
    size_t at = 0;
    taut_str asked = next_tag(condition, &at);
    if (asked.len) return tag.ptr && !is_weak(asked) && !is_weak(tag) && taut_str_eq(asked, tag);
    time_t t;
    return modified.ptr && read_date(condition, &t) && taut_str_eq(condition, modified);
}

struct http_selection http_select(const struct call_http *request, taut_str answer_headers, bool is_file,
                                  uint64_t total) {
    taut_str tag = answer_header(answer_headers, "ETag"), modified = answer_header(answer_headers, "Last-Modified");
    taut_str match = call_header(request, "If-Match"), none_match = call_header(request, "If-None-Match");
    struct http_selection s = {200, is_file || tag.ptr || modified.ptr, 0, total};
    bool failed = match.ptr ? !tag_in(match, tag, true)
                            : changed_since(call_header(request, "If-Unmodified-Since"), modified, false);
    bool is_known = none_match.ptr ? tag_in(none_match, tag, false)
                                   : !changed_since(call_header(request, "If-Modified-Since"), modified, true);
    if (failed || is_known) {
        s.status = failed ? 412 : 304;
        return s;
    }
    taut_str range = only(request, "Range");
    bool asks = s.accepts_ranges && range.ptr && strcmp(request->verb, "GET") == 0;
    if (!asks || !range_holds(only(request, "If-Range"), tag, modified)) return s;
    switch (read_range(range, total, &s.from, &s.length)) {
    case RANGE_ONE: s.status = 206; break;
    case RANGE_OUTSIDE: s.status = 416; break;
    default: break;
    }
    return s;
}

/* ---- the answer ---- */

static void add_headers(struct call *call, taut_str more) {
    taut_str *h = &call->out.headers;
    *h = arena_fmt(&call->arena, "%.*s%.*s", (int)h->len, h->len ? h->ptr : "", (int)more.len, more.ptr);
}

void http_apply_selection(struct call *call) {
    struct call_out *o = &call->out;
    struct call_http *h = call->http;
    bool is_file = h->file.size != 0;
    uint64_t total = is_file ? h->file.length : o->body.len;
    if ((o->http_status && o->http_status != 200) || (strcmp(h->verb, "GET") != 0 && strcmp(h->verb, "HEAD") != 0))
        return;
    struct http_selection s = http_select(h, o->headers, is_file, total);
    o->http_status = s.status;
    if (s.status == 206)
        add_headers(call, arena_fmt(&call->arena, "Content-Range: bytes %llu-%llu/%llu\r\n", (unsigned long long)s.from,
                                    (unsigned long long)(s.from + s.length - 1), (unsigned long long)total));
    else if (s.status == 416)
        add_headers(call, arena_fmt(&call->arena, "Content-Range: bytes */%llu\r\n", (unsigned long long)total));
    if (s.accepts_ranges && s.status != 304) add_headers(call, TAUT_LIT("Accept-Ranges: bytes\r\n"));
    if (s.status > 206) s.from = s.length = 0;
    if (is_file) {
        h->file.offset += s.from;
        h->file.length = s.length;
    } else {
        o->body = taut_str_n(o->body.ptr + s.from, (size_t)s.length);
    }
}
