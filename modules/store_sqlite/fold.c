/* fold.c - see fold.h. */
#include "fold.h"

#include <stdlib.h>
#include <string.h>

bool fold_init(struct fold *f, uint32_t ntables) {
    memset(f, 0, sizeof *f);
    f->ntables = ntables;
    f->tables = calloc(ntables ? ntables : 1, sizeof *f->tables);
    return f->tables != NULL;
}

void fold_fini(struct fold *f) {
    free(f->tables);
    f->tables = NULL;
}

void fold_reset(struct fold *f) {
    for (uint32_t i = 0; i < f->ntables; i++) f->tables[i].columns = 0;
    memset(f->slots, 0, sizeof f->slots);
    memset(f->held, 0, sizeof f->held);
    f->n = 0;
}

static uint32_t hash_val(uint32_t h, const struct taut_val *v) {
    const unsigned char *p = v->type == TAUT_INT ? (const unsigned char *)&v->u.i : (const unsigned char *)v->u.p;
    size_t n = v->type == TAUT_INT ? sizeof v->u.i : v->type == TAUT_NULL ? 0 : v->len;
    for (size_t i = 0; i < n; i++) h = (h ^ p[i]) * 16777619u;
    return (h ^ v->type) * 16777619u;
}

static uint32_t hash_key(uint32_t table, const struct taut_val *key, uint32_t n) {
    uint32_t h = 2166136261u ^ table;
    for (uint32_t i = 0; i < n; i++) h = hash_val(h, &key[i]);
    return h ^ h >> 15;
}

static bool same_val(const struct taut_val *a, const struct taut_val *b) {
    if (a->type != b->type || a->type == TAUT_SEQ) return false; /* a SEQ is another number in every batch */
    if (a->type == TAUT_INT) return a->u.i == b->u.i;
    return a->type == TAUT_NULL || (a->len == b->len && (!a->len || memcmp(a->u.p, b->u.p, a->len) == 0));
}

static bool same_key(const struct taut_val *a, const struct taut_val *b, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        if (!same_val(&a[i], &b[i])) return false;
    return true;
}

/* ---- updates ---- */

/* An update of an indexed column may meet a unique index: that is for its own batch to hear. */
static bool is_indexed(const struct table *t, uint32_t col) {
    for (uint32_t i = 0; i < t->nindex; i++) {
        const struct taut_index *x = table_index(t, i);
        for (uint32_t k = 0; k < x->ncols; k++)
            if (x->cols[k] == col) return true;
    }
    return false;
}

static bool can_fold(const struct store *s, const struct taut_write *w) {
    if (w->kind != TAUT_W_UPDATE || !w->nsets || w->nsets > FOLD_SETS) return false;
    for (uint32_t i = 0; i < w->nvals; i++)
        if (w->vals[i].type == TAUT_SEQ) return false; /* stands for another number in each batch */
    for (uint32_t i = 0; i < w->nsets; i++) {
        const struct taut_set *set = &w->sets[i];
        if (set->how == TAUT_SET || (set->val.type != TAUT_INT && set->val.type != TAUT_SEQ) || set->col > 63 ||
            is_indexed(&s->tables[w->table], set->col))
            return false;
    }
    return true;
}

static bool merge(struct folded *r, const struct taut_set *set) {
    for (uint32_t i = 0; i < r->nsets; i++) {
        struct taut_set *mine = &r->sets[i];
        if (mine->col != set->col) continue;
        if (mine->how != set->how) return false;
        if (set->how == TAUT_MAX) {
            if (set->val.u.i > mine->val.u.i) mine->val.u.i = set->val.u.i;
            return true;
        }
        return !__builtin_add_overflow(mine->val.u.i, set->val.u.i, &mine->val.u.i);
    }
    if (r->nsets == FOLD_SETS) return false;
    r->sets[r->nsets++] = *set;
    return true;
}

