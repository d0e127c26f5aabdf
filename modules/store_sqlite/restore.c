/* restore.c - see restore.h.
 *
 * After a restore the store is older than what its readers have seen: they hold positions behind its last seq, and the
 * same numbers must not come to mean other events. So the logs begin anew at a number behind all that were ever given:
 * the second of the restore times 2^20. It is behind those that the lost store gave, for they count events from 1 or
 * from an earlier restore, and nobody writes a million events a second; and behind those of a store that was restored
 * from the same backup before. Every position of before is thus told TAUT_E_GAP, once, and its reader reads the rows
 * again. What the logs held goes as if it had been trimmed: claims stay.
 */
#include "restore.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "copy.h"
#include "schema.h"

enum { STEP_PAGES = 256, SECOND_BITS = 20, LEAP_BITS = 40 };

static const char *const ends[] = {"", "-wal", "-journal"};

/* A log without its store is one that somebody has moved halfway; SQLite would put it into the restored one. */
static int32_t check_place(struct store *s, struct copy *c) {
    struct stat st;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char *path = sqlite3_mprintf("%s%s", s->path, ends[i]);
        bool there = !path || lstat(path, &st) == 0;
        int32_t err = there ? copy_fail(c, TAUT_E_EXISTS,
                                        "there is a store already: %s; nothing was changed. Move it away first, with "
                                        "its -wal and -shm, and do not throw it away before the restored one is seen "
                                        "to be good",
                                        path ? path : s->path)
                            : TAUT_OK;
        sqlite3_free(path);
        TAUT_TRY(err);
    }
    return TAUT_OK;
}

/* ---- the file that was given ---- */

static int read_number(sqlite3 *db, const char *sql, int64_t *n) {
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) *n = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return rc;
}

static int32_t cannot_read(struct copy *c, sqlite3 *from) {
    return copy_fail(c, TAUT_E_IO, "cannot read %s: %s; nothing was changed", sqlite3_db_filename(from, NULL),
                     trouble_cause(from));
}

static int32_t check_format(struct copy *c, sqlite3 *from, const char *file) {
    int64_t format = 0;
    int rc = read_number(from, "SELECT value FROM taut_meta WHERE key='format'", &format);
    if (rc == SQLITE_NOTADB || rc == SQLITE_ERROR || rc == SQLITE_DONE || (rc == SQLITE_ROW && format < 1))
        return copy_fail(c, TAUT_E_INVAL, "%s is no store of Taut", file);
    if (rc != SQLITE_ROW) return cannot_read(c, from);
    if (format <= FORMAT) return TAUT_OK;
    return copy_fail(c, TAUT_E_INVAL,
                     "%s was written by a newer Taut (format %lld; this one knows up to %d): run the newer version",
                     file, (long long)format, FORMAT);
}

/* Of a store that runs, or was killed: what was in the log beside it is not in the file. To open it would put another
 * one there. */
static bool has_log(const char *file) {
    enum { READ_VERSION_AT = 19, VERSION_WAL = 2 };
    unsigned char version = 0;
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool is_wal = fd >= 0 && pread(fd, &version, 1, READ_VERSION_AT) == 1 && version == VERSION_WAL;
    if (fd >= 0) close(fd);
    return is_wal;
}

static int32_t refuse_raw(struct copy *c, const char *file) {
    return copy_fail(c, TAUT_E_INVAL,
                     "%s was not made by `taut backup`: what was in its -wal is not in it; start a server on it and "
                     "back that up",
                     file);
}

static int32_t check_backup(struct copy *c, sqlite3 *from, const char *file) {
    int64_t made = 0;
    int rc = read_number(from, "SELECT value FROM taut_meta WHERE key='backup'", &made);
    if (rc == SQLITE_ROW) return TAUT_OK;
    if (rc != SQLITE_DONE) return cannot_read(c, from);
    return refuse_raw(c, file);
}

static int32_t open_source(struct copy *c, const char *file, sqlite3 **from) {
    if (has_log(file)) return refuse_raw(c, file);
    int rc = sqlite3_open_v2(file, from, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK) {
        const char *cause = trouble_cause(*from);
        return copy_fail(c, TAUT_E_IO, "cannot open %s: %s", file, cause);
    }
    TAUT_TRY(check_format(c, *from, file));
    return check_backup(c, *from, file);
}

/* ---- the copy ---- */

static bool is_closing(struct store *s) {
    pthread_mutex_lock(&s->writes.lock);
    bool closing = s->restore.ended;
    pthread_mutex_unlock(&s->writes.lock);
    return closing;
}

static int stop_check(void *store) {
    return is_closing(store);
}

static void note(struct store *s, uint64_t done, uint64_t total) {
    pthread_mutex_lock(&s->writes.lock);
    s->restore.done = done * PAGE_BYTES;
    s->restore.total = total * PAGE_BYTES;
    pthread_mutex_unlock(&s->writes.lock);
}

static int32_t copy_pages(struct store *s, struct copy *c, sqlite3 *from) {
    sqlite3_backup *pages = sqlite3_backup_init(c->db, "main", from, "main");
    int rc = pages ? SQLITE_OK : SQLITE_ERROR;
    while (rc == SQLITE_OK && !is_closing(s)) {
        rc = sqlite3_backup_step(pages, STEP_PAGES);
        uint64_t total = (uint64_t)sqlite3_backup_pagecount(pages);
        note(s, total - (uint64_t)sqlite3_backup_remaining(pages), total);
    }
    if (pages) sqlite3_backup_finish(pages);
    if (rc == SQLITE_DONE) return TAUT_OK;
    if (rc == SQLITE_OK) return copy_fail(c, TAUT_E_UNAVAILABLE, "it was ended");
    return copy_fail_pages(c, c->db, "cannot copy the backup", s->restore.total);
}

