/* workload.h - batches of which each can be found again in the file, and the question whether a store that went through
 * something still holds what it acknowledged, nothing of what it refused, and of the rest all or nothing.
 *
 * Batch number b of workspace w writes rows notes(w, 10 b … 10 b + 8), raises notes(w, 0).later by one, appends events
 * {"b":b} and may claim "b<b>". The first row's num is the seq of the first event. So after any crash: the counter is
 * how many batches are there, the store's lsn that of all, the seqs of a log are dense, and rows and events of a batch
 * are together.
 */
#ifndef TESTS_WORKLOAD_H
#define TESTS_WORKLOAD_H

#include "store_harness.h"

enum { RECS_MAX = 4096, ROWS_OF_ONE = 4, EVENTS_OF_ONE = 3, BODY_MAX = 3000, WORKSPACES = 3, TOLD_MAX = 5 };
enum outcome { OPEN, ACKED, REFUSED, UNKNOWN };

struct rec {
    uint32_t ws, nrows, nevents;
    bool claims, doomed; /* doomed: is to be refused */
    int32_t status;
    uint64_t first_seq;
    _Atomic taut_op op;
    taut_str workspace;
    struct taut_write writes[ROWS_OF_ONE + 1];
    struct taut_val vals[ROWS_OF_ONE][6], key[2], nobody[2];
    struct taut_set set;
    struct taut_event_rec events[EVENTS_OF_ONE];
    struct taut_cond cond;
    struct taut_cursor cursor;
    char claim[24], body[32];
    struct taut_batch_view view;
};
static struct {
    struct rec recs[RECS_MAX];
    _Atomic uint32_t n;
    uint32_t seed;
    bool trims;
} work;
static const char *const work_names[WORKSPACES] = {"T1", "T2", "T3"};
static char work_text[BODY_MAX];

static inline uint32_t dice(uint32_t n) {
    work.seed = work.seed * 1664525u + 1013904223u;
    return (work.seed >> 8) % n;
}

static inline void work_begin(uint32_t seed) {
    work.n = 0;
    work.seed = seed;
    memset(work_text, 'x', sizeof work_text);
}

/* The module's init, for those who do not open the store at once. */
static inline int32_t begin_store(void) {
    host_reset();
    options_fill(&t);
    t.mod = (struct taut_mod){.host = &host_table, .config = t.config, .name = t.def->name};
    return t.def->init(&t.mod);
}

/* ---- batches ---- */

static inline void work_row(struct rec *r, uint32_t b, uint32_t k, uint32_t size) {
    struct taut_val *v = r->vals[k];
    v[0] = taut_v_str(r->workspace);
    v[1] = I((int64_t)b * 10 + k);
    v[2] = taut_v_str(taut_str_n(work_text, size));
    v[3] = r->nevents ? taut_v_seq(0) : I(0);
    r->writes[k] = (struct taut_write){.kind = TAUT_W_INSERT, .vals = v, .nvals = 4};
}

