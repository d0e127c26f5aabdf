/* load.c - see writer.h. The claims of the last 24 hours are read back from the log, newest first, workspace by
 * workspace, up to the first event that is older; the log has no index by time and needs none for this. */
#include "fault.h"
#include "writer.h"

struct found {
    struct claim *list;
    size_t len, cap, keep; /* keep: the newest so many are wanted */
};

static int oldest_first(const void *a, const void *b) {
    const struct claim *x = a, *y = b;
    if (x->at_s != y->at_s) return x->at_s < y->at_s ? -1 : 1;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static void found_trim(struct found *f) {
    qsort(f->list, f->len, sizeof *f->list, oldest_first);
    if (f->len <= f->keep) return;
    memmove(f->list, f->list + (f->len - f->keep), f->keep * sizeof *f->list);
    f->len = f->keep;
}

static bool found_add(struct found *f, const struct claim *claim) {
    if (f->len >= f->keep * 2) found_trim(f);
    if (f->len == f->cap) {
        size_t cap = f->cap ? f->cap * 2 : 1024;
        struct claim *list = realloc(f->list, cap * sizeof *list);
        if (!list) return false;
        f->list = list;
        f->cap = cap;
    }
    f->list[f->len++] = *claim;
    return true;
}

static int read_claims_of(struct writer *w, taut_str workspace, struct found *f) {
    int64_t since_us = taut_now_us(w->store->mod) - (int64_t)CLAIM_SECONDS * 1000000;
    size_t n = 0;
    int rc;
    sqlite3_stmt *st = db_prepare(
        w->conn.db, "SELECT at, seq, substr(claim,1,8) FROM taut_events WHERE workspace=?1 ORDER BY seq DESC");
    if (!st) return sqlite3_errcode(w->conn.db);
    bind_str(st, 1, workspace);
    while ((rc = sqlite3_step(st)) == SQLITE_ROW && sqlite3_column_int64(st, 0) > since_us && n < f->keep) {
        struct claim claim = {0, (uint64_t)sqlite3_column_int64(st, 1), sqlite3_column_int64(st, 0) / 1000000};
        if (sqlite3_column_bytes(st, 2) != (int)sizeof claim.hash) continue;
        memcpy(&claim.hash, sqlite3_column_blob(st, 2), sizeof claim.hash);
        n++;
        if (found_add(f, &claim)) continue;
        rc = SQLITE_NOMEM;
        break;
    }
    sqlite3_finalize(st);
    return rc == SQLITE_ROW ? SQLITE_DONE : rc;
}

static int read_claims(struct writer *w) {
    struct found f = {.keep = w->claims.limit};
    int rc = SQLITE_DONE;
    for (uint32_t i = 0; i < w->heads.cap && rc == SQLITE_DONE; i++) {
        const struct head *h = w->heads.slots[i];
        if (h) rc = read_claims_of(w, taut_str_n(h->workspace, h->len), &f);
    }
    if (rc == SQLITE_DONE) {
        if (f.len) found_trim(&f);
        for (size_t i = 0; i < f.len; i++) claims_add(&w->claims, &f.list[i]);
    }
    free(f.list);
    return rc;
}

static int read_heads(struct writer *w) {
    int rc;
    sqlite3_stmt *st = db_prepare(w->conn.db, "SELECT workspace, seq FROM taut_heads");
    if (!st) return sqlite3_errcode(w->conn.db);
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct taut_val ws = column_val(st, 0);
        struct head *h = heads_get(&w->heads, taut_str_n(ws.u.p, ws.len));
        if (!h) break;
        h->seq = h->saved = (uint64_t)sqlite3_column_int64(st, 1);
    }
    sqlite3_finalize(st);
    return rc == SQLITE_ROW ? SQLITE_NOMEM : rc;
}

static bool prepare_all(struct writer *w) {
    sqlite3 *db = w->conn.db;
    w->put_event = db_prepare(db, "INSERT INTO taut_events VALUES(?1,?2,?3,?4,?5,?6,?7,?8)");
    w->put_head =
        db_prepare(db, "INSERT INTO taut_heads VALUES(?1,?2) ON CONFLICT(workspace) DO UPDATE SET seq=excluded.seq");
    w->put_lsn = db_prepare(db, "UPDATE taut_meta SET value=?1 WHERE key='lsn'");
    w->get_claim = db_prepare(db, "SELECT claim FROM taut_events WHERE workspace=?1 AND seq=?2");
    return w->put_event && w->put_head && w->put_lsn && w->get_claim;
}

static int32_t load(struct writer *w, bool again) {
    TAUT_TRY(conn_open(&w->conn, w->store, true));
    sqlite3 *db = w->conn.db;
    if (again && sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) != SQLITE_OK) {
        db_log(w->store, db, "store_sync", "cannot bring the store back to a known state; will try again");
        return TAUT_E_IO;
    }
    TAUT_TRY(schema_open(&w->conn, w->claim_key));
    int rc = prepare_all(w) ? db_lsn(&w->conn, &w->lsn) : SQLITE_ERROR;
    w->lsn_saved = w->lsn;
    if (rc == SQLITE_OK) rc = read_heads(w);
    if (rc == SQLITE_DONE && !MUTANT(&w->store->faults, claims_in_memory)) rc = read_claims(w);
    if (rc == SQLITE_DONE && writer_begin(w) == SQLITE_OK) return TAUT_OK;
    db_log(w->store, db, "store_open", "cannot read the store");
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
    w->put_event = w->put_head = w->put_lsn = w->get_claim = NULL;
    conn_close(&w->conn);
    heads_fini(&w->heads);
    claims_fini(&w->claims);
    fold_fini(&w->fold);
    free(w->scratch);
    w->scratch = NULL;
    w->scratch_cap = 0;
}
