/* migrate.c - the store's own tables and their format. An older format is brought up step by step; each step is one
 * transaction that also raises the number, so that a process that dies anywhere leaves a store of one of the formats,
 * from which the next start goes on. A newer format is refused. */
#include "schema.h"
#include "writer.h"

static const char own_tables[] =
    "CREATE TABLE taut_meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE taut_heads(workspace TEXT PRIMARY KEY, seq INTEGER NOT NULL, first INTEGER NOT NULL DEFAULT 1)"
    " WITHOUT ROWID;"
    "CREATE TABLE taut_events(workspace TEXT, seq INTEGER, at INTEGER NOT NULL, topics TEXT, deltas TEXT, skip INTEGER,"
    " claim BLOB, body TEXT, PRIMARY KEY(workspace, seq)) WITHOUT ROWID;"
    "INSERT INTO taut_meta VALUES('lsn', 0);";

static const char cursor_table[] = "CREATE TABLE taut_cursors(workspace TEXT, name TEXT, seq INTEGER NOT NULL, "
                                   "PRIMARY KEY(workspace, name)) WITHOUT ROWID";

/* TAUT_E_NOTFOUND for a fresh database. */
static int32_t read_format(struct conn *c, int64_t *format) {
    sqlite3_stmt *st = db_prepare(c->db, "SELECT value FROM taut_meta WHERE key='format'");
    if (!st) {
        sqlite3_stmt *any = db_prepare(c->db, "SELECT 1 FROM sqlite_schema WHERE name='taut_meta'");
        int rc = any ? sqlite3_step(any) : SQLITE_ERROR;
        sqlite3_finalize(any);
        return rc == SQLITE_DONE ? TAUT_E_NOTFOUND : schema_failed(c, "cannot read the store's format");
    }
    int rc = sqlite3_step(st);
    *format = rc == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
    sqlite3_finalize(st);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? TAUT_OK : schema_failed(c, "cannot read the store's format");
}

static int put_format(struct conn *c, int64_t format) {
    char sql[80];
    snprintf(sql, sizeof sql, "INSERT OR REPLACE INTO taut_meta VALUES('format',%lld)", (long long)format);
    return db_exec(c->db, sql);
}

/* ---- a fresh store ---- */

/* The key of the claims' hash: made with the store, kept in it, because the hashes are. */
static int make_claim_key(struct conn *c) {
    unsigned char key[CLAIM_KEY_LEN];
    sqlite3_stmt *st = db_prepare(c->db, "INSERT INTO taut_meta VALUES('claim_key',?1)");
    if (!st) return sqlite3_errcode(c->db);
    c->store->mod->host->random(c->store->mod, key, sizeof key);
    sqlite3_bind_blob(st, 1, key, (int)sizeof key, SQLITE_STATIC);
    int rc = db_run(st);
    sqlite3_finalize(st);
    return rc;
}

static int32_t create(struct conn *c) {
    int rc = db_exec(c->db, own_tables);
    if (rc == SQLITE_OK) rc = db_exec(c->db, claim_rows_table);
    if (rc == SQLITE_OK) rc = db_exec(c->db, cursor_table);
    if (rc == SQLITE_OK) rc = make_claim_key(c);
    if (rc == SQLITE_OK) rc = put_format(c, FORMAT);
    return rc == SQLITE_OK ? TAUT_OK : schema_failed(c, "cannot create the store's own tables");
}

int32_t format_claim_key(struct conn *c, unsigned char claim_key[CLAIM_KEY_LEN]) {
    sqlite3_stmt *st = db_prepare(c->db, "SELECT value FROM taut_meta WHERE key='claim_key'");
    bool read = st && sqlite3_step(st) == SQLITE_ROW && sqlite3_column_bytes(st, 0) == CLAIM_KEY_LEN;
    if (read) memcpy(claim_key, sqlite3_column_blob(st, 0), CLAIM_KEY_LEN);
    sqlite3_finalize(st);
    return read ? TAUT_OK : schema_failed(c, "cannot read the store's claim key");
}

/* ---- steps ---- */

/* Claims get rows of their own; before, they were in the log alone. */
static int to_2(struct conn *c) {
    int rc = db_exec(c->db, claim_rows_table);
    return rc == SQLITE_OK ? claim_rows_from_log(c) : rc;
}

/* Logs get a beginning, their readers cursors. */
static int to_3(struct conn *c) {
    int rc = db_exec(c->db, "ALTER TABLE taut_heads ADD COLUMN first INTEGER NOT NULL DEFAULT 1;"
                            "UPDATE taut_heads SET first=ifnull((SELECT e.seq FROM taut_events e "
                            "WHERE e.workspace=taut_heads.workspace ORDER BY e.seq LIMIT 1), seq)");
    return rc == SQLITE_OK ? db_exec(c->db, cursor_table) : rc;
}

/* steps[i] leads from format i + 1 to the next. */
static int (*const steps[])(struct conn *c) = {to_2, to_3};
_Static_assert(sizeof steps / sizeof *steps == FORMAT - 1, "every older format has its step");

static int32_t step(struct conn *c) {
    int64_t format;
    TAUT_TRY(read_format(c, &format));
    int rc = steps[format - 1](c);
    if (rc == SQLITE_OK) rc = put_format(c, format + 1);
    return rc == SQLITE_OK ? TAUT_OK : schema_failed(c, "cannot bring the store to this version's format");
}

static int32_t refuse(struct conn *c, int64_t format) {
    char text[256];
    if (format < 1) return schema_refuse(c, "this store's format is not known: restore a backup");
    snprintf(text, sizeof text,
             "this store was written by a newer Taut (format %lld; this one knows up to %d): run the newer version, or "
             "choose another data directory",
             (long long)format, FORMAT);
    return schema_refuse(c, text);
}

int32_t format_open(struct conn *c) {
    int64_t format = 0;
    int32_t err = read_format(c, &format);
    if (err == TAUT_E_NOTFOUND) return schema_in_transaction(c, create);
    if (err == TAUT_OK && (format < 1 || format > FORMAT)) return refuse(c, format);
    for (; err == TAUT_OK && format < FORMAT; format++) err = schema_in_transaction(c, step);
    return err;
}
