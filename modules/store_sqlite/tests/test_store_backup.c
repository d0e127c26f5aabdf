/* test_store_backup.c - backup of a running store and restore: what is in it, what they refuse, what fails, and that
 * positions of before a restore are told so. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "store_harness.h"

static char file[128], text[512];

/* The module without its store open. */
static void begin_store(void) {
    host_reset();
    host_forget(false);
    options_fill(&t);
    t.mod = (struct taut_mod){.host = &host_table, .config = t.config, .name = t.def->name};
    assert_int_equal(t.def->init(&t.mod), TAUT_OK);
}
/* A backup or a restore; what it said is in `text`. */
static int32_t answer_of(taut_op op) {
    struct host_slot s = host_wait(op);
    const taut_str *said = s.result;
    snprintf(text, sizeof text, "%.*s", said ? (int)said->len : 0, said ? said->ptr : "");
    int32_t status = s.status;
    host_release(&s);
    return status;
}
static taut_op start_backup(const char *to) {
    taut_op op = host_op();
    host.storage->backup(host.self, taut_str_z(to), op);
    return op;
}
static int32_t backup(void) {
    return answer_of(start_backup(file));
}
static int32_t restore_from(const char *from) {
    taut_op op = host_op();
    close_store();
    begin_store();
    host.storage->restore(host.self, taut_str_z(from), op);
    int32_t status = answer_of(op);
    t.def->fini(&t.mod);
    return status;
}
/* The store is gone, as with its disk. */
static void lose_store(void) {
    static const char *const ends[] = {"", "-wal", "-shm"};
    char path[128];
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s", t.path, ends[i]);
        unlink(path);
    }
}
static int32_t restore(void) {
    taut_op op = host_op();
    close_store();
    lose_store();
    begin_store();
    host.storage->restore(host.self, taut_str_z(file), op);
    int32_t status = answer_of(op);
    t.def->fini(&t.mod);
    return status;
}
static int files_in_directory(void) {
    int n = 0;
    DIR *d = opendir(t.dir);
    while (readdir(d)) n++;
    closedir(d);
    return n - 2;
}

static int begin(void **state) {
    int err = setup(state);
    snprintf(file, sizeof file, "%s/copy.db", t.dir);
    return err;
}
static int end(void **state) {
    (void)state;
    close_store();
    unlink(file);
    remove_files();
    assert_int_equal(access(t.dir, F_OK), -1); /* nothing else was left in it */
    return 0;
}

/* ---- what is in it ---- */

static void assert_is_as_filled(void) {
    assert_string_equal(note_text(1, TEXT), "a");
    assert_string_equal(scan_ids(SCAN_OF(BY_NUM, 100, .lo = I(0))), "3 2 4 1");
    assert_int_equal(commit(BATCH(EVENTS(EVENT("{}")), CLAIM("key", "x")), NULL), TAUT_E_CLAIMED);
}

static void a_backup_holds_rows_events_claims_and_cursors(void **state) {
    (void)state;
    fill();
    OK(EVENTS(EVENT("{\"n\":1}")), CLAIM("key", "1"), .cursors = LIST(struct taut_cursor, {TAUT_LIT("search"), 1}));
    assert_int_equal(backup(), TAUT_OK);
    assert_int_equal(strncmp(text, "the store as of its commit 2, ", 30), 0);
    OK(WRITES(UPDATE(1, {TEXT, TAUT_SET, S("later")})));

    struct stat st;
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    char wal[160];
    snprintf(wal, sizeof wal, "%s-wal", file);
    assert_int_equal(access(wal, F_OK), -1); /* one file, as of its own */

    assert_int_equal(restore(), TAUT_OK);
    assert_int_equal(open_with(&notes), TAUT_OK);
    assert_is_as_filled();
    taut_op op = host_op();
    host.storage->cursors(host.self, taut_str_z("T1"), op);
    struct host_slot s = host_wait(op);
    const struct taut_cursors *c = s.result;
    assert_int_equal(c->n, 1);
    assert_int_equal(c->cursors[0].seq, 1);
    host_release(&s);
}

