/* reconfigure.c - limits of the hub that a reload may change. Each is looked at when it is used: the cache and the
 * tails shrink with the next row and the next event, calls under way keep their deadline. */
#include "hub/internal.h"

void hub_reconfigure(struct hub *h, const struct hub_config *config) {
    h->config = *config;
    h->rows.max_bytes = (size_t)config->cache_bytes;
}
