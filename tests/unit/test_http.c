/* test_http.c - HTTP as a peer sees it: requests, framing, order, limits, timeouts, upgrades, the end. The gateway is
 * real, sockets included; the hub behind it is http_harness.h's. */
#include "http_harness.h"

static void get_and_post_reach_the_method(void **state) {
    (void)state;
    int fd = connect_to(false);
    say(fd, GET("/api/echo?text=a+b&token=t"));
    hear(fd, "}");
    assert_string_equal(got,
                        "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: 26\r\n\r\n"
                        "{\"text\":\"a b\",\"token\":\"t\"}");
    say(fd, "POST /api/echo/ HTTP/1.1\r\nHost: x\r\nauthorization: bearer tok\r\nContent-Type: application/json\r\n"
            "Content-Length: 12\r\n\r\n{\"text\":\"j\"}");
    hear(fd, "}");
    heard("{\"text\":\"j\",\"token\":\"tok\"}");
    say(fd, "GET http://x/api/echo?text=absolute HTTP/1.1\r\nHost: x\r\n\r\n");
    hear(fd, "}");
    heard("absolute");
    say(fd, "GET http://chat.example.org:80/api/echo?text=other HTTP/1.1\r\nHost: else\r\n\r\n");
    hear(fd, "}");
    heard("other");
    assert_true(atomic_load(&hub.calls) > 0); /* what the hub's thread wrote before it counted is there */
    assert_string_equal(hub.host, "chat.example.org:80");
    close(fd);
}

static void answers_come_in_order_though_the_hub_reverses_them(void **state) {
    (void)state;
    int fd = connect_to(false);
    char req[128], expected[64];
    answer_one_hold(fd);
    for (int i = 0; i < 100; i++) {
        snprintf(req, sizeof req, GET("/api/hold?text=n%dn"), i);
        say(fd, req);
    }
    say(fd, GET("/nowhere") GET("/api/release"));
    hear(fd, "\"text\":\"\"");
    const char *at = got;
    for (int i = 0; i < 100; i++) {
        snprintf(expected, sizeof expected, "\"n%dn\"", i);
        at = strstr(at, expected);
        assert_non_null(at);
    }
    at = strstr(at, "not_found");
    assert_non_null(at);
    close(fd);
}

static void more_than_128_outstanding_wait_their_turn(void **state) {
    (void)state;
    int fd = connect_to(false), other = connect_to(false);
    answer_one_hold(fd);
    for (int i = 0; i < 200; i++) say(fd, GET("/api/hold?text=q"));
    wait_for(&hub.holding, 128);
    usleep(50000);
    assert_int_equal(atomic_load(&hub.holding), 128);
    say(other, GET("/api/release"));
    hear(other, "}");
    wait_for(&hub.holding, 200);
    say(other, GET("/api/release"));
    hear(other, "}");
    say(fd, GET("/api/echo?text=end"));
    hear(fd, "end");
    heard("end");
    close(fd);
    close(other);
}

static void a_request_may_come_byte_by_byte(void **state) {
    (void)state;
    static const char req[] =
        "\r\nPOST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        "Transfer-Encoding: chunked\r\n\r\n5;ext=1\r\ntext=\r\n3\r\nabc\r\n0\r\nTrailer: x\r\n\r\n"
        "POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n\r\ntext=end";
    int fd = connect_to(false), on = 1;
    setsockopt(fd, IPPROTO_TCP, 1, &on, sizeof on);
    for (size_t i = 0; i < sizeof req - 1; i++) {
        say_bytes(fd, req + i, 1);
        if (i % 8 == 0) usleep(500);
    }
    hear(fd, "\"end\"");
    heard("\"abc\"");
    heard("\"end\"");
    /* And cut in two at every place. */
    for (size_t i = 1; i < sizeof req - 1; i++) {
        say_bytes(fd, req, i);
        usleep(200);
        say_bytes(fd, req + i, sizeof req - 1 - i);
        hear(fd, "\"end\"");
        heard("\"abc\"");
    }
    close(fd);
}

