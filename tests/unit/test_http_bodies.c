/* test_http_bodies.c - bodies to and from files, and peers that take their time with either. Time-outs are short; the
 * hub is http_harness.h's. */
#include "http_harness.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum { SPOOL = 1 << 20, LARGE = 300000 };
static char dir[] = "/tmp/taut-bodies-XXXXXX";
static const struct taut_route large_page = {.method = "POST", .path = "/hooks/", .max_body = 2 * SPOOL};
static const struct taut_route parts_page = {
    .method = "POST", .path = "/parts", .max_body = 2 * SPOOL, .flags = TAUT_ROUTE_PARTS};
static char filler[LARGE];

static int set_up_spool(void **state) {
    char *why = NULL;
    routes[1].def = &large_page;
    routes[2].def = &parts_page;
    config.spool = spool_open(dir, SPOOL, 4, &why);
    if (!config.spool) fail_msg("%s", why);
    config.limits.header_timeout = 1000;
    config.limits.body_timeout = 1000;
    config.limits.answer_timeout = 1000;
    config.limits.idle_timeout = 1000;
    memset(filler, 'f', sizeof filler);
    return set_up(state);
}
static int tear_down_spool(void **state) {
    int rc = tear_down(state);
    spool_close(config.spool);
    return rc;
}

static unsigned descriptors(void) {
    unsigned n = 0;
    DIR *d = opendir("/proc/self/fd");
    while (readdir(d)) n++;
    closedir(d);
    return n;
}

/* All of it is free again: nothing was left behind. */
static void spool_becomes_empty(void) {
    bool is_empty = false;
    for (int i = 0; i < 3000 && !is_empty; i++) {
        is_empty = spool_take(config.spool, 0, SPOOL, 4) == SPOOL_ROOM;
        if (!is_empty) usleep(1000);
    }
    assert_true(is_empty);
    spool_give_back(config.spool, 0, SPOOL, 4);
}

static void say_length(int fd, const char *path, size_t n, const char *more) {
    char head[300];
    snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n%s\r\n", path, n, more);
    say(fd, head);
}

/* ---- where bodies go ---- */

static void a_large_body_arrives_whole_and_is_let_go(void **state) {
    (void)state;
    int fd = connect_to(false);
    unsigned before;
    say(fd, GET("/page"));
    hear(fd, "0 ");
    for (int i = 0; i < 2; i++) {
        before = descriptors();
        say_length(fd, "/hooks/a", LARGE, "");
        say_bytes(fd, filler, LARGE);
        say(fd, GET("/page?next"));
        hear(fd, "/page?next");
        heard("/hooks/a? 300000 ");
        spool_becomes_empty();
    }
    assert_int_equal(descriptors(), before);
    close(fd);
}

