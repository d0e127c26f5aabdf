/* test_store_io_faults.c - every call that the store makes to its disk fails once, from the making of the file to its
 * close; and with each of them the disk stays broken, until it is whole again.
 *
 *   test_store_io_faults        as in `make test`
 *   test_store_io_faults all    as in `make crash`: without leaving any out
 */
#include <errno.h>

#include "fault_loop.h"

static struct disk_fault kind;
static bool all;

static void arm(uint64_t n) {
    struct disk_fault f = kind;
    f.n = n;
    disk_fail(&f);
}
static bool has_failed(void) {
    return disk_failed() > 0;
}

static void fail_each_of(const struct disk_fault *f, uint64_t stride, const char *what) {
    struct loop l = {.arm = arm,
                     .has_failed = has_failed,
                     .disarm = disk_heal,
                     .stride = all               ? 1
                               : stride > STRIDE ? stride
                                                 : STRIDE};
    kind = *f;
    uint64_t tried = fail_each(&l);
    print_message("%llu calls: %s\n", (unsigned long long)tried, what);
    assert_true(tried > 10);
}

static void every_call_fails_once(void **state) {
    (void)state;
    fail_each_of(&(struct disk_fault){.calls = DISK_ALL, .number = EIO}, 1, "each failed once, with EIO");
}
static void every_write_finds_no_room_once(void **state) {
    (void)state;
    fail_each_of(&(struct disk_fault){.calls = DISK_WRITE, .number = ENOSPC}, 1, "each write found no room once");
}
static void every_write_is_cut_in_half_once(void **state) {
    (void)state;
    fail_each_of(&(struct disk_fault){.calls = DISK_WRITE, .number = EIO, .torn = true}, 1,
                 "each write was half done once");
}
static void the_disk_breaks_at_any_call_and_is_whole_again_later(void **state) {
    (void)state;
    fail_each_of(&(struct disk_fault){.calls = DISK_ALL, .number = EIO, .times = UINT64_MAX}, 29,
                 "at each the disk broke for a while");
}
static void the_disk_fills_at_any_write_and_is_emptied_later(void **state) {
    (void)state;
    fail_each_of(&(struct disk_fault){.calls = DISK_WRITE, .number = ENOSPC, .times = UINT64_MAX}, 13,
                 "at each write the disk was full for a while");
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        FAULT_TEST(every_call_fails_once),
        FAULT_TEST(every_write_finds_no_room_once),
        FAULT_TEST(every_write_is_cut_in_half_once),
        FAULT_TEST(the_disk_breaks_at_any_call_and_is_whole_again_later),
        FAULT_TEST(the_disk_fills_at_any_write_and_is_emptied_later),
    };
    all = argc > 1 && strcmp(argv[1], "all") == 0;
    disk_install();
    if (!load_faulty_store()) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
