/* test_per_address.c - counting connections by address in a table of a fixed size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>

#include "gateway/per_address.h"

static struct per_address *t;

static int set_up(void **state) {
    (void)state;
    t = per_address_new(100);
    return 0;
}
static int tear_down(void **state) {
    (void)state;
    per_address_free(t);
    return 0;
}

static struct addr address(const char *text) {
    struct addr a;
    assert_true(addr_parse(taut_str_z(text), false, &a));
    return a;
}

static enum admission take(int64_t connections, int64_t per_second, const char *text, uint64_t now_ms,
                           struct seat *seat) {
    struct addr a = address(text);
    return per_address_take(t, &(struct per_address_limits){connections, per_second}, &a, now_ms, seat);
}

static void an_address_has_as_many_as_it_may_and_one_more_when_one_has_gone(void **state) {
    (void)state;
    struct seat a = {0}, b = {0}, c = {0}, other = {0};
    assert_int_equal(take(2, 0, "192.0.2.7", 0, &a), ADMITTED);
    assert_int_equal(take(2, 0, "192.0.2.7", 0, &b), ADMITTED);
    assert_int_equal(take(2, 0, "192.0.2.7", 0, &c), TOO_MANY);
    assert_true(c.group == 0);
    assert_int_equal(take(2, 0, "192.0.2.8", 0, &other), ADMITTED);
    per_address_give_back(t, &a);
    per_address_give_back(t, &a); /* has nothing any more */
    assert_int_equal(take(2, 0, "192.0.2.7", 0, &c), ADMITTED);
    assert_int_equal(take(2, 0, "192.0.2.7", 0, &a), TOO_MANY);
}

static void the_addresses_of_one_ipv6_64_count_together(void **state) {
    (void)state;
    struct seat seat = {0};
    assert_int_equal(take(1, 0, "2001:db8:0:1::1", 0, &seat), ADMITTED);
    assert_int_equal(take(1, 0, "2001:db8:0:1::2", 0, &seat), TOO_MANY);
    assert_int_equal(take(1, 0, "2001:db8:0:2::1", 0, &seat), ADMITTED);
}

static void a_burst_of_ten_seconds_may_come_at_once_then_so_many_a_second(void **state) {
    (void)state;
    struct seat seat;
    for (int i = 0; i < 20; i++) assert_int_equal(take(0, 2, "192.0.2.7", 5000, &seat), ADMITTED);
    assert_int_equal(take(0, 2, "192.0.2.7", 5000, &seat), TOO_FAST);
    assert_int_equal(take(0, 2, "192.0.2.7", 5499, &seat), TOO_FAST);
    assert_int_equal(take(0, 2, "192.0.2.7", 5500, &seat), ADMITTED);
    assert_int_equal(take(0, 2, "192.0.2.7", 5500, &seat), TOO_FAST);
    for (int i = 0; i < 20; i++) assert_int_equal(take(0, 2, "192.0.2.7", 1000000, &seat), ADMITTED);
    assert_int_equal(take(0, 2, "192.0.2.7", 1000000, &seat), TOO_FAST);
}

static void who_was_refused_does_not_pay_for_it(void **state) {
    (void)state;
    struct seat seat;
    for (int i = 0; i < 10; i++) assert_int_equal(take(0, 1, "192.0.2.7", 0, &seat), ADMITTED);
    for (int i = 0; i < 1000; i++) assert_int_equal(take(0, 1, "192.0.2.7", 900, &seat), TOO_FAST);
    assert_int_equal(take(0, 1, "192.0.2.7", 1000, &seat), ADMITTED);
}

/* The table has 1024 entries: a whole /48 comes, and the one who has connections is still known. */
static void a_flood_of_addresses_neither_grows_the_table_nor_drives_out_who_is_connected(void **state) {
    (void)state;
    struct seat first[8], seat = {0};
    for (int i = 0; i < 8; i++) assert_int_equal(take(8, 100, "192.0.2.7", 0, &first[i]), ADMITTED);
    for (int i = 0; i < 65536; i++) {
        char text[ADDR_TEXT];
        snprintf(text, sizeof text, "2001:db8:0:%x::1", (unsigned)i);
        assert_int_equal(take(8, 100, text, 1, &seat), ADMITTED);
        per_address_give_back(t, &seat);
    }
    assert_int_equal(take(8, 100, "192.0.2.7", 2, &seat), TOO_MANY);
    for (int i = 0; i < 8; i++) per_address_give_back(t, &first[i]);
    assert_int_equal(take(8, 100, "192.0.2.7", 2, &seat), ADMITTED);
}

static void who_finds_no_place_in_a_full_table_is_let_in_uncounted(void **state) {
    (void)state;
    int uncounted = 0;
    for (int i = 0; i < 2048; i++) {
        char text[ADDR_TEXT];
        struct seat seat = {0};
        snprintf(text, sizeof text, "2001:db8:0:%x::1", (unsigned)i);
        assert_int_equal(take(8, 100, text, 1, &seat), ADMITTED);
        uncounted += seat.group == 0;
        if (!seat.group) per_address_give_back(t, &seat);
    }
    assert_in_range(uncounted, 1024, 1500);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_address_has_as_many_as_it_may_and_one_more_when_one_has_gone),
        TEST(the_addresses_of_one_ipv6_64_count_together),
        TEST(a_burst_of_ten_seconds_may_come_at_once_then_so_many_a_second),
        TEST(who_was_refused_does_not_pay_for_it),
        TEST(a_flood_of_addresses_neither_grows_the_table_nor_drives_out_who_is_connected),
        TEST(who_finds_no_place_in_a_full_table_is_let_in_uncounted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
