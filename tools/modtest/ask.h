/* ask.h - what the steps share that ask the module something. */
#ifndef MODTEST_ASK_H
#define MODTEST_ASK_H

#include "modtest.h"

/* What a step may hold its answer against. */
struct asking {
    bool judged_before; /* nothing had been refused on purpose when it was sent */
};
/* Sends it and waits for the answer. False: there is none, which is right (pending: true) or was reported. */
bool ask(struct world *w, const struct step *s, struct asked *a, struct asking *how);
/* Is the answer to be compared? Also the one in which something was refused, when it says that all is well. */
bool may_judge(const struct asking *how, bool says_ok);

/* Who asks, by the step's `as:` or `token:`: the token of the request. */
taut_str token_of(struct world *w, const struct step *s);
/* The header lines of a request, with its token. */
taut_str head_of(struct world *w, const struct node *headers, taut_str token);
const struct taut_actor *actor_of(struct world *w, const struct node *as);

#endif
