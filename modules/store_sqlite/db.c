/* db.c - see db.h. Writers and readers differ in three pragmas: only the writer creates, syncs and checkpoints. */
#include "db.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "place.h"

enum {
    BUSY_MS = 5000,
    READER_CACHE_SHARE = 4,
    NO_WAL = -1,
    READ_ONLY = -2 /* beside SQLite's codes; have been logged */
};

int db_exec(sqlite3 *db, const char *sql) {
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

sqlite3_stmt *db_prepare(sqlite3 *db, const char *sql) {
    sqlite3_stmt *st = NULL;
    return sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL) == SQLITE_OK ? st : NULL;
}

int db_run(sqlite3_stmt *st) {
    int rc = sqlite3_step(st);
    int reset = sqlite3_reset(st);
    return rc == SQLITE_DONE || rc == SQLITE_ROW ? reset : rc;
}

void db_log_damage(struct store *s) {
    taut_log(s->mod, TAUT_LOG_ERROR, "store_damaged",
             "%s is damaged: stop the server, then restore a backup, or save what can be read: sqlite3 %s .recover | "
             "sqlite3 NEW.db",
             s->path, s->path);
}

void conn_log(struct conn *c, const char *event, const char *what) {
    struct store *s = c->store;
    int rc = sqlite3_extended_errcode(c->db);
    uint32_t held;
    char more[64] = "";
    int number = c->db ? trouble_errno(c->db) : 0;
    c->cause = trouble_cause(c->db);
    if (!trouble_say(&s->trouble, what, rc, taut_mono_us(s->mod), &held)) return;
    if (held) snprintf(more, sizeof more, "; %u more like this since it was last said", held);
    taut_log(s->mod, TAUT_LOG_ERROR, event, "%s: %s: %s (SQLite %d: %s; errno %d)%s", s->path, what, c->cause, rc,
             sqlite3_errmsg(c->db), number, more);
    if (!trouble_is_damage(c->db) || !trouble_say_damage(&s->trouble)) return;
    db_log_damage(s);
    condition_damaged(s);
}

/* Only the owner may read messages. SQLite gives its side files the same mode. Never opens an existing file: closing it
 * would drop the locks that this process holds on it. */
static void create_private(const char *path) {
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST && access(path, F_OK) != 0) /* a link to where it is to be */
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0) close(fd);
}

/* Where it cannot, SQLite keeps the mode that it has, and says which. */
static int use_wal(struct conn *c) {
    sqlite3_stmt *st = db_prepare(c->db, "PRAGMA journal_mode=WAL");
    if (!st) return sqlite3_errcode(c->db);
    int rc = sqlite3_step(st);
    const char *mode = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(st, 0) : NULL;
    bool wal = mode && strcmp(mode, "wal") == 0;
    if (mode && !wal)
        taut_log(
            c->store->mod, TAUT_LOG_ERROR, "store_open",
            "%s: SQLite cannot keep a write-ahead log here (its journal mode stays \"%s\"): put the file on a local "
            "disk; network file systems lack the shared memory that it needs",
            c->store->path, mode);
    int reset = sqlite3_finalize(st);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) return rc;
    return wal || reset != SQLITE_OK ? reset : NO_WAL;
}

static int set_up_writer(struct conn *c) {
    static const char *const syncs[] = {"PRAGMA synchronous=OFF", "PRAGMA synchronous=NORMAL",
                                        "PRAGMA synchronous=FULL"};
    const struct options *opt = c->store->opt;
    if (sqlite3_db_readonly(c->db, "main") == 1) return READ_ONLY;
    int rc = use_wal(c);
    if (rc == SQLITE_OK) rc = db_exec(c->db, syncs[opt->sync]);
    char *sql = sqlite3_mprintf("PRAGMA journal_size_limit=%lld", (long long)opt->wal_limit);
    if (!sql) return SQLITE_NOMEM;
    if (rc == SQLITE_OK) rc = db_exec(c->db, sql);
    sqlite3_free(sql);
    return rc;
}

static int set_up(struct conn *c, bool writes) {
    int64_t cache = c->store->opt->page_cache;
    if (!writes) cache /= READER_CACHE_SHARE;
    sqlite3_busy_timeout(c->db, BUSY_MS);
    sqlite3_extended_result_codes(c->db, 1);
    int rc = writes ? set_up_writer(c) : db_exec(c->db, "PRAGMA query_only=1");
    if (rc == SQLITE_OK) rc = db_exec(c->db, "PRAGMA wal_autocheckpoint=0");
    char *sql = sqlite3_mprintf("PRAGMA cache_size=-%lld", (long long)(cache / 1024 + 1));
    if (!sql) return SQLITE_NOMEM;
    if (rc == SQLITE_OK) rc = db_exec(c->db, sql);
    sqlite3_free(sql);
    return rc;
}

