/* ws_internal.h - what the files behind the WebSockets share. Everything belongs to the gateway's own thread.
 *
 *   ws.c          connections: opening, frames in, answers, closing, pings, stopping
 *   ws_read.c     a peer's frames, out of its bytes
 *   ws_lws.c      the only file that knows libwebsockets
 *   conn_queue.c  what waits for a connection, and how it is written; lagging
 *   topics.c      workspaces, topics, who is on them
 *   fanout.c      events and deltas, refills
 *   frame.c       prepared WebSocket frames
 */
#ifndef GATEWAY_WS_INTERNAL_H
#define GATEWAY_WS_INTERNAL_H

#include "base/list.h"
#include "base/map.h"
#include "gateway/internal.h"

struct lws;
struct lws_context;
struct lws_vhost;

enum {
    KERNEL_BYTES = 64 * 1024, /* SO_SNDBUF; part of the connection's queue */
    WRITE_BYTES = 64 * 1024,  /* at most in one write, unless a single frame is longer */
    DIRECT_BYTES = 64 * 1024, /* answers and pings that may wait */
    LEAST_QUEUE_BYTES = 32 * 1024,
    TEXT_BYTES = 16 * 1024, /* a message from a peer */
    FRAMES_UNANSWERED = 64, /* at the hub: then reading stops … */
    BYTES_UNANSWERED = 64 * 1024,
    FRAMES_RESUME = 32, /* … until there are no more than these */
    BYTES_RESUME = 32 * 1024,
    PONGS_BYTES = 1024, /* that may wait; then older ones are left out */
    RING_KEPT = 64,     /* entries; a ring that has grown beyond is freed when it is empty */
    FLUSH_SLICE = 128,  /* connections written to before the loop turns */
    STALLED_SECONDS = 30,
    LEAVE_SECONDS = 5,    /* for the peer to answer a close frame */
    SILENT_INTERVALS = 3, /* ping intervals without a sign of life */
    CLOSE_TEXT_BYTES = 123
};
enum {
    CLOSE_NORMAL = 1000,
    CLOSE_GOING_AWAY = 1001,
    CLOSE_PROTOCOL = 1002,
    CLOSE_UNSUPPORTED = 1003,
    CLOSE_BAD_TEXT = 1007,
    CLOSE_POLICY = 1008,
    CLOSE_TOO_BIG = 1009,
    CLOSE_TRY_LATER = 1013
};

/* ---- frame.c: immutable bytes, ready for the wire, counted by references (one thread: not atomic) ---- */

enum frame_kind { FRAME_DURABLE, FRAME_EPHEMERAL, FRAME_DIRECT };
struct frame {
    uint32_t refs, len;
    uint64_t seq; /* DURABLE: by this it is known, never by its address. DIRECT: its cursor, or 0 */
    enum frame_kind kind;
    unsigned char bytes[];
};
/* A text frame of a JSON object, with "cursor" as its last member unless cursor is NULL. */
struct frame *frame_text(enum frame_kind kind, taut_str body, const uint64_t *cursor);
void frame_forget_cursor(struct frame *f); /* of a DIRECT frame, which nobody else refers to */
struct frame *frame_event(const struct event *e);
struct frame *frame_ping(uint64_t payload); /* as hexadecimal digits: some peers take control frames for text */
struct frame *frame_close(uint32_t code, taut_str text); /* text is cut to what a close frame holds */
/* The pongs of `before` (NULL, or a frame whose reference it takes) and one more; the older ones are left out when they
 * are too many. */
struct frame *frame_pong(struct frame *before, const unsigned char *payload, size_t len);
void frame_unref(struct frame *f);

/* ---- topics.c ---- */

struct member {
    struct conn *conn;
    uint64_t since_seq;
    uint32_t sub; /* its place in conn->subs */
};
struct topic {
    taut_str name;
    struct workspace *workspace;
    struct member *members;
    uint32_t n, cap;
};
struct sub {
    struct topic *topic;
    uint32_t at; /* its place in topic->members */
};
struct workspace {
    taut_str name;
    struct ws_server *server;
    uint64_t position; /* the last durable event that went through here */
    struct map topics; /* name -> struct topic; those without members are freed */
    struct link conns;
};
/* Found or made; a workspace lives while it has connections. */
struct workspace *workspace_join(struct ws_server *s, taut_str name, uint64_t position, struct conn *c);
void workspace_leave(struct conn *c);
struct workspace *workspace_find(struct ws_server *s, taut_str name);
struct topic *topic_find(struct workspace *w, taut_str name);
void topic_add(struct conn *c, taut_str name, uint64_t since_seq); /* one already there keeps its since_seq */
void topic_remove(struct conn *c, taut_str name);
void topic_remove_all(struct conn *c);
const struct member *topic_member(const struct topic *t, const struct conn *c); /* NULL: not on it */

/* ---- a connection ---- */

/* Between the bytes that have come and those that will. */
struct reader {
    uint64_t left; /* of the frame's payload */
    unsigned char head[14], mask[4], control[125];
    uint8_t nhead, ncontrol, mask_at, opcode;
    bool in_payload, final;
    bool in_message, is_first, is_binary; /* of fragments */
    bool ended;                           /* all that follows is thrown away */
    bool closed;                          /* by a close frame of the peer */
};

