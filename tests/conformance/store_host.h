/* store_host.h - a small host for the tests of a storage provider: completions and durable reports go into slots that
 * the test waits on; log lines are kept; the clocks can be shifted. What the contract says of every op and every report
 * is checked as they come: the first breach stands in host.breach. */
#ifndef TESTS_STORE_HOST_H
#define TESTS_STORE_HOST_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "taut/svc/storage.h"
#include "taut/taut.h"

enum { HOST_OPS = 1 << 18, HOST_METRICS = 16, HOST_LOGS = 32 };

struct host_slot {
    bool done, is_commit;
    int32_t status;
    void *result;
    void (*destroy)(void *);
};
/* The log of a workspace, as the durable reports tell it. */
struct host_seq {
    char workspace[64];
    uint64_t last;
};
struct host {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct host_slot slots[HOST_OPS];
    uint32_t last_op;
    struct taut_durable durable[HOST_OPS];
    uint32_t ndurable;
    pthread_t durable_thread; /* of this opening; valid when ndurable > 0 */
    uint64_t lsn;             /* last one reported */
    bool knows;               /* where the store began: it was fresh */
    struct host_seq seqs[HOST_LOGS];
    uint32_t nseqs;
    char breach[256]; /* of the contract; empty: none */
    char log[4096];   /* the last line */
    char lines[1 << 16];
    int64_t metrics[HOST_METRICS];
    char health[256]; /* the codes that the store has reported and not taken back, a space behind each */
    _Atomic int64_t clock_shift_us, mono_shift_us;
    const struct taut_storage_v1 *storage;
    void *self;
};
extern struct host host;
extern const struct taut_host host_table;

int64_t clock_us(clockid_t id);
/* Before an opening: its reports begin anew. */
void host_reset(void);
/* The store that is opened next is not the one of before: a fresh one, or one of which somebody else knows the end. */
void host_forget(bool fresh);
int host_logged(const char *what); /* how often that stands in the log since the store was opened */

taut_op host_op(void);
taut_op host_commit_op(void); /* of a commit */
bool host_is_done(taut_op op);
/* Waits for the op; the result is the test's then, to be given to host_release. An op that is not answered within a
 * minute ends the program. */
struct host_slot host_wait(taut_op op);
void host_release(struct host_slot *s);
int32_t host_status(taut_op op);

#endif
