/* parts.h - the parts of a message that are JSON: blocks, attachments, metadata. What they may be; pure functions. */
#ifndef CONVERSATION_PARTS_H
#define CONVERSATION_PARTS_H

#include "taut/types.h"

/* Compact, valid JSON each, or empty: not given. */
struct parts {
    taut_str blocks, attachments, metadata;
};

/* Slack's code for what is wrong with them, or NULL. */
const char *parts_error(const struct parts *p);
/* Is there anything to see in them? */
int parts_shown(const struct parts *p);
/* The part as it is kept: an empty list or object is none. */
taut_str part_kept(taut_str json);

#endif
