/* load.c - reads inside calls. A row that is in the cache, or that this call has loaded before, is handed out at once;
 * the others of all calls are collected over a loop turn and asked of the store together. What a commit writes while a
 * read of it is under way is remembered, so that a stale answer is not cached. */
#include "hub/internal.h"
#include "obs/log.h"

/* One key that is being read, and who waits for it. */
struct load {
    struct load *next; /* in unsent, then in its request */
    struct hub *hub;
    taut_str key;
    uint32_t table, nkey;
    const struct taut_val *vals;
    uint64_t min_as_of; /* an older answer must not be cached */
    struct run **waiters;
    uint32_t nwaiters, cap;
    struct arena arena;
};

/* What one storage->get was asked. */
struct request {
    struct hub *hub;
    uint32_t n;
    struct load **loads;
    struct taut_get_req reqs[];
};

struct scan_wait {
    struct run *run;
    struct memo *memo;
};

bool table_id(const struct taut_mod *m, const struct taut_table *t, uint32_t *id) {
    const struct instance *in = (const struct instance *)(const void *)m;
    for (uint32_t i = 0; i < in->ntables; i++) {
        const struct taut_table *const *p =
            (const void *)((const char *)in->def->tables.ptr + i * in->def->tables.elem_size);
        if (*p == t) {
            *id = in->first_table + i;
            return true;
        }
    }
    log_fmt(TAUT_LOG_ERROR, m->name, "bad_table", "uses table %s, which it did not declare", t->name);
    return false;
}

static void pin(struct run *r, struct crow *row) {
    if (r->npinned == r->cap_pinned) {
        uint32_t cap = r->cap_pinned ? r->cap_pinned * 2 : 16;
        struct crow **p = arena_alloc(&r->call->arena, cap * sizeof *p);
        if (r->npinned) memcpy(p, r->pinned, r->npinned * sizeof *p);
        r->pinned = p;
        r->cap_pinned = cap;
    }
    row->refs++;
    r->pinned[r->npinned++] = row;
}

static struct memo *memo_find(struct run *r, taut_str key) {
    for (struct memo *m = r->memos; m; m = m->next)
        if (taut_str_eq(m->key, key)) return m;
    return NULL;
}

static struct memo *memo_add(struct run *r, taut_str key) {
    struct memo *m = arena_zalloc(&r->call->arena, sizeof *m);
    m->key = arena_str(&r->call->arena, key);
    m->next = r->memos;
    r->memos = m;
    return m;
}

/* Gives back all rows that the call was shown or loaded. */
void run_forget_reads(struct run *r) {
    for (uint32_t i = 0; i < r->npinned; i++) crow_unref(r->pinned[i]);
    r->npinned = 0;
    for (struct memo *m = r->memos; m; m = m->next) {
        if (m->row) crow_unref(m->row);
        if (m->rows && m->destroy) m->destroy(m->rows);
    }
    r->memos = NULL;
}

static void wait_for(struct load *l, struct run *r) {
    for (uint32_t i = 0; i < l->nwaiters; i++)
        if (l->waiters[i] == r) return;
    if (l->nwaiters == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 4;
        l->waiters = xrealloc(l->waiters, l->cap * sizeof *l->waiters);
    }
    l->waiters[l->nwaiters++] = r;
    r->waiting++;
}

static struct load *load_new(struct hub *h, taut_str key, uint32_t table, const struct taut_val *vals, uint32_t nkey) {
    struct load *l = xcalloc(1, sizeof *l);
    struct taut_val *copy = arena_alloc(&l->arena, nkey * sizeof *copy);
    for (uint32_t i = 0; i < nkey; i++) {
        copy[i] = vals[i];
        if (vals[i].type == TAUT_TEXT || vals[i].type == TAUT_BLOB)
            copy[i].u.p = arena_str(&l->arena, taut_str_n(vals[i].u.p, vals[i].len)).ptr;
    }
    l->hub = h;
    l->key = arena_str(&l->arena, key);
    l->table = table;
    l->nkey = nkey;
    l->vals = copy;
    l->next = h->unsent;
    h->unsent = l;
    h->nunsent++;
    map_put(&h->loads, l->key, l);
    return l;
}

