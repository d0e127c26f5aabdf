/* claim_rows.c - the claims on disk, so that a start reads as much as there are claims, whatever the log holds:
 * taut_claims(lsn, at, list) has one row for each group that made claims. Its list has ENTRY_BYTES for each: the 8
 * bytes of the hash, the seq in little endian. A row for each claim, or an index on the log's, costs the writer several
 * times as much. Rows are appended in commit order; the oldest are deleted when their 24 hours are over.
 */
#include "writer.h"

enum {
    ENTRY_BYTES = 16,
    PRUNE_EVERY_US = 60 * 1000000,
    PRUNE_ROWS = 256 /* of one group: a long list of old ones goes over many groups */
};
#define CLAIM_US (CLAIM_SECONDS * (int64_t)1000000)

const char claim_rows_table[] =
    "CREATE TABLE IF NOT EXISTS taut_claims(lsn INTEGER PRIMARY KEY, at INTEGER NOT NULL, list BLOB NOT NULL)";

static void put_entry(unsigned char *to, uint64_t hash, uint64_t seq) {
    memcpy(to, &hash, 8);
    for (int i = 0; i < 8; i++) to[8 + i] = (unsigned char)(seq >> (8 * i));
}

static struct claim get_entry(const unsigned char *from, int64_t at_us) {
    struct claim claim = {.at_s = at_us / 1000000};
    memcpy(&claim.hash, from, 8);
    for (int i = 0; i < 8; i++) claim.seq |= (uint64_t)from[8 + i] << (8 * i);
    return claim;
}

bool claim_rows_prepare(struct writer *w) {
    w->put_claims = db_prepare(w->conn.db, "INSERT INTO taut_claims VALUES(?1,?2,?3)");
    w->drop_claims = db_prepare(w->conn.db, "DELETE FROM taut_claims WHERE at<=?1 AND lsn IN "
                                            "(SELECT lsn FROM taut_claims ORDER BY lsn LIMIT ?2)");
    return w->put_claims && w->drop_claims;
}

static int prune(struct writer *w) {
    int64_t now_us = taut_mono_us(w->store->mod);
    if (now_us < w->prune_at_us) return SQLITE_OK;
    sqlite3_bind_int64(w->drop_claims, 1, w->now_us - CLAIM_US);
    sqlite3_bind_int(w->drop_claims, 2, PRUNE_ROWS);
    int rc = db_run(w->drop_claims);
    if (sqlite3_changes(w->conn.db) < PRUNE_ROWS) w->prune_at_us = now_us + PRUNE_EVERY_US;
    return rc;
}

int claim_rows_save(struct writer *w) {
    unsigned char list[GROUP_MAX * ENTRY_BYTES];
    uint32_t n = w->claims_added < w->claims.len ? w->claims_added : w->claims.len;
    if (!n) return SQLITE_OK;
    for (uint32_t i = 0; i < n; i++) {
        const struct claim *claim = claims_newest(&w->claims, n - 1 - i);
        put_entry(list + (size_t)i * ENTRY_BYTES, claim->hash, claim->seq);
    }
    sqlite3_bind_int64(w->put_claims, 1, (int64_t)w->lsn);
    sqlite3_bind_int64(w->put_claims, 2, w->now_us);
    sqlite3_bind_blob(w->put_claims, 3, list, (int)(n * ENTRY_BYTES), SQLITE_STATIC);
    int rc = db_run(w->put_claims);
    sqlite3_clear_bindings(w->put_claims);
    return rc == SQLITE_OK ? prune(w) : rc;
}

/* Newest first. False when there is no room for more. */
static bool remember_list(struct claims *c, const unsigned char *list, int bytes, int64_t at_us) {
    for (int i = bytes / ENTRY_BYTES - 1; i >= 0; i--) {
        struct claim claim = get_entry(list + (size_t)i * ENTRY_BYTES, at_us);
        if (!claims_add_older(c, &claim)) return false;
    }
    return true;
}

int claim_rows_load(struct writer *w) {
    int64_t since_us = taut_now_us(w->store->mod) - CLAIM_US;
    bool room = true;
    int rc;
    sqlite3_stmt *st = db_prepare(w->conn.db, "SELECT at, list FROM taut_claims ORDER BY lsn DESC");
    if (!st) return sqlite3_errcode(w->conn.db);
    while (room && (rc = sqlite3_step(st)) == SQLITE_ROW && sqlite3_column_int64(st, 0) > since_us) {
        const unsigned char *list = sqlite3_column_blob(st, 1);
        room = remember_list(&w->claims, list, sqlite3_column_bytes(st, 1), sqlite3_column_int64(st, 0));
    }
    sqlite3_finalize(st);
    if (!room && w->claims.len < w->claims.limit) return SQLITE_NOMEM;
    return rc == SQLITE_ROW ? SQLITE_DONE : rc;
}

/* ---- from format 1, which had the claims in the log alone ---- */

/* claim_entry(claim, seq) */
static void entry_of_event(sqlite3_context *ctx, int n, sqlite3_value **args) {
    unsigned char entry[ENTRY_BYTES];
    uint64_t hash;
    (void)n;
    if (sqlite3_value_bytes(args[0]) < (int)sizeof hash) return;
    memcpy(&hash, sqlite3_value_blob(args[0]), sizeof hash);
    put_entry(entry, hash, (uint64_t)sqlite3_value_int64(args[1]));
    sqlite3_result_blob(ctx, entry, sizeof entry, SQLITE_TRANSIENT);
}

/* Each claim had a commit of its own, so that their numbers from 1 do not reach those of commits to come. */
int claim_rows_from_log(struct conn *c) {
    int rc = sqlite3_create_function(c->db, "claim_entry", 2, SQLITE_UTF8, NULL, entry_of_event, NULL, NULL);
    if (rc != SQLITE_OK) return rc;
    sqlite3_stmt *st = db_prepare(
        c->db,
        "INSERT INTO taut_claims SELECT row_number() OVER (ORDER BY e.at, e.seq), e.at, claim_entry(e.claim, e.seq) "
        "FROM taut_heads h JOIN taut_events e ON e.workspace=h.workspace AND e.seq>ifnull((SELECT o.seq FROM "
        "taut_events o WHERE o.workspace=h.workspace AND o.at<=?1 ORDER BY o.seq DESC LIMIT 1),0) "
        "WHERE length(e.claim)>=8");
    if (!st) return sqlite3_errcode(c->db);
    sqlite3_bind_int64(st, 1, taut_now_us(c->store->mod) - CLAIM_US);
    rc = db_run(st);
    sqlite3_finalize(st);
    return rc;
}
