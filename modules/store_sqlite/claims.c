/* claims.c - see claims.h. The index uses linear probing; a removal closes the hole behind it, so there are no marks.
 */
#include "claims.h"

#include <stdlib.h>
#include <string.h>

enum { CAP_MIN = 256 };

void claims_init(struct claims *c, uint32_t limit) {
    memset(c, 0, sizeof *c);
    c->limit = limit;
}

void claims_fini(struct claims *c) {
    free(c->ring);
    free(c->index);
    claims_init(c, c->limit);
}

static uint32_t index_mask(const struct claims *c) {
    return c->cap * 2 - 1;
}

static void index_put(struct claims *c, uint32_t slot) {
    uint32_t mask = index_mask(c), i = (uint32_t)c->ring[slot].hash & mask;
    while (c->index[i]) i = (i + 1) & mask;
    c->index[i] = slot + 1;
}

static void index_remove(struct claims *c, uint32_t slot) {
    uint32_t mask = index_mask(c), hole = (uint32_t)c->ring[slot].hash & mask;
    while (c->index[hole] != slot + 1) hole = (hole + 1) & mask;
    for (uint32_t i = (hole + 1) & mask; c->index[i]; i = (i + 1) & mask) {
        uint32_t home = (uint32_t)c->ring[c->index[i] - 1].hash & mask;
        if (((i - home) & mask) < ((i - hole) & mask)) continue;
        c->index[hole] = c->index[i];
        hole = i;
    }
    c->index[hole] = 0;
}

static bool grow(struct claims *c) {
    uint32_t cap = c->cap ? c->cap * 2 : CAP_MIN;
    struct claim *ring = malloc(cap * sizeof *ring);
    uint32_t *index = calloc((size_t)cap * 2, sizeof *index);
    if (!ring || !index) {
        free(ring);
        free(index);
        return false;
    }
    for (uint32_t i = 0; i < c->len; i++) ring[i] = c->ring[(c->first + i) & (c->cap - 1)];
    free(c->ring);
    free(c->index);
    c->ring = ring;
    c->index = index;
    c->cap = cap;
    c->first = 0;
    for (uint32_t i = 0; i < c->len; i++) index_put(c, i);
    return true;
}

static void drop_oldest(struct claims *c) {
    index_remove(c, c->first);
    c->first = (c->first + 1) & (c->cap - 1);
    c->len--;
}

bool claims_reserve(struct claims *c) {
    return c->len >= c->limit || c->len < c->cap || grow(c);
}

uint32_t claims_add(struct claims *c, const struct claim *claim) {
    uint32_t dropped = c->len >= c->limit;
    if (dropped) drop_oldest(c);
    uint32_t slot = (c->first + c->len) & (c->cap - 1);
    c->ring[slot] = *claim;
    c->len++;
    index_put(c, slot);
    return dropped;
}

bool claims_add_older(struct claims *c, const struct claim *claim) {
    if (c->len >= c->limit || (c->len == c->cap && !grow(c))) return false;
    c->first = (c->first - 1) & (c->cap - 1);
    c->ring[c->first] = *claim;
    c->len++;
    index_put(c, c->first);
    return true;
}

void claims_expire(struct claims *c, int64_t now_s) {
    while (c->len && c->ring[c->first].at_s + CLAIM_SECONDS <= now_s) drop_oldest(c);
}

void claims_undo(struct claims *c, uint32_t n) {
    for (; n && c->len; n--) {
        index_remove(c, (c->first + c->len - 1) & (c->cap - 1));
        c->len--;
    }
}

const struct claim *claims_newest(const struct claims *c, uint32_t i) {
    return &c->ring[(c->first + c->len - 1 - i) & (c->cap - 1)];
}

const struct claim *claims_find(const struct claims *c, uint64_t hash, uint32_t *cursor) {
    if (!c->cap) return NULL;
    uint32_t mask = index_mask(c), home = (uint32_t)hash & mask;
    for (;;) {
        uint32_t entry = c->index[(home + *cursor) & mask];
        if (!entry) return NULL;
        ++*cursor;
        if (c->ring[entry - 1].hash == hash) return &c->ring[entry - 1];
    }
}