int32_t load_get(struct taut_mod *m, struct taut_call *c, const struct taut_table *t, const struct taut_val *key,
                 uint32_t nkey, const struct taut_row **row) {
    struct run *r = run_of(c);
    struct hub *h = r->hub;
    char text[KEY_MAX];
    uint32_t table;
    *row = NULL;
    if (nkey != t->key_cols || !table_id(m, t, &table)) return TAUT_E_INVAL;
    taut_str k = taut_str_n(text, key_encode(text, table, key, nkey));
    if (!k.len) return TAUT_OK; /* no such key can exist: it is longer than any that was written */
    struct crow *found = rows_find(&h->rows, k);
    if (found) {
        pin(r, found);
    } else {
        struct memo *memo = memo_find(r, k);
        if (memo && memo->row) found = memo->row;
    }
    if (found) {
        *row = found->row.ncols ? &found->row : NULL;
        return TAUT_OK;
    }
    struct load *l = map_get(&h->loads, k);
    if (!l) l = load_new(h, k, table, key, nkey);
    wait_for(l, r);
    return TAUT_E_AGAIN;
}

/* One read of the call is back. */
static void arrived(struct run *r, int32_t status) {
    if (status != TAUT_OK) r->load_error = status;
    if (--r->waiting == 0) run_again(r);
}

static void on_get(struct taut_mod *m, void *arg, int32_t status, void *result) {
    struct request *q = arg;
    const struct taut_get_result *res = result;
    struct hub *h = q->hub;
    (void)m;
    for (uint32_t i = 0; i < q->n; i++) map_remove(&h->loads, q->loads[i]->key);
    for (uint32_t i = 0; i < q->n; i++) {
        struct load *l = q->loads[i];
        struct crow *row = NULL;
        if (status == TAUT_OK && i < res->n) {
            const struct taut_row *got = &res->rows[i];
            row = crow_new(l->table, l->key, got->vals, got->ncols, got->ncols, res->as_of);
            if (res->as_of >= l->min_as_of) rows_put(&h->rows, row);
        }
        for (uint32_t w = 0; w < l->nwaiters; w++) {
            struct run *r = l->waiters[w];
            if (row) {
                row->refs++;
                memo_add(r, l->key)->row = row;
            }
            arrived(r, row ? TAUT_OK : status == TAUT_OK ? TAUT_E_IO : status);
        }
        if (row) crow_unref(row);
        free(l->waiters);
        arena_free(&l->arena);
        free(l);
    }
    free(q->loads);
    free(q);
}

void load_flush(struct hub *h) {
    if (!h->nunsent) return;
    struct request *q = xcalloc(1, sizeof *q + h->nunsent * sizeof q->reqs[0]);
    q->hub = h;
    q->loads = xcalloc(h->nunsent, sizeof *q->loads);
    for (struct load *l = h->unsent; l; l = l->next) {
        q->loads[q->n] = l;
        q->reqs[q->n++] = (struct taut_get_req){.table = l->table, .nkey = l->nkey, .key = l->vals};
    }
    h->unsent = NULL;
    h->nunsent = 0;
    storage_of(h)->get(h->storage->self, q->reqs, q->n, op_new(core_mod(h), 0, on_get, q));
}

void load_touched(struct hub *h, taut_str key, uint64_t lsn) {
    struct load *l = h->loads.len ? map_get(&h->loads, key) : NULL;
    if (l) l->min_as_of = lsn;
}

struct touched {
    uint32_t table;
    uint64_t lsn;
};
static void touch_one(void *value, void *arg) {
    struct load *l = value;
    const struct touched *t = arg;
    if (l->table == t->table) l->min_as_of = t->lsn;
}
void load_touched_table(struct hub *h, uint32_t table, uint64_t lsn) {
    struct touched t = {table, lsn};
    map_each(&h->loads, touch_one, &t);
}

/* ---- scans ---- */

