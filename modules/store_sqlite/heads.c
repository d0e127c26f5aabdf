/* heads.c - see heads.h. Workspaces are made by operators, not by strangers: a plain hash does. */
#include "heads.h"

#include <stdlib.h>

enum { CAP_MIN = 16 };

static uint32_t hash_of(taut_str s) {
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < s.len; i++) h = (h ^ (unsigned char)s.ptr[i]) * 16777619u;
    return h ^ h >> 15;
}

static struct head **find(struct head **slots, uint32_t cap, taut_str workspace) {
    uint32_t i = hash_of(workspace) & (cap - 1);
    while (slots[i] && !taut_str_eq(taut_str_n(slots[i]->workspace, slots[i]->len), workspace)) i = (i + 1) & (cap - 1);
    return &slots[i];
}

static int grow(struct heads *h) {
    uint32_t cap = h->cap ? h->cap * 2 : CAP_MIN;
    struct head **slots = calloc(cap, sizeof *slots);
    if (!slots) return 0;
    for (uint32_t i = 0; i < h->cap; i++)
        if (h->slots[i]) *find(slots, cap, taut_str_n(h->slots[i]->workspace, h->slots[i]->len)) = h->slots[i];
    free(h->slots);
    h->slots = slots;
    h->cap = cap;
    return 1;
}

struct head *heads_get(struct heads *h, taut_str workspace) {
    if (h->last && taut_str_eq(taut_str_n(h->last->workspace, h->last->len), workspace)) return h->last;
    if (h->len * 2 >= h->cap && !grow(h)) return NULL;
    struct head **slot = find(h->slots, h->cap, workspace);
    if (!*slot) {
        struct head *head = calloc(1, sizeof *head + workspace.len);
        if (!head) return NULL;
        head->len = workspace.len;
        head->now = head->saved = (struct span){h->base, h->base + 1};
        memcpy(head->workspace, workspace.ptr, workspace.len);
        *slot = head;
        h->len++;
    }
    return h->last = *slot;
}

static void mark_dirty(struct heads *h, struct head *head) {
    if (head->is_dirty) return;
    head->is_dirty = true;
    head->next_dirty = h->dirty;
    h->dirty = head;
}

void heads_advance(struct heads *h, struct head *head, uint32_t n) {
    if (!n) return;
    mark_dirty(h, head);
    head->now.seq += n;
}

void heads_trim(struct heads *h, struct head *head, uint64_t up_to) {
    uint64_t first = up_to < head->now.seq ? up_to + 1 : head->now.seq;
    if (first <= head->now.first) return;
    mark_dirty(h, head);
    head->now.first = first;
}

void heads_keep(struct heads *h) {
    for (struct head *p = h->dirty; p; p = p->next_dirty) {
        p->saved = p->now;
        p->is_dirty = false;
    }
    h->dirty = NULL;
}

void heads_undo(struct heads *h) {
    for (struct head *p = h->dirty; p; p = p->next_dirty) {
        p->now = p->saved;
        p->is_dirty = false;
    }
    h->dirty = NULL;
}

void heads_fini(struct heads *h) {
    for (uint32_t i = 0; i < h->cap; i++) free(h->slots[i]);
    free(h->slots);
    memset(h, 0, sizeof *h);
}
