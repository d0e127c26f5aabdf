/* reads.h - read marks: how far somebody has read a channel. Personal state: rows, the latest wins, no log events. */
#ifndef CONVERSATION_READS_H
#define CONVERSATION_READS_H

#include "channels.h"

/* The actor's mark, microseconds. */
int32_t read_mark(struct conv *cv, struct taut_call *c, const struct channel *ch, int64_t *ts);

/* Sets it and tells the actor's connections, when it is on disk; answers the call. */
int32_t read_mark_set(struct conv *cv, struct taut_call *c, const struct channel *ch, int64_t ts);

#endif
