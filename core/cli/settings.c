/* settings.c - which configuration a command means: the file that it was given, ./taut.yaml, or the standard one. */
#include <unistd.h>

#include "cli/internal.h"

#define LOCAL_FILE "taut.yaml"

static bool wants_standard(const struct cli *cli) {
    uint32_t kind = cli->command->def ? cli->command->def->flags : 0;
    if (cli->given.config) return false;
    if ((kind & TAUT_CMD_SERVE) || ((kind & TAUT_CMD_OFFLINE) && cli->given.data)) return true;
    return access(LOCAL_FILE, F_OK) != 0;
}

void settings_print_errors(const struct config *c) {
    for (uint32_t i = 0; i < c->errors.n; i++) fprintf(stderr, "%s\n", c->errors.list[i].ptr);
}

static bool is_loopback(taut_str address) {
    static const char *const hosts[] = {"127.", "localhost:", "[::1]:"};
    for (size_t i = 0; i < COUNT_OF(hosts); i++)
        if (address.len > strlen(hosts[i]) && !memcmp(address.ptr, hosts[i], strlen(hosts[i]))) return true;
    return false;
}

/* A command that serves is for trying out: its admin address is any free port, nothing is slowed down, and nobody else
 * gets in. */
static bool narrow(const struct cli *cli, struct config *c) {
    if (!cli->command->def || !(cli->command->def->flags & TAUT_CMD_SERVE)) return true;
    if (!cli->given.admin_listen && !(cli->given.config && config_given(c, "admin", "listen")))
        c->admin.listen = TAUT_LIT("127.0.0.1:0");
    if (!config_given(c, "server", "rate_limits")) c->server.rate_limits = 0;
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

struct config *settings_read(struct cli *cli) {
    const struct config_override o = {cli->given.listen, cli->given.data, cli->given.admin_listen};
    struct config *c;
    if (wants_standard(cli)) {
        char *yaml = loader_standard_config(cli->module_dir);
        c = config_read_text("standard configuration", taut_str_z(yaml), &o);
        free(yaml);
        if (!c->nmodules && !c->errors.n)
            config_error(c, NULL, NULL, "there are no modules in %s; install taut as a whole, or set TAUT_MODULE_DIR",
                         cli->module_dir);
    } else {
        c = config_read_file(cli->given.config ? cli->given.config : LOCAL_FILE, &o);
    }
    if (!c->errors.n && narrow(cli, c)) return c;
    settings_print_errors(c);
    config_free(c);
    return NULL;
}
