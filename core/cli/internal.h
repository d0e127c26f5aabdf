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
 *   core_commands.c   the core's own commands that talk to a running server
 *   status.c          taut status
 *   reload.c          taut reload, SIGHUP
 *   serve.c           the server's life
 *   module_command.c  taut module list, info
 *   module_new.c      taut module new
 *   metrics_list.c    the metrics that there are
 *   config_command.c  taut check, taut config print
 *   explain.c         taut config explain
 *   render.c          JSON answers for people
 */
#ifndef CLI_INTERNAL_H
#define CLI_INTERNAL_H

#include <stdio.h>
#include <uv.h>

#include "base/arena.h"
#include "cli/cli.h"
#include "gateway/edge.h"
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
struct taut_json;

/* A command of the core or of a module. `def` and no module: one of core_commands. */
struct command {
    const char *name, *help;
    struct taut_array args; /* of struct taut_arg */
    uint32_t flags;         /* FLAG_* */
    int (*run)(struct cli *cli);
    const struct taut_command *def; /* one that runs as a call; else NULL */
    const char *module;
};

struct cli {
    struct arena arena;
    int64_t started_us;
    char *module_dir;        /* or several, with colons between them */
    struct loaded **modules; /* all of the module directory */
    uint32_t nmodules;
    char *unusable; /* what is wrong with other files there, one line each; or NULL */
    struct command *commands;
    uint32_t ncommands;
    const struct command *command; /* the one that runs */
    struct flags given;
    const char *data;       /* the data directory, for core_commands: settings_data */
    struct taut_argv *args; /* one a declared argument of the command */
    bool reloads;           /* the configuration is read again by a server that runs and may not be held up */
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

/* ---- edge_options.c ---- */
struct edge_config edge_options(const struct config *c);
void edge_report(void *config, bool fatal, const char *option, const char *text); /* an edge_report_fn */
/* Reads certificate and key; what is wrong is an error, or a warning, of c. */
void edge_check(const struct cli *cli, struct config *c);

/* ---- settings.c ---- */
/* Where modules are, before any command is known: server.module_path of the configuration that argv names, or of
 * ./taut.yaml, then the installed ones. Folders that may not be used are left out. malloc'ed. */
char *settings_module_dirs(int argc, char **argv);
/* The configuration that the flags mean and the modules that it lists, with that of the command if only the command
 * can run it. NULL when anything is wrong: then all of it was printed. */
struct config *settings_read(struct cli *cli, struct modules **modules);

/* The same, with or without a file, and nothing printed: what is wrong is in errors. Never NULL. */
struct config *settings_load(const struct cli *cli, struct modules **modules);
bool settings_are_told(const struct cli *cli); /* false: there is no file, which was printed */
/* `taut check`: what is there only while the server runs may be missing. */
static inline bool is_only_checked(const struct cli *cli) {
    return !strcmp(cli->command->name, "check");
}
bool settings_are_there(const struct cli *cli); /* a file was given, or there is one in the current directory */

/* For core_commands: finds the data directory alone, whatever else is wrong with the configuration. False: it cannot be
 * known, which was printed. */
bool settings_data(struct cli *cli);

/* ---- datadir.c ---- */
struct datadir {
    char *path;
    int dir_fd, lock_fd;
};
/* Locks it, and makes it if `create`. TAUT_OK; TAUT_E_EXISTS: *holder has it; TAUT_E_IO: *why (malloc'ed) says what to
 * do. With EXISTS dir_fd is open. */
int32_t datadir_open(struct datadir *d, const char *path, bool create, long *holder, char **why);
/* Opens it without the lock: to look for a server. False when there is no such directory. */
bool datadir_look(struct datadir *d, const char *path);
/* Of one that was looked at: the process that has its lock, or 0. */
long datadir_holder(const struct datadir *d);
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
    struct command_entry *own_commands; /* the core's */
    struct server *server;              /* serve.c's; NULL in a command of its own process */
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
/* The same, the core's own among them. */
const struct command_entry *engine_command(const struct engine *e, taut_str name);

/* ---- control_server.c, control_client.c ---- */
struct control;
struct control *control_new(struct engine *e, char **why);
void control_stop(struct control *c); /* takes nothing any more; commands under way may still answer */
void control_end(struct control *c);  /* closes what is left and, in later turns of the loop, frees it */
/* Sends the command to the server behind the directory; prints its progress and its end. */
int control_send(const struct cli *cli, const struct datadir *d, long holder);

int control_connect(const struct datadir *d);    /* -1: nobody listens */
int control_talk(const struct cli *cli, int fd); /* the rest of control_send; closes fd */

/* ---- core_commands.c ---- */

/* One that is known to `taut` and to its server without any module. run: as a call of the core's own instance. */
struct core_command {
    struct taut_command def;
    int (*alone)(struct cli *cli);           /* when no server runs; NULL: as a module's command, in this process */
    bool (*print)(FILE *out, taut_str json); /* the answer for people; NULL: render */
    bool (*prepare)(struct cli *cli);        /* its arguments, before they are sent; false: said why. May be NULL */
};
extern const struct core_command *const core_commands;
extern const size_t ncore_commands;
const struct core_command *core_command_of(const struct taut_command *def); /* NULL: a module's */
uint32_t core_commands_add(struct command *to);                             /* as commands of the program; how many */
void core_commands_own(struct engine *e);                                   /* fills e->own_commands */
int core_command_run(struct cli *cli);
int no_server(struct cli *cli); /* an `alone` that says so; CLI_NO_SERVER */
/* In a handler: the program around its hub. */
struct engine *engine_of(const struct taut_mod *m);

/* ---- status.c ---- */
void status_write(struct engine *e, struct taut_json *j); /* the members of the answer */
bool status_print(FILE *out, taut_str json);

/* ---- backup.c ---- */
int32_t backup_command(struct taut_mod *m, struct taut_call *c); /* FILE */
bool backup_prepare(struct cli *cli);
bool backup_print(FILE *out, taut_str json);
int restore_alone(struct cli *cli);
extern const struct taut_arg backup_args[1], restore_args[1];

/* ---- reload.c ---- */
int32_t reload_command(struct taut_mod *m, struct taut_call *c);
bool reload_print(FILE *out, taut_str json);

/* ---- serve.c ---- */
/* Runs a server until a signal; a module's command (TAUT_CMD_SERVE) runs in it when it is ready. Takes over both. */
int serve(struct cli *cli, struct config *config, struct modules *modules);

/* ---- module_command.c ---- */
int module_list(struct cli *cli);
int module_info(struct cli *cli);

/* ---- module_new.c ---- */
int module_new(struct cli *cli);
extern const struct taut_arg module_new_args[3];

/* ---- metrics_list.c ---- */
/* Adds "metrics": name, type, labels, unit, help of each. */
void metrics_list_core(struct taut_json *j);
void metrics_list_module(struct taut_json *j, const struct taut_module *d);

/* ---- config_command.c ---- */
int check_command(struct cli *cli); /* [schema] */
int config_show(struct cli *cli);
int print_json(const struct taut_json *j); /* one line; CLI_OK */

/* ---- explain.c ---- */
int config_explain(struct cli *cli); /* [option] */

/* ---- render.c ---- */
/* A JSON object for people: scalars as "key: value", arrays of objects as tables. False when it is no JSON object. */
bool render(FILE *out, taut_str json);
/* An array of objects as a table: a column a member of the first. */
struct json_t;
void render_table(FILE *out, const struct json_t *rows, int indent);

#endif
