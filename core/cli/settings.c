/* settings.c - which configuration a command means: the file that it was given, ./taut.yaml, or the standard one; and
 * the modules that it lists. Everything that is wrong with any of it is printed at once. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/internal.h"

#define LOCAL_FILE "taut.yaml"

/* The value of -c or --config among the words of a command line; NULL: there is none. */
static const char *config_among(int argc, char **argv) {
    for (int i = 0; i < argc; i++) {
        if (!strncmp(argv[i], "--config=", 9)) return argv[i] + 9;
        if ((!strcmp(argv[i], "-c") || !strcmp(argv[i], "--config")) && i + 1 < argc) return argv[i + 1];
    }
    return NULL;
}

char *settings_module_dirs(int argc, char **argv) {
    char *dirs = loader_module_dir();
    const char *given = config_among(argc, argv), *file = given ? given : LOCAL_FILE;
    struct stat st;
    if (stat(file, &st) != 0 || !S_ISREG(st.st_mode)) return dirs;       /* a pipe can be read once */
    if (!given && st.st_uid != 0 && st.st_uid != geteuid()) return dirs; /* it only happens to lie where we are */
    struct config *c = config_read_file(file, NULL);
    for (uint32_t i = c->server.module_path.len; i-- > 0;) {
        const char *folder = TAUT_AT(c->server.module_path, taut_str, i)->ptr;
        char *fault = loader_folder_fault(folder), *with = fault ? NULL : xasprintf("%s:%s", folder, dirs);
        if (with) free(dirs), dirs = with;
        free(fault);
    }
    config_free(c);
    return dirs;
}

static void check_module_path(struct config *c) {
    const struct node *at = config_find(node_child(c->root, "server"), "module_path", c->root);
    const struct node *item = at && at->kind == NODE_LIST ? at->first : NULL;
    bool is_any_there = false;
    for (uint32_t i = 0; i < c->server.module_path.len; i++) {
        const char *folder = TAUT_AT(c->server.module_path, taut_str, i)->ptr;
        char *fault = loader_folder_fault(folder);
        if (fault) config_error(c, item ? item : at, "server.module_path", "%s", fault);
        is_any_there |= access(folder, F_OK) == 0;
        free(fault);
        if (item) item = item->next;
    }
    if (c->server.module_path.len && !is_any_there) /* one of several may come later, as a build's does */
        config_warn(c, at, "server.module_path", "there is no folder %s",
                    TAUT_AT(c->server.module_path, taut_str, c->server.module_path.len - 1)->ptr);
}

/* Of a log that has lost its folder while the server runs, the reload says that it goes on where it was. */
static void check_log_file(const struct cli *cli, struct config *c) {
    taut_str file = c->server.log_file;
    const struct node *at = config_node(node_child(c->root, "server"), "log_file");
    size_t n = file.len;
    struct stat st;
    if (!n || cli->reloads) return;
    if (stat(file.ptr, &st) == 0 && S_ISDIR(st.st_mode)) {
        config_error(c, at, "server.log_file", "%s is a folder; name a file in it", file.ptr);
        return;
    }
    while (n > 1 && file.ptr[n - 1] != '/') n--;
    const char *folder = arena_str(&c->arena, taut_str_n(file.ptr, n > 1 ? n - 1 : n)).ptr;
    bool is_there = stat(folder, &st) == 0;
    if (!is_there && errno == ENOENT && is_only_checked(cli))
        config_warn(c, at, "server.log_file", "its folder %s is not there now; the server does not start without it",
                    folder);
    else if (!is_there) config_error(c, at, "server.log_file", "its folder %s: %s", folder, strerror(errno));
    else if (!S_ISDIR(st.st_mode)) config_error(c, at, "server.log_file", "%s is no folder", folder);
}

static void check_modules(struct config *c) {
    if (!c->errors.n && c->root && c->modules_whole && !c->nmodules)
        config_warn(c, node_child(c->root, "modules"), "modules", "is empty: a server without modules serves nothing");
}

static bool wants_standard(const struct cli *cli) {
    uint32_t kind = cli->command->def ? cli->command->def->flags : 0;
    if (cli->given.config) return false;
    if ((kind & TAUT_CMD_SERVE) || ((kind & TAUT_CMD_OFFLINE) && cli->given.data)) return true;
    return access(LOCAL_FILE, F_OK) != 0;
}

bool settings_are_there(const struct cli *cli) {
    return cli->given.config || access(LOCAL_FILE, F_OK) == 0;
}

