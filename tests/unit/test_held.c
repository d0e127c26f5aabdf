/* test_held.c - calls that a module keeps open: their deadline, and answers that come behind it. */
#include "hub_harness.h"

/* ---- a module that answers when the test says so ---- */

static struct taut_call *kept[70];
static uint32_t nkept;

static void keep(struct taut_mod *m, void *arg) {
    (void)m;
    kept[nkept++] = arg;
}

static int32_t hold_on(struct taut_mod *m, struct taut_call *c) {
    taut_at_end(m, c, keep, c);
    return TAUT_E_PENDING;
}

/* Answers in what is done at its end. */
static void answer_at_once(struct taut_mod *m, void *arg) {
    (void)m;
    taut_done(arg);
}
static int32_t hold_shortly(struct taut_mod *m, struct taut_call *c) {
    taut_at_end(m, c, answer_at_once, c);
    return TAUT_E_PENDING;
}

/* Asks for a row, or for what is awaited, and does not wait for it. */
static taut_op awaited;
static void begin_await(struct taut_mod *m, void *arg, taut_op op) {
    (void)m, (void)arg;
    awaited = op;
}
static int32_t hold_and_read(struct taut_mod *m, struct taut_call *c) {
    const struct taut_row *row;
    counted(c, taut_get(m, c, &notes, NOTE, &row));
    return hold_on(m, c);
}
static int32_t hold_and_await(struct taut_mod *m, struct taut_call *c) {
    void *result;
    (void)taut_await(m, c, NULL, TAUT_LIT("x"), 4000, begin_await, NULL, &result);
    return hold_on(m, c);
}

/* Frames: the first one is held; what comes later ends the call that is held longest. */
static void answer_first(struct taut_mod *m, void *arg) {
    (void)m, (void)arg;
    taut_done(kept[0]);
}
static int32_t hold_or_answer(struct taut_mod *m, struct taut_call *c) {
    if (nkept < 2) return hold_on(m, c);
    taut_at_end(m, c, answer_first, NULL);
    taut_answer(c);
    return taut_done(c);
}

static int32_t commit_one(struct taut_call *c) {
    struct taut_batch *b = taut_batch(c);
    add_one(&b_->user_in.pub, b);
    taut_answer(c);
    return taut_commit(c, b);
}
static void commit_at_once(struct taut_mod *m, void *arg) {
    (void)m;
    commit_one(arg);
}
static int32_t hold_to_commit(struct taut_mod *m, struct taut_call *c) {
    taut_at_end(m, c, commit_at_once, c);
    return TAUT_E_PENDING;
}

static const struct taut_method reading = {.name = "reading", .flags = TAUT_METHOD_NOAUTH, .run = hold_and_read};
static const struct taut_method awaiting = {.name = "awaiting", .flags = TAUT_METHOD_NOAUTH, .run = hold_and_await};
static const struct taut_method storing = {.name = "storing", .flags = TAUT_METHOD_NOAUTH, .run = hold_to_commit};
static const struct taut_socket_route mixed_frames = {"/h/", "h", let_in, hold_or_answer, on_close};
static const struct taut_method holding = {.name = "hold", .flags = TAUT_METHOD_NOAUTH, .run = hold_on};
static const struct taut_method brief = {.name = "brief", .flags = TAUT_METHOD_NOAUTH, .run = hold_shortly};
static const struct taut_socket_route holding_socket = {"/h/", "h", hold_on, bump, on_close};
static const struct taut_socket_route holding_frames = {"/h/", "h", let_in, hold_on, on_close};

static int setup_held(void **state) {
    int err = setup(state);
    b_->methods[ENDLESS].def = &holding;
    b_->methods[HASTY].def = &brief;
    nkept = 0;
    return err;
}

static void wait_until_overdue(uint32_t n) {
    for (int i = 0; i < 100 && b_->user_in.overdue < n; i++) {
        uv_sleep(10);
        turn();
    }
    assert_int_equal(b_->user_in.overdue, n);
}

static bool is_degraded(void) {
    return health_worst(&b_->user_in.seen->health) == TAUT_HEALTH_DEGRADED;
}

/* ---- */

static void a_held_call_is_answered_when_its_module_answers(void **state) {
    (void)state;
    ask(ENDLESS);
    assert_int_equal(nkept, 1);
    taut_json_kint(taut_answer(kept[0]), "n", 1);
    assert_int_equal(taut_done(kept[0]), TAUT_OK);
    turn();
    assert_body(0, "{\"ok\":true,\"n\":1}");
    ask(HASTY);
    assert_body(1, "{\"ok\":true}");
}

