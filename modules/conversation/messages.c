/* messages.c - see messages.h. The post path is the hot path of the product: an ordinary post reads the channel, the
 * membership and (bots) the bot, all of them cached, and writes one row, one MAX, one event and at most one claim.
 */
#include "messages.h"
#include "drafts.h"
#include "may.h"
#include "parts.h"
#include "text.h"

enum { CLIENT_MSG_ID_MAX = 255 };

int32_t message_bots(struct conv *cv, struct taut_call *c, struct message *list, uint32_t n) {
    int32_t err = TAUT_OK;
    uint32_t i;
    for (i = 0; i < n; i++) {
        int32_t got = TAUT_OK;
        if (list[i].bot_id.len) got = find_bot(cv, c, c->actor->workspace, list[i].bot_id, &list[i].bot);
        if (got < 0) err = got;
    }
    return err;
}

/* ---- posting ---- */

static void message_insert(const struct sink *to, const struct channel *ch, const struct message *ms) {
    int is_ordinary =
        !ms->thread_ts && !ms->subtype.len && !ms->blocks.len && !ms->attachments.len && !ms->metadata.len;
    const struct taut_val row[MS_COLUMNS] = {
        [MS_WORKSPACE] = taut_v_str(to->workspace),
        [MS_CHANNEL] = taut_v_str(ch->pub.id),
        [MS_TS] = taut_v_int(ms->ts),
        [MS_USER] = taut_v_opt(ms->user),
        [MS_BOT] = taut_v_opt(ms->bot_id),
        [MS_TEXT] = taut_v_str(ms->text),
        [MS_REPLY_COUNT] = taut_v_int(0),
        [MS_LATEST_REPLY] = taut_v_int(0),
        [MS_CLIENT_MSG_ID] = taut_v_opt(ms->client_msg_id),
        [MS_THREAD_TS] = ms->thread_ts ? taut_v_int(ms->thread_ts) : taut_v_null(),
        [MS_SUBTYPE] = taut_v_opt(ms->subtype),
        [MS_BLOCKS] = taut_v_opt(ms->blocks),
        [MS_ATTACHMENTS] = taut_v_opt(ms->attachments),
        [MS_METADATA] = taut_v_opt(ms->metadata),
    };
    taut_insert(to->cv->mod, to->b, &messages, row, is_ordinary ? MS_ORDINARY : MS_EDITED_TS);
}

void message_import(const struct sink *to, const struct channel *ch, const struct message *ms) {
    message_insert(to, ch, ms);
    if (ms->thread_ts) thread_reply_add(to, ch, ms);
}

/* Retries within the same sender and channel are the same send. */
static void claim(const struct sink *to, const struct channel *ch, taut_str id, taut_str ts) {
    taut_str user = to->c->actor->user, channel = ch->pub.id;
    size_t n = user.len + channel.len + id.len + 2;
    char *key = taut_scratch(to->c, n);
    memcpy(key, user.ptr, user.len);
    memcpy(key + user.len + 1, channel.ptr, channel.len);
    memcpy(key + user.len + channel.len + 2, id.ptr, id.len);
    taut_claim(to->cv->mod, to->b, taut_str_n(key, n), ts);
}

static taut_str message_json(struct taut_call *c, taut_str workspace, const struct message *ms) {
    struct taut_json *j = taut_json_scratch(c);
    shape_message(j, workspace, ms, NULL);
    return taut_json_out(j);
}

static taut_str stamp_text(struct taut_call *c, int64_t us) {
    char *out = taut_scratch(c, STAMP_SIZE);
    return stamp_write(out, us);
}

static void posted_fill(struct taut_call *c, const struct channel *ch, const struct message *ms,
                        struct taut_posted *out) {
    out->channel = ch->pub.id;
    out->ts = stamp_text(c, ms->ts);
    out->text = ms->text;
    out->message = message_json(c, c->actor->workspace, ms);
}

/* The answer that an earlier try was given: the message as it is now, or as it was sent when it has been deleted. */
static int32_t post_again(struct conv *cv, struct taut_call *c, const struct channel *ch, struct message *ms,
                          struct taut_posted *out) {
    const struct taut_row *row;
    ms->ts = stamp_read(c->claimed);
    TAUT_TRY(message_find(cv, c, ch, ms->ts, &row));
    if (row && !message_is_stone(row)) *ms = message_of(row);
    TAUT_TRY(message_bots(cv, c, ms, 1));
    TAUT_TRY(thread_people(cv, c, ch, ms, 1));
    out->repeated = 1;
    posted_fill(c, ch, ms, out);
    return TAUT_OK;
}

