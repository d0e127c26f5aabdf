/* loop.h - what a module does on its home loop besides answering: timers, descriptors, work on other threads.
 *
 * The home loop is the hub. Nothing here runs inside the call that asked for it. What a module leaves of
 * its timers and descriptors when it has stopped, the core ends. To end them itself is the better style: taut-modtest
 * asks it for repeating timers and watches.
 *
 * Thread: the hub, except for taut_post. Since 1.0.
 */
#ifndef TAUT_LOOP_H
#define TAUT_LOOP_H

#include "taut/host.h"

/* Runs fn on the hub on a later turn. Any thread. */
static inline void taut_post(struct taut_mod *m, taut_fn fn, void *arg) {
    m->host->post(m, fn, arg);
}

/* Runs fn after ms, then every repeat_ms (0: once; the timer is then gone by itself). 0: out of memory. */
static inline taut_timer taut_timer_start(struct taut_mod *m, uint64_t ms, uint64_t repeat_ms, taut_fn fn, void *arg) {
    return m->host->timer_start(m, ms, repeat_ms, fn, arg);
}
/* fn does not run any more. One that is not there (any more) is ignored. */
static inline void taut_timer_stop(struct taut_mod *m, taut_timer t) {
    m->host->timer_stop(m, t);
}

enum { TAUT_POLL_READ = 1, TAUT_POLL_WRITE = 2, TAUT_POLL_HANGUP = 4 };

/* Watches a descriptor of the module's own (a socket, a pipe; it must not block); fn runs whenever it is ready for one
 * of `events`, and with TAUT_POLL_HANGUP when it is broken. One watch a descriptor. 0: it cannot be watched. */
static inline taut_poll taut_poll_start(struct taut_mod *m, int32_t fd, uint32_t events,
                                        void (*fn)(struct taut_mod *m, void *arg, uint32_t events), void *arg) {
    return m->host->poll_start(m, fd, events, fn, arg);
}
/* Before the descriptor is closed. */
static inline void taut_poll_stop(struct taut_mod *m, taut_poll p) {
    m->host->poll_stop(m, p);
}

/* Runs work(arg) on a thread of the core's pool, then done on the hub. For what takes longer than a millisecond:
 * hashing, files. work reaches nothing of the module but arg, and of the host what any thread may call. A module has as
 * many under way as the pool has threads; others wait. TAUT_E_UNAVAILABLE: there is no thread. */
static inline int32_t taut_work(struct taut_mod *m, void (*work)(void *arg), taut_fn done, void *arg) {
    return m->host->work(m, work, done, arg);
}

#endif
