/* clock.c - the one clock that libuv, the core and modules see: it stands still until somebody moves it. The program
 * defines what they all ask for the time. Any thread.
 *
 * It begins far ahead of the machine's own clock, so that a thread that waits until some time waits for ever, as it
 * should while time stands still: the kernel knows only its own. */
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "modtest.h"

enum { WALL_FROM_S = 1893456000 /* 2030-01-01T00:00:00Z */, MONO_FROM_S = 1000000000 };

static _Atomic int64_t moved_ms;

void clock_move(int64_t ms) {
    moved_ms += ms;
}

int64_t clock_real_ms(void) {
    struct timespec ts;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static struct timespec moved(int64_t from_s) {
    int64_t ms = moved_ms;
    return (struct timespec){.tv_sec = from_s + ms / 1000, .tv_nsec = ms % 1000 * 1000000};
}

TAUT_EXPORT int clock_gettime(clockid_t id, struct timespec *ts) {
    switch (id) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE: *ts = moved(WALL_FROM_S); return 0;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME: *ts = moved(MONO_FROM_S); return 0;
    default: return (int)syscall(SYS_clock_gettime, id, ts);
    }
}

TAUT_EXPORT time_t time(time_t *t) {
    time_t now = moved(WALL_FROM_S).tv_sec;
    if (t) *t = now;
    return now;
}

TAUT_EXPORT int gettimeofday(struct timeval *restrict tv, void *restrict zone) {
    struct timespec ts = moved(WALL_FROM_S);
    (void)zone;
    *tv = (struct timeval){.tv_sec = ts.tv_sec, .tv_usec = ts.tv_nsec / 1000};
    return 0;
}
