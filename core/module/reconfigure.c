/* reconfigure.c - see reconfigure.h.
 *
 * What an instance's config points to after a commit is a struct of its own, with copies of all LIVE values. What is
 * not LIVE is carried over from struct to struct and lies where the instance was last started with it: with the
 * server's first configuration, or in its `base`.
 */
#include "module/reconfigure.h"

#include "module/internal.h"
#include "obs/seen.h"

/* A struct of options and the texts and items of its LIVE ones, or of all. */
struct live_values {
    struct arena arena;
    struct live_values *next; /* of those that are replaced and wait for modules_reap */
    void *config;
};

/* What one instance is to get. */
struct module_change {
    struct instance *in;
    struct live_values *values;
    const void *before;
    bool is_silent;           /* it does not run: nobody is asked or told */
    bool is_all;              /* the values of a start, live or not */
    struct change_list names; /* of the LIVE options that differ */
};

void change_add(struct arena *a, struct change_list *list, const char *name) {
    if (list->n == list->cap) {
        list->cap = list->cap ? list->cap * 2 : 16;
        const char **names = arena_alloc(a, list->cap * sizeof *names);
        if (list->n) memcpy(names, list->names, list->n * sizeof *names);
        list->names = names;
    }
    list->names[list->n++] = arena_str(a, taut_str_z(name)).ptr;
}

static void live_free(struct live_values *v) {
    if (!v) return;
    arena_free(&v->arena);
    free(v);
}

/* ---- what differs ---- */

struct instance *instance_named(const struct modules *ms, const char *name) {
    for (uint32_t i = 0; i < ms->n; i++)
        if (!strcmp(ms->list[i]->name, name)) return ms->list[i];
    return NULL;
}

bool is_same_module(const struct instance *a, const struct instance *b) {
    return b && !strcmp(a->def->name, b->def->name) && a->def->config_size == b->def->config_size;
}

/* Compares two structs of one table, and makes a third. */
struct comparison {
    struct reconfigure *r;
    const char *now, *wanted;
    char *merged;
    struct arena *arena; /* of its values */
    struct change_list *live;
};

static void compare(void *arg, const struct taut_opt *o, const char *path) {
    struct comparison *x = arg;
    bool is_live = o->flags & TAUT_OPT_LIVE;
    if (is_live) option_copy(x->arena, o, x->merged + o->offset, x->wanted + o->offset);
    if (option_equal(o, x->now + o->offset, x->wanted + o->offset)) return;
    change_add(x->r->arena, is_live ? x->live : &x->r->restart, path);
}

/* The new values with the old ones that stay may break a rule of the module that each kept alone. */
static void on_broken_rule(struct taut_check *ctx, const char *option, const char *text) {
    (void)option, (void)text;
    *(bool *)(void *)ctx = true;
}

static bool fits_together(const struct taut_module *def, const void *config) {
    bool is_broken = false;
    if (def->check) def->check(config, (struct taut_check *)(void *)&is_broken, on_broken_rule);
    return !is_broken;
}

static void compare_instance(struct reconfigure *r, struct instance *in, const struct instance *wanted) {
    struct live_values *v = xcalloc(1, sizeof *v);
    struct module_change *m = &r->changes[r->n];
    v->config = arena_zalloc(&v->arena, in->def->config_size);
    if (in->def->config_size) memcpy(v->config, in->config, in->def->config_size);
    bool is_silent = in->state == INSTANCE_FAILED; /* it has cleaned up, or hangs: nothing of it is called */
    *m = (struct module_change){.in = in, .values = v, .before = in->config, .is_silent = is_silent};
    struct comparison x = {r, in->config, wanted->config, v->config, &v->arena, &m->names};
    options_each(r->arena, in->def->options, arena_fmt(r->arena, "modules.%s", in->name).ptr, 0, compare, &x);
    bool apply = m->names.n && fits_together(in->def, v->config);
    for (uint32_t i = 0; i < m->names.n; i++)
        change_add(r->arena, apply ? &r->applied : &r->restart, m->names.names[i]);
    if (apply) r->n++;
    else live_free(v);
}

static bool ends_in(const char *text, const char *end) {
    size_t n = strlen(text), k = strlen(end);
    return n >= k && !strcmp(text + n - k, end);
}

/* What the core has of each item: nobody need be asked. Whether it runs is plan.c's. */
static void compare_item(struct reconfigure *r, struct instance *in, const struct instance *wanted) {
    struct change_list names = {0};
    struct item_config merged = wanted->item;
    struct comparison x = {r, (const char *)&in->item, (const char *)&wanted->item, (char *)&merged, r->arena, &names};
    options_each(r->arena, config_item_options, arena_fmt(r->arena, "modules.%s", in->name).ptr, 0, compare, &x);
    for (uint32_t i = 0; i < names.n; i++)
        if (!ends_in(names.names[i], ".enabled")) change_add(r->arena, &r->applied, names.names[i]);
    in->item_next = merged;
}

/* Are those that both have in the same order? */
static bool is_same_order(const struct modules *a, const struct modules *b) {
    uint32_t at = 0;
    for (uint32_t i = 0; i < a->n; i++)
        for (uint32_t k = 0; k < b->n; k++)
            if (!strcmp(a->list[i]->name, b->list[k]->name)) {
                if (k < at) return false;
                at = k;
            }
    return true;
}

