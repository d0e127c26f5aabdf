/* storage_model.c - thousands of random batches against a model in memory that applies each by itself, in order. Rows,
 * numbers, refusals, claims, cursors and logs must come to the same, whatever groups the store makes of them. */
#include "storage_suite.h"

enum { LOGS = 2, IDS = 8, CLAIMS = 24, CURSOR_NAMES = 3, GROUP = 60, ROUNDS = 60, COLS = 7, EVENTS_MAX = 16384 };

static const char *const ws_names[LOGS] = {"T1", "T2"};
static const char *const words[] = {"a", "b", "c", ""};
static const char *const tags[] = {"x", "y", "z"};
static const char *const cursor_names[CURSOR_NAMES] = {"app/A", "notify", "search"};

/* ---- the model ---- */

struct row {
    bool there;
    struct taut_val vals[COLS];
};
struct rows {
    struct row at[LOGS][IDS];
};
struct model {
    struct rows rows;
    uint64_t lsn;
    struct {
        uint64_t first, last, claims[CLAIMS]; /* claims: the seq, or 0 */
        uint64_t cursors[CURSOR_NAMES];
        int bodies[EVENTS_MAX]; /* by seq */
    } logs[LOGS];
};
static struct model model;

struct step {
    int ws, claim; /* claim -1: none */
    struct taut_cond conds[2];
    struct taut_write writes[3];
    struct taut_set sets[3][2];
    struct taut_val keys[5][2], vals[3][COLS];
    struct taut_event_rec events[2];
    struct taut_cursor cursors[2];
    int cursor_at[2], body[2];
    char bodies[2][24], claim_key[16], claim_value[24];
    struct taut_batch_view view;
    taut_op op;
    int32_t status; /* what it should come to, and its numbers */
    uint64_t lsn, first_seq, claim_seq;
};

static uint32_t seed;
static uint32_t dice(uint32_t n) {
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 16) % n;
}

static int ws_of(const struct taut_val *v) {
    return v->u.p == ws_names[1];
}

static bool same(const struct taut_val *a, const struct taut_val *b) {
    if (a->type != b->type) return false;
    if (a->type == TAUT_NULL) return true;
    if (a->type == TAUT_INT) return a->u.i == b->u.i;
    return a->len == b->len && memcmp(a->u.p, b->u.p, a->len) == 0;
}

static bool cond_holds(const struct rows *r, const struct taut_cond *c) {
    const struct row *row = &r->at[ws_of(&c->key[0])][c->key[1].u.i];
    if (c->how == TAUT_COND_EQUALS) return row->there && same(&row->vals[c->col], &c->val);
    return row->there == (c->how == TAUT_COND_PRESENT);
}

static bool has_tag(const struct rows *r, int ws, int64_t but, const struct taut_val *tag) {
    for (int id = 0; id < IDS; id++) {
        const struct row *row = &r->at[ws][id];
        if (id != but && row->there && tag->type != TAUT_NULL && same(&row->vals[TAG], tag)) return true;
    }
    return false;
}

static struct taut_val number(struct taut_val v, uint64_t seq0) {
    return v.type == TAUT_SEQ ? I((int64_t)seq0 + v.u.i) : v;
}

static void put(struct row *row, const struct taut_write *w, uint64_t seq0) {
    row->there = true;
    for (uint32_t i = 0; i < COLS; i++) row->vals[i] = i < w->nvals ? number(w->vals[i], seq0) : NIL;
}

static void update(struct row *row, const struct taut_write *w, uint64_t seq0) {
    for (uint32_t i = 0; i < w->nsets; i++) {
        struct taut_val *at = &row->vals[w->sets[i].col], v = number(w->sets[i].val, seq0);
        if (w->sets[i].how == TAUT_ADD && at->type == TAUT_INT) v.u.i += at->u.i;
        if (w->sets[i].how == TAUT_MAX && at->type == TAUT_INT && at->u.i > v.u.i) v = *at;
        *at = v;
    }
}

/* False: a clash. */
static bool write_one(struct rows *r, const struct taut_write *w, uint64_t seq0) {
    int ws = ws_of(&w->vals[0]);
    if (w->kind == TAUT_W_DELETE && w->nvals == 1) {
        for (int id = 0; id < IDS; id++) r->at[ws][id].there = false;
        return true;
    }
    struct row *row = &r->at[ws][w->vals[1].u.i];
    if (w->kind == TAUT_W_DELETE) row->there = false;
    else if (w->kind == TAUT_W_UPDATE && row->there) update(row, w, seq0);
    else if (w->kind == TAUT_W_INSERT && row->there) return false;
    else if (w->kind != TAUT_W_UPDATE) put(row, w, seq0);
    return !row->there || !has_tag(r, ws, w->vals[1].u.i, &row->vals[TAG]);
}

