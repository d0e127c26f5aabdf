/* test_reconfigure.c - a new configuration for modules that run: what is applied, what is named, the two phases, and
 * how long the old values live. The modules are tests/badmods/live.c. */
#include <stdio.h>

#include "config_harness.h"
#include "module/internal.h"
#include "module/reconfigure.h"

#define DIR TAUT_MODULE_DIR "/../badmods"

struct options { /* of live.c */
    int64_t level, floor, fixed;
    taut_str greeting;
    struct taut_array names;
    taut_str label;
};

static char seen[2][512];

static struct modules *load(const char *yaml, struct config **c) {
    const struct config_override o = {.data = "/data"};
    *c = config_read_text("taut.yaml", taut_str_z(yaml), &o);
    struct modules *ms = loader_load(*c, DIR);
    assert_problems(&(*c)->errors, "");
    return ms;
}

/* Modules that run, with the text in which they note what they are told. */
static struct modules *start(const char *yaml, struct config **c) {
    struct modules *ms = load(yaml, c);
    for (uint32_t i = 0; i < ms->n && i < 2; i++) seen[i][0] = 0, ms->list[i]->pub.state = seen[i];
    return ms;
}

static const struct options *options_of(const struct modules *ms, uint32_t i) {
    return ms->list[i]->pub.config;
}

static void assert_names(const struct change_list *l, const char *names) {
    struct arena a = {0};
    assert_string_equal(option_list_text(&a, l->names, l->n).ptr, names);
    arena_free(&a);
}

/* A reload with this file. errors: none means that it is committed. */
static void reload(struct modules *ms, const char *yaml, const char *applied, const char *restart, const char *errors) {
    struct config *c;
    struct arena a = {0};
    modules_reap(ms);
    struct modules *wanted = load(yaml, &c);
    struct reconfigure r = {.arena = &a, .running = ms, .config = c};
    reconfigure_find(&r, wanted);
    assert_names(&r.applied, applied);
    assert_names(&r.restart, restart);
    if (reconfigure_prepare(&r)) reconfigure_commit(&r);
    for (uint32_t i = 0; i < r.nswitches; i++) r.switches[i].in->off = !r.switches[i].on; /* as the hub does */
    assert_problems(&c->errors, errors);
    modules_free(wanted);
    config_free(c);
    arena_free(&a);
}

static void test_live_options_change_and_all_others_are_named(void **state) {
    (void)state;
    struct config *c;
    struct modules *ms = start("modules: [live: { level: 1, fixed: 1 }]\n", &c);
    reload(ms, "modules: [live: { level: 2, fixed: 2, greeting: hi, names: [x] }]\n",
           "modules.live.level, modules.live.greeting, modules.live.names", "modules.live.fixed", "");
    const struct options *o = options_of(ms, 0);
    assert_int_equal(o->level, 2);
    assert_int_equal(o->fixed, 1);
    assert_str(o->greeting, "hi");
    assert_int_equal(o->names.len, 1);
    assert_string_equal(seen[0], "prepare 1>2, commit 1>2");
    reload(ms, "modules: [live: { level: 2, fixed: 2, greeting: hi, names: [x] }]\n", "", "modules.live.fixed", "");
    assert_string_equal(seen[0], "prepare 1>2, commit 1>2");
    assert_ptr_equal(options_of(ms, 0), o);
    modules_free(ms);
    config_free(c);
}

static void test_one_that_has_failed_is_started_anew_and_one_that_hangs_is_not_told(void **state) {
    (void)state;
    struct config *c;
    struct modules *ms = start("modules: [live: { level: 1 }]\n", &c);
    ms->list[0]->state = INSTANCE_FAILED; /* its start failed: it has cleaned up */
    reload(ms, "modules: [live: { level: 2 }]\n", "modules.live (started)", "", "");
    assert_string_equal(seen[0], "");
    snprintf(ms->list[0]->hung, sizeof ms->list[0]->hung, "did not start within 1 s");
    reload(ms, "modules: [live: { level: 3 }]\n", "modules.live.level", "", "");
    assert_string_equal(seen[0], "");
    modules_free(ms);
    config_free(c);
}

