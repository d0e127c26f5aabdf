/* apply.c - one batch inside the group's transaction.
 *
 * The order is the promise: everything that can refuse it comes before its first write. The claim comes first of all,
 * so that a retry gets its first answer even when its own first effect has made its conditions untrue. One question is
 * left to the first write itself, since asking it twice costs a tenth of the writer: whether a leading INSERT's key is
 * free; when it is not, nothing of the batch has been written yet.
 */
#include "writer.h"

#include "fault.h"
#include "siphash.h"

enum { WHY_MAX = 256 };

static enum applied refuse(struct member *m, int32_t status, const char *fmt, const char *table, const char *detail) {
    char *why = malloc(WHY_MAX);
    m->status = status;
    if (!why) return REFUSED;
    int n = snprintf(why, WHY_MAX, fmt, table, detail);
    m->text = why;
    m->text_len = n < 0 ? 0 : n < WHY_MAX ? (size_t)n : WHY_MAX - 1;
    return REFUSED;
}

static enum applied broke(struct writer *w, const char *what) {
    conn_log(&w->conn, "store_write", what);
    return BROKE;
}

static enum applied no_memory(struct writer *w) {
    w->conn.cause = "out of memory";
    return BROKE;
}

/* ---- claims ---- */

static bool scratch_reserve(struct writer *w, size_t n) {
    if (n <= w->scratch_cap) return true;
    char *p = realloc(w->scratch, n * 2);
    if (!p) return false;
    w->scratch = p;
    w->scratch_cap = n * 2;
    return true;
}

/* Of workspace and key, with a NUL between. */
static bool hash_claim(struct writer *w, const struct taut_batch_view *b, unsigned char hash[HASH_LEN]) {
    size_t ws = b->workspace.len, n = ws + 1 + b->claim_key.len;
    if (!scratch_reserve(w, n)) return false;
    memcpy(w->scratch, b->workspace.ptr, ws);
    w->scratch[ws] = 0;
    memcpy(w->scratch + ws + 1, b->claim_key.ptr, b->claim_key.len);
    siphash(w->claim_key, w->scratch, n, hash);
    return true;
}

static uint64_t short_hash(const unsigned char hash[HASH_LEN]) {
    uint64_t x;
    memcpy(&x, hash, sizeof x);
    return x;
}

/* Is the event at seq the holder of that claim? Then the member is refused with the claim's value. */
static enum applied check_claim_row(struct writer *w, struct member *m, const unsigned char hash[HASH_LEN],
                                    uint64_t seq) {
    enum applied result = APPLIED;
    bind_str(w->get_claim, 1, m->job.batch->workspace);
    sqlite3_bind_int64(w->get_claim, 2, (int64_t)seq);
    int rc = sqlite3_step(w->get_claim);
    if (rc == SQLITE_ROW) {
        const char *row = sqlite3_column_blob(w->get_claim, 0);
        size_t n = (size_t)sqlite3_column_bytes(w->get_claim, 0);
        if (sqlite3_errcode(w->conn.db) == SQLITE_NOMEM) result = broke(w, "cannot read a claim");
        if (n >= HASH_LEN && memcmp(row, hash, HASH_LEN) == 0) {
            m->status = TAUT_E_CLAIMED;
            m->claim_seq = seq;
            m->text_len = n - HASH_LEN;
            m->text = malloc(m->text_len + 1);
            if (m->text) memcpy(m->text, row + HASH_LEN, m->text_len);
            else m->status = TAUT_E_NOMEM;
            result = REFUSED;
        }
    } else if (rc != SQLITE_DONE) result = broke(w, "cannot read a claim");
    sqlite3_reset(w->get_claim);
    return result;
}

static enum applied check_claim(struct writer *w, struct member *m, const unsigned char hash[HASH_LEN]) {
    uint32_t cursor = 0;
    const struct claim *claim;
    while ((claim = claims_find(&w->claims, short_hash(hash), &cursor))) {
        enum applied a = check_claim_row(w, m, hash, claim->seq);
        if (a != APPLIED) return a;
    }
    return APPLIED;
}

