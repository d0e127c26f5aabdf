/* backup.c - taut backup FILE, taut restore FILE. A backup is a call, in the server or here; a restore is a hub that
 * ends as soon as it is done. */
#include <inttypes.h>
#include <jansson.h>
#include <unistd.h>

#include "cli/internal.h"
#include "obs/log.h"
#include "taut/json.h"

enum { LOOK_EVERY_MS = 1000 };

const struct taut_arg backup_args[1] = {
    {"file", TAUT_ARG_STR, TAUT_ARG_REQUIRED | TAUT_ARG_POSITIONAL, NULL, "the new file; an existing one is refused"}};
const struct taut_arg restore_args[1] = {
    {"file", TAUT_ARG_STR, TAUT_ARG_REQUIRED | TAUT_ARG_POSITIONAL, NULL, "a file that `taut backup` made"}};

/* The server has another current directory. */
bool backup_prepare(struct cli *cli) {
    taut_str file = cli->args[0].s;
    if (!file.len) {
        fprintf(stderr, "taut %s: the name of the file is empty\n", cli->command->name);
        return false;
    }
    char *here = file.len && file.ptr[0] != '/' ? getcwd(NULL, 0) : NULL;
    if (here) cli->args[0].s = arena_fmt(&cli->arena, "%s/%s", strcmp(here, "/") != 0 ? here : "", file.ptr);
    free(here);
    if (cli->args[0].s.ptr[0] == '/') return true;
    fprintf(stderr, "taut %s: the current directory cannot be named; give the file's whole path\n", cli->command->name);
    return false;
}

static taut_str progress_line(struct arena *a, uint64_t done, uint64_t total) {
    return arena_fmt(a, "%" PRIu64 " of %" PRIu64 " MiB, %d %%", done >> 20, total >> 20,
                     (int)(total ? done * 100 / total : 0));
}

/* ---- backup ---- */

struct backing_up {
    struct taut_call *call;
    const struct taut_svc *store;
    taut_timer look;
};

static void on_look(struct taut_mod *m, void *arg) {
    struct backing_up *b = arg;
    const struct taut_storage_v1 *storage = b->store->vtable;
    uint64_t done = 0, total = 0;
    struct arena a = {0};
    (void)m;
    if (TAUT_HAS(storage, copied)) storage->copied(b->store->self, &done, &total);
    if (total) taut_progress(b->call, progress_line(&a, done, total));
    arena_free(&a);
}

static void on_backed_up(struct taut_mod *m, void *arg, int32_t status, void *result) {
    struct backing_up *b = arg;
    struct taut_call *c = b->call;
    const taut_str *said = result;
    m->host->timer_stop(m, b->look);
    if (status != TAUT_OK) {
        taut_fail_text(c, status == TAUT_E_EXISTS ? "file_exists" : "backup_failed",
                       said ? *said : taut_str_z(error_text(status)));
        return;
    }
    struct taut_json *j = taut_answer(c);
    taut_json_kstr(j, "file", taut_arg_str(c, 0));
    if (said) taut_json_kstr(j, "holds", *said);
    taut_done(c);
}

int32_t backup_command(struct taut_mod *m, struct taut_call *c) {
    const struct taut_svc *store = taut_svc_get(m, "storage", 1, &taut_storage_down);
    const struct taut_storage_v1 *storage = store->vtable;
    if (!store->up || !TAUT_HAS(storage, backup))
        return taut_fail_text(c, "not_supported", taut_str_z("the store that is configured cannot be backed up so"));
    if (!taut_arg_str(c, 0).len || taut_arg_str(c, 0).ptr[0] != '/')
        return taut_fail_text(c, "invalid_arguments", taut_str_z("the file's whole path is needed"));
    struct backing_up *b = taut_scratch(c, sizeof *b);
    *b = (struct backing_up){c, store, taut_timer_start(m, LOOK_EVERY_MS, LOOK_EVERY_MS, on_look, b)};
    storage->backup(store->self, taut_arg_str(c, 0), taut_op_new(m, store, 0, on_backed_up, b));
    return TAUT_E_PENDING;
}

bool backup_print(FILE *out, taut_str json) {
    json_t *o = json_loadb(json.ptr, json.len, 0, NULL);
    const char *file = json_string_value(json_object_get(o, "file"));
    const char *holds = json_string_value(json_object_get(o, "holds"));
    if (file) fprintf(out, "%s: %s\n", file, holds ? holds : "done");
    json_decref(o);
    return file != NULL;
}

/* ---- restore ---- */

struct restore {
    struct cli *cli;
    struct engine engine;
    int rc;
};

static void on_copied(void *arg, uint64_t done, uint64_t total) {
    struct restore *r = arg;
    taut_str line = progress_line(&r->cli->arena, done, total);
    fprintf(stderr, "%.*s\n", (int)line.len, line.ptr);
}

static void on_restored(void *arg, int32_t err, const char *text) {
    struct restore *r = arg;
    struct taut_json j;
    r->rc = err ? CLI_FAILED : CLI_OK;
    if (err) {
        fprintf(stderr, "taut restore: %s\n", text);
    } else if (r->cli->given.json) {
        arena_json(&r->cli->arena, &j);
        taut_json_open(&j, '{');
        taut_json_kstr(&j, "restored", taut_str_z(text));
        taut_json_close(&j, '}');
        printf("%.*s\n", (int)j.len, j.ptr);
    } else {
        printf("%s\n", text);
    }
    uv_stop(&r->engine.loop);
}

static int restore_here(struct cli *cli, struct config *config, struct modules *modules, const struct datadir *dir) {
    struct restore r = {.cli = cli, .rc = CLI_FAILED};
    log_set_level(TAUT_LOG_ERROR + 1); /* the store's lines would say it twice */
    engine_open(&r.engine, config, modules, dir);
    hub_restore(r.engine.hub, cli->args[0].s, on_copied, on_restored, &r);
    uv_run(&r.engine.loop, UV_RUN_DEFAULT);
    engine_close(&r.engine);
    return r.rc;
}

int restore_alone(struct cli *cli) {
    struct modules *modules;
    struct config *config = settings_read(cli, &modules);
    struct datadir dir;
    char *why = NULL;
    long holder = 0;
    if (!config) return CLI_FAILED;
    int32_t err = datadir_open(&dir, config->server.data.ptr, true, &holder, &why);
    if (err == TAUT_OK) return restore_here(cli, config, modules, &dir);
    if (why) fprintf(stderr, "taut restore: %s\n", why);
    else
        fprintf(stderr, "taut restore: needs the store to itself, but process %ld is using %s; stop it first\n", holder,
                dir.path);
    free(why);
    datadir_close(&dir);
    modules_free(modules);
    config_free(config);
    return CLI_FAILED;
}
