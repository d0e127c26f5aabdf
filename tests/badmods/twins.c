/* twins.c - a module that brings names which its twin brings as well: methods, routes, sockets, commands; and, as the
 * build says, hooks that no order satisfies. */
#include "taut/taut.h"

TAUT_UNUSED static int32_t call(struct taut_mod *m, struct taut_call *c) {
    (void)m;
    return taut_done(c);
}
TAUT_UNUSED static int32_t look(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, void *data) {
    (void)m, (void)c, (void)b, (void)data;
    return TAUT_OK;
}
TAUT_UNUSED static void closed(struct taut_mod *m, taut_conn conn, void *state) {
    (void)m, (void)conn, (void)state;
}

static const struct taut_col cols[] = {{"id", TAUT_TEXT, 0}};
static const struct taut_table table = {
    .size = sizeof table, .key_cols = 1, .name = TWIN_TABLE, .cols = TAUT_ARRAY(cols)};
static const struct taut_table *const tables[] = {&table};
#ifdef TWIN_HOOKS
static const struct taut_hook hooks[] = {TWIN_HOOKS};
#define BRINGS .hooks = TAUT_ARRAY(hooks)
#else
static const struct taut_method methods[] = {{.name = "twin.method", .run = call}};
static const struct taut_route routes[] = {{.method = "GET", .path = "/twin", .run = call}};
static const struct taut_socket_route sockets[] = {
    {.prefix = "/twin/", .name = "twin", .open = call, .frame = call, .close = closed}};
static const struct taut_command commands[] = {{.name = "twin command", .help = "there are two", .run = call}};
#define BRINGS                                                                                    \
    .methods = TAUT_ARRAY(methods), .routes = TAUT_ARRAY(routes), .sockets = TAUT_ARRAY(sockets), \
    .commands = TAUT_ARRAY(commands)
#endif

TAUT_MODULE(.name = TWIN_NAME, .version = "1", .license = "Apache-2.0", .summary = "one of two",
            .tables = TAUT_ARRAY(tables), BRINGS);
