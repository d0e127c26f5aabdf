/* http.c - connections of the HTTP server: reading, timeouts, closing. Gateway thread.
 *
 * An idle connection holds no buffer: requests are read into one buffer of the gateway and taken from there; only what
 * is not complete yet, or must wait, moves to the connection. Work found during a loop turn (answers, requests) marks
 * the connection dirty; http_turn writes, takes more, and sets what to poll and wait for, once per turn.
 */
#include "gateway/http.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <netdb.h>

enum { BODY_STEP = 16384 /* a body brings as much within a header_timeout */, LINGER_MS = 2000, PLACES_MAX = 1 << 20 };
enum { ADMIN_MAX = 32 /* connections; they take no place from the public ones, nor those from them */ };

/* ---- lists of waiting connections ---- */

static void unlink_wait(struct http_conn *c) {
    c->link.prev->next = c->link.next;
    c->link.next->prev = c->link.prev;
    c->link.prev = c->link.next = &c->link;
}

static int64_t wait_ms(const struct gateway_config *config, uint8_t wait) {
    return wait == WAIT_IDLE ? config->idle_timeout : wait == WAIT_LINGER ? LINGER_MS : config->header_timeout;
}

static void set_wait(struct http_conn *c, uint8_t wait) {
    if (wait == c->wait && !c->progressed) return;
    c->progressed = false;
    c->wait = wait;
    unlink_wait(c);
    if (wait == WAIT_NOTHING) return;
    struct http_link *list = &c->s->waits[wait];
    c->deadline = uv_now(&c->s->g->loop) + (uint64_t)wait_ms(&c->s->g->config, wait);
    c->link.prev = list->prev;
    c->link.next = list;
    list->prev->next = &c->link;
    list->prev = &c->link;
}

/* ---- life ---- */

void http_init(struct gateway *g) {
    struct http_server *s = xcalloc(1, sizeof *s);
    s->g = g;
    s->limits = (struct http_limits){(size_t)g->config.max_header, (size_t)g->config.max_body};
    http_budget_init(s);
    s->read_buf = xmalloc(READ_SIZE);
    s->scratch = xmalloc(SCRATCH_SIZE);
    for (int i = 0; i < WAIT_COUNT; i++) s->waits[i].prev = s->waits[i].next = &s->waits[i];
    g->http = s;
}

void http_free(struct gateway *g) {
    struct http_server *s = g->http;
    ENSURE(s->nhandles == 0);
    http_budget_free(s);
    free(s->places);
    free(s->read_buf);
    free(s->scratch);
    free(s);
    g->http = NULL;
}

static bool take_place(struct http_conn *c) {
    struct http_server *s = c->s;
    if (!s->free_place) {
        if (s->nplaces == PLACES_MAX) return false;
        uint32_t n = s->nplaces ? s->nplaces * 2 : 64;
        s->places = xrealloc(s->places, n * sizeof *s->places);
        for (uint32_t i = n; i-- > s->nplaces;) {
            s->places[i] = (struct http_place){NULL, 1, s->free_place};
            s->free_place = i + 1;
        }
        s->nplaces = n;
    }
    c->index = s->free_place - 1;
    struct http_place *place = &s->places[c->index];
    s->free_place = place->next_free;
    place->conn = c;
    c->generation = place->generation;
    return true;
}

static void leave_place(struct http_conn *c) {
    struct http_place *place = &c->s->places[c->index];
    place->conn = NULL;
    place->generation = (place->generation + 1) & 0xfffffff;
    place->next_free = c->s->free_place;
    c->s->free_place = c->index + 1;
}

struct http_conn *http_conn_find(struct gateway *g, uint64_t cookie) {
    uint32_t index = (uint32_t)(cookie >> 44), generation = (uint32_t)(cookie >> 16) & 0xfffffff;
    if (index >= g->http->nplaces || g->http->places[index].generation != generation) return NULL;
    return g->http->places[index].conn;
}

bool http_is_full(struct gateway *g, bool admin) {
    const struct http_server *s = g->http;
    if (s->nopen >= PLACES_MAX) return true;
    if (admin) return s->nadmin >= ADMIN_MAX;
    uint64_t open = s->nopen - s->nadmin + atomic_load_explicit(&g->stats.ws_connections, memory_order_relaxed);
    return open >= (uint64_t)g->config.max_connections;
}

static void drop_input(struct http_conn *c) {
    c->s->input -= c->in_cap;
    free(c->in);
    c->in = NULL;
    c->in_at = c->in_len = c->in_cap = 0;
}

