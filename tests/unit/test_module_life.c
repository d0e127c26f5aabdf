/* test_module_life.c - starts that fail in ways of their own: nothing of the module is called behind its fini, and only
 * a deadline that has passed is a hang. */
#include "hub_harness.h"

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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_called_behind_the_end_of_a_module_that_has_failed, begin_forgetful,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_start_that_fails_by_a_timeout_of_its_own_does_not_hang, begin_slow_peer,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
