/* drafts.h - what the filters of other modules see of a message before it is stored (taut/msg.h). */
#ifndef CONVERSATION_DRAFTS_H
#define CONVERSATION_DRAFTS_H

#include "messages.h"

/* Asks the filters of that point; ms is what they leave of it. ts: of the message that is edited, else empty. Whatever
 * they leave is checked by the caller, as what a person has written. */
int32_t draft_filter(struct conv *cv, struct taut_call *c, struct taut_batch *b, const char *point,
                     const struct channel *ch, taut_str ts, struct message *ms);

/* Tells the observers of that point when the batch is on disk. */
void draft_observe(const struct sink *to, const char *point, const struct channel *ch, int64_t ts, taut_str user);

#endif