static struct folded *find_or_add(struct fold *f, const struct taut_write *w) {
    uint32_t at = hash_key(w->table, w->vals, w->nvals) & (FOLD_SLOTS - 1);
    for (; f->slots[at]; at = (at + 1) & (FOLD_SLOTS - 1)) {
        struct folded *r = &f->rows[f->slots[at] - 1];
        if (!r->done && r->table == w->table && same_key(r->key, w->vals, w->nvals)) return r;
    }
    if (f->n == FOLD_ROWS) return NULL;
    struct folded *r = &f->rows[f->n++];
    *r = (struct folded){.table = w->table, .nkey = w->nvals, .key = w->vals};
    f->slots[at] = (uint16_t)f->n;
    return r;
}

bool fold_update(struct fold *f, const struct store *s, const struct taut_write *w, uint64_t seq0) {
    if (!can_fold(s, w)) return false;
    struct folded *r = find_or_add(f, w), before;
    if (!r) return false;
    before = *r;
    for (uint32_t i = 0; i < w->nsets; i++) {
        struct taut_set set = w->sets[i];
        if (set.val.type == TAUT_SEQ) set.val = taut_v_int((int64_t)seq0 + set.val.u.i);
        if (merge(r, &set)) continue;
        *r = before;
        return false;
    }
    for (uint32_t i = 0; i < w->nsets; i++) f->tables[w->table].columns |= 1ull << w->sets[i].col;
    return true;
}

bool fold_covers(const struct fold *f, uint32_t table, uint32_t col) {
    return col < 64 && f->tables[table].columns >> col & 1;
}

static int write_folded(struct conn *c, const struct folded *r) {
    struct stmt_key k = {(uint16_t)r->table, STMT_UPDATE, (uint8_t)r->nsets, {0}};
    for (uint32_t i = 0; i < r->nsets; i++) k.arg[i] = (uint8_t)(r->sets[i].col | r->sets[i].how << 6);
    sqlite3_stmt *st = stmt_for(c, &k);
    if (!st) return stmt_failure(c);
    bind_key(st, r->key, r->nkey);
    for (uint32_t i = 0; i < r->nsets; i++) bind_val(st, (int)(r->nkey + i) + 1, &r->sets[i].val, 0);
    return db_run(st);
}

int fold_flush(struct fold *f, struct conn *c, uint32_t table) {
    if (table != FOLD_ALL && !f->tables[table].columns) return SQLITE_OK;
    for (uint32_t i = 0; i < f->n; i++) {
        struct folded *r = &f->rows[i];
        if (r->done || !r->nsets || (table != FOLD_ALL && r->table != table)) continue;
        int rc = write_folded(c, r);
        if (rc != SQLITE_OK) return rc;
        r->done = true;
    }
    for (uint32_t i = 0; i < f->ntables; i++) {
        if (!f->tables[i].columns || (table != FOLD_ALL && i != table)) continue;
        f->tables[i].columns = 0;
        f->tables[i].version++;
    }
    return SQLITE_OK;
}

void fold_touch(struct fold *f, uint32_t table) {
    f->tables[table].version++;
}

/* ---- conditions ---- */

static uint32_t slot_of(const struct taut_cond *c) {
    return (hash_key(c->table, c->key, c->nkey) + c->how * 31 + c->col * 7) & (HELD_SLOTS - 1);
}

bool fold_holds(const struct fold *f, const struct taut_cond *c) {
    const struct held *h = &f->held[slot_of(c)];
    const struct taut_cond *o = h->cond;
    return o && h->version == f->tables[c->table].version && o->table == c->table && o->how == c->how &&
           o->col == c->col && o->nkey == c->nkey && same_val(&o->val, &c->val) && same_key(o->key, c->key, c->nkey);
}

void fold_held(struct fold *f, const struct taut_cond *c) {
    f->held[slot_of(c)] = (struct held){c, f->tables[c->table].version};
}
