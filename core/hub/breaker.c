/* breaker.c - when a service or a hook is to be left out, and for how long. */
#include "hub/internal.h"

enum { FAULTS_MAX = 5, WINDOW_US = 60 * 1000000, OPEN_MS_FIRST = 1000, OPEN_MS_MAX = 60000 };

bool breaker_fault(struct breaker *b, int64_t now_us) {
    if (b->open) return false;
    if (!b->faults || now_us - b->window_us > WINDOW_US) {
        b->window_us = now_us;
        b->faults = 0;
    }
    if (++b->faults < FAULTS_MAX && !b->trial) return false;
    b->open_ms = !b->open_ms ? OPEN_MS_FIRST : b->open_ms * 2 < OPEN_MS_MAX ? b->open_ms * 2 : OPEN_MS_MAX;
    b->faults = 0;
    b->open = true;
    b->trial = false;
    return true;
}

void breaker_success(struct breaker *b) {
    if (!b->trial) return;
    b->trial = false;
    b->open_ms = b->faults = 0;
}

void breaker_close(struct breaker *b) {
    b->open = false;
    b->trial = true;
}
