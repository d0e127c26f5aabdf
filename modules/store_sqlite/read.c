/* read.c - the three reads: rows by key, a range of rows, a range of the log. */
#include "reader.h"

static int32_t failed(struct reader *r, int rc, const char *what) {
    if ((rc & 0xff) == SQLITE_NOMEM) return TAUT_E_NOMEM;
    conn_log(&r->conn, "store_read", what);
    return TAUT_E_IO;
}

/* ---- get ---- */

static int32_t get_one(struct reader *r, const struct taut_get_req *q) {
    if (q->table >= r->store->ntables) return TAUT_E_INVAL;
    const struct table *t = &r->store->tables[q->table];
    if (q->nkey != t->key_cols) return TAUT_E_INVAL;
    sqlite3_stmt *st = stmt_simple(&r->conn, q->table, STMT_GET);
    if (!st) return failed(r, SQLITE_ERROR, "cannot prepare a get");
    bind_key(st, q->key, q->nkey);
    int rc = sqlite3_step(st);
    bool room =
        rc != SQLITE_ROW && rc != SQLITE_DONE ? true : build_row(&r->build, st, rc == SQLITE_ROW ? t->ncols : 0);
    sqlite3_reset(st);
    if (!room) return TAUT_E_NOMEM;
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? TAUT_OK : failed(r, rc, "cannot read a row");
}

static int32_t get(struct reader *r, const struct read_job *j, uint64_t as_of, void **result) {
    const struct taut_get_req *reqs = j->what;
    for (uint32_t i = 0; i < j->n; i++) {
        TAUT_TRY(get_one(r, &reqs[i]));
        if (r->build.nbytes > READ_BYTES_MAX) return TAUT_E_LIMIT;
    }
    struct taut_row *rows;
    struct taut_get_result *res = build_seal(&r->build, sizeof *res, as_of, &rows);
    if (!res) return TAUT_E_NOMEM;
    *res = (struct taut_get_result){j->n, 0, as_of, rows};
    *result = res;
    return TAUT_OK;
}

/* ---- scan ---- */

static bool scan_is_sound(const struct store *s, uint32_t table, const struct taut_scan *q) {
    if (table >= s->ntables) return false;
    const struct table *t = &s->tables[table];
    if (q->index < TAUT_SCAN_PRIMARY || q->index >= (int32_t)t->nindex) return false;
    uint32_t width = q->index < 0 ? t->key_cols : table_index(t, (uint32_t)q->index)->ncols;
    bool bounded = q->lo.type != TAUT_NULL || q->hi.type != TAUT_NULL;
    if (q->nprefix > width || (bounded && q->nprefix == width)) return false;
    return q->count_only || (q->limit >= 1 && q->limit <= SCAN_LIMIT_MAX);
}

/* Rows up to the limit. The statement is asked for one more than that, to know whether there is one. */
static int32_t scan_rows(struct reader *r, sqlite3_stmt *st, const struct taut_scan *q, uint32_t ncols,
                         uint32_t *more) {
    int rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        *more = r->build.nrows == q->limit || r->build.nbytes > READ_BYTES_MAX;
        if (*more) return TAUT_OK;
        if (!build_row(&r->build, st, ncols)) return TAUT_E_NOMEM;
    }
    return rc == SQLITE_DONE ? TAUT_OK : failed(r, rc, "cannot scan a table");
}

static int32_t scan(struct reader *r, const struct read_job *j, uint64_t as_of, void **result) {
    const struct taut_scan *q = j->what;
    struct taut_rows out = {.as_of = as_of};
    if (!scan_is_sound(r->store, j->n, q)) return TAUT_E_INVAL;
    if (q->workspace.len && db_head(&r->conn, q->workspace, &out.seq) != SQLITE_OK)
        return failed(r, SQLITE_ERROR, "cannot read the end of a log");
    sqlite3_stmt *st = stmt_scan(&r->conn, j->n, q);
    if (!st) return failed(r, SQLITE_ERROR, "cannot prepare a scan");
    int32_t err = TAUT_OK;
    if (!q->count_only) err = scan_rows(r, st, q, r->store->tables[j->n].ncols, &out.more);
    else if (sqlite3_step(st) == SQLITE_ROW) out.count = (uint64_t)sqlite3_column_int64(st, 0);
    else err = failed(r, SQLITE_ERROR, "cannot count rows");
    sqlite3_reset(st);
    TAUT_TRY(err);
    out.n = (uint32_t)r->build.nrows;
    if (!q->count_only) out.count = out.n;
    struct taut_row *rows;
    struct taut_rows *res = build_seal(&r->build, sizeof *res, as_of, &rows);
    if (!res) return TAUT_E_NOMEM;
    out.rows = rows;
    *res = out;
    *result = res;
    return TAUT_OK;
}

