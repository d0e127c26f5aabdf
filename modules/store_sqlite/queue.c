/* queue.c - see queue.h. Pushes come from the hub and never wait longer than a take, which moves a few hundred small
 * structs. */
#include "queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    GROUP_COST_MAX = 4 << 20, /* bytes, roughly, of one group */
    WRITE_COST = 512,         /* bytes that a row is taken for */
    BACKGROUND_EVERY = 8,     /* groups: a background batch rides along, lest it starve */
    RING_MIN = 64
};

static bool ring_grow(struct ring *r) {
    uint32_t cap = r->cap ? r->cap * 2 : RING_MIN;
    char *items = malloc((size_t)cap * r->elem);
    if (!items) return false;
    for (uint32_t i = 0; i < r->len; i++)
        memcpy(items + (size_t)i * r->elem, r->items + (size_t)((r->head + i) & (r->cap - 1)) * r->elem, r->elem);
    free(r->items);
    r->items = items;
    r->cap = cap;
    r->head = 0;
    return true;
}

bool ring_reserve(struct ring *r) {
    return r->cap || ring_grow(r);
}

bool ring_push(struct ring *r, const void *item) {
    if (r->len == r->cap && !ring_grow(r)) return false;
    memcpy(r->items + (size_t)((r->head + r->len) & (r->cap - 1)) * r->elem, item, r->elem);
    r->len++;
    return true;
}

bool ring_pop(struct ring *r, void *item) {
    if (!r->len) return false;
    memcpy(item, r->items + (size_t)r->head * r->elem, r->elem);
    r->head = (r->head + 1) & (r->cap - 1);
    r->len--;
    return true;
}

void write_queue_init(struct write_queue *q) {
    pthread_condattr_t attr;
    memset(q, 0, sizeof *q);
    q->interactive.elem = q->background.elem = (uint32_t)sizeof(struct write_job);
    pthread_mutex_init(&q->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&q->ready, &attr);
    pthread_condattr_destroy(&attr);
}

void write_queue_fini(struct write_queue *q) {
    free(q->interactive.items);
    free(q->background.items);
    pthread_cond_destroy(&q->ready);
    pthread_mutex_destroy(&q->lock);
}

static size_t cost_of(const struct taut_batch_view *b) {
    size_t cost = (size_t)b->writes.len * WRITE_COST;
    for (uint32_t i = 0; i < b->events.len; i++) cost += TAUT_AT(b->events, struct taut_event_rec, i)->body.len * 2;
    return cost + (TAUT_HAS(b, cursors) ? (size_t)b->cursors.len * WRITE_COST : 0);
}

static bool write_queue_is_full(const struct write_queue *q, size_t cost) {
    uint32_t jobs = q->interactive.len + q->background.len;
    return jobs >= QUEUE_JOBS_MAX || (jobs > 0 && q->cost + cost > QUEUE_BYTES_MAX);
}

int32_t write_queue_push(struct write_queue *q, const struct taut_batch_view *batch, taut_op op) {
    struct write_job j = {batch, op, cost_of(batch)};
    int32_t err = TAUT_OK;
    pthread_mutex_lock(&q->lock);
    if (!q->open || q->closing) err = TAUT_E_UNAVAILABLE;
    else if (write_queue_is_full(q, j.cost)) err = TAUT_E_UNAVAILABLE;
    else if (!ring_push(batch->cls == TAUT_CLASS_BACKGROUND ? &q->background : &q->interactive, &j)) err = TAUT_E_NOMEM;
    else {
        q->cost += j.cost;
        if (q->waiting) pthread_cond_signal(&q->ready);
        q->waiting = false;
    }
    pthread_mutex_unlock(&q->lock);
    return err;
}

static bool is_empty(const struct write_queue *q) {
    return !q->interactive.len && !q->background.len;
}

