/* views.h - what only the viewer's own view of a channel has: how far it has read, and of DMs the newest message and
 * how many are unread. */
#ifndef CONVERSATION_VIEWS_H
#define CONVERSATION_VIEWS_H

#include "shapes.h"

/* Fills in what there is; the rest of view stays. */
int32_t view_load(struct conv *cv, struct taut_call *c, const struct channel *ch, struct channel_view *view);

#endif
