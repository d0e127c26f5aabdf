/* test_hub.c - the life of calls on the hub, against a store by script (hub_harness.h): each step can be looked at. */
#include "hub_harness.h"

static void a_handler_runs_again_when_its_rows_are_there(void **state) {
    (void)state;
    ask(BUMP);
    assert_int_equal(runs, 2);
    assert_int_equal(store.gets, 1);
    assert_int_equal(store.commits, 1);
}

static void nothing_is_answered_or_published_before_the_batch_is_durable(void **state) {
    (void)state;
    ask(BUMP);
    assert_int_equal(b_->nanswers, 0);
    assert_int_equal(b_->nevents, 0);
    release();
    turn();
    assert_int_equal(b_->nevents, 1);
    assert_int_equal(b_->events[0], 1);
    assert_body(0, "{\"ok\":true,\"was\":7}");
}

static void the_cache_follows_what_becomes_durable(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++) {
        ask(BUMP);
        release();
        turn();
    }
    assert_int_equal(store.gets, 1);
    assert_body(1, "{\"ok\":true,\"was\":8}");
    assert_body(2, "{\"ok\":true,\"was\":9}");
}

static void a_read_that_was_overtaken_by_a_commit_is_not_cached(void **state) {
    (void)state;
    store.hold_reads = true;
    ask(PEEK); /* its read is under way, with the value of now */
    ask(BLIND);
    release();
    turn();
    store.hold_reads = false;
    store.value = 8;
    complete_get(store.read_op, store.read_n, 0, 7); /* the old snapshot arrives */
    turn();
    assert_body(1, "{\"ok\":true,\"is\":7}");
    ask(PEEK);
    assert_int_equal(store.gets, 2); /* it was asked again: the stale row was not kept */
    assert_body(2, "{\"ok\":true,\"is\":8}");
}

static void a_row_written_twice_in_one_batch_is_right_in_the_cache(void **state) {
    (void)state;
    ask(TWICE);
    release();
    turn();
    ask(PEEK);
    assert_body(1, "{\"ok\":true,\"is\":9}");
}

static void a_call_that_begins_after_an_answer_sees_what_was_answered(void **state) {
    (void)state;
    store.hold_reads = true;
    ask(PEEK); /* its read is slow */
    taut_op slow = store.read_op;
    ask(BLIND);
    release();
    turn();
    assert_int_equal(b_->nanswers, 1);
    store.value = 8;
    store.hold_reads = false;
    ask(PEEK);
    complete_get(slow, 1, 0, 7);
    turn();
    assert_body(1, "{\"ok\":true,\"is\":8}");
    assert_body(2, "{\"ok\":true,\"is\":8}"); /* it ran again, and found what the other had read */
}

static void a_snapshot_newer_than_what_was_published_waits(void **state) {
    (void)state;
    ask(BLIND); /* the store has it, and has not said so yet */
    store.lsn = 1;
    store.value = 8;
    ask(PEEK);
    assert_int_equal(runs, 1);
    assert_int_equal(b_->nanswers, 0);
    store.lsn = 0;
    release();
    turn();
    assert_int_equal(b_->nanswers, 2);
    assert_body(0, "{\"ok\":true,\"is\":8}");
    assert_int_equal(runs, 2);
}

static void a_row_from_before_a_scan_of_the_same_call_is_read_again(void **state) {
    (void)state;
    store.hold_reads = true;
    ask(GUARDED); /* its snapshot is of before the commit … */
    ask(BLIND);
    release();
    turn();
    store.value = 8;
    store.hold_reads = false;
    complete_get(store.read_op, store.read_n, store.read_as_of, store.read_value);
    turn(); /* … its scan's of after it */
    assert_int_equal(store.gets, 2);
    assert_body(1, "{\"ok\":true,\"is\":8}");
}

#ifndef TAUT_CHECKS /* which stop it: test_check */
static void one_that_goes_on_without_its_read_runs_again(void **state) {
    (void)state;
    store.hold_reads = true;
    ask(HASTY);
    assert_int_equal(b_->nanswers, 0);
    complete_get(store.read_op, store.read_n, 0, 7);
    turn();
    assert_body(0, "{\"ok\":false,\"error\":\"no_need\"}");
}
#endif

