/* test_store_migrate.c - stores of other formats and of other tables: brought up, whatever dies on the way, or refused
 * with the way out. */
#include <signal.h>
#include <sys/wait.h>

#include "store_harness.h"

#define DAY_US (86401ll * 1000000)
#define CLAIMED(ws, k) assert_int_equal(commit(BATCH_OF(ws, EVENTS(EVENT("{}")), CLAIM(k, "x")), NULL), TAUT_E_CLAIMED)

/* ---- the steps ---- */

/* What programs of these formats had. */
static const char to_format_2[] = "DROP TABLE taut_cursors; ALTER TABLE taut_heads DROP COLUMN first;"
                                  "UPDATE taut_meta SET value=2 WHERE key='format'";
static const char to_format_1[] =
    "DROP TABLE taut_cursors; DROP TABLE taut_claims; ALTER TABLE taut_heads DROP COLUMN first;"
    "UPDATE taut_meta SET value=1 WHERE key='format'";

static int64_t format(void) {
    return sql_number("SELECT value FROM taut_meta WHERE key='format'");
}

/* A claim of yesterday, then two of today, in two logs; the first log begins at 2. Closed. */
static void make_old(const char *how) {
    OK(EVENTS(EVENT("{}")), CLAIM("old", "1"));
    host.clock_shift_us = DAY_US;
    OK(EVENTS(EVENT("{}")));
    OK(EVENTS(EVENT("{}"), EVENT("{}")), CLAIM("a", "2"));
    assert_int_equal(commit(BATCH_OF("T2", WRITES(NOTE(1, "a")), EVENTS(EVENT("{}")), CLAIM("b", "3")), NULL), TAUT_OK);
    close_store();
    sql("DELETE FROM taut_events WHERE workspace='T1' AND seq=1");
    sql(how);
}

static void assert_is_brought_up(void) {
    assert_int_equal(open_with(&notes), TAUT_OK);
    assert_string_equal(log_ends(), "T1:2-4 T2:1-1");
    for (int i = 0; i < 2; i++) {
        CLAIMED("T1", "a");
        CLAIMED("T2", "b");
        reopen();
    }
    OK(EVENTS(EVENT("{}")), CLAIM("old", "x"), CURSORS({TAUT_LIT("c"), 4}), .trim = 3);
    assert_string_equal(log_ends(), "T1:4-5 T2:1-1");
    assert_string_equal(cursors_of("T1"), "c=4");
    assert_string_equal(note_text(1, TEXT), "a");
    assert_int_equal(format(), 3);
}

static void a_store_of_format_1_is_brought_up_with_its_claims(void **state) {
    (void)state;
    make_old(to_format_1);
    assert_is_brought_up();
}

static void a_store_of_format_2_is_brought_up_with_the_ends_of_its_logs(void **state) {
    (void)state;
    make_old(to_format_2);
    assert_is_brought_up();
}

/* Opens in a child that dies just before the n-th transaction of the opening is committed. */
static void die_in_migration(int n) {
    char point[64];
    snprintf(point, sizeof point, "store.in_migration:%d", n);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setenv("TAUT_CRASH_AT", point, 1);
        open_with(&notes);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void a_migration_that_dies_goes_on_at_the_step_that_it_had_reached(void **state) {
    (void)state;
    make_old(to_format_1);
    die_in_migration(1);
    assert_int_equal(format(), 1);
    die_in_migration(2);
    assert_int_equal(format(), 2);
    die_in_migration(1);
    assert_int_equal(format(), 2);
    die_in_migration(2); /* in the tables of the modules */
    assert_int_equal(format(), 3);
    assert_is_brought_up();
}

static void a_store_that_dies_while_it_is_made_is_made_by_the_next_start(void **state) {
    (void)state;
    for (int n = 1; n <= 2; n++) {
        close_store();
        remove_files();
        setup(state);
        close_store();
        unlink(t.path);
        die_in_migration(n);
        assert_int_equal(open_with(&notes), TAUT_OK);
        OK(WRITES(NOTE(1, "a")), EVENTS(EVENT("{}")));
        assert_int_equal(format(), 3);
    }
}

/* ---- what is refused ---- */

static void assert_is_refused(const struct taut_table *table, const char *why) {
    char want[640];
    assert_int_equal(open_with(table), TAUT_E_INVAL);
    snprintf(want, sizeof want, "store_schema: %s: %s", t.path, why);
    assert_string_equal(host.log, want);
    assert_int_equal(commit(BATCH(WRITES(NOTE(1, "a"))), NULL), TAUT_E_UNAVAILABLE);
    t.def->fini(&t.mod);
}

static void a_store_of_a_newer_format_is_refused(void **state) {
    (void)state;
    close_store();
    sql("UPDATE taut_meta SET value=4 WHERE key='format'");
    assert_is_refused(&notes,
                      "this store was written by a newer Taut (format 4; this one knows up to 3): run the newer "
                      "version, or choose another data directory");
    sql("UPDATE taut_meta SET value=-7 WHERE key='format'");
    assert_is_refused(&notes, "this store's format is not known: restore a backup");
    sql("DELETE FROM taut_meta WHERE key='format'");
    assert_is_refused(&notes, "this store's format is not known: restore a backup");
    sql("INSERT INTO taut_meta VALUES('format', 3)");
    assert_int_equal(open_with(&notes), TAUT_OK);
}

static const struct taut_col retyped[] = {{"ws", TAUT_TEXT, 0},  {"id", TAUT_INT, 0},   {"text", TAUT_TEXT, 0},
                                          {"num", TAUT_TEXT, 0}, {"tag", TAUT_TEXT, 0}, {"data", TAUT_BLOB, 0}};
static const struct taut_index unique_num[] = {{"by_num", TAUT_INDEX_UNIQUE, 1, {NUM}}};

static void tables_that_do_not_fit_are_refused_in_words(void **state) {
    const struct taut_table other = {sizeof other, 2, "notes", TAUT_ARRAY(retyped), {0}};
    const struct taut_table unique = {sizeof unique, 2, "notes", notes.cols, TAUT_ARRAY(unique_num)};
    (void)state;
    fill();
    close_store();
    assert_is_refused(&other,
                      "table \"test_notes\" has \"num\" INTEGER as column 4, not \"num\" TEXT as declared: columns "
                      "may only be added at the end");
    assert_is_refused(&unique,
                      "the new unique index \"test_notes_by_num\" does not fit the rows of table \"test_notes\": two "
                      "have the same");
    assert_int_equal(open_with(&notes_later), TAUT_OK);
    close_store();
    assert_is_refused(&notes,
                      "table \"test_notes\" has a column \"later\" that this version does not know: run the newer "
                      "version, or choose another data directory");
    assert_int_equal(open_with(&notes_later), TAUT_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_store_of_format_1_is_brought_up_with_its_claims),
        TEST(a_store_of_format_2_is_brought_up_with_the_ends_of_its_logs),
        TEST(a_migration_that_dies_goes_on_at_the_step_that_it_had_reached),
        TEST(a_store_that_dies_while_it_is_made_is_made_by_the_next_start),
        TEST(a_store_of_a_newer_format_is_refused),
        TEST(tables_that_do_not_fit_are_refused_in_words),
    };
    return run_store_tests(tests, sizeof tests / sizeof *tests);
}
