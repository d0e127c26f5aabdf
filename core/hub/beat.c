/* beat.c - see beat.h. Thread: the loop's, but for beat_age_us. */
#include "hub/beat.h"

static void on_check(uv_check_t *h) {
    struct beat *b = h->data;
    b->turn_ns = clock_mono_ns();
}

static void on_prepare(uv_prepare_t *h) {
    struct beat *b = h->data;
    if (b->turn_ns) histogram_add(&b->turns, clock_mono_ns() - b->turn_ns);
    b->turn_ns = 0;
}

static void on_timer(uv_timer_t *h) {
    struct beat *b = h->data;
    int64_t now = clock_mono_us();
    histogram_add(&b->lags, now > b->due_us ? (uint64_t)(now - b->due_us) * 1000 : 0);
    b->due_us = now + BEAT_MS * 1000;
    uv_timer_start(h, on_timer, BEAT_MS, 0);
    atomic_store_explicit(&b->last_us, now, memory_order_relaxed);
    if (b->on_beat) b->on_beat(b->arg);
}

void beat_start(struct beat *b, uv_loop_t *loop, void (*on_beat)(void *arg), void *arg) {
    uv_timer_init(loop, &b->timer);
    uv_prepare_init(loop, &b->prepare);
    uv_check_init(loop, &b->check);
    b->timer.data = b->prepare.data = b->check.data = b;
    b->on_beat = on_beat;
    b->arg = arg;
    b->due_us = clock_mono_us() + BEAT_MS * 1000;
    atomic_store(&b->last_us, clock_mono_us());
    uv_timer_start(&b->timer, on_timer, BEAT_MS, 0);
    uv_prepare_start(&b->prepare, on_prepare);
    uv_check_start(&b->check, on_check);
}

void beat_stop(struct beat *b) {
    if (!atomic_load(&b->last_us)) return;
    atomic_store(&b->last_us, 0);
    uv_close((uv_handle_t *)&b->timer, NULL);
    uv_close((uv_handle_t *)&b->prepare, NULL);
    uv_close((uv_handle_t *)&b->check, NULL);
}

int64_t beat_age_us(const struct beat *b) {
    int64_t last = atomic_load_explicit(&b->last_us, memory_order_relaxed), now = clock_mono_us();
    return last && now > last ? now - last : 0;
}
