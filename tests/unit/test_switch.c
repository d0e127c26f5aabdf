/* test_switch.c - a module that is stopped while the server runs: what is under way ends, and then, and only then, the
 * module is gone. */
#include "hub_harness.h"

/* ---- a module that notes what it is told ---- */

static char told[512];
static taut_op kept_op, asked_op;
static bool stop_waits;

static void note(const char *what) {
    size_t n = strlen(told);
    snprintf(told + n, sizeof told - n, "%s%s", n ? " " : "", what);
}

static int32_t user_init(struct taut_mod *m) {
    assert_null(m->state);
    m->state = told;
    note("init");
    return TAUT_OK;
}
static void user_start(struct taut_mod *m, taut_op op) {
    note("start");
    taut_op_complete(m, op, TAUT_OK, NULL, NULL);
}
static void on_posted(struct taut_mod *m, void *arg) {
    (void)m, (void)arg;
    note("posted");
}
static void user_stop(struct taut_mod *m, taut_op op) {
    note("stop");
    taut_post(m, on_posted, NULL);
    if (stop_waits) kept_op = op;
    else taut_op_complete(m, op, TAUT_OK, NULL, NULL);
}
static void user_fini(struct taut_mod *m) {
    (void)m;
    note("fini");
}
static const struct taut_module noting = {.size = sizeof noting,
                                          .name = "user",
                                          .version = "1",
                                          .tables = TAUT_ARRAY(all_tables),
                                          .init = user_init,
                                          .start = user_start,
                                          .stop = user_stop,
                                          .fini = user_fini};

static void begin_nothing(struct taut_mod *m, void *arg, taut_op op) {
    (void)m, (void)arg;
    asked_op = op;
}
static int32_t wait_long(struct taut_mod *m, struct taut_call *c) {
    void *nothing;
    TAUT_TRY(taut_await(m, c, NULL, TAUT_LIT("x"), 60000, begin_nothing, NULL, &nothing));
    return taut_done(c);
}
static const struct taut_method waiting = {.name = "wait", .flags = TAUT_METHOD_NOAUTH, .run = wait_long};

static void on_close_noted(struct taut_mod *m, taut_conn conn, void *state) {
    (void)m, (void)conn, (void)state;
    if (!run_here()) note("closed");
}
static const struct taut_socket_route noting_socket = {"/n/", "n", let_in, bump, on_close_noted};

static int setup_switch(void **state) {
    int err = setup(state);
    b_->user_in.def = &noting;
    b_->methods[ENDLESS].def = &waiting;
    b_->socket.def = &noting_socket;
    told[0] = 0;
    stop_waits = false;
    return err;
}

/* ---- a task as somebody ---- */

static char seen_actor[128];
static int32_t say_who(struct taut_mod *m, struct taut_call *c) {
    (void)m;
    snprintf(seen_actor, sizeof seen_actor, "%u %s %s %s", c->actor->flags, c->actor->workspace.ptr, c->actor->user.ptr,
             c->actor->bot.ptr);
    taut_answer(c);
    return taut_done(c);
}
static void a_task_is_who_it_is_told_to_be(void **state) {
    char user[] = "U7";
    struct taut_actor bot = {.size = sizeof bot,
                             .flags = TAUT_ACTOR_BOT,
                             .workspace = TAUT_LIT("T7"),
                             .user = {user, 2},
                             .bot = TAUT_LIT("B7")};
    (void)state;
    assert_int_equal(taut_task(&b_->user_in.pub, &bot, say_who, NULL, NULL), TAUT_OK);
    user[0] = '?'; /* it was copied */
    turn();
    assert_string_equal(seen_actor, "4 T7 U7 B7");
    assert_int_equal(taut_task(&b_->user_in.pub, NULL, say_who, NULL, NULL), TAUT_OK);
    turn();
    assert_string_equal(seen_actor, "16   ");
    bot.size = 0;
    assert_int_equal(taut_task(&b_->user_in.pub, &bot, say_who, NULL, NULL), TAUT_E_INVAL);
}

/* ---- a wait for a service whose provider stops ---- */

