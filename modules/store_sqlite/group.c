/* group.c - one group: apply every batch, commit, and only then say so.
 *
 * The answers of a group lie in one block that the last of them frees.
 */
#include <errno.h>
#include <stdatomic.h>
#include <unistd.h>

#include "fault.h"
#include "writer.h"

enum { MUTANT_DELAY_US = 50000 };

struct answer {
    struct taut_commit_result result; /* first: what the receiver sees */
    struct answers *block;
    char *text;
};
struct answers {
    atomic_uint left;
    struct answer list[];
};

static void answer_free(void *result) {
    struct answer *a = result;
    struct answers *block = a->block;
    free(a->text);
    if (atomic_fetch_sub_explicit(&block->left, 1, memory_order_acq_rel) == 1) free(block);
}

static void fill_answer(struct answer *a, struct member *m) {
    bool claimed = m->status == TAUT_E_CLAIMED, ok = m->status == TAUT_OK;
    a->result.size = sizeof a->result;
    a->result.lsn = ok ? m->lsn : 0;
    a->result.first_seq = ok ? m->first_seq : 0;
    a->result.claim_seq = m->claim_seq;
    a->result.claim_value = claimed ? taut_str_n(m->text, m->text_len) : taut_str_z("");
    a->result.why = !claimed && m->text ? taut_str_n(m->text, m->text_len) : taut_str_z("");
    a->text = m->text;
    m->text = NULL;
}

static void complete_all(struct writer *w) {
    struct answers *block = malloc(sizeof *block + w->n * sizeof block->list[0]);
    if (block) atomic_init(&block->left, w->n);
    for (uint32_t i = 0; i < w->n; i++) {
        struct member *m = &w->members[i];
        w->answers[i] = (struct taut_completion){m->job.op, m->status, 0, NULL, NULL};
        if (!block) { /* a commit without its numbers is of no use, and a refusal without its claim neither */
            if (m->status == TAUT_OK) w->answers[i].status = TAUT_E_UNKNOWN;
            if (m->status == TAUT_E_CLAIMED) w->answers[i].status = TAUT_E_NOMEM;
            free(m->text);
            continue;
        }
        fill_answer(&block->list[i], m);
        block->list[i].block = block;
        w->answers[i].result = &block->list[i];
        w->answers[i].destroy = answer_free;
    }
    w->store->mod->host->ops_complete(w->store->mod, w->answers, w->n);
}

/* What is on disk, in order; how many that is. */
static uint32_t tell_durable(struct writer *w) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < w->n; i++) {
        const struct member *m = &w->members[i];
        if (m->status == TAUT_OK) w->durable[n++] = (struct taut_durable){m->job.batch, m->lsn, m->first_seq};
    }
    if (n) w->store->mod->host->durable(w->store->mod, w->durable, n);
    return n;
}

/* First that; then everybody gets an answer. */
static void report(struct writer *w) {
    uint32_t n = tell_durable(w);
    if (n) crash_point(&w->store->faults, CRASH_BEFORE_ANSWER);
    complete_all(w);
    taut_count(w->store->mod, METRIC_COMMITS, n);
}

/* Forgets what the group did in memory. */
static void undo(struct writer *w) {
    heads_undo(&w->heads);
    claims_undo(&w->claims, w->claims_added);
    w->lsn = w->lsn_saved;
    w->claims_added = w->claims_dropped = w->trims = 0;
    w->rows = 0;
}

static void rollback(struct writer *w) {
    if (!sqlite3_get_autocommit(w->conn.db)) db_exec(w->conn.db, "ROLLBACK");
    undo(w);
}

void commit_refuse(struct taut_mod *mod, taut_op op, int32_t status, const char *why) {
    struct taut_commit_result *r = calloc(1, sizeof *r);
    if (r) r->claim_value = taut_str_z("");
    if (r) r->why = taut_str_z(why ? why : "");
    taut_op_complete(mod, op, status, r, free);
}

/* The cause is the connection's. */
static void fail_all(struct writer *w, int32_t status) {
    const char *why = w->conn.cause ? w->conn.cause : "";
    for (uint32_t i = 0; i < w->n; i++) {
        struct member *m = &w->members[i];
        if (m->settled) continue;
        free(m->text);
        m->text = strdup(why);
        m->text_len = m->text ? strlen(why) : 0;
        m->claim_seq = 0;
        m->status = status;
    }
    complete_all(w);
}

/* BROKE, POISONED (that member is settled; start again), or APPLIED. */
static enum applied apply_all(struct writer *w) {
    fold_reset(&w->fold);
    for (uint32_t i = 0; i < w->n; i++) {
        struct member *m = &w->members[i];
        if (m->settled) continue;
        free(m->text);
        m->text = NULL;
        m->claim_seq = 0;
        enum applied a = apply_batch(w, m);
        if (a == POISONED) m->settled = true;
        if (a == POISONED || a == BROKE) return a;
    }
    return APPLIED;
}

