/* timers.c - timers and watched descriptors of modules, and the pool of threads for work that would hold up the hub.
 * The pool is the core's own: libuv's is shared with name look-ups, so that one slow module would stall them. */
#include "hub/internal.h"
#include "obs/log.h"

enum { WORKERS = 2 };
#define WORK_END_NS ((uint64_t)3000000000)

/* ---- timers ---- */

struct timer {
    uv_timer_t uv;
    struct timer *next;
    taut_timer id;
    struct taut_mod *mod;
    void (*fn)(struct taut_mod *m, void *arg);
    void *arg;
};
struct poll {
    uv_poll_t uv;
    struct poll *next;
    taut_poll id;
    struct taut_mod *mod;
    void (*fn)(struct taut_mod *m, void *arg, uint32_t events);
    void *arg;
};
struct timers {
    struct timer *list;
    struct poll *polls;
    uint64_t last;
};

static void free_timer(uv_handle_t *t) {
    free(t->data);
}

static void timer_end(struct hub *h, struct timer *t) {
    struct timer **at = &h->timers->list;
    while (*at && *at != t) at = &(*at)->next;
    if (*at) *at = t->next;
    uv_close((uv_handle_t *)&t->uv, free_timer);
}

static void on_timer(uv_timer_t *uv) {
    struct timer *t = uv->data;
    struct taut_mod *m = t->mod;
    void (*fn)(struct taut_mod *, void *) = t->fn;
    void *arg = t->arg;
    if (!uv_timer_get_repeat(uv)) timer_end(hub_of(m), t);
    crumb_enter(crumbs_of(m), CRUMB_TIMER, NULL);
    fn(m, arg);
    crumb_leave(NULL);
}

taut_timer timer_start(struct taut_mod *m, uint64_t ms, uint64_t repeat_ms, taut_fn fn, void *arg) {
    struct hub *h = hub_of(m);
    check_thread(m, "taut_timer_start");
    if (!check_given(m, "taut_timer_start", fn != NULL, "a function")) return 0;
    if (!check_effect(m, "taut_timer_start")) return UINT64_MAX;
    struct timer *t = xcalloc(1, sizeof *t);
    t->id = ++h->timers->last;
    t->mod = m;
    t->fn = fn;
    t->arg = arg;
    t->next = h->timers->list;
    h->timers->list = t;
    uv_timer_init(h->loop, &t->uv);
    t->uv.data = t;
    uv_update_time(h->loop);
    uv_timer_start(&t->uv, on_timer, ms, repeat_ms);
    return t->id;
}

void timer_stop(struct taut_mod *m, taut_timer id) {
    struct hub *h = hub_of(m);
    check_thread(m, "taut_timer_stop");
    if (!check_effect(m, "taut_timer_stop")) return;
    for (struct timer *t = h->timers->list; t; t = t->next) {
        if (t->id != id || t->mod != m) continue;
        timer_end(h, t);
        return;
    }
}

/* ---- watched descriptors ---- */

static void free_poll(uv_handle_t *p) {
    free(p->data);
}

static void poll_end(struct hub *h, struct poll *p) {
    struct poll **at = &h->timers->polls;
    while (*at && *at != p) at = &(*at)->next;
    if (*at) *at = p->next;
    uv_close((uv_handle_t *)&p->uv, free_poll);
}

static void on_poll(uv_poll_t *uv, int status, int events) {
    struct poll *p = uv->data;
    uint32_t what = (events & UV_READABLE ? TAUT_POLL_READ : 0) | (events & UV_WRITABLE ? TAUT_POLL_WRITE : 0);
    if (status < 0 || (events & UV_DISCONNECT)) what |= TAUT_POLL_HANGUP;
    crumb_enter(crumbs_of(p->mod), CRUMB_POLL, NULL);
    p->fn(p->mod, p->arg, what);
    crumb_leave(NULL);
}

