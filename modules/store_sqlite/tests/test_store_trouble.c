/* test_store_trouble.c - the store on a disk that hangs, is full, is damaged, or is of the wrong kind. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "store_harness.h"

/* ---- a disk that hangs ---- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t released;
    bool writes, reads;
    atomic_bool full;
} hang = {.lock = PTHREAD_MUTEX_INITIALIZER, .released = PTHREAD_COND_INITIALIZER};

static void wait_while(const bool *hangs) {
    pthread_mutex_lock(&hang.lock);
    while (*hangs) pthread_cond_wait(&hang.released, &hang.lock);
    pthread_mutex_unlock(&hang.lock);
}
static ssize_t slow_pwrite(int fd, const void *p, size_t n, off_t at) {
    wait_while(&hang.writes);
    if (hang.full) {
        errno = ENOSPC;
        return -1;
    }
    return pwrite(fd, p, n, at);
}
static ssize_t slow_pread(int fd, void *p, size_t n, off_t at) {
    wait_while(&hang.reads);
    return pread(fd, p, n, at);
}
static void set_hang(bool reads, bool writes) {
    pthread_mutex_lock(&hang.lock);
    hang.reads = reads;
    hang.writes = writes;
    pthread_cond_broadcast(&hang.released);
    pthread_mutex_unlock(&hang.lock);
}
static void hook_disk(void) {
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    vfs->xSetSystemCall(vfs, "pwrite", (sqlite3_syscall_ptr)slow_pwrite);
    vfs->xSetSystemCall(vfs, "pwrite64", (sqlite3_syscall_ptr)slow_pwrite);
    vfs->xSetSystemCall(vfs, "pread", (sqlite3_syscall_ptr)slow_pread);
    vfs->xSetSystemCall(vfs, "pread64", (sqlite3_syscall_ptr)slow_pread);
}

static taut_op close_now(void) {
    taut_op op = host_op();
    host.storage->close(host.self, op);
    return op;
}
static taut_op stop_now(void) {
    taut_op op = host_op();
    t.def->stop(&t.mod, op);
    return op;
}

static void a_close_never_blocks_and_ends_with_the_last_write(void **state) {
    (void)state;
    set_hang(false, true);
    taut_op last = submit(BATCH(WRITES(NOTE(1, "a"))));
    taut_op ends[] = {close_now(), stop_now(), close_now()};
    usleep(50000);
    for (int i = 0; i < 3; i++) assert_false(host_is_done(ends[i]));
    assert_int_equal(commit(BATCH(WRITES(NOTE(2, "b"))), NULL), TAUT_E_UNAVAILABLE);
    set_hang(false, false);
    assert_int_equal(host_status(last), TAUT_OK);
    for (int i = 0; i < 3; i++) assert_int_equal(host_status(ends[i]), TAUT_OK);
    assert_int_equal(host_status(stop_now()), TAUT_OK);
    reopen();
    assert_true(note_is_there(1));
}

static void a_store_can_be_closed_while_it_opens(void **state) {
    (void)state;
    close_store();
    set_hang(true, false);
    taut_op opening = start_opening(&notes), closing = close_now();
    usleep(20000);
    assert_false(host_is_done(opening) || host_is_done(closing));
    set_hang(false, false);
    assert_int_equal(host_status(opening), TAUT_OK);
    assert_int_equal(host_status(closing), TAUT_OK);
}

static void a_close_during_an_opening_that_fails_is_answered(void **state) {
    (void)state;
    close_store();
    sql("UPDATE taut_meta SET value=99 WHERE key='format'");
    set_hang(true, false);
    taut_op opening = start_opening(&notes), closing = close_now();
    set_hang(false, false);
    assert_int_equal(host_status(opening), TAUT_E_INVAL);
    assert_int_equal(host_status(closing), TAUT_OK);
}

/* In a child, which leaves what the store leaves, and kills itself when all is well. */
static void unload_while_it_hangs(bool reads) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (open_with(&notes) != TAUT_OK) _exit(1);
        set_hang(reads, !reads);
        struct taut_batch_view *b = BATCH(WRITES(NOTE(9, "a")));
        const struct taut_scan *q = SCAN();
        if (reads) host.storage->scan(host.self, 0, q, host_op());
        else submit(b);
        usleep(20000);
        int64_t start = clock_us(CLOCK_MONOTONIC);
        t.def->fini(&t.mod);
        bool soon = clock_us(CLOCK_MONOTONIC) - start < 5000000;
        if (soon && host_logged("store_hangs: ") == 1) kill(getpid(), SIGKILL);
        _exit(2);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

