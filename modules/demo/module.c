/* module.c - demo: `taut demo` and `taut seed`. */
#include "mark.h"

static int32_t init(struct taut_mod *m) {
    struct demo *d = taut_alloc(m, sizeof *d);
    if (!d) return TAUT_E_NOMEM;
    d->directory = taut_svc_get(m, "directory", 1, &taut_directory_down);
    d->conversation = taut_svc_get(m, "conversation", 1, &taut_conversation_down);
    m->state = d;
    return TAUT_OK;
}

static void fini(struct taut_mod *m) {
    taut_free(m, m->state);
}

static const struct taut_table *const tables[] = {&marks_table};
static const struct taut_command commands[] = {
    {"demo", "start a server with a workspace to try things in", {0}, TAUT_CMD_SERVE | TAUT_CMD_LONG, 0, on_demo},
    {"seed", "fill an empty data directory with people and messages", TAUT_ARRAY(seed_args),
     TAUT_CMD_OFFLINE | TAUT_CMD_CREATES | TAUT_CMD_LONG, 0, on_seed},
};

TAUT_MODULE(.name = "demo", .version = "0.1.0", .license = "Apache-2.0", .summary = "the demo workspace, and bulk data",
            .flags = TAUT_MODULE_STANDARD, .needs = TAUT_LIST("storage/1", "directory/1", "conversation/1"),
            .tables = TAUT_ARRAY(tables), .commands = TAUT_ARRAY(commands), .init = init, .start = mark_start,
            .fini = fini);
