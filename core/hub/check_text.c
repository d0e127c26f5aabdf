/* check_text.c - is what modules write JSON, and UTF-8? Pure. */
#include "base/text.h"
#include "hub/internal.h"

enum { DEPTH_MAX = 512, SHOWN_MAX = 100 };

struct reader {
    const char *at, *end;
};

static bool value(struct reader *r, int depth);

static bool takes(struct reader *r, char c) {
    if (r->at == r->end || *r->at != c) return false;
    r->at++;
    return true;
}
static void blanks(struct reader *r) {
    while (r->at < r->end && strchr(" \t\r\n", *r->at) && *r->at) r->at++;
}
static bool digits(struct reader *r) {
    const char *from = r->at;
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9') r->at++;
    return r->at > from;
}
static bool word(struct reader *r, const char *text) {
    size_t n = strlen(text);
    if ((size_t)(r->end - r->at) < n || memcmp(r->at, text, n) != 0) return false;
    r->at += n;
    return true;
}

static bool number(struct reader *r) {
    takes(r, '-');
    if (!takes(r, '0') && !digits(r)) return false;
    if (takes(r, '.') && !digits(r)) return false;
    if (!takes(r, 'e') && !takes(r, 'E')) return true;
    if (!takes(r, '+')) takes(r, '-');
    return digits(r);
}

static bool escape(struct reader *r) {
    if (r->at == r->end || !*r->at || !strchr("\"\\/bfnrtu", *r->at)) return false;
    if (*r->at++ != 'u') return true;
    for (int i = 0; i < 4; i++, r->at++)
        if (r->at == r->end || hex_digit(*r->at) < 0) return false;
    return true;
}

static bool string(struct reader *r) {
    if (!takes(r, '"')) return false;
    while (r->at < r->end) {
        if (takes(r, '"')) return true;
        if (takes(r, '\\')) {
            if (!escape(r)) return false;
            continue;
        }
        size_t n = utf8_len(r->at, (size_t)(r->end - r->at));
        if (!n || (unsigned char)*r->at < 0x20) return false;
        r->at += n;
    }
    return false;
}

static bool list(struct reader *r, char close, bool named, int depth) {
    blanks(r);
    if (takes(r, close)) return true;
    do {
        blanks(r);
        if (named) {
            if (!string(r)) return false;
            blanks(r);
            if (!takes(r, ':')) return false;
        }
        if (!value(r, depth)) return false;
        blanks(r);
    } while (takes(r, ','));
    return takes(r, close);
}

static bool value(struct reader *r, int depth) {
    blanks(r);
    if (r->at == r->end || depth > DEPTH_MAX) return false;
    switch (*r->at) {
    case '{': r->at++; return list(r, '}', true, depth + 1);
    case '[': r->at++; return list(r, ']', false, depth + 1);
    case '"': return string(r);
    case 't': return word(r, "true");
    case 'f': return word(r, "false");
    case 'n': return word(r, "null");
    default: return number(r);
    }
}

bool text_is_object(taut_str s) {
    struct reader r = {s.ptr, s.ptr + s.len};
    if (!s.len || *s.ptr != '{' || !value(&r, 0)) return false;
    return r.at == r.end;
}

void check_object(const struct taut_mod *m, const struct run *r, const char *what, taut_str text) {
#ifdef TAUT_CHECKS
    int n = (int)(text.len < SHOWN_MAX ? text.len : SHOWN_MAX);
    if (!text_is_object(text))
        panic("module %s: %s%s%s is not a JSON object in UTF-8: %.*s", m->name, what, r ? " of " : "",
              r ? handler_name(r) : "", n, text.len ? text.ptr : "");
#else
    (void)m, (void)r, (void)what, (void)text;
#endif
}