static inline void work_make(struct rec *r, uint32_t b) {
    *r = (struct rec){.ws = b < WORKSPACES ? b : dice(WORKSPACES),
                      .nrows = 1 + dice(ROWS_OF_ONE),
                      .nevents = dice(EVENTS_OF_ONE + 1),
                      .doomed = b >= WORKSPACES && dice(9) == 0};
    r->workspace = taut_str_z(work_names[r->ws]);
    r->claims = r->nevents && dice(2);
    snprintf(r->claim, sizeof r->claim, "b%u", b);
    snprintf(r->body, sizeof r->body, "{\"b\":%u}", b);
    for (uint32_t k = 0; k < r->nrows; k++) work_row(r, b, k, 10 + dice(dice(4) ? 100 : BODY_MAX - 10));
    for (uint32_t k = 0; k < r->nevents; k++)
        r->events[k] = (struct taut_event_rec){.topics = TAUT_LIT("C1"), .body = taut_str_z(r->body)};
    r->key[0] = taut_v_str(r->workspace);
    r->key[1] = I(0);
    r->set = (struct taut_set){LATER, TAUT_ADD, I(1)};
    r->writes[r->nrows] =
        (struct taut_write){.kind = TAUT_W_UPDATE, .vals = r->key, .nvals = 2, .sets = &r->set, .nsets = 1};
    r->nobody[0] = r->key[0];
    r->nobody[1] = I(-1);
    r->cond = (struct taut_cond){.how = TAUT_COND_PRESENT, .key = r->doomed ? r->nobody : r->key, .nkey = 2};
    r->cursor = (struct taut_cursor){TAUT_LIT("reader"), b + 1};
    r->view = (struct taut_batch_view){.size = sizeof r->view,
                                       .workspace = r->workspace,
                                       .conds = {&r->cond, b >= WORKSPACES, sizeof r->cond},
                                       .writes = {r->writes, r->nrows + 1, sizeof r->writes[0]},
                                       .events = {r->events, r->nevents, sizeof r->events[0]},
                                       .cursors = {&r->cursor, dice(6) == 0, sizeof r->cursor}};
    if (r->claims) r->view.claim_key = r->view.claim_value = taut_str_z(r->claim);
    if (b >= WORKSPACES) return;
    r->nrows = 1; /* the first batch of each workspace makes its counter */
    r->vals[0][1] = I(0);
    r->vals[0][4] = r->vals[0][5] = NIL;
    r->writes[0].nvals = 6;
    r->writes[1] = (struct taut_write){.kind = TAUT_W_UPDATE, .vals = r->key, .nvals = 2, .sets = &r->set, .nsets = 1};
    r->view.writes.len = 2;
}

static inline struct rec *work_submit(void) {
    uint32_t b = work.n;
    struct rec *r = &work.recs[b];
    assert_true(b < RECS_MAX);
    work_make(r, b);
    if (work.trims && r->nevents && dice(10) == 0) {
        uint64_t last = 0;
        for (uint32_t i = 0; i < b; i++)
            if (work.recs[i].ws == r->ws && work.recs[i].first_seq > last) last = work.recs[i].first_seq;
        r->view.trim = last / 2;
    }
    taut_op op = host_commit_op();
    r->op = op;
    work.n = b + 1;
    host.storage->commit(host.self, &r->view, op);
    return r;
}

static inline enum outcome outcome_of(int32_t status) {
    return status == TAUT_OK ? ACKED : status == TAUT_E_UNKNOWN ? UNKNOWN : REFUSED;
}

static inline int32_t work_wait(struct rec *r) {
    struct host_slot s = host_wait(r->op);
    const struct taut_commit_result *res = s.result;
    r->status = s.status;
    r->first_seq = s.status == TAUT_OK ? res->first_seq : 0;
    host_release(&s);
    return r->status;
}

/* That many batches, in groups of up to `width`. */
static inline void work_run(uint32_t n, uint32_t width) {
    while (n) {
        uint32_t m = 1 + dice(width), first = work.n;
        if (m > n) m = n;
        for (uint32_t i = 0; i < m; i++) work_submit();
        for (uint32_t i = 0; i < m; i++) work_wait(&work.recs[first + i]);
        n -= m;
    }
}

/* What is known of each batch at this moment, by any thread. */
static inline void work_outcomes(unsigned char out[RECS_MAX]) {
    memset(out, OPEN, RECS_MAX);
    pthread_mutex_lock(&host.lock);
    for (uint32_t i = 0; i < work.n; i++) {
        const struct host_slot *s = &host.slots[work.recs[i].op];
        if (s->done) out[i] = (unsigned char)outcome_of(s->status);
    }
    pthread_mutex_unlock(&host.lock);
}

/* ---- the question ---- */

struct found {
    uint32_t rows, events;
    uint64_t seq; /* by its row */
    uint64_t first_event;
};
static struct found found[RECS_MAX];
static char told[TOLD_MAX][160];
static uint32_t nwrong;

