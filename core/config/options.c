/* options.c - option tables applied to nodes: each option's node found and its type matched, defaults for what is not
 * given, and the words for what does not fit. */
#include "config/internal.h"

/* What stays the same while a table is applied. */
struct apply {
    struct config *config;
    taut_str base; /* relative paths are below it */
};

static void apply_table(const struct apply *ap, struct taut_array opts, const struct node *node,
                        const struct node *where, const char *path, bool is_given, void *into);

static const char *kind_name(const struct node *n) {
    return n->kind == NODE_MAP ? "map" : n->kind == NODE_LIST ? "list" : "single value";
}

static bool has_no_value(struct config *c, const struct node *n, const char *path) {
    if (n->kind != NODE_SCALAR || n->text.len || n->quoted) return false;
    uint32_t line = n->key_line ? n->key_line : n->line, col = n->key_line ? n->key_col : n->col;
    config_error_at(c, line, col, path, "has no value; leave the line out to get the default");
    return true;
}

/* ---- scalars ---- */

static void apply_scalar(const struct apply *ap, const struct taut_opt *o, struct node *n, const char *path,
                         void *field) {
    struct config *c = ap->config;
    taut_str text;
    if (n->kind != NODE_SCALAR) {
        config_error(c, n, path, "must be a single value, not a %s", kind_name(n));
        return;
    }
    if (has_no_value(c, n, path)) return;
    if (o->type == TAUT_OPT_SECRET ? !option_secret(c, o, n, path, &text) : !option_expand(c, o, n, path, &text))
        return;
    const char *why = option_parse(c, o, text, ap->base, field);
    if (why && text_is_reference(n->text)) config_error(c, n, path, "%s (from %s)", why, n->text.ptr);
    else if (why) config_error(c, n, path, "%s", why);
}

/* ---- lists, flags, maps ---- */

static uint32_t count_children(const struct node *n) {
    uint32_t count = 0;
    for (const struct node *i = n->first; i; i = i->next) count++;
    return count;
}

/* How many items the node has; false when it is no list (or map), or holds too many. */
static bool take_items(struct config *c, const struct taut_opt *o, const struct node *n, enum node_kind kind,
                       const char *path, uint32_t *count) {
    uint32_t most = o->type == TAUT_OPT_FLAGS ? TAUT_OPT_ITEMS_MAX : option_items_max(o);
    if (has_no_value(c, n, path)) return false;
    if (n->kind != kind) {
        config_error(c, n, path, "must be a %s, not a %s; write it like %s", kind == NODE_MAP ? "map" : "list",
                     kind_name(n), kind == NODE_MAP ? "{ name: value }" : "[ONE, TWO]");
        return false;
    }
    *count = count_children(n);
    if (*count <= most) return true;
    config_error(c, n, path, "has %u items; at most %u may be", *count, most);
    return false;
}

static void apply_list(const struct apply *ap, const struct taut_opt *o, const struct node *n, const char *path,
                       struct taut_array *field) {
    struct config *c = ap->config;
    struct taut_opt item = option_item(o);
    size_t size = option_field_size(&item);
    uint32_t count, i = 0;
    if (!take_items(c, o, n, NODE_LIST, path, &count)) return;
    char *items = arena_zalloc(&c->arena, (count + 1) * size);
    *field = (struct taut_array){items, count, (uint32_t)size};
    for (struct node *at = n->first; at; at = at->next, i++) {
        void *into = items + i * size;
        option_clear(&item, into);
        if (item.type != TAUT_OPT_STRUCT) {
            apply_scalar(ap, &item, at, path, into);
            continue;
        }
        const char *full = arena_fmt(&c->arena, "%s[%u]", path, i).ptr;
        if (at->kind != NODE_MAP) config_error(c, at, full, "must be a map of options");
        apply_table(ap, o->options, at->kind == NODE_MAP ? at : NULL, at, full, at->kind == NODE_MAP, into);
    }
}

static void apply_flags(const struct apply *ap, const struct taut_opt *o, const struct node *n, const char *path,
                        int64_t *field) {
    struct taut_opt word = *o;
    uint32_t count;
    if (!take_items(ap->config, o, n, NODE_LIST, path, &count)) return;
    word.type = TAUT_OPT_ENUM;
    *field = 0;
    for (struct node *at = n->first; at; at = at->next) {
        int64_t bit = -1;
        apply_scalar(ap, &word, at, path, &bit);
        if (bit >= 0) *field |= (int64_t)1 << bit;
    }
}

static void apply_map(const struct apply *ap, const struct taut_opt *o, const struct node *n, const char *path,
                      struct taut_array *field) {
    struct config *c = ap->config;
    struct taut_opt item = option_item(o);
    uint32_t count;
    if (!take_items(c, o, n, NODE_MAP, path, &count)) return;
    struct taut_opt_pair *pair = arena_zalloc(&c->arena, (count + 1) * sizeof *pair);
    *field = (struct taut_array){pair, count, sizeof *pair};
    for (struct node *at = n->first; at; at = at->next, pair++) {
        const char *full = arena_fmt(&c->arena, "%s.%.*s", path, (int)at->key.len, at->key.ptr).ptr;
        pair->key = at->key;
        pair->text = TAUT_LIT("");
        apply_scalar(ap, &item, at, full, option_pair_field(&item, pair));
    }
}

