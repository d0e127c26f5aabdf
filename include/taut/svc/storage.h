/* svc/storage.h - the family storage/1: tables, batches and the log, behind whatever keeps them.
 *
 * The core is the only consumer. It calls the provider on the hub; the provider works on threads of its own and
 * answers with host->ops_complete and host->durable from any of them.
 *
 * What a provider promises; tests/conformance/storage.c holds it to every line:
 *   - a batch is atomic: its claim and conditions are all evaluated before its first write; a refused one changes
 *     nothing, gives out no number, and costs others nothing, also when it is refused for a clash that only a write
 * shows;
 *   - batches are applied in the order of submission, each to what those before it left; those of class BACKGROUND may
 * be overtaken by others, but not for ever;
 *   - seq is given inside the transaction, after the conditions held; dense for each workspace, starting at 1;
 *   - every batch that is not refused is a commit, whatever it holds, and has an lsn: dense, from 1, also over
 * restarts;
 *   - a commit's op completes, and durable() is told, only after the fsync that covers the batch; refusals too: what
 *     they were refused for is on disk;
 *   - durable() names batches in commit order (lsn rises by 1), each before its op completes, on one thread;
 *   - a read sees a snapshot: some prefix of the commits, at least everything that was reported durable before it was
 *     asked. All that one answer says (rows, as_of, seq, last) is of one snapshot;
 *   - claims hold for 24 h, across restarts, and though the log has been trimmed past their events;
 *   - a named cursor moves in the transaction of its batch; the log is trimmed only by a batch that says so;
 *   - each op completes once, on whatever thread. A batch or request that is wrong in itself (a table, column, type,
 *     kind or limit that is not there) completes with TAUT_E_INVAL and harms nobody;
 *   - what was asked for while the store is not open, is closing, or has too much to do, completes with
 *     TAUT_E_UNAVAILABLE and had no effect.
 *
 * Values. Texts and blobs are bytes, a NUL or what is no UTF-8 among them; an empty one is not NULL. In every order
 * NULL comes first, integers by value, texts and blobs byte by byte, a shorter one before what it begins. A unique
 * index never sees a clash of rows with a NULL in its columns. A NULL in a key that is looked for equals no row.
 *
 * Thread: the hub calls; the provider completes from any. Since 1.0.
 */
#ifndef TAUT_SVC_STORAGE_H
#define TAUT_SVC_STORAGE_H

#include "taut/event.h"
#include "taut/op.h"
#include "taut/table.h"

/* A declared table as the provider knows it: id is its place in the array given to open, from 0. Frozen. */
struct taut_table_ref {
    uint32_t id;
    uint32_t reserved;
    const char *sql_name; /* <instance>_<table> */
    const struct taut_table *table;
};

/* ABSENT, PRESENT: of the row with that key. EQUALS: it is there and its column `col` is `val`, in type too; NULL
 * equals NULL here. */
struct taut_cond {
    uint32_t table; /* id */
    uint32_t how;   /* TAUT_COND_* */
    const struct taut_val *key;
    uint32_t nkey; /* = key_cols of the table */
    uint32_t col;
    struct taut_val val;
};

/* INSERT is a condition as well: neither its key nor a unique index may have such a row before the batch (though the
 * batch deletes it), nor may an earlier write of the batch have made one. UPSERT: all columns, in the place of the row
 * with that key; columns that are not given are NULL. UPDATE: no row, no effect; columns outside the key. DELETE: all
 * rows whose first nvals key columns are these, at least one of them. Keys have no NULL. The writes of a batch are
 * applied in their order; one that makes a row which a unique index has already refuses the batch with TAUT_E_CONFLICT.
 * SET: any value of the column's type, or NULL. ADD, MAX: integers; a NULL in the row counts as nothing. What an ADD
 * that leaves the range of int64 gives is not defined. */
enum { TAUT_W_INSERT = 1, TAUT_W_UPSERT = 2, TAUT_W_UPDATE = 3, TAUT_W_DELETE = 4 };
struct taut_write {
    uint32_t table;
    uint32_t kind;
    const struct taut_val *vals; /* INSERT, UPSERT: the columns; UPDATE, DELETE: the key */
    const struct taut_set *sets; /* UPDATE */
    uint32_t nvals, nsets;
};

/* One event of a batch, as the log keeps it. Frozen. */
struct taut_event_rec {
    uint64_t seq;  /* in answers of `events` */
    int64_t at_us; /* in answers: wall clock of its commit (host->now_us), for people and for retention only */
    taut_conn skip;
    taut_str topics; /* names joined by one blank */
    taut_str deltas; /* "+U1 C1,-U2 C1,xK7 token_revoked" */
    taut_str body;
};

enum { TAUT_CLASS_INTERACTIVE = 0, TAUT_CLASS_BACKGROUND = 1 };

