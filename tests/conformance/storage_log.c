/* storage_log.c - the log: its events, its readers' cursors, and what trimming leaves. */
#include "storage_suite.h"

static void append(const char *ws, int n) {
    struct taut_event_rec event = EVENT("{}");
    struct taut_batch_view b = *BATCH(.events = {&event, 1, sizeof event});
    b.workspace = taut_str_z(ws);
    for (int i = 0; i < n; i++) assert_int_equal(commit(&b, NULL), TAUT_OK);
}

/* The seqs of an answer as "3-5", or "GAP 4", with "/last". */
static const char *seqs(const char *ws, uint64_t after, uint32_t limit) {
    static char text[64];
    struct host_slot s = events(ws, after, limit);
    const struct taut_event_rows *r = s.result;
    assert_non_null(r);
    uint64_t from = r->n ? r->events[0].seq : 0, to = r->n ? r->events[r->n - 1].seq : 0;
    for (uint32_t i = 0; i < r->n; i++) assert_int_equal(r->events[i].seq, from + i);
    if (s.status == TAUT_E_GAP) snprintf(text, sizeof text, "GAP %d/%d", (int)r->first, (int)r->last);
    else if (s.status != TAUT_OK) snprintf(text, sizeof text, "status %d", s.status);
    else snprintf(text, sizeof text, "%d-%d/%d", (int)from, (int)to, (int)r->last);
    if (s.status == TAUT_E_GAP) assert_int_equal(r->n, 0);
    host_release(&s);
    return text;
}

static int32_t events_status(const char *ws, uint64_t after, uint32_t limit) {
    struct host_slot s = events(ws, after, limit);
    host_release(&s);
    return s.status;
}

/* ---- events ---- */

static void events_come_back_as_they_were_given(void **state) {
    (void)state;
    int64_t before = clock_us(CLOCK_REALTIME);
    OK(EVENTS({.topics = TAUT_LIT("C1 U2"),
               .deltas = TAUT_LIT("+U1 C1,xK7 token_revoked"),
               .skip = UINT64_MAX - 5,
               .body = TAUT_LIT("{\"a\":\"\0ä\"}")},
              EVENT("{\"b\":2}"), {.deltas = TAUT_LIT("-U1 C1")}));
    struct host_slot s = events("T1", 0, 2);
    const struct taut_event_rows *r = s.result;
    assert_int_equal(s.status, TAUT_OK);
    assert_int_equal(r->n, 2);
    assert_int_equal(r->last, 3);
    assert_int_equal(r->events[0].seq, 1);
    if (!t.own_clock) assert_true(r->events[0].at_us >= before && r->events[0].at_us <= clock_us(CLOCK_REALTIME));
    assert_true(r->events[0].skip == UINT64_MAX - 5);
    assert_true(taut_str_is(r->events[0].topics, "C1 U2"));
    assert_true(taut_str_is(r->events[0].deltas, "+U1 C1,xK7 token_revoked"));
    assert_true(taut_str_eq(r->events[0].body, TAUT_LIT("{\"a\":\"\0ä\"}")));
    assert_true(r->events[1].skip == 0);
    assert_int_equal(r->events[1].deltas.len, 0);
    assert_true(taut_str_is(r->events[1].body, "{\"b\":2}"));
    host_release(&s);
    s = events("T1", 2, 10);
    r = s.result;
    assert_int_equal(r->n, 1);
    assert_int_equal(r->events[0].body.len, 0);
    assert_int_equal(r->events[0].topics.len, 0);
    host_release(&s);
}

static void a_log_is_read_page_by_page(void **state) {
    (void)state;
    append("T1", 25);
    append("T2", 3);
    assert_string_equal(seqs("T1", 0, 10), "1-10/25");
    assert_string_equal(seqs("T1", 10, 10), "11-20/25");
    assert_string_equal(seqs("T1", 20, 10), "21-25/25");
    assert_string_equal(seqs("T1", 24, 1), "25-25/25");
    assert_string_equal(seqs("T1", 25, 10), "0-0/25");
    assert_string_equal(seqs("T1", 99, 10), "0-0/25");
    assert_string_equal(seqs("T1", UINT64_MAX, 10), "0-0/25");
    assert_string_equal(seqs("T1", 0, 10000), "1-25/25");
    assert_string_equal(seqs("T2", 1, 10), "2-3/3");
    assert_string_equal(seqs("T3", 0, 10), "0-0/0");
    assert_int_equal(events_status("T1", 0, 0), TAUT_E_INVAL);
    assert_int_equal(events_status("T1", 0, 10001), TAUT_E_INVAL);
}

