/* ws_harness.h - a gateway thread with WebSockets only, a hub played by the test, and a blocking WebSocket client.
 *
 * The test's thread is the hub: it answers OPEN at once (open_conn), and sees every message of the gateway through
 * next_mail(). on_gateway() runs a function on the gateway's thread, to look at its state.
 */
#ifndef WS_HARNESS_H
#define WS_HARNESS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* strcasestr */
#endif
#include "gateway/ws_internal.h" /* before cmocka, whose fail() is a macro */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define HARNESS static __attribute__((unused))

struct harness {
    struct gateway *g;
    uv_loop_t hub_loop;
    struct port hub;
    struct call_pool calls;
    uv_prepare_t prepare;
    struct msg *mail[8192]; /* what came from the gateway and was not looked at yet */
    uint32_t first, last;
    uv_timer_t timeout;
    bool timed_out;
    taut_conn next_id;
    int listener;
    uint16_t port;
};
static struct harness H;

/* ---- the gateway's side ---- */

enum { RUN = MSG_HUB_INTERNAL + 1 };
struct run_msg {
    struct msg msg;
    void (*fn)(struct gateway *g, void *arg);
    void *arg;
    uv_sem_t done;
};

static void after_stop(struct gateway *g) {
    uv_close((uv_handle_t *)&H.prepare, NULL);
    port_close(&g->port);
}

static void gateway_mail(struct port *p, struct msg *m) {
    struct gateway *g = CONTAINER_OF(p, struct gateway, port);
    switch (m->kind) {
    case MSG_ANSWER: {
        struct call *c = CONTAINER_OF(m, struct call, msg);
        if (c->pub.kind == TAUT_CALL_OPEN) ws_opened(g, c);
        else ws_answer(g, c);
        break;
    }
    case MSG_EARLY: ws_early(g, CONTAINER_OF(m, struct early_msg, msg)); break;
    case MSG_EVENTS: fanout_events(g, CONTAINER_OF(m, struct events_msg, msg)); break;
    case MSG_REFILLED: fanout_refilled(g, CONTAINER_OF(m, struct events_msg, msg)); break;
    case MSG_SEND: ws_send(g, CONTAINER_OF(m, struct conn_msg, msg)); break;
    case MSG_CLOSE: ws_close(g, CONTAINER_OF(m, struct conn_msg, msg)); break;
    case MSG_STOP:
        free(m);
        ws_stop(g, after_stop);
        break;
    case RUN: {
        struct run_msg *r = CONTAINER_OF(m, struct run_msg, msg);
        r->fn(g, r->arg);
        uv_sem_post(&r->done);
        break;
    }
    default: panic("unexpected mail %u", m->kind);
    }
}

/* One upgrade at a time: the test has accepted the socket and put it here. */
static struct {
    int fd;
    char head[8192];
    size_t len;
} upgrade;

bool http_release_for_upgrade(struct gateway *g, uint64_t cookie, int *fd, const char **head, size_t *len,
                              struct seat *seat) {
    (void)g, (void)cookie;
    if (upgrade.fd < 0) return false;
    *fd = upgrade.fd;
    *head = upgrade.head;
    *len = upgrade.len;
    *seat = (struct seat){0};
    return true;
}

static void flush_outbox(uv_prepare_t *p) {
    struct gateway *g = p->data;
    outbox_flush(&g->to_hub, g->config.hub);
}

static void gateway_thread(void *arg) {
    uv_run(&((struct gateway *)arg)->loop, UV_RUN_DEFAULT);
}

HARNESS void on_gateway(void (*fn)(struct gateway *, void *), void *arg) {
    struct run_msg r = {.msg.kind = RUN, .fn = fn, .arg = arg};
    uv_sem_init(&r.done, 0);
    port_post(&H.g->port, &r.msg);
    uv_sem_wait(&r.done);
    uv_sem_destroy(&r.done);
}

static void run_ticks(struct gateway *g, void *arg) {
    for (int n = *(int *)arg; n > 0; n--) ws_tick(g);
}
HARNESS void ticks(int n) {
    on_gateway(run_ticks, &n);
}

/* ---- the hub's side ---- */

static void hub_mail(struct port *p, struct msg *m) {
    (void)p;
    assert_true(H.last - H.first < COUNT_OF(H.mail));
    H.mail[H.last++ % COUNT_OF(H.mail)] = m;
}
static void on_timeout(uv_timer_t *t) {
    (void)t;
    H.timed_out = true;
}

