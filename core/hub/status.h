/* status.h - what the core's own commands may see of the hub. Hub thread. */
#ifndef HUB_STATUS_H
#define HUB_STATUS_H

#include "hub/hub.h"

/* The instance that owns what is the core's: its operations and its commands. Its `state` is the program's. */
struct instance *hub_core(struct hub *h);

/* Members for an open object: modules, services, readers, calls, store, cache, logs. */
void hub_status(struct hub *h, struct taut_json *j);

/* Adds "hooks": the functions at that point (empty: at all points) in the order in which they are asked, and why. How
 * many there are. */
uint32_t hub_hooks(struct hub *h, taut_str point, struct taut_json *j);

#endif