static void on_handle_closed(uv_handle_t *h) {
    struct http_conn *c = h->data;
    c->s->nhandles--;
    drop_input(c);
    free(c);
}

void http_conn_close(struct http_conn *c) {
    if (c->closed) return;
    c->closed = true;
    http_slots_drop(c);
    http_output_drop(c);
    unlink_wait(c);
    leave_place(c);
    c->s->nopen--;
    c->s->nadmin -= c->admin;
    atomic_fetch_sub_explicit(&c->s->g->stats.http_connections, 1, memory_order_relaxed);
    uv_poll_stop(&c->poll); /* takes the descriptor out of epoll before it is closed or handed on */
    if (c->fd >= 0) close(c->fd);
    uv_close((uv_handle_t *)&c->poll, on_handle_closed);
}

void http_conn_dirty(struct http_conn *c) {
    if (c->dirty) return;
    c->dirty = true;
    c->dirty_next = c->s->dirty;
    c->s->dirty = c;
}

/* ---- taking requests ---- */

static bool can_take(const struct http_conn *c) {
    return !c->closing && !c->closed && !c->out && http_outstanding(c) < OUTSTANDING_MAX &&
           c->outstanding_bytes <= c->s->limits.body && c->unread <= ANSWERS_MAX;
}

/* Our last word. */
static void refuse(struct http_conn *c, uint16_t status, const char *why, const char *headers) {
    c->closing = c->lingers = true;
    http_reply_error(c, false, status, why, headers);
}

/* Takes the complete requests of data; returns how many bytes they had. An upgrade keeps its bytes: they go to
 * libwebsockets. */
static size_t take(struct http_conn *c, char *data, size_t len) {
    size_t at = 0;
    bool parsed = c->blocked;
    c->blocked = false;
    while (can_take(c)) {
        if (!c->req.scanned) /* empty lines before a request are skipped */
            while (len - at >= 2 && data[at] == '\r' && data[at + 1] == '\n') at += 2;
        if (at == len || (len - at == 1 && data[at] == '\r' && !c->req.scanned)) break;
        enum http_progress progress = parsed ? HTTP_DONE : http_parse(&c->req, data + at, len - at, &c->s->limits);
        parsed = false;
        if (progress == HTTP_REFUSED) {
            refuse(c, c->req.status, c->req.why, "");
            return len;
        }
        if (progress == HTTP_MORE) {
            if (c->req.expects_continue && c->req.phase != PHASE_HEAD && len - at == c->req.head_len) {
                c->req.expects_continue = false;
                c->owes_continue = true;
            }
            break;
        }
        enum http_fate fate = c->req.wants_upgrade && http_outstanding(c) ? HTTP_WAITS : http_dispatch(c, data + at);
        if (fate == HTTP_WAITS) {
            c->blocked = true;
            break;
        }
        c->owes_continue = false;
        c->progressed = true;
        c->fresh = false;
        atomic_fetch_add_explicit(&c->s->g->stats.http_requests, 1, memory_order_relaxed);
        if (fate == HTTP_PARKED) break;
        at += c->req.end;
        memset(&c->req, 0, sizeof c->req);
    }
    return at;
}

static void take_from_own(struct http_conn *c) {
    c->in_at += take(c, c->in + c->in_at, c->in_len - c->in_at);
    if (c->in_at == c->in_len) drop_input(c);
}

/* ---- room for what has not arrived as a whole ---- */

/* The connection that has waited longest for the rest of a body, or else of a head, or else for its peer to read. */
static struct http_conn *longest_incomplete(struct http_server *s) {
    static const uint8_t order[] = {WAIT_BODY, WAIT_HEAD, WAIT_WRITE};
    for (size_t i = 0; i < COUNT_OF(order); i++) {
        struct http_link *list = &s->waits[order[i]];
        for (struct http_link *l = list->next; l != list; l = l->next) {
            struct http_conn *c = CONTAINER_OF(l, struct http_conn, link);
            if (c->in && !c->closing) return c;
        }
    }
    return NULL;
}

struct http_conn *http_longest_unread(struct http_server *s) {
    struct http_link *list = &s->waits[WAIT_WRITE];
    return list->next == list ? NULL : CONTAINER_OF(list->next, struct http_conn, link);
}

