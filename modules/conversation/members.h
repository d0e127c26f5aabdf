/* members.h - memberships: made and ended in a batch, with their events; listed. */
#ifndef CONVERSATION_MEMBERS_H
#define CONVERSATION_MEMBERS_H

#include "events.h"

enum {
    MEMBER_QUIET, /* no events: imports; the membership reaches back to the start of the log */
    MEMBER_DM,    /* the member alone hears of it */
    MEMBER_JOINS  /* the channel hears of it too */
};

/* A row that is there already is a conflict: the caller has looked. */
void member_add(const struct sink *to, const struct channel *ch, taut_str user, taut_str inviter, uint32_t how);
/* actor: who ends it; the user itself, or whoever removes it. */
void member_remove(const struct sink *to, const struct channel *ch, taut_str user, taut_str actor);

/* The batch rests on the channel having as many members as the caller has seen. */
void members_expect(const struct sink *to, const struct channel *ch);

/* *out: 1 when the user is in the channel. */
int32_t member_is(struct conv *cv, struct taut_call *c, taut_str workspace, taut_str channel, taut_str user, int *out);

/* The channels that the actor is in, by id, after `after`: at most `limit`. */
struct channel_page {
    const struct channel **list;
    uint32_t n;
    taut_str next; /* go on after this id; empty at the end */
};
int32_t member_channels(struct conv *cv, struct taut_call *c, taut_str after, uint32_t limit, struct channel_page *out);

/* See taut_conversation_v1.topics. */
int32_t member_topics(struct conv *cv, struct taut_call *c, taut_str workspace, taut_str user,
                      const struct taut_topic **out, uint32_t *n, uint64_t *as_of);

#endif
