/* core_commands.c - commands of the core that talk to a running server: calls of kind COMMAND, as those of modules, and
 * owned by the core's own instance. Of the configuration they need the data directory and nothing else, so that they
 * reach a server whose configuration has been broken since it started.
 *
 * A handler finds its hub with hub_of(m) and its server with engine_of(m). */
#include <errno.h>
#include <unistd.h>

#include "cli/internal.h"

#include "hub/status.h"

static int32_t on_status(struct taut_mod *m, struct taut_call *c) {
    status_write(engine_of(m), taut_answer(c));
    return taut_done(c);
}

static const struct taut_arg hooks_args[] = {
    {.name = "point", .type = TAUT_ARG_STR, .flags = TAUT_ARG_POSITIONAL, .help = "such as message.before_send"},
};

static int32_t on_hooks(struct taut_mod *m, struct taut_call *c) {
    taut_str point = taut_arg_str(c, 0);
    if (hub_hooks(engine_of(m)->hub, point, taut_answer(c)) || !point.len) return taut_done(c);
    return taut_fail_text(
        c, "no_hooks",
        taut_fmt(c, "no module has a function at \"%.*s\"; all points: taut hooks", (int)point.len, point.ptr));
}

static const struct core_command table[] = {
    {.def = {.name = "hooks",
             .help = "the functions at a hook point, in the order in which they are asked, and why",
             .args = TAUT_ARRAY(hooks_args),
             .run = on_hooks}},
    {.def = {.name = "status",
             .help = "what the running server is doing",
             .flags = TAUT_CMD_LONG, /* it shows what changes while it looks: two looks differ */
             .run = on_status},
     .alone = no_server,
     .print = status_print},
    {.def = {.name = "reload",
             .help = "read the configuration again: apply what can be, name what needs a restart",
             .flags = TAUT_CMD_LONG, /* it applies what it has read: once */
             .run = reload_command},
     .alone = no_server,
     .print = reload_print},
    {.def = {.name = "backup",
             .help = "copy the store into a new file, while the server runs or not",
             .args = TAUT_ARRAY(backup_args),
             .flags = TAUT_CMD_LONG,
             .run = backup_command},
     .print = backup_print,
     .prepare = backup_prepare},
    {.def = {.name = "restore",
             .help = "put a backup in the place of a store; without a running server",
             .args = TAUT_ARRAY(restore_args),
             .flags = TAUT_CMD_OFFLINE | TAUT_CMD_CREATES},
     .alone = restore_alone,
     .prepare = backup_prepare},
};
const struct core_command *const core_commands = table;
const size_t ncore_commands = COUNT_OF(table);

/* ---- as commands of the program ---- */

struct engine *engine_of(const struct taut_mod *m) {
    return m->state;
}

const struct core_command *core_command_of(const struct taut_command *def) {
    for (size_t i = 0; i < ncore_commands; i++)
        if (def == &core_commands[i].def) return &core_commands[i];
    return NULL;
}

uint32_t core_commands_add(struct command *to) {
    for (size_t i = 0; i < ncore_commands; i++) {
        const struct taut_command *def = &core_commands[i].def;
        to[i] = (struct command){.name = def->name,
                                 .help = def->help,
                                 .args = def->args,
                                 .flags = FLAG_CONFIG | FLAG_DATA | FLAG_JSON,
                                 .run = core_command_run,
                                 .def = def};
    }
    return (uint32_t)ncore_commands;
}

void core_commands_own(struct engine *e) {
    struct instance *core = hub_core(e->hub);
    core->pub.state = e;
    for (size_t i = 0; i < ncore_commands; i++)
        e->own_commands[i] = (struct command_entry){.owner = core, .def = &core_commands[i].def};
}

int no_server(struct cli *cli) {
    bool is_there = access(cli->data, F_OK) == 0, is_guess = !cli->given.data && !settings_are_there(cli);
    fprintf(stderr, "taut %s: no server runs on the data directory %s%s%s\n", cli->command->name, cli->data,
            is_there ? "" : ", which does not exist",
            is_guess ? "; that is where one without a configuration would have it: give its configuration with -c"
                     : "");
    return CLI_NO_SERVER;
}

/* There is no way to a server; is there none? */
static int run_alone(struct cli *cli, const struct core_command *command, const struct datadir *d, int err) {
    long holder = command->alone == no_server ? datadir_holder(d) : 0;
    if (holder) return control_send(cli, d, holder);
    if (err == EACCES) {
        fprintf(stderr,
                "taut %s: whether a server runs on the data directory %s cannot be seen: %s; run this as root, or as "
                "the user that the server runs as\n",
                cli->command->name, cli->data, strerror(err));
        return CLI_FAILED;
    }
    return command->alone ? command->alone(cli) : command_run(cli); /* takes the directory, or says who has it */
}

int core_command_run(struct cli *cli) {
    const struct core_command *command = core_command_of(cli->command->def);
    struct datadir dir;
    if (command->prepare && !command->prepare(cli)) return CLI_FAILED;
    if (!settings_data(cli)) return CLI_FAILED;
    int fd = datadir_look(&dir, cli->data) ? control_connect(&dir) : -1, err = errno;
    int rc = fd >= 0 ? control_talk(cli, fd) : run_alone(cli, command, &dir, err);
    datadir_close(&dir);
    return rc;
}
