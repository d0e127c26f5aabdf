/* tls_front.h - the TLS front door of one gateway: handshakes, and pumps between sockets that speak TLS and plain ones.
 *
 * A finished handshake yields one end of a socket pair, which the HTTP server gets as if it had been accepted; the
 * front door moves bytes between the other end (inner) and the peer's socket (net). Nothing behind it knows TLS.
 *
 * Both directions end by themselves: close_notify and FIN become a FIN of the inner end, and the other way round. A
 * connection holds, beside what OpenSSL does, at most one record that its reader did not take in each direction; then
 * the other side is not read.
 */
#ifndef GATEWAY_TLS_FRONT_H
#define GATEWAY_TLS_FRONT_H

#include <openssl/ssl.h>
#include <uv.h>

#include "base/list.h"
#include "gateway/edge.h"

struct gateway;
struct tls_front;

struct tls_front *tls_front_new(struct gateway *g);
void tls_front_free(struct tls_front *f); /* everything is closed and libuv has let go of it */
/* Takes over the socket and the seat. */
void tls_front_accepted(struct tls_front *f, int fd, const struct remote *peer, const struct seat *seat);
uint32_t tls_front_open(const struct tls_front *f); /* connections, in whatever state */
void tls_front_tick(struct tls_front *f);           /* once a second */
void tls_front_stop(struct tls_front *f); /* unfinished handshakes are ended; the others end with what is behind */
void tls_front_close_all(struct tls_front *f);

/* ---- between tls_front.c, tls_pump.c and tls_bio.c ---- */

enum {
    RECORD_MAX = 16384,          /* bytes in a TLS record, and so in one step of a pump */
    PAIR_BYTES = 32768,          /* kernel buffer of the pair, each way */
    NET_UNSENT = 32768,          /* what the kernel takes of what the peer cannot be sent yet */
    HANDSHAKE_BYTES_MAX = 16384, /* from a peer */
    HANDSHAKES_MAX = 1024,       /* unfinished at a time; the oldest gives way */
    TLS_LINGER_MS = 2000         /* for a peer to close, when all is said */
};

enum tls_state {
    TLS_SHAKING,   /* by header_timeout it is done, or closed */
    TLS_OPEN,      /* what is behind has its own time-outs */
    TLS_FLUSHING,  /* behind has closed: the peer must read on, by header_timeout a step */
    TLS_LEAVING,   /* all is sent and said; behind still reads */
    TLS_LINGERING, /* all is sent and said: the peer may close first */
    TLS_STATES
};

/* Bytes that their reader did not take. */
struct tls_rest {
    unsigned char *bytes; /* NULL: none */
    uint16_t at, len;
};

struct tls_conn {
    struct link link; /* in the list of its state, by deadline */
    uint64_t deadline;
    struct tls_front *front;
    uv_poll_t net, inner;
    int net_fd, inner_fd; /* inner_fd -1: none yet */
    int net_events, inner_events;
    SSL *ssl;
    struct remote peer;
    struct seat seat;
    struct tls_rest in, out; /* for inner; for net */
    uint32_t bytes_in;       /* of the handshake */
    uint8_t state, handles;
    bool begun;      /* the first byte was TLS */
    bool deaf;       /* our last word is said: what comes is thrown away until the peer closes */
    bool wants_out;  /* OpenSSL must write before it goes on */
    bool net_eof;    /* the peer sends nothing more */
    bool in_done;    /* inner was told so */
    bool in_lost;    /* inner takes nothing more: what comes is thrown away */
    bool inner_eof;  /* behind sends nothing more */
    bool wants_end;  /* close_notify did not fit yet */
    bool out_done;   /* the peer was told so */
    bool inner_gone; /* behind has closed: never polled again, but what it sent may still be there */
    bool progressed; /* of FLUSHING */
    bool closed;
};

struct tls_front {
    struct gateway *g;
    struct link states[TLS_STATES];
    uint32_t nopen, nshaking, nhandles;
    BIO_METHOD *bio;
    unsigned char buf[RECORD_MAX];
};

/* tls_front.c */
void tls_conn_close(struct tls_conn *c, bool at_once);  /* at_once: by reset */
void tls_conn_state(struct tls_conn *c, uint8_t state); /* anew: its deadline too */
void tls_net_poll(struct tls_conn *c, int events);

/* tls_pump.c */
/* The handshake is done: makes the pair, hands one end on. */
void tls_pump_start(struct tls_conn *c);
/* Moves what can be moved, then sets what to wait for. May close c. */
void tls_pump(struct tls_conn *c);

/* tls_bio.c */
BIO_METHOD *tls_bio_method(void);
BIO *tls_bio_new(BIO_METHOD *method, struct tls_conn *c);

#endif