/* The position of a reader of a log: what it has done with everything up to and with `seq` is done for good. Names are
 * chosen by readers ("search", "app/A123"), 1 to 255 bytes, and belong to a workspace. A cursor is set to what it is
 * told, forwards or backwards, whether or not the log has such a seq (up to 2^63 - 1). Frozen. */
struct taut_cursor {
    taut_str name;
    uint64_t seq;
};

/* A batch as the provider gets it. Everything in it stays valid and unchanged until its op completes. */
struct taut_batch_view {
    uint32_t size;
    uint32_t cls;
    taut_str workspace;       /* whose log; may be empty without events, cursors and trim */
    struct taut_array conds;  /* of struct taut_cond */
    struct taut_array writes; /* of struct taut_write */
    struct taut_array events; /* of struct taut_event_rec; seq is 0 */
    taut_str claim_key;       /* of `workspace`; empty: none. With an event at least */
    taut_str claim_value;
    struct taut_array cursors; /* of struct taut_cursor: set, in order, of `workspace`; seq 0: forgotten */
    uint64_t trim;             /* after its own events were appended, the log of `workspace` begins behind this: events
                                  with seq <= trim are gone from the next snapshot on (from the disk, as soon as may be);
                                  0: none. Its last event stays, whatever trim says, so that seq goes on. Never moves
                                  the beginning back */
};

/* Result of commit, of one that was refused too. With TAUT_E_CLAIMED, which comes before any condition: claim_value is
 * what the earlier batch gave, claim_seq the seq of its first event. The provider's memory; freed by the destructor
 * that it completed with. */
struct taut_commit_result {
    uint32_t size;
    uint32_t reserved;
    uint64_t lsn;       /* the commit's number in this store, from 1, dense */
    uint64_t first_seq; /* of the batch's first event, or 0 */
    uint64_t claim_seq;
    taut_str claim_value;
    taut_str why; /* what a refusal was about: short, without paths; callers may be shown it */
};

/* One batch on disk. Frozen. */
struct taut_durable {
    const struct taut_batch_view *batch;
    uint64_t lsn;
    uint64_t first_seq;
};

/* Frozen. */
struct taut_get_req {
    uint32_t table;
    uint32_t nkey;
    const struct taut_val *key;
};

/* Result of get: one entry a request, in their order, rows[i].ncols 0 when absent. Result of scan: struct taut_rows. A
 * bound leaves out the rows with a NULL there. An index's rows are in the order of its columns, then of the key.
 * count_only has neither limit nor offset. */
struct taut_get_result {
    uint32_t size;
    uint32_t n;
    uint64_t as_of; /* lsn of the snapshot */
    const struct taut_row *rows;
};

/* Result of events: those behind `after`, in order, without a hole; limit is 1 … 10,000. An answer ends with the event
 * that brings the bytes of its topics, deltas and bodies to max_bytes (0: no such limit); so it holds one at least.
 * `last` says where the log ends: a provider may cut an answer of over 1 MiB before its limits, as a scan's (rows.more
 * is 1 then).
 * Exactly when the log no longer has the event behind `after` (after + 1 < first): TAUT_E_GAP and no events. A log that
 * is not there is empty: n and last are 0. */
struct taut_event_rows {
    uint32_t size;
    uint32_t n;
    uint64_t first; /* with TAUT_E_GAP: the oldest seq that is there */
    uint64_t last;  /* the workspace's last seq in the snapshot */
    const struct taut_event_rec *events;
};

/* Result of logs: every workspace that has a log, which is one that ever had an event, in the order of their names.
 * first: the oldest seq that is there; last + 1 in a log that a restore has begun anew. Frozen. */
struct taut_log_head {
    taut_str workspace;
    uint64_t first, last;
};
struct taut_log_heads {
    uint32_t size;
    uint32_t n;
    const struct taut_log_head *heads;
};

/* Result of cursors: those of the workspace, in the order of their names. */
struct taut_cursors {
    uint32_t size;
    uint32_t n;
    const struct taut_cursor *cursors;
};

/* Result of open. Of one that failed it is, if anything, a taut_str: why. */
struct taut_open_result {
    uint32_t size;
    uint32_t reserved;
    uint64_t lsn; /* of the last commit */
};

