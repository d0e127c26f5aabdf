/* load.c - reads inside calls. A row that is in the cache, or that this call has loaded before, is handed out at once;
 * the others of all calls are collected over a loop turn and asked of the store together.
 *
 * Reads and commits pass each other. What a commit writes while a read of it is under way is remembered: the read's
 * answer is not cached, and whoever asks after the commit starts a read of its own. And a snapshot may be newer than
 * what has been applied and published here: its call waits until that has caught up, so that it never sees rows from
 * after a change (a removal, say) beside facts from before it. For the same reason a row that this call has loaded and
 * the cache has not kept is read again when the call has since made a newer scan. */
#include "base/fault.h"
#include "hub/internal.h"
#include "obs/log.h"

/* One key that is being read, and who waits for it. One block with the key and its values. */
struct load {
    struct load *next; /* in unsent */
    taut_str key;
    uint32_t table, nkey;
    uint64_t min_as_of; /* an older answer must not be cached */
    bool sent;
    struct run **waiters;
    uint32_t nwaiters, cap;
    struct taut_val vals[];
};

/* What one storage->get was asked. */
struct request {
    struct hub *hub;
    uint64_t asked_ns;
    uint32_t n;
    struct load **loads;
    struct taut_get_req reqs[];
};

/* A scan of a call: under way, or waiting for its turn. What scans bring is held until the call ends, so that only
 * SCANNING_MAX calls may have some at a time; a call that has one may have more. */
enum { SCANNING_MAX = 16 };
struct scan_wait {
    struct scan_wait *next;
    struct run *run;
    struct memo *memo;
    uint64_t asked_ns;
    const struct taut_scan *scan;
    uint32_t table;
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
    r->as_of = r->scan_as_of = 0;
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
    size_t bytes = sizeof(struct load) + nkey * sizeof *vals + key.len;
    for (uint32_t i = 0; i < nkey; i++)
        if (vals[i].type == TAUT_TEXT || vals[i].type == TAUT_BLOB) bytes += vals[i].len;
    struct load *l = xcalloc(1, bytes);
    char *at = (char *)(l->vals + nkey);
    l->key = taut_str_n(at, key.len);
    memcpy(at, key.ptr, key.len);
    at += key.len;
    for (uint32_t i = 0; i < nkey; i++) {
        l->vals[i] = vals[i];
        if ((vals[i].type != TAUT_TEXT && vals[i].type != TAUT_BLOB) || !vals[i].len) continue;
        l->vals[i].u.p = memcpy(at, vals[i].u.p, vals[i].len);
        at += vals[i].len;
    }
    l->table = table;
    l->nkey = nkey;
    l->next = h->unsent;
    h->unsent = l;
    h->nunsent++;
    map_put(&h->loads, l->key, l);
    return l;
}

/* A read that is wrong in itself. */
static int32_t bad_read(struct run *r, struct taut_mod *m, const char *function, const char *fault) {
    if (!r->rehearsing) log_fmt(TAUT_LOG_ERROR, m->name, "bad_read", "%s: %s(): %s", handler_name(r), function, fault);
    return TAUT_E_INVAL;
}

int32_t load_get(struct taut_mod *m, struct taut_call *c, const struct taut_table *t, const struct taut_val *key,
                 uint32_t nkey, const struct taut_row **row) {
    struct run *r = run_of(c);
    struct hub *h = r->hub;
    char text[KEY_MAX];
    uint32_t table;
    *row = NULL;
    check_thread(m, "taut_get");
    if (!table_id(m, t, &table)) return TAUT_E_INVAL;
    const char *fault = key_fault(&r->call->arena, t, key, nkey, VALUE_SOUGHT);
    if (fault) return bad_read(r, m, "taut_get", fault);
    taut_str k = taut_str_n(text, key_encode(text, table, key, nkey));
    if (!k.len) return TAUT_OK; /* no such key can exist: it is longer than any that was written */
    struct crow *found = rows_find(&h->rows, k);
    if (found) {
        pin(r, found);
    } else {
        struct memo *memo = memo_find(r, k);
        if (memo && memo->row && memo->row->row.as_of >= r->scan_as_of) found = memo->row;
    }
    if (found) {
        *row = found->row.ncols ? &found->row : NULL;
        return TAUT_OK;
    }
    if (!check_read(r, "taut_get")) return TAUT_E_INVAL;
    struct load *l = map_get(&h->loads, k);
    if (!l) l = load_new(h, k, table, key, nkey);
    wait_for(l, r);
    return TAUT_E_AGAIN;
}

