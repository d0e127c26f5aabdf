/* test_http_budget.c - HTTP: what peers may take of the server, by answers that they do not read, requests that they do
 * not end, calls that they do not wait for, and connections. */
#include "http_harness.h"

static void large_answers_are_asked_for_few_at_a_time(void **state) {
    (void)state;
    for (unsigned round = 1; round <= 2; round++) { /* the first time the gateway does not know how large they are */
        int fd = connect_to(false);
        for (int i = 0; i < 100; i++) say(fd, GET("/api/large"));
        wait_for(&hub.calls, 4 * round);
        usleep(100000);
        assert_in_range(atomic_load(&hub.calls), 4 * round, 5 * round);
        close(fd);
        connections_become(0);
        atomic_store(&hub.calls, 4 * round);
    }
}

static void no_request_is_taken_while_a_large_answer_is_unread(void **state) {
    (void)state;
    int fd = connect_to(false);
    say(fd, GET("/api/hold?text=1") GET("/api/large"));
    wait_for(&hub.calls, 2);
    usleep(50000);
    say(fd, GET("/api/echo?text=end"));
    usleep(50000);
    assert_int_equal(atomic_load(&hub.calls), 2);
    release();
    while (hear(fd, "end") && !strstr(got, "end"))
        ;
    heard("\"end\"");
    close(fd);
}

static void who_has_read_nothing_for_longest_gives_way_when_answers_pile_up(void **state) {
    (void)state;
    int fds[3], other;
    for (unsigned i = 0; i < 3; i++) { /* 8 MiB each, and there is room for 10; the kernel takes a part */
        fds[i] = connect_to(false);
        say(fds[i], GET("/api/large"));
        wait_for(&hub.calls, i + 1);
        usleep(50000);
    }
    assert_true(atomic_load(&gateway_stats(g)->http_connections) < 3);
    other = connect_to(false);
    say(other, GET("/api/echo?text=end"));
    hear(other, "end");
    heard("HTTP/1.1 200 OK\r\n");
    close(other);
    for (int i = 0; i < 3; i++) close(fds[i]);
}

static int set_up_few(void **state) {
    config.limits.max_calls = 2;
    int rc = set_up(state);
    config.limits.max_calls = 300;
    return rc;
}

static void answers_that_wait_for_those_before_them_take_no_place_at_the_hub(void **state) {
    (void)state;
    int fd = connect_to(false), other = connect_to(false);
    say(fd, GET("/api/hold?text=1") GET("/api/echo?text=2"));
    wait_for(&hub.calls, 2);
    usleep(50000);
    say(other, GET("/api/echo?text=end"));
    hear(other, "end");
    heard("HTTP/1.1 200 OK\r\n");
    release();
    hear(fd, "\"2\"");
    close(fd);
    close(other);
}

static void what_the_hub_cannot_take_is_told_to_come_again(void **state) {
    (void)state;
    int fds[3], admin = connect_to(true);
    for (int i = 0; i < 3; i++) fds[i] = connect_to(false);
    answer_one_hold(fds[0]);
    for (int i = 0; i < 300; i++) say(fds[i / 128], GET("/api/hold?text=q"));
    wait_for(&hub.holding, 300);
    int late = connect_to(false);
    say(late, GET("/api/hold?text=q"));
    hear(late, "}");
    heard("HTTP/1.1 429 Too Many Requests\r\n");
    heard("Retry-After: 1\r\n");
    heard("{\"ok\":false,\"error\":\"ratelimited\",\"message\":\"the server has more to do than it can; try again\"}");
    say(admin, GET("/metrics"));
    hear(admin, "\n");
    heard("HTTP/1.1 200 OK\r\n");
    release();
    say(fds[2], GET("/api/echo?text=end"));
    hear(fds[2], "end");
    for (int i = 0; i < 3; i++) close(fds[i]);
    close(late);
    close(admin);
}

static void a_peer_that_resets_is_forgotten_with_what_waits(void **state) {
    (void)state;
    int fd = connect_to(false);
    answer_one_hold(fd);
    for (int i = 0; i < 200; i++) say(fd, GET("/api/hold?text=q"));
    wait_for(&hub.holding, 128);
    close_hard(fd);
    connections_become(0);
    release();
    usleep(20000);
    assert_int_equal(atomic_load(&hub.calls), 129);
}

static void a_peer_that_closes_is_forgotten_with_what_waits_at_its_first_answer(void **state) {
    (void)state;
    int fd = connect_to(false);
    answer_one_hold(fd);
    for (int i = 0; i < 200; i++) say(fd, GET("/api/hold?text=q"));
    wait_for(&hub.holding, 128);
    close(fd);
    usleep(20000);
    release();
    connections_become(0);
    assert_int_equal(atomic_load(&hub.calls), 129);
}

static void a_peer_that_closes_its_half_gets_all_its_answers(void **state) {
    (void)state;
    int fd = connect_to(false);
    answer_one_hold(fd);
    for (int i = 0; i < 200; i++) say(fd, GET("/api/hold?text=q"));
    say(fd, GET("/api/echo?text=end"));
    shutdown(fd, SHUT_WR);
    wait_for(&hub.holding, 128);
    usleep(20000);
    release();
    wait_for(&hub.calls, 202);
    release();
    hear(fd, NULL);
    heard("\"end\"");
    close(fd);
}

