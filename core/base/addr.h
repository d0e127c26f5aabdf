/* addr.h - IP addresses and networks of both families, as values. Pure.
 *
 * An IPv4 address is held in its IPv6-mapped form, which is also what a socket of both families says: so one comparison
 * does, and nobody is two people.
 */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include "base/base.h"

enum { ADDR_TEXT = 46 /* bytes that any address takes as text, its NUL included */ };

struct addr {
    unsigned char bytes[16]; /* all zero: none, or one that is not known */
};

/* "192.0.2.7", "2001:db8::1", "[2001:db8::1]"; with_port: also with ":80" behind the first and the last. */
bool addr_parse(taut_str text, bool with_port, struct addr *a);
/* Of a socket. Another family than IP: none. */
struct sockaddr;
struct addr addr_of(const struct sockaddr *sa);
taut_str addr_text(const struct addr *a, char out[ADDR_TEXT]); /* "-" when there is none */

bool addr_eq(const struct addr *a, const struct addr *b);
bool addr_is_v4(const struct addr *a);
bool addr_is_loopback(const struct addr *a);

/* Whom limits take for one: the address, or of IPv6 the /64, for that is what one customer gets. Never 0. */
uint64_t addr_group(const struct addr *a);

/* ---- networks ---- */

struct addr_net {
    struct addr addr;
    uint8_t bits; /* of the 128 */
    bool v4;      /* ::/0 does not mean IPv4 as well */
};
struct addr_nets {
    struct addr_net *list;
    uint32_t n;
};

/* "10.0.0.0/8", "2001:db8::/32", or an address alone. Bits behind the mask are ignored. */
bool addr_net_parse(taut_str text, struct addr_net *net);
/* All items of a list (of taut_str), malloc'ed. False: *bad is what is no address and no network. */
bool addr_nets_parse(struct taut_array items, struct addr_nets *nets, taut_str *bad);
void addr_nets_free(struct addr_nets *nets);
bool addr_nets_have(const struct addr_nets *nets, const struct addr *a);

#endif
