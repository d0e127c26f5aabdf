/* scalar.c - one value: from its text to its field and back, and the words for what is wrong with it. */
#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>

#include "config/internal.h"

struct unit {
    const char *name;
    int64_t factor;
};
static const struct unit durations[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
static const struct unit sizes[] = {{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1}};

static const char *const truths[] = {"true", "false", "yes", "no", "on", "off"};

/* ---- numbers ---- */

/* Digits with an optional sign; *rest is what follows them. False when there are none or they overflow. */
static bool read_number(taut_str s, int64_t *v, taut_str *rest) {
    size_t i = 0;
    bool negative = s.len && s.ptr[0] == '-';
    if (negative) i++;
    size_t from = i;
    int64_t n = 0;
    for (; i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9'; i++)
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_sub_overflow(n, s.ptr[i] - '0', &n)) return false;
    if (i == from || (!negative && n == INT64_MIN)) return false;
    *v = negative ? n : -n;
    *rest = taut_str_n(s.ptr + i, s.len - i);
    return true;
}

static bool read_units(taut_str s, const struct unit *units, size_t n, int64_t *v) {
    taut_str rest;
    if (!read_number(s, v, &rest) || *v < 0) return false;
    for (size_t i = 0; i < n; i++)
        if (taut_str_is(rest, units[i].name)) return !__builtin_mul_overflow(*v, units[i].factor, v);
    return *v == 0 && !rest.len;
}

/* -1.5, 2, 1e9. A NUL stands behind s. */
static bool read_real(taut_str s, double *v) {
    char *end;
    for (size_t i = 0; i < s.len; i++)
        if (!strchr("0123456789+-.eE", s.ptr[i])) return false;
    *v = strtod(s.ptr, &end);
    return s.len && end == s.ptr + s.len && isfinite(*v);
}

static taut_str text_in_units(struct arena *a, const struct unit *units, size_t n, int64_t v) {
    for (size_t i = 0; i < n; i++)
        if (v && v % units[i].factor == 0)
            return arena_fmt(a, "%lld%s", (long long)(v / units[i].factor), units[i].name);
    return arena_fmt(a, "%lld", (long long)v);
}

taut_str option_number_text(struct arena *a, const struct taut_opt *o, int64_t v) {
    const char *words[TAUT_OPT_CHOICES_MAX];
    if (o->type == TAUT_OPT_BOOL) return taut_str_z(v ? "true" : "false");
    if (o->type == TAUT_OPT_DURATION) return text_in_units(a, durations, COUNT_OF(durations), v);
    if (o->type == TAUT_OPT_BYTES) return text_in_units(a, sizes, COUNT_OF(sizes), v);
    if (o->type == TAUT_OPT_ENUM && v >= 0 && v < option_choices(a, o->choices, words)) return taut_str_z(words[v]);
    return arena_fmt(a, "%lld", (long long)v);
}

taut_str option_real_text(struct arena *a, double v) {
    taut_str text = arena_fmt(a, "%.15g", v);
    double again = strtod(text.ptr, NULL);
    return again < v || again > v ? arena_fmt(a, "%.17g", v) : text;
}

static taut_str scalar_range(struct arena *a, const struct taut_opt *o) {
    bool is_length = o->type == TAUT_OPT_STR || o->type == TAUT_OPT_SECRET;
    bool is_number = o->type == TAUT_OPT_INT || o->type == TAUT_OPT_FLOAT || o->type == TAUT_OPT_DURATION ||
                     o->type == TAUT_OPT_BYTES;
    struct taut_opt number = *o;
    if (!option_has_range(o) || (!is_length && !is_number)) return TAUT_LIT("");
    if (o->type == TAUT_OPT_FLOAT || is_length) number.type = TAUT_OPT_INT;
    taut_str min = option_number_text(a, &number, o->min), max = option_number_text(a, &number, o->max);
    const char *unit = is_length ? " bytes" : "";
    if (o->max < o->min) return arena_fmt(a, "at least %s%s", min.ptr, unit);
    return arena_fmt(a, "%s to %s%s", min.ptr, max.ptr, unit);
}

taut_str option_range_text(struct arena *a, const struct taut_opt *o) {
    if (o->type != TAUT_OPT_LIST && o->type != TAUT_OPT_MAP) return scalar_range(a, o);
    struct taut_opt item = option_item(o);
    taut_str range = scalar_range(a, &item);
    if (!o->max_items) return range.len ? arena_fmt(a, "each %s", range.ptr) : range;
    return arena_fmt(a, "at most %u items%s%s", o->max_items, range.len ? ", each " : "", range.ptr);
}

/* ---- what is wrong ---- */

taut_str option_list_text(struct arena *a, const char *const *words, uint32_t n) {
    taut_str list = TAUT_LIT("");
    for (uint32_t i = 0; i < n; i++) list = arena_fmt(a, "%s%s%s", list.ptr, i ? ", " : "", words[i]);
    return list;
}

static const char *not_one_of(struct arena *a, taut_str text, const char *const *words, uint32_t n) {
    taut_str list = option_list_text(a, words, n);
    const char *near = nearest(text, words, n);
    return arena_fmt(a, "\"%s\" is not one of %s%s%s%s", text_shown(a, text), list.ptr, near ? "; did you mean \"" : "",
                     near ? near : "", near ? "\"?" : "")
        .ptr;
}

static const char *out_of_range(struct arena *a, const struct taut_opt *o, taut_str text) {
    struct taut_opt number = *o;
    if (o->type == TAUT_OPT_FLOAT) number.type = TAUT_OPT_INT;
    taut_str min = option_number_text(a, &number, o->min), max = option_number_text(a, &number, o->max);
    if (o->max < o->min)
        return arena_fmt(a, "%s is too small: it must be at least %s", text_shown(a, text), min.ptr).ptr;
    return arena_fmt(a, "%s is out of range: it must be %s to %s", text_shown(a, text), min.ptr, max.ptr).ptr;
}

static const char *check_range(struct arena *a, const struct taut_opt *o, taut_str text, int64_t v) {
    if (!option_has_range(o) || (v >= o->min && (v <= o->max || o->max < o->min))) return NULL;
    return out_of_range(a, o, text);
}

/* Never shows the text: it may be a secret. */
static const char *check_length(struct arena *a, const struct taut_opt *o, taut_str text) {
    int64_t n = (int64_t)text.len;
    if (!option_has_range(o) || (n >= o->min && (n <= o->max || o->max < o->min))) return NULL;
    if (o->max < o->min)
        return arena_fmt(a, "is %lld bytes long: it must be at least %lld", (long long)n, (long long)o->min).ptr;
    return arena_fmt(a, "is %lld bytes long: it must be %lld to %lld", (long long)n, (long long)o->min,
                     (long long)o->max)
        .ptr;
}

/* ---- texts with a form ---- */

/* HOST:PORT, [V6]:PORT. A NUL stands behind s. */
static bool is_address(taut_str s, int64_t *port) {
    const char *colon = strrchr(s.ptr, ':');
    if (!colon || colon == s.ptr) return false;
    taut_str host = taut_str_n(s.ptr, (size_t)(colon - s.ptr)), rest;
    if (!read_number(taut_str_n(colon + 1, s.len - host.len - 1), port, &rest) || rest.len || *port < 0) return false;
    bool bracketed = host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
    for (size_t i = 0; i < host.len; i++)
        if (host.ptr[i] <= ' ' || host.ptr[i] == '/' || (host.ptr[i] == ':' && !bracketed)) return false;
    return true;
}

static const char *check_address(struct arena *a, taut_str text) {
    int64_t port;
    if (!is_address(text, &port))
        return arena_fmt(a, "\"%s\" is not an address; write HOST:PORT, such as 127.0.0.1:8065", text_shown(a, text))
            .ptr;
    if (port <= 65535) return NULL;
    return arena_fmt(a, "\"%s\" is not an address: its port must be 0 to 65535", text_shown(a, text)).ptr;
}

/* ADDRESS or ADDRESS/BITS. */
static bool is_network(taut_str s) {
    char host[INET6_ADDRSTRLEN];
    unsigned char address[16];
    const char *slash = memchr(s.ptr, '/', s.len);
    size_t n = slash ? (size_t)(slash - s.ptr) : s.len;
    if (!n || n >= sizeof host) return false;
    memcpy(host, s.ptr, n);
    host[n] = 0;
    int64_t bits = 0, most = inet_pton(AF_INET, host, address) == 1 ? 32 : 128;
    if (most == 128 && inet_pton(AF_INET6, host, address) != 1) return false;
    taut_str rest = TAUT_LIT("");
    if (slash && !read_number(taut_str_n(slash + 1, s.len - n - 1), &bits, &rest)) return false;
    return bits >= 0 && bits <= most && !rest.len;
}

/* The length of the scheme, or 0 when it is no URL. */
static size_t url_scheme(taut_str s) {
    size_t n = 0;
    while (n < s.len && ((s.ptr[n] >= 'a' && s.ptr[n] <= 'z') || (n && strchr("0123456789+.-", s.ptr[n])))) n++;
    if (!n || s.len < n + 4 || memcmp(s.ptr + n, "://", 3) != 0 || s.ptr[n + 3] == '/') return 0;
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] <= ' ' || strchr("\"<>\\^`{|}\x7f", s.ptr[i])) return 0;
    return n;
}

