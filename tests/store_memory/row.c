/* row.c - rows in the order of their keys, and the journal by which a batch is undone. */
#include "memory.h"

void *need(void *p) {
    if (!p) abort();
    return p;
}

taut_str str_copy(taut_str s) {
    char *p = need(malloc(s.len + 1));
    if (s.len) memcpy(p, s.ptr, s.len);
    return taut_str_n(p, s.len);
}

int str_order(taut_str a, taut_str b) {
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n ? memcmp(a.ptr, b.ptr, n) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static bool has_bytes(const struct taut_val *v) {
    return v->type == TAUT_TEXT || v->type == TAUT_BLOB;
}

int val_order(const struct store *s, const struct taut_val *a, const struct taut_val *b) {
    if (a->type != b->type) return (a->type > b->type) - (a->type < b->type); /* NULL is the least */
    if (a->type == TAUT_NULL) return 0;
    if (a->type == TAUT_INT && MUTANT(s, numbers_are_subtracted)) return (int)((uint64_t)a->u.i - (uint64_t)b->u.i);
    if (a->type == TAUT_INT) return (a->u.i > b->u.i) - (a->u.i < b->u.i);
    taut_str x = taut_str_n(a->u.p, a->len), y = taut_str_n(b->u.p, b->len);
    if (MUTANT(s, texts_end_at_a_nul)) x.len = strnlen(x.ptr, x.len), y.len = strnlen(y.ptr, y.len);
    return str_order(x, y);
}

int key_order(const struct store *s, const struct taut_val *a, const struct taut_val *b, uint32_t n) {
    int order = 0;
    for (uint32_t i = 0; i < n && !order; i++) order = val_order(s, &a[i], &b[i]);
    return order;
}

/* ---- rows ---- */

struct row *row_new(const struct taut_val *vals, uint32_t n, uint32_t ncols, uint64_t seq0) {
    size_t bytes = 0;
    for (uint32_t i = 0; i < n; i++) bytes += has_bytes(&vals[i]) ? vals[i].len : 0;
    struct row *r = need(malloc(sizeof *r + ncols * sizeof r->vals[0] + bytes + 1));
    char *at = (char *)&r->vals[ncols];
    r->ncols = ncols;
    for (uint32_t i = 0; i < ncols; i++) {
        struct taut_val *v = &r->vals[i];
        *v = i < n ? vals[i] : taut_v_null();
        if (v->type == TAUT_SEQ) *v = taut_v_int((int64_t)seq0 + v->u.i);
        if (!has_bytes(v)) continue;
        if (v->len) memcpy(at, v->u.p, v->len);
        v->u.p = at;
        at += v->len;
    }
    return r;
}

uint32_t table_lower(const struct store *s, const struct table *t, const struct taut_val *key, uint32_t n) {
    uint32_t lo = 0, hi = t->n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (key_order(s, t->rows[mid]->vals, key, n) < 0) lo = mid + 1;
        else hi = mid;
    }
    return lo;
}

struct row *table_find(const struct store *s, const struct table *t, const struct taut_val *key) {
    for (uint32_t i = 0; i < t->key_cols; i++)
        if (key[i].type == TAUT_NULL) return NULL;
    uint32_t at = table_lower(s, t, key, t->key_cols);
    return at < t->n && key_order(s, t->rows[at]->vals, key, t->key_cols) == 0 ? t->rows[at] : NULL;
}

static void replace(struct store *s, struct table *t, struct row *old, struct row *new) {
    uint32_t at = table_lower(s, t, old ? old->vals : new->vals, t->key_cols);
    if (old && new) {
        t->rows[at] = new;
    } else if (new) {
        ROOM(t->rows, t->n, t->cap);
        memmove(&t->rows[at + 1], &t->rows[at], (t->n++ - at) * sizeof *t->rows);
        t->rows[at] = new;
    } else {
        memmove(&t->rows[at], &t->rows[at + 1], (--t->n - at) * sizeof *t->rows);
    }
}

/* ---- the journal ---- */

void table_change(struct store *s, struct table *t, struct row *old, struct row *new) {
    struct journal *j = &s->journal;
    if (new) new->lsn = s->lsn + 1;
    replace(s, t, old, new);
    ROOM(j->list, j->n, j->cap);
    j->list[j->n++] = (struct change){t, old, new};
}

void journal_undo(struct store *s) {
    while (s->journal.n) {
        struct change *c = &s->journal.list[--s->journal.n];
        replace(s, c->table, c->new, c->old);
        free(c->new);
    }
}

void journal_keep(struct store *s) {
    while (s->journal.n) free(s->journal.list[--s->journal.n].old);
}

void tables_free(struct store *s) {
    journal_keep(s);
    for (uint32_t i = 0; i < s->ntables; i++) {
        struct table *t = &s->tables[i];
        for (uint32_t k = 0; k < t->n; k++) free(t->rows[k]);
        free(t->rows);
    }
    free(s->tables);
    free(s->journal.list);
    s->journal = (struct journal){0};
    s->tables = NULL;
    s->ntables = 0;
}
