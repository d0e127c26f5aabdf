/* heads.h - the last seq of each workspace, in memory; written to the store once a group. Writer thread. */
#ifndef STORE_HEADS_H
#define STORE_HEADS_H

#include "taut/types.h"

struct head {
    uint64_t seq;   /* given out, this group included */
    uint64_t saved; /* on disk */
    struct head *next_dirty;
    size_t len;
    char workspace[];
};
struct heads {
    struct head **slots;
    uint32_t cap, len; /* cap is a power of two, or 0 */
    struct head *dirty, *last;
};

/* The workspace's head, a new one at 0 if need be. NULL: out of memory. */
struct head *heads_get(struct heads *h, taut_str workspace);
void heads_advance(struct heads *h, struct head *head, uint32_t n); /* gives out n more */
void heads_keep(struct heads *h);                                   /* what was given out is on disk */
void heads_undo(struct heads *h);                                   /* it is not, and never will be */
void heads_fini(struct heads *h);

#endif
