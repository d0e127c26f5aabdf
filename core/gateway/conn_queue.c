/* conn_queue.c - what waits for a connection, and how it is written. Gateway thread.
 *
 * A ring of references to prepared frames, bounded in bytes together with what the kernel refused. Connections with
 * something to write are on the dirty list, which is worked off in slices of FLUSH_SLICE a loop turn, so that mail and
 * posts are read while a large fan-out is being sent. All that waits goes out in writes of up to WRITE_BYTES.
 *
 * When the ring is full, ephemera go first; then the connection lags: its durable frames are dropped, `cursor` keeps
 * the place before the first of them, and the hub is asked for what follows (MSG_REFILL) as the socket drains. Frames
 * in the ring have not begun to be written, and durable ones stand in the order of seq: so nothing is lost, repeated,
 * reordered.
 */
#include "base/fault.h"
#include "gateway/ws_internal.h"

static struct frame *ring_at(const struct conn *c, uint32_t i) {
    return c->ring[(c->ring_head + i) & (c->ring_cap - 1)];
}

static void ring_grow(struct conn *c) {
    uint32_t cap = c->ring_cap ? c->ring_cap * 2 : 4;
    struct frame **ring = xmalloc(cap * sizeof *ring);
    for (uint32_t i = 0; i < c->ring_n; i++) ring[i] = ring_at(c, i);
    free(c->ring);
    c->ring = ring;
    c->ring_cap = cap;
    c->ring_head = 0;
}

/* Takes the reference. */
static void ring_push(struct conn *c, struct frame *f) {
    if (c->ring_n == c->ring_cap) ring_grow(c);
    c->ring[(c->ring_head + c->ring_n++) & (c->ring_cap - 1)] = f;
    c->queued += f->len;
    if (f->kind == FRAME_DIRECT) c->direct += f->len;
    if (MUTANT_ONE_IN("swap", 2000) && c->ring_n > 1) {
        uint32_t last = (c->ring_head + c->ring_n - 1) & (c->ring_cap - 1);
        uint32_t before = (c->ring_head + c->ring_n - 2) & (c->ring_cap - 1);
        c->ring[last] = c->ring[before];
        c->ring[before] = f;
    }
    conn_mark_dirty(c);
}

static void account_gone(struct conn *c, struct frame *f) {
    c->queued -= f->len;
    if (f->kind == FRAME_DIRECT) c->direct -= f->len;
    frame_unref(f);
}

static void ring_pop(struct conn *c, uint32_t n) {
    while (n--) {
        struct frame *f = ring_at(c, 0);
        c->ring_head = (c->ring_head + 1) & (c->ring_cap - 1);
        c->ring_n--;
        account_gone(c, f);
    }
    if (c->ring_n || c->ring_cap <= RING_KEPT) return;
    free(c->ring);
    c->ring = NULL;
    c->ring_cap = c->ring_head = 0;
}

/* Keeps the direct frames, and the durable ones when asked to, in order. Returns the seq of the first durable one
 * dropped, or 0. An answer behind it may no longer say "you have everything up to here". */
static uint64_t ring_drop(struct conn *c, bool durable_too) {
    uint64_t first = 0;
    uint32_t kept = 0, n = c->ring_n;
    for (uint32_t i = 0; i < n; i++) {
        struct frame *f = ring_at(c, i);
        if (f->kind == FRAME_DIRECT || (f->kind == FRAME_DURABLE && !durable_too)) {
            if (first && f->kind == FRAME_DIRECT && f->seq >= first) frame_forget_cursor(f);
            c->ring[(c->ring_head + kept++) & (c->ring_cap - 1)] = f;
            continue;
        }
        if (f->kind == FRAME_EPHEMERAL) stat_add(&c->g->stats.dropped_ephemeral, 1);
        else if (!first) first = f->seq;
        account_gone(c, f);
    }
    c->ring_n = kept;
    return first;
}

static void drop_pongs(struct conn *c) {
    if (c->pongs) frame_unref(c->pongs);
    c->pongs = NULL;
}

void conn_queue_free(struct conn *c) {
    while (c->ring_n) ring_pop(c, 1);
    free(c->ring);
    c->ring = NULL;
    c->ring_cap = c->ring_head = 0;
    drop_pongs(c);
}

/* One frame always fits into an empty ring, however long. */
static bool fits(const struct conn *c, uint32_t len) {
    if (MUTANT("queue_without_bound")) return true;
    return !c->ring_n || c->queued + c->held_len + len <= c->g->ws->queue_limit;
}

static uint32_t half_limit(const struct conn *c) {
    return c->g->ws->queue_limit / 2;
}

/* Takes frames from the ring into one piece of memory: a single frame as it stands, several as a copy. */
static const unsigned char *gather(struct conn *c, size_t *len, uint32_t *frames) {
    unsigned char *scratch = c->g->ws->scratch;
    struct frame *first = ring_at(c, 0);
    *frames = 1;
    *len = first->len;
    if (c->ring_n == 1 || first->len + ring_at(c, 1)->len > WRITE_BYTES) return first->bytes;
    memcpy(scratch, first->bytes, first->len);
    while (*frames < c->ring_n) {
        struct frame *f = ring_at(c, *frames);
        if (*len + f->len > WRITE_BYTES) break;
        memcpy(scratch + *len, f->bytes, f->len);
        *len += f->len;
        ++*frames;
    }
    return scratch;
}

