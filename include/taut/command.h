/* command.h - sub-commands of `taut`.
 *
 * A command is a call: `taut user create --name ada` runs `run` with the actor OPERATOR. When no server has the data
 * directory the command starts the store and the modules in its own process, without listeners; when a server runs,
 * the command is sent to it through the control socket in the data directory. It answers a JSON object (without "ok"),
 * which `taut` prints as it is with --json, and readably otherwise.
 *
 * Thread: the hub. Since 1.0.
 */
#ifndef TAUT_COMMAND_H
#define TAUT_COMMAND_H

#include "taut/call.h"

enum {
    TAUT_CMD_OFFLINE = 1, /* only without a running server */
    TAUT_CMD_SERVE = 2,   /* starts the server itself, runs when it is ready, and stays */
    TAUT_CMD_CREATES = 4, /* makes the data directory when it is missing, as SERVE does; others refuse then */
    TAUT_CMD_LONG = 8     /* its handler starts work of its own and answers later (TAUT_E_PENDING, then taut_done or
                             taut_fail); it is no restartable handler: it reads only before it has begun */
};

struct taut_command {
    const char *name;       /* "user create" */
    const char *help;       /* one line */
    struct taut_array args; /* of struct taut_arg: --name VALUE, or positional */
    uint32_t flags;
    uint32_t reserved;
    int32_t (*run)(struct taut_mod *m, struct taut_call *c);
};

/* One line of progress for the person who waits. */
static inline void taut_progress(struct taut_call *c, taut_str line) {
    c->mod->host->progress(c, line);
}

#endif
