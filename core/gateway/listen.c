/* listen.c - binds, listens, accepts. Opened on the caller's thread before the loop runs, then the gateway's. */
#define _GNU_SOURCE
#include "gateway/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/http.h"
#include "gateway/tls_front.h"
#include "obs/log.h"

enum { BACKLOG = 511, ACCEPTS_A_TURN = 64, TURNED_AWAY_A_TURN = 4 /* that get to hear why; others are closed */ };

static const struct {
    int err;
    const char *text;
} reasons[] = {
    {EADDRINUSE, "address already in use; another server is running there: stop it, or choose another listen address"},
    {EACCES, "permission denied; ports below 1024 are reserved: choose another, or grant CAP_NET_BIND_SERVICE"},
    {EADDRNOTAVAIL, "this machine has no such address; choose one of its own, or 0.0.0.0 for all of them"},
};

static char *why_not(const char *address, int err) {
    for (size_t i = 0; i < COUNT_OF(reasons); i++)
        if (reasons[i].err == err) return xasprintf("%s: %s", address, reasons[i].text);
    return xasprintf("%s: cannot listen: %s; choose another listen address", address, strerror(err));
}

/* HOST:PORT, [V6]:PORT. NULL and *why. */
static struct addrinfo *resolve(const char *address, char **why) {
    const char *colon = strrchr(address, ':'), *from = address, *to = colon;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV}, *found = NULL;
    if (!colon || colon == address || !colon[1]) {
        *why = xasprintf("%s: not an address; write HOST:PORT, such as 127.0.0.1:8065", address);
        return NULL;
    }
    if (*from == '[' && to[-1] == ']') from++, to--;
    char *host = xstrndup(from, (size_t)(to - from));
    int err = getaddrinfo(host, colon + 1, &hints, &found);
    free(host);
    if (err) *why = xasprintf("%s: %s; write HOST:PORT, such as 127.0.0.1:8065", address, gai_strerror(err));
    return err ? NULL : found;
}

static int bind_to(const struct addrinfo *a, bool reuse_port) {
    int on = 1, fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (reuse_port) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) return fd;
    int err = errno;
    close(fd);
    errno = err;
    return -1;
}

static void name_address(struct listener *l) {
    struct sockaddr_storage addr;
    socklen_t len = sizeof addr;
    char host[64], port[8];
    if (getsockname(l->fd, (struct sockaddr *)&addr, &len) != 0) return;
    if (getnameinfo((struct sockaddr *)&addr, len, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV))
        return;
    snprintf(l->address, sizeof l->address, addr.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

/* ---- who may come in ---- */

static const struct refusal {
    uint16_t status;
    const char *text;
} full = {503, "the server has as many connections as it may have; try again"},
  refusals[] = {
      [TOO_MANY] = {429, "your address has as many connections as it may have; close some, or try again"},
      [TOO_FAST] = {429, "your address opens connections faster than it may; try again"},
};

static bool is_full(const struct listener *l) {
    return l->tls ? tls_front_open(l->g->front) >= l->g->config.max_connections : http_is_full(l->g, l->admin);
}

/* Who speaks TLS is not worth a handshake; of a flood only some are worth an answer. */
static void turn_away(struct listener *l, int fd, const struct remote *peer, const struct refusal *r, int *answers) {
    char text[ADDR_TEXT];
    atomic_fetch_add_explicit(&l->g->stats.refused, 1, memory_order_relaxed);
    log_fmt(TAUT_LOG_WARN, "gateway", r->status == 503 ? "full" : "address_limit", "refused %s: %s",
            addr_text(&peer->addr, text).ptr, r->text);
    if (l->tls || !*answers || !http_can_turn_away(l->g)) {
        close(fd);
        return;
    }
    --*answers;
    http_turned_away(l->g, fd, peer, r->status, r->text);
}

static void let_in(struct listener *l, int fd, const struct remote *peer, int *answers) {
    struct gateway *g = l->g;
    struct seat seat = {0};
    if (is_full(l)) {
        turn_away(l, fd, peer, &full, answers);
        return;
    }
    enum admission admission = l->admin ? ADMITTED : edge_admit(g->edge, &peer->addr, &seat);
    if (admission != ADMITTED) {
        atomic_fetch_add_explicit(&g->stats.refused_address, 1, memory_order_relaxed);
        turn_away(l, fd, peer, &refusals[admission], answers);
    } else if (l->tls) {
        tls_front_accepted(g->front, fd, peer, &seat);
    } else {
        http_accepted(g, fd, l->admin, peer, &seat);
    }
}

static void on_connection(uv_poll_t *poll, int status, int events) {
    struct listener *l = poll->data;
    int answers = TURNED_AWAY_A_TURN;
    (void)events;
    if (status < 0) return;
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        struct sockaddr_storage from = {0};
        socklen_t len = sizeof from;
        int on = 1, fd = accept4(l->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EINTR || errno == ECONNABORTED) continue;
            if (errno == EAGAIN || errno == EWOULDBLOCK) return;
            l->paused = true; /* no descriptors or no memory: until the next tick */
            uv_poll_stop(&l->poll);
            return;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct remote peer = {.addr = addr_of((struct sockaddr *)&from)};
        peer.is_proxy = edge_is_proxy(l->g->edge, &peer.addr);
        let_in(l, fd, &peer, &answers);
    }
}

bool listener_open(struct listener *l, struct gateway *g, const char *address, bool admin, bool reuse_port,
                   char **why) {
    struct addrinfo *found = resolve(address, why);
    if (!found) return false;
    int err = 0;
    l->fd = -1;
    for (struct addrinfo *a = found; a && l->fd < 0; a = a->ai_next) {
        l->fd = bind_to(a, reuse_port);
        err = errno;
    }
    freeaddrinfo(found);
    if (l->fd < 0) {
        *why = why_not(address, err);
        return false;
    }
    l->g = g;
    l->admin = admin;
    l->tls = !admin && g->front;
    name_address(l);
    ENSURE(uv_poll_init(&g->loop, &l->poll, l->fd) == 0);
    l->poll.data = l;
    uv_poll_start(&l->poll, UV_READABLE, on_connection);
    return true;
}

void listener_tick(struct listener *l) {
    if (!l->paused || l->closed) return;
    l->paused = false;
    uv_poll_start(&l->poll, UV_READABLE, on_connection);
}

void listener_close(struct listener *l) {
    if (l->closed) return;
    l->closed = true;
    uv_poll_stop(&l->poll);
    close(l->fd);
    uv_close((uv_handle_t *)&l->poll, NULL);
}