/* Each batch raises one row and appends one event that must agree with it. */
static void a_backup_is_the_store_as_of_one_commit_while_it_is_written(void **state) {
    enum { NOTES = 300, ROUNDS = 40 };
    static char big[3000];
    (void)state;
    memset(big, 'x', sizeof big - 1);
    for (int i = 1; i <= NOTES; i++) OK(WRITES(INSERT(S("T1"), I(i), S(big), I(0))), EVENTS(EVENT("{}")));
    taut_op op = start_backup(file);
    int during = 0;
    for (int i = 1; !host_is_done(op); i++, during++)
        OK(WRITES(UPDATE(1 + i % NOTES, {NUM, TAUT_SET, I(i)}), UPDATE(NOTES - i % NOTES, {NUM, TAUT_SET, I(i)})),
           EVENTS(EVENT("{}")));
    assert_int_equal(answer_of(op), TAUT_OK);
    assert_true(during > 0);
    unsigned long long lsn = strtoull(text + strlen("the store as of its commit "), NULL, 10);
    assert_true(lsn >= NOTES && lsn <= NOTES + (unsigned)during);
    assert_int_equal(restore(), TAUT_OK);
    sqlite3 *db;
    sqlite3_stmt *st;
    assert_int_equal(sqlite3_open(t.path, &db), SQLITE_OK);
    sqlite3_prepare_v2(db,
                       "SELECT (SELECT value FROM taut_meta WHERE key='lsn'), (SELECT max(seq) FROM taut_events),"
                       " (SELECT count(*) FROM taut_events), (SELECT max(num) FROM test_notes)",
                       -1, &st, NULL);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    for (int i = 0; i < 3; i++) assert_int_equal(sqlite3_column_int64(st, i), lsn);
    assert_int_equal(sqlite3_column_int64(st, 3), lsn - NOTES);
    sqlite3_finalize(st);
    sqlite3_close(db);
    assert_int_equal(open_with(&notes), TAUT_OK);
}

/* ---- what is refused ---- */

static void a_backup_never_overwrites(void **state) {
    (void)state;
    fill();
    int fd = open(file, O_CREAT | O_WRONLY, 0644);
    assert_int_equal(write(fd, "mine", 4), 4);
    close(fd);
    assert_int_equal(backup(), TAUT_E_EXISTS);
    char want[512];
    snprintf(want, sizeof want, "%s is there already; nothing is ever overwritten: choose another name", file);
    assert_string_equal(text, want);
    struct stat st;
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_size, 4);
}

static void a_backup_where_nothing_can_be_written_says_why_and_leaves_nothing(void **state) {
    (void)state;
    fill();
    char nowhere[160], want[512];
    snprintf(nowhere, sizeof nowhere, "%s/none/copy.db", t.dir);
    assert_int_equal(answer_of(start_backup(nowhere)), TAUT_E_IO);
    snprintf(want, sizeof want, "cannot write %s: no such file or directory", nowhere);
    assert_string_equal(text, want);
    OK(WRITES(NOTE(9, "goes on")));
}

static void a_second_backup_waits_for_nobody(void **state) {
    (void)state;
    fill();
    hold_writer();
    char other[160];
    snprintf(other, sizeof other, "%s/other.db", t.dir);
    taut_op first = start_backup(file), second = start_backup(other);
    assert_int_equal(answer_of(second), TAUT_E_UNAVAILABLE);
    char want[200];
    snprintf(want, sizeof want, "another backup is being made, to %s", file);
    assert_string_equal(text, want);
    assert_int_equal(answer_of(first), TAUT_OK);
}

static void a_store_that_closes_ends_its_backup_and_leaves_nothing(void **state) {
    static char big[3000];
    (void)state;
    fill();
    memset(big, 'x', sizeof big - 1);
    for (int i = 10; i < 200; i++) OK(WRITES(NOTE(i, big))); /* more than the writer copies in one step */
    taut_op held = hold_writer(), op = start_backup(file), closed = host_op();
    host.storage->close(host.self, closed);
    assert_int_equal(host_status(held), TAUT_OK);
    assert_int_equal(answer_of(op), TAUT_E_UNAVAILABLE);
    assert_string_equal(text, "the server stops; there is no backup");
    assert_int_equal(host_status(closed), TAUT_OK);
    assert_int_equal(files_in_directory(), 1);
    t.def->fini(&t.mod);
    assert_int_equal(open_with(&notes), TAUT_OK);
    assert_int_equal(note_is_there(1), true);
}