static void calls_of_peers_that_have_gone_still_count(void **state) {
    (void)state;
    int fd = connect_to(false);
    answer_one_hold(fd);
    for (unsigned round = 1; round <= 2; round++) {
        for (int i = 0; i < 128; i++) say(fd, GET("/api/hold?text=q"));
        wait_for(&hub.holding, 128 * round);
        close_hard(fd);
        connections_become(0);
        fd = connect_to(false);
    }
    for (int i = 0; i < 128; i++) say(fd, GET("/api/hold?text=q"));
    wait_for(&hub.holding, 300);
    usleep(20000);
    assert_int_equal(atomic_load(&hub.holding), 300);
    release();
    hear(fd, "429 Too Many Requests");
    heard("HTTP/1.1 429 Too Many Requests\r\n");
    close(fd);
}

#define LARGE_HOLD                                        \
    "POST /api/hold HTTP/1.1\r\nHost: x\r\n"              \
    "Content-Type: application/x-www-form-urlencoded\r\n" \
    "Content-Length: 19005\r\n\r\ntext="

static void bytes_of_peers_that_have_gone_still_count(void **state) {
    (void)state;
    static char text[19000];
    memset(text, 'b', sizeof text);
    for (unsigned i = 1; i <= 8; i++) { /* 8 * 19000 > max_call_bytes */
        int fd = connect_to(false);
        say(fd, LARGE_HOLD);
        say_bytes(fd, text, sizeof text);
        wait_for(&hub.holding, i);
        close_hard(fd);
        connections_become(0);
    }
    int fd = connect_to(false);
    say(fd, GET("/api/echo?text=q"));
    hear(fd, "}");
    heard("HTTP/1.1 429 Too Many Requests\r\n");
    heard("Retry-After: 1\r\n");
    release();
    usleep(50000);
    say(fd, GET("/api/echo?text=again"));
    hear(fd, "}");
    heard("\"again\"");
    close(fd);
}

static void bodies_that_do_not_come_give_way_to_those_that_do(void **state) {
    (void)state;
    static char text[19000];
    int fds[7];
    memset(text, 'b', sizeof text);
    for (int i = 0; i < 7; i++) { /* max_input has room for 100000 / 19000 of them */
        fds[i] = connect_to(false);
        say(fds[i], LARGE_HOLD);
        say_bytes(fds[i], text, sizeof text - 1);
        usleep(20000);
    }
    hear(fds[0], "}");
    heard("HTTP/1.1 503 Service Unavailable\r\n");
    heard("Connection: close\r\n");
    heard("Retry-After: 1\r\n");
    heard(
        "{\"ok\":false,\"error\":\"service_unavailable\",\"message\":\"the server holds more unfinished requests than "
        "it can; try again\"}");
    say(fds[6], "b");
    wait_for(&hub.holding, 1);
    for (int i = 0; i < 7; i++) close(fds[i]);
}

static void connections_beyond_the_limit_are_turned_away(void **state) {
    (void)state;
    int fds[8], extra;
    for (int i = 0; i < 8; i++) {
        fds[i] = connect_to(false);
        say(fds[i], GET("/page"));
        hear(fds[i], " 0 ");
    }
    extra = connect_to(false);
    hear(extra, NULL);
    heard("HTTP/1.1 503 Service Unavailable\r\n");
    heard("{\"ok\":false,\"error\":\"service_unavailable\",\"message\":\"the server has as many connections as it "
          "may have; try again\"}");
    close(extra);
    extra = connect_to(true);
    say(extra, GET("/metrics"));
    hear(extra, "taut_up 1\n");
    heard("taut_up 1\n");
    close(extra);
    for (int i = 0; i < 8; i++) close(fds[i]);
}

static void the_admin_address_has_a_limit_of_its_own(void **state) {
    (void)state;
    int fds[32], extra, public;
    for (int i = 0; i < 32; i++) {
        fds[i] = connect_to(true);
        say(fds[i], GET("/"));
        hear(fds[i], "numbers.\n");
    }
    extra = connect_to(true);
    hear(extra, NULL);
    heard("{\"ok\":false,\"error\":\"service_unavailable\",\"message\":\"the server has as many connections as it "
          "may have; try again\"}");
    close(extra);
    public = connect_to(false);
    say(public, GET("/page"));
    hear(public, " 0 ");
    heard("200 OK");
    close(public);
    for (int i = 0; i < 32; i++) close(fds[i]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(large_answers_are_asked_for_few_at_a_time),
        TEST(no_request_is_taken_while_a_large_answer_is_unread),
        cmocka_unit_test_setup_teardown(answers_that_wait_for_those_before_them_take_no_place_at_the_hub, set_up_few,
                                        tear_down),
        TEST(who_has_read_nothing_for_longest_gives_way_when_answers_pile_up),
        TEST(what_the_hub_cannot_take_is_told_to_come_again),
        TEST(a_peer_that_resets_is_forgotten_with_what_waits),
        TEST(a_peer_that_closes_is_forgotten_with_what_waits_at_its_first_answer),
        TEST(a_peer_that_closes_its_half_gets_all_its_answers),
        TEST(calls_of_peers_that_have_gone_still_count),
        TEST(bytes_of_peers_that_have_gone_still_count),
        TEST(bodies_that_do_not_come_give_way_to_those_that_do),
        TEST(connections_beyond_the_limit_are_turned_away),
        TEST(the_admin_address_has_a_limit_of_its_own),
    };
    return cmocka_run_group_tests(tests, set_up_modules, tear_down_modules);
}
