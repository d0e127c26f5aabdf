/* test_typed.c - reads, batches and events that do not fit what their module has declared: refused before the store
 * sees them, and said to the author of the module in words that name the table, the column, what it is and what came.
 */
#include "hub_harness.h"
#include "obs/log.h"

#define INTERNAL "{\"ok\":false,\"error\":\"internal_error\"}"
#define W1 taut_v_str(TAUT_LIT("W1"))

static int32_t got; /* what the function under test gave its caller */

typedef int32_t (*handler)(struct taut_mod *m, struct taut_call *c);

/* The newest line of the module, without who and event. */
static const char *said(const char *event) {
    static struct log_recent list[LOG_RECENT];
    uint32_t n = log_recent(list);
    for (uint32_t i = 0; i < n; i++)
        if (strcmp(list[i].who, "user") == 0 && strcmp(list[i].event, event) == 0) return list[i].text;
    return "";
}

/* As the method "ours": nothing is asked of the store, and its caller learns nothing of what is wrong inside. */
static void expect_refused(handler run, const char *event, const char *text) {
    struct taut_method def = {.name = "ours", .flags = TAUT_METHOD_NOAUTH, .run = run};
    struct method_entry entry = {.owner = &b_->user_in, .def = &def};
    struct call *c = call_get(&b_->pool, TAUT_CALL_METHOD, &b_->gateway);
    uint32_t before = b_->nanswers;
    got = TAUT_OK;
    c->method = &entry;
    c->msg.kind = MSG_CALL;
    port_post(hub_port(b_->hub), &c->msg);
    turn();
    assert_int_equal(got, TAUT_E_INVAL);
    assert_body(before, INTERNAL);
    assert_string_equal(said(event), text);
    assert_int_equal(store.gets, 0);
    assert_int_equal(store.commits, 0);
    assert_int_equal(b_->nevents, 0);
}

/* ---- reads ---- */

static int32_t get_by_number(struct taut_mod *m, struct taut_call *c) {
    const struct taut_row *row;
    return got = taut_get(m, c, &notes, TAUT_KEY(W1, taut_v_int(1)), &row);
}
static int32_t get_by_half_a_key(struct taut_mod *m, struct taut_call *c) {
    const struct taut_row *row;
    return got = taut_get(m, c, &notes, TAUT_KEY(W1), &row);
}

static void a_read_by_a_wrong_key_is_refused(void **state) {
    (void)state;
    expect_refused(get_by_number, "bad_read", "ours: taut_get(): table notes: key column id is text, got a number");
    expect_refused(get_by_half_a_key, "bad_read", "ours: taut_get(): table notes: its key has 2 columns, got 1");
}

static int32_t scan(struct taut_mod *m, struct taut_call *c, const struct taut_scan *s) {
    const struct taut_rows *rows;
    return got = taut_scan(m, c, &notes, s, &rows);
}
static int32_t scan_no_index(struct taut_mod *m, struct taut_call *c) {
    return scan(m, c, &(struct taut_scan){.size = sizeof(struct taut_scan), .limit = 10});
}
static int32_t scan_no_limit(struct taut_mod *m, struct taut_call *c) {
    return scan(m, c, &(struct taut_scan){.size = sizeof(struct taut_scan), .index = TAUT_SCAN_PRIMARY});
}
static int32_t scan_no_size(struct taut_mod *m, struct taut_call *c) {
    return scan(m, c, &(struct taut_scan){.index = TAUT_SCAN_PRIMARY, .limit = 10});
}
static int32_t scan_by_number(struct taut_mod *m, struct taut_call *c) {
    const struct taut_val prefix = taut_v_int(1);
    return scan(m, c,
                &(struct taut_scan){.size = sizeof(struct taut_scan),
                                    .index = TAUT_SCAN_PRIMARY,
                                    .nprefix = 1,
                                    .prefix = &prefix,
                                    .limit = 10});
}
static int32_t scan_from_number(struct taut_mod *m, struct taut_call *c) {
    const struct taut_val prefix = W1;
    return scan(m, c,
                &(struct taut_scan){.size = sizeof(struct taut_scan),
                                    .index = TAUT_SCAN_PRIMARY,
                                    .nprefix = 1,
                                    .prefix = &prefix,
                                    .lo = taut_v_int(1),
                                    .limit = 10});
}
static int32_t scan_behind_key(struct taut_mod *m, struct taut_call *c) {
    const struct taut_val prefix[] = {W1, W1};
    return scan(m, c,
                &(struct taut_scan){.size = sizeof(struct taut_scan),
                                    .index = TAUT_SCAN_PRIMARY,
                                    .nprefix = 2,
                                    .prefix = prefix,
                                    .hi = taut_v_int(1),
                                    .limit = 10});
}