/* ---- answers ---- */

static bool is_ahead(const struct hub *h, const struct run *r) {
    return r->as_of > h->applied_lsn && h->commits > 0;
}

void load_arrived(struct run *r, int32_t status, uint64_t as_of) {
    struct hub *h = r->hub;
    if (status != TAUT_OK) r->load_error = status;
    if (as_of > r->as_of) r->as_of = as_of;
    if (--r->waiting) return;
    if (!is_ahead(h, r)) {
        run_again(r);
        return;
    }
    r->next_ahead = h->ahead;
    h->ahead = r;
}

void load_release(struct hub *h) {
    struct run *list = h->ahead;
    h->ahead = NULL;
    while (list) {
        struct run *r = list;
        list = r->next_ahead;
        if (!is_ahead(h, r)) {
            run_again(r);
            continue;
        }
        r->next_ahead = h->ahead;
        h->ahead = r;
    }
}

static void finish_load(struct hub *h, struct load *l, const struct taut_row *got, int32_t status, uint64_t as_of) {
    struct crow *row = NULL;
    if (got) {
        row = crow_new(l->table, l->key, got->vals, got->ncols, got->ncols, as_of);
        if (as_of >= l->min_as_of && !h->in_doubt) rows_put(&h->rows, row);
    }
    if (map_get(&h->loads, l->key) == l) map_remove(&h->loads, l->key);
    for (uint32_t w = 0; w < l->nwaiters; w++) {
        struct run *r = l->waiters[w];
        if (row) {
            row->refs++;
            memo_add(r, l->key)->row = row;
        }
        load_arrived(r, row ? TAUT_OK : status == TAUT_OK ? TAUT_E_IO : status, as_of);
    }
    if (row) crow_unref(row);
    free(l->waiters);
    free(l);
}

static void on_get(struct taut_mod *m, void *arg, int32_t status, void *result) {
    struct request *q = arg;
    const struct taut_get_result *res = result;
    struct hub *h = q->hub;
    (void)m;
    histogram_add(&h->seen.reads[READ_GET], clock_mono_ns() - q->asked_ns);
    for (uint32_t i = 0; i < q->n; i++) {
        bool got = status == TAUT_OK && i < res->n;
        finish_load(h, q->loads[i], got ? &res->rows[i] : NULL, status, got ? res->as_of : 0);
    }
    free(q->loads);
    free(q);
}

void load_flush(struct hub *h) {
    if (!h->nunsent) return;
    struct request *q = xcalloc(1, sizeof *q + h->nunsent * sizeof q->reqs[0]);
    q->hub = h;
    q->asked_ns = clock_mono_ns();
    q->loads = xcalloc(h->nunsent, sizeof *q->loads);
    for (struct load *l = h->unsent; l; l = l->next) {
        l->sent = true;
        q->loads[q->n] = l;
        q->reqs[q->n++] = (struct taut_get_req){.table = l->table, .nkey = l->nkey, .key = l->vals};
    }
    h->unsent = NULL;
    h->nunsent = 0;
    ASK_STORE(h, get, q->reqs, q->n, op_new(core_mod(h), 0, on_get, q));
}

/* Nobody else joins it: they may begin after the commit was acknowledged. */
static bool outdate(struct hub *h, struct load *l, uint64_t lsn) {
    if (!l->sent || MUTANT("outdated_join")) return false; /* not sent: its snapshot will have the commit */
    l->min_as_of = lsn;
    map_remove(&h->loads, l->key);
    return true;
}

