/* disk.h - threads of a gateway for what a slow disk would hold up its loop with: bodies on their way to files and
 * files on their way to sockets. Jobs run in any order; each comes back to the loop once. */
#ifndef GATEWAY_DISK_H
#define GATEWAY_DISK_H

#include <uv.h>

#include "base/mailbox.h"

/* Embedded in what it works on, which must live until done. */
struct disk_job {
    struct mail mail; /* its way back */
    struct disk_job *next;
    void (*work)(struct disk_job *j); /* on a thread of the pool */
    void (*done)(struct disk_job *j); /* on the loop; may free j */
};

enum { DISK_THREADS = 2 };
struct disk {
    uv_async_t wake;
    struct mailbox finished;
    uv_thread_t threads[DISK_THREADS];
    uint32_t started;
    uv_mutex_t lock;
    uv_cond_t more;
    struct disk_job *first, *last;
    uint32_t jobs; /* under way; the loop's */
    bool stop;
};

/* All on the loop's thread. */
void disk_open(struct disk *d, uv_loop_t *loop);
void disk_add(struct disk *d, struct disk_job *j);
void disk_close(struct disk *d); /* does what is left to do, ends the threads; the loop must still run once */

#endif