static int32_t scan_by_four_billion(struct taut_mod *m, struct taut_call *c) {
    return scan(m, c,
                &(struct taut_scan){.size = sizeof(struct taut_scan),
                                    .index = TAUT_SCAN_PRIMARY,
                                    .nprefix = UINT32_MAX,
                                    .lo = taut_v_int(1),
                                    .limit = 10});
}
static int32_t count_all(struct taut_mod *m, struct taut_call *c) {
    TAUT_TRY(
        scan(m, c, &(struct taut_scan){.size = sizeof(struct taut_scan), .index = TAUT_SCAN_PRIMARY, .count_only = 1}));
    taut_answer(c);
    return taut_done(c);
}

static void a_count_has_no_limit(void **state) {
    (void)state;
    got = TAUT_E_INVAL;
    taut_task(&b_->user_in.pub, NULL, count_all, NULL, NULL);
    turn();
    assert_int_equal(got, TAUT_OK);
}

static void a_scan_over_what_is_not_declared_is_refused(void **state) {
    (void)state;
    expect_refused(scan_no_index, "bad_read",
                   "ours: taut_scan(): table notes has no index number 0; by its key: .index = TAUT_SCAN_PRIMARY");
    expect_refused(scan_no_limit, "bad_read",
                   "ours: taut_scan(): table notes: the limit of a scan is 1 to 10000, got 0");
    expect_refused(scan_no_size, "bad_read",
                   "ours: taut_scan(): table notes: a scan whose size is 0; set .size = sizeof it");
    expect_refused(scan_by_number, "bad_read",
                   "ours: taut_scan(): table notes: key column workspace is text, got a number");
    expect_refused(scan_from_number, "bad_read", "ours: taut_scan(): table notes: key column id is text, got a number");
    expect_refused(scan_behind_key, "bad_read",
                   "ours: taut_scan(): table notes: a scan by 3 columns of 2 that its key has");
    expect_refused(scan_by_four_billion, "bad_read",
                   "ours: taut_scan(): table notes: a scan by 4294967296 columns of 2 that its key has");
}

/* ---- batches ---- */

static int32_t commit(struct taut_call *c, struct taut_batch *b) {
    taut_answer(c);
    return got = taut_commit(c, b);
}
static int32_t update(struct taut_mod *m, struct taut_call *c, const struct taut_set *sets, uint32_t n) {
    struct taut_batch *b = taut_batch(c);
    taut_update(m, b, &notes, NOTE, sets, n);
    return commit(c, b);
}
static int32_t insert_text(struct taut_mod *m, struct taut_call *c) {
    struct taut_batch *b = taut_batch(c);
    taut_insert(m, b, &notes, TAUT_KEY(W1, W1, W1));
    return commit(c, b);
}
static int32_t insert_no_key(struct taut_mod *m, struct taut_call *c) {
    struct taut_batch *b = taut_batch(c);
    taut_insert(m, b, &notes, TAUT_KEY(W1, taut_v_null()));
    return commit(c, b);
}
static int32_t insert_too_much(struct taut_mod *m, struct taut_call *c) {
    struct taut_batch *b = taut_batch(c);
    taut_insert(m, b, &notes, TAUT_KEY(W1, W1, taut_v_int(1), taut_v_int(2)));
    return commit(c, b);
}
static int32_t set_text(struct taut_mod *m, struct taut_call *c) {
    return update(m, c, &(struct taut_set){2, TAUT_SET, W1}, 1);
}
static int32_t set_key(struct taut_mod *m, struct taut_call *c) {
    return update(m, c, &(struct taut_set){1, TAUT_SET, W1}, 1);
}
static int32_t set_unknown(struct taut_mod *m, struct taut_call *c) {
    return update(m, c, &(struct taut_set){7, TAUT_SET, taut_v_int(1)}, 1);
}
static int32_t set_twice(struct taut_mod *m, struct taut_call *c) {
    const struct taut_set sets[] = {{2, TAUT_SET, taut_v_int(1)}, {2, TAUT_SET, taut_v_int(2)}};
    return update(m, c, sets, 2);
}

static int32_t set_somehow(struct taut_mod *m, struct taut_call *c) {
    return update(m, c, &(struct taut_set){2, 4, taut_v_int(1)}, 1);
}
static int32_t add_nothing(struct taut_mod *m, struct taut_call *c) {
    return update(m, c, &(struct taut_set){2, TAUT_ADD, taut_v_null()}, 1);
}

static int32_t insert_long(struct taut_mod *m, struct taut_call *c) {
    static char id[1200];
    struct taut_batch *b = taut_batch(c);
    memset(id, 'x', sizeof id);
    taut_insert(m, b, &notes, TAUT_KEY(W1, taut_v_str(taut_str_n(id, sizeof id)), taut_v_int(1)));
    return commit(c, b);
}

