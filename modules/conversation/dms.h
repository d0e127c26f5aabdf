/* dms.h - DMs of two (or one) and group DMs: each set of people has at most one. */
#ifndef CONVERSATION_DMS_H
#define CONVERSATION_DMS_H

#include "members.h"

enum { DM_PEERS_MAX = 8 }; /* others than the one who opens it */

/* The DM of the actor with `others` (a comma list; may name the actor): found, or (b not NULL) added to the batch, then
 * *fresh is 1 and no condition may be put on its rows. *out NULL: there is none and b was NULL. Fails with
 * user_not_found, user_disabled, not_enough_users, too_many_users. */
int32_t dm_open(struct conv *cv, struct taut_call *c, struct taut_batch *b, taut_str others, const struct channel **out,
                int *fresh);

#endif
