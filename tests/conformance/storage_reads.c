/* storage_reads.c - gets, scans, and the snapshots that they see. */
#include "storage_suite.h"

/* ---- gets ---- */

static void a_get_of_many_keys_answers_each_in_its_place(void **state) {
    enum { N = 500 };
    static struct taut_get_req reqs[N];
    static struct taut_val keys[N][2];
    (void)state;
    for (int i = 0; i < N; i += 2) OK(WRITES(INSERT(S("T1"), I(i), S("even"), I(i * 3))));
    for (int i = 0; i < N; i++) {
        int id = (i * 7) % N;
        keys[i][0] = S("T1");
        keys[i][1] = I(id);
        reqs[i] = (struct taut_get_req){TABLE_NOTES, 2, keys[i]};
    }
    struct host_slot s = get_many(reqs, N);
    const struct taut_get_result *r = s.result;
    assert_int_equal(s.status, TAUT_OK);
    assert_int_equal(r->n, N);
    assert_int_equal(r->as_of, N / 2);
    for (int i = 0; i < N; i++) {
        int id = (i * 7) % N;
        assert_int_equal(r->rows[i].ncols, id % 2 ? 0 : 6);
        if (id % 2 == 0) assert_int_equal(taut_row_int(&r->rows[i], NUM), id * 3);
        if (id % 2 == 0) assert_int_equal(r->rows[i].as_of, r->as_of);
    }
    host_release(&s);
}

static void a_get_that_fits_no_table_is_refused(void **state) {
    (void)state;
    fill();
    const struct taut_get_req wrong[] = {
        {77, 2, KEY(1)}, {TABLE_NOTES, 1, KEY(1)}, {TABLE_NOTES, 2, TAUT_VALS(S("T1"), S("1"))}};
    for (int i = 0; i < 3; i++) {
        struct host_slot s = get_many(&wrong[i], 1);
        assert_int_equal(s.status, TAUT_E_INVAL);
        host_release(&s);
    }
    struct host_slot s = get_many(&(struct taut_get_req){TABLE_NOTES, 2, TAUT_VALS(S("T1"), NIL)}, 1);
    assert_int_equal(s.status, TAUT_OK);
    assert_int_equal(((const struct taut_get_result *)s.result)->rows[0].ncols, 0);
    host_release(&s);
}

/* ---- scans ---- */

static void a_scan_of_the_key_keeps_to_prefix_bounds_and_direction(void **state) {
    (void)state;
    fill();
    assert_string_equal(scan_ids(SCAN()), "1 2 3 4 5");
    assert_string_equal(scan_ids(SCAN(.descending = 1)), "5 4 3 2 1");
    assert_string_equal(scan_ids(SCAN(PREFIX(S("T1")))), "1 2 3 4");
    assert_string_equal(scan_ids(SCAN(PREFIX(S("T1")), .descending = 1)), "4 3 2 1");
    assert_string_equal(scan_ids(SCAN(PREFIX(S("T1")), .lo = I(2), .hi = I(3))), "2 3");
    assert_string_equal(scan_ids(SCAN(PREFIX(S("T1")), .lo = I(2), .hi = I(3), .lo_open = 1)), "3");
    assert_string_equal(scan_ids(SCAN(PREFIX(S("T1")), .lo = I(2), .hi = I(3), .hi_open = 1)), "2");
    assert_string_equal(scan_ids(SCAN(PREFIX(S("T1")), .lo = I(2), .lo_open = 1, .hi = I(4), .hi_open = 1)), "3");
    assert_string_equal(scan_ids(SCAN(PREFIX(S("T1")), .lo = I(2), .hi = I(4), .descending = 1, .hi_open = 1)), "3 2");
    assert_string_equal(scan_ids(SCAN(PREFIX(S("T1")), .hi = I(3), .descending = 1)), "3 2 1");
    assert_string_equal(scan_ids(SCAN(PREFIX(S("T1")), .lo = I(3), .hi = I(2))), "");
    assert_string_equal(scan_ids(SCAN(.lo = S("T2"))), "5");
    assert_string_equal(scan_ids(SCAN(.lo = S("T1"), .lo_open = 1)), "5");
    assert_string_equal(scan_ids(SCAN(.hi = S("T1"))), "1 2 3 4");
    assert_string_equal(scan_ids(SCAN(PREFIX(S("T1"), I(3)))), "3");
    assert_string_equal(scan_ids(SCAN(PREFIX(S("T3")))), "");
    assert_string_equal(scan_ids(SCAN(PREFIX(S("T")))), "");
}