/* ---- conditions ---- */

static bool same_value(const struct taut_val *a, const struct taut_val *b) {
    if (a->type != b->type) return false;
    if (a->type == TAUT_NULL) return true;
    if (a->type == TAUT_INT) return a->u.i == b->u.i;
    return a->len == b->len && (a->len == 0 || memcmp(a->u.p, b->u.p, a->len) == 0);
}

static enum applied check_cond(struct writer *w, struct member *m, const struct taut_cond *c) {
    bool equals = c->how == TAUT_COND_EQUALS, holds = false;
    const struct table *t = &w->store->tables[c->table];
    if (equals && fold_covers(&w->fold, c->table, c->col) && fold_flush(&w->fold, &w->conn, c->table) != SQLITE_OK)
        return broke(w, "cannot write what was gathered");
    if (fold_holds(&w->fold, c)) return APPLIED;
    sqlite3_stmt *st =
        equals ? stmt_arg(&w->conn, c->table, STMT_COLUMN, c->col) : stmt_simple(&w->conn, c->table, STMT_EXISTS);
    if (!st) return broke(w, "cannot prepare a condition");
    bind_key(st, c->key, c->nkey);
    int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW && equals) {
        struct taut_val v = column_val(st, 0);
        holds = same_value(&v, &c->val);
        if (sqlite3_errcode(w->conn.db) == SQLITE_NOMEM) rc = SQLITE_NOMEM; /* what it gave is not the value */
    } else holds = (rc == SQLITE_ROW) == (c->how == TAUT_COND_PRESENT) && !equals;
    sqlite3_reset(st);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) return broke(w, "cannot read a condition's row");
    if (holds) {
        fold_held(&w->fold, c);
        return APPLIED;
    }
    if (!equals)
        return refuse(m, TAUT_E_CONFLICT, "%s: the row is %s", t->name,
                      c->how == TAUT_COND_PRESENT ? "not there" : "there already");
    return refuse(m, TAUT_E_CONFLICT, "%s: column %s is not what was expected", t->name, table_col(t, c->col)->name);
}

/* 1, 0, or -1 when SQLite failed. */
static int has_row(sqlite3_stmt *st) {
    int rc = sqlite3_step(st);
    sqlite3_reset(st);
    return rc == SQLITE_ROW ? 1 : rc == SQLITE_DONE ? 0 : -1;
}

static enum applied check_insert(struct writer *w, struct member *m, const struct taut_write *wr, uint64_t seq0) {
    const struct table *t = &w->store->tables[wr->table];
    const struct taut_val none = taut_v_null();
    sqlite3_stmt *st = stmt_simple(&w->conn, wr->table, STMT_EXISTS);
    if (!st) return broke(w, "cannot prepare a look-up");
    for (uint32_t i = 0; i < t->key_cols; i++) bind_val(st, (int)i + 1, &wr->vals[i], seq0);
    int there = has_row(st);
    for (uint32_t i = 0; there == 0 && i < t->nindex; i++) {
        const struct taut_index *x = table_index(t, i);
        if (!(x->flags & TAUT_INDEX_UNIQUE)) continue;
        st = stmt_arg(&w->conn, wr->table, STMT_UNIQUE, i);
        if (!st) return broke(w, "cannot prepare a look-up");
        for (uint32_t j = 0; j < x->ncols; j++)
            bind_val(st, (int)j + 1, x->cols[j] < wr->nvals ? &wr->vals[x->cols[j]] : &none, seq0);
        there = has_row(st);
        if (there == 1) return refuse(m, TAUT_E_CONFLICT, "%s: index %s has such a row already", t->name, x->name);
    }
    if (there < 0) return broke(w, "cannot look for a row");
    return there ? refuse(m, TAUT_E_CONFLICT, "%s: the row is %s", t->name, "there already") : APPLIED;
}

