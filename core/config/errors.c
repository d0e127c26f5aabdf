/* errors.c - the lists of everything that is wrong with a configuration, or worth a warning, kept in the order of
 * places in the file. */
#include <stdarg.h>
#include <stdio.h>

#include "config/internal.h"

enum { ERRORS_MAX = 200, ERROR_BYTES_MAX = 1024, PATH_BYTES_MAX = 256 };

/* At most n bytes of it, at the border of a character. */
static size_t cut(taut_str text, size_t n) {
    if (text.len <= n) return text.len;
    while (n > 0 && ((unsigned char)text.ptr[n] & 0xc0) == 0x80) n--;
    return n;
}

const char *text_shown(struct arena *a, taut_str text) {
    size_t n = cut(text, CONFIG_SHOWN_MAX);
    return arena_fmt(a, "%.*s%s", (int)n, text.len ? text.ptr : "", n < text.len ? "…" : "").ptr;
}

static void grow(struct config_errors *e) {
    uint32_t cap = e->cap ? e->cap * 2 : 16;
    taut_str *list = arena_alloc(e->arena, cap * sizeof *list);
    struct config_problem *problems = arena_alloc(e->arena, cap * sizeof *problems);
    if (e->n) memcpy(list, e->list, e->n * sizeof *list), memcpy(problems, e->problems, e->n * sizeof *problems);
    e->list = list, e->problems = problems, e->cap = cap;
}

static bool is_after(const struct config_problem *a, const struct config_problem *b) {
    return a->line > b->line || (a->line == b->line && a->col > b->col);
}

static void add(struct config_errors *e, const struct config_problem *p, taut_str line) {
    if (e->n == e->cap) grow(e);
    uint32_t i = e->n++;
    for (; i > 0 && is_after(&e->problems[i - 1], p); i--)
        e->list[i] = e->list[i - 1], e->problems[i] = e->problems[i - 1];
    e->list[i] = line;
    e->problems[i] = *p;
}

/* What is said in place of all that comes after ERRORS_MAX; behind everything else. */
static void add_last(struct config *c, struct config_errors *e) {
    if (e->n != ERRORS_MAX) return;
    const struct config_problem p = {UINT32_MAX, 0, c->file, NULL, "and more; these are the first that were found"};
    add(e, &p, arena_fmt(e->arena, "%s: %s", p.source, p.text));
}

/* A copy without control characters, which would reach the terminal. */
static const char *clean(struct arena *a, taut_str text) {
    char *z = (char *)(uintptr_t)arena_str(a, text).ptr;
    for (char *p = z; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f) *p = '?';
    return z;
}

/* A path may hold keys that a stranger chose. */
static const char *clean_path(struct arena *a, const char *path) {
    taut_str whole = taut_str_z(path);
    return path ? clean(a, taut_str_n(path, cut(whole, PATH_BYTES_MAX))) : NULL;
}

TAUT_PRINTF(6, 0)
static void verror(struct config *c, struct config_errors *e, const struct node *at, const char *path, const char *kind,
                   const char *fmt, va_list ap) {
    char text[ERROR_BYTES_MAX + 8];
    int n = vsnprintf(text, sizeof text, fmt, ap);
    if (n > ERROR_BYTES_MAX) strcpy(text + cut(taut_str_n(text, sizeof text), ERROR_BYTES_MAX), "…");
    if (e->n >= ERRORS_MAX) {
        add_last(c, e);
        return;
    }
    struct config_problem p = {.line = at ? at->line : 0,
                               .col = at ? at->col : 0,
                               .source = clean(e->arena, taut_str_z(c->file)),
                               .option = clean_path(e->arena, path),
                               .text = clean(e->arena, taut_str_z(text))};
    taut_str place = taut_str_z(p.source);
    if (p.line) place = arena_fmt(e->arena, "%s:%u:%u", p.source, p.line, p.col);
    add(e, &p, arena_fmt(e->arena, "%s: %s%s%s%s", place.ptr, kind, path ? p.option : "", path ? ": " : "", p.text));
}

void config_error_at(struct config *c, uint32_t line, uint32_t col, const char *path, const char *fmt, ...) {
    const struct node at = {.line = line, .col = col};
    va_list ap;
    va_start(ap, fmt);
    verror(c, &c->errors, &at, path, "", fmt, ap);
    va_end(ap);
}

void config_error(struct config *c, const struct node *at, const char *path, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    verror(c, &c->errors, at, path, "", fmt, ap);
    va_end(ap);
}

void config_warn(struct config *c, const struct node *at, const char *path, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    verror(c, &c->warnings, at, path, "warning: ", fmt, ap);
    va_end(ap);
}
