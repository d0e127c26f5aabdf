/* await.c - calls that wait for something else than rows: for what a module has asked (taut_await), and for their turn,
 * so that what one sender says in one place leaves in the order in which it was said. Both are restartable: the call is
 * run again when it is there. */
#include "hub/internal.h"

struct await {
    struct await *next;
    struct run *run;
    struct taut_mod *mod;
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
    if (status >= 0) {
        a->result = result;
        a->destroy = ops_keep_result(hub_of(m));
    }
    a->run->awaiting--;
    load_arrived(a->run, TAUT_OK, 0);
}

/* A filter waits no longer than its budget. 0: that is over. */
static uint32_t time_left(const struct run *r, uint32_t timeout_ms) {
    if (!r->hook_deadline_us) return timeout_ms;
    int64_t left_ms = (r->hook_deadline_us - clock_mono_us() + 999) / 1000;
    return left_ms <= 0 ? 0 : left_ms < timeout_ms ? (uint32_t)left_ms : timeout_ms;
}

int32_t await_result(struct taut_mod *m, struct taut_call *c, taut_str key, uint32_t timeout_ms, taut_start_fn start,
                     void *arg, void **result) {
    struct run *r = run_of(c);
    *result = NULL;
    check_thread(m, "taut_await");
    if (!timeout_ms || !start) return TAUT_E_INVAL;
    for (struct await *a = r->awaits; a; a = a->next) {
        if (a->mod != m || !taut_str_eq(a->key, key)) continue;
        *result = a->result;
        return a->done ? a->status : TAUT_E_AGAIN;
    }
    check_read(r, "taut_await");
    timeout_ms = time_left(r, timeout_ms);
    if (!timeout_ms) return TAUT_E_TIMEOUT;
    struct await *a = arena_zalloc(&r->call->arena, sizeof *a);
    a->run = r;
    a->mod = m;
    a->key = arena_str(&r->call->arena, key);
    a->next = r->awaits;
    r->awaits = a;
    r->waiting++;
    r->awaiting++;
    struct run *outer = r->hub->running;
    r->hub->running = NULL; /* what it starts is no effect of the handler */
    start(m, arg, op_new(m, timeout_ms, on_end, a));
    r->hub->running = outer;
    return TAUT_E_AGAIN;
}

void await_forget(struct run *r) {
    for (struct await *a = r->awaits; a; a = a->next)
        if (a->done && a->destroy) a->destroy(a->result);
    r->awaits = NULL;
}

/* ---- turns ---- */

struct turn {
    struct turn *next;
    struct run *run;
    struct turn_queue *queue;
    bool waits;
};
struct turn_queue {
    taut_str key; /* behind the struct */
    struct turn *first, *last;
};

int32_t turn_take(struct run *r, taut_str key) {
    struct hub *h = r->hub;
    if (r->turn) return r->turn->waits ? TAUT_E_AGAIN : TAUT_OK;
    struct turn_queue *q = map_get(&h->turns, key);
    if (!q) {
        q = xcalloc(1, sizeof *q + key.len);
        memcpy(q + 1, key.ptr, key.len);
        q->key = taut_str_n((char *)(q + 1), key.len);
        map_put(&h->turns, q->key, q);
    }
    struct turn *t = r->turn = arena_zalloc(&r->call->arena, sizeof *t);
    t->run = r;
    t->queue = q;
    t->waits = q->first != NULL;
    *(q->last ? &q->last->next : &q->first) = t;
    q->last = t;
    if (!t->waits) return TAUT_OK;
    check_read(r, "taut_filter");
    r->waiting++;
    r->awaiting++;
    return TAUT_E_AGAIN;
}

void turn_leave(struct run *r) {
    struct turn *t = r->turn, *before = NULL;
    if (!t) return;
    struct turn_queue *q = t->queue;
    r->turn = NULL;
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

void turns_go_on(struct hub *h) {
    while (h->ready) {
        struct run *r = h->ready;
        h->ready = r->next_ready;
        r->awaiting--;
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