/* With the event that reaches the limit; so it is never empty while there is one. */
static void an_answer_ends_where_its_bytes_do(void **state) {
    static const struct {
        uint32_t limit, max_bytes, n;
    } cases[] = {{10, 1, 1}, {10, 100, 1}, {10, 101, 2}, {10, 250, 3}, {2, 250, 2}, {10, 5000, 5}, {10, 0, 5}};
    char body[96];
    (void)state;
    snprintf(body, sizeof body, "{\"a\":\"%084d\"}", 0);
    for (int i = 0; i < 5; i++)
        OK(EVENTS({.topics = TAUT_LIT("C1"), .deltas = TAUT_LIT("+U1 C1"), .body = taut_str_z(body)}));
    assert_int_equal(strlen(body) + strlen("C1") + strlen("+U1 C1"), 100);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct host_slot s = events_within("T1", 0, cases[i].limit, cases[i].max_bytes);
        const struct taut_event_rows *r = s.result;
        assert_int_equal(s.status, TAUT_OK);
        assert_int_equal(r->n, cases[i].n);
        assert_int_equal(r->last, 5);
        host_release(&s);
    }
}

static void every_log_is_listed_with_its_ends(void **state) {
    (void)state;
    assert_string_equal(log_ends(), "");
    append("b", 2);
    append("a", 1);
    append("T", 3);
    assert_int_equal(commit(BATCH_OF("c", CURSORS({TAUT_LIT("x"), 1})), NULL), TAUT_OK);
    assert_string_equal(log_ends(), "T:1-3 a:1-1 b:1-2");
}

/* ---- trimming ---- */

static void a_trimmed_log_answers_a_gap_exactly_where_it_has_one(void **state) {
    (void)state;
    append("T1", 5);
    append("T2", 5);
    OK(.trim = 3);
    assert_string_equal(log_ends(), "T1:4-5 T2:1-5");
    assert_string_equal(seqs("T1", 0, 10), "GAP 4/5");
    assert_string_equal(seqs("T1", 2, 10), "GAP 4/5");
    assert_string_equal(seqs("T1", 3, 10), "4-5/5");
    assert_string_equal(seqs("T1", 4, 10), "5-5/5");
    assert_string_equal(seqs("T1", 5, 10), "0-0/5");
    assert_string_equal(seqs("T2", 0, 10), "1-5/5");
    OK(.trim = 3, EVENTS(EVENT("{}")));
    OK(.trim = 1);
    assert_string_equal(log_ends(), "T1:4-6 T2:1-5"); /* never back */
}

static void the_last_event_always_stays_so_that_seq_goes_on(void **state) {
    struct taut_commit_result r;
    (void)state;
    OK(.trim = 9); /* of a log that is not there */
    assert_string_equal(log_ends(), "");
    append("T1", 3);
    OK(.trim = 3);
    assert_string_equal(log_ends(), "T1:3-3");
    OK(.trim = UINT64_MAX);
    assert_string_equal(log_ends(), "T1:3-3");
    assert_string_equal(seqs("T1", 2, 10), "3-3/3");
    assert_int_equal(commit(BATCH(EVENTS(EVENT("{}"), EVENT("{}")), .trim = 1000), &r), TAUT_OK);
    assert_int_equal(r.first_seq, 4);
    assert_string_equal(log_ends(), "T1:5-5"); /* its own events count */
    assert_string_equal(seqs("T1", 4, 10), "5-5/5");
    if (t.persistent) {
        reopen();
        assert_string_equal(log_ends(), "T1:5-5");
    }
    assert_int_equal(commit(BATCH(EVENTS(EVENT("{}"))), &r), TAUT_OK);
    assert_int_equal(r.first_seq, 6);
}

static void a_refused_batch_trims_nothing(void **state) {
    (void)state;
    append("T1", 5);
    REFUSED(TAUT_E_CONFLICT, CONDS(COND(TAUT_COND_PRESENT, 1)), .trim = 3);
    REFUSED(TAUT_E_CONFLICT, WRITES(NOTE(1, "a"), NOTE(1, "b")), .trim = 3);
    OK(EVENTS(EVENT("{}")), CLAIM("k", "v"));
    REFUSED(TAUT_E_CLAIMED, EVENTS(EVENT("{}")), CLAIM("k", "v"), .trim = 3);
    assert_string_equal(log_ends(), "T1:1-6");
    assert_string_equal(seqs("T1", 0, 10), "1-6/6");
}