static void a_scan_of_an_index_is_in_its_order_then_in_that_of_the_key(void **state) {
    (void)state;
    fill();
    assert_string_equal(scan_ids(SCAN_OF(BY_NUM, 100, )), "5 3 2 4 1");
    assert_string_equal(scan_ids(SCAN_OF(BY_NUM, 100, .descending = 1)), "1 4 2 3 5");
    assert_string_equal(scan_ids(SCAN_OF(BY_NUM, 100, PREFIX(I(20)))), "2 4");
    assert_string_equal(scan_ids(SCAN_OF(BY_NUM, 100, PREFIX(I(20)), .descending = 1)), "4 2");
    assert_string_equal(scan_ids(SCAN_OF(BY_NUM, 100, PREFIX(NIL))), "5");
    assert_string_equal(scan_ids(SCAN_OF(BY_NUM, 100, .lo = I(10), .lo_open = 1)), "2 4 1");
    assert_string_equal(scan_ids(SCAN_OF(BY_NUM, 100, .hi = I(20))), "3 2 4"); /* a bound leaves NULLs out */
    assert_string_equal(scan_ids(SCAN_OF(BY_TAG, 100, )), "1 3 5");
    assert_string_equal(scan_ids(SCAN_OF(BY_TAG, 100, PREFIX(S("T1")))), "1 3");
    assert_string_equal(scan_ids(SCAN_OF(BY_TAG, 100, PREFIX(S("T1")), .lo = S("x"), .lo_open = 1)), "3");
    assert_string_equal(scan_ids(SCAN_OF(BY_TAG, 100, PREFIX(S("T1"), S("y")))), "3");
}

static void an_index_follows_every_write(void **state) {
    (void)state;
    fill();
    OK(WRITES(UPDATE(1, {NUM, TAUT_SET, I(5)}), UPDATE(2, {NUM, TAUT_ADD, I(100)}), UPDATE(3, {NUM, TAUT_MAX, I(11)}),
              DELETE(S("T1"), I(4)), UPSERT(S("T2"), I(5), NIL, I(7)), NOTE(6, "f")));
    assert_string_equal(scan_ids(SCAN_OF(BY_NUM, 100, )), "6 1 5 3 2");
    assert_string_equal(scan_ids(SCAN_OF(BY_TAG, 100, )), "1 3");
    OK(WRITES(UPDATE(1, {TAG, TAUT_SET, NIL}), UPDATE(2, {TAG, TAUT_SET, S("a")}), UPDATE(3, {NUM, TAUT_SET, NIL})));
    assert_string_equal(scan_ids(SCAN_OF(BY_TAG, 100, )), "2 3");
    assert_string_equal(scan_ids(SCAN_OF(BY_NUM, 100, PREFIX(NIL))), "3 6");
    REFUSED(TAUT_E_CONFLICT, WRITES(UPDATE(3, {TAG, TAUT_SET, S("a")})));
    OK(WRITES(DELETE(S("T1"))));
    assert_string_equal(scan_ids(SCAN_OF(BY_NUM, 100, )), "5");
}

static void a_scans_limit_cuts_and_says_so_and_its_offset_skips(void **state) {
    (void)state;
    fill();
    assert_string_equal(scan_ids(SCAN_OF(TAUT_SCAN_PRIMARY, 2, )), "1 2+");
    assert_string_equal(scan_ids(SCAN_OF(TAUT_SCAN_PRIMARY, 4, )), "1 2 3 4+");
    assert_string_equal(scan_ids(SCAN_OF(TAUT_SCAN_PRIMARY, 5, )), "1 2 3 4 5");
    assert_string_equal(scan_ids(SCAN_OF(TAUT_SCAN_PRIMARY, 10000, )), "1 2 3 4 5");
    assert_string_equal(scan_ids(SCAN_OF(TAUT_SCAN_PRIMARY, 2, .offset = 3)), "4 5");
    assert_string_equal(scan_ids(SCAN_OF(TAUT_SCAN_PRIMARY, 2, .offset = 2)), "3 4+");
    assert_string_equal(scan_ids(SCAN_OF(TAUT_SCAN_PRIMARY, 2, .offset = 5)), "");
    assert_string_equal(scan_ids(SCAN_OF(TAUT_SCAN_PRIMARY, 2, .offset = 99)), "");
    assert_string_equal(scan_ids(SCAN_OF(BY_NUM, 2, .offset = 1, .descending = 1)), "4 2+");
}

static void a_scan_that_fits_no_table_is_refused(void **state) {
    (void)state;
    fill();
    assert_int_equal(scan_status(TABLE_NOTES, SCAN_OF(TAUT_SCAN_PRIMARY, 0, )), TAUT_E_INVAL);
    assert_int_equal(scan_status(TABLE_NOTES, SCAN_OF(TAUT_SCAN_PRIMARY, 10001, )), TAUT_E_INVAL);
    assert_int_equal(scan_status(TABLE_NOTES, SCAN_OF(7, 100, )), TAUT_E_INVAL);
    assert_int_equal(scan_status(TABLE_NOTES, SCAN_OF(-2, 100, )), TAUT_E_INVAL);
    assert_int_equal(scan_status(77, SCAN()), TAUT_E_INVAL);
    assert_int_equal(scan_status(TABLE_NOTES, SCAN(PREFIX(S("T1"), I(1)), .lo = I(1))), TAUT_E_INVAL);
    assert_int_equal(scan_status(TABLE_NOTES, SCAN(PREFIX(S("T1"), I(1), I(1)))), TAUT_E_INVAL);
    assert_int_equal(scan_status(TABLE_NOTES, SCAN(PREFIX(I(1)))), TAUT_E_INVAL);
    assert_int_equal(scan_status(TABLE_NOTES, SCAN(PREFIX(S("T1")), .hi = S("1"))), TAUT_E_INVAL);
    assert_string_equal(scan_ids(SCAN()), "1 2 3 4 5");
}

