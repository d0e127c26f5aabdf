/* provision.h - what the demo workspace has. Tasks: each looks what is there and adds what is missing. */
#ifndef DEMO_PROVISION_H
#define DEMO_PROVISION_H

#include "internal.h"

enum { PROVISION_ID_MAX = 16 };

/* The arg of the tasks. */
struct provision {
    struct taut_call *command; /* who waits */
    const char *path;          /* of demo.json */
    taut_str saved;            /* what it had, or empty */
    taut_str members;          /* the members of `saved`, when it is good */
    char workspace[PROVISION_ID_MAX];
    int tokens_replaced; /* somebody was there already, and may have tokens that are lost */
};

/* Is what was saved still true? Sets p->members if so. */
int32_t provision_check(struct taut_mod *m, struct taut_call *c);
/* Chooses the workspace, or makes one. */
int32_t provision_workspace(struct taut_mod *m, struct taut_call *c);
/* Makes the people, the bot and the channels that are not there, puts the new into the channels, and makes a new token
 * for each. Answers what demo.json keeps. */
int32_t provision_people(struct taut_mod *m, struct taut_call *c);

#endif
