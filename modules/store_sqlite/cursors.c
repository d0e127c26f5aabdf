/* cursors.c - named cursors: taut_cursors(workspace, name, seq). Set by the writer in the transaction of their batch;
 * read like anything else, in a snapshot. */
#include "reader.h"
#include "writer.h"

bool cursors_prepare(struct writer *w) {
    w->put_cursor = db_prepare(w->conn.db, "INSERT INTO taut_cursors VALUES(?1,?2,?3) ON CONFLICT(workspace, name) "
                                           "DO UPDATE SET seq=excluded.seq");
    w->drop_cursor = db_prepare(w->conn.db, "DELETE FROM taut_cursors WHERE workspace=?1 AND name=?2");
    return w->put_cursor && w->drop_cursor;
}

void cursors_unprepare(struct writer *w) {
    sqlite3_finalize(w->put_cursor);
    sqlite3_finalize(w->drop_cursor);
    w->put_cursor = w->drop_cursor = NULL;
}

int cursors_set(struct writer *w, const struct taut_batch_view *b) {
    struct taut_array list = batch_cursors(b);
    int rc = SQLITE_OK;
    for (uint32_t i = 0; i < list.len && rc == SQLITE_OK; i++) {
        const struct taut_cursor *c = TAUT_AT(list, struct taut_cursor, i);
        sqlite3_stmt *st = c->seq ? w->put_cursor : w->drop_cursor;
        bind_str(st, 1, b->workspace);
        bind_str(st, 2, c->name);
        if (c->seq) sqlite3_bind_int64(st, 3, (int64_t)c->seq);
        rc = db_run(st);
    }
    return rc;
}

enum { CURSOR_NAME, CURSOR_SEQ, CURSOR_COLS };

int32_t cursors_read(struct reader *r, const struct read_job *j, void **result) {
    sqlite3_stmt *st =
        reader_stmt(r, &r->cursors, "SELECT name, seq FROM taut_cursors WHERE workspace=?1 ORDER BY name");
    if (st) bind_str(st, 1, j->workspace);
    TAUT_TRY(reader_collect(r, st, CURSOR_COLS, 0, "cannot read cursors"));
    struct taut_row *rows;
    struct taut_cursors *res;
    uint32_t n = (uint32_t)r->build.nrows;
    res = build_seal(&r->build, sizeof *res + n * sizeof(struct taut_cursor), 0, &rows);
    if (!res) return TAUT_E_NOMEM;
    struct taut_cursor *list = (struct taut_cursor *)(void *)(res + 1);
    for (uint32_t i = 0; i < n; i++)
        list[i] =
            (struct taut_cursor){taut_row_str(&rows[i], CURSOR_NAME), (uint64_t)taut_row_int(&rows[i], CURSOR_SEQ)};
    *res = (struct taut_cursors){sizeof *res, n, list};
    *result = res;
    return TAUT_OK;
}
