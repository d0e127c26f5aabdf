/* test_store_disk_faults.c - what each kind of trouble with the disk looks like before, during and after: to those who
 * send, to those who read, in the log; and that it ends by itself when its cause does. */
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "disk.h"
#include "store_harness.h"
#include "workload.h"

static int64_t next_id = 10;

/* What a batch was answered, with why. */
static const char *why;
static int32_t send_one(void) {
    static char text[128];
    struct host_slot s = host_wait(submit(BATCH(WRITES(NOTE(next_id++, "a")), EVENTS(EVENT("{}")))));
    const struct taut_commit_result *r = s.result;
    snprintf(text, sizeof text, "%.*s", r ? (int)r->why.len : 0, r ? r->why.ptr : "");
    int32_t status = s.status;
    host_release(&s);
    why = text;
    return status;
}

static void assert_refused(const char *because) {
    for (int i = 0; i < 3; i++) {
        assert_int_equal(send_one(), TAUT_E_UNAVAILABLE);
        assert_string_equal(why, because);
    }
}
static void assert_reads_go_on(void) {
    assert_string_equal(note_text(1, TEXT), "before");
    assert_string_equal(scan_ids(SCAN_OF(BY_NUM, 1, .lo = I(7))), "1");
}
static void assert_works_again(void) {
    for (int i = 0; i < 250 && send_one() != TAUT_OK; i++) usleep(20000);
    assert_int_equal(send_one(), TAUT_OK);
    assert_reads_go_on();
    assert_int_equal(host_logged("store_healed: "), 1);
}
/* The log is dense and belongs to its rows, and a restart finds what was acknowledged. */
static void assert_whole(void) {
    int64_t last = next_id - 1;
    reopen();
    assert_true(note_is_there(last));
    assert_reads_go_on();
    struct host_slot s = events("T1", 0, 1000);
    const struct taut_event_rows *r = s.result;
    assert_int_equal(s.status, TAUT_OK);
    assert_int_equal(r->n, r->last);
    host_release(&s);
    uint64_t lines = last_seq("T1");
    sqlite3 *db;
    assert_int_equal(sqlite3_open(t.path, &db), SQLITE_OK);
    assert_int_equal(ask_number(db, "SELECT count(*) FROM test_notes", NULL), (int64_t)lines);
    sqlite3_close(db);
}

static int begin(void **state) {
    int err = setup(state);
    if (err == 0) OK(WRITES(INSERT(S("T1"), I(1), S("before"), I(7))), EVENTS(EVENT("{}")));
    return err;
}
static int end(void **state) {
    disk_heal();
    disk_hang(false);
    return teardown(state);
}

/* ---- what the disk says ---- */

struct trouble_case {
    struct disk_fault fault;
    const char *cause;
};

static void go_through(const struct trouble_case *c) {
    disk_fail(&c->fault);
    int32_t status = send_one(); /* the one that meets it */
    assert_true(status == TAUT_E_UNKNOWN || status == TAUT_E_IO || status == TAUT_E_UNAVAILABLE);
    assert_string_equal(why, c->cause);
    if (status == TAUT_E_UNKNOWN) assert_refused(c->cause);
    assert_reads_go_on();
    disk_heal();
    assert_works_again();
    assert_whole();
}

static void a_failed_sync_stops_all_sending_until_the_store_was_opened_anew(void **state) {
    (void)state;
    disk_fail(&(struct disk_fault){.calls = DISK_SYNC, .n = 1, .times = UINT64_MAX, .number = EIO});
    assert_int_equal(send_one(), TAUT_E_UNKNOWN);
    assert_string_equal(why, "disk error");
    char want[400];
    snprintf(want, sizeof want,
             "store_sync: %s: a commit failed, and whether it reached the disk is unknown; nothing is acknowledged "
             "until the store has been opened anew: disk error (SQLite 1034: disk I/O error; errno 5)\n",
             t.path);
    assert_string_equal(host.lines, want);
    assert_refused("disk error");
    assert_reads_go_on();
    assert_int_equal(host_logged("store_healed"), 0);
    disk_heal();
    assert_works_again();
    assert_whole();
}

/* One sync fails, and the next would not: it must not be believed, for the kernel has forgotten what the first was
 * for. */
static void a_sync_that_failed_is_not_simply_repeated(void **state) {
    (void)state;
    disk_fail(&(struct disk_fault){.calls = DISK_SYNC, .n = 1, .times = 1, .number = EIO});
    assert_int_equal(send_one(), TAUT_E_UNKNOWN);
    assert_works_again();
    assert_whole();
    close_store();
    setenv("TAUT_MUTANT", "retried_sync", 1);
    assert_int_equal(open_with(&notes), TAUT_OK);
    disk_fail(&(struct disk_fault){.calls = DISK_SYNC, .n = 1, .times = 1, .number = EIO});
    assert_int_equal(send_one(), TAUT_OK); /* so a server that does so is found out by the above */
    unsetenv("TAUT_MUTANT");
}

