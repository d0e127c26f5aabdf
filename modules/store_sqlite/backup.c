/* backup.c - see backup.h. */
#include "backup.h"

#include <errno.h>
#include <unistd.h>

#include "writer.h"

enum {
    STEP_PAGES = 64,      /* of 4 KiB: a fraction of a millisecond of the writer's time */
    SYNC_BYTES = 4 << 20, /* copied and not synced: what a later sync of the log may have to wait for */
    RESTARTS_MAX = 8      /* SQLite begins anew when a group is taken back */
};

/* ---- turns ---- */

static void set_turn(struct backup *b, enum backup_turn turn) {
    pthread_mutex_lock(&b->lock);
    b->turn = turn;
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
}

static enum backup_turn turn_of(struct backup *b) {
    pthread_mutex_lock(&b->lock);
    enum backup_turn turn = b->turn;
    pthread_mutex_unlock(&b->lock);
    return turn;
}

static bool is_cancelled(struct backup *b) {
    pthread_mutex_lock(&b->lock);
    bool cancelled = b->cancelled;
    pthread_mutex_unlock(&b->lock);
    return cancelled;
}

/* To the writer, until it has something for us. */
static enum backup_turn hand_over(struct store *s) {
    struct backup *b = &s->backup;
    pthread_mutex_lock(&b->lock);
    b->turn = b->cancelled && !b->pages ? TURN_THREAD : TURN_WRITER;
    write_queue_nudge(&s->writes);
    while (b->turn == TURN_WRITER) pthread_cond_wait(&b->changed, &b->lock);
    enum backup_turn turn = b->turn;
    pthread_mutex_unlock(&b->lock);
    return turn;
}

/* ---- the writer's part ---- */

static void end_pages(struct backup *b) {
    if (b->pages) sqlite3_backup_finish(b->pages);
    b->pages = NULL;
}

/* what: NULL when that is known. */
static void fail_pages(struct backup *b, const char *what) {
    pthread_mutex_lock(&b->lock);
    end_pages(b); /* gives its error to the copy's connection */
    if (what) copy_fail_pages(&b->copy, b->copy.db, what, b->total);
    b->cancelled = true;
    b->turn = TURN_THREAD;
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
}

/* False when it has begun anew too often. */
static bool note_progress(struct backup *b) {
    int total = sqlite3_backup_pagecount(b->pages), done = total - sqlite3_backup_remaining(b->pages);
    b->restarts += done < b->done_pages;
    b->done_pages = done;
    pthread_mutex_lock(&b->lock);
    b->done = (uint64_t)done * PAGE_BYTES;
    b->total = (uint64_t)total * PAGE_BYTES;
    pthread_mutex_unlock(&b->lock);
    return b->restarts <= RESTARTS_MAX;
}

/* A step is no write, and SQLite refuses it while its own connection has begun one. */
static void copy_pages(struct writer *w) {
    struct backup *b = &w->store->backup;
    if (is_cancelled(b)) {
        fail_pages(b, NULL);
        return;
    }
    if (!sqlite3_get_autocommit(w->conn.db)) db_exec(w->conn.db, "ROLLBACK");
    if (!b->pages) b->pages = sqlite3_backup_init(b->copy.db, "main", w->conn.db, "main");
    int rc = b->pages ? sqlite3_backup_step(b->pages, STEP_PAGES) : SQLITE_ERROR;
    if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED) return; /* somebody looks at the file with a lock of their own */
    if (rc != SQLITE_OK && rc != SQLITE_DONE) {
        fail_pages(b, "cannot copy the store");
        return;
    }
    if (!note_progress(b)) {
        copy_fail(&b->copy, TAUT_E_UNAVAILABLE, "the copy had to begin anew too often; try again when less is written");
        fail_pages(b, NULL);
        return;
    }
    b->unsynced += (uint64_t)STEP_PAGES * PAGE_BYTES;
    if (rc == SQLITE_DONE) {
        b->lsn = w->lsn;
        end_pages(b);
        set_turn(b, TURN_THREAD);
    } else if (b->unsynced >= SYNC_BYTES) {
        b->unsynced = 0;
        set_turn(b, TURN_SYNC);
    }
}

void backup_step(struct writer *w) {
    struct backup *b = &w->store->backup;
    if (turn_of(b) != TURN_WRITER) return;
    if (write_queue_is_closing(&w->store->writes)) return; /* backup_stop comes */
    copy_pages(w);
    if (turn_of(b) == TURN_WRITER) write_queue_nudge(&w->store->writes); /* goes on as soon as nobody waits */
}

/* Ends the copying, if there is any; `all`: whatever else is under way too. */
static void cancel(struct backup *b, bool all, const char *why) {
    pthread_mutex_lock(&b->lock);
    bool concerned = b->pages || (all && b->turn != TURN_NONE);
    end_pages(b);
    if (concerned && !b->cancelled) {
        b->cancelled = true;
        snprintf(b->cancel_why, sizeof b->cancel_why, "%s", why);
    }
    if (concerned && b->turn == TURN_WRITER) b->turn = TURN_THREAD;
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
}

void backup_give_up(struct writer *w) {
    cancel(&w->store->backup, false, "the store had to be opened anew after a failure; try again");
}

