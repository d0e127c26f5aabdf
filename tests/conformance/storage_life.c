/* storage_life.c - what outlives the process, in the order in which it was acknowledged, and tables that change between
 * two openings. */
#include <signal.h>
#include <sys/wait.h>

#include "storage_suite.h"

static void everything_is_there_after_reopening(void **state) {
    struct taut_commit_result r;
    (void)state;
    fill();
    OK(WRITES(INSERT(S("T1"), I(7), S("Grüße"), I(INT64_MIN), NIL, taut_v_blob(TAUT_LIT("\0\xff")))),
       EVENTS(EVENT("{\"n\":2}"), EVENT("{\"n\":3}")), CURSORS({TAUT_LIT("search"), 2}));
    assert_int_equal(commit(BATCH_OF("T2", EVENTS(EVENT("{}"))), NULL), TAUT_OK);
    OK(.trim = 1);
    for (int i = 0; i < 2; i++) {
        reopen();
        assert_string_equal(scan_ids(SCAN()), "1 2 3 4 7 5");
        assert_string_equal(scan_ids(SCAN_OF(BY_TAG, 100, )), "1 3 5");
        assert_string_equal(note_text(7, TEXT), "Grüße");
        assert_true(note_int(7, NUM) == INT64_MIN);
        assert_string_equal(log_ends(), "T1:2-3 T2:1-1");
        assert_string_equal(cursors_of("T1"), "search=2");
        struct host_slot s = events("T1", 1, 1);
        assert_true(taut_str_is(((const struct taut_event_rows *)s.result)->events[0].body, "{\"n\":2}"));
        host_release(&s);
    }
    assert_int_equal(commit(BATCH(EVENTS(EVENT("{}"))), &r), TAUT_OK);
    assert_int_equal(r.first_seq, 4);
    assert_int_equal(r.lsn, 5);
}

static void opening_tells_the_last_commits_number(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++) OK(EVENTS(EVENT("{}")));
    close_store();
    struct host_slot s = host_wait(start_opening(&notes));
    assert_int_equal(s.status, TAUT_OK);
    assert_int_equal(((const struct taut_open_result *)s.result)->lsn, 3);
    host_release(&s);
}

/* ---- kills ---- */

enum { IN_FLIGHT = 20 };
struct ack { /* what the child had an answer for */
    uint32_t n;
    int32_t status;
    uint64_t seq;
};

/* In the child: commits without end, IN_FLIGHT at a time, and tells the parent of each answer. Batch n writes note n
 * and claims n; every third one is a retry of an earlier one, which is refused. */
static void commit_until_killed(int fd, uint32_t from) {
    static struct taut_batch_view b[IN_FLIGHT];
    static struct taut_write writes[IN_FLIGHT];
    static struct taut_val vals[IN_FLIGHT][3];
    static char keys[IN_FLIGHT][16];
    static const struct taut_cursor cursor = {{"c", 1}, 1};
    taut_op ops[IN_FLIGHT] = {0};
    struct ack acks[IN_FLIGHT];
    for (uint32_t i = 0;; i++) {
        uint32_t k = i % IN_FLIGHT, n = from + (i % 3 == 2 ? i - 2 : i);
        if (ops[k]) {
            struct host_slot s = host_wait(ops[k]);
            const struct taut_commit_result *r = s.result;
            acks[k].status = s.status;
            acks[k].seq = s.status == TAUT_E_CLAIMED ? r->claim_seq : r->first_seq;
            if (write(fd, &acks[k], sizeof acks[k]) != (ssize_t)sizeof acks[k]) _exit(1);
            host_release(&s);
        }
        acks[k].n = n;
        snprintf(keys[k], sizeof keys[k], "k%u", n);
        vals[k][0] = S("T1");
        vals[k][1] = I(n);
        vals[k][2] = S("text");
        writes[k] = (struct taut_write){.kind = TAUT_W_INSERT, .vals = vals[k], .nvals = 3};
        b[k] = *BATCH(.events = {&an_event, 1, sizeof an_event}, .cursors = {&cursor, 1, sizeof cursor});
        b[k].writes = (struct taut_array){&writes[k], 1, sizeof writes[k]};
        b[k].claim_key = b[k].claim_value = taut_str_z(keys[k]);
        ops[k] = submit(&b[k]);
    }
}

/* Runs work in a child on the closed store and kills it after us microseconds. Its pipe, to be closed. */
static int kill_after(void (*work)(int fd, uint32_t n), uint32_t n, useconds_t us) {
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(fds[0]);
        work(fds[1], n);
        _exit(0);
    }
    close(fds[1]);
    usleep(us);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    return fds[0];
}

static void open_and_commit(int fd, uint32_t from) {
    if (open_with(&notes) == TAUT_OK) commit_until_killed(fd, from);
}

