/* test_http_strict.c - requests that are wrong, or that two servers could read as two different ones, each with the
 * status that its RFC asks for. Whatever follows a refused one on its connection is never run. */
#include "http_harness.h"

#define HOST "Host: x\r\n"
#define LAST "Connection: close\r\n"
#define POST "POST /api/echo HTTP/1.1\r\n" HOST
#define HOOK "POST /hooks/a HTTP/1.1\r\n" HOST
#define FORM "Content-Type: application/x-www-form-urlencoded\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n"
#define EVIL "GET /page?evil HTTP/1.1\r\nHost: x\r\n\r\n"

struct strict {
    const char *section; /* of RFC 9112, or of 9110 or another where it says so */
    const char *request;
    uint16_t status;
    const char *why;
};

static const struct strict request_lines[] = {
    {"3", "GET /page HTTP/1.1\r\n" HOST LAST "\r\n", 200, NULL},
    {"3", "GET  /page HTTP/1.1\r\n" HOST "\r\n", 400, "the request line is not a method, a target and a version"},
    {"3", "GET /page  HTTP/1.1\r\n" HOST "\r\n", 400, NULL},
    {"3", "GET /page\r\n" HOST "\r\n", 400, NULL},
    {"3", " GET /page HTTP/1.1\r\n" HOST "\r\n", 400, "the request line does not begin with a method"},
    {"3", "GET\t/page\tHTTP/1.1\r\n" HOST "\r\n", 400, "the request line does not begin with a method"},
    {"3", "GET /pa\x7fge HTTP/1.1\r\n" HOST "\r\n", 400, NULL},
    {"3.1", "G@T /page HTTP/1.1\r\n" HOST "\r\n", 400, "the request line does not begin with a method"},
    {"3.1", "get /page HTTP/1.1\r\n" HOST "\r\n", 501, "no such HTTP method"},
    {"9110 9.1", "FROB /page HTTP/1.1\r\n" HOST "\r\n", 501, "no such HTTP method"},
    {"9110 9.1", "GETTHELOT /page HTTP/1.1\r\n" HOST "\r\n", 501, "no such HTTP method"},
    {"9110 9.3.8", "TRACE /page HTTP/1.1\r\n" HOST "\r\n", 501, "no such HTTP method"},
    {"9110 9.3.6", "CONNECT x:1 HTTP/1.1\r\n" HOST "\r\n", 501, "no such HTTP method"},
    {"9110 15.5.6", "DELETE /page HTTP/1.1\r\n" HOST LAST "\r\n", 405, NULL},
    {"9110 15.5.6", "PUT /api/echo HTTP/1.1\r\n" HOST LAST "\r\n", 405, NULL},
    {"2.3", "GET /page HTTP/2.0\r\n" HOST "\r\n", 505, "the HTTP version is not 1.0 or 1.1"},
    {"2.3", "GET /page HTTP/0.9\r\n" HOST "\r\n", 505, "the HTTP version is not 1.0 or 1.1"},
    {"2.3", "GET /page HTTP/1.1x\r\n" HOST "\r\n", 400, NULL},
    {"2.3", "GET /page HTTP/11\r\n" HOST "\r\n", 400, NULL},
    {"2.3", "GET /page http/1.1\r\n" HOST "\r\n", 400, NULL},
    {"2.3", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 501, NULL},
    {"2.2", "\r\n\r\nGET /page HTTP/1.1\r\n" HOST LAST "\r\n", 200, NULL},
    {"2.2", "GET /page HTTP/1.1\n" HOST "\n", 400, "a line does not end in CRLF"},
    {"2.2", "GET /page HTTP/1.1\r" HOST "\r\n", 400, "a carriage return without a line feed"},
};