TAUT_PRINTF(1, 2) static inline void wrong(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    if (nwrong < TOLD_MAX) vsnprintf(told[nwrong], sizeof told[0], fmt, ap);
    nwrong++;
    va_end(ap);
}

static inline sqlite3_stmt *ask(sqlite3 *db, const char *text) {
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(db, text, -1, &st, NULL) != SQLITE_OK) wrong("%s", sqlite3_errmsg(db));
    return st;
}

static inline int64_t ask_number(sqlite3 *db, const char *text, const char *ws) {
    sqlite3_stmt *st = ask(db, text);
    if (ws) sqlite3_bind_text(st, 1, ws, -1, SQLITE_STATIC);
    int64_t n = sqlite3_step(st) == SQLITE_ROW ? sqlite3_column_int64(st, 0) : -1;
    sqlite3_finalize(st);
    return n;
}

static inline void find_all(sqlite3 *db) {
    memset(found, 0, sizeof found);
    sqlite3_stmt *st = ask(db, "SELECT ws, id, num FROM test_notes");
    while (sqlite3_step(st) == SQLITE_ROW) {
        int64_t id = sqlite3_column_int64(st, 1);
        const char *name = (const char *)sqlite3_column_text(st, 0); /* a damaged file may have anything */
        uint32_t ws = name && name[0] == 'T' ? (uint32_t)name[1] - '1' : WORKSPACES;
        uint32_t b = id ? (uint32_t)(id / 10) : ws;
        if (ws >= WORKSPACES || b >= work.n || work.recs[b].ws != ws) {
            wrong("a row of nobody: %lld", (long long)id);
            continue;
        }
        found[b].rows++;
        found[b].seq = (uint64_t)sqlite3_column_int64(st, 2);
    }
    sqlite3_finalize(st);
    st = ask(db, "SELECT seq, substr(body, 6) FROM taut_events e WHERE body IS NOT NULL AND "
                 "seq>=(SELECT first FROM taut_heads h WHERE h.workspace=e.workspace) ORDER BY workspace, seq");
    while (sqlite3_step(st) == SQLITE_ROW) {
        uint32_t b = (uint32_t)sqlite3_column_int(st, 1);
        if (b >= work.n) continue;
        if (!found[b].events++) found[b].first_event = (uint64_t)sqlite3_column_int64(st, 0);
    }
    sqlite3_finalize(st);
}

/* Its events, as far as the log still has them, belong to its rows. */
static inline void check_events(uint32_t b, uint64_t log_first) {
    const struct rec *r = &work.recs[b];
    const struct found *f = &found[b];
    if (!r->nevents || f->seq < log_first) return;
    if (f->events != r->nevents) wrong("batch %u: %u of %u events", b, f->events, r->nevents);
    else if (f->first_event != f->seq)
        wrong("batch %u: its row says seq %llu, its event has %llu", b, (unsigned long long)f->seq,
              (unsigned long long)f->first_event);
}

static inline bool check_batch(uint32_t b, enum outcome o, const uint64_t log_first[WORKSPACES]) {
    const struct rec *r = &work.recs[b];
    const struct found *f = &found[b];
    if (o == ACKED && f->rows != r->nrows) wrong("batch %u was acknowledged; %u of %u rows", b, f->rows, r->nrows);
    if (o == REFUSED && (f->rows || f->events)) wrong("batch %u was refused (%d) and is there", b, r->status);
    if (f->rows && f->rows != r->nrows) wrong("batch %u is torn: %u of %u rows", b, f->rows, r->nrows);
    if (!f->rows && f->events) wrong("batch %u is torn: events without rows", b);
    if (f->rows) check_events(b, log_first[r->ws]);
    if (o == ACKED && r->first_seq && f->rows && f->seq != r->first_seq)
        wrong("batch %u was told seq %llu", b, (unsigned long long)r->first_seq);
    return f->rows > 0;
}