/* ---- snapshots ---- */

static void a_scan_can_count_and_tells_its_snapshot(void **state) {
    (void)state;
    fill();
    struct host_slot s =
        scan(SCAN_OF(TAUT_SCAN_PRIMARY, 0, PREFIX(S("T1")), .count_only = 1, .offset = 2, .workspace = TAUT_LIT("T1")));
    const struct taut_rows *r = s.result;
    assert_int_equal(s.status, TAUT_OK);
    assert_int_equal(r->n, 0);
    assert_int_equal(r->count, 4);
    assert_int_equal(r->as_of, 1);
    assert_int_equal(r->seq, 1);
    host_release(&s);
    OK(EVENTS(EVENT("{}")));
    s = scan(SCAN(.workspace = TAUT_LIT("T1")));
    r = s.result;
    assert_int_equal(r->count, 5);
    assert_int_equal(r->as_of, 2);
    assert_int_equal(r->rows[4].as_of, 2);
    assert_int_equal(r->seq, 2);
    host_release(&s);
    s = scan(SCAN_OF(TAUT_SCAN_PRIMARY, 2, ));
    r = s.result;
    assert_int_equal(r->n, 2);
    assert_int_equal(r->count, 2);
    assert_int_equal(r->seq, 0);
    host_release(&s);
    s = scan(SCAN(.workspace = TAUT_LIT("T9")));
    assert_int_equal(((const struct taut_rows *)s.result)->seq, 0);
    host_release(&s);
}

static void a_read_sees_what_was_reported_before_it_was_asked(void **state) {
    (void)state;
    for (int i = 1; i <= 200; i++) {
        struct taut_commit_result c;
        assert_int_equal(commit(BATCH(WRITES(NOTE(i, "a")), EVENTS(EVENT("{}"))), &c), TAUT_OK);
        struct host_slot s = get_many(&(struct taut_get_req){TABLE_NOTES, 2, KEY(i)}, 1);
        const struct taut_get_result *r = s.result;
        assert_int_equal(r->rows[0].ncols, 6);
        assert_true(r->as_of >= c.lsn);
        host_release(&s);
        assert_int_equal(last_seq("T1"), i);
    }
}

/* Commits go on while these are asked: each batch has a row and an event, so a snapshot has as many of both. */
static void a_scan_sees_whole_batches_and_the_seq_of_its_rows(void **state) {
    enum { N = 600 };
    static struct taut_batch_view b[N];
    static struct taut_write writes[N];
    static struct taut_val vals[N][3];
    taut_op ops[N], last = 0;
    uint64_t before = 0;
    (void)state;
    for (int i = 0; i < N; i++) {
        vals[i][0] = S("T1");
        vals[i][1] = I(i);
        vals[i][2] = S("text");
        writes[i] = (struct taut_write){.kind = TAUT_W_INSERT, .vals = vals[i], .nvals = 3};
        b[i] = *BATCH(.events = {&an_event, 1, sizeof an_event});
        b[i].writes = (struct taut_array){&writes[i], 1, sizeof writes[i]};
    }
    for (int i = 0; i < N; i++) {
        last = ops[i] = submit(&b[i]);
        if (i % 20) continue;
        struct host_slot s = scan(SCAN_OF(TAUT_SCAN_PRIMARY, 10000, PREFIX(S("T1")), .workspace = TAUT_LIT("T1")));
        const struct taut_rows *r = s.result;
        assert_int_equal(s.status, TAUT_OK);
        assert_int_equal(r->n, r->seq);
        assert_int_equal(r->as_of, r->seq);
        assert_true(r->as_of >= before);
        before = r->as_of;
        host_release(&s);
    }
    assert_int_equal(host_status(last), TAUT_OK);
    for (int i = 0; i < N - 1; i++) assert_int_equal(host_status(ops[i]), TAUT_OK);
    struct host_slot s = scan(SCAN_OF(TAUT_SCAN_PRIMARY, 1, .count_only = 1, .workspace = TAUT_LIT("T1")));
    assert_int_equal(((const struct taut_rows *)s.result)->count, N);
    assert_int_equal(((const struct taut_rows *)s.result)->seq, N);
    host_release(&s);
}

static const struct suite_test reads_tests[] = {
    T(a_get_of_many_keys_answers_each_in_its_place),
    T(a_get_that_fits_no_table_is_refused),
    T(a_scan_of_the_key_keeps_to_prefix_bounds_and_direction),
    T(a_scan_of_an_index_is_in_its_order_then_in_that_of_the_key),
    T(an_index_follows_every_write),
    T(a_scans_limit_cuts_and_says_so_and_its_offset_skips),
    T(a_scan_that_fits_no_table_is_refused),
    T(a_scan_can_count_and_tells_its_snapshot),
    T(a_read_sees_what_was_reported_before_it_was_asked),
    T(a_scan_sees_whole_batches_and_the_seq_of_its_rows),
};
PART(reads);
