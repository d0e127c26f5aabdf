/* http.h - what the http_*.c files share: the server of one gateway, its connections and their slots.
 *
 * A request takes the next slot of its connection and becomes a call; its answer fills the slot; filled slots leave in
 * order, all that can in one write at the end of the loop turn. A cookie names connection, generation and slot.
 */
#ifndef GATEWAY_HTTP_H
#define GATEWAY_HTTP_H

#include "gateway/disk.h"
#include "gateway/edge.h"
#include "gateway/http_intake.h"
#include "gateway/http_request.h"
#include "gateway/internal.h"

enum { OUTSTANDING_MAX = 128, READ_SIZE = 65536, SCRATCH_SIZE = 65536 };
enum { ANSWERS_MAX = 1 << 20 /* bytes of answers that one connection may have coming */ };

/* What a connection is waiting for; one list each, in order of deadline. */
enum http_wait { WAIT_NOTHING, WAIT_HEAD, WAIT_BODY, WAIT_IDLE, WAIT_WRITE, WAIT_LINGER, WAIT_COUNT };

struct http_link {
    struct http_link *prev, *next;
};

struct http_file; /* http_file.c */

/* Whose a request is; at most one of the entries. http_route.c */
struct http_found {
    bool is_method, other_verb; /* other_verb: routes have the path, but not with this verb */
    const struct method_entry *method;
    const struct socket_entry *socket;
    const struct route_entry *route;
};

struct http_slot {
    uint16_t status; /* 0: no answer yet */
    bool head_only, close, upgrade;
    bool says_keep;                  /* HTTP/1.0 wants to be told */
    uint32_t bytes;                  /* of the request, for back-pressure */
    size_t answer_bytes;             /* expected; with a status: what there is */
    const char *content_type, *cors; /* cors: header lines of the edge's rules, or NULL */
    taut_str headers, body;
    struct call *call;      /* owns the answer, or */
    void *block;            /* malloc'ed: owns it, or both NULL: static */
    struct http_file *file; /* instead of body */
};

struct http_conn {
    uv_poll_t poll;
    struct http_server *s;
    struct remote peer;
    struct seat seat; /* taken for it, or for whom a proxy opens a socket */
    int fd, events;   /* events: what poll is armed for */
    uint32_t index, generation;
    struct http_link link;
    uint8_t wait;
    bool admin, dirty, turned_away;
    bool closing;       /* no further requests are taken */
    bool eof;           /* all that the peer sent is read */
    bool half_closed;   /* the peer sends nothing more; it may still read, or be gone */
    bool lingers;       /* an error was answered: what still comes is thrown away before the socket closes */
    bool shut;          /* our direction is shut */
    bool fresh;         /* has not asked anything yet */
    bool blocked;       /* the request at in_at is parsed and waits until those before it are answered */
    bool owes_continue; /* 100 Continue is due when its turn has come */
    bool closed;        /* only waits for libuv */
    bool progressed;    /* the deadline of this wait starts anew */
    uint64_t deadline;
    struct http_conn *dirty_next;

    struct http_slot *ring, one;     /* ring: NULL until two requests are outstanding */
    uint16_t ring_size, first, next; /* slots first … next-1, modulo 65536 */
    size_t outstanding_bytes;
    size_t answers, unread; /* sums of answer_bytes: of all slots, of those with a status */

    char *in; /* what has arrived of requests not yet taken: in[in_at … in_len) */
    size_t in_at, in_len, in_cap;
    char *out; /* what the socket did not take */
    size_t out_at, out_len;
    size_t body_bytes;      /* that came since the body's deadline was last moved */
    struct http_file *file; /* is being sent, behind out */
    struct http_request req;
    struct http_found found;    /* for req */
    struct http_intake *intake; /* the body of req, when it is not looked at in `in` */
};

struct http_place {
    struct http_conn *conn;
    uint32_t generation, next_free;
};

struct http_known; /* http_budget.c: how large a method's answers are */
struct http_server {
    struct gateway *g;
    struct http_place *places;
    uint32_t nplaces, free_place; /* index + 1 */
    uint32_t nopen, nadmin;       /* nadmin: of the open ones, on the admin address */
    uint32_t nturned;             /* of them: those that were turned away */
    uint32_t nhandles;            /* libuv still knows them */
    struct http_link waits[WAIT_COUNT];
    struct http_conn *dirty;
    struct disk disk;
    size_t max_header, max_body;
    size_t call_bytes, max_call_bytes; /* of requests at the hub */
    size_t input, max_input;           /* sum of in_cap and of what intakes hold */
    size_t unsent, max_answers;        /* answers that are there and not yet sent, of all connections */
    struct http_known *known;
    uint32_t known_size, ticks;
    char *read_buf;
    char *scratch; /* heads and small bodies of answers on their way out */
};

