/* commands.c - `taut workspace …`, and the table of all commands of the directory with their arguments. */
#include "internal.h"

/* ---- which workspace, which user ---- */

static int32_t fail_which(struct taut_call *c, const struct taut_workspace *list, uint32_t n) {
    struct taut_json *names = taut_json_scratch(c); /* a text that grows, not JSON */
    for (uint32_t i = 0; i < n && i < 10; i++) {
        if (i) taut_json_raw(names, ", ", 2);
        taut_json_raw(names, list[i].domain.ptr, list[i].domain.len);
    }
    taut_str all = taut_json_out(names);
    return taut_fail_text(c, "which_workspace",
                          taut_fmt(c, "there are %u workspaces (%.*s%s): say which with --workspace ID or DOMAIN", n,
                                   (int)all.len, all.ptr, n > 10 ? ", …" : ""));
}

int32_t command_workspace(struct taut_mod *m, struct taut_call *c, taut_str given, const struct taut_workspace **out) {
    const struct taut_workspace *list;
    uint32_t n;
    TAUT_TRY(workspace_list(m, c, &list, &n));
    if (n == 0)
        return taut_fail_text(
            c, "no_workspace",
            TAUT_LIT("there is no workspace yet; make one: taut workspace create --name NAME --owner NAME"));
    for (uint32_t i = 0; i < n; i++) {
        if (given.len ? taut_str_eq(given, list[i].id) || taut_str_eq(given, list[i].domain) : n == 1) {
            *out = &list[i];
            return TAUT_OK;
        }
    }
    if (!given.len) return fail_which(c, list, n);
    return taut_fail_text(c, "workspace_not_found",
                          taut_fmt(c, "there is no workspace with the id or domain \"%.*s\"; see: taut workspace list",
                                   (int)given.len, given.ptr));
}

int32_t command_user(struct taut_mod *m, struct taut_call *c, const struct taut_workspace *ws, taut_str given,
                     const struct taut_user **out) {
    if (given.len && given.ptr[0] == '@') given = taut_str_n(given.ptr + 1, given.len - 1);
    TAUT_TRY(user_by_name(m, c, ws->id, given, out));
    if (!*out) TAUT_TRY(user_get(m, c, ws->id, given, out));
    if (*out) return TAUT_OK;
    return taut_fail_text(c, "user_not_found",
                          taut_fmt(c, "workspace %.*s has no user with the name or id \"%.*s\"; see: taut user list",
                                   (int)ws->domain.len, ws->domain.ptr, (int)given.len, given.ptr));
}

/* ---- workspace ---- */

enum { WC_NAME, WC_DOMAIN, WC_OWNER };
static const struct taut_arg workspace_create_args[] = {
    [WC_NAME] = {.name = "name", .type = TAUT_ARG_STR, .flags = TAUT_ARG_REQUIRED, .help = "its name for people"},
    [WC_DOMAIN] = {.name = "domain", .type = TAUT_ARG_STR, .help = "its short name; made of the name if left out"},
    [WC_OWNER] = {.name = "owner",
                  .type = TAUT_ARG_STR,
                  .flags = TAUT_ARG_REQUIRED,
                  .help = "name of its first user, who owns it"},
};

static void write_workspace(struct taut_json *j, const struct taut_workspace *ws) {
    taut_json_open(j, '{');
    taut_json_kstr(j, "id", ws->id);
    taut_json_kstr(j, "name", ws->name);
    taut_json_kstr(j, "domain", ws->domain);
    taut_json_kbool(j, "revoked", ws->revoked != 0);
    taut_json_close(j, '}');
}

static int32_t on_workspace_create(struct taut_mod *m, struct taut_call *c) {
    char buf[DOMAIN_MAX_LEN];
    struct taut_workspace ws = {
        .size = sizeof ws, .name = taut_arg_str(c, WC_NAME), .domain = taut_arg_str(c, WC_DOMAIN)};
    struct taut_user owner = {
        .size = sizeof owner, .name = taut_arg_str(c, WC_OWNER), .real_name = taut_arg_str(c, WC_OWNER)};
    if (!ws.domain.len) ws.domain = taut_keep(c, domain_from_name(ws.name, buf));
    const struct taut_workspace *list;
    uint32_t n;
    TAUT_TRY(workspace_list(m, c, &list, &n));
    for (uint32_t i = 0; i < n; i++) {
        if (taut_str_eq(list[i].domain, ws.domain))
            return taut_fail_text(c, "domain_taken",
                                  taut_fmt(c, "there is a workspace with the domain \"%.*s\"; choose another --domain",
                                           (int)ws.domain.len, ws.domain.ptr));
    }
    taut_str owner_id, token, token_id;
    struct taut_batch *b = taut_batch(c);
    TAUT_TRY(workspace_create(m, c, b, &ws, &owner, &ws.id, &owner_id));
    TAUT_TRY(token_create(m, c, b, ws.id, owner_id, no_str(), &token, &token_id));
    struct taut_json *j = taut_answer(c);
    taut_json_key(j, "workspace");
    write_workspace(j, &ws);
    taut_json_kopen(j, "owner", '{');
    taut_json_kstr(j, "id", owner_id);
    taut_json_kstr(j, "name", owner.name);
    taut_json_close(j, '}');
    taut_json_kstr(j, "token", token);
    return taut_commit(c, b);
}

static int32_t on_workspace_list(struct taut_mod *m, struct taut_call *c) {
    const struct taut_workspace *list;
    uint32_t n;
    TAUT_TRY(workspace_list(m, c, &list, &n));
    struct taut_json *j = taut_answer(c);
    taut_json_kopen(j, "workspaces", '[');
    for (uint32_t i = 0; i < n; i++) write_workspace(j, &list[i]);
    taut_json_close(j, ']');
    return taut_done(c);
}

