/* test_hub_failures.c - what a caller is told when the store, or a module, does what it should not. */
#include "hub_harness.h"

#define UNAVAILABLE(text) \
    "{\"ok\":false,\"error\":\"service_unavailable\",\"response_metadata\":{\"messages\":[\"[ERROR] " text "\"]}}"
#define INTERNAL "{\"ok\":false,\"error\":\"internal_error\"}"

/* A method of this file's own. */
static void ask_for(int32_t (*run)(struct taut_mod *m, struct taut_call *c), uint32_t flags) {
    static struct taut_method def;
    static struct method_entry entry;
    def = (struct taut_method){.name = "ours", .flags = flags, .run = run};
    entry = (struct method_entry){.owner = &b_->user_in, .def = &def};
    struct call *c = call_get(&b_->pool, TAUT_CALL_METHOD, &b_->gateway);
    c->method = &entry;
    c->msg.kind = MSG_CALL;
    port_post(hub_port(b_->hub), &c->msg);
    turn();
}

static void a_row_that_cannot_be_read_makes_the_call_unavailable_and_is_asked_for_again(void **state) {
    (void)state;
    store.hold_reads = true;
    ask(PEEK);
    taut_op_complete(store.mod, store.read_op, TAUT_E_IO, NULL, NULL);
    turn();
    assert_body(0, UNAVAILABLE("the store cannot be read at the moment; try again later"));
    store.hold_reads = false;
    ask(PEEK);
    assert_body(1, "{\"ok\":true,\"is\":7}");
}

static void a_scan_that_fails_makes_the_call_unavailable(void **state) {
    (void)state;
    store.hold_scans = true;
    ask(SCANNER);
    assert_int_equal(store.nscans, 2);
    for (uint32_t i = 0; i < 2; i++) taut_op_complete(store.mod, store.scan_ops[i], TAUT_E_UNAVAILABLE, NULL, NULL);
    turn();
    assert_body(0, UNAVAILABLE("the store cannot be read at the moment; try again later"));
    store.hold_scans = false;
}

static void why_a_batch_is_not_taken_is_passed_on(void **state) {
    (void)state;
    static const int32_t refusals[] = {TAUT_E_IO, TAUT_E_NOMEM, TAUT_E_UNAVAILABLE};
    for (uint32_t i = 0; i < COUNT_OF(refusals); i++) {
        store.refuse_next = refusals[i];
        ask(BLIND);
        assert_body(i, UNAVAILABLE("the store takes nothing at the moment; try again later"));
    }
    store.refuse_next = TAUT_E_LIMIT; /* nothing that a caller could do about it */
    ask(BLIND);
    assert_body(3, INTERNAL);
    assert_int_equal(b_->nevents, 0);
}

static void a_handler_that_submits_what_was_claimed_once_more_is_stopped(void **state) {
    (void)state;
    store.refuse_next = TAUT_E_CLAIMED;
    ask(BLIND); /* it never looks whether it was claimed */
    assert_int_equal(store.nheld, 1);
    store.nheld = 0;
    static struct taut_commit_result again = {.size = sizeof again, .claim_value = {"first", 5}};
    taut_op_complete(store.mod, store.held_op[0], TAUT_E_CLAIMED, &again, NULL);
    turn();
    assert_body(0, INTERNAL);
    assert_int_equal(store.commits, 2);
}

