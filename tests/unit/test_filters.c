/* test_filters.c - filters in calls: what counts into a filter's budget, and the order in which calls of one key pass.
 */
#include "hub_harness.h"
#include "obs/log.h"

/* ---- three filters at the point "p", and one at "q" ---- */

static int await_ms; /* what "slow" awaits; 0: it never comes */

static void end_await(struct taut_mod *m, void *arg) {
    taut_op *op = arg;
    taut_op_complete(m, *op, TAUT_OK, NULL, NULL);
    free(op);
}
static void begin_await(struct taut_mod *m, void *arg, taut_op op) {
    (void)arg;
    if (!await_ms) return;
    taut_op *copy = malloc(sizeof *copy);
    *copy = op;
    taut_timer_start(m, (uint64_t)await_ms, 0, end_await, copy);
}
static int32_t slow(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, void *data) {
    void *result;
    (void)b, (void)data;
    return taut_await(m, c, NULL, TAUT_LIT("slow"), 4000, begin_await, NULL, &result);
}

/* Awaits what never comes. */
static void begin_nothing(struct taut_mod *m, void *arg, taut_op op) {
    (void)m, (void)arg, (void)op;
}
static int32_t brief(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, void *data) {
    void *result;
    (void)b, (void)data;
    return taut_await(m, c, NULL, TAUT_LIT("brief"), 4000, begin_nothing, NULL, &result);
}

static int32_t quick(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, void *data) {
    (void)m, (void)c, (void)b, (void)data;
    return TAUT_OK;
}

static int32_t reader(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, void *data) {
    const struct taut_row *row;
    (void)b, (void)data;
    return taut_get(m, c, &notes, NOTE, &row);
}

static void work(int64_t us) {
    int64_t until_us = clock_mono_us() + us;
    while (clock_mono_us() < until_us) continue;
}
static int32_t worker(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, void *data) {
    (void)m, (void)c, (void)b, (void)data;
    work(100000);
    return TAUT_OK;
}

/* Awaits, and then works itself. */
static int32_t busy(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, void *data) {
    TAUT_TRY(slow(m, c, b, data));
    work(40000);
    return TAUT_OK;
}

/* Begins its own point again, and never comes to an end of that by itself. */
static int entered;
static int32_t circular(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, void *data) {
    entered++;
    return taut_filter(m, c, "p", TAUT_NONE, b, data);
}

#ifndef TAUT_CHECKS /* which stops it */
static int32_t ender(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, void *data) {
    (void)m, (void)b, (void)data;
    return taut_done(c);
}
#endif

enum { QUICK, SLOW, READER, BRIEF, WORKER, BUSY, CIRCULAR, STRICT_CIRCULAR, ENDER, AT_Q, FILTERS };
static const struct taut_hook defs[FILTERS] = {
    [QUICK] = TAUT_FILTER("p", "quick", quick, .on_error = TAUT_FAIL_CLOSED),
    [SLOW] = TAUT_FILTER("p", "slow", slow, .budget_ms = 4000),
    [READER] = TAUT_FILTER("p", "reader", reader, .on_error = TAUT_FAIL_CLOSED),
    [BRIEF] = TAUT_FILTER("p", "brief", brief, .budget_ms = 30),
    [WORKER] = TAUT_FILTER("p", "worker", worker, .budget_ms = 180),
    [BUSY] = TAUT_FILTER("p", "busy", busy, .budget_ms = 70),
    [CIRCULAR] = TAUT_FILTER("p", "circular", circular, .budget_ms = 4000),
    [STRICT_CIRCULAR] = TAUT_FILTER("p", "strict_circular", circular, .budget_ms = 4000, .on_error = TAUT_FAIL_CLOSED),
#ifndef TAUT_CHECKS
    [ENDER] = TAUT_FILTER("p", "ender", ender),
#endif
    [AT_Q] = TAUT_FILTER("q", "quick", quick, .budget_ms = 30),
};
static struct hook_entry at_p[2], at_q[1];
static struct hook_point p = {.name = "p", .list = at_p}, q = {.name = "q", .list = at_q, .n = 1, .nfilters = 1};

