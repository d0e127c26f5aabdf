/* listen.h - a listening socket on a gateway's loop. */
#ifndef GATEWAY_LISTEN_H
#define GATEWAY_LISTEN_H

#include <uv.h>

#include "base/base.h"

struct gateway;
struct listener {
    uv_poll_t poll;
    struct gateway *g;
    int fd;
    bool admin, tls, paused, closed;
    char address[80]; /* where it really listens */
};

/* False and *why (malloc'ed): ADDRESS: what is wrong; what to do. */
bool listener_open(struct listener *l, struct gateway *g, const char *address, bool admin, bool reuse_port, char **why);
void listener_tick(struct listener *l); /* takes up accepting again after descriptors ran out */
void listener_close(struct listener *l);

#endif