/* The message that is replied to, and what the reply takes from it. A fresh channel has none, and must not be asked:
 * its id is another one in each run, so that a read of it would never be at hand. */
static int32_t post_thread(struct conv *cv, struct taut_call *c, const struct channel *ch, int fresh,
                           const struct taut_new_message *in, struct message *ms, struct message *parent) {
    int64_t ts = stamp_read(in->thread_ts);
    const struct taut_row *row = NULL;
    if (!in->thread_ts.len) return TAUT_OK;
    if (ts > 0 && !fresh) TAUT_TRY(thread_parent(cv, c, ch, ts, &row));
    if (!row) return taut_fail(c, "thread_not_found");
    *parent = message_of(row);
    ms->thread_ts = parent->ts;
    ms->parent_user = parent->user;
    if (!in->reply_broadcast) return TAUT_OK;
    ms->subtype = TAUT_LIT("thread_broadcast");
    TAUT_TRY(message_bots(cv, c, parent, 1));
    return thread_people(cv, c, ch, parent, 1);
}

/* The parent as the broadcast reply leaves it. */
static taut_str root_json(const struct sink *to, const struct message *parent, const struct message *reply) {
    struct message root = *parent;
    uint32_t i = 0;
    while (i < REPLY_USERS_SHOWN && root.reply_users[i].len && !taut_str_eq(root.reply_users[i], reply->user)) i++;
    if (i < REPLY_USERS_SHOWN && !root.reply_users[i].len) {
        root.reply_users[i] = reply->user;
        root.reply_users_count++;
    }
    root.reply_count++;
    root.latest_reply = reply->ts;
    return message_json(to->c, to->workspace, &root);
}

static void post_write(const struct sink *to, const struct channel *ch, const struct message *parent,
                       const struct message *ms, const struct taut_new_message *in, const struct taut_posted *out) {
    const struct taut_set newest = {.col = CH_LAST_TS, .how = TAUT_MAX, .val = taut_v_int(ms->ts)};
    struct taut_json *body = taut_json_scratch(to->c);
    taut_str root = {"", 0};
    message_insert(to, ch, ms);
    taut_update(to->cv->mod, to->b, &channels, CHANNEL_KEY(to->workspace, ch->pub.id), &newest, 1);
    if (ms->thread_ts) {
        taut_expect_present(to->cv->mod, to->b, &messages, MESSAGE_KEY(to->workspace, ch->pub.id, ms->thread_ts));
        thread_reply_add(to, ch, ms);
        if (in->reply_broadcast) root = root_json(to, parent, ms);
    }
    shape_message_event(body, out->message, ch, ms->ts, root);
    event_message(to, ch, taut_json_out(body), in->skip);
    if (in->client_msg_id.len) claim(to, ch, in->client_msg_id, out->ts);
    draft_observe(to, TAUT_HOOK_SENT, ch, ms->ts, ms->user);
}

int32_t message_post(struct conv *cv, struct taut_call *c, struct taut_batch *b, const struct channel *ch, int fresh,
                     const struct taut_new_message *in, struct taut_posted *out) {
    const struct sink to = {cv, c, b, c->actor->workspace};
    struct message parent = {.ts = 0}, ms = {
                                           .user = c->actor->user,
                                           .bot_id = c->actor->bot,
                                           .text = text_cut(in->text, MESSAGE_TEXT_MAX),
                                           .subtype = in->subtype,
                                           .client_msg_id = in->client_msg_id,
                                           .blocks = part_kept(in->blocks),
                                           .attachments = part_kept(in->attachments),
                                           .metadata = part_kept(in->metadata),
                                       };
    const struct parts parts = {in->blocks, in->attachments, in->metadata};
    const char *error = parts_error(&parts);
    taut_copy_sized(out, out->size, &(const struct taut_posted){.size = sizeof *out});
    TAUT_TRY(may(cv, c, TAUT_ACT_POST, ch, taut_str_n("", 0), fresh ? NULL : b));
    if (error) return taut_fail(c, error);
    if (text_blank(ms.text) && !parts_shown(&parts)) return taut_fail(c, "no_text");
    if (in->client_msg_id.len > CLIENT_MSG_ID_MAX)
        return taut_fail_text(c, "invalid_arguments",
                              TAUT_LIT("client_msg_id is longer than 255 bytes; a UUID will do"));
    TAUT_TRY(post_thread(cv, c, ch, fresh, in, &ms, &parent));
    if (c->claimed.len) return post_again(cv, c, ch, &ms, out);
    TAUT_TRY(draft_filter(cv, c, b, TAUT_HOOK_BEFORE_SEND, ch, TAUT_NONE, &ms));
    if (text_blank(ms.text) && !ms.blocks.len && !ms.attachments.len) return taut_fail(c, "no_text");
    TAUT_TRY(message_bots(cv, c, &ms, 1));
    ms.ts = taut_stamp_us(c, ch->pub.last_ts);
    posted_fill(c, ch, &ms, out);
    post_write(&to, ch, &parent, &ms, in, out);
    return TAUT_OK;
}

