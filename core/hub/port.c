/* port.c - a mailbox on a libuv loop. Thread: the loop's, but for port_post. */
#include "hub/port.h"

static void deliver(struct port *p) {
    struct mail *m = mailbox_take(&p->box);
    uint64_t done = atomic_load_explicit(&p->done, memory_order_relaxed);
    if (!m) return;
    while (m) {
        struct mail *next = m->next; /* on_mail may free it */
        p->on_mail(p, CONTAINER_OF(m, struct msg, mail));
        atomic_store_explicit(&p->done, ++done, memory_order_relaxed);
        m = next;
    }
    if (p->on_drained) p->on_drained(p);
}

static void on_wake(uv_async_t *a) {
    deliver(CONTAINER_OF(a, struct port, wake));
}

void port_open(struct port *p, uv_loop_t *loop, void (*on_mail)(struct port *, struct msg *),
               void (*on_drained)(struct port *)) {
    int err = uv_async_init(loop, &p->wake, on_wake);
    if (err) panic("uv_async_init: %s", uv_strerror(err));
    atomic_init(&p->box.head, NULL);
    atomic_init(&p->posted, 0);
    atomic_init(&p->done, 0);
    p->on_mail = on_mail;
    p->on_drained = on_drained;
}

void port_close(struct port *p) {
    deliver(p);
    uv_close((uv_handle_t *)&p->wake, NULL);
}
