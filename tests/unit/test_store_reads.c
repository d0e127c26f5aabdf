/* test_store_reads.c - scans and the log, as storage/1 promises them. */
#include "store_harness.h"

/* ---- scans ---- */

static void a_scan_of_the_key_keeps_to_prefix_bounds_and_direction(void **state) {
    (void)state;
    fill();
    assert_string_equal(scan_ids(SCAN()), "1 2 3 4 5");
    assert_string_equal(scan_ids(SCAN(PREFIX(S("T1")))), "1 2 3 4");
    assert_string_equal(scan_ids(SCAN(PREFIX(S("T1")), .descending = 1)), "4 3 2 1");
    assert_string_equal(scan_ids(SCAN(PREFIX(S("T1")), .lo = I(2), .hi = I(3))), "2 3");
    assert_string_equal(scan_ids(SCAN(PREFIX(S("T1")), .lo = I(2), .lo_open = 1, .hi = I(4), .hi_open = 1)), "3");
    assert_string_equal(scan_ids(SCAN(PREFIX(S("T1")), .hi = I(3), .descending = 1)), "3 2 1");
    assert_string_equal(scan_ids(SCAN(.lo = S("T2"))), "5");
    assert_string_equal(scan_ids(SCAN(PREFIX(S("T1"), I(3)))), "3");
    assert_string_equal(scan_ids(SCAN(PREFIX(S("T3")))), "");
}

static void a_scan_of_an_index_is_in_its_order(void **state) {
    (void)state;
    fill();
    assert_string_equal(scan_ids(SCAN_OF(BY_NUM, 100, )), "5 3 2 4 1");
    assert_string_equal(scan_ids(SCAN_OF(BY_NUM, 100, .descending = 1)), "1 4 2 3 5");
    assert_string_equal(scan_ids(SCAN_OF(BY_NUM, 100, PREFIX(I(20)))), "2 4");
    assert_string_equal(scan_ids(SCAN_OF(BY_NUM, 100, PREFIX(NIL))), "5");
    assert_string_equal(scan_ids(SCAN_OF(BY_NUM, 100, .lo = I(10), .lo_open = 1)), "2 4 1");
    assert_string_equal(scan_ids(SCAN_OF(BY_TAG, 100, )), "1 3 5");
    assert_string_equal(scan_ids(SCAN_OF(BY_TAG, 100, PREFIX(S("T1"), S("y")))), "3");
}

static void a_scans_limit_cuts_and_says_so_and_its_offset_skips(void **state) {
    (void)state;
    fill();
    assert_string_equal(scan_ids(SCAN_OF(TAUT_SCAN_PRIMARY, 2, )), "1 2+");
    assert_string_equal(scan_ids(SCAN_OF(TAUT_SCAN_PRIMARY, 5, )), "1 2 3 4 5");
    assert_string_equal(scan_ids(SCAN_OF(TAUT_SCAN_PRIMARY, 2, .offset = 3)), "4 5");
    assert_int_equal(scan(SCAN_OF(TAUT_SCAN_PRIMARY, 0, )).status, TAUT_E_INVAL);
    assert_int_equal(scan(SCAN_OF(TAUT_SCAN_PRIMARY, 10001, )).status, TAUT_E_INVAL);
    assert_int_equal(scan(SCAN_OF(7, 100, )).status, TAUT_E_INVAL);
    assert_int_equal(scan(SCAN(PREFIX(S("T1"), I(1)), .lo = I(1))).status, TAUT_E_INVAL);
}

static void a_scan_can_count_and_tells_its_snapshot(void **state) {
    (void)state;
    fill();
    struct host_slot s = scan(SCAN(PREFIX(S("T1")), .count_only = 1, .workspace = TAUT_LIT("T1")));
    const struct taut_rows *r = s.result;
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
}

/* ---- the log ---- */

static void events_come_back_as_they_were_given(void **state) {
    (void)state;
    OK(EVENTS({.topics = TAUT_LIT("C1 U2"),
               .deltas = TAUT_LIT("+U1 C1"),
               .skip = UINT64_MAX - 5,
               .body = TAUT_LIT("{\"a\":1}")},
              EVENT("{\"b\":2}"), {.deltas = TAUT_LIT("-U1 C1")}));
    struct host_slot s = events("T1", 0, 2);
    const struct taut_event_rows *r = s.result;
    assert_int_equal(s.status, TAUT_OK);
    assert_int_equal(r->n, 2);
    assert_int_equal(r->last, 3);
    assert_int_equal(r->events[0].seq, 1);
    assert_true(r->events[0].at_us > 0);
    assert_true(r->events[0].skip == UINT64_MAX - 5);
    assert_true(taut_str_is(r->events[0].topics, "C1 U2"));
    assert_true(taut_str_is(r->events[0].deltas, "+U1 C1"));
    assert_true(taut_str_is(r->events[1].body, "{\"b\":2}"));
    host_release(&s);
    s = events("T1", 2, 10);
    r = s.result;
    assert_int_equal(r->n, 1);
    assert_int_equal(r->events[0].body.len, 0);
    host_release(&s);
    s = events("T1", 3, 10);
    assert_int_equal(((struct taut_event_rows *)s.result)->n, 0);
    host_release(&s);
    assert_int_equal(events("T1", 0, 0).status, TAUT_E_INVAL);
}

static void a_log_that_was_trimmed_answers_a_gap_with_its_first_seq(void **state) {
    (void)state;
    for (int i = 0; i < 5; i++) OK(EVENTS(EVENT("{}")));
    close_store();
    sql("DELETE FROM taut_events WHERE seq<4");
    assert_int_equal(open_with(&notes), TAUT_OK);
    struct host_slot s = events("T1", 2, 10);
    const struct taut_event_rows *r = s.result;
    assert_int_equal(s.status, TAUT_E_GAP);
    assert_int_equal(r->first, 4);
    assert_int_equal(r->last, 5);
    host_release(&s);
    s = events("T1", 3, 10);
    assert_int_equal(s.status, TAUT_OK);
    assert_int_equal(((struct taut_event_rows *)s.result)->n, 2);
    host_release(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_scan_of_the_key_keeps_to_prefix_bounds_and_direction),
        TEST(a_scan_of_an_index_is_in_its_order),
        TEST(a_scans_limit_cuts_and_says_so_and_its_offset_skips),
        TEST(a_scan_can_count_and_tells_its_snapshot),
        TEST(events_come_back_as_they_were_given),
        TEST(a_log_that_was_trimmed_answers_a_gap_with_its_first_seq),
    };
    return run_store_tests(tests, sizeof tests / sizeof *tests);
}