static const struct strict targets[] = {
    {"3.2.1", "GET page HTTP/1.1\r\n" HOST "\r\n", 400, NULL},
    {"3.2.2", "GET http://x/page HTTP/1.1\r\n" HOST LAST "\r\n", 200, NULL},
    {"3.2.2", "GET https://x/page HTTP/1.1\r\n" HOST LAST "\r\n", 200, NULL},
    {"3.2.2", "GET http:///page HTTP/1.1\r\n" HOST "\r\n", 400, NULL},
    {"3.2.2", "GET http://u:p@x/page HTTP/1.1\r\n" HOST "\r\n", 400, "the request target is not a path"},
    {"3.2.2", "GET ftp://x/page HTTP/1.1\r\n" HOST "\r\n", 400, "the request target is not a path"},
    {"3.2.2", "GET http://x?q HTTP/1.1\r\n" HOST LAST "\r\n", 404, NULL},
    {"3.2.4", "GET * HTTP/1.1\r\n" HOST "\r\n", 400, NULL},
    {"3.2", "GET /page#top HTTP/1.1\r\n" HOST "\r\n", 400, "the request target has a fragment"},
    {"3986 5.2.4", "GET /hooks/../page HTTP/1.1\r\n" HOST "\r\n", 400, "the path has a dot segment"},
    {"3986 5.2.4", "GET /hooks/.. HTTP/1.1\r\n" HOST "\r\n", 400, "the path has a dot segment"},
    {"3986 5.2.4", "GET /./page HTTP/1.1\r\n" HOST "\r\n", 400, "the path has a dot segment"},
    {"3986 6.2.2", "GET /hooks/%2e%2E/page HTTP/1.1\r\n" HOST "\r\n", 400, "the path has a dot segment"},
    {"3986 6.2.2", "GET /hooks/.%2e/page HTTP/1.1\r\n" HOST "\r\n", 400, "the path has a dot segment"},
    {"3986 5.2.4", "POST /hooks/..a/... HTTP/1.1\r\n" HOST LAST "\r\n", 200, NULL},
    {"3986 2.1", "GET /page%zz HTTP/1.1\r\n" HOST "\r\n", 400, "the path has a broken escape"},
    {"3986 2.1", "GET /page%4 HTTP/1.1\r\n" HOST "\r\n", 400, "the path has a broken escape"},
    {"3986 7.3", "GET /page%00 HTTP/1.1\r\n" HOST "\r\n", 400, "the path has an escaped control character"},
    {"3986 7.3", "GET /page%0d%0aX:y HTTP/1.1\r\n" HOST "\r\n", 400, "the path has an escaped control character"},
    {"3986 2", "GET /pa\\ge HTTP/1.1\r\n" HOST "\r\n", 400, "the path has a character that must be escaped"},
    {"3986 2", "GET /p\xc3\xa4ge HTTP/1.1\r\n" HOST "\r\n", 400, NULL},
    {"3986 3.4", "GET /page?a=%zz/../b HTTP/1.1\r\n" HOST LAST "\r\n", 200, NULL},
};

