/* threads.h - what replies change: their parent's counts, and the list of a thread's messages. */
#ifndef CONVERSATION_THREADS_H
#define CONVERSATION_THREADS_H

#include "events.h"
#include "shapes.h"

/* The parent of the thread in which the message `ts` stands (itself, unless it is a reply). *out NULL: none. */
int32_t thread_parent(struct conv *cv, struct taut_call *c, const struct channel *ch, int64_t ts,
                      const struct taut_row **out);

/* Adds the reply's part to a batch. Returns the list of who has replied then. */
taut_str thread_reply_add(const struct sink *to, const struct channel *ch, const struct taut_row *parent,
                          const struct message *reply);
/* The same without looking at the parent, for imports: the list of who replied stays as it is. */
void thread_reply_import(const struct sink *to, const struct channel *ch, const struct message *reply);
/* And takes it away; reads what is left of the thread first. */
int32_t thread_reply_remove(const struct sink *to, const struct channel *ch, const struct message *reply);

#endif
