/* script.c - a script: YAML, read by the configuration's own reader, so that everything in it has a place. All that is
 * wrong with it is found at once, before anything runs. */
#include <errno.h>

#include "config/internal.h"
#include "modtest.h"

static const char *const sections[] = {"modules", "rows", "before", "tests"};
static const char *const test_keys[] = {"name", "options", "steps"};

/* An unknown key of a map. */
static void unknown(struct config *c, const struct node *n, const char *what, const char *const *known, size_t nknown) {
    const char *near = nearest(n->key, known, nknown);
    config_error_at(c, n->key_line, n->key_col, NULL, "unknown %s \"%s\"%s%s%s", what, n->key.ptr,
                    near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static bool is_one_of(taut_str key, const char *const *known, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (taut_str_is(key, known[i])) return true;
    return false;
}

static uint32_t count(const struct node *list) {
    uint32_t n = 0;
    for (const struct node *i = list->first; i; i = i->next) n++;
    return n;
}

/* ---- steps ---- */

/* "args answer" as words, in the arena. */
static uint32_t split(struct arena *a, const char *keys, const char *words[], uint32_t most) {
    uint32_t n = 0;
    for (const char *at = keys; at && *at && n < most;) {
        size_t len = strcspn(at, " ");
        if (len) words[n++] = arena_str(a, taut_str_n(at, len)).ptr;
        at += len + (at[len] == ' ');
    }
    return n;
}

enum { KEYS_MAX = 16 };

static void check_keys(struct config *c, const struct node *map, const struct node *but, const char *keys,
                       const char *what) {
    const char *words[KEYS_MAX];
    uint32_t n = split(&c->arena, keys, words, KEYS_MAX);
    for (const struct node *i = map->first; i; i = i->next)
        if (i != but && !is_one_of(i->key, words, n)) unknown(c, i, what, words, n);
}

static void check_step(struct config *c, const struct step *s) {
    const struct step_kind *k = s->kind;
    const char *what = arena_fmt(&c->arena, "part of \"%s\":", k->name).ptr;
    check_keys(c, s->node, s->value, k->keys, what);
    if (!(k->value >> s->value->kind & 1) || (s->value->kind == NODE_SCALAR && !s->value->text.len))
        config_error(c, s->value, NULL, "\"%s\" takes %s%s%s", k->name,
                     k->value & STEP_TEXT  ? "a text"
                     : k->value & STEP_MAP ? "a map"
                                           : "a list",
                     k->value == (STEP_TEXT | STEP_MAP) ? " or a map" : "",
                     k->value == (STEP_TEXT | STEP_LIST) ? " or a list of words" : "");
    else if (k->inner && s->value->kind == NODE_MAP) check_keys(c, s->value, NULL, k->inner, what);
}

static void read_step(struct config *c, const struct node *n, struct step *s) {
    const char *names[STEP_KINDS_MAX];
    *s = (struct step){.node = n};
    if (n->kind != NODE_MAP || !n->first) {
        config_error(c, n, NULL, "a step is a map that begins with what is to happen, such as \"call: METHOD\"");
        return;
    }
    for (const struct node *i = n->first; i && !s->kind; i = i->next) {
        s->kind = step_kind_named(i->key);
        s->value = i;
    }
    if (s->kind) check_step(c, s);
    else unknown(c, n->first, "step", names, step_kind_names(names));
}

/* ---- tests ---- */

/* Behind those that are there. */
static void read_steps(struct config *c, const struct node *list, struct test *t) {
    if (list->kind != NODE_LIST) {
        config_error(c, list, NULL, "\"%s\" is a list of steps", list->key.ptr);
        return;
    }
    struct step *steps = arena_zalloc(&c->arena, (t->n + count(list) + 1) * sizeof *steps);
    if (t->n) memcpy(steps, t->steps, t->n * sizeof *steps);
    t->steps = steps;
    for (const struct node *i = list->first; i; i = i->next) read_step(c, i, &t->steps[t->n++]);
}

static void read_test(struct config *c, const struct node *n, const struct test *before, struct test *t) {
    const struct node *name = node_child(n, "name"), *steps = node_child(n, "steps");
    *t = (struct test){.name = "", .options = node_child(n, "options"), .steps = before->steps, .n = before->n};
    if (n->kind != NODE_MAP) {
        config_error(c, n, NULL, "a test is a map with a name and steps");
        return;
    }
    for (const struct node *i = n->first; i; i = i->next)
        if (!is_one_of(i->key, test_keys, COUNT_OF(test_keys)))
            unknown(c, i, "part of a test:", test_keys, COUNT_OF(test_keys));
    if (!name || name->kind != NODE_SCALAR || !name->text.len) config_error(c, n, NULL, "this test has no name");
    else t->name = name->text.ptr;
    if (t->options && t->options->kind != NODE_MAP)
        config_error(c, t->options, NULL, "\"options\" is a map of options");
    if (steps) read_steps(c, steps, t);
    else config_error(c, n, NULL, "this test has no steps");
}

static void check_rows(struct config *c, const struct node *tables) {
    if (tables->kind != NODE_MAP) config_error(c, tables, NULL, "\"rows\" is a map from tables to lists of rows");
    for (const struct node *t = tables->first; t && tables->kind == NODE_MAP; t = t->next) {
        if (t->kind != NODE_LIST) config_error(c, t, NULL, "rows are a list of lists of values");
        for (const struct node *r = t->first; r && t->kind == NODE_LIST; r = r->next)
            if (r->kind != NODE_LIST)
                config_error(c, r, NULL, "a row is a list of values, in the order of the columns");
    }
}

static void read_tests(struct config *c, struct script *s, const struct node *list) {
    const struct node *first = node_child(c->root, "before");
    struct test before = {.name = ""};
    if (first) read_steps(c, first, &before);
    if (list->kind != NODE_LIST) {
        config_error(c, list, NULL, "\"tests\" is a list");
        return;
    }
    s->tests = arena_zalloc(&c->arena, (count(list) + 1) * sizeof *s->tests);
    for (const struct node *i = list->first; i; i = i->next) read_test(c, i, &before, &s->tests[s->n++]);
}

static void read_sections(struct config *c, struct script *s) {
    const struct node *tests = node_child(c->root, "tests");
    for (const struct node *i = c->root->first; i; i = i->next)
        if (!is_one_of(i->key, sections, COUNT_OF(sections))) unknown(c, i, "section", sections, COUNT_OF(sections));
    const struct node *modules = node_child(c->root, "modules");
    s->rows = node_child(c->root, "rows");
    if (modules) config_list_modules(c, modules);
    if (s->rows) check_rows(c, s->rows);
    if (tests) read_tests(c, s, tests);
    else config_error(c, c->root, NULL, "has no \"tests:\"");
}

/* ---- files ---- */

static struct script *script_new(const char *file) {
    struct config *c = config_read_text(file, TAUT_LIT("modules: []"), NULL);
    struct script *s = arena_zalloc(&c->arena, sizeof *s);
    s->config = c;
    s->file = c->file;
    return s;
}

struct script *script_none(void) {
    return script_new("taut-modtest");
}

static taut_str slurp(struct arena *a, const char *file, const char **why) {
    FILE *f = fopen(file, "re");
    char *text = arena_alloc(a, CONFIG_BYTES_MAX + 1);
    size_t n = f ? fread(text, 1, CONFIG_BYTES_MAX + 1, f) : 0;
    *why = !f || ferror(f) ? strerror(errno) : n > CONFIG_BYTES_MAX ? "larger than 1 MiB" : NULL;
    if (f) fclose(f);
    return taut_str_n(text, n);
}

struct script *script_read(const char *file) {
    struct script *s = script_new(file);
    struct config *c = s->config;
    const char *why;
    taut_str text = slurp(&c->arena, file, &why);
    c->root = NULL;
    if (why) {
        config_error(c, NULL, NULL, "cannot be read: %s", why);
        return s;
    }
    yaml_read(c, text);
    if (c->errors.n) return s;
    if (!c->root || c->root->kind != NODE_MAP)
        config_error(c, c->root, NULL, "must be a map with the sections modules, rows and tests");
    else read_sections(c, s);
    return s;
}
