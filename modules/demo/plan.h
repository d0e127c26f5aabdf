/* plan.h - what a seed will write, made before anything is written: who is in which channel, how many messages each
 * channel has, and when. The same numbers give the same plan, ids and times apart. */
#ifndef DEMO_PLAN_H
#define DEMO_PLAN_H

#include "internal.h"
#include "words.h"

enum { PLAN_PICKS = 4, PLAN_ID = 16, PLAN_TOKEN = 64 };
#define PLAN_NONE UINT32_MAX

struct plan {
    uint32_t users, channels;
    uint64_t messages;
    int64_t begin_us, end_us; /* all messages lie between */
    char workspace[PLAN_ID];
    int general_came; /* with the workspace: the owner is in it */
    char (*user_id)[PLAN_ID], (*channel_id)[PLAN_ID], (*token)[PLAN_TOKEN];
    uint32_t (*picks)[PLAN_PICKS]; /* by user: channels besides #general and those it made; PLAN_NONE: fewer */
    uint32_t *member_at;           /* by channel, and one more: where its members begin */
    uint32_t *member;              /* user numbers; #general, which is everybody, has none here */
    uint64_t *message_at;          /* by channel, and one more: the number of its first message */
    double *words;                 /* the weights of the vocabulary */
};

/* All memory is the call's. */
void plan_make(struct plan *p, struct taut_mod *m, struct taut_call *c);

/* Who made a channel; a member of it. */
static inline uint32_t plan_creator(const struct plan *p, uint32_t channel) {
    return channel % p->users;
}

struct plan_message {
    uint32_t channel, author;
    int64_t ts, thread_ts; /* microseconds; thread_ts 0: no reply */
};
struct plan_message plan_message(const struct plan *p, uint64_t number);

#endif