static taut_poll poll_start(struct taut_mod *m, int32_t fd, uint32_t events,
                            void (*fn)(struct taut_mod *m, void *arg, uint32_t events), void *arg) {
    struct hub *h = hub_of(m);
    check_thread(m, "taut_poll_start");
    if (!check_effect(m, "taut_poll_start")) return UINT64_MAX;
    struct poll *p = xcalloc(1, sizeof *p);
    int what = (events & TAUT_POLL_READ ? UV_READABLE : 0) | (events & TAUT_POLL_WRITE ? UV_WRITABLE : 0);
    if (uv_poll_init(h->loop, &p->uv, fd) != 0) {
        free(p);
        return 0;
    }
    *p = (struct poll){.uv = p->uv, .next = h->timers->polls, .id = ++h->timers->last, .mod = m, .fn = fn, .arg = arg};
    p->uv.data = p;
    h->timers->polls = p;
    if (uv_poll_start(&p->uv, what | UV_DISCONNECT, on_poll) == 0) return p->id;
    poll_end(h, p);
    return 0;
}

static void poll_stop(struct taut_mod *m, taut_poll id) {
    struct hub *h = hub_of(m);
    check_thread(m, "taut_poll_stop");
    if (!check_effect(m, "taut_poll_stop")) return;
    for (struct poll *p = h->timers->polls; p; p = p->next) {
        if (p->id != id || p->mod != m) continue;
        poll_end(h, p);
        return;
    }
}

void timers_stop_of(struct hub *h, struct taut_mod *m) {
    for (struct timer *t = h->timers->list, *next; t; t = next) {
        next = t->next;
        if (!m || t->mod == m) timer_end(h, t);
    }
    for (struct poll *p = h->timers->polls, *next; p; p = next) {
        next = p->next;
        if (!m || p->mod == m) poll_end(h, p);
    }
}

/* ---- work ---- */

struct job {
    struct msg msg; /* its way back */
    struct job *next;
    struct taut_mod *mod;
    void (*work)(void *arg);
    void (*done)(struct taut_mod *m, void *arg);
    void *arg;
};
struct work {
    uv_thread_t threads[WORKERS];
    uint32_t started;
    uv_mutex_t lock;
    uv_cond_t more;
    struct job *first, *last;
    struct job *running[WORKERS];
    uint32_t ended;
    uv_cond_t end;
    bool stop;
};

static struct job **place_of(struct work *w, const struct job *j) {
    uint32_t i = 0;
    while (i < WORKERS - 1 && w->running[i] != j) i++;
    return &w->running[i];
}

static void worker(void *arg) {
    struct work *w = arg;
    crumb_thread_begin("pool");
    uv_mutex_lock(&w->lock);
    for (;;) {
        while (!w->first && !w->stop) uv_cond_wait(&w->more, &w->lock);
        struct job *j = w->first;
        if (!j) break;
        w->first = j->next;
        if (!w->first) w->last = NULL;
        *place_of(w, NULL) = j;
        uv_mutex_unlock(&w->lock);
        crumb_enter(crumbs_of(j->mod), CRUMB_WORK, NULL);
        j->work(j->arg);
        crumb_leave(NULL);
        uv_mutex_lock(&w->lock);
        *place_of(w, j) = NULL;
        port_post(&hub_of(j->mod)->port, &j->msg);
    }
    w->ended++;
    uv_cond_signal(&w->end);
    uv_mutex_unlock(&w->lock);
    crumb_thread_end();
}