static void only_so_many_calls_have_scans_at_a_time_and_all_get_their_turn(void **state) {
    (void)state;
    store.hold_scans = true;
    for (int i = 0; i < 20; i++) ask(SCANNER);
    assert_int_equal(store.nscans, 32); /* two each of sixteen calls */
    store.hold_scans = false;
    static struct taut_rows none;
    for (uint32_t i = 0; i < 32; i++) taut_op_complete(store.mod, store.scan_ops[i], TAUT_OK, &none, NULL);
    turn();
    assert_int_equal(b_->nanswers, 20);
    assert_int_equal(b_->hub->scanning, 0);
}

static void no_handler_runs_while_the_modules_stop(void **state) {
    (void)state;
    store.hold_reads = true;
    ask(PEEK);
    hub_stop_modules(b_->hub, on_end, NULL);
    turn();
    complete_get(store.read_op, store.read_n, 0, 7);
    taut_op_complete(store.mod, store.close_op, TAUT_OK, NULL, NULL);
    turn();
    assert_int_equal(runs, 1);
    assert_body(0, "{\"ok\":false,\"error\":\"service_unavailable\",\"response_metadata\":{\"messages\":[\"[ERROR] the "
                   "server stops\"]}}");
}

static void a_conflict_runs_the_handler_again(void **state) {
    (void)state;
    store.refuse_next = TAUT_E_CONFLICT;
    ask(BUMP);
    assert_int_equal(store.commits, 2);
    release();
    turn();
    assert_body(0, "{\"ok\":true,\"was\":7}");
    assert_int_equal(b_->nevents, 1);
}

static void a_claim_that_was_taken_gives_the_earlier_value_to_the_handler(void **state) {
    (void)state;
    store.refuse_next = TAUT_E_CLAIMED;
    ask(BUMP);
    assert_body(0, "{\"ok\":true,\"earlier\":\"first\"}");
    assert_int_equal(b_->nevents, 0);
}

static void what_was_claimed_and_cannot_be_read_is_not_said_to_be_unstored(void **state) {
    (void)state;
    store.refuse_next = TAUT_E_CLAIMED;
    store.hold_reads = true;
    ask(LATE);
    for (int i = 0; i < 60 && !b_->early[0]; i++) {
        uv_sleep(10);
        turn();
    }
    assert_non_null(strstr(b_->early, "the outcome is unknown"));
    store.hold_reads = false;
    complete_get(store.read_op, store.read_n, 0, 7);
    turn();
}

static void an_unknown_outcome_is_said_to_be_unknown(void **state) {
    (void)state;
    store.refuse_next = TAUT_E_UNKNOWN;
    ask(BUMP);
    assert_body(0,
                "{\"ok\":false,\"error\":\"fatal_error\",\"response_metadata\":{\"messages\":[\"[ERROR] the outcome is "
                "unknown: this may or may not have been stored; repeat it with the same client_msg_id, or look before "
                "you repeat it\"]}}");
}

static void a_store_that_takes_nothing_is_said_to_be_unavailable(void **state) {
    (void)state;
    store.refuse_next = TAUT_E_UNAVAILABLE;
    ask(BUMP);
    assert_body(0, "{\"ok\":false,\"error\":\"service_unavailable\",\"response_metadata\":{\"messages\":[\"[ERROR] the "
                   "store takes nothing at the moment; try again later\"]}}");
}

static void a_caller_that_times_out_is_told_so_and_its_event_still_reaches_everybody(void **state) {
    (void)state;
    ask(BUMP);
    for (int i = 0; i < 60 && !b_->early[0]; i++) {
        uv_sleep(10);
        turn();
    }
    assert_non_null(strstr(b_->early, "the outcome is unknown"));
    assert_int_equal(b_->nanswers, 0); /* the call itself is still at the store */
    release();
    turn();
    assert_int_equal(b_->nevents, 1);
    assert_int_equal(b_->nanswers, 1);
    assert_true(b_->answers[0]->out.sent);
}

