/* options.c - option tables applied to nodes: one parser a type, defaults, ranges, and the words for what is wrong. */
#include <stdio.h>

#include "config/internal.h"

struct unit {
    const char *name;
    int64_t factor;
};
static const struct unit durations[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
static const struct unit sizes[] = {{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1}};

static const char *const truths[] = {"true", "false", "yes", "no", "on", "off"};

struct taut_opt option_at(struct taut_array opts, uint32_t i) {
    struct taut_opt o = {0};
    memcpy(&o, (const char *)opts.ptr + (size_t)i * opts.elem_size,
           opts.elem_size < sizeof o ? opts.elem_size : sizeof o);
    return o;
}

bool option_is_text(const struct taut_opt *o) {
    return o->type == TAUT_OPT_STR || o->type == TAUT_OPT_PATH || o->type == TAUT_OPT_ADDR;
}

/* Splits "a|b|c" into at most 32 words. */
static uint32_t split_choices(struct arena *a, const char *choices, const char *words[32]) {
    uint32_t n = 0;
    while (choices && n < 32) {
        const char *bar = strchr(choices, '|');
        size_t len = bar ? (size_t)(bar - choices) : strlen(choices);
        words[n++] = arena_str(a, taut_str_n(choices, len)).ptr;
        choices = bar ? bar + 1 : NULL;
    }
    return n;
}

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

/* HOST:PORT, [V6]:PORT; port 0 to 65535. A NUL stands behind s. */
static bool is_address(taut_str s) {
    const char *colon = strrchr(s.ptr, ':');
    if (!colon || colon == s.ptr) return false;
    taut_str host = taut_str_n(s.ptr, (size_t)(colon - s.ptr)), rest;
    int64_t port;
    if (!read_number(taut_str_n(colon + 1, s.len - host.len - 1), &port, &rest) || rest.len || port < 0 || port > 65535)
        return false;
    bool bracketed = host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
    for (size_t i = 0; i < host.len; i++)
        if (host.ptr[i] <= ' ' || host.ptr[i] == '/' || (host.ptr[i] == ':' && !bracketed)) return false;
    return true;
}

static taut_str text_in_units(struct arena *a, const struct unit *units, size_t n, int64_t v) {
    for (size_t i = 0; i < n; i++)
        if (v && v % units[i].factor == 0)
            return arena_fmt(a, "%lld%s", (long long)(v / units[i].factor), units[i].name);
    return arena_fmt(a, "%lld", (long long)v);
}

taut_str option_number_text(struct arena *a, const struct taut_opt *o, int64_t v) {
    const char *words[32];
    if (o->type == TAUT_OPT_BOOL) return taut_str_z(v ? "true" : "false");
    if (o->type == TAUT_OPT_DURATION) return text_in_units(a, durations, COUNT_OF(durations), v);
    if (o->type == TAUT_OPT_BYTES) return text_in_units(a, sizes, COUNT_OF(sizes), v);
    if (o->type == TAUT_OPT_ENUM && v >= 0 && v < split_choices(a, o->choices, words)) return taut_str_z(words[v]);
    return arena_fmt(a, "%lld", (long long)v);
}

static const char *not_one_of(struct arena *a, taut_str text, const char *const *words, uint32_t n) {
    taut_str list = TAUT_LIT("");
    for (uint32_t i = 0; i < n; i++) list = arena_fmt(a, "%s%s%s", list.ptr, i ? ", " : "", words[i]);
    const char *near = nearest(text, words, n);
    return arena_fmt(a, "\"%s\" is not one of %s%s%s%s", text.ptr, list.ptr, near ? "; did you mean \"" : "",
                     near ? near : "", near ? "\"?" : "")
        .ptr;
}

static const char *check_range(struct arena *a, const struct taut_opt *o, taut_str text, int64_t v) {
    if ((!o->min && !o->max) || (v >= o->min && (v <= o->max || o->max < o->min))) return NULL;
    taut_str min = option_number_text(a, o, o->min), max = option_number_text(a, o, o->max);
    if (o->max < o->min) return arena_fmt(a, "%s is too small: it must be at least %s", text.ptr, min.ptr).ptr;
    return arena_fmt(a, "%s is out of range: it must be %s to %s", text.ptr, min.ptr, max.ptr).ptr;
}

static const char *parse_number(struct arena *a, const struct taut_opt *o, taut_str text, int64_t *v) {
    taut_str rest;
    if (o->type == TAUT_OPT_INT && (!read_number(text, v, &rest) || rest.len))
        return arena_fmt(a, "\"%s\" is not a whole number", text.ptr).ptr;
    if (o->type == TAUT_OPT_DURATION && !read_units(text, durations, COUNT_OF(durations), v))
        return arena_fmt(a, "\"%s\" is not a duration; write it like 10ms, 5s, 2m, 1h or 7d", text.ptr).ptr;
    if (o->type == TAUT_OPT_BYTES && !read_units(text, sizes, COUNT_OF(sizes), v))
        return arena_fmt(a, "\"%s\" is not a size; write it like 512, 64KiB, 1MiB or 2GiB", text.ptr).ptr;
    return check_range(a, o, text, *v);
}

static const char *parse_choice(struct arena *a, taut_str text, const char *const *words, uint32_t n, int64_t *v) {
    for (uint32_t i = 0; i < n; i++)
        if (taut_str_is(text, words[i])) {
            *v = i;
            return NULL;
        }
    return not_one_of(a, text, words, n);
}

const char *option_parse(struct config *c, const struct taut_opt *o, taut_str text, taut_str base, void *field) {
    struct arena *a = &c->arena;
    const char *words[32], *why = NULL;
    int64_t v = 0;
    text = arena_str(a, text); /* NUL behind it */
    if (option_is_text(o)) {
        if (o->type == TAUT_OPT_ADDR && text.len && !is_address(text))
            return arena_fmt(a, "\"%s\" is not an address; write HOST:PORT, such as 127.0.0.1:8065", text.ptr).ptr;
        if (o->type == TAUT_OPT_PATH && text.len) text = path_absolute(a, base, text);
        memcpy(field, &text, sizeof text);
        return NULL;
    }
    if (o->type == TAUT_OPT_ENUM) {
        why = parse_choice(a, text, words, split_choices(a, o->choices, words), &v);
    } else if (o->type == TAUT_OPT_BOOL) {
        why = parse_choice(a, text, truths, COUNT_OF(truths), &v);
        v = v % 2 == 0;
    } else {
        why = parse_number(a, o, text, &v);
    }
    if (!why) memcpy(field, &v, sizeof v);
    return why;
}

static void apply_default(struct config *c, const struct taut_opt *o, const struct node *where, const char *path,
                          taut_str base, void *field) {
    if (o->flags & TAUT_OPT_REQUIRED)
        config_error(c, where, path, "needs the option \"%s\"%s%s", o->name, o->help ? ": " : "",
                     o->help ? o->help : "");
    static const taut_str empty = {"", 0};
    if (option_is_text(o)) memcpy(field, &empty, sizeof empty);
    if (!o->dflt) return;
    const char *why = option_parse(c, o, taut_str_z(o->dflt), base, field);
    if (why) config_error(c, where, path, "the default of \"%s\" is wrong: %s", o->name, why);
}

static void apply_node(struct config *c, const struct taut_opt *o, const struct node *n, const char *path,
                       taut_str base, void *field) {
    const char *full = arena_fmt(&c->arena, "%s.%s", path, o->name).ptr;
    if (n->kind != NODE_SCALAR) {
        config_error(c, n, full, "must be a single value, not a %s", n->kind == NODE_MAP ? "map" : "list");
    } else if (!n->text.len && !n->quoted) {
        config_error_at(c, n->key_line, n->key_col, full, "has no value; leave the line out to get the default");
    } else {
        const char *why = option_parse(c, o, n->text, base, field);
        if (why) config_error(c, n, full, "%s", why);
    }
}

static void report_unknown(struct config *c, struct taut_array opts, const struct node *node, const char *path) {
    const char **names = arena_alloc(&c->arena, (opts.len + 1) * sizeof *names);
    for (uint32_t i = 0; i < opts.len; i++) names[i] = option_at(opts, i).name;
    for (const struct node *n = node->first; n; n = n->next) {
        bool known = false;
        for (uint32_t i = 0; i < opts.len && !known; i++) known = taut_str_is(n->key, names[i]);
        if (known) continue;
        const char *near = nearest(n->key, names, opts.len);
        config_error_at(c, n->key_line, n->key_col, path, "unknown option \"%.*s\"%s%s%s", (int)n->key.len, n->key.ptr,
                        near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    }
}

void config_apply(struct config *c, struct taut_array opts, const struct node *node, const struct node *where,
                  const char *path, taut_str base, void *into) {
    if (node && node->kind != NODE_MAP) {
        config_error(c, node, path, "must be a map of options");
        node = NULL;
    }
    for (uint32_t i = 0; i < opts.len; i++) {
        struct taut_opt o = option_at(opts, i);
        const struct node *n = node ? node_child(node, o.name) : NULL;
        void *field = (char *)into + o.offset;
        if (!n) {
            apply_default(c, &o, where, path, base, field);
            continue;
        }
        o.flags &= ~(uint32_t)TAUT_OPT_REQUIRED;
        apply_default(c, &o, where, path, base, field);
        apply_node(c, &o, n, path, base, field);
    }
    if (node) report_unknown(c, opts, node, path);
}
