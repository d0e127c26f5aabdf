/* claims.h - the claims of the last 24 hours, in memory: 64 bits of each one's hash, and the seq of the event whose row
 * holds the whole hash and the value. An index on random keys on disk would cost most of the writer's speed.
 *
 * They lie in a ring in the order in which they were made: the oldest leave at one end by time or by the limit, those
 * of a group that failed leave at the other. Writer thread.
 */
#ifndef STORE_CLAIMS_H
#define STORE_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CLAIM_SECONDS = 24 * 3600 };

struct claim {
    uint64_t hash, seq;
    int64_t at_s;
};
struct claims {
    struct claim *ring;
    uint32_t *index; /* open addressing; slot + 1, 0: free */
    uint32_t cap;    /* of the ring: a power of two, or 0; the index has twice as many */
    uint32_t first, len, limit;
};

void claims_init(struct claims *c, uint32_t limit);
void claims_fini(struct claims *c);
/* Memory for one more. False: there is none, and a claim that is not remembered would be a promise broken. */
bool claims_reserve(struct claims *c);
/* After claims_reserve. How many live ones had to go for it, because of the limit: 0 or 1. */
uint32_t claims_add(struct claims *c, const struct claim *claim);
/* One older than all that are there. False: no room for it. */
bool claims_add_older(struct claims *c, const struct claim *claim);
void claims_expire(struct claims *c, int64_t now_s);
void claims_undo(struct claims *c, uint32_t n);                        /* forgets the newest n */
const struct claim *claims_newest(const struct claims *c, uint32_t i); /* 0: the newest */
/* Those of that hash, one a call; *cursor starts at 0. */
const struct claim *claims_find(const struct claims *c, uint64_t hash, uint32_t *cursor);

#endif
