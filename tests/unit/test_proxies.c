/* test_proxies.c - who asks, through proxies; and which origins and hosts are the server's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gateway/origin.h"
#include "gateway/proxies.h"

static struct addr address(const char *text) {
    struct addr a;
    assert_true(addr_parse(taut_str_z(text), false, &a));
    return a;
}

static struct asker ask(const char *peer, const char *head) {
    taut_str items[] = {TAUT_LIT("10.0.0.0/8"), TAUT_LIT("2001:db8:aaaa::/48")};
    struct addr_nets trusted;
    taut_str bad;
    assert_true(addr_nets_parse((struct taut_array)TAUT_ARRAY(items), &trusted, &bad));
    struct remote p = {.addr = address(peer)};
    p.is_proxy = addr_nets_have(&trusted, &p.addr);
    struct asker who = proxies_asker(&trusted, &p, taut_str_z(head), TAUT_LIT("direct:8065"));
    addr_nets_free(&trusted);
    return who;
}

static void asks(const char *peer, const char *head, const char *expected) {
    char text[ADDR_TEXT];
    struct asker who = ask(peer, head);
    assert_string_equal(addr_text(&who.addr, text).ptr, expected);
}

#define HEAD(lines) "GET / HTTP/1.1\r\nHost: direct:8065\r\n" lines "\r\n"

static void a_peer_that_is_not_trusted_is_the_client_whatever_it_says(void **state) {
    (void)state;
    struct asker who = ask("192.0.2.7", HEAD("X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\n"
                                             "X-Forwarded-Host: evil.example\r\n"));
    char text[ADDR_TEXT];
    assert_string_equal(addr_text(&who.addr, text).ptr, "192.0.2.7");
    assert_false(who.secure || who.forwarded);
    assert_true(taut_str_is(who.host, "direct:8065"));
}

static void a_trusted_proxy_says_who_asks_and_how(void **state) {
    (void)state;
    struct asker who = ask("10.0.0.1", HEAD("x-forwarded-for: 192.0.2.7\r\nX-FORWARDED-PROTO: HTTPS\r\n"
                                            "X-Forwarded-Host: chat.example.org\r\n"));
    char text[ADDR_TEXT];
    assert_string_equal(addr_text(&who.addr, text).ptr, "192.0.2.7");
    assert_true(who.secure && who.forwarded);
    assert_true(taut_str_is(who.host, "chat.example.org"));
    asks("2001:db8:aaaa::1", HEAD("X-Forwarded-For: [2001:db8:1::2]:4711\r\n"), "2001:db8:1::2");
}

static void the_right_most_address_that_is_no_proxy_is_the_client(void **state) {
    (void)state;
    asks("10.0.0.1", HEAD("X-Forwarded-For: 1.2.3.4, 192.0.2.7, 10.0.0.9 ,10.1.1.1\r\n"), "192.0.2.7");
    asks("10.0.0.1", HEAD("X-Forwarded-For: 127.0.0.1, 192.0.2.7\r\n"), "192.0.2.7");
}

static void several_headers_are_one_list(void **state) {
    (void)state;
    asks("10.0.0.1", HEAD("X-Forwarded-For: 1.2.3.4\r\nAccept: */*\r\nX-Forwarded-For: 192.0.2.7\r\n"), "192.0.2.7");
    asks("10.0.0.1", HEAD("X-Forwarded-For: 192.0.2.7\r\nAccept: */*\r\nX-Forwarded-For: 10.0.0.3\r\n"), "192.0.2.7");
}

static void when_all_are_proxies_the_left_most_asks(void **state) {
    (void)state;
    asks("10.0.0.1", HEAD("X-Forwarded-For: 10.0.0.3, 10.0.0.2\r\n"), "10.0.0.3");
}

static void what_cannot_be_read_ends_the_search(void **state) {
    (void)state;
    asks("10.0.0.1", HEAD("X-Forwarded-For: 192.0.2.7, unknown\r\n"), "10.0.0.1");
    asks("10.0.0.1", HEAD("X-Forwarded-For: 192.0.2.7, unknown, 10.0.0.2\r\n"), "10.0.0.2");
    asks("10.0.0.1", HEAD("X-Forwarded-For:\r\n"), "10.0.0.1");
    asks("10.0.0.1", HEAD("X-Forwarded-For: ,,\r\n"), "10.0.0.1");
    asks("10.0.0.1", HEAD(""), "10.0.0.1");
    asks("10.0.0.1", HEAD("X-Forwarded-Forty: 192.0.2.7\r\nX-Forwarded: 192.0.2.8\r\n"), "10.0.0.1");
}

/* ---- origins ---- */

static struct origins origins;

static void allow(const char *public_url, const char *one, const char *two) {
    taut_str items[2] = {taut_str_z(one), taut_str_z(two)}, bad;
    struct taut_array list = TAUT_ARRAY(items);
    list.len = one ? two ? 2 : 1 : 0;
    if (!origins_new(&origins, taut_str_z(public_url), list, &bad)) fail_msg("\"%s\" is no origin", bad.ptr);
}
static bool may_open(const char *origin) {
    return origins_may_open(&origins, taut_str_z(origin));
}

static void the_servers_own_pages_may_and_others_may_not(void **state) {
    (void)state;
    allow("https://chat.example.org/team", NULL, NULL);
    assert_true(may_open("https://chat.example.org"));
    assert_true(may_open("https://Chat.Example.ORG:443"));
    assert_false(may_open("http://chat.example.org"));
    assert_false(may_open("https://chat.example.org:8443"));
    assert_false(may_open("https://chat.example.org.evil.example"));
    assert_false(may_open("https://evil.example"));
    assert_false(may_open("null"));
    assert_false(may_open(""));
    origins_free(&origins);
}

