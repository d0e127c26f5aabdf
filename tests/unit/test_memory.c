/* test_memory.c - what a module holds of the host: its limits, from any thread, and what is said of it. */
#include "hub_harness.h"

enum { KIB = 1024 };

static struct taut_mod *module(void) {
    return &b_->user_in.pub;
}
static struct seen *seen_of_it(void) {
    return b_->user_in.seen;
}
static void limit(int64_t soft, int64_t hard) {
    seen_limit_memory(seen_of_it(), soft, hard);
}
static uint32_t health(void) {
    return health_worst(&seen_of_it()->health);
}
static void assert_said(const char *text) {
    struct health_note list[HEALTH_NOTES];
    uint32_t n = health_list(&seen_of_it()->health, list);
    for (uint32_t i = 0; i < n; i++)
        if (!strncmp(list[i].text, text, strlen(text))) return;
    fail_msg("nobody said \"%s\"", text);
}

static void above_the_soft_limit_it_is_degraded_until_it_is_well_below(void **state) {
    (void)state;
    limit(100 * KIB, 0);
    void *most = taut_alloc(module(), 95 * KIB);
    assert_int_equal(health(), TAUT_HEALTH_OK);
    void *more = taut_alloc(module(), 10 * KIB);
    assert_int_equal(health(), TAUT_HEALTH_DEGRADED);
    assert_said("holds 10");
    taut_free(module(), more);
    assert_int_equal(health(), TAUT_HEALTH_DEGRADED); /* not well below: no to and fro */
    taut_free(module(), most);
    assert_int_equal(health(), TAUT_HEALTH_OK);
}

static void above_the_hard_limit_it_gets_nothing_and_keeps_what_it_has(void **state) {
    (void)state;
    limit(0, 100 * KIB);
    char *p = taut_alloc(module(), 60 * KIB);
    p[0] = 'x';
    assert_null(taut_alloc(module(), 60 * KIB));
    assert_null(taut_realloc(module(), p, 120 * KIB));
    assert_null(taut_alloc(module(), SIZE_MAX / 2));
    assert_int_equal(p[0], 'x');
    assert_int_equal(seen_of_it()->allocations_refused, 3);
    assert_int_equal(health(), TAUT_HEALTH_DEGRADED);
    assert_said("asked for ");
    p = taut_realloc(module(), p, 90 * KIB);
    assert_non_null(p);
    p = taut_realloc(module(), p, 1 * KIB);
    assert_int_equal(health(), TAUT_HEALTH_OK);
    taut_free(module(), p);
    assert_int_equal(seen_of_it()->memory_bytes, 0);
}

static void limits_that_a_reload_moves_are_looked_at_at_once(void **state) {
    (void)state;
    void *p = taut_alloc(module(), 50 * KIB);
    limit(10 * KIB, 20 * KIB);
    hub_sample(b_->hub);
    assert_int_equal(health(), TAUT_HEALTH_DEGRADED);
    assert_null(taut_alloc(module(), 1));
    limit(0, 0);
    hub_sample(b_->hub);
    assert_int_equal(health(), TAUT_HEALTH_OK);
    taut_free(module(), p);
}

static void take_and_give(void *arg) {
    (void)arg;
    for (int i = 0; i < 2000; i++) {
        void *p = taut_alloc(module(), 8 * KIB), *q = taut_alloc(module(), 8 * KIB);
        taut_free(module(), p);
        taut_free(module(), q);
    }
}
static void any_thread_may_reach_them(void **state) {
    (void)state;
    uv_thread_t threads[4];
    limit(10 * KIB, 40 * KIB);
    for (int i = 0; i < 4; i++) assert_int_equal(uv_thread_create(&threads[i], take_and_give, NULL), 0);
    for (int i = 0; i < 4; i++) uv_thread_join(&threads[i]);
    assert_int_equal(seen_of_it()->memory_bytes, 0);
    hub_sample(b_->hub);
    assert_int_equal(health(), TAUT_HEALTH_OK);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        T(above_the_soft_limit_it_is_degraded_until_it_is_well_below),
        T(above_the_hard_limit_it_gets_nothing_and_keeps_what_it_has),
        T(limits_that_a_reload_moves_are_looked_at_at_once),
        T(any_thread_may_reach_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
