/* methods_reactions.c - reactions.add, .remove and .get. */
#include "history.h"
#include "may.h"
#include "methods.h"
#include "reactions.h"
#include "text.h"

/* The message that is meant: its channel and time. There are no files yet. */
static int32_t item_args(struct taut_mod *m, struct taut_call *c, const struct channel **ch, int64_t *ts) {
    taut_str channel = taut_arg_str(c, ITEM_CHANNEL), timestamp = taut_arg_str(c, ITEM_TIMESTAMP);
    if (taut_arg_str(c, ITEM_FILE).len) return taut_fail(c, "file_not_found");
    if (taut_arg_str(c, ITEM_FILE_COMMENT).len) return taut_fail(c, "file_comment_not_found");
    if (!channel.len || !timestamp.len) return taut_fail(c, "no_item_specified");
    *ts = stamp_read(timestamp);
    if (*ts <= 0) return taut_fail(c, "bad_timestamp");
    return channel_see(conv_of(m), c, channel, ch);
}

/* The emoji's name; people also write it between colons. */
static int32_t name_arg(struct taut_call *c, taut_str *name) {
    *name = taut_arg_str(c, REACT_NAME);
    if (name->len > 2 && name->ptr[0] == ':' && name->ptr[name->len - 1] == ':')
        *name = taut_str_n(name->ptr + 1, name->len - 2);
    return reaction_name_ok(*name) ? TAUT_OK : taut_fail(c, "invalid_name");
}

typedef int32_t (*change_fn)(struct conv *cv, struct taut_call *c, struct taut_batch *b, const struct channel *ch,
                             int64_t ts, taut_str name);

static int32_t change(struct taut_mod *m, struct taut_call *c, change_fn fn) {
    struct taut_batch *b = taut_batch(c);
    const struct channel *ch;
    taut_str name;
    int64_t ts;
    TAUT_TRY(name_arg(c, &name));
    TAUT_TRY(item_args(m, c, &ch, &ts));
    TAUT_TRY(fn(conv_of(m), c, b, ch, ts, name));
    taut_answer(c);
    return taut_commit(c, b);
}

int32_t on_react(struct taut_mod *m, struct taut_call *c) {
    return change(m, c, reaction_add);
}

int32_t on_unreact(struct taut_mod *m, struct taut_call *c) {
    return change(m, c, reaction_remove);
}

int32_t on_reactions(struct taut_mod *m, struct taut_call *c) {
    struct conv *cv = conv_of(m);
    const struct taut_row *row;
    const struct channel *ch;
    struct reaction_list list;
    struct reacted all;
    struct message ms;
    struct taut_json *j;
    int64_t ts;
    TAUT_TRY(item_args(m, c, &ch, &ts));
    TAUT_TRY(may(cv, c, TAUT_ACT_READ, ch, taut_str_n("", 0), NULL));
    TAUT_TRY(message_find(cv, c, ch, ts, &row));
    if (!row) return taut_fail(c, "message_not_found");
    ms = message_of(row);
    TAUT_TRY(message_bots(cv, c, &ms, 1));
    TAUT_TRY(thread_people(cv, c, ch, &ms, 1));
    TAUT_TRY(thread_authors(cv, c, ch, &ms, 1));
    TAUT_TRY(reacted_load(cv, c, ch, ts, ts, &all));
    list = reacted_of(c, &all, ts);
    j = taut_answer(c);
    taut_json_kstr(j, "type", TAUT_LIT("message"));
    taut_json_kstr(j, "channel", ch->pub.id);
    taut_json_key(j, "message");
    shape_message(j, c->actor->workspace, &ms, &list);
    return taut_done(c);
}
