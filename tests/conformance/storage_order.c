/* storage_order.c - the order of commits, their numbers, and what a store with too much to do, or about to end,
 * answers. */
#include "storage_suite.h"

/* ---- order and numbers ---- */

static void durable_names_batches_in_order_each_before_its_answer(void **state) {
    (void)state;
    enum { N = 200 };
    const struct taut_event_rec event = EVENT("{}");
    const struct taut_cond never = COND(TAUT_COND_PRESENT, 99);
    static struct taut_batch_view batches[N * 2];
    taut_op ops[N * 2];
    for (int i = 0; i < N * 2; i++) { /* every second one is refused, and takes no number */
        batches[i] = *BATCH(.events = {&event, 1, sizeof event});
        if (i % 2) batches[i].conds = (struct taut_array){&never, 1, sizeof never};
        ops[i] = submit(&batches[i]);
    }
    for (int i = 0; i < N * 2; i++) {
        struct host_slot s = host_wait(ops[i]);
        const struct taut_commit_result *r = s.result;
        uint32_t n = (uint32_t)i / 2;
        assert_int_equal(s.status, i % 2 ? TAUT_E_CONFLICT : TAUT_OK);
        assert_int_equal(r->lsn, i % 2 ? 0 : n + 1);
        assert_int_equal(r->first_seq, i % 2 ? 0 : n + 1);
        host_release(&s);
        if (i % 2) continue;
        pthread_mutex_lock(&host.lock);
        uint32_t reported = host.ndurable;
        struct taut_durable d = host.durable[n];
        pthread_mutex_unlock(&host.lock);
        assert_true(reported > n);
        assert_ptr_equal(d.batch, &batches[i]);
        assert_int_equal(d.lsn, n + 1);
        assert_int_equal(d.first_seq, n + 1);
    }
    assert_int_equal(host.ndurable, N);
    assert_int_equal(last_seq("T1"), N);
}

static void every_batch_that_is_not_refused_has_a_number(void **state) {
    struct taut_commit_result r;
    (void)state;
    assert_int_equal(commit(BATCH(.events = {0}), &r), TAUT_OK);
    assert_int_equal(r.lsn, 1);
    assert_int_equal(commit(BATCH(CURSORS({TAUT_LIT("c"), 1})), &r), TAUT_OK);
    assert_int_equal(r.lsn, 2);
    assert_int_equal(commit(BATCH(.trim = 5), &r), TAUT_OK);
    assert_int_equal(r.lsn, 3);
    assert_int_equal(commit(BATCH(WRITES(NOTE(1, "a"))), &r), TAUT_OK);
    assert_int_equal(r.lsn, 4);
    assert_int_equal(r.first_seq, 0);
    assert_int_equal(host.ndurable, 4);
}

static void seq_is_dense_for_each_workspace(void **state) {
    struct taut_commit_result r;
    (void)state;
    OK(EVENTS(EVENT("{}"), EVENT("{}")));
    assert_int_equal(commit(BATCH_OF("T2", EVENTS(EVENT("{}"))), &r), TAUT_OK);
    assert_int_equal(r.first_seq, 1);
    REFUSED(TAUT_E_CONFLICT, CONDS(COND(TAUT_COND_PRESENT, 1)), EVENTS(EVENT("{}"), EVENT("{}")));
    REFUSED(TAUT_E_CONFLICT, WRITES(NOTE(1, "a"), NOTE(1, "b")), EVENTS(EVENT("{}")));
    REFUSED(TAUT_E_INVAL, WRITES(INSERT(S("T1"))), EVENTS(EVENT("{}")));
    assert_int_equal(commit(BATCH(EVENTS(EVENT("{}"))), &r), TAUT_OK);
    assert_int_equal(r.first_seq, 3);
    assert_string_equal(log_ends(), "T1:1-3 T2:1-1");
}

static void batches_are_applied_in_the_order_of_submission(void **state) {
    enum { N = 1000 };
    static struct taut_batch_view b[N];
    static struct taut_cond conds[N];
    static struct taut_write writes[N];
    static struct taut_set sets[N];
    static const struct taut_val key[2] = {{TAUT_TEXT, 2, {.p = "T1"}}, {TAUT_INT, 0, {.i = 1}}};
    taut_op ops[N];
    (void)state;
    OK(WRITES(INSERT(S("T1"), I(1), S("a"), I(0))));
    for (int i = 0; i < N; i++) { /* each holds only after the one before it */
        conds[i] = (struct taut_cond){.how = TAUT_COND_EQUALS, .key = key, .nkey = 2, .col = NUM, .val = I(i)};
        sets[i] = (struct taut_set){NUM, i % 3 ? TAUT_ADD : TAUT_SET, I(i % 3 ? 1 : i + 1)};
        writes[i] = (struct taut_write){.kind = TAUT_W_UPDATE, .vals = key, .nvals = 2, .sets = &sets[i], .nsets = 1};
        b[i] = (struct taut_batch_view){
            .size = sizeof b[i], .conds = {&conds[i], 1, sizeof conds[i]}, .writes = {&writes[i], 1, sizeof writes[i]}};
        ops[i] = submit(&b[i]);
    }
    for (int i = 0; i < N; i++) assert_int_equal(host_status(ops[i]), TAUT_OK);
    assert_int_equal(note_int(1, NUM), N);
}

