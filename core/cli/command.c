/* command.c - a module's command. Three ways: in the server that holds the data directory (control socket), here with
 * the store and the modules but no listeners, or as a server that stays (TAUT_CMD_SERVE). */
#include "cli/internal.h"
#include "obs/log.h"

/* A command in this process. */
struct local {
    struct cli *cli;
    struct engine engine;
    int rc;
};

const struct command_entry *command_find(const struct modules *ms, taut_str name) {
    for (uint32_t i = 0; i < ms->ncommands; i++)
        if (taut_str_is(name, ms->commands[i].def->name)) return &ms->commands[i];
    return NULL;
}

int command_report(const struct cli *cli, const struct taut_outcome *o) {
    if (o->status != TAUT_OK) {
        taut_str error = o->error.len ? o->error : taut_str_z(error_text(o->status));
        fprintf(stderr, "taut %s: %.*s%s%.*s\n", cli->command->name, (int)error.len, error.ptr, o->body.len ? ": " : "",
                (int)o->body.len, o->body.ptr ? o->body.ptr : "");
        return CLI_FAILED;
    }
    taut_str body = o->body.len ? o->body : taut_str_z("{}");
    const struct core_command *own = core_command_of(cli->command->def);
    bool (*print)(FILE *, taut_str) = own && own->print ? own->print : render;
    if (cli->given.json || !print(stdout, body)) printf("%.*s\n", (int)body.len, body.ptr);
    return fflush(stdout) == 0 ? CLI_OK : CLI_FAILED;
}

static void on_stopped(void *arg, int32_t err, const char *text) {
    struct local *l = arg;
    if (err) fprintf(stderr, "taut %s: %s\n", l->cli->command->name, text);
    uv_stop(&l->engine.loop);
}

static void on_progress(void *arg, taut_str line) {
    (void)arg;
    fprintf(stderr, "%.*s\n", (int)line.len, line.ptr);
}

static void on_done(void *arg, const struct taut_outcome *o) {
    struct local *l = arg;
    l->rc = command_report(l->cli, o);
    hub_stop_modules(l->engine.hub, on_stopped, l);
}

static void on_started(void *arg, int32_t err, const char *text) {
    struct local *l = arg;
    if (err) {
        fprintf(stderr, "taut %s: %s\n", l->cli->command->name, text);
        uv_stop(&l->engine.loop);
        return;
    }
    hub_run_command(l->engine.hub,
                    &(struct hub_command){.command = engine_command(&l->engine, taut_str_z(l->cli->command->name)),
                                          .args = l->cli->args,
                                          .nargs = l->cli->command->args.len,
                                          .progress = on_progress,
                                          .done = on_done,
                                          .arg = l});
}

static int not_enabled(const struct cli *cli, const struct config *c) {
    fprintf(stderr, "taut: unknown command \"%s\": the module \"%s\" that brings it is not enabled in %s\n",
            cli->command->name, cli->command->module, c->file);
    return CLI_USAGE;
}

static int run_here(struct cli *cli, struct config *config, struct modules *modules, const struct datadir *dir) {
    struct local l = {.cli = cli, .rc = CLI_FAILED};
    int64_t level = config->server.log_level;
    log_set_level(level == TAUT_LOG_INFO ? TAUT_LOG_WARN
                                         : (int)level); /* a person waits for an answer, not for a log */
    engine_open(&l.engine, config, modules, dir);
    hub_start_modules(l.engine.hub, on_started, &l);
    uv_run(&l.engine.loop, UV_RUN_DEFAULT);
    engine_close(&l.engine);
    return l.rc;
}

static int print_config(const struct config *c) {
    char *yaml = config_print(c);
    fputs(yaml, stdout);
    free(yaml);
    return CLI_OK;
}

/* Where no server is started. *taken: config and modules are somebody else's now. */
static int run_with_store(struct cli *cli, struct config *config, struct modules *modules, bool *taken) {
    struct datadir dir;
    char *why = NULL;
    long holder = 0;
    uint32_t kind = cli->command->def->flags;
    int64_t descriptors;
    if (!descriptors_set(cli, DESCRIPTORS_SPARE, &descriptors)) return CLI_FAILED;
    int32_t err = datadir_open(&dir, config->server.data.ptr, kind & TAUT_CMD_CREATES, &holder, &why);
    if (err == TAUT_OK) {
        *taken = true;
        return run_here(cli, config, modules, &dir);
    }
    int rc = CLI_FAILED;
    if (why) fprintf(stderr, "taut %s: %s\n", cli->command->name, why);
    else if (kind & TAUT_CMD_OFFLINE)
        fprintf(stderr, "taut %s: needs the store to itself, but process %ld is using %s; stop it first\n",
                cli->command->name, holder, dir.path);
    else rc = control_send(cli, &dir, holder);
    free(why);
    datadir_close(&dir);
    return rc;
}

int command_run(struct cli *cli) {
    uint32_t kind = cli->command->def ? cli->command->def->flags : TAUT_CMD_SERVE;
    struct modules *modules;
    struct config *config = settings_read(cli, &modules);
    bool taken = false;
    int rc;
    if (!config) return CLI_FAILED;
    if (cli->given.print_config) rc = print_config(config);
    else if (kind & TAUT_CMD_SERVE) return serve(cli, config, modules);
    else if (cli->command->module && !command_find(modules, taut_str_z(cli->command->name)))
        rc = not_enabled(cli, config);
    else rc = run_with_store(cli, config, modules, &taken);
    if (!taken) {
        modules_free(modules);
        config_free(config);
    }
    return rc;
}
