/* turns.c - the loop, turned by hand: until it rests, and from there from one timer to the next. What happens in one
 * thread needs no time; for other threads and descriptors there is patience, by the machine's clock. */
#include <poll.h>

#include "modtest.h"

enum { TURNS_MAX = 100000, LOOK_AGAIN_MS = 5 };

static bool has_mail(const struct port *p) {
    return atomic_load(&((struct port *)(uintptr_t)p)->box.head) != NULL;
}

/* Is a descriptor of the loop ready? */
static bool is_ready(struct world *w, int patience_ms) {
    struct pollfd fd = {.fd = uv_backend_fd(&w->loop), .events = POLLIN};
    return poll(&fd, 1, patience_ms) > 0;
}

/* What a turn collects is handed on at the beginning of the next one. */
static bool has_unsent(const struct hub *h) {
    bool has = h->unsent || h->observed || h->ready;
    for (uint32_t i = 0; i < h->ngateways; i++) has |= h->gateways[i].out.newest != NULL;
    return has;
}

static bool rests(struct world *w) {
    uv_update_time(&w->loop);
    return !has_unsent(w->hub) && !has_mail(&w->hub->port) && !has_mail(&w->gateway->port) &&
           uv_backend_timeout(&w->loop) != 0 && !is_ready(w, 0);
}

static void turn_until_it_rests(struct world *w) {
    for (uint32_t turns = 0; turns == 0 || !rests(w); turns++) {
        uv_run(&w->loop, UV_RUN_NOWAIT);
        atomic_fetch_add(&w->page->beats, 1);
        if (turns < TURNS_MAX) continue;
        if (w->is_restless) return;
        w->is_restless = true;
        fail_at(w, NULL,
                "does not come to rest: something posts itself again and again, repeats a timer of 0 ms, or does not "
                "read a watched descriptor");
        return;
    }
}

void world_settle(struct world *w) {
    turn_until_it_rests(w);
    while (watch_jobs() && !w->failed) {
        if (is_ready(w, LOOK_AGAIN_MS)) turn_until_it_rests(w);
    }
}

/* Could something come from outside of this thread? */
static bool has_others(struct world *w) {
    return watch_polls() || thread_count() > w->threads;
}

bool world_wait_for(struct world *w, int64_t ms, world_cond cond, const void *arg) {
    world_settle(w);
    for (int64_t until = clock_real_ms() + ms; !cond(w, arg);) {
        if (!has_others(w) || clock_real_ms() > until) return false;
        if (is_ready(w, LOOK_AGAIN_MS)) world_settle(w);
    }
    return true;
}

bool world_wait(struct world *w, world_cond cond, const void *arg) {
    return world_wait_for(w, w->settings->patience_ms / 2, cond, arg);
}

/* To the next timer, or as far as ms. */
static int64_t step_of(struct world *w, int64_t ms) {
    uv_update_time(&w->loop);
    int next = uv_backend_timeout(&w->loop);
    return next < 0 || next > ms ? ms : next ? next : 1;
}

bool world_advance_until(struct world *w, int64_t ms, world_cond cond, const void *arg) {
    if (world_wait(w, cond, arg)) return true;
    while (ms > 0 && !w->failed) {
        int64_t step = step_of(w, ms);
        clock_move(step);
        ms -= step;
        world_settle(w);
        if (cond(w, arg)) return true;
    }
    return cond(w, arg);
}

void world_advance(struct world *w, int64_t ms) {
    world_settle(w);
    while (ms > 0 && !w->failed) {
        int64_t step = step_of(w, ms);
        clock_move(step);
        ms -= step;
        world_settle(w);
    }
}
