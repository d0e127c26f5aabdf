/* await.c - calls that wait for something else than rows: for what a module has asked (taut_await), and for their turn,
 * so that what one sender says in one place leaves in the order in which it was said. Both are restartable: the call is
 * run again when it is there. */
#include "hub/internal.h"

struct await {
    struct await *next;
    struct run *run;
    struct taut_mod *mod;
    struct hook_time *hook; /* whose time it is; NULL: no filter's */
    taut_str key;
    int32_t status;
    bool done;
    void *result;
    void (*destroy)(void *result);
};

static void on_end(struct taut_mod *m, void *arg, int32_t status, void *result) {
    struct await *a = arg;
    a->status = status;
    a->done = true;
    if (a->hook) hook_count(a->hook);
    if (status >= 0) {
        a->result = result;
        a->destroy = ops_keep_result(hub_of(m));
    }
    a->run->awaiting--;
    a->run->same_moment = false; /* this may have taken long */
    load_arrived(a->run, TAUT_OK, 0);
}

int32_t await_result(struct taut_mod *m, struct taut_call *c, const struct taut_svc *svc, taut_str key,
                     uint32_t timeout_ms, taut_start_fn start, void *arg, void **result) {
    struct run *r = run_of(c);
    *result = NULL;
    check_thread(m, "taut_await");
    if (!check_given(m, "taut_await", timeout_ms > 0, "a time-out above 0") ||
        !check_given(m, "taut_await", start != NULL, "a function"))
        return TAUT_E_INVAL;
    for (struct await *a = r->awaits; a; a = a->next) {
        if (a->mod != m || !taut_str_eq(a->key, key)) continue;
        *result = a->result;
        return a->done ? a->status : TAUT_E_AGAIN;
    }
    if (!check_read(r, "taut_await")) return TAUT_E_INVAL;
    uint32_t left = r->hook ? hook_time_left(r->hook, timeout_ms) : timeout_ms;
    if (!left) return TAUT_E_TIMEOUT;
    struct await *a = arena_zalloc(&r->call->arena, sizeof *a);
    a->run = r;
    a->mod = m;
    a->hook = r->hook;
    a->key = arena_str(&r->call->arena, key);
    a->next = r->awaits;
    r->awaits = a;
    r->waiting++;
    r->awaiting++;
    struct run *outer = r->hub->running;
    if (r->rehearsing) states_compare(r);
    r->hub->running = NULL; /* what it starts is no effect of the handler */
    start(m, arg, op_new_await(m, svc, a->key, left, left < timeout_ms, on_end, a));
    r->hub->running = outer;
    if (r->rehearsing) states_note(r);
    return TAUT_E_AGAIN;
}

void await_forget(struct run *r) {
    for (struct await *a = r->awaits; a; a = a->next)
        if (a->done && a->destroy) a->destroy(a->result);
    r->awaits = NULL;
}

/* ---- turns ---- */

/* A place in a queue. A run may have several, and waits for one at a time, which is then its newest. */
struct turn {
    struct turn *next;  /* in the queue */
    struct turn *older; /* of the same run */
    struct run *run;
    struct turn_queue *queue;
    bool waits;
};
struct turn_queue {
    taut_str key; /* behind the struct */
    struct turn *first, *last;
};

static struct turn_queue *queue_of(struct hub *h, taut_str key) {
    struct turn_queue *q = map_get(&h->turns, key);
    if (q) return q;
    q = xcalloc(1, sizeof *q + key.len);
    memcpy(q + 1, key.ptr, key.len);
    q->key = taut_str_n((char *)(q + 1), key.len);
    map_put(&h->turns, q->key, q);
    return q;
}

/* Who is first there waits elsewhere for one who waits … for r: they passed two points in opposite orders. */
static bool waits_for(const struct turn_queue *q, const struct run *r) {
    while (q && q->first) {
        const struct run *first = q->first->run;
        if (first == r) return true;
        q = first->turns->waits ? first->turns->queue : NULL;
    }
    return false;
}

int32_t turn_take(struct run *r, taut_str key) {
    for (const struct turn *t = r->turns; t; t = t->older)
        if (taut_str_eq(t->queue->key, key)) return t->waits ? TAUT_E_AGAIN : TAUT_OK;
    if (r->turns && r->turns->waits) return TAUT_E_AGAIN;
    struct turn_queue *q = queue_of(r->hub, key);
    if (waits_for(q, r)) return TAUT_OK;
    if (q->first && !check_read(r, "taut_filter")) return TAUT_E_INVAL;
    struct turn *t = arena_zalloc(&r->call->arena, sizeof *t);
    *t = (struct turn){.older = r->turns, .run = r, .queue = q, .waits = q->first != NULL};
    r->turns = t;
    *(q->last ? &q->last->next : &q->first) = t;
    q->last = t;
    if (!t->waits) return TAUT_OK;
    r->waiting++;
    r->awaiting++;
    return TAUT_E_AGAIN;
}

static void leave(struct run *r, struct turn *t) {
    struct turn *before = NULL;
    struct turn_queue *q = t->queue;
    if (q->first != t)
        for (before = q->first; before->next != t;) before = before->next;
    *(before ? &before->next : &q->first) = t->next;
    if (q->last == t) q->last = before;
    if (!q->first) {
        map_remove(&r->hub->turns, q->key);
        free(q);
    } else if (q->first->waits) { /* it goes on in a turn of the loop of its own: not inside this run */
        q->first->waits = false;
        q->first->run->next_ready = r->hub->ready;
        r->hub->ready = q->first->run;
    }
}

void turns_leave(struct run *r) {
    while (r->turns) {
        struct turn *t = r->turns;
        r->turns = t->older;
        leave(r, t);
    }
}

void turns_go_on(struct hub *h) {
    while (h->ready) {
        struct run *r = h->ready;
        h->ready = r->next_ready;
        r->awaiting--;
        r->same_moment = false;
        load_arrived(r, TAUT_OK, 0);
    }
}

static void free_queue(void *value, void *arg) {
    (void)arg;
    free(value);
}
void turns_free(struct hub *h) {
    map_each(&h->turns, free_queue, NULL);
    map_free(&h->turns);
}