/* What root restores is for the user whose directory it is. */
static int32_t give_to_owner(struct copy *c) {
    struct stat st;
    char *slash = strrchr(c->file.path, '/');
    if (geteuid() != 0) return TAUT_OK;
    char *folder = slash ? strndup(c->file.path, slash == c->file.path ? 1 : (size_t)(slash - c->file.path)) : NULL;
    int err = stat(folder ? folder : ".", &st) == 0 && fchown(c->file.fd, st.st_uid, st.st_gid) == 0 ? 0 : errno;
    free(folder);
    return err ? copy_fail(c, TAUT_E_IO, "cannot give %s to the owner of its directory: %s", c->file.path,
                           strerror(err))
               : TAUT_OK;
}

/* Where the logs are to begin. */
static int32_t choose_base(struct store *s, struct copy *c, sqlite3 *from, int64_t *base) {
    int64_t last = 0, before = 0;
    int rc = read_number(from, "SELECT ifnull(max(seq), 0) FROM taut_heads", &last);
    if (rc == SQLITE_ROW) rc = read_number(from, "SELECT value FROM taut_meta WHERE key='seq_base'", &before);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) return cannot_read(c, from);
    *base = taut_now_us(s->mod) / 1000000 << SECOND_BITS;
    int64_t least = (last > before ? last : before) + ((int64_t)1 << LEAP_BITS); /* a clock that is wrong */
    if (*base < least) *base = least;
    return TAUT_OK;
}

static int32_t put(struct store *s, struct copy *c, const char *file) {
    sqlite3 *from = NULL;
    int64_t base = 0;
    char sql[160];
    int32_t err = check_place(s, c);
    if (err == TAUT_OK) err = open_source(c, file, &from);
    if (err == TAUT_OK) err = choose_base(s, c, from, &base);
    if (err == TAUT_OK) newfile_remove_left(s->path);
    if (err == TAUT_OK) err = copy_begin(c, s->path);
    if (err == TAUT_OK) err = give_to_owner(c);
    if (err == TAUT_OK) err = copy_pages(s, c, from);
    sqlite3_close(from);
    TAUT_TRY(err);
    snprintf(sql, sizeof sql,
             "DELETE FROM taut_meta WHERE key='backup'; INSERT OR REPLACE INTO taut_meta VALUES('restored',%lld)",
             (long long)base);
    TAUT_TRY(copy_settle(c, sql));
    return copy_publish(c);
}

static void *restore_main(void *store) {
    struct store *s = store;
    struct taut_mod *mod = s->mod;
    taut_op op = s->open_op;
    struct copy c = {.file.fd = -1, .stop = stop_check, .stop_arg = s};
    int32_t err = put(s, &c, s->restore.file);
    char text[COPY_WHY_MAX + 128];
    snprintf(text, sizeof text, "%s%s", c.why, err == TAUT_E_INVAL ? "; nothing was changed" : "");
    if (err == TAUT_OK)
        snprintf(text, sizeof text, "%s is restored from %s, %llu bytes", s->path, s->restore.file,
                 (unsigned long long)s->restore.total);
    copy_end(&c);
    taut_log(mod, err < 0 ? TAUT_LOG_ERROR : TAUT_LOG_INFO, "store_restore", "%s", text);
    struct ring closers = store_shut(s);
    copy_answer(mod, op, err, text);
    store_tell_closers(mod, &closers);
    return NULL;
}

/* ---- hub ---- */

void restore_begin(struct store *s, taut_str file, taut_op op) {
    free(s->restore.file);
    s->restore = (struct restore){.file = strndup(file.ptr, file.len)};
    s->open_op = op;
    if (s->restore.file && store_run(s, restore_main, false)) return;
    copy_answer(s->mod, op, TAUT_E_NOMEM, "out of memory");
}

void restore_look(struct store *s, uint64_t *done, uint64_t *total) {
    pthread_mutex_lock(&s->writes.lock);
    *done = s->restore.done;
    *total = s->restore.total;
    pthread_mutex_unlock(&s->writes.lock);
}

/* ---- the first opening ---- */

static int32_t begin_logs(struct conn *c) {
    int rc =
        db_exec(c->db, "UPDATE taut_heads SET seq=(SELECT value FROM taut_meta WHERE key='restored'),"
                       " first=(SELECT value+1 FROM taut_meta WHERE key='restored');"
                       "INSERT OR REPLACE INTO taut_meta SELECT 'seq_base', value FROM taut_meta WHERE key='restored';"
                       "DELETE FROM taut_meta WHERE key='restored'");
    return rc == SQLITE_OK ? TAUT_OK : schema_failed(c, "cannot begin the logs of a restored store");
}

int32_t restore_begin_logs(struct conn *c) {
    int64_t base;
    int rc = read_number(c->db, "SELECT value FROM taut_meta WHERE key='restored'", &base);
    if (rc == SQLITE_ROW) return schema_in_transaction(c, begin_logs);
    return rc == SQLITE_DONE ? TAUT_OK : schema_failed(c, "cannot read the store's own tables");
}

int restore_base(struct conn *c, uint64_t *base) {
    int64_t n = 0;
    int rc = read_number(c->db, "SELECT value FROM taut_meta WHERE key='seq_base'", &n);
    *base = (uint64_t)n;
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}
