/* module_command.c - taut module list, taut module info: what a module says about itself, without running any of it. */
#include <sys/stat.h>

#include "cli/internal.h"
#include "module/needs.h"
#include "taut/json.h"

static int print(const struct cli *cli, const struct taut_json *j) {
    return command_report(cli, &(struct taut_outcome){.status = TAUT_OK, .body = taut_str_n(j->ptr, j->len)});
}

int module_list(struct cli *cli) {
    struct taut_json j;
    if (cli->unusable) fprintf(stderr, "%s\n", cli->unusable);
    arena_json(&cli->arena, &j);
    taut_json_open(&j, '{');
    taut_json_kopen(&j, "modules", '[');
    for (uint32_t i = 0; i < cli->nmodules; i++) {
        const struct taut_module *d = cli->modules[i]->def;
        taut_json_open(&j, '{');
        taut_json_kstr(&j, "name", taut_str_z(d->name));
        taut_json_kstr(&j, "version", taut_str_z(d->version));
        taut_json_kbool(&j, "standard", d->flags & TAUT_MODULE_STANDARD ? 1 : 0);
        taut_json_kstr(&j, "summary", taut_str_z(d->summary));
        taut_json_close(&j, '}');
    }
    taut_json_close(&j, ']');
    taut_json_close(&j, '}');
    if (!cli->nmodules && !cli->given.json) {
        printf("no modules in %s\n", cli->module_dir);
        return CLI_OK;
    }
    return print(cli, &j);
}

static void names(struct taut_json *j, const char *key, struct taut_array a) {
    taut_json_kopen(j, key, '[');
    for (uint32_t i = 0; i < a.len; i++) taut_json_str(j, taut_str_z(name_at(&a, i)));
    taut_json_close(j, ']');
}

static void option(void *json, const struct taut_opt *o, const char *path) {
    struct taut_json *j = json;
    taut_json_open(j, '{');
    taut_json_kstr(j, "name", taut_str_z(strchr(path, '.') + 1));
    taut_json_kstr(j, "type", option_type_text(j->owner, o));
    taut_json_kstr(j, "default", taut_str_z(o->flags & TAUT_OPT_REQUIRED ? "(required)" : o->dflt));
    taut_json_kbool(j, "live", o->flags & TAUT_OPT_LIVE ? 1 : 0);
    taut_json_kstr(j, "help", taut_str_z(o->help));
    taut_json_close(j, '}');
}

static void options(struct taut_json *j, const char *key, struct taut_array opts) {
    taut_json_kopen(j, key, '[');
    options_each(j->owner, opts, key, 0, option, j);
    taut_json_close(j, ']');
}

/* "channel*, text, limit": a star behind what is required. */
static taut_str arguments(struct arena *a, struct taut_array args) {
    taut_str all = {"", 0};
    for (uint32_t i = 0; i < args.len; i++) {
        const struct taut_arg *arg = TAUT_AT(args, struct taut_arg, i);
        all = arena_fmt(a, "%s%s%s%s", all.ptr, i ? ", " : "", arg->name, arg->flags & TAUT_ARG_REQUIRED ? "*" : "");
    }
    return all;
}

static void methods(struct taut_json *j, const struct taut_module *d) {
    static const char *const rates[] = {"none", "tier 1", "tier 2", "tier 3", "tier 4", "special"};
    taut_json_kopen(j, "methods", '[');
    for (uint32_t i = 0; i < d->methods.len; i++) {
        const struct taut_method *m = TAUT_AT(d->methods, struct taut_method, i);
        taut_json_open(j, '{');
        taut_json_kstr(j, "name", taut_str_z(m->name));
        taut_json_kstr(j, "arguments", arguments(j->owner, m->args));
        taut_json_kstr(j, "scopes", taut_str_z(m->scopes));
        taut_json_kstr(j, "rate", taut_str_z(m->rate < COUNT_OF(rates) ? rates[m->rate] : "none"));
        taut_json_close(j, '}');
    }
    taut_json_close(j, ']');
}

