/* edge.h - what all gateways of a server share at their front: certificate, trusted proxies, limits per address,
 * origins.
 *
 * Rules are immutable. A reload puts new ones in their place; the old ones stay until edge_free, for whoever still
 * looks at them: a few hundred bytes for each change that a person makes. prepare, commit and cancel are called by one
 * thread at a time, everything else by any thread.
 */
#ifndef GATEWAY_EDGE_H
#define GATEWAY_EDGE_H

#include <openssl/ssl.h>
#include <stdatomic.h>

#include "gateway/origin.h"
#include "gateway/per_address.h"
#include "gateway/proxies.h"

/* As the options of `server:` say it. Borrowed. */
struct edge_config {
    taut_str public_url; /* its path is the prefix below which everything is */
    taut_str admin_listen;
    taut_str cert, key;                                               /* files; both empty: no TLS */
    struct taut_array trusted_proxies, limit_exempt, allowed_origins; /* of taut_str */
    int64_t max_connections;                                          /* of the server */
    int64_t max_connections_per_address, max_connects_per_second;     /* 0: any */
};
/* option: its name below `server` ("tls.key"). text: what is wrong and what to do. fatal: else it is only odd. */
typedef void (*edge_report_fn)(void *arg, bool fatal, const char *option, const char *text);

struct edge_rules {
    struct edge_rules *before;
    struct addr_nets proxies, exempt;
    struct origins origins;
    struct per_address_limits limits;
    char *prefix; /* "/chat", or "" */
    char *admin_listen;
    char *https_only;  /* the answer to who speaks HTTP without TLS where there is TLS */
    char *fingerprint; /* of all that they were made from */
};

struct edge;
struct edge *edge_new(const struct edge_config *c, edge_report_fn report, void *arg); /* NULL: errors were told */
void edge_free(struct edge *e);                                                       /* no gateway has it any more */

/* A reload in two steps: all of it is read and checked, certificate and key as well; then it is what new connections
 * and requests meet. False: errors were told, nothing changes. */
bool edge_prepare(struct edge *e, const struct edge_config *c, edge_report_fn report, void *arg);
bool edge_certificate_changes(const struct edge *e); /* by what is prepared */
void edge_commit(struct edge *e);
void edge_cancel(struct edge *e);

const struct edge_rules *edge_rules(const struct edge *e);
bool edge_has_tls(const struct edge *e);
SSL *edge_tls_new(struct edge *e);                            /* for one connection, with the newest certificate */
const atomic_llong *edge_certificate_expires(struct edge *e); /* seconds since 1970; 0: no TLS */

/* Do limits of addresses hold for this one? Not for exempt ones, nor for proxies that are trusted. */
bool edge_limits(const struct edge *e, const struct addr *a);
/* May this address have one connection more? */
enum admission edge_admit(struct edge *e, const struct addr *a, struct seat *seat);
void edge_leave(struct edge *e, struct seat *seat);
bool edge_is_proxy(const struct edge *e, const struct addr *a);

#endif
