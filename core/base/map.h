/* map.h - a hash map from byte strings to pointers. Keys are borrowed: the value usually holds them. Salted, so that
 * strangers cannot choose collisions. Not thread-safe. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/base.h"

struct map_slot {
    taut_str key;
    uint64_t hash;
    void *value; /* NULL: free */
};
struct map {
    struct map_slot *slots;
    size_t cap, len; /* cap is a power of two */
    uint64_t salt;
};

uint64_t map_hash(struct map *m, taut_str key); /* to look up several times with one hash */
void *map_get(struct map *m, taut_str key);
void *map_get_hashed(struct map *m, taut_str key, uint64_t hash);
/* Returns the value that was there before, or NULL. The key must outlive the entry. */
void *map_put(struct map *m, taut_str key, void *value);
/* Returns the removed value, or NULL. */
void *map_remove(struct map *m, taut_str key);
void map_free(struct map *m);
/* Calls fn for each; fn must not change the map. */
void map_each(struct map *m, void (*fn)(void *value, void *arg), void *arg);

#endif