static void ask_of(int first, int second) {
    at_p[0].def = &defs[first];
    at_p[1].def = second < 0 ? NULL : &defs[second];
    p.n = p.nfilters = second < 0 ? 1 : 2;
}

static int32_t filtered(struct taut_mod *m, struct taut_call *c) {
    TAUT_TRY(taut_filter(m, c, "p", TAUT_NONE, NULL, NULL));
    taut_answer(c);
    return taut_done(c);
}
static int32_t filtered_commit(struct taut_mod *m, struct taut_call *c) {
    struct taut_batch *b = taut_batch(c);
    TAUT_TRY(taut_filter(m, c, "p", TAUT_NONE, b, NULL));
    add_one(m, b);
    taut_answer(c);
    return taut_commit(c, b);
}
static const struct taut_method filtering = {.name = "filtered", .flags = TAUT_METHOD_NOAUTH, .run = filtered};
static const struct taut_method filtering_commit = {
    .name = "filtered_commit", .flags = TAUT_METHOD_NOAUTH, .run = filtered_commit};

static int ended[8], nended;

static int setup_filters(void **state) {
    int err = setup(state);
    for (int i = 0; i < 2; i++) at_p[i] = (struct hook_entry){.owner = &b_->user_in};
    at_q[0] = (struct hook_entry){.owner = &b_->user_in, .def = &defs[AT_Q]};
    map_put(&b_->ms.points, taut_str_z("p"), &p);
    map_put(&b_->ms.points, taut_str_z("q"), &q);
    b_->ms.hooks = at_p;
    b_->ms.nhooks = 1;
    b_->methods[ENDLESS].def = &filtering;
    b_->methods[HASTY].def = &filtering_commit;
    b_->hub->config.call_timeout_ms = 10000;
    await_ms = 100;
    nended = entered = 0;
    return err;
}
static int end_filters(void **state) {
    struct map points = b_->ms.points;
    int err = teardown(state);
    map_free(&points);
    return err;
}

static void wait_for_answers(uint32_t n) {
    for (int i = 0; i < 300 && b_->nanswers < n; i++) uv_sleep(5), turn();
    assert_int_equal(b_->nanswers, n);
}
static void wait_for_ends(int n) {
    for (int i = 0; i < 300 && nended < n; i++) uv_sleep(5), turn();
    assert_int_equal(nended, n);
}

/* ---- budgets ---- */

static void a_quick_filter_is_not_blamed_for_a_slow_one(void **state) {
    (void)state;
    ask_of(QUICK, SLOW);
    ask(ENDLESS);
    wait_for_answers(1);
    assert_body(0, "{\"ok\":true}");
    assert_int_equal(at_p[0].faults, 0);
    assert_int_equal(at_p[1].faults, 0);
}

static void a_quick_filter_is_not_blamed_for_the_disk(void **state) {
    static struct taut_commit_result none;
    (void)state;
    ask_of(QUICK, -1);
    ask(HASTY);
    assert_int_equal(store.nheld, 1);
    uv_sleep(60);
    taut_op_complete(store.mod, store.held_op[0], TAUT_E_CONFLICT, &none, NULL);
    store.nheld = 0;
    turn();
    release();
    wait_for_answers(1);
    assert_body(0, "{\"ok\":true}");
    assert_int_equal(at_p[0].faults, 0);
}

static void a_filter_is_not_blamed_for_the_rows_that_it_reads(void **state) {
    (void)state;
    ask_of(READER, -1);
    store.hold_reads = true;
    ask(ENDLESS);
    uv_sleep(60);
    store.hold_reads = false;
    complete_get(store.read_op, store.read_n, store.read_as_of, store.read_value);
    wait_for_answers(1);
    assert_body(0, "{\"ok\":true}");
    assert_int_equal(at_p[0].faults, 0);
}

