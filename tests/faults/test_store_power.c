/* test_store_power.c - the power is cut under the store: while it is made, commits, checkpoints, begins its log anew,
 * is closed, brought up from an older format, backed up, restored. What a cut may leave (power.h) is opened, and must
 * hold what was acknowledged, whole batches only, and go on.
 *
 *   test_store_power                 as in `make test`: one life of a store with a cut of each kind, and that such a
 *                                    test finds what it is there for
 *   test_store_power CUTS [SEED]     as in `make crash`
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "disk.h"
#include "power.h"
#include "workload.h"

enum stage { MAKING = 1, RUNNING, CLOSING, MIGRATING, RESTORING };
enum kind {
    CUT_MAKING,
    CUT_COMMIT,
    CUT_CHECKPOINT,
    CUT_LOG_RESTART,
    CUT_BACKUP,
    CUT_BACKUP_NAME, /* around the moment in which it gets its name */
    CUT_CLOSING,
    CUT_MIGRATION,
    CUT_RESTORE,
    CUT_RESTORE_NAME,
    KINDS
};
static const char *const kind_names[KINDS] = {"while the store is made",
                                              "in a commit",
                                              "in a checkpoint",
                                              "when the log begins anew",
                                              "in a backup",
                                              "when a backup gets a name",
                                              "at a close",
                                              "in a migration",
                                              "in a restore",
                                              "when a restore gets a name"};

/* The power is cut once for each kind, at one of its calls: each is as likely as the others. */
static struct {
    bool taken[KINDS];
    uint32_t calls[KINDS];
    unsigned char outcomes[KINDS][RECS_MAX];
    uint32_t recs[KINDS];
    bool backed_up[KINDS], restored[KINDS]; /* was said to be */
    uint32_t seed;
    uint32_t state;
    enum stage stage;
    _Atomic taut_op backup, restore;
    uint32_t backup_from, backup_to; /* batches: what is surely in the backup, what perhaps */
    enum disk_call last_call;
    bool last_began_log;
} cut;

static uint32_t cut_dice(uint32_t n) {
    cut.state = cut.state * 1664525u + 1013904223u;
    return (cut.state >> 8) % n;
}

static const char *image_of(enum kind k) {
    static char path[128];
    snprintf(path, sizeof path, "%s.cut%d", t.dir, (int)k);
    return path;
}

static bool ends(const char *path, const char *end) {
    size_t n = strlen(path), m = strlen(end);
    return n >= m && strcmp(path + n - m, end) == 0;
}

static bool is_kind(enum kind k, const struct disk_at *at) {
    bool changes = at->call & (DISK_WRITE | DISK_SYNC | DISK_TRUNCATE | DISK_DELETE | DISK_RENAME | DISK_SYNC_DIR);
    bool log = ends(at->path, "-wal"), copy = strstr(at->path, "/copy.db") != NULL;
    bool names = at->call & (DISK_RENAME | DISK_SYNC_DIR) || cut.last_call & (DISK_RENAME | DISK_SYNC_DIR);
    switch (k) {
    case CUT_MAKING: return cut.stage == MAKING && changes;
    case CUT_COMMIT: return cut.stage == RUNNING && log && changes;
    case CUT_CHECKPOINT: return cut.stage == RUNNING && ends(at->path, "/taut.db") && changes;
    case CUT_LOG_RESTART: return cut.stage == RUNNING && cut.last_began_log;
    case CUT_BACKUP: return cut.stage == RUNNING && copy && changes;
    case CUT_BACKUP_NAME: return cut.stage == RUNNING && cut.backup && names;
    case CUT_CLOSING: return cut.stage == CLOSING && changes;
    case CUT_MIGRATION: return cut.stage == MIGRATING && changes;
    case CUT_RESTORE: return cut.stage == RESTORING && changes;
    case CUT_RESTORE_NAME: return cut.stage == RESTORING && names;
    default: return false;
    }
}

static bool is_answered(taut_op op, int32_t *status) {
    pthread_mutex_lock(&host.lock);
    bool done = op && host.slots[op].done;
    *status = done ? host.slots[op].status : TAUT_E_AGAIN;
    pthread_mutex_unlock(&host.lock);
    return done;
}

static void take(enum kind k) {
    int32_t status;
    power_image(image_of(k), cut.seed * 31 + (uint32_t)k + cut.calls[k] * 977);
    work_outcomes(cut.outcomes[k]);
    cut.recs[k] = work.n;
    cut.backed_up[k] = is_answered(cut.backup, &status) && status == TAUT_OK;
    cut.restored[k] = is_answered(cut.restore, &status) && status == TAUT_OK;
    cut.taken[k] = true;
}

static void watch(const struct disk_at *at) {
    for (int k = 0; k < KINDS; k++)
        if (is_kind((enum kind)k, at) && cut_dice(++cut.calls[k]) == 0) take((enum kind)k);
    cut.last_call = at->call;
    cut.last_began_log =
        ends(at->path, "-wal") && ((at->call == DISK_WRITE && at->offset == 0) || at->call == DISK_TRUNCATE);
}

/* ---- the life of a store ---- */

