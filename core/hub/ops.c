/* ops.c - operations: an id is (slot, generation), so a late or second completion finds a stale generation, is counted,
 * and its payload is destroyed. Completions come from any thread and are delivered on the hub, on a later turn. */
#include "hub/internal.h"
#include "obs/log.h"

struct completions {
    struct msg msg;
    struct hub *hub;
    uint32_t n;
    struct taut_completion list[];
};

taut_op op_new(struct taut_mod *m, uint32_t timeout_ms, taut_op_fn fn, void *arg) {
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
    s->deadline_us = timeout_ms ? clock_mono_us() + (int64_t)timeout_ms * 1000 : 0;
    if (timeout_ms) {
        o->with_deadline++;
        hub_tick_on(hub_of(m));
    }
    return (taut_op)s->generation << 32 | i;
}

static void deliver(struct hub *h, const struct taut_completion *c) {
    struct ops *o = &h->ops;
    uint32_t i = (uint32_t)c->op, generation = (uint32_t)(c->op >> 32);
    if (i >= o->cap || !(generation & 1) || o->slots[i].generation != generation) {
        o->stale++;
    } else {
        struct op_slot s = o->slots[i];
        o->slots[i].generation++;
        o->slots[i].next_free = o->free;
        o->free = i + 1;
        o->n--;
        if (s.deadline_us) o->with_deadline--;
        o->delivering = *c;
        bool own = s.mod == core_mod(h); /* what it leads to has crumbs of its own */
        if (!own) crumb_enter(crumbs_of(s.mod), CRUMB_OP, NULL);
        s.fn(s.mod, s.arg, c->status, c->result);
        if (!own) crumb_leave(NULL);
        if (o->delivering.destroy) o->delivering.destroy(c->result);
        return;
    }
    if (c->destroy) c->destroy(c->result);
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
    struct hub *h = hub_of(m);
    struct completions *c = xmalloc(sizeof *c + n * sizeof *list);
    c->msg.kind = MSG_HUB_COMPLETIONS;
    c->hub = h;
    c->n = n;
    memcpy(c->list, list, n * sizeof *list);
    port_post(&h->port, &c->msg);
}

void ops_deliver(struct hub *h, struct msg *m) {
    struct completions *c = CONTAINER_OF(m, struct completions, msg);
    for (uint32_t i = 0; i < c->n; i++) deliver(h, &c->list[i]);
    free(c);
}

void ops_tick(struct hub *h, int64_t now_us) {
    if (!h->ops.with_deadline) return;
    for (uint32_t i = 0; i < h->ops.cap; i++) {
        struct op_slot *s = &h->ops.slots[i];
        if (!(s->generation & 1) || !s->deadline_us || s->deadline_us > now_us) continue;
        h->ops.timed_out++;
        log_fmt(TAUT_LOG_WARN, s->mod->name, "op_timeout", "an operation passed its deadline");
        deliver(h, &(struct taut_completion){.op = (taut_op)s->generation << 32 | i, .status = TAUT_E_TIMEOUT});
    }
}

void ops_free(struct hub *h) {
    free(h->ops.slots);
}
