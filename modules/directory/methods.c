/* methods.c - api.test, auth.test, team.info, users.info, users.list, bots.info. */
#include "internal.h"
#include "taut/page.h"

enum { ECHO_MAX = 255 };

static taut_str public_url(struct taut_mod *m, struct taut_call *c) {
    taut_str url = taut_info(m)->public_url;
    return taut_fmt(c, "%.*s/", (int)url.len, url.ptr);
}

/* ---- api.test ---- */

enum { API_ERROR, API_FOO };
static const struct taut_arg api_test_args[] = {
    [API_ERROR] = {.name = "error", .type = TAUT_ARG_STR},
    [API_FOO] = {.name = "foo", .type = TAUT_ARG_STR},
};

static int32_t on_api_test(struct taut_mod *m, struct taut_call *c) {
    taut_str error = taut_arg_str(c, API_ERROR), foo = taut_arg_str(c, API_FOO);
    (void)m;
    if (error.len > ECHO_MAX) return taut_fail(c, "invalid_arguments");
    if (error.len) return taut_fail(c, taut_keep(c, error).ptr); /* taut_keep ends it with a NUL */
    struct taut_json *j = taut_answer(c);
    if (taut_arg_given(c, API_FOO)) {
        taut_json_kopen(j, "args", '{');
        taut_json_kstr(j, "foo", foo);
        taut_json_close(j, '}');
    }
    return taut_done(c);
}

/* ---- auth.test ---- */

static int32_t on_auth_test(struct taut_mod *m, struct taut_call *c) {
    const struct taut_actor *actor = c->actor;
    const struct taut_workspace *ws;
    const struct taut_user *user;
    TAUT_TRY(workspace_get(m, c, actor->workspace, &ws));
    TAUT_TRY(user_get(m, c, actor->workspace, actor->user, &user));
    if (!ws || !user) return taut_fail(c, "invalid_auth");
    struct taut_json *j = taut_answer(c);
    taut_json_kstr(j, "url", public_url(m, c));
    taut_json_kstr(j, "team", ws->name);
    taut_json_kstr(j, "user", user->name);
    taut_json_kstr(j, "team_id", ws->id);
    taut_json_kstr(j, "user_id", user->id);
    if (actor->bot.len) taut_json_kstr(j, "bot_id", actor->bot);
    taut_json_kbool(j, "is_enterprise_install", 0);
    return taut_done(c);
}

/* ---- team.info ---- */

enum { TEAM_TEAM, TEAM_DOMAIN };
static const struct taut_arg team_info_args[] = {
    [TEAM_TEAM] = {.name = "team", .type = TAUT_ARG_STR},
    [TEAM_DOMAIN] = {.name = "domain", .type = TAUT_ARG_STR},
};

static int32_t on_team_info(struct taut_mod *m, struct taut_call *c) {
    taut_str team = taut_arg_str(c, TEAM_TEAM), domain = taut_arg_str(c, TEAM_DOMAIN);
    const struct taut_workspace *ws;
    TAUT_TRY(workspace_get(m, c, c->actor->workspace, &ws));
    if (!ws || (team.len && !taut_str_eq(team, ws->id)) || (domain.len && !taut_str_eq(domain, ws->domain)))
        return taut_fail(c, "team_not_found");
    struct taut_json *j = taut_answer(c);
    taut_json_key(j, "team");
    shape_team(j, ws, public_url(m, c));
    return taut_done(c);
}

/* ---- users.info ---- */

enum { UINFO_USER, UINFO_LOCALE };
static const struct taut_arg users_info_args[] = {
    [UINFO_USER] = {.name = "user", .type = TAUT_ARG_STR, .flags = TAUT_ARG_REQUIRED, .missing = "user_not_found"},
    [UINFO_LOCALE] = {.name = "include_locale", .type = TAUT_ARG_BOOL},
};

static int32_t on_users_info(struct taut_mod *m, struct taut_call *c) {
    const struct taut_user *user;
    struct shape_user_opts opts = {.image = avatar_url(m, c), .locale = taut_arg_int(c, UINFO_LOCALE, 0) != 0};
    TAUT_TRY(user_get(m, c, c->actor->workspace, taut_arg_str(c, UINFO_USER), &user));
    if (!user) return taut_fail(c, "user_not_found");
    struct taut_json *j = taut_answer(c);
    taut_json_key(j, "user");
    shape_user(j, c->actor->workspace, user, opts);
    return taut_done(c);
}

/* ---- users.list ---- */

