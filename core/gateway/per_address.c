/* per_address.c - a table of counters by address: open addressing in windows, under one lock. An entry never moves
 * while it has connections, so that whoever gives a seat back finds it. */
#include "gateway/per_address.h"

#include <pthread.h>

enum { WINDOW = 16 /* places that an address may have */, SLOTS_MIN = 1024, SLOTS_MAX = 1 << 22 };

struct entry {
    uint64_t group;    /* 0: free */
    uint64_t at_ms;    /* when `allowance` was true */
    int64_t allowance; /* thousandths of a connection */
    uint32_t open;
};

struct per_address {
    pthread_mutex_t lock;
    uint64_t salt; /* nobody chooses where an address lies */
    uint32_t mask;
    struct entry *entries;
};

struct per_address *per_address_new(int64_t max_connections) {
    struct per_address *t = xcalloc(1, sizeof *t);
    uint32_t n = SLOTS_MIN;
    while (n < SLOTS_MAX && n < 2 * (uint64_t)max_connections) n *= 2;
    pthread_mutex_init(&t->lock, NULL);
    t->salt = random_u64();
    t->mask = n - 1;
    t->entries = xcalloc(n, sizeof *t->entries);
    return t;
}

void per_address_free(struct per_address *t) {
    if (!t) return;
    pthread_mutex_destroy(&t->lock);
    free(t->entries);
    free(t);
}

static int64_t whole(const struct per_address_limits *l) {
    return l->per_second * PER_ADDRESS_BURST_S * 1000;
}

static void refill(struct entry *e, const struct per_address_limits *l, uint64_t now_ms) {
    int64_t most = whole(l), passed_ms = now_ms > e->at_ms ? (int64_t)(now_ms - e->at_ms) : 0;
    int64_t until_whole_ms = l->per_second ? PER_ADDRESS_BURST_S * 1000 : 0;
    e->allowance += (passed_ms < until_whole_ms ? passed_ms : until_whole_ms) * l->per_second;
    if (e->allowance > most) e->allowance = most;
    e->at_ms = now_ms;
}

static bool says_nothing(const struct entry *e, uint64_t now_ms) {
    return !e->open && now_ms >= e->at_ms + PER_ADDRESS_BURST_S * 1000;
}

static struct entry *find(struct per_address *t, uint64_t group) {
    uint32_t at = (uint32_t)hash_bytes(t->salt, &group, sizeof group);
    for (uint32_t i = 0; i < WINDOW; i++) {
        struct entry *e = &t->entries[(at + i) & t->mask];
        if (e->group == group) return e;
    }
    return NULL;
}

/* A new entry in a place that is free, or whose entry says nothing; else in that of the longest idle one, though its
 * address gets a new allowance by that. NULL: all of them have connections. */
static struct entry *make(struct per_address *t, const struct per_address_limits *l, uint64_t group, uint64_t now_ms) {
    uint32_t at = (uint32_t)hash_bytes(t->salt, &group, sizeof group);
    struct entry *best = NULL;
    for (uint32_t i = 0; i < WINDOW; i++) {
        struct entry *e = &t->entries[(at + i) & t->mask];
        if (e->open) continue;
        if (!best || e->at_ms < best->at_ms) best = e;
        if (!e->group || says_nothing(e, now_ms)) break;
    }
    if (best) *best = (struct entry){.group = group, .at_ms = now_ms, .allowance = whole(l)};
    return best;
}

enum admission per_address_take(struct per_address *t, const struct per_address_limits *l, const struct addr *a,
                                uint64_t now_ms, struct seat *seat) {
    uint64_t group = addr_group(a);
    enum admission result = ADMITTED;
    pthread_mutex_lock(&t->lock);
    struct entry *e = find(t, group);
    if (e) refill(e, l, now_ms);
    else e = make(t, l, group, now_ms);
    if (e && l->connections && e->open >= l->connections) {
        result = TOO_MANY;
    } else if (e && l->per_second && e->allowance < 1000) {
        result = TOO_FAST;
    } else if (e) {
        e->open++;
        e->allowance -= l->per_second ? 1000 : 0;
        seat->group = group;
    }
    pthread_mutex_unlock(&t->lock);
    return result;
}

void per_address_give_back(struct per_address *t, struct seat *seat) {
    if (!seat->group) return;
    pthread_mutex_lock(&t->lock);
    struct entry *e = find(t, seat->group);
    ENSURE(e && e->open);
    e->open--;
    pthread_mutex_unlock(&t->lock);
    seat->group = 0;
}
