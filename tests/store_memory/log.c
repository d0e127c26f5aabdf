/* log.c - the logs of workspaces, their readers' cursors, and the claims. */
#include "memory.h"

/* ---- logs ---- */

static uint32_t place_of(const struct store *s, taut_str workspace) {
    uint32_t i = 0;
    while (i < s->nlogs && str_order(s->logs[i]->workspace, workspace) < 0) i++;
    return i;
}

struct log *log_find(struct store *s, taut_str workspace) {
    uint32_t at = place_of(s, workspace);
    return at < s->nlogs && taut_str_eq(s->logs[at]->workspace, workspace) ? s->logs[at] : NULL;
}

struct log *log_get(struct store *s, taut_str workspace) {
    struct log *l = log_find(s, workspace);
    if (l) return l;
    uint32_t at = place_of(s, workspace);
    s->logs = need(realloc(s->logs, (s->nlogs + 1) * sizeof *s->logs));
    memmove(&s->logs[at + 1], &s->logs[at], (s->nlogs++ - at) * sizeof *s->logs);
    l = s->logs[at] = need(calloc(1, sizeof *l));
    l->workspace = str_copy(workspace);
    l->first = 1;
    return l;
}

void log_append(struct store *s, struct log *l, const struct taut_event_rec *e) {
    ROOM(l->events, l->last, l->cap);
    l->events[l->last++] = (struct event){.at_us = taut_now_us(s->mod),
                                          .skip = MUTANT(s, skip_is_lost) ? 0 : e->skip,
                                          .topics = str_copy(e->topics),
                                          .deltas = str_copy(e->deltas),
                                          .body = str_copy(e->body)};
}

static void event_free(struct event *e) {
    free((char *)(uintptr_t)e->topics.ptr);
    free((char *)(uintptr_t)e->deltas.ptr);
    free((char *)(uintptr_t)e->body.ptr);
    *e = (struct event){0};
}

static void forget_claims(struct store *s, const struct log *l) {
    for (uint32_t i = 0; i < s->nclaims; i++)
        if (taut_str_eq(s->claims[i].workspace, l->workspace) && s->claims[i].seq < l->first) s->claims[i].at_us = 0;
}

void log_trim(struct store *s, struct log *l, uint64_t up_to) {
    uint64_t first = up_to < l->last ? up_to + 1 : l->last;
    if (MUTANT(s, trim_takes_the_last_event) && up_to >= l->last) first = l->last + 1;
    if (MUTANT(s, trim_moves_back) && l->last) l->first = first;
    for (; l->first < first; l->first++) event_free(&l->events[l->first - 1]);
    if (MUTANT(s, trim_forgets_claims)) forget_claims(s, l);
}

/* ---- cursors ---- */

void log_set_cursor(struct store *s, struct log *l, const struct taut_cursor *c) {
    uint32_t at = 0;
    while (at < l->ncursors && str_order(l->cursors[at].name, c->name) < 0) at++;
    bool there = at < l->ncursors && taut_str_eq(l->cursors[at].name, c->name);
    if (there && c->seq) {
        if (!MUTANT(s, cursors_never_go_back) || c->seq > l->cursors[at].seq) l->cursors[at].seq = c->seq;
    } else if (there) {
        free((char *)(uintptr_t)l->cursors[at].name.ptr);
        memmove(&l->cursors[at], &l->cursors[at + 1], (--l->ncursors - at) * sizeof *l->cursors);
    } else if (c->seq) {
        l->cursors = need(realloc(l->cursors, (l->ncursors + 1) * sizeof *l->cursors));
        memmove(&l->cursors[at + 1], &l->cursors[at], (l->ncursors++ - at) * sizeof *l->cursors);
        l->cursors[at] = (struct cursor){str_copy(c->name), c->seq};
    }
}

/* ---- claims ---- */

static void claim_free(struct claim *c) {
    free((char *)(uintptr_t)c->workspace.ptr);
    free((char *)(uintptr_t)c->key.ptr);
    free((char *)(uintptr_t)c->value.ptr);
}

static bool has_ended(struct store *s, const struct claim *c) {
    return !MUTANT(s, claims_for_ever) && c->at_us + CLAIM_US <= taut_now_us(s->mod);
}

struct claim *claim_find(struct store *s, const struct taut_batch_view *b) {
    for (uint32_t i = s->nclaims; i-- > 0;) {
        struct claim *c = &s->claims[i];
        if (MUTANT(s, claims_unseen_in_their_group) && c->is_new) continue;
        if (taut_str_eq(c->key, b->claim_key) && taut_str_eq(c->workspace, b->workspace))
            return has_ended(s, c) ? NULL : c;
    }
    return NULL;
}

void claim_add(struct store *s, const struct taut_batch_view *b, uint64_t seq) {
    uint32_t ended = 0;
    while (ended < s->nclaims && has_ended(s, &s->claims[ended])) claim_free(&s->claims[ended++]);
    if (ended) memmove(s->claims, s->claims + ended, (s->nclaims -= ended) * sizeof *s->claims);
    ROOM(s->claims, s->nclaims, s->claims_cap);
    s->claims[s->nclaims++] = (struct claim){
        str_copy(b->workspace), str_copy(b->claim_key), str_copy(b->claim_value), seq, taut_now_us(s->mod), true};
}

void logs_free(struct store *s) {
    for (uint32_t i = 0; i < s->nclaims; i++) claim_free(&s->claims[i]);
    for (uint32_t i = 0; i < s->nlogs; i++) {
        struct log *l = s->logs[i];
        for (uint64_t k = 0; k < l->last; k++) event_free(&l->events[k]);
        for (uint32_t k = 0; k < l->ncursors; k++) free((char *)(uintptr_t)l->cursors[k].name.ptr);
        free(l->cursors);
        free(l->events);
        free((char *)(uintptr_t)l->workspace.ptr);
        free(l);
    }
    free(s->logs);
    free(s->claims);
    s->logs = NULL;
    s->claims = NULL;
    s->nlogs = s->nclaims = s->claims_cap = 0;
}
