/* channels.h - a channel of any kind: from its row to a struct, found by id, name or pair, and new rows. */
#ifndef CONVERSATION_CHANNELS_H
#define CONVERSATION_CHANNELS_H

#include "conversation.h"
#include "tables.h"

/* pub comes first: a `const struct taut_channel *` that this module handed out is one of these. */
struct channel {
    struct taut_channel pub;
    taut_str pair, label, topic_by, purpose_by;
    int64_t topic_at, purpose_at; /* seconds */
    int64_t updated;              /* milliseconds */
    int64_t num_members;
    int64_t base_ts; /* the viewer's membership: nothing up to it is unread */
};

/* The channel of a row, as `viewer` sees it; member: the viewer's membership or NULL. */
const struct channel *channel_of(struct taut_call *c, const struct taut_row *row, taut_str viewer,
                                 const struct taut_row *member);

/* May somebody who is in it or not know that it exists? */
int channel_visible(const struct channel *ch);
/* "channel", "group", "im", "mpim": channel_type of events and the first word of their names. */
taut_str channel_type(const struct channel *ch);
int channel_is_dm(const struct channel *ch);

/* By id. *out NULL when there is none; asks no permission. */
int32_t channel_find(struct conv *cv, struct taut_call *c, taut_str workspace, taut_str id, taut_str viewer,
                     const struct channel **out);
/* The same for the call's actor; fails with channel_not_found when there is none that it may see. */
int32_t channel_see(struct conv *cv, struct taut_call *c, taut_str id, const struct channel **out);
/* By one of the unique indexes CHANNELS_BY_NAME, _BY_PAIR, _GENERAL. *out NULL when there is none; no permission. */
int32_t channel_lookup(struct conv *cv, struct taut_call *c, taut_str workspace, int32_t index, struct taut_val value,
                       taut_str viewer, const struct channel **out);

/* A new channel with a new id, created now, to be filled further and inserted. */
struct channel *channel_new(struct conv *cv, struct taut_call *c, uint32_t kind, taut_str creator);
void channel_insert(struct conv *cv, struct taut_batch *b, taut_str workspace, const struct channel *ch);

#endif
