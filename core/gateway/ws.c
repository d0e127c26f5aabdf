/* ws.c - WebSocket connections from opening to the last byte: attaching, frames in, answers, closing, pings, stopping.
 * Gateway thread.
 *
 * A connection is known by its id until it is detached: then nothing of ours finds it, MSG_CLOSED has gone to the hub
 * (once), and what is left of it waits for the peer's close frame or the end of its stream. conn_free comes last.
 */
#define _GNU_SOURCE /* memmem */
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "gateway/api.h"
#include "gateway/ws_internal.h"
#include "obs/log.h"

enum { STOP_STEP_MS = 10, STOP_SLICE = 200, STOP_TURNS = 500, DESTROY_TURNS = 8 };

/* ---- connections ---- */

static taut_str key_of(const taut_conn *id) {
    return taut_str_n((const char *)id, sizeof *id);
}

struct conn *conn_find(struct gateway *g, taut_conn id) {
    return map_get(&g->ws->conns, key_of(&id));
}

static struct conn *conn_new(struct gateway *g, const struct call *c) {
    struct ws_server *s = g->ws;
    struct conn *n = xcalloc(1, sizeof *n);
    n->g = g;
    n->id = c->pub.conn;
    n->socket = c->socket;
    n->accepted = c->out.accepted;
    n->fd = -1;
    n->heard_at = n->progress_at = s->tick;
    list_add(&s->buckets[n->id % s->nbuckets], &n->bucket);
    ENSURE(n->id && !map_put(&s->conns, key_of(&n->id), n));
    stat_add(&g->stats.ws_connections, 1);
    return n;
}

static void tell_closed(struct gateway *g, taut_conn id) {
    struct conn_msg *m = xcalloc(1, sizeof *m);
    m->msg.kind = MSG_CLOSED;
    m->conn = id;
    m->from = &g->port;
    to_hub(g, &m->msg);
}

void conn_detach(struct conn *c) {
    if (c->detached) return;
    c->detached = true;
    list_remove(&c->dirty);
    list_remove(&c->stalled);
    list_remove(&c->bucket);
    workspace_leave(c);
    map_remove(&c->g->ws->conns, key_of(&c->id));
    conn_queue_free(c);
    stat_sub(&c->g->stats.ws_connections, 1);
    if (c->seat.group) edge_leave(c->g->edge, &c->seat);
    if (c->accepted) tell_closed(c->g, c->id);
}

void conn_free(struct conn *c) {
    free(c->text);
    free(c->rest);
    free(c->held);
    free(c);
}

void conn_kill(struct conn *c) {
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    c->broken = true;
    conn_detach(c);
    if (!c->wsi) return;
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    shutdown(c->fd, SHUT_RDWR);
    ws_lws_want_writable(c); /* where libwebsockets is told to close it */
}

static void resume_reading(struct conn *c) {
    if (!c->reading_paused) return;
    c->reading_paused = false;
    if (c->rest_len) conn_read_rest(c); /* may pause it again */
    ws_lws_reading(c, !c->reading_paused);
}

/* The peer is given LEAVE_SECONDS to answer. */
void conn_leave(struct conn *c) {
    struct ws_server *s = c->g->ws;
    conn_detach(c);
    if (!c->wsi) return;
    shutdown(c->fd, SHUT_WR);
    resume_reading(c); /* for the peer's close frame */
    c->progress_at = s->tick;
    list_add(&s->leaving, &c->bucket);
}

void conn_close(struct conn *c, uint32_t code, taut_str text) {
    if (c->closing || c->detached) return;
    c->closing = true;
    c->lagging = false;
    list_remove(&c->bucket);
    if (c->workspace) topic_remove_all(c);
    conn_queue_close(c, frame_close(code, text));
}

void conn_heard(struct conn *c) {
    c->heard_at = c->g->ws->tick;
}

/* Who reads is alive: a ping may wait behind all that a slow reader has still to read. */
void conn_progress(struct conn *c) {
    c->progress_at = c->heard_at = c->g->ws->tick;
}

/* ---- opening ---- */

