/* ws_lws.c - libwebsockets as a guest on the gateway's loop: frames in, control frames, UTF-8, the closing handshake.
 * The only file that knows it. Gateway thread.
 *
 * It never sees a stranger's HTTP: the upgrade was checked before, and what it is given is a request head of our own
 * with the peer's key, so that no extension, subprotocol, long header or second request reaches its parser.
 *
 * How prepared bytes are written, and why (4.1.6): lws_write(…, LWS_WRITE_RAW) on an established WebSocket goes
 * straight to lws_issue_raw: the bytes are sent as they are, several frames in one send(), outside of any callback.
 * What the kernel does not take is copied into the connection's buflist_out and POLLOUT is armed. That rest goes out
 * before anything else (lws_handle_POLLOUT_event, priority 1); pongs and close frames come after it, so nothing ever
 * interleaves in the middle of a frame; then comes SERVER_WRITEABLE. So: write only while lws_partial_buffered() is
 * false, and libwebsockets holds at most one write of ours. A send() of our own beside it could not keep its pongs out
 * of a half-written frame; its framing flags (inside_frame) are not touched by RAW. test_ws.c pins all this.
 *
 * Close frames of our own are written like any other frame. With libuv, 4.1.6 closes a connection twice in a row when a
 * callback returns -1 ("uv repeat test" in service.c), so that the close frame given to lws_close_reason never leaves.
 *
 * After reading has been allowed again outside of its callbacks its
 * loop hook must be kicked (lws_cancel_service), or bytes it has cached wait for the next event of another socket.
 */
#define _GNU_SOURCE /* memmem */
#include <libwebsockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <strings.h>
#include <sys/socket.h>

#include "gateway/ws_internal.h"

static int on_established(struct lws *wsi, struct conn **slot) {
    struct ws_server *s = lws_context_user(lws_get_context(wsi));
    struct conn *c = s->adopting;
    if (!c) return -1;
    s->adopting = NULL;
    s->alive++;
    c->wsi = wsi;
    *slot = c;
    return 0;
}

static int on_receive(struct conn *c, struct lws *wsi, const void *in, size_t len) {
    if (c->detached) return 0;
    conn_heard(c);
    conn_on_fragment(c, taut_str_n(in, len), lws_is_first_fragment(wsi) != 0, lws_is_final_fragment(wsi) != 0,
                     lws_frame_is_binary(wsi) != 0);
    return 0;
}

static int on_writable(struct conn *c) {
    if (!c->detached) conn_writable(c);
    return c->broken ? -1 : 0;
}

/* When ours has gone out there is no second close frame. */
static int on_peer_close(struct conn *c) {
    bool answered = c->detached;
    conn_detach(c);
    return answered ? -1 : 0;
}

static int on_gone(struct conn **slot) {
    struct conn *c = *slot;
    *slot = NULL;
    c->wsi = NULL;
    c->g->ws->alive--;
    conn_detach(c);
    list_remove(&c->bucket);
    if (!c->opening) conn_free(c);
    return 0;
}

static int on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len) {
    struct conn **slot = user;
    if (reason == LWS_CALLBACK_HTTP) return -1; /* only upgrades get here */
    if (reason == LWS_CALLBACK_ESTABLISHED) return on_established(wsi, slot);
    if (!slot || !*slot) return 0;
    switch ((int)reason) {
    case LWS_CALLBACK_RECEIVE: return on_receive(*slot, wsi, in, len);
    case LWS_CALLBACK_RECEIVE_PONG: conn_heard(*slot); return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE: return on_writable(*slot);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE: return on_peer_close(*slot);
    case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL: conn_detach(*slot); return 0;
    case LWS_CALLBACK_CLOSED:
    case LWS_CALLBACK_WSI_DESTROY: return on_gone(slot);
    default: return 0;
    }
}

static const struct lws_protocols protocols[] = {{.name = "taut",
                                                  .callback = on_lws,
                                                  .per_session_data_size = sizeof(struct conn *),
                                                  .rx_buffer_size = 128,
                                                  .tx_packet_size = WRITE_BYTES},
                                                 {.name = NULL}};
static const lws_retry_bo_t no_timers = {.secs_since_valid_ping = 0, .secs_since_valid_hangup = 0};