static void test_values_that_were_replaced_live_until_they_are_reaped(void **state) {
    (void)state;
    struct config *c;
    struct modules *ms = start("modules: [live: { greeting: one }]\n", &c);
    const struct options *first = options_of(ms, 0);
    reload(ms, "modules: [live: { greeting: two }]\n", "modules.live.greeting", "", "");
    const struct options *second = options_of(ms, 0);
    reload(ms, "modules: [live: { greeting: three }]\n", "modules.live.greeting", "", "");
    assert_str(first->greeting, "one"); /* the start's stay for good */
    assert_str(second->greeting, "two");
    assert_str(options_of(ms, 0)->greeting, "three");
    modules_reap(ms); /* with ASan: second is gone, nothing leaks */
    modules_free(ms);
    config_free(c);
}

static void test_when_one_refuses_nobody_changes(void **state) {
    (void)state;
    struct config *c;
    struct modules *ms = start("modules: [live, live_two]\n", &c);
    reload(ms, "modules:\n- live: { level: 2 }\n- live_two: { level: 13 }\n",
           "modules.live.level, modules.live_two.level", "",
           "taut.yaml:3:22: modules.live_two.level: 13 brings bad luck; take another\n");
    assert_string_equal(seen[0], "prepare 1>2, cancel 1>2");
    assert_string_equal(seen[1], "prepare 1>13");
    assert_int_equal(options_of(ms, 0)->level, 1);
    reload(ms, "modules:\n- live: { level: 14 }\n- live_two: { level: 2 }\n",
           "modules.live.level, modules.live_two.level", "",
           "taut.yaml:2:3: modules.live: the module refuses the new values: unavailable\n");
    assert_string_equal(seen[1], "prepare 1>13");
    reload(ms, "modules:\n- live: { level: 3 }\n- live_two: { level: 2 }\n",
           "modules.live.level, modules.live_two.level", "", "");
    assert_int_equal(options_of(ms, 0)->level, 3);
    assert_int_equal(options_of(ms, 1)->level, 2);
    modules_free(ms);
    config_free(c);
}

static void test_modules_that_come_go_or_change_places_are_named(void **state) {
    (void)state;
    struct config *c;
    struct modules *ms = start("modules: [live, chain_a]\n", &c);
    reload(ms, "modules: [live, live_two]\n", "modules.chain_a (stopped)", "modules.live_two", "");
    reload(ms, "modules: [chain_a, live: { level: 4 }]\n", "modules.chain_a (started), modules.live.level", "modules",
           "");
    reload(ms, "modules: [live_two: { as: live }, chain_a]\n", "", "modules.live", "");
    modules_free(ms);
    config_free(c);
}

static void test_who_goes_is_stopped_behind_those_who_need_it_and_comes_back_before_them(void **state) {
    (void)state;
    struct config *c;
    struct modules *ms = start("modules: [live, chain_a, chain_b]\n", &c);
    reload(ms, "modules: [live]\n", "modules.chain_b (stopped), modules.chain_a (stopped)", "", "");
    reload(ms, "modules: [live]\n", "", "", "");
    reload(ms, "modules: [live, chain_a, chain_b]\n", "modules.chain_a (started), modules.chain_b (started)", "", "");
    reload(ms, "modules: [live, chain_a, chain_b: { enabled: no }]\n", "modules.chain_b (stopped)", "", "");
    reload(ms, "modules: [live, chain_a, chain_b: { enabled: yes, memory: { soft: 1MiB } }]\n",
           "modules.chain_b (started)", "", "");
    assert_int_equal(ms->list[2]->item.memory.soft, 1 << 20);
    modules_free(ms);
    config_free(c);
}

static void test_nobody_loses_what_it_needs_and_nobody_starts_without(void **state) {
    (void)state;
    struct config *c;
    struct modules *ms = start("modules: [live, chain_a, chain_b]\n", &c);
    reload(ms, "modules: [live, chain_e, chain_b]\n", "", "modules.chain_a, modules.chain_e", "");
    modules_free(ms);
    config_free(c);
    ms = start("modules: [live, chain_b: { enabled: no }]\n", &c);
    assert_true(ms->list[1]->off);
    reload(ms, "modules: [live, chain_a, chain_b]\n", "", "modules.chain_b, modules.chain_a", "");
    assert_true(ms->list[1]->off);
    modules_free(ms);
    config_free(c);
}