/* A copy of a scan in the call's memory, and its canonical text: equal scans have equal texts. */
static struct taut_scan *scan_copy(struct arena *a, const struct taut_scan *s, uint32_t table, taut_str *key) {
    struct taut_scan *copy = arena_alloc(a, sizeof *copy);
    struct taut_val *prefix = arena_alloc(a, (s->nprefix + 2) * sizeof *prefix);
    *copy = *s;
    for (uint32_t i = 0; i < s->nprefix; i++) prefix[i] = s->prefix[i];
    prefix[s->nprefix] = s->lo;
    prefix[s->nprefix + 1] = s->hi;
    for (uint32_t i = 0; i < s->nprefix + 2; i++)
        if (prefix[i].type == TAUT_TEXT || prefix[i].type == TAUT_BLOB)
            prefix[i].u.p = arena_str(a, taut_str_n(prefix[i].u.p, prefix[i].len)).ptr;
    copy->prefix = prefix;
    copy->lo = prefix[s->nprefix];
    copy->hi = prefix[s->nprefix + 1];
    copy->workspace = arena_str(a, s->workspace);

    char text[KEY_MAX];
    size_t n = key_encode(text, table, prefix, s->nprefix + 2);
    struct {
        int32_t index;
        uint32_t nprefix, limit, offset;
        uint8_t flags[4];
    } rest = {s->index, s->nprefix, s->limit, s->offset, {s->lo_open, s->hi_open, s->descending, s->count_only}};
    char *all = arena_alloc(a, n + sizeof rest + s->workspace.len);
    memcpy(all, text, n);
    memcpy(all + n, &rest, sizeof rest);
    if (s->workspace.len) memcpy(all + n + sizeof rest, s->workspace.ptr, s->workspace.len);
    *key = taut_str_n(all, n ? n + sizeof rest + s->workspace.len : 0);
    return copy;
}

/* The result belongs to the op's completion; the memo needs it for longer, so it keeps a copy of the rows. */
static struct taut_rows *rows_copy(const struct taut_rows *in) {
    size_t bytes = sizeof *in + in->n * sizeof(struct taut_row), at;
    for (uint32_t i = 0; i < in->n; i++) {
        bytes += in->rows[i].ncols * sizeof(struct taut_val);
        for (uint32_t k = 0; k < in->rows[i].ncols; k++)
            if (in->rows[i].vals[k].type >= TAUT_TEXT) bytes += in->rows[i].vals[k].len;
    }
    struct taut_rows *out = xmalloc(bytes);
    struct taut_row *rows = (struct taut_row *)(void *)(out + 1);
    struct taut_val *vals = (struct taut_val *)(void *)(rows + in->n);
    *out = *in;
    out->rows = rows;
    for (uint32_t i = 0; i < in->n; i++) {
        rows[i] = in->rows[i];
        rows[i].vals = vals;
        memcpy(vals, in->rows[i].vals, rows[i].ncols * sizeof *vals);
        vals += rows[i].ncols;
    }
    at = (size_t)((char *)vals - (char *)out);
    for (struct taut_val *v = (struct taut_val *)(void *)(rows + in->n); v < vals; v++) {
        if (v->type != TAUT_TEXT && v->type != TAUT_BLOB) continue;
        if (v->len) memcpy((char *)out + at, v->u.p, v->len);
        v->u.p = (char *)out + at;
        at += v->len;
    }
    return out;
}

static void on_scan(struct taut_mod *m, void *arg, int32_t status, void *result) {
    struct scan_wait *w = arg;
    (void)m;
    if (status == TAUT_OK) {
        w->memo->rows = rows_copy(result);
        w->memo->destroy = free;
    }
    arrived(w->run, status);
}

int32_t load_scan(struct taut_mod *m, struct taut_call *c, const struct taut_table *t, const struct taut_scan *s,
                  const struct taut_rows **rows) {
    static const struct taut_rows none;
    struct run *r = run_of(c);
    uint32_t table;
    taut_str key;
    *rows = &none;
    if (!table_id(m, t, &table) || !s->limit || s->limit > 10000 || s->nprefix > 6) return TAUT_E_INVAL;
    struct taut_scan *copy = scan_copy(&r->call->arena, s, table, &key);
    if (!key.len) return TAUT_E_INVAL;
    struct memo *memo = memo_find(r, key);
    if (memo && memo->rows) {
        *rows = memo->rows;
        return TAUT_OK;
    }
    if (memo) return TAUT_E_AGAIN;
    struct scan_wait *w = arena_alloc(&r->call->arena, sizeof *w);
    *w = (struct scan_wait){r, memo_add(r, key)};
    r->waiting++;
    storage_of(r->hub)->scan(r->hub->storage->self, table, copy, op_new(core_mod(r->hub), 0, on_scan, w));
    return TAUT_E_AGAIN;
}
