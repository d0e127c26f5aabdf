/* messages.h - posting, changing and deleting messages.
 *
 * A message's time is given in the run that commits: taut_stamp_us, later than the channel's newest. The insert of its
 * row is the guard that it is unique.
 */
#ifndef CONVERSATION_MESSAGES_H
#define CONVERSATION_MESSAGES_H

#include "parts.h"
#include "threads.h"

/* Posts as the actor. fresh: the channel is being made in this very batch. See taut_conversation_v1.post. */
int32_t message_post(struct conv *cv, struct taut_call *c, struct taut_batch *b, const struct channel *ch, int fresh,
                     const struct taut_new_message *in, struct taut_posted *out);

/* What an edit changes. Parts that are not given stay; an empty JSON list takes the part away. */
struct message_edit {
    taut_str text;
    struct parts parts;
    int has_text, has_blocks, has_attachments, has_metadata;
};
/* message: the new message object as JSON; edit->text: the text as it is stored, which filters may have changed. */
int32_t message_update(struct conv *cv, struct taut_call *c, struct taut_batch *b, const struct channel *ch, int64_t ts,
                       struct message_edit *edit, taut_str *message);
int32_t message_delete(struct conv *cv, struct taut_call *c, struct taut_batch *b, const struct channel *ch,
                       int64_t ts);

/* Adds a message's rows alone: no permission, no reads, no event, no change of the channel's newest. A reply counts at
 * its parent. */
void message_import(const struct sink *to, const struct channel *ch, const struct message *ms);

/* The bots behind messages, for their bot_profile. */
int32_t message_bots(struct conv *cv, struct taut_call *c, struct message *list, uint32_t n);

#endif
