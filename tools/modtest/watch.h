/* watch.h - one thing that the module holds of the host. */
#ifndef MODTEST_WATCH_H
#define MODTEST_WATCH_H

#include "modtest.h"

enum held_kind { HELD_MEMORY, HELD_TIMER, HELD_POLL, HELD_SUBSCRIPTION, HELD_OP, HELD_POST, HELD_WORK, HELD_KINDS };
struct held {
    struct held *prev, *next;
    enum held_kind kind;
    const void *caller; /* where in the module it was asked for */
    char when[160];     /* and in what: "start of hello" */
    uint64_t id;
    char what[104]; /* the name of a subscription */
    const void *block;
    size_t bytes;
    uint64_t repeat_ms;
    int32_t fd;
    taut_fn fn;
    taut_op_fn op_fn;
    void (*poll_fn)(struct taut_mod *m, void *arg, uint32_t events);
    void (*work)(void *arg);
    void *arg;
};
const struct held *watch_list(enum held_kind kind);

#endif
