/* cli.c - which command is meant: the core's own few, and those that the modules of the module directory declare. */
#include "cli/cli.h"

#include <signal.h>

#include "cli/internal.h"
#include "taut/json.h"

/* ---- the core's own commands ---- */

static int run_version(struct cli *cli) {
    if (cli->given.json)
        printf("{\"version\":\"%s\",\"abi\":\"%d.%d\"}\n", TAUT_VERSION, TAUT_ABI_MAJOR, TAUT_ABI_MINOR);
    else printf("taut %s (module ABI %d.%d)\n", TAUT_VERSION, TAUT_ABI_MAJOR, TAUT_ABI_MINOR);
    return CLI_OK;
}

static const struct taut_arg module_info_args[] = {
    {"file", TAUT_ARG_STR, TAUT_ARG_REQUIRED | TAUT_ARG_POSITIONAL, NULL, "a module's file, or its name"},
};
static const struct taut_arg check_args[] = {
    {"schema", TAUT_ARG_BOOL, 0, NULL, "print a JSON Schema of taut.yaml for the installed modules, and check nothing"},
};
static const struct taut_arg explain_args[] = {
    {"option", TAUT_ARG_STR, TAUT_ARG_POSITIONAL, NULL,
     "its path, such as server.listen, or how it begins; without it: all options"},
};
static const struct command own_commands[] = {
    {.name = "serve",
     .help = "run the server",
     .flags = FLAG_CONFIG | FLAG_DATA | FLAG_LISTEN | FLAG_PRINT_CONFIG,
     .run = command_run},
    {.name = "check",
     .help = "check a configuration, all errors at once",
     .args = TAUT_ARRAY(check_args),
     .flags = FLAG_CONFIG | FLAG_JSON,
     .run = check_command},
    {.name = "config explain",
     .help = "what an option is, may be, and is now",
     .args = TAUT_ARRAY(explain_args),
     .flags = FLAG_CONFIG | FLAG_DATA | FLAG_LISTEN | FLAG_JSON,
     .run = config_explain},
    {.name = "config print",
     .help = "the configuration that a server would run with",
     .flags = FLAG_CONFIG | FLAG_DATA | FLAG_LISTEN,
     .run = config_show},
    {.name = "module list",
     .help = "the modules that are installed",
     .flags = FLAG_CONFIG | FLAG_JSON,
     .run = module_list},
    {.name = "module info",
     .help = "what a module provides, needs and can be told",
     .args = TAUT_ARRAY(module_info_args),
     .flags = FLAG_CONFIG | FLAG_JSON,
     .run = module_info},
    {.name = "module new",
     .help = "begin a module: a folder with its code, test and build files",
     .args = {module_new_args, COUNT_OF(module_new_args), sizeof(struct taut_arg)},
     .flags = FLAG_JSON,
     .run = module_new},
    {.name = "version", .help = "the version of this program", .flags = FLAG_JSON, .run = run_version},
};

/* ---- commands of modules ---- */

static void add_module_commands(struct cli *cli, const struct taut_module *d) {
    for (uint32_t i = 0; i < d->commands.len; i++) {
        const struct taut_command *def = TAUT_AT(d->commands, struct taut_command, i);
        uint32_t flags = FLAG_CONFIG | FLAG_DATA | FLAG_JSON | FLAG_PRINT_CONFIG;
        if (def->flags & TAUT_CMD_SERVE) flags |= FLAG_LISTEN | FLAG_ALLOW_REMOTE;
        cli->commands[cli->ncommands++] = (struct command){.name = def->name,
                                                           .help = def->help ? def->help : "",
                                                           .args = def->args,
                                                           .flags = flags,
                                                           .run = command_run,
                                                           .def = def,
                                                           .module = d->name};
    }
}

static void collect_commands(struct cli *cli, int argc, char **argv) {
    size_t n = COUNT_OF(own_commands) + ncore_commands;
    cli->module_dir = settings_module_dirs(argc, argv);
    cli->nmodules = loader_scan(cli->module_dir, &cli->modules, &cli->unusable);
    for (uint32_t i = 0; i < cli->nmodules; i++) n += cli->modules[i]->def->commands.len;
    cli->commands = arena_alloc(&cli->arena, n * sizeof *cli->commands);
    memcpy(cli->commands, own_commands, sizeof own_commands);
    cli->ncommands = COUNT_OF(own_commands);
    cli->ncommands += core_commands_add(cli->commands + cli->ncommands);
    for (uint32_t i = 0; i < cli->nmodules; i++) add_module_commands(cli, cli->modules[i]->def);
}

/* ---- which one ---- */

