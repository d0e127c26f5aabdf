/* watch.c - what the module under test holds of the host: the functions of the host's table by which it takes and gives
 * back are put between. What it still holds in the end leftovers.c tells. Hub, but for memory and posts: any thread. */
#include "watch.h"

#include <pthread.h>

static struct {
    pthread_mutex_t lock;  /* of held and of the lists */
    struct taut_host host; /* the hub's own functions */
    struct taut_mod *mod;
    struct world *world;
    struct map blocks; /* address -> struct held */
    struct held *lists[HELD_KINDS];
    uint32_t n[HELD_KINDS];
} watch = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool is_watched(const struct taut_mod *m) {
    return m == watch.mod;
}
static bool for_show(void) {
    const struct run *r = run_here();
    return r && r->rehearsing;
}

/* ---- what is held ---- */

static struct held *hold(enum held_kind kind, const void *caller) {
    struct held *h = xcalloc(1, sizeof *h);
    h->kind = kind;
    h->caller = caller;
    if (!crumb_here || !crumb_describe(crumb_here, h->when, sizeof h->when))
        snprintf(h->when, sizeof h->when, "%s", watch.world->page->doing);
    pthread_mutex_lock(&watch.lock);
    h->next = watch.lists[kind];
    if (h->next) h->next->prev = h;
    watch.lists[kind] = h;
    watch.n[kind]++;
    pthread_mutex_unlock(&watch.lock);
    return h;
}

static void let_go(struct held *h) {
    pthread_mutex_lock(&watch.lock);
    *(h->prev ? &h->prev->next : &watch.lists[h->kind]) = h->next;
    if (h->next) h->next->prev = h->prev;
    watch.n[h->kind]--;
    pthread_mutex_unlock(&watch.lock);
    free(h);
}

static struct held *find(enum held_kind kind, uint64_t id) {
    pthread_mutex_lock(&watch.lock);
    struct held *h = watch.lists[kind];
    while (h && h->id != id) h = h->next;
    pthread_mutex_unlock(&watch.lock);
    return h;
}

const struct held *watch_list(enum held_kind kind) {
    return watch.lists[kind];
}
uint32_t watch_jobs(void) {
    return watch.n[HELD_WORK];
}
uint32_t watch_polls(void) {
    return watch.n[HELD_POLL];
}

/* ---- memory ---- */

static taut_str key_of(const void *const *p) {
    return taut_str_n((const char *)p, sizeof *p);
}

static void note_block(void *p, size_t n, const void *caller) {
    struct held *h = hold(HELD_MEMORY, caller);
    h->block = p;
    h->bytes = n;
    pthread_mutex_lock(&watch.lock);
    map_put(&watch.blocks, key_of(&h->block), h);
    pthread_mutex_unlock(&watch.lock);
}

/* Forgets the block. One that the host did not hand out ends the run: it would corrupt the heap. */
static void forget_block(struct taut_mod *m, const void *p, const char *function) {
    pthread_mutex_lock(&watch.lock);
    struct held *h = map_remove(&watch.blocks, key_of(&p));
    pthread_mutex_unlock(&watch.lock);
    if (!h)
        panic("module %s: %s() of memory that it does not hold: freed before, or not from taut_alloc", m->name,
              function);
    let_go(h);
}

static void *on_alloc(struct taut_mod *m, size_t n) {
    if (!is_watched(m)) return watch.host.alloc(m, n);
    void *p = fault_now() ? NULL : watch.host.alloc(m, n);
    if (p) note_block(p, n, __builtin_return_address(0));
    return p;
}

static void *on_realloc(struct taut_mod *m, void *old, size_t n) {
    if (!is_watched(m)) return watch.host.realloc(m, old, n);
    if (fault_now()) return NULL;
    if (old) forget_block(m, old, "taut_realloc");
    void *p = watch.host.realloc(m, old, n);
    if (p) note_block(p, n, __builtin_return_address(0));
    return p;
}

static void on_free(struct taut_mod *m, void *p) {
    if (p && is_watched(m)) forget_block(m, p, "taut_free");
    watch.host.free(m, p);
}

/* ---- timers and descriptors ---- */

static void on_timer(struct taut_mod *m, void *arg) {
    struct held *h = arg;
    taut_fn fn = h->fn;
    void *of = h->arg;
    if (!h->repeat_ms) let_go(h);
    fn(m, of);
}

static taut_timer on_timer_start(struct taut_mod *m, uint64_t ms, uint64_t repeat_ms, taut_fn fn, void *arg) {
    if (!is_watched(m)) return watch.host.timer_start(m, ms, repeat_ms, fn, arg);
    if (fault_now()) return 0;
    if (for_show()) return watch.host.timer_start(m, ms, repeat_ms, fn, arg);
    struct held *h = hold(HELD_TIMER, __builtin_return_address(0));
    h->fn = fn;
    h->arg = arg;
    h->repeat_ms = repeat_ms;
    h->id = watch.host.timer_start(m, ms, repeat_ms, on_timer, h);
    return h->id;
}

static void on_timer_stop(struct taut_mod *m, taut_timer t) {
    struct held *h = is_watched(m) && !for_show() ? find(HELD_TIMER, t) : NULL;
    watch.host.timer_stop(m, t);
    if (h) let_go(h);
}