static const struct strict fields[] = {
    {"3.2", "GET /page HTTP/1.1\r\n\r\n", 400, "no Host header"},
    {"3.2", "GET /page HTTP/1.0\r\n\r\n", 200, NULL},
    {"3.2", "GET /page HTTP/1.1\r\n" HOST HOST "\r\n", 400, "two Host headers"},
    {"3.2", "GET /page HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "Host is no host"},
    {"3.2", "GET /page HTTP/1.1\r\nHost: x/y\r\n\r\n", 400, "Host is no host"},
    {"3.2", "GET /page HTTP/1.1\r\nHost: u@x\r\n\r\n", 400, "Host is no host"},
    {"3.2", "GET /page HTTP/1.1\r\nHost: x:80a\r\n\r\n", 400, "Host is no host"},
    {"3.2", "GET /page HTTP/1.1\r\nHost: [::1]:8065\r\n" LAST "\r\n", 200, NULL},
    {"3.2", "GET /page HTTP/1.1\r\nHost:\r\n" LAST "\r\n", 200, NULL},
    {"5", "GET /page HTTP/1.1\r\n" HOST "A\r\n\r\n", 400, NULL},
    {"5", "GET /page HTTP/1.1\r\n" HOST ": v\r\n\r\n", 400, NULL},
    {"5.1", "GET /page HTTP/1.1\r\n" HOST "A : v\r\n\r\n", 400, "a blank in a header's name"},
    {"9110 5.1", "GET /page HTTP/1.1\r\n" HOST "A(b): v\r\n\r\n", 400, NULL},
    {"9110 5.1", "GET /page HTTP/1.1\r\n" HOST "\xc3\xa4: v\r\n\r\n", 400, NULL},
    {"9110 5.5", "GET /page HTTP/1.1\r\n" HOST "A: v\x01\r\n\r\n", 400, "a control character in the head"},
    {"9110 5.5", "GET /page HTTP/1.1\r\n" HOST "A: b\rc\r\n\r\n", 400, "a carriage return without a line feed"},
    {"9110 5.5", "GET /page HTTP/1.1\r\n" HOST "A: \xc3\xa4\tb\r\n" LAST "\r\n", 200, NULL},
    {"5.2", "GET /page HTTP/1.1\r\n" HOST "A: b\r\n c\r\n\r\n", 400, "a header is folded over two lines"},
    {"5.2", "GET /page HTTP/1.1\r\n" HOST "A: b\r\n\tc\r\n\r\n", 400, "a header is folded over two lines"},
    {"5.2", "GET /page HTTP/1.1\r\n A: b\r\n" HOST "\r\n", 400, "a header is folded over two lines"},
    {"9110 10.1.1", HOOK "Expect: 200-ok\r\nContent-Length: 1\r\n\r\n", 417, "the only expectation is 100-continue"},
    {"9110 10.1.1", HOOK "Expect: 100-continue\r\nContent-Length: 99999\r\n\r\n", 413, "the body is too large"},
    {"9110 10.1.1", "POST /no HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 9\r\n\r\n", 404, NULL},
    {"9110 10.1.1", "POST /page HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 9\r\n\r\n", 405, NULL},
    {"9110 15.5.16", HOOK "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx", 415, NULL},
    {"9110 8.4", HOOK "Content-Encoding: identity\r\nContent-Length: 1\r\n" LAST "\r\nx", 200, NULL},
};

static const struct strict lengths[] = {
    {"6.3", POST "Content-Length: 1\r\n" CHUNKED "\r\n", 400, "both Content-Length and Transfer-Encoding"},
    {"6.3", POST CHUNKED "Content-Length: 1\r\n\r\n", 400, "both Content-Length and Transfer-Encoding"},
    {"6.3", POST "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400, "two Content-Length headers"},
    {"6.3", POST "Content-Length: 1\r\nContent-Length: 2\r\n\r\nx", 400, "two Content-Length headers"},
    {"6.3", POST "Content-Length: 1, 1\r\n\r\nx", 400, NULL},
    {"6.2", POST "Content-Length: +5\r\n\r\nhello", 400, NULL},
    {"6.2", POST "Content-Length: -5\r\n\r\nhello", 400, NULL},
    {"6.2", POST "Content-Length: 0x5\r\n\r\nhello", 400, NULL},
    {"6.2", POST "Content-Length: 5 5\r\n\r\nhello", 400, NULL},
    {"6.2", POST "Content-Length:\r\n\r\nhello", 400, NULL},
    {"6.2", POST "Content-Length: 99999999999999999999\r\n\r\n", 400, NULL},
    {"6.2", POST "Content-Length : 5\r\n\r\nhello", 400, "a blank in a header's name"},
    {"9110 15.5.14", POST "Content-Length: 20001\r\n\r\n", 413, "the body is too large"},
    {"6.1", POST CHUNKED CHUNKED "\r\n0\r\n\r\n", 400, "two Transfer-Encoding headers"},
    {"6.1", POST "Transfer-Encoding: gzip, chunked\r\n\r\n", 501, "the only transfer coding is chunked"},
    {"6.1", POST "Transfer-Encoding: chunked, chunked\r\n\r\n", 501, "the only transfer coding is chunked"},
    {"6.1", POST "Transfer-Encoding: chunked, identity\r\n\r\n", 501, "the only transfer coding is chunked"},
    {"6.1", POST "Transfer-Encoding: xchunked\r\n\r\n", 501, "the only transfer coding is chunked"},
    {"6.1", POST "Transfer-Encoding: identity\r\n\r\n", 501, "the only transfer coding is chunked"},
    {"6.1", POST "Transfer-Encoding:\r\n\r\n", 501, "the only transfer coding is chunked"},
    {"6.1",
     POST "Transfer-Encoding: \x0b"
          "chunked\r\n\r\n",
     400, "a control character in the head"},
    {"6.1", "POST /api/echo HTTP/1.0\r\n" CHUNKED "\r\n0\r\n\r\n", 400, "Transfer-Encoding in HTTP/1.0"},
};

static const struct strict chunks[] = {
    {"7.1", HOOK LAST CHUNKED "\r\n3;a=b\r\nabc\r\n0;c\r\nTrailer: x\r\n\r\n", 200, NULL},
    {"7.1", HOOK LAST CHUNKED "\r\n00003\r\nabc\r\n00\r\n\r\n", 200, NULL},
    {"7.1", POST CHUNKED "\r\nx\r\n", 400, "a chunk has no size"},
    {"7.1", POST CHUNKED "\r\n-1\r\n", 400, "a chunk has no size"},
    {"7.1", POST CHUNKED "\r\n0x1\r\n", 400, "a chunk's size is no number"},
    {"7.1", POST CHUNKED "\r\n1 \r\nx\r\n", 400, "a chunk's size is no number"},
    {"7.1", POST CHUNKED "\r\n1\nx", 400, "a chunk's size is no number"},
    {"7.1", POST CHUNKED "\r\n1\rx", 400, "a chunk's line does not end in CRLF"},
    {"7.1", POST CHUNKED "\r\n1\r\nxy\r\n", 400, "a chunk is longer than its size"},
    {"7.1", POST CHUNKED "\r\n1\r\nx\n0\r\n\r\n", 400, "a chunk is longer than its size"},
    {"7.1", POST CHUNKED "\r\n0000000000000000\r\n", 400, "a chunk's size is too long"},
    {"7.1", POST CHUNKED "\r\nffffffffffffffff\r\n", 413, "the body is too large"},
    {"7.1", POST CHUNKED "\r\n7fffff\r\n", 413, "the body is too large"},
    {"7.1", HOOK CHUNKED "\r\n7fffff\r\n", 413, "the body is too large"},
    {"7.1.1", POST CHUNKED "\r\n1;a\nb\r\nx", 400, "a chunk's line does not end in CRLF"},
    {"7.1.1", POST CHUNKED "\r\n1;a\x01\r\nx", 400, "a control character in a chunk's extension"},
    {"7.1.2", POST CHUNKED "\r\n0\r\nA: b\n\r\n", 400, "a trailer does not end in CRLF"},
    {"7.1.2", POST CHUNKED "\r\n0\r\nA: \x02\r\n\r\n", 400, "a control character in a trailer"},
};

/* What a front that reads the first request otherwise would let through. */
static const struct strict smuggled[] = {
    {"11.2", POST "Content-Length: 5\r\n" CHUNKED "\r\n0\r\n\r\n" EVIL, 400, NULL},
    {"11.2", POST "Content-Length: 0\r\nContent-Length: 44\r\n\r\n" EVIL, 400, NULL},
    {"11.2", POST "Content-Length: 0\nContent-Length: 44\r\n\r\n" EVIL, 400, NULL},
    {"11.2", POST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" EVIL, 400, NULL},
    {"11.2", POST "Transfer-Encoding: chunked\r\n foo\r\n\r\n0\r\n\r\n" EVIL, 400, NULL},
    {"11.2", POST "X: y\r\n\tTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" EVIL, 400, NULL},
    {"11.2", POST "Transfer-Encoding: chunkeD, foo\r\n\r\n0\r\n\r\n" EVIL, 501, NULL},
    {"11.2", POST CHUNKED "\r\n0\n\n" EVIL, 400, NULL},
    {"11.2", POST CHUNKED "\r\n5\r\nabc\r\n0\r\n\r\n" EVIL, 400, NULL},
    {"11.2", POST "Content-Length: \"0\"\r\n\r\n" EVIL, 400, NULL},
    {"11.2", "GET /page HTTP/1.1\r\n" HOST "Connection: close\r\nContent-Length: 00\r\n\r\n" EVIL, 200, NULL},
    {"11.2", "GET /api/echo HTTP/1.1\r\n" HOST FORM "Content-Length: 1000000\r\n\r\n" EVIL, 413, NULL},
    {"11.2", "POST /no HTTP/1.1\r\n" HOST "Content-Length: 70000\r\n\r\n" EVIL, 413, NULL},
    {"11.1", "GET /page HTTP/1.1\r\nX: a\r\rHost: y\r\n" HOST "\r\n" EVIL, 400, NULL},
};

static unsigned answers(void) {
    unsigned n = 0;
    for (const char *at = got; (at = strstr(at, "HTTP/1.1 ")); at++) n++;
    return n;
}

/* Each on a connection of its own: one answer, the right one, and then the end. */
static void check(const struct strict *cases, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const struct strict *s = &cases[i];
        int fd = connect_to(false);
        say(fd, s->request);
        hear(fd, NULL);
        if (strncmp(got, "HTTP/1.1 ", 9) != 0 || atoi(got + 9) != s->status || answers() != 1)
            fail_msg("case %zu (%s), expected %u:\n%s\n%s", i, s->section, s->status, s->request, got);
        if (s->why) heard(s->why);
        if (s->status >= 400) heard("{\"ok\":false,\"error\":\"");
        heard("Connection: close\r\n");
        assert_null(strstr(got, "evil"));
        close(fd);
    }
}

#define CASES(table, name)             \
    static void name(void **state) {   \
        (void)state;                   \
        check(table, COUNT_OF(table)); \
    }
CASES(request_lines, request_lines_are_read_to_the_letter)
CASES(targets, a_target_is_one_path_for_every_server_on_its_way)
CASES(fields, header_fields_are_read_to_the_letter)
CASES(lengths, where_a_body_ends_is_said_once_and_clearly)
CASES(chunks, chunks_are_read_to_the_letter)
CASES(smuggled, nothing_is_smuggled_behind_a_request)

static void a_nul_in_the_head_is_refused(void **state) {
    (void)state;
    static const char request[] = "GET /page HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n";
    int fd = connect_to(false);
    say_bytes(fd, request, sizeof request - 1);
    hear(fd, NULL);
    heard("HTTP/1.1 400 ");
    heard("a control character in the head");
    close(fd);
}

static void what_is_too_long_says_which(void **state) {
    (void)state;
    static const struct {
        const char *before;
        const char *status;
    } cases[] = {
        {"GET /", "HTTP/1.1 414 URI Too Long\r\n"},
        {"GET /page HTTP/1.1\r\nHost: x\r\nA: ", "HTTP/1.1 431 Request Header Fields Too Large\r\n"},
        {HOOK CHUNKED "\r\n1;", "HTTP/1.1 400 Bad Request\r\n"},
        {HOOK CHUNKED "\r\n0\r\nA: ", "HTTP/1.1 400 Bad Request\r\n"},
    };
    char filler[5000];
    memset(filler, 'a', sizeof filler);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int fd = connect_to(false);
        say(fd, cases[i].before);
        say_bytes(fd, filler, sizeof filler);
        hear(fd, NULL);
        heard(cases[i].status);
        close(fd);
    }
}

static void framing_may_not_outweigh_the_body_without_end(void **state) {
    (void)state;
    int fd = connect_to(false);
    say(fd, HOOK CHUNKED "\r\n");
    char chunk[600];
    memset(chunk, 'e', sizeof chunk);
    memcpy(chunk, "1;", 2);
    memcpy(chunk + sizeof chunk - 5, "\r\nx\r\n", 5);
    for (int i = 0; i < 200; i++) say_bytes(fd, chunk, sizeof chunk);
    hear(fd, NULL);
    heard("HTTP/1.1 413 ");
    close(fd);
}

static void allow_names_what_the_path_has(void **state) {
    (void)state;
    int fd = connect_to(false);
    say(fd, "DELETE /page HTTP/1.1\r\nHost: x\r\n\r\n");
    hear(fd, "}");
    heard("Allow: GET, HEAD\r\n");
    say(fd, "OPTIONS /hooks/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    hear(fd, NULL);
    heard("Allow: POST\r\n");
    close(fd);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(request_lines_are_read_to_the_letter),
        TEST(a_target_is_one_path_for_every_server_on_its_way),
        TEST(header_fields_are_read_to_the_letter),
        TEST(where_a_body_ends_is_said_once_and_clearly),
        TEST(chunks_are_read_to_the_letter),
        TEST(nothing_is_smuggled_behind_a_request),
        TEST(a_nul_in_the_head_is_refused),
        TEST(what_is_too_long_says_which),
        TEST(framing_may_not_outweigh_the_body_without_end),
        TEST(allow_names_what_the_path_has),
    };
    return cmocka_run_group_tests(tests, set_up_modules, tear_down_modules);
}
