/* test_http.c - a real gateway on a loopback socket with a hub of ours behind it that answers by the method's name:
 * echo at once; hold keeps the calls until `release` comes, then answers them newest first; early and late answers;
 * silent never does (until the test ends). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/gateway.h"

/* ---- the hub ---- */

static struct {
    uv_loop_t loop;
    uv_thread_t thread;
    struct port port;
    struct mail *held; /* newest first */
    atomic_uint calls, holding;
} hub;

static struct gateway *g;

static void answer(struct call *c, taut_str body) {
    c->msg.kind = MSG_ANSWER;
    c->out.http_status = 200;
    c->out.body = body;
    port_post(c->home, &c->msg);
}

static void answer_echo(struct call *c) {
    if (c->pub.kind == TAUT_CALL_ROUTE) {
        c->out.content_type = "text/plain";
        c->out.headers = TAUT_LIT("X-Test: yes\r\n");
        answer(c,
               arena_fmt(&c->arena, "%.*s?%.*s %zu %.*s", (int)c->pub.text.len, c->pub.text.ptr, (int)c->pub.query.len,
                         c->pub.query.ptr, c->body.len, c->body.len < 100 ? (int)c->body.len : 0, c->body.ptr));
        return;
    }
    taut_str text = c->nargs ? c->args[0].s : taut_str_n("", 0);
    answer(c, arena_fmt(&c->arena, "{\"text\":\"%.*s\",\"token\":\"%.*s\"}", (int)text.len, text.ptr, (int)c->token.len,
                        c->token.ptr));
}

static void answer_large(struct call *c) {
    enum { LARGE = 8 << 20 };
    char *p = arena_alloc(&c->arena, LARGE);
    memset(p, 'x', LARGE);
    answer(c, taut_str_n(p, LARGE));
}

static void answer_early(struct call *c) {
    static const char body[] = "{\"early\":true}";
    struct early_msg *m = calloc(1, sizeof *m + sizeof body);
    m->msg.kind = MSG_EARLY;
    m->cookie = c->cookie;
    m->http_status = 200;
    memcpy(m + 1, body, sizeof body);
    m->body = taut_str_n((char *)(m + 1), sizeof body - 1);
    port_post(c->home, &m->msg);
    c->out.sent = true;
    answer(c, TAUT_LIT("late"));
}

static void release_held(void) {
    while (hub.held) {
        struct call *c = CONTAINER_OF(hub.held, struct call, msg.mail);
        hub.held = hub.held->next;
        answer_echo(c);
    }
}

static void on_mail(struct port *p, struct msg *m) {
    (void)p;
    if (m->kind == MSG_HUB_INTERNAL) {
        release_held();
        uv_stop(&hub.loop);
        return;
    }
    struct call *c = CONTAINER_OF(m, struct call, msg);
    atomic_fetch_add(&hub.calls, 1);
    if (taut_str_is(c->method_name, "hold")) {
        c->msg.mail.next = hub.held;
        hub.held = &c->msg.mail;
        atomic_fetch_add(&hub.holding, 1);
    } else if (taut_str_is(c->method_name, "release")) {
        answer_echo(c);
        release_held();
    } else if (taut_str_is(c->method_name, "early")) {
        answer_early(c);
    } else if (taut_str_is(c->method_name, "large")) {
        answer_large(c);
    } else {
        answer_echo(c);
    }
}

static void run_hub(void *arg) {
    (void)arg;
    uv_run(&hub.loop, UV_RUN_DEFAULT);
}

/* ---- what there is to ask for ---- */

static const struct taut_arg args[] = {{"text", TAUT_ARG_STR, 0, NULL, NULL}};
static const struct taut_method defs[] = {
    {.name = "echo", .args = TAUT_ARRAY(args)},
    {.name = "hold", .args = TAUT_ARRAY(args)},
    {.name = "release"},
    {.name = "early"},
    {.name = "large"},
};
static struct method_entry entries[COUNT_OF(defs)];
static const struct taut_route get_page = {.method = "GET", .path = "/page"};
static const struct taut_route post_page = {.method = "POST", .path = "/hooks/"};
static const struct taut_route admin_page = {.method = "GET", .path = "/admin", .flags = TAUT_ROUTE_ADMIN};
static struct route_entry routes[] = {{.def = &get_page}, {.def = &post_page}, {.def = &admin_page}};
static const struct taut_socket_route socket_def = {.prefix = "/rtm/", .name = "rtm"};
static struct socket_entry sockets[] = {{.def = &socket_def}};
static struct modules modules = {.routes = routes, .nroutes = 3, .sockets = sockets, .nsockets = 1};

static void metrics(void *arg, char **text, size_t *len) {
    (void)arg;
    *text = xstrdup("taut_up 1\n");
    *len = 10;
}

static struct gateway_config config = {.listen = "127.0.0.1:0",
                                       .admin_listen = "127.0.0.1:0",
                                       .modules = &modules,
                                       .hub = &hub.port,
                                       .max_connections = 8,
                                       .max_body = 20000,
                                       .max_header = 4096,
                                       .header_timeout = 900,
                                       .idle_timeout = 60000,
                                       .ping_interval = 10000,
                                       .connection_queue = 65536,
                                       .metrics = metrics};

static int set_up(void **state) {
    (void)state;
    char *why = NULL;
    memset(&hub, 0, sizeof hub);
    uv_loop_init(&hub.loop);
    port_open(&hub.port, &hub.loop, on_mail, NULL);
    uv_thread_create(&hub.thread, run_hub, NULL);
    g = gateway_new(&config, &why);
    if (!g) fail_msg("%s", why);
    gateway_start(g);
    return 0;
}

