/* events.c - see events.h. */
#include "events.h"
#include "shapes.h"
#include "text.h"

static struct taut_json *start(struct taut_call *c, const char *type) {
    struct taut_json *j = taut_json_scratch(c);
    taut_json_open(j, '{');
    taut_json_kstr(j, "type", taut_str_z(type));
    return j;
}

/* Closes the body with the time of the event. */
static taut_str end(struct conv *cv, struct taut_json *j) {
    shape_ts(j, "event_ts", taut_now_us(cv->mod));
    taut_json_close(j, '}');
    return taut_json_out(j);
}

static uint32_t append(const struct sink *to, taut_str topic, const struct taut_delta *delta, taut_str body,
                       taut_conn skip) {
    const struct taut_event event = {
        .size = sizeof event,
        .ntopics = 1,
        .topics = &topic,
        .deltas = delta,
        .ndeltas = delta ? 1 : 0,
        .skip = skip,
        .body = body,
    };
    return taut_append(to->cv->mod, to->b, &event);
}

/* "channel", "group", "im" or "mpim", then "_" and the rest. */
static const char *named(const struct sink *to, const struct channel *ch, const char *rest) {
    taut_str family = channel_type(ch);
    return taut_fmt(to->c, "%.*s_%s", (int)family.len, family.ptr, rest).ptr; /* scratch is zeroed: it ends in a NUL */
}

struct channel channel_seen_by(const struct channel *ch, taut_str user) {
    struct channel seen = *ch;
    taut_str rest = ch->pair, each;
    seen.pub.is_member = 1;
    if (ch->pub.kind != TAUT_CH_IM) return seen;
    seen.pub.peer = user;
    while (list_next(&rest, &each))
        if (!taut_str_eq(each, user)) seen.pub.peer = each;
    return seen;
}

static void channel_member(struct taut_json *j, const struct sink *to, const struct channel *ch) {
    taut_json_key(j, "channel");
    shape_channel(j, to->workspace, ch, &CHANNEL_VIEW_PLAIN);
}

uint32_t event_created(const struct sink *to, const struct channel *ch) {
    struct taut_json *j = start(to->c, "channel_created");
    channel_member(j, to, ch);
    return append(to, to->workspace, NULL, end(to->cv, j), 0);
}

uint32_t event_joined(const struct sink *to, const struct channel *ch, taut_str user) {
    const struct taut_delta delta = {.how = '+', .who = user, .topic = ch->pub.id};
    const struct channel seen = channel_seen_by(ch, user);
    int is_im = ch->pub.kind == TAUT_CH_IM;
    struct taut_json *j = start(to->c, is_im ? "im_created" : named(to, ch, "joined"));
    if (is_im) taut_json_kstr(j, "user", seen.pub.peer);
    channel_member(j, to, &seen);
    return append(to, user, &delta, end(to->cv, j), 0);
}

uint32_t event_opened(const struct sink *to, const struct channel *ch, taut_str user) {
    const struct channel seen = channel_seen_by(ch, user);
    struct taut_json *j = start(to->c, named(to, ch, "open"));
    taut_json_kstr(j, "user", ch->pub.kind == TAUT_CH_IM ? seen.pub.peer : user);
    taut_json_kstr(j, "channel", ch->pub.id);
    return append(to, user, NULL, end(to->cv, j), 0);
}

/* The members that member_joined_channel and member_left_channel share. channel_type is one letter here. */
static struct taut_json *membership(const struct sink *to, const struct channel *ch, const char *type, taut_str user) {
    struct taut_json *j = start(to->c, type);
    taut_json_kstr(j, "user", user);
    taut_json_kstr(j, "channel", ch->pub.id);
    taut_json_kstr(j, "channel_type", taut_str_z(ch->pub.kind == TAUT_CH_PUBLIC ? "C" : "G"));
    taut_json_kstr(j, "team", to->workspace);
    return j;
}

uint32_t event_member_joined(const struct sink *to, const struct channel *ch, taut_str user, taut_str inviter) {
    struct taut_json *j = membership(to, ch, "member_joined_channel", user);
    if (inviter.len) taut_json_kstr(j, "inviter", inviter);
    return append(to, ch->pub.id, NULL, end(to->cv, j), 0);
}

uint32_t event_member_left(const struct sink *to, const struct channel *ch, taut_str user) {
    const struct taut_delta delta = {.how = '-', .who = user, .topic = ch->pub.id};
    struct taut_json *j = membership(to, ch, "member_left_channel", user);
    return append(to, ch->pub.id, &delta, end(to->cv, j), 0);
}

uint32_t event_left(const struct sink *to, const struct channel *ch, taut_str user, taut_str actor) {
    struct taut_json *j = start(to->c, named(to, ch, "left"));
    taut_json_kstr(j, "channel", ch->pub.id);
    taut_json_kstr(j, "actor_id", actor);
    return append(to, user, NULL, end(to->cv, j), 0);
}

uint32_t event_message(const struct sink *to, const struct channel *ch, taut_str body, taut_conn skip) {
    return append(to, ch->pub.id, NULL, body, skip);
}

uint32_t event_reaction(const struct sink *to, const struct channel *ch, const char *type, taut_str name, int64_t ts,
                        taut_str author) {
    struct taut_json *j = start(to->c, type);
    taut_json_kstr(j, "user", to->c->actor->user);
    taut_json_kstr(j, "reaction", name);
    if (author.len) taut_json_kstr(j, "item_user", author);
    taut_json_kopen(j, "item", '{');
    taut_json_kstr(j, "type", TAUT_LIT("message"));
    taut_json_kstr(j, "channel", ch->pub.id);
    shape_ts(j, "ts", ts);
    taut_json_close(j, '}');
    return append(to, ch->pub.id, NULL, end(to->cv, j), 0);
}

void event_marked(const struct sink *to, const struct channel *ch, int64_t ts) {
    struct taut_json *j = start(to->c, named(to, ch, "marked"));
    taut_json_kstr(j, "channel", ch->pub.id);
    shape_ts(j, "ts", ts);
    const struct taut_event event = {
        .size = sizeof event,
        .ntopics = 1,
        .topics = &to->c->actor->user,
        .flags = TAUT_EVENT_EPHEMERAL,
        .body = end(to->cv, j),
    };
    taut_append(to->cv->mod, to->b, &event);
}
