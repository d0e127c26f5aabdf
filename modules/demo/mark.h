/* mark.h - the mark of a seed that is under way: a row that its first batch writes and its last one removes. A store
 * that has it was left half full. */
#ifndef DEMO_MARK_H
#define DEMO_MARK_H

#include "internal.h"

extern const struct taut_table marks_table;

int32_t mark_is_set(struct taut_mod *m, struct taut_call *c, int *set);
void mark_set(struct taut_mod *m, struct taut_batch *b);
void mark_remove(struct taut_mod *m, struct taut_batch *b);
/* Fails the call, and says what to do, when the store is half full. */
int32_t mark_refuse(struct taut_mod *m, struct taut_call *c);

/* The module's start: whoever serves a half full store is told. */
void mark_start(struct taut_mod *m, taut_op op);

#endif