static void a_long_trim_holds_up_nobody_and_leaves_the_rest(void **state) {
    enum { MANY = 20000, BATCH_EVENTS = 1000 };
    static struct taut_event_rec many[BATCH_EVENTS];
    (void)state;
    for (int i = 0; i < BATCH_EVENTS; i++) many[i] = (struct taut_event_rec)EVENT("{\"text\":\"some words\"}");
    for (int i = 0; i < MANY / BATCH_EVENTS; i++) OK(.events = {many, BATCH_EVENTS, sizeof many[0]});
    taut_op trim = submit(BATCH(.cls = TAUT_CLASS_BACKGROUND, .trim = MANY - 10));
    int64_t slowest = 0;
    for (int i = 0; i < 100; i++) {
        int64_t start = clock_us(CLOCK_MONOTONIC);
        append("T1", 1);
        int64_t took = clock_us(CLOCK_MONOTONIC) - start;
        if (took > slowest) slowest = took;
    }
    assert_int_equal(host_status(trim), TAUT_OK);
    assert_true(slowest < 3000000);
    assert_string_equal(seqs("T1", MANY - 11, 10), "GAP 19991/20100");
    assert_string_equal(seqs("T1", MANY - 10, 200), "19991-20100/20100");
    if (!t.persistent) return;
    reopen();
    assert_string_equal(seqs("T1", 0, 10), "GAP 19991/20100");
    assert_string_equal(seqs("T1", MANY - 10, 200), "19991-20100/20100");
}

/* ---- cursors ---- */

static void a_cursor_is_set_moved_and_forgotten_with_its_batch(void **state) {
    (void)state;
    assert_string_equal(cursors_of("T1"), "");
    OK(CURSORS({TAUT_LIT("search"), 7}, {TAUT_LIT("app/A1"), 3}), WRITES(NOTE(1, "a")));
    assert_string_equal(cursors_of("T1"), "app/A1=3 search=7");
    assert_string_equal(cursors_of("T2"), "");
    OK(CURSORS({TAUT_LIT("search"), 5}, {TAUT_LIT("app/A1"), 4}, {TAUT_LIT("app/A1"), 9}));
    assert_string_equal(cursors_of("T1"), "app/A1=9 search=5");
    assert_int_equal(commit(BATCH_OF("T2", CURSORS({TAUT_LIT("search"), 1})), NULL), TAUT_OK);
    OK(CURSORS({TAUT_LIT("search"), 0}, {TAUT_LIT("unheard of"), 0}));
    assert_string_equal(cursors_of("T1"), "app/A1=9");
    assert_string_equal(cursors_of("T2"), "search=1");
    OK(CURSORS({TAUT_LIT("app/A1"), INT64_MAX}));
    assert_string_equal(cursors_of("T1"), "app/A1=9223372036854775807");
}

static void a_refused_batch_moves_no_cursor(void **state) {
    (void)state;
    OK(CURSORS({TAUT_LIT("c"), 1}));
    REFUSED(TAUT_E_CONFLICT, CONDS(COND(TAUT_COND_PRESENT, 1)), CURSORS({TAUT_LIT("c"), 2}));
    taut_op held = hold_writer();
    taut_op a = submit(BATCH(WRITES(NOTE(1, "a"), NOTE(1, "b")), CURSORS({TAUT_LIT("c"), 0}, {TAUT_LIT("d"), 2})));
    taut_op b = submit(BATCH(WRITES(NOTE(2, "a")), CURSORS({TAUT_LIT("e"), 3})));
    host_status(held);
    assert_int_equal(host_status(a), TAUT_E_CONFLICT);
    assert_int_equal(host_status(b), TAUT_OK);
    assert_string_equal(cursors_of("T1"), "c=1 e=3");
}

