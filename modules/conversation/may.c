/* may.c - who may do what in which kind of channel: a table, and the order in which its columns are asked.
 *
 * Every read and write path of every module comes through here. A stranger to a private channel or a DM learns nothing:
 * channel_not_found is asked first, and is the same for what does not exist.
 */
#include "may.h"

#define KIND(k) (1u << (k))
enum { NAMED = KIND(TAUT_CH_PUBLIC) | KIND(TAUT_CH_PRIVATE), ALL = NAMED | KIND(TAUT_CH_IM) | KIND(TAUT_CH_MPIM) };
enum { ANYBODY, AUTHOR, AUTHOR_OR_ADMIN };

static const struct rule {
    uint32_t kinds;        /* in which kinds of channels there is such a thing */
    uint32_t members_only; /* in which kinds only members may; strangers see public channels alone anyhow */
    uint32_t who;
    const char *archived;   /* the error in an archived channel; NULL: allowed */
    const char *in_general; /* the error in the general channel; NULL: allowed */
    const char *not_author;
} rules[] = {
    [TAUT_ACT_SEE] = {.kinds = ALL},
    [TAUT_ACT_READ] = {.kinds = ALL},
    [TAUT_ACT_POST] = {.kinds = ALL, .members_only = ALL, .archived = "is_archived"},
    [TAUT_ACT_REACT] = {.kinds = ALL, .members_only = ALL, .archived = "is_archived"},
    [TAUT_ACT_JOIN] = {.kinds = NAMED, .archived = "is_archived"},
    [TAUT_ACT_INVITE] = {.kinds = NAMED, .members_only = ALL, .archived = "is_archived"},
    [TAUT_ACT_KICK] = {.kinds = NAMED,
                       .members_only = ALL,
                       .archived = "is_archived",
                       .in_general = "cant_kick_from_general"},
    [TAUT_ACT_LEAVE] = {.kinds = NAMED, .archived = "is_archived", .in_general = "cant_leave_general"},
    [TAUT_ACT_MARK] = {.kinds = ALL, .members_only = ALL},
    [TAUT_ACT_TYPE] = {.kinds = ALL, .members_only = ALL, .archived = "is_archived"},
    [TAUT_ACT_EDIT] = {.kinds = ALL, .who = AUTHOR, .archived = "is_inactive", .not_author = "cant_update_message"},
    [TAUT_ACT_DELETE] = {.kinds = ALL,
                         .who = AUTHOR_OR_ADMIN,
                         .archived = "is_archived",
                         .not_author = "cant_delete_message"},
};

static const struct rule *rule_of(uint32_t action) {
    return action && action < sizeof rules / sizeof rules[0] ? &rules[action] : NULL;
}

static int is_one_of(const struct rule *r, const struct taut_actor *actor, taut_str author) {
    if (r->who == ANYBODY) return 1;
    if (author.len && taut_str_eq(author, actor->user)) return 1;
    return r->who == AUTHOR_OR_ADMIN && (actor->flags & (TAUT_ACTOR_ADMIN | TAUT_ACTOR_OWNER));
}

const char *may_error(uint32_t action, const struct taut_channel *ch, const struct taut_actor *actor, taut_str author) {
    const struct rule *r = rule_of(action);
    if (ch->kind != TAUT_CH_PUBLIC && !ch->is_member) return "channel_not_found";
    if (!r || !(r->kinds & KIND(ch->kind))) return "method_not_supported_for_channel_type";
    if (ch->is_archived && r->archived) return r->archived;
    if ((r->members_only & KIND(ch->kind)) && !ch->is_member) return "not_in_channel";
    if (ch->is_general && r->in_general) return r->in_general;
    return is_one_of(r, actor, author) ? NULL : r->not_author;
}

int32_t may(struct conv *cv, struct taut_call *c, uint32_t action, const struct channel *ch, taut_str author,
            struct taut_batch *b) {
    const struct taut_actor *actor = c->actor;
    const struct taut_channel *pub = &ch->pub;
    const struct rule *r = rule_of(action);
    const char *error = may_error(action, pub, actor, author);
    if (error) return taut_fail(c, error);
    if (!b) return TAUT_OK;
    if (pub->kind != TAUT_CH_PUBLIC || (r->members_only & KIND(pub->kind)))
        taut_expect_present(cv->mod, b, &members, MEMBER_KEY(actor->workspace, pub->id, actor->user));
    if (r->archived)
        taut_expect_equals(cv->mod, b, &channels, CHANNEL_KEY(actor->workspace, pub->id), CH_IS_ARCHIVED,
                           taut_v_int(0));
    return TAUT_OK;
}
