/* status.h - what the core's own commands and /readyz may see of the hub. */
#ifndef HUB_STATUS_H
#define HUB_STATUS_H

#include "hub/hub.h"

/* The instance that owns what is the core's: its operations and its commands. Its `state` is the program's. */
struct instance *hub_core(struct hub *h);

#endif
