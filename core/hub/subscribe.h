/* subscribe.h - what the files of subscriptions share. Hub. */
#ifndef HUB_SUBSCRIBE_H
#define HUB_SUBSCRIBE_H

#include "hub/internal.h"

struct sub {
    struct sub *next;
    taut_sub id;
    struct taut_mod *mod;
    struct taut_subscription def;
    taut_str name; /* behind the struct */
    struct feed *feeds;
    bool ended;     /* nothing is handed over any more */
    bool listed;    /* the logs of the store are known */
    uint32_t users; /* operations under way that know it, and the hub's list */
};

/* One workspace of a subscription. */
struct feed {
    struct feed *next;     /* of its subscription */
    struct feed *log_next; /* of its log */
    struct sub *sub;
    struct wslog *log;
    bool placed;       /* its cursor is known */
    bool busy;         /* something is under way: a read, a hand-over, a pause */
    uint64_t last;     /* of the log when its cursor was read */
    uint64_t position; /* done with */
    uint64_t upto;     /* of the hand-over under way */
    uint64_t kept;     /* what the store has as cursor */
    bool keeping;      /* a cursor is on its way to the store */
    bool sought;       /* the reader has said where to go on */
    uint64_t seek;
    uint32_t pause_ms;
    int64_t since_us;       /* mono; when what is not done with yet was first handed over; 0: nothing */
    uint32_t failures;      /* of it, in a row */
    struct hand_over *over; /* under way, or NULL */
};

/* ---- subscribe.c ---- */
void sub_unuse(struct sub *s); /* one that has ended is let go when nothing under way knows it any more */
void sub_started(struct feed *f, int32_t status); /* where it begins is kept, or could not be */

/* ---- sub_keep.c ---- */
void keep_start(struct feed *f); /* its position, before anything is handed over; sub_started hears of it */
void keep_moved(struct feed *f); /* its position has moved */
void keeps_free(struct hub *h);

#endif
