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

void edge_check(struct config *c) {
    struct edge_config options = edge_options(c);
    check_origins(c);
    if (has_error(c, "server.tls")) options.cert = options.key = TAUT_LIT("");
    edge_free(edge_new(&options, edge_report, c));
}
