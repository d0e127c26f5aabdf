/* read.c - gets, scans and reads of the logs: each result is one block, copied from what is there now. */
#define _GNU_SOURCE /* qsort_r */
#include "memory.h"

static size_t bytes_of(const struct row *r) {
    size_t n = 0;
    for (uint32_t i = 0; r && i < r->ncols; i++)
        n += r->vals[i].type == TAUT_TEXT || r->vals[i].type == TAUT_BLOB ? r->vals[i].len : 0;
    return n;
}

/* A block with `head` bytes for the caller, then rows[n], their values and bytes. A NULL row is an absent one. */
static void *copy_rows(const struct store *s, struct row *const *rows, uint32_t n, size_t head,
                       const struct taut_row **out) {
    size_t nvals = 0, bytes = 0, rows_at = (head + 15) & ~(size_t)15;
    for (uint32_t i = 0; i < n; i++) {
        nvals += rows[i] ? rows[i]->ncols : 0;
        bytes += bytes_of(rows[i]);
    }
    char *block = need(calloc(1, rows_at + n * sizeof(struct taut_row) + nvals * sizeof(struct taut_val) + bytes + 1));
    struct taut_row *to = (struct taut_row *)(void *)(block + rows_at);
    struct taut_val *vals = (struct taut_val *)(void *)(to + n);
    char *at = (char *)(vals + nvals);
    *out = to;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t ncols = rows[i] ? rows[i]->ncols : 0;
        to[i] = (struct taut_row){ncols, 0, s->lsn, vals};
        for (uint32_t k = 0; k < ncols; k++, vals++) {
            *vals = rows[i]->vals[k];
            if (vals->type != TAUT_TEXT && vals->type != TAUT_BLOB) continue;
            if (vals->len) memcpy(at, vals->u.p, vals->len);
            vals->u.p = at;
            at += vals->len;
            if (!vals->len && MUTANT(s, empty_is_null)) vals->type = TAUT_NULL;
        }
    }
    return block;
}

static bool fits(const struct taut_val *v, uint32_t type) {
    return v->type == TAUT_NULL || v->type == type;
}

/* ---- get ---- */

static int32_t get(struct store *s, const struct job *j, void **result) {
    const struct taut_get_req *reqs = j->what;
    struct row **rows = need(malloc((j->n + 1) * sizeof *rows));
    int32_t err = TAUT_OK;
    for (uint32_t i = 0; i < j->n && err == TAUT_OK; i++) {
        const struct taut_get_req *q = &reqs[i];
        const struct table *t = q->table < s->ntables ? &s->tables[q->table] : NULL;
        if (!t || q->nkey != t->key_cols) err = TAUT_E_INVAL;
        for (uint32_t k = 0; err == TAUT_OK && k < q->nkey; k++)
            if (!fits(&q->key[k], column_type(t, k))) err = TAUT_E_INVAL;
        rows[i] = err == TAUT_OK ? table_find(s, t, q->key) : NULL;
        if (rows[i] && rows[i]->lsn == s->lsn && MUTANT(s, gets_one_commit_late)) rows[i] = NULL;
    }
    if (err == TAUT_OK) {
        const struct taut_row *out;
        struct taut_get_result *r = copy_rows(s, rows, j->n, sizeof *r, &out);
        *r = (struct taut_get_result){sizeof *r, j->n, s->lsn, out};
        *result = r;
    }
    free(rows);
    return err;
}

/* ---- scan ---- */

struct scan {
    const struct store *s;
    const struct table *t;
    const struct taut_index *x; /* NULL: the key */
    const struct taut_scan *q;
};

static uint32_t scan_width(const struct scan *c) {
    return c->x ? c->x->ncols : c->t->key_cols;
}

static uint32_t scan_col(const struct scan *c, uint32_t i) {
    return c->x ? c->x->cols[i] : i;
}

static bool is_sound(const struct scan *c) {
    const struct taut_scan *q = c->q;
    uint32_t width = scan_width(c);
    bool bounded = q->lo.type != TAUT_NULL || q->hi.type != TAUT_NULL;
    if (q->nprefix > width || (bounded && q->nprefix == width)) return false;
    for (uint32_t i = 0; i < q->nprefix; i++)
        if (!fits(&q->prefix[i], column_type(c->t, scan_col(c, i)))) return false;
    uint32_t type = bounded ? column_type(c->t, scan_col(c, q->nprefix)) : TAUT_NULL;
    if (bounded && !(fits(&q->lo, type) && fits(&q->hi, type))) return false;
    return q->count_only || (q->limit >= 1 && q->limit <= SCAN_MAX);
}