/* What the batch should come to; changes the model when it is not refused. */
static void expect(struct step *s) {
    struct rows after = model.rows;
    uint64_t seq0 = model.logs[s->ws].last + 1;
    s->lsn = s->first_seq = 0;
    s->claim_seq = s->claim >= 0 ? model.logs[s->ws].claims[s->claim] : 0;
    s->status = s->claim_seq ? TAUT_E_CLAIMED : TAUT_OK;
    for (uint32_t i = 0; i < s->view.conds.len && s->status == TAUT_OK; i++)
        if (!cond_holds(&model.rows, &s->conds[i])) s->status = TAUT_E_CONFLICT;
    for (uint32_t i = 0; i < s->view.writes.len && s->status == TAUT_OK; i++) {
        const struct taut_write *w = &s->writes[i];
        if (w->kind != TAUT_W_INSERT) continue;
        int ws = ws_of(&w->vals[0]);
        const struct taut_val none = NIL, *tag = w->nvals > TAG ? &w->vals[TAG] : &none;
        if (model.rows.at[ws][w->vals[1].u.i].there || has_tag(&model.rows, ws, -1, tag)) s->status = TAUT_E_CONFLICT;
    }
    for (uint32_t i = 0; i < s->view.writes.len && s->status == TAUT_OK; i++)
        if (!write_one(&after, &s->writes[i], seq0)) s->status = TAUT_E_CONFLICT;
    if (s->status != TAUT_OK) return;
    model.rows = after;
    s->lsn = ++model.lsn;
    for (uint32_t i = 0; i < s->view.events.len; i++) model.logs[s->ws].bodies[++model.logs[s->ws].last] = s->body[i];
    if (s->view.events.len) s->first_seq = seq0;
    if (s->claim >= 0) model.logs[s->ws].claims[s->claim] = seq0;
    for (uint32_t i = 0; i < s->view.cursors.len; i++) model.logs[s->ws].cursors[s->cursor_at[i]] = s->cursors[i].seq;
    uint64_t last = model.logs[s->ws].last, first = s->view.trim < last ? s->view.trim + 1 : last;
    if (s->view.trim && first > model.logs[s->ws].first) model.logs[s->ws].first = first;
}

/* ---- random batches ---- */

static struct taut_val random_val(uint32_t col, uint32_t nevents) {
    if (dice(5) == 0) return NIL;
    bool number = col == NUM || col == LATER;
    if (number && nevents && dice(4) == 0) return taut_v_seq(dice(nevents));
    if (number) return I((int64_t)dice(9) - 3);
    if (col == TAG) return S(tags[dice(3)]);
    if (col == DATA) return taut_v_blob(taut_str_z(words[dice(4)]));
    return S(words[dice(4)]);
}

static void random_cond(struct step *s, uint32_t i) {
    static const uint32_t hows[] = {TAUT_COND_PRESENT, TAUT_COND_PRESENT, TAUT_COND_ABSENT, TAUT_COND_EQUALS};
    static const uint32_t cols[] = {TEXT, NUM, TAG, LATER};
    struct taut_val *key = s->keys[3 + i];
    key[0] = S(ws_names[dice(LOGS)]);
    key[1] = I((int64_t)dice(IDS));
    s->conds[i] =
        (struct taut_cond){.table = TABLE_NOTES, .how = hows[dice(4)], .key = key, .nkey = 2, .col = cols[dice(4)]};
    const struct row *row = &model.rows.at[ws_of(&key[0])][key[1].u.i];
    bool guess = s->conds[i].how == TAUT_COND_EQUALS && row->there && dice(3);
    s->conds[i].val = guess ? row->vals[s->conds[i].col] : random_val(s->conds[i].col, 0);
}

