/* crumb.c - the threads that leave crumbs. */
#include "obs/crumb.h"

#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>

#include "obs/log.h"

enum { STACK_BYTES = 64 * 1024 };

_Thread_local struct crumb_thread *crumb_here;
_Atomic(struct crumb_thread *) crumb_threads[CRUMB_THREADS];

const char *const crumb_kinds[CRUMB_KINDS] = {
    "none",  "method", "open", "frame",   "command",     "task",   "route",  "task_done",
    "hook",  "timer",  "op",   "work",    "worked",      "posted", "closed", "init",
    "start", "stop",   "fini", "service", "reconfigure", "events", "poll",   "at_end",
};

/* A stack for signal handlers: what overflowed its own has none left. */
static void give_stack(struct crumb_thread *t) {
    void *p = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (p == MAP_FAILED) return;
    t->stack = p;
    sigaltstack(&(stack_t){.ss_sp = p, .ss_size = STACK_BYTES}, NULL);
}

void crumb_thread_begin(const char *name) {
    if (crumb_here) return;
    struct crumb_thread *t = xcalloc(1, sizeof *t);
    snprintf(t->name, sizeof t->name, "%s", name);
    for (size_t i = 0; i < CRUMB_THREADS; i++) {
        struct crumb_thread *none = NULL;
        if (!atomic_compare_exchange_strong(&crumb_threads[i], &none, t)) continue;
        give_stack(t);
        crumb_here = t;
        return;
    }
    free(t);
}

void crumb_thread_end(void) {
    struct crumb_thread *t = crumb_here;
    if (!t) return;
    crumb_here = NULL;
    for (size_t i = 0; i < CRUMB_THREADS; i++) {
        struct crumb_thread *own = t;
        if (atomic_compare_exchange_strong(&crumb_threads[i], &own, NULL)) break;
    }
    if (t->stack) {
        sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL);
        munmap(t->stack, STACK_BYTES);
    }
    free(t);
}

const struct crumb_thread *crumb_thread_find(const char *name) {
    for (size_t i = 0; i < CRUMB_THREADS; i++) {
        const struct crumb_thread *t = atomic_load(&crumb_threads[i]);
        if (t && !strcmp(t->name, name)) return t;
    }
    return NULL;
}

static size_t add(char *out, size_t at, size_t cap, const char *z) {
    while (*z && at + 1 < cap) out[at++] = *z++;
    out[at] = 0;
    return at;
}

/* Before there is anybody to wait, and at the end, a module may take its time. */
void crumb_tell_slow(const struct crumb *c, uint64_t own_ns) {
    if (c->kind == CRUMB_INIT || c->kind == CRUMB_START || c->kind == CRUMB_STOP || c->kind == CRUMB_FINI) return;
    log_fmt(TAUT_LOG_WARN, c->owner->name, "slow_callback",
            "%s%s%s held the hub, and everybody, for %llu ms; what takes time belongs into taut_work",
            crumb_kinds[c->kind < CRUMB_KINDS ? c->kind : CRUMB_NONE], c->name ? " " : "", c->name ? c->name : "",
            (unsigned long long)(own_ns / 1000000));
}

size_t crumb_describe(const struct crumb_thread *t, char *out, size_t cap) {
    uint32_t depth = t ? atomic_load_explicit(&t->depth, memory_order_acquire) : 0;
    size_t at = add(out, 0, cap, "");
    if (!depth) return at;
    struct crumb c = t->list[depth <= CRUMB_DEPTH ? depth - 1 : CRUMB_DEPTH - 1];
    at = add(out, at, cap, crumb_kinds[c.kind < CRUMB_KINDS ? c.kind : CRUMB_NONE]);
    if (c.name) at = add(out, add(out, at, cap, " "), cap, c.name);
    if (c.owner) at = add(out, add(out, at, cap, " of "), cap, c.owner->name);
    return at;
}