static void a_filter_that_awaits_too_long_is_at_fault_once_a_call(void **state) {
    (void)state;
    ask_of(BRIEF, SLOW);
    ask(ENDLESS);
    wait_for_answers(1);
    assert_body(0, "{\"ok\":true}");
    assert_int_equal(at_p[0].faults, 1);
    assert_int_equal(at_p[1].faults, 0);
}

static void what_a_filter_awaits_and_what_it_works_are_of_one_budget(void **state) {
    (void)state;
    await_ms = 40;
    ask_of(BUSY, -1);
    ask(ENDLESS);
    wait_for_answers(1);
    assert_int_equal(at_p[0].faults, 1);
}

static void a_verdict_ends_what_counts(void **state) {
    (void)state;
    ask_of(WORKER, SLOW); /* so that it gives its verdict twice */
    ask(ENDLESS);
    wait_for_answers(1);
    assert_int_equal(at_p[0].faults, 0);
}

/* ---- depth ---- */

static void expect_fault(const char *text) {
    struct log_recent list[LOG_RECENT];
    uint32_t n = log_recent(list), i = 0;
    while (i < n && strcmp(list[i].event, "hook_fault") != 0) i++;
    assert_true(i < n);
    assert_string_equal(list[i].who, "user");
    assert_string_equal(list[i].text, text);
    assert_int_equal(at_p[0].faults, 1);
}

#ifndef TAUT_CHECKS
static void a_filter_that_ends_the_call_is_at_fault_and_the_call_goes_on(void **state) {
    (void)state;
    ask_of(ENDER, -1);
    ask(HASTY);
    release();
    wait_for_answers(1);
    assert_body(0, "{\"ok\":true}");
    expect_fault("ender at p ends the call that it looks at; it returns TAUT_OK, or what taut_fail returns");
}
#endif

static void a_filter_that_leads_to_itself_is_at_fault_and_the_call_goes_on(void **state) {
    (void)state;
    ask_of(CIRCULAR, -1);
    ask(ENDLESS);
    wait_for_answers(1);
    assert_body(0, "{\"ok\":true}");
    expect_fault("circular at p leads to itself again and again (8 filters run, each inside another)");
    assert_true(entered == 8 || entered == 16); /* 16: with a rehearsal */
}

static void a_rule_that_leads_to_itself_refuses_what_it_should_judge(void **state) {
    (void)state;
    ask_of(STRICT_CIRCULAR, -1);
    ask(ENDLESS);
    wait_for_answers(1);
    assert_body(0, "{\"ok\":false,\"error\":\"service_unavailable\",\"response_metadata\":{\"messages\":[\"[ERROR] the "
                   "rule \\\"strict_circular\\\" cannot be asked at the moment; try again later\"]}}");
    expect_fault("strict_circular at p leads to itself again and again (8 filters run, each inside another)");
    ask_of(QUICK, -1);
    ask(ENDLESS); /* and the server lives */
    wait_for_answers(2);
    assert_body(1, "{\"ok\":true}");
}

/* ---- turns ---- */

struct pass {
    int who, await_ms;
    const char *first, *first_key, *then, *then_key;
};
static int32_t pass_both(struct taut_mod *m, struct taut_call *c) {
    const struct pass *pass = c->arg;
    await_ms = pass->await_ms;
    TAUT_TRY(taut_filter(m, c, pass->first, taut_str_z(pass->first_key), NULL, NULL));
    TAUT_TRY(taut_filter(m, c, pass->then, taut_str_z(pass->then_key), NULL, NULL));
    return taut_done(c);
}
static void note_end(struct taut_mod *m, void *arg, const struct taut_outcome *o) {
    (void)m;
    assert_int_equal(o->status, TAUT_OK);
    ended[nended++] = ((const struct pass *)arg)->who;
}
static void begin_pass(const struct pass *pass) {
    run_task(&b_->user_in.pub, NULL, pass_both, (void *)(uintptr_t)pass, note_end);
}

