/* test_store_fold.c - what the store gathers within a group never shows: groups of random batches end as if each batch
 * had been applied by itself, in order. The column `later` has no index, so its ADD and MAX are gathered. */
#include "store_harness.h"

enum { ROWS = 3, GROUP = 60, ROUNDS = 40 };

/* The store as it should be. */
struct model {
    bool there[ROWS];
    bool null[ROWS];
    int64_t n[ROWS];
};

struct step {
    struct taut_cond cond;
    struct taut_write write;
    struct taut_val key[2], row[7], cond_key[2];
    struct taut_set set;
    struct taut_batch_view view;
    taut_op op;
    int32_t expected;
};

static uint32_t seed = 1;
static uint32_t dice(uint32_t n) {
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 16) % n;
}

static bool holds(const struct model *m, uint32_t how, uint32_t id, int64_t value) {
    if (how == TAUT_COND_EQUALS) return m->there[id] && !m->null[id] && m->n[id] == value;
    return m->there[id] == (how == TAUT_COND_PRESENT);
}

static void model_update(struct model *m, uint32_t id, const struct taut_set *set) {
    int64_t v = set->val.u.i, old = m->null[id] ? 0 : m->n[id];
    if (!m->there[id]) return;
    if (set->how == TAUT_ADD) v += old;
    if (set->how == TAUT_MAX && !m->null[id] && old > v) v = old;
    m->n[id] = v;
    m->null[id] = false;
}

/* One random batch: perhaps a condition, one write; and what it should come to. */
static void make_step(struct step *s, struct model *m) {
    static const uint32_t hows[] = {TAUT_COND_PRESENT, TAUT_COND_ABSENT, TAUT_COND_EQUALS};
    uint32_t id = dice(ROWS), what = dice(10), cond_id = dice(ROWS);
    memset(s, 0, sizeof *s);
    s->key[0] = s->row[0] = s->cond_key[0] = S("T1");
    s->key[1] = s->row[1] = I(id);
    s->cond_key[1] = I(cond_id);
    s->view = (struct taut_batch_view){.size = sizeof s->view, .workspace = TAUT_LIT("T1")};
    s->expected = TAUT_OK;
    if (dice(2)) {
        s->cond = (struct taut_cond){.how = hows[dice(3)], .key = s->cond_key, .nkey = 2, .col = LATER};
        if (s->cond.how == TAUT_COND_EQUALS) s->cond.val = I(m->n[cond_id] + (int64_t)dice(2));
        s->view.conds = (struct taut_array){&s->cond, 1, sizeof s->cond};
        if (!holds(m, s->cond.how, cond_id, s->cond.val.u.i)) s->expected = TAUT_E_CONFLICT;
    }
    s->write = (struct taut_write){.vals = s->key, .nvals = 2, .sets = &s->set, .nsets = 1};
    s->view.writes = (struct taut_array){&s->write, 1, sizeof s->write};
    if (what < 7) {
        s->write.kind = TAUT_W_UPDATE;
        s->set = (struct taut_set){LATER,
                                   what < 3   ? TAUT_ADD
                                   : what < 6 ? TAUT_MAX
                                              : TAUT_SET,
                                   I((int64_t)dice(9) - 3)};
        if (s->expected == TAUT_OK) model_update(m, id, &s->set);
    } else if (what < 9) {
        s->row[LATER] = dice(2) ? I((int64_t)dice(5)) : NIL;
        s->row[TEXT] = s->row[NUM] = s->row[TAG] = s->row[DATA] = NIL;
        s->write = (struct taut_write){.kind = what == 7 ? TAUT_W_INSERT : TAUT_W_UPSERT, .vals = s->row, .nvals = 7};
        if (what == 7 && m->there[id]) s->expected = TAUT_E_CONFLICT;
        if (s->expected != TAUT_OK) return;
        m->there[id] = true;
        m->null[id] = s->row[LATER].type == TAUT_NULL;
        m->n[id] = m->null[id] ? 0 : s->row[LATER].u.i;
    } else {
        s->write.kind = TAUT_W_DELETE;
        if (s->expected != TAUT_OK) return;
        m->there[id] = false;
        m->n[id] = 0;
    }
}