static void a_held_call_that_passes_its_deadline_is_answered_in_its_modules_place(void **state) {
    (void)state;
    ask(ENDLESS);
    wait_until_overdue(1);
    assert_string_equal(b_->early,
                        "{\"ok\":false,\"error\":\"fatal_error\",\"response_metadata\":{\"messages\":[\"[ERROR] the "
                        "module user did not answer in time; it may or may not have done what was asked\"]}}");
    assert_int_equal(b_->hub->seen.held_overdue, 1);
    assert_true(is_degraded());
    assert_int_equal(b_->nanswers, 0); /* its module has its address: it stays */
}

static void a_late_answer_goes_nowhere_and_is_counted(void **state) {
    (void)state;
    ask(ENDLESS);
    ask(ENDLESS);
    wait_until_overdue(2);
    taut_answer(kept[0]);
    assert_int_equal(taut_done(kept[0]), TAUT_E_TIMEOUT);
    assert_int_equal(taut_fail(kept[1], "too_late"), TAUT_E_FAILED);
    turn();
    assert_int_equal(b_->nanswers, 2);
    assert_true(b_->answers[0]->out.sent && b_->answers[1]->out.sent);
    assert_int_equal(b_->hub->seen.held_late, 2);
    assert_int_equal(b_->user_in.overdue, 0);
    assert_false(is_degraded());
}

static void a_late_commit_stores_nothing(void **state) {
    (void)state;
    ask(ENDLESS);
    wait_until_overdue(1);
    struct taut_batch *b = taut_batch(kept[0]);
    struct taut_set add = {2, TAUT_ADD, taut_v_int(1)};
    taut_update(&b_->user_in.pub, b, &notes, NOTE, &add, 1);
    assert_int_equal(taut_commit(kept[0], b), TAUT_E_TIMEOUT);
    turn();
    assert_int_equal(store.commits, 0);
    assert_int_equal(b_->nanswers, 1);
}

static void a_held_opening_is_refused_and_lets_nobody_in_behind_that(void **state) {
    (void)state;
    struct taut_actor actor = {.size = sizeof actor, .workspace = TAUT_LIT("W1"), .user = TAUT_LIT("U1")};
    const struct taut_accept a = {.size = sizeof a, .actor = &actor};
    b_->socket.def = &holding_socket;
    open_socket(7);
    wait_until_overdue(1);
    assert_string_equal(b_->early, "fatal_error");
    taut_accept(kept[0], &a);
    turn();
    assert_null(conns_find(b_->hub, 7));
    assert_int_equal(closed, 1); /* what the module had for it */
    assert_int_equal(b_->user_in.overdue, 0);
}

static void a_held_opening_can_be_let_in(void **state) {
    (void)state;
    struct taut_actor actor = {.size = sizeof actor, .workspace = TAUT_LIT("W1"), .user = TAUT_LIT("U1")};
    const struct taut_accept a = {.size = sizeof a, .actor = &actor};
    b_->socket.def = &holding_socket;
    open_socket(7);
    assert_int_equal(taut_accept(kept[0], &a), TAUT_OK);
    turn();
    assert_true(b_->answers[0]->out.accepted);
    assert_non_null(conns_find(b_->hub, 7));
    open_socket(8);
    taut_reject(kept[1], TAUT_LIT("no"), 4000);
    turn();
    assert_int_equal(b_->answers[1]->out.close_code, 4000);
}

static void a_held_frame_holds_up_the_next_one_until_its_deadline_only(void **state) {
    (void)state;
    b_->socket.def = &holding_frames;
    open_socket(7);
    frame(7);
    frame(7);
    turn();
    assert_int_equal(nkept, 1);
    wait_until_overdue(1);
    assert_int_equal(nkept, 2);
    taut_json_kint(taut_answer(kept[1]), "second", 1);
    taut_done(kept[1]);
    taut_done(kept[0]);
    turn();
    assert_body(1, "{\"second\":1}");
    assert_true(b_->answers[2]->out.sent); /* silence */
}

static void a_module_that_answers_nothing_gets_no_more_calls_and_others_do(void **state) {
    (void)state;
    for (int i = 0; i < 64; i++) ask(ENDLESS);
    wait_until_overdue(64);
    ask(ENDLESS);
    assert_int_equal(nkept, 64);
    assert_body(0, "{\"ok\":false,\"error\":\"service_unavailable\",\"response_metadata\":{\"messages\":[\"[ERROR] the "
                   "module user does not answer its calls\"]}}");
    taut_done(kept[0]);
    turn();
    ask(ENDLESS);
    assert_int_equal(nkept, 65);
    for (uint32_t i = 1; i < nkept; i++) taut_done(kept[i]);
    turn();
}

