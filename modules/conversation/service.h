/* service.h - the family conversation/1 and the hook points of the directory that this module takes part in. */
#ifndef CONVERSATION_SERVICE_H
#define CONVERSATION_SERVICE_H

#include "conversation.h"

/* self of its functions: struct conv. */
extern const struct taut_conversation_v1 conversation_service;

/* TAUT_HOOK_WORKSPACE_CREATE: its #general, with the first owner in it. */
int32_t on_workspace_create(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, void *data);
/* TAUT_HOOK_USER_CREATE: everybody is in #general. */
int32_t on_user_create(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, void *data);

#endif
