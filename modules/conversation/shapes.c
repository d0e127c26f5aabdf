/* shapes.c - see shapes.h. */
#include "shapes.h"
#include "text.h"

void shape_ts(struct taut_json *j, const char *key, int64_t us) {
    char out[STAMP_SIZE];
    taut_json_kstr(j, key, stamp_write(out, us));
}

/* ---- channels ---- */

static void about(struct taut_json *j, const char *key, taut_str value, taut_str by, int64_t at) {
    taut_json_kopen(j, key, '{');
    taut_json_kstr(j, "value", value);
    taut_json_kstr(j, "creator", by);
    taut_json_kint(j, "last_set", at);
    taut_json_close(j, '}');
}

static void empty_list(struct taut_json *j, const char *key) {
    taut_json_kopen(j, key, '[');
    taut_json_close(j, ']');
}

static void named_channel(struct taut_json *j, const struct channel *ch, const struct channel_view *view) {
    taut_str name = ch->pub.name.len ? ch->pub.name : ch->label;
    taut_json_kstr(j, "name", name);
    taut_json_kstr(j, "name_normalized", name);
    taut_json_kbool(j, "is_general", ch->pub.is_general != 0);
    taut_json_kbool(j, "is_member", ch->pub.is_member != 0);
    about(j, "topic", ch->pub.topic, ch->topic_by, ch->topic_at);
    about(j, "purpose", ch->pub.purpose, ch->purpose_by, ch->purpose_at);
    empty_list(j, "previous_names");
    empty_list(j, "pending_shared");
    taut_json_key(j, "parent_conversation");
    taut_json_null(j);
    if (view->num_members) taut_json_kint(j, "num_members", ch->num_members);
}

static void viewers_part(struct taut_json *j, const struct channel_view *view) {
    if (view->last_read >= 0) shape_ts(j, "last_read", view->last_read);
    if (view->latest.len) taut_json_ktext(j, "latest", view->latest);
    if (view->unread_count < 0) return;
    taut_json_kint(j, "unread_count", view->unread_count);
    taut_json_kint(j, "unread_count_display", view->unread_count);
}

void shape_channel(struct taut_json *j, taut_str workspace, const struct channel *ch, const struct channel_view *view) {
    const struct taut_channel *pub = &ch->pub;
    taut_json_open(j, '{');
    taut_json_kstr(j, "id", pub->id);
    taut_json_kbool(j, "is_channel", pub->kind == TAUT_CH_PUBLIC || pub->kind == TAUT_CH_PRIVATE);
    taut_json_kbool(j, "is_group", pub->kind == TAUT_CH_MPIM);
    taut_json_kbool(j, "is_im", pub->kind == TAUT_CH_IM);
    taut_json_kbool(j, "is_mpim", pub->kind == TAUT_CH_MPIM);
    taut_json_kbool(j, "is_private", pub->kind != TAUT_CH_PUBLIC);
    taut_json_kint(j, "created", pub->created);
    taut_json_kint(j, "updated", ch->updated);
    taut_json_kstr(j, "creator", pub->creator);
    taut_json_kbool(j, "is_archived", pub->is_archived != 0);
    taut_json_kint(j, "unlinked", 0);
    taut_json_kbool(j, "is_shared", 0);
    taut_json_kbool(j, "is_org_shared", 0);
    taut_json_kbool(j, "is_ext_shared", 0);
    taut_json_kbool(j, "is_pending_ext_shared", 0);
    taut_json_kstr(j, "context_team_id", workspace);
    if (pub->kind == TAUT_CH_IM) {
        taut_json_kstr(j, "user", pub->peer);
        taut_json_kbool(j, "is_user_deleted", 0);
        taut_json_kint(j, "priority", 0);
    } else named_channel(j, ch, view);
    if (pub->kind == TAUT_CH_IM || pub->kind == TAUT_CH_MPIM) taut_json_kbool(j, "is_open", 1);
    viewers_part(j, view);
    taut_json_close(j, '}');
}

/* ---- messages ---- */

struct message message_of(const struct taut_row *row) {
    return (struct message){
        .user = taut_row_str(row, MS_USER),
        .bot_id = taut_row_str(row, MS_BOT),
        .text = taut_row_str(row, MS_TEXT),
        .subtype = taut_row_str(row, MS_SUBTYPE),
        .client_msg_id = taut_row_str(row, MS_CLIENT_MSG_ID),
        .edited_by = taut_row_str(row, MS_EDITED_BY),
        .blocks = taut_row_str(row, MS_BLOCKS),
        .attachments = taut_row_str(row, MS_ATTACHMENTS),
        .metadata = taut_row_str(row, MS_METADATA),
        .ts = taut_row_int(row, MS_TS),
        .thread_ts = taut_row_int(row, MS_THREAD_TS),
        .reply_count = taut_row_int(row, MS_REPLY_COUNT),
        .latest_reply = taut_row_int(row, MS_LATEST_REPLY),
        .edited_ts = taut_row_int(row, MS_EDITED_TS),
    };
}

