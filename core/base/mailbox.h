/* mailbox.h - many writers, one reader: messages between threads. Lock-free push; the reader takes all at once, in
 * order of arrival. A message is embedded in what it carries; it belongs to the reader once pushed. */
#ifndef BASE_MAILBOX_H
#define BASE_MAILBOX_H

#include <stdatomic.h>

#include "base/base.h"

struct mail {
    struct mail *next;
};
struct mailbox {
    _Atomic(struct mail *) head;
};

/* Pushes a chain of messages linked newest first: `newest` … `oldest` (the same for one message). True when the box was
 * empty: the reader must be woken. */
static inline bool mailbox_push_chain(struct mailbox *b, struct mail *newest, struct mail *oldest) {
    struct mail *head = atomic_load_explicit(&b->head, memory_order_relaxed);
    do oldest->next = head;
    while (!atomic_compare_exchange_weak_explicit(&b->head, &head, newest, memory_order_release, memory_order_relaxed));
    return head == NULL;
}
static inline bool mailbox_push(struct mailbox *b, struct mail *m) {
    return mailbox_push_chain(b, m, m);
}

/* Everything that has arrived, oldest first; NULL when nothing has. */
static inline struct mail *mailbox_take(struct mailbox *b) {
    struct mail *m = atomic_exchange_explicit(&b->head, NULL, memory_order_acquire), *list = NULL;
    while (m) {
        struct mail *next = m->next;
        m->next = list;
        list = m;
        m = next;
    }
    return list;
}

#endif
