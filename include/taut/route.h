/* route.h - plain HTTP routes of a module. The handler is a call of kind ROUTE; it answers with taut_reply. */
#ifndef TAUT_ROUTE_H
#define TAUT_ROUTE_H

#include "taut/call.h"

enum { TAUT_ROUTE_ADMIN = 1 /* on the admin address instead of the public one */ };

struct taut_route {
    const char *method; /* "GET", "POST" */
    const char *path;   /* exact, or a prefix when it ends in '/' (except "/" itself, which is exact) */
    uint32_t flags;
    uint32_t reserved;
    int32_t (*run)(struct taut_mod *m, struct taut_call *c);
};

/* Sends this. */
static inline int32_t taut_reply(struct taut_call *c, int32_t status, const char *content_type, taut_str body) {
    return c->mod->host->reply(c, status, content_type, body);
}

#endif
