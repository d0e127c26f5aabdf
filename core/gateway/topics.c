/* topics.c - workspaces, their topics, and which connections are on them. Gateway thread.
 *
 * Both directions are dense arrays that name each other's places, so that adding and removing cost O(1) and a delivery
 * walks memory in order. Removing moves the last member into the hole: walk members from the end when the walk removes.
 */
#include "gateway/ws_internal.h"

static taut_str copy_behind(void *block, size_t size, taut_str s) {
    char *p = (char *)block + size;
    if (s.len) memcpy(p, s.ptr, s.len);
    return taut_str_n(p, s.len);
}

struct workspace *workspace_find(struct ws_server *s, taut_str name) {
    return map_get(&s->workspaces, name);
}

struct workspace *workspace_join(struct ws_server *s, taut_str name, uint64_t position, struct conn *c) {
    struct workspace *w = workspace_find(s, name);
    if (!w) {
        w = xcalloc(1, sizeof *w + name.len);
        w->name = copy_behind(w, sizeof *w, name);
        w->server = s;
        w->position = position;
        list_init(&w->conns);
        map_put(&s->workspaces, w->name, w);
    }
    c->workspace = w;
    list_add(&w->conns, &c->in_workspace);
    return w;
}

void workspace_leave(struct conn *c) {
    struct workspace *w = c->workspace;
    if (!w) return;
    topic_remove_all(c);
    list_remove(&c->in_workspace);
    c->workspace = NULL;
    if (!list_empty(&w->conns)) return;
    map_remove(&w->server->workspaces, w->name);
    map_free(&w->topics);
    free(w);
}

struct topic *topic_find(struct workspace *w, taut_str name) {
    return map_get(&w->topics, name);
}

static struct topic *topic_make(struct workspace *w, taut_str name) {
    struct topic *t = xcalloc(1, sizeof *t + name.len);
    t->name = copy_behind(t, sizeof *t, name);
    t->workspace = w;
    map_put(&w->topics, t->name, t);
    return t;
}

/* From the shorter side. */
const struct member *topic_member(const struct topic *t, const struct conn *c) {
    if (t->n < c->nsubs) {
        for (uint32_t i = 0; i < t->n; i++)
            if (t->members[i].conn == c) return &t->members[i];
        return NULL;
    }
    for (uint32_t i = 0; i < c->nsubs; i++)
        if (c->subs[i].topic == t) return &t->members[c->subs[i].at];
    return NULL;
}

void topic_add(struct conn *c, taut_str name, uint64_t since_seq) {
    struct topic *t = topic_find(c->workspace, name);
    if (!t) t = topic_make(c->workspace, name);
    if (topic_member(t, c)) return;
    if (t->n == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 2;
        t->members = xrealloc(t->members, t->cap * sizeof *t->members);
    }
    if (c->nsubs == c->subs_cap) {
        c->subs_cap += c->subs_cap / 2 + 4;
        c->subs = xrealloc(c->subs, c->subs_cap * sizeof *c->subs);
    }
    t->members[t->n] = (struct member){c, since_seq, c->nsubs};
    c->subs[c->nsubs++] = (struct sub){t, t->n++};
}

static void remove_sub(struct conn *c, uint32_t i) {
    struct topic *t = c->subs[i].topic;
    uint32_t at = c->subs[i].at;

    t->members[at] = t->members[--t->n];
    if (at < t->n) t->members[at].conn->subs[t->members[at].sub].at = at;
    c->subs[i] = c->subs[--c->nsubs];
    if (i < c->nsubs) c->subs[i].topic->members[c->subs[i].at].sub = i;
    if (t->n) return;
    map_remove(&t->workspace->topics, t->name);
    free(t->members);
    free(t);
}

void topic_remove(struct conn *c, taut_str name) {
    struct topic *t = topic_find(c->workspace, name);
    const struct member *m = t ? topic_member(t, c) : NULL;
    if (m) remove_sub(c, m->sub);
}

void topic_remove_all(struct conn *c) {
    while (c->nsubs) remove_sub(c, c->nsubs - 1);
    free(c->subs);
    c->subs = NULL;
    c->subs_cap = 0;
}