static void attach(struct conn *c, const struct call *call) {
    const struct call_out *out = &call->out;
    c->as_of = out->as_of;
    c->cursor = c->floor = out->cursor;
    struct workspace *w = workspace_join(c->g->ws, out->workspace, out->position, c);
    for (uint32_t i = 0; i < out->ntopics; i++) topic_add(c, out->topics[i].name, out->topics[i].since_seq);
    for (uint32_t i = 0; i < out->nevents && !c->closing; i++)
        if (out->events[i]->seq > c->as_of) fanout_apply_deltas_to(c, out->events[i]);
    if (out->body.len) {
        struct frame *hello = frame_text(FRAME_DIRECT, out->body, &out->cursor);
        if (c->closing) frame_unref(hello);
        else conn_queue_direct(c, hello);
    }
    c->lagging = !c->closing && out->cursor < w->position;
    conn_mark_dirty(c);
}

static void reject(struct conn *c, const struct call_out *out) {
    if (out->body.len) conn_queue_direct(c, frame_text(FRAME_DIRECT, out->body, NULL));
    conn_close(c, out->close_code ? out->close_code : CLOSE_POLICY, taut_str_n("", 0));
}

static size_t request_len(const char *head, size_t len) {
    const char *blank = len ? memmem(head, len, "\r\n\r\n", 4) : NULL;
    return blank ? (size_t)(blank - head) + 4 : len;
}

/* Frames may have come behind the request head. */
static void open_socket(struct gateway *g, struct call *call, int fd, const char *head, size_t len,
                        const struct seat *seat) {
    struct conn *c = conn_new(g, call);
    c->seat = *seat;
    size_t request = request_len(head, len), behind = len - request;
    if (behind) {
        c->rest = xmalloc(behind);
        c->rest_len = (uint32_t)behind;
        memcpy(c->rest, head + request, behind);
    }
    if (!ws_lws_adopt(g->ws, c, fd, taut_str_n(head, request))) {
        conn_detach(c);
        conn_free(c);
        return;
    }
    stat_add(&g->stats.ws_opened, 1);
    if (c->detached) return;
    if (c->accepted) attach(c, call);
    else reject(c, &call->out);
    if (behind) conn_read_rest(c);
}

void ws_opened(struct gateway *g, struct call *c) {
    int fd;
    const char *head;
    size_t len;
    struct seat seat;
    bool open = http_release_for_upgrade(g, c->cookie, &fd, &head, &len, &seat);
    if (open && g->ws->stopped) {
        close(fd);
        if (seat.group) edge_leave(g->edge, &seat);
        open = false;
    }
    if (open) open_socket(g, c, fd, head, len, &seat);
    else if (c->out.accepted) tell_closed(g, c->pub.conn);
    for (uint32_t i = 0; i < c->out.nevents; i++) event_unref(c->out.events[i]);
    c->out.nevents = 0;
    call_put(&g->calls, c);
}

/* ---- frames in, answers out ---- */

static void pause_reading(struct conn *c) {
    if (c->reading_paused) return;
    c->reading_paused = true;
    ws_lws_reading(c, false);
}

static void submit(struct conn *c, taut_str text) {
    struct gateway *g = c->g;
    struct call *call = call_get(&g->calls, TAUT_CALL_FRAME, &g->port);
    call->msg.kind = MSG_CALL;
    call->cookie = c->id;
    call->socket = c->socket;
    call->pub.kind = TAUT_CALL_FRAME;
    call->pub.conn = c->id;
    call->pub.text = arena_str(&call->arena, text);
    stat_add(&g->stats.frames_in, 1);
    c->unanswered++;
    c->unanswered_bytes += (uint32_t)text.len;
    if (c->unanswered >= FRAMES_UNANSWERED || c->unanswered_bytes >= BYTES_UNANSWERED) pause_reading(c);
    to_hub(g, &call->msg);
}

static void take_message(struct conn *c, taut_str text) {
    if (text_is_clean(text)) submit(c, text);
    else conn_close(c, CLOSE_BAD_TEXT, TAUT_LIT("a message is UTF-8 without NUL"));
}

