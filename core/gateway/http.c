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

enum { BODY_STEP = 16384 /* a body brings as much within a body_timeout */, LINGER_MS = 2000, PLACES_MAX = 1 << 20 };
enum { TURNED_AWAY_MAX = 64 /* connections that are still reading why */ };
enum { ADMIN_MAX = 32 /* connections; they take no place from the public ones, nor those from them */ };

/* ---- lists of waiting connections ---- */

static void unlink_wait(struct http_conn *c) {
    c->link.prev->next = c->link.next;
    c->link.next->prev = c->link.prev;
    c->link.prev = c->link.next = &c->link;
}

static int64_t wait_ms(const struct gateway_config *config, uint8_t wait) {
    int64_t own = wait == WAIT_IDLE     ? config->limits.idle_timeout
                  : wait == WAIT_BODY   ? config->limits.body_timeout
                  : wait == WAIT_WRITE  ? config->limits.answer_timeout
                  : wait == WAIT_LINGER ? LINGER_MS
                                        : 0;
    return own ? own : config->limits.header_timeout;
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
    s->max_header = (size_t)g->config.max_header;
    s->max_body = (size_t)g->config.limits.max_body;
    disk_open(&s->disk, &g->loop);
    http_budget_init(s);
    s->read_buf = xmalloc(READ_SIZE);
    s->scratch = xmalloc(SCRATCH_SIZE);
    for (int i = 0; i < WAIT_COUNT; i++) s->waits[i].prev = s->waits[i].next = &s->waits[i];
    g->http = s;
}

void http_limits_changed(struct gateway *g) {
    struct http_server *s = g->http;
    s->max_body = (size_t)g->config.limits.max_body;
    http_budget_limits(s);
    for (int i = 0; i < WAIT_COUNT; i++) {
        uint64_t latest = uv_now(&g->loop) + (uint64_t)wait_ms(&g->config, (uint8_t)i);
        for (struct http_link *l = s->waits[i].next; l != &s->waits[i]; l = l->next) {
            struct http_conn *c = CONTAINER_OF(l, struct http_conn, link);
            if (c->deadline > latest) c->deadline = latest;
        }
    }
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
    uint64_t open =
        s->nopen - s->nadmin - s->nturned + atomic_load_explicit(&g->stats.ws_connections, memory_order_relaxed);
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
    http_intake_drop(c);
    uv_poll_stop(&c->poll); /* takes the descriptor out of epoll before it is closed or handed on */
    http_file_drop(c);
    unlink_wait(c);
    leave_place(c);
    c->s->nopen--;
    c->s->nadmin -= c->admin;
    c->s->nturned -= c->turned_away;
    atomic_fetch_sub_explicit(&c->s->g->stats.http_connections, 1, memory_order_relaxed);
    edge_leave(c->s->g->edge, &c->seat);
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
    return !c->closing && !c->closed && !c->out && !c->file && http_outstanding(c) < OUTSTANDING_MAX &&
           c->outstanding_bytes <= c->s->max_body && c->unread <= ANSWERS_MAX;
}

void http_refuse(struct http_conn *c, uint16_t status, const char *why, const char *headers) {
    c->closing = c->lingers = true;
    http_reply_error(c, false, status, why, headers);
}

/* The body waits for this. `rest`: what has come of it. */
static void note_continue(struct http_conn *c, uint64_t rest) {
    if (!c->req.expects_continue || rest) return;
    c->req.expects_continue = false;
    c->owes_continue = true;
}

/* A request is there as a whole. False: it is to be given again later. *parked: it is an upgrade. */
static bool dispatch(struct http_conn *c, const char *data, bool *parked) {
    enum http_fate fate = c->req.wants_upgrade && http_outstanding(c) ? HTTP_WAITS : http_dispatch(c, data);
    c->blocked = fate == HTTP_WAITS;
    if (c->blocked) return false;
    c->owes_continue = false;
    c->progressed = true;
    c->fresh = false;
    *parked = fate == HTTP_PARKED;
    atomic_fetch_add_explicit(&c->s->g->stats.http_requests, 1, memory_order_relaxed);
    return true;
}

