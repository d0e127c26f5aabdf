/* ws_lws.c - sockets of WebSockets: the handshake's answer, bytes in, bytes out. libwebsockets is a guest on the
 * gateway's loop and watches the sockets, adopted as raw ones; this is the only file that knows it. Gateway thread.
 *
 * Frames are ours in both directions (ws_read.c, frame.c). Bytes are sent as they are, several frames in one send(),
 * outside of any callback; what the kernel does not take is held and goes out before anything else, so that nothing
 * gets into the middle of a frame. Nothing is left to lws_write, for a raw socket with an unsent rest in
 * libwebsockets is not read from, and spins while bytes come (4.1.6, rops_handle_POLLIN_raw_skt).
 */
#include <errno.h>
#include <libwebsockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <strings.h>
#include <sys/socket.h>

#include "gateway/ws_internal.h"

/* Bytes taken, or -1. */
static ssize_t send_some(struct conn *c, const char *bytes, size_t n) {
    ssize_t put = send(c->fd, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);
    return put < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : put;
}

bool ws_lws_write(struct conn *c, const void *bytes, size_t n) {
    ssize_t put = send_some(c, bytes, n);
    if (put < 0) return false;
    if ((size_t)put == n) return true;
    c->blocked = true;
    c->held_len = (uint32_t)(n - (size_t)put);
    c->held_at = 0;
    c->held = xmalloc(c->held_len);
    memcpy(c->held, (const char *)bytes + put, c->held_len);
    lws_callback_on_writable(c->wsi);
    return true;
}

/* True: nothing is left. */
static bool write_held(struct conn *c) {
    ssize_t put = send_some(c, c->held + c->held_at, c->held_len - c->held_at);
    if (put > 0) conn_progress(c);
    if (put < 0) c->broken = true;
    else if ((c->held_at += (uint32_t)put) < c->held_len) lws_callback_on_writable(c->wsi);
    else {
        free(c->held);
        c->held = NULL;
        c->held_len = 0;
        return true;
    }
    return false;
}

static int on_writable(struct conn *c) {
    if (!c->broken && !c->detached && (!c->held || write_held(c))) conn_writable(c);
    return c->broken ? -1 : 0;
}

static int on_adopted(struct lws *wsi, struct conn **slot) {
    struct ws_server *s = lws_context_user(lws_get_context(wsi));
    struct conn *c = s->adopting;
    if (!c) return -1;
    s->adopting = NULL;
    s->alive++;
    c->wsi = wsi;
    *slot = c;
    return 0;
}

/* Behind our own close frame all that matters is the peer's. */
static int on_bytes(struct conn *c, void *in, size_t len) {
    if (c->broken) return -1;
    if (!c->in.ended) conn_read(c, in, len);
    return c->detached && c->in.closed ? -1 : 0;
}

static int on_gone(struct conn **slot) {
    struct conn *c = *slot;
    *slot = NULL;
    c->wsi = NULL;
    c->g->ws->alive--;
    conn_detach(c);
    list_remove(&c->bucket);
    conn_free(c);
    return 0;
}

static int on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len) {
    struct conn **slot = user;
    if (reason == LWS_CALLBACK_RAW_ADOPT) return on_adopted(wsi, slot);
    if (!slot || !*slot) return 0;
    switch ((int)reason) {
    case LWS_CALLBACK_RAW_RX: return on_bytes(*slot, in, len);
    case LWS_CALLBACK_RAW_WRITEABLE: return on_writable(*slot);
    case LWS_CALLBACK_RAW_CLOSE:
    case LWS_CALLBACK_WSI_DESTROY: return on_gone(slot);
    default: return 0;
    }
}

static const struct lws_protocols protocols[] = {
    {.name = "taut", .callback = on_lws, .per_session_data_size = sizeof(struct conn *), .tx_packet_size = WRITE_BYTES},
    {.name = NULL}};

static const lws_retry_bo_t no_timers = {.secs_since_valid_ping = 0, .secs_since_valid_hangup = 0};

/* Making and ending a context touches libwebsockets' own globals (log level, plug-ins): one gateway at a time. */
static pthread_mutex_t contexts = PTHREAD_MUTEX_INITIALIZER;

void ws_lws_start(struct ws_server *s) {
    void *loops[] = {&s->g->loop};
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
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

enum { HANDSHAKE_KEY_MAX = 64 };

static bool answer_handshake(struct conn *c, taut_str key) {
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char text[HANDSHAKE_KEY_MAX + sizeof guid], accept[32], head[160];
    unsigned char digest[20];
    int n = snprintf(text, sizeof text, "%.*s%s", (int)key.len, key.ptr, guid);
    lws_SHA1((unsigned char *)text, (size_t)n, digest);
    lws_b64_encode_string((char *)digest, sizeof digest, accept, sizeof accept);
    n = snprintf(head, sizeof head,
                 "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Accept: %s\r\n\r\n",
                 accept);
    return ws_lws_write(c, head, (size_t)n);
}

bool ws_lws_adopt(struct ws_server *s, struct conn *c, int fd, taut_str head) {
    int one = 1, sndbuf = KERNEL_BYTES / 2; /* the kernel doubles it */
    taut_str key = find_key(head.ptr, head.len);
    if (!key.len || key.len > HANDSHAKE_KEY_MAX) {
        close(fd);
        return false;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &sndbuf, sizeof sndbuf);
    c->fd = fd;
    s->adopting = c;
    lws_adopt_descriptor_vhost(s->vhost, LWS_ADOPT_SOCKET, (lws_sock_file_fd_type){.sockfd = fd}, protocols[0].name,
                               NULL); /* NULL: fd is closed */
    s->adopting = NULL;
    if (!c->wsi) return false;
    if (!answer_handshake(c, key)) conn_kill(c);
    return true;
}

void ws_lws_want_writable(struct conn *c) {
    if (c->wsi) lws_callback_on_writable(c->wsi);
}

void ws_lws_reading(struct conn *c, bool on) {
    if (c->wsi) lws_rx_flow_control(c->wsi, on);
}

void ws_lws_destroy(struct ws_server *s) {
    lws_context_destroy(s->context);
}
