/* ticket.h - single-use keys by which a client that called rtm.connect opens its socket.
 *
 * A ticket stands for an actor for a short time. It lives in memory only, under its hash: after a restart clients ask
 * for a new one. The table is bounded twice: of one user a new ticket pushes out the oldest of TICKETS_OF_USER, and of
 * all the oldest of TICKETS_MAX. Thread: hub.
 */
#ifndef RTM_TICKET_H
#define RTM_TICKET_H

#include "taut/taut.h"

enum { TICKET_TEXT = 64, TICKET_HASH = 32, TICKETS_MAX = 100000, TICKETS_OF_USER = 32, TICKET_BUCKETS = 8192 };

struct ticket {
    struct ticket *bucket_next;
    struct ticket *owner_next;    /* of users that share a bucket; the newest first */
    struct ticket *older, *newer; /* in order of issue */
    int64_t expires_us;           /* monotonic */
    unsigned char hash[TICKET_HASH];
    struct taut_actor actor; /* its strings lie behind this struct, in the same block */
};

struct tickets {
    struct ticket **buckets; /* by hash */
    struct ticket **owners;  /* by user */
    struct ticket *oldest, *newest;
    uint32_t n;
};

int32_t tickets_init(struct taut_mod *m, struct tickets *ts);
void tickets_fini(struct taut_mod *m, struct tickets *ts);

/* Makes the text of a ticket: nobody can guess it. */
void ticket_text(struct taut_mod *m, char text[TICKET_TEXT]);
/* Lets the text stand for the actor. Errors: TAUT_E_NOMEM. */
int32_t ticket_issue(struct taut_mod *m, struct tickets *ts, const struct taut_actor *actor, int64_t ttl_us,
                     const char text[TICKET_TEXT]);
/* The ticket of that text while it is good, or NULL. It stays in the table. */
const struct ticket *ticket_find(struct taut_mod *m, struct tickets *ts, taut_str text);
/* Ends the ticket of that text, if it is still there; it is gone with its actor. */
void ticket_use(struct taut_mod *m, struct tickets *ts, taut_str text);

#endif