static void each_trouble_is_named_and_ends_by_itself(void **state) {
    static const struct trouble_case cases[] = {
        {{.calls = DISK_WRITE, .n = 1, .times = UINT64_MAX, .number = EROFS}, "the file system is read-only"},
        {{.calls = DISK_WRITE, .n = 1, .times = UINT64_MAX, .number = EACCES}, "permission denied"},
        {{.calls = DISK_WRITE, .n = 1, .times = UINT64_MAX, .number = EDQUOT}, "disk quota exceeded"},
        {{.calls = DISK_WRITE, .n = 1, .times = UINT64_MAX, .number = EIO, .torn = true}, "disk error"},
        {{.calls = DISK_WRITE, .n = 1, .times = UINT64_MAX, .number = EFBIG},
         "the file would be larger than is allowed"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) go_through(&cases[i]);
}

static void a_full_disk_refuses_and_goes_on_when_there_is_room(void **state) {
    int sent = 0;
    (void)state;
    reopen();
    disk_room(64 << 10);
    while (send_one() == TAUT_OK) sent++;
    assert_true(sent > 2);
    assert_string_equal(why, "disk full");
    assert_refused("disk full");
    assert_reads_go_on();
    assert_int_equal(host_logged("disk full (SQLite 13: database or disk is full"),
                     2); /* the commit, and that it lasts */
    disk_heal();
    assert_works_again();
    assert_whole();
}

/* ---- descriptors ---- */

static void set_descriptors(rlim_t n) {
    struct rlimit r;
    getrlimit(RLIMIT_NOFILE, &r);
    r.rlim_cur = n;
    setrlimit(RLIMIT_NOFILE, &r);
}

static void without_descriptors_it_does_not_open_and_says_so(void **state) {
    struct rlimit before;
    (void)state;
    close_store();
    getrlimit(RLIMIT_NOFILE, &before);
    int next = open("/dev/null", O_RDONLY);
    close(next);
    set_descriptors((rlim_t)next);
    int32_t err = open_with(&notes);
    set_descriptors(before.rlim_cur);
    assert_int_equal(err, TAUT_E_IO);
    assert_int_equal(host_logged("cannot open the database: too many open files (SQLite 14"), 1);
    t.def->fini(&t.mod);
    assert_int_equal(open_with(&notes), TAUT_OK);
    assert_reads_go_on();
}

/* What it needs to open the store anew may be taken by connections; it waits for them. */
static void without_descriptors_it_heals_later(void **state) {
    (void)state;
    disk_fail(&(struct disk_fault){.calls = DISK_SYNC, .n = 1, .times = 1, .number = EIO});
    assert_int_equal(send_one(), TAUT_E_UNKNOWN);
    disk_fail(&(struct disk_fault){.calls = DISK_OPEN, .n = 1, .times = UINT64_MAX, .number = EMFILE});
    assert_int_equal(send_one(), TAUT_E_UNAVAILABLE); /* is refused, and lets it try */
    usleep(50000);
    assert_refused("too many open files");
    assert_reads_go_on();
    disk_heal();
    assert_works_again();
    assert_whole();
}

/* ---- a file that is not in its place ---- */

static char aside[128];

static void move_store(const char *end, bool away) {
    char path[160];
    snprintf(path, sizeof path, "%s%s", t.path, end);
    snprintf(aside, sizeof aside, "%s/aside", t.dir);
    assert_int_equal(away ? rename(path, aside) : rename(aside, path), 0);
}
static void assert_says_moved(void) {
    char want[400];
    snprintf(want, sizeof want,
             "store_moved: %s: it or its -wal was moved, removed or replaced while the server runs; nothing is "
             "acknowledged until the same files are back in their place (by mv, not by cp); or stop the server and "
             "restore a backup\n",
             t.path);
    assert_string_equal(host.lines, want);
}

static void a_file_that_was_moved_away_takes_no_more(void **state) {
    static const char *const ends[] = {"", "-wal"};
    (void)state;
    for (int i = 0; i < 2; i++) {
        move_store(ends[i], true);
        assert_refused("the database file is not in its place");
        assert_reads_go_on();
        assert_says_moved();
        move_store(ends[i], false);
        assert_works_again();
        assert_whole();
    }
}

static void copy_file(const char *from, const char *to) {
    char command[300];
    snprintf(command, sizeof command, "cp '%s' '%s'", from, to);
    assert_int_equal(system(command), 0);
}

static void a_file_in_its_place_is_not_taken_for_it(void **state) {
    struct stat before, after;
    (void)state;
    move_store("", true);
    copy_file(aside, t.path);
    assert_int_equal(stat(t.path, &before), 0);
    assert_refused("the database file is not in its place");
    usleep(500000); /* some attempts to heal */
    assert_refused("the database file is not in its place");
    assert_says_moved();
    assert_int_equal(stat(t.path, &after), 0);
    assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec); /* it was left alone */
    move_store("", false);
    assert_works_again();
    assert_whole();
}

static void a_commit_during_which_the_file_goes_is_unknown(void **state) {
    (void)state;
    disk_hang(true);
    taut_op op = submit(BATCH(WRITES(NOTE(next_id++, "a")), EVENTS(EVENT("{}"))));
    usleep(50000);
    move_store("", true);
    disk_hang(false);
    assert_int_equal(host_status(op), TAUT_E_UNKNOWN);
    assert_refused("the database file is not in its place");
    move_store("", false);
    assert_works_again();
    assert_whole();
}

#define DISK_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
int main(void) {
    const struct CMUnitTest tests[] = {
        DISK_TEST(a_failed_sync_stops_all_sending_until_the_store_was_opened_anew),
        DISK_TEST(a_sync_that_failed_is_not_simply_repeated),
        DISK_TEST(each_trouble_is_named_and_ends_by_itself),
        DISK_TEST(a_full_disk_refuses_and_goes_on_when_there_is_room),
        DISK_TEST(without_descriptors_it_does_not_open_and_says_so),
        DISK_TEST(without_descriptors_it_heals_later),
        DISK_TEST(a_file_that_was_moved_away_takes_no_more),
        DISK_TEST(a_file_in_its_place_is_not_taken_for_it),
        DISK_TEST(a_commit_during_which_the_file_goes_is_unknown),
    };
    disk_install();
    if (!load_faulty_store()) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
