/* test_edge.c - the edge as options make it and reloads change it, and what calls say of who asks. */
#include "tls_harness.h"

static struct edge_config plain_config(void) {
    struct edge_config c = edge_config_of(NULL, NULL);
    c.public_url = TAUT_LIT("http://127.0.0.1:8065/chat");
    return c;
}

/* ---- certificate and key ---- */

static void says(const char *cert, const char *key, const char *expected) {
    struct edge_config c = edge_config_of(cert, key);
    told[0] = 0;
    struct edge *e = edge_new(&c, on_error, NULL);
    edge_free(e);
    if (!strstr(told, expected)) fail_msg("no \"%s\" in: %s", expected, told);
}

static void lock_key(const char *from, const char *to) {
    FILE *f = fopen(file(from), "r");
    EVP_PKEY *key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
    fclose(f);
    f = fopen(file(to), "w");
    PEM_write_PrivateKey(f, key, EVP_aes_128_cbc(), (const unsigned char *)"secret", 6, NULL, NULL);
    fclose(f);
    EVP_PKEY_free(key);
}

static void what_is_wrong_with_the_files_is_said_with_what_to_do(void **state) {
    (void)state;
    lock_key("one.key", "locked.key");
    says("none.crt", "one.key", "tls.cert: ");
    says("none.crt", "one.key", "/none.crt: cannot be read: No such file or directory; give the path of a PEM file");
    says("one.crt", "none.key", "/none.key: cannot be read: No such file or directory");
    says("one.key", "one.key", "no certificate in PEM form can be read from it");
    says("one.crt", "one.crt", "no private key in PEM form can be read from it");
    says("one.crt", "two.key", "is not the key of the certificate in");
    says("one.crt", "locked.key", "is locked with a pass phrase, which nobody could type when the server starts");
    says("one.crt", NULL, "tls.key: is missing: TLS needs both, tls.cert and tls.key\n");
    says(NULL, "one.key", "tls.cert: is missing: TLS needs both, tls.cert and tls.key\n");
}

static void what_is_odd_about_a_certificate_is_said_and_it_works(void **state) {
    (void)state;
    make_pair("old", "IP:127.0.0.1", -1);
    make_pair("other", "DNS:chat.example.org", 30);
    says("old.crt", "old.key", "tls.cert: has expired on ");
    says("other.crt", "other.key",
         "tls.cert: is not for 127.0.0.1, the host of server.public_url: clients will refuse it\n");
    struct edge_config c = edge_config_of("other.crt", "other.key");
    told[0] = 0;
    c.public_url = TAUT_LIT("https://chat.example.org/path");
    struct edge *e = edge_new(&c, on_error, NULL);
    assert_non_null(e);
    assert_string_equal(told, "");
    assert_true(atomic_load(edge_certificate_expires(e)) > clock_wall_us() / 1000000 + 29 * 86400);
    edge_free(e);
}

/* ---- reload ---- */

static void a_reload_changes_rules_and_those_in_use_stay(void **state) {
    (void)state;
    struct edge_config c = plain_config();
    taut_str nets[] = {TAUT_LIT("10.0.0.0/8")}, wrong[] = {TAUT_LIT("ten")};
    struct addr proxy;
    addr_parse(TAUT_LIT("10.1.2.3"), false, &proxy);
    told[0] = 0;
    struct edge *e = edge_new(&c, on_error, NULL);
    const struct edge_rules *before = edge_rules(e);
    assert_string_equal(before->prefix, "/chat");
    assert_true(edge_prepare(e, &c, on_error, NULL));
    edge_commit(e);
    assert_ptr_equal(edge_rules(e), before); /* nothing is new */
    c.trusted_proxies = (struct taut_array)TAUT_ARRAY(nets);
    assert_true(edge_prepare(e, &c, on_error, NULL));
    edge_cancel(e);
    assert_false(edge_is_proxy(e, &proxy));
    assert_true(edge_prepare(e, &c, on_error, NULL));
    edge_commit(e);
    assert_true(edge_is_proxy(e, &proxy));
    assert_string_equal(before->prefix, "/chat");
    c.trusted_proxies = (struct taut_array)TAUT_ARRAY(wrong);
    assert_false(edge_prepare(e, &c, on_error, NULL));
    edge_commit(e);
    assert_true(edge_is_proxy(e, &proxy));
    assert_string_equal(told, "trusted_proxies: \"ten\" is not an address or a network; write it like 192.0.2.7, "
                              "10.0.0.0/8 or 2001:db8::/32\n");
    edge_free(e);
}