static void a_server_on_the_loopback_answers_to_its_names(void **state) {
    (void)state;
    allow("http://127.0.0.1:8065", NULL, NULL);
    assert_true(may_open("http://127.0.0.1:8065") && may_open("http://localhost:8065") &&
                may_open("http://[::1]:8065"));
    assert_false(may_open("http://localhost:8066") || may_open("https://localhost:8065"));
    origins_free(&origins);
    allow("http://[::1]:8065", NULL, NULL);
    assert_true(may_open("http://localhost:8065") && may_open("http://[::1]:8065"));
    origins_free(&origins);
}

static void sdks_that_always_say_slack_may_open_but_no_page_there_may_read(void **state) {
    (void)state;
    allow("https://chat.example.org", NULL, NULL);
    assert_true(may_open("https://api.slack.com"));
    assert_null(origins_cors(&origins, TAUT_LIT("https://api.slack.com")));
    origins_free(&origins);
}

static void the_list_adds_others_and_answers_name_the_one_that_asks(void **state) {
    (void)state;
    allow("https://chat.example.org", "https://intranet.example.org:443/", "app://taut");
    assert_true(may_open("https://intranet.example.org") && may_open("app://taut") &&
                may_open("https://chat.example.org"));
    assert_false(may_open("app://other"));
    assert_string_equal(origins_cors(&origins, TAUT_LIT("https://intranet.example.org")),
                        "Access-Control-Allow-Origin: https://intranet.example.org\r\nVary: Origin\r\n"
                        "Access-Control-Expose-Headers: Retry-After\r\n");
    assert_null(origins_cors(&origins, TAUT_LIT("https://evil.example")));
    origins_free(&origins);
}

static void a_star_allows_every_page(void **state) {
    (void)state;
    allow("https://chat.example.org", "*", NULL);
    assert_true(may_open("https://evil.example") && may_open("null"));
    assert_string_equal(origins_cors(&origins, TAUT_LIT("https://other.example")),
                        "Access-Control-Allow-Origin: *\r\nAccess-Control-Expose-Headers: Retry-After\r\n");
    origins_free(&origins);
}

static void what_is_no_origin_is_named(void **state) {
    (void)state;
    static const char *const wrong[] = {"chat.example.org",
                                        "https://",
                                        "https://a/b",
                                        "https://*.example.org",
                                        "https://a b",
                                        "https://u@x.org",
                                        "//x.org",
                                        "https://a\r\nX: y",
                                        "",
                                        "https://x.org?q"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        taut_str item = taut_str_z(wrong[i]), bad;
        struct taut_array list = {.ptr = &item, .len = 1, .elem_size = sizeof item};
        if (origins_new(&origins, TAUT_LIT("http://x"), list, &bad)) fail_msg("\"%s\" was taken", wrong[i]);
        assert_true(taut_str_is(bad, wrong[i]));
    }
}

static void hosts_that_no_foreign_name_can_lead_to_are_own(void **state) {
    (void)state;
    taut_str listen = TAUT_LIT("metrics.internal:8066");
    static const char *const own[] = {"127.0.0.1:8066",        "127.0.0.1",       "[::1]:8066",
                                      "10.1.2.3:8066",         "localhost:8066",  "LOCALHOST",
                                      "metrics.internal:8066", "Metrics.Internal"};
    static const char *const foreign[] = {"evil.example:8066", "localhost.evil.example", "",
                                          "metrics.internal.evil.example", "127.0.0.1.evil.example"};
    for (size_t i = 0; i < COUNT_OF(own); i++)
        if (!host_is_own(taut_str_z(own[i]), listen)) fail_msg("\"%s\" is own", own[i]);
    for (size_t i = 0; i < COUNT_OF(foreign); i++)
        if (host_is_own(taut_str_z(foreign[i]), listen)) fail_msg("\"%s\" is foreign", foreign[i]);
}

static void the_path_of_a_url_is_a_prefix_without_a_slash_at_its_end(void **state) {
    (void)state;
    assert_true(taut_str_is(url_path(TAUT_LIT("https://example.org")), ""));
    assert_true(taut_str_is(url_path(TAUT_LIT("https://example.org/")), ""));
    assert_true(taut_str_is(url_path(TAUT_LIT("https://example.org:8443/chat/")), "/chat"));
    assert_true(taut_str_is(url_path(TAUT_LIT("http://[::1]:8065/a/b?q#f")), "/a/b"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_peer_that_is_not_trusted_is_the_client_whatever_it_says),
        cmocka_unit_test(a_trusted_proxy_says_who_asks_and_how),
        cmocka_unit_test(the_right_most_address_that_is_no_proxy_is_the_client),
        cmocka_unit_test(several_headers_are_one_list),
        cmocka_unit_test(when_all_are_proxies_the_left_most_asks),
        cmocka_unit_test(what_cannot_be_read_ends_the_search),
        cmocka_unit_test(the_servers_own_pages_may_and_others_may_not),
        cmocka_unit_test(a_server_on_the_loopback_answers_to_its_names),
        cmocka_unit_test(sdks_that_always_say_slack_may_open_but_no_page_there_may_read),
        cmocka_unit_test(the_list_adds_others_and_answers_name_the_one_that_asks),
        cmocka_unit_test(a_star_allows_every_page),
        cmocka_unit_test(what_is_no_origin_is_named),
        cmocka_unit_test(hosts_that_no_foreign_name_can_lead_to_are_own),
        cmocka_unit_test(the_path_of_a_url_is_a_prefix_without_a_slash_at_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