static void forget_request(struct http_conn *c) {
    memset(&c->req, 0, sizeof c->req);
    memset(&c->found, 0, sizeof c->found);
}

/* The body goes on into its intake; a request whose body is there as a whole is taken. Returns the bytes it had. */
static size_t take_intake(struct http_conn *c, const char *data, size_t len) {
    bool parked;
    size_t used = http_intake_feed(c, data, len);
    if (!c->intake) return len; /* refused */
    note_continue(c, c->req.body_len + c->req.framing);
    if (!http_intake_is_whole(c->intake) || !can_take(c)) return used;
    if (dispatch(c, http_intake_head(c->intake), &parked)) {
        http_intake_drop(c); /* when no call has it */
        forget_request(c);
    }
    return used;
}

/* The request at data, of which len bytes are there: its head, and what is to become of its body. */
static enum http_progress look_at(struct http_conn *c, char *data, size_t len) {
    if (c->req.phase == PHASE_HEAD) {
        enum http_progress progress = http_parse_head(&c->req, data, len, c->s->max_header);
        if (progress == HTTP_REFUSED) http_refuse(c, c->req.status, c->req.why, "");
        if (progress != HTTP_DONE) return progress;
        if (!http_admit(c, data)) return HTTP_REFUSED;
        if (c->intake) return HTTP_MORE;
    }
    enum http_progress progress = http_parse_body(&c->req, data, len);
    if (progress == HTTP_REFUSED) http_refuse(c, c->req.status, c->req.why, "");
    if (progress == HTTP_MORE) note_continue(c, len - c->req.head_len);
    return progress;
}

/* Takes the complete requests of data; returns how many bytes they had. An upgrade keeps its bytes: they go to
 * libwebsockets. */
static size_t take(struct http_conn *c, char *data, size_t len) {
    size_t at = 0;
    bool parsed = c->blocked && !c->intake, parked = false;
    if (c->intake) at = take_intake(c, data, len);
    while (!c->intake && can_take(c)) {
        if (!c->req.scanned) /* empty lines before a request are skipped */
            while (len - at >= 2 && data[at] == '\r' && data[at + 1] == '\n') at += 2;
        if (at == len || (len - at == 1 && data[at] == '\r' && !c->req.scanned)) break;
        enum http_progress progress = parsed ? HTTP_DONE : look_at(c, data + at, len - at);
        parsed = false;
        if (progress == HTTP_REFUSED) return len;
        if (c->intake) {
            at += c->req.head_len;
            at += take_intake(c, data + at, len - at);
            continue;
        }
        if (progress == HTTP_MORE || !dispatch(c, data + at, &parked) || parked) break;
        at += c->req.end;
        forget_request(c);
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
            if ((c->in || (c->intake && http_intake_holds(c->intake))) && !c->closing) return c;
        }
    }
    return NULL;
}

struct http_conn *http_longest_unread(struct http_server *s) {
    struct http_link *list = &s->waits[WAIT_WRITE];
    for (struct http_link *l = list->next; l != list; l = l->next) {
        struct http_conn *c = CONTAINER_OF(l, struct http_conn, link);
        if (c->out) return c; /* who only reads a file holds nothing */
    }
    return NULL;
}

static void make_way(struct http_server *s) {
    struct http_conn *longest;
    while (s->input > s->max_input && (longest = longest_incomplete(s))) {
        atomic_fetch_add_explicit(&s->g->stats.refused, 1, memory_order_relaxed);
        http_refuse(longest, 503, "the server holds more unfinished requests than it can; try again",
                    "Retry-After: 1\r\n");
        drop_input(longest);
        http_intake_drop(longest);
        set_wait(longest, WAIT_NOTHING);
    }
}