int32_t conn_open(struct conn *c, struct store *s, bool writes) {
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (writes ? SQLITE_OPEN_CREATE : 0);
    *c = (struct conn){.store = s, .cause = c->cause};
    if (writes) create_private(s->path);
    int rc = sqlite3_open_v2(s->path, &c->db, flags, NULL);
    if (rc == SQLITE_OK) rc = set_up(c, writes);
    if (rc == SQLITE_OK) return TAUT_OK;
    if (rc == NO_WAL) c->cause = "no write-ahead log can be kept here";
    else if (rc == READ_ONLY || place_is_denied(s)) c->cause = place_not_writable(s);
    else conn_log(c, "store_open", "cannot open the database");
    conn_close(c);
    return TAUT_E_IO;
}

void conn_close(struct conn *c) {
    stmt_clear(c);
    free(c->slots);
    sqlite3_finalize(c->begin);
    sqlite3_finalize(c->commit);
    sqlite3_finalize(c->lsn);
    sqlite3_finalize(c->log);
    sqlite3_close_v2(c->db);
    *c = (struct conn){.cause = c->cause};
}

void bind_val(sqlite3_stmt *st, int at, const struct taut_val *v, uint64_t seq0) {
    switch (v->type) {
    case TAUT_INT: sqlite3_bind_int64(st, at, v->u.i); break;
    case TAUT_SEQ: sqlite3_bind_int64(st, at, (int64_t)seq0 + v->u.i); break;
    case TAUT_TEXT: sqlite3_bind_text(st, at, v->len ? v->u.p : "", (int)v->len, SQLITE_STATIC); break;
    case TAUT_BLOB: sqlite3_bind_blob(st, at, v->len ? v->u.p : "", (int)v->len, SQLITE_STATIC); break;
    default: sqlite3_bind_null(st, at);
    }
}

void bind_key(sqlite3_stmt *st, const struct taut_val *key, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) bind_val(st, (int)i + 1, &key[i], 0);
}

void bind_str(sqlite3_stmt *st, int at, taut_str s) {
    if (s.len) sqlite3_bind_text(st, at, s.ptr, (int)s.len, SQLITE_STATIC);
    else sqlite3_bind_null(st, at);
}

struct taut_val column_val(sqlite3_stmt *st, int at) {
    switch (sqlite3_column_type(st, at)) {
    case SQLITE_NULL: return taut_v_null();
    case SQLITE_TEXT: {
        const char *p = (const char *)sqlite3_column_text(st, at);
        return taut_v_str(taut_str_n(p, (size_t)sqlite3_column_bytes(st, at)));
    }
    case SQLITE_BLOB: {
        const char *p = sqlite3_column_blob(st, at);
        return taut_v_blob(taut_str_n(p, (size_t)sqlite3_column_bytes(st, at)));
    }
    default: return taut_v_int(sqlite3_column_int64(st, at));
    }
}

/* The n integers of the row that a statement selects, or 0s without a row. */
static int read_numbers(struct conn *c, sqlite3_stmt *st, uint64_t *out, int n) {
    memset(out, 0, (size_t)n * sizeof *out);
    if (!st) return sqlite3_errcode(c->db);
    int rc = sqlite3_step(st);
    for (int i = 0; rc == SQLITE_ROW && i < n; i++) out[i] = (uint64_t)sqlite3_column_int64(st, i);
    int reset = sqlite3_reset(st);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? reset : rc;
}

int db_lsn(struct conn *c, uint64_t *lsn) {
    if (!c->lsn) c->lsn = db_prepare(c->db, "SELECT value FROM taut_meta WHERE key='lsn'");
    return read_numbers(c, c->lsn, lsn, 1);
}

int db_log(struct conn *c, taut_str workspace, struct log_span *log) {
    uint64_t ends[2];
    if (!c->log) c->log = db_prepare(c->db, "SELECT first, seq FROM taut_heads WHERE workspace=?1");
    if (c->log) bind_str(c->log, 1, workspace);
    int rc = read_numbers(c, c->log, ends, 2);
    *log = (struct log_span){ends[0], ends[1]};
    return rc;
}
