/* call.c - calls and their recycling. Thread: the pool's owner; a call travels, its pool does not. */
#include "hub/call.h"

struct call *call_get(struct call_pool *p, uint32_t kind, struct port *home) {
    struct call *c = p->n > CALLS_RESTING ? p->free : NULL;
    if (c) {
        struct arena keep = c->arena;
        p->free = c->msg.mail.next ? CONTAINER_OF(c->msg.mail.next, struct call, msg.mail) : NULL;
        p->n--;
        memset(c, 0, sizeof *c);
        c->arena = keep;
    } else {
        c = xcalloc(1, sizeof *c);
    }
    p->out++;
    c->msg.kind = MSG_CALL;
    c->pub.kind = kind;
    c->home = home;
    return c;
}

void call_put(struct call_pool *p, struct call *c) {
    p->out--;
    if (c->http && c->http->release) c->http->release(c->http);
    if (p->n >= CALLS_KEPT) {
        arena_free(&c->arena);
        free(c);
        return;
    }
    arena_reset(&c->arena);
    if (CALLS_RESTING > 0 && p->free) { /* the one that ended first is used first */
        c->msg.mail.next = NULL;
        p->last->msg.mail.next = &c->msg.mail;
    } else {
        c->msg.mail.next = p->free ? &p->free->msg.mail : NULL;
        p->free = c;
    }
    p->last = c;
    p->n++;
}

void call_pool_free(struct call_pool *p) {
    while (p->free) {
        struct call *c = p->free;
        p->free = c->msg.mail.next ? CONTAINER_OF(c->msg.mail.next, struct call, msg.mail) : NULL;
        arena_free(&c->arena);
        free(c);
    }
    p->n = 0;
}
