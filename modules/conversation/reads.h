/* reads.h - read marks: how far somebody has read a channel. Personal state: rows that are only raised, no log events.
 */
#ifndef CONVERSATION_READS_H
#define CONVERSATION_READS_H

#include "channels.h"

/* The actor's mark, microseconds. */
int32_t read_mark(struct conv *cv, struct taut_call *c, const struct channel *ch, int64_t *ts);

/* Raises it. Answers the call when the mark is on disk and has been told to the actor's other connections: to be
 * returned by the handler as it is. */
int32_t read_mark_raise(struct conv *cv, struct taut_call *c, const struct channel *ch, int64_t ts);

#endif
