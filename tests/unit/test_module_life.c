/* test_module_life.c - starts that fail in ways of their own: nothing of the module is called behind its fini, and only
 * a deadline that has passed is a hang. */
#include "hub_harness.h"
#include "module/needs.h"

static char told[256];
static void say(const char *what) {
    size_t n = strlen(told);
    snprintf(told + n, sizeof told - n, "%s%s", n ? " " : "", what);
}

/* ---- one that begins much and forgets what it provides ---- */

static int32_t does_nothing(struct taut_mod *m, struct taut_call *c) {
    (void)m;
    return taut_done(c);
}
static void on_task(struct taut_mod *m, void *arg, const struct taut_outcome *o) {
    (void)m, (void)arg, (void)o;
    say("task");
}
static void on_post(struct taut_mod *m, void *arg) {
    (void)m, (void)arg;
    say("post");
}
static void work(void *arg) {
    (void)arg;
}
static void on_work(struct taut_mod *m, void *arg) {
    (void)m, (void)arg;
    say("work");
}
static void on_op(struct taut_mod *m, void *arg, int32_t status, void *result) {
    (void)m, (void)arg, (void)status, (void)result;
    say("op");
}
static int32_t begins_and_forgets(struct taut_mod *m) {
    say("init");
    taut_task(m, NULL, does_nothing, NULL, on_task);
    taut_post(m, on_post, NULL);
    taut_work(m, work, on_work, NULL);
    taut_op_complete(m, taut_op_new(m, NULL, 0, on_op, NULL), TAUT_OK, NULL, NULL);
    return TAUT_OK;
}
static void ends(struct taut_mod *m) {
    (void)m;
    say("fini");
}
static const struct taut_module forgetful = {.size = sizeof forgetful,
                                             .name = "user",
                                             .provides = TAUT_LIST("other/1"),
                                             .init = begins_and_forgets,
                                             .fini = ends};

/* ---- one whose peer has timed out ---- */

static void passes_a_timeout_on(struct taut_mod *m, taut_op op) {
    taut_op_complete(m, op, TAUT_E_TIMEOUT, NULL, NULL);
}
static const struct taut_module slow_peer = {.size = sizeof slow_peer, .name = "user", .start = passes_a_timeout_on};

/* ---- one that takes its time to stop ---- */

static int a_table, a_down;
static taut_op stop_op;
static bool is_switched;
static int32_t provide_thing(struct taut_mod *m) {
    return taut_svc_provide(m, "thing", 1, &a_table, NULL);
}
static void stop_later(struct taut_mod *m, taut_op op) {
    (void)m;
    stop_op = op;
}
static void on_switched(void *arg, const char *failed) {
    (void)arg, (void)failed;
    is_switched = true;
}
static const struct taut_module slow_to_stop = {.size = sizeof slow_to_stop,
                                                .name = "user",
                                                .tables = TAUT_ARRAY(all_tables),
                                                .provides = TAUT_LIST("thing/1"),
                                                .init = provide_thing,
                                                .stop = stop_later};

/* ---- */

static int set_up(void **state, const struct taut_module *def) {
    told[0] = 0;
    module_of_user = def;
    int err = setup(state);
    module_of_user = &user_def;
    for (int i = 0; i < 20; i++) {
        turn();
        uv_sleep(1);
    }
    return err;
}
static int begin_forgetful(void **state) {
    return set_up(state, &forgetful);
}
static int begin_slow_peer(void **state) {
    return set_up(state, &slow_peer);
}

static int begin_slow_to_stop(void **state) {
    return set_up(state, &slow_to_stop);
}

static void a_service_is_down_while_its_module_stops(void **state) {
    const struct taut_svc *svc = svc_get(core_mod(b_->hub), "thing", 1, &a_down);
    const struct module_switch one = {&b_->user_in, false};
    (void)state;
    assert_true(svc->up);
    is_switched = false;
    hub_switch_modules(b_->hub, &one, 1, on_switched, NULL);
    turn();
    assert_false(svc->up);
    assert_false(is_switched);
    taut_op_complete(&b_->user_in.pub, stop_op, TAUT_OK, NULL, NULL);
    for (int i = 0; i < 200 && !is_switched; i++) {
        uv_sleep(5);
        turn();
    }
    assert_true(is_switched);
    assert_false(svc->up);
}

static void nothing_is_called_behind_the_end_of_a_module_that_has_failed(void **state) {
    (void)state;
    assert_int_equal(b_->user_in.state, INSTANCE_FAILED);
    assert_string_equal(told, "init fini");
}

static void a_start_that_fails_by_a_timeout_of_its_own_does_not_hang(void **state) {
    (void)state;
    assert_int_equal(b_->user_in.state, INSTANCE_FAILED);
    assert_string_equal(b_->user_in.hung, "");
    assert_false(b_->hub->hung);
}

static const struct taut_module needed_defs[] = {{.provides = TAUT_LIST("storage/1")},
                                                 {.provides = TAUT_LIST("auth/1")},
                                                 {.provides = TAUT_LIST("extra/1")},
                                                 {.needs = TAUT_LIST("extra/1")}};
static void the_core_needs_a_store_and_who_knows_people(void **state) {
    struct instance in[4] = {{.def = NULL}}, *list[4];
    struct modules ms = {.list = list, .n = 4};
    (void)state;
    for (int i = 0; i < 4; i++) in[i].def = &needed_defs[i], list[i] = &in[i];
    for (int i = 0; i < 4; i++) assert_int_equal(module_is_needed(&ms, &in[i]), i < 3);
    in[3].off = true;
    assert_false(module_is_needed(&ms, &in[2]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_core_needs_a_store_and_who_knows_people),
        cmocka_unit_test_setup_teardown(nothing_is_called_behind_the_end_of_a_module_that_has_failed, begin_forgetful,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_service_is_down_while_its_module_stops, begin_slow_to_stop, teardown),
        cmocka_unit_test_setup_teardown(a_start_that_fails_by_a_timeout_of_its_own_does_not_hang, begin_slow_peer,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
