/* dumplog - the log of a data directory as JSON lines, oldest first: {"workspace","seq","topics","deltas","body"}.
 *
 * For the history checker. It reads the store's SQL tables directly: the only part of the tests that knows them. */
#include <sqlite3.h>
#include <stdio.h>

static const char query[] =
    "SELECT json_object('workspace', workspace, 'seq', seq, 'topics', topics, 'deltas', deltas, "
    "'body', json(body)) FROM taut_events ORDER BY workspace, seq";

static int fail(sqlite3 *db, const char *file) {
    fprintf(stderr, "dumplog: %s: %s\n", file, sqlite3_errmsg(db));
    sqlite3_close(db);
    return 1;
}

int main(int argc, char **argv) {
    sqlite3 *db = NULL;
    sqlite3_stmt *st = NULL;
    int rc;
    if (argc != 2) {
        fprintf(stderr, "usage: dumplog FILE.db\n");
        return 2;
    }
    /* read-write: a store that was killed has a WAL to be recovered */
    if (sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK) return fail(db, argv[1]);
    if (sqlite3_prepare_v2(db, query, -1, &st, NULL) != SQLITE_OK) return fail(db, argv[1]);
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) puts((const char *)sqlite3_column_text(st, 0));
    if (rc != SQLITE_DONE) {
        sqlite3_finalize(st);
        return fail(db, argv[1]);
    }
    sqlite3_finalize(st);
    sqlite3_close(db);
    return 0;
}
