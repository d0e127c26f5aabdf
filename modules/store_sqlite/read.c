/* read.c - reads of rows: by key, and a range of them. */
#include "reader.h"

int32_t reader_failed(struct reader *r, int rc, const char *what) {
    if ((rc & 0xff) == SQLITE_NOMEM) return TAUT_E_NOMEM;
    conn_log(&r->conn, "store_read", what);
    return TAUT_E_IO;
}

sqlite3_stmt *reader_stmt(struct reader *r, sqlite3_stmt **st, const char *sql) {
    if (!*st) *st = db_prepare(r->conn.db, sql);
    return *st;
}

int32_t reader_collect(struct reader *r, sqlite3_stmt *st, uint32_t ncols, size_t max_bytes, const char *what) {
    int rc = SQLITE_ERROR;
    bool room = true;
    if (!max_bytes || max_bytes > READ_BYTES_MAX) max_bytes = READ_BYTES_MAX;
    while (st && room && r->build.nbytes < max_bytes && (rc = sqlite3_step(st)) == SQLITE_ROW)
        room = build_row(&r->build, st, ncols);
    if (st) rc = sqlite3_reset(st);
    if (!room) return TAUT_E_NOMEM;
    return rc == SQLITE_OK ? TAUT_OK : reader_failed(r, rc, what);
}

/* A NULL fits anywhere, and equals no key. */
static bool fits(const struct taut_val *v, uint32_t type) {
    return v->type == TAUT_NULL || v->type == type;
}

/* ---- get ---- */

static int32_t get_one(struct reader *r, const struct taut_get_req *q) {
    if (q->table >= r->store->ntables) return TAUT_E_INVAL;
    const struct table *t = &r->store->tables[q->table];
    if (q->nkey != t->key_cols) return TAUT_E_INVAL;
    for (uint32_t i = 0; i < q->nkey; i++)
        if (!fits(&q->key[i], table_col(t, i)->type)) return TAUT_E_INVAL;
    sqlite3_stmt *st = stmt_simple(&r->conn, q->table, STMT_GET);
    if (!st) return reader_failed(r, SQLITE_ERROR, "cannot prepare a get");
    bind_key(st, q->key, q->nkey);
    int rc = sqlite3_step(st);
    bool room =
        rc != SQLITE_ROW && rc != SQLITE_DONE ? true : build_row(&r->build, st, rc == SQLITE_ROW ? t->ncols : 0);
    sqlite3_reset(st);
    if (!room) return TAUT_E_NOMEM;
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? TAUT_OK : reader_failed(r, rc, "cannot read a row");
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
    *res = (struct taut_get_result){sizeof *res, j->n, as_of, rows};
    *result = res;
    return TAUT_OK;
}

/* ---- scan ---- */

static uint32_t scan_type(const struct table *t, int32_t index, uint32_t i) {
    return table_col(t, index < 0 ? i : table_index(t, (uint32_t)index)->cols[i])->type;
}

static bool scan_is_sound(const struct store *s, uint32_t table, const struct taut_scan *q) {
    if (table >= s->ntables) return false;
    const struct table *t = &s->tables[table];
    if (q->index < TAUT_SCAN_PRIMARY || q->index >= (int32_t)t->nindex) return false;
    uint32_t width = q->index < 0 ? t->key_cols : table_index(t, (uint32_t)q->index)->ncols;
    bool bounded = q->lo.type != TAUT_NULL || q->hi.type != TAUT_NULL;
    if (q->nprefix > width || (bounded && q->nprefix == width)) return false;
    for (uint32_t i = 0; i < q->nprefix; i++)
        if (!fits(&q->prefix[i], scan_type(t, q->index, i))) return false;
    uint32_t type = bounded ? scan_type(t, q->index, q->nprefix) : TAUT_NULL;
    if (bounded && !(fits(&q->lo, type) && fits(&q->hi, type))) return false;
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
    return rc == SQLITE_DONE ? TAUT_OK : reader_failed(r, rc, "cannot scan a table");
}

static int32_t scan(struct reader *r, const struct read_job *j, uint64_t as_of, void **result) {
    const struct taut_scan *q = j->what;
    struct taut_rows out = {.size = sizeof out, .as_of = as_of};
    if (!scan_is_sound(r->store, j->n, q)) return TAUT_E_INVAL;
    struct log_span log = {0};
    if (q->workspace.len && db_log(&r->conn, q->workspace, &log) != SQLITE_OK)
        return reader_failed(r, SQLITE_ERROR, "cannot read the end of a log");
    out.seq = log.last;
    sqlite3_stmt *st = stmt_scan(&r->conn, j->n, q);
    if (!st) return reader_failed(r, SQLITE_ERROR, "cannot prepare a scan");
    int32_t err = TAUT_OK;
    if (!q->count_only) err = scan_rows(r, st, q, r->store->tables[j->n].ncols, &out.more);
    else if (sqlite3_step(st) == SQLITE_ROW) out.count = (uint64_t)sqlite3_column_int64(st, 0);
    else err = reader_failed(r, SQLITE_ERROR, "cannot count rows");
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

int32_t read_run(struct reader *r, const struct read_job *j, uint64_t as_of, void **result) {
    int32_t err = TAUT_E_INVAL;
    switch (j->kind) {
    case READ_GET: err = get(r, j, as_of, result); break;
    case READ_SCAN: err = scan(r, j, as_of, result); break;
    case READ_EVENTS: err = events_read(r, j, result); break;
    case READ_LOGS: err = logs_read(r, result); break;
    case READ_CURSORS: err = cursors_read(r, j, result); break;
    }
    build_reset(&r->build);
    return err;
}
