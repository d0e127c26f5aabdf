/* reader.c - see reader.h. A snapshot begins after its jobs were taken, so it holds everything that was reported
 * durable before they were asked. Gets that queued up share one. */
#include "reader.h"

enum { JOBS_MAX = 16 };

static sqlite3_stmt *cached(struct conn *c, sqlite3_stmt **st, const char *sql) {
    if (!*st) *st = db_prepare(c->db, sql);
    return *st;
}

/* The snapshot begins with the read of its commit number. */
static int snapshot_begin(struct conn *c, uint64_t *as_of) {
    sqlite3_stmt *st = cached(c, &c->begin, "BEGIN");
    int rc = st ? db_run(st) : sqlite3_errcode(c->db);
    return rc == SQLITE_OK ? db_lsn(c, as_of) : rc;
}

static void snapshot_end(struct conn *c) {
    sqlite3_stmt *st = cached(c, &c->commit, "COMMIT");
    if (!sqlite3_get_autocommit(c->db) && (!st || db_run(st) != SQLITE_OK)) db_exec(c->db, "ROLLBACK");
}

static void *reader_main(void *arg) {
    struct reader *r = arg;
    struct taut_mod *mod = r->store->mod;
    struct read_job jobs[JOBS_MAX];
    struct taut_completion answers[JOBS_MAX];
    uint32_t n;
    while ((n = read_queue_take(&r->store->reads, jobs, JOBS_MAX, r->store->nreaders))) {
        uint64_t as_of = 0;
        int rc = snapshot_begin(&r->conn, &as_of);
        if (rc != SQLITE_OK) conn_log(&r->conn, "store_read", "cannot begin a snapshot");
        bool failed = rc != SQLITE_OK;
        for (uint32_t i = 0; i < n; i++) {
            void *result = NULL;
            int32_t status = TAUT_E_IO;
            if (rc == SQLITE_OK) status = read_run(r, &jobs[i], as_of, &result);
            failed |= status == TAUT_E_IO;
            answers[i] = (struct taut_completion){jobs[i].op, status, 0, result, result ? free : NULL};
        }
        snapshot_end(&r->conn);
        condition_read(r->store, failed, r->conn.cause);
        mod->host->ops_complete(mod, answers, n);
    }
    return NULL;
}

int32_t readers_start(struct store *s) {
    s->nreaders = (uint32_t)s->opt->readers;
    s->readers = calloc(s->nreaders, sizeof *s->readers);
    if (!s->readers) return TAUT_E_NOMEM;
    pthread_mutex_lock(&s->reads.lock);
    s->reads.open = true;
    pthread_mutex_unlock(&s->reads.lock);
    for (uint32_t i = 0; i < s->nreaders; i++) {
        struct reader *r = &s->readers[i];
        r->store = s;
        int32_t err = conn_open(&r->conn, s, false);
        if (err == TAUT_OK && pthread_create(&r->thread, NULL, reader_main, r) != 0) err = TAUT_E_NOMEM;
        r->started = err == TAUT_OK;
        if (err < 0) {
            readers_stop(s);
            return err;
        }
    }
    return TAUT_OK;
}

void readers_stop(struct store *s) {
    read_queue_close(&s->reads);
    for (uint32_t i = 0; i < s->nreaders; i++) {
        struct reader *r = &s->readers[i];
        if (r->started) pthread_join(r->thread, NULL);
        sqlite3_finalize(r->events);
        sqlite3_finalize(r->logs);
        sqlite3_finalize(r->cursors);
        conn_close(&r->conn);
        build_free(&r->build);
    }
    free(s->readers);
    s->readers = NULL;
    s->nreaders = 0;
}