/* ---- changing ---- */

/* message_changed and message_deleted. message is empty for the latter. */
static void event_changed(const struct sink *to, const struct channel *ch, taut_str message, taut_str previous,
                          int64_t deleted_ts) {
    struct taut_json *j = taut_json_scratch(to->c);
    int64_t now = taut_stamp_us(to->c, ch->pub.last_ts);
    taut_json_open(j, '{');
    taut_json_kstr(j, "type", TAUT_LIT("message"));
    taut_json_kstr(j, "subtype", taut_str_z(message.len ? "message_changed" : "message_deleted"));
    taut_json_kbool(j, "hidden", 1);
    if (message.len) taut_json_ktext(j, "message", message);
    if (deleted_ts) shape_ts(j, "deleted_ts", deleted_ts);
    taut_json_ktext(j, "previous_message", previous);
    taut_json_kstr(j, "channel", ch->pub.id);
    taut_json_kstr(j, "channel_type", channel_type(ch));
    shape_ts(j, "ts", now);
    shape_ts(j, "event_ts", now);
    taut_json_close(j, '}');
    event_message(to, ch, taut_json_out(j), 0);
}

/* The message that somebody wants to change: found, and the actor may. */
static int32_t message_for(struct conv *cv, struct taut_call *c, struct taut_batch *b, uint32_t action,
                           const struct channel *ch, int64_t ts, struct message *ms) {
    const struct taut_row *row = NULL;
    if (ts > 0) TAUT_TRY(message_find(cv, c, ch, ts, &row));
    if (!row || message_is_stone(row)) return taut_fail(c, "message_not_found");
    *ms = message_of(row);
    TAUT_TRY(may(cv, c, action, ch, ms->user, b));
    TAUT_TRY(message_bots(cv, c, ms, 1));
    return thread_people(cv, c, ch, ms, 1);
}

static int32_t edit_apply(struct taut_call *c, const struct message_edit *edit, struct message *ms) {
    const char *error = parts_error(&edit->parts);
    if (error) return taut_fail(c, error);
    if (!edit->has_text && !edit->has_blocks && !edit->has_attachments) return taut_fail(c, "no_text");
    if (edit->has_text) ms->text = edit->text;
    if (edit->has_blocks) ms->blocks = part_kept(edit->parts.blocks);
    if (edit->has_attachments) ms->attachments = part_kept(edit->parts.attachments);
    if (edit->has_metadata) ms->metadata = part_kept(edit->parts.metadata);
    if (text_length(ms->text) > MESSAGE_TEXT_MAX) return taut_fail(c, "msg_too_long");
    if (text_blank(ms->text) && !ms->blocks.len && !ms->attachments.len) return taut_fail(c, "no_text");
    return TAUT_OK;
}

int32_t message_update(struct conv *cv, struct taut_call *c, struct taut_batch *b, const struct channel *ch, int64_t ts,
                       struct message_edit *edit, taut_str *message) {
    const struct sink to = {cv, c, b, c->actor->workspace};
    struct message ms;
    taut_str previous;
    TAUT_TRY(message_for(cv, c, b, TAUT_ACT_EDIT, ch, ts, &ms));
    previous = message_json(c, to.workspace, &ms);
    TAUT_TRY(edit_apply(c, edit, &ms));
    TAUT_TRY(draft_filter(cv, c, b, TAUT_HOOK_BEFORE_EDIT, ch, stamp_text(c, ts), &ms));
    if (text_blank(ms.text) && !ms.blocks.len && !ms.attachments.len) return taut_fail(c, "no_text");
    edit->text = ms.text;
    ms.edited_ts = taut_now_us(cv->mod) / 1000000 * 1000000;
    ms.edited_by = c->actor->user;
    *message = message_json(c, to.workspace, &ms);
    const struct taut_set sets[] = {
        {.col = MS_TEXT, .how = TAUT_SET, .val = taut_v_str(ms.text)},
        {.col = MS_BLOCKS, .how = TAUT_SET, .val = taut_v_opt(ms.blocks)},
        {.col = MS_ATTACHMENTS, .how = TAUT_SET, .val = taut_v_opt(ms.attachments)},
        {.col = MS_METADATA, .how = TAUT_SET, .val = taut_v_opt(ms.metadata)},
        {.col = MS_EDITED_TS, .how = TAUT_SET, .val = taut_v_int(ms.edited_ts)},
        {.col = MS_EDITED_BY, .how = TAUT_SET, .val = taut_v_str(ms.edited_by)},
    };
    taut_expect_present(cv->mod, b, &messages, MESSAGE_KEY(to.workspace, ch->pub.id, ts));
    taut_update(cv->mod, b, &messages, MESSAGE_KEY(to.workspace, ch->pub.id, ts), sets, sizeof sets / sizeof sets[0]);
    event_changed(&to, ch, *message, previous, 0);
    draft_observe(&to, TAUT_HOOK_EDITED, ch, ts, ms.user);
    return TAUT_OK;
}

