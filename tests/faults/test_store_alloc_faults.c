/* test_store_alloc_faults.c - every allocation fails once: those of the store, of SQLite, and what the store asks of
 * its host; of the commit path each, of opening and closing some.
 *
 *   test_store_alloc_faults        as in `make test`
 *   test_store_alloc_faults all    as in `make crash`: without leaving any out
 */
#include "alloc_faults.h"
#include "fault_loop.h"

static bool all;

static void disarm(void) {
    alloc_fail(0);
}

static void fail_each_of(bool only_commits, uint64_t stride, const char *what) {
    struct loop l = {.arm = alloc_fail,
                     .has_failed = alloc_failed,
                     .disarm = disarm,
                     .stride = all               ? 1
                               : stride > STRIDE ? stride
                                                 : STRIDE,
                     .only_commits = only_commits};
    uint64_t tried = fail_each(&l);
    print_message("%llu allocations: %s\n", (unsigned long long)tried, what);
    assert_true(tried > 10);
}

static void every_allocation_of_the_commit_path_fails_once(void **state) {
    (void)state;
    fail_each_of(true, 1, "each of an open store failed once");
}
static void allocations_of_opening_and_closing_fail_once(void **state) {
    (void)state;
    fail_each_of(false, 37, "of a whole life, each failed once");
}

static void fill_with_long_texts(void) {
    static char text[9000]; /* over several pages */
    memset(text, 'y', sizeof text - 1);
    for (int i = 1; i <= 3; i++) OK(WRITES(NOTE(i, text)), EVENTS(EVENT("{}")));
}

/* The nth allocation fails. False when none did. */
static bool read_with(uint64_t n) {
    alloc_fail(n);
    struct host_slot s = scan(SCAN(PREFIX(S("T1"))));
    bool failed = alloc_failed();
    alloc_fail(0);
    if (s.status == TAUT_OK) {
        const struct taut_rows *r = s.result;
        assert_int_equal(r->n, 3);
        for (uint32_t i = 0; i < 3; i++) assert_int_equal(taut_row_str(&r->rows[i], TEXT).len, 8999);
    }
    host_release(&s);
    return failed;
}

static void a_read_that_finds_no_memory_fails_or_is_right(void **state) {
    uint64_t n = 1;
    (void)state;
    assert_int_equal(try_to_open(), TAUT_OK);
    fill_with_long_texts();
    while (read_with(n)) n++;
    print_message("%llu allocations: each of a read failed once\n", (unsigned long long)n - 1);
    assert_true(n > 3);
    close_store();
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        FAULT_TEST(every_allocation_of_the_commit_path_fails_once),
        FAULT_TEST(allocations_of_opening_and_closing_fail_once),
        FAULT_TEST(a_read_that_finds_no_memory_fails_or_is_right),
    };
    all = argc > 1 && strcmp(argv[1], "all") == 0;
    alloc_install();
    disk_install(); /* so that nothing is really synced */
    if (!load_faulty_store()) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
