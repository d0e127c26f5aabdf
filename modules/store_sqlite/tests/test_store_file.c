/* test_store_file.c - the store's file: who may use it, crashes, failures of the disk, and readers beside the writer.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store_harness.h"

/* ---- the file ---- */

static atomic_int reads;
static ssize_t counted_pread(int fd, void *p, size_t n, off_t at) {
    reads++;
    return pread(fd, p, n, at);
}
static int count_reads_of_opening(void) {
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    close_store();
    vfs->xSetSystemCall(vfs, "pread", (sqlite3_syscall_ptr)counted_pread);
    vfs->xSetSystemCall(vfs, "pread64", (sqlite3_syscall_ptr)counted_pread);
    reads = 0;
    assert_int_equal(open_with(&notes), TAUT_OK);
    vfs->xSetSystemCall(vfs, "pread", NULL);
    vfs->xSetSystemCall(vfs, "pread64", NULL);
    return reads;
}

static void opening_reads_as_much_as_there_are_claims_whatever_the_log_holds(void **state) {
    (void)state;
    OK(EVENTS(EVENT("{}")), CLAIM("key", "1"));
    int before = count_reads_of_opening();
    assert_true(before > 0);
    close_store();
    sql("WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i+1 FROM n WHERE i<5000) INSERT INTO taut_events "
        "SELECT 'T1', i, (SELECT at FROM taut_events WHERE seq=1), 'C1', NULL, NULL, NULL, "
        "hex(zeroblob(500)) FROM n; UPDATE taut_heads SET seq=5000");
    assert_int_equal(open_with(&notes), TAUT_OK);
    assert_true(count_reads_of_opening() < before + 10);
    assert_int_equal(commit(BATCH(EVENTS(EVENT("{}")), CLAIM("key", "x")), NULL), TAUT_E_CLAIMED);
}

/* As another user, when we are one who may do everything. */
static void assert_refused(const char *at, unsigned mode) {
    enum { NOBODY = 65534 };
    char want[512];
    bool is_root = geteuid() == 0;
    if (is_root) assert_int_equal(seteuid(NOBODY), 0);
    assert_int_equal(open_with(&notes), TAUT_E_IO);
    snprintf(want, sizeof want,
             "store_open: %s cannot be written: permission denied; it belongs to user %u and has mode %04o, and the "
             "server runs as user %u",
             at, (unsigned)getuid(), mode, (unsigned)geteuid());
    if (is_root) assert_int_equal(seteuid(0), 0);
    assert_int_equal(host_logged(want), 1);
    t.def->fini(&t.mod);
}

/* With these modes, of which the one of `at` is in the way. */
static void assert_refused_with(unsigned folder, unsigned file, const char *at) {
    assert_int_equal(chmod(t.path, file), 0);
    assert_int_equal(chmod(t.dir, folder), 0);
    assert_refused(at, at == t.dir ? folder : file);
    assert_int_equal(chmod(t.dir, 0700), 0);
    assert_int_equal(chmod(t.path, 0600), 0);
}

static void what_cannot_be_written_is_named_and_refused(void **state) {
    (void)state;
    fill();
    close_store();
    assert_refused_with(0777, 0444, t.path);
    assert_refused_with(0777, geteuid() ? 0 : 0600, t.path);
    assert_refused_with(0555, 0666, t.dir);
    assert_int_equal(open_with(&notes), TAUT_OK);
}

/* SQLite would remove it, and with it what the moved file does not have yet. */
static void a_log_whose_store_was_moved_or_emptied_is_left_alone(void **state) {
    char want[640], wal[300], moved[300];
    (void)state;
    fill();
    close_store();
    snprintf(wal, sizeof wal, "%s-wal", t.path);
    snprintf(moved, sizeof moved, "%s.moved", t.path);
    assert_int_equal(rename(t.path, moved), 0);
    for (int is_empty = 0; is_empty <= 1; is_empty++) {
        if (is_empty) close(open(t.path, O_CREAT | O_WRONLY, 0600));
        FILE *f = fopen(wal, "w");
        fputs("what was acknowledged", f);
        fclose(f);
        assert_int_equal(open_with(&notes), TAUT_E_INVAL);
        snprintf(want, sizeof want,
                 "store_open: %s is %s, but its log %s is there, and may hold messages that were acknowledged. Put the "
                 "file back that the log belongs to; or move the log away, to begin with an empty store",
                 t.path, is_empty ? "empty" : "not there", wal);
        assert_int_equal(host_logged(want), 1);
        t.def->fini(&t.mod);
        assert_int_equal(access(wal, F_OK), 0);
    }
    assert_int_equal(rename(moved, t.path), 0);
    assert_int_equal(open_with(&notes), TAUT_OK);
    assert_true(note_is_there(1));
}

