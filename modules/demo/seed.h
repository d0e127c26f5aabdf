/* seed.h - the stages of a seed, and the tasks that write them. */
#ifndef DEMO_SEED_H
#define DEMO_SEED_H

#include "plan.h"

struct seed;

/* A part of a stage that one batch writes: its units [from, to). The arg of the tasks below. */
struct seed_job {
    struct seed *seed;
    struct plan *plan;
    uint64_t from, to;
    uint32_t stage, busy;
};

/* rows.c */
int32_t seed_workspace(struct taut_mod *m, struct taut_call *c);
int32_t seed_channels(struct taut_mod *m, struct taut_call *c);
int32_t seed_users(struct taut_mod *m, struct taut_call *c);
int32_t seed_messages(struct taut_mod *m, struct taut_call *c);
int32_t seed_end(struct taut_mod *m, struct taut_call *c);

#endif