/* A server of one's own is told what to run. Commands of modules have the standard configuration to fall back on. */
bool settings_are_told(const struct cli *cli) {
    if (cli->command->def || settings_are_there(cli)) return true;
    fprintf(stderr, "taut %s: no configuration: give one with -c, or write ./" LOCAL_FILE "\n", cli->command->name);
    return false;
}

/* What only this command can run (there is no server that could have the module) needs no mention in the file. */
static void add_owner(const struct cli *cli, struct config *c) {
    const struct command *command = cli->command;
    if (!command->module || !(command->def->flags & (TAUT_CMD_SERVE | TAUT_CMD_OFFLINE)) || !c->modules_whole) return;
    for (uint32_t i = 0; i < c->nmodules; i++)
        if (taut_str_is(c->modules[i].module, command->module)) return;
    config_add_module(c, command->module);
}

static void print_problems(const struct config_errors *e) {
    for (uint32_t i = 0; i < e->n; i++) fprintf(stderr, "%s\n", e->list[i].ptr);
}

static bool is_loopback(taut_str address) {
    static const char *const hosts[] = {"127.", "localhost:", "[::1]:"};
    for (size_t i = 0; i < COUNT_OF(hosts); i++)
        if (address.len > strlen(hosts[i]) && !memcmp(address.ptr, hosts[i], strlen(hosts[i]))) return true;
    return false;
}

static bool is_for_trying_out(const struct cli *cli) {
    return cli->command->def && (cli->command->def->flags & TAUT_CMD_SERVE);
}

/* Others need not be able to read the server's key. */
static bool needs_edge(const struct cli *cli) {
    const char *name = cli->command->name;
    return is_for_trying_out(cli) || !strcmp(name, "serve") || !strcmp(name, "check");
}

/* A command that serves is for trying out: its admin address is any free port, and nothing is slowed down. */
static void narrow(const struct cli *cli, struct config *c) {
    if (!is_for_trying_out(cli)) return;
    if (!cli->given.admin_listen && !(cli->given.config && config_given(c, "admin", "listen")))
        c->admin.listen = TAUT_LIT("127.0.0.1:0");
    if (!config_given(c, "server", "rate_limits")) c->server.rate_limits = 0;
}

/* Nobody else gets in there. */
static bool is_safe(const struct cli *cli, const struct config *c) {
    if (!is_for_trying_out(cli)) return true;
    const taut_str *open = !is_loopback(c->server.listen)  ? &c->server.listen
                           : !is_loopback(c->admin.listen) ? &c->admin.listen
                                                           : NULL;
    if (!open || cli->given.allow_remote) return true;
    fprintf(stderr,
            "taut %s: other machines can reach %s, and this command is made for this machine only; listen on "
            "127.0.0.1, or add --allow-remote\n",
            cli->command->name, open->ptr);
    return false;
}

static struct config *read_standard(const struct cli *cli, const struct config_override *o) {
    char *yaml = loader_standard_config(cli->module_dir);
    struct config *c = config_read_text("standard configuration", taut_str_z(yaml), o);
    free(yaml);
    return c;
}

struct config *settings_load(const struct cli *cli, struct modules **modules) {
    const struct config_override o = {cli->given.listen, cli->given.data, cli->given.admin_listen,
                                      cli->given.public_url, cli->reloads};
    struct config *c = wants_standard(cli) ? read_standard(cli, &o)
                                           : config_read_file(cli->given.config ? cli->given.config : LOCAL_FILE, &o);
    add_owner(cli, c);
    narrow(cli, c);
    config_check(c);
    check_module_path(c);
    if (needs_edge(cli)) edge_check(cli, c);
    if (needs_edge(cli)) check_log_file(cli, c);
    if (needs_edge(cli)) check_modules(c);
    *modules = loader_load(c, cli->module_dir);
    return c;
}

struct config *settings_read(struct cli *cli, struct modules **modules) {
    if (!settings_are_told(cli)) return NULL;
    struct config *c = settings_load(cli, modules);
    if (!cli->command->def || is_for_trying_out(cli)) print_problems(&c->warnings);
    print_problems(&c->errors);
    if (is_safe(cli, c) && !c->errors.n) return c;
    modules_free(*modules);
    config_free(c);
    return NULL;
}

bool settings_data(struct cli *cli) {
    const struct config_override o = {.data = cli->given.data};
    struct config *c = settings_are_there(cli)
                           ? config_read_file(cli->given.config ? cli->given.config : LOCAL_FILE, &o)
                           : read_standard(cli, &o);
    bool known = c->root || cli->given.data;
    if (known) cli->data = arena_str(&cli->arena, c->server.data).ptr;
    else print_problems(&c->errors);
    config_free(c);
    return known;
}