static void a_handler_without_an_answer_is_an_internal_error(void **state) {
    (void)state;
    ask(ENDLESS);
    assert_body(0, "{\"ok\":false,\"error\":\"internal_error\"}");
}

static void an_unknown_method_is_named(void **state) {
    (void)state;
    struct call *c = call_get(&b_->pool, TAUT_CALL_METHOD, &b_->gateway);
    c->method_name = TAUT_LIT("no.such");
    c->msg.kind = MSG_CALL;
    port_post(hub_port(b_->hub), &c->msg);
    turn();
    assert_body(0, "{\"ok\":false,\"error\":\"unknown_method\",\"req_method\":\"no.such\"}");
}

static void a_socket_gets_the_events_between_its_snapshot_and_what_was_published(void **state) {
    (void)state;
    ask(BUMP);
    release();
    turn();
    store.seq = 0; /* its snapshot will be as of 0, one event behind */
    open_socket(42);
    struct call *c = b_->answers[1];
    assert_true(c->out.accepted);
    assert_int_equal(c->out.position, 1);
    assert_int_equal(c->out.nevents, 1);
    assert_int_equal(c->out.events[0]->seq, 1);
    event_unref(c->out.events[0]);
    store.seq = 1;
}

static void refill_comes_from_the_tail_and_says_a_gap_below_the_log(void **state) {
    (void)state;
    for (int i = 0; i < 6; i++) {
        ask(BUMP);
        release();
        turn();
    }
    struct conn_msg m = {.conn = 1, .seq = 3, .text = TAUT_LIT("W1"), .from = &b_->gateway};
    publish_refill(b_->hub, &m);
    turn();
    assert_int_equal(b_->nrefilled, 3);
    assert_int_equal(b_->refilled[0], 4);
    assert_int_equal(b_->upto, 6);
    m.seq = 0; /* the tail of this bench holds 4, and its store has no log */
    publish_refill(b_->hub, &m);
    turn();
    assert_int_equal(b_->gaps, 1);
}

static void frames_of_a_connection_are_submitted_in_their_order(void **state) {
    (void)state;
    open_socket(42);
    struct call *first = frame(42), *second = frame(42);
    turn();
    assert_int_equal(store.nheld, 2);
    assert_ptr_equal(CONTAINER_OF(store.held[0], struct taut_batch, view)->run->call, first);
    assert_ptr_equal(CONTAINER_OF(store.held[1], struct taut_batch, view)->run->call, second);
    release();
    turn();
    assert_body(1, "{\"was\":7}");
    assert_body(2, "{\"was\":7}"); /* it looked before the first was durable; ADD commutes */
    assert_int_equal(b_->answers[2]->out.seq, 2);
}

static void frames_are_answered_in_their_order(void **state) {
    (void)state;
    struct call *f[4];
    b_->socket.def = &sockets[1];
    open_socket(5);
    store.hold_reads = true;
    for (int i = 0; i < 4; i++) f[i] = frame(5);
    turn();
    store.hold_reads = false;
    complete_get(store.read_op, store.read_n, 0, 7);
    turn();
    assert_int_equal(b_->nanswers, 5);
    for (uint32_t i = 0; i < 4; i++) assert_ptr_equal(b_->answers[1 + i], f[i]);
}

static void frames_of_who_was_shut_out_are_not_run(void **state) {
    (void)state;
    open_socket(5);
    struct taut_delta out = {'x', 0, TAUT_LIT("U1"), TAUT_LIT("revoked")};
    struct taut_event e = {.size = sizeof e, .deltas = &out, .ndeltas = 1};
    struct event *x = event_new(TAUT_LIT("W1"), 0, &e);
    publish_begin(b_->hub);
    publish_durable(b_->hub, TAUT_LIT("W1"), 1, x);
    publish_end(b_->hub);
    frame(5);
    turn();
    assert_int_equal(runs, 0);
    assert_true(b_->answers[1]->out.sent);
}