/* For one that is started again: all values, live or not, are its new ones. */
static void copy_all(void *arg, const struct taut_opt *o, const char *path) {
    const struct comparison *x = arg;
    (void)path;
    option_copy(x->arena, o, x->merged + o->offset, x->wanted + o->offset);
}

static void take_all(struct reconfigure *r, struct instance *in, const struct instance *wanted) {
    struct live_values *v = xcalloc(1, sizeof *v);
    v->config = arena_zalloc(&v->arena, in->def->config_size);
    if (in->def->config_size) memcpy(v->config, wanted->config, in->def->config_size);
    struct comparison x = {r, NULL, wanted->config, v->config, &v->arena, NULL};
    options_each(r->arena, in->def->options, "", 0, copy_all, &x);
    r->changes[r->n++] =
        (struct module_change){.in = in, .values = v, .before = in->config, .is_silent = true, .is_all = true};
    in->item_next = wanted->item;
}

void reconfigure_find(struct reconfigure *r, const struct modules *wanted) {
    r->changes = arena_zalloc(r->arena, (r->running->n + 1) * sizeof *r->changes);
    plan_switches(r, wanted);
    for (uint32_t i = 0; i < r->running->n; i++) {
        struct instance *in = r->running->list[i];
        const struct instance *other = instance_named(wanted, in->name);
        in->item_next = in->item;
        if (!is_same_module(in, other)) continue;
        if (is_to_start(r, in)) take_all(r, in, other);
        else if (!in->off) compare_instance(r, in, other), compare_item(r, in, other);
    }
    if (!is_same_order(r->running, wanted)) change_add(r->arena, &r->restart, "modules");
}

/* ---- two phases ---- */

static int32_t tell(const struct module_change *m, uint32_t phase, struct taut_check *ctx) {
    const struct taut_reconfigure what = {.size = sizeof what,
                                          .phase = phase,
                                          .config = m->values->config,
                                          .current = m->before,
                                          .ctx = ctx,
                                          .error = ctx ? check_error : NULL};
    if (!m->in->def->reconfigure || m->is_silent) return TAUT_OK;
    if (m->in->seen) crumb_enter(&m->in->seen->crumbs, CRUMB_RECONFIGURE, NULL);
    int32_t err = m->in->def->reconfigure(&m->in->pub, &what);
    if (m->in->seen) crumb_leave(NULL);
    return err;
}

static bool ask(struct reconfigure *r, const struct module_change *m) {
    const struct config_module *module = NULL;
    for (uint32_t i = 0; i < r->config->nmodules; i++)
        if (taut_str_is(r->config->modules[i].name, m->in->name)) module = &r->config->modules[i];
    struct taut_check ctx = {r->config, module, arena_fmt(r->arena, "modules.%s", m->in->name).ptr};
    uint32_t errors = r->config->errors.n;
    int32_t err = tell(m, TAUT_PREPARE, &ctx);
    if (err < 0 && r->config->errors.n == errors)
        check_error(&ctx, NULL, arena_fmt(r->arena, "the module refuses the new values: %s", error_text(err)).ptr);
    return r->config->errors.n == errors;
}

bool reconfigure_prepare(struct reconfigure *r) {
    for (; r->prepared < r->n; r->prepared++)
        if (!ask(r, &r->changes[r->prepared])) {
            reconfigure_cancel(r);
            return false;
        }
    return true;
}

void reconfigure_cancel(struct reconfigure *r) {
    for (uint32_t i = 0; i < r->n; i++) {
        if (i < r->prepared) tell(&r->changes[i], TAUT_CANCEL, NULL);
        live_free(r->changes[i].values);
    }
    r->n = r->prepared = 0;
}

static void commit_items(const struct modules *ms) {
    for (uint32_t i = 0; i < ms->n; i++) {
        struct instance *in = ms->list[i];
        in->item = in->item_next;
        if (in->seen) seen_limit_memory(in->seen, in->item.memory.soft, in->item.memory.hard);
    }
}

static void replace(struct module_set *s, struct live_values **at, struct live_values *by) {
    struct live_values *old = *at;
    *at = by;
    if (!old) return; /* the configuration of the start: it stays */
    old->next = s->replaced;
    s->replaced = old;
}

void reconfigure_commit(struct reconfigure *r) {
    struct module_set *s = CONTAINER_OF(r->running, struct module_set, pub);
    commit_items(r->running);
    for (uint32_t i = 0; i < r->n; i++) {
        const struct module_change *m = &r->changes[i];
        if (m->is_all) replace(s, &m->in->base, m->values);
        replace(s, &m->in->live, m->is_all ? NULL : m->values);
        m->in->pub.config = m->in->config = m->values->config;
        tell(m, TAUT_COMMIT, NULL);
    }
    r->n = r->prepared = 0;
}

void modules_reap(struct modules *ms) {
    struct module_set *s = CONTAINER_OF(ms, struct module_set, pub);
    for (struct live_values *v = s->replaced, *next; v; v = next) {
        next = v->next;
        live_free(v);
    }
    s->replaced = NULL;
}

void modules_free_live(struct modules *ms) {
    modules_reap(ms);
    for (uint32_t i = 0; i < ms->n; i++) live_free(ms->list[i]->live), live_free(ms->list[i]->base);
}