static void keep_fragment(struct conn *c, taut_str part) {
    if (c->text_len + part.len > c->text_cap) {
        c->text_cap = c->text_len + (uint32_t)part.len + c->text_cap;
        c->text = xrealloc(c->text, c->text_cap);
    }
    if (part.len) memcpy(c->text + c->text_len, part.ptr, part.len);
    c->text_len += (uint32_t)part.len;
}

const char too_big_text[] = "a message may have 16384 bytes";

void conn_on_fragment(struct conn *c, taut_str part, bool is_first, bool is_last, bool is_binary) {
    if (c->closing || !c->accepted) return;
    if (is_binary) {
        conn_close(c, CLOSE_UNSUPPORTED, TAUT_LIT("send text frames"));
        return;
    }
    if (is_first) c->text_len = 0;
    if (c->text_len + part.len > TEXT_BYTES) {
        conn_close(c, CLOSE_TOO_BIG, taut_str_z(too_big_text));
        return;
    }
    if (is_last && !c->text_len) {
        take_message(c, part);
        return;
    }
    keep_fragment(c, part);
    if (!is_last) return;
    take_message(c, taut_str_n(c->text, c->text_len));
    free(c->text);
    c->text = NULL;
    c->text_len = c->text_cap = 0;
}

/* A cursor in an answer tells its reader "you have everything up to here". So it is the position that live delivery has
 * reached, which is not below the answer's own seq and never goes back; a lagging connection, or an answer that has
 * overtaken its event, gets none. */
static void queue_answer(struct conn *c, taut_str body, uint64_t seq) {
    uint64_t reached = c->workspace && c->workspace->position > c->floor ? c->workspace->position : c->floor;
    bool complete = seq && !c->lagging && reached >= seq;
    conn_queue_direct(c, frame_text(FRAME_DIRECT, body, complete ? &reached : NULL));
}

void ws_answer(struct gateway *g, struct call *c) {
    struct conn *n = conn_find(g, c->pub.conn);
    if (n && !n->closing) {
        n->unanswered--;
        n->unanswered_bytes -= (uint32_t)c->pub.text.len;
        if (n->unanswered <= FRAMES_RESUME && n->unanswered_bytes <= BYTES_RESUME) resume_reading(n);
        if (!c->out.sent && c->out.body.len) queue_answer(n, c->out.body, c->out.seq);
    }
    call_put(&g->calls, c);
}

void ws_early(struct gateway *g, struct early_msg *m) {
    struct conn *c = conn_find(g, m->conn);
    if (c && m->body.len) conn_queue_direct(c, frame_text(FRAME_DIRECT, m->body, NULL));
    free(m);
}

void ws_send(struct gateway *g, struct conn_msg *m) {
    struct conn *c = conn_find(g, m->conn);
    if (c && m->text.len) conn_queue_direct(c, frame_text(FRAME_DIRECT, m->text, NULL));
    free(m);
}

void ws_close(struct gateway *g, struct conn_msg *m) {
    struct conn *c = conn_find(g, m->conn);
    if (c) conn_close(c, m->code, m->text);
    free(m);
}

/* ---- once a second ---- */

static void ping_bucket(struct ws_server *s) {
    struct link *bucket = &s->buckets[s->tick % s->nbuckets], *next;
    struct frame *ping = NULL;
    for (struct link *l = bucket->next; l != bucket; l = next) {
        struct conn *c = CONTAINER_OF(l, struct conn, bucket);
        next = l->next;
        if (c->reading_paused) conn_heard(c); /* it is we who do not listen */
        if (s->tick - c->heard_at > SILENT_INTERVALS * s->interval_s) {
            conn_kill(c);
            continue;
        }
        if (!ping) ping = frame_ping(random_u64());
        ping->refs++;
        conn_queue_direct(c, ping);
    }
    if (ping) frame_unref(ping);
}