static void apply_node(const struct apply *ap, const struct taut_opt *o, struct node *n, const char *path,
                       void *field) {
    switch (o->type) {
    case TAUT_OPT_LIST: apply_list(ap, o, n, path, field); break;
    case TAUT_OPT_FLAGS: apply_flags(ap, o, n, path, field); break;
    case TAUT_OPT_MAP: apply_map(ap, o, n, path, field); break;
    default: apply_scalar(ap, o, n, path, field);
    }
}

/* ---- defaults ---- */

const char *option_default(struct config *c, const struct taut_opt *o, taut_str base, void *field) {
    struct arena *a = &c->arena;
    option_clear(o, field);
    if (!o->dflt || o->type == TAUT_OPT_MAP) return NULL;
    if (o->type != TAUT_OPT_LIST && o->type != TAUT_OPT_FLAGS)
        return option_parse(c, o, taut_str_z(o->dflt), base, field);
    struct taut_opt item = o->type == TAUT_OPT_LIST ? option_item(o) : *o;
    if (o->type == TAUT_OPT_FLAGS) item.type = TAUT_OPT_ENUM;
    size_t size = option_field_size(&item);
    uint32_t count = 0, most = 1;
    for (const char *p = o->dflt; *p; p++) most += *p == ',';
    char *items = arena_zalloc(a, most * size);
    const char *why = NULL;
    for (const char *at = o->dflt; *at && !why; count++) {
        size_t n = strcspn(at, ",");
        taut_str word = taut_str_n(at, n);
        while (word.len && word.ptr[word.len - 1] == ' ') word.len--;
        why = option_parse(c, &item, word, base, items + count * size);
        for (at += n + (at[n] == ','); *at == ' ';) at++;
    }
    if (o->type == TAUT_OPT_LIST) {
        *(struct taut_array *)field = (struct taut_array){items, count, (uint32_t)size};
        return why;
    }
    for (uint32_t i = 0; i < count && !why; i++) *(int64_t *)field |= (int64_t)1 << ((int64_t *)(void *)items)[i];
    return why;
}

static void apply_default(const struct apply *ap, const struct taut_opt *o, const struct node *where, const char *path,
                          void *field) {
    const char *why = option_default(ap->config, o, ap->base, field);
    if (why) config_error(ap->config, where, path, "the default of \"%s\" is wrong: %s", o->name, why);
}

/* ---- tables ---- */

static void report_missing(struct config *c, const struct taut_opt *o, const struct node *where, const char *path) {
    config_error(c, where, path, "needs the option \"%s\"%s%s", o->name, o->help ? ": " : "", o->help ? o->help : "");
}

static void report_unknown(struct config *c, struct taut_array opts, const struct node *node, const char *path) {
    const char **names = arena_alloc(&c->arena, (opts.len + 1) * sizeof *names);
    for (uint32_t i = 0; i < opts.len; i++) names[i] = option_at(opts, i).name;
    for (const struct node *n = node->first; n; n = n->next) {
        bool known = false;
        for (uint32_t i = 0; i < opts.len && !known; i++) known = taut_str_is(n->key, names[i]);
        if (known) continue;
        const char *near = nearest(n->key, names, opts.len);
        config_error_at(c, n->key_line, n->key_col, path, "unknown option \"%s\"%s%s%s", text_shown(&c->arena, n->key),
                        near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    }
}

static void apply_struct(const struct apply *ap, const struct taut_opt *o, struct node *n, const struct node *where,
                         const char *path, void *field) {
    if (n && n->kind != NODE_MAP) {
        if (!has_no_value(ap->config, n, path)) config_error(ap->config, n, path, "must be a map of options");
        n = NULL;
    }
    apply_table(ap, o->options, n, n ? n : where, path, n != NULL, field);
}

/* is_given: the options of this table that are required have to be there. */
static void apply_table(const struct apply *ap, struct taut_array opts, const struct node *node,
                        const struct node *where, const char *path, bool is_given, void *into) {
    struct config *c = ap->config;
    for (uint32_t i = 0; i < opts.len; i++) {
        struct taut_opt o = option_at(opts, i);
        struct node *n = node ? (struct node *)(uintptr_t)node_child(node, o.name) : NULL;
        const char *full = arena_fmt(&c->arena, "%s.%s", path, o.name).ptr;
        void *field = (char *)into + o.offset;
        if (!n && is_given && (o.flags & TAUT_OPT_REQUIRED)) report_missing(c, &o, where, path);
        if (o.type == TAUT_OPT_STRUCT) {
            apply_struct(ap, &o, n, where, full, field);
            continue;
        }
        apply_default(ap, &o, where, path, field);
        if (n) apply_node(ap, &o, n, full, field);
    }
    if (node) report_unknown(c, opts, node, path);
}

void config_apply(struct config *c, struct taut_array opts, const struct node *node, const struct node *where,
                  const char *path, taut_str base, void *into) {
    const struct apply ap = {c, base};
    if (node && node->kind != NODE_MAP) {
        config_error(c, node, path, "must be a map of options");
        node = NULL;
    }
    apply_table(&ap, opts, node, where, path, true, into);
}