static void a_closed_connection_is_forgotten_when_its_work_has_ended(void **state) {
    (void)state;
    open_socket(42);
    frame(42);
    turn();
    struct conn_msg *m = calloc(1, sizeof *m);
    m->msg.kind = MSG_CLOSED;
    m->conn = 42;
    port_post(hub_port(b_->hub), &m->msg);
    turn();
    assert_int_equal(closed, 0);
    release();
    turn();
    assert_int_equal(closed, 1);
    assert_int_equal(b_->nevents, 1);
    frame(42); /* comes too late: given back unanswered */
    turn();
    assert_true(b_->answers[b_->nanswers - 1]->out.sent);
}

/* A scan bounded by the clock would be another one in each run, and never be there. */
static int64_t clock_before;
static bool clock_is_over;
static int32_t scans_until_now(struct taut_mod *m, struct taut_call *c) {
    const struct taut_rows *rows;
    int64_t now_us = taut_now_us(m);
    const struct taut_val w1 = taut_v_str(TAUT_LIT("W1"));
    const struct taut_scan s = {.size = sizeof s,
                                .index = TAUT_SCAN_PRIMARY,
                                .nprefix = 1,
                                .prefix = &w1,
                                .hi = taut_v_str(taut_fmt(c, "%lld", (long long)now_us)),
                                .limit = 10};
    if (!clock_before) clock_before = now_us;
    assert_true(now_us == clock_before);
    uv_sleep(2);
    TAUT_TRY(taut_scan(m, c, &notes, &s, &rows));
    taut_answer(c);
    return taut_done(c);
}
static void on_scanned(struct taut_mod *m, void *arg, const struct taut_outcome *o) {
    (void)m, (void)arg;
    assert_int_equal(o->status, TAUT_OK);
    clock_is_over = true;
}
static void the_clock_stands_still_while_rows_are_loaded(void **state) {
    (void)state;
    clock_before = 0;
    clock_is_over = false;
    taut_task(&b_->user_in.pub, NULL, scans_until_now, NULL, on_scanned);
    turn();
    assert_true(clock_is_over);
}

/* What the store has after a commit of which nobody knows is what counts. */
static void a_row_is_as_the_store_has_it_after_an_unknown_outcome(void **state) {
    (void)state;
    store.refuse_next = TAUT_E_UNKNOWN;
    ask(BUMP); /* reads it: 7 */
    assert_non_null(strstr(b_->answers[0]->out.body.ptr, "unknown"));
    store.value = 8; /* it did reach the disk */
    store.lsn = 1;
    ask(PEEK);
    assert_body(1, "{\"ok\":true,\"is\":8}");
}

/* A key that is the number of its event. */
static const struct taut_col seq_cols[] = {{"seq", TAUT_INT, 0}, {"t", TAUT_TEXT, 0}};
static const struct taut_table seqs = {
    .size = sizeof seqs, .key_cols = 1, .name = "seqs", .cols = TAUT_ARRAY(seq_cols)};
static const struct taut_table *const seq_tables[] = {&seqs};
static const struct taut_module seq_module = {
    .size = sizeof seq_module, .name = "user", .tables = TAUT_ARRAY(seq_tables)};

static int32_t look_for_one(struct taut_mod *m, struct taut_call *c) {
    const struct taut_row *row;
    TAUT_TRY(taut_get(m, c, &seqs, TAUT_KEY(taut_v_int(1)), &row));
    taut_json_kint(taut_answer(c), "there", row != NULL);
    return taut_done(c);
}
static int32_t add_by_seq(struct taut_mod *m, struct taut_call *c) {
    struct taut_batch *b = taut_batch(c);
    taut_str topic = TAUT_LIT("C1");
    struct taut_event e = {.size = sizeof e, .ntopics = 1, .topics = &topic, .body = TAUT_LIT("{}")};
    taut_batch_workspace(m, b, TAUT_LIT("W1"));
    taut_append(m, b, &e);
    taut_insert(m, b, &seqs, TAUT_KEY(taut_v_seq(0), taut_v_str(TAUT_LIT("x"))));
    taut_answer(c);
    return taut_commit(c, b);
}
static int setup_seqs(void **state) {
    static const struct taut_method look = {.name = "look", .flags = TAUT_METHOD_NOAUTH, .run = look_for_one};
    static const struct taut_method add = {.name = "add", .flags = TAUT_METHOD_NOAUTH, .run = add_by_seq};
    module_of_user = &seq_module;
    int err = setup(state);
    module_of_user = &user_def;
    b_->refs[0].table = &seqs;
    b_->methods[PEEK].def = &look;
    b_->methods[BUMP].def = &add;
    return err;
}
static void a_row_whose_key_is_a_seq_is_there_once_it_is_written(void **state) {
    (void)state;
    store.exists = false;
    ask(PEEK);
    assert_body(0, "{\"ok\":true,\"there\":0}");
    ask(BUMP);
    release();
    turn();
    assert_body(1, "{\"ok\":true}");
    store.exists = true;
    ask(PEEK);
    assert_body(2, "{\"ok\":true,\"there\":1}");
}

