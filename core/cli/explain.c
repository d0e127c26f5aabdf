/* explain.c - taut config explain: what each option of the server and of the installed modules is, what it may be, what
 * it is now, and who said so. Works without a configuration and with one that is wrong: that is when one looks things
 * up. */
#include "cli/internal.h"
#include "taut/json.h"

/* One option of the server or of an installed module. */
struct entry {
    const char *path;
    struct taut_opt opt;
    const void *values; /* the struct that holds its value; NULL: its module is not listed, or it is in a list */
    const struct node *section; /* its map in the file, or NULL */
    const char *local;          /* its path below that */
};

struct explain {
    struct cli *cli;
    struct config *config;
    struct entry *entries;
    uint32_t n, cap;
    const void *values; /* of what is being added */
    const struct node *section;
    size_t section_len; /* of "server." */
};

static void add_entry(void *arg, const struct taut_opt *o, const char *path) {
    struct explain *x = arg;
    if (x->n == x->cap) {
        x->cap = x->cap ? x->cap * 2 : 64;
        x->entries = xrealloc(x->entries, x->cap * sizeof *x->entries);
    }
    x->entries[x->n++] = (struct entry){path, *o, x->values, x->section, path + x->section_len};
    if (o->type != TAUT_OPT_LIST || o->item != TAUT_OPT_STRUCT) return;
    const void *values = x->values;
    x->values = NULL;
    options_each(&x->cli->arena, o->options, arena_fmt(&x->cli->arena, "%s[]", path).ptr, 0, add_entry, x);
    x->values = values;
}

static void add_table(struct explain *x, struct taut_array opts, const char *name, const void *values,
                      const struct node *section) {
    x->values = values;
    x->section = section;
    x->section_len = strlen(name) + 1;
    options_each(&x->cli->arena, opts, name, 0, add_entry, x);
}

/* The instances of a module that the configuration lists, else the module itself. */
static void add_module(struct explain *x, const struct modules *ms, const struct taut_module *def) {
    bool is_listed = false;
    for (uint32_t i = 0; i < x->config->nmodules; i++) {
        const struct config_module *m = &x->config->modules[i];
        const char *name = arena_fmt(&x->cli->arena, "modules.%s", m->name.ptr).ptr;
        const struct instance *in = NULL;
        if (!taut_str_is(m->module, def->name)) continue;
        for (uint32_t k = 0; k < ms->n; k++)
            if (taut_str_is(m->name, ms->list[k]->name)) in = ms->list[k];
        add_table(x, def->options, name, in ? in->config : NULL, m->options);
        add_table(x, config_item_options, name, in ? &in->item : NULL, m->own);
        is_listed = true;
    }
    if (is_listed) return;
    const char *name = arena_fmt(&x->cli->arena, "modules.%s", def->name).ptr;
    add_table(x, def->options, name, NULL, NULL);
    add_table(x, config_item_options, name, NULL, NULL);
}

static void collect(struct explain *x, const struct modules *ms) {
    const struct config *c = x->config;
    add_table(x, config_server_options, "server", &c->server, node_child(c->root, "server"));
    add_table(x, config_admin_options, "admin", &c->admin, node_child(c->root, "admin"));
    for (uint32_t i = 0; i < x->cli->nmodules; i++) add_module(x, ms, x->cli->modules[i]->def);
}

/* The flag that was given in place of the file's value. */
static const char *flag_over(const struct cli *cli, const char *path) {
    const struct {
        const char *path, *flag, *value;
    } flags[] = {
        {"server.listen", "--listen", cli->given.listen},
        {"server.data", "--data", cli->given.data},
        {"server.public_url", "--public-url", cli->given.public_url},
        {"admin.listen", "--admin-listen", cli->given.admin_listen},
    };
    for (size_t i = 0; i < COUNT_OF(flags); i++)
        if (flags[i].value && !strcmp(path, flags[i].path)) return flags[i].flag;
    return NULL;
}

static taut_str value_of(const struct explain *x, const struct entry *e) {
    if (!e->values || x->config->errors.n) return TAUT_LIT("");
    return option_text(&x->cli->arena, &e->opt, (const char *)e->values + e->opt.offset);
}

static taut_str origin_of(const struct explain *x, const struct entry *e) {
    struct arena *a = &x->cli->arena;
    const char *flag = flag_over(x->cli, e->path);
    if (!e->values)
        return strchr(e->path, '[') ? TAUT_LIT("each item of the list") : TAUT_LIT("the module is not listed");
    if (x->config->errors.n) return TAUT_LIT("the configuration has errors, see: taut check");
    if (flag) return arena_fmt(a, "the command line (%s)", flag);
    const struct node *at = config_node(e->section, e->local);
    if (!at) return TAUT_LIT("the default");
    taut_str place = arena_fmt(a, "%s:%u:%u", x->config->file, at->line, at->col);
    if (at->kind != NODE_SCALAR || !text_is_reference(at->text)) return place;
    return arena_fmt(a, "%s, from the environment: %s", place.ptr, at->text.ptr);
}

static const char *reload_text(const struct taut_opt *o) {
    return o->flags & TAUT_OPT_LIVE ? "applied by a reload" : "needs a restart";
}

static taut_str unit_of(const struct taut_opt *o) {
    if (o->type == TAUT_OPT_DURATION) return TAUT_LIT("ms, s, m, h, d");
    if (o->type == TAUT_OPT_BYTES) return TAUT_LIT("bytes, KiB, MiB, GiB");
    return taut_str_z(o->unit);
}

