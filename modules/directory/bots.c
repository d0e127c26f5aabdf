/* bots.c - bots. A bot (B…) has a user (U…) of its own, by which it is a member of channels and an author. Until there
 * are apps each bot is an app of its own: clients expect the id of one. */
#include "internal.h"

/* A… of a bot that came with no app: always the same for the same bot. */
static taut_str app_of(struct taut_call *c, taut_str bot) {
    return taut_fmt(c, "A%.*s", (int)bot.len - 1, bot.ptr + 1);
}

int32_t bot_get(void *self, struct taut_call *c, taut_str workspace, taut_str id, const struct taut_bot **out) {
    const struct taut_row *row;
    *out = NULL;
    TAUT_TRY(taut_get(self, c, &bots_table, TAUT_KEY(taut_v_str(workspace), taut_v_str(id)), &row));
    if (!row) return TAUT_OK;
    struct taut_bot *bot = taut_scratch(c, sizeof *bot);
    *bot = (struct taut_bot){
        .size = sizeof *bot,
        .id = taut_row_str(row, BOT_ID),
        .user = taut_row_str(row, BOT_USER),
        .app = taut_row_str(row, BOT_APP),
        .name = taut_row_str(row, BOT_NAME),
        .deleted = taut_row_int(row, BOT_DELETED) != 0,
        .updated = taut_row_int(row, BOT_UPDATED),
    };
    if (!bot->app.len) bot->app = app_of(c, bot->id);
    *out = bot;
    return TAUT_OK;
}

int32_t bot_create(void *self, struct taut_call *c, struct taut_batch *b, taut_str workspace, taut_str name,
                   taut_str *bot_id, taut_str *user_id) {
    struct taut_mod *m = self;
    char bot_buf[12], user_buf[12];
    struct taut_user user = {
        .size = sizeof user, .name = name, .real_name = name, .flags = TAUT_USER_BOT, .updated = now_seconds(m)};
    TAUT_TRY(user_check(c, &user));
    user.id = *user_id = taut_keep(c, taut_id_new(m, 'U', user_buf));
    user.bot = *bot_id = taut_keep(c, taut_id_new(m, 'B', bot_buf));

    user_insert(m, b, workspace, &user);
    struct taut_val vals[BOT_COLS] = {
        [BOT_WORKSPACE] = taut_v_str(workspace),
        [BOT_ID] = taut_v_str(user.bot),
        [BOT_USER] = taut_v_str(user.id),
        [BOT_APP] = taut_v_null(),
        [BOT_NAME] = taut_v_str(name),
        [BOT_DELETED] = taut_v_int(0),
        [BOT_UPDATED] = taut_v_int(user.updated),
    };
    taut_insert(m, b, &bots_table, vals, BOT_COLS);
    user_event(m, c, b, "team_join", workspace, &user);
    return TAUT_OK;
}
