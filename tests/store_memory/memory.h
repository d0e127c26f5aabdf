/* memory.h - a provider of storage/1 that keeps everything in memory: the contract without a disk, for tests. One
 * thread applies batches and answers reads, in the order in which they came; so every read is of a snapshot by itself.
 * All is gone with close. Out of memory ends the process.
 */
#ifndef STORE_MEMORY_H
#define STORE_MEMORY_H

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "taut/svc/storage.h"
#include "taut/taut.h"

#include "mutant.h"

enum { SCAN_MAX = 10000, NAME_MAX_BYTES = 255 };
#define CLAIM_US (24 * 3600 * (int64_t)1000000)

/* ---- rows: row.c ---- */

/* Immutable; its values and their bytes lie behind it. */
struct row {
    uint64_t lsn; /* of the commit that made it */
    uint32_t ncols;
    struct taut_val vals[];
};
struct table {
    const struct taut_table *def;
    uint32_t ncols, key_cols, nindex, n, cap;
    struct row **rows; /* in the order of the key */
};
/* What a batch did to rows, so that it can be undone. */
struct change {
    struct table *table;
    struct row *old, *new; /* either may be NULL */
};
struct journal {
    struct change *list;
    uint32_t n, cap;
};

/* ---- logs: log.c ---- */

struct event {
    int64_t at_us;
    taut_conn skip;
    taut_str topics, deltas, body;
};
struct cursor {
    taut_str name;
    uint64_t seq;
};
struct log {
    taut_str workspace;
    uint64_t first, last, before; /* before: what last was one commit ago */
    struct event *events;         /* of seq 1 … last; those before first are empty */
    size_t cap;
    struct cursor *cursors; /* in the order of their names */
    uint32_t ncursors;
};
struct claim {
    taut_str workspace, key, value;
    uint64_t seq;
    int64_t at_us;
    bool is_new; /* of this group */
};

/* ---- the store ---- */

enum job_kind { JOB_COMMIT, JOB_GET, JOB_SCAN, JOB_EVENTS, JOB_LOGS, JOB_CURSORS };
struct job {
    struct job *next;
    enum job_kind kind;
    taut_op op;
    const void *what;   /* taut_batch_view, taut_get_req[], taut_scan */
    uint32_t n;         /* GET: requests; SCAN: table; EVENTS: limit */
    uint32_t max_bytes; /* EVENTS; 0: none */
    taut_str workspace;
    uint64_t after;
};
struct jobs {
    struct job *head, **tail;
    uint32_t n;
};

struct store {
    struct taut_mod *mod;
    enum mutant mutant;

    /* under lock */
    pthread_mutex_t lock;
    pthread_cond_t ready;
    struct jobs jobs, background;
    bool open, closing;
    taut_op *closers;
    uint32_t nclosers;

    pthread_t thread; /* the hub's: to be joined when has_thread and not open */
    bool has_thread;

    /* the thread's, while it runs */
    struct table *tables;
    uint32_t ntables;
    struct log **logs; /* in the order of their names */
    uint32_t nlogs;
    struct claim *claims; /* in the order in which they were made */
    uint32_t nclaims, claims_cap;
    struct journal journal;
    uint64_t lsn;
};

void *need(void *p); /* p, unless it is NULL */
/* Grows an array by doubling: room for n + 1 elements. */
#define ROOM(array, n, cap) \
    if ((n) == (cap)) (array) = need(realloc((array), ((cap) = (cap) ? (cap)*2 : 16) * sizeof *(array)))
taut_str str_copy(taut_str s);
int str_order(taut_str a, taut_str b);

int val_order(const struct store *s, const struct taut_val *a, const struct taut_val *b);
int key_order(const struct store *s, const struct taut_val *a, const struct taut_val *b, uint32_t n);
struct row *row_new(const struct taut_val *vals, uint32_t n, uint32_t ncols, uint64_t seq0);
struct row *table_find(const struct store *s, const struct table *t, const struct taut_val *key);
/* The first row whose key is not less than these n values. */
uint32_t table_lower(const struct store *s, const struct table *t, const struct taut_val *key, uint32_t n);
/* Replaces old by new (either may be NULL) and takes both into the journal. */
void table_change(struct store *s, struct table *t, struct row *old, struct row *new);
void journal_undo(struct store *s);
void journal_keep(struct store *s);
void tables_free(struct store *s);

static inline const struct taut_index *table_index(const struct table *t, uint32_t i) {
    return TAUT_AT(t->def->index, struct taut_index, i);
}
static inline uint32_t column_type(const struct table *t, uint32_t col) {
    return TAUT_AT(t->def->cols, struct taut_col, col)->type;
}

struct log *log_find(struct store *s, taut_str workspace);
struct log *log_get(struct store *s, taut_str workspace);
void log_append(struct store *s, struct log *l, const struct taut_event_rec *e);
void log_trim(struct store *s, struct log *l, uint64_t up_to);
void log_set_cursor(struct store *s, struct log *l, const struct taut_cursor *c);
struct claim *claim_find(struct store *s, const struct taut_batch_view *b);
void claim_add(struct store *s, const struct taut_batch_view *b, uint64_t seq);
void logs_free(struct store *s);

/* NULL, or what is wrong with the batch in itself. validate.c */
const char *batch_fault(const struct store *s, const struct taut_batch_view *b);
/* Applies a batch. The result is the op's. commit.c */
int32_t commit_run(struct store *s, const struct taut_batch_view *b, struct taut_commit_result **result);
/* Runs a read; *result is malloc'ed or NULL. read.c */
int32_t read_run(struct store *s, const struct job *j, void **result);

#endif
