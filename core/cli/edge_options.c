/* edge_options.c - the options of `server:` about certificate, proxies, limits and origins: as the gateways' edge takes
 * them, and what it finds wrong with them as errors at their places. Main thread. */
#include <errno.h>
#include <unistd.h>

#include "cli/internal.h"

struct edge_config edge_options(const struct config *c) {
    const struct server_config *s = &c->server;
    return (struct edge_config){.public_url = s->public_url,
                                .admin_listen = c->admin.listen,
                                .cert = s->tls.cert,
                                .key = s->tls.key,
                                .trusted_proxies = s->trusted_proxies,
                                .limit_exempt = s->limit_exempt,
                                .allowed_origins = s->allowed_origins,
                                .max_connections = s->max_connections,
                                .max_connections_per_address = s->max_connections_per_address,
                                .max_connects_per_second = s->max_connects_per_second_per_address};
}

/* Is something wrong already with an option, or with one in it? "server.tls" or "server.tls.cert". */
static bool has_error(const struct config *c, const char *path) {
    size_t n = strlen(path);
    for (uint32_t i = 0; i < c->errors.n; i++) {
        const char *option = c->errors.problems[i].option;
        if (option && !strncmp(option, path, n) && (!option[n] || option[n] == '.')) return true;
    }
    return false;
}

static void check_origins(struct config *c) {
    static const char option[] = "server.allowed_origins";
    const struct node *list = config_node(node_child(c->root, "server"), "allowed_origins");
    const struct node *at = list && list->kind == NODE_LIST ? list->first : NULL;
    if (has_error(c, option)) return;
    for (uint32_t i = 0; i < c->server.allowed_origins.len; i++, at = at ? at->next : NULL) {
        taut_str item = *TAUT_AT(c->server.allowed_origins, taut_str, i);
        if (!origin_is_one(item))
            config_error(c, at ? at : list, option,
                         "\"%s\" is not an origin; write it like https://chat.example.org, without a path, or * for "
                         "all pages",
                         item.ptr);
    }
}

void edge_report(void *config, bool fatal, const char *option, const char *text) {
    struct config *c = config;
    const struct node *section = node_child(c->root, "server");
    const struct node *at = config_find(section, option, section);
    const char *path = arena_fmt(&c->arena, "server.%s", option).ptr;
    if (has_error(c, path)) return; /* it follows from that */
    if (!fatal && has_error(c, "server.public_url")) return;
    (fatal ? config_error : config_warn)(c, at, path, "%s", text);
}

/* The service manager makes these for the service alone, and only while it runs. */
static bool is_credential_away(taut_str file) {
    static const char folder[] = "/run/credentials/";
    return !strncmp(file.ptr, folder, sizeof folder - 1) && access(file.ptr, F_OK) != 0;
}

/* is_alone: nobody else reads it. */
static void check_file(const struct cli *cli, struct config *c, const char *option, taut_str file, bool is_alone) {
    const struct node *section = node_child(c->root, "server");
    const struct node *at = config_find(section, option + strlen("server."), section);
    if (has_error(c, option)) return;
    if (is_only_checked(cli) && is_credential_away(file))
        config_warn(c, at, option,
                    "%s was not looked at: it is there only while the service runs, and for the service alone",
                    file.ptr);
    else if (is_alone && access(file.ptr, R_OK) != 0)
        config_error(c, at, option,
                     "%s: cannot be read: %s; give the path of a PEM file, absolute or below the folder of the "
                     "configuration file",
                     file.ptr, strerror(errno));
}

void edge_check(const struct cli *cli, struct config *c) {
    struct edge_config options = edge_options(c);
    taut_str cert = options.cert, key = options.key;
    check_origins(c);
    bool is_pair = cert.len && key.len, is_known = !has_error(c, "server.tls");
    bool is_away = is_only_checked(cli) && (is_credential_away(cert) || is_credential_away(key));
    if (!is_known || (is_pair && is_away)) options.cert = options.key = TAUT_LIT("");
    if (cert.len) check_file(cli, c, "server.tls.cert", cert, !is_pair || is_away);
    if (key.len) check_file(cli, c, "server.tls.key", key, !is_pair || is_away);
    edge_free(edge_new(&options, edge_report, c));
}