static char copy_path[128];

static void open_store(void) {
    assert_int_equal(open_with(&notes_later), TAUT_OK);
}

static void set_stage(enum stage stage, bool track) {
    disk_watch(NULL);
    if (track) disk_track(t.dir);
    cut.stage = stage;
    cut.last_call = 0;
    cut.last_began_log = false;
    disk_watch(watch);
}

static void run_with_backup(uint32_t batches) {
    work_run(batches / 3, 12);
    taut_op op = host_op();
    cut.backup_from = work.n;
    host.storage->backup(host.self, taut_str_z(copy_path), op);
    cut.backup = op;
    for (uint32_t i = 0; i < 8 || !host_is_done(op); i++) work_run(1, 4);
    cut.backup_to = work.n;
    assert_int_equal(host_status(op), TAUT_OK);
    work_run(batches / 3, 12);
    work_run(batches / 3, 2);
}

static void to_format_2(void) {
    sql("DROP TABLE taut_cursors; ALTER TABLE taut_heads DROP COLUMN first; "
        "UPDATE taut_meta SET value=2 WHERE key='format'");
}

static void migrate(void) {
    disk_watch(NULL);
    disk_track(NULL);
    to_format_2();
    set_stage(MIGRATING, true);
    open_store();
    work_run(3, 2);
    set_stage(0, false);
    close_store();
}

static void restore(void) {
    char path[128];
    disk_watch(NULL);
    disk_track(NULL);
    unlink(t.path);
    snprintf(path, sizeof path, "%s-wal", t.path);
    unlink(path);
    assert_int_equal(begin_store(), TAUT_OK);
    host_forget(false);
    set_stage(RESTORING, true);
    taut_op op = host_op();
    host.storage->restore(host.self, taut_str_z(copy_path), op);
    cut.restore = op;
    assert_int_equal(host_status(op), TAUT_OK);
    t.def->fini(&t.mod);
    open_store(); /* the logs begin anew */
    set_stage(0, false);
    close_store();
}

static void live(uint32_t seed, uint32_t batches) {
    memset(&cut, 0, sizeof cut);
    cut.seed = cut.state = seed;
    work_begin(seed);
    work.trims = seed % 2;
    snprintf(copy_path, sizeof copy_path, "%s/copy.db", t.dir);
    set_stage(MAKING, true);
    open_store();
    for (int i = 0; i < WORKSPACES; i++) work_wait(work_submit());
    set_stage(RUNNING, false);
    run_with_backup(batches);
    set_stage(CLOSING, false);
    close_store();
    if (!work.trims) migrate(); /* what a trim left has no place in an older format */
    restore();
    disk_watch(NULL);
    disk_track(NULL);
}

/* ---- what a cut left ---- */

/* In a restored store what was acknowledged before the backup began is there, what came after its end is not. */
static void as_of_backup(unsigned char outcomes[RECS_MAX]) {
    for (uint32_t b = 0; b < work.n; b++) {
        if (b >= cut.backup_to) outcomes[b] = REFUSED;
        else if (b >= cut.backup_from && outcomes[b] == ACKED) outcomes[b] = UNKNOWN;
    }
}

static uint32_t check_backup(enum kind k, const char *image) {
    static unsigned char any[RECS_MAX];
    char path[160];
    memset(any, UNKNOWN, sizeof any);
    snprintf(path, sizeof path, "%s/copy.db", image);
    bool there = access(path, F_OK) == 0;
    if (cut.backed_up[k] && !there) {
        print_message("%s: the backup that was made is not there\n", kind_names[k]);
        return 1;
    }
    uint32_t n = there ? work_check(path, any) : 0;
    if (n) tell_wrongs("the backup");
    return n;
}

static bool may_be_missing(enum kind k) {
    if (k == CUT_MAKING) return true;
    return (k == CUT_RESTORE || k == CUT_RESTORE_NAME) && !cut.restored[k];
}

/* How much is wrong with it. */
static uint32_t check_cut(enum kind k) {
    unsigned char *outcomes = cut.outcomes[k];
    char live_path[sizeof t.path];
    static struct rec next; /* stands where the probe is to be written */
    uint32_t n = check_backup(k, image_of(k)), recs = work.n;
    memcpy(live_path, t.path, sizeof live_path);
    snprintf(t.path, sizeof t.path, "%.60s/taut.db", image_of(k));
    set_path();
    if (access(t.path, F_OK) != 0) {
        bool lost = !may_be_missing(k);
        for (uint32_t b = 0; b < cut.recs[k] && k == CUT_MAKING; b++) lost |= outcomes[b] == ACKED;
        if (lost) print_message("%s: the store is not there\n", kind_names[k]);
        n += lost;
    } else {
        work.n = cut.recs[k];
        memcpy(&next, &work.recs[work.n], sizeof next);
        if (k == CUT_RESTORE || k == CUT_RESTORE_NAME) as_of_backup(outcomes);
        host_forget(false);
        if (open_with(&notes_later) == TAUT_OK) {
            uint32_t lost_claims = work_check_claims(outcomes, 5);
            int32_t status = work_wait(work_submit());
            outcomes[work.n - 1] = (unsigned char)outcome_of(status);
            if (status == TAUT_E_UNAVAILABLE || status == TAUT_E_IO) lost_claims++;
            if (host_logged("store_log_damaged")) print_message("%s: %s\n", kind_names[k], host.log), n++;
            close_store();
            n += lost_claims + work_check(t.path, outcomes);
            if (nwrong) tell_wrongs(kind_names[k]);
            if (lost_claims) print_message("%s: claims are forgotten, or nothing can be written\n", kind_names[k]);
        } else {
            print_message("%s: does not open: %s\n", kind_names[k], host.log);
            t.def->fini(&t.mod);
            n++;
        }
        memcpy(&work.recs[cut.recs[k]], &next, sizeof next);
        work.n = recs;
    }
    memcpy(t.path, live_path, sizeof live_path);
    set_path();
    return n;
}

