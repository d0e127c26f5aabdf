/* validate.c - is a batch well formed? Wrong ones are defects of a module, not of a caller: they are refused before
 * they can hurt the others of their group. */
#include "writer.h"

static bool fits(const struct taut_val *v, uint32_t col_type, uint32_t nevents) {
    if (v->type == TAUT_NULL || v->type == col_type) return true;
    return v->type == TAUT_SEQ && col_type == TAUT_INT && v->u.i >= 0 && v->u.i < (int64_t)nevents;
}

static bool key_fits(const struct table *t, const struct taut_val *key, uint32_t n, uint32_t nevents) {
    for (uint32_t i = 0; i < n; i++)
        if (!fits(&key[i], table_col(t, i)->type, nevents)) return false;
    return true;
}

static const char *cond_fault(const struct store *s, const struct taut_cond *c) {
    if (c->table >= s->ntables) return "a condition names a table that is not there";
    const struct table *t = &s->tables[c->table];
    if (c->nkey != t->key_cols || !key_fits(t, c->key, c->nkey, 0)) return "a condition's key does not fit its table";
    if (c->how < TAUT_COND_ABSENT || c->how > TAUT_COND_EQUALS) return "a condition of an unknown kind";
    if (c->how == TAUT_COND_EQUALS && c->col >= t->ncols) return "a condition names a column that is not there";
    return NULL;
}

static const char *write_fault(const struct store *s, const struct taut_write *w, uint32_t nevents) {
    if (w->table >= s->ntables) return "a write names a table that is not there";
    const struct table *t = &s->tables[w->table];
    uint32_t min = w->kind == TAUT_W_DELETE ? 1 : t->key_cols, max = t->key_cols;
    if (w->kind == TAUT_W_INSERT || w->kind == TAUT_W_UPSERT) max = t->ncols;
    else if (w->kind != TAUT_W_UPDATE && w->kind != TAUT_W_DELETE) return "a write of an unknown kind";
    if (w->nvals < min || w->nvals > max || !key_fits(t, w->vals, w->nvals, nevents))
        return "a write's values do not fit its table";
    for (uint32_t i = 0; i < t->key_cols && w->kind != TAUT_W_DELETE; i++)
        if (w->vals[i].type == TAUT_NULL) return "a write's key has a NULL";
    if (w->kind != TAUT_W_UPDATE) return NULL;
    if (w->nsets > COLS_MAX) return "an update sets more columns than a table has";
    for (uint32_t i = 0; i < w->nsets; i++) {
        const struct taut_set *set = &w->sets[i];
        if (set->col < t->key_cols || set->col >= t->ncols || set->how < TAUT_SET || set->how > TAUT_MAX ||
            !fits(&set->val, table_col(t, set->col)->type, nevents))
            return "an update's columns or values do not fit its table";
        if (set->how != TAUT_SET && set->val.type != TAUT_INT && set->val.type != TAUT_SEQ)
            return "an update adds or compares what is no integer";
    }
    return NULL;
}

static const char *cursor_fault(const struct taut_cursor *c) {
    if (c->name.len < 1 || c->name.len > CURSOR_NAME_MAX) return "a cursor's name is empty or too long";
    return c->seq > INT64_MAX ? "a cursor's seq is too large" : NULL;
}

const char *batch_fault(const struct store *s, const struct taut_batch_view *b) {
    const char *fault;
    for (uint32_t i = 0; i < b->conds.len; i++)
        if ((fault = cond_fault(s, TAUT_AT(b->conds, struct taut_cond, i)))) return fault;
    for (uint32_t i = 0; i < b->writes.len; i++)
        if ((fault = write_fault(s, TAUT_AT(b->writes, struct taut_write, i), b->events.len))) return fault;
    for (uint32_t i = 0; i < batch_cursors(b).len; i++)
        if ((fault = cursor_fault(TAUT_AT(b->cursors, struct taut_cursor, i)))) return fault;
    bool of_a_log = b->events.len || batch_cursors(b).len || batch_trim(b);
    if (of_a_log && !b->workspace.len) return "events, cursors or a trim without a workspace";
    if (b->claim_key.len && !b->events.len) return "a claim without an event";
    return NULL;
}