/* Of one table, or of all. */
static void outdate_all(struct hub *h, const uint32_t *table, uint64_t lsn) {
    for (size_t i = 0; i < h->loads.cap;) {
        struct load *l = h->loads.slots[i].value;
        bool is_meant = l && (!table || l->table == *table);
        if (!is_meant || !outdate(h, l, lsn)) i++; /* else others have moved up: look here again */
    }
}

void load_touched(struct hub *h, taut_str key, uint64_t lsn) {
    struct load *l = h->loads.len ? map_get(&h->loads, key) : NULL;
    if (l) outdate(h, l, lsn);
}

void load_touched_table(struct hub *h, uint32_t table, uint64_t lsn) {
    outdate_all(h, &table, lsn);
}

void load_doubt(struct hub *h) {
    rows_drop_all(&h->rows);
    outdate_all(h, NULL, UINT64_MAX);
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

static void on_scan(struct taut_mod *m, void *arg, int32_t status, void *result) {
    struct scan_wait *w = arg;
    histogram_add(&hub_of(m)->seen.reads[READ_SCAN], clock_mono_ns() - w->asked_ns);
    if (status == TAUT_OK) {
        w->memo->rows = result;
        w->memo->destroy = ops_keep_result(hub_of(m));
        if (w->memo->rows->as_of > w->run->scan_as_of) w->run->scan_as_of = w->memo->rows->as_of;
    }
    load_arrived(w->run, status, status == TAUT_OK ? w->memo->rows->as_of : 0);
}

static void start_scan(struct scan_wait *w) {
    struct run *r = w->run;
    struct hub *h = r->hub;
    if (!r->scanning) h->scanning++;
    r->scanning = true;
    w->asked_ns = clock_mono_ns();
    ASK_STORE(h, scan, w->table, w->scan, op_new(core_mod(h), 0, on_scan, w));
}

uint32_t load_scans_waiting(const struct hub *h) {
    uint32_t n = 0;
    for (const struct scan_wait *w = h->scans; w; w = w->next) n++;
    return n;
}

static void queue_scan(struct hub *h, struct scan_wait *w) {
    struct scan_wait **at = &h->scans;
    while (*at) at = &(*at)->next;
    *at = w;
}

/* All that one call waits for, so that none holds its place while it waits for another. */
static void start_scans_of(struct hub *h, struct run *r) {
    for (struct scan_wait **at = &h->scans; *at;) {
        struct scan_wait *w = *at;
        if (w->run != r) {
            at = &w->next;
            continue;
        }
        *at = w->next;
        start_scan(w);
    }
}

void load_scan_freed(struct hub *h) {
    h->scanning--;
    while (h->scans && h->scanning < SCANNING_MAX) start_scans_of(h, h->scans->run);
}

int32_t load_scan(struct taut_mod *m, struct taut_call *c, const struct taut_table *t, const struct taut_scan *s,
                  const struct taut_rows **rows) {
    static const struct taut_rows none = {.size = sizeof none};
    struct run *r = run_of(c);
    uint32_t table;
    taut_str key;
    *rows = &none;
    check_thread(m, "taut_scan");
    if (!table_id(m, t, &table)) return TAUT_E_INVAL;
    const char *fault = scan_fault(&r->call->arena, t, s);
    if (fault) return bad_read(r, m, "taut_scan", fault);
    struct taut_scan *copy = scan_copy(&r->call->arena, s, table, &key);
    if (!key.len) return bad_read(r, m, "taut_scan", "its prefix and bounds have more than 1024 bytes");
    struct memo *memo = memo_find(r, key);
    if (memo && memo->rows) {
        *rows = memo->rows;
        return TAUT_OK;
    }
    if (memo) return TAUT_E_AGAIN;
    if (!check_read(r, "taut_scan")) return TAUT_E_INVAL;
    struct scan_wait *w = arena_alloc(&r->call->arena, sizeof *w);
    *w = (struct scan_wait){.run = r, .memo = memo_add(r, key), .scan = copy, .table = table};
    r->waiting++;
    if (r->scanning || r->hub->scanning < SCANNING_MAX) start_scan(w);
    else queue_scan(r->hub, w);
    return TAUT_E_AGAIN;
}
