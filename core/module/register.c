/* register.c - what the instances bring, gathered into the tables by which the core finds it. In start order. */
#include "module/internal.h"

#include <stdio.h>

/* These names are the server's as a whole. `as:` is for modules without any. */
static void is_taken(struct config *cfg, const struct instance *in, const struct instance *by, const char *what,
                     const char *name) {
    if (!strcmp(by->def->name, in->def->name))
        instance_error(cfg, in,
                       "%s %s is already registered by modules.%s: a module with methods, routes, sockets or commands "
                       "can be configured once",
                       what, name, by->name);
    else instance_error(cfg, in, "%s %s is already registered by modules.%s", what, name, by->name);
}

static const char *quoted(struct config *cfg, const char *name) {
    return arena_fmt(&cfg->arena, "\"%s\"", name).ptr;
}

static void add_methods(struct module_set *s, struct config *cfg, struct instance *in) {
    for (uint32_t i = 0; i < in->def->methods.len; i++) {
        const struct taut_method *def = TAUT_AT(in->def->methods, struct taut_method, i);
        const struct method_entry *other = map_get(&s->pub.methods, taut_str_z(def->name));
        if (other) {
            is_taken(cfg, in, other->owner, "method", quoted(cfg, def->name));
            continue;
        }
        struct method_entry *me = arena_zalloc(&s->arena, sizeof *me);
        *me = (struct method_entry){.owner = in, .def = def, .nargs = def->args.len};
        for (uint32_t k = 0; k < me->nargs; k++) /* filled here, so that look-ups from other threads only read */
            map_put(&me->arg_index, taut_str_z(TAUT_AT(def->args, struct taut_arg, k)->name),
                    (void *)((uintptr_t)k + 1));
        map_put(&s->pub.methods, taut_str_z(def->name), me);
    }
}

static void add_routes(struct modules *ms, struct config *cfg, struct instance *in) {
    for (uint32_t i = 0; i < in->def->routes.len; i++) {
        const struct taut_route *def = TAUT_AT(in->def->routes, struct taut_route, i);
        for (uint32_t k = 0; k < ms->nroutes; k++)
            if (!strcmp(ms->routes[k].def->path, def->path) && !strcmp(ms->routes[k].def->method, def->method) &&
                (ms->routes[k].def->flags & TAUT_ROUTE_ADMIN) == (def->flags & TAUT_ROUTE_ADMIN))
                is_taken(cfg, in, ms->routes[k].owner, "route",
                         arena_fmt(&cfg->arena, "%s %s", def->method, def->path).ptr);
        ms->routes[ms->nroutes++] = (struct route_entry){in, def};
    }
}

static void add_sockets(struct modules *ms, struct config *cfg, struct instance *in) {
    for (uint32_t i = 0; i < in->def->sockets.len; i++) {
        const struct taut_socket_route *def = TAUT_AT(in->def->sockets, struct taut_socket_route, i);
        for (uint32_t k = 0; k < ms->nsockets; k++)
            if (!strcmp(ms->sockets[k].def->prefix, def->prefix))
                is_taken(cfg, in, ms->sockets[k].owner, "socket route", def->prefix);
        ms->sockets[ms->nsockets++] = (struct socket_entry){in, def};
    }
}

static void add_commands(struct modules *ms, struct config *cfg, struct instance *in) {
    for (uint32_t i = 0; i < in->def->commands.len; i++) {
        const struct taut_command *def = TAUT_AT(in->def->commands, struct taut_command, i);
        for (uint32_t k = 0; k < ms->ncommands; k++)
            if (!strcmp(ms->commands[k].def->name, def->name))
                is_taken(cfg, in, ms->commands[k].owner, "command", quoted(cfg, def->name));
        ms->commands[ms->ncommands++] = (struct command_entry){in, def};
    }
}

typedef const struct taut_table *table_ptr;
static void add_tables(struct module_set *s, struct config *cfg, struct instance *in) {
    struct modules *ms = &s->pub;
    in->first_table = ms->ntables;
    in->ntables = in->def->tables.len;
    for (uint32_t i = 0; i < in->ntables; i++) {
        const struct taut_table *t = *TAUT_AT(in->def->tables, table_ptr, i);
        const char *sql_name = arena_fmt(&s->arena, "%s_%s", in->name, t->name).ptr;
        for (uint32_t k = 0; k < ms->ntables; k++)
            if (!strcmp(ms->tables[k].sql_name, sql_name))
                instance_error(cfg, in, "table \"%s\" has the same full name as another one: %s", t->name, sql_name);
        ms->tables[ms->ntables] = (struct taut_table_ref){.id = ms->ntables, .sql_name = sql_name, .table = t};
        ms->ntables++;
    }
}

void register_modules(struct module_set *s, struct config *cfg) {
    struct modules *ms = &s->pub;
    size_t routes = 1, sockets = 1, commands = 1, hooks = 1, tables = 1;
    for (uint32_t i = 0; i < ms->n; i++) {
        const struct taut_module *d = ms->list[i]->def;
        routes += d->routes.len, sockets += d->sockets.len, commands += d->commands.len;
        hooks += d->hooks.len, tables += d->tables.len;
    }
    ms->routes = arena_zalloc(&s->arena, routes * sizeof *ms->routes);
    ms->sockets = arena_zalloc(&s->arena, sockets * sizeof *ms->sockets);
    ms->commands = arena_zalloc(&s->arena, commands * sizeof *ms->commands);
    ms->hooks = arena_zalloc(&s->arena, hooks * sizeof *ms->hooks);
    ms->tables = arena_zalloc(&s->arena, tables * sizeof *ms->tables);
    for (uint32_t i = 0; i < ms->n; i++) {
        struct instance *in = ms->list[i];
        add_methods(s, cfg, in);
        add_routes(ms, cfg, in);
        add_sockets(ms, cfg, in);
        add_commands(ms, cfg, in);
        hooks_add(s, cfg, in);
        add_tables(s, cfg, in);
    }
    hooks_order(s, cfg);
}