/* ---- events ---- */

enum { EVENT_SEQ, EVENT_AT, EVENT_SKIP, EVENT_TOPICS, EVENT_DELTAS, EVENT_BODY, EVENT_COLS };

static int32_t collect_events(struct reader *r, const struct read_job *j) {
    sqlite3_stmt *st = r->events;
    bind_str(st, 1, j->workspace);
    sqlite3_bind_int64(st, 2, (int64_t)j->after);
    sqlite3_bind_int64(st, 3, j->n);
    int rc;
    bool room = true;
    while (room && r->build.nbytes <= READ_BYTES_MAX && (rc = sqlite3_step(st)) == SQLITE_ROW)
        room = build_row(&r->build, st, EVENT_COLS);
    rc = sqlite3_reset(st);
    if (!room) return TAUT_E_NOMEM;
    return rc == SQLITE_OK ? TAUT_OK : failed(r, rc, "cannot read the log");
}

/* The rows as events, in the same block. */
static struct taut_event_rows *seal_events(struct build *b, uint64_t last) {
    struct taut_row *rows;
    uint32_t n = (uint32_t)b->nrows;
    size_t head = sizeof(struct taut_event_rows) + n * sizeof(struct taut_event_rec);
    struct taut_event_rows *res = build_seal(b, head, 0, &rows);
    if (!res) return NULL;
    struct taut_event_rec *events = (struct taut_event_rec *)(void *)(res + 1);
    for (uint32_t i = 0; i < n; i++)
        events[i] = (struct taut_event_rec){.seq = (uint64_t)taut_row_int(&rows[i], EVENT_SEQ),
                                            .at_us = taut_row_int(&rows[i], EVENT_AT),
                                            .skip = (taut_conn)taut_row_int(&rows[i], EVENT_SKIP),
                                            .topics = taut_row_str(&rows[i], EVENT_TOPICS),
                                            .deltas = taut_row_str(&rows[i], EVENT_DELTAS),
                                            .body = taut_row_str(&rows[i], EVENT_BODY)};
    *res = (struct taut_event_rows){.n = n, .last = last, .events = events};
    return res;
}

static int32_t events(struct reader *r, const struct read_job *j, void **result) {
    uint64_t last = 0;
    if (j->n < 1 || j->n > SCAN_LIMIT_MAX) return TAUT_E_INVAL;
    if (!r->events)
        r->events = db_prepare(r->conn.db, "SELECT seq, at, skip, topics, deltas, body FROM taut_events "
                                           "WHERE workspace=?1 AND seq>?2 ORDER BY seq LIMIT ?3");
    if (!r->events || db_head(&r->conn, j->workspace, &last) != SQLITE_OK)
        return failed(r, SQLITE_ERROR, "cannot read the end of a log");
    TAUT_TRY(collect_events(r, j));
    uint64_t first = r->build.nrows ? (uint64_t)r->build.vals[EVENT_SEQ].u.i : last + 1;
    bool gap = j->after < last && first > j->after + 1;
    if (gap) build_reset(&r->build);
    struct taut_event_rows *res = seal_events(&r->build, last);
    if (!res) return TAUT_E_NOMEM;
    if (gap) res->first = first;
    *result = res;
    return gap ? TAUT_E_GAP : TAUT_OK;
}

int32_t read_run(struct reader *r, const struct read_job *j, uint64_t as_of, void **result) {
    int32_t err = TAUT_E_INVAL;
    switch (j->kind) {
    case READ_GET: err = get(r, j, as_of, result); break;
    case READ_SCAN: err = scan(r, j, as_of, result); break;
    case READ_EVENTS: err = events(r, j, result); break;
    }
    build_reset(&r->build);
    return err;
}
