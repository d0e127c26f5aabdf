/* event.h - events: what happened in a workspace, for everybody who follows.
 *
 * A shared fact is appended to the log of its workspace by the batch that makes it so (taut_append), gets the next seq
 * there, and is published when it is on disk. What may be lost (somebody types) is published past the log.
 *
 * Who reads the log as a whole subscribes with a name; its position, a cursor, is kept in the store. Every event is
 * handed over at least once, in order, over restarts and whatever time the module was away.
 *
 * Thread: hub. Since 1.0.
 */
#ifndef TAUT_EVENT_H
#define TAUT_EVENT_H

#include "taut/call.h"

/* A change of subscriptions that takes effect with an event: '+' subscribes every connection that is on topic `who` to
 * `topic`, '-' unsubscribes them, 'x' closes them (topic is then the reason). Frozen. */
struct taut_delta {
    uint32_t how; /* '+', '-', 'x' */
    uint32_t reserved;
    taut_str who, topic;
};

enum {
    TAUT_EVENT_EPHEMERAL = 1 /* in a batch: not kept in the log; published, past it, when the batch is durable */
};

/* An event as a module appends or publishes it. At most 64 topics and 64 deltas; a topic is not empty and has no blank,
 * nor has who a delta is about, and neither part of a delta a comma. Copied. */
struct taut_event {
    uint32_t size;
    uint32_t flags;         /* TAUT_EVENT_* */
    const taut_str *topics; /* who gets it: everyone on one of these; none: it only carries deltas */
    const struct taut_delta *deltas;
    uint32_t ntopics, ndeltas;
    taut_conn skip; /* this connection does not get it */
    taut_str body;  /* a JSON object; holds neither seq nor cursor */
};

/* Appends an event to the log of the batch's workspace. Its number in the batch, for taut_v_seq; of an ephemeral one:
 * nothing of use. */
static inline uint32_t taut_append(struct taut_mod *m, struct taut_batch *b, const struct taut_event *e) {
    return m->host->append(b, e);
}
/* An event past the log: may be lost. In a handler: as the last thing before its answer. */
static inline void taut_publish(struct taut_mod *m, taut_str workspace, const struct taut_event *e) {
    m->host->publish(m, workspace, e);
}

/* ---- readers of the log ---- */

/* An event as the log has it. */
struct taut_logged {
    uint64_t seq;
    int64_t at_us;   /* wall clock of its commit, for people */
    taut_str body;   /* JSON */
    taut_str topics; /* names joined by one blank */
    taut_str deltas; /* "+U1 C1,-U2 C1,xK7 reason" */
};

/* Events of one workspace, in order. gap 1: what lay before `first` is no longer in the log, and there are no events
 * here; the reader scans its sources anew as of a position S (taut_rows.seq) and goes on from there
 * (taut_subscription_seek); without that it goes on from `first`. Valid until the op of this hand-over is completed. */
struct taut_events {
    uint32_t size;
    uint32_t gap;
    taut_str workspace;
    uint64_t first;           /* gap: the oldest seq that is there */
    struct taut_array events; /* of struct taut_logged */
};

enum {
    TAUT_SUB_OWN_CURSOR = 1, /* the reader moves its cursor itself, in the batches of its own rows (taut_set_cursor) */
    TAUT_SUB_FROM_NOW = 2    /* a log that has no cursor of this name yet is read from its end, not its beginning */
};

struct taut_subscription {
    uint32_t size;
    uint32_t flags;      /* TAUT_SUB_* */
    const char *name;    /* of the cursor: "<instance>" or "<instance>/<what>"; at most 100 bytes */
    uint32_t max_events; /* handed over at once; 0: 256. From the store also no more than about 1 MiB */
    uint32_t reserved;
    /* Some events. The next ones of this workspace come when op is completed; several workspaces may be under way at
     * once. Completed with TAUT_OK the cursor moves; with an error the same events come again, after a second, then
     * twice as long each time, up to a minute. op has no deadline. */
    void (*on_events)(struct taut_mod *m, void *arg, const struct taut_events *e, taut_op op);
    void *arg;
};

/* Reads the logs of all workspaces from the cursors of that name on, and follows. From start on (the store must be
 * open). 0: the name is taken, or too long. Without TAUT_SUB_OWN_CURSOR the cursor is kept once a second or every
 * thousand events: after a crash some events may come a second time. */
static inline taut_sub taut_subscribe(struct taut_mod *m, const struct taut_subscription *s) {
    return m->host->subscribe(m, s);
}
/* Inside a hand-over, before its op is completed: go on behind that seq. */
static inline void taut_subscription_seek(struct taut_mod *m, taut_sub sub, taut_str workspace, uint64_t seq) {
    m->host->subscription_seek(m, sub, workspace, seq);
}
/* Ends it; the cursors stay. on_events is not called any more. What a module leaves when it has stopped, the core ends;
 * taut-modtest asks a module to end it itself. */
static inline void taut_unsubscribe(struct taut_mod *m, taut_sub sub) {
    m->host->unsubscribe(m, sub);
}
/* Moves a cursor of the batch's workspace in the transaction of the batch. seq 0: forgets it. */
static inline void taut_set_cursor(struct taut_mod *m, struct taut_batch *b, taut_str name, uint64_t seq) {
    m->host->set_cursor(b, name, seq);
}
/* Deletes the events of the batch's workspace up to and with that seq; the last one always stays. */
static inline void taut_trim(struct taut_mod *m, struct taut_batch *b, uint64_t seq) {
    m->host->trim(b, seq);
}

#endif