static void write_bytes(struct conn *c, const unsigned char *bytes, size_t len) {
    if (!ws_lws_write(c, bytes, len)) {
        c->broken = true; /* whoever walks members of a topic may be above us: the dirty list ends it */
        conn_mark_dirty(c);
        return;
    }
    if (c->blocked) {
        c->unsent = -1;
        list_add(&c->g->ws->stalled, &c->stalled);
    }
    stat_add(&c->g->stats.writes, 1);
    stat_add(&c->g->stats.bytes_out, len);
    c->progress_at = c->g->ws->tick;
}

static bool can_write(const struct conn *c) {
    return c->wsi && !c->blocked && !c->broken;
}

static void write_pending(struct conn *c) {
    if (c->pongs && can_write(c)) {
        write_bytes(c, c->pongs->bytes, c->pongs->len);
        drop_pongs(c);
    }
    while (c->ring_n && can_write(c)) {
        size_t len;
        uint32_t frames;
        const unsigned char *bytes = gather(c, &len, &frames);
        write_bytes(c, bytes, len);
        if (!c->broken) ring_pop(c, frames);
    }
}

static void ask_for_refill(struct conn *c) {
    if (!c->lagging || c->refill_pending || c->closing || c->blocked || c->queued > half_limit(c)) return;
    taut_str name = c->workspace->name;
    struct conn_msg *m = xcalloc(1, sizeof *m + name.len);
    m->msg.kind = MSG_REFILL;
    m->conn = c->id;
    m->seq = c->cursor;
    m->from = &c->g->port;
    char *text = (char *)(m + 1);
    memcpy(text, name.ptr, name.len);
    m->text = taut_str_n(text, name.len);
    c->refill_pending = true;
    to_hub(c->g, &m->msg);
}

void conn_flush(struct conn *c) {
    write_pending(c);
    if (c->broken) {
        conn_kill(c);
        return;
    }
    if (c->closing && !c->ring_n && !c->blocked) conn_leave(c);
    else ask_for_refill(c);
}

void conn_writable(struct conn *c) {
    c->blocked = false;
    conn_progress(c);
    list_remove(&c->stalled);
    conn_flush(c);
}

void conn_mark_dirty(struct conn *c) {
    struct ws_server *s = c->g->ws;
    if (c->detached) return;
    if (list_empty(&s->dirty)) uv_idle_start(&s->turn, queue_turn);
    list_add(&s->dirty, &c->dirty);
}

void queue_turn(uv_idle_t *h) {
    struct ws_server *s = CONTAINER_OF(h, struct ws_server, turn);
    for (int n = 0; n < FLUSH_SLICE && !list_empty(&s->dirty); n++) {
        struct conn *c = CONTAINER_OF(s->dirty.next, struct conn, dirty);
        list_remove(&c->dirty);
        conn_flush(c);
    }
    if (list_empty(&s->dirty)) uv_idle_stop(h);
}

bool conn_queue_event(struct conn *c, struct frame *f) {
    if (MUTANT_ONE_IN("drop", 10000)) return true;
    if (!fits(c, f->len)) write_pending(c);
    if (!fits(c, f->len)) ring_drop(c, false);
    if (!fits(c, f->len)) return false;
    stat_add(&c->g->stats.deliveries, 1);
    f->refs++;
    ring_push(c, f);
    if (MUTANT_ONE_IN("repeat", 2000)) {
        f->refs++;
        ring_push(c, f);
    }
    return true;
}

void conn_queue_ephemeral(struct conn *c, struct frame *f) {
    if (c->lagging || c->queued + c->held_len > half_limit(c)) {
        stat_add(&c->g->stats.dropped_ephemeral, 1);
        return;
    }
    stat_add(&c->g->stats.deliveries, 1);
    f->refs++;
    ring_push(c, f);
}

void conn_queue_direct(struct conn *c, struct frame *f) {
    if (c->closing) {
        frame_unref(f);
        return;
    }
    if (c->direct && c->direct + f->len > DIRECT_BYTES) {
        frame_unref(f);
        conn_close(c, CLOSE_TRY_LATER, TAUT_LIT("too many answers wait to be read"));
        return;
    }
    ring_push(c, f);
}

void conn_queue_pong(struct conn *c, const unsigned char *payload, size_t len) {
    if (c->closing || c->detached) return;
    c->pongs = frame_pong(c->pongs, payload, len);
    conn_mark_dirty(c);
}

void conn_queue_close(struct conn *c, struct frame *f) {
    drop_pongs(c);
    ring_push(c, f);
}

void conn_lag(struct conn *c, uint64_t seq) {
    uint64_t first = ring_drop(c, true);
    c->cursor = (first && !MUTANT("lag_skips_queue") ? first : seq) - 1;
    c->lagging = true;
    stat_add(&c->g->stats.lagging, 1);
    conn_mark_dirty(c);
}