static void groups_of_any_batches_end_as_if_each_were_alone(void **state) {
    static struct step steps[GROUP];
    struct model m = {0};
    (void)state;
    close_store();
    assert_int_equal(open_with(&notes_later), TAUT_OK);
    for (int round = 0; round < ROUNDS; round++) {
        taut_op held = hold_writer();
        for (int i = 0; i < GROUP; i++) {
            make_step(&steps[i], &m);
            steps[i].op = submit(&steps[i].view);
        }
        assert_int_equal(host_status(held), TAUT_OK);
        for (int i = 0; i < GROUP; i++) assert_int_equal(host_status(steps[i].op), steps[i].expected);
        for (uint32_t id = 0; id < ROWS; id++) {
            assert_int_equal(note_is_there(id), m.there[id]);
            if (m.there[id] && !m.null[id]) assert_int_equal(note_int(id, LATER), m.n[id]);
        }
    }
}

static void a_group_larger_than_what_can_be_gathered_loses_nothing(void **state) {
    enum { MANY = 400 };
    static struct taut_val keys[MANY][2];
    static struct taut_set sets[MANY];
    static struct taut_write writes[MANY * 2];
    (void)state;
    close_store();
    assert_int_equal(open_with(&notes_later), TAUT_OK);
    for (int i = 0; i < MANY; i++) OK(WRITES(NOTE(i, "a")));
    for (int i = 0; i < MANY * 2; i++) {
        keys[i % MANY][0] = S("T1");
        keys[i % MANY][1] = I(i % MANY);
        sets[i % MANY] = (struct taut_set){LATER, TAUT_ADD, I(1 + i % MANY)};
        writes[i] = (struct taut_write){
            .kind = TAUT_W_UPDATE, .vals = keys[i % MANY], .nvals = 2, .sets = &sets[i % MANY], .nsets = 1};
    }
    assert_int_equal(commit(BATCH(.writes = {writes, MANY * 2, sizeof writes[0]}), NULL), TAUT_OK);
    for (int i = 0; i < MANY; i++) assert_int_equal(note_int(i, LATER), 2 * (1 + i));
}

static void a_row_named_by_the_batchs_own_seq_is_that_row(void **state) {
    const struct taut_val own[] = {S("T1"), taut_v_seq(0)}, next[] = {S("T1"), taut_v_seq(1)};
    struct taut_set add = {LATER, TAUT_ADD, I(7)}, most = {LATER, TAUT_MAX, taut_v_seq(1)};
    struct taut_write writes[] = {{.kind = TAUT_W_UPDATE, .vals = own, .nvals = 2, .sets = &add, .nsets = 1},
                                  {.kind = TAUT_W_UPDATE, .vals = next, .nvals = 2, .sets = &most, .nsets = 1}};
    struct taut_event_rec two[] = {EVENT("{}"), EVENT("{}")};
    struct taut_batch_view b = *BATCH(.writes = {writes, 2, sizeof writes[0]}, .events = {two, 2, sizeof two[0]});
    (void)state;
    close_store();
    assert_int_equal(open_with(&notes_later), TAUT_OK);
    for (int i = 0; i < 5; i++) OK(WRITES(NOTE(i, "a")));
    taut_op held = hold_writer(), first = submit(&b), second = submit(&b);
    assert_int_equal(host_status(held), TAUT_OK);
    assert_int_equal(host_status(first), TAUT_OK);
    assert_int_equal(host_status(second), TAUT_OK);
    assert_int_equal(note_int(0, LATER), -1);
    assert_int_equal(note_int(1, LATER), 7);
    assert_int_equal(note_int(2, LATER), 2);
    assert_int_equal(note_int(3, LATER), 7);
    assert_int_equal(note_int(4, LATER), 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(groups_of_any_batches_end_as_if_each_were_alone),
        TEST(a_row_named_by_the_batchs_own_seq_is_that_row),
        TEST(a_group_larger_than_what_can_be_gathered_loses_nothing),
    };
    return run_store_tests(tests, sizeof tests / sizeof tests[0]);
}
