/* commands.c - `taut workspace …` and `taut user …`, and the table of all commands of the directory. */
#include "internal.h"

enum { LIST_DEFAULT = 1000, LIST_MAX = 10000 };

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

static int32_t fail_name_taken(struct taut_call *c, const struct taut_workspace *ws, taut_str name) {
    return taut_fail_text(c, "name_taken",
                          taut_fmt(c, "workspace %.*s already has a user \"%.*s\"; choose another --name",
                                   (int)ws->domain.len, ws->domain.ptr, (int)name.len, name.ptr));
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
    taut_json_close(j, '}');
}

static int32_t on_workspace_create(struct taut_mod *m, struct taut_call *c) {
    char buf[DOMAIN_MAX_LEN];
    struct taut_workspace ws = {.name = taut_arg_str(c, WC_NAME), .domain = taut_arg_str(c, WC_DOMAIN)};
    struct taut_user owner = {.name = taut_arg_str(c, WC_OWNER), .real_name = taut_arg_str(c, WC_OWNER)};
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

/* ---- user ---- */

#define ARG_WORKSPACE \
    { .name = "workspace", .type = TAUT_ARG_STR, .help = "id or domain; may be left out when there is only one" }

enum { UC_NAME, UC_REAL_NAME, UC_EMAIL, UC_ADMIN, UC_OWNER, UC_BOT, UC_WORKSPACE };
static const struct taut_arg user_create_args[] = {
    [UC_NAME] = {.name = "name", .type = TAUT_ARG_STR, .flags = TAUT_ARG_REQUIRED, .help = NAME_RULE},
    [UC_REAL_NAME] = {.name = "real-name", .type = TAUT_ARG_STR, .help = "as people see it"},
    [UC_EMAIL] = {.name = "email", .type = TAUT_ARG_STR, .help = "email address"},
    [UC_ADMIN] = {.name = "admin", .type = TAUT_ARG_BOOL, .help = "may administer the workspace"},
    [UC_OWNER] = {.name = "owner", .type = TAUT_ARG_BOOL, .help = "owns the workspace; an admin too"},
    [UC_BOT] = {.name = "bot", .type = TAUT_ARG_BOOL, .help = "make a bot and its user"},
    [UC_WORKSPACE] = ARG_WORKSPACE,
};

static void write_user(struct taut_json *j, const struct taut_user *u) {
    taut_json_open(j, '{');
    taut_json_kstr(j, "id", u->id);
    taut_json_kstr(j, "name", u->name);
    taut_json_kstr(j, "real_name", u->real_name);
    if (u->email.len) taut_json_kstr(j, "email", u->email);
    if (u->bot.len) taut_json_kstr(j, "bot_id", u->bot);
    taut_json_kbool(j, "admin", (u->flags & TAUT_USER_ADMIN) != 0);
    taut_json_kbool(j, "owner", (u->flags & TAUT_USER_OWNER) != 0);
    taut_json_kbool(j, "deleted", (u->flags & TAUT_USER_DELETED) != 0);
    taut_json_close(j, '}');
}

static int32_t on_user_create(struct taut_mod *m, struct taut_call *c) {
    struct taut_user user = {.name = taut_arg_str(c, UC_NAME),
                             .real_name = taut_arg_str(c, UC_REAL_NAME),
                             .email = taut_arg_str(c, UC_EMAIL)};
    const int is_bot = taut_arg_int(c, UC_BOT, 0) != 0;
    const struct taut_workspace *ws;
    const struct taut_user *other;
    if (!user.real_name.len) user.real_name = user.name;
    if (taut_arg_int(c, UC_ADMIN, 0)) user.flags |= TAUT_USER_ADMIN;
    if (taut_arg_int(c, UC_OWNER, 0)) user.flags |= TAUT_USER_ADMIN | TAUT_USER_OWNER;
    if (is_bot && (user.flags || user.email.len))
        return taut_fail_text(c, "invalid_arguments",
                              TAUT_LIT("a bot has no --email and is neither --admin nor --owner"));
    TAUT_TRY(command_workspace(m, c, taut_arg_str(c, UC_WORKSPACE), &ws));
    TAUT_TRY(user_by_name(m, c, ws->id, user.name, &other));
    if (other) return fail_name_taken(c, ws, user.name);

    struct taut_batch *b = taut_batch(c);
    taut_batch_workspace(c, b, ws->id);
    if (is_bot) TAUT_TRY(bot_create(m, c, b, ws->id, user.name, &user.bot, &user.id));
    else TAUT_TRY(user_create(m, c, b, ws->id, &user, 0, &user.id));
    struct taut_json *j = taut_answer(c);
    taut_json_key(j, "user");
    write_user(j, &user);
    return taut_commit(c, b);
}

enum { UL_WORKSPACE, UL_LIMIT, UL_AFTER };
static const struct taut_arg user_list_args[] = {
    [UL_WORKSPACE] = ARG_WORKSPACE,
    [UL_LIMIT] = {.name = "limit", .type = TAUT_ARG_INT, .help = "how many, 1 to 10000; 1000 if left out"},
    [UL_AFTER] = {.name = "after", .type = TAUT_ARG_STR, .help = "id of the last user of the list before"},
};

static int32_t on_user_list(struct taut_mod *m, struct taut_call *c) {
    const struct taut_workspace *ws;
    int64_t limit = taut_arg_int(c, UL_LIMIT, LIST_DEFAULT);
    if (limit < 1 || limit > LIST_MAX)
        return taut_fail_text(c, "invalid_limit", TAUT_LIT("--limit is a number from 1 to 10000"));
    TAUT_TRY(command_workspace(m, c, taut_arg_str(c, UL_WORKSPACE), &ws));
    struct taut_val prefix = taut_v_str(ws->id);
    struct taut_scan scan = {.index = TAUT_SCAN_PRIMARY, .prefix = &prefix, .nprefix = 1, .limit = (uint32_t)limit};
    scan.lo = taut_v_opt(taut_arg_str(c, UL_AFTER));
    scan.lo_open = 1;
    const struct taut_rows *rows;
    TAUT_TRY(taut_scan(m, c, &users_table, &scan, &rows));
    struct taut_json *j = taut_answer(c);
    taut_json_kopen(j, "users", '[');
    for (uint32_t i = 0; i < rows->n; i++) {
        struct taut_user user = user_from_row(&rows->rows[i]);
        write_user(j, &user);
    }
    taut_json_close(j, ']');
    taut_json_kbool(j, "more", rows->more != 0);
    return taut_done(c);
}

enum { UD_USER, UD_WORKSPACE };
static const struct taut_arg user_deactivate_args[] = {
    [UD_USER] = {.name = "user",
                 .type = TAUT_ARG_STR,
                 .flags = TAUT_ARG_REQUIRED | TAUT_ARG_POSITIONAL,
                 .help = "name or id"},
    [UD_WORKSPACE] = ARG_WORKSPACE,
};

static int32_t on_user_deactivate(struct taut_mod *m, struct taut_call *c) {
    const struct taut_workspace *ws;
    const struct taut_user *user;
    TAUT_TRY(command_workspace(m, c, taut_arg_str(c, UD_WORKSPACE), &ws));
    TAUT_TRY(command_user(m, c, ws, taut_arg_str(c, UD_USER), &user));
    struct taut_batch *b = taut_batch(c);
    taut_batch_workspace(c, b, ws->id);
    struct taut_user shown = *user;
    if (!(user->flags & TAUT_USER_DELETED)) user_deactivate(m, c, b, ws->id, user);
    shown.flags |= TAUT_USER_DELETED;
    struct taut_json *j = taut_answer(c);
    taut_json_key(j, "user");
    write_user(j, &shown);
    return taut_commit(c, b);
}

/* ---- the table ---- */

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
     .help = "its id (K…), or the token itself"},
    ARG_WORKSPACE,
};

const struct taut_command directory_commands[DIRECTORY_COMMANDS] = {
    {"workspace create", "make a workspace and its owner", TAUT_ARRAY(workspace_create_args), 0, 0,
     on_workspace_create},
    {"workspace list", "list the workspaces", {0}, 0, 0, on_workspace_list},
    {"user create", "make a user or a bot", TAUT_ARRAY(user_create_args), 0, 0, on_user_create},
    {"user list", "list the users of a workspace", TAUT_ARRAY(user_list_args), 0, 0, on_user_list},
    {"user deactivate", "lock a user out; messages stay", TAUT_ARRAY(user_deactivate_args), 0, 0, on_user_deactivate},
    {"token create", "make a token for a user or a bot", TAUT_ARRAY(token_create_args), 0, 0, on_token_create},
    {"token list", "list tokens; their texts are not kept", TAUT_ARRAY(token_list_args), 0, 0, on_token_list},
    {"token revoke", "make a token useless and close its connections", TAUT_ARRAY(token_revoke_args), 0, 0,
     on_token_revoke},
};