static void random_write(struct step *s, uint32_t i, uint32_t nevents) {
    static const uint32_t kinds[] = {TAUT_W_INSERT, TAUT_W_INSERT, TAUT_W_UPSERT, TAUT_W_UPDATE,
                                     TAUT_W_UPDATE, TAUT_W_UPDATE, TAUT_W_DELETE};
    struct taut_write *w = &s->writes[i];
    struct taut_val *vals = s->vals[i];
    *w =
        (struct taut_write){.table = TABLE_NOTES, .kind = kinds[dice(7)], .vals = vals, .nvals = 2, .sets = s->sets[i]};
    vals[0] = S(ws_names[dice(LOGS)]);
    vals[1] = I((int64_t)dice(IDS));
    if (w->kind == TAUT_W_DELETE && dice(8) == 0) w->nvals = 1;
    if (w->kind == TAUT_W_INSERT || w->kind == TAUT_W_UPSERT) {
        w->nvals = 2 + dice(6);
        for (uint32_t col = 2; col < w->nvals; col++) vals[col] = random_val(col, nevents);
    }
    if (w->kind != TAUT_W_UPDATE) return;
    w->nsets = 1 + dice(2);
    for (uint32_t k = 0; k < w->nsets; k++) {
        static const uint32_t cols[] = {NUM, LATER, LATER, LATER, TEXT, TAG}; /* LATER has no index */
        uint32_t col = k ? TEXT + dice(2) * 2 : cols[dice(6)];                /* not the same twice */
        if (k && col == s->sets[i][0].col) col = col == TEXT ? TAG : TEXT;
        struct taut_set *set = &s->sets[i][k];
        *set = (struct taut_set){col, TAUT_SET, random_val(col, nevents)};
        if ((col == NUM || col == LATER) && set->val.type != TAUT_NULL) set->how = 1 + dice(3);
    }
}

static void random_events(struct step *s, uint32_t n, int serial) {
    for (uint32_t i = 0; i < n; i++) {
        s->body[i] = serial * 2 + (int)i;
        int len = snprintf(s->bodies[i], sizeof s->bodies[i], "{\"n\":%d}", s->body[i]);
        s->events[i] = (struct taut_event_rec){.topics = TAUT_LIT("C1"), .body = taut_str_n(s->bodies[i], (size_t)len)};
    }
}

static void make_step(struct step *s, int serial) {
    memset(s, 0, sizeof *s);
    s->ws = (int)dice(LOGS);
    uint32_t nconds = dice(3), nwrites = dice(4), nevents = dice(3), ncursors = dice(4) == 0 ? 1 + dice(2) : 0;
    for (uint32_t i = 0; i < nconds; i++) random_cond(s, i);
    for (uint32_t i = 0; i < nwrites; i++) random_write(s, i, nevents);
    random_events(s, nevents, serial);
    for (uint32_t i = 0; i < ncursors; i++) {
        s->cursor_at[i] = (int)dice(CURSOR_NAMES);
        s->cursors[i] = (struct taut_cursor){taut_str_z(cursor_names[s->cursor_at[i]]), dice(5) ? 1 + dice(100) : 0};
    }
    s->view = (struct taut_batch_view){.size = sizeof s->view,
                                       .workspace = taut_str_z(ws_names[s->ws]),
                                       .conds = {s->conds, nconds, sizeof s->conds[0]},
                                       .writes = {s->writes, nwrites, sizeof s->writes[0]},
                                       .events = {s->events, nevents, sizeof s->events[0]},
                                       .cursors = {s->cursors, ncursors, sizeof s->cursors[0]}};
    if (dice(40) == 0) s->view.trim = model.logs[s->ws].last - dice(20) % (model.logs[s->ws].last + 1);
    s->claim = nevents && dice(3) == 0 ? (int)dice(CLAIMS) : -1;
    if (s->claim < 0) return;
    snprintf(s->claim_key, sizeof s->claim_key, "k%d", s->claim);
    snprintf(s->claim_value, sizeof s->claim_value, "v%d/%llu", s->claim,
             (unsigned long long)model.logs[s->ws].last + 1);
    s->view.claim_key = taut_str_z(s->claim_key);
    s->view.claim_value = taut_str_z(s->claim_value);
}

/* ---- comparing ---- */

static void compare_answer(struct step *s, int serial) {
    struct host_slot slot = host_wait(s->op);
    const struct taut_commit_result *r = slot.result;
    if (slot.status != s->status || r->lsn != s->lsn || r->first_seq != s->first_seq)
        fail_msg("seed %u, batch %d: status %d, lsn %d, seq %d; the model has %d, %d, %d", t.seed, serial, slot.status,
                 (int)r->lsn, (int)r->first_seq, s->status, (int)s->lsn, (int)s->first_seq);
    if (s->status == TAUT_E_CLAIMED) {
        char value[24];
        snprintf(value, sizeof value, "v%d/%llu", s->claim, (unsigned long long)s->claim_seq);
        if (r->claim_seq != s->claim_seq || !taut_str_is(r->claim_value, value))
            fail_msg("seed %u, batch %d: the claim has %d, not %d", t.seed, serial, (int)r->claim_seq,
                     (int)s->claim_seq);
    }
    host_release(&slot);
}

