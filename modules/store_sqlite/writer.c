/* writer.c - the writer thread: opens the store and says so, runs groups while there are any, checkpoints between them,
 * and heals after a failed sync. It is the only one that writes or checkpoints: SQLite before 3.51.3 can damage a log
 * that one connection checkpoints while another writes. */
#include "writer.h"

#include "fault.h"
#include "reader.h"

enum {
    CHECKPOINT_SHARE = 4, /* of wal_limit: the log's size at which it is copied into the database */
    FRAME_HEADER_BYTES = 24,
    HEAL_MS = 200 /* between two attempts */
};

int writer_begin(struct writer *w) {
    if (!sqlite3_get_autocommit(w->conn.db)) return SQLITE_OK;
    if (!w->conn.begin) w->conn.begin = db_prepare(w->conn.db, "BEGIN IMMEDIATE");
    return w->conn.begin ? db_run(w->conn.begin) : sqlite3_errcode(w->conn.db);
}

static uint64_t checkpoint_bytes(const struct writer *w) {
    return (uint64_t)w->store->opt->wal_limit / CHECKPOINT_SHARE;
}

static int on_wal(void *arg, sqlite3 *db, const char *name, int pages) {
    struct writer *w = arg;
    (void)db;
    (void)name;
    uint64_t bytes = (uint64_t)pages * (PAGE_BYTES + FRAME_HEADER_BYTES);
    if (bytes < w->wal_bytes) w->checkpoint_at = checkpoint_bytes(w); /* it began anew */
    w->wal_bytes = bytes;
    return SQLITE_OK;
}

/* Readers are short, so a passive checkpoint mostly gets all of the log, and the next commit starts it anew. When it
 * does not, it is tried again after as much more. At the hard bound the writer waits for the readers. */
static void checkpoint(struct writer *w) {
    bool hard = w->wal_bytes >= (uint64_t)w->store->opt->wal_limit;
    taut_count(w->store->mod, METRIC_WAL_BYTES, (int64_t)w->wal_bytes);
    if (!hard && w->wal_bytes < w->checkpoint_at) return;
    if (!sqlite3_get_autocommit(w->conn.db)) return;
    if (MUTANT(&w->store->faults, unsynced_checkpoint)) db_exec(w->conn.db, "PRAGMA synchronous=OFF");
    int rc = sqlite3_wal_checkpoint_v2(w->conn.db, NULL, hard ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE,
                                       NULL, NULL);
    if (MUTANT(&w->store->faults, unsynced_checkpoint)) db_exec(w->conn.db, "PRAGMA synchronous=FULL");
    w->checkpoint_at = w->wal_bytes + checkpoint_bytes(w);
    if (rc == SQLITE_OK && hard) {
        w->wal_bytes = 0;
        w->checkpoint_at = checkpoint_bytes(w);
    }
    if (rc == SQLITE_OK || (rc & 0xff) == SQLITE_BUSY || (rc & 0xff) == SQLITE_LOCKED) return;
    conn_log(&w->conn, "store_sync",
             "a checkpoint failed; nothing is acknowledged until the store has been "
             "opened anew");
    w->broken = true;
}

static void say_healed(struct writer *w) {
    struct store *s = w->store;
    condition_healed(w);
    if (!trouble_end(&s->trouble)) return;
    taut_log(s->mod, TAUT_LOG_WARN, "store_healed", "%s: the store works again; its last commit is %llu", s->path,
             (unsigned long long)w->lsn);
}

static void heal(struct writer *w) {
    if (!identity_holds(w)) return;
    backup_give_up(w);
    writer_unload(w);
    if (writer_load(w, true) < 0) return;
    sqlite3_wal_hook(w->conn.db, on_wal, w);
    w->wal_bytes = 0;
    w->checkpoint_at = checkpoint_bytes(w);
    w->broken = false;
    say_healed(w);
}

static void refuse_jobs(struct writer *w, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) commit_refuse(w->store->mod, w->jobs[i].op, TAUT_E_UNAVAILABLE, w->conn.cause);
}

static void run(struct writer *w) {
    bool closed = false;
    int64_t heal_at = 0;
    while (!closed) {
        if (w->broken) condition_broken(w);
        uint32_t wait_ms = w->broken ? HEAL_MS : sweep_wait_ms(w);
        uint32_t n = write_queue_take(&w->store->writes, w->jobs, GROUP_MAX, wait_ms, &closed);
        if (w->broken) {
            refuse_jobs(w, n);
            if (taut_mono_us(w->store->mod) < heal_at) continue;
            heal(w);
            if (w->broken) backup_refuse(w);
            heal_at = taut_mono_us(w->store->mod) + HEAL_MS * 1000;
            continue;
        }
        if (n < GROUP_MAX) condition_at_ease(w->store);
        if (n) group_run(w, n);
        if (!w->broken && !closed) sweep_run(w, n == 0);
        if (!w->broken) checkpoint(w);
        if (!w->broken) backup_step(w);
        if (!w->broken) writer_begin(w);
    }
}

static int32_t open_all(struct writer *w) {
    TAUT_TRY(writer_load(w, false));
    sqlite3_wal_hook(w->conn.db, on_wal, w);
    w->checkpoint_at = checkpoint_bytes(w);
    int32_t err = readers_start(w->store);
    if (err < 0) writer_unload(w);
    return err;
}

static void close_all(struct writer *w) {
    backup_stop(w);
    readers_stop(w->store);
    if (w->conn.db) {
        if (!sqlite3_get_autocommit(w->conn.db)) db_exec(w->conn.db, "ROLLBACK");
        if (sqlite3_wal_checkpoint_v2(w->conn.db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) != SQLITE_OK)
            conn_log(&w->conn, "store_close", "cannot checkpoint; the next start will");
    }
    writer_unload(w);
}

static void run_until_closed(struct writer *w, struct taut_open_result *opened) {
    struct store *s = w->store;
    *opened = (struct taut_open_result){.size = sizeof *opened, .lsn = w->lsn};
    backup_allow(s);
    taut_op_complete(s->mod, s->open_op, TAUT_OK, opened, free);
    run(w);
    close_all(w);
}

/* Of a store that did not open. */
static const char *refusal(const struct store *s, const struct writer *w) {
    if (!w) return "out of memory";
    if (*s->refusal) return s->refusal;
    return w->conn.cause ? w->conn.cause : "the log says why";
}

void *writer_main(void *arg) {
    struct store *s = arg;
    struct taut_mod *mod = s->mod;
    taut_op open_op = s->open_op;
    struct writer *w = calloc(1, sizeof *w);
    struct taut_open_result *opened = malloc(sizeof *opened);
    int32_t err = TAUT_E_NOMEM;
    if (w && opened) {
        w->store = s;
        *s->refusal = 0;
        err = open_all(w);
    }
    char why[REFUSAL_MAX];
    if (err < 0) snprintf(why, sizeof why, "%s", refusal(s, w));
    if (err == TAUT_OK) run_until_closed(w, opened);
    else free(opened);
    free(w);
    struct ring closers = store_shut(s);
    if (err < 0) copy_answer(mod, open_op, err, why);
    store_tell_closers(mod, &closers);
    return NULL;
}
