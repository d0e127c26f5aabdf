/* condition.h - what the store says of its own health (taut_health), each under a code that stays until it is taken
 * back: an operator finds them in `taut status` and /readyz, and what to do in docs/operations.md.
 *
 *   down      disk_full, read_only, file_moved, disk_error, writes_fail: nothing is stored; the writer tries again
 *   degraded  overloaded: too much waits for the disk; reads_fail; damaged: for good; claims_full
 *
 * Only a change is told, so that this may be called at every group.
 */
#ifndef STORE_CONDITION_H
#define STORE_CONDITION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct store;
struct writer;

struct condition {
    const char *broken; /* the writer's: its code, or NULL */
    bool claims_full;   /* the writer's */
    atomic_bool overloaded;
    _Atomic int64_t reads_failed_us; /* monotonic: the last time; 0: they work */
};

/* Writer: nothing is acknowledged, for its connection's cause; it has been opened anew. */
void condition_broken(struct writer *w);
void condition_healed(struct writer *w);
void condition_claims(struct writer *w); /* after each group */

/* Hub: a queue is full. A thread of the store: one is short again; told only if it was said that they are not. */
void condition_overloaded(struct store *s);
void condition_at_ease(struct store *s);

/* Readers. */
void condition_read(struct store *s, bool failed, const char *cause);
/* Any thread. */
void condition_damaged(struct store *s);

#endif
