/* svc/storage.h - the family storage/1: tables, batches and the log, behind whatever keeps them.
 *
 * The core is the only consumer. It calls the provider on the hub; the provider works on threads of its own and
 * answers with host->ops_complete and host->durable from any of them.
 *
 * What a provider promises:
 *   - a batch is atomic: conditions are all evaluated before its first write; a refused one costs others nothing;
 *   - batches are applied in the order of submission (those of class BACKGROUND may be overtaken by others);
 *   - seq is given inside the transaction, after the conditions held; dense for each workspace, starting at 1;
 *   - a commit's op completes, and durable() is told, only after the fsync that covers the batch; refusals too;
 *   - durable() names batches in commit order (lsn rises by 1), each before its op completes, on one thread;
 *   - a read sees a snapshot: some prefix of the commits, at least everything that was reported durable before it;
 *   - claims hold for 24 h, across restarts;
 *   - a named cursor moves in the transaction of its batch; the log is trimmed only by a batch that says so.
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

struct taut_cond {
    uint32_t table; /* id */
    uint32_t how;   /* TAUT_COND_* */
    const struct taut_val *key;
    uint32_t nkey; /* = key_cols of the table */
    uint32_t col;
    struct taut_val val;
};

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
    int64_t at_us; /* wall clock of its commit, for people and for retention only */
    taut_conn skip;
    taut_str topics; /* names joined by one blank */
    taut_str deltas; /* "+U1 C1,-U2 C1,xK7 token_revoked" */
    taut_str body;
};

enum { TAUT_CLASS_INTERACTIVE = 0, TAUT_CLASS_BACKGROUND = 1 };

/* The position of a reader of a log: what it has done with everything up to and with `seq` is done for good. Names are
 * chosen by readers ("search", "app/A123") and belong to a workspace. */
struct taut_cursor {
    taut_str name;
    uint64_t seq;
};

/* A batch as the provider gets it. Everything in it stays valid and unchanged until its op completes. */
struct taut_batch_view {
    uint32_t size;
    uint32_t cls;
    taut_str workspace;       /* whose log; may be empty when there are no events */
    struct taut_array conds;  /* of struct taut_cond */
    struct taut_array writes; /* of struct taut_write */
    struct taut_array events; /* of struct taut_event_rec; seq is 0 */
    taut_str claim_key;       /* empty: none */
    taut_str claim_value;
    struct taut_array cursors; /* of struct taut_cursor: set, of `workspace`; seq 0: forgotten */
    uint64_t trim;             /* the log of `workspace` ends here: events with seq <= trim are deleted; 0: none. Its
                                  last event stays, whatever trim says, so that seq goes on */
};

/* Result of commit. With TAUT_E_CLAIMED: claim_value is what the earlier batch gave, claim_seq the seq of its first
 * event. The provider's memory; freed by the destructor that it completed with. */
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

/* Result of get: one entry a request, rows[i].ncols 0 when absent. Result of scan: struct taut_rows. */
struct taut_get_result {
    uint32_t size;
    uint32_t n;
    uint64_t as_of; /* lsn of the snapshot */
    const struct taut_row *rows;
};

struct taut_event_rows {
    uint32_t size;
    uint32_t n;
    uint64_t first; /* with TAUT_E_GAP: the oldest seq that is there */
    uint64_t last;  /* the workspace's last seq in the snapshot */
    const struct taut_event_rec *events;
};

/* Result of logs: every workspace that has a log. first: the oldest seq that is there. */
struct taut_log_head {
    taut_str workspace;
    uint64_t first, last;
};
struct taut_log_heads {
    uint32_t size;
    uint32_t n;
    const struct taut_log_head *heads;
};

/* Result of cursors. */
struct taut_cursors {
    uint32_t size;
    uint32_t n;
    const struct taut_cursor *cursors;
};

/* Result of open. */
struct taut_open_result {
    uint32_t size;
    uint32_t reserved;
    uint64_t lsn; /* of the last commit */
};

/* All of these run on the hub and return at once. Requests stay valid until their op completes. Errors come with the
 * completion: TAUT_E_CONFLICT, _CLAIMED, _GAP, _UNAVAILABLE (try again later), _UNKNOWN (a commit that may or may not
 * have reached the disk), _IO. Since 1.0. */
struct taut_storage_v1 {
    uint32_t size;
    uint32_t reserved;
    void (*open)(void *self, const struct taut_table_ref *tables, uint32_t n,
                 taut_op op); /* creates and migrates; -> taut_open_result */
    void (*commit)(void *self, const struct taut_batch_view *b, taut_op op);          /* -> taut_commit_result */
    void (*get)(void *self, const struct taut_get_req *reqs, uint32_t n, taut_op op); /* -> taut_get_result */
    void (*scan)(void *self, uint32_t table, const struct taut_scan *s, taut_op op);  /* -> taut_rows */
    void (*events)(void *self, taut_str workspace, uint64_t after, uint32_t limit, taut_op op); /* -> taut_event_rows */
    void (*close)(void *self, taut_op op); /* after it, what was acknowledged is on disk and nothing is open */
    void (*logs)(void *self, taut_op op);  /* -> taut_log_heads */
    void (*cursors)(void *self, taut_str workspace, taut_op op); /* -> taut_cursors */
    /* Copies the whole store as of one commit into a new file, while it goes on; complete and synced when the op
     * completes. TAUT_E_EXISTS: there is a file already; it is left alone. */
    void (*backup)(void *self, taut_str file, taut_op op);
    /* Instead of open: puts a backup in the place of a store that is not there. Checks the file first; nothing is
     * changed unless all of it is good. TAUT_E_EXISTS: there is a store; TAUT_E_INVAL: this is no backup of this
     * provider, or one of a newer version. The result, if any, is a taut_str that says why. */
    void (*restore)(void *self, taut_str file, taut_op op);
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
                                            taut_op op) {
    (void)workspace, (void)after, (void)limit;
    taut_storage_down_end(self, op);
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
};

#endif