static void unloading_does_not_wait_for_a_disk_that_hangs(void **state) {
    (void)state;
    fill();
    close_store();
    unload_while_it_hangs(false);
    unload_while_it_hangs(true);
    assert_int_equal(open_with(&notes), TAUT_OK);
}

/* What a batch was refused with. */
static const char *why_of(taut_op op, int32_t status) {
    static char text[128];
    struct host_slot s = host_wait(op);
    assert_int_equal(s.status, status);
    const struct taut_commit_result *r = s.result;
    snprintf(text, sizeof text, "%.*s", (int)r->why.len, r->why.ptr);
    host_release(&s);
    return text;
}

static void a_queue_of_writes_has_a_bound_in_bytes_and_in_number(void **state) {
    enum { BODY = 16 << 20, FIT = 7, MANY = 65536 - FIT };
    static char body[BODY];
    (void)state;
    set_hang(false, true);
    taut_op first = submit(BATCH(WRITES(NOTE(1, "a")))), ops[FIT], small;
    usleep(50000);
    struct taut_event_rec event = {.body = taut_str_n(body, BODY)};
    struct taut_batch_view big = *BATCH(CONDS(COND(TAUT_COND_PRESENT, 99)), .events = {&event, 1, sizeof event});
    struct taut_batch_view none = *BATCH(CONDS(COND(TAUT_COND_PRESENT, 99)), WRITES(DELETE(S("T1"), I(99))));
    for (int i = 0; i < FIT; i++) ops[i] = submit(&big);
    taut_op last = submit(&big), over = submit(&big);
    assert_false(host_is_done(last));
    assert_string_equal(why_of(over, TAUT_E_UNAVAILABLE), "too much waits for the disk");
    assert_int_equal(host_logged("store_full: "), 1);
    set_hang(false, false);
    assert_int_equal(host_status(first), TAUT_OK);
    assert_int_equal(host_status(last), TAUT_E_CONFLICT);
    for (int i = 0; i < FIT; i++) assert_int_equal(host_status(ops[i]), TAUT_E_CONFLICT);

    set_hang(false, true);
    first = submit(BATCH(WRITES(NOTE(2, "a"))));
    usleep(50000);
    small = submit(&none);
    for (int i = 1; i < MANY + FIT; i++) last = submit(&none);
    assert_false(host_is_done(last));
    assert_string_equal(why_of(submit(&none), TAUT_E_UNAVAILABLE), "too much waits for the disk");
    set_hang(false, false);
    assert_int_equal(host_status(small), TAUT_E_CONFLICT);
    assert_int_equal(host_status(last), TAUT_E_CONFLICT);
}

static void a_queue_of_reads_has_a_bound(void **state) {
    static const struct taut_scan q = {.size = sizeof q, .index = TAUT_SCAN_PRIMARY, .limit = 1};
    taut_op op = 0, blocked[4];
    (void)state;
    fill();
    reopen();
    set_hang(true, false);
    for (int i = 0; i < 4; i++) host.storage->scan(host.self, 0, &q, blocked[i] = host_op());
    usleep(50000);
    for (int i = 0; i < 65536 - 2; i++) host.storage->scan(host.self, 0, &q, op = host_op());
    assert_false(host_is_done(op));
    host.storage->scan(host.self, 0, &q, op = host_op());
    assert_int_equal(host_status(op), TAUT_E_UNAVAILABLE);
    set_hang(false, false);
    for (uint32_t i = 1; i < 65536; i++) { /* all that were taken are answered */
        struct host_slot s = host_wait(blocked[0] + i - 1);
        host_release(&s);
    }
}

/* ---- a full disk ---- */