/* With the thread sanitizer: its thread has a reason of its own at the same time. */
static void a_store_that_closes_while_its_backup_fails_waits_for_it(void **state) {
    (void)state;
    fill();
    close(open(file, O_CREAT | O_WRONLY, 0644));
    for (int i = 0; i < 20; i++) {
        taut_op op = start_backup(file), closed = host_op();
        host.storage->close(host.self, closed);
        int32_t status = answer_of(op);
        assert_string_equal(text, status == TAUT_E_UNAVAILABLE ? "the server stops; there is no backup" : text);
        assert_true(status == TAUT_E_UNAVAILABLE || status == TAUT_E_EXISTS);
        assert_int_equal(host_status(closed), TAUT_OK);
        t.def->fini(&t.mod);
        assert_int_equal(open_with(&notes), TAUT_OK);
    }
}

static void a_backup_of_a_store_that_takes_nothing_is_refused_with_the_cause(void **state) {
    char away[160];
    (void)state;
    fill();
    snprintf(away, sizeof away, "%s/away.db", t.dir);
    assert_int_equal(rename(t.path, away), 0);
    REFUSED(TAUT_E_UNAVAILABLE, WRITES(NOTE(9, "finds that out")));
    taut_op op = start_backup(file);
    for (int i = 0; i < 500 && !host_is_done(op); i++) usleep(10000);
    assert_true(host_is_done(op));
    assert_int_equal(answer_of(op), TAUT_E_UNAVAILABLE);
    assert_string_equal(text,
                        "the store takes nothing at the moment (the database file is not in its place); try again "
                        "when it does");
    assert_int_equal(access(file, F_OK), -1);
    assert_int_equal(rename(away, t.path), 0);
    for (int i = 0; i < 500 && backup() != TAUT_OK; i++) usleep(10000);
    assert_int_equal(strncmp(text, "the store as of its commit ", 27), 0);
}

static void a_restore_refuses_where_a_store_is(void **state) {
    (void)state;
    fill();
    assert_int_equal(backup(), TAUT_OK);
    OK(WRITES(NOTE(9, "newer")));
    assert_int_equal(restore_from(file), TAUT_E_EXISTS);
    char want[512];
    snprintf(want, sizeof want,
             "there is a store already: %s; nothing was changed. Move it away first, with its -wal and -shm, and do "
             "not throw it away before the restored one is seen to be good",
             t.path);
    assert_string_equal(text, want);
    assert_int_equal(open_with(&notes), TAUT_OK);
    assert_true(note_is_there(9));
}

static void a_restore_refuses_beside_the_log_of_a_store_that_was_moved(void **state) {
    (void)state;
    fill();
    assert_int_equal(backup(), TAUT_OK);
    close_store();
    lose_store();
    char wal[160];
    snprintf(wal, sizeof wal, "%s-wal", t.path);
    close(open(wal, O_CREAT | O_WRONLY, 0600));
    assert_int_equal(open_with(&notes), TAUT_OK); /* for restore_from, which closes it: makes a store */
    close_store();
    unlink(t.path);
    close(open(wal, O_CREAT | O_WRONLY, 0600));
    taut_op op = host_op();
    begin_store();
    host.storage->restore(host.self, taut_str_z(file), op);
    assert_int_equal(answer_of(op), TAUT_E_EXISTS);
    t.def->fini(&t.mod);
    unlink(wal);
    assert_int_equal(open_with(&notes), TAUT_OK);
}

static void assert_restore_says(int32_t status, const char *fmt) {
    char want[512];
    assert_int_equal(restore(), status);
    snprintf(want, sizeof want, fmt, file);
    assert_string_equal(text, want);
    assert_int_equal(access(t.path, F_OK), -1);
    assert_int_equal(files_in_directory(), 1); /* the backup */
    assert_int_equal(open_with(&notes), TAUT_OK);
}