static void remove_all(const char *dir) {
    char command[200];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    if (system(command) != 0) print_message("cannot remove %s\n", dir);
}

static int64_t sync_option = 2; /* full */

/* One life; how much is wrong in what its cuts left. *cuts rises by how many there were. */
static uint32_t cut_through(uint32_t seed, uint32_t batches, uint32_t max, uint32_t *cuts) {
    uint32_t n = 0, taken = 0;
    void *none = NULL;
    assert_int_equal(setup(&none), 0); /* makes a store of its own; ours is made under watch */
    close_store();
    unlink(t.path);
    host_forget(true);
    set_option("wal_limit", 1 << 20);
    set_option("sync", sync_option);
    live(seed, batches);
    for (int k = 0; k < KINDS && taken < max; k++) {
        if (!cut.taken[k]) continue;
        uint32_t wrong_here = check_cut((enum kind)k);
        if (wrong_here) print_message("seed %u, cut %s: %u wrong\n", seed, kind_names[k], wrong_here);
        n += wrong_here;
        taken++;
    }
    for (int k = 0; k < KINDS; k++) remove_all(image_of((enum kind)k));
    remove_all(t.dir);
    *cuts += taken;
    return n;
}

/* ---- tests ---- */

static void what_was_acknowledged_survives_a_power_cut_wherever_it_comes(void **state) {
    uint32_t cuts = 0;
    (void)state;
    assert_int_equal(cut_through(20, 400, KINDS, &cuts), 0);
    for (int k = 0; k < KINDS; k++)
        if (!cut.taken[k]) fail_msg("there was no cut %s", kind_names[k]);
    assert_int_equal(cuts, KINDS);
}

/* The test of the test: until one of a few lives shows it. */
static void assert_finds(const char *mutant, int64_t sync, uint32_t batches) {
    uint32_t cuts = 0, n = 0;
    sync_option = sync;
    if (mutant) setenv("TAUT_MUTANT", mutant, 1);
    for (uint32_t seed = 1; seed <= 6 && !n; seed++) n += cut_through(seed * 2, batches, KINDS, &cuts);
    unsetenv("TAUT_MUTANT");
    sync_option = 2;
    if (!n) fail_msg("%u cuts found nothing", cuts);
}

static void a_store_that_does_not_sync_is_found_out(void **state) {
    (void)state;
    assert_finds(NULL, 0, 200);
}
static void an_answer_before_the_commit_is_found_out(void **state) {
    (void)state;
    assert_finds("ack_before_commit", 2, 24);
}
static void a_checkpoint_without_a_sync_is_found_out(void **state) {
    (void)state;
    assert_finds("unsynced_checkpoint", 2, 400);
}
static void events_in_a_transaction_of_their_own_are_found_out(void **state) {
    (void)state;
    assert_finds("torn_batch", 2, 60);
}
static void claims_that_are_only_in_memory_are_found_out(void **state) {
    (void)state;
    assert_finds("claims_in_memory", 2, 24);
}

static int cut_many(uint32_t want, uint32_t seed) {
    uint32_t cuts = 0, wrong_ones = 0;
    for (; cuts < want; seed++) {
        uint32_t before = cuts, n = cut_through(seed, 500, want - cuts, &cuts);
        printf("seed %u: %u power cuts, %u wrong\n", seed, cuts - before, n);
        wrong_ones += n > 0;
    }
    printf("%u simulated power cuts\n%u passed, %u failed\n", cuts, cuts - wrong_ones, wrong_ones);
    return wrong_ones > 0;
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_acknowledged_survives_a_power_cut_wherever_it_comes),
        cmocka_unit_test(a_store_that_does_not_sync_is_found_out),
        cmocka_unit_test(an_answer_before_the_commit_is_found_out),
        cmocka_unit_test(a_checkpoint_without_a_sync_is_found_out),
        cmocka_unit_test(events_in_a_transaction_of_their_own_are_found_out),
        cmocka_unit_test(claims_that_are_only_in_memory_are_found_out),
    };
    disk_install();
    if (!load_faulty_store()) return 1;
    if (argc > 1)
        return cut_many((uint32_t)strtoul(argv[1], NULL, 10),
                        argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : (uint32_t)time(NULL));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