static void grow_input(struct http_conn *c, size_t cap) {
    struct http_server *s = c->s;
    struct http_conn *longest;
    s->input += cap - c->in_cap;
    c->in_cap = cap;
    c->in = xrealloc(c->in, cap);
    while (s->input > s->max_input && (longest = longest_incomplete(s))) {
        atomic_fetch_add_explicit(&s->g->stats.refused, 1, memory_order_relaxed);
        refuse(longest, 503, "the server holds more unfinished requests than it can; try again", "Retry-After: 1\r\n");
        drop_input(longest);
        set_wait(longest, WAIT_NOTHING);
    }
}

/* ---- reading ---- */

static void make_room(struct http_conn *c) {
    if (c->in_at) {
        memmove(c->in, c->in + c->in_at, c->in_len - c->in_at);
        c->in_len -= c->in_at;
        c->in_at = 0;
    }
    if (c->in_cap - c->in_len >= 2048) return;
    grow_input(c, c->in_cap * 2 < 4096 ? 4096 : c->in_cap * 2);
}

static void keep(struct http_conn *c, const char *p, size_t n) {
    if (!n) return;
    grow_input(c, n);
    if (!c->in) return; /* it had to give way */
    memcpy(c->in, p, n);
    c->in_len = n;
}

/* What comes after our last word is thrown away, so that the peer reads that word instead of a reset. */
static void drain(struct http_conn *c) {
    ssize_t n = recv(c->fd, c->s->read_buf, READ_SIZE, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) http_conn_close(c);
}

static void read_some(struct http_conn *c) {
    struct http_server *s = c->s;
    bool own = c->in != NULL;
    if (own) make_room(c);
    if (own && !c->in) return; /* it had to give way */
    char *to = own ? c->in + c->in_len : s->read_buf;
    ssize_t n = recv(c->fd, to, own ? c->in_cap - c->in_len : READ_SIZE, MSG_DONTWAIT);
    if (n < 0) {
        if (errno != EAGAIN && errno != EINTR) http_conn_close(c);
        return;
    }
    http_conn_dirty(c);
    if (n == 0) {
        c->eof = c->half_closed = true;
        return;
    }
    if (c->req.phase != PHASE_HEAD && (c->body_bytes += (size_t)n) >= BODY_STEP) {
        c->body_bytes = 0;
        c->progressed = true;
    }
    if (own) {
        c->in_len += (size_t)n;
        take_from_own(c);
    } else {
        size_t taken = take(c, s->read_buf, (size_t)n);
        keep(c, s->read_buf + taken, (size_t)n - taken);
    }
}

static bool is_parked(struct http_conn *c) {
    return http_outstanding(c) && http_slot_at(c, c->first)->upgrade;
}

static void on_ready(uv_poll_t *poll, int status, int events) {
    struct http_conn *c = poll->data;
    if (c->closed) return;
    if (status < 0 || events & UV_PRIORITIZED) { /* a reset; or urgent data, which HTTP has not */
        http_conn_close(c);
        return;
    }
    if (events & UV_DISCONNECT) c->half_closed = true;
    if (events & (UV_WRITABLE | UV_DISCONNECT)) http_conn_dirty(c);
    if (c->half_closed && is_parked(c)) http_conn_close(c);
    if (c->closed || !(events & UV_READABLE)) return;
    if (c->shut) drain(c);
    else read_some(c);
}

void http_accepted(struct gateway *g, int fd, bool admin) {
    struct http_conn *c = xcalloc(1, sizeof *c);
    c->s = g->http;
    c->fd = fd;
    c->admin = admin;
    c->fresh = true;
    c->link.prev = c->link.next = &c->link;
    if (!take_place(c) || uv_poll_init(&g->loop, &c->poll, fd) != 0) panic("no place for descriptor %d", fd);
    c->poll.data = c;
    c->s->nopen++;
    c->s->nadmin += admin;
    c->s->nhandles++;
    atomic_fetch_add_explicit(&g->stats.http_connections, 1, memory_order_relaxed);
    http_conn_dirty(c);
}

/* ---- the end of a turn ---- */

/* While nothing is read, a peer that goes is noticed all the same: by its FIN, after that by its reset, for which the
 * socket must be watched for something. */
static void poll_for(struct http_conn *c) {
    int events = c->out ? UV_WRITABLE : 0;
    if (!c->eof && (c->shut || (can_take(c) && !c->blocked))) events |= UV_READABLE;
    else if (http_outstanding(c)) events |= c->half_closed ? UV_PRIORITIZED : UV_DISCONNECT;
    if (events == c->events) return; /* each change is a system call */
    c->events = events;
    if (events) uv_poll_start(&c->poll, events, on_ready);
    else uv_poll_stop(&c->poll);
}