enum { WR_WORKSPACE };
static const struct taut_arg workspace_revoke_args[] = {
    [WR_WORKSPACE] = {.name = "workspace",
                      .type = TAUT_ARG_STR,
                      .flags = TAUT_ARG_REQUIRED | TAUT_ARG_POSITIONAL,
                      .help = "id or domain"},
};

static int32_t set_revoked(struct taut_mod *m, struct taut_call *c, int revoked) {
    const struct taut_workspace *found;
    TAUT_TRY(command_workspace(m, c, taut_arg_str(c, WR_WORKSPACE), &found));
    struct taut_workspace ws = *found;
    struct taut_batch *b = taut_batch(c);
    taut_batch_workspace(c->mod, b, ws.id);
    workspace_set_revoked(m, b, &ws, revoked);
    ws.revoked = revoked != 0;
    struct taut_json *j = taut_answer(c);
    taut_json_key(j, "workspace");
    write_workspace(j, &ws);
    return taut_commit(c, b);
}

static int32_t on_workspace_revoke(struct taut_mod *m, struct taut_call *c) {
    return set_revoked(m, c, 1);
}

static int32_t on_workspace_activate(struct taut_mod *m, struct taut_call *c) {
    return set_revoked(m, c, 0);
}

/* ---- the table ---- */

static const struct taut_arg user_create_args[] = {
    {.name = "name", .type = TAUT_ARG_STR, .flags = TAUT_ARG_REQUIRED, .help = NAME_RULE},
    {.name = "real-name", .type = TAUT_ARG_STR, .help = "as people see it"},
    {.name = "email", .type = TAUT_ARG_STR, .help = "email address"},
    {.name = "admin", .type = TAUT_ARG_BOOL, .help = "may administer the workspace"},
    {.name = "owner", .type = TAUT_ARG_BOOL, .help = "owns the workspace; an admin too"},
    {.name = "bot", .type = TAUT_ARG_BOOL, .help = "make a bot and its user"},
    ARG_WORKSPACE,
};
static const struct taut_arg user_list_args[] = {
    ARG_WORKSPACE,
    {.name = "limit", .type = TAUT_ARG_INT, .help = "how many, 1 to 10000; 1000 if left out"},
    {.name = "after", .type = TAUT_ARG_STR, .help = "id of the last user of the list before"},
};
#define ARG_USER \
    { .name = "user", .type = TAUT_ARG_STR, .flags = TAUT_ARG_REQUIRED | TAUT_ARG_POSITIONAL, .help = "name or id" }
static const struct taut_arg user_revoke_args[] = {
    ARG_USER,
    ARG_WORKSPACE,
    {.name = "force", .type = TAUT_ARG_BOOL, .help = "also the last owner of the workspace"},
};
static const struct taut_arg user_activate_args[] = {ARG_USER, ARG_WORKSPACE};
static const struct taut_arg token_create_args[] = {
    {.name = "user", .type = TAUT_ARG_STR, .help = "name or id of the user it is for"},
    {.name = "bot", .type = TAUT_ARG_STR, .help = "name or id of the bot it is for"},
    ARG_WORKSPACE,
};
static const struct taut_arg token_list_args[] = {
    {.name = "user", .type = TAUT_ARG_STR, .help = "only those of this user: name or id"},
    ARG_WORKSPACE,
    {.name = "limit", .type = TAUT_ARG_INT, .help = "how many, 1 to 10000; 1000 if left out"},
};
static const struct taut_arg token_revoke_args[] = {
    {.name = "token",
     .type = TAUT_ARG_STR,
     .flags = TAUT_ARG_REQUIRED | TAUT_ARG_POSITIONAL,
     .help = "its id (K…); the token itself does too, but others on this machine can read it there"},
    ARG_WORKSPACE,
};

const struct taut_command directory_commands[DIRECTORY_COMMANDS] = {
    {"workspace create", "make a workspace and its owner", TAUT_ARRAY(workspace_create_args), TAUT_CMD_CREATES, 0,
     on_workspace_create},
    {"workspace list", "list the workspaces", {0}, 0, 0, on_workspace_list},
    {"workspace revoke", "lock everybody out of a workspace; its data stays", TAUT_ARRAY(workspace_revoke_args), 0, 0,
     on_workspace_revoke},
    {"workspace activate", "let everybody in again", TAUT_ARRAY(workspace_revoke_args), 0, 0, on_workspace_activate},
    {"user create", "make a user or a bot", TAUT_ARRAY(user_create_args), 0, 0, on_user_create},
    {"user list", "list the users and bots of a workspace", TAUT_ARRAY(user_list_args), 0, 0, on_user_list},
    {"user revoke", "lock a user or a bot out; messages stay", TAUT_ARRAY(user_revoke_args), 0, 0, on_user_revoke},
    {"user deactivate", "the same as user revoke", TAUT_ARRAY(user_revoke_args), 0, 0, on_user_revoke},
    {"user activate", "let a user or a bot in again", TAUT_ARRAY(user_activate_args), 0, 0, on_user_activate},
    {"token create", "make a token for a user or a bot", TAUT_ARRAY(token_create_args), 0, 0, on_token_create},
    {"token list", "list tokens; their texts are not kept", TAUT_ARRAY(token_list_args), 0, 0, on_token_list},
    {"token revoke", "make a token useless and close its connections", TAUT_ARRAY(token_revoke_args), 0, 0,
     on_token_revoke},
};
