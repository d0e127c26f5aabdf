/* port.h - a thread's letter box on its libuv loop: a mailbox and the async that wakes the loop. */
#ifndef HUB_PORT_H
#define HUB_PORT_H

#include <uv.h>

#include "base/mailbox.h"
#include "hub/call.h"

struct port {
    struct mailbox box;
    uv_async_t wake;
    void (*on_mail)(struct port *p, struct msg *m); /* on the loop's thread, in order; owns m */
    void (*on_drained)(struct port *p);             /* after each batch of mail; may be NULL */
};

/* On the loop's thread. */
void port_open(struct port *p, uv_loop_t *loop, void (*on_mail)(struct port *, struct msg *),
               void (*on_drained)(struct port *));
void port_close(struct port *p); /* closes the async; unread mail is handed to on_mail first */

/* Any thread. */
static inline void port_post(struct port *p, struct msg *m) {
    if (mailbox_push(&p->box, &m->mail)) uv_async_send(&p->wake);
}

/* Mail collected during a loop turn, to be posted at its end with one wake-up. Owner's thread. */
struct outbox {
    struct mail *newest, *oldest;
};
static inline void outbox_add(struct outbox *o, struct msg *m) {
    m->mail.next = o->newest;
    o->newest = &m->mail;
    if (!o->oldest) o->oldest = &m->mail;
}
static inline void outbox_flush(struct outbox *o, struct port *to) {
    if (!o->newest) return;
    if (mailbox_push_chain(&to->box, o->newest, o->oldest)) uv_async_send(&to->wake);
    o->newest = o->oldest = NULL;
}

#endif
