/* reactions.h - who reacted to messages with what; added, removed, and gathered for a page of messages. */
#ifndef CONVERSATION_REACTIONS_H
#define CONVERSATION_REACTIONS_H

#include "messages.h"

/* Fills the batch. Fail with message_not_found, already_reacted, too_many_reactions, too_many_emoji; no_reaction. */
int32_t reaction_add(struct conv *cv, struct taut_call *c, struct taut_batch *b, const struct channel *ch, int64_t ts,
                     taut_str name);
int32_t reaction_remove(struct conv *cv, struct taut_call *c, struct taut_batch *b, const struct channel *ch,
                        int64_t ts, taut_str name);

/* All reactions to the messages of a channel with from <= ts <= to. */
struct reacted {
    const struct taut_row **rows; /* by ts */
    uint32_t n;
};
int32_t reacted_load(struct conv *cv, struct taut_call *c, const struct channel *ch, int64_t from, int64_t to,
                     struct reacted *out);
/* Those to one message: emoji and people in the order in which they came. */
struct reaction_list reacted_of(struct taut_call *c, const struct reacted *all, int64_t ts);

#endif
