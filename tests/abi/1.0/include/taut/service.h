/* service.h - services: what one module offers to others, by family and major version ("search/1").
 *
 * A family is a table of functions in svc/FAMILY.h. A consumer never holds the provider's table itself but a place that
 * the core owns: when the provider is not there, has stopped or has been cut off by its circuit breaker, the core puts
 * the family's `down` table in its place, whose functions answer TAUT_E_UNAVAILABLE. So:
 *
 *     s->search = taut_svc_get(m, "search", 1, &taut_search_down);             in init
 *     const struct taut_search_v1 *t = s->search->vtable;                      at each use
 *     t->query(s->search->self, …);
 *
 * Breaker: 5 operations of a service (taut_await or taut_op_new with it) that time out within a minute cut it off for a
 * second, then for twice as long each time, up to a minute; the first that succeeds after that closes the breaker.
 *
 * Thread: hub. Since 1.0.
 */
#ifndef TAUT_SERVICE_H
#define TAUT_SERVICE_H

#include "taut/host.h"

/* A service as its consumer holds it. The core owns it; it lives as long as the consumer. */
struct taut_svc {
    uint32_t size;
    uint32_t up;         /* 0: vtable is the down table */
    const void *vtable;  /* never NULL when a down table was given */
    void *self;          /* the first argument of its functions; of the down table's: the consumer's taut_mod */
    uint64_t generation; /* rises whenever vtable changes */
};

/* In init: offers a service that the module's `provides` names. vtable begins with its size and lives as long as the
 * module. TAUT_E_EXISTS: it is provided already. */
static inline int32_t taut_svc_provide(struct taut_mod *m, const char *family, uint32_t major, const void *vtable,
                                       void *self) {
    return m->host->svc_provide(m, family, major, vtable, self);
}

/* The place of a service, whether or not somebody provides it. down: the family's; NULL only for what the module's
 * `needs` names and may do without when it stops. NULL: nobody provides it and there is no down table. */
static inline const struct taut_svc *taut_svc_get(struct taut_mod *m, const char *family, uint32_t major,
                                                  const void *down) {
    return m->host->svc_get(m, family, major, down);
}

#endif
