/* errors.c - the list of everything that is wrong with a configuration, kept in the order of places in the file. */
#include <stdarg.h>
#include <stdio.h>

#include "config/internal.h"

enum { ERRORS_MAX = 200, ERROR_BYTES_MAX = 1024 };

static void add(struct config *c, uint64_t place, taut_str text) {
    struct config_errors *e = &c->errors;
    if (e->n == ERRORS_MAX) return;
    if (e->n == e->cap) {
        uint32_t cap = e->cap ? e->cap * 2 : 16;
        taut_str *list = arena_alloc(e->arena, cap * sizeof *list);
        uint64_t *places = arena_alloc(e->arena, cap * sizeof *places);
        if (e->n) memcpy(list, e->list, e->n * sizeof *list), memcpy(places, e->places, e->n * sizeof *places);
        e->list = list, e->places = places, e->cap = cap;
    }
    uint32_t i = e->n++;
    for (; i > 0 && e->places[i - 1] > place; i--) e->list[i] = e->list[i - 1], e->places[i] = e->places[i - 1];
    e->list[i] = text;
    e->places[i] = place;
}

TAUT_PRINTF(5, 0)
static void verror(struct config *c, uint32_t line, uint32_t col, const char *path, const char *fmt, va_list ap) {
    char text[ERROR_BYTES_MAX];
    vsnprintf(text, sizeof text, fmt, ap);
    taut_str place =
        line ? arena_fmt(c->errors.arena, "%s:%u:%u", c->file, line, col) : arena_fmt(c->errors.arena, "%s", c->file);
    add(c, (uint64_t)line << 32 | col,
        arena_fmt(c->errors.arena, "%s: %s%s%s", place.ptr, path ? path : "", path ? ": " : "", text));
}

void config_error_at(struct config *c, uint32_t line, uint32_t col, const char *path, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    verror(c, line, col, path, fmt, ap);
    va_end(ap);
}

void config_error(struct config *c, const struct node *at, const char *path, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    verror(c, at ? at->line : 0, at ? at->col : 0, path, fmt, ap);
    va_end(ap);
}