static void a_cursors_name_has_1_to_255_bytes(void **state) {
    char name[256];
    (void)state;
    memset(name, 'n', sizeof name);
    struct taut_cursor c = {taut_str_n(name, 256), 1};
    struct taut_batch_view b = *BATCH(.cursors = {&c, 1, sizeof c});
    assert_int_equal(commit(&b, NULL), TAUT_E_INVAL);
    c.name.len = 0;
    assert_int_equal(commit(&b, NULL), TAUT_E_INVAL);
    c = (struct taut_cursor){taut_str_z("n"), (uint64_t)INT64_MAX + 1};
    assert_int_equal(commit(&b, NULL), TAUT_E_INVAL);
    c = (struct taut_cursor){taut_str_n(name, 255), 1};
    assert_int_equal(commit(&b, NULL), TAUT_OK);
    taut_op op = host_op();
    host.storage->cursors(host.self, taut_str_z("T1"), op);
    struct host_slot s = host_wait(op);
    const struct taut_cursors *r = s.result;
    assert_int_equal(r->n, 1);
    assert_true(taut_str_eq(r->cursors[0].name, c.name));
    host_release(&s);
}

/* ---- rebuilding ---- */

enum { SOURCE_ROWS = 16 };
/* What a reader of the log keeps: the numbers of the notes, as their rows or as the events told. */
static int64_t view[SOURCE_ROWS];
static uint64_t position;

static void rebuild(void) {
    struct host_slot s = scan(SCAN_OF(TAUT_SCAN_PRIMARY, 1000, PREFIX(S("T1")), .workspace = TAUT_LIT("T1")));
    const struct taut_rows *r = s.result;
    assert_int_equal(s.status, TAUT_OK);
    memset(view, 0, sizeof view);
    for (uint32_t i = 0; i < r->n; i++) view[taut_row_int(&r->rows[i], ID)] = taut_row_int(&r->rows[i], NUM);
    position = r->seq;
    host_release(&s);
}

/* Returns whether it had to rebuild. */
static bool follow(void) {
    struct host_slot s = events("T1", position, 7);
    const struct taut_event_rows *r = s.result;
    bool gap = s.status == TAUT_E_GAP;
    for (uint32_t i = 0; i < r->n; i++) {
        int id, by;
        assert_int_equal(sscanf(r->events[i].body.ptr, "{\"id\":%d,\"by\":%d}", &id, &by), 2);
        view[id] += by;
        position = r->events[i].seq;
    }
    host_release(&s);
    if (gap) rebuild();
    return gap;
}

static void change(int i) {
    char body[64];
    int id = i % SOURCE_ROWS, by = i % 5 + 1;
    int n = snprintf(body, sizeof body, "{\"id\":%d,\"by\":%d}", id, by);
    struct taut_event_rec event = {.topics = TAUT_LIT("C1"), .body = taut_str_n(body, (size_t)n)};
    OK(WRITES(UPDATE(id, {NUM, TAUT_ADD, I(by)})), .events = {&event, 1, sizeof event});
}

static void a_reader_that_fell_behind_rebuilds_from_the_rows_and_follows(void **state) {
    int rebuilt = 0;
    (void)state;
    for (int i = 0; i < SOURCE_ROWS; i++) OK(WRITES(INSERT(S("T1"), I(i), NIL, I(0))));
    position = 0;
    for (int i = 0; i < 400; i++) {
        change(i);
        if (i % 3 == 0 && (i / 100) % 2) rebuilt += follow();
        if (i % 50 == 49) OK(.trim = (uint64_t)i);
        if (i % 50 == 49) rebuilt += follow();
    }
    while (position < last_seq("T1")) rebuilt += follow();
    assert_true(rebuilt > 0);
    assert_int_equal(position, 400);
    for (int i = 0; i < SOURCE_ROWS; i++) assert_int_equal(view[i], note_int(i, NUM));
}

static const struct suite_test log_tests[] = {
    T(events_come_back_as_they_were_given),
    T(a_log_is_read_page_by_page),
    T(every_log_is_listed_with_its_ends),
    T(an_answer_ends_where_its_bytes_do),
    T(a_trimmed_log_answers_a_gap_exactly_where_it_has_one),
    T(the_last_event_always_stays_so_that_seq_goes_on),
    T(a_refused_batch_trims_nothing),
    T(a_long_trim_holds_up_nobody_and_leaves_the_rest),
    T(a_cursor_is_set_moved_and_forgotten_with_its_batch),
    T(a_refused_batch_moves_no_cursor),
    T(a_cursors_name_has_1_to_255_bytes),
    T(a_reader_that_fell_behind_rebuilds_from_the_rows_and_follows),
};
PART(log);
