/* tls_front.c - TLS connections from accept to close: the handshake and its bounds, who speaks no TLS, deadlines.
 * Gateway thread. */
#include "gateway/tls_front.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/http.h"
#include "obs/log.h"

enum { TLS_HANDSHAKE_RECORD = 0x16 };

struct tls_front *tls_front_new(struct gateway *g) {
    struct tls_front *f = xcalloc(1, sizeof *f);
    f->g = g;
    f->bio = tls_bio_method();
    for (int i = 0; i < TLS_STATES; i++) list_init(&f->states[i]);
    return f;
}

void tls_front_free(struct tls_front *f) {
    if (!f) return;
    ENSURE(f->nhandles == 0);
    BIO_meth_free(f->bio);
    free(f);
}

uint32_t tls_front_open(const struct tls_front *f) {
    return f ? f->nopen : 0;
}

/* ---- states and deadlines ---- */

static int64_t time_of(const struct tls_conn *c, uint8_t state) {
    return state == TLS_LINGERING ? TLS_LINGER_MS : c->front->g->config.limits.header_timeout;
}

void tls_conn_state(struct tls_conn *c, uint8_t state) {
    struct tls_front *f = c->front;
    if (linked(&c->link) && c->state == TLS_SHAKING) f->nshaking--;
    if (state == TLS_SHAKING) f->nshaking++;
    c->state = state;
    c->deadline = uv_now(&f->g->loop) + (uint64_t)time_of(c, state);
    list_remove(&c->link);
    list_add(&f->states[state], &c->link);
}

/* ---- the end ---- */

static void on_handle_closed(uv_handle_t *h) {
    struct tls_conn *c = h->data;
    c->front->nhandles--;
    if (--c->handles == 0) free(c);
}

void tls_conn_close(struct tls_conn *c, bool at_once) {
    struct tls_front *f = c->front;
    if (c->closed) return;
    c->closed = true;
    f->nshaking -= c->state == TLS_SHAKING;
    f->nopen--;
    list_remove(&c->link);
    edge_leave(f->g->edge, &c->seat);
    /* libuv takes descriptors out of epoll when its handles close: as long as they are still ours. */
    uv_close((uv_handle_t *)&c->net, on_handle_closed);
    if (c->inner_fd >= 0) uv_close((uv_handle_t *)&c->inner, on_handle_closed);
    if (at_once) setsockopt(c->net_fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
    close(c->net_fd);
    if (c->inner_fd >= 0) close(c->inner_fd);
    SSL_free(c->ssl);
    free(c->in.bytes);
    free(c->out.bytes);
    atomic_fetch_sub_explicit(&f->g->stats.tls_connections, 1, memory_order_relaxed);
}

/* ---- who speaks no TLS ---- */

/* What still comes is thrown away, so that the peer reads our last word instead of a reset. */
static void say_no_more(struct tls_conn *c) {
    shutdown(c->net_fd, SHUT_WR);
    c->deaf = true;
    tls_conn_state(c, TLS_LINGERING);
    tls_net_poll(c, UV_READABLE);
}

/* A person who typed http:// is told. */
static void answer_plain(struct tls_conn *c) {
    const char *text = edge_rules(c->front->g->edge)->https_only;
    ssize_t n = send(c->net_fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)n;
    say_no_more(c);
}

static void drain(struct tls_conn *c) {
    ssize_t n = recv(c->net_fd, c->front->buf, sizeof c->front->buf, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) tls_conn_close(c, false);
}

/* False: there is nothing to shake hands with, now or ever. */
static bool begins(struct tls_conn *c) {
    unsigned char first;
    if (c->begun) return true;
    ssize_t n = recv(c->net_fd, &first, 1, MSG_DONTWAIT | MSG_PEEK);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    bool is_text = n == 1 && ((first >= 'A' && first <= 'Z') || (first >= 'a' && first <= 'z') || first == '\r');
    if (is_text) answer_plain(c);
    else if (n != 1 || first != TLS_HANDSHAKE_RECORD) tls_conn_close(c, false);
    c->begun = !c->closed && !c->deaf;
    return c->begun;
}

/* ---- the handshake ---- */

static void count_failure(struct tls_conn *c) {
    const char *why = ERR_reason_error_string(ERR_peek_error());
    char text[ADDR_TEXT];
    atomic_fetch_add_explicit(&c->front->g->stats.tls_failed, 1, memory_order_relaxed);
    log_fmt(TAUT_LOG_DEBUG, "tls", "handshake", "%s: %s", addr_text(&c->peer.addr, text).ptr, why ? why : "broken off");
}

static void give_up(struct tls_conn *c) {
    ERR_clear_error();
    count_failure(c);
    tls_conn_close(c, false);
}

/* OpenSSL has told the peer why; it may read that before the socket closes. */
static void refuse(struct tls_conn *c) {
    count_failure(c);
    say_no_more(c);
}

static void shake(struct tls_conn *c) {
    if (!begins(c)) return;
    ERR_clear_error();
    int done = SSL_accept(c->ssl);
    int why = done == 1 ? SSL_ERROR_NONE : SSL_get_error(c->ssl, done);
    switch (why) {
    case SSL_ERROR_NONE:
        atomic_fetch_add_explicit(&c->front->g->stats.tls_handshakes, 1, memory_order_relaxed);
        tls_conn_state(c, TLS_OPEN);
        tls_pump_start(c);
        break;
    case SSL_ERROR_WANT_READ: tls_net_poll(c, UV_READABLE); break;
    case SSL_ERROR_WANT_WRITE: tls_net_poll(c, UV_WRITABLE); break;
    case SSL_ERROR_SSL: refuse(c); break;
    default: give_up(c);
    }
}

static void on_net(uv_poll_t *poll, int status, int events) {
    struct tls_conn *c = poll->data;
    if (c->closed) return;
    if (status < 0 || events & UV_PRIORITIZED) { /* a reset; urgent data TLS has not */
        if (c->state == TLS_SHAKING) count_failure(c);
        tls_conn_close(c, true);
    } else if (c->deaf) drain(c);
    else if (c->state == TLS_SHAKING) shake(c);
    else tls_pump(c);
}

void tls_net_poll(struct tls_conn *c, int events) {
    if (events == c->net_events) return; /* each change is a system call */
    c->net_events = events;
    uv_poll_start(&c->net, events, on_net);
}

/* The peer's kernel takes what it can; what it cannot, most of it waits on our side of TLS. */
static void bound_kernel(int fd) {
    int lowat = NET_UNSENT;
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat, sizeof lowat);
}

