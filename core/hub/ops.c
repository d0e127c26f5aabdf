/* ops.c - operations: an id is (slot, generation), so a late or second completion finds a stale generation, is counted,
 * and its payload is destroyed. Completions come from any thread and are delivered on the hub, on a later turn. */
#include "hub/internal.h"
#include "obs/log.h"

struct completions {
    struct msg msg;
    struct hub *hub;
    struct taut_mod *by; /* NULL: the core, for one who will not */
    uint32_t n;
    struct taut_completion list[];
};

static taut_op add(struct taut_mod *m, struct service *service, uint32_t timeout_ms, taut_op_fn fn, void *arg,
                   bool is_modules) {
    struct ops *o = &hub_of(m)->ops;
    if (!o->free) {
        uint32_t old = o->cap;
        o->cap = old ? old * 2 : 256;
        o->slots = xrealloc(o->slots, o->cap * sizeof *o->slots);
        memset(o->slots + old, 0, (o->cap - old) * sizeof *o->slots);
        for (uint32_t i = o->cap; i > old; i--) {
            o->slots[i - 1].next_free = o->free;
            o->free = i;
        }
    }
    uint32_t i = o->free - 1;
    struct op_slot *s = &o->slots[i];
    o->free = s->next_free;
    o->n++;
    s->generation++;
    s->mod = m;
    s->fn = fn;
    s->arg = arg;
    s->service = service;
    s->key = taut_str_n("", 0);
    s->hurried = false;
    s->doer = NULL;
    s->is_modules = is_modules;
    s->deadline_us = timeout_ms ? clock_mono_us() + (int64_t)timeout_ms * 1000 : 0;
    if (timeout_ms) {
        o->with_deadline++;
        hub_tick_on(hub_of(m));
    }
    return (taut_op)s->generation << 32 | i;
}

taut_op op_new(struct taut_mod *m, uint32_t timeout_ms, taut_op_fn fn, void *arg) {
    return add(m, NULL, timeout_ms, fn, arg, false);
}

taut_op op_new_await(struct taut_mod *m, const struct taut_svc *svc, taut_str key, uint32_t timeout_ms, bool hurried,
                     taut_op_fn fn, void *arg) {
    taut_op op = add(m, service_of(svc), timeout_ms, fn, arg, false);
    struct op_slot *s = &hub_of(m)->ops.slots[(uint32_t)op];
    s->key = key;
    s->hurried = hurried;
    return op;
}

static taut_op op_of(const struct ops *o, uint32_t slot) {
    return (taut_op)o->slots[slot].generation << 32 | slot;
}

static struct op_slot *find(struct ops *o, taut_op op) {
    uint32_t i = (uint32_t)op, generation = (uint32_t)(op >> 32);
    return i < o->cap && (generation & 1) && o->slots[i].generation == generation ? &o->slots[i] : NULL;
}

/* Nobody finds it any more. */
static struct op_slot take(struct ops *o, struct op_slot *s) {
    struct op_slot taken = *s;
    s->generation++;
    s->next_free = o->free;
    o->free = (uint32_t)(s - o->slots) + 1;
    o->n--;
    if (s->deadline_us) o->with_deadline--;
    return taken;
}

/* Too late (after its deadline, or cancelled), or a fault: the same module has completed it before. */
static void on_stale(struct ops *o, const struct taut_completion *c, const struct taut_mod *by) {
    uint32_t i = (uint32_t)c->op;
    if (by && i < o->cap && o->slots[i].completed == (uint32_t)(c->op >> 32) && o->slots[i].completed_by == by)
        check_completed_twice(by);
    o->stale++;
    if (c->destroy) c->destroy(c->result);
}

static void deliver(struct hub *h, const struct taut_completion *c, const struct taut_mod *by) {
    struct ops *o = &h->ops;
    struct op_slot *found = find(o, c->op);
    if (!found) {
        on_stale(o, c, by);
        return;
    }
    found->completed = found->generation;
    found->completed_by = by;
    struct op_slot s = take(o, found);
    if (s.service && c->status >= 0) service_succeeded(h, s.service);
    if (s.is_modules && is_left(s.mod)) {
        if (c->destroy) c->destroy(c->result);
        return;
    }
    o->delivering = *c;
    bool own = s.mod == core_mod(h); /* what it leads to has crumbs of its own */
    if (!own) crumb_enter(crumbs_of(s.mod), CRUMB_OP, NULL);
    s.fn(s.mod, s.arg, c->status, c->result);
    if (!own) crumb_leave(NULL);
    if (o->delivering.destroy) o->delivering.destroy(c->result);
}

static void post(struct hub *h, struct taut_mod *by, const struct taut_completion *list, uint32_t n) {
    struct completions *c = xmalloc(sizeof *c + n * sizeof *list);
    c->msg.kind = MSG_HUB_COMPLETIONS;
    c->hub = h;
    c->by = by;
    c->n = n;
    memcpy(c->list, list, n * sizeof *list);
    port_post(&h->port, &c->msg);
}

/* ---- those that nobody will complete ---- */

