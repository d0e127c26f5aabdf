/* test_store_trim.c - what the logs were trimmed of leaves the disk, a slice at a time; but not what a claim needs. */
#include <signal.h>
#include <sys/wait.h>

#include "store_harness.h"

enum { SLICE = 1000, MANY = 5000 };
#define DAY_US (86401ll * 1000000)
#define HOUR_US (3601ll * 1000000)

static void append_many(int n) {
    static struct taut_event_rec many[SLICE];
    for (int i = 0; i < SLICE; i++) many[i] = (struct taut_event_rec)EVENT("{\"text\":\"some words\"}");
    for (int i = 0; i < n / SLICE; i++) OK(.events = {many, SLICE, sizeof many[0]});
}

static int64_t rows_on_disk(void) {
    return sql_number("SELECT count(*) FROM taut_events");
}

static void wait_for_rows(int64_t n) {
    for (int i = 0; i < 500 && rows_on_disk() != n; i++) usleep(10000);
    assert_int_equal(rows_on_disk(), n);
}

static void an_idle_store_deletes_what_was_trimmed(void **state) {
    (void)state;
    append_many(MANY);
    assert_int_equal(commit(BATCH_OF("T2", EVENTS(EVENT("{}"))), NULL), TAUT_OK);
    OK(.cls = TAUT_CLASS_BACKGROUND, .trim = MANY - 7);
    wait_for_rows(7 + 1);
    assert_string_equal(log_ends(), "T1:4994-5000 T2:1-1");
}

static void a_busy_store_deletes_a_slice_at_a_time_between_groups(void **state) {
    (void)state;
    append_many(MANY);
    OK(.trim = MANY - 1);
    int64_t before = rows_on_disk();
    for (int i = 0; i < 2000 && before > 1; i++) {
        OK(WRITES(UPSERT(S("T1"), I(1), S("busy"))));
        int64_t now = rows_on_disk();
        assert_true(before - now <= 2 * SLICE); /* a look may miss one */
        before = now;
    }
    wait_for_rows(1);
}

static void a_crash_or_a_close_leaves_the_rest_to_the_next_start(void **state) {
    (void)state;
    append_many(MANY);
    close_store();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (open_with(&notes) != TAUT_OK || commit(BATCH(.trim = MANY - 1), NULL) != TAUT_OK) _exit(1);
        kill(getpid(), SIGKILL);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_true(rows_on_disk() > 1);
    assert_int_equal(open_with(&notes), TAUT_OK);
    assert_string_equal(log_ends(), "T1:5000-5000");
    wait_for_rows(1);
}

static void a_claims_event_leaves_its_words_at_once_and_its_row_after_a_day(void **state) {
    (void)state;
    OK(EVENTS({.topics = TAUT_LIT("C1"), .deltas = TAUT_LIT("+U1 C1"), .skip = 9, .body = TAUT_LIT("{\"secret\":1}")},
              EVENT("{}")),
       CLAIM("key", "answer"));
    append_many(SLICE);
    OK(.trim = SLICE);
    wait_for_rows(2 + 1);
    assert_int_equal(
        sql_number("SELECT count(*) FROM taut_events WHERE seq=1 AND claim IS NOT NULL AND topics IS NULL AND "
                   "deltas IS NULL AND skip IS NULL AND body IS NULL"),
        1);
    assert_int_equal(commit(BATCH(EVENTS(EVENT("{}")), CLAIM("key", "x")), NULL), TAUT_E_CLAIMED);
    reopen();
    assert_int_equal(commit(BATCH(EVENTS(EVENT("{}")), CLAIM("key", "x")), NULL), TAUT_E_CLAIMED);
    assert_int_equal(rows_on_disk(), 3);
    host.clock_shift_us = DAY_US;
    host.mono_shift_us = HOUR_US;
    OK(WRITES(NOTE(1, "wakes the writer")));
    wait_for_rows(2);
    OK(EVENTS(EVENT("{}")), CLAIM("key", "y"));
}

static void a_trim_that_fails_is_tried_again_and_hurts_nobody(void **state) {
    (void)state;
    append_many(SLICE);
    close_store();
    sql("CREATE TRIGGER fail BEFORE DELETE ON taut_events BEGIN SELECT RAISE(ABORT,'no'); END");
    assert_int_equal(open_with(&notes), TAUT_OK);
    OK(.trim = SLICE - 1);
    for (int i = 0; i < 200 && !host_logged("store_trim: "); i++) usleep(10000);
    assert_int_equal(host_logged("cannot delete what the log was trimmed of; will try again: "), 1);
    OK(WRITES(NOTE(1, "a")), EVENTS(EVENT("{}")));
    assert_string_equal(log_ends(), "T1:1000-1001");
    assert_int_equal(rows_on_disk(), SLICE + 1);
    close_store();
    sql("DROP TRIGGER fail");
    assert_int_equal(open_with(&notes), TAUT_OK);
    wait_for_rows(2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_idle_store_deletes_what_was_trimmed),
        TEST(a_busy_store_deletes_a_slice_at_a_time_between_groups),
        TEST(a_crash_or_a_close_leaves_the_rest_to_the_next_start),
        TEST(a_claims_event_leaves_its_words_at_once_and_its_row_after_a_day),
        TEST(a_trim_that_fails_is_tried_again_and_hurts_nobody),
    };
    return run_store_tests(tests, sizeof tests / sizeof *tests);
}
