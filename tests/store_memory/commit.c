/* commit.c - one batch: its claim, its conditions, then its writes, events, cursors and trim; undone as a whole at a
 * clash. */
#include "memory.h"

static bool cond_holds(const struct store *s, const struct taut_cond *c) {
    const struct row *r = table_find(s, &s->tables[c->table], c->key);
    if (c->how == TAUT_COND_EQUALS) return r && val_order(s, &r->vals[c->col], &c->val) == 0;
    return (r != NULL) == (c->how == TAUT_COND_PRESENT);
}

static const struct taut_val *value_at(const struct taut_val *vals, uint32_t n, uint32_t col) {
    static const struct taut_val none = {TAUT_NULL, 0, {0}};
    return col < n ? &vals[col] : &none;
}

/* Does a row other than `but` have these values in a unique index? */
static bool is_taken(const struct store *s, const struct table *t, const struct taut_index *x,
                     const struct taut_val *vals, uint32_t n, const struct row *but) {
    for (uint32_t i = 0; i < x->ncols && !MUTANT(s, unique_nulls_clash); i++)
        if (value_at(vals, n, x->cols[i])->type == TAUT_NULL) return false;
    for (uint32_t k = 0; k < t->n; k++) {
        uint32_t same = 0;
        while (same < x->ncols && val_order(s, value_at(vals, n, x->cols[same]), &t->rows[k]->vals[x->cols[same]]) == 0)
            same++;
        if (same == x->ncols && t->rows[k] != but) return true;
    }
    return false;
}

static bool has_clash(const struct store *s, const struct table *t, const struct taut_val *vals, uint32_t n,
                      const struct row *but) {
    for (uint32_t i = 0; i < t->nindex; i++) {
        const struct taut_index *x = table_index(t, i);
        if (x->flags & TAUT_INDEX_UNIQUE && is_taken(s, t, x, vals, n, but)) return true;
    }
    return false;
}

/* What refuses a batch before its first write; NULL: nothing. */
static const char *check(const struct store *s, const struct taut_batch_view *b, uint64_t seq0) {
    for (uint32_t i = 0; i < b->conds.len; i++)
        if (!cond_holds(s, TAUT_AT(b->conds, struct taut_cond, i))) return "a condition does not hold";
    for (uint32_t i = 0; i < b->writes.len && !MUTANT(s, insert_is_no_condition); i++) {
        const struct taut_write *w = TAUT_AT(b->writes, struct taut_write, i);
        const struct table *t = &s->tables[w->table];
        if (w->kind != TAUT_W_INSERT) continue;
        struct row *r = row_new(w->vals, w->nvals, t->ncols, seq0); /* a SEQ is a number here */
        bool taken = table_find(s, t, r->vals) || has_clash(s, t, r->vals, t->ncols, NULL);
        free(r);
        if (taken) return "there is such a row already";
    }
    return NULL;
}

/* ---- writes ---- */

static void apply_set(const struct store *s, struct taut_val *at, const struct taut_set *set, uint64_t seq0) {
    struct taut_val v = set->val;
    bool had = at->type == TAUT_INT;
    if (v.type == TAUT_SEQ) v = taut_v_int((int64_t)seq0 + v.u.i);
    if (set->how == TAUT_ADD && had) v.u.i = (int64_t)((uint64_t)v.u.i + (uint64_t)at->u.i);
    if (set->how == TAUT_ADD && !had && MUTANT(s, add_to_null_is_null)) v = taut_v_null();
    if (set->how == TAUT_MAX && had && at->u.i > v.u.i && !MUTANT(s, max_is_set)) v = *at;
    *at = v;
}

static void update(struct store *s, struct table *t, const struct taut_write *w, uint64_t seq0) {
    struct row *old = table_find(s, t, w->vals);
    if (!old) return;
    struct taut_val *vals = need(malloc(t->ncols * sizeof *vals));
    memcpy(vals, old->vals, t->ncols * sizeof *vals);
    for (uint32_t i = 0; i < w->nsets; i++) apply_set(s, &vals[w->sets[i].col], &w->sets[i], seq0);
    table_change(s, t, old, row_new(vals, t->ncols, t->ncols, 0));
    free(vals);
}

static void put(struct store *s, struct table *t, const struct taut_write *w, uint64_t seq0) {
    struct row *new = row_new(w->vals, w->nvals, t->ncols, seq0), *old = table_find(s, t, new->vals);
    if (old && MUTANT(s, upsert_keeps_old_columns))
        for (uint32_t i = w->nvals; i < t->ncols; i++)
            if (old->vals[i].type == TAUT_INT) new->vals[i] = old->vals[i];
    table_change(s, t, old, new);
}

static bool is_in_range(const struct store *s, const struct row *r, const struct taut_write *w) {
    if (MUTANT(s, deletes_by_the_first_bytes) && w->nvals == 1 && w->vals[0].type == TAUT_TEXT)
        return r->vals[0].len >= w->vals[0].len && memcmp(r->vals[0].u.p, w->vals[0].u.p, w->vals[0].len) == 0;
    return key_order(s, r->vals, w->vals, w->nvals) == 0;
}

static void delete_range(struct store *s, struct table *t, const struct taut_write *w, uint64_t seq0) {
    struct row *key = row_new(w->vals, w->nvals, w->nvals, seq0);
    struct taut_write range = *w;
    range.vals = key->vals;
    uint32_t at = table_lower(s, t, key->vals, w->nvals);
    while (at < t->n && is_in_range(s, t->rows[at], &range)) table_change(s, t, t->rows[at], NULL);
    free(key);
}

