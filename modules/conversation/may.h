/* may.h - the one permission function. See may.c for the table that decides. */
#ifndef CONVERSATION_MAY_H
#define CONVERSATION_MAY_H

#include "channels.h"

/* The error code for what the actor wants, or NULL: it may. author: of the message, for EDIT and DELETE. */
const char *may_error(uint32_t action, const struct taut_channel *ch, const struct taut_actor *actor, taut_str author);

/* TAUT_OK, or fails the call. b, unless NULL, gets the facts used as conditions. */
int32_t may(struct conv *cv, struct taut_call *c, uint32_t action, const struct channel *ch, taut_str author,
            struct taut_batch *b);

#endif
