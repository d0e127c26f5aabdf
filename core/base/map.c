/* map.c - open addressing with linear probing and backward-shift deletion; at most 70 % full. */
#include "base/map.h"

uint64_t map_hash(struct map *m, taut_str key) {
    if (!m->salt) m->salt = random_u64() | 1;
    return hash_bytes(m->salt, key.ptr, key.len);
}

static struct map_slot *find(struct map *m, taut_str key, uint64_t hash) {
    size_t i = (size_t)hash & (m->cap - 1);
    while (m->slots[i].value && !(m->slots[i].hash == hash && taut_str_eq(m->slots[i].key, key)))
        i = (i + 1) & (m->cap - 1);
    return &m->slots[i];
}

void *map_get_hashed(struct map *m, taut_str key, uint64_t hash) {
    return m->len ? find(m, key, hash)->value : NULL;
}
void *map_get(struct map *m, taut_str key) {
    return m->len ? find(m, key, map_hash(m, key))->value : NULL;
}

static void grow(struct map *m) {
    struct map old = *m;
    m->cap = old.cap ? old.cap * 2 : 16;
    m->slots = xcalloc(m->cap, sizeof *m->slots);
    for (size_t i = 0; i < old.cap; i++)
        if (old.slots[i].value) *find(m, old.slots[i].key, old.slots[i].hash) = old.slots[i];
    free(old.slots);
}

void *map_put(struct map *m, taut_str key, void *value) {
    if ((m->len + 1) * 10 > m->cap * 7) grow(m);
    uint64_t hash = map_hash(m, key);
    struct map_slot *s = find(m, key, hash);
    void *before = s->value;
    if (!before) m->len++;
    *s = (struct map_slot){key, hash, value};
    return before;
}

void *map_remove(struct map *m, taut_str key) {
    if (!m->len) return NULL;
    struct map_slot *s = find(m, key, map_hash(m, key));
    void *value = s->value;
    if (!value) return NULL;
    size_t hole = (size_t)(s - m->slots), i = hole, mask = m->cap - 1;
    for (;;) {
        i = (i + 1) & mask;
        if (!m->slots[i].value) break;
        size_t home = (size_t)m->slots[i].hash & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            m->slots[hole] = m->slots[i];
            hole = i;
        }
    }
    memset(&m->slots[hole], 0, sizeof m->slots[hole]);
    m->len--;
    return value;
}

void map_each(struct map *m, void (*fn)(void *value, void *arg), void *arg) {
    for (size_t i = 0; i < m->cap; i++)
        if (m->slots[i].value) fn(m->slots[i].value, arg);
}

void map_free(struct map *m) {
    free(m->slots);
    memset(m, 0, sizeof *m);
}
