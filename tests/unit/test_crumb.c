/* test_crumb.c - breadcrumbs: what is said to run, whose time it is, and what happens where there is no record. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "obs/crumb.h"
#include "obs/log.h"

static struct crumb_owner chat = {.name = "chat"}, store = {.name = "store"};

static const char *running(const char *thread) {
    static char text[160];
    crumb_describe(crumb_thread_find(thread), text, sizeof text);
    return text;
}

static void pass(unsigned us) {
    for (uint64_t until = clock_mono_ns() + us * 1000u; clock_mono_ns() < until;) continue;
}

static void the_innermost_callback_is_named_with_its_owner(void **state) {
    (void)state;
    crumb_thread_begin("hub");
    assert_string_equal(running("hub"), "");
    crumb_enter(&chat, CRUMB_METHOD, "chat.postMessage");
    assert_string_equal(running("hub"), "method chat.postMessage of chat");
    crumb_enter(&store, CRUMB_SERVICE, "storage/1 commit");
    assert_string_equal(running("hub"), "service storage/1 commit of store");
    crumb_leave(NULL);
    crumb_enter(&chat, CRUMB_TIMER, NULL);
    assert_string_equal(running("hub"), "timer of chat");
    crumb_leave(NULL);
    crumb_enter(NULL, CRUMB_OP, NULL);
    assert_string_equal(running("hub"), "op");
    crumb_leave(NULL);
    crumb_leave(NULL);
    assert_string_equal(running("hub"), "");
    crumb_thread_end();
}

static void an_owner_is_not_charged_for_what_it_called_of_others(void **state) {
    struct histogram also = {.sum = 0};
    (void)state;
    chat = (struct crumb_owner){.name = "chat"};
    store = (struct crumb_owner){.name = "store"};
    crumb_thread_begin("hub");
    crumb_enter(&chat, CRUMB_METHOD, "m");
    pass(200);
    crumb_enter(&store, CRUMB_SERVICE, "s");
    pass(2000);
    crumb_leave(NULL);
    crumb_leave(&also);
    crumb_thread_end();
    assert_int_equal(histogram_count(&chat.kinds[CRUMB_METHOD]), 1);
    assert_int_equal(histogram_count(&store.kinds[CRUMB_SERVICE]), 1);
    assert_int_equal(histogram_count(&also), 1);
    assert_true(atomic_load(&store.busy_ns) >= 2000000);
    assert_true(atomic_load(&chat.busy_ns) >= 200000);
    uint64_t whole = atomic_load(&chat.kinds[CRUMB_METHOD].sum), inner = atomic_load(&store.kinds[CRUMB_SERVICE].sum);
    assert_int_equal(atomic_load(&also.sum), whole);
    assert_int_equal(atomic_load(&chat.busy_ns), whole - inner);
}

static void work_on_the_pool_is_not_time_of_the_hub(void **state) {
    (void)state;
    chat = (struct crumb_owner){.name = "chat"};
    crumb_thread_begin("pool 1");
    crumb_enter(&chat, CRUMB_WORK, NULL);
    crumb_leave(NULL);
    crumb_thread_end();
    assert_int_equal(histogram_count(&chat.kinds[CRUMB_WORK]), 1);
    assert_int_equal(atomic_load(&chat.busy_ns), 0);
}

static void callbacks_that_nest_deeper_than_there_are_places_come_and_go_all_the_same(void **state) {
    enum { DEEP = CRUMB_DEPTH + 20 };
    (void)state;
    chat = (struct crumb_owner){.name = "chat"};
    crumb_thread_begin("hub");
    for (int i = 0; i < DEEP; i++) crumb_enter(&chat, CRUMB_HOOK, i == CRUMB_DEPTH - 1 ? "the last that is kept" : "x");
    assert_string_equal(running("hub"), "hook the last that is kept of chat");
    for (int i = 0; i < DEEP; i++) crumb_leave(NULL);
    assert_string_equal(running("hub"), "");
    assert_int_equal(histogram_count(&chat.kinds[CRUMB_HOOK]), CRUMB_DEPTH);
    crumb_thread_end();
}

static void a_thread_without_a_record_leaves_no_crumbs(void **state) {
    (void)state;
    chat = (struct crumb_owner){.name = "chat"};
    crumb_enter(&chat, CRUMB_METHOD, "m");
    crumb_leave(NULL);
    assert_int_equal(histogram_count(&chat.kinds[CRUMB_METHOD]), 0);
    assert_null(crumb_thread_find("hub"));
    crumb_thread_end(); /* and has none to give back */
}