#define BATCH "ours: a batch that cannot be committed: "

static void a_batch_whose_values_do_not_fit_is_refused(void **state) {
    (void)state;
    expect_refused(insert_text, "bad_batch", BATCH "table notes: column n is a number, got text");
    expect_refused(insert_no_key, "bad_batch", BATCH "table notes: key column id is text, got NULL");
    expect_refused(insert_too_much, "bad_batch", BATCH "table notes has no column 3");
    expect_refused(set_text, "bad_batch", BATCH "table notes: column n is a number, got text");
    expect_refused(set_key, "bad_batch", BATCH "table notes: column id is of its key, which stays");
    expect_refused(set_unknown, "bad_batch", BATCH "table notes has no column 7");
    expect_refused(insert_long, "bad_batch", BATCH "table notes: a key of more than 1024 bytes");
    expect_refused(set_somehow, "bad_batch",
                   BATCH "table notes: column n is set by 4, which is none of TAUT_SET, TAUT_ADD, TAUT_MAX");
    expect_refused(add_nothing, "bad_batch",
                   BATCH "table notes: column n: TAUT_ADD and TAUT_MAX are of numbers, got NULL");
    expect_refused(set_twice, "bad_batch", BATCH "table notes: column n is set twice");
}

/* ---- events: the same with TAUT_CHECKS and without ---- */

static int32_t append(struct taut_mod *m, struct taut_call *c, uint32_t size, taut_str body) {
    struct taut_batch *b = taut_batch(c);
    taut_str topic = TAUT_LIT("C1");
    struct taut_event e = {.size = size, .ntopics = 1, .topics = &topic, .body = body};
    taut_batch_workspace(m, b, TAUT_LIT("W1"));
    add_one(m, b);
    taut_append(m, b, &e);
    return commit(c, b);
}
static int32_t append_list(struct taut_mod *m, struct taut_call *c) {
    return append(m, c, sizeof(struct taut_event), TAUT_LIT("[1,2]"));
}
static int32_t append_half(struct taut_mod *m, struct taut_call *c) {
    return append(m, c, sizeof(struct taut_event), TAUT_LIT("{"));
}
static int32_t append_no_size(struct taut_mod *m, struct taut_call *c) {
    return append(m, c, 0, TAUT_LIT("{}"));
}
static int32_t append_to(struct taut_mod *m, struct taut_call *c, taut_str topic) {
    struct taut_batch *b = taut_batch(c);
    struct taut_event e = {.size = sizeof e, .ntopics = 1, .topics = &topic, .body = TAUT_LIT("{}")};
    taut_batch_workspace(m, b, TAUT_LIT("W1"));
    taut_append(m, b, &e);
    return commit(c, b);
}
static int32_t append_to_two_words(struct taut_mod *m, struct taut_call *c) {
    return append_to(m, c, TAUT_LIT("team one"));
}
static int32_t append_to_nothing(struct taut_mod *m, struct taut_call *c) {
    return append_to(m, c, TAUT_LIT(""));
}
static int32_t append_cut_off(struct taut_mod *m, struct taut_call *c) {
    return append(m, c, offsetof(struct taut_event, body), TAUT_LIT("{}"));
}

static void an_event_that_is_none_is_refused_with_all_of_its_batch(void **state) {
    char text[200];
    (void)state;
    expect_refused(append_list, "bad_batch",
                   BATCH "the body of an event is a JSON object, from { to }; this is none (5 bytes)");
    expect_refused(append_half, "bad_batch",
                   BATCH "the body of an event is a JSON object, from { to }; this is none (1 bytes)");
    expect_refused(append_no_size, "bad_batch", BATCH "an event whose size is 0; set .size = sizeof it");
    snprintf(text, sizeof text, BATCH "an event whose size is %zu; set .size = sizeof it",
             offsetof(struct taut_event, body));
    expect_refused(append_cut_off, "bad_batch", text);
    expect_refused(append_to_two_words, "bad_batch", BATCH "a topic of an event is empty, or has a blank in it");
    expect_refused(append_to_nothing, "bad_batch", BATCH "a topic of an event is empty, or has a blank in it");
    ask(BUMP); /* and the next one is as it was */
    release();
    turn();
    assert_body(6, "{\"ok\":true,\"was\":7}");
    assert_int_equal(b_->nevents, 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        T(a_read_by_a_wrong_key_is_refused),
        T(a_count_has_no_limit),
        T(a_scan_over_what_is_not_declared_is_refused),
        T(a_batch_whose_values_do_not_fit_is_refused),
        T(an_event_that_is_none_is_refused_with_all_of_its_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