enum { ULIST_CURSOR, ULIST_LIMIT, ULIST_LOCALE, ULIST_TEAM };
static const struct taut_arg users_list_args[] = {
    [ULIST_CURSOR] = {.name = "cursor", .type = TAUT_ARG_STR},
    [ULIST_LIMIT] = {.name = "limit", .type = TAUT_ARG_STR},
    [ULIST_LOCALE] = {.name = "include_locale", .type = TAUT_ARG_BOOL},
    [ULIST_TEAM] = {.name = "team_id", .type = TAUT_ARG_STR},
};

static int32_t on_users_list(struct taut_mod *m, struct taut_call *c) {
    taut_str workspace = c->actor->workspace, team = taut_arg_str(c, ULIST_TEAM), after;
    struct shape_user_opts opts = {.image = avatar_url(m, c), .locale = taut_arg_int(c, ULIST_LOCALE, 0) != 0};
    struct taut_val prefix = taut_v_str(workspace);
    struct taut_scan scan = {
        .size = sizeof scan, .index = TAUT_SCAN_PRIMARY, .prefix = &prefix, .nprefix = 1, .lo_open = 1};
    TAUT_TRY(taut_limit_arg(c, ULIST_LIMIT, TAUT_PAGE_MAX, &scan.limit));
    TAUT_TRY(taut_cursor_arg(c, ULIST_CURSOR, "user", &after));
    if (team.len && !taut_str_eq(team, workspace)) return taut_fail(c, "team_not_found");
    scan.lo = taut_v_opt(after);
    const struct taut_rows *rows;
    TAUT_TRY(taut_scan(m, c, &users_table, &scan, &rows));

    struct taut_json *j = taut_answer(c);
    taut_json_kopen(j, "members", '[');
    for (uint32_t i = 0; i < rows->n; i++) {
        struct taut_user user = user_from_row(&rows->rows[i]);
        shape_user(j, workspace, &user, opts);
    }
    taut_json_close(j, ']');
    taut_json_kint(j, "cache_ts", now_seconds(m));
    if (rows->more) taut_cursor_answer(c, "user", taut_row_str(&rows->rows[rows->n - 1], USER_ID));
    return taut_done(c);
}

/* ---- bots.info ---- */

enum { BINFO_BOT, BINFO_TEAM };
static const struct taut_arg bots_info_args[] = {
    [BINFO_BOT] = {.name = "bot", .type = TAUT_ARG_STR},
    [BINFO_TEAM] = {.name = "team_id", .type = TAUT_ARG_STR},
};

/* Without `bot` a bot asks about itself. */
static int32_t on_bots_info(struct taut_mod *m, struct taut_call *c) {
    taut_str id = taut_arg_str(c, BINFO_BOT), team = taut_arg_str(c, BINFO_TEAM);
    const struct taut_bot *bot;
    if (!id.len) id = c->actor->bot;
    if (!id.len) return taut_fail(c, "missing_argument");
    if (team.len && !taut_str_eq(team, c->actor->workspace)) return taut_fail(c, "team_not_found");
    TAUT_TRY(bot_get(m, c, c->actor->workspace, id, &bot));
    if (!bot) return taut_fail(c, "bot_not_found");
    struct taut_json *j = taut_answer(c);
    taut_json_key(j, "bot");
    shape_bot(j, bot);
    return taut_done(c);
}

const struct taut_method directory_methods[DIRECTORY_METHODS] = {
    {.name = "api.test",
     .args = TAUT_ARRAY(api_test_args),
     .rate = TAUT_RATE_TIER4,
     .flags = TAUT_METHOD_NOAUTH,
     .run = on_api_test},
    {.name = "auth.test", .rate = TAUT_RATE_SPECIAL, .run = on_auth_test},
    {.name = "team.info",
     .args = TAUT_ARRAY(team_info_args),
     .scopes = "team:read",
     .rate = TAUT_RATE_TIER3,
     .run = on_team_info},
    {.name = "users.info",
     .args = TAUT_ARRAY(users_info_args),
     .scopes = "users:read",
     .rate = TAUT_RATE_TIER4,
     .run = on_users_info},
    {.name = "users.list",
     .args = TAUT_ARRAY(users_list_args),
     .scopes = "users:read",
     .rate = TAUT_RATE_TIER2,
     .run = on_users_list},
    {.name = "bots.info",
     .args = TAUT_ARRAY(bots_info_args),
     .scopes = "users:read",
     .rate = TAUT_RATE_TIER3,
     .run = on_bots_info},
};
