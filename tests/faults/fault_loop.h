/* fault_loop.h - one short life of a store, again and again, each time with the next of its calls failing: the whole of
 * it from the making of the file to its close, with groups, refusals, claims, a trim, a checkpoint, reads. Afterwards,
 * whatever failed: nothing acknowledged is lost, nothing refused is there, it takes batches again by itself, or it did
 * not open and said so, and opens when the fault is over. */
#ifndef TESTS_FAULT_LOOP_H
#define TESTS_FAULT_LOOP_H

#include "disk.h"
#include "workload.h"

/* What ThreadSanitizer looks for shows in some lives as in all. */
#if defined(__SANITIZE_THREAD__)
#define TESTS_THREADS 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TESTS_THREADS 1
#endif
#endif
#ifdef TESTS_THREADS
enum { STRIDE = 5 };
#else
enum { STRIDE = 1 };
#endif
enum { SCRIPT_GROUPS = 3, SCRIPT_WIDTH = 3, PATIENCE = 250 /* times 20 ms */, LOG_BYTES = 128 << 10 };
struct loop {
    void (*arm)(uint64_t n); /* the n-th call from now fails */
    bool (*has_failed)(void);
    void (*disarm)(void);
    uint64_t stride;   /* only every so manieth call */
    bool only_commits; /* armed when the store is open */
};

static inline void remove_store(void) {
    static const char *const names[] = {"", "-wal", "-shm", "-journal"};
    char path[160];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s%s", t.path, names[i]);
        unlink(path);
    }
}

/* Any answer will do. */
static inline void read_a_little(void) {
    struct host_slot s = scan(SCAN_OF(BY_NUM, 10, .lo = I(1)));
    host_release(&s);
    s = events("T1", 0, 10);
    host_release(&s);
}

/* The latest claim that was acknowledged may be refused or find a fault; it is never stored again. */
static inline void retry_a_claim(void) {
    for (uint32_t b = work.n; b > 0; b--) {
        const struct rec *r = &work.recs[b - 1];
        if (!r->claims || r->status != TAUT_OK) continue;
        struct taut_batch_view again = r->view;
        again.conds.len = again.writes.len = 0;
        assert_int_not_equal(commit(&again, NULL), TAUT_OK);
        return;
    }
}

static inline void play(void) {
    for (int i = 0; i < WORKSPACES; i++) work_wait(work_submit());
    for (int g = 0; g < SCRIPT_GROUPS; g++) {
        uint32_t first = work.n;
        for (int i = 0; i < SCRIPT_WIDTH; i++) work_submit();
        for (int i = 0; i < SCRIPT_WIDTH; i++) work_wait(&work.recs[first + (uint32_t)i]);
        retry_a_claim();
        read_a_little();
    }
}

static inline void assert_takes_batches_again(uint64_t n) {
    for (int i = 0; i < PATIENCE; i++) {
        uint32_t b = work.n;
        work_submit();
        int32_t status = work_wait(&work.recs[b]);
        if (status == TAUT_OK || status == TAUT_E_CONFLICT) return;
        usleep(20000);
    }
    fail_msg("call %llu failed, and the store did not come back: %s", (unsigned long long)n, host.log);
}

static inline void assert_holds(uint64_t n) {
    static unsigned char outcomes[RECS_MAX];
    char what[64];
    work_outcomes(outcomes);
    snprintf(what, sizeof what, "call %llu failed", (unsigned long long)n);
    host_forget(false); /* of a commit whose outcome is unknown, whether it counts */
    if (open_with(&notes_later) != TAUT_OK) fail_msg("%s, and the store does not open: %s", what, host.log);
    uint32_t forgotten = work_check_claims(outcomes, 100);
    if (forgotten) fail_msg("%s, and %u claims are forgotten", what, forgotten);
    close_store();
    if (work_check(t.path, outcomes) == 0) return;
    tell_wrongs(what);
    fail_msg("%s: %u wrong", what, nwrong);
}

/* TAUT_OK, or it did not open, or not even begin: then nothing is left of it. */
static inline int32_t try_to_open(void) {
    static struct taut_table_ref ref;
    ref = (struct taut_table_ref){TABLE_NOTES, 0, "test_notes", &notes_later};
    int32_t err = begin_store();
    if (err < 0) return err;
    taut_op op = host_op();
    host.storage->open(host.self, &ref, 1, op);
    err = host_status(op);
    if (err < 0) t.def->fini(&t.mod);
    return err;
}

/* False when the life ended before the n-th call. */
static inline bool live_with(const struct loop *l, uint64_t n) {
    remove_store();
    host_forget(true);
    work_begin(3);
    work.trims = true;
    if (!l->only_commits) l->arm(n);
    bool open = try_to_open() == TAUT_OK;
    if (l->only_commits) l->arm(n);
    if (open) play();
    bool in_close = open && !l->has_failed();
    if (in_close && !l->only_commits) close_store();
    bool failed = l->has_failed();
    l->disarm();
    if (open && (!in_close || l->only_commits)) {
        assert_takes_batches_again(n);
        close_store();
    }
    if (failed) assert_holds(n);
    return failed;
}

/* How many calls failed, each in a life of its own. */
static inline uint64_t fail_each(const struct loop *l) {
    uint64_t n = 1, tried = 0;
    for (; live_with(l, n); n += l->stride) tried++;
    return tried;
}

static inline int fault_setup(void **state) {
    if (setup(state) != 0) return -1;
    close_store();
    set_option("wal_limit", LOG_BYTES); /* so that there are checkpoints */
    return 0;
}
static inline int fault_teardown(void **state) {
    (void)state;
    disk_heal();
    disk_watch(NULL);
    remove_store();
    rmdir(t.dir);
    return 0;
}
#define FAULT_TEST(f) cmocka_unit_test_setup_teardown(f, fault_setup, fault_teardown)

#endif
