/* validate.c - is a batch well formed in itself? */
#include "memory.h"

static bool fits(const struct taut_val *v, uint32_t type, uint32_t nevents) {
    if (v->type == TAUT_NULL || v->type == type) return true;
    return v->type == TAUT_SEQ && type == TAUT_INT && v->u.i >= 0 && v->u.i < (int64_t)nevents;
}

static bool values_fit(const struct table *t, const struct taut_val *vals, uint32_t n, uint32_t nevents) {
    for (uint32_t i = 0; i < n; i++)
        if (!fits(&vals[i], column_type(t, i), nevents)) return false;
    return true;
}

static bool cond_is_sound(const struct store *s, const struct taut_cond *c) {
    if (c->table >= s->ntables || c->how < TAUT_COND_ABSENT || c->how > TAUT_COND_EQUALS) return false;
    const struct table *t = &s->tables[c->table];
    if (c->nkey != t->key_cols || !values_fit(t, c->key, c->nkey, 0)) return false;
    return c->how != TAUT_COND_EQUALS || c->col < t->ncols;
}

static bool set_is_sound(const struct table *t, const struct taut_set *set, uint32_t nevents) {
    if (set->col < t->key_cols || set->col >= t->ncols || set->how < TAUT_SET || set->how > TAUT_MAX) return false;
    if (set->how != TAUT_SET && set->val.type != TAUT_INT && set->val.type != TAUT_SEQ) return false;
    return fits(&set->val, column_type(t, set->col), nevents);
}

static bool write_is_sound(const struct store *s, const struct taut_write *w, uint32_t nevents) {
    if (w->table >= s->ntables || w->kind < TAUT_W_INSERT || w->kind > TAUT_W_DELETE) return false;
    const struct table *t = &s->tables[w->table];
    bool row = w->kind == TAUT_W_INSERT || w->kind == TAUT_W_UPSERT, range = w->kind == TAUT_W_DELETE;
    if (w->nvals < (range ? 1 : t->key_cols) || w->nvals > (row ? t->ncols : t->key_cols)) return false;
    if (!values_fit(t, w->vals, w->nvals, nevents)) return false;
    for (uint32_t i = 0; i < t->key_cols && i < w->nvals; i++)
        if (w->vals[i].type == TAUT_NULL) return false;
    for (uint32_t i = 0; i < w->nsets && w->kind == TAUT_W_UPDATE; i++)
        if (!set_is_sound(t, &w->sets[i], nevents)) return false;
    return true;
}

const char *batch_fault(const struct store *s, const struct taut_batch_view *b) {
    for (uint32_t i = 0; i < b->conds.len; i++)
        if (!cond_is_sound(s, TAUT_AT(b->conds, struct taut_cond, i))) return "a condition does not fit its table";
    for (uint32_t i = 0; i < b->writes.len; i++)
        if (!write_is_sound(s, TAUT_AT(b->writes, struct taut_write, i), b->events.len))
            return "a write does not fit its table";
    bool of_a_log = b->events.len > 0;
    if (TAUT_HAS(b, trim)) {
        of_a_log = of_a_log || b->cursors.len || b->trim;
        for (uint32_t i = 0; i < b->cursors.len; i++) {
            const struct taut_cursor *c = TAUT_AT(b->cursors, struct taut_cursor, i);
            if (!c->name.len || c->name.len > NAME_MAX_BYTES || c->seq > INT64_MAX)
                return "a cursor's name or seq is wrong";
        }
    }
    if (of_a_log && !b->workspace.len) return "events, cursors or a trim without a workspace";
    return b->claim_key.len && !b->events.len ? "a claim without an event" : NULL;
}