static void change_backup(const char *statement) {
    sqlite3 *db;
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, statement, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void a_restore_refuses_what_is_no_backup(void **state) {
    (void)state;
    int fd = open(file, O_CREAT | O_WRONLY, 0600);
    char page[8192];
    memset(page, 'x', sizeof page);
    assert_int_equal(write(fd, page, sizeof page), (ssize_t)sizeof page);
    close(fd);
    assert_restore_says(TAUT_E_INVAL, "%s is no store of Taut; nothing was changed");
    unlink(file);
    change_backup("CREATE TABLE other(x)");
    assert_restore_says(TAUT_E_INVAL, "%s is no store of Taut; nothing was changed");
}

static void a_restore_refuses_a_file_of_a_store_that_runs(void **state) {
    char page[4096];
    ssize_t n;
    (void)state;
    fill();
    reopen();
    OK(WRITES(NOTE(9, "in the -wal")));
    int from = open(t.path, O_RDONLY), to = open(file, O_CREAT | O_WRONLY, 0600);
    while ((n = read(from, page, sizeof page)) > 0) assert_int_equal(write(to, page, (size_t)n), n);
    close(to);
    close_store(); /* not before: closing a descriptor drops its locks */
    close(from);
    assert_int_equal(open_with(&notes), TAUT_OK);
    assert_restore_says(TAUT_E_INVAL, "%s was not made by `taut backup`: what was in its -wal is not in it; start a "
                                      "server on it and back that up; nothing was changed");
}

static void a_restore_refuses_a_file_that_is_not_there(void **state) {
    (void)state;
    char want[512];
    assert_int_equal(restore(), TAUT_E_IO);
    snprintf(want, sizeof want, "cannot open %s: no such file or directory", file);
    assert_string_equal(text, want);
    assert_int_equal(open_with(&notes), TAUT_OK);
}

static void a_restore_refuses_a_newer_format(void **state) {
    (void)state;
    fill();
    assert_int_equal(backup(), TAUT_OK);
    change_backup("UPDATE taut_meta SET value=99 WHERE key='format'");
    char want[512];
    assert_int_equal(restore(), TAUT_E_INVAL);
    int n = snprintf(want, sizeof want, "%s was written by a newer Taut (format 99; this one knows up to ", file);
    assert_int_equal(strncmp(text, want, (size_t)n), 0);
    assert_non_null(strstr(text, "): run the newer version; nothing was changed"));
    assert_int_equal(open_with(&notes), TAUT_OK);
}

static void a_restore_names_a_backup_that_is_cut_off(void **state) {
    (void)state;
    fill();
    assert_int_equal(backup(), TAUT_OK);
    assert_int_equal(truncate(file, 5000), 0);
    assert_restore_says(TAUT_E_IO, "cannot read %s: the database file is damaged; nothing was changed");
}

static void a_restore_refuses_a_damaged_backup(void **state) {
    enum { PAGE = 4096 };
    static char junk[PAGE];
    (void)state;
    fill();
    for (int i = 10; i < 200; i++) OK(WRITES(NOTE(i, "some text that takes some room in the pages of the store")));
    assert_int_equal(backup(), TAUT_OK);
    struct stat st;
    assert_int_equal(stat(file, &st), 0);
    memset(junk, 0x5a, sizeof junk);
    int fd = open(file, O_WRONLY);
    for (off_t at = 4 * PAGE; at < st.st_size; at += 2 * PAGE) assert_int_equal(pwrite(fd, junk, PAGE, at), PAGE);
    close(fd);
    assert_int_equal(restore(), TAUT_E_INVAL);
    assert_int_equal(strncmp(text, "it is damaged: ", 15), 0);
    assert_int_equal(access(t.path, F_OK), -1);
    assert_int_equal(files_in_directory(), 1);
    assert_int_equal(open_with(&notes), TAUT_OK);
}

static void a_truncated_backup_is_refused(void **state) {
    (void)state;
    fill();
    for (int i = 10; i < 200; i++) OK(WRITES(NOTE(i, "some text that takes some room in the pages of the store")));
    assert_int_equal(backup(), TAUT_OK);
    assert_int_equal(truncate(file, 5 * 4096), 0);
    assert_true(restore() < 0);
    assert_int_equal(access(t.path, F_OK), -1);
    assert_int_equal(open_with(&notes), TAUT_OK);
}

/* ---- a restore that was killed ---- */

static void a_store_does_not_begin_empty_where_a_restore_was_killed(void **state) {
    char left[160], want[600];
    (void)state;
    fill();
    assert_int_equal(backup(), TAUT_OK);
    close_store();
    lose_store();
    snprintf(left, sizeof left, "%s.tmp-a1B2c3", t.path);
    close(open(left, O_CREAT | O_WRONLY, 0600));
    assert_int_equal(open_with(&notes), TAUT_E_INVAL);
    snprintf(
        want, sizeof want,
        "store_open: %s is not there, but %s is beside it: a restore was ended before it was done. Run `taut restore` "
        "again; or remove that file, to begin with an empty store",
        t.path, strrchr(left, '/') + 1);
    assert_int_equal(host_logged(want), 1);
    assert_int_equal(access(t.path, F_OK), -1);
    t.def->fini(&t.mod);

    begin_store();
    taut_op op = host_op();
    host.storage->restore(host.self, taut_str_z(file), op);
    assert_int_equal(answer_of(op), TAUT_OK);
    t.def->fini(&t.mod);
    assert_int_equal(access(left, F_OK), -1);
    assert_int_equal(open_with(&notes), TAUT_OK);
    assert_string_equal(note_text(1, TEXT), "a");
}

/* Root restores for another one; whoever is not root can only restore for themselves. */
static void what_is_restored_is_of_the_directorys_owner(void **state) {
    struct stat st, of_dir;
    (void)state;
    fill();
    assert_int_equal(backup(), TAUT_OK);
    if (geteuid() == 0) assert_int_equal(chown(t.dir, 65534, 65534), 0);
    assert_int_equal(restore(), TAUT_OK);
    assert_int_equal(stat(t.path, &st), 0);
    assert_int_equal(stat(t.dir, &of_dir), 0);
    assert_int_equal(st.st_uid, of_dir.st_uid);
    assert_int_equal(st.st_gid, of_dir.st_gid);
    assert_int_equal(open_with(&notes), TAUT_OK);
}

/* ---- positions ---- */

/* The status of a read of the log behind `after`; *first: where it begins, when that is a gap. */
static int32_t status_after(uint64_t after, uint64_t *first) {
    struct host_slot s = events("T1", after, 100);
    *first = s.result ? ((const struct taut_event_rows *)s.result)->first : 0;
    int32_t status = s.status;
    host_release(&s);
    return status;
}

static void positions_of_before_a_restore_are_told_a_gap(void **state) {
    uint64_t first = 0, again = 0;
    (void)state;
    for (int i = 0; i < 3; i++) OK(EVENTS(EVENT("{\"of\":\"the backup\"}")));
    assert_int_equal(backup(), TAUT_OK);
    for (int i = 0; i < 4; i++) OK(EVENTS(EVENT("{\"of\":\"what is lost\"}")));
    assert_int_equal(last_seq("T1"), 7);
    assert_int_equal(restore(), TAUT_OK);
    assert_int_equal(open_with(&notes), TAUT_OK);
    for (uint64_t after = 0; after <= 8; after++) { /* 8: from the future, as far as the backup knows */
        assert_int_equal(status_after(after, &first), TAUT_E_GAP);
        assert_true(first > 1ull << 40);
    }
    OK(EVENTS(EVENT("{\"of\":\"after the restore\"}")));
    assert_int_equal(last_seq("T1"), first); /* no number is given twice, and there is no hole behind the gap */
    for (uint64_t after = 0; after <= 8; after++) assert_int_equal(status_after(after, &first), TAUT_E_GAP);
    assert_int_equal(status_after(first - 1, &again), TAUT_OK);

    /* A second restore of the same backup begins behind the first one's end. */
    host.clock_shift_us = 2000000;
    assert_int_equal(restore(), TAUT_OK);
    assert_int_equal(open_with(&notes), TAUT_OK);
    assert_int_equal(status_after(first, &again), TAUT_E_GAP);
    assert_true(again > first);
    reopen(); /* and that once */
    uint64_t same = 0;
    assert_int_equal(status_after(first, &same), TAUT_E_GAP);
    assert_int_equal(same, again);
}

static void the_log_of_a_workspace_that_the_backup_does_not_know_begins_there_too(void **state) {
    (void)state;
    fill();
    assert_int_equal(backup(), TAUT_OK);
    assert_int_equal(commit(BATCH_OF("T9", EVENTS(EVENT("{}"))), NULL), TAUT_OK);
    assert_int_equal(last_seq("T9"), 1);
    assert_int_equal(restore(), TAUT_OK);
    assert_int_equal(open_with(&notes), TAUT_OK);
    assert_int_equal(commit(BATCH_OF("T9", EVENTS(EVENT("{}"))), NULL), TAUT_OK);
    assert_true(last_seq("T9") > 1ull << 40);
    reopen();
    assert_true(last_seq("T9") > 1ull << 40);
}

static void a_clock_that_is_wrong_does_not_bring_a_number_back(void **state) {
    uint64_t first = 0, last;
    (void)state;
    OK(EVENTS(EVENT("{}")));
    assert_int_equal(backup(), TAUT_OK);
    host.clock_shift_us = -clock_us(CLOCK_REALTIME) + 1000000; /* 1970 */
    assert_int_equal(restore(), TAUT_OK);
    assert_int_equal(open_with(&notes), TAUT_OK);
    assert_int_equal(status_after(1, &first), TAUT_E_GAP);
    last = first;
    unlink(file);
    OK(EVENTS(EVENT("{}")));
    assert_int_equal(backup(), TAUT_OK);
    assert_int_equal(restore(), TAUT_OK);
    assert_int_equal(open_with(&notes), TAUT_OK);
    assert_int_equal(status_after(last, &first), TAUT_E_GAP);
    assert_true(first > last + (1ull << 39));
}

#define BACKUP_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
int main(void) {
    const struct CMUnitTest tests[] = {
        BACKUP_TEST(a_backup_holds_rows_events_claims_and_cursors),
        BACKUP_TEST(a_backup_is_the_store_as_of_one_commit_while_it_is_written),
        BACKUP_TEST(a_backup_never_overwrites),
        BACKUP_TEST(a_backup_where_nothing_can_be_written_says_why_and_leaves_nothing),
        BACKUP_TEST(a_second_backup_waits_for_nobody),
        BACKUP_TEST(a_store_that_closes_ends_its_backup_and_leaves_nothing),
        BACKUP_TEST(a_store_that_closes_while_its_backup_fails_waits_for_it),
        BACKUP_TEST(a_backup_of_a_store_that_takes_nothing_is_refused_with_the_cause),
        BACKUP_TEST(a_restore_refuses_where_a_store_is),
        BACKUP_TEST(a_restore_refuses_beside_the_log_of_a_store_that_was_moved),
        BACKUP_TEST(a_restore_refuses_what_is_no_backup),
        BACKUP_TEST(a_restore_refuses_a_file_of_a_store_that_runs),
        BACKUP_TEST(a_restore_refuses_a_file_that_is_not_there),
        BACKUP_TEST(a_restore_refuses_a_newer_format),
        BACKUP_TEST(a_restore_names_a_backup_that_is_cut_off),
        BACKUP_TEST(a_restore_refuses_a_damaged_backup),
        BACKUP_TEST(a_truncated_backup_is_refused),
        BACKUP_TEST(a_store_does_not_begin_empty_where_a_restore_was_killed),
        BACKUP_TEST(what_is_restored_is_of_the_directorys_owner),
        BACKUP_TEST(positions_of_before_a_restore_are_told_a_gap),
        BACKUP_TEST(the_log_of_a_workspace_that_the_backup_does_not_know_begins_there_too),
        BACKUP_TEST(a_clock_that_is_wrong_does_not_bring_a_number_back),
    };
    return run_store_tests(tests, sizeof tests / sizeof *tests);
}
