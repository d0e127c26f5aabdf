/* memory.c - what modules hold of the host: counted, shown, and limited by `memory:` in their items of the
 * configuration. Above the soft limit a module is degraded until it is well below again; above the hard one it gets no
 * more. Any thread. */
#include <malloc.h>
#include <stdio.h>

#include "hub/internal.h"

enum { WELL_BELOW = 8 /* an eighth below */ };

static long long get(const atomic_llong *at) {
    return atomic_load_explicit(at, memory_order_relaxed);
}

static struct seen *seen_of(struct taut_mod *m) {
    return ((struct instance *)(void *)m)->seen;
}

static void all_is_well(struct taut_mod *m) {
    report_health(m, TAUT_HEALTH_OK, "memory_soft", TAUT_LIT(""));
    report_health(m, TAUT_HEALTH_OK, "memory_hard", TAUT_LIT(""));
}

static void say(struct taut_mod *m, const char *code, const char *fmt, long long a, long long b) {
    char text[160];
    int n = snprintf(text, sizeof text, fmt, a, b);
    report_health(m, TAUT_HEALTH_DEGRADED, code, taut_str_n(text, (size_t)n));
    if (!atomic_load(&seen_of(m)->memory_over)) all_is_well(m); /* another thread was faster */
}

void memory_watch(struct taut_mod *m) {
    struct seen *s = seen_of(m);
    long long bytes = get(&s->memory_bytes), soft = get(&s->memory_soft), hard = get(&s->memory_hard);
    long long limit = soft ? soft : hard;
    if (!atomic_load_explicit(&s->memory_over, memory_order_relaxed)) {
        if (!soft || bytes <= soft || atomic_exchange(&s->memory_over, true)) return;
        say(m, "memory_soft", "holds %lld bytes, more than its memory.soft (%lld)", bytes, soft);
    } else if (!limit || bytes <= limit - limit / WELL_BELOW) {
        if (atomic_exchange(&s->memory_over, false)) all_is_well(m);
    }
}

static void refused(struct taut_mod *m, size_t n) {
    struct seen *s = seen_of(m);
    long long hard = get(&s->memory_hard), left = hard - get(&s->memory_bytes);
    if (!hard || (left >= 0 && n <= (unsigned long long)left)) return; /* it is the machine that has no more */
    atomic_store(&s->memory_over, true);
    say(m, "memory_hard", "asked for %lld bytes beyond its memory.hard (%lld) and did not get them", (long long)n,
        hard);
}

static void *host_alloc(struct taut_mod *m, size_t n) {
    void *p = seen_alloc(seen_of(m), n);
    if (!p) {
        refused(m, n);
        return NULL;
    }
    state_took(m, p, n);
    memory_watch(m);
    return p;
}
static void *host_realloc(struct taut_mod *m, void *p, size_t n) {
    state_gave(p);
    void *q = seen_realloc(seen_of(m), p, n);
    if (!q) {
        if (p) state_took(m, p, malloc_usable_size(p));
        refused(m, n);
        return NULL;
    }
    state_took(m, q, n);
    memory_watch(m);
    return q;
}
static void host_free(struct taut_mod *m, void *p) {
    state_gave(p);
    seen_release(seen_of(m), p);
    memory_watch(m);
}

void memory_add_to_host(struct taut_host *t) {
    t->alloc = host_alloc;
    t->realloc = host_realloc;
    t->free = host_free;
}
