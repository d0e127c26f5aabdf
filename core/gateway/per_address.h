/* per_address.h - how many connections each address has, and how fast it makes new ones. Any thread.
 *
 * The table has a fixed size, whoever comes: an IPv6 /64 is one address (addr_group), an entry without connections
 * whose allowance is whole again says nothing and gives way. An address for which there is no room is not counted: the
 * limit of all connections still holds.
 */
#ifndef GATEWAY_PER_ADDRESS_H
#define GATEWAY_PER_ADDRESS_H

#include "base/addr.h"

struct per_address;

struct per_address_limits {
    int64_t connections; /* 0: any number */
    int64_t per_second;  /* new ones on average, with a burst of PER_ADDRESS_BURST_S seconds' worth; 0: any number */
};
enum { PER_ADDRESS_BURST_S = 10 };

/* A place that was taken; all zero: none. Who has it gives it back. */
struct seat {
    uint64_t group;
};
enum admission { ADMITTED, TOO_MANY, TOO_FAST };

/* For at most max_connections connections at a time. */
struct per_address *per_address_new(int64_t max_connections);
void per_address_free(struct per_address *t);
/* now_ms: a monotonic clock, the same for all callers. */
enum admission per_address_take(struct per_address *t, const struct per_address_limits *limits, const struct addr *a,
                                uint64_t now_ms, struct seat *seat);
void per_address_give_back(struct per_address *t, struct seat *seat);

#endif
