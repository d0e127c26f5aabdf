/* module.c - directory: workspaces, people, bots and tokens. Provides directory/1 and auth/1. */
#include <sodium.h>

#include "internal.h"

enum { GREET_MS = 3000 /* after the start: who starts it with a command that makes a workspace needs no advice */ };

static const struct taut_directory_v1 directory_v1 = {
    .size = sizeof directory_v1,
    .workspace = workspace_get,
    .user = user_get,
    .bot = bot_get,
    .workspaces = workspaces_offered,
    .user_by_name = user_by_name,
    .workspace_create = workspace_create,
    .user_create = user_create,
    .bot_create = bot_create,
    .token_create = token_create,
    .token_check = token_check,
    .token_live = token_live,
};
static const struct taut_auth_v1 auth_v1 = {.size = sizeof auth_v1, .resolve = auth_resolve};

static int32_t init(struct taut_mod *m) {
    if (sodium_init() < 0) {
        taut_log(m, TAUT_LOG_ERROR, "sodium", "libsodium does not start: no source of randomness");
        return TAUT_E_UNAVAILABLE;
    }
    TAUT_TRY(taut_svc_provide(m, "directory", 1, &directory_v1, m));
    return taut_svc_provide(m, "auth", 1, &auth_v1, m);
}

/* Who starts an empty server is told what comes next. */
static int32_t greet(struct taut_mod *m, struct taut_call *c) {
    const struct taut_workspace *list;
    uint32_t n;
    TAUT_TRY(workspace_list(m, c, &list, &n));
    if (!n)
        taut_log(
            m, TAUT_LOG_INFO, "empty",
            "there is no workspace yet; make one: taut workspace create --name \"Our team\" --domain our --owner ada");
    return taut_done(c);
}

static void on_greet(struct taut_mod *m, void *arg) {
    (void)arg;
    taut_task(m, NULL, greet, NULL, NULL);
}

static void start(struct taut_mod *m, taut_op op) {
    taut_timer_start(m, GREET_MS, 0, on_greet, NULL);
    taut_op_complete(m, op, TAUT_OK, NULL, NULL);
}

static const struct taut_table *const tables[] = {&workspaces_table, &users_table, &bots_table, &tokens_table};
static const struct taut_route routes[] = {
    {.method = "GET", .path = "/", .run = on_page},
    {.method = "GET", .path = AVATAR_PATH, .run = on_avatar},
};

TAUT_MODULE(.name = "directory", .version = "0.1.0", .license = "Apache-2.0",
            .summary = "workspaces, people, bots and tokens", .flags = TAUT_MODULE_STANDARD,
            .provides = TAUT_LIST("directory/1", "auth/1"), .needs = TAUT_LIST("storage/1"),
            .tables = TAUT_ARRAY(tables), .methods = TAUT_ARRAY(directory_methods), .routes = TAUT_ARRAY(routes),
            .commands = TAUT_ARRAY(directory_commands), .init = init, .start = start);