static const char *check_url(struct arena *a, const struct taut_opt *o, taut_str text) {
    const char *words[TAUT_OPT_CHOICES_MAX];
    uint32_t n = option_choices(a, o->choices, words);
    size_t scheme = url_scheme(text);
    const char *example = n ? words[n - 1] : "https";
    if (!scheme)
        return arena_fmt(a, "\"%s\" is not a URL; write it like %s://chat.example.org", text_shown(a, text), example)
            .ptr;
    taut_str given = arena_str(a, taut_str_n(text.ptr, scheme));
    for (uint32_t i = 0; i < n; i++)
        if (taut_str_is(given, words[i])) return NULL;
    return n ? arena_fmt(a, "\"%s\" is no URL that can stand here: its scheme \"%s\" is not one of %s",
                         text_shown(a, text), given.ptr, option_list_text(a, words, n).ptr)
                   .ptr
             : NULL;
}

/* NULL, or what is wrong with a text that is not empty. */
static const char *check_form(struct arena *a, const struct taut_opt *o, taut_str text) {
    switch (o->type) {
    case TAUT_OPT_ADDR: return check_address(a, text);
    case TAUT_OPT_NET:
        return is_network(text) ? NULL
                                : arena_fmt(a,
                                            "\"%s\" is not an address or a network; write it like 192.0.2.7, "
                                            "10.0.0.0/8 or 2001:db8::/32",
                                            text_shown(a, text))
                                      .ptr;
    case TAUT_OPT_URL: return check_url(a, o, text);
    case TAUT_OPT_REGEX: {
        const char *fault = regex_fault(a, text);
        return fault ? arena_fmt(a, "\"%s\" is not a regular expression: %s", text_shown(a, text), fault).ptr : NULL;
    }
    default: return NULL;
    }
}

