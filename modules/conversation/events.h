/* events.h - the events of this module: their JSON, who gets them, and the subscriptions that change with them.
 *
 * Topics: a channel's id for its members, a user's id for that user alone, the workspace's id for everybody. Whoever
 * joins gets the '+' with an event on its own topic, before the channel hears of it; whoever leaves gets the '-' with
 * the channel's event, and so not that event, and then one on its own topic.
 * Each function returns the event's number in the batch.
 */
#ifndef CONVERSATION_EVENTS_H
#define CONVERSATION_EVENTS_H

#include "channels.h"

/* Where an event goes. */
struct sink {
    struct conv *cv;
    struct taut_call *c;
    struct taut_batch *b;
    taut_str workspace;
};

uint32_t event_created(const struct sink *to, const struct channel *ch);
uint32_t event_joined(const struct sink *to, const struct channel *ch, taut_str user);
uint32_t event_opened(const struct sink *to, const struct channel *ch, taut_str user);
uint32_t event_member_joined(const struct sink *to, const struct channel *ch, taut_str user, taut_str inviter);
uint32_t event_member_left(const struct sink *to, const struct channel *ch, taut_str user);
uint32_t event_left(const struct sink *to, const struct channel *ch, taut_str user, taut_str actor);
/* body: a finished message event. */
uint32_t event_message(const struct sink *to, const struct channel *ch, taut_str body, taut_conn skip);
/* type: "reaction_added" or "reaction_removed". */
uint32_t event_reaction(const struct sink *to, const struct channel *ch, const char *type, taut_str name, int64_t ts,
                        taut_str author);
/* channel_marked and its like, to the actor; ephemeral. */
void event_marked(const struct sink *to, const struct channel *ch, int64_t ts);

/* A channel as that user, who is in it, sees it. */
struct channel channel_seen_by(const struct channel *ch, taut_str user);

#endif