static void on_poll(struct taut_mod *m, void *arg, uint32_t events) {
    struct held *h = arg;
    h->poll_fn(m, h->arg, events);
}

static taut_poll on_poll_start(struct taut_mod *m, int32_t fd, uint32_t events,
                               void (*fn)(struct taut_mod *m, void *arg, uint32_t events), void *arg) {
    if (!is_watched(m)) return watch.host.poll_start(m, fd, events, fn, arg);
    if (fault_now()) return 0;
    if (for_show()) return watch.host.poll_start(m, fd, events, fn, arg);
    struct held *h = hold(HELD_POLL, __builtin_return_address(0));
    h->poll_fn = fn;
    h->arg = arg;
    h->fd = fd;
    taut_poll id = h->id = watch.host.poll_start(m, fd, events, on_poll, h);
    if (!id) let_go(h);
    return id;
}

static void on_poll_stop(struct taut_mod *m, taut_poll p) {
    struct held *h = is_watched(m) && !for_show() ? find(HELD_POLL, p) : NULL;
    watch.host.poll_stop(m, p);
    if (h) let_go(h);
}

/* ---- posts, work, operations, subscriptions ---- */

static void on_posted(struct taut_mod *m, void *arg) {
    struct held *h = arg;
    taut_fn fn = h->fn;
    void *of = h->arg;
    let_go(h);
    fn(m, of);
}

static void on_post(struct taut_mod *m, taut_fn fn, void *arg) {
    if (!is_watched(m) || for_show()) {
        watch.host.post(m, fn, arg);
        return;
    }
    struct held *h = hold(HELD_POST, __builtin_return_address(0));
    h->fn = fn;
    h->arg = arg;
    watch.host.post(m, on_posted, h);
}

static void do_work(void *arg) {
    struct held *h = arg;
    h->work(h->arg);
}

static int32_t on_work(struct taut_mod *m, void (*work)(void *arg), taut_fn done, void *arg) {
    if (!is_watched(m)) return watch.host.work(m, work, done, arg);
    if (fault_now()) return TAUT_E_UNAVAILABLE;
    if (for_show()) return watch.host.work(m, work, done, arg);
    struct held *h = hold(HELD_WORK, __builtin_return_address(0));
    h->work = work;
    h->fn = done;
    h->arg = arg;
    int32_t err = watch.host.work(m, do_work, on_posted, h);
    if (err < 0) let_go(h);
    return err;
}

static void on_op_end(struct taut_mod *m, void *arg, int32_t status, void *result) {
    struct held *h = arg;
    taut_op_fn fn = h->op_fn;
    void *of = h->arg;
    let_go(h);
    fn(m, of, status, result);
}

static taut_op on_op_new(struct taut_mod *m, const struct taut_svc *svc, uint32_t timeout_ms, taut_op_fn fn,
                         void *arg) {
    if (!is_watched(m)) return watch.host.op_new(m, svc, timeout_ms, fn, arg);
    struct held *h = hold(HELD_OP, __builtin_return_address(0));
    h->op_fn = fn;
    h->arg = arg;
    h->id = watch.host.op_new(m, svc, timeout_ms, on_op_end, h);
    return h->id;
}

static void on_op_cancel(struct taut_mod *m, taut_op op) {
    struct held *h = is_watched(m) && !for_show() ? find(HELD_OP, op) : NULL;
    watch.host.op_cancel(m, op);
    if (h) let_go(h);
}

static taut_sub on_subscribe(struct taut_mod *m, const struct taut_subscription *s) {
    taut_sub id = watch.host.subscribe(m, s);
    if (!is_watched(m) || !id || for_show()) return id;
    struct held *h = hold(HELD_SUBSCRIPTION, __builtin_return_address(0));
    h->id = id;
    snprintf(h->what, sizeof h->what, "%s", s->name);
    return id;
}

static void on_unsubscribe(struct taut_mod *m, taut_sub sub) {
    struct held *h = is_watched(m) && !for_show() ? find(HELD_SUBSCRIPTION, sub) : NULL;
    watch.host.unsubscribe(m, sub);
    if (h) let_go(h);
}

/* ---- life ---- */

void watch_begin(struct world *w) {
    struct taut_host *t = &w->hub->host;
    watch.world = w;
    watch.mod = &w->module->pub;
    watch.host = *t;
    t->alloc = on_alloc;
    t->realloc = on_realloc;
    t->free = on_free;
    t->timer_start = on_timer_start;
    t->timer_stop = on_timer_stop;
    t->poll_start = on_poll_start;
    t->poll_stop = on_poll_stop;
    t->post = on_post;
    t->work = on_work;
    t->op_new = on_op_new;
    t->op_cancel = on_op_cancel;
    t->subscribe = on_subscribe;
    t->unsubscribe = on_unsubscribe;
}

void watch_end(void) {
    for (size_t kind = 0; kind < HELD_KINDS; kind++)
        while (watch.lists[kind]) let_go(watch.lists[kind]);
    map_free(&watch.blocks);
    watch.mod = NULL;
}