static void grow_input(struct http_conn *c, size_t cap) {
    c->s->input += cap - c->in_cap;
    c->in_cap = cap;
    c->in = xrealloc(c->in, cap);
    make_way(c->s);
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
    if (c->intake) make_way(s);
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
    if (events & UV_WRITABLE) http_file_writable(c);
    if (events & (UV_WRITABLE | UV_DISCONNECT)) http_conn_dirty(c);
    if (c->half_closed && is_parked(c)) http_conn_close(c);
    if (c->closed || !(events & UV_READABLE)) return;
    if (c->shut) drain(c);
    else read_some(c);
}

struct http_conn *http_accepted(struct gateway *g, int fd, bool admin, const struct remote *peer,
                                const struct seat *seat) {
    struct http_conn *c = xcalloc(1, sizeof *c);
    c->peer = *peer;
    c->seat = *seat;
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
    return c;
}

bool http_can_turn_away(const struct gateway *g) {
    return g->http->nturned < TURNED_AWAY_MAX && g->http->nopen < PLACES_MAX;
}

void http_turned_away(struct gateway *g, int fd, const struct remote *peer, uint16_t status, const char *why) {
    struct http_conn *c = http_accepted(g, fd, false, peer, &(struct seat){0});
    c->turned_away = true;
    c->s->nturned++;
    http_refuse(c, status, why, "Retry-After: 5\r\n");
}

/* ---- the end of a turn ---- */

static bool is_read(const struct http_conn *c) {
    return can_take(c) && !c->blocked && (!c->intake || http_intake_wants(c->intake));
}

/* While nothing is read, a peer that goes is noticed all the same: by its FIN, after that by its reset, for which the
 * socket must be watched for something. */
static void poll_for(struct http_conn *c) {
    int events = c->out || http_file_waits(c) ? UV_WRITABLE : 0;
    if (!c->eof && (c->shut || is_read(c))) events |= UV_READABLE;
    else if (http_outstanding(c) || c->file) events |= c->half_closed ? UV_PRIORITIZED : UV_DISCONNECT;
    if (events == c->events) return; /* each change is a system call */
    c->events = events;
    if (events) uv_poll_start(&c->poll, events, on_ready);
    else uv_poll_stop(&c->poll);
}

static uint8_t waits_for(const struct http_conn *c) {
    if (c->shut) return WAIT_LINGER;
    if (c->out || http_file_waits(c)) return WAIT_WRITE;
    if (!is_read(c)) return WAIT_NOTHING;
    if (c->intake) return WAIT_BODY;
    if (c->in) return c->req.phase == PHASE_HEAD ? WAIT_HEAD : WAIT_BODY;
    if (http_outstanding(c)) return WAIT_NOTHING;
    return c->fresh ? WAIT_HEAD : WAIT_IDLE;
}

static void settle(struct http_conn *c) {
    bool finished = !http_outstanding(c) && !c->out && !c->file && !(c->intake && !http_intake_wants(c->intake));
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
        if (c->intake && http_intake_is_whole(c->intake) && can_take(c)) take_intake(c, NULL, 0);
        if (c->in && can_take(c)) take_from_own(c);
    } while (!c->closed && !c->out && !c->file && (has_answer(c) || (c->owes_continue && !http_outstanding(c))));
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
        http_refuse(c, 408,
                    c->wait == WAIT_HEAD ? "the head did not arrive in time" : "the body did not arrive in time", "");
        drop_input(c);
        http_intake_drop(c);
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
                              struct seat *seat) {
    struct http_conn *c = http_conn_find(g, cookie);
    struct http_slot *s = c ? http_slot_at(c, cookie_seq(cookie)) : NULL;
    if (!s || !s->upgrade) return false;
    *fd = c->fd;
    *seat = c->seat;
    c->seat = (struct seat){0};
    *head = c->in + c->in_at; /* lives until libuv has closed the handle: after this turn */
    *len = c->in_len - c->in_at;
    c->fd = -1;
    http_conn_close(c);
    return true;
}