/* Every answer that came is true of what is there; a note for each event, no more and no less. */
static uint32_t check_acks(int fd) {
    struct ack a;
    uint32_t n = 0;
    for (; read(fd, &a, sizeof a) == (ssize_t)sizeof a; n++) {
        assert_true(a.status == TAUT_OK || a.status == TAUT_E_CLAIMED);
        if (!note_is_there(a.n)) fail_msg("note %u was acknowledged (%d) and is lost", a.n, a.status);
        char key[16];
        snprintf(key, sizeof key, "k%u", a.n);
        struct taut_event_rec event = EVENT("{}");
        struct taut_batch_view retry = *BATCH(.events = {&event, 1, sizeof event});
        retry.claim_key = taut_str_z(key);
        struct host_slot s = host_wait(submit(&retry));
        if (s.status != TAUT_E_CLAIMED) fail_msg("claim %s was acknowledged and is lost (%d)", key, s.status);
        assert_int_equal(((const struct taut_commit_result *)s.result)->claim_seq, a.seq);
        host_release(&s);
    }
    struct host_slot s = scan(SCAN_OF(TAUT_SCAN_PRIMARY, 1, .count_only = 1, .workspace = TAUT_LIT("T1")));
    assert_int_equal(((const struct taut_rows *)s.result)->count, ((const struct taut_rows *)s.result)->seq);
    host_release(&s);
    return n;
}

static void a_kill_loses_nothing_that_was_answered_refusals_included(void **state) {
    uint32_t answered = 0;
    (void)state;
    for (uint32_t round = 0; round < 6; round++) {
        close_store();
        int fd = kill_after(open_and_commit, round * 1000000, 40000 + t.seed % 10000 + round * 30000);
        host_forget(false);
        assert_int_equal(open_with(&notes), TAUT_OK);
        answered += check_acks(fd);
        close(fd);
    }
    assert_true(answered > 0);
}

/* ---- tables that change ---- */

static void a_later_version_adds_columns_and_indexes(void **state) {
    (void)state;
    fill();
    close_store();
    assert_int_equal(open_with(&notes_later), TAUT_OK);
    assert_int_equal(note_int(1, NUM), 30);
    assert_int_equal(note_int(1, LATER), -1);
    OK(WRITES(UPDATE(1, {LATER, TAUT_ADD, I(8)})));
    assert_int_equal(note_int(1, LATER), 8);
    assert_string_equal(scan_ids(SCAN_OF(BY_TEXT, 100, PREFIX(S("b")))), "2");
    close_store();
    assert_int_equal(open_with(&notes_later), TAUT_OK);
    assert_int_equal(note_int(1, LATER), 8);
}

static const struct taut_col lost_cols[] = {{"ws", TAUT_TEXT, 0}, {"id", TAUT_INT, 0}, {"text", TAUT_TEXT, 0}};
static const struct taut_col retyped_cols[] = {{"ws", TAUT_TEXT, 0},  {"id", TAUT_INT, 0},   {"text", TAUT_TEXT, 0},
                                               {"num", TAUT_TEXT, 0}, {"tag", TAUT_TEXT, 0}, {"data", TAUT_BLOB, 0}};
static const struct taut_col renamed_cols[] = {{"ws", TAUT_TEXT, 0}, {"id", TAUT_INT, 0},     {"text", TAUT_TEXT, 0},
                                               {"num", TAUT_INT, 0}, {"label", TAUT_TEXT, 0}, {"data", TAUT_BLOB, 0}};
static const struct taut_col moved_cols[] = {{"ws", TAUT_TEXT, 0},   {"id", TAUT_INT, 0},   {"num", TAUT_INT, 0},
                                             {"text", TAUT_TEXT, 0}, {"tag", TAUT_TEXT, 0}, {"data", TAUT_BLOB, 0}};
static const struct taut_index unique_num[] = {{"by_num", TAUT_INDEX_UNIQUE, 1, {3}}};
static const struct taut_index other_num[] = {{"by_num", 0, 2, {3, 2}}};

static struct taut_table notes_as(uint32_t key_cols, struct taut_array cols, struct taut_array index) {
    return (struct taut_table){sizeof(struct taut_table), key_cols, "notes", cols, index};
}

static void a_table_that_does_not_fit_its_rows_is_refused_and_the_store_stays_as_it_was(void **state) {
    const struct taut_array none = {0};
    const struct taut_table wrong[] = {notes_as(2, (struct taut_array)TAUT_ARRAY(lost_cols), none),
                                       notes_as(2, (struct taut_array)TAUT_ARRAY(retyped_cols), none),
                                       notes_as(2, (struct taut_array)TAUT_ARRAY(renamed_cols), none),
                                       notes_as(2, (struct taut_array)TAUT_ARRAY(moved_cols), none),
                                       notes_as(1, notes.cols, none),
                                       notes_as(2, notes.cols, (struct taut_array)TAUT_ARRAY(unique_num))};
    (void)state;
    fill();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        close_store();
        int32_t status = open_with(&wrong[i]);
        if (status != TAUT_E_INVAL) fail_msg("declaration %zu: %d", i, status);
        assert_true(host.log[0] != 0);
        assert_int_equal(commit(BATCH(WRITES(NOTE(9, "a"))), NULL), TAUT_E_UNAVAILABLE);
        t.def->fini(&t.mod);
        assert_int_equal(open_with(&notes), TAUT_OK);
        assert_string_equal(scan_ids(SCAN()), "1 2 3 4 5");
        assert_string_equal(scan_ids(SCAN_OF(BY_NUM, 100, )), "5 3 2 4 1");
    }
}