static void stop_hub(void) {
    struct conn_msg *m = calloc(1, sizeof *m);
    m->msg.kind = MSG_HUB_INTERNAL;
    port_post(&hub.port, &m->msg);
    uv_thread_join(&hub.thread);
    free(m);
}

static int tear_down(void **state) {
    (void)state;
    gateway_stop(g);
    stop_hub();
    gateway_free(g);
    port_close(&hub.port);
    uv_run(&hub.loop, UV_RUN_DEFAULT);
    uv_loop_close(&hub.loop);
    return 0;
}

static int set_up_modules(void **state) {
    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(defs); i++) {
        entries[i].def = &defs[i];
        entries[i].nargs = defs[i].args.len;
        if (defs[i].args.len) map_put(&entries[i].arg_index, TAUT_LIT("text"), (void *)1);
        map_put(&modules.methods, taut_str_z(defs[i].name), &entries[i]);
    }
    return 0;
}
static int tear_down_modules(void **state) {
    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(defs); i++) map_free(&entries[i].arg_index);
    map_free(&modules.methods);
    return 0;
}

/* ---- a client ---- */

static int connect_to(bool admin) {
    struct sockaddr_in a = {.sin_family = AF_INET};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    a.sin_port = htons((uint16_t)atoi(strrchr(gateway_address(g, admin), ':') + 1));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

static void say_bytes(int fd, const char *p, size_t n) {
    while (n) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
        if (sent < 0) return; /* the server may have closed */
        p += sent;
        n -= (size_t)sent;
    }
}
static void say(int fd, const char *text) {
    say_bytes(fd, text, strlen(text));
}

static char got[1 << 16];

/* Reads until `n` answers' bodies are there (counted by what ends them), or the peer closes; 3 s at most. */
static size_t hear(int fd, const char *last) {
    size_t n = 0;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    got[0] = 0;
    while (n < sizeof got - 1 && poll(&p, 1, 3000) > 0) {
        ssize_t r = recv(fd, got + n, sizeof got - 1 - n, 0);
        if (r <= 0) break;
        n += (size_t)r;
        got[n] = 0;
        if (last && strstr(got, last)) break;
    }
    return n;
}

static void heard(const char *text) {
    if (!strstr(got, text)) fail_msg("no \"%s\" in:\n%s", text, got);
}
static bool is_closed(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char c;
    return poll(&p, 1, 3000) > 0 && recv(fd, &c, 1, 0) <= 0;
}
static void wait_for(atomic_uint *counter, unsigned n) {
    for (int i = 0; i < 3000 && atomic_load(counter) < n; i++) usleep(1000);
    assert_true(atomic_load(counter) >= n);
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

/* ---- the tests ---- */

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
    close(fd);
}

static void answers_come_in_order_though_the_hub_reverses_them(void **state) {
    (void)state;
    int fd = connect_to(false);
    char req[128], expected[64];
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
        {"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", "400", "the request target is not a path"},
        {"\x16\x03\x01\x02", "400", "a control character in the head"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int fd = connect_to(false);
        say(fd, cases[i].request);
        hear(fd, "}");
        if (strncmp(got + 9, cases[i].status, 3) != 0) fail_msg("case %zu: %s\n%s", i, cases[i].request, got);
        if (cases[i].why) heard(cases[i].why);
        heard("{\"ok\":false,\"error\":\"");
        if (strcmp(cases[i].request, "GET * HTTP/1.1\r\nHost: x\r\n\r\n") != 0 && cases[i].why &&
            strcmp(cases[i].why, "the request target is not a path") != 0) {
            heard("Connection: close\r\n");
            assert_true(is_closed(fd));
        }
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
    say(fd, GET("/admin"));
    hear(fd, "}");
    heard("HTTP/1.1 404");
    say(fd, GET("/rtm/ticket"));
    hear(fd, "}");
    heard("HTTP/1.1 426 Upgrade Required\r\n");
    heard("Sec-WebSocket-Version: 13\r\n");
    close(fd);
}

static void the_admin_address_has_metrics_and_its_own_routes(void **state) {
    (void)state;
    int fd = connect_to(true);
    say(fd, GET("/metrics"));
    hear(fd, "taut_up 1\n");
    heard("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
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
    struct linger hard = {1, 0};
    say(fd, GET("/api/hold?text=1"));
    wait_for(&hub.holding, 1);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(fd);
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
    heard("{\"ok\":false,\"error\":\"too_many_connections\"}");
    close(extra);
    for (int i = 0; i < 8; i++) close(fds[i]);
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

static void a_taken_address_says_what_to_do(void **state) {
    (void)state;
    struct gateway_config same = config;
    char *why = NULL, expected[160];
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
        TEST(the_admin_address_has_metrics_and_its_own_routes),
        TEST(an_early_answer_is_sent_once),
        TEST(a_slow_head_is_408_and_silence_just_ends),
        TEST(a_peer_may_leave_while_its_call_runs),
        TEST(a_large_answer_arrives_whole_at_a_slow_reader),
        TEST(connections_beyond_the_limit_are_turned_away),
        TEST(stopping_lets_requests_in_flight_finish),
        TEST(a_taken_address_says_what_to_do),
    };
    return cmocka_run_group_tests(tests, set_up_modules, tear_down_modules);
}