static bool is_within(const struct scan *c, const struct taut_val *v) {
    const struct taut_scan *q = c->q;
    bool bounded = q->lo.type != TAUT_NULL || q->hi.type != TAUT_NULL, closed = MUTANT(c->s, open_bounds_are_closed);
    if (bounded && v->type == TAUT_NULL) return MUTANT(c->s, bounds_let_nulls_in) && q->lo.type == TAUT_NULL;
    int lo = q->lo.type ? val_order(c->s, v, &q->lo) : 1, hi = q->hi.type ? val_order(c->s, v, &q->hi) : -1;
    return (lo > 0 || (lo == 0 && (!q->lo_open || closed))) && (hi < 0 || (hi == 0 && (!q->hi_open || closed)));
}

static bool matches(const struct scan *c, const struct row *r) {
    if (c->x && c->x->flags & TAUT_INDEX_NOT_NULL && r->vals[c->x->cols[c->x->ncols - 1]].type == TAUT_NULL)
        return false;
    for (uint32_t i = 0; i < c->q->nprefix; i++)
        if (val_order(c->s, &r->vals[scan_col(c, i)], &c->q->prefix[i]) != 0) return false;
    return c->q->nprefix == scan_width(c) || is_within(c, &r->vals[scan_col(c, c->q->nprefix)]);
}

static int scan_order(const void *a, const void *b, void *arg) {
    const struct scan *c = arg;
    const struct row *x = *(struct row *const *)a, *y = *(struct row *const *)b;
    int order = 0;
    for (uint32_t i = 0; c->x && i < c->x->ncols && !order; i++)
        order = val_order(c->s, &x->vals[c->x->cols[i]], &y->vals[c->x->cols[i]]);
    if (!order) order = key_order(c->s, x->vals, y->vals, c->t->key_cols);
    return c->q->descending ? -order : order;
}

static uint64_t seq_of(struct store *s, taut_str workspace) {
    const struct log *l = workspace.len ? log_find(s, workspace) : NULL;
    if (l && MUTANT(s, rows_and_seq_of_two_snapshots)) return l->before;
    return l ? l->last : 0;
}

static int32_t scan(struct store *s, const struct job *j, void **result) {
    const struct taut_scan *q = j->what;
    struct scan c = {.s = s, .t = j->n < s->ntables ? &s->tables[j->n] : NULL, .q = q};
    if (!c.t || q->index < TAUT_SCAN_PRIMARY || q->index >= (int32_t)c.t->nindex) return TAUT_E_INVAL;
    if (q->index >= 0) c.x = table_index(c.t, (uint32_t)q->index);
    if (!is_sound(&c)) return TAUT_E_INVAL;
    struct row **rows = need(malloc((c.t->n + 1) * sizeof *rows));
    uint32_t n = 0;
    for (uint32_t i = 0; i < c.t->n; i++)
        if (matches(&c, c.t->rows[i])) rows[n++] = c.t->rows[i];
    qsort_r(rows, n, sizeof *rows, scan_order, &c);
    uint32_t from = q->offset < n ? q->offset : n, left = n - from, take = left < q->limit ? left : q->limit;
    if (q->count_only) take = 0;
    const struct taut_row *out;
    struct taut_rows *r = copy_rows(s, rows + from, take, sizeof *r, &out);
    *r = (struct taut_rows){.size = sizeof *r,
                            .n = take,
                            .more = !q->count_only && left > take && !MUTANT(s, never_more),
                            .count = q->count_only ? n : take,
                            .as_of = s->lsn,
                            .seq = seq_of(s, q->workspace),
                            .rows = out};
    *result = r;
    free(rows);
    return TAUT_OK;
}

/* ---- logs ---- */

static taut_str put(char **at, taut_str s) {
    taut_str out = {*at, s.len};
    if (s.len) memcpy(*at, s.ptr, s.len);
    *at += s.len;
    return out;
}