static void wait_for_log(const char *what) {
    for (int i = 0; i < 200 && host_logged(what) == 0; i++) usleep(20000);
    assert_int_equal(host_logged(what), 1);
}

static void a_full_disk_is_said_once_and_then_once_a_minute(void **state) {
    (void)state;
    OK(WRITES(NOTE(1, "a")));
    reopen(); /* nothing is left to be checkpointed: opening anew alone would do */
    hang.full = true;
    assert_string_equal(why_of(submit(BATCH(WRITES(NOTE(2, "b")))), TAUT_E_UNKNOWN), "disk full");
    for (int i = 0; i < 12; i++) { /* five attempts to heal and more */
        assert_string_equal(why_of(submit(BATCH(WRITES(NOTE(3, "c")))), TAUT_E_UNAVAILABLE), "disk full");
        usleep(100000);
    }
    assert_int_equal(host_logged("\n"), 2);
    assert_int_equal(host_logged("the store still cannot be written; will try again: disk full (SQLite 13"), 1);
    host.mono_shift_us = 61000000;
    wait_for_log(" more like this since it was last said");
    assert_int_equal(host_logged("\n"), 3);
    hang.full = false;
    wait_for_log("store_healed: ");
    OK(WRITES(NOTE(4, "d")));
    assert_true(note_is_there(1));
    for (int64_t again = 5; again < 7; again++) { /* said with its end, then neither is: the last word stays true */
        hang.full = true;
        why_of(submit(BATCH(WRITES(NOTE(again, "e")))), TAUT_E_UNKNOWN);
        hang.full = false;
        for (int i = 0; i < 100 && commit(BATCH(WRITES(NOTE(again + 10, "f"))), NULL) != TAUT_OK; i++) usleep(50000);
        assert_true(note_is_there(again + 10));
        assert_int_equal(host_logged("store_healed: "), 2);
        assert_int_equal(host_logged("\n"), 6);
    }
    host.mono_shift_us = 0;
}

/* ---- damage ---- */

static void overwrite(const char *end, off_t at, size_t n) {
    char path[128], junk[4096];
    memset(junk, 0x5a, sizeof junk);
    snprintf(path, sizeof path, "%s%s", t.path, end);
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, junk, n, at), (ssize_t)n);
    close(fd);
}

static void assert_says_what_to_do(void) {
    char want[512];
    snprintf(
        want, sizeof want,
        "store_damaged: %s is damaged: stop the server, then restore a backup, or save what can be read: sqlite3 %s "
        ".recover | sqlite3 NEW.db\n",
        t.path, t.path);
    assert_int_equal(host_logged(want), 1);
}

static void a_file_that_is_no_database_is_refused_with_the_way_out(void **state) {
    (void)state;
    close_store();
    overwrite("", 0, 4096);
    assert_int_equal(open_with(&notes), TAUT_E_IO);
    assert_says_what_to_do();
    assert_int_equal(host_logged("the database file is damaged (SQLite 26: file is not a database; errno 0)"), 1);
}

static off_t page_of_notes(void) {
    sqlite3 *db;
    sqlite3_stmt *st;
    assert_int_equal(sqlite3_open(t.path, &db), SQLITE_OK);
    sqlite3_prepare_v2(db, "SELECT rootpage FROM sqlite_schema WHERE name='test_notes'", -1, &st, NULL);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    int page = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    sqlite3_close(db);
    return (off_t)(page - 1) * 4096;
}

static void a_damaged_page_is_said_once_with_the_way_out(void **state) {
    (void)state;
    fill();
    close_store();
    overwrite("", page_of_notes(), 4096);
    assert_int_equal(open_with(&notes), TAUT_OK);
    for (int i = 0; i < 3; i++)
        assert_string_equal(why_of(submit(BATCH(WRITES(UPSERT(S("T1"), I(1), S("b"))))), TAUT_E_IO),
                            "the database file is damaged");
    assert_says_what_to_do();
    assert_int_equal(host_logged("store_write: "), 1);
}