/* ---- from text ---- */

static const char *parse_text(struct config *c, const struct taut_opt *o, taut_str text, taut_str base, void *field) {
    bool needs_text = o->type == TAUT_OPT_PATH || o->type == TAUT_OPT_ADDR || o->type == TAUT_OPT_NET;
    if (!text.len && needs_text) return "is empty; leave the line out to get the default";
    const char *why = text.len ? check_form(&c->arena, o, text) : NULL;
    if (!why && (o->type == TAUT_OPT_STR || o->type == TAUT_OPT_SECRET)) why = check_length(&c->arena, o, text);
    if (why) return why;
    if (o->type == TAUT_OPT_PATH) text = path_absolute(&c->arena, base, text);
    memcpy(field, &text, sizeof text);
    return NULL;
}

static const char *parse_choice(struct arena *a, taut_str text, const char *const *words, uint32_t n, int64_t *v) {
    for (uint32_t i = 0; i < n; i++)
        if (taut_str_is(text, words[i])) {
            *v = i;
            return NULL;
        }
    return not_one_of(a, text, words, n);
}

static const char *parse_number(struct arena *a, const struct taut_opt *o, taut_str text, int64_t *v) {
    taut_str rest;
    if (o->type == TAUT_OPT_INT && (!read_number(text, v, &rest) || rest.len))
        return arena_fmt(a, "\"%s\" is not a whole number", text_shown(a, text)).ptr;
    if (o->type == TAUT_OPT_DURATION && !read_units(text, durations, COUNT_OF(durations), v))
        return arena_fmt(a, "\"%s\" is not a duration; write it like 10ms, 5s, 2m, 1h or 7d", text_shown(a, text)).ptr;
    if (o->type == TAUT_OPT_BYTES && !read_units(text, sizes, COUNT_OF(sizes), v))
        return arena_fmt(a, "\"%s\" is not a size; write it like 512, 64KiB, 1MiB or 2GiB", text_shown(a, text)).ptr;
    return check_range(a, o, text, *v);
}

static const char *parse_real(struct arena *a, const struct taut_opt *o, taut_str text, double *field) {
    double v;
    if (!read_real(text, &v)) return arena_fmt(a, "\"%s\" is not a number", text_shown(a, text)).ptr;
    bool is_small = v<(double)o->min, is_large = v>(double) o->max && o->max >= o->min;
    if (option_has_range(o) && (is_small || is_large)) return out_of_range(a, o, text);
    *field = v;
    return NULL;
}

const char *option_parse(struct config *c, const struct taut_opt *o, taut_str text, taut_str base, void *field) {
    struct arena *a = &c->arena;
    const char *words[TAUT_OPT_CHOICES_MAX], *why = NULL;
    int64_t v = 0;
    text = arena_str(a, text); /* NUL behind it */
    if (option_is_text(o)) return parse_text(c, o, text, base, field);
    if (o->type == TAUT_OPT_FLOAT) return parse_real(a, o, text, field);
    if (o->type == TAUT_OPT_ENUM) {
        why = parse_choice(a, text, words, option_choices(a, o->choices, words), &v);
    } else if (o->type == TAUT_OPT_BOOL) {
        why = parse_choice(a, text, truths, COUNT_OF(truths), &v);
        v = v % 2 == 0;
    } else {
        why = parse_number(a, o, text, &v);
    }
    if (!why) memcpy(field, &v, sizeof v);
    return why;
}
