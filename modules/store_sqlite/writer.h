/* writer.h - the writer's own state, and the steps of a group.
 *
 * A group is what queued while the last one was being synced; it is one transaction. Nothing of it is told to anybody
 * before its COMMIT has returned. Everything here belongs to the writer thread.
 *
 *   writer.c  the thread: waits, runs groups, checkpoints, heals
 *   group.c   one group: apply all, commit, report
 *   apply.c   one batch: claim, conditions, rows, events
 *   fold.c    what a group need not ask or write twice
 *   claim_rows.c  the claims on disk
 *   cursors.c  named cursors
 *   trim.c    deletes, slice by slice, what the log was trimmed of
 *   wal_check.c   what SQLite will not say of a log that a crash left
 *   load.c    from the file to the state below, at open and after a failure
 */
#ifndef STORE_WRITER_H
#define STORE_WRITER_H

#include "claims.h"
#include "db.h"
#include "fold.h"
#include "heads.h"
#include "identity.h"
#include "schema.h"

enum { GROUP_MAX = 512 /* batches */ };

/* A batch in its group, and what became of it. */
struct member {
    struct write_job job;
    int32_t status;
    bool settled; /* refused for good: not applied again when the group is */
    uint64_t lsn, first_seq, claim_seq;
    char *text; /* malloc'ed or NULL: the claim's value, or why */
    size_t text_len;
};

/* What trim.c keeps between two slices. */
struct sweep {
    sqlite3_stmt *lowest, *drop, *strip, *left;
    int64_t at_us;         /* monotonic: when to look again; SWEEP_NEVER */
    uint32_t groups_since; /* the last slice */
};

struct writer {
    struct store *store;
    struct conn conn;
    sqlite3_stmt *put_event, *put_head, *put_lsn, *get_claim, *put_claims, *drop_claims;
    sqlite3_stmt *put_cursor, *drop_cursor;
    struct sweep sweep;
    unsigned char claim_key[CLAIM_KEY_LEN];
    struct identity identity;
    struct heads heads;
    struct claims claims;
    struct fold fold;
    uint64_t lsn, lsn_saved;
    char *scratch; /* for claims: grows as needed */
    size_t scratch_cap;
    int64_t prune_at_us;
    uint64_t wal_bytes, checkpoint_at;
    bool broken; /* a sync failed: nothing is acknowledged until the store was opened anew */

    /* the group */
    uint32_t n, claims_added, claims_dropped, trims;
    uint64_t rows;
    int64_t now_us;
    struct write_job jobs[GROUP_MAX];
    struct member members[GROUP_MAX];
    struct taut_durable durable[GROUP_MAX];
    struct taut_completion answers[GROUP_MAX];
};

enum applied {
    APPLIED,
    REFUSED,  /* nothing of it was written; status says why */
    POISONED, /* refused after a write: the group must be done again without it */
    BROKE     /* SQLite failed: the group must be rolled back */
};
enum applied apply_batch(struct writer *w, struct member *m);

/* NULL, or what is wrong with a batch whatever the store holds. */
const char *batch_fault(const struct store *s, const struct taut_batch_view *b);

/* A batch as old as its size says. */
static inline struct taut_array batch_cursors(const struct taut_batch_view *b) {
    return TAUT_HAS(b, cursors) ? b->cursors : (struct taut_array){0};
}
static inline uint64_t batch_trim(const struct taut_batch_view *b) {
    return TAUT_HAS(b, trim) ? b->trim : 0;
}

/* Runs w->jobs[0 … n). A failed COMMIT leaves w->broken. */
void group_run(struct writer *w, uint32_t n);

/* Takes the lock on writing and keeps it: nobody else changes the store while it is open. A sqlite3 result code. */
int writer_begin(struct writer *w);
/* Opens the connection and reads the state; a store that is opened again is first checkpointed in full. */
int32_t writer_load(struct writer *w, bool again);
void writer_unload(struct writer *w);

/* Completes a commit that came to nothing; why is a literal or NULL. Any thread. */
void commit_refuse(struct taut_mod *mod, taut_op op, int32_t status, const char *why);

/* Sqlite3 result codes; SQLITE_DONE from the load. */
extern const char claim_rows_table[]; /* its SQL */
bool claim_rows_prepare(struct writer *w);
int claim_rows_save(struct writer *w); /* those of the group */
int claim_rows_load(struct writer *w);
int claim_rows_from_log(struct conn *c);

/* Sets the batch's cursors, in the group's transaction. A sqlite3 result code. */
bool cursors_prepare(struct writer *w);
void cursors_unprepare(struct writer *w);
int cursors_set(struct writer *w, const struct taut_batch_view *b);

bool sweep_prepare(struct writer *w);
void sweep_unprepare(struct writer *w);
void sweep_soon(struct writer *w); /* a log was trimmed */
/* How long the writer may wait for work before a slice is due; 0: for ever. */
uint32_t sweep_wait_ms(struct writer *w);
/* Between groups; idle: nobody waits. Deletes one slice in a transaction of its own, if that is due. */
void sweep_run(struct writer *w, bool idle);

void wal_check(struct store *s); /* logs what it finds; before the database is opened */

void *writer_main(void *store);

#endif