/* Is the row that this write made one of its kind? */
static bool clashes(const struct store *s, const struct table *t, const struct taut_write *w, uint64_t seq0) {
    struct row *key = row_new(w->vals, t->key_cols, t->key_cols, seq0), *r = table_find(s, t, key->vals);
    free(key);
    return r && has_clash(s, t, r->vals, t->ncols, r);
}

/* False: a clash. */
static bool write_row(struct store *s, const struct taut_write *w, uint64_t seq0) {
    struct table *t = &s->tables[w->table];
    if (w->kind == TAUT_W_DELETE) {
        delete_range(s, t, w, seq0);
        return true;
    }
    if (w->kind == TAUT_W_UPDATE) {
        struct taut_write by_key = *w;
        struct row *key = row_new(w->vals, w->nvals, w->nvals, seq0);
        by_key.vals = key->vals;
        update(s, t, &by_key, seq0);
        free(key);
    } else {
        struct row *row = row_new(w->vals, w->nvals, t->ncols, seq0);
        bool taken = w->kind == TAUT_W_INSERT && table_find(s, t, row->vals);
        free(row);
        if (taken) return false;
        put(s, t, w, seq0);
    }
    return !clashes(s, t, w, seq0);
}

static bool write_rows(struct store *s, const struct taut_batch_view *b, uint64_t seq0) {
    for (uint32_t i = 0; i < b->writes.len; i++)
        if (!write_row(s, TAUT_AT(b->writes, struct taut_write, i), seq0)) return false;
    return true;
}

/* ---- the log's part ---- */

static void set_cursors(struct store *s, struct log *l, const struct taut_batch_view *b) {
    if (!TAUT_HAS(b, cursors) || !l) return;
    for (uint32_t i = 0; i < b->cursors.len; i++) log_set_cursor(s, l, TAUT_AT(b->cursors, struct taut_cursor, i));
}

static void append_all(struct store *s, struct log *l, const struct taut_batch_view *b) {
    for (uint32_t i = 0; i < s->nlogs; i++) s->logs[i]->before = s->logs[i]->last;
    for (uint32_t i = 0; i < b->events.len; i++) log_append(s, l, TAUT_AT(b->events, struct taut_event_rec, i));
    set_cursors(s, l, b);
    if (TAUT_HAS(b, trim) && b->trim) log_trim(s, l, b->trim);
}

/* ---- results ---- */

static struct taut_commit_result *result_new(taut_str text) {
    struct taut_commit_result *r = need(calloc(1, sizeof *r + text.len + 1));
    r->size = sizeof *r;
    char *at = (char *)(r + 1);
    if (text.len) memcpy(at, text.ptr, text.len);
    r->why = taut_str_n(at, text.len);
    r->claim_value = taut_str_n(at, 0);
    return r;
}

static int32_t refuse(struct store *s, const struct taut_batch_view *b, int32_t status, const char *why,
                      struct taut_commit_result **result) {
    struct log *l = b->workspace.len ? log_find(s, b->workspace) : NULL;
    *result = result_new(taut_str_z(why));
    if (MUTANT(s, refused_batches_take_an_lsn)) s->lsn++;
    if (l && MUTANT(s, refused_batches_take_a_seq))
        for (uint32_t i = 0; i < b->events.len; i++) log_append(s, l, TAUT_AT(b->events, struct taut_event_rec, i));
    if (l && MUTANT(s, trim_of_refused_batches) && TAUT_HAS(b, trim) && b->trim) log_trim(s, l, b->trim);
    return status;
}

static int32_t answer_claim(const struct store *s, const struct claim *c, const struct taut_batch_view *b,
                            struct taut_commit_result **result) {
    struct taut_commit_result *r = *result =
        result_new(MUTANT(s, claims_answer_the_retrys_value) ? b->claim_value : c->value);
    r->claim_value = r->why;
    r->why.len = 0;
    r->claim_seq = c->seq;
    return TAUT_E_CLAIMED;
}

int32_t commit_run(struct store *s, const struct taut_batch_view *b, struct taut_commit_result **result) {
    const char *why = batch_fault(s, b);
    if (why) return refuse(s, b, TAUT_E_INVAL, why, result);
    struct log *l = b->workspace.len ? log_get(s, b->workspace) : NULL;
    uint64_t seq0 = l ? l->last + 1 : 0;
    bool claims_late = MUTANT(s, claims_after_the_conditions), conds_late = MUTANT(s, conditions_after_the_writes);
    const struct claim *c = b->claim_key.len ? claim_find(s, b) : NULL;
    if (MUTANT(s, cursors_of_refused_batches)) set_cursors(s, l, b);
    if (c && !claims_late) {
        refuse(s, b, TAUT_E_CLAIMED, "", result);
        free(*result);
        return answer_claim(s, c, b, result);
    }
    if (!conds_late && (why = check(s, b, seq0))) return refuse(s, b, TAUT_E_CONFLICT, why, result);
    if (c) return answer_claim(s, c, b, result);
    bool wrote = write_rows(s, b, seq0);
    if (wrote && conds_late)
        for (uint32_t i = 0; i < b->conds.len; i++)
            wrote = wrote && cond_holds(s, TAUT_AT(b->conds, struct taut_cond, i));
    if (!wrote) {
        if (!MUTANT(s, clash_keeps_the_first_writes)) journal_undo(s);
        journal_keep(s);
        return refuse(s, b, TAUT_E_CONFLICT, "there is such a row already", result);
    }
    s->lsn++;
    journal_keep(s);
    append_all(s, l, b);
    if (b->claim_key.len) claim_add(s, b, seq0);
    *result = result_new(taut_str_z(""));
    (*result)->lsn = s->lsn;
    (*result)->first_seq = b->events.len ? seq0 : 0;
    return TAUT_OK;
}