static void a_store_of_a_newer_version_is_refused_by_an_older_one(void **state) {
    (void)state;
    fill();
    close_store();
    assert_int_equal(open_with(&notes_later), TAUT_OK);
    close_store();
    assert_int_equal(open_with(&notes), TAUT_E_INVAL);
    assert_true(host.log[0] != 0);
    t.def->fini(&t.mod);
    assert_int_equal(open_with(&notes_later), TAUT_OK);
    assert_string_equal(scan_ids(SCAN()), "1 2 3 4 5");
}

static void an_index_may_change_and_go(void **state) {
    const struct taut_table other = notes_as(2, notes.cols, (struct taut_array)TAUT_ARRAY(other_num));
    const struct taut_table without = notes_as(2, notes.cols, (struct taut_array){0});
    (void)state;
    fill();
    close_store();
    assert_int_equal(open_with(&other), TAUT_OK);
    assert_string_equal(scan_ids(SCAN_OF(BY_NUM, 100, PREFIX(I(20), S("d")))), "4");
    close_store();
    assert_int_equal(open_with(&without), TAUT_OK);
    OK(WRITES(NOTE(6, "f")));
    reopen();
    assert_string_equal(scan_ids(SCAN_OF(BY_NUM, 100, )), "6 5 3 2 4 1");
}

static void open_later(int fd, uint32_t n) {
    (void)n;
    int32_t status = open_with(&notes_later);
    if (write(fd, &status, sizeof status) != (ssize_t)sizeof status) _exit(1);
    for (;;) pause();
}

static int rows_with_num(void) {
    struct host_slot s = scan(SCAN_OF(BY_NUM, 1, .lo = I(0), .count_only = 1));
    int n = (int)((const struct taut_rows *)s.result)->count;
    host_release(&s);
    return n;
}

static void a_migration_that_was_killed_goes_on_at_the_next_opening(void **state) {
    enum { ROWS = 6000, BATCH_ROWS = 1000 };
    static struct taut_write writes[BATCH_ROWS];
    static struct taut_val vals[BATCH_ROWS][4];
    (void)state;
    for (int i = 0; i < ROWS; i++) {
        int k = i % BATCH_ROWS;
        vals[k][0] = S("T1");
        vals[k][1] = I(i);
        vals[k][2] = S("a text that makes the index larger");
        vals[k][3] = I(i);
        writes[k] = (struct taut_write){.kind = TAUT_W_INSERT, .vals = vals[k], .nvals = 4};
        if (k == BATCH_ROWS - 1) OK(.writes = {writes, BATCH_ROWS, sizeof writes[0]});
    }
    bool finished = false;
    for (useconds_t us = 300; !finished && us < 2000000; us = us * 8 / 5) { /* until one has had the time for it */
        close_store();
        int32_t status;
        int fd = kill_after(open_later, 0, us);
        finished = read(fd, &status, sizeof status) == (ssize_t)sizeof status;
        close(fd);
        host_forget(false);
        assert_int_equal(open_with(&notes_later), TAUT_OK);
        assert_int_equal(rows_with_num(), ROWS);
        assert_int_equal(note_int(ROWS - 1, LATER), -1);
        struct host_slot s = scan(SCAN_OF(BY_TEXT, 1, .lo = S("a"), .count_only = 1));
        assert_int_equal(((const struct taut_rows *)s.result)->count, ROWS);
        host_release(&s);
        if (finished) break;
        teardown(state); /* the next one begins with the old tables again */
        assert_int_equal(setup(state), 0);
        for (int i = 0; i < ROWS / BATCH_ROWS; i++) {
            for (int k = 0; k < BATCH_ROWS; k++) vals[k][1] = vals[k][3] = I(i * BATCH_ROWS + k);
            OK(.writes = {writes, BATCH_ROWS, sizeof writes[0]});
        }
    }
    assert_true(finished);
}

static const struct suite_test life_tests[] = {
    T_IF(NEEDS_PERSISTENCE, everything_is_there_after_reopening),
    T_IF(NEEDS_PERSISTENCE, opening_tells_the_last_commits_number),
    T_IF(NEEDS_PERSISTENCE, a_kill_loses_nothing_that_was_answered_refusals_included),
    T_IF(NEEDS_PERSISTENCE, a_later_version_adds_columns_and_indexes),
    T_IF(NEEDS_PERSISTENCE, a_table_that_does_not_fit_its_rows_is_refused_and_the_store_stays_as_it_was),
    T_IF(NEEDS_PERSISTENCE, a_store_of_a_newer_version_is_refused_by_an_older_one),
    T_IF(NEEDS_PERSISTENCE, an_index_may_change_and_go),
    T_IF(NEEDS_PERSISTENCE, a_migration_that_was_killed_goes_on_at_the_next_opening),
};
PART(life);
