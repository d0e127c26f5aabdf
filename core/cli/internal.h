/* internal.h - what the files of cli/ share. Everything here runs on the main thread.
 *
 *   cli.c             which command is meant; the core's own commands
 *   args.c            words of the command line to typed arguments
 *   help.c            usage texts
 *   settings.c        which configuration is meant
 *   datadir.c         the data directory and its lock
 *   descriptors.c     how many files may be open
 *   engine.c          configuration + modules + hub on one loop
 *   command.c         a module's command: here, in a running server, or as a server
 *   control_*.c       both ends of the control socket
 *   serve.c           the server's life
 *   module_command.c  taut module list, info
 *   render.c          JSON answers for people
 */
#ifndef CLI_INTERNAL_H
#define CLI_INTERNAL_H

#include <stdio.h>
#include <uv.h>

#include "base/arena.h"
#include "cli/cli.h"
#include "hub/hub.h"
#include "module/loader.h"

/* Flags that the core gives to commands. */
enum {
    FLAG_CONFIG = 1,
    FLAG_DATA = 2,
    FLAG_LISTEN = 4, /* --listen, --admin-listen, --public-url */
    FLAG_JSON = 8,
    FLAG_PRINT_CONFIG = 16,
    FLAG_ALLOW_REMOTE = 32
};

struct flags {
    const char *config, *data, *listen, *admin_listen, *public_url;
    bool json, print_config, allow_remote, help;
};

struct cli;

/* A command of the core or of a module. */
struct command {
    const char *name, *help;
    struct taut_array args; /* of struct taut_arg */
    uint32_t flags;         /* FLAG_* */
    int (*run)(struct cli *cli);
    const struct taut_command *def; /* a module's, else NULL */
    const char *module;
};

struct cli {
    struct arena arena;
    int64_t started_us;
    char *module_dir;
    struct loaded **modules; /* all of the module directory */
    uint32_t nmodules;
    char *unusable; /* what is wrong with other files there, one line each; or NULL */
    struct command *commands;
    uint32_t ncommands;
    const struct command *command; /* the one that runs */
    struct flags given;
    struct taut_argv *args; /* one a declared argument of the command */
};

/* ---- args.c ---- */
/* Parses the words behind the command's name into cli->given and cli->args. Prints what is wrong; false then. */
bool args_parse(struct cli *cli, int argc, char **argv);
/* One value. NULL, or what is wrong with it (static). */
const char *arg_set(struct arena *a, const struct taut_arg *def, taut_str text, struct taut_argv *v);
/* "--channels-out" for channels_out. In the arena. */
const char *flag_name(struct arena *a, const char *name);
struct common_flag {
    const char *name, *value, *help; /* value NULL: a switch */
    char letter;
    uint32_t flag; /* FLAG_*; 0: every command has it */
    size_t offset; /* in struct flags */
};
extern const struct common_flag common_flags[];
extern const size_t ncommon_flags;

/* ---- help.c ---- */
void help_all(FILE *out, const struct cli *cli);
void help_group(FILE *out, const struct cli *cli, const char *group);
void help_command(FILE *out, struct cli *cli, const struct command *c);

/* ---- settings.c ---- */
/* The configuration that the flags mean and the modules that it lists, with that of the command if only the command
 * can run it. NULL when anything is wrong: then all of it was printed. */
struct config *settings_read(struct cli *cli, struct modules **modules);

/* ---- datadir.c ---- */
struct datadir {
    char *path;
    int dir_fd, lock_fd;
};
/* Locks it, and makes it if `create`. TAUT_OK; TAUT_E_EXISTS: *holder has it; TAUT_E_IO: *why (malloc'ed) says what to
 * do. With EXISTS dir_fd is open. */
int32_t datadir_open(struct datadir *d, const char *path, bool create, long *holder, char **why);
void datadir_close(struct datadir *d);
/* The control socket's address, short whatever the length of the path. */
struct sockaddr_un;
void datadir_control_address(const struct datadir *d, struct sockaddr_un *to);

/* ---- descriptors.c ---- */
enum { DESCRIPTORS_MIN = 64, DESCRIPTORS_SPARE = 256 }; /* to run at all; besides connections */
/* Sets the limit of open files to `want`, or as near as it can be set, down as well as up: libwebsockets allocates by
 * it. *now: what it is then. False when a server or a command cannot live with that: printed. */
bool descriptors_set(const struct cli *cli, int64_t want, int64_t *now);

/* ---- engine.c ---- */
struct engine {
    struct config *config;
    struct modules *modules;
    struct datadir dir;
    struct taut_server_info info;
    uv_loop_t loop;
    struct hub *hub;
};
/* Takes over all that it is given. */
void engine_open(struct engine *e, struct config *config, struct modules *modules, const struct datadir *dir);
/* What modules and answers call this server: from the addresses where it really listens. Before hub_start_modules. */
void engine_set_addresses(struct engine *e, const char *listen, const char *admin_listen);
void engine_close(struct engine *e);

/* ---- command.c ---- */
int command_run(struct cli *cli);
/* Prints what a command ended with; the exit code. */
int command_report(const struct cli *cli, const struct taut_outcome *o);
const struct command_entry *command_find(const struct modules *ms, taut_str name);

/* ---- control_server.c, control_client.c ---- */
struct control;
struct control *control_new(struct engine *e, char **why);
void control_stop(struct control *c); /* closes and, in later turns of the loop, frees it */
/* Sends the command to the server behind the directory; prints its progress and its end. */
int control_send(const struct cli *cli, const struct datadir *d, long holder);

/* ---- serve.c ---- */
/* Runs a server until a signal; a module's command (TAUT_CMD_SERVE) runs in it when it is ready. Takes over both. */
int serve(struct cli *cli, struct config *config, struct modules *modules);

/* ---- module_command.c ---- */
int module_list(struct cli *cli);
int module_info(struct cli *cli);

/* ---- render.c ---- */
/* A JSON object for people: scalars as "key: value", arrays of objects as tables. False when it is no JSON object. */
bool render(FILE *out, taut_str json);

#endif