/* How many words of argv are the command's name; 0 when it is another. */
static int words_of(const struct command *c, int argc, char **argv) {
    const char *at = c->name;
    int n = 0;
    for (; *at; n++) {
        size_t len = strcspn(at, " ");
        if (n == argc || strlen(argv[n]) != len || memcmp(argv[n], at, len) != 0) return 0;
        at += len + (at[len] == ' ');
    }
    return n;
}

static bool is_group(const struct cli *cli, const char *word) {
    size_t n = strlen(word);
    for (uint32_t i = 0; i < cli->ncommands; i++)
        if (!strncmp(cli->commands[i].name, word, n) && cli->commands[i].name[n] == ' ') return true;
    return false;
}

/* The command, or the first word of some, that is nearest to what was typed: two words if that helps, else one. */
static const char *nearest_command(struct cli *cli, const char *one, const char *two) {
    const char **names = arena_alloc(&cli->arena, 2 * cli->ncommands * sizeof *names);
    uint32_t n = cli->ncommands;
    for (uint32_t i = 0; i < n; i++) {
        names[i] = cli->commands[i].name;
        names[n + i] = arena_str(&cli->arena, taut_str_n(names[i], strcspn(names[i], " "))).ptr;
    }
    const char *near = two ? nearest(taut_str_z(two), names, n) : NULL;
    return near ? near : nearest(taut_str_z(one), names, 2 * n);
}

static int unknown_command(struct cli *cli, int argc, char **argv) {
    bool more = argc > 1 && argv[1][0] != '-';
    const char *two = more ? arena_fmt(&cli->arena, "%s %s", argv[0], argv[1]).ptr : NULL;
    const char *near = nearest_command(cli, argv[0], two);
    if (cli->unusable) fprintf(stderr, "%s\n", cli->unusable); /* one of these may have it */
    else if (!cli->nmodules)
        fprintf(stderr, "there are no modules in %s; install taut as a whole, or set TAUT_MODULE_DIR\n",
                cli->module_dir);
    fprintf(stderr, "taut: unknown %s \"%s\"%s%s%s; see: taut --help\n", argv[0][0] == '-' ? "flag" : "command",
            two && is_group(cli, argv[0]) ? two : argv[0], near ? "; did you mean \"" : "", near ? near : "",
            near ? "\"?" : "");
    return CLI_USAGE;
}

static bool asks_for_help(const char *word) {
    return !strcmp(word, "--help") || !strcmp(word, "-h");
}

static int run_one(struct cli *cli, int argc, char **argv, bool help) {
    int words = 0;
    for (uint32_t i = 0; i < cli->ncommands; i++) {
        int n = words_of(&cli->commands[i], argc, argv);
        if (n > words) words = n, cli->command = &cli->commands[i];
    }
    if (!words && is_group(cli, argv[0]) && (argc == 1 || asks_for_help(argv[1]))) {
        bool asked = help || argc > 1;
        help_group(asked ? stdout : stderr, cli, argv[0]);
        return asked ? CLI_OK : CLI_USAGE;
    }
    if (!words) return unknown_command(cli, argc, argv);
    if (!help && !args_parse(cli, argc - words, argv + words)) return CLI_USAGE;
    if (!help && !cli->given.help) return cli->command->run(cli);
    help_command(stdout, cli, cli->command);
    return CLI_OK;
}

static int dispatch(struct cli *cli, int argc, char **argv) {
    bool help = argc > 0 && !strcmp(argv[0], "help");
    if (help) argc--, argv++;
    if (argc == 0 || asks_for_help(argv[0])) {
        help_all(help || argc ? stdout : stderr, cli);
        return help || argc ? CLI_OK : CLI_USAGE;
    }
    static char version[] = "version";
    if (!strcmp(argv[0], "--version")) argv[0] = version;
    return run_one(cli, argc, argv, help);
}

/* What asks a server for a reload or a new log is no reason to end before it can do that; a file that would be larger
 * than is allowed is an error of a write, like a full disk. */
static void ignore_signals(int argc, char **argv) {
    signal(SIGXFSZ, SIG_IGN);
    if (argc < 2 || strcmp(argv[1], "serve") != 0) return;
    signal(SIGHUP, SIG_IGN);
    signal(SIGUSR1, SIG_IGN);
}

int cli_main(int argc, char **argv) {
    struct cli cli = {.started_us = clock_mono_us()};
    ignore_signals(argc, argv);
    collect_commands(&cli, argc - 1, argv + 1);
    int rc = dispatch(&cli, argc - 1, argv + 1);
    for (uint32_t i = 0; i < cli.nmodules; i++) loader_close(cli.modules[i]);
    free(cli.modules);
    free(cli.unusable);
    free(cli.module_dir);
    arena_free(&cli.arena);
    if (fflush(stdout) != 0 && rc == CLI_OK) rc = CLI_FAILED;
    return rc;
}