static const char *number(int i) {
    static char text[16];
    snprintf(text, sizeof text, "%d", i);
    return text;
}

static int claim_rows(void) {
    sqlite3 *db;
    sqlite3_stmt *st;
    assert_int_equal(sqlite3_open(t.path, &db), SQLITE_OK);
    sqlite3_prepare_v2(db, "SELECT count(*) FROM taut_claims", -1, &st, NULL);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    int n = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    sqlite3_close(db);
    return n;
}

static void claims_older_than_a_day_leave_the_file(void **state) {
    (void)state;
    for (int i = 0; i < 300; i++) OK(EVENTS(EVENT("{}")), .claim_key = taut_str_z(number(i)));
    assert_int_equal(claim_rows(), 300);
    host.clock_shift_us = host.mono_shift_us = 86500ll * 1000000;
    OK(EVENTS(EVENT("{}")), CLAIM("x", ""));
    OK(EVENTS(EVENT("{}")), CLAIM("y", ""));
    OK(EVENTS(EVENT("{}")), CLAIM("z", ""));
    assert_int_equal(claim_rows(), 3);
    reopen();
    assert_int_equal(commit(BATCH(EVENTS(EVENT("{}")), CLAIM("y", "")), NULL), TAUT_E_CLAIMED);
    host.mono_shift_us = 0;
}