static void test_who_is_started_again_gets_all_of_its_new_values(void **state) {
    (void)state;
    struct config *c;
    struct modules *ms = start("modules: [live: { enabled: no, level: 1, fixed: 1 }, chain_a]\n", &c);
    reload(ms, "modules: [live: { level: 2, fixed: 2, greeting: hi, names: [x] }, chain_a]\n", "modules.live (started)",
           "", "");
    const struct options *o = options_of(ms, 0);
    assert_int_equal(o->fixed, 2);
    assert_str(o->greeting, "hi");
    assert_int_equal(o->names.len, 1);
    assert_string_equal(seen[0], ""); /* nobody is asked who does not run */
    modules_free(ms);
    config_free(c);
}

static void test_what_is_not_live_stays_where_it_is_until_the_module_is_started_again(void **state) {
    (void)state;
    struct config *c;
    struct modules *ms = start("modules: [live: { level: 1, label: one }, chain_a]\n", &c);
    for (int round = 0; round < 2; round++) {
        reload(ms, "modules: [chain_a]\n", "modules.live (stopped)", "", "");
        reload(ms, "modules: [live: { level: 1, label: two }, chain_a]\n", "modules.live (started)", "", "");
        taut_str label = options_of(ms, 0)->label;
        reload(ms, "modules: [live: { level: 2, label: two }, chain_a]\n", "modules.live.level", "", "");
        reload(ms, "modules: [live: { level: 3, label: two }, chain_a]\n", "modules.live.level", "", "");
        modules_reap(ms);
        assert_ptr_equal(options_of(ms, 0)->label.ptr, label.ptr);
        assert_str(label, "two"); /* with ASan: nothing of it was freed, and nothing leaks */
    }
    modules_free(ms);
    config_free(c);
}

static void test_one_that_hangs_is_not_started_again(void **state) {
    (void)state;
    struct config *c;
    struct modules *ms = start("modules: [live, chain_a]\n", &c);
    reload(ms, "modules: [live]\n", "modules.chain_a (stopped)", "", "");
    snprintf(ms->list[1]->hung, sizeof ms->list[1]->hung, "did not stop within 10 s");
    reload(ms, "modules: [live, chain_a]\n", "", "modules.chain_a", "");
    assert_true(ms->list[1]->off);
    modules_free(ms);
    config_free(c);
}

static void test_what_is_right_only_after_a_restart_waits_for_it(void **state) {
    (void)state;
    struct config *c;
    struct modules *ms = start("modules: [live: { level: 5, floor: 5 }]\n", &c);
    reload(ms, "modules: [live: { level: 3, floor: 2 }]\n", "", "modules.live.floor, modules.live.level", "");
    assert_int_equal(options_of(ms, 0)->level, 5);
    assert_string_equal(seen[0], "");
    modules_free(ms);
    config_free(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_live_options_change_and_all_others_are_named),
        cmocka_unit_test(test_one_that_has_failed_is_started_anew_and_one_that_hangs_is_not_told),
        cmocka_unit_test(test_values_that_were_replaced_live_until_they_are_reaped),
        cmocka_unit_test(test_when_one_refuses_nobody_changes),
        cmocka_unit_test(test_modules_that_come_go_or_change_places_are_named),
        cmocka_unit_test(test_who_goes_is_stopped_behind_those_who_need_it_and_comes_back_before_them),
        cmocka_unit_test(test_nobody_loses_what_it_needs_and_nobody_starts_without),
        cmocka_unit_test(test_who_is_started_again_gets_all_of_its_new_values),
        cmocka_unit_test(test_what_is_not_live_stays_where_it_is_until_the_module_is_started_again),
        cmocka_unit_test(test_one_that_hangs_is_not_started_again),
        cmocka_unit_test(test_what_is_right_only_after_a_restart_waits_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
