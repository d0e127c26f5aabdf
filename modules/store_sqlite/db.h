/* db.h - a connection to the database file: opened the same way for all, with its cache of prepared statements and the
 * few helpers by which values go in and out. A connection belongs to one thread at a time. */
#ifndef STORE_DB_H
#define STORE_DB_H

#include "store.h"

/* What a statement is prepared for. arg, of n bytes, tells those of one table and kind apart. */
enum stmt_kind {
    STMT_INSERT = 1,
    STMT_UPSERT,
    STMT_UPDATE, /* arg: one byte for each set, col | how << 6 */
    STMT_DELETE, /* arg: how many key columns */
    STMT_EXISTS, /* by the whole key */
    STMT_UNIQUE, /* arg: index; is there a row with these index columns? */
    STMT_COLUMN, /* arg: column; by the whole key */
    STMT_GET,    /* all columns, by the whole key */
    STMT_SCAN    /* arg: see scan_key */
};
struct stmt_key {
    uint16_t table;
    uint8_t kind;
    uint8_t n;
    uint8_t arg[COLS_MAX];
};
struct stmt_slot {
    struct stmt_key key;
    sqlite3_stmt *stmt; /* NULL: free */
};

struct conn {
    struct store *store;
    const char *cause; /* of its last failure, in a few words, or NULL; outlives a conn_close */
    sqlite3 *db;
    struct stmt_slot *slots;
    uint32_t nslots, cap;
    sqlite3_stmt *begin, *commit, *lsn, *log;
};

/* TAUT_OK or an error that has been logged. */
int32_t conn_open(struct conn *c, struct store *s, bool writes);
void conn_close(struct conn *c);

int db_exec(sqlite3 *db, const char *sql);
sqlite3_stmt *db_prepare(sqlite3 *db, const char *sql); /* NULL: sqlite3_errmsg says why */
int db_run(sqlite3_stmt *st);                           /* steps once and resets */
/* Says what just failed on the connection, with the cause and, for a damaged file, the way out; not too often. `what`
 * is a literal. */
void db_log_damage(struct store *s); /* and the way out */
void conn_log(struct conn *c, const char *event, const char *what);

/* Binds a value; seq0 is what TAUT_SEQ 0 stands for. Borrowed until the next bind. */
void bind_val(sqlite3_stmt *st, int at, const struct taut_val *v, uint64_t seq0);
void bind_key(sqlite3_stmt *st, const struct taut_val *key, uint32_t n);
void bind_str(sqlite3_stmt *st, int at, taut_str s); /* NULL when empty */
/* The value of a column; its bytes are the statement's, until it moves on. */
struct taut_val column_val(sqlite3_stmt *st, int at);

/* The statement for that key, prepared at its first use; NULL: sqlite3_errmsg says why. stmt.c */
sqlite3_stmt *stmt_for(struct conn *c, const struct stmt_key *k);
void stmt_clear(struct conn *c);
/* Why there is none: never SQLITE_OK, though SQLite may know of no failure, when it was we who had no memory. */
static inline int stmt_failure(struct conn *c) {
    int rc = sqlite3_extended_errcode(c->db);
    return rc == SQLITE_OK || rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_NOMEM : rc;
}

static inline sqlite3_stmt *stmt_simple(struct conn *c, uint32_t table, enum stmt_kind kind) {
    struct stmt_key k = {(uint16_t)table, (uint8_t)kind, 0, {0}};
    return stmt_for(c, &k);
}
static inline sqlite3_stmt *stmt_arg(struct conn *c, uint32_t table, enum stmt_kind kind, uint32_t arg) {
    struct stmt_key k = {(uint16_t)table, (uint8_t)kind, 1, {(uint8_t)arg}};
    return stmt_for(c, &k);
}
sqlite3_stmt *stmt_scan(struct conn *c, uint32_t table, const struct taut_scan *s);

/* The last commit number, and where a workspace's log begins and ends (0, 0: there is none), as the connection sees
 * them now. A sqlite3 result code. */
struct log_span {
    uint64_t first, last;
};
int db_lsn(struct conn *c, uint64_t *lsn);
int db_log(struct conn *c, taut_str workspace, struct log_span *log);

#endif