/* ---- http.c: connections ---- */
void http_init(struct gateway *g);
void http_free(struct gateway *g); /* all connections are closed and libuv has let go of them */
/* Takes over the socket and the seat. */
struct http_conn *http_accepted(struct gateway *g, int fd, bool admin, const struct remote *peer,
                                const struct seat *seat);
/* The same for one that only gets to hear why not. */
bool http_can_turn_away(const struct gateway *g); /* else it is closed */
void http_turned_away(struct gateway *g, int fd, const struct remote *peer, uint16_t status, const char *why);
bool http_is_full(struct gateway *g, bool admin);
void http_turn(struct gateway *g); /* at the end of a loop turn: writes, takes more requests */
void http_tick(struct gateway *g); /* once a second */
void http_stop(struct gateway *g); /* idle connections close, the others after their answers */
void http_close_all(struct gateway *g);
void http_conn_close(struct http_conn *c);
void http_conn_dirty(struct http_conn *c);
/* Our last word: answers, and closes when the peer had time to read it. why and headers as for http_reply_error. */
void http_refuse(struct http_conn *c, uint16_t status, const char *why, const char *headers);
struct http_conn *http_conn_find(struct gateway *g, uint64_t cookie);
static inline uint16_t http_outstanding(const struct http_conn *c) {
    return (uint16_t)(c->next - c->first);
}

/* The connection that has waited longest for its peer to read, or NULL. */
struct http_conn *http_longest_unread(struct http_server *s);

/* ---- http_answer.c: slots and answers ---- */
struct http_slot *http_slot_add(struct http_conn *c);
struct http_slot *http_slot_at(struct http_conn *c, uint16_t seq); /* NULL: not outstanding */
static inline uint16_t cookie_seq(uint64_t cookie) {
    return (uint16_t)cookie;
}
uint64_t http_cookie(const struct http_conn *c, uint16_t seq);
/* A finished answer of our own in a new slot. body: static. */
void http_reply(struct http_conn *c, bool head_only, uint16_t status, const char *type, taut_str body);
/* {"ok":false,"error":…}. message may be NULL; headers are lines with their CRLF, or empty. Copies both. */
void http_reply_error(struct http_conn *c, bool head_only, uint16_t status, const char *message, const char *headers);
void http_write_answers(struct http_conn *c); /* may close c */
void http_slots_drop(struct http_conn *c);
void http_output_drop(struct http_conn *c);
const char *http_reason(unsigned status);

/* ---- http_budget.c: what requests and answers may take ---- */
void http_budget_limits(struct http_server *s); /* takes them from the configuration */
void http_budget_init(struct http_server *s);
void http_budget_free(struct http_server *s);
void http_budget_tick(struct http_server *s); /* once a second */
/* How large the answer of a method (or route: `what`, its table entry; NULL: ours) may get, going by earlier ones. */
size_t http_expected(const struct http_server *s, const void *what, size_t request_bytes);
bool http_has_room(const struct http_conn *c, size_t expected); /* for one more answer */
bool http_hub_is_full(const struct gateway *g);
void http_call_sent(struct gateway *g, const struct call *call);     /* METHOD, ROUTE, OPEN */
void http_call_returned(struct gateway *g, const struct call *call); /* whether or not its connection is still there */

/* ---- http_file.c ---- */
struct http_file *http_file_new(struct http_server *s, const struct taut_file *from); /* its descriptor is taken over */
void http_file_free(struct http_file *f);                                             /* not sent; may be NULL */
uint64_t http_file_length(const struct http_file *f);
bool http_file_send(struct http_conn *c);        /* c->file goes on, or is NULL when it is sent; false: it cannot be */
bool http_file_waits(const struct http_conn *c); /* for the socket to be writable */
void http_file_writable(struct http_conn *c);
void http_file_drop(struct http_conn *c); /* c->file may be NULL; c->fd is -1 when a thread still sends */

/* ---- http_own.c ---- */
/* Answers a GET of what needs no hub: /healthz, /readyz, /metrics. False: it is none of these. */
bool http_own(struct http_conn *c, bool head_only, taut_str path);

/* ---- http_route.c ---- */
/* The head of a request is there, at `data`: may its body come? With c->intake set that takes it, else it is looked at
 * in the buffer. False: no, that was answered. */
bool http_admit(struct http_conn *c, const char *data);
/* PARKED: for an upgrade; the bytes of the request are still needed. WAITS: nothing was done, the request is to be
 * given again when an answer has left. */
enum http_fate { HTTP_TAKEN, HTTP_PARKED, HTTP_WAITS };
/* A complete request whose head is at `data`, the body behind it or in c->intake: answers it or makes a call of it. */
enum http_fate http_dispatch(struct http_conn *c, const char *data);

#endif
