/* load.c - from the list of `modules:` to instances with parsed options, in start order, with everything registered.
 *
 * All modules are looked at even when the first is wrong; order and registration only make sense when all are there.
 */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "module/internal.h"

void instance_error(struct config *cfg, const struct instance *in, const char *fmt, ...) {
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    for (uint32_t i = 0; i < cfg->nmodules; i++)
        if (taut_str_is(cfg->modules[i].name, in->name))
            config_error(cfg, cfg->modules[i].where, arena_fmt(&cfg->arena, "modules.%s", in->name).ptr, "%s", text);
}

static void report_missing(struct config *cfg, const struct config_module *m, const char *dir) {
    uint32_t n;
    const char **names = module_names(&cfg->arena, dir, &n), *near = nearest(m->module, names, n);
    config_error(cfg, m->where, "modules", "there is no module \"%s\"%s%s%s (modules are looked for in %s)",
                 m->module.ptr, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "", dir);
}

const struct taut_module *const *loader_built_in;

static struct loaded *open_built_in(const struct config_module *m, char **why) {
    for (const struct taut_module *const *def = loader_built_in; def && *def; def++)
        if (taut_str_is(m->module, (*def)->name)) return loader_adopt((*def)->name, NULL, *def, why);
    return NULL;
}

static struct loaded *open_module(struct config *cfg, const struct config_module *m, const char *dir) {
    char *file = loader_file(dir, m->module), *why = NULL;
    struct loaded *l = open_built_in(m, &why);
    if (l) return free(file), l;
    if (memchr(m->module.ptr, '/', m->module.len) || access(file, F_OK) != 0) report_missing(cfg, m, dir);
    else if (!(l = loader_open(file, &why))) config_error(cfg, m->where, "modules", "%s", why);
    free(file);
    free(why);
    return l;
}

/* ---- the module's own check ---- */

void check_error(struct taut_check *ctx, const char *option, const char *text) {
    const struct config_module *m = ctx->module;
    const struct node *at = m ? config_find(m->options, option, m->where) : NULL;
    const char *full = option ? arena_fmt(&ctx->config->arena, "%s.%s", ctx->path, option).ptr : ctx->path;
    config_error(ctx->config, at, full, "%s", text);
}

static void configure(struct module_set *s, struct config *cfg, const struct config_module *m, struct instance *in) {
    struct taut_check ctx = {cfg, m, arena_fmt(&cfg->arena, "modules.%s", m->name.ptr).ptr};
    uint32_t errors = cfg->errors.n;
    in->config = arena_zalloc(&s->arena, in->def->config_size);
    config_apply(cfg, in->def->options, m->options, m->where, ctx.path, cfg->server.data, in->config);
    if (in->def->check && cfg->errors.n == errors) in->def->check(in->config, &ctx, check_error);
    in->pub.config = in->config;
    config_apply_item(cfg, m, &in->item);
    in->off = !in->item.enabled;
}

static void add_instance(struct module_set *s, struct config *cfg, const struct config_module *m, struct loaded *l) {
    struct instance *in = arena_zalloc(&s->arena, sizeof *in);
    s->opened[s->nopened++] = l;
    in->name = (char *)(uintptr_t)arena_str(&s->arena, m->name).ptr;
    in->pub.name = in->name;
    in->def = l->def;
    in->file = l->file;
    in->dl = l->dl;
    taut_str where = m->where ? arena_fmt(&s->arena, "%s:%u:%u", cfg->file, m->where->line, m->where->col)
                              : arena_str(&s->arena, taut_str_z(cfg->file));
    in->where = (char *)(uintptr_t)where.ptr;
    configure(s, cfg, m, in);
    s->pub.list[s->pub.n++] = in;
}

struct modules *loader_load(struct config *cfg, const char *dir) {
    struct module_set *s = xcalloc(1, sizeof *s);
    s->dir = dir;
    s->pub.list = arena_zalloc(&s->arena, (cfg->nmodules + 1) * sizeof(struct instance *));
    s->opened = arena_zalloc(&s->arena, (cfg->nmodules + 1) * sizeof *s->opened);
    for (uint32_t i = 0; i < cfg->nmodules; i++) {
        struct loaded *l = open_module(cfg, &cfg->modules[i], dir);
        if (l) add_instance(s, cfg, &cfg->modules[i], l);
    }
    bool whole = cfg->modules_whole && s->pub.n == cfg->nmodules;
    if (whole && order_modules(s, cfg)) register_modules(s, cfg);
    return &s->pub;
}

static void free_method(void *value, void *arg) {
    struct method_entry *me = value;
    (void)arg;
    map_free(&me->arg_index);
}

void modules_free(struct modules *ms) {
    if (!ms) return;
    struct module_set *s = CONTAINER_OF(ms, struct module_set, pub);
    modules_free_live(ms);
    map_each(&ms->methods, free_method, NULL);
    map_free(&ms->methods);
    map_free(&ms->points);
    for (uint32_t i = 0; i < s->nopened; i++) loader_close(s->opened[i]);
    arena_free(&s->arena);
    free(s);
}