static int32_t gap(struct store *s, const struct log *l, void **result) {
    struct taut_event_rows *r = need(calloc(1, sizeof *r));
    (void)s;
    *r = (struct taut_event_rows){.size = sizeof *r, .first = l->first, .last = l->last};
    *result = r;
    return TAUT_E_GAP;
}

static int32_t read_events(struct store *s, const struct job *j, void **result) {
    if (j->n < 1 || j->n > SCAN_MAX) return TAUT_E_INVAL;
    static const struct log empty = {.first = 1};
    const struct log *l = log_find(s, j->workspace);
    if (!l) l = &empty;
    uint64_t after = j->after < l->last ? j->after : l->last, from = after + (MUTANT(s, gap_one_too_early) ? 0 : 1);
    if (from < l->first && l->last && l->first > 1 && !MUTANT(s, no_gap)) return gap(s, l, result);
    if (after + 1 < l->first) after = l->first - 1;
    uint32_t n = l->last - after < j->n ? (uint32_t)(l->last - after) : j->n;
    size_t bytes = 0, max_bytes = j->max_bytes && !MUTANT(s, no_max_bytes) ? j->max_bytes : SIZE_MAX;
    uint32_t fit = 0;
    for (; fit < n && bytes < max_bytes; fit++) {
        const struct event *e = &l->events[after + fit];
        bytes += e->topics.len + e->deltas.len + e->body.len;
    }
    n = fit;
    struct taut_event_rows *r = need(calloc(1, sizeof *r + n * sizeof(struct taut_event_rec) + bytes + 1));
    struct taut_event_rec *list = (struct taut_event_rec *)(void *)(r + 1);
    char *at = (char *)(list + n);
    for (uint32_t i = 0; i < n; i++) {
        const struct event *e = &l->events[after + i];
        list[i] = (struct taut_event_rec){.seq = after + i + 1, .at_us = e->at_us, .skip = e->skip};
        list[i].topics = put(&at, e->topics);
        list[i].deltas = put(&at, e->deltas);
        list[i].body = put(&at, e->body);
    }
    *r = (struct taut_event_rows){.size = sizeof *r, .n = n, .last = l->last, .events = list};
    *result = r;
    return TAUT_OK;
}

static int32_t read_logs(struct store *s, void **result) {
    size_t bytes = 0;
    for (uint32_t i = 0; i < s->nlogs; i++) bytes += s->logs[i]->workspace.len;
    struct taut_log_heads *r = need(calloc(1, sizeof *r + s->nlogs * sizeof(struct taut_log_head) + bytes + 1));
    r->size = sizeof *r;
    struct taut_log_head *list = (struct taut_log_head *)(void *)(r + 1);
    char *at = (char *)(list + s->nlogs);
    r->heads = list;
    for (uint32_t i = 0; i < s->nlogs; i++) {
        const struct log *l = s->logs[i];
        if (l->last) list[r->n++] = (struct taut_log_head){put(&at, l->workspace), l->first, l->last};
    }
    *result = r;
    return TAUT_OK;
}

static int32_t read_cursors(struct store *s, const struct job *j, void **result) {
    const struct log *l = log_find(s, j->workspace);
    uint32_t n = l ? l->ncursors : 0;
    struct taut_cursors *r = need(calloc(1, sizeof *r + n * (sizeof(struct taut_cursor) + NAME_MAX_BYTES) + 1));
    struct taut_cursor *list = (struct taut_cursor *)(void *)(r + 1);
    char *at = (char *)(list + n);
    for (uint32_t i = 0; i < n; i++) list[i] = (struct taut_cursor){put(&at, l->cursors[i].name), l->cursors[i].seq};
    *r = (struct taut_cursors){sizeof *r, n, list};
    *result = r;
    return TAUT_OK;
}

int32_t read_run(struct store *s, const struct job *j, void **result) {
    switch (j->kind) {
    case JOB_GET: return get(s, j, result);
    case JOB_SCAN: return scan(s, j, result);
    case JOB_EVENTS: return read_events(s, j, result);
    case JOB_LOGS: return read_logs(s, result);
    case JOB_CURSORS: return read_cursors(s, j, result);
    default: return TAUT_E_INVAL;
    }
}