/* It waits for its turn while the first one awaits, then awaits something itself: three clocks. */
static int64_t clocks_us[8];
static int nclocks;
static int32_t pass_and_look(struct taut_mod *m, struct taut_call *c) {
    int64_t now_us = taut_now_us(m);
    if (!nclocks || clocks_us[nclocks - 1] != now_us) clocks_us[nclocks++] = now_us;
    TAUT_TRY(taut_filter(m, c, "p", TAUT_LIT("same"), NULL, NULL));
    return taut_done(c);
}
static void who_had_to_wait_for_its_turn_sees_the_clock_of_then(void **state) {
    static const struct pass first = {1, 50, "q", "A", "p", "same"}, second = {2, 50, "", "", "", ""};
    (void)state;
    ask_of(SLOW, -1);
    nclocks = 0;
    begin_pass(&first);
    run_task(&b_->user_in.pub, NULL, pass_and_look, (void *)(uintptr_t)&second, note_end);
    wait_for_ends(2);
    assert_int_equal(nclocks, 3);
    assert_true(clocks_us[1] >= clocks_us[0] + 40000);
}

static void calls_of_one_key_pass_a_second_point_in_order(void **state) {
    static const struct pass one = {1, 200, "q", "A", "p", "same"}, two = {2, 20, "q", "B", "p", "same"};
    (void)state;
    ask_of(SLOW, -1);
    begin_pass(&one);
    begin_pass(&two);
    wait_for_ends(2);
    assert_int_equal(ended[0], 1);
    assert_int_equal(ended[1], 2);
}

static void calls_that_pass_two_points_in_opposite_orders_do_not_wait_for_each_other(void **state) {
    static const struct pass one = {1, 60, "p", "A", "p", "B"}, two = {2, 20, "p", "B", "p", "A"},
                             three = {3, 20, "p", "A", "p", "B"};
    (void)state;
    ask_of(SLOW, -1);
    begin_pass(&one);
    begin_pass(&two);
    begin_pass(&three);
    wait_for_ends(3);
    assert_int_equal(ended[0], 1); /* two waited for it */
}

static void calls_that_wait_for_their_turn_end_with_the_server(void **state) {
    (void)state;
    ask_of(SLOW, -1);
    await_ms = 0;
    static const struct pass one = {1, 0, "p", "A", "q", "A"};
    for (int i = 0; i < 3; i++) run_task(&b_->user_in.pub, NULL, pass_both, (void *)(uintptr_t)&one, NULL);
    turn();
    b_->hub->pool.n = CALLS_KEPT; /* as on a server that had many calls: what ends is freed */
    hub_stop_modules(b_->hub, on_end, NULL);
    turn();
    b_->hub->pool.n = 0;
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup_filters, end_filters)
int main(void) {
    const struct CMUnitTest tests[] = {
        T(a_quick_filter_is_not_blamed_for_a_slow_one),
        T(a_quick_filter_is_not_blamed_for_the_disk),
        T(a_filter_is_not_blamed_for_the_rows_that_it_reads),
        T(a_filter_that_awaits_too_long_is_at_fault_once_a_call),
        T(what_a_filter_awaits_and_what_it_works_are_of_one_budget),
        T(a_verdict_ends_what_counts),
#ifndef TAUT_CHECKS
        T(a_filter_that_ends_the_call_is_at_fault_and_the_call_goes_on),
#endif
        T(a_filter_that_leads_to_itself_is_at_fault_and_the_call_goes_on),
        T(a_rule_that_leads_to_itself_refuses_what_it_should_judge),
        T(who_had_to_wait_for_its_turn_sees_the_clock_of_then),
        T(calls_of_one_key_pass_a_second_point_in_order),
        T(calls_that_pass_two_points_in_opposite_orders_do_not_wait_for_each_other),
        T(calls_that_wait_for_their_turn_end_with_the_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
