/* method.h - Web API methods: POST or GET /api/NAME.
 *
 * The core finds the token, asks auth/1 who it is, parses the arguments by the table, and wraps the answer in the
 * envelope of Slack's dialect ("ok", "error", "warning", "response_metadata"). A handler sees typed arguments and
 * answers members.
 *
 * Thread: the hub. Since 1.0.
 */
#ifndef TAUT_METHOD_H
#define TAUT_METHOD_H

#include "taut/call.h"

enum {
    TAUT_METHOD_NOAUTH = 1 /* works without a token; actor is NULL without one */
};

enum { TAUT_RATE_NONE = 0, TAUT_RATE_TIER1 = 1, TAUT_RATE_TIER2, TAUT_RATE_TIER3, TAUT_RATE_TIER4, TAUT_RATE_SPECIAL };

struct taut_method {
    const char *name;
    struct taut_array args; /* of struct taut_arg */
    const char *scopes;     /* comma list of bot scopes of which one is needed; NULL: none */
    uint32_t rate;
    uint32_t flags;
    int32_t (*run)(struct taut_mod *m, struct taut_call *c);
};

#endif