/* Three of them behind a full writer, and more than enough others behind these. */
static void background_batches_never_starve(void **state) {
    enum { OTHERS = 25000, HOLDS = 40, OVERTAKEN_BY_MAX = 20000 };
    static taut_op ops[OTHERS];
    struct taut_batch_view busy = *BATCH(.events = {&an_event, 1, sizeof an_event});
    const struct taut_batch_view *bulk =
        BATCH_OF("T2", .cls = TAUT_CLASS_BACKGROUND, .events = {&an_event, 1, sizeof an_event});
    taut_op holds[HOLDS], last[3];
    (void)state;
    for (int i = 0; i < HOLDS; i++) holds[i] = hold_writer();
    for (int i = 0; i < 3; i++) last[i] = submit(bulk);
    for (int i = 0; i < OTHERS; i++) ops[i] = submit(&busy);
    for (uint32_t i = 0; i < 3; i++) { /* among themselves they keep their order */
        struct host_slot s = host_wait(last[i]);
        const struct taut_commit_result *r = s.result;
        assert_int_equal(s.status, TAUT_OK);
        assert_int_equal(r->first_seq, i + 1);
        assert_true(r->lsn <= HOLDS + 3 + OVERTAKEN_BY_MAX);
        host_release(&s);
    }
    for (int i = 0; i < HOLDS; i++) assert_int_equal(host_status(holds[i]), TAUT_OK);
    for (int i = 0; i < OTHERS; i++) assert_int_equal(host_status(ops[i]), TAUT_OK);
}

/* ---- too much, and the end ---- */

static void a_store_with_too_much_to_do_refuses_and_loses_nothing(void **state) {
    enum { N = 100000 };
    static taut_op ops[N];
    const struct taut_cond never = COND(TAUT_COND_PRESENT, 99);
    const struct taut_event_rec event = EVENT("{}");
    struct taut_batch_view none = *BATCH(CONDS(never)), one = *BATCH(.events = {&event, 1, sizeof event});
    uint32_t taken = 0;
    (void)state;
    for (int i = 0; i < N; i++) ops[i] = submit(i % 10 ? &none : &one);
    for (int i = 0; i < N; i++) {
        int32_t status = host_status(ops[i]);
        if (i % 10 == 0 && status == TAUT_OK) taken++;
        else if (status != TAUT_E_UNAVAILABLE) assert_int_equal(status, i % 10 ? TAUT_E_CONFLICT : TAUT_OK);
    }
    assert_true(taken > 0);
    assert_int_equal(last_seq("T1"), taken);
    OK(WRITES(NOTE(1, "a")));
}

static void a_close_answers_what_was_asked_before_it(void **state) {
    enum { N = 300 };
    const struct taut_event_rec event = EVENT("{}");
    struct taut_batch_view b = *BATCH(.events = {&event, 1, sizeof event});
    const struct taut_scan *all = SCAN();
    const struct taut_get_req one = {0, 2, KEY(1)};
    taut_op ops[N + 5], end = host_op();
    (void)state;
    fill();
    for (int i = 0; i < N; i++) ops[i] = submit(&b);
    for (int i = N; i < N + 5; i++) ops[i] = host_op();
    host.storage->scan(host.self, TABLE_NOTES, all, ops[N]);
    host.storage->get(host.self, &one, 1, ops[N + 1]);
    host.storage->events(host.self, taut_str_z("T1"), 0, 10, 0, ops[N + 2]);
    host.storage->logs(host.self, ops[N + 3]);
    host.storage->cursors(host.self, taut_str_z("T1"), ops[N + 4]);
    host.storage->close(host.self, end);
    assert_int_equal(host_status(end), TAUT_OK);
    for (int i = 0; i < N + 5; i++) {
        assert_true(host_is_done(ops[i]));
        assert_int_equal(host_status(ops[i]), TAUT_OK);
    }
    assert_int_equal(host.ndurable, N + 1);
}

static void a_store_that_is_not_open_is_not_available(void **state) {
    (void)state;
    taut_op end[2] = {host_op(), host_op()}, ops[5];
    struct taut_batch_view *b = BATCH(WRITES(NOTE(1, "a")));
    for (int i = 0; i < 2; i++) host.storage->close(host.self, end[i]);
    assert_int_equal(host_status(end[0]), TAUT_OK);
    assert_int_equal(host_status(end[1]), TAUT_OK);
    assert_int_equal(commit(b, NULL), TAUT_E_UNAVAILABLE);
    assert_int_equal(scan_status(TABLE_NOTES, SCAN()), TAUT_E_UNAVAILABLE);
    for (int i = 0; i < 4; i++) ops[i] = host_op();
    host.storage->get(host.self, &(struct taut_get_req){0, 2, KEY(1)}, 1, ops[0]);
    host.storage->events(host.self, taut_str_z("T1"), 0, 10, 0, ops[1]);
    host.storage->logs(host.self, ops[2]);
    host.storage->cursors(host.self, taut_str_z("T1"), ops[3]);
    for (int i = 0; i < 4; i++) assert_int_equal(host_status(ops[i]), TAUT_E_UNAVAILABLE);
    host_forget(!t.persistent);
    t.def->fini(&t.mod);
    assert_int_equal(open_with(&notes), TAUT_OK);
    assert_false(note_is_there(1));
}

static void a_store_that_is_open_is_not_opened_again(void **state) {
    (void)state;
    OK(WRITES(NOTE(1, "a")));
    taut_op again = host_op();
    host.storage->open(host.self, NULL, 0, again);
    assert_int_equal(host_status(again), TAUT_E_EXISTS);
    assert_string_equal(note_text(1, TEXT), "a");
}

static const struct suite_test order_tests[] = {
    T(durable_names_batches_in_order_each_before_its_answer),
    T(every_batch_that_is_not_refused_has_a_number),
    T(seq_is_dense_for_each_workspace),
    T(batches_are_applied_in_the_order_of_submission),
    T(background_batches_never_starve),
    T(a_store_with_too_much_to_do_refuses_and_loses_nothing),
    T(a_close_answers_what_was_asked_before_it),
    T(a_store_that_is_not_open_is_not_available),
    T(a_store_that_is_open_is_not_opened_again),
};
PART(order);
