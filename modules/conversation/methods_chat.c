/* methods_chat.c - chat.postMessage, .update and .delete. */
#include "dms.h"
#include "messages.h"
#include "methods.h"
#include "text.h"

/* Does it look like an id that begins with one of these letters? Names have no capitals. */
static int is_id(taut_str s, const char *letters) {
    size_t i;
    if (s.len < 2 || !s.ptr[0] || !strchr(letters, s.ptr[0])) return 0;
    for (i = 1; i < s.len; i++)
        if (!((s.ptr[i] >= 'A' && s.ptr[i] <= 'Z') || (s.ptr[i] >= '0' && s.ptr[i] <= '9'))) return 0;
    return 1;
}

/* The text, from either of its two arguments. */
static int32_t text_arg(struct taut_call *c, uint32_t text, uint32_t markdown, uint32_t blocks, taut_str *out) {
    *out = taut_arg_str(c, text);
    if (!taut_arg_given(c, markdown)) return TAUT_OK;
    if (out->len || taut_arg_given(c, blocks)) return taut_fail(c, "markdown_text_conflict");
    *out = taut_arg_str(c, markdown);
    return TAUT_OK;
}

/* Where a post goes: a channel's id, a name with or without #, or a user's id, whose DM is opened in the same batch. */
static int32_t target(struct conv *cv, struct taut_call *c, struct taut_batch *b, const struct channel **ch,
                      int *fresh) {
    taut_str to = taut_arg_str(c, POST_CHANNEL);
    const struct taut_user *user;
    *fresh = 0;
    if (is_id(to, "CDG")) return channel_see(cv, c, to, ch);
    if (is_id(to, "UW")) {
        TAUT_TRY(find_user(cv, c, c->actor->workspace, to, &user));
        if (!user) return taut_fail(c, "channel_not_found");
        return dm_open(cv, c, b, to, ch, fresh);
    }
    if (to.len && to.ptr[0] == '#') to = taut_str_n(to.ptr + 1, to.len - 1);
    TAUT_TRY(channel_lookup(cv, c, c->actor->workspace, CHANNELS_BY_NAME, taut_v_str(to), c->actor->user, ch));
    return *ch && channel_visible(*ch) ? TAUT_OK : taut_fail(c, "channel_not_found");
}

/* A text has as many bytes as characters at least. */
static int is_cut(taut_str text) {
    return text.len > MESSAGE_TEXT_MAX && text_cut(text, MESSAGE_TEXT_MAX).len < text.len;
}

int32_t on_post(struct taut_mod *m, struct taut_call *c) {
    struct conv *cv = conv_of(m);
    struct taut_batch *b = taut_batch(c);
    struct taut_new_message in = {
        .size = sizeof in,
        .thread_ts = taut_arg_str(c, POST_THREAD_TS),
        .client_msg_id = taut_arg_str(c, POST_CLIENT_MSG_ID),
        .blocks = taut_arg_str(c, POST_BLOCKS),
        .attachments = taut_arg_str(c, POST_ATTACHMENTS),
        .metadata = taut_arg_str(c, POST_METADATA),
        .reply_broadcast = taut_arg_int(c, POST_REPLY_BROADCAST, 0) != 0,
    };
    struct taut_posted out = {.size = sizeof out};
    const struct channel *ch;
    struct taut_json *j;
    int fresh;
    TAUT_TRY(text_arg(c, POST_TEXT, POST_MARKDOWN_TEXT, POST_BLOCKS, &in.text));
    TAUT_TRY(target(cv, c, b, &ch, &fresh));
    in.channel = ch->pub.id;
    TAUT_TRY(message_post(cv, c, b, ch, fresh, &in, &out));
    if (!out.repeated && is_cut(in.text)) taut_warn(c, "message_truncated");
    j = taut_answer(c);
    taut_json_kstr(j, "channel", out.channel);
    taut_json_kstr(j, "ts", out.ts);
    taut_json_ktext(j, "message", out.message);
    return out.repeated ? taut_done(c) : taut_commit(c, b);
}

int32_t on_update(struct taut_mod *m, struct taut_call *c) {
    struct conv *cv = conv_of(m);
    struct taut_batch *b = taut_batch(c);
    struct message_edit edit = {
        .parts = {.blocks = taut_arg_str(c, UPDATE_BLOCKS),
                  .attachments = taut_arg_str(c, UPDATE_ATTACHMENTS),
                  .metadata = taut_arg_str(c, UPDATE_METADATA)},
        .has_text = taut_arg_given(c, UPDATE_TEXT) || taut_arg_given(c, UPDATE_MARKDOWN_TEXT),
        .has_blocks = taut_arg_given(c, UPDATE_BLOCKS),
        .has_attachments = taut_arg_given(c, UPDATE_ATTACHMENTS),
        .has_metadata = taut_arg_given(c, UPDATE_METADATA),
    };
    const struct channel *ch;
    struct taut_json *j;
    char stamp[STAMP_SIZE];
    int64_t ts = stamp_read(taut_arg_str(c, UPDATE_TS));
    taut_str message;
    TAUT_TRY(text_arg(c, UPDATE_TEXT, UPDATE_MARKDOWN_TEXT, UPDATE_BLOCKS, &edit.text));
    TAUT_TRY(channel_see(cv, c, taut_arg_str(c, UPDATE_CHANNEL), &ch));
    TAUT_TRY(message_update(cv, c, b, ch, ts, &edit, &message));
    j = taut_answer(c);
    taut_json_kstr(j, "channel", ch->pub.id);
    taut_json_kstr(j, "ts", stamp_write(stamp, ts));
    if (edit.has_text) taut_json_kstr(j, "text", edit.text);
    taut_json_ktext(j, "message", message);
    return taut_commit(c, b);
}

int32_t on_delete(struct taut_mod *m, struct taut_call *c) {
    struct conv *cv = conv_of(m);
    struct taut_batch *b = taut_batch(c);
    int64_t ts = stamp_read(taut_arg_str(c, DELETE_TS));
    const struct channel *ch;
    struct taut_json *j;
    char stamp[STAMP_SIZE];
    TAUT_TRY(channel_see(cv, c, taut_arg_str(c, DELETE_CHANNEL), &ch));
    TAUT_TRY(message_delete(cv, c, b, ch, ts));
    j = taut_answer(c);
    taut_json_kstr(j, "channel", ch->pub.id);
    taut_json_kstr(j, "ts", stamp_write(stamp, ts));
    return taut_commit(c, b);
}
