/* engine.c - what a server and a command in its own process have in common: configuration, modules, the hub's loop. */
#include "cli/internal.h"

void engine_open(struct engine *e, struct config *config, struct modules *modules, const struct datadir *dir) {
    *e = (struct engine){.config = config, .modules = modules, .dir = *dir};
    int err = uv_loop_init(&e->loop);
    if (err) panic("uv_loop_init: %s", uv_strerror(err));
    engine_set_addresses(e, NULL, NULL);
    const struct hub_config hub = {.info = &e->info,
                                   .call_timeout_ms = config->server.call_timeout,
                                   .cache_bytes = config->server.cache,
                                   .tail_events = config->server.tail_events,
                                   .start_timeout_ms = (uint32_t)config->server.start_timeout,
                                   .stop_timeout_ms = (uint32_t)config->server.stop_timeout};
    e->hub = hub_new(&e->loop, e->modules, &hub);
    e->own_commands = xcalloc(ncore_commands, sizeof *e->own_commands);
    core_commands_own(e);
}

const struct command_entry *engine_command(const struct engine *e, taut_str name) {
    for (size_t i = 0; i < ncore_commands; i++)
        if (taut_str_is(name, e->own_commands[i].def->name)) return &e->own_commands[i];
    return command_find(e->modules, name);
}

void engine_set_addresses(struct engine *e, const char *listen, const char *admin_listen) {
    struct config *c = e->config;
    bool derived = taut_str_eq(c->server.public_url, config_own_url(c));
    if (listen) c->server.listen = arena_str(&c->arena, taut_str_z(listen));
    if (admin_listen) c->admin.listen = arena_str(&c->arena, taut_str_z(admin_listen));
    if (derived) c->server.public_url = config_own_url(c);
    e->info = (struct taut_server_info){
        .size = sizeof e->info,
        .rate_limits = c->server.rate_limits != 0,
        .version = TAUT_LIT(TAUT_VERSION),
        .public_url = c->server.public_url,
        .socket_url = arena_fmt(&c->arena, "ws%s", c->server.public_url.ptr + 4), /* http… to ws… */
        .admin_url = config_url_of(c, c->admin.listen),
        .data = c->server.data,
    };
}

void engine_close(struct engine *e) {
    hub_free(e->hub); /* runs the loop until every handle is closed */
    int err = uv_loop_close(&e->loop);
    if (err) panic("the loop could not be closed: %s", uv_strerror(err));
    modules_free(e->modules);
    free(e->own_commands);
    datadir_close(&e->dir);
    config_free(e->config);
}
