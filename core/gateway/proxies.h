/* proxies.h - who asks, when a proxy stands in between. Pure.
 *
 * What a request says of its origin is believed only when the peer of its connection is a trusted proxy. Of the
 * addresses in X-Forwarded-For the right-most that is no trusted proxy is the client: what stands left of it the client
 * may have written itself.
 */
#ifndef GATEWAY_PROXIES_H
#define GATEWAY_PROXIES_H

#include "base/addr.h"

/* Whom a connection comes from. */
struct remote {
    struct addr addr;
    bool secure;   /* by TLS */
    bool is_proxy; /* one of the trusted */
};

struct asker {
    struct addr addr;
    bool secure;    /* TLS, here or at the proxy */
    bool forwarded; /* the proxy said who it is */
    taut_str host;  /* as the client called this server: its Host header, or what the proxy says that was */
};

/* head: of the request, all of it; host: the value of its Host header. What is returned borrows from both. */
struct asker proxies_asker(const struct addr_nets *trusted, const struct remote *peer, taut_str head, taut_str host);

#endif