void backup_refuse(struct writer *w) {
    char why[BACKUP_CANCEL_MAX];
    if (turn_of(&w->store->backup) != TURN_WRITER) return;
    snprintf(why, sizeof why, "the store takes nothing at the moment (%s); try again when it does",
             w->conn.cause ? w->conn.cause : "the cause is not known");
    cancel(&w->store->backup, true, why);
}

void backup_allow(struct store *s) {
    pthread_mutex_lock(&s->backup.lock);
    s->backup.open = true;
    pthread_mutex_unlock(&s->backup.lock);
}

static void join_thread(struct backup *b) {
    if (b->has_thread) pthread_join(b->thread, NULL);
    b->has_thread = false;
}

void backup_stop(struct writer *w) {
    struct backup *b = &w->store->backup;
    pthread_mutex_lock(&b->lock);
    b->open = false;
    pthread_mutex_unlock(&b->lock);
    cancel(b, true, "the server stops; there is no backup");
    join_thread(b);
}

/* ---- the thread's part ---- */

static int is_over(void *backup) {
    return is_cancelled(backup);
}

/* The pages that the writer has copied so far reach the disk. */
static void sync_copied(struct backup *b) {
    if (fdatasync(b->copy.file.fd) == 0) return;
    const char *cause = trouble_cause_of_errno(errno);
    pthread_mutex_lock(&b->lock);
    if (!b->cancelled) copy_fail(&b->copy, TAUT_E_IO, "cannot sync the copy: %s", cause ? cause : "disk error");
    b->cancelled = true;
    pthread_mutex_unlock(&b->lock);
}

static int32_t make(struct store *s, const char *path) {
    struct backup *b = &s->backup;
    char sql[96];
    TAUT_TRY(copy_begin(&b->copy, path));
    while (hand_over(s) == TURN_SYNC) sync_copied(b);
    if (is_cancelled(b)) return TAUT_E_UNAVAILABLE;
    snprintf(sql, sizeof sql, "INSERT OR REPLACE INTO taut_meta VALUES('backup',%lld)", (long long)taut_now_us(s->mod));
    TAUT_TRY(copy_settle(&b->copy, sql));
    return copy_publish(&b->copy);
}

static void *backup_main(void *store) {
    struct store *s = store;
    struct backup *b = &s->backup;
    struct taut_mod *mod = s->mod;
    taut_op op = b->op;
    char text[COPY_WHY_MAX];
    int32_t err = make(s, b->path);
    if (err == TAUT_OK)
        snprintf(text, sizeof text, "the store as of its commit %llu, %llu bytes", (unsigned long long)b->lsn,
                 (unsigned long long)b->total);
    copy_end(&b->copy);
    pthread_mutex_lock(&b->lock);
    if (err < 0 && *b->cancel_why) err = TAUT_E_UNAVAILABLE;
    if (err < 0) snprintf(text, sizeof text, "%s", *b->cancel_why ? b->cancel_why : b->copy.why);
    b->turn = TURN_NONE;
    pthread_mutex_unlock(&b->lock);
    const char *named = strstr(text, b->path) ? NULL : b->path;
    taut_log(mod, err < 0 ? TAUT_LOG_ERROR : TAUT_LOG_INFO, "store_backup", "%s%s%s", named ? named : "",
             named ? ": " : "", text);
    copy_answer(mod, op, err, text);
    return NULL;
}

/* ---- the hub's part ---- */

void backup_init(struct backup *b) {
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->changed, NULL);
}

void backup_fini(struct backup *b) {
    pthread_cond_destroy(&b->changed);
    pthread_mutex_destroy(&b->lock);
    free(b->path);
}

void backup_look(struct backup *b, uint64_t *done, uint64_t *total) {
    pthread_mutex_lock(&b->lock);
    *done = b->turn == TURN_NONE ? 0 : b->done;
    *total = b->turn == TURN_NONE ? 0 : b->total;
    pthread_mutex_unlock(&b->lock);
}

/* Under the lock. False: why says why there can be none now. */
static bool start(struct store *s, taut_str file, taut_op op, char why[COPY_WHY_MAX]) {
    struct backup *b = &s->backup;
    *why = 0;
    if (!b->open) snprintf(why, COPY_WHY_MAX, "the store is not open");
    else if (b->turn != TURN_NONE) snprintf(why, COPY_WHY_MAX, "another backup is being made, to %s", b->path);
    if (*why) return false;
    join_thread(b); /* it has answered */
    free(b->path);
    b->path = strndup(file.ptr, file.len);
    b->op = op;
    b->copy = (struct copy){.file.fd = -1, .stop = is_over, .stop_arg = b};
    b->cancelled = false;
    *b->cancel_why = 0;
    b->done = b->total = b->unsynced = b->lsn = 0;
    b->restarts = 0;
    b->done_pages = 0;
    b->has_thread = b->path && pthread_create(&b->thread, NULL, backup_main, s) == 0;
    if (b->has_thread) b->turn = TURN_THREAD;
    else snprintf(why, COPY_WHY_MAX, "out of memory");
    return b->has_thread;
}

void backup_begin(struct store *s, taut_str file, taut_op op) {
    char why[COPY_WHY_MAX];
    pthread_mutex_lock(&s->backup.lock);
    bool started = start(s, file, op, why);
    pthread_mutex_unlock(&s->backup.lock);
    if (!started) copy_answer(s->mod, op, TAUT_E_UNAVAILABLE, why);
}
