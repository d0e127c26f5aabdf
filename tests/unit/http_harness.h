/* http_harness.h - for test_http*.c: a gateway on a loopback socket, a hub that answers by the method's name, a client.
 * echo is answered at once; hold is kept until `release` comes, then newest first; early is answered early and late;
 * large has an answer of 8 MiB. */
#ifndef HTTP_HARNESS_H
#define HTTP_HARNESS_H

#include <errno.h>
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
    /* of the last call; read it when it is answered */
    struct addr client;
    bool secure;
    char host[64];
} hub;

static struct gateway *g;

static void answer(struct call *c, taut_str body) {
    c->msg.kind = MSG_ANSWER;
    c->out.http_status = 200;
    c->out.body = body;
    port_post(c->home, &c->msg);
}

/* Rejects it: libwebsockets upgrades, then sends the last frame and closes. */
static void answer_open(struct call *c) {
    c->out.close_code = 1008;
    answer(c, arena_fmt(&c->arena, "{\"path\":\"%.*s\",\"query\":\"%.*s\"}", (int)c->pub.text.len, c->pub.text.ptr,
                        (int)c->pub.query.len, c->pub.query.ptr));
}

/* A hole of 8 MiB, from the disk to the socket. */
static void answer_file(struct call *c) {
    enum { LENGTH = 8 << 20 };
    FILE *f = tmpfile();
    c->http->file = (struct taut_file){sizeof(struct taut_file), dup(fileno(f)), 0, LENGTH};
    if (ftruncate(c->http->file.fd, LENGTH) != 0) abort();
    fclose(f);
    answer(c, taut_str_n("", 0));
}

static void answer_echo(struct call *c) {
    if (c->pub.kind == TAUT_CALL_OPEN) {
        answer_open(c);
        return;
    }
    if (c->pub.kind == TAUT_CALL_ROUTE && taut_str_is(c->pub.query, "file")) {
        answer_file(c);
        return;
    }
    if (c->pub.kind == TAUT_CALL_ROUTE) {
        c->out.content_type = "text/plain";
        c->out.headers = TAUT_LIT("X-Test: yes\r\n");
        answer(c, arena_fmt(&c->arena, "%.*s?%.*s %zu %.*s", (int)c->pub.text.len, c->pub.text.ptr,
                            (int)c->pub.query.len, c->pub.query.ptr, (size_t)c->http->body.length,
                            c->http->body.length < 100 ? (int)c->http->body.length : 0, c->http->body.bytes));
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
    m->http_status = 504;
    m->content_type = "text/plain";
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
    if (m->kind == MSG_HUB_INTERNAL + 1) {
        release_held();
        free(m);
        return;
    }
    if (m->kind == MSG_HUB_INTERNAL) {
        release_held();
        uv_stop(&hub.loop);
        return;
    }
    struct call *c = CONTAINER_OF(m, struct call, msg);
    hub.client = c->client;
    hub.secure = c->secure;
    snprintf(hub.host, sizeof hub.host, "%.*s", (int)c->host.len, c->host.ptr);
    atomic_fetch_add(&hub.calls, 1);
    if (taut_str_is(c->method_name, "hold") || taut_str_is(c->pub.text, "hold")) {
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
                                       .limits.max_calls = 300,
                                       .limits.max_call_bytes = 150000,
                                       .limits.max_input = 100000,
                                       .limits.max_answers = 10 << 20,
                                       .limits.max_body = 20000,
                                       .max_header = 4096,
                                       .limits.header_timeout = 900,
                                       .limits.idle_timeout = 60000,
                                       .ping_interval = 10000,
                                       .limits.connection_queue = 65536,
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

/* Answers what the hub holds; asked past the gateway. */
static inline void release(void) {
    struct conn_msg *m = calloc(1, sizeof *m);
    m->msg.kind = MSG_HUB_INTERNAL + 1;
    port_post(&hub.port, &m->msg);
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
    while (n < sizeof got - 1) {
        int ready = poll(&p, 1, 3000);
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) break;
        ssize_t r = recv(fd, got + n, sizeof got - 1 - n, 0);
        if (r < 0 && errno == EINTR) continue;
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
static inline bool is_closed(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char c;
    int ready;
    do ready = poll(&p, 1, 3000);
    while (ready < 0 && errno == EINTR);
    return ready > 0 && recv(fd, &c, 1, 0) <= 0;
}
static inline void connections_become(unsigned n) {
    const atomic_ullong *open = &gateway_stats(g)->http_connections;
    for (int i = 0; i < 3000 && atomic_load(open) != n; i++) usleep(1000);
    assert_int_equal(atomic_load(open), n);
}
static void wait_for(atomic_uint *counter, unsigned n) {
    for (int i = 0; i < 3000 && atomic_load(counter) < n; i++) usleep(1000);
    assert_true(atomic_load(counter) >= n);
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: localhost\r\n\r\n"

/* Lets the gateway see that hold's answers are small: before that it asks for few at a time. hub.calls: 1. */
static inline void answer_one_hold(int fd) {
    say(fd, GET("/api/hold?text=first"));
    wait_for(&hub.holding, 1);
    release();
    hear(fd, "first");
    atomic_store(&hub.holding, 0);
}
static inline void close_hard(int fd) {
    struct linger hard = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(fd);
}

#endif