static void compare_rows(int serial) {
    struct host_slot s =
        scan(SCAN_OF(TAUT_SCAN_PRIMARY, 1000, .lo = S("T1"), .hi = S("T2"), .workspace = TAUT_LIT("T2")));
    const struct taut_rows *r = s.result;
    uint32_t at = 0, tagged = 0;
    assert_int_equal(s.status, TAUT_OK);
    for (int i = 0; i < LOGS * IDS; i++) {
        const struct row *want = &model.rows.at[i / IDS][i % IDS];
        if (!want->there) continue;
        if (at >= r->n) fail_msg("seed %u, after batch %d: a row is missing", t.seed, serial);
        for (uint32_t col = 0; col < COLS; col++)
            if (!same(&want->vals[col], &r->rows[at].vals[col]))
                fail_msg("seed %u, after batch %d: %s/%d, column %u differs", t.seed, serial, ws_names[i / IDS],
                         i % IDS, col);
        tagged += want->vals[TAG].type != TAUT_NULL;
        at++;
    }
    if (at != r->n) fail_msg("seed %u, after batch %d: a row too many", t.seed, serial);
    assert_int_equal(r->seq, model.logs[1].last);
    assert_int_equal(r->as_of, model.lsn);
    host_release(&s);
    s = scan(SCAN_OF(BY_TAG, 1, .count_only = 1));
    assert_int_equal(((const struct taut_rows *)s.result)->count, tagged);
    host_release(&s);
}

static void compare_log(int ws, int serial) {
    uint64_t after = model.logs[ws].first - 1, last = model.logs[ws].last;
    struct host_slot s = events(ws_names[ws], after, 10000);
    const struct taut_event_rows *r = s.result;
    assert_int_equal(s.status, TAUT_OK);
    if (r->n != last - after || r->last != last) fail_msg("seed %u, after batch %d: the log differs", t.seed, serial);
    for (uint32_t i = 0; i < r->n; i++) {
        char body[24];
        snprintf(body, sizeof body, "{\"n\":%d}", model.logs[ws].bodies[after + 1 + i]);
        assert_int_equal(r->events[i].seq, after + 1 + i);
        assert_true(taut_str_is(r->events[i].body, body));
    }
    host_release(&s);
    if (after == 0) return;
    s = events(ws_names[ws], after - 1, 10);
    assert_int_equal(s.status, TAUT_E_GAP);
    assert_int_equal(((const struct taut_event_rows *)s.result)->first, after + 1);
    host_release(&s);
}

static void compare_cursors(int ws) {
    char want[128] = "";
    size_t at = 0;
    for (int i = 0; i < CURSOR_NAMES; i++)
        if (model.logs[ws].cursors[i])
            at += (size_t)snprintf(want + at, sizeof want - at, "%s%s=%d", at ? " " : "", cursor_names[i],
                                   (int)model.logs[ws].cursors[i]);
    assert_string_equal(cursors_of(ws_names[ws]), want);
}

static void compare_all(int serial) {
    compare_rows(serial);
    for (int ws = 0; ws < LOGS; ws++) {
        compare_log(ws, serial);
        compare_cursors(ws);
    }
}

static void random_batches_come_to_what_a_model_says(void **state) {
    static struct step steps[GROUP];
    (void)state;
    seed = t.seed;
    close_store();
    host_forget(true);
    assert_int_equal(open_with(&notes_later), TAUT_OK);
    for (int ws = 0; ws < LOGS; ws++) model.logs[ws].first = 1;
    for (int round = 0; round < ROUNDS; round++) {
        bool grouped = round % 2;
        taut_op held = grouped ? hold_writer() : 0;
        if (grouped) model.lsn++;
        for (int i = 0; i < GROUP; i++) {
            make_step(&steps[i], round * GROUP + i);
            expect(&steps[i]);
            steps[i].op = submit(&steps[i].view);
            if (!grouped && i % 7 == 0) host_wait(steps[i].op);
        }
        if (grouped) assert_int_equal(host_status(held), TAUT_OK);
        for (int i = 0; i < GROUP; i++) compare_answer(&steps[i], round * GROUP + i);
        if (t.persistent && round % 20 == 19) {
            close_store();
            assert_int_equal(open_with(&notes_later), TAUT_OK);
        }
        compare_all(round * GROUP + GROUP - 1);
    }
}

static const struct suite_test model_tests[] = {T(random_batches_come_to_what_a_model_says)};
PART(model);
