/* token_commands.c - `taut token create|list|revoke`. Their argument tables stand in commands.c. */
#include <time.h>

#include "internal.h"

/* ---- create ---- */

enum { TC_USER, TC_BOT, TC_WORKSPACE };

/* The user of the bot that was named: by the bot's id, by its user's id or name. */
static int32_t bot_user(struct taut_mod *m, struct taut_call *c, const struct taut_workspace *ws, taut_str given,
                        const struct taut_user **out) {
    const struct taut_bot *bot;
    *out = NULL;
    TAUT_TRY(bot_get(m, c, ws->id, given, &bot));
    if (bot) TAUT_TRY(user_get(m, c, ws->id, bot->user, out));
    if (!*out) TAUT_TRY(user_by_name(m, c, ws->id, given, out));
    if (!*out) TAUT_TRY(user_get(m, c, ws->id, given, out));
    if (*out && (*out)->bot.len) return TAUT_OK;
    return taut_fail_text(c, "bot_not_found",
                          taut_fmt(c,
                                   "workspace %.*s has no bot with the name or id \"%.*s\"; make one: taut user create "
                                   "--bot --name NAME",
                                   (int)ws->domain.len, ws->domain.ptr, (int)given.len, given.ptr));
}

int32_t on_token_create(struct taut_mod *m, struct taut_call *c) {
    taut_str user_name = taut_arg_str(c, TC_USER), bot_name = taut_arg_str(c, TC_BOT), token, id;
    const struct taut_workspace *ws;
    const struct taut_user *user;
    if ((user_name.len > 0) == (bot_name.len > 0))
        return taut_fail_text(c, "invalid_arguments", TAUT_LIT("say who it is for: either --user or --bot"));
    TAUT_TRY(command_workspace(m, c, taut_arg_str(c, TC_WORKSPACE), &ws));
    if (bot_name.len) TAUT_TRY(bot_user(m, c, ws, bot_name, &user));
    else TAUT_TRY(command_user(m, c, ws, user_name, &user));
    if (user->flags & TAUT_USER_DELETED)
        return taut_fail_text(c, "account_inactive",
                              taut_fmt(c, "user %.*s is deactivated; its tokens would be good for nothing",
                                       (int)user->name.len, user->name.ptr));
    struct taut_batch *b = taut_batch(c);
    TAUT_TRY(token_create(m, c, b, ws->id, user->id, user->bot, &token, &id));
    struct taut_json *j = taut_answer(c);
    taut_json_kstr(j, "id", id);
    taut_json_kstr(j, "token", token);
    taut_json_kstr(j, "user_id", user->id);
    if (user->bot.len) taut_json_kstr(j, "bot_id", user->bot);
    return taut_commit(c, b);
}

/* ---- list ---- */

enum { TL_USER, TL_WORKSPACE, TL_LIMIT };

/* "2026-11-24T05:27:33Z"; empty for NULL. */
static taut_str time_text(struct taut_call *c, const struct taut_row *row, uint32_t col) {
    const time_t at = (time_t)taut_row_int(row, col);
    char text[32];
    struct tm tm;
    if (taut_row_null(row, col) || !gmtime_r(&at, &tm)) return no_str();
    return taut_keep(c, taut_str_n(text, strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm)));
}

static void write_token(struct taut_call *c, struct taut_json *j, const struct taut_row *row,
                        const struct taut_user *user) {
    taut_json_open(j, '{');
    taut_json_kstr(j, "id", taut_row_str(row, TOKEN_ID));
    taut_json_kstr(j, "user", user ? user->name : no_str());
    taut_json_kstr(j, "user_id", taut_row_str(row, TOKEN_USER));
    taut_json_kstr(j, "bot_id", taut_row_str(row, TOKEN_BOT));
    taut_json_kstr(j, "created", time_text(c, row, TOKEN_CREATED));
    taut_json_kstr(j, "revoked", time_text(c, row, TOKEN_REVOKED));
    taut_json_close(j, '}');
}

