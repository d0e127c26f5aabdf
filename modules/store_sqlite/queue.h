/* queue.h - what the hub hands to the writer and to the readers: rings of jobs by value, each queue under one lock.
 *
 * A job is borrowed memory of the core, valid until its op completes.
 */
#ifndef STORE_QUEUE_H
#define STORE_QUEUE_H

#include <pthread.h>
#include <stdbool.h>

#include "taut/svc/storage.h"

struct write_job {
    const struct taut_batch_view *batch;
    taut_op op;
    size_t cost; /* set by the queue */
};

enum read_kind { READ_GET, READ_SCAN, READ_EVENTS, READ_LOGS, READ_CURSORS };
struct read_job {
    enum read_kind kind;
    uint32_t n;         /* GET: requests; SCAN: table; EVENTS: limit */
    uint32_t max_bytes; /* EVENTS; 0: none */
    const void *what;   /* GET: taut_get_req[]; SCAN: taut_scan */
    taut_str workspace;
    uint64_t after;
    taut_op op;
};

/* Above these a queue takes nothing, so that a disk that hangs does not cost all memory. */
enum {
    QUEUE_JOBS_MAX = 65536,
    QUEUE_BYTES_MAX = 256 << 20 /* of batches, roughly; one larger than that is taken when it is alone */
};

struct ring {
    char *items;
    uint32_t elem, head, len, cap; /* cap is a power of two, or 0 */
};
bool ring_reserve(struct ring *r);                /* room for the first 64; false: out of memory */
bool ring_push(struct ring *r, const void *item); /* false: out of memory */
bool ring_pop(struct ring *r, void *item);        /* false: empty */

struct write_queue {
    pthread_mutex_t lock;
    pthread_cond_t ready;
    struct ring interactive, background;
    size_t cost; /* of both */
    uint32_t groups_without_background;
    bool open; /* the writer and its readers run, or are about to */
    bool closing, waiting;
    bool nudged; /* the writer has other work: it is not to wait */
};
struct read_queue {
    pthread_mutex_t lock;
    pthread_cond_t ready;
    struct ring jobs;
    uint32_t waiting;
    bool open;
};

void write_queue_init(struct write_queue *q);
void write_queue_fini(struct write_queue *q);
/* TAUT_OK, or why the job was not taken: TAUT_E_UNAVAILABLE when it is not open, closing or full, TAUT_E_NOMEM. */
int32_t write_queue_push(struct write_queue *q, const struct taut_batch_view *batch, taut_op op);
/* Waits for work, for the close, or for timeout_ms when that is not 0. Takes the next group's jobs: 0 of them when the
 * time is over or the queue is closing and empty. */
uint32_t write_queue_take(struct write_queue *q, struct write_job *out, uint32_t max, uint32_t timeout_ms,
                          bool *closed);

/* Ends the writer's wait, or lets it not begin the next one. Any thread. */
void write_queue_nudge(struct write_queue *q);
bool write_queue_is_closing(struct write_queue *q); /* any thread */
/* Waits for `open` to become false. False when the time was over. */
bool write_queue_await_end(struct write_queue *q, uint32_t timeout_ms);

void read_queue_init(struct read_queue *q);
void read_queue_fini(struct read_queue *q);
int32_t read_queue_push(struct read_queue *q, const struct read_job *j);
/* Waits; takes one job, or several gets that may share a snapshot. 0: closed and empty. */
uint32_t read_queue_take(struct read_queue *q, struct read_job *out, uint32_t max, uint32_t readers);
void read_queue_close(struct read_queue *q);

#endif
