/* store.h - the store as its threads share it.
 *
 * Threads: the hub puts jobs into queues; one writer applies batches; `readers` threads answer reads. Each has a
 * connection of its own. What is below `writer` belongs to the writer thread alone, the queues to their locks, the rest
 * does not change between open and close.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>

#include "taut/taut.h"

#include "backup.h"
#include "condition.h"
#include "queue.h"
#include "trouble.h"

enum {
    FORMAT = 3,               /* of our own tables; a store with a higher one is refused */
    PAGE_BYTES = 4096,        /* SQLite's default, with which we create */
    COLS_MAX = 60,            /* of one table: what a statement's key has room for */
    SCAN_LIMIT_MAX = 10000,   /* rows */
    CURSOR_NAME_MAX = 255,    /* bytes */
    REFUSAL_MAX = 640,        /* bytes */
    READ_BYTES_MAX = 64 << 20 /* of one answer; a longer one is cut as if by its limit */
};

enum { SYNC_OFF = 0, SYNC_NORMAL = 1, SYNC_FULL = 2 };
struct options {
    int64_t sync;
    taut_str path;
    int64_t page_cache;
    int64_t wal_limit;
    int64_t claims;
    int64_t readers;
};

enum metric {
    METRIC_COMMITS,
    METRIC_GROUPS,
    METRIC_ROWS,
    METRIC_COMMIT,
    METRIC_WAL_BYTES,
    METRIC_CLAIMS,
    METRIC_CLAIMS_DROPPED
};

/* A declared table, with a name of our own. */
struct table {
    char *name;
    const struct taut_table *def;
    uint32_t ncols, key_cols, nindex;
};
static inline const struct taut_col *table_col(const struct table *t, uint32_t i) {
    return TAUT_AT(t->def->cols, struct taut_col, i);
}
static inline const struct taut_index *table_index(const struct table *t, uint32_t i) {
    return TAUT_AT(t->def->index, struct taut_index, i);
}

/* Faults that tests ask for (fault.c). */
struct faults {
    int crash_at;       /* enum crash_point, or 0 */
    uint32_t crash_n;   /* how many times still to pass it */
    const char *mutant; /* its name; NULL: none */
};

/* A restore that is under way, or was; under writes.lock. */
struct restore {
    char *file;
    uint64_t done, total; /* bytes */
    bool ended;           /* it is to end */
};

struct writer;
struct reader;
struct store {
    struct taut_mod *mod;
    const struct options *opt;
    char *path;
    struct table *tables;
    uint32_t ntables;
    struct faults faults;
    struct trouble trouble;
    struct condition condition;
    struct write_queue writes;
    struct read_queue reads;
    struct reader *readers;
    uint32_t nreaders;
    pthread_t writer_thread;
    bool has_thread;           /* hub: writer_thread is to be joined, once writes.open is false */
    taut_op open_op;           /* set before the thread starts */
    char refusal[REFUSAL_MAX]; /* why it did not open, when a connection's cause is not all; the writer's */
    struct ring closers;       /* of taut_op: they wait for the end; under writes.lock */
    struct backup backup;
    struct restore restore;
};

/* Starts what is the writer's thread, or is in its place. Hub. */
bool store_run(struct store *s, void *(*thread)(void *store), bool takes_jobs);
/* At that thread's end: lets the hub join it; then those who waited for the end are told. */
struct ring store_shut(struct store *s);
void store_tell_closers(struct taut_mod *mod, struct ring *closers);

#endif