static void bad_framing_has_its_status(void **state) {
    (void)state;
#define POST "POST /api/echo HTTP/1.1\r\nHost: x\r\n"
    static const struct {
        const char *request, *status, *why;
    } cases[] = {
        {POST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "400",
         "both Content-Length and Transfer-Encoding"},
        {POST "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", "400",
         "both Content-Length and Transfer-Encoding"},
        {POST "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", "400", "two Content-Length headers"},
        {POST "Content-Length: 1\r\nContent-Length: 2\r\n\r\nx", "400", "two Content-Length headers"},
        {POST "Host: y\r\n\r\n", "400", "two Host headers"},
        {"GET / HTTP/1.1\r\n\r\n", "400", "no Host header"},
        {"GET / HTTP/1.1\nHost: x\n\n", "400", "a line does not end in CRLF"},
        {POST "A: b\r\n c\r\n\r\n", "400", "a header is folded over two lines"},
        {POST "A: b\r\n\tc\r\n\r\n", "400", "a header is folded over two lines"},
        {POST "A: b\rc\r\n\r\n", "400", "a carriage return without a line feed"},
        {POST "A: \x01\r\n\r\n", "400", "a control character in the head"},
        {POST "Content-Length : 5\r\n\r\nhello", "400", "a blank in a header's name"},
        {POST "Content-Length: +5\r\n\r\nhello", "400", NULL},
        {POST "Content-Length: 5x\r\n\r\nhello", "400", NULL},
        {POST "Content-Length:\r\n\r\nhello", "400", NULL},
        {POST "Content-Length: 99999999999999999999\r\n\r\n", "400", NULL},
        {POST "Transfer-Encoding: gzip, chunked\r\n\r\n", "501", "the only transfer coding is chunked"},
        {POST "Transfer-Encoding: identity\r\n\r\n", "501", "the only transfer coding is chunked"},
        {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "400", "Transfer-Encoding in HTTP/1.0"},
        {POST "Transfer-Encoding: chunked\r\n\r\nx\r\n", "400", "a chunk has no size"},
        {POST "Transfer-Encoding: chunked\r\n\r\n1\nx", "400", "a chunk's size is no number"},
        {POST "Transfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n", "400", "a chunk is longer than its size"},
        {POST "Transfer-Encoding: chunked\r\n\r\n0000000000000000\r\n", "400", "a chunk's size is too long"},
        {POST "Transfer-Encoding: chunked\r\n\r\n7fffff\r\n", "413", "the body is too large"},
        {POST "Content-Length: 20001\r\n\r\n", "413", "the body is too large"},
        {POST "Expect: 200-ok\r\n\r\n", "417", "the only expectation is 100-continue"},
        {"GET / HTTP/2.0\r\nHost: x\r\n\r\n", "505", "the HTTP version is not 1.0 or 1.1"},
        {"FROB / HTTP/1.1\r\nHost: x\r\n\r\n", "501", "no such HTTP method"},
        {"GET * HTTP/1.1\r\nHost: x\r\n\r\n", "400", NULL},
        {"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", "501", "no such HTTP method"},
        {"\x16\x03\x01\x02", "400", "a control character in the head"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int fd = connect_to(false);
        say(fd, cases[i].request);
        hear(fd, "}");
        if (strncmp(got + 9, cases[i].status, 3) != 0) fail_msg("case %zu: %s\n%s", i, cases[i].request, got);
        if (cases[i].why) heard(cases[i].why);
        heard("{\"ok\":false,\"error\":\"");
        heard("Connection: close\r\n");
        assert_true(is_closed(fd));
        close(fd);
    }
}

static void a_head_beyond_its_limit_is_431(void **state) {
    (void)state;
    int fd = connect_to(false);
    char filler[5000];
    memset(filler, 'a', sizeof filler);
    say(fd, "GET / HTTP/1.1\r\nHost: x\r\nA: ");
    say_bytes(fd, filler, sizeof filler);
    hear(fd, "}");
    heard("HTTP/1.1 431 Request Header Fields Too Large\r\n");
    heard("{\"ok\":false,\"error\":\"headers_too_large\",\"message\":\"the head is too large\"}");
    assert_true(is_closed(fd));
    close(fd);
}

static void a_body_at_its_limit_passes(void **state) {
    (void)state;
    int fd = connect_to(false);
    char *body = calloc(1, 20000);
    memset(body, 'b', 20000);
    say(fd, "POST /hooks/a?q=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 20000\r\n\r\n");
    say_bytes(fd, body, 10000);
    usleep(5000);
    say_bytes(fd, body, 10000);
    say(fd, GET("/api/echo?text=next"));
    hear(fd, "next");
    heard("X-Test: yes\r\n");
    heard("/hooks/a?q=1 20000 ");
    free(body);
    close(fd);
}

static void expect_100_continue_is_answered_when_the_body_waits(void **state) {
    (void)state;
    int fd = connect_to(false);
    say(fd, "POST /hooks/x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    hear(fd, "\r\n\r\n");
    assert_string_equal(got, "HTTP/1.1 100 Continue\r\n\r\n");
    say(fd, "abc");
    hear(fd, "3 abc");
    heard("HTTP/1.1 200 OK");
    say(fd, "POST /hooks/x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc");
    hear(fd, "3 abc");
    assert_null(strstr(got, "100 Continue"));
    close(fd);
}

static void head_has_the_length_but_no_body(void **state) {
    (void)state;
    int fd = connect_to(false);
    say(fd, "HEAD /page HTTP/1.1\r\nHost: x\r\n\r\n" GET("/page"));
    hear(fd, "/page? 0 ");
    assert_non_null(strstr(got, "Content-Length: 9\r\nX-Test: yes\r\n\r\nHTTP/1.1 200 OK"));
    close(fd);
}

static void connections_are_kept_or_closed_as_asked(void **state) {
    (void)state;
    int fd = connect_to(false);
    say(fd, "GET /page HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    hear(fd, NULL);
    heard("Connection: close\r\n");
    close(fd);
    fd = connect_to(false);
    say(fd, "GET /page HTTP/1.0\r\n\r\n");
    hear(fd, NULL);
    heard("Connection: close\r\n");
    close(fd);
    fd = connect_to(false);
    say(fd, "GET /page HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    hear(fd, " 0 ");
    heard("Connection: keep-alive\r\n");
    say(fd, "GET /page HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    hear(fd, " 0 ");
    heard("Connection: keep-alive\r\n");
    shutdown(fd, SHUT_WR);
    assert_true(is_closed(fd));
    close(fd);
}

static void unknown_paths_and_verbs_are_told(void **state) {
    (void)state;
    int fd = connect_to(false);
    say(fd, GET("/nope"));
    hear(fd, "}");
    heard("HTTP/1.1 404 Not Found\r\n");
    heard("\r\n\r\n{\"ok\":false,\"error\":\"not_found\"}");
    say(fd, "PUT /api/echo HTTP/1.1\r\nHost: x\r\n\r\n");
    hear(fd, "}");
    heard("HTTP/1.1 405 Method Not Allowed\r\n");
    heard("Allow: GET, POST\r\n");
    say(fd, GET("/hooks/a"));
    hear(fd, "}");
    heard("HTTP/1.1 405");
    heard("Allow: POST\r\n");
    say(fd, GET("/admin"));
    hear(fd, "}");
    heard("HTTP/1.1 404");
    say(fd, GET("/rtm/ticket"));
    hear(fd, "}");
    heard("HTTP/1.1 426 Upgrade Required\r\n");
    heard("Sec-WebSocket-Version: 13\r\n");
    close(fd);
}

#define UPGRADE(path, key)                                                                          \
    "GET " path " HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n" \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " key "\r\n\r\n"

static void an_upgrade_waits_for_what_is_before_it_and_asks_the_hub(void **state) {
    (void)state;
    int fd = connect_to(false);
    say(fd, GET("/page") UPGRADE("/rtm/t1?x=y", "dGhlIHNhbXBsZSBub25jZQ=="));
    hear(fd, "\"query\"");
    const char *page = strstr(got, "/page? 0 "), *switched = strstr(got, "HTTP/1.1 101 ");
    assert_non_null(page);
    assert_non_null(switched);
    assert_true(page < switched);
    heard("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    close(fd);
    fd = connect_to(false);
    say(fd, UPGRADE("/rtm/t1", "short"));
    hear(fd, "}");
    heard("HTTP/1.1 400");
    heard("Sec-WebSocket-Key is not 16 bytes in base64");
    close(fd);
}

static void a_peer_may_leave_while_its_upgrade_is_decided(void **state) {
    (void)state;
    int fd = connect_to(false), other = connect_to(false);
    say(fd, UPGRADE("/rtm/hold", "dGhlIHNhbXBsZSBub25jZQ=="));
    wait_for(&hub.holding, 1);
    close(fd);
    usleep(20000);
    assert_int_equal(atomic_load(&gateway_stats(g)->http_connections), 1);
    say(other, GET("/api/release"));
    hear(other, "}");
    heard("200 OK");
    close(other);
}

static void the_admin_address_has_metrics_and_its_own_routes(void **state) {
    (void)state;
    int fd = connect_to(true);
    say(fd, GET("/metrics"));
    hear(fd, "taut_up 1\n");
    heard("Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n");
    heard("taut_up 1\n");
    say(fd, GET("/"));
    hear(fd, "numbers.\n");
    heard("Taut's admin address.");
    say(fd, GET("/admin"));
    hear(fd, " 0 ");
    heard("/admin? 0 ");
    say(fd, GET("/api/echo"));
    hear(fd, "}");
    heard("404");
    close(fd);
}

static void an_early_answer_is_sent_once(void **state) {
    (void)state;
    int fd = connect_to(false);
    say(fd, GET("/api/early") GET("/api/echo?text=after"));
    hear(fd, "after");
    heard("HTTP/1.1 504 Gateway Timeout\r\nContent-Type: text/plain\r\n");
    heard("{\"early\":true}");
    assert_null(strstr(got, "late"));
    close(fd);
}

static void a_slow_head_is_408_and_silence_just_ends(void **state) {
    (void)state;
    int slow = connect_to(false), silent = connect_to(false), body = connect_to(false);
    say(slow, "GET / HTT");
    say(body, "POST /hooks/x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na");
    hear(slow, "}");
    heard("HTTP/1.1 408 Request Timeout\r\n");
    heard("the head did not arrive in time");
    assert_true(is_closed(slow));
    hear(body, "}");
    heard("the body did not arrive in time");
    assert_int_equal(hear(silent, NULL), 0);
    close(slow);
    close(silent);
    close(body);
}

static void a_peer_may_leave_while_its_call_runs(void **state) {
    (void)state;
    int fd = connect_to(false), other = connect_to(false);
    say(fd, GET("/api/hold?text=1"));
    wait_for(&hub.holding, 1);
    close_hard(fd);
    usleep(20000);
    say(other, GET("/api/release"));
    hear(other, "}");
    heard("200 OK");
    close(other);
}

static void a_large_answer_arrives_whole_at_a_slow_reader(void **state) {
    (void)state;
    int fd = connect_to(false);
    size_t total = 0, n;
    say(fd, GET("/api/large") GET("/api/echo?text=end"));
    usleep(50000);
    while ((n = hear(fd, "end")) > 0) {
        total += n;
        if (strstr(got, "end")) break;
    }
    assert_true(total > 8 << 20);
    close(fd);
}

static void stop(void *arg) {
    gateway_stop(arg);
}

static void stopping_lets_requests_in_flight_finish(void **state) {
    (void)state;
    int fd = connect_to(false), idle = connect_to(false), other = connect_to(false);
    uv_thread_t stopper;
    say(fd, GET("/api/hold?text=1"));
    say(other, GET("/api/hold?text=2"));
    say(idle, GET("/page"));
    hear(idle, " 0 ");
    wait_for(&hub.holding, 2);
    uv_thread_create(&stopper, stop, g);
    assert_true(is_closed(idle));
    stop_hub(); /* answers what it holds */
    hear(fd, NULL);
    heard("\"text\":\"1\"");
    heard("Connection: close\r\n");
    hear(other, NULL);
    heard("\"text\":\"2\"");
    uv_thread_join(&stopper);
    uv_thread_create(&hub.thread, run_hub, NULL); /* for tear_down */
    close(fd);
    close(idle);
    close(other);
}

static void a_call_that_never_returns_does_not_hold_up_the_end(void **state) {
    (void)state;
    int fd = connect_to(false);
    say(fd, GET("/api/hold?text=1"));
    wait_for(&hub.holding, 1);
    gateway_stop(g); /* 5 s; the answer comes after the thread has ended, in tear_down */
    assert_true(is_closed(fd));
    close(fd);
}

static void a_taken_address_says_what_to_do(void **state) {
    (void)state;
    struct gateway_config same = config;
    char *why = NULL, expected[160];
    int fd = connect_to(false); /* its thread is up: nothing else makes descriptors while a second one is refused */
    say(fd, GET("/api/echo?text=up"));
    hear(fd, "up");
    same.listen = gateway_address(g, false);
    same.admin_listen = NULL;
    assert_null(gateway_new(&same, &why));
    snprintf(expected, sizeof expected,
             "%s: address already in use; another server is running there: stop it, or choose another listen address",
             same.listen);
    assert_string_equal(why, expected);
    free(why);
    same.listen = "nonsense";
    assert_null(gateway_new(&same, &why));
    assert_string_equal(why, "nonsense: not an address; write HOST:PORT, such as 127.0.0.1:8065");
    free(why);
    close(fd);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(get_and_post_reach_the_method),
        TEST(answers_come_in_order_though_the_hub_reverses_them),
        TEST(more_than_128_outstanding_wait_their_turn),
        TEST(a_request_may_come_byte_by_byte),
        TEST(bad_framing_has_its_status),
        TEST(a_head_beyond_its_limit_is_431),
        TEST(a_body_at_its_limit_passes),
        TEST(expect_100_continue_is_answered_when_the_body_waits),
        TEST(head_has_the_length_but_no_body),
        TEST(connections_are_kept_or_closed_as_asked),
        TEST(unknown_paths_and_verbs_are_told),
        TEST(an_upgrade_waits_for_what_is_before_it_and_asks_the_hub),
        TEST(a_peer_may_leave_while_its_upgrade_is_decided),
        TEST(the_admin_address_has_metrics_and_its_own_routes),
        TEST(an_early_answer_is_sent_once),
        TEST(a_slow_head_is_408_and_silence_just_ends),
        TEST(a_peer_may_leave_while_its_call_runs),
        TEST(a_large_answer_arrives_whole_at_a_slow_reader),
        TEST(stopping_lets_requests_in_flight_finish),
        TEST(a_call_that_never_returns_does_not_hold_up_the_end),
        TEST(a_taken_address_says_what_to_do),
    };
    return cmocka_run_group_tests(tests, set_up_modules, tear_down_modules);
}
