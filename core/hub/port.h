/* port.h - a thread's letter box on its libuv loop: a mailbox, the async that wakes the loop, and how much mail came
 * and was dealt with. */
#ifndef HUB_PORT_H
#define HUB_PORT_H

#include <uv.h>

#include "base/mailbox.h"
#include "hub/call.h"

struct port {
    struct mailbox box;
    atomic_ullong posted; /* messages; what is not done waits for the loop */
    uv_async_t wake;
    void (*on_mail)(struct port *p, struct msg *m); /* on the loop's thread, in order; owns m */
    void (*on_drained)(struct port *p);             /* after each batch of mail; may be NULL */
    atomic_ullong done;                             /* far from `posted`, which others write */
};

/* On the loop's thread. */
void port_open(struct port *p, uv_loop_t *loop, void (*on_mail)(struct port *, struct msg *),
               void (*on_drained)(struct port *));
void port_close(struct port *p); /* closes the async; unread mail is handed to on_mail first */

/* Any thread. */
static inline void port_post(struct port *p, struct msg *m) {
    atomic_fetch_add_explicit(&p->posted, 1, memory_order_relaxed);
    if (mailbox_push(&p->box, &m->mail)) uv_async_send(&p->wake);
}

/* Any thread: how many messages wait. */
static inline uint64_t port_depth(const struct port *p) {
    uint64_t done = atomic_load(&p->done), posted = atomic_load(&p->posted); /* in this order: never below 0 */
    return posted - done;
}

/* Mail collected during a loop turn, to be posted at its end with one wake-up. Owner's thread. */
struct outbox {
    struct mail *newest, *oldest;
    uint64_t n;
};
static inline void outbox_add(struct outbox *o, struct msg *m) {
    m->mail.next = o->newest;
    o->newest = &m->mail;
    if (!o->oldest) o->oldest = &m->mail;
    o->n++;
}
static inline void outbox_flush(struct outbox *o, struct port *to) {
    if (!o->newest) return;
    atomic_fetch_add_explicit(&to->posted, o->n, memory_order_relaxed);
    if (mailbox_push_chain(&to->box, o->newest, o->oldest)) uv_async_send(&to->wake);
    *o = (struct outbox){.n = 0};
}

#endif