static inline uint64_t check_log(sqlite3 *db, uint32_t ws, uint32_t present) {
    const char *name = work_names[ws];
    int64_t first = ask_number(db, "SELECT first FROM taut_heads WHERE workspace=?1", name);
    int64_t last = ask_number(db, "SELECT seq FROM taut_heads WHERE workspace=?1", name);
    int64_t n = ask_number(db,
                           "SELECT count(*) FROM taut_events WHERE workspace=?1 AND seq>="
                           "(SELECT first FROM taut_heads h WHERE h.workspace=?1)",
                           name);
    int64_t top = ask_number(db, "SELECT ifnull(max(seq), 0) FROM taut_events WHERE workspace=?1", name);
    int64_t count = ask_number(db, "SELECT later FROM test_notes WHERE ws=?1 AND id=0", name);
    if (last >= 0 && (n != last - first + 1 || (n && top != last)))
        wrong("log %s: %lld events from %lld to %lld, the newest is %lld", name, (long long)n, (long long)first,
              (long long)last, (long long)top);
    if (last < 0 && top) wrong("log %s: events, and no head", name);
    if ((count < 0 ? 0 : count) != present)
        wrong("%s: the counter is %lld, %u batches are there", name, (long long)count, present);
    return first > 0 ? (uint64_t)first : 1;
}

/* Of a closed store's file. How much is wrong; `told` has the first of it. */
static inline uint32_t work_check(const char *path, const unsigned char outcomes[RECS_MAX]) {
    sqlite3 *db;
    uint64_t firsts[WORKSPACES];
    uint32_t present[WORKSPACES] = {0}, all = 0;
    nwrong = 0;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) wrong("cannot open %s", path);
    find_all(db);
    for (uint32_t ws = 0; ws < WORKSPACES; ws++) {
        int64_t first = ask_number(db, "SELECT first FROM taut_heads WHERE workspace=?1", work_names[ws]);
        firsts[ws] = first > 0 ? (uint64_t)first : 1;
    }
    for (uint32_t b = 0; b < work.n; b++)
        if (check_batch(b, outcomes[b], firsts)) present[work.recs[b].ws]++, all++;
    for (uint32_t ws = 0; ws < WORKSPACES; ws++) check_log(db, ws, present[ws]);
    int64_t lsn = ask_number(db, "SELECT value FROM taut_meta WHERE key='lsn'", NULL);
    if (lsn != all) wrong("the store's lsn is %lld, %u batches are there", (long long)lsn, all);
    sqlite3_stmt *st = ask(db, "PRAGMA integrity_check(1)");
    const char *verdict = sqlite3_step(st) == SQLITE_ROW ? (const char *)sqlite3_column_text(st, 0) : NULL;
    if (!verdict || strcmp(verdict, "ok") != 0) wrong("the file is damaged");
    sqlite3_finalize(st);
    sqlite3_close(db);
    return nwrong;
}

static inline void tell_wrongs(const char *of) {
    for (uint32_t i = 0; i < nwrong && i < TOLD_MAX; i++) print_message("%s: %s\n", of, told[i]);
}

/* A claim that was acknowledged is answered so again. Of an open store. */
static inline uint32_t work_check_claims(const unsigned char outcomes[RECS_MAX], uint32_t max) {
    uint32_t asked = 0, lost = 0;
    for (uint32_t b = work.n; b > 0 && asked < max; b--) {
        const struct rec *r = &work.recs[b - 1];
        if (!r->claims || outcomes[b - 1] != ACKED) continue;
        struct taut_batch_view again = r->view;
        again.conds.len = 0;
        asked++;
        lost += commit(&again, NULL) != TAUT_E_CLAIMED;
    }
    return lost;
}

/* The store as it is built for these tests: its allocations can fail (alloc.h), and TAUT_MUTANT seeds a fault. */
static inline bool load_faulty_store(void) {
    if (!kit_load(TAUT_FAULTY_STORE)) return false;
    use_test_options();
    return true;
}

#endif
