/* reader.h - the threads that answer reads, each on a connection of its own, each job in a short snapshot. */
#ifndef STORE_READER_H
#define STORE_READER_H

#include "db.h"

/* Called by the writer thread, around its own life. */
int32_t readers_start(struct store *s);
void readers_stop(struct store *s); /* answers what is queued, then joins */

/* A result as it grows: values point to their bytes by offset until it is sealed into the one block that is handed out.
 * result.c */
struct build {
    struct taut_val *vals;
    char *bytes;
    uint32_t *row_cols; /* columns of each row */
    size_t nvals, vals_cap, nbytes, bytes_cap, nrows, rows_cap;
};
bool build_row(struct build *b, sqlite3_stmt *st, uint32_t ncols); /* ncols 0: an absent row. False: out of memory */
bool build_val(struct build *b, const struct taut_val *v);
/* A block with `head` bytes for the caller, then rows[nrows]. NULL: out of memory. Empties the build. */
void *build_seal(struct build *b, size_t head, uint64_t as_of, struct taut_row **rows);
void build_reset(struct build *b);
void build_free(struct build *b);

struct reader {
    struct store *store;
    pthread_t thread;
    struct conn conn;
    sqlite3_stmt *events, *logs, *cursors; /* prepared at their first use */
    struct build build;
    bool started;
};

/* Runs one job in the snapshot that the connection is in; *result is malloc'ed or NULL. read.c */
int32_t read_run(struct reader *r, const struct read_job *j, uint64_t as_of, void **result);
int32_t events_read(struct reader *r, const struct read_job *j, void **result); /* logs.c */
int32_t logs_read(struct reader *r, void **result);
int32_t cursors_read(struct reader *r, const struct read_job *j, void **result);

/* The statement in *st, prepared if need be; NULL: reader_collect says why. */
sqlite3_stmt *reader_stmt(struct reader *r, sqlite3_stmt **st, const char *sql);
/* All rows of the statement into the build, until it has max_bytes of text (0: what an answer may have). `what` is a
 * literal. */
int32_t reader_collect(struct reader *r, sqlite3_stmt *st, uint32_t ncols, size_t max_bytes, const char *what);
int32_t reader_failed(struct reader *r, int rc, const char *what);

#endif
