/* trim.c - deletes what the logs were trimmed of. A trim itself is one number in its batch's transaction: where the log
 * begins. From then on no reader sees what is below; the rows go later, slice by slice, each slice a transaction of its
 * own between two groups: when nobody waits, or at every eighth group, lest a busy store keeps them for ever. What a
 * crash or a close leaves is found by the next start.
 *
 * An event that made a claim keeps its row, emptied of all but the claim, until the claim's 24 hours are over.
 */
#include "writer.h"

enum {
    SLICE = 1000, /* events: some milliseconds of the writer */
    EVERY_GROUPS = 8,
    PAUSE_MS = 1 /* between two slices of an idle store */
};
#define LOOK_AGAIN_US (3600 * (int64_t)1000000) /* for claims that have ended meanwhile */
#define RETRY_US (60 * (int64_t)1000000)
#define SWEEP_NEVER INT64_MAX

bool sweep_prepare(struct writer *w) {
    struct sweep *s = &w->sweep;
    sqlite3 *db = w->conn.db;
    *s = (struct sweep){
        .lowest = db_prepare(db, "SELECT seq FROM taut_events WHERE workspace=?1 AND seq>=?2 ORDER BY seq LIMIT 1"),
        .drop = db_prepare(db, "DELETE FROM taut_events WHERE workspace=?1 AND seq>=?2 AND seq<?3 "
                               "AND (claim IS NULL OR at<=?4)"),
        .strip = db_prepare(db, "UPDATE taut_events SET topics=NULL, deltas=NULL, skip=NULL, body=NULL "
                                "WHERE workspace=?1 AND seq>=?2 AND seq<?3 "
                                "AND (topics IS NOT NULL OR deltas IS NOT NULL OR body IS NOT NULL)"),
        .left = db_prepare(db, "SELECT 1 FROM taut_events WHERE workspace=?1 AND seq>=?2 AND seq<?3 LIMIT 1")};
    return s->lowest && s->drop && s->strip && s->left;
}

void sweep_unprepare(struct writer *w) {
    sqlite3_finalize(w->sweep.lowest);
    sqlite3_finalize(w->sweep.drop);
    sqlite3_finalize(w->sweep.strip);
    sqlite3_finalize(w->sweep.left);
    w->sweep = (struct sweep){0};
}

void sweep_soon(struct writer *w) {
    w->sweep.at_us = 0;
}

uint32_t sweep_wait_ms(struct writer *w) {
    if (w->sweep.at_us == SWEEP_NEVER) return 0;
    int64_t ms = (w->sweep.at_us - taut_mono_us(w->store->mod)) / 1000;
    return ms > PAUSE_MS ? (uint32_t)ms : PAUSE_MS;
}

/* ---- one slice ---- */

static void bind_range(sqlite3_stmt *st, const struct head *h, uint64_t from, uint64_t to) {
    bind_str(st, 1, taut_str_n(h->workspace, h->len));
    sqlite3_bind_int64(st, 2, (int64_t)from);
    if (to) sqlite3_bind_int64(st, 3, (int64_t)to);
}

/* The first column of the first row, or 0. */
static int read_number(sqlite3_stmt *st, uint64_t *n) {
    int rc = sqlite3_step(st);
    *n = rc == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(st, 0) : 0;
    int reset = sqlite3_reset(st);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? reset : rc;
}

static int delete_range(struct writer *w, struct head *h, uint64_t from, uint64_t to) {
    struct sweep *s = &w->sweep;
    uint64_t left = 0;
    bind_range(s->drop, h, from, to);
    sqlite3_bind_int64(s->drop, 4, taut_now_us(w->store->mod) - CLAIM_SECONDS * (int64_t)1000000);
    int rc = db_run(s->drop);
    bind_range(s->left, h, from, to);
    if (rc == SQLITE_OK) rc = read_number(s->left, &left);
    if (rc != SQLITE_OK || !left) return rc;
    if (!h->again_us) h->again_us = taut_mono_us(w->store->mod) + LOOK_AGAIN_US;
    bind_range(s->strip, h, from, to);
    return db_run(s->strip);
}

/* Moves h->swept on by one slice. */
static int sweep_log(struct writer *w, struct head *h) {
    uint64_t from;
    bind_range(w->sweep.lowest, h, h->swept, 0);
    int rc = read_number(w->sweep.lowest, &from);
    if (rc != SQLITE_OK) return rc;
    if (!from || from >= h->saved.first) {
        h->swept = h->saved.first;
        return SQLITE_OK;
    }
    uint64_t to = from + SLICE < h->saved.first ? from + SLICE : h->saved.first;
    rc = delete_range(w, h, from, to);
    if (rc == SQLITE_OK) h->swept = to;
    return rc;
}

static struct head *next_log(struct writer *w, int64_t now_us) {
    for (uint32_t i = 0; i < w->heads.cap; i++) {
        struct head *h = w->heads.slots[i];
        if (!h || h->saved.first <= 1) continue;
        if (h->again_us && h->again_us <= now_us) {
            h->again_us = 0;
            h->swept = 0;
        }
        if (h->swept < h->saved.first) return h;
    }
    return NULL;
}

/* All is swept. */
static void rest(struct writer *w) {
    w->sweep.at_us = SWEEP_NEVER;
    for (uint32_t i = 0; i < w->heads.cap; i++) {
        const struct head *h = w->heads.slots[i];
        if (h && h->again_us && h->again_us < w->sweep.at_us) w->sweep.at_us = h->again_us;
    }
}

static void fail(struct writer *w, int64_t now_us, const char *what) {
    conn_log(&w->conn, "store_trim", what);
    db_exec(w->conn.db, "ROLLBACK");
    w->sweep.at_us = now_us + RETRY_US;
}

static bool is_due(struct writer *w, bool idle, int64_t now_us) {
    if (w->sweep.at_us > now_us) return false;
    return idle || ++w->sweep.groups_since >= EVERY_GROUPS;
}

/* A COMMIT that fails leaves the connection as one of a group does: its state is not known. */
void sweep_run(struct writer *w, bool idle) {
    int64_t now_us = taut_mono_us(w->store->mod);
    if (!is_due(w, idle, now_us)) return;
    w->sweep.groups_since = 0;
    struct head *h = next_log(w, now_us);
    if (!h) {
        rest(w);
        return;
    }
    uint64_t before = h->swept;
    if (writer_begin(w) != SQLITE_OK || sweep_log(w, h) != SQLITE_OK) {
        h->swept = before;
        fail(w, now_us, "cannot delete what the log was trimmed of; will try again");
        return;
    }
    if (db_exec(w->conn.db, "COMMIT") == SQLITE_OK) return;
    fail(w, now_us,
         "cannot delete what the log was trimmed of; nothing is acknowledged until the store has been opened anew");
    w->broken = true;
}