static uint8_t waits_for(const struct http_conn *c) {
    if (c->shut) return WAIT_LINGER;
    if (c->out) return WAIT_WRITE;
    if (c->blocked || !can_take(c)) return WAIT_NOTHING;
    if (c->in) return c->req.phase == PHASE_HEAD ? WAIT_HEAD : WAIT_BODY;
    if (http_outstanding(c)) return WAIT_NOTHING;
    return c->fresh ? WAIT_HEAD : WAIT_IDLE;
}

static void settle(struct http_conn *c) {
    bool finished = !http_outstanding(c) && !c->out;
    if (finished && (c->eof || (c->closing && !c->lingers))) {
        http_conn_close(c);
        return;
    }
    if (finished && c->closing && !c->shut) {
        c->shut = true;
        shutdown(c->fd, SHUT_WR);
    }
    poll_for(c);
    set_wait(c, waits_for(c));
}

static bool has_answer(struct http_conn *c) {
    return http_outstanding(c) && http_slot_at(c, c->first)->status;
}

/* A FIN may come from a peer that still reads or from one that is gone: an answer to the latter brings a reset. */
static bool is_reset(const struct http_conn *c) {
    int err = 0;
    socklen_t len = sizeof err;
    return c->half_closed && getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len) == 0 && err;
}

static void turn(struct http_conn *c) {
    do {
        http_write_answers(c);
        if (!c->closed && is_reset(c)) http_conn_close(c);
        if (c->in && can_take(c)) take_from_own(c);
    } while (!c->closed && !c->out && (has_answer(c) || (c->owes_continue && !http_outstanding(c))));
    if (!c->closed) settle(c);
}

void http_turn(struct gateway *g) {
    struct http_server *s = g->http;
    while (s->dirty) {
        struct http_conn *c = s->dirty;
        s->dirty = c->dirty_next;
        if (!c->closed) turn(c); /* still marked: what it adds to itself it also does */
        c->dirty = false;
    }
}

static void expire(struct http_conn *c) {
    if ((c->wait == WAIT_HEAD && c->in) || c->wait == WAIT_BODY) {
        refuse(c, 408, c->wait == WAIT_HEAD ? "the head did not arrive in time" : "the body did not arrive in time",
               "");
        drop_input(c);
    } else {
        http_conn_close(c);
    }
}

void http_tick(struct gateway *g) {
    uint64_t now = uv_now(&g->loop);
    http_budget_tick(g->http);
    for (int i = WAIT_NOTHING + 1; i < WAIT_COUNT; i++) {
        struct http_link *list = &g->http->waits[i], *next;
        for (struct http_link *l = list->next; l != list; l = next) {
            struct http_conn *c = CONTAINER_OF(l, struct http_conn, link);
            next = l->next;
            if (c->deadline > now) break;
            expire(c);
        }
    }
}

/* ---- stopping ---- */

void http_stop(struct gateway *g) {
    for (uint32_t i = 0; i < g->http->nplaces; i++) {
        struct http_conn *c = g->http->places[i].conn;
        if (!c) continue;
        c->closing = true;
        if (http_outstanding(c)) {
            struct http_slot *last = http_slot_at(c, (uint16_t)(c->next - 1));
            last->close = true;
            if (last->upgrade) http_conn_close(c);
        }
        if (!c->closed) http_conn_dirty(c);
    }
}

void http_close_all(struct gateway *g) {
    for (uint32_t i = 0; i < g->http->nplaces; i++)
        if (g->http->places[i].conn) http_conn_close(g->http->places[i].conn);
}

bool http_release_for_upgrade(struct gateway *g, uint64_t cookie, int *fd, const char **head, size_t *len,
                              char peer[64]) {
    struct http_conn *c = http_conn_find(g, cookie);
    struct http_slot *s = c ? http_slot_at(c, cookie_seq(cookie)) : NULL;
    if (!s || !s->upgrade) return false;
    struct sockaddr_storage addr;
    socklen_t addr_len = sizeof addr;
    char port[8];
    peer[0] = 0;
    if (getpeername(c->fd, (struct sockaddr *)&addr, &addr_len) == 0)
        getnameinfo((struct sockaddr *)&addr, addr_len, peer, 64, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
    *fd = c->fd;
    *head = c->in + c->in_at; /* lives until libuv has closed the handle: after this turn */
    *len = c->in_len - c->in_at;
    c->fd = -1;
    http_conn_close(c);
    return true;
}
