/* observe.h - what is measured at the hub. Histograms and counters are written by the hub's thread and read by any;
 * gauges are set once a second, by hub_sample. */
#ifndef HUB_OBSERVE_H
#define HUB_OBSERVE_H

#include "hub/hub.h"
#include "obs/seen.h"

enum { CALL_KINDS = TAUT_CALL_ROUTE + 1 };
enum commit_end {
    COMMIT_OK,
    COMMIT_CONFLICT,
    COMMIT_CLAIMED,
    COMMIT_UNAVAILABLE,
    COMMIT_UNKNOWN,
    COMMIT_FAILED,
    COMMIT_ENDS
};
enum read_kind { READ_GET, READ_SCAN, READ_EVENTS, READ_KINDS };
enum call_state { STATE_READING, STATE_COMMITTING, STATE_HELD, STATE_OTHER, CALL_STATES };
extern const char *const call_state_names[CALL_STATES];

/* As atomic_llong each: see the table in metrics.c. */
struct hub_gauges {
    atomic_llong calls[CALL_STATES], oldest_call_ns, oldest_commit_ns, connections, store_commits, store_reads, scans,
        scans_waiting, cache_bytes, cache_rows, cache_max_bytes, logs, tail_events, tail_bytes, ops, timers,
        work_queued;
    atomic_ullong cache_hits, cache_misses, cache_evictions, ops_stale, ops_timed_out;
};

struct hub_seen {
    struct histogram calls[CALL_KINDS]; /* from their arrival to their answer */
    atomic_ullong calls_failed[CALL_KINDS];
    struct histogram commit_durable;  /* from submission to the news that it is on disk */
    struct histogram commit_answered; /* and to the end of the call */
    atomic_ullong commits[COMMIT_ENDS];
    atomic_ullong held_overdue, held_late; /* calls that modules kept open behind their deadline; late answers */
    struct histogram reads[READ_KINDS];
    struct hub_gauges now;
    atomic_llong store_refused_us; /* mono; when the store last took nothing; 0: it took the last batch */
};

/* Sets the gauges. Hub thread, about once a second. */
void hub_sample(struct hub *h);
/* Registers all of it, that of the instances included. */
void hub_metrics(struct hub *h, struct metrics *metrics);
/* The same without a hub, for the reference: of one method, one hook and one module, whose names are in capitals. */
void hub_metrics_example(struct metrics *metrics);
struct hub_seen *hub_seen(struct hub *h);

#endif
