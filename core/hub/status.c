/* status.c - the hub seen from outside: its numbers as an operator wants them. Hub thread. */
#include "hub/status.h"

#include "hub/internal.h"

struct instance *hub_core(struct hub *h) {
    return &h->core;
}
