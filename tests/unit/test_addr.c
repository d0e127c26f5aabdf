/* test_addr.c - IP addresses and networks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "base/addr.h"

static struct addr parsed(const char *text) {
    struct addr a;
    if (!addr_parse(taut_str_z(text), true, &a)) fail_msg("\"%s\" is no address", text);
    return a;
}

static void reads_as(const char *text, const char *expected) {
    char out[ADDR_TEXT];
    struct addr a = parsed(text);
    assert_string_equal(addr_text(&a, out).ptr, expected);
}

static void addresses_are_read_in_all_the_forms_that_proxies_write(void **state) {
    (void)state;
    reads_as("192.0.2.7", "192.0.2.7");
    reads_as("192.0.2.7:4711", "192.0.2.7");
    reads_as("2001:DB8::1", "2001:db8::1");
    reads_as("[2001:db8::1]", "2001:db8::1");
    reads_as("[2001:db8::1]:443", "2001:db8::1");
    reads_as("::1", "::1");
}

static void an_ipv4_address_in_ipv6_form_is_the_same_address(void **state) {
    (void)state;
    struct addr a = parsed("192.0.2.7"), b = parsed("::ffff:192.0.2.7");
    assert_true(addr_eq(&a, &b));
    reads_as("::ffff:192.0.2.7", "192.0.2.7");
}

static void what_is_no_address_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"",
                                      "unknown",
                                      "_hidden",
                                      "192.0.2",
                                      "192.0.2.256",
                                      "192.0.2.7:",
                                      "192.0.2.7:x",
                                      "192.0.2.7:99999999",
                                      "[192.0.2.7]",
                                      "[::1",
                                      "[::1]443",
                                      "[::1]:",
                                      "::1 ",
                                      " 192.0.2.7",
                                      "1.2.3.4, 5.6.7.8",
                                      "0x7f000001",
                                      "127.1",
                                      "::ffff:1.2.3.4:80"};
    struct addr a;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (addr_parse(taut_str_z(bad[i]), true, &a)) fail_msg("\"%s\" was taken for an address", bad[i]);
    assert_false(addr_parse(TAUT_LIT("192.0.2.7:80"), false, &a));
    assert_false(addr_parse(TAUT_LIT("[::1]:80"), false, &a));
    assert_false(addr_parse(TAUT_LIT("::1\0garbage"), false, &a));
}

static void the_address_of_a_socket_is_read_for_both_families(void **state) {
    (void)state;
    char text[ADDR_TEXT];
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    inet_pton(AF_INET, "192.0.2.7", &four.sin_addr);
    inet_pton(AF_INET6, "::ffff:192.0.2.7", &six.sin6_addr);
    struct addr a = addr_of((struct sockaddr *)&four), b = addr_of((struct sockaddr *)&six);
    assert_true(addr_eq(&a, &b));
    struct sockaddr local = {.sa_family = AF_UNIX};
    a = addr_of(&local);
    assert_string_equal(addr_text(&a, text).ptr, "-");
}

static void loopback_is_all_of_127_and_1(void **state) {
    (void)state;
    struct addr a = parsed("127.8.9.10"), b = parsed("::1"), c = parsed("128.0.0.1"), d = parsed("::2");
    assert_true(addr_is_loopback(&a) && addr_is_loopback(&b));
    assert_false(addr_is_loopback(&c) || addr_is_loopback(&d));
}

static uint64_t group(const char *text) {
    struct addr a = parsed(text);
    return addr_group(&a);
}

static void limits_take_an_ipv6_64_for_one_and_every_ipv4_address_for_itself(void **state) {
    (void)state;
    assert_true(group("2001:db8:0:1::1") == group("2001:db8:0:1:ffff:ffff:ffff:ffff"));
    assert_true(group("2001:db8:0:1::1") != group("2001:db8:0:2::1"));
    assert_true(group("192.0.2.7") != group("192.0.2.8"));
    assert_true(group("192.0.2.7") == group("::ffff:192.0.2.7"));
    assert_true(group("::1") != 0);
}

static bool is_in(const char *net, const char *address) {
    struct addr_net n;
    struct addr a = parsed(address);
    if (!addr_net_parse(taut_str_z(net), &n)) fail_msg("\"%s\" is no network", net);
    return addr_nets_have(&(struct addr_nets){&n, 1}, &a);
}

static void networks_hold_what_their_bits_say(void **state) {
    (void)state;
    assert_true(is_in("10.0.0.0/8", "10.255.1.2"));
    assert_false(is_in("10.0.0.0/8", "11.0.0.1"));
    assert_true(is_in("192.0.2.128/25", "192.0.2.200"));
    assert_false(is_in("192.0.2.128/25", "192.0.2.127"));
    assert_true(is_in("192.0.2.7", "192.0.2.7"));
    assert_false(is_in("192.0.2.7", "192.0.2.6"));
    assert_true(is_in("192.0.2.7/24", "192.0.2.99")); /* bits behind the mask do not matter */
    assert_true(is_in("2001:db8::/33", "2001:db8:7fff::1"));
    assert_false(is_in("2001:db8::/33", "2001:db8:8000::1"));
    assert_true(is_in("0.0.0.0/0", "8.8.8.8"));
}

static void a_network_of_one_family_has_none_of_the_other(void **state) {
    (void)state;
    assert_false(is_in("::/0", "192.0.2.7"));
    assert_false(is_in("0.0.0.0/0", "2001:db8::1"));
    assert_true(is_in("::/0", "2001:db8::1"));
}

static void what_is_no_network_is_named(void **state) {
    (void)state;
    static const char *const bad[] = {"10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1",
                                      "10.0.0.0/8x", "ten/8",  "/8"};
    struct addr_net net;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (addr_net_parse(taut_str_z(bad[i]), &net)) fail_msg("\"%s\" was taken for a network", bad[i]);
    taut_str items[] = {TAUT_LIT("10.0.0.0/8"), TAUT_LIT("proxy")}, wrong;
    struct addr_nets nets;
    assert_false(addr_nets_parse((struct taut_array)TAUT_ARRAY(items), &nets, &wrong));
    assert_true(taut_str_is(wrong, "proxy"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read_in_all_the_forms_that_proxies_write),
        cmocka_unit_test(an_ipv4_address_in_ipv6_form_is_the_same_address),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(the_address_of_a_socket_is_read_for_both_families),
        cmocka_unit_test(loopback_is_all_of_127_and_1),
        cmocka_unit_test(limits_take_an_ipv6_64_for_one_and_every_ipv4_address_for_itself),
        cmocka_unit_test(networks_hold_what_their_bits_say),
        cmocka_unit_test(a_network_of_one_family_has_none_of_the_other),
        cmocka_unit_test(what_is_no_network_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