/* ---- batches ---- */

#define CHANGED                                                                                                       \
    "{\"ok\":false,\"error\":\"service_unavailable\",\"response_metadata\":{\"messages\":[\"[ERROR] what this rests " \
    "on has changed meanwhile; nothing was stored; try again\"]}}"

static void a_held_call_can_end_with_a_batch(void **state) {
    (void)state;
    ask(ENDLESS);
    assert_int_equal(commit_one(kept[0]), TAUT_OK);
    turn();
    assert_int_equal(b_->nanswers, 0);
    release();
    turn();
    assert_body(0, "{\"ok\":true}");
    b_->methods[ENDLESS].def = &storing;
    ask(ENDLESS);
    release();
    turn();
    assert_body(1, "{\"ok\":true}");
    assert_int_equal(store.commits, 2);
}

static void a_held_call_can_end_with_a_batch_that_holds_nothing(void **state) {
    (void)state;
    ask(ENDLESS);
    assert_int_equal(taut_commit(kept[0], taut_batch(kept[0])), TAUT_OK);
    turn();
    assert_body(0, "{\"ok\":true}");
}

static struct taut_batch *commit_what_cannot_be(void) {
    ask(ENDLESS);
    struct taut_batch *b = taut_batch(kept[0]);
    taut_insert(&b_->user_in.pub, b, &notes, TAUT_KEY(taut_v_int(1)));
    assert_int_equal(taut_commit(kept[0], b), TAUT_E_INVAL);
    return b;
}

static void a_held_call_ends_with_a_batch_that_cannot_be(void **state) {
    (void)state;
    commit_what_cannot_be();
    turn();
    assert_body(0, "{\"ok\":false,\"error\":\"internal_error\"}");
}

#ifndef TAUT_CHECKS /* which stops who uses a call that has ended */
static void who_answers_behind_a_commit_that_was_refused_is_told(void **state) {
    (void)state;
    struct taut_batch *b = commit_what_cannot_be();
    assert_int_equal(taut_fail(kept[0], "no"), TAUT_E_FAILED);
    assert_int_equal(taut_done(kept[0]), TAUT_E_TIMEOUT);
    assert_int_equal(taut_commit(kept[0], b), TAUT_E_TIMEOUT);
    turn();
    assert_body(0, "{\"ok\":false,\"error\":\"internal_error\"}");
}
#endif

static void a_held_batch_that_meets_a_conflict_is_refused(void **state) {
    (void)state;
    for (uint32_t i = 0; i < 65; i++) {
        ask(ENDLESS);
        assert_int_equal(nkept, i + 1);
        store.refuse_next = TAUT_E_CONFLICT;
        assert_int_equal(commit_one(kept[i]), TAUT_OK);
        turn();
        assert_body(i, CHANGED);
    }
    for (int i = 0; i < 30; i++) uv_sleep(10), turn(); /* behind their deadlines */
    assert_int_equal(b_->user_in.overdue, 0);
    assert_string_equal(b_->early, "");
}

/* Its handler, which is to say so in the protocol's form, holds the frame anew. */
static void a_frame_is_not_held_twice(void **state) {
    (void)state;
    b_->socket.def = &holding_frames;
    open_socket(7);
    frame(7);
    turn();
    store.refuse_next = TAUT_E_CONFLICT;
    assert_int_equal(commit_one(kept[0]), TAUT_OK);
    turn();
    assert_int_equal(nkept, 1);
    assert_body(1, "{\"ok\":false,\"error\":\"internal_error\"}");
}

/* ---- what a held call waits for ---- */

static void a_call_is_held_when_the_row_is_there_that_it_asked_for(void **state) {
    (void)state;
    b_->methods[ENDLESS].def = &reading;
    store.hold_reads = true;
    ask(ENDLESS);
    assert_int_equal(nkept, 0);
    complete_get(store.read_op, store.read_n, store.read_as_of, store.read_value);
    turn();
    assert_int_equal(nkept, 1);
    taut_done(kept[0]);
    turn();
    assert_body(0, "{\"ok\":true}");
}

static void a_call_is_held_when_that_is_there_which_it_awaits(void **state) {
    (void)state;
    b_->methods[ENDLESS].def = &awaiting;
    ask(ENDLESS);
    assert_int_equal(nkept, 0);
    taut_op_complete(&b_->user_in.pub, awaited, TAUT_OK, NULL, NULL);
    turn();
    assert_int_equal(nkept, 1);
    taut_done(kept[0]);
    turn();
    assert_body(0, "{\"ok\":true}");
}