/* Whose the tokens are. */
static int32_t token_users(struct taut_mod *m, struct taut_call *c, taut_str workspace, const struct taut_rows *rows,
                           const struct taut_user ***out) {
    const struct taut_user **users = taut_scratch(c, (rows->n + 1) * sizeof(struct taut_user *));
    int32_t err = TAUT_OK;
    for (uint32_t i = 0; i < rows->n; i++) {
        int32_t got = user_get(m, c, workspace, taut_row_str(&rows->rows[i], TOKEN_USER), &users[i]);
        if (got < 0) err = got;
    }
    *out = users;
    return err;
}

int32_t on_token_list(struct taut_mod *m, struct taut_call *c) {
    taut_str name = taut_arg_str(c, TL_USER);
    int64_t limit = taut_arg_int(c, TL_LIMIT, COMMAND_LIST_DEFAULT);
    const struct taut_workspace *ws;
    const struct taut_user *user;
    if (limit < 1 || limit > COMMAND_LIST_MAX)
        return taut_fail_text(c, "invalid_limit", TAUT_LIT("--limit is a number from 1 to 10000"));
    TAUT_TRY(command_workspace(m, c, taut_arg_str(c, TL_WORKSPACE), &ws));
    struct taut_val prefix[2] = {taut_v_str(ws->id)};
    struct taut_scan scan = {
        .size = sizeof scan, .index = TOKEN_BY_ID, .prefix = prefix, .nprefix = 1, .limit = (uint32_t)limit};
    if (name.len) {
        TAUT_TRY(command_user(m, c, ws, name, &user));
        prefix[1] = taut_v_str(user->id);
        scan.index = TOKEN_BY_USER;
        scan.nprefix = 2;
    }
    const struct taut_rows *rows;
    const struct taut_user **users;
    TAUT_TRY(taut_scan(m, c, &tokens_table, &scan, &rows));
    TAUT_TRY(token_users(m, c, ws->id, rows, &users));
    struct taut_json *j = taut_answer(c);
    taut_json_kopen(j, "tokens", '[');
    for (uint32_t i = 0; i < rows->n; i++) write_token(c, j, &rows->rows[i], users[i]);
    taut_json_close(j, ']');
    taut_json_kbool(j, "more", rows->more != 0);
    return taut_done(c);
}

/* ---- revoke ---- */

enum { TR_TOKEN, TR_WORKSPACE };

/* What may be a token, of another server perhaps, is not repeated; an id is. */
static int32_t fail_token_not_found(struct taut_call *c, taut_str given) {
    if (given.len && given.ptr[0] != 'K')
        return taut_fail_text(c, "token_not_found", TAUT_LIT("there is no such token here; see: taut token list"));
    return taut_fail_text(
        c, "token_not_found",
        taut_fmt(c, "there is no token with the id \"%.*s\" here; see: taut token list", (int)given.len, given.ptr));
}

int32_t on_token_revoke(struct taut_mod *m, struct taut_call *c) {
    taut_str given = taut_arg_str(c, TR_TOKEN);
    const struct taut_row *row;
    TAUT_TRY(token_row(m, c, given, &row));
    if (!row) {
        const struct taut_workspace *ws;
        TAUT_TRY(command_workspace(m, c, taut_arg_str(c, TR_WORKSPACE), &ws));
        TAUT_TRY(token_row_by_id(m, c, ws->id, given, &row));
    }
    if (!row) return fail_token_not_found(c, given);
    struct taut_batch *b = taut_batch(c);
    taut_batch_workspace(c->mod, b, taut_row_str(row, TOKEN_WORKSPACE));
    if (taut_row_null(row, TOKEN_REVOKED)) token_revoke(m, b, row);
    struct taut_json *j = taut_answer(c);
    taut_json_kstr(j, "id", taut_row_str(row, TOKEN_ID));
    taut_json_kbool(j, "revoked", 1);
    return taut_commit(c, b);
}
