/* test_health.c - what an instance says of itself: what stays, what is replaced, what is worth a line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "obs/health.h"
#include "taut/host.h"

static struct health h;

static int begin(void **state) {
    (void)state;
    health_init(&h);
    return 0;
}
static int end(void **state) {
    (void)state;
    health_fini(&h);
    return 0;
}

static bool say(uint32_t level, const char *code, const char *text) {
    return health_set(&h, level, code, taut_str_z(text));
}

/* "down a; degraded b": the list as it is told. */
static const char *list(void) {
    static char text[1024];
    struct health_note notes[HEALTH_NOTES];
    uint32_t n = health_list(&h, notes);
    text[0] = 0;
    for (uint32_t i = 0; i < n; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s %s", i ? "; " : "",
                 health_names[notes[i].level], notes[i].code);
    return text;
}

static void nothing_reported_is_ok(void **state) {
    (void)state;
    assert_int_equal(health_worst(&h), TAUT_HEALTH_OK);
    assert_string_equal(list(), "");
    assert_false(say(TAUT_HEALTH_OK, "never", ""));
    assert_false(say(TAUT_HEALTH_OK, NULL, ""));
}

static void the_state_is_the_worst_of_what_stands_and_the_worst_comes_first(void **state) {
    (void)state;
    assert_true(say(TAUT_HEALTH_DEGRADED, "slow", "x"));
    assert_int_equal(health_worst(&h), TAUT_HEALTH_DEGRADED);
    assert_true(say(TAUT_HEALTH_DOWN, "gone", "x"));
    assert_int_equal(health_worst(&h), TAUT_HEALTH_DOWN);
    assert_string_equal(list(), "down gone; degraded slow");
    assert_true(say(TAUT_HEALTH_OK, "gone", ""));
    assert_int_equal(health_worst(&h), TAUT_HEALTH_DEGRADED);
    assert_true(say(TAUT_HEALTH_OK, "slow", ""));
    assert_int_equal(health_worst(&h), TAUT_HEALTH_OK);
}

static void a_report_replaces_the_one_of_its_code_and_only_another_level_is_news(void **state) {
    struct health_note notes[HEALTH_NOTES];
    (void)state;
    assert_true(say(TAUT_HEALTH_DEGRADED, "relay", "one"));
    health_list(&h, notes);
    int64_t since = notes[0].since_us;
    assert_false(say(TAUT_HEALTH_DEGRADED, "relay", "two"));
    assert_int_equal(health_list(&h, notes), 1);
    assert_string_equal(notes[0].text, "two");
    assert_int_equal(notes[0].since_us, since);
    assert_true(say(TAUT_HEALTH_DOWN, "relay", "three"));
    assert_string_equal(list(), "down relay");
}

static void all_of_it_can_be_taken_back_at_once(void **state) {
    (void)state;
    say(TAUT_HEALTH_DEGRADED, "a", "");
    say(TAUT_HEALTH_DOWN, "b", "");
    assert_true(say(TAUT_HEALTH_OK, NULL, ""));
    assert_string_equal(list(), "");
}

static void when_the_list_is_full_what_is_worse_takes_the_place_of_what_is_less_bad(void **state) {
    char code[16];
    (void)state;
    for (int i = 0; i < HEALTH_NOTES; i++) {
        snprintf(code, sizeof code, "c%d", i);
        assert_true(say(TAUT_HEALTH_DEGRADED, code, ""));
    }
    assert_false(say(TAUT_HEALTH_DEGRADED, "one_more", ""));
    assert_null(strstr(list(), "one_more"));
    assert_true(say(TAUT_HEALTH_DOWN, "bad", ""));
    assert_int_equal(health_worst(&h), TAUT_HEALTH_DOWN);
    assert_int_equal(strncmp(list(), "down bad; degraded", strlen("down bad; degraded")), 0);
    assert_null(strstr(list(), "c0"));
}

static void codes_and_texts_that_are_too_long_are_cut_and_still_found(void **state) {
    char code[100], text[600];
    struct health_note notes[HEALTH_NOTES];
    (void)state;
    memset(code, 'c', sizeof code - 1);
    memset(text, 't', sizeof text - 1);
    code[sizeof code - 1] = text[sizeof text - 1] = 0;
    assert_true(say(TAUT_HEALTH_DOWN, code, text));
    assert_int_equal(health_list(&h, notes), 1);
    assert_int_equal(strlen(notes[0].code), HEALTH_CODE - 1);
    assert_int_equal(strlen(notes[0].text), HEALTH_TEXT - 1);
    assert_true(say(TAUT_HEALTH_OK, code, ""));
    assert_string_equal(list(), "");
}

static void a_level_that_does_not_exist_is_down_and_a_code_that_is_missing_is_unnamed(void **state) {
    (void)state;
    assert_true(say(77, NULL, "x"));
    assert_string_equal(list(), "down unnamed");
}

int main(void) {
#define HEALTH_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        HEALTH_TEST(nothing_reported_is_ok),
        HEALTH_TEST(the_state_is_the_worst_of_what_stands_and_the_worst_comes_first),
        HEALTH_TEST(a_report_replaces_the_one_of_its_code_and_only_another_level_is_news),
        HEALTH_TEST(all_of_it_can_be_taken_back_at_once),
        HEALTH_TEST(when_the_list_is_full_what_is_worse_takes_the_place_of_what_is_less_bad),
        HEALTH_TEST(codes_and_texts_that_are_too_long_are_cut_and_still_found),
        HEALTH_TEST(a_level_that_does_not_exist_is_down_and_a_code_that_is_missing_is_unnamed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
