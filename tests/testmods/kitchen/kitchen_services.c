/* kitchen_services.c - the services directory/1 and conversation/1, as their consumers use them. */
#include "kitchen.h"

enum { USER, NAME, BOT, TOKEN, CHANNEL };

static const struct taut_directory_v1 *dir(const struct taut_mod *m) {
    return kitchen_of(m)->directory->vtable;
}
static void *dir_self(const struct taut_mod *m) {
    return kitchen_of(m)->directory->self;
}
static const struct taut_conversation_v1 *conv(const struct taut_mod *m) {
    return kitchen_of(m)->conversation->vtable;
}
static void *conv_self(const struct taut_mod *m) {
    return kitchen_of(m)->conversation->self;
}

int32_t kitchen_directory(struct taut_mod *m, struct taut_call *c) {
    const struct taut_workspace *ws;
    const struct taut_user *user, *named;
    const struct taut_bot *bot;
    struct taut_array all;
    taut_str workspace = c->actor->workspace, token_id;
    uint32_t live;
    TAUT_TRY(dir(m)->workspace(dir_self(m), c, workspace, &ws));
    TAUT_TRY(dir(m)->workspaces(dir_self(m), c, &all));
    TAUT_TRY(dir(m)->user(dir_self(m), c, workspace, taut_arg_str(c, USER), &user));
    TAUT_TRY(dir(m)->user_by_name(dir_self(m), c, workspace, taut_arg_str(c, NAME), &named));
    TAUT_TRY(dir(m)->bot(dir_self(m), c, workspace, taut_arg_str(c, BOT), &bot));
    TAUT_TRY(dir(m)->token_check(dir_self(m), c, taut_arg_str(c, TOKEN), &token_id));
    TAUT_TRY(dir(m)->token_live(dir_self(m), c, workspace, c->actor->token, &live));
    struct taut_json *j = taut_answer(c);
    taut_json_kstr(j, "domain", ws ? ws->domain : TAUT_NONE);
    taut_json_kint(j, "workspaces", all.len);
    taut_json_kstr(j, "user", user ? user->name : TAUT_NONE);
    taut_json_kbool(j, "same", user && named && taut_str_eq(user->id, named->id));
    taut_json_kstr(j, "bot", bot ? bot->name : TAUT_NONE);
    taut_json_kbool(j, "token", taut_str_eq(token_id, c->actor->token));
    taut_json_kint(j, "live", live);
    return taut_done(c);
}

/* What the actor may do in a channel. */
int32_t kitchen_conversation(struct taut_mod *m, struct taut_call *c) {
    const struct taut_channel *ch, *named;
    const struct taut_topic *topics;
    uint32_t n;
    uint64_t as_of;
    TAUT_TRY(conv(m)->channel(conv_self(m), c, taut_arg_str(c, CHANNEL), &ch));
    TAUT_TRY(conv(m)->channel_by_name(conv_self(m), c, c->actor->workspace, ch->name, &named));
    TAUT_TRY(conv(m)->may(conv_self(m), c, TAUT_ACT_READ, ch, TAUT_NONE, NULL));
    TAUT_TRY(conv(m)->topics(conv_self(m), c, c->actor->workspace, c->actor->user, &topics, &n, &as_of));
    struct taut_json *j = taut_answer(c);
    taut_json_kstr(j, "name", ch->name);
    taut_json_kbool(j, "is_public", ch->kind == TAUT_CH_PUBLIC);
    taut_json_kbool(j, "same", named && taut_str_eq(named->id, ch->id));
    taut_json_kbool(j, "topics", n >= 3 && topics[0].name.len > 0);
    taut_json_kbool(j, "has_position", as_of > 0);
    return taut_done(c);
}

/* A post through the service, with a thing in the same batch. */
int32_t kitchen_say(struct taut_mod *m, struct taut_call *c) {
    const struct taut_new_message post = {
        .size = sizeof post, .channel = taut_arg_str(c, CHANNEL), .text = taut_arg_str(c, NAME)};
    struct taut_posted posted = {.size = sizeof posted}, kept;
    struct taut_batch *b = taut_batch(c);
    TAUT_TRY(conv(m)->post(conv_self(m), c, b, &post, &posted));
    taut_upsert(m, b, &kitchen_things,
                TAUT_KEY(taut_v_str(c->actor->workspace), taut_v_str(TAUT_LIT("said")), taut_v_int(1)));
    taut_copy_sized(&kept, sizeof kept, &posted);
    taut_json_kstr(taut_answer(c), "text", kept.text);
    return taut_commit(c, b);
}

/* ---- a command: a workspace with all that belongs to it, in one batch ---- */

static int32_t members(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, taut_str ws, taut_str user,
                       taut_str *channel) {
    const struct taut_channel spec = {
        .size = sizeof spec, .kind = TAUT_CH_PUBLIC, .name = TAUT_LIT("pots"), .creator = user};
    int64_t now = taut_stamp_us(c, 0);
    TAUT_TRY(conv(m)->channel_import(conv_self(m), c, b, ws, &spec, channel));
    TAUT_TRY(conv(m)->member_import(conv_self(m), c, b, ws, *channel, user, now));
    TAUT_TRY(conv(m)->message_import(conv_self(m), c, b, ws, *channel, user, now, 0, TAUT_LIT("the first")));
    return conv(m)->channel_touch(conv_self(m), c, b, ws, *channel, now);
}

int32_t kitchen_provision(struct taut_mod *m, struct taut_call *c) {
    const struct taut_workspace spec = {.size = sizeof spec, .name = taut_arg_str(c, 0), .domain = taut_arg_str(c, 0)};
    const struct taut_user cook = {
        .size = sizeof cook, .name = TAUT_LIT("cook"), .email = TAUT_LIT("cook@example.org")};
    const struct taut_user help = {
        .size = sizeof help, .name = TAUT_LIT("help"), .email = TAUT_LIT("help@example.org")};
    struct taut_batch *b = taut_batch(c);
    taut_str ws, owner, user, bot, bot_user, token, token_id, channel;
    TAUT_TRY(dir(m)->workspace_create(dir_self(m), c, b, &spec, &cook, &ws, &owner));
    TAUT_TRY(dir(m)->user_create(dir_self(m), c, b, ws, &help, 1, &user));
    TAUT_TRY(dir(m)->bot_create(dir_self(m), c, b, ws, TAUT_LIT("dishwasher"), &bot, &bot_user));
    TAUT_TRY(dir(m)->token_create(dir_self(m), c, b, ws, owner, TAUT_NONE, &token, &token_id));
    TAUT_TRY(members(m, c, b, ws, owner, &channel));
    struct taut_json *j = taut_answer(c);
    taut_json_kstr(j, "workspace", ws);
    taut_json_kstr(j, "owner", owner);
    taut_json_kstr(j, "user", user);
    taut_json_kstr(j, "bot", bot);
    taut_json_kstr(j, "token", token);
    taut_json_kstr(j, "channel", channel);
    return taut_commit(c, b);
}