static int32_t no_workspace(struct taut_mod *m, struct taut_call *c) {
    struct taut_batch *b = taut_batch(c);
    taut_str topic = TAUT_LIT("C1");
    struct taut_event e = {.size = sizeof e, .ntopics = 1, .topics = &topic, .body = TAUT_LIT("{}")};
    taut_append(m, b, &e);
    taut_answer(c);
    return taut_commit(c, b);
}
static int32_t half_a_key(struct taut_mod *m, struct taut_call *c) {
    struct taut_batch *b = taut_batch(c);
    const struct taut_set add = {2, TAUT_ADD, taut_v_int(1)};
    taut_update(m, b, &notes, TAUT_KEY(taut_v_str(TAUT_LIT("W1"))), &add, 1);
    taut_answer(c);
    return taut_commit(c, b);
}
static int32_t foreign_table(struct taut_mod *m, struct taut_call *c) {
    static const struct taut_table other = {
        .size = sizeof other, .key_cols = 2, .name = "other", .cols = TAUT_ARRAY(note_cols)};
    struct taut_batch *b = taut_batch(c);
    taut_insert(m, b, &other, NOTE);
    taut_answer(c);
    return taut_commit(c, b);
}
static int32_t condition_on_half_a_key(struct taut_mod *m, struct taut_call *c) {
    struct taut_batch *b = taut_batch(c);
    taut_expect_absent(m, b, &notes, TAUT_KEY(taut_v_str(TAUT_LIT("W1"))));
    add_one(m, b);
    taut_answer(c);
    return taut_commit(c, b);
}
static int32_t nameless_cursor(struct taut_mod *m, struct taut_call *c) {
    struct taut_batch *b = taut_batch(c);
    taut_batch_workspace(m, b, TAUT_LIT("W1"));
    m->host->set_cursor(b, TAUT_NONE, 7);
    taut_answer(c);
    return taut_commit(c, b);
}

static void a_batch_that_cannot_be_is_not_given_to_the_store(void **state) {
    (void)state;
    static int32_t (*const all[])(struct taut_mod * m, struct taut_call * c) = {
        no_workspace, half_a_key, foreign_table, condition_on_half_a_key, nameless_cursor};
    for (uint32_t i = 0; i < COUNT_OF(all); i++) {
        ask_for(all[i], TAUT_METHOD_NOAUTH);
        assert_body(i, INTERNAL);
    }
    assert_int_equal(store.commits, 0);
    ask(BLIND); /* and the next one is as it was */
    assert_int_equal(store.commits, 1);
}

static void without_a_module_for_tokens_nobody_is_anybody(void **state) {
    (void)state;
    ask_for(peek, 0);
    assert_body(0, UNAVAILABLE("no module provides auth/1"));
    assert_int_equal(runs, 0);
}

static void a_batch_that_always_meets_a_conflict_ends(void **state) {
    (void)state;
    store.refuse_next = TAUT_E_CONFLICT;
    ask(BUMP);
    for (int i = 0; i < 20 && !b_->nanswers; i++) {
        assert_int_equal(store.nheld, 1);
        store.nheld = 0;
        taut_op_complete(store.mod, store.held_op[0], TAUT_E_CONFLICT, NULL, NULL);
        turn();
    }
    assert_body(0, INTERNAL);
    assert_int_equal(store.commits, 9); /* once, and eight times again */
}

static void a_connection_that_lags_waits_for_a_store_that_cannot_be_read(void **state) {
    (void)state;
    store.log_first = 1;
    store.log_last = 5;
    store.seq = 5;
    ask(BUMP); /* the hub knows the log from its sixth event on */
    release();
    turn();
    store.log_error = TAUT_E_IO;
    publish_refill(b_->hub, &(struct conn_msg){.conn = 1, .seq = 2, .text = TAUT_LIT("W1"), .from = &b_->gateway});
    turn();
    assert_int_equal(b_->nrefilled, 0); /* neither events nor a gap: it is asked again */
    assert_int_equal(b_->gaps, 0);
    for (int i = 0; i < 300 && !b_->nrefilled; i++) {
        uv_sleep(10);
        turn();
    }
    assert_int_equal(b_->nrefilled, 3);
    assert_int_equal(b_->refilled[0], 3);
    assert_int_equal(b_->upto, 5);
    assert_int_equal(store.log_reads, 2);
    assert_int_equal(store.log_max_bytes, 256 * 1024); /* as much as from memory, whatever events are long */
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        T(a_row_that_cannot_be_read_makes_the_call_unavailable_and_is_asked_for_again),
        T(a_scan_that_fails_makes_the_call_unavailable),
        T(why_a_batch_is_not_taken_is_passed_on),
        T(a_handler_that_submits_what_was_claimed_once_more_is_stopped),
        T(a_batch_that_cannot_be_is_not_given_to_the_store),
        T(without_a_module_for_tokens_nobody_is_anybody),
        T(a_batch_that_always_meets_a_conflict_ends),
        T(a_connection_that_lags_waits_for_a_store_that_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