static void chunks_of_unknown_length_do_too(void **state) {
    (void)state;
    int fd = connect_to(false);
    char size[24];
    say(fd, "POST /hooks/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (size_t at = 0, n = 1; at < LARGE; at += n, n *= 3) {
        if (n > LARGE - at) n = LARGE - at;
        snprintf(size, sizeof size, "%zx\r\n", n);
        say(fd, size);
        say_bytes(fd, filler, n);
        say(fd, "\r\n");
    }
    say(fd, "0\r\n\r\n" GET("/page?next"));
    hear(fd, "/page?next");
    heard("/hooks/a? 300000 ");
    say(fd, "POST /hooks/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
    hear(fd, "abc");
    heard("/hooks/a? 3 abc");
    close(fd);
    spool_becomes_empty();
}

static void who_waits_with_a_large_body_is_told_to_go_on(void **state) {
    (void)state;
    int fd = connect_to(false);
    say_length(fd, "/hooks/a", LARGE, "Expect: 100-continue\r\n");
    hear(fd, "\r\n\r\n");
    assert_string_equal(got, "HTTP/1.1 100 Continue\r\n\r\n");
    say_bytes(fd, filler, LARGE);
    hear(fd, "300000 ");
    heard("200 OK");
    close(fd);
}

static void a_refused_body_is_not_asked_for(void **state) {
    (void)state;
    static const struct {
        const char *path;
        size_t length;
        const char *status;
    } cases[] = {{"/hooks/a", 3 * SPOOL, "HTTP/1.1 413 "},
                 {"/hooks/a", SPOOL + 1, "HTTP/1.1 413 "}, /* more than the spool ever has */
                 {"/nowhere", 10, "HTTP/1.1 404 "},
                 {"/page", 10, "HTTP/1.1 405 "}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int fd = connect_to(false);
        say_length(fd, cases[i].path, cases[i].length, "Expect: 100-continue\r\n");
        hear(fd, NULL);
        heard(cases[i].status);
        heard("Connection: close\r\n");
        assert_null(strstr(got, "100 Continue"));
        close(fd);
    }
    spool_becomes_empty();
}

static void parts_that_are_wrong_are_400(void **state) {
    (void)state;
    int fd = connect_to(false);
    say_length(fd, "/parts", 8, "Content-Type: multipart/form-data; boundary=b\r\n");
    say(fd, "--b\r\nX\r\n");
    hear(fd, NULL);
    heard("HTTP/1.1 400 ");
    heard("the multipart body ends without its last boundary");
    close(fd);
    fd = connect_to(false);
    say_length(fd, "/parts", 8, "Content-Type: multipart/form-data\r\n");
    hear(fd, NULL);
    heard("the multipart body has no usable boundary");
    close(fd);
    assert_int_equal(atomic_load(&hub.calls), 0);
}

/* ---- limits ---- */

static void a_full_disk_is_507(void **state) {
    (void)state;
    struct rlimit old, small = {100000, RLIM_INFINITY};
    getrlimit(RLIMIT_FSIZE, &old);
    small.rlim_max = old.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int fd = connect_to(false);
    say_length(fd, "/hooks/a", LARGE, "");
    say_bytes(fd, filler, LARGE);
    hear(fd, NULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    heard("HTTP/1.1 507 Insufficient Storage\r\n");
    heard("{\"ok\":false,\"error\":\"insufficient_storage\",\"message\":\"the server has no room for this body\"}");
    close(fd);
    spool_becomes_empty();
    fd = connect_to(false);
    say_length(fd, "/hooks/a", LARGE, "");
    say_bytes(fd, filler, LARGE);
    hear(fd, "300000 ");
    heard("200 OK");
    close(fd);
}

/* A body of `n` bytes of which the last one does not come; returns when the spool has the rest. */
static int hold_upload(size_t n) {
    int fd = connect_to(false);
    long long before = atomic_load(&spool_stats(config.spool)->bytes);
    say_length(fd, "/hooks/a", n, "");
    for (size_t at = 0; at < n - 1; at += LARGE) say_bytes(fd, filler, n - 1 - at < LARGE ? n - 1 - at : LARGE);
    for (int i = 0; i < 3000 && atomic_load(&spool_stats(config.spool)->bytes) < before + (long long)n - 1; i++)
        usleep(1000);
    assert_int_equal(atomic_load(&spool_stats(config.spool)->bytes), before + (long long)n - 1);
    return fd;
}

static void upload_is_refused(size_t n, const char *status, const char *why) {
    int fd = connect_to(false);
    say_length(fd, "/hooks/a", n, "Expect: 100-continue\r\n");
    hear(fd, NULL);
    heard(status);
    heard(why);
    close(fd);
}

static void upload_is_taken(size_t n) {
    char all[24];
    int fd = connect_to(false);
    snprintf(all, sizeof all, "%zu ", n);
    say_length(fd, "/hooks/a", n, "");
    for (size_t at = 0; at < n; at += LARGE) say_bytes(fd, filler, n - at < LARGE ? n - at : LARGE);
    hear(fd, all);
    heard("200 OK");
    close(fd);
}

static void the_spool_has_a_bound(void **state) {
    (void)state;
    int first = hold_upload(600000);
    upload_is_refused(600000, "HTTP/1.1 503 ", "the server keeps as many uploads as it can; try again");
    heard("Retry-After: 5\r\n");
    close_hard(first);
    spool_becomes_empty();
    upload_is_taken(600000);
    spool_becomes_empty();
}

static void a_length_that_is_only_said_takes_nothing(void **state) {
    (void)state;
    int first = connect_to(false);
    say_length(first, "/hooks/a", SPOOL, "Expect: 100-continue\r\n");
    hear(first, "\r\n\r\n");
    upload_is_taken(SPOOL);
    close(first);
}

static void what_comes_while_there_is_no_room_any_more_is_refused(void **state) {
    (void)state;
    int first = connect_to(false);
    say_length(first, "/hooks/a", 600000, "Expect: 100-continue\r\n");
    hear(first, "\r\n\r\n");
    int second = hold_upload(600000);
    say_bytes(first, filler, LARGE);
    say_bytes(first, filler, LARGE);
    hear(first, NULL);
    heard("HTTP/1.1 503 ");
    close(first);
    close(second);
    spool_becomes_empty();
}

/* Limits of addresses hold for us, as far as no proxy says that we are somebody else. */
static int set_up_limits(void **state) {
    static taut_str proxy = {"127.0.0.1", 9};
    const struct edge_config c = {.public_url = TAUT_LIT(""),
                                  .admin_listen = TAUT_LIT(""),
                                  .cert = TAUT_LIT(""),
                                  .key = TAUT_LIT(""),
                                  .trusted_proxies = {&proxy, 1, sizeof proxy},
                                  .max_connections = 8,
                                  .max_connections_per_address = 8};
    config.edge = edge_new(&c, NULL, NULL);
    return set_up_spool(state);
}
static int tear_down_limits(void **state) {
    int rc = tear_down_spool(state);
    edge_free(config.edge);
    config.edge = NULL;
    return rc;
}

static int upload_for(const char *client, size_t n, size_t come) {
    char more[100];
    int fd = connect_to(false);
    snprintf(more, sizeof more, "X-Forwarded-For: %s\r\n", client);
    say_length(fd, "/hooks/a", n, more);
    for (size_t at = 0; at < come; at += LARGE) say_bytes(fd, filler, come - at < LARGE ? come - at : LARGE);
    return fd;
}

static void spool_has(long long bytes) {
    for (int i = 0; i < 3000 && atomic_load(&spool_stats(config.spool)->bytes) != bytes; i++) usleep(1000);
    assert_int_equal(atomic_load(&spool_stats(config.spool)->bytes), bytes);
}

static void one_address_has_half_of_the_spool(void **state) {
    (void)state;
    int first = upload_for("192.0.2.1", LARGE, LARGE - 1);
    spool_has(LARGE - 1);
    int second = upload_for("192.0.2.1", LARGE, 0);
    hear(second, NULL);
    heard("HTTP/1.1 429 ");
    heard("Retry-After: 5\r\n");
    heard("your address has as many uploads under way as it may; try again");
    int large = upload_for("192.0.2.2", SPOOL / 2 + 1, 0);
    hear(large, NULL);
    heard("HTTP/1.1 413 ");
    heard("the body is larger than all that the server keeps of your uploads (max_spool)");
    int other = upload_for("192.0.2.2", SPOOL / 2, SPOOL / 2);
    hear(other, "524288 ");
    heard("200 OK");
    close(first), close(second), close(large), close(other);
    spool_becomes_empty();
}

static void one_address_has_half_of_its_files(void **state) {
    (void)state;
    enum { SMALL = 140000 };
    int held[2];
    for (int i = 0; i < 2; i++) {
        held[i] = upload_for("192.0.2.1", SMALL, SMALL - 1);
        spool_has((i + 1) * (SMALL - 1));
    }
    int third = upload_for("192.0.2.1", SMALL, SMALL - 1);
    hear(third, NULL);
    heard("HTTP/1.1 429 ");
    int other = upload_for("192.0.2.2", SMALL, SMALL);
    hear(other, "140000 ");
    heard("200 OK");
    close(held[0]), close(held[1]), close(third), close(other);
    spool_becomes_empty();
}

static void a_peer_that_goes_leaves_nothing(void **state) {
    (void)state;
    int warm = connect_to(false);
    say_length(warm, "/hooks/a", LARGE, "");
    say_bytes(warm, filler, LARGE);
    hear(warm, "300000 ");
    close(warm);
    connections_become(0);
    spool_becomes_empty();
    unsigned before = descriptors();
    for (int i = 0; i < 12; i++) {
        int fd = connect_to(false);
        if (i % 3 == 2) {
            say(fd, GET("/page?file"));
            hear(fd, "\r\n\r\n");
        } else {
            say_length(fd, "/hooks/a", LARGE, "");
            say_bytes(fd, filler, LARGE - 1 - (size_t)i * 20000);
        }
        if (i & 1) close_hard(fd);
        else close(fd);
    }
    connections_become(0);
    spool_becomes_empty();
    for (int i = 0; i < 3000 && descriptors() != before; i++) usleep(1000);
    assert_int_equal(descriptors(), before);
}

static void what_was_left_of_a_killed_server_is_removed(void **state) {
    (void)state;
    char path[64], *why = NULL;
    struct stat st;
    snprintf(path, sizeof path, "%s/tmp/body-1234", dir);
    fclose(fopen(path, "w"));
    struct spool *s = spool_open(dir, SPOOL, 4, &why);
    assert_non_null(s);
    assert_int_equal(stat(path, &st), -1);
    snprintf(path, sizeof path, "%s/tmp", dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    spool_close(s);
    assert_null(spool_open("/nowhere", SPOOL, 4, &why));
    assert_string_equal(why, "/nowhere/tmp: uploads cannot be kept there: No such file or directory; look at its owner "
                             "and mode");
    free(why);
}

/* ---- time ---- */

/* Says a piece every 100 ms until the peer closes; what it had said is in got. At most 4 s. */
static void drip(int fd, const char *piece) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int i = 0;
    while (i++ < 40 && poll(&p, 1, 100) == 0) say(fd, piece);
    assert_true(i < 40);
    hear(fd, NULL);
}

static void a_dripping_request_is_408(void **state) {
    (void)state;
    static const struct {
        const char *start, *piece, *why;
    } cases[] = {
        {"GET /page HTTP/1.1\r\nHost: x\r\n", "A: b\r\n", "the head did not arrive in time"},
        {"POST /hooks/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", "x", "the body did not arrive in time"},
        {"POST /hooks/a HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", "x", "the body did not arrive in time"},
        {"POST /hooks/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n",
         "the body did not arrive in time"},
        {"POST /api/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "A: b\r\n",
         "the body did not arrive in time"},
        {"POST /hooks/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "A: b\r\n",
         "the body did not arrive in time"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int fd = connect_to(false);
        say(fd, cases[i].start);
        drip(fd, cases[i].piece);
        heard("HTTP/1.1 408 Request Timeout\r\n");
        heard(cases[i].why);
        close(fd);
    }
    spool_becomes_empty();
}

static void a_body_that_brings_enough_may_take_longer(void **state) {
    (void)state;
    int fd = connect_to(false);
    say_length(fd, "/hooks/a", 240000, "");
    for (int i = 0; i < 12; i++) { /* 3 s, three times the time-out */
        say_bytes(fd, filler, 20000);
        usleep(250000);
    }
    hear(fd, "240000 ");
    heard("200 OK");
    close(fd);
}

static void silence_between_requests_ends_the_connection(void **state) {
    (void)state;
    int fd = connect_to(false);
    say(fd, GET("/page"));
    hear(fd, "0 ");
    assert_true(is_closed(fd));
    close(fd);
}

static void who_reads_nothing_is_closed(void **state) {
    (void)state;
    static const char *const requests[] = {GET("/api/large"), GET("/page?file")};
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        int fd = connect_to(false);
        say(fd, requests[i]);
        connections_become(1);
        connections_become(0); /* within 3 s */
        size_t total = 0, n;
        while ((n = hear(fd, NULL)) > 0) total += n;
        assert_true(total < 8 << 20);
        close(fd);
    }
}

static void who_reads_slowly_gets_all_of_a_file(void **state) {
    (void)state;
    int fd = connect_to(false);
    size_t total = 0;
    ssize_t n;
    say(fd, GET("/page?file"));
    while (total < 8 << 20) {
        usleep(20000);
        n = recv(fd, got, sizeof got - 1, 0);
        if (n <= 0) break;
        total += (size_t)n;
    }
    assert_true(total > 8 << 20);
    say(fd, GET("/page?next"));
    hear(fd, "/page?next");
    heard("/page?next");
    close(fd);
}

static int set_up_all(void **state) {
    if (!mkdtemp(dir)) return -1;
    return set_up_modules(state);
}
static int tear_down_all(void **state) {
    char path[64];
    snprintf(path, sizeof path, "%s/tmp", dir);
    rmdir(path);
    rmdir(dir);
    return tear_down_modules(state);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up_spool, tear_down_spool)
#define LIMITED(f) cmocka_unit_test_setup_teardown(f, set_up_limits, tear_down_limits)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_large_body_arrives_whole_and_is_let_go),
        TEST(chunks_of_unknown_length_do_too),
        TEST(who_waits_with_a_large_body_is_told_to_go_on),
        TEST(a_refused_body_is_not_asked_for),
        TEST(parts_that_are_wrong_are_400),
        TEST(a_full_disk_is_507),
        TEST(the_spool_has_a_bound),
        TEST(a_length_that_is_only_said_takes_nothing),
        TEST(what_comes_while_there_is_no_room_any_more_is_refused),
        LIMITED(one_address_has_half_of_the_spool),
        LIMITED(one_address_has_half_of_its_files),
        TEST(a_peer_that_goes_leaves_nothing),
        TEST(what_was_left_of_a_killed_server_is_removed),
        TEST(a_dripping_request_is_408),
        TEST(a_body_that_brings_enough_may_take_longer),
        TEST(silence_between_requests_ends_the_connection),
        TEST(who_reads_nothing_is_closed),
        TEST(who_reads_slowly_gets_all_of_a_file),
    };
    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