static int save_counters(struct writer *w) {
    int rc = fold_flush(&w->fold, &w->conn, FOLD_ALL);
    for (const struct head *h = w->heads.dirty; h && rc == SQLITE_OK; h = h->next_dirty) {
        bind_str(w->put_head, 1, taut_str_n(h->workspace, h->len));
        sqlite3_bind_int64(w->put_head, 2, (int64_t)h->now.seq);
        sqlite3_bind_int64(w->put_head, 3, (int64_t)h->now.first);
        rc = db_run(w->put_head);
    }
    if (rc == SQLITE_OK) rc = claim_rows_save(w);
    sqlite3_bind_int64(w->put_lsn, 1, (int64_t)w->lsn);
    return rc == SQLITE_OK ? db_run(w->put_lsn) : rc;
}

/* From BEGIN to all applied. TAUT_OK, or why nothing of the group is there. */
static int32_t prepare(struct writer *w) {
    enum applied a;
    do {
        if (writer_begin(w) != SQLITE_OK) {
            conn_log(&w->conn, "store_write", "cannot lock the database for writing");
            return TAUT_E_UNAVAILABLE;
        }
        a = apply_all(w);
        if (a == APPLIED && w->lsn != w->lsn_saved && save_counters(w) != SQLITE_OK) {
            conn_log(&w->conn, "store_write", "cannot write the counters of a group");
            a = BROKE;
        }
        if (a != APPLIED) rollback(w);
    } while (a == POISONED);
    return a == BROKE ? TAUT_E_IO : TAUT_OK;
}

static int commit(struct writer *w) {
    struct taut_mod *mod = w->store->mod;
    crash_point(&w->store->faults, CRASH_BEFORE_COMMIT);
    int64_t start = taut_mono_us(mod);
    errno = 0;
    int rc = db_exec(w->conn.db, "COMMIT");
    if (rc != SQLITE_OK) {
        conn_log(
            &w->conn, "store_sync",
            "a commit failed, and whether it reached the disk is unknown; nothing is acknowledged until the store has "
            "been opened anew");
        return rc;
    }
    if (!identity_holds(w)) return SQLITE_IOERR;
    taut_count(mod, METRIC_COMMIT, taut_mono_us(mod) - start);
    crash_point(&w->store->faults, CRASH_AFTER_COMMIT);
    return SQLITE_OK;
}

static void keep(struct writer *w) {
    heads_keep(&w->heads);
    if (w->trims) sweep_soon(w);
    w->lsn_saved = w->lsn;
    w->claims_added = 0;
    taut_count(w->store->mod, METRIC_GROUPS, 1);
    taut_count(w->store->mod, METRIC_ROWS, (int64_t)w->rows);
    taut_count(w->store->mod, METRIC_CLAIMS, w->claims.len);
    condition_claims(w);
    if (!w->claims_dropped) return;
    taut_count(w->store->mod, METRIC_CLAIMS_DROPPED, w->claims_dropped);
    taut_log(w->store->mod, TAUT_LOG_WARN, "store_claims",
             "%u claims were forgotten before their 24 hours were over: their retries would be written twice; raise "
             "modules.%s.claims (now %lld)",
             w->claims_dropped, w->store->mod->name, (long long)w->store->opt->claims);
}

void group_run(struct writer *w, uint32_t n) {
    w->n = n;
    w->rows = 0;
    w->claims_added = w->claims_dropped = w->trims = 0;
    w->conn.cause = NULL;
    w->now_us = taut_now_us(w->store->mod);
    for (uint32_t i = 0; i < n; i++) w->members[i] = (struct member){.job = w->jobs[i]};
    claims_expire(&w->claims, w->now_us / 1000000);

    w->broken = !identity_holds(w);
    int32_t err = w->broken ? TAUT_E_UNAVAILABLE : prepare(w);
    if (err != TAUT_OK) {
        fail_all(w, err);
        return;
    }
    if (w->lsn == w->lsn_saved) { /* all refused: what they were refused for is on disk */
        report(w);
        return;
    }
    if (MUTANT(&w->store->faults, ack_before_commit)) {
        report(w);
        usleep(MUTANT_DELAY_US);
        db_exec(w->conn.db, "COMMIT");
        keep(w);
        return;
    }
    if (MUTANT(&w->store->faults, publish_before_commit)) {
        tell_durable(w);
        usleep(MUTANT_DELAY_US);
        commit(w);
        keep(w);
        complete_all(w);
        return;
    }
    int rc = commit(w);
    if (rc != SQLITE_OK && MUTANT(&w->store->faults, retried_sync)) {
        rollback(w);
        if (prepare(w) == TAUT_OK) rc = commit(w);
    }
    if (rc != SQLITE_OK) {
        w->broken = true;
        rollback(w);
        fail_all(w, TAUT_E_UNKNOWN);
        return;
    }
    keep(w);
    report(w);
}
