/* edge_options.c - the options of `server:` about certificate, proxies, limits and origins: as the gateways' edge takes
 * them, and what it finds wrong with them as errors at their places. Main thread. */
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

void edge_report(void *config, bool fatal, const char *option, const char *text) {
    struct config *c = config;
    const struct node *section = node_child(c->root, "server");
    const struct node *at = config_find(section, option, section);
    const char *path = arena_fmt(&c->arena, "server.%s", option).ptr;
    (fatal ? config_error : config_warn)(c, at, path, "%s", text);
}

void edge_check(struct config *c) {
    const struct edge_config options = edge_options(c);
    if (!c->errors.n) edge_free(edge_new(&options, edge_report, c));
}