static void a_description_is_cut_where_there_is_no_room(void **state) {
    char text[12];
    (void)state;
    crumb_thread_begin("hub");
    crumb_enter(&chat, CRUMB_METHOD, "chat.postMessage");
    assert_int_equal(crumb_describe(crumb_here, text, sizeof text), 11);
    assert_string_equal(text, "method chat");
    crumb_leave(NULL);
    assert_int_equal(crumb_describe(NULL, text, sizeof text), 0);
    assert_string_equal(text, "");
    crumb_thread_end();
}

/* ---- more threads than there are records ---- */

enum { TOO_MANY = CRUMB_THREADS + 6 };
static pthread_barrier_t all_begun, all_looked;

static void *begin_and_wait(void *arg) {
    bool *has = arg;
    crumb_thread_begin("one of many");
    *has = crumb_here != NULL;
    pthread_barrier_wait(&all_begun);
    pthread_barrier_wait(&all_looked);
    crumb_thread_end();
    return NULL;
}

static void threads_for_which_there_is_no_record_do_without(void **state) {
    pthread_t threads[TOO_MANY];
    bool has[TOO_MANY];
    int n = 0;
    (void)state;
    pthread_barrier_init(&all_begun, NULL, TOO_MANY + 1);
    pthread_barrier_init(&all_looked, NULL, TOO_MANY + 1);
    for (int i = 0; i < TOO_MANY; i++) pthread_create(&threads[i], NULL, begin_and_wait, &has[i]);
    pthread_barrier_wait(&all_begun);
    for (int i = 0; i < TOO_MANY; i++) n += has[i];
    pthread_barrier_wait(&all_looked);
    for (int i = 0; i < TOO_MANY; i++) pthread_join(threads[i], NULL);
    assert_int_equal(n, CRUMB_THREADS);
    crumb_thread_begin("hub"); /* their places are free again */
    assert_non_null(crumb_here);
    crumb_thread_end();
}

static void every_kind_has_a_name(void **state) {
    (void)state;
    for (int i = 0; i < CRUMB_KINDS; i++) assert_non_null(crumb_kinds[i]);
    assert_string_equal(crumb_kinds[CRUMB_RECONFIGURE], "reconfigure");
    assert_string_equal(crumb_kinds[CRUMB_SERVICE], "service");
    assert_string_equal(crumb_kinds[CRUMB_TASK_DONE], "task_done");
    assert_string_equal(crumb_kinds[CRUMB_AT_END], "at_end");
}

/* Also when it holds it through what it calls: that one is named, and no other. */
static void one_that_holds_the_hub_is_named(void **state) {
    struct log_recent lines[LOG_RECENT];
    (void)state;
    crumb_thread_begin("hub");
    crumb_enter(&chat, CRUMB_METHOD, "chat.postMessage");
    crumb_enter(&store, CRUMB_SERVICE, "storage/1 commit");
    pass(CRUMB_SLOW_MS * 1000 + 1000);
    crumb_leave(NULL);
    crumb_leave(NULL);
    crumb_enter(&chat, CRUMB_INIT, NULL);
    pass(CRUMB_SLOW_MS * 1000 + 1000);
    crumb_leave(NULL);
    crumb_thread_end();
    assert_int_equal(log_recent(lines), 1);
    assert_string_equal(lines[0].who, "store");
    assert_string_equal(lines[0].event, "slow_callback");
    assert_int_equal(strncmp(lines[0].text, "service storage/1 commit held the hub, and everybody, for 50", 60), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_innermost_callback_is_named_with_its_owner),
        cmocka_unit_test(an_owner_is_not_charged_for_what_it_called_of_others),
        cmocka_unit_test(work_on_the_pool_is_not_time_of_the_hub),
        cmocka_unit_test(callbacks_that_nest_deeper_than_there_are_places_come_and_go_all_the_same),
        cmocka_unit_test(a_thread_without_a_record_leaves_no_crumbs),
        cmocka_unit_test(a_description_is_cut_where_there_is_no_room),
        cmocka_unit_test(threads_for_which_there_is_no_record_do_without),
        cmocka_unit_test(every_kind_has_a_name),
        cmocka_unit_test(one_that_holds_the_hub_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