static const struct taut_svc *asked;
static int32_t end_of_wait;
static int32_t wait_for_store(struct taut_mod *m, struct taut_call *c) {
    void *nothing;
    int32_t err = taut_await(m, c, asked, TAUT_LIT("store secret"), 60000, begin_nothing, NULL, &nothing);
    if (err == TAUT_E_AGAIN) return err;
    end_of_wait = err;
    taut_answer(c);
    return taut_done(c);
}
static void a_wait_for_a_service_ends_with_its_provider(void **state) {
    (void)state;
    asked = b_->hub->storage;
    end_of_wait = 0;
    taut_task(&b_->user_in.pub, NULL, wait_for_store, NULL, NULL);
    turn();
    assert_int_equal(end_of_wait, 0);
    ops_fail_of(b_->hub, service_of(asked));
    turn();
    assert_int_equal(end_of_wait, TAUT_E_UNAVAILABLE);
}

/* ---- */

static char failed[256];
static bool switched;
static void on_switched(void *arg, const char *why) {
    (void)arg;
    switched = true;
    snprintf(failed, sizeof failed, "%s", why ? why : "");
}

static void begin_switch(bool on) {
    const struct module_switch one = {&b_->user_in, on};
    switched = false;
    hub_switch_modules(b_->hub, &one, 1, on_switched, NULL);
    uv_sleep(2);
    turn();
}

static void wait_until_switched(void) {
    for (int i = 0; i < 200 && !switched; i++) {
        uv_sleep(5);
        turn();
    }
    assert_true(switched);
}

#define GONE                                                                                                          \
    "{\"ok\":false,\"error\":\"service_unavailable\",\"response_metadata\":{\"messages\":[\"[ERROR] the module user " \
    "is "                                                                                                             \
    "not running\"]}}"

static void one_that_is_stopped_is_unknown_and_one_that_is_started_again_is_as_new(void **state) {
    (void)state;
    begin_switch(false);
    wait_until_switched();
    assert_string_equal(told, "stop posted fini");
    assert_string_equal(failed, "");
    assert_int_equal(b_->user_in.state, INSTANCE_STOPPED);
    ask(PEEK);
    assert_body(0, "{\"ok\":false,\"error\":\"unknown_method\",\"req_method\":\"\"}");
    begin_switch(true);
    wait_until_switched();
    assert_string_equal(told, "stop posted fini init start");
    ask(PEEK);
    assert_body(1, "{\"ok\":true,\"is\":7}");
}

static void a_call_that_waits_for_a_row_ends_before_its_module(void **state) {
    (void)state;
    store.hold_reads = true;
    ask(PEEK);
    begin_switch(false);
    assert_string_equal(told, "stop posted");
    store.hold_reads = false;
    complete_get(store.read_op, store.read_n, 0, 7);
    wait_until_switched();
    assert_body(0, GONE);
    assert_string_equal(told, "stop posted fini");
}

static void a_batch_that_was_submitted_is_stored_and_answered_before_its_module_is_gone(void **state) {
    (void)state;
    ask(BUMP);
    begin_switch(false);
    assert_string_equal(told, "stop posted");
    release();
    wait_until_switched();
    assert_body(0, "{\"ok\":true,\"was\":7}");
    assert_int_equal(b_->nevents, 1);
    assert_string_equal(told, "stop posted fini");
}

static void what_a_call_awaits_of_its_module_ends_with_it(void **state) {
    (void)state;
    ask(ENDLESS);
    begin_switch(false);
    wait_until_switched();
    assert_body(0, GONE);
    taut_op_complete(&b_->user_in.pub, asked_op, TAUT_OK, NULL, NULL); /* too late: counted, and no more */
    turn();
    assert_int_equal(b_->hub->ops.stale, 1);
}

static void on_never(struct taut_mod *m, void *arg, int32_t status, void *result) {
    (void)m, (void)arg, (void)status, (void)result;
    note("op");
}
static void operations_and_timers_of_its_own_do_not_reach_it_any_more(void **state) {
    (void)state;
    struct taut_mod *m = &b_->user_in.pub;
    taut_op op = taut_op_new(m, NULL, 0, on_never, NULL), timed = taut_op_new(m, NULL, 30, on_never, NULL);
    taut_timer_start(m, 30, 0, on_posted, NULL);
    begin_switch(false);
    wait_until_switched();
    taut_op_complete(m, op, TAUT_OK, NULL, NULL);
    uv_sleep(60);
    turn();
    (void)timed;
    assert_string_equal(told, "stop posted fini");
}

static void its_sockets_are_closed_and_it_is_told_of_each(void **state) {
    (void)state;
    open_socket(1);
    open_socket(2);
    frame(2);
    turn();
    begin_switch(false);
    assert_string_equal(told, "closed stop posted"); /* the other one has a batch at the store */
    release();
    wait_until_switched();
    assert_string_equal(told, "closed stop posted closed fini");
    frame(1);
    turn();
    assert_true(b_->answers[b_->nanswers - 1]->out.sent);
}