static enum applied check_all(struct writer *w, struct member *m, uint64_t seq0) {
    const struct taut_batch_view *b = m->job.batch;
    enum applied a = APPLIED;
    for (uint32_t i = 0; a == APPLIED && i < b->conds.len; i++)
        a = check_cond(w, m, TAUT_AT(b->conds, struct taut_cond, i));
    for (uint32_t i = 1; a == APPLIED && i < b->writes.len; i++) {
        const struct taut_write *wr = TAUT_AT(b->writes, struct taut_write, i);
        if (wr->kind == TAUT_W_INSERT) a = check_insert(w, m, wr, seq0);
    }
    return a;
}

/* ---- writes ---- */

static sqlite3_stmt *write_stmt(struct writer *w, const struct taut_write *wr) {
    struct stmt_key k = {(uint16_t)wr->table, STMT_UPDATE, (uint8_t)wr->nsets, {0}};
    switch (wr->kind) {
    case TAUT_W_INSERT: return stmt_simple(&w->conn, wr->table, STMT_INSERT);
    case TAUT_W_UPSERT: return stmt_simple(&w->conn, wr->table, STMT_UPSERT);
    case TAUT_W_DELETE: return stmt_arg(&w->conn, wr->table, STMT_DELETE, wr->nvals);
    default:
        for (uint32_t i = 0; i < wr->nsets; i++) k.arg[i] = (uint8_t)(wr->sets[i].col | wr->sets[i].how << 6);
        return stmt_for(&w->conn, &k);
    }
}

static int write_row(struct writer *w, const struct taut_write *wr, uint64_t seq0) {
    const struct table *t = &w->store->tables[wr->table];
    if (wr->kind == TAUT_W_UPDATE && wr->nsets == 0) return SQLITE_OK;
    if (fold_update(&w->fold, w->store, wr, seq0)) return SQLITE_OK;
    int rc = fold_flush(&w->fold, &w->conn, wr->table);
    if (rc != SQLITE_OK) return rc;
    fold_touch(&w->fold, wr->table);
    sqlite3_stmt *st = write_stmt(w, wr);
    if (!st) return stmt_failure(&w->conn);
    for (uint32_t i = 0; i < wr->nvals; i++) bind_val(st, (int)i + 1, &wr->vals[i], seq0);
    if (wr->kind == TAUT_W_INSERT || wr->kind == TAUT_W_UPSERT)
        for (uint32_t i = wr->nvals; i < t->ncols; i++) sqlite3_bind_null(st, (int)i + 1);
    if (wr->kind == TAUT_W_UPDATE)
        for (uint32_t i = 0; i < wr->nsets; i++) bind_val(st, (int)(t->key_cols + i) + 1, &wr->sets[i].val, seq0);
    return db_run(st);
}

static enum applied write_rows(struct writer *w, struct member *m, uint64_t seq0) {
    const struct taut_batch_view *b = m->job.batch;
    for (uint32_t i = 0; i < b->writes.len; i++) {
        const struct taut_write *wr = TAUT_AT(b->writes, struct taut_write, i);
        int rc = write_row(w, wr, seq0);
        if (rc == SQLITE_OK) continue;
        const char *name = w->store->tables[wr->table].name;
        if ((rc & 0xff) == SQLITE_CONSTRAINT) refuse(m, TAUT_E_CONFLICT, "%s: %s", name, "such a row is there already");
        else if ((rc & 0xff) == SQLITE_TOOBIG) refuse(m, TAUT_E_LIMIT, "%s: %s", name, "a row is too big");
        else return broke(w, "cannot write a row");
        return i == 0 ? REFUSED : POISONED;
    }
    w->rows += b->writes.len;
    return APPLIED;
}