/* Of a flood of handshakes that never end, the oldest has had the most time. */
static void make_room(struct tls_front *f) {
    if (f->nshaking < HANDSHAKES_MAX) return;
    give_up(CONTAINER_OF(f->states[TLS_SHAKING].next, struct tls_conn, link));
}

void tls_front_accepted(struct tls_front *f, int fd, const struct remote *peer, const struct seat *seat) {
    struct tls_conn *c = xcalloc(1, sizeof *c);
    make_room(f);
    c->front = f;
    c->net_fd = fd;
    c->inner_fd = -1;
    c->peer = *peer;
    c->peer.secure = true;
    c->seat = *seat;
    c->ssl = edge_tls_new(f->g->edge);
    if (!c->ssl) panic("OpenSSL has no memory");
    BIO *bio = tls_bio_new(f->bio, c);
    SSL_set_bio(c->ssl, bio, bio);
    SSL_set_accept_state(c->ssl);
    bound_kernel(fd);
    ENSURE(uv_poll_init(&f->g->loop, &c->net, fd) == 0);
    c->net.data = c;
    c->handles = 1;
    f->nhandles++;
    f->nopen++;
    tls_conn_state(c, TLS_SHAKING);
    atomic_fetch_add_explicit(&f->g->stats.tls_connections, 1, memory_order_relaxed);
    tls_net_poll(c, UV_READABLE);
}

/* ---- deadlines, stopping ---- */

static void expire(struct tls_conn *c) {
    if (c->state == TLS_SHAKING) give_up(c);
    else tls_conn_close(c, c->state == TLS_FLUSHING);
}

void tls_front_tick(struct tls_front *f) {
    uint64_t now = uv_now(&f->g->loop);
    for (int i = 0; i < TLS_STATES; i++) {
        struct link *list = &f->states[i];
        while (i != TLS_OPEN && !list_empty(list)) {
            struct tls_conn *c = CONTAINER_OF(list->next, struct tls_conn, link);
            if (c->deadline > now) break;
            expire(c);
        }
    }
}

void tls_front_stop(struct tls_front *f) {
    struct link *list = &f->states[TLS_SHAKING];
    while (!list_empty(list)) tls_conn_close(CONTAINER_OF(list->next, struct tls_conn, link), false);
}

void tls_front_close_all(struct tls_front *f) {
    for (int i = 0; i < TLS_STATES; i++)
        while (!list_empty(&f->states[i])) tls_conn_close(CONTAINER_OF(f->states[i].next, struct tls_conn, link), true);
}