static int32_t work_add(struct taut_mod *m, void (*fn)(void *arg), void (*done)(struct taut_mod *m, void *arg),
                        void *arg) {
    struct hub *h = hub_of(m);
    check_thread(m, "taut_work");
    if (!check_given(m, "taut_work", fn != NULL, "a function")) return TAUT_E_INVAL;
    if (!check_effect(m, "taut_work")) return TAUT_OK;
    struct work *w = h->work;
    if (!w) {
        w = h->work = xcalloc(1, sizeof *w);
        uv_mutex_init(&w->lock);
        uv_cond_init(&w->more);
        uv_cond_init(&w->end);
    }
    if (w->started < WORKERS && uv_thread_create(&w->threads[w->started], worker, w) == 0) w->started++;
    if (!w->started) return TAUT_E_UNAVAILABLE;
    struct job *j = xcalloc(1, sizeof *j);
    *j = (struct job){.msg.kind = MSG_HUB_WORKED, .mod = m, .work = fn, .done = done, .arg = arg};
    atomic_fetch_add(&((struct instance *)(void *)m)->in_flight, 1);
    uv_mutex_lock(&w->lock);
    *(w->last ? &w->last->next : &w->first) = j;
    w->last = j;
    uv_cond_signal(&w->more);
    uv_mutex_unlock(&w->lock);
    return TAUT_OK;
}

void work_deliver(struct msg *m) {
    struct job *j = CONTAINER_OF(m, struct job, msg);
    if (!is_left(j->mod)) {
        crumb_enter(crumbs_of(j->mod), CRUMB_WORKED, NULL);
        j->done(j->mod, j->arg);
        crumb_leave(NULL);
    }
    atomic_fetch_sub(&((struct instance *)(void *)j->mod)->in_flight, 1);
    free(j);
}

void work_forget(struct hub *h, struct taut_mod *m) {
    struct work *w = h->work;
    if (!w) return;
    uv_mutex_lock(&w->lock);
    w->last = NULL;
    for (struct job **at = &w->first; *at;) {
        struct job *j = *at;
        if (j->mod != m) {
            w->last = j;
            at = &j->next;
            continue;
        }
        *at = j->next;
        atomic_fetch_sub(&((struct instance *)(void *)m)->in_flight, 1);
        free(j);
    }
    uv_mutex_unlock(&w->lock);
}

uint32_t timers_count(struct hub *h) {
    uint32_t n = 0;
    for (const struct timer *t = h->timers->list; t; t = t->next) n++;
    return n;
}

uint32_t work_queued(struct hub *h) {
    uint32_t n = 0;
    if (!h->work) return 0;
    uv_mutex_lock(&h->work->lock);
    for (const struct job *j = h->work->first; j; j = j->next) n++;
    uv_mutex_unlock(&h->work->lock);
    return n;
}

/* What is queued is done first. False: whose work does not end in time was logged. */
static bool wait_for_workers(struct work *w) {
    uint64_t until = uv_hrtime() + WORK_END_NS;
    uv_mutex_lock(&w->lock);
    w->stop = true;
    uv_cond_broadcast(&w->more);
    while (w->ended < w->started && uv_hrtime() < until) uv_cond_timedwait(&w->end, &w->lock, until - uv_hrtime());
    bool all = w->ended == w->started;
    for (uint32_t i = 0; i < WORKERS && !all; i++)
        if (w->running[i])
            log_fmt(TAUT_LOG_ERROR, w->running[i]->mod->name, "work_hung",
                    "its work did not end within %d s of the end; it is left as it is",
                    (int)(WORK_END_NS / 1000000000));
    uv_mutex_unlock(&w->lock);
    return all;
}

bool work_stop(struct hub *h) {
    struct work *w = h->work;
    if (!w) return true;
    if (!wait_for_workers(w)) return false;
    for (uint32_t i = 0; i < w->started; i++) uv_thread_join(&w->threads[i]);
    uv_mutex_destroy(&w->lock);
    uv_cond_destroy(&w->more);
    uv_cond_destroy(&w->end);
    free(w);
    h->work = NULL;
    return true;
}

void timers_init(struct hub *h) {
    h->timers = xcalloc(1, sizeof *h->timers);
    h->host.timer_start = timer_start;
    h->host.timer_stop = timer_stop;
    h->host.poll_start = poll_start;
    h->host.poll_stop = poll_stop;
    h->host.work = work_add;
}