static void only_the_owner_may_read_the_file_and_nobody_else_may_write_it(void **state) {
    (void)state;
    struct stat st;
    sqlite3 *db;
    assert_int_equal(stat(t.path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    OK(WRITES(NOTE(1, "a")));
    assert_int_equal(sqlite3_open(t.path, &db), SQLITE_OK);
    int rc = SQLITE_OK;
    for (int i = 0; i < 1000 && rc == SQLITE_OK; i++) { /* the writer takes its lock again just after an answer */
        rc = sqlite3_exec(db, "BEGIN IMMEDIATE; COMMIT", NULL, NULL, NULL);
        usleep(1000);
    }
    assert_int_equal(rc, SQLITE_BUSY);
    assert_int_equal(sqlite3_exec(db, "SELECT * FROM test_notes", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void a_file_behind_a_link_is_as_private(void **state) {
    (void)state;
    struct stat st;
    char target[160];
    mode_t before = umask(022);
    close_store();
    unlink(t.path);
    snprintf(target, sizeof target, "%s.elsewhere", t.path);
    assert_int_equal(symlink(target, t.path), 0);
    assert_int_equal(open_with(&notes), TAUT_OK);
    assert_int_equal(stat(target, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    umask(before);
}

static void the_write_ahead_log_keeps_to_its_limit(void **state) {
    (void)state;
    static char big[100000];
    struct stat st;
    char wal[128];
    close_store();
    set_option("wal_limit", 1 << 20);
    assert_int_equal(open_with(&notes), TAUT_OK);
    memset(big, 'x', sizeof big);
    for (int i = 0; i < 40; i++) OK(WRITES(UPSERT(S("T1"), I(i % 3), taut_v_str(taut_str_n(big, sizeof big)))));
    snprintf(wal, sizeof wal, "%s-wal", t.path);
    assert_int_equal(stat(wal, &st), 0);
    assert_true(st.st_size < 2 << 20);
    assert_true(note_is_there(2));
}

static void a_commit_that_fails_is_unknown_and_the_store_heals(void **state) {
    (void)state;
    struct rlimit old, small = {4096, 0};
    OK(WRITES(NOTE(1, "a")), EVENTS(EVENT("{}")));
    getrlimit(RLIMIT_FSIZE, &old);
    small.rlim_max = old.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    int32_t lost = commit(BATCH(WRITES(NOTE(2, "b")), EVENTS(EVENT("{}")), CLAIM("key", "lost")), NULL);
    int32_t then = commit(BATCH(WRITES(NOTE(3, "c"))), NULL);
    bool readable = note_is_there(1);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(lost, TAUT_E_UNKNOWN);
    assert_int_equal(then, TAUT_E_UNAVAILABLE);
    assert_true(readable);
    int32_t err;
    do {
        usleep(20000);
        err = commit(BATCH(WRITES(UPSERT(S("T1"), I(4), S("d"))), EVENTS(EVENT("{}"))), NULL);
    } while (err == TAUT_E_UNAVAILABLE);
    assert_int_equal(err, TAUT_OK);
    assert_int_equal(last_seq("T1"), note_is_there(2) ? 3 : 2);
}

static void a_log_that_lacks_rows_answers_as_if_it_had_been_trimmed(void **state) {
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

/* ---- crash points ---- */

/* Opens the store in a child that dies at `point` in its second commit. */
static void die_at(const char *point) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setenv("TAUT_CRASH_AT", point, 1);
        if (open_with(&notes) == TAUT_OK) {
            commit(BATCH(WRITES(NOTE(1, "a")), EVENTS(EVENT("{}")), CLAIM("one", "1")), NULL);
            commit(BATCH(WRITES(NOTE(2, "b")), EVENTS(EVENT("{}")), CLAIM("two", "2")), NULL);
        }
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void a_kill_before_the_commit_loses_only_what_was_not_answered(void **state) {
    (void)state;
    close_store();
    die_at("store.before_commit:2");
    assert_int_equal(open_with(&notes), TAUT_OK);
    assert_true(note_is_there(1));
    assert_false(note_is_there(2));
    assert_int_equal(last_seq("T1"), 1);
    OK(EVENTS(EVENT("{}")), CLAIM("two", "again"));
}

static void a_kill_after_the_commit_loses_nothing_and_keeps_the_claim(void **state) {
    (void)state;
    close_store();
    die_at("store.before_answer:2");
    assert_int_equal(open_with(&notes), TAUT_OK);
    assert_true(note_is_there(2));
    assert_int_equal(last_seq("T1"), 2);
    assert_int_equal(commit(BATCH(EVENTS(EVENT("{}")), CLAIM("two", "again")), NULL), TAUT_E_CLAIMED);
}

/* ---- threads ---- */

static atomic_bool reading;
static void *read_all_the_time(void *arg) {
    (void)arg;
    uint64_t before = 0;
    while (reading) {
        struct host_slot s = scan(SCAN_OF(TAUT_SCAN_PRIMARY, 10000, PREFIX(S("T1")), .workspace = TAUT_LIT("T1")));
        const struct taut_rows *r = s.result;
        assert_int_equal(s.status, TAUT_OK);
        assert_int_equal(r->n, r->seq); /* a row and an event a batch: the snapshot holds both or neither */
        assert_int_equal(r->as_of, r->seq);
        assert_true(r->as_of >= before);
        before = r->as_of;
        host_release(&s);
    }
    return NULL;
}

static void readers_see_whole_batches_while_the_writer_runs(void **state) {
    (void)state;
    enum { N = 400 };
    pthread_t threads[2];
    reading = true;
    for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, read_all_the_time, NULL);
    for (int i = 0; i < N; i++) {
        OK(WRITES(NOTE(i, "text")), EVENTS(EVENT("{}")));
        assert_true(note_is_there(i)); /* what was reported is seen */
    }
    reading = false;
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(opening_reads_as_much_as_there_are_claims_whatever_the_log_holds),
        TEST(what_cannot_be_written_is_named_and_refused),
        TEST(a_log_whose_store_was_moved_or_emptied_is_left_alone),
        TEST(claims_older_than_a_day_leave_the_file),
        TEST(only_the_owner_may_read_the_file_and_nobody_else_may_write_it),
        TEST(a_file_behind_a_link_is_as_private),
        TEST(the_write_ahead_log_keeps_to_its_limit),
        TEST(a_commit_that_fails_is_unknown_and_the_store_heals),
        TEST(a_log_that_lacks_rows_answers_as_if_it_had_been_trimmed),
        TEST(a_kill_before_the_commit_loses_only_what_was_not_answered),
        TEST(a_kill_after_the_commit_loses_nothing_and_keeps_the_claim),
        TEST(readers_see_whole_batches_while_the_writer_runs),
    };
    return run_store_tests(tests, sizeof tests / sizeof *tests);
}