/* A peer whose kernel takes nothing for STALLED_SECONDS is let go; one that is slow is not. */
static void check_stalled(struct ws_server *s) {
    struct link *next;
    for (struct link *l = s->stalled.next; l != &s->stalled; l = next) {
        struct conn *c = CONTAINER_OF(l, struct conn, stalled);
        int unsent;
        next = l->next;
        if (ioctl(c->fd, SIOCOUTQ, &unsent) == 0 && unsent != c->unsent) {
            c->unsent = unsent;
            conn_progress(c);
        }
        if (s->tick - c->progress_at < STALLED_SECONDS) continue;
        stat_add(&s->g->stats.slow_closed, 1);
        log_fmt(TAUT_LOG_INFO, "gateway", "slow_consumer", "a connection read nothing for %d s and was closed",
                STALLED_SECONDS);
        conn_kill(c);
    }
}

static void end_leaving(struct ws_server *s) {
    while (!list_empty(&s->leaving)) { /* in the order in which they left */
        struct conn *c = CONTAINER_OF(s->leaving.next, struct conn, bucket);
        if (s->tick - c->progress_at < LEAVE_SECONDS) return;
        list_remove(&c->bucket);
        conn_kill(c);
    }
}

void ws_tick(struct gateway *g) {
    struct ws_server *s = g->ws;
    s->tick++;
    if (s->interval_s) ping_bucket(s);
    check_stalled(s);
    end_leaving(s);
}

/* ---- life ---- */

void ws_limits_changed(struct gateway *g) {
    int64_t limit = g->config.limits.connection_queue - KERNEL_BYTES;
    g->ws->queue_limit = (uint32_t)(limit < LEAST_QUEUE_BYTES ? LEAST_QUEUE_BYTES : limit);
}

void ws_init(struct gateway *g) {
    struct ws_server *s = xcalloc(1, sizeof *s);
    int64_t interval_s = g->config.ping_interval / 1000;

    g->ws = s;
    s->g = g;
    s->interval_s = g->config.ping_interval > 0 && interval_s < 1 ? 1 : (uint32_t)interval_s;
    s->nbuckets = s->interval_s ? s->interval_s : 1;
    ws_limits_changed(g);
    s->buckets = xcalloc(s->nbuckets, sizeof *s->buckets);
    for (uint32_t i = 0; i < s->nbuckets; i++) list_init(&s->buckets[i]);
    list_init(&s->dirty);
    list_init(&s->stalled);
    list_init(&s->leaving);
    uv_idle_init(&g->loop, &s->turn);
    uv_timer_init(&g->loop, &s->stop_timer);
    s->handles_open = 2;
    ws_lws_start(s);
}

static void on_handle_closed(uv_handle_t *h) {
    struct ws_server *s = h->data;
    struct gateway *g = s->g;
    if (--s->handles_open) return;
    void (*done)(struct gateway *) = s->stopped;
    map_free(&s->conns);
    map_free(&s->workspaces);
    free(s->buckets);
    free(s);
    g->ws = NULL;
    done(g);
}

static bool close_some(struct ws_server *s) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->nbuckets; i++)
        for (; !list_empty(&s->buckets[i]); n++) {
            if (n == STOP_SLICE) return true;
            conn_close(CONTAINER_OF(s->buckets[i].next, struct conn, bucket), CLOSE_GOING_AWAY,
                       TAUT_LIT("the server stops"));
        }
    return n > 0;
}

/* Paced closing; then the context goes in two steps with loop turns between them, in which its handles close. */
static void on_stop_timer(uv_timer_t *t) {
    struct ws_server *s = CONTAINER_OF(t, struct ws_server, stop_timer);
    s->stop_turns++;
    if (s->stop_turns <= STOP_TURNS) {
        if (close_some(s) || (s->alive && s->stop_turns < STOP_TURNS)) return;
        s->stop_turns = STOP_TURNS + 1;
        ws_lws_destroy(s);
        return;
    }
    if (s->stop_turns < STOP_TURNS + DESTROY_TURNS) return;
    ws_lws_destroy(s);
    s->turn.data = s->stop_timer.data = s;
    uv_close((uv_handle_t *)&s->turn, on_handle_closed);
    uv_close((uv_handle_t *)&s->stop_timer, on_handle_closed);
}

void ws_stop(struct gateway *g, void (*done)(struct gateway *g)) {
    g->ws->stopped = done;
    uv_timer_start(&g->ws->stop_timer, on_stop_timer, STOP_STEP_MS, STOP_STEP_MS);
}