static struct timespec from_now(uint32_t ms) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += (long)(ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

/* False when the time was over. */
static bool wait_for_work(struct write_queue *q, uint32_t timeout_ms) {
    struct timespec until = from_now(timeout_ms);
    while (is_empty(q) && !q->closing && !q->nudged) {
        q->waiting = true;
        if (!timeout_ms) pthread_cond_wait(&q->ready, &q->lock);
        else if (pthread_cond_timedwait(&q->ready, &q->lock, &until) == ETIMEDOUT) break;
    }
    q->waiting = q->nudged = false;
    return !is_empty(q);
}

bool write_queue_is_closing(struct write_queue *q) {
    pthread_mutex_lock(&q->lock);
    bool closing = q->closing;
    pthread_mutex_unlock(&q->lock);
    return closing;
}

void write_queue_nudge(struct write_queue *q) {
    pthread_mutex_lock(&q->lock);
    q->nudged = true;
    if (q->waiting) pthread_cond_signal(&q->ready);
    pthread_mutex_unlock(&q->lock);
}

uint32_t write_queue_take(struct write_queue *q, struct write_job *out, uint32_t max, uint32_t timeout_ms,
                          bool *closed) {
    uint32_t n = 0;
    size_t cost = 0;
    pthread_mutex_lock(&q->lock);
    if (wait_for_work(q, timeout_ms)) {
        bool due = q->background.len && ++q->groups_without_background >= BACKGROUND_EVERY;
        uint32_t room = due ? max - 1 : max; /* however many others there are */
        while (n < room && cost < GROUP_COST_MAX && ring_pop(&q->interactive, &out[n])) cost += out[n++].cost;
        due = due || n == 0;
        if (due) q->groups_without_background = 0;
        while (due && n < max && ring_pop(&q->background, &out[n])) {
            cost += out[n++].cost;
            due = q->interactive.len == 0 && cost < GROUP_COST_MAX;
        }
    }
    q->cost -= cost;
    *closed = q->closing && is_empty(q);
    pthread_mutex_unlock(&q->lock);
    return n;
}

bool write_queue_await_end(struct write_queue *q, uint32_t timeout_ms) {
    struct timespec until = from_now(timeout_ms);
    pthread_mutex_lock(&q->lock);
    while (q->open && pthread_cond_timedwait(&q->ready, &q->lock, &until) != ETIMEDOUT) {
    }
    bool ended = !q->open;
    pthread_mutex_unlock(&q->lock);
    return ended;
}

void read_queue_init(struct read_queue *q) {
    memset(q, 0, sizeof *q);
    q->jobs.elem = (uint32_t)sizeof(struct read_job);
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->ready, NULL);
}

void read_queue_fini(struct read_queue *q) {
    free(q->jobs.items);
    pthread_cond_destroy(&q->ready);
    pthread_mutex_destroy(&q->lock);
}

int32_t read_queue_push(struct read_queue *q, const struct read_job *j) {
    int32_t err = TAUT_OK;
    pthread_mutex_lock(&q->lock);
    if (!q->open || q->jobs.len >= QUEUE_JOBS_MAX) err = TAUT_E_UNAVAILABLE;
    else if (!ring_push(&q->jobs, j)) err = TAUT_E_NOMEM;
    else if (q->waiting) pthread_cond_signal(&q->ready);
    pthread_mutex_unlock(&q->lock);
    return err;
}

static bool next_is_get(const struct ring *r) {
    struct read_job j;
    if (!r->len) return false;
    memcpy(&j, r->items + (size_t)r->head * r->elem, sizeof j);
    return j.kind == READ_GET;
}

uint32_t read_queue_take(struct read_queue *q, struct read_job *out, uint32_t max, uint32_t readers) {
    uint32_t n = 0;
    pthread_mutex_lock(&q->lock);
    while (!q->jobs.len && q->open) {
        q->waiting++;
        pthread_cond_wait(&q->ready, &q->lock);
        q->waiting--;
    }
    uint32_t share = q->jobs.len / readers + 1;
    if (ring_pop(&q->jobs, &out[0])) n = 1;
    while (n && out[0].kind == READ_GET && n < share && n < max && next_is_get(&q->jobs)) ring_pop(&q->jobs, &out[n++]);
    pthread_mutex_unlock(&q->lock);
    return n;
}

void read_queue_close(struct read_queue *q) {
    pthread_mutex_lock(&q->lock);
    q->open = false;
    pthread_cond_broadcast(&q->ready);
    pthread_mutex_unlock(&q->lock);
}