static void write_entry(const struct explain *x, struct taut_json *j, const struct entry *e) {
    struct arena *a = &x->cli->arena;
    const struct taut_opt *o = &e->opt;
    taut_json_open(j, '{');
    taut_json_kstr(j, "name", taut_str_z(e->path));
    taut_json_kstr(j, "type", option_type_text(a, o));
    if (o->dflt) taut_json_kstr(j, "default", taut_str_z(o->dflt));
    if (option_range_text(a, o).len) taut_json_kstr(j, "range", option_range_text(a, o));
    if (unit_of(o).len) taut_json_kstr(j, "unit", unit_of(o));
    taut_json_kbool(j, "required", o->flags & TAUT_OPT_REQUIRED ? 1 : 0);
    taut_json_kbool(j, "live", o->flags & TAUT_OPT_LIVE ? 1 : 0);
    taut_json_kstr(j, "help", taut_str_z(o->help));
    if (value_of(x, e).len) taut_json_kstr(j, "value", value_of(x, e));
    taut_json_kstr(j, "set", origin_of(x, e));
    taut_json_close(j, '}');
}

static void print_line(const char *name, taut_str value) {
    if (value.len) printf("  %-9s %s\n", name, value.ptr);
}

/* One within a section that may be left out as a whole is needed only there. */
static taut_str required_text(struct arena *a, const char *path) {
    const char *dot = strrchr(path, '.');
    return arena_fmt(a, "none: %.*s needs it", dot ? (int)(dot - path) : 0, path);
}

static void print_entry(const struct explain *x, const struct entry *e) {
    struct arena *a = &x->cli->arena;
    const struct taut_opt *o = &e->opt;
    printf("%s\n", e->path);
    if (o->help) printf("  %s\n", o->help);
    print_line("type", option_type_text(a, o));
    print_line("default", o->flags & TAUT_OPT_REQUIRED ? required_text(a, e->path) : taut_str_z(o->dflt));
    print_line("range", option_range_text(a, o));
    print_line("unit", unit_of(o));
    print_line("a change", taut_str_z(reload_text(o)));
    print_line("value", value_of(x, e));
    print_line("set by", origin_of(x, e));
}

static void print_list(const struct explain *x, const struct entry *const *found, uint32_t n) {
    size_t width = 0;
    for (uint32_t i = 0; i < n; i++)
        if (strlen(found[i]->path) > width) width = strlen(found[i]->path);
    for (uint32_t i = 0; i < n; i++)
        printf("%-*s  %s\n", (int)width, found[i]->path,
               value_of(x, found[i]).len ? value_of(x, found[i]).ptr
                                         : arena_fmt(&x->cli->arena, "(%s)", origin_of(x, found[i]).ptr).ptr);
}

/* Does the path begin with it, or have it as whole names: "cache", "tls.key", "store_sqlite"? */
static bool begins_with(const char *path, taut_str word) {
    return !strncmp(path, word.ptr, word.len);
}
static bool has_names(const char *path, taut_str word) {
    for (const char *at = path; at; at = strchr(at, '.')) {
        at += at > path;
        if (begins_with(at, word) && (!at[word.len] || strchr(".[", at[word.len]))) return true;
    }
    return false;
}

static uint32_t find(const struct explain *x, taut_str word, bool (*fits)(const char *path, taut_str word),
                     const struct entry **found) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < x->n; i++)
        if (fits(x->entries[i].path, word)) found[n++] = &x->entries[i];
    for (uint32_t i = 0; i < n; i++)
        if (taut_str_is(word, found[i]->path)) found[0] = found[i], n = 1; /* listen, not listen_queue */
    return n;
}

/* The path that is nearest, or whose last name is: server.max_body for "max_bod". */
static const char *suggestion(const struct explain *x, taut_str word) {
    const char **paths = arena_alloc(&x->cli->arena, (x->n + 1) * sizeof *paths);
    const char **lasts = arena_alloc(&x->cli->arena, (x->n + 1) * sizeof *lasts);
    for (uint32_t i = 0; i < x->n; i++) {
        paths[i] = x->entries[i].path;
        lasts[i] = strrchr(paths[i], '.') + 1;
        if (begins_with(lasts[i], word)) return paths[i];
    }
    const char *path = nearest(word, paths, x->n), *last = path ? NULL : nearest(word, lasts, x->n);
    for (uint32_t i = 0; last && i < x->n; i++)
        if (last == lasts[i]) return paths[i];
    return path;
}

static int report(const struct explain *x, taut_str word, const struct entry *const *found, uint32_t n) {
    struct taut_json j;
    if (!n) {
        const char *near = suggestion(x, word);
        fprintf(stderr, "taut config explain: there is no option \"%s\"%s%s%s\n", word.ptr,
                near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
        return CLI_FAILED;
    }
    if (x->cli->given.json) {
        arena_json(&x->cli->arena, &j);
        taut_json_open(&j, '{');
        taut_json_kopen(&j, "options", '[');
        for (uint32_t i = 0; i < n; i++) write_entry(x, &j, found[i]);
        taut_json_close(&j, ']');
        taut_json_close(&j, '}');
        return print_json(&j);
    }
    if (n == 1) print_entry(x, found[0]);
    else print_list(x, found, n);
    return CLI_OK;
}

int config_explain(struct cli *cli) {
    struct modules *ms;
    taut_str word = cli->args[0].present ? cli->args[0].s : TAUT_LIT("");
    struct explain x = {.cli = cli, .config = settings_load(cli, &ms)};
    collect(&x, ms);
    const struct entry **found = arena_alloc(&cli->arena, (x.n + 1) * sizeof *found);
    uint32_t n = find(&x, word, begins_with, found);
    if (!n) n = find(&x, word, has_names, found);
    int rc = report(&x, word, found, n);
    free(x.entries);
    modules_free(ms);
    config_free(x.config);
    return rc;
}