/* Making and ending a context touches libwebsockets' own globals (log level, plug-ins): one gateway at a time. */
static pthread_mutex_t contexts = PTHREAD_MUTEX_INITIALIZER;

void ws_lws_start(struct ws_server *s) {
    void *loops[] = {&s->g->loop};
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_VALIDATE_UTF8 | LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
        .foreign_loops = loops,
        .count_threads = 1,
        .retry_and_idle_policy = &no_timers,
        .user = s,
        .pcontext = &s->context,
        .vhost_name = "taut",
    };
    pthread_mutex_lock(&contexts);
    lws_set_log_level(0, NULL); /* it calls every adoption an error */
    s->context = lws_create_context(&info);
    s->vhost = s->context ? lws_create_vhost(s->context, &info) : NULL;
    pthread_mutex_unlock(&contexts);
    if (!s->vhost) panic("libwebsockets does not start on libuv: install its plug-in, package libwebsockets-evlib-uv");
}

/* The value of Sec-WebSocket-Key in the head, or an empty string. */
static taut_str find_key(const char *head, size_t len) {
    static const char name[] = "sec-websocket-key:";
    const char *end = head + len;
    for (const char *line = head; line < end;) {
        const char *nl = memchr(line, '\n', (size_t)(end - line));
        if (!nl) break;
        if ((size_t)(nl - line) >= sizeof name - 1 && strncasecmp(line, name, sizeof name - 1) == 0) {
            const char *from = line + sizeof name - 1, *to = nl;
            while (from < to && (*from == ' ' || *from == '\t')) from++;
            while (to > from && (unsigned char)to[-1] <= ' ') to--;
            return taut_str_n(from, (size_t)(to - from));
        }
        line = nl + 1;
    }
    return taut_str_n("", 0);
}

/* Our request head with the peer's key, then what the peer sent behind its own. malloc'ed, or NULL. */
static char *make_request(const char *head, size_t len, size_t *made) {
    const char *blank = len ? memmem(head, len, "\r\n\r\n", 4) : NULL;
    if (!blank) return NULL;
    size_t head_len = (size_t)(blank - head) + 4, rest = len - head_len;
    taut_str key = find_key(head, head_len);
    if (!key.len || key.len > 64) return NULL;
    char *request = xmalloc(256 + rest);
    int n = snprintf(request, 256,
                     "GET / HTTP/1.1\r\nHost: taut\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %.*s\r\n\r\n",
                     (int)key.len, key.ptr);
    if (rest) memcpy(request + n, head + head_len, rest);
    *made = (size_t)n + rest;
    return request;
}

bool ws_lws_adopt(struct ws_server *s, struct conn *c, int fd, const char *head, size_t len) {
    int one = 1, sndbuf = KERNEL_BYTES / 2; /* the kernel doubles it */
    size_t made;
    char *request = make_request(head, len, &made);
    if (!request) {
        close(fd);
        return false;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &sndbuf, sizeof sndbuf);
    c->fd = fd;
    s->adopting = c;
    struct lws *wsi = lws_adopt_socket_vhost_readbuf(s->vhost, fd, request, made); /* NULL: fd is closed */
    free(request);
    if (c->wsi) return true;
    s->adopting = NULL;
    if (wsi) lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
    return false;
}

int ws_lws_write(struct conn *c, const unsigned char *bytes, size_t n) {
    if (lws_partial_buffered(c->wsi)) { /* a pong of its own was cut short */
        c->blocked = true;
        return 0;
    }
    if (lws_write(c->wsi, (unsigned char *)bytes, n, LWS_WRITE_RAW) < 0) return -1;
    c->blocked = lws_partial_buffered(c->wsi) != 0;
    return 1;
}

void ws_lws_want_writable(struct conn *c) {
    if (c->wsi) lws_callback_on_writable(c->wsi);
}

void ws_lws_reading(struct conn *c, bool on) {
    if (!c->wsi) return;
    lws_rx_flow_control(c->wsi, on);
    if (on) lws_cancel_service(c->g->ws->context);
}

void ws_lws_destroy(struct ws_server *s) {
    lws_context_destroy(s->context);
}
