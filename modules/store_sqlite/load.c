/* load.c - see writer.h. */
#include <errno.h>

#include "fault.h"
#include "place.h"
#include "restore.h"
#include "writer.h"

static int read_heads(struct writer *w) {
    int rc;
    sqlite3_stmt *st = db_prepare(w->conn.db, "SELECT workspace, seq, first FROM taut_heads");
    if (!st) return sqlite3_errcode(w->conn.db);
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct taut_val ws = column_val(st, 0);
        if (ws.type != TAUT_TEXT || !ws.len) { /* no log is without a name */
            db_log_damage(w->store);
            sqlite3_finalize(st);
            return SQLITE_CORRUPT;
        }
        struct head *h = heads_get(&w->heads, taut_str_n(ws.u.p, ws.len));
        if (!h) break;
        h->now = (struct span){(uint64_t)sqlite3_column_int64(st, 1), (uint64_t)sqlite3_column_int64(st, 2)};
        h->saved = h->now;
    }
    sqlite3_finalize(st);
    return rc == SQLITE_ROW ? SQLITE_NOMEM : rc;
}

static bool prepare_all(struct writer *w) {
    sqlite3 *db = w->conn.db;
    w->put_event = db_prepare(db, "INSERT INTO taut_events VALUES(?1,?2,?3,?4,?5,?6,?7,?8)");
    w->put_head =
        db_prepare(db, "INSERT INTO taut_heads(workspace, seq, first) VALUES(?1,?2,?3) ON CONFLICT(workspace) "
                       "DO UPDATE SET seq=excluded.seq, first=excluded.first");
    w->put_lsn = db_prepare(db, "UPDATE taut_meta SET value=?1 WHERE key='lsn'");
    w->get_claim = db_prepare(db, "SELECT claim FROM taut_events WHERE workspace=?1 AND seq=?2");
    return w->put_event && w->put_head && w->put_lsn && w->get_claim && claim_rows_prepare(w) && cursors_prepare(w) &&
           sweep_prepare(w);
}

/* What a full disk refuses is rather found out here than by the next group, whose outcome would be unknown. */
static int32_t prove_writable(struct writer *w) {
    char sql[80]; /* a value that is new each time: SQLite does not write what is the same */
    snprintf(sql, sizeof sql, "INSERT OR REPLACE INTO taut_meta VALUES('healed',%lld)",
             (long long)taut_now_us(w->store->mod));
    if (db_exec(w->conn.db, sql) == SQLITE_OK) return TAUT_OK;
    conn_log(&w->conn, "store_sync", "the store still cannot be written; will try again");
    return TAUT_E_IO;
}

static int32_t load(struct writer *w, bool again) {
    if (!again) TAUT_TRY(place_is_fresh(w->store));
    if (!again) wal_check(w->store);
    errno = 0;
    TAUT_TRY(conn_open(&w->conn, w->store, true));
    crash_point(&w->store->faults, CRASH_IN_OPENING);
    sqlite3 *db = w->conn.db;
    if (again && sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) != SQLITE_OK) {
        conn_log(&w->conn, "store_sync", "cannot bring the store back to a known state; will try again");
        return TAUT_E_IO;
    }
    TAUT_TRY(schema_open(&w->conn, w->claim_key));
    if (again) TAUT_TRY(prove_writable(w));
    int rc = prepare_all(w) ? db_lsn(&w->conn, &w->lsn) : SQLITE_ERROR;
    w->lsn_saved = w->lsn;
    if (rc == SQLITE_OK) rc = restore_base(&w->conn, &w->heads.base);
    if (rc == SQLITE_OK) rc = read_heads(w);
    if (rc == SQLITE_DONE && !MUTANT(&w->store->faults, claims_in_memory)) rc = claim_rows_load(w);
    if (rc == SQLITE_DONE && writer_begin(w) == SQLITE_OK) {
        identity_take(w);
        return TAUT_OK;
    }
    conn_log(&w->conn, "store_open", "cannot read the store");
    return TAUT_E_IO;
}

int32_t writer_load(struct writer *w, bool again) {
    claims_init(&w->claims, (uint32_t)w->store->opt->claims);
    int32_t err = fold_init(&w->fold, w->store->ntables) ? load(w, again) : TAUT_E_NOMEM;
    if (err < 0) writer_unload(w);
    return err;
}

void writer_unload(struct writer *w) {
    sqlite3_finalize(w->put_event);
    sqlite3_finalize(w->put_head);
    sqlite3_finalize(w->put_lsn);
    sqlite3_finalize(w->get_claim);
    sqlite3_finalize(w->put_claims);
    sqlite3_finalize(w->drop_claims);
    w->put_event = w->put_head = w->put_lsn = w->get_claim = w->put_claims = w->drop_claims = NULL;
    cursors_unprepare(w);
    sweep_unprepare(w);
    conn_close(&w->conn);
    identity_closed(w);
    heads_fini(&w->heads);
    claims_fini(&w->claims);
    fold_fini(&w->fold);
    free(w->scratch);
    w->scratch = NULL;
    w->scratch_cap = 0;
}
