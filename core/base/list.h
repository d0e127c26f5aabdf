/* list.h - intrusive doubly linked lists. A thing that is in no list knows it: adding and removing may be repeated. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct link {
    struct link *prev, *next; /* both NULL: in no list */
};
static inline void list_init(struct link *head) {
    head->prev = head->next = head;
}
static inline bool list_empty(const struct link *head) {
    return head->next == head;
}
static inline bool linked(const struct link *l) {
    return l->next != NULL;
}
static inline void list_add(struct link *head, struct link *l) {
    if (linked(l)) return;
    l->prev = head->prev;
    l->next = head;
    head->prev->next = l;
    head->prev = l;
}
static inline void list_remove(struct link *l) {
    if (!linked(l)) return;
    l->prev->next = l->next;
    l->next->prev = l->prev;
    l->prev = l->next = NULL;
}

#endif
