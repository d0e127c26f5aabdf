/* event.h - an event of the log, or an ephemeral one, as it travels from the hub to the gateways: immutable, reference
 * counted, one block. Any thread. */
#ifndef LOG_EVENT_H
#define LOG_EVENT_H

#include <stdatomic.h>

#include "base/base.h"
#include "taut/event.h"

struct event {
    atomic_uint refs;
    uint32_t ntopics, ndeltas;
    uint64_t seq;  /* 0: ephemeral */
    int64_t at_us; /* wall clock, of when it was appended; 0: read from the log */
    taut_conn skip;
    taut_str workspace;
    taut_str body; /* a JSON object, or empty: nothing to deliver */
    const taut_str *topics;
    const struct taut_delta *deltas;
    size_t bytes; /* of the whole block */
};

/* A new event with one reference. Everything is copied. */
struct event *event_new(taut_str workspace, uint64_t seq, const struct taut_event *e);
/* From the log's own form: "C1 U2" and "+U1 C1,-U2 C1,xK7 reason". */
struct event *event_from_record(taut_str workspace, uint64_t seq, taut_conn skip, taut_str topics, taut_str deltas,
                                taut_str body);
static inline struct event *event_ref(struct event *e) {
    atomic_fetch_add_explicit(&e->refs, 1, memory_order_relaxed);
    return e;
}
void event_unref(struct event *e);

/* The opaque text of a log position, and back. cursor_write: returns the length, at most CURSOR_MAX. cursor_read: false
 * when it is none of ours. */
enum { CURSOR_MAX = 24 };
size_t cursor_write(char out[CURSOR_MAX], uint64_t seq);
bool cursor_read(taut_str text, uint64_t *seq);

#endif