static void a_log_without_a_name_is_damage(void **state) {
    (void)state;
    sqlite3 *db;
    close_store();
    assert_int_equal(sqlite3_open(t.path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "INSERT INTO taut_heads VALUES('',1,1)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(open_with(&notes), TAUT_E_IO);
    assert_says_what_to_do();
}

/* ---- a damaged log ---- */

enum { WAL_HEADER = 32, WAL_FRAME = 4096 + 24 };

/* A store that was killed after some commits; the size of its log. */
static off_t leave_a_log(void) {
    close_store();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (open_with(&notes) != TAUT_OK) _exit(1);
        for (int i = 0; i < 5; i++) commit(BATCH(WRITES(NOTE(i, "a")), EVENTS(EVENT("{}"))), NULL);
        kill(getpid(), SIGKILL);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    char path[128];
    snprintf(path, sizeof path, "%s-wal", t.path);
    int fd = open(path, O_RDONLY);
    off_t size = lseek(fd, 0, SEEK_END);
    close(fd);
    assert_int_equal((size - WAL_HEADER) % WAL_FRAME, 0);
    return size;
}

static void a_log_that_a_crash_left_whole_is_not_complained_of(void **state) {
    (void)state;
    leave_a_log();
    assert_int_equal(open_with(&notes), TAUT_OK);
    assert_int_equal(host_logged("\n"), 0);
    assert_true(note_is_there(4));
}

static void commits_behind_a_damaged_frame_are_counted(void **state) {
    (void)state;
    leave_a_log();
    overwrite("-wal", WAL_HEADER + 2000, 16); /* in the page of the first frame */
    assert_int_equal(open_with(&notes), TAUT_OK);
    char want[512];
    snprintf(want, sizeof want,
             "store_log_damaged: %s-wal: frame 1 is damaged; 5 commits end in it or behind it and are lost, though all "
             "but the last of them were acknowledged: check the disk, and restore a backup if they matter\n",
             t.path);
    assert_string_equal(host.lines, want);
    assert_false(note_is_there(0));
}

static void a_torn_last_commit_is_a_warning(void **state) {
    (void)state;
    off_t size = leave_a_log();
    overwrite("-wal", size - 100, 16);
    assert_int_equal(open_with(&notes), TAUT_OK);
    assert_int_equal(host_logged("store_log_torn: "), 1);
    assert_int_equal(host_logged("store_log_damaged: "), 0);
    assert_true(note_is_there(3));
    assert_false(note_is_there(4));
}

/* ---- a disk of the wrong kind ---- */

static void where_no_write_ahead_log_can_be_kept_the_store_does_not_open(void **state) {
    (void)state;
    sqlite3_vfs *usual = sqlite3_vfs_find(NULL), *without_shm = sqlite3_vfs_find("unix-dotfile");
    close_store();
    unlink(t.path);
    sqlite3_vfs_register(without_shm, 1);
    int32_t err = open_with(&notes);
    sqlite3_vfs_register(usual, 1);
    assert_int_equal(err, TAUT_E_IO);
    char want[512];
    snprintf(
        want, sizeof want,
        "store_open: %s: SQLite cannot keep a write-ahead log here (its journal mode stays \"delete\"): put the file "
        "on a local disk; network file systems lack the shared memory that it needs\n",
        t.path);
    assert_string_equal(host.lines, want);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_close_never_blocks_and_ends_with_the_last_write),
        TEST(a_store_can_be_closed_while_it_opens),
        TEST(a_close_during_an_opening_that_fails_is_answered),
        TEST(unloading_does_not_wait_for_a_disk_that_hangs),
        TEST(a_queue_of_writes_has_a_bound_in_bytes_and_in_number),
        TEST(a_queue_of_reads_has_a_bound),
        TEST(a_full_disk_is_said_once_and_then_once_a_minute),
        TEST(a_file_that_is_no_database_is_refused_with_the_way_out),
        TEST(a_damaged_page_is_said_once_with_the_way_out),
        TEST(a_log_without_a_name_is_damage),
        TEST(a_log_that_a_crash_left_whole_is_not_complained_of),
        TEST(commits_behind_a_damaged_frame_are_counted),
        TEST(a_torn_last_commit_is_a_warning),
        TEST(where_no_write_ahead_log_can_be_kept_the_store_does_not_open),
    };
    hook_disk();
    return run_store_tests(tests, sizeof tests / sizeof *tests);
}
