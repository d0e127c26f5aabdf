/* service.c - see service.h. The functions for people at work ask the permission function; those for imports only add
 * rows: they read nothing, ask nothing and append no events.
 */
#include "service.h"
#include "may.h"
#include "members.h"
#include "messages.h"
#include "text.h"

static const struct channel *whole(const struct taut_channel *ch) {
    return (const struct channel *)(const void *)ch; /* every one that this module hands out is a struct channel */
}

/* ---- at work ---- */

static int32_t service_channel(void *self, struct taut_call *c, taut_str id, const struct taut_channel **out) {
    const struct channel *ch = NULL;
    int32_t err = channel_see(self, c, id, &ch);
    *out = ch ? &ch->pub : NULL;
    return err;
}

static int32_t service_may(void *self, struct taut_call *c, uint32_t action, const struct taut_channel *ch,
                           taut_str author, struct taut_batch *b) {
    return may(self, c, action, whole(ch), author, b);
}

static int32_t service_post(void *self, struct taut_call *c, struct taut_batch *b, const struct taut_new_message *in,
                            struct taut_posted *out) {
    const struct channel *ch;
    TAUT_TRY(channel_see(self, c, in->channel, &ch));
    return message_post(self, c, b, ch, 0, in, out);
}

static int32_t service_topics(void *self, struct taut_call *c, taut_str workspace, taut_str user,
                              const struct taut_topic **out, uint32_t *n, uint64_t *as_of) {
    return member_topics(self, c, workspace, user, out, n, as_of);
}

/* ---- provisioning and import ---- */

static int32_t service_channel_by_name(void *self, struct taut_call *c, taut_str workspace, taut_str name,
                                       const struct taut_channel **out) {
    const struct channel *ch;
    *out = NULL;
    TAUT_TRY(channel_lookup(self, c, workspace, CHANNELS_BY_NAME, taut_v_str(name), taut_str_n("", 0), &ch));
    *out = ch ? &ch->pub : NULL;
    return TAUT_OK;
}

static taut_str pair_of_two(struct taut_call *c, taut_str a, taut_str b) {
    size_t least = a.len < b.len ? a.len : b.len;
    int order = memcmp(a.ptr, b.ptr, least);
    if (taut_str_eq(a, b)) return a;
    if (order > 0 || (order == 0 && a.len > b.len)) return pair_of_two(c, b, a);
    return taut_fmt(c, "%.*s,%.*s", (int)a.len, a.ptr, (int)b.len, b.ptr);
}

static int32_t service_channel_import(void *self, struct taut_call *c, struct taut_batch *b, taut_str workspace,
                                      const struct taut_channel *spec, taut_str *id) {
    struct conv *cv = self;
    if (!TAUT_HAS(spec, peer)) return TAUT_E_INVAL;
    struct channel *ch = channel_new(cv, c, spec->kind, spec->creator);
    taut_str made = ch->pub.id;
    int is_named = spec->kind == TAUT_CH_PUBLIC || spec->kind == TAUT_CH_PRIVATE;
    if (!is_named && spec->kind != TAUT_CH_IM) return TAUT_E_INVAL;
    if (is_named && channel_name_error(spec->name)) return TAUT_E_INVAL;
    taut_copy_sized(&ch->pub, sizeof ch->pub, spec);
    if (!spec->id.len) ch->pub.id = made;
    if (!spec->created) ch->pub.created = taut_now_us(cv->mod) / 1000000;
    if (!is_named) ch->pair = pair_of_two(c, spec->creator, spec->peer);
    if (spec->topic.len) ch->topic_by = spec->creator, ch->topic_at = ch->pub.created;
    if (spec->purpose.len) ch->purpose_by = spec->creator, ch->purpose_at = ch->pub.created;
    channel_insert(cv, b, workspace, ch);
    *id = ch->pub.id;
    return TAUT_OK;
}

static int32_t service_member_import(void *self, struct taut_call *c, struct taut_batch *b, taut_str workspace,
                                     taut_str channel, taut_str user, int64_t read_ts) {
    const struct sink to = {self, c, b, workspace};
    const struct channel ch = {.pub = {.id = channel, .last_ts = read_ts}};
    member_add(&to, &ch, user, taut_str_n("", 0), MEMBER_QUIET);
    return TAUT_OK;
}

static int32_t service_message_import(void *self, struct taut_call *c, struct taut_batch *b, taut_str workspace,
                                      taut_str channel, taut_str user, int64_t ts_us, int64_t thread_ts_us,
                                      taut_str text) {
    const struct sink to = {self, c, b, workspace};
    const struct channel ch = {.pub = {.id = channel}};
    const struct message ms = {
        .user = user, .text = text_cut(text, MESSAGE_TEXT_MAX), .ts = ts_us, .thread_ts = thread_ts_us};
    message_import(&to, &ch, &ms);
    return TAUT_OK;
}

static int32_t service_channel_touch(void *self, struct taut_call *c, struct taut_batch *b, taut_str workspace,
                                     taut_str channel, int64_t last_ts_us) {
    struct conv *cv = self;
    const struct taut_set newest = {.col = CH_LAST_TS, .how = TAUT_MAX, .val = taut_v_int(last_ts_us)};
    (void)c;
    taut_update(cv->mod, b, &channels, CHANNEL_KEY(workspace, channel), &newest, 1);
    return TAUT_OK;
}

const struct taut_conversation_v1 conversation_service = {
    .size = sizeof conversation_service,
    .channel = service_channel,
    .may = service_may,
    .post = service_post,
    .topics = service_topics,
    .channel_by_name = service_channel_by_name,
    .channel_import = service_channel_import,
    .member_import = service_member_import,
    .message_import = service_message_import,
    .channel_touch = service_channel_touch,
};

/* ---- hooks ---- */

int32_t on_workspace_create(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, void *data) {
    const struct taut_user_create *made = data;
    struct conv *cv = conv_of(m);
    const struct sink to = {cv, c, b, made->workspace};
    struct channel *ch = channel_new(cv, c, TAUT_CH_PUBLIC, made->user->id);
    ch->pub.name = TAUT_LIT("general");
    ch->pub.is_general = 1;
    ch->pub.purpose = TAUT_LIT("Everybody is here: announcements and what concerns all.");
    ch->purpose_by = made->user->id;
    ch->purpose_at = ch->pub.created;
    channel_insert(cv, b, made->workspace, ch);
    member_add(&to, ch, made->user->id, taut_str_n("", 0), made->quiet ? MEMBER_QUIET : MEMBER_DM);
    return TAUT_OK;
}

int32_t on_user_create(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, void *data) {
    const struct taut_user_create *made = data;
    struct conv *cv = conv_of(m);
    const struct sink to = {cv, c, b, made->workspace};
    const struct channel *general;
    if (made->user->flags & TAUT_USER_BOT) return TAUT_OK;
    TAUT_TRY(channel_lookup(cv, c, made->workspace, CHANNELS_GENERAL, taut_v_int(1), taut_str_n("", 0), &general));
    if (!general) return TAUT_OK; /* the workspace is made in this very batch, and its owner joins with it */
    member_add(&to, general, made->user->id, taut_str_n("", 0), made->quiet ? MEMBER_QUIET : MEMBER_JOINS);
    return TAUT_OK;
}