static struct taut_call *kept_call;
static void keep_call(struct taut_mod *m, void *arg) {
    (void)m;
    kept_call = arg;
}
static int32_t let_in_later(struct taut_mod *m, struct taut_call *c) {
    taut_at_end(m, c, keep_call, c);
    return TAUT_E_PENDING;
}
static const struct taut_socket_route late_socket = {"/l/", "l", let_in_later, bump, on_close_noted};
static void a_socket_that_it_lets_in_while_it_stops_is_closed_too(void **state) {
    (void)state;
    b_->socket.def = &late_socket;
    stop_waits = true;
    open_socket(1);
    begin_switch(false);
    const struct taut_actor a = {.size = sizeof a, .workspace = TAUT_LIT("W1"), .user = TAUT_LIT("U1")};
    const struct taut_accept accept = {.size = sizeof accept, .actor = &a};
    assert_int_equal(taut_accept(kept_call, &accept), TAUT_OK);
    assert_int_equal(conns_of(b_->hub, &b_->user_in), 1);
    taut_op_complete(&b_->user_in.pub, kept_op, TAUT_OK, NULL, NULL);
    wait_until_switched();
    assert_string_equal(failed, "");
    assert_string_equal(told, "stop posted closed fini");
}

static void work_of_it(void *arg) {
    *(bool *)arg = true;
}
static void take_long(void *arg) {
    (void)arg;
    uv_sleep(300);
}
static void on_worked(struct taut_mod *m, void *arg) {
    (void)m, (void)arg;
    note("worked");
}
static void on_task_done(struct taut_mod *m, void *arg, const struct taut_outcome *o) {
    (void)m, (void)arg, (void)o;
    note("task");
}
static void nothing_of_one_that_hangs_is_called_any_more(void **state) {
    (void)state;
    struct taut_mod *m = &b_->user_in.pub;
    bool has_worked = false;
    stop_waits = true;
    b_->hub->config.stop_timeout_ms = 100;
    open_socket(1);
    frame(1); /* a batch at the store */
    run_task(m, NULL, blind, NULL, on_task_done);
    taut_op op = taut_op_new(m, NULL, 0, on_never, NULL);
    turn();
    assert_int_equal(store.nheld, 2);
    for (int i = 0; i < 2; i++) taut_work(m, take_long, on_worked, NULL);
    taut_work(m, work_of_it, on_worked, &has_worked);
    begin_switch(false);
    wait_until_switched();
    assert_string_equal(failed, "modules.user: did not stop within 0.1 s");
    assert_string_equal(told, "stop posted");
    taut_post(m, on_posted, NULL);
    taut_op_complete(m, op, TAUT_OK, NULL, NULL);
    taut_op_complete(m, kept_op, TAUT_OK, NULL, NULL);
    release();
    for (int i = 0; i < 100; i++) uv_sleep(5), turn();
    assert_string_equal(told, "stop posted");
    assert_false(has_worked);
    assert_int_equal(conns_of(b_->hub, &b_->user_in), 0);
    b_->hub->hung = false; /* else the end of the hub is that of the process */
}

static void the_server_stops_behind_a_switch_that_is_under_way(void **state) {
    (void)state;
    stop_waits = true;
    begin_switch(false);
    hub_stop_modules(b_->hub, on_end, NULL);
    turn();
    assert_false(b_->hub->stopping);
    taut_op_complete(&b_->user_in.pub, kept_op, TAUT_OK, NULL, NULL);
    wait_until_switched();
    turn();
    assert_true(b_->hub->stopping);
    assert_string_equal(told, "stop posted fini");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup_switch, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        T(a_task_is_who_it_is_told_to_be),
        T(a_wait_for_a_service_ends_with_its_provider),
        T(one_that_is_stopped_is_unknown_and_one_that_is_started_again_is_as_new),
        T(a_call_that_waits_for_a_row_ends_before_its_module),
        T(a_batch_that_was_submitted_is_stored_and_answered_before_its_module_is_gone),
        T(what_a_call_awaits_of_its_module_ends_with_it),
        T(operations_and_timers_of_its_own_do_not_reach_it_any_more),
        T(its_sockets_are_closed_and_it_is_told_of_each),
        T(a_socket_that_it_lets_in_while_it_stops_is_closed_too),
        T(nothing_of_one_that_hangs_is_called_any_more),
        T(the_server_stops_behind_a_switch_that_is_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