int message_is_stone(const struct taut_row *row) {
    return taut_str_is(taut_row_str(row, MS_SUBTYPE), "tombstone");
}

int message_is_gone(const struct taut_row *row) {
    return taut_row_int(row, MS_REPLY_COUNT) <= 0 && message_is_stone(row);
}

int message_in_channel(const struct message *ms) {
    return !ms->thread_ts || taut_str_is(ms->subtype, "thread_broadcast");
}

static void bot_part(struct taut_json *j, taut_str workspace, const struct message *ms) {
    const struct taut_bot *bot = ms->bot;
    taut_json_kstr(j, "bot_id", ms->bot_id);
    if (!bot) return;
    taut_json_kstr(j, "app_id", bot->app);
    taut_json_kopen(j, "bot_profile", '{');
    taut_json_kstr(j, "id", bot->id);
    taut_json_kbool(j, "deleted", bot->deleted != 0);
    taut_json_kstr(j, "name", bot->name);
    taut_json_kint(j, "updated", bot->updated);
    taut_json_kstr(j, "app_id", bot->app);
    taut_json_kopen(j, "icons", '{');
    taut_json_close(j, '}');
    taut_json_kstr(j, "team_id", workspace);
    taut_json_close(j, '}');
}

static void thread_part(struct taut_json *j, const struct message *ms) {
    uint32_t i;
    if (ms->thread_ts) {
        shape_ts(j, "thread_ts", ms->thread_ts);
        if (ms->parent_user.len) taut_json_kstr(j, "parent_user_id", ms->parent_user);
        return;
    }
    shape_ts(j, "thread_ts", ms->ts);
    taut_json_kint(j, "reply_count", ms->reply_count);
    taut_json_kint(j, "reply_users_count", ms->reply_users_count);
    shape_ts(j, "latest_reply", ms->latest_reply);
    taut_json_kopen(j, "reply_users", '[');
    for (i = 0; i < REPLY_USERS_SHOWN && ms->reply_users[i].len; i++) taut_json_str(j, ms->reply_users[i]);
    taut_json_close(j, ']');
    taut_json_kbool(j, "is_locked", 0);
}

static void reacted_part(struct taut_json *j, const struct reaction_list *reacted) {
    uint32_t i, k;
    taut_json_kopen(j, "reactions", '[');
    for (i = 0; i < reacted->n; i++) {
        const struct reaction *r = &reacted->list[i];
        taut_json_open(j, '{');
        taut_json_kstr(j, "name", r->name);
        taut_json_kopen(j, "users", '[');
        for (k = 0; k < r->n; k++) taut_json_str(j, r->users[k]);
        taut_json_close(j, ']');
        taut_json_kint(j, "count", r->n);
        taut_json_close(j, '}');
    }
    taut_json_close(j, ']');
}

void shape_message(struct taut_json *j, taut_str workspace, const struct message *ms,
                   const struct reaction_list *reacted) {
    taut_json_open(j, '{');
    taut_json_raw(j, "\"type\":\"message\"", 16);
    j->comma = 1;
    if (ms->subtype.len) taut_json_kstr(j, "subtype", ms->subtype);
    if (ms->user.len) taut_json_kstr(j, "user", ms->user);
    if (ms->bot_id.len) bot_part(j, workspace, ms);
    taut_json_kstr(j, "text", ms->text);
    shape_ts(j, "ts", ms->ts);
    taut_json_kstr(j, "team", workspace);
    if (ms->client_msg_id.len) taut_json_kstr(j, "client_msg_id", ms->client_msg_id);
    if (ms->blocks.len) taut_json_ktext(j, "blocks", ms->blocks);
    if (ms->attachments.len) taut_json_ktext(j, "attachments", ms->attachments);
    if (ms->metadata.len) taut_json_ktext(j, "metadata", ms->metadata);
    if (ms->thread_ts || ms->reply_count > 0) thread_part(j, ms);
    if (ms->edited_ts) {
        taut_json_kopen(j, "edited", '{');
        taut_json_kstr(j, "user", ms->edited_by);
        shape_ts(j, "ts", ms->edited_ts);
        taut_json_close(j, '}');
    }
    if (reacted && reacted->n) reacted_part(j, reacted);
    taut_json_close(j, '}');
}

void shape_message_event(struct taut_json *j, taut_str message, const struct channel *ch, int64_t ts, taut_str root) {
    taut_json_sep(j);
    taut_json_raw(j, message.ptr, message.len - 1);
    if (root.len) taut_json_ktext(j, "root", root);
    taut_json_kstr(j, "channel", ch->pub.id);
    taut_json_kstr(j, "channel_type", channel_type(ch));
    shape_ts(j, "event_ts", ts);
    taut_json_close(j, '}');
}
