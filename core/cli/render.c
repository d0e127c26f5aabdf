/* render.c - JSON answers for people: "key: value", and arrays of objects as aligned tables. */
#include <ctype.h>
#include <jansson.h>

#include "cli/internal.h"

enum { COLUMNS_MAX = 16 };

/* A scalar as text; lists joined by ", ", maps as JSON. malloc'ed. */
static char *cell(const json_t *v) {
    if (json_is_string(v)) return xstrdup(json_string_value(v));
    if (json_is_real(v)) return xasprintf("%.6g", json_real_value(v));
    if (!v || json_is_null(v)) return xstrdup("");
    if (!json_is_array(v)) {
        char *text = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);
        return text ? text : xstrdup("");
    }
    char *all = xstrdup("");
    for (size_t i = 0; i < json_array_size(v); i++) {
        char *item = cell(json_array_get(v, i)), *longer = xasprintf("%s%s%s", all, i ? ", " : "", item);
        free(all);
        free(item);
        all = longer;
    }
    return all;
}

/* Control characters would reach the terminal. */
static void put(FILE *out, const char *z) {
    for (; *z; z++) fputc(iscntrl((unsigned char)*z) ? ' ' : *z, out);
}

/* Characters on the screen: bytes that begin one in UTF-8. */
static size_t width(const char *z) {
    size_t n = 0;
    for (; *z; z++) n += ((unsigned char)*z & 0xc0) != 0x80;
    return n;
}

static void put_padded(FILE *out, const char *z, size_t to, bool last) {
    put(out, z);
    for (size_t n = width(z); !last && n < to + 2; n++) fputc(' ', out);
}

void render_table(FILE *out, const struct json_t *rows, int indent) {
    const char *keys[COLUMNS_MAX], *key;
    size_t widths[COLUMNS_MAX], n = 0;
    json_t *v;
    json_object_foreach(json_array_get(rows, 0), key, v) {
        if (n == COLUMNS_MAX) break;
        keys[n] = key;
        widths[n++] = width(key);
    }
    for (size_t r = 0; r < json_array_size(rows); r++)
        for (size_t i = 0; i < n; i++) {
            char *z = cell(json_object_get(json_array_get(rows, r), keys[i]));
            if (width(z) > widths[i]) widths[i] = width(z);
            free(z);
        }
    fprintf(out, "%*s", indent, "");
    for (size_t i = 0; i < n; i++) {
        char *head = xstrdup(keys[i]);
        for (char *p = head; *p; p++) *p = (char)toupper((unsigned char)*p);
        put_padded(out, head, widths[i], i + 1 == n);
        free(head);
    }
    fputc('\n', out);
    for (size_t r = 0; r < json_array_size(rows); r++) {
        fprintf(out, "%*s", indent, "");
        for (size_t i = 0; i < n; i++) {
            char *z = cell(json_object_get(json_array_get(rows, r), keys[i]));
            put_padded(out, z, widths[i], i + 1 == n);
            free(z);
        }
        fputc('\n', out);
    }
}

static bool is_table(const json_t *v) {
    return json_is_array(v) && json_is_object(json_array_get(v, 0));
}

static void object(FILE *out, json_t *o, int indent) {
    const char *key;
    json_t *v;
    bool only = json_object_size(o) == 1;
    json_object_foreach(o, key, v) {
        if (is_table(v)) {
            if (!only) fprintf(out, "%*s%s:\n", indent, "", key);
            render_table(out, v, 0);
        } else if (json_is_object(v)) {
            fprintf(out, "%*s%s:\n", indent, "", key);
            object(out, v, indent + 2); /* as deep as jansson reads: 2,048 */
        } else {
            char *z = json_is_array(v) && !json_array_size(v) ? xstrdup("none") : cell(v);
            fprintf(out, "%*s%s: ", indent, "", key);
            put(out, z);
            fputc('\n', out);
            free(z);
        }
    }
}

bool render(FILE *out, taut_str json) {
    json_t *o = json_loadb(json.ptr, json.len, 0, NULL);
    bool ok = json_is_object(o);
    if (ok && json_object_size(o)) object(out, o, 0);
    else if (ok) fputs("done\n", out);
    json_decref(o);
    return ok;
}