/* A build with TAUT_CHECKS stops there (check.c). */
#ifndef TAUT_CHECKS
static int32_t commit_for_it(struct taut_mod *m, struct taut_call *c) {
    (void)m;
    return commit_one(c);
}
static void a_call_has_one_batch(void **state) {
    (void)state;
    static const struct taut_method once = {.name = "once", .flags = TAUT_METHOD_NOAUTH, .run = commit_for_it};
    b_->methods[ENDLESS].def = &once;
    struct call *c = ask(ENDLESS);
    assert_int_equal(taut_commit(&c->pub, c->run->batch), TAUT_E_INVAL);
    release();
    turn();
    assert_int_equal(store.commits, 1);
    assert_body(0, "{\"ok\":true}");
}

static void a_held_call_reads_nothing(void **state) {
    const struct taut_row *row;
    const struct taut_rows *rows;
    const struct taut_scan s = {.size = sizeof s, .index = TAUT_SCAN_PRIMARY, .limit = 10};
    void *result;
    (void)state;
    ask(ENDLESS);
    assert_int_equal(taut_get(&b_->user_in.pub, kept[0], &notes, NOTE, &row), TAUT_E_INVAL);
    assert_int_equal(taut_scan(&b_->user_in.pub, kept[0], &notes, &s, &rows), TAUT_E_INVAL);
    assert_int_equal(taut_await(&b_->user_in.pub, kept[0], NULL, TAUT_LIT("x"), 4000, begin_await, NULL, &result),
                     TAUT_E_INVAL);
    turn();
    assert_int_equal(store.gets, 0);
    assert_int_equal(nkept, 1);
    taut_done(kept[0]);
    turn();
    assert_body(0, "{\"ok\":true}");
}
#endif

/* ---- ends of others ---- */

/* A frame and a method are held, and pass their deadlines together; the frame's makes room for one that answers the
 * method. */
static void a_call_that_is_answered_while_another_one_expires_is_answered_once(void **state) {
    (void)state;
    b_->socket.def = &mixed_frames;
    open_socket(7);
    frame(7);
    turn();
    frame(7);
    ask(ENDLESS);
    struct taut_call *first = kept[0];
    kept[0] = kept[1];
    wait_until_overdue(1);
    turn();
    assert_string_equal(b_->early, "");
    assert_body(1, "{\"ok\":true}");
    taut_done(first);
    turn();
    assert_int_equal(b_->user_in.overdue, 0);
}

static void who_is_let_in_behind_more_events_than_are_kept_is_told_to_try_again(void **state) {
    (void)state;
    struct taut_actor actor = {.size = sizeof actor, .workspace = TAUT_LIT("W1"), .user = TAUT_LIT("U1")};
    const struct taut_accept a = {.size = sizeof a, .actor = &actor, .as_of = 1, .cursor = 1};
    b_->socket.def = &holding_socket;
    open_socket(7);
    for (int i = 0; i < 8; i++) { /* of which 4 are kept */
        ask(BUMP);
        release();
        turn();
    }
    assert_int_equal(taut_accept(kept[0], &a), TAUT_OK);
    turn();
    assert_false(b_->answers[8]->out.accepted);
    assert_int_equal(b_->answers[8]->out.close_code, 1013);
    assert_int_equal(closed, 1);
    assert_null(conns_find(b_->hub, 7));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup_held, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        T(a_held_call_is_answered_when_its_module_answers),
        T(a_held_call_that_passes_its_deadline_is_answered_in_its_modules_place),
        T(a_late_answer_goes_nowhere_and_is_counted),
        T(a_late_commit_stores_nothing),
        T(a_held_opening_is_refused_and_lets_nobody_in_behind_that),
        T(a_held_opening_can_be_let_in),
        T(a_held_frame_holds_up_the_next_one_until_its_deadline_only),
        T(a_module_that_answers_nothing_gets_no_more_calls_and_others_do),
        T(a_held_call_can_end_with_a_batch),
        T(a_held_call_can_end_with_a_batch_that_holds_nothing),
        T(a_held_call_ends_with_a_batch_that_cannot_be),
#ifndef TAUT_CHECKS
        T(who_answers_behind_a_commit_that_was_refused_is_told),
#endif
        T(a_held_batch_that_meets_a_conflict_is_refused),
        T(a_frame_is_not_held_twice),
        T(a_call_is_held_when_the_row_is_there_that_it_asked_for),
        T(a_call_is_held_when_that_is_there_which_it_awaits),
#ifndef TAUT_CHECKS
        T(a_call_has_one_batch),
        T(a_held_call_reads_nothing),
#endif
        T(a_call_that_is_answered_while_another_one_expires_is_answered_once),
        T(who_is_let_in_behind_more_events_than_are_kept_is_told_to_try_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
