/* expect.c - is what came as the script says? Of a map what it names, of a list every item, of a text all of it but for
 * `*`, which stands for any characters (`\*`: for itself). A member without a value must not be there. */
#include "modtest.h"

enum { SHOWN_MAX = 300 };

/* ---- texts ---- */

bool matches_text(taut_str pattern, taut_str got) {
    const char *p = pattern.ptr, *pe = p + pattern.len, *g = got.ptr, *ge = g + got.len;
    const char *star = NULL, *resume = NULL;
    while (g < ge) {
        bool literal = p + 1 < pe && p[0] == '\\' && p[1] == '*';
        if (p < pe && *p == '*') {
            star = ++p;
            resume = g;
        } else if (p < pe && (literal ? *g == '*' : *p == *g)) {
            p += literal ? 2 : 1;
            g++;
        } else if (star) {
            p = star;
            g = ++resume;
        } else {
            return false;
        }
    }
    while (p < pe && *p == '*') p++;
    return p == pe;
}

static char *shown(const json_t *v) {
    char *text = v ? json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    if (!text) return xstrdup(v ? "what is no JSON" : "nothing");
    if (strlen(text) > SHOWN_MAX) memcpy(text + SHOWN_MAX - 3, "...", 4);
    return text;
}

/* ---- JSON ---- */

/* The first difference. */
struct difference {
    const struct node *at;
    struct arena arena;
    const char *text;
};

static bool differs(struct difference *d, const struct node *want, const char *path, const char *expected,
                    const json_t *got) {
    if (!d) return false;
    char *text = shown(got);
    d->at = want;
    d->text = arena_fmt(&d->arena, "%s: expected %s, got %s", path, expected, text).ptr;
    free(text);
    return false;
}

static bool same_scalar(const json_t *a, const json_t *b) {
    if (json_is_number(a) && json_is_number(b) && !(json_is_integer(a) && json_is_integer(b)))
        return !(json_number_value(a) < json_number_value(b) || json_number_value(a) > json_number_value(b));
    return json_equal((json_t *)(uintptr_t)a, (json_t *)(uintptr_t)b);
}

static bool is_any(const struct node *want) {
    return want->kind == NODE_SCALAR && taut_str_is(want->text, "*");
}
static bool is_absent(const struct node *want) {
    return want->kind == NODE_SCALAR && !want->quoted && !want->text.len;
}

static bool compare_scalar(struct difference *d, const struct node *want, const json_t *got, const char *path) {
    if (got && is_any(want)) return true;
    json_t *expected = node_json(want);
    bool same = false;
    if (got && json_is_string(expected) && json_is_string(got))
        same = matches_text(want->text, taut_str_n(json_string_value(got), json_string_length(got)));
    else if (got) same = same_scalar(expected, got);
    if (!same) {
        char *text = shown(expected);
        differs(d, want, path, text, got);
        free(text);
    }
    json_decref(expected);
    return same;
}

static bool compare(struct difference *d, const struct node *want, const json_t *got, const char *path);

static bool compare_map(struct difference *d, const struct node *want, const json_t *got, const char *path) {
    if (!json_is_object(got)) return differs(d, want, path, "a map", got);
    for (const struct node *i = want->first; i; i = i->next) {
        const json_t *v = json_object_get(got, i->key.ptr);
        char *below = xasprintf("%s.%s", path, i->key.ptr);
        bool same =
            is_absent(i) ? !v || json_is_null(v) || differs(d, i, below, "nothing", v) : compare(d, i, v, below);
        free(below);
        if (!same) return false;
    }
    return true;
}

static bool compare_list(struct difference *d, const struct node *want, const json_t *got, const char *path) {
    size_t n = 0;
    if (!json_is_array(got)) return differs(d, want, path, "a list", got);
    for (const struct node *i = want->first; i; i = i->next, n++) {
        char *below = xasprintf("%s[%zu]", path, n);
        bool same = n < json_array_size(got) ? compare(d, i, json_array_get(got, n), below)
                                             : differs(d, i, below, "one more item", NULL);
        free(below);
        if (!same) return false;
    }
    if (n == json_array_size(got)) return true;
    char *expected = xasprintf("%zu item%s", n, n == 1 ? "" : "s");
    differs(d, want, path, expected, got);
    free(expected);
    return false;
}

static bool compare(struct difference *d, const struct node *want, const json_t *got, const char *path) {
    if (want->kind == NODE_SCALAR) return compare_scalar(d, want, got, path);
    if (!got) return differs(d, want, path, want->kind == NODE_MAP ? "a map" : "a list", got);
    return want->kind == NODE_MAP ? compare_map(d, want, got, path) : compare_list(d, want, got, path);
}

bool matches_json(const struct node *want, const json_t *got) {
    return compare(NULL, want, got, "");
}

bool expect_json(struct world *w, const struct node *want, const json_t *got, const char *path) {
    struct difference d = {.text = NULL};
    bool same = compare(&d, want, got, path);
    if (!same) fail_at(w, d.at, "%s", d.text);
    arena_free(&d.arena);
    return same;
}

bool expect_text(struct world *w, const struct node *want, taut_str got, const char *path) {
    if (want->kind == NODE_SCALAR && matches_text(want->text, got)) return true;
    fail_at(w, want, "%s: expected \"%s\", got \"%.*s\"", path, want->kind == NODE_SCALAR ? want->text.ptr : "?",
            (int)(got.len < SHOWN_MAX ? got.len : SHOWN_MAX), got.len ? got.ptr : "");
    return false;
}
