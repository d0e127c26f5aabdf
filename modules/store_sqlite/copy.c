/* copy.c - see copy.h. */
#include "copy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "trouble.h"

enum { STOP_EVERY = 1000 /* of SQLite's steps */ };

int32_t copy_fail(struct copy *c, int32_t err, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(c->why, sizeof c->why, fmt, ap);
    va_end(ap);
    return err;
}

int32_t copy_fail_of(struct copy *c, sqlite3 *db, const char *what) {
    return copy_fail(c, TAUT_E_IO, "%s: %s", what, trouble_cause(db));
}

/* What the new file has on its disk, and may still have; UINT64_MAX: not known. */
static uint64_t room_for(const struct newfile *f) {
    struct statvfs disk;
    struct stat st;
    if (fstatvfs(f->fd, &disk) != 0 || fstat(f->fd, &st) != 0) return UINT64_MAX;
    return (uint64_t)disk.f_bavail * disk.f_frsize + (uint64_t)st.st_blocks * 512;
}

int32_t copy_fail_pages(struct copy *c, sqlite3 *db, const char *what, uint64_t bytes) {
    const char *cause = trouble_cause(db);
    uint64_t room = room_for(&c->file);
    if (!bytes || room > bytes || strcmp(cause, "disk full") != 0)
        return copy_fail(c, TAUT_E_IO, "%s to %s: %s", what, c->file.path, cause);
    return copy_fail(c, TAUT_E_IO, "%s to %s: %s; it needs %llu MiB, and there is room for %llu MiB", what,
                     c->file.path, cause, (unsigned long long)(bytes >> 20) + 1, (unsigned long long)(room >> 20));
}

static int32_t fail_errno(struct copy *c, int number) {
    if (number == EEXIST)
        return copy_fail(c, TAUT_E_EXISTS, "%s is there already; nothing is ever overwritten: choose another name",
                         c->file.path ? c->file.path : "the file");
    const char *cause = trouble_cause_of_errno(number);
    return copy_fail(c, TAUT_E_IO, "cannot write %s: %s", c->file.path ? c->file.path : "the file",
                     cause ? cause : "the system refused it");
}

static int exec(sqlite3 *db, const char *sql) {
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

/* Nobody else opens it, so it needs no shared memory; and as it has no name yet, neither a journal nor syncs. A copy of
 * a store in WAL mode leaves that here. */
static int32_t open_copy(struct copy *c) {
    int rc = sqlite3_open_v2(c->file.tmp, &c->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK)
        rc = exec(c->db, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
                         "PRAGMA cache_size=-1024");
    return rc == SQLITE_OK ? TAUT_OK : copy_fail_of(c, c->db, "cannot open the copy");
}

static void close_copy(struct copy *c) {
    sqlite3_close(c->db);
    c->db = NULL;
}

int32_t copy_begin(struct copy *c, const char *path) {
    int err = newfile_begin(&c->file, path);
    if (!err) return open_copy(c);
    if (!c->file.path) c->file.path = strdup(path);
    return fail_errno(c, err);
}

/* Only the first fault: the rest follows from it. */
static int32_t check(struct copy *c) {
    sqlite3_stmt *st = NULL;
    sqlite3_progress_handler(c->db, STOP_EVERY, c->stop, c->stop_arg);
    int rc = sqlite3_prepare_v2(c->db, "PRAGMA quick_check(1)", -1, &st, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_step(st);
    const char *text = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(st, 0) : NULL;
    int32_t err = TAUT_OK;
    if (!text) err = copy_fail_of(c, c->db, "cannot check the copy");
    else if (strcmp(text, "ok") != 0) err = copy_fail(c, TAUT_E_INVAL, "it is damaged: %.200s", text);
    sqlite3_finalize(st);
    return err;
}

int32_t copy_settle(struct copy *c, const char *sql) {
    close_copy(c); /* what it knows of its first page is of the empty one */
    TAUT_TRY(open_copy(c));
    TAUT_TRY(check(c));
    if (exec(c->db, sql) != SQLITE_OK) return copy_fail_of(c, c->db, "cannot finish the copy");
    close_copy(c);
    return TAUT_OK;
}

int32_t copy_publish(struct copy *c) {
    int err = newfile_publish(&c->file);
    return err ? fail_errno(c, err) : TAUT_OK;
}

/* What SQLite may have put beside the file when it failed. */
static void remove_beside(const char *tmp) {
    static const char *const ends[] = {"-journal", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char *path = sqlite3_mprintf("%s%s", tmp, ends[i]);
        if (path) unlink(path);
        sqlite3_free(path);
    }
}

void copy_end(struct copy *c) {
    close_copy(c);
    if (c->file.tmp) remove_beside(c->file.tmp);
    newfile_end(&c->file);
}

struct said {
    taut_str text;
    char bytes[];
};

void copy_answer(struct taut_mod *mod, taut_op op, int32_t status, const char *text) {
    size_t n = strlen(text);
    struct said *s = malloc(sizeof *s + n + 1);
    if (s) {
        memcpy(s->bytes, text, n + 1);
        s->text = taut_str_n(s->bytes, n);
    }
    taut_op_complete(mod, op, status, s, free);
}
