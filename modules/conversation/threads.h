/* threads.h - what replies change: their parent's counts, and the list of a thread's messages. */
#ifndef CONVERSATION_THREADS_H
#define CONVERSATION_THREADS_H

#include "events.h"
#include "shapes.h"

/* The message of that time. *out NULL: none, or one that is gone. */
int32_t message_find(struct conv *cv, struct taut_call *c, const struct channel *ch, int64_t ts,
                     const struct taut_row **out);

/* The parent of the thread in which the message `ts` stands (itself, unless it is a reply). *out NULL: none. */
int32_t thread_parent(struct conv *cv, struct taut_call *c, const struct channel *ch, int64_t ts,
                      const struct taut_row **out);

/* Who replied and when last, for those of the messages that are parents. Of a thread with more replies than fit, the
 * people are those of its beginning, and the last reply may be one that has been deleted since. */
int32_t thread_people(struct conv *cv, struct taut_call *c, const struct channel *ch, struct message *list, uint32_t n);

/* Who wrote the parents of those of the messages that are replies. */
int32_t thread_authors(struct conv *cv, struct taut_call *c, const struct channel *ch, struct message *list,
                       uint32_t n);

/* Adds the rows of a reply to a batch. */
void thread_reply_add(const struct sink *to, const struct channel *ch, const struct message *reply);
/* And takes them away. */
int32_t thread_reply_remove(const struct sink *to, const struct channel *ch, const struct message *reply);

#endif