/* The first member of each element is its name, or a pair of texts. */
static void brought(struct taut_json *j, const struct taut_module *d) {
    taut_json_kopen(j, "routes", '[');
    for (uint32_t i = 0; i < d->routes.len; i++)
        taut_json_str(j, taut_str_z(TAUT_AT(d->routes, struct taut_route, i)->path));
    for (uint32_t i = 0; i < d->sockets.len; i++)
        taut_json_str(j, taut_str_z(TAUT_AT(d->sockets, struct taut_socket_route, i)->prefix));
    taut_json_close(j, ']');
    taut_json_kopen(j, "hooks", '[');
    for (uint32_t i = 0; i < d->hooks.len; i++)
        taut_json_str(j, taut_str_z(TAUT_AT(d->hooks, struct taut_hook, i)->point));
    taut_json_close(j, ']');
    metrics_list_module(j, d);
    taut_json_kopen(j, "commands", '[');
    for (uint32_t i = 0; i < d->commands.len; i++) {
        const struct taut_command *c = TAUT_AT(d->commands, struct taut_command, i);
        taut_json_open(j, '{');
        taut_json_kstr(j, "name", taut_str_z(c->name));
        taut_json_kstr(j, "arguments", arguments(j->owner, c->args));
        taut_json_kstr(j, "help", taut_str_z(c->help));
        taut_json_close(j, '}');
    }
    taut_json_close(j, ']');
}

/* FILE is a path, or the name of an installed module. */
static struct loaded *open_named(const struct cli *cli, taut_str file) {
    char *path = xstrdup(file.ptr), *why = NULL;
    struct stat st;
    if ((stat(path, &st) != 0 || S_ISDIR(st.st_mode)) && !strchr(path, '/')) {
        free(path);
        path = loader_file(cli->module_dir, file);
    }
    struct loaded *l = loader_open(path, &why);
    if (!l) fprintf(stderr, "taut module info: %s\n", why);
    free(why);
    free(path);
    return l;
}

/* The server itself, as if it were a module: what may stand under `server:` and `admin:`. */
static int core_info(struct cli *cli) {
    struct taut_json j;
    arena_json(&cli->arena, &j);
    taut_json_open(&j, '{');
    taut_json_kstr(&j, "name", taut_str_z("core"));
    taut_json_kstr(&j, "version", taut_str_z(TAUT_VERSION));
    options(&j, "server", config_server_options);
    options(&j, "admin", config_admin_options);
    metrics_list_core(&j);
    taut_json_close(&j, '}');
    return print(cli, &j);
}

int module_info(struct cli *cli) {
    if (taut_str_is(cli->args[0].s, "core")) return core_info(cli);
    struct loaded *l = open_named(cli, cli->args[0].s);
    struct taut_json j;
    if (!l) return CLI_FAILED;
    const struct taut_module *d = l->def;
    arena_json(&cli->arena, &j);
    taut_json_open(&j, '{');
    taut_json_kstr(&j, "name", taut_str_z(d->name));
    taut_json_kstr(&j, "version", taut_str_z(d->version));
    taut_json_kstr(&j, "license", taut_str_z(d->license));
    taut_json_kstr(&j, "summary", taut_str_z(d->summary));
    taut_json_kstr(&j, "file", taut_str_z(l->file));
    taut_json_kstr(&j, "abi",
                   arena_fmt(&cli->arena, "%d.%d (needs %u.%u or newer)", TAUT_ABI_MAJOR, TAUT_ABI_MINOR, d->abi_major,
                             d->abi_minor));
    taut_json_kbool(&j, "standard", d->flags & TAUT_MODULE_STANDARD ? 1 : 0);
    names(&j, "provides", d->provides);
    names(&j, "needs", d->needs);
    names(&j, "wants", d->wants);
    options(&j, "options", d->options);
    taut_json_kopen(&j, "tables", '[');
    typedef const struct taut_table *table_ptr;
    for (uint32_t i = 0; i < d->tables.len; i++)
        taut_json_str(&j, taut_str_z((*TAUT_AT(d->tables, table_ptr, i))->name));
    taut_json_close(&j, ']');
    methods(&j, d);
    brought(&j, d);
    taut_json_close(&j, '}');
    int rc = print(cli, &j);
    loader_close(l);
    return rc;
}
