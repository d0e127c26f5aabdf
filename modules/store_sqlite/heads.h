/* heads.h - the first and the last seq of each workspace's log, in memory; written to the store once a group. Writer
 * thread. */
#ifndef STORE_HEADS_H
#define STORE_HEADS_H

#include <stdbool.h>

#include "taut/types.h"

struct span {
    uint64_t seq;   /* the last one given out */
    uint64_t first; /* the oldest that is there, as the log's readers see it; 1 in an empty one */
};
struct head {
    struct span now;   /* this group included */
    struct span saved; /* on disk */
    uint64_t swept;    /* below it nothing is left to be deleted, but claims that still hold (trim.c) */
    int64_t again_us;  /* monotonic: when it is to be swept anew, for claims that have ended; 0: not at all */
    struct head *next_dirty;
    bool is_dirty;
    size_t len;
    char workspace[];
};
struct heads {
    struct head **slots;
    uint32_t cap, len; /* cap is a power of two, or 0 */
    uint64_t base;     /* where a new log begins; 0 unless the store was restored */
    struct head *dirty, *last;
};

/* The workspace's head, a new one at 0 if need be. NULL: out of memory. */
struct head *heads_get(struct heads *h, taut_str workspace);
void heads_advance(struct heads *h, struct head *head, uint32_t n);  /* gives out n more */
void heads_trim(struct heads *h, struct head *head, uint64_t up_to); /* the last one always stays */
void heads_keep(struct heads *h);                                    /* what was changed is on disk */
void heads_undo(struct heads *h);                                    /* it is not, and never will be */
void heads_fini(struct heads *h);

#endif
