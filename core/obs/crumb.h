/* crumb.h - breadcrumbs: which callback of which module is running, and for how long each takes.
 *
 * Whoever calls a module's function stands between crumb_enter and crumb_leave; these nest. Each thread that has said
 * crumb_thread_begin leaves its crumbs in a record of its own, which a crash report and the watch over the hub may read
 * from other threads: a slot of it is written as a whole before it counts, and the names in it are never freed while
 * the process runs. On a thread without a record nothing happens.
 */
#ifndef OBS_CRUMB_H
#define OBS_CRUMB_H

#include "obs/histogram.h"

/* What is called. The first six are TAUT_CALL_*. */
enum crumb_kind {
    CRUMB_NONE,
    CRUMB_METHOD,
    CRUMB_OPEN,
    CRUMB_FRAME,
    CRUMB_COMMAND,
    CRUMB_TASK,
    CRUMB_ROUTE,
    CRUMB_TASK_DONE,
    CRUMB_HOOK,
    CRUMB_TIMER,
    CRUMB_OP,
    CRUMB_WORK, /* on a pool thread */
    CRUMB_WORKED,
    CRUMB_POSTED,
    CRUMB_CLOSED,
    CRUMB_INIT,
    CRUMB_START,
    CRUMB_STOP,
    CRUMB_FINI,
    CRUMB_SERVICE,
    CRUMB_RECONFIGURE,
    CRUMB_EVENTS,
    CRUMB_POLL,
    CRUMB_AT_END,
    CRUMB_KINDS
};
extern const char *const crumb_kinds[CRUMB_KINDS]; /* "method" … */

/* One module instance, as far as time goes. */
struct crumb_owner {
    const char *name;
    atomic_ullong busy_ns; /* on the hub's thread, without what it called of others */
    struct histogram kinds[CRUMB_KINDS];
};

struct crumb {
    struct crumb_owner *owner;
    const char *name; /* of the method, the hook point …; NULL: none */
    uint32_t kind;
    uint64_t since_ns, inner_ns; /* inner: of callbacks inside this one */
};

enum { CRUMB_DEPTH = 16 /* deeper ones are not kept */, CRUMB_THREADS = 64 };
struct crumb_thread {
    char name[16];
    _Atomic uint32_t depth;
    struct crumb list[CRUMB_DEPTH];
    void *stack; /* for signal handlers */
};
extern _Thread_local struct crumb_thread *crumb_here;
extern _Atomic(struct crumb_thread *) crumb_threads[CRUMB_THREADS];

/* Gives the calling thread its record, under this name; not when it has one, or there are too many. */
void crumb_thread_begin(const char *name);
void crumb_thread_end(void);
const struct crumb_thread *crumb_thread_find(const char *name); /* NULL: no such thread */

/* "method chat.postMessage of conversation", of the innermost callback; empty when none is running. For people: what it
 * says of another thread may be over already. Safe in a signal handler. Returns the length, less than cap. */
size_t crumb_describe(const struct crumb_thread *t, char *out, size_t cap);

static inline void crumb_enter(struct crumb_owner *owner, uint32_t kind, const char *name) {
    struct crumb_thread *t = crumb_here;
    if (!t) return;
    uint32_t depth = atomic_load_explicit(&t->depth, memory_order_relaxed);
    if (depth < CRUMB_DEPTH) t->list[depth] = (struct crumb){owner, name, kind, clock_mono_ns(), 0};
    atomic_store_explicit(&t->depth, depth + 1, memory_order_release);
}

/* A callback that everybody else has waited for: the log names it. */
enum { CRUMB_SLOW_MS = 500 };
void crumb_tell_slow(const struct crumb *c, uint64_t own_ns);

/* also: one more histogram that this time goes into (of the method, of the hook), or NULL. */
static inline void crumb_leave(struct histogram *also) {
    struct crumb_thread *t = crumb_here;
    if (!t) return;
    uint32_t depth = atomic_load_explicit(&t->depth, memory_order_relaxed) - 1;
    atomic_store_explicit(&t->depth, depth, memory_order_release);
    if (depth >= CRUMB_DEPTH) return;
    struct crumb *c = &t->list[depth];
    uint64_t took = clock_mono_ns() - c->since_ns;
    if (depth) t->list[depth - 1].inner_ns += took;
    if (also) histogram_add(also, took);
    if (!c->owner) return;
    if (c->kind == CRUMB_WORK) {
        histogram_add_shared(&c->owner->kinds[CRUMB_WORK], took);
        return;
    }
    histogram_add(&c->owner->kinds[c->kind], took);
    uint64_t own = took - c->inner_ns;
    own_add(&c->owner->busy_ns, own);
    if (own >= CRUMB_SLOW_MS * UINT64_C(1000000)) crumb_tell_slow(c, own);
}

#endif