/* ---- deleting ---- */

/* A parent whose replies stay leaves a stone in its place. */
static struct message tombstone_of(const struct message *ms) {
    struct message stone = {
        .user = TAUT_LIT("USLACKBOT"),
        .text = TAUT_LIT("This message was deleted."),
        .subtype = TAUT_LIT("tombstone"),
        .ts = ms->ts,
        .reply_count = ms->reply_count,
        .latest_reply = ms->latest_reply,
        .reply_users_count = ms->reply_users_count,
    };
    memcpy(stone.reply_users, ms->reply_users, sizeof stone.reply_users);
    return stone;
}

static void tombstone_write(const struct sink *to, const struct channel *ch, const struct message *stone) {
    const struct taut_set sets[] = {
        {.col = MS_USER, .how = TAUT_SET, .val = taut_v_str(stone->user)},
        {.col = MS_BOT, .how = TAUT_SET, .val = taut_v_null()},
        {.col = MS_TEXT, .how = TAUT_SET, .val = taut_v_str(stone->text)},
        {.col = MS_SUBTYPE, .how = TAUT_SET, .val = taut_v_str(stone->subtype)},
        {.col = MS_CLIENT_MSG_ID, .how = TAUT_SET, .val = taut_v_null()},
        {.col = MS_BLOCKS, .how = TAUT_SET, .val = taut_v_null()},
        {.col = MS_ATTACHMENTS, .how = TAUT_SET, .val = taut_v_null()},
        {.col = MS_METADATA, .how = TAUT_SET, .val = taut_v_null()},
        {.col = MS_EDITED_TS, .how = TAUT_SET, .val = taut_v_null()},
        {.col = MS_EDITED_BY, .how = TAUT_SET, .val = taut_v_null()},
    };
    taut_update(to->cv->mod, to->b, &messages, MESSAGE_KEY(to->workspace, ch->pub.id, stone->ts), sets,
                sizeof sets / sizeof sets[0]);
}

int32_t message_delete(struct conv *cv, struct taut_call *c, struct taut_batch *b, const struct channel *ch,
                       int64_t ts) {
    const struct sink to = {cv, c, b, c->actor->workspace};
    const struct taut_val key[] = {taut_v_str(to.workspace), taut_v_str(ch->pub.id), taut_v_int(ts)};
    const struct taut_scan any = {
        .size = sizeof any, .index = TAUT_SCAN_PRIMARY, .nprefix = 3, .prefix = key, .limit = 1};
    const struct taut_rows *reacted;
    struct message ms;
    taut_str previous;
    TAUT_TRY(message_for(cv, c, b, TAUT_ACT_DELETE, ch, ts, &ms));
    TAUT_TRY(taut_scan(cv->mod, c, &reactions, &any, &reacted));
    if (ms.thread_ts) TAUT_TRY(thread_reply_remove(&to, ch, &ms));
    previous = message_json(c, to.workspace, &ms);
    if (reacted->n) taut_delete(cv->mod, b, &reactions, key, 3);
    if (ms.reply_count > 0) {
        const struct message stone = tombstone_of(&ms);
        taut_expect_present(cv->mod, b, &messages, key, 3);
        tombstone_write(&to, ch, &stone);
        event_changed(&to, ch, message_json(c, to.workspace, &stone), previous, 0);
    } else {
        taut_expect_equals(cv->mod, b, &messages, key, 3, MS_REPLY_COUNT, taut_v_int(0));
        taut_delete(cv->mod, b, &messages, key, 3);
        event_changed(&to, ch, taut_str_n("", 0), previous, ts);
    }
    draft_observe(&to, TAUT_HOOK_DELETED, ch, ts, ms.user);
    return TAUT_OK;
}
