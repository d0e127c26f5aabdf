/* beat.h - proof that a loop turns: a timer that beats once a second, and how long turns and lateness are.
 *
 * A turn is what a loop does between two waits: whatever arrives meanwhile waits that long. The beat is read by other
 * threads: one that is old means that the loop hangs in a callback.
 */
#ifndef HUB_BEAT_H
#define HUB_BEAT_H

#include <uv.h>

#include "obs/histogram.h"

struct beat {
    uv_timer_t timer;
    uv_prepare_t prepare;
    uv_check_t check;
    uint64_t turn_ns; /* when this turn began; 0: it has just started */
    int64_t due_us;
    atomic_llong last_us; /* mono; 0: it does not run */
    struct histogram turns, lags;
    void (*on_beat)(void *arg); /* may be NULL */
    void *arg;
};

enum { BEAT_MS = 1000 };

/* On the loop's thread, or before it runs. */
void beat_start(struct beat *b, uv_loop_t *loop, void (*on_beat)(void *arg), void *arg);
void beat_stop(struct beat *b); /* closes its handles: the loop turns once more before b may go; may be repeated */

/* Any thread: how long ago the last beat was; 0 when it does not run. */
int64_t beat_age_us(const struct beat *b);

#endif
