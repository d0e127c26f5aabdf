/* tls_bio.c - OpenSSL's way to the socket: as its own, but no signal when the peer has gone, and a bound on what a
 * handshake may read. Gateway thread. */
#include <errno.h>
#include <sys/socket.h>

#include "gateway/tls_front.h"

static bool again(void) {
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static int bio_read(BIO *b, char *to, int n) {
    struct tls_conn *c = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    if (c->state == TLS_SHAKING && c->bytes_in > HANDSHAKE_BYTES_MAX) return -1;
    ssize_t got = recv(c->net_fd, to, (size_t)n, MSG_DONTWAIT);
    if (got < 0 && again()) BIO_set_retry_read(b);
    if (got > 0 && c->state == TLS_SHAKING) c->bytes_in += (uint32_t)got;
    if (got == 0) c->net_eof = true;
    return (int)got;
}

static int bio_write(BIO *b, const char *from, int n) {
    struct tls_conn *c = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    ssize_t put = send(c->net_fd, from, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put < 0 && again()) BIO_set_retry_write(b);
    return (int)put;
}

static long bio_ctrl(BIO *b, int cmd, long arg, void *ptr) {
    struct tls_conn *c = BIO_get_data(b);
    (void)arg, (void)ptr;
    if (cmd == BIO_CTRL_EOF) return c->net_eof;
    return cmd == BIO_CTRL_FLUSH || cmd == BIO_CTRL_DUP;
}

BIO_METHOD *tls_bio_method(void) {
    BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "taut socket");
    if (!m || !BIO_meth_set_read(m, bio_read) || !BIO_meth_set_write(m, bio_write) || !BIO_meth_set_ctrl(m, bio_ctrl))
        panic("OpenSSL has no memory");
    return m;
}

BIO *tls_bio_new(BIO_METHOD *method, struct tls_conn *c) {
    BIO *b = BIO_new(method);
    if (!b) panic("OpenSSL has no memory");
    BIO_set_data(b, c);
    BIO_set_init(b, 1);
    return b;
}