/* NULL after timeout_ms. */
HARNESS struct msg *next_mail_within(uint64_t timeout_ms) {
    H.timed_out = false;
    uv_update_time(&H.hub_loop);
    uv_timer_start(&H.timeout, on_timeout, timeout_ms, 10); /* again, or a poll after it has fired would not end */
    while (H.first == H.last && !H.timed_out) uv_run(&H.hub_loop, UV_RUN_ONCE);
    uv_timer_stop(&H.timeout);
    return H.first == H.last ? NULL : H.mail[H.first++ % COUNT_OF(H.mail)];
}
HARNESS struct msg *next_mail(uint32_t kind) {
    struct msg *m = next_mail_within(8000);
    assert_non_null(m);
    assert_int_equal(m->kind, kind);
    return m;
}
HARNESS void no_mail(void) {
    assert_null(next_mail_within(150));
}

HARNESS void expect_closed(taut_conn id) {
    struct conn_msg *m = CONTAINER_OF(next_mail(MSG_CLOSED), struct conn_msg, msg);
    assert_true(m->conn == id);
    free(m);
}
/* The position a refill is asked for. */
HARNESS uint64_t expect_refill(taut_conn id) {
    struct conn_msg *m = CONTAINER_OF(next_mail(MSG_REFILL), struct conn_msg, msg);
    assert_true(m->conn == id);
    assert_true(taut_str_is(m->text, "T1"));
    assert_ptr_equal(m->from, &H.g->port);
    uint64_t after = m->seq;
    free(m);
    return after;
}

/* topics "C1 U2"; deltas as in the log: "+U1 C1,-U2 C1,xK7 reason". */
HARNESS struct event *make_event(uint64_t seq, taut_conn skip, const char *topics, const char *deltas,
                                 const char *body) {
    return event_from_record(TAUT_LIT("T1"), seq, skip, taut_str_z(topics), taut_str_z(deltas), taut_str_z(body));
}
HARNESS struct events_msg *make_events(uint32_t kind, uint32_t n) {
    struct events_msg *m = xcalloc(1, sizeof *m + n * sizeof m->events[0]);
    m->msg.kind = kind;
    m->n = n;
    return m;
}
HARNESS void publish_event(struct event *e) {
    struct events_msg *m = make_events(MSG_EVENTS, 1);
    m->events[0] = e;
    port_post(&H.g->port, &m->msg);
}
HARNESS void publish(uint64_t seq, const char *topics, const char *deltas, const char *body) {
    publish_event(make_event(seq, 0, topics, deltas, body));
}

HARNESS void post_text(uint32_t kind, taut_conn id, uint32_t code, const char *text) {
    size_t len = strlen(text);
    struct conn_msg *m = xcalloc(1, sizeof *m + len);
    m->msg.kind = kind;
    m->conn = id;
    m->code = code;
    memcpy(m + 1, text, len);
    m->text = taut_str_n((char *)(m + 1), len);
    port_post(&H.g->port, &m->msg);
}

/* ---- the client ---- */

struct client {
    int fd;
    taut_conn id;
    unsigned char data[1 << 17];
    size_t len;
    int opcode;
};
enum { OP_CONT = 0, OP_TEXT = 1, OP_BINARY = 2, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };

static bool read_all(int fd, void *p, size_t n) {
    for (size_t got = 0; got < n;) {
        ssize_t r = recv(fd, (char *)p + got, n - got, 0);
        if (r < 0 && errno == EINTR) continue;
        if (r <= 0) return false;
        got += (size_t)r;
    }
    return true;
}
static void write_all(int fd, const void *p, size_t n) {
    for (size_t put = 0; put < n;) {
        ssize_t w = send(fd, (const char *)p + put, n - put, MSG_NOSIGNAL);
        if (w < 0 && errno == EINTR) continue;
        if (w <= 0) return; /* the peer has closed: what comes next shows it */
        put += (size_t)w;
    }
}