static void tell_doer(const struct op_slot *s) {
    if (s->doer) s->doer->host->post(s->doer, s->on_cancel, s->cancel_arg);
}

static void cancel(struct taut_mod *m, taut_op op) {
    struct ops *o = &hub_of(m)->ops;
    struct op_slot *s = find(o, op);
    check_thread(m, "taut_op_cancel");
    if (!s || s->mod != m || !check_effect(m, "taut_op_cancel")) return;
    struct op_slot taken = take(o, s);
    tell_doer(&taken);
}

static int32_t on_cancel(struct taut_mod *m, taut_op op, taut_fn fn, void *arg) {
    struct op_slot *s = find(&hub_of(m)->ops, op);
    check_thread(m, "taut_op_on_cancel");
    if (!s) return TAUT_E_NOTFOUND;
    s->doer = m;
    s->on_cancel = fn;
    s->cancel_arg = arg;
    return TAUT_OK;
}

static void fail(struct hub *h, uint32_t slot, int32_t status) {
    tell_doer(&h->ops.slots[slot]);
    deliver(h, &(struct taut_completion){.op = op_of(&h->ops, slot), .status = status}, NULL);
}

void ops_fail_of(struct hub *h, struct service *service) {
    for (uint32_t i = 0; i < h->ops.cap; i++) {
        struct op_slot *s = &h->ops.slots[i];
        if (!(s->generation & 1) || s->service != service) continue;
        tell_doer(s);
        post(h, NULL, &(struct taut_completion){.op = op_of(&h->ops, i), .status = TAUT_E_UNAVAILABLE}, 1);
    }
}

void ops_end_of(struct hub *h, struct taut_mod *m) {
    for (uint32_t i = 0; i < h->ops.cap; i++) {
        struct op_slot *s = &h->ops.slots[i];
        if (!(s->generation & 1)) continue;
        if (s->doer == m) s->doer = NULL;
        if (s->mod != m) continue;
        if (s->is_modules) { /* its receiver is gone */
            struct op_slot taken = take(&h->ops, s);
            tell_doer(&taken);
        } else {
            post(h, NULL, &(struct taut_completion){.op = op_of(&h->ops, i), .status = TAUT_E_UNAVAILABLE}, 1);
        }
    }
}

static void nothing_to_destroy(void *result) {
    (void)result;
}

void (*ops_keep_result(struct hub *h))(void *) {
    void (*destroy)(void *) = h->ops.delivering.destroy;
    h->ops.delivering.destroy = NULL;
    return destroy ? destroy : nothing_to_destroy;
}

void ops_abandon(struct hub *h) {
    for (uint32_t i = 0; i < h->ops.cap; i++)
        if (h->ops.slots[i].generation & 1) h->ops.slots[i].generation++;
    h->ops.free = 0; /* no slot is given out again */
    h->ops.cap = 0;
}

void ops_complete(struct taut_mod *m, const struct taut_completion *list, uint32_t n) {
    post(hub_of(m), m, list, n);
}

void ops_deliver(struct hub *h, struct msg *m) {
    struct completions *c = CONTAINER_OF(m, struct completions, msg);
    for (uint32_t i = 0; i < c->n; i++) deliver(h, &c->list[i], c->by);
    free(c);
}

/* Of a key its first word alone: behind it stands what the question depends on, which is nobody's business. */
static void say_timeout(const struct op_slot *s) {
    char key[64] = "", of[80] = "";
    const char *blank = s->key.len ? memchr(s->key.ptr, ' ', s->key.len) : NULL;
    int n = (int)(blank ? (size_t)(blank - s->key.ptr) : s->key.len);
    if (n) snprintf(key, sizeof key, " \"%.*s\"", n, s->key.ptr);
    if (s->service) snprintf(of, sizeof of, " of %s/%u", s->service->family, s->service->major);
    log_fmt(TAUT_LOG_WARN, s->mod->name, "op_timeout", "an operation%s%s passed its deadline", key, of);
}

void ops_tick(struct hub *h, int64_t now_us) {
    if (!h->ops.with_deadline) return;
    for (uint32_t i = 0; i < h->ops.cap; i++) {
        struct op_slot *s = &h->ops.slots[i];
        if (!(s->generation & 1) || !s->deadline_us || s->deadline_us > now_us) continue;
        struct service *asked = s->hurried ? NULL : s->service;
        h->ops.timed_out++;
        say_timeout(s);
        h->ops.expired = true;
        fail(h, i, TAUT_E_TIMEOUT);
        h->ops.expired = false;
        if (asked) service_timed_out(h, asked);
    }
}

static taut_op host_op_new(struct taut_mod *m, const struct taut_svc *svc, uint32_t timeout_ms, taut_op_fn fn,
                           void *arg) {
    check_thread(m, "taut_op_new");
    return add(m, service_of(svc), timeout_ms, fn, arg, true);
}

void ops_add_to_host(struct taut_host *t) {
    t->op_new = host_op_new;
    t->op_cancel = cancel;
    t->op_on_cancel = on_cancel;
    t->ops_complete = ops_complete;
}

void ops_free(struct hub *h) {
    free(h->ops.slots);
}