static void a_seat_taken_under_one_rule_is_given_back_under_another(void **state) {
    (void)state;
    struct edge_config c = plain_config();
    struct addr a;
    struct seat seat = {0};
    addr_parse(TAUT_LIT("192.0.2.7"), false, &a);
    c.max_connections_per_address = 1;
    struct edge *e = edge_new(&c, on_error, NULL);
    assert_int_equal(edge_admit(e, &a, &seat), ADMITTED);
    c.max_connections_per_address = 0;
    assert_true(edge_prepare(e, &c, on_error, NULL));
    edge_commit(e);
    edge_leave(e, &seat);
    c.max_connections_per_address = 1;
    assert_true(edge_prepare(e, &c, on_error, NULL));
    edge_commit(e);
    assert_int_equal(edge_admit(e, &a, &seat), ADMITTED);
    struct seat more = {0};
    assert_int_equal(edge_admit(e, &a, &more), TOO_MANY);
    edge_leave(e, &seat);
    edge_free(e);
}

/* ---- calls ---- */

static int set_up_proxy(void **state) {
    static taut_str nets[1];
    nets[0] = TAUT_LIT("127.0.0.1");
    struct edge_config c = plain_config();
    c.trusted_proxies = (struct taut_array)TAUT_ARRAY(nets);
    return set_up_with(state, &c);
}
static int set_up_plain(void **state) {
    struct edge_config c = plain_config();
    return set_up_with(state, &c);
}

#define FORWARDED                                                                                      \
    "GET /chat/api/echo?text=hi HTTP/1.1\r\nHost: behind:1\r\nX-Forwarded-For: 9.9.9.9, 192.0.2.7\r\n" \
    "X-Forwarded-Proto: https\r\nX-Forwarded-Host: chat.example.org\r\n\r\n"

static void call_came_from(const char *address, bool secure, const char *host) {
    char text[ADDR_TEXT];
    heard("\"hi\"");
    assert_true(atomic_load(&hub.calls) > 0); /* what the hub's thread wrote before it counted is there */
    assert_string_equal(addr_text(&hub.client, text).ptr, address);
    assert_int_equal(hub.secure, secure);
    assert_string_equal(hub.host, host);
}

static void a_call_knows_whom_a_trusted_proxy_names(void **state) {
    (void)state;
    int fd = connect_to(false);
    say(fd, FORWARDED);
    hear(fd, "}");
    call_came_from("192.0.2.7", true, "chat.example.org");
    say(fd, "GET /api/echo?text=hi HTTP/1.1\r\nHost: behind:1\r\n\r\n"); /* the next on the same connection may be
                                                                            another's */
    hear(fd, "}");
    call_came_from("127.0.0.1", false, "behind:1");
    close(fd);
}

static void a_call_of_anybody_else_is_its_peers(void **state) {
    (void)state;
    int fd = connect_to(false);
    say(fd, FORWARDED);
    hear(fd, "}");
    call_came_from("127.0.0.1", false, "behind:1");
    close(fd);
}

static void a_call_over_tls_is_secure_and_has_the_peers_address(void **state) {
    (void)state;
    struct tls t = tls_connect();
    tls_say(&t, "GET /api/echo?text=hi HTTP/1.1\r\nHost: a:1\r\n\r\n");
    tls_hear(&t, "}");
    call_came_from("127.0.0.1", true, "a:1");
    tls_free(&t);
}

#define TEST(f, up) cmocka_unit_test_setup_teardown(f, up, tear_down_tls)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wrong_with_the_files_is_said_with_what_to_do),
        cmocka_unit_test(what_is_odd_about_a_certificate_is_said_and_it_works),
        cmocka_unit_test(a_reload_changes_rules_and_those_in_use_stay),
        cmocka_unit_test(a_seat_taken_under_one_rule_is_given_back_under_another),
        TEST(a_call_knows_whom_a_trusted_proxy_names, set_up_proxy),
        TEST(a_call_of_anybody_else_is_its_peers, set_up_plain),
        TEST(a_call_over_tls_is_secure_and_has_the_peers_address, set_up_tls),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
