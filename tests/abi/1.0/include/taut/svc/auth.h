/* svc/auth.h - the family auth/1: who is behind a token. Consumed by the core for every call that carries one.
 *
 * Thread: hub. Since 1.0. */
#ifndef TAUT_SVC_AUTH_H
#define TAUT_SVC_AUTH_H

#include "taut/call.h"

struct taut_auth_v1 {
    uint32_t size;
    uint32_t reserved;
    /* Fills *actor, whose size the caller has set: nothing behind it is written (taut_copy_sized). Its strings live as
     * long as the call. Restartable. Errors: TAUT_E_AGAIN, or taut_fail with not_authed, invalid_auth, token_revoked,
     * account_inactive. */
    int32_t (*resolve)(void *self, struct taut_call *c, taut_str token, struct taut_actor *actor);
};

/* Nobody provides it: calls that need somebody are refused. */
static inline int32_t taut_auth_down_resolve(void *self, struct taut_call *c, taut_str token,
                                             struct taut_actor *actor) {
    (void)self, (void)c, (void)token, (void)actor;
    return TAUT_E_UNAVAILABLE;
}
TAUT_UNUSED static const struct taut_auth_v1 taut_auth_down = {
    (uint32_t)sizeof(struct taut_auth_v1),
    0,
    taut_auth_down_resolve,
};

#endif
