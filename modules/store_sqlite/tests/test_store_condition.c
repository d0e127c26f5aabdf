/* test_store_condition.c - what the store says of its own health when something is wrong with its disk, and that it
 * takes it back by itself. */
#include <errno.h>
#include <fcntl.h>

#include "store_harness.h"

/* ---- a disk of which writes, or reads, fail with an errno ---- */

static struct {
    _Atomic int write_errno, read_errno; /* 0: it works */
    atomic_bool hangs;
} disk;

static ssize_t faulty_pwrite(int fd, const void *p, size_t n, off_t at) {
    while (disk.hangs) usleep(1000);
    if (!disk.write_errno) return pwrite(fd, p, n, at);
    errno = disk.write_errno;
    return -1;
}
static ssize_t faulty_pread(int fd, void *p, size_t n, off_t at) {
    if (!disk.read_errno) return pread(fd, p, n, at);
    errno = disk.read_errno;
    return -1;
}
static void hook_disk(void) {
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    vfs->xSetSystemCall(vfs, "pwrite", (sqlite3_syscall_ptr)faulty_pwrite);
    vfs->xSetSystemCall(vfs, "pwrite64", (sqlite3_syscall_ptr)faulty_pwrite);
    vfs->xSetSystemCall(vfs, "pread", (sqlite3_syscall_ptr)faulty_pread);
    vfs->xSetSystemCall(vfs, "pread64", (sqlite3_syscall_ptr)faulty_pread);
}

/* It may be told a moment later than what it is about. */
static void says(const char *codes) {
    char now[sizeof host.health];
    for (int i = 0; i < 500; i++) {
        pthread_mutex_lock(&host.lock);
        memcpy(now, host.health, sizeof now);
        pthread_mutex_unlock(&host.lock);
        if (!strcmp(now, codes)) return;
        usleep(10000);
    }
    assert_string_equal(now, codes);
}

/* ---- writes ---- */

static void fails_with(int number, const char *code, int64_t id) {
    says("");
    disk.write_errno = number;
    REFUSED(TAUT_E_UNKNOWN, WRITES(NOTE(id, "a")));
    says(code);
    disk.write_errno = 0;
    says(""); /* nobody has to write for that */
    OK(WRITES(NOTE(id + 1, "b")));
}

static void a_store_that_takes_nothing_says_why_until_it_works_again(void **state) {
    (void)state;
    OK(WRITES(NOTE(1, "a")));
    reopen();
    fails_with(ENOSPC, "disk_full ", 10);
    fails_with(EDQUOT, "disk_full ", 20);
    fails_with(EROFS, "read_only ", 30);
    fails_with(EIO, "disk_error ", 40);
}

static void a_cause_that_changes_replaces_the_one_before(void **state) {
    (void)state;
    OK(WRITES(NOTE(1, "a")));
    reopen();
    disk.write_errno = ENOSPC;
    REFUSED(TAUT_E_UNKNOWN, WRITES(NOTE(2, "a")));
    says("disk_full ");
    disk.write_errno = EROFS;
    says("read_only ");
    disk.write_errno = 0;
    says("");
}

static void files_that_are_not_in_their_place_are_told_until_they_are_back(void **state) {
    char away[200];
    (void)state;
    snprintf(away, sizeof away, "%s.away", t.path);
    OK(WRITES(NOTE(1, "a")));
    assert_int_equal(rename(t.path, away), 0);
    REFUSED(TAUT_E_UNAVAILABLE, WRITES(NOTE(2, "a")));
    says("file_moved ");
    assert_int_equal(rename(away, t.path), 0);
    says("");
    OK(WRITES(NOTE(3, "a")));
}

/* ---- the rest ---- */

static void a_disk_for_which_too_much_waits_is_told_until_the_queue_is_short(void **state) {
    enum { BODY = 16 << 20, MORE_THAN_FIT = 20 };
    static char body[BODY];
    taut_op ops[MORE_THAN_FIT];
    struct taut_event_rec event = {.body = taut_str_n(body, BODY)};
    struct taut_batch_view big = *BATCH(CONDS(COND(TAUT_COND_PRESENT, 99)), .events = {&event, 1, sizeof event});
    (void)state;
    disk.hangs = true;
    taut_op first = submit(BATCH(WRITES(NOTE(1, "a"))));
    usleep(50000);
    for (int i = 0; i < MORE_THAN_FIT; i++) ops[i] = submit(&big);
    says("overloaded ");
    disk.hangs = false;
    assert_int_equal(host_status(first), TAUT_OK);
    for (int i = 0; i < MORE_THAN_FIT; i++) host_status(ops[i]);
    says("");
}

static void reads_that_fail_are_told_until_none_has_for_ten_seconds(void **state) {
    static const struct taut_scan all = {.size = sizeof all, .index = TAUT_SCAN_PRIMARY, .limit = 10};
    (void)state;
    fill();
    reopen();
    disk.read_errno = ETIMEDOUT; /* of EIO SQLite says that the file is damaged */
    assert_int_equal(scan_status(TABLE_NOTES, &all), TAUT_E_IO);
    says("reads_fail ");
    disk.read_errno = 0;
    assert_int_equal(scan_status(TABLE_NOTES, &all), TAUT_OK);
    says("reads_fail ");
    host.mono_shift_us = 11000000;
    assert_int_equal(scan_status(TABLE_NOTES, &all), TAUT_OK);
    host.mono_shift_us = 0;
    says("");
}

static void claims_that_are_pushed_out_are_told_until_there_is_room(void **state) {
    (void)state;
    close_store();
    set_option("claims", 2);
    assert_int_equal(open_with(&notes), TAUT_OK);
    OK(EVENTS(EVENT("{}")), CLAIM("a", "1"));
    OK(EVENTS(EVENT("{}")), CLAIM("b", "2"));
    says("");
    OK(EVENTS(EVENT("{}")), CLAIM("c", "3"));
    says("claims_full ");
    OK(EVENTS(EVENT("{}")));
    says("");
}

static void a_damaged_file_is_told_for_good(void **state) {
    char junk[4096];
    int64_t page;
    (void)state;
    fill();
    close_store();
    page = sql_number("SELECT rootpage FROM sqlite_schema WHERE name='test_notes'");
    memset(junk, 0x5a, sizeof junk);
    int fd = open(t.path, O_WRONLY);
    assert_int_equal(pwrite(fd, junk, sizeof junk, (page - 1) * (off_t)sizeof junk), sizeof junk);
    close(fd);
    assert_int_equal(open_with(&notes), TAUT_OK);
    says("");
    REFUSED(TAUT_E_IO, WRITES(UPSERT(S("T1"), I(1), S("b"))));
    says("damaged ");
    OK(EVENTS(EVENT("{}")));
    says("damaged ");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_store_that_takes_nothing_says_why_until_it_works_again),
        TEST(a_cause_that_changes_replaces_the_one_before),
        TEST(files_that_are_not_in_their_place_are_told_until_they_are_back),
        TEST(a_disk_for_which_too_much_waits_is_told_until_the_queue_is_short),
        TEST(reads_that_fail_are_told_until_none_has_for_ten_seconds),
        TEST(claims_that_are_pushed_out_are_told_until_there_is_room),
        TEST(a_damaged_file_is_told_for_good),
    };
    hook_disk();
    return run_store_tests(tests, sizeof tests / sizeof *tests);
}