static enum applied write_events(struct writer *w, const struct taut_batch_view *b, uint64_t seq0,
                                 const unsigned char *hash) {
    sqlite3_stmt *st = w->put_event;
    if (hash) {
        if (!scratch_reserve(w, HASH_LEN + b->claim_value.len)) return no_memory(w);
        memcpy(w->scratch, hash, HASH_LEN);
        if (b->claim_value.len) memcpy(w->scratch + HASH_LEN, b->claim_value.ptr, b->claim_value.len);
    }
    for (uint32_t i = 0; i < b->events.len; i++) {
        const struct taut_event_rec *e = TAUT_AT(b->events, struct taut_event_rec, i);
        bind_str(st, 1, b->workspace);
        sqlite3_bind_int64(st, 2, (int64_t)(seq0 + i));
        sqlite3_bind_int64(st, 3, w->now_us);
        bind_str(st, 4, e->topics);
        bind_str(st, 5, e->deltas);
        if (e->skip) sqlite3_bind_int64(st, 6, (int64_t)e->skip);
        else sqlite3_bind_null(st, 6);
        if (hash && i == 0) sqlite3_bind_blob(st, 7, w->scratch, (int)(HASH_LEN + b->claim_value.len), SQLITE_STATIC);
        else sqlite3_bind_null(st, 7);
        bind_str(st, 8, e->body);
        if (db_run(st) != SQLITE_OK) return broke(w, "cannot write an event");
    }
    w->rows += b->events.len;
    return APPLIED;
}

static void remember_claim(struct writer *w, const unsigned char hash[HASH_LEN], uint64_t seq) {
    struct claim claim = {short_hash(hash), seq, w->now_us / 1000000};
    w->claims_dropped += claims_add(&w->claims, &claim);
    w->claims_added++;
}

/* All of it: rows, events, the reader's cursors, and at last what of the log may go. */
static enum applied write_all(struct writer *w, struct member *m, struct head *head, const unsigned char *hash) {
    const struct taut_batch_view *b = m->job.batch;
    uint64_t trim = batch_trim(b);
    enum applied a = write_rows(w, m, m->first_seq);
    if (a == APPLIED && MUTANT(&w->store->faults, torn_batch) && db_exec(w->conn.db, "COMMIT") == SQLITE_OK)
        writer_begin(w);
    if (a == APPLIED && b->events.len) a = write_events(w, b, m->first_seq, hash);
    if (a != APPLIED) return a;
    if (cursors_set(w, b) != SQLITE_OK) return broke(w, "cannot write a cursor");
    if (head) heads_advance(&w->heads, head, b->events.len);
    if (trim) heads_trim(&w->heads, head, trim);
    if (trim) w->trims++;
    if (hash) remember_claim(w, hash, m->first_seq);
    return APPLIED;
}

enum applied apply_batch(struct writer *w, struct member *m) {
    const struct taut_batch_view *b = m->job.batch;
    const char *fault = batch_fault(w->store, b);
    if (fault) return refuse(m, TAUT_E_INVAL, "%s%s", fault, "");
    bool needs_head = b->events.len || batch_trim(b);
    struct head *head = needs_head ? heads_get(&w->heads, b->workspace) : NULL;
    if (needs_head && !head) return no_memory(w);
    if (b->claim_key.len && !claims_reserve(&w->claims)) return no_memory(w);
    m->first_seq = b->events.len ? head->now.seq + 1 : 0;

    unsigned char hash[HASH_LEN];
    bool claims = b->claim_key.len > 0;
    enum applied a = APPLIED;
    if (claims) a = hash_claim(w, b, hash) ? check_claim(w, m, hash) : no_memory(w);
    if (a == APPLIED) a = check_all(w, m, m->first_seq);
    if (a == APPLIED) a = write_all(w, m, head, claims ? hash : NULL);
    if (a == REFUSED && head && MUTANT(&w->store->faults, seq_for_refused)) heads_advance(&w->heads, head, 1);
    if (a != APPLIED) return a;
    m->lsn = ++w->lsn;
    m->status = TAUT_OK;
    return APPLIED;
}
