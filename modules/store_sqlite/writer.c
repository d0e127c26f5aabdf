/* writer.c - the writer thread: opens the store and says so, runs groups while there are any, checkpoints between them,
 * and heals after a failed sync. It is the only one that writes or checkpoints: SQLite before 3.51.3 can damage a log
 * that one connection checkpoints while another writes. */
#include "writer.h"

#include "reader.h"

enum {
    CHECKPOINT_BYTES = 16 << 20, /* of log, at which it is copied into the database */
    PAGE_BYTES = 4096,           /* SQLite's default, with which we create */
    FRAME_HEADER_BYTES = 24,
    HEAL_MS = 200 /* between two attempts */
};

int writer_begin(struct writer *w) {
    if (!sqlite3_get_autocommit(w->conn.db)) return SQLITE_OK;
    if (!w->conn.begin) w->conn.begin = db_prepare(w->conn.db, "BEGIN IMMEDIATE");
    return w->conn.begin ? db_run(w->conn.begin) : sqlite3_errcode(w->conn.db);
}

static int on_wal(void *arg, sqlite3 *db, const char *name, int pages) {
    struct writer *w = arg;
    (void)db;
    (void)name;
    uint64_t bytes = (uint64_t)pages * (PAGE_BYTES + FRAME_HEADER_BYTES);
    if (bytes < w->wal_bytes) w->checkpoint_at = CHECKPOINT_BYTES; /* it began anew */
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
    int rc = sqlite3_wal_checkpoint_v2(w->conn.db, NULL, hard ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE,
                                       NULL, NULL);
    w->checkpoint_at = w->wal_bytes + CHECKPOINT_BYTES;
    if (rc == SQLITE_OK && hard) {
        w->wal_bytes = 0;
        w->checkpoint_at = CHECKPOINT_BYTES;
    }
    if (rc == SQLITE_OK || (rc & 0xff) == SQLITE_BUSY || (rc & 0xff) == SQLITE_LOCKED) return;
    conn_log(&w->conn, "store_sync",
             "a checkpoint failed; nothing is acknowledged until the store has been "
             "opened anew");
    w->broken = true;
}

static void say_healed(struct writer *w) {
    struct store *s = w->store;
    if (!trouble_end(&s->trouble)) return;
    taut_log(s->mod, TAUT_LOG_WARN, "store_healed", "%s: the store works again; its last commit is %llu", s->path,
             (unsigned long long)w->lsn);
}

static void heal(struct writer *w) {
    writer_unload(w);
    if (writer_load(w, true) < 0) return;
    sqlite3_wal_hook(w->conn.db, on_wal, w);
    w->wal_bytes = 0;
    w->checkpoint_at = CHECKPOINT_BYTES;
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
        uint32_t n = write_queue_take(&w->store->writes, w->jobs, GROUP_MAX, w->broken ? HEAL_MS : 0, &closed);
        if (w->broken) {
            refuse_jobs(w, n);
            if (taut_mono_us(w->store->mod) < heal_at) continue;
            heal(w);
            heal_at = taut_mono_us(w->store->mod) + HEAL_MS * 1000;
            continue;
        }
        if (n) group_run(w, n);
        if (!w->broken) checkpoint(w);
        if (!w->broken) writer_begin(w);
    }
}

static int32_t open_all(struct writer *w) {
    TAUT_TRY(writer_load(w, false));
    sqlite3_wal_hook(w->conn.db, on_wal, w);
    w->checkpoint_at = CHECKPOINT_BYTES;
    int32_t err = readers_start(w->store);
    if (err < 0) writer_unload(w);
    return err;
}

static void close_all(struct writer *w) {
    readers_stop(w->store);
    if (w->conn.db) {
        if (!sqlite3_get_autocommit(w->conn.db)) db_exec(w->conn.db, "ROLLBACK");
        if (sqlite3_wal_checkpoint_v2(w->conn.db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) != SQLITE_OK)
            conn_log(&w->conn, "store_close", "cannot checkpoint; the next start will");
    }
    writer_unload(w);
}

/* Lets the hub join this thread. Who waited for the end of the store is to be told. */
static struct ring shut(struct store *s) {
    pthread_mutex_lock(&s->writes.lock);
    struct ring closers = s->closers;
    s->closers = (struct ring){.elem = sizeof(taut_op)};
    s->writes.open = false;
    pthread_cond_broadcast(&s->writes.ready);
    pthread_mutex_unlock(&s->writes.lock);
    return closers;
}

static void tell_closers(struct taut_mod *mod, struct ring *closers) {
    taut_op op;
    while (ring_pop(closers, &op)) taut_op_complete(mod, op, TAUT_OK, NULL, NULL);
    free(closers->items);
}

static void run_until_closed(struct writer *w, struct taut_open_result *opened) {
    struct store *s = w->store;
    opened->lsn = w->lsn;
    taut_op_complete(s->mod, s->open_op, TAUT_OK, opened, free);
    run(w);
    close_all(w);
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
        err = open_all(w);
    }
    if (err == TAUT_OK) run_until_closed(w, opened);
    else free(opened);
    free(w);
    struct ring closers = shut(s);
    if (err < 0) taut_op_complete(mod, open_op, err, NULL, NULL);
    tell_closers(mod, &closers);
    return NULL;
}