/* All of these run on the hub and return at once. Requests stay valid until their op completes. Errors come with the
 * completion: TAUT_E_CONFLICT, _CLAIMED, _GAP, _INVAL, _LIMIT (a row, or an answer of get, that is too big; rows of 16
 * MiB are not), _UNAVAILABLE (try again later), _UNKNOWN (a commit that may or may not have reached the disk), _IO.
 * Since 1.0.
 *
 * open creates and migrates. A table that is there already may have gained columns at its end (old rows have NULL
 * there) and any indexes; an index may have changed or gone. A column that was lost, moved, renamed or retyped, another
 * key, or a new unique index that the rows do not fit: TAUT_E_INVAL, with the reason in the log, and the store stays as
 * it was. A store that a newer version of the provider wrote: the same. A crash in the middle is made good by the next
 * open. A table has at most 60 columns. TAUT_E_EXISTS: the store is open.
 *
 * close completes after everything that was submitted before it has. A store that is closed can be opened again, and be
 * closed again, which does nothing. */
struct taut_storage_v1 {
    uint32_t size;
    uint32_t reserved;
    void (*open)(void *self, const struct taut_table_ref *tables, uint32_t n, taut_op op); /* -> taut_open_result */
    void (*commit)(void *self, const struct taut_batch_view *b, taut_op op);               /* -> taut_commit_result */
    void (*get)(void *self, const struct taut_get_req *reqs, uint32_t n, taut_op op);      /* -> taut_get_result */
    void (*scan)(void *self, uint32_t table, const struct taut_scan *s, taut_op op);       /* -> taut_rows */
    void (*events)(void *self, taut_str workspace, uint64_t after, uint32_t limit, uint32_t max_bytes,
                   taut_op op);            /* -> taut_event_rows */
    void (*close)(void *self, taut_op op); /* after it, what was acknowledged is on disk and nothing is open */
    void (*logs)(void *self, taut_op op);  /* -> taut_log_heads */
    void (*cursors)(void *self, taut_str workspace, taut_op op); /* -> taut_cursors */
    /* Copies the whole store as of one commit into a new file, while it goes on; complete and synced when the op
     * completes. TAUT_E_EXISTS: there is a file already; it is left alone. The result, if any, is a taut_str: what was
     * made, or why it was not. A provider that makes no backups answers these two with TAUT_E_UNAVAILABLE. */
    void (*backup)(void *self, taut_str file, taut_op op);
    /* Instead of open: puts a backup in the place of a store that is not there. Checks the file first; nothing is
     * changed unless all of it is good. TAUT_E_EXISTS: there is a store; TAUT_E_INVAL: this is no backup of this
     * provider, or one of a newer version. The result, if any, is a taut_str: what was done, or why not. Afterwards
     * every log begins anew behind all seqs that it ever gave: positions of before are told TAUT_E_GAP. */
    void (*restore)(void *self, taut_str file, taut_op op);
    /* How far a backup or a restore is: bytes copied, of how many; 0 of 0 when none has begun to copy. */
    void (*copied)(void *self, uint64_t *done, uint64_t *total);
};

/* ---- when there is none: everything is answered with TAUT_E_UNAVAILABLE. self is the consumer's taut_mod ---- */

static inline void taut_storage_down_end(void *self, taut_op op) {
    taut_op_complete((struct taut_mod *)self, op, TAUT_E_UNAVAILABLE, NULL, NULL);
}
static inline void taut_storage_down_open(void *self, const struct taut_table_ref *tables, uint32_t n, taut_op op) {
    (void)tables, (void)n;
    taut_storage_down_end(self, op);
}
static inline void taut_storage_down_commit(void *self, const struct taut_batch_view *b, taut_op op) {
    (void)b;
    taut_storage_down_end(self, op);
}
static inline void taut_storage_down_get(void *self, const struct taut_get_req *reqs, uint32_t n, taut_op op) {
    (void)reqs, (void)n;
    taut_storage_down_end(self, op);
}
static inline void taut_storage_down_scan(void *self, uint32_t table, const struct taut_scan *s, taut_op op) {
    (void)table, (void)s;
    taut_storage_down_end(self, op);
}
static inline void taut_storage_down_events(void *self, taut_str workspace, uint64_t after, uint32_t limit,
                                            uint32_t max_bytes, taut_op op) {
    (void)workspace, (void)after, (void)limit, (void)max_bytes;
    taut_storage_down_end(self, op);
}
static inline void taut_storage_down_copied(void *self, uint64_t *done, uint64_t *total) {
    (void)self;
    *done = *total = 0;
}
static inline void taut_storage_down_named(void *self, taut_str name, taut_op op) {
    (void)name;
    taut_storage_down_end(self, op);
}
TAUT_UNUSED static const struct taut_storage_v1 taut_storage_down = {
    (uint32_t)sizeof(struct taut_storage_v1),
    0,
    taut_storage_down_open,
    taut_storage_down_commit,
    taut_storage_down_get,
    taut_storage_down_scan,
    taut_storage_down_events,
    taut_storage_down_end,
    taut_storage_down_end,
    taut_storage_down_named,
    taut_storage_down_named,
    taut_storage_down_named,
    taut_storage_down_copied,
};

#endif
