/* tls_pump.c - bytes between a TLS connection and its inner end, both ways, with ends and back-pressure. Gateway
 * thread.
 *
 * Sockets are polled level-triggered for exactly what can be used: net is read while inner took all so far, inner is
 * read while OpenSSL wrote all so far. OpenSSL itself never holds decrypted bytes back: a record is read as a whole.
 */
#include <errno.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/http.h"
#include "gateway/tls_front.h"

enum { STEPS = 4 /* records each way before others have their turn */ };

/* ---- what could not be handed on ---- */

static void keep(struct tls_rest *r, const unsigned char *p, size_t n) {
    r->bytes = xmalloc(n);
    memcpy(r->bytes, p, n);
    r->at = 0;
    r->len = (uint16_t)n;
}

static void took(struct tls_rest *r, size_t n) {
    r->at = (uint16_t)(r->at + n);
    if (r->at < r->len) return;
    free(r->bytes);
    *r = (struct tls_rest){0};
}

/* ---- in: from the peer to what is behind ---- */

/* Bytes taken; what nobody wants any more is taken too. */
static size_t to_inner(struct tls_conn *c, const unsigned char *p, size_t n) {
    if (c->in_lost) return n;
    ssize_t put = send(c->inner_fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put >= 0) return (size_t)put;
    if (errno == EAGAIN || errno == EINTR) return 0;
    c->in_lost = true;
    return n;
}

/* One record, or what is left of one. False: nothing more can be done now. */
static bool step_in(struct tls_conn *c) {
    unsigned char *buf = c->front->buf;
    if (c->in.bytes) {
        took(&c->in, to_inner(c, c->in.bytes + c->in.at, (size_t)(c->in.len - c->in.at)));
        return !c->in.bytes;
    }
    if (c->net_eof) return false;
    ERR_clear_error();
    c->wants_out = false;
    int n = SSL_read(c->ssl, buf, RECORD_MAX);
    if (n > 0) {
        size_t put = to_inner(c, buf, (size_t)n);
        if (put < (size_t)n) keep(&c->in, buf + put, (size_t)n - put);
        return true;
    }
    switch (SSL_get_error(c->ssl, n)) {
    case SSL_ERROR_WANT_READ: break;
    case SSL_ERROR_WANT_WRITE: c->wants_out = true; break;
    case SSL_ERROR_ZERO_RETURN: c->net_eof = true; break;
    default: tls_conn_close(c, true);
    }
    return false;
}

static void pump_in(struct tls_conn *c) {
    for (int i = 0; i < STEPS && step_in(c);) i++;
    if (c->closed || !c->net_eof || c->in.bytes || c->in_done) return;
    c->in_done = true;
    shutdown(c->inner_fd, SHUT_WR);
}

/* ---- out: from what is behind to the peer ---- */

/* Bytes taken, or -1: the connection is broken. */
static int to_net(struct tls_conn *c, const unsigned char *p, size_t n) {
    ERR_clear_error();
    int put = SSL_write(c->ssl, p, (int)n);
    if (put > 0) {
        c->progressed = true;
        return put;
    }
    if (SSL_get_error(c->ssl, put) == SSL_ERROR_WANT_WRITE) return 0;
    tls_conn_close(c, true);
    return -1;
}

/* False: nothing more can be done now. */
static bool step_out(struct tls_conn *c) {
    unsigned char *buf = c->front->buf;
    if (c->out.bytes) {
        int put = to_net(c, c->out.bytes + c->out.at, (size_t)(c->out.len - c->out.at));
        if (put > 0) took(&c->out, (size_t)put);
        return put > 0;
    }
    if (c->inner_eof) return false;
    ssize_t n = recv(c->inner_fd, buf, RECORD_MAX, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (n <= 0) {
        c->inner_eof = true;
        return false;
    }
    int put = to_net(c, buf, (size_t)n);
    if (put >= 0 && put < n) keep(&c->out, buf + put, (size_t)(n - put));
    return put >= 0 && !c->out.bytes;
}

/* close_notify, then FIN. */
static void say_end(struct tls_conn *c) {
    ERR_clear_error();
    int said = SSL_shutdown(c->ssl);
    c->wants_end = said < 0 && SSL_get_error(c->ssl, said) == SSL_ERROR_WANT_WRITE;
    if (c->wants_end) return;
    c->out_done = true;
    shutdown(c->net_fd, SHUT_WR);
}

static void pump_out(struct tls_conn *c) {
    /* Nobody will wake us for the rest of what an end that is gone has sent. */
    for (int i = 0; (i < STEPS || c->inner_gone) && step_out(c);) i++;
    if (!c->closed && c->inner_eof && !c->out.bytes && !c->out_done) say_end(c);
}

/* ---- what to wait for ---- */

static void on_inner(uv_poll_t *poll, int status, int events) {
    struct tls_conn *c = poll->data;
    if (c->closed) return;
    /* An error is that behind closed with bytes of ours unread. Urgent data there is none, but HUP comes as such. */
    if (status < 0 || events & UV_PRIORITIZED) c->inner_gone = true;
    tls_pump(c);
}

static void inner_poll(struct tls_conn *c, int events) {
    if (events == c->inner_events) return;
    c->inner_events = events;
    if (events) uv_poll_start(&c->inner, events, on_inner);
    else uv_poll_stop(&c->inner);
}

static uint8_t state_of(const struct tls_conn *c) {
    if (!c->inner_eof && !c->inner_gone) return TLS_OPEN;
    if (!c->out_done) return TLS_FLUSHING;
    return c->inner_gone ? TLS_LINGERING : TLS_LEAVING;
}

/* PRIORITIZED: a peer that resets, and an end that closes, are noticed whatever else is waited for. */
static void settle(struct tls_conn *c) {
    if (c->out_done && c->net_eof && !c->in.bytes) {
        tls_conn_close(c, false);
        return;
    }
    int net = c->out.bytes || c->wants_out || c->wants_end ? UV_WRITABLE : 0,
        inner = c->in.bytes && !c->in_lost ? UV_WRITABLE : 0;
    if (!c->net_eof && !c->in.bytes) net |= UV_READABLE;
    if (!c->inner_eof && !c->out.bytes) inner |= UV_READABLE;
    tls_net_poll(c, net ? net : UV_PRIORITIZED);
    inner_poll(c, c->inner_gone ? 0 : inner ? inner : UV_PRIORITIZED);
    uint8_t state = state_of(c);
    if (state != c->state || (state == TLS_FLUSHING && c->progressed)) tls_conn_state(c, state);
    c->progressed = false;
}

void tls_pump(struct tls_conn *c) {
    pump_in(c);
    if (!c->closed) pump_out(c);
    if (!c->closed) settle(c);
}

/* ---- the beginning ---- */

void tls_pump_start(struct tls_conn *c) {
    struct gateway *g = c->front->g;
    int pair[2], bytes = PAIR_BYTES / 2 /* the kernel doubles it */;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) {
        atomic_fetch_add_explicit(&g->stats.refused, 1, memory_order_relaxed);
        tls_conn_close(c, false);
        return;
    }
    for (int i = 0; i < 2; i++) setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    c->inner_fd = pair[0];
    ENSURE(uv_poll_init(&g->loop, &c->inner, pair[0]) == 0);
    c->inner.data = c;
    c->handles++;
    c->front->nhandles++;
    http_accepted(g, pair[1], false, &c->peer, &(struct seat){0});
    tls_pump(c);
}