struct conn {
    struct link in_workspace, dirty, stalled;
    struct link bucket; /* in one of the buckets; then, when detached, in `leaving` */
    struct gateway *g;
    struct seat seat; /* of its address */
    struct lws *wsi;  /* NULL before it is established and after it is gone */
    const struct socket_entry *socket;
    struct workspace *workspace;
    taut_conn id;
    int fd;
    bool accepted;       /* the hub knows it: MSG_CLOSED is owed */
    bool detached;       /* nothing of ours knows it any more; only libwebsockets still does */
    bool lagging;        /* gets no live events; `cursor` says where it stands */
    bool refill_pending; /* MSG_REFILL is under way */
    bool blocked;        /* the kernel took a part only: `held` goes out before anything else */
    bool closing;        /* the close frame is the last in the ring: nothing more is queued */
    bool broken;         /* a write failed */
    bool reading_paused; /* too much of it is at the hub */

    uint64_t as_of;  /* deltas up to here are in its topics already */
    uint64_t floor;  /* live events up to here are not due */
    uint64_t cursor; /* lagging: all that was due up to here has been handed over or queued */
    uint64_t stamp;  /* of the last delivery: one event is queued once */

    struct sub *subs;
    uint32_t nsubs, subs_cap;

    struct frame *pongs; /* those that wait, the newest among them; in front of the ring */
    char *held;          /* what the kernel did not take of the last write, of which held_at bytes have gone since */
    uint32_t held_len, held_at;
    struct frame **ring;
    uint32_t ring_cap, ring_head, ring_n;
    uint32_t queued, direct; /* bytes in the ring; of them DIRECT ones */

    uint32_t progress_at, heard_at;        /* ticks */
    int unsent;                            /* bytes in the kernel at the last look */
    uint32_t unanswered, unanswered_bytes; /* frames at the hub */
    char *text;                            /* fragments of a message so far */
    uint32_t text_len, text_cap;
    struct reader in;
    unsigned char *rest; /* what came behind the frame with which reading was paused */
    uint32_t rest_len;
};

struct ws_server {
    struct gateway *g;
    struct lws_context *context; /* libwebsockets sets it to NULL when it is gone */
    struct lws_vhost *vhost;
    struct conn *adopting;
    struct map conns;      /* id -> struct conn: those that are not detached */
    struct map workspaces; /* name -> struct workspace */
    struct link dirty;     /* connections to be written to in the next turns */
    struct link stalled;   /* those that are blocked */
    struct link leaving;   /* detached, close frame written, waiting for the peer's */
    struct link *buckets;  /* all connections, by the second of their ping */
    uint32_t nbuckets, interval_s;
    uint32_t tick;
    uint32_t queue_limit; /* bytes for the ring and what is held */
    uint32_t alive;       /* connections that libwebsockets still knows */
    uint64_t stamp;
    uv_idle_t turn; /* active while `dirty` is not empty */
    uv_timer_t stop_timer;
    void (*stopped)(struct gateway *g);
    uint32_t stop_turns, handles_open;
    unsigned char scratch[WRITE_BYTES];
};

/* ws.c */
struct conn *conn_find(struct gateway *g, taut_conn id);
/* Close after what is queued. The connection leaves its topics at once and takes nothing more in. */
void conn_close(struct conn *c, uint32_t code, taut_str text);
/* Ours no longer: out of every list and index, MSG_CLOSED to the hub. Never while members of a topic are walked. */
void conn_detach(struct conn *c);
/* The close frame has been written: detached, and let go. */
void conn_leave(struct conn *c);
/* At once, by reset. */
void conn_kill(struct conn *c);
void conn_free(struct conn *c);
void conn_heard(struct conn *c);
void conn_progress(struct conn *c); /* its kernel took bytes after it had refused some */
extern const char too_big_text[];
void conn_on_fragment(struct conn *c, taut_str part, bool is_first, bool is_last, bool is_binary);

/* ws_read.c */
void conn_read(struct conn *c, unsigned char *p, size_t n); /* changes the bytes */
void conn_read_rest(struct conn *c);                        /* what was left when reading was paused */

/* conn_queue.c */
/* False: no room; the event was not queued. */
bool conn_queue_event(struct conn *c, struct frame *f);
void conn_queue_ephemeral(struct conn *c, struct frame *f);
void conn_queue_direct(struct conn *c, struct frame *f); /* takes the reference */
void conn_queue_pong(struct conn *c, const unsigned char *payload, size_t len);
void conn_queue_close(struct conn *c, struct frame *f); /* the same, within no bound */
/* Drops what was queued of the log; `seq` is the first event that could not be queued. */
void conn_lag(struct conn *c, uint64_t seq);
void conn_flush(struct conn *c);
void conn_writable(struct conn *c); /* nothing is held any more */
void conn_mark_dirty(struct conn *c);
void conn_queue_free(struct conn *c);
void queue_turn(uv_idle_t *h);

/* fanout.c */
void fanout_apply_deltas_to(struct conn *c, const struct event *e); /* at attach */

/* ws_lws.c */
void ws_lws_start(struct ws_server *s);
/* Answers the handshake of this request head. False: the socket is closed. Sets c->wsi. */
bool ws_lws_adopt(struct ws_server *s, struct conn *c, int fd, taut_str head);
/* False: broken. Sets c->blocked; then nothing is written until conn_writable is called. */
bool ws_lws_write(struct conn *c, const void *bytes, size_t n);
void ws_lws_want_writable(struct conn *c);
void ws_lws_reading(struct conn *c, bool on);
void ws_lws_destroy(struct ws_server *s); /* once to begin, once more turns later to finish */

static inline void stat_add(atomic_ullong *counter, unsigned long long n) {
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}
static inline void stat_sub(atomic_ullong *counter, unsigned long long n) {
    atomic_fetch_sub_explicit(counter, n, memory_order_relaxed);
}

#endif