/* A frame as it stands: first byte, masked or not. */
HARNESS size_t put_frame(unsigned char *out, unsigned char first, bool masked, const void *data, size_t len) {
    static const unsigned char mask[4] = {0x12, 0x34, 0xab, 0xcd};
    size_t n = 0;
    out[n++] = first;
    if (len < 126) out[n++] = (unsigned char)(len | (masked ? 0x80 : 0));
    else {
        out[n++] = (unsigned char)(126 | (masked ? 0x80 : 0));
        out[n++] = (unsigned char)(len >> 8);
        out[n++] = (unsigned char)len;
    }
    if (masked) memcpy(out + n, mask, 4), n += 4;
    for (size_t i = 0; i < len; i++) out[n++] = ((const unsigned char *)data)[i] ^ (masked ? mask[i & 3] : 0);
    return n;
}
HARNESS void send_raw(struct client *c, unsigned char first, bool masked, const void *data, size_t len) {
    unsigned char out[1 << 16];
    write_all(c->fd, out, put_frame(out, first, masked, data, len));
}
HARNESS void send_text(struct client *c, const char *text) {
    send_raw(c, 0x80 | OP_TEXT, true, text, strlen(text));
}

/* False at the end of the stream. Pings are handed out like the rest. */
HARNESS bool get_frame(struct client *c) {
    unsigned char head[8];
    if (!read_all(c->fd, head, 2)) return false;
    assert_int_equal(head[0] & 0x70, 0);
    assert_int_equal(head[1] & 0x80, 0);
    assert_true(head[0] & 0x80);
    c->opcode = head[0] & 15;
    c->len = head[1];
    if (c->len == 126) {
        if (!read_all(c->fd, head, 2)) return false;
        c->len = (size_t)head[0] << 8 | head[1];
    } else if (c->len == 127) {
        if (!read_all(c->fd, head, 8)) return false;
        c->len = 0;
        for (int i = 0; i < 8; i++) c->len = c->len << 8 | head[i];
    }
    assert_true(c->len < sizeof c->data);
    if (c->len && !read_all(c->fd, c->data, c->len)) return false;
    c->data[c->len] = 0;
    return true;
}
HARNESS void expect_text(struct client *c, const char *text) {
    assert_true(get_frame(c));
    assert_int_equal(c->opcode, OP_TEXT);
    assert_string_equal((char *)c->data, text);
}
HARNESS void expect_close(struct client *c, int code) {
    while (get_frame(c))
        if (c->opcode == OP_CLOSE) {
            assert_true(c->len >= 2);
            assert_int_equal(c->data[0] << 8 | c->data[1], code);
            send_raw(c, 0x80 | OP_CLOSE, true, c->data, 2);
            assert_false(get_frame(c));
            return;
        }
    fail_msg("the stream ended without a close frame; expected %d", code);
}
HARNESS bool has_data(struct client *c, int ms) {
    struct pollfd p = {.fd = c->fd, .events = POLLIN};
    int n;
    do n = poll(&p, 1, ms);
    while (n < 0 && errno == EINTR);
    return n > 0;
}
HARNESS void expect_silence(struct client *c) {
    assert_false(has_data(c, 100));
}

struct open_as {
    const char *topics[8]; /* "C1", or "C1@5": since_seq 5 */
    uint64_t as_of, cursor, position;
    const char *hello;
    struct event *events[4];
    bool rejected;
    uint32_t close_code;
    const void *behind; /* bytes sent right behind the request head */
    size_t nbehind;
    int rcvbuf;
};

static void fill_answer(struct call *c, const struct open_as *as) {
    struct taut_topic *topics = arena_zalloc(&c->arena, sizeof *topics * COUNT_OF(as->topics));
    c->out.accepted = !as->rejected;
    c->out.close_code = as->close_code;
    c->out.as_of = as->as_of;
    c->out.cursor = as->cursor;
    c->out.position = as->position;
    c->out.workspace = TAUT_LIT("T1");
    c->out.body = arena_str(&c->arena, taut_str_z(as->hello));
    for (uint32_t i = 0; i < COUNT_OF(as->topics) && as->topics[i]; i++) {
        const char *at = strchr(as->topics[i], '@');
        size_t len = at ? (size_t)(at - as->topics[i]) : strlen(as->topics[i]);
        topics[i].name = arena_str(&c->arena, taut_str_n(as->topics[i], len));
        topics[i].since_seq = at ? strtoull(at + 1, NULL, 10) : 0;
        c->out.ntopics++;
    }
    c->out.topics = topics;
    c->out.events = arena_zalloc(&c->arena, sizeof as->events);
    while (c->out.nevents < COUNT_OF(as->events) && as->events[c->out.nevents]) {
        c->out.events[c->out.nevents] = as->events[c->out.nevents];
        c->out.nevents++;
    }
}

