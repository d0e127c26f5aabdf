/* test_http_range.c - conditions and ranges of a request against an answer: which part of it is wanted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>

#include "gateway/http_range.h"

#define BEFORE "Tue, 24 Nov 2026 07:00:00 GMT"
#define AT "Tue, 24 Nov 2026 08:00:00 GMT"
#define AFTER "Tue, 24 Nov 2026 09:00:00 GMT"
#define ETAG "ETag: \"v1\"\r\n"
#define DATE "Last-Modified: " AT "\r\n"

struct expected {
    const char *request;
    uint16_t status;
    uint64_t from, length;
};

static void check_one(const char *verb, const char *request, const char *answer, bool is_file, uint64_t total,
                      const struct expected *e) {
    const struct call_http h = {.verb = verb, .head = taut_str_z(request)};
    struct http_selection s = http_select(&h, taut_str_z(answer), is_file, total);
    if (s.status != e->status || (s.status <= 206 && (s.from != e->from || s.length != e->length)))
        fail_msg("%s of %llu: %u %llu+%llu", request, (unsigned long long)total, s.status, (unsigned long long)s.from,
                 (unsigned long long)s.length);
}

static void check(const char *answer, uint64_t total, const struct expected *list, size_t n) {
    for (size_t i = 0; i < n; i++) check_one("GET", list[i].request, answer, false, total, &list[i]);
}
#define CHECK(answer, total, ...)                             \
    do {                                                      \
        static const struct expected list_[] = {__VA_ARGS__}; \
        check(answer, total, list_, COUNT_OF(list_));         \
    } while (0)

static void one_range_is_cut_out(void **state) {
    (void)state;
    CHECK(ETAG, 10, {"Range: bytes=0-0\r\n", 206, 0, 1}, {"Range: bytes=2-4\r\n", 206, 2, 3},
          {"range:bytes=9-\r\n", 206, 9, 1}, {"Range: bytes=0-99\r\n", 206, 0, 10}, {"Range: bytes=-3\r\n", 206, 7, 3},
          {"Range: bytes=-99\r\n", 206, 0, 10}, {"Range: BYTES=5-18446744073709551615\r\n", 200, 0, 10});
}

static void what_lies_outside_is_told(void **state) {
    (void)state;
    CHECK(ETAG, 10, {"Range: bytes=10-\r\n", 416, 0, 0}, {"Range: bytes=10-12\r\n", 416, 0, 0},
          {"Range: bytes=-0\r\n", 416, 0, 0});
    CHECK(ETAG, 0, {"Range: bytes=0-\r\n", 416, 0, 0}, {"Range: bytes=-1\r\n", 416, 0, 0});
}

static void what_is_no_range_of_ours_gets_the_whole(void **state) {
    (void)state;
    CHECK(ETAG, 10, {"", 200, 0, 10}, {"Range: bytes=\r\n", 200, 0, 10}, {"Range: bytes=-\r\n", 200, 0, 10},
          {"Range: bytes=4-2\r\n", 200, 0, 10}, {"Range: bytes=a-b\r\n", 200, 0, 10},
          {"Range: bytes=1-2,4-5\r\n", 200, 0, 10}, {"Range: lines=1-2\r\n", 200, 0, 10},
          {"Range: bytes=1-2\r\nRange: bytes=1-2\r\n", 200, 0, 10}, {"Range: bytes=+1-2\r\n", 200, 0, 10},
          {"Range: bytes=1 -2\r\n", 200, 0, 10}, {"Range: bytes=99999999999999999999-\r\n", 200, 0, 10});
    CHECK("", 10, {"Range: bytes=1-2\r\n", 200, 0, 10}); /* made for this request: nothing to have a part of */
    check_one("GET", "Range: bytes=1-2\r\n", "", true, 10, &(struct expected){"", 206, 1, 2});
    check_one("HEAD", "Range: bytes=1-2\r\n", ETAG, true, 10, &(struct expected){"", 200, 0, 10});
}

static void if_range_holds_for_the_same_thing_only(void **state) {
    (void)state;
    CHECK(ETAG DATE, 10, {"Range: bytes=1-2\r\nIf-Range: \"v1\"\r\n", 206, 1, 2},
          {"Range: bytes=1-2\r\nIf-Range: \"v2\"\r\n", 200, 0, 10},
          {"Range: bytes=1-2\r\nIf-Range: W/\"v1\"\r\n", 200, 0, 10},
          {"Range: bytes=1-2\r\nIf-Range: " AT "\r\n", 206, 1, 2},
          {"Range: bytes=1-2\r\nIf-Range: " AFTER "\r\n", 200, 0, 10},
          {"Range: bytes=1-2\r\nIf-Range: nonsense\r\n", 200, 0, 10});
}

static void what_is_known_is_not_sent_again(void **state) {
    (void)state;
    CHECK(ETAG DATE, 10, {"If-None-Match: \"v1\"\r\n", 304, 0, 0}, {"If-None-Match: W/\"v1\"\r\n", 304, 0, 0},
          {"If-None-Match: \"a\", W/\"b\" ,\"v1\"\r\n", 304, 0, 0}, {"If-None-Match: *\r\n", 304, 0, 0},
          {"If-None-Match: \"v2\"\r\n", 200, 0, 10}, {"If-None-Match: v1\r\n", 200, 0, 10},
          {"If-None-Match: \"v1\r\n", 200, 0, 10}, {"If-Modified-Since: " AT "\r\n", 304, 0, 0},
          {"If-Modified-Since: " AFTER "\r\n", 304, 0, 0}, {"If-Modified-Since: " BEFORE "\r\n", 200, 0, 10},
          {"If-Modified-Since: yesterday\r\n", 200, 0, 10},
          {"If-None-Match: \"v2\"\r\nIf-Modified-Since: " AFTER "\r\n", 200, 0, 10},
          {"If-None-Match: \"v1\"\r\nRange: bytes=1-2\r\n", 304, 0, 0});
    CHECK("", 10, {"If-Modified-Since: " AFTER "\r\n", 200, 0, 10}, {"If-None-Match: \"v1\"\r\n", 200, 0, 10});
}

static void what_must_be_so_and_is_not_fails(void **state) {
    (void)state;
    CHECK(ETAG DATE, 10, {"If-Match: \"v1\"\r\n", 200, 0, 10}, {"If-Match: \"v2\", \"v1\"\r\n", 200, 0, 10},
          {"If-Match: *\r\n", 200, 0, 10}, {"If-Match: \"v2\"\r\n", 412, 0, 0}, {"If-Match: W/\"v1\"\r\n", 412, 0, 0},
          {"If-Unmodified-Since: " AT "\r\n", 200, 0, 10}, {"If-Unmodified-Since: " BEFORE "\r\n", 412, 0, 0});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_range_is_cut_out),
        cmocka_unit_test(what_lies_outside_is_told),
        cmocka_unit_test(what_is_no_range_of_ours_gets_the_whole),
        cmocka_unit_test(if_range_holds_for_the_same_thing_only),
        cmocka_unit_test(what_is_known_is_not_sent_again),
        cmocka_unit_test(what_must_be_so_and_is_not_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