/* Each begins the next one when it has ended, also when it is the server that ends it. */
static uint32_t chained;
static int32_t does_nothing(struct taut_mod *m, struct taut_call *c) {
    (void)m;
    return taut_done(c);
}
static void again(struct taut_mod *m, void *arg, const struct taut_outcome *o) {
    (void)arg, (void)o;
    assert_true(++chained < 100000);
    taut_task(m, NULL, does_nothing, NULL, again);
}
static void the_end_ends_though_tasks_follow_each_other(void **state) {
    (void)state;
    chained = 0;
    taut_task(&b_->user_in.pub, NULL, does_nothing, NULL, again);
    taut_task(&b_->user_in.pub, NULL, does_nothing, NULL, again);
    turn();
    hub_stop_modules(b_->hub, on_end, NULL);
    for (int i = 0; i < 100 && !b_->hub->ended; i++) uv_run(&b_->loop, UV_RUN_NOWAIT);
    assert_true(b_->hub->ended);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        T(a_handler_runs_again_when_its_rows_are_there),
        T(nothing_is_answered_or_published_before_the_batch_is_durable),
        T(the_cache_follows_what_becomes_durable),
        T(a_read_that_was_overtaken_by_a_commit_is_not_cached),
        T(a_row_written_twice_in_one_batch_is_right_in_the_cache),
        T(a_call_that_begins_after_an_answer_sees_what_was_answered),
        T(a_snapshot_newer_than_what_was_published_waits),
        T(a_row_from_before_a_scan_of_the_same_call_is_read_again),
#ifndef TAUT_CHECKS
        T(one_that_goes_on_without_its_read_runs_again),
#endif
        T(only_so_many_calls_have_scans_at_a_time_and_all_get_their_turn),
        T(no_handler_runs_while_the_modules_stop),
        T(what_was_claimed_and_cannot_be_read_is_not_said_to_be_unstored),
        T(frames_are_answered_in_their_order),
        T(frames_of_who_was_shut_out_are_not_run),
        T(a_conflict_runs_the_handler_again),
        T(a_claim_that_was_taken_gives_the_earlier_value_to_the_handler),
        T(an_unknown_outcome_is_said_to_be_unknown),
        T(a_store_that_takes_nothing_is_said_to_be_unavailable),
        T(a_caller_that_times_out_is_told_so_and_its_event_still_reaches_everybody),
        T(a_handler_without_an_answer_is_an_internal_error),
        T(an_unknown_method_is_named),
        T(a_socket_gets_the_events_between_its_snapshot_and_what_was_published),
        T(refill_comes_from_the_tail_and_says_a_gap_below_the_log),
        T(frames_of_a_connection_are_submitted_in_their_order),
        T(a_closed_connection_is_forgotten_when_its_work_has_ended),
        T(the_clock_stands_still_while_rows_are_loaded),
        T(a_row_is_as_the_store_has_it_after_an_unknown_outcome),
        cmocka_unit_test_setup_teardown(a_row_whose_key_is_a_seq_is_there_once_it_is_written, setup_seqs, teardown),
        T(the_end_ends_though_tasks_follow_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