static void read_101(struct client *c) {
    char head[512];
    size_t n = 0;
    while (n < sizeof head - 1) {
        assert_true(read_all(c->fd, head + n, 1));
        head[++n] = 0;
        if (n > 4 && strcmp(head + n - 4, "\r\n\r\n") == 0) break;
    }
    assert_true(strncmp(head, "HTTP/1.1 101 ", 13) == 0);
    assert_non_null(strstr(head, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")); /* the key of RFC 6455 */
    assert_null(strcasestr(head, "extensions"));
}

HARNESS void open_conn(struct client *c, const struct open_as *as) {
    static const char head[] =
        "GET /rtm/ticket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
        "Sec-WebSocket-Extensions: permessage-deflate\r\nsec-websocket-key:  dGhlIHNhbXBsZSBub25jZQ== \r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n";
    struct timeval tv = {.tv_sec = 8};
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(H.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    c->id = ++H.next_id;
    if (as->rcvbuf) setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &as->rcvbuf, sizeof as->rcvbuf);
    setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
    setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
    assert_int_equal(connect(c->fd, (struct sockaddr *)&a, sizeof a), 0);
    upgrade.fd = accept(H.listener, NULL, NULL);
    memcpy(upgrade.head, head, sizeof head - 1);
    if (as->nbehind) memcpy(upgrade.head + sizeof head - 1, as->behind, as->nbehind);
    upgrade.len = sizeof head - 1 + as->nbehind;

    struct call *call = call_get(&H.calls, TAUT_CALL_OPEN, &H.g->port);
    call->msg.kind = MSG_ANSWER;
    call->pub.conn = c->id;
    fill_answer(call, as);
    port_post(&H.g->port, &call->msg);
    read_101(c);
}

/* The peer is gone: MSG_CLOSED follows. */
HARNESS void hang_up(struct client *c) {
    close(c->fd);
    expect_closed(c->id);
}

/* ---- life ---- */

HARNESS void harness_start(int64_t connection_queue) {
    uint16_t port = 20300;
    memset(&H, 0, sizeof H);
    uv_loop_init(&H.hub_loop);
    port_open(&H.hub, &H.hub_loop, hub_mail, NULL);
    uv_timer_init(&H.hub_loop, &H.timeout);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1;
    H.listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(H.listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    do a.sin_port = htons(H.port = port++);
    while (bind(H.listener, (struct sockaddr *)&a, sizeof a) != 0 && port < 20390);
    assert_int_equal(listen(H.listener, 16), 0);

    struct gateway *g = H.g = xcalloc(1, sizeof *g);
    g->config.hub = &H.hub;
    g->config.ping_interval = 10000;
    g->config.limits.connection_queue = connection_queue;
    uv_loop_init(&g->loop);
    port_open(&g->port, &g->loop, gateway_mail, NULL);
    uv_prepare_init(&g->loop, &H.prepare);
    H.prepare.data = g;
    uv_prepare_start(&H.prepare, flush_outbox);
    ws_init(g);
    uv_thread_create(&g->thread, gateway_thread, g);
}

HARNESS void harness_ask_to_stop(void) {
    struct conn_msg *stop = xcalloc(1, sizeof *stop);
    stop->msg.kind = MSG_STOP;
    port_post(&H.g->port, &stop->msg);
}

HARNESS void harness_end(void) {
    uv_thread_join(&H.g->thread);
    assert_int_equal(uv_loop_close(&H.g->loop), 0);
    call_pool_free(&H.g->calls);
    outbox_flush(&H.g->to_hub, &H.hub);
    uv_run(&H.hub_loop, UV_RUN_NOWAIT);
    uv_close((uv_handle_t *)&H.timeout, NULL);
    port_close(&H.hub);
    uv_run(&H.hub_loop, UV_RUN_DEFAULT);
    for (; H.first != H.last; H.first++) {
        struct msg *m = H.mail[H.first % COUNT_OF(H.mail)];
        if (m->kind == MSG_CALL) call_put(&H.calls, CONTAINER_OF(m, struct call, msg));
        else free(m);
    }
    call_pool_free(&H.calls);
    uv_loop_close(&H.hub_loop);
    close(H.listener);
    free(H.g);
}

HARNESS void harness_stop(void) {
    harness_ask_to_stop();
    harness_end();
}

#endif
