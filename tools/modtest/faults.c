/* faults.c - the n-th thing that the module asks of the host and that the host may refuse, is refused: memory, timers,
 * watched descriptors, places in the pool. They are counted from the life's beginning.
 *
 * A handler is run twice, first for show (core/hub/check.c), and both runs are to come to the same end: what was
 * refused in the first is refused in the second, and that counts as one. */
#include <pthread.h>

#include "modtest.h"

static struct {
    pthread_mutex_t lock;
    struct run_page *page;
    uint32_t asked, refuse; /* refuse: 0 none */
    bool happened;
    /* the run that was rehearsed last */
    const struct run *run;
    uint32_t starts, at, refused_at; /* at: what it has asked for so far */
    bool rehearsing, repeats;        /* repeats: this run does what was rehearsed */
} faults = {.lock = PTHREAD_MUTEX_INITIALIZER};

void faults_begin(struct world *w) {
    faults.page = w->page;
    faults.refuse = w->fault;
    faults.asked = 0;
    faults.happened = false;
    faults.run = NULL;
}

bool fault_happened(void) {
    return faults.happened;
}

static bool count(void) {
    faults.page->asked = ++faults.asked;
    if (!faults.refuse || faults.asked != faults.refuse) return false;
    faults.happened = true;
    faults.page->refused_at = faults.asked;
    return true;
}

/* In a handler. Another run than that of the last time has asked for nothing yet. */
static void turn_to(const struct run *r) {
    bool is_same = faults.run == r && faults.starts == r->starts && faults.rehearsing == r->rehearsing;
    if (is_same) return;
    faults.repeats = faults.run == r && faults.rehearsing && !r->rehearsing;
    if (!faults.repeats) faults.refused_at = 0;
    faults.at = 0;
    faults.run = r;
    faults.starts = r->starts;
    faults.rehearsing = r->rehearsing;
}

static bool count_in_run(const struct run *r) {
    turn_to(r);
    faults.at++;
    if (faults.repeats) return faults.at == faults.refused_at;
    bool refused = count();
    if (refused) faults.refused_at = faults.at;
    return refused;
}

bool fault_now(void) {
    const struct run *r = run_here();
    pthread_mutex_lock(&faults.lock);
    bool refused = r ? count_in_run(r) : count();
    pthread_mutex_unlock(&faults.lock);
    return refused;
}
