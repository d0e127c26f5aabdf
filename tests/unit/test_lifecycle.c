/* test_lifecycle.c - modules that stumble in init, start, stop or fini (tests/badmods/stumbler.c), and a store that
 * does not open or close: what is said, to the letter, and that each costs its own feature only. */
#define _GNU_SOURCE
#include "hub_harness.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "module/loader.h"

#define STUMBLER TAUT_MODULE_DIR "/../badmods/stumbler.so"

enum {
    NOWHERE,
    INIT_FAILS,
    INIT_REGISTERS,
    INIT_CRASHES,
    INIT_FORGETS,
    START_FAILS,
    START_NEVER,
    STOP_NEVER,
    STOP_LATE,
    FINI_LEAVES
};

/* A store, the module that stumbles, and one that needs it or not. */
static struct world {
    uv_loop_t loop;
    struct hub *hub;
    struct modules ms;
    struct instance in[3];
    struct instance *list[3];
    struct loaded *stumbler;
    int64_t where; /* its options struct */
    bool started, ended;
    int32_t err;
    char text[256];
    int log, stderr_before; /* what was said */
} * w;
static const char *const states[] = {"loaded", "init", "running", "stopped", "failed"};
static int log_of_child; /* where a process of its own says what it says; 0: this is none */

static void never_opens(void *self, const struct taut_table_ref *tables, uint32_t n, taut_op op) {
    (void)self, (void)tables, (void)n;
    taut_op_complete(store.mod, op, TAUT_E_IO, NULL, NULL);
}
static void never_opens_and_says_why(void *self, const struct taut_table_ref *tables, uint32_t n, taut_op op) {
    taut_str *why = malloc(sizeof *why);
    (void)self, (void)tables, (void)n;
    *why = TAUT_LIT("disk full");
    taut_op_complete(store.mod, op, TAUT_E_IO, why, free);
}
static struct taut_storage_v1 storage;
static int32_t provide_store(struct taut_mod *m) {
    store.mod = m;
    return taut_svc_provide(m, "storage", 1, &storage, NULL);
}
static const struct taut_module store_module_def = {
    .size = sizeof store_module_def, .name = "store", .provides = TAUT_LIST("storage/1"), .init = provide_store};
static const struct taut_module needs_it = {
    .size = sizeof needs_it, .name = "other", .needs = TAUT_LIST("stumbling/1")};
static const struct taut_module needs_nothing = {.size = sizeof needs_nothing, .name = "other"};

static void on_done(void *arg, int32_t err, const char *text) {
    *(bool *)arg = true;
    w->err = err;
    snprintf(w->text, sizeof w->text, "%s", text);
}

static void run_until(const bool *done) {
    while (!*done) uv_run(&w->loop, UV_RUN_ONCE);
}

static bool other_is_off; /* for the next begin */

static void begin(int64_t where, bool needed) {
    static const struct taut_server_info info = {.size = sizeof info};
    char *why = NULL;
    w = calloc(1, sizeof *w);
    memset(&store, 0, sizeof store);
    if (!storage.size) storage = fake_storage;
    w->log = log_of_child ? dup(log_of_child) : memfd_create("log", 0);
    w->stderr_before = dup(STDERR_FILENO);
    dup2(w->log, STDERR_FILENO);
    uv_loop_init(&w->loop);
    w->stumbler = loader_open(STUMBLER, &why);
    assert_non_null(w->stumbler);
    w->where = where;
    w->in[0] = (struct instance){.def = &store_module_def, .name = (char *)(uintptr_t) "store"};
    w->in[1] = (struct instance){.def = w->stumbler->def, .name = (char *)(uintptr_t) "stumbler", .config = &w->where};
    w->in[2] = (struct instance){
        .def = needed ? &needs_it : &needs_nothing, .name = (char *)(uintptr_t) "other", .off = other_is_off};
    other_is_off = false;
    for (int i = 0; i < 3; i++) w->list[i] = &w->in[i];
    w->ms = (struct modules){.list = w->list, .n = 3};
    const struct hub_config config = {
        .info = &info, .call_timeout_ms = 1000, .tail_events = 4, .start_timeout_ms = 1000, .stop_timeout_ms = 1000};
    w->hub = hub_new(&w->loop, &w->ms, &config);
    hub_start_modules(w->hub, on_done, &w->started);
    run_until(&w->started);
}

/* Ends what runs; what was said meanwhile and before. */
static const char *end(void) {
    static char said[8192];
    if (!w->hub->ended) {
        hub_stop_modules(w->hub, on_done, &w->ended);
        run_until(&w->ended);
    }
    for (int i = 0; i < 6; i++) uv_run(&w->loop, UV_RUN_NOWAIT);
    hub_free(w->hub);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    uv_loop_close(&w->loop);
    loader_close(w->stumbler);
    dup2(w->stderr_before, STDERR_FILENO);
    close(w->stderr_before);
    ssize_t n = pread(w->log, said, sizeof said - 1, 0);
    said[n > 0 ? n : 0] = 0;
    close(w->log);
    free(w);
    memset(&storage, 0, sizeof storage);
    return said;
}

/* The same in a process of its own: one with a module that hangs ends with its hub. It says how the start went. */
static const char *child_said(int64_t where, bool needed, bool close_hangs) {
    static char said[8192];
    int status, log = memfd_create("log", 0);
    pid_t child = fork();
    if (child == 0) {
        log_of_child = log;
        begin(where, needed);
        store.hold_reads = close_hangs;
        fprintf(stderr, "began: %d \"%s\", stumbler %s, other %s\n", w->err, w->text, states[w->in[1].state],
                states[w->in[2].state]);
        end();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    ssize_t n = pread(log, said, sizeof said - 1, 0);
    said[n > 0 ? n : 0] = 0;
    close(log);
    return said;
}

static void assert_said(const char *said, const char *line) {
    if (!strstr(said, line)) assert_string_equal(said, line);
}

static void expect_health(const char *text) {
    struct health_note notes_now[HEALTH_NOTES];
    assert_int_equal(health_list(&w->in[1].seen->health, notes_now), 1);
    assert_int_equal(notes_now[0].level, TAUT_HEALTH_DOWN);
    assert_string_equal(notes_now[0].code, "not_started");
    assert_string_equal(notes_now[0].text, text);
}

/* The server goes on without it: what it had begun is ended, its service is down. */
static void expect_goes_on(int64_t where, const char *what, const char *line) {
    begin(where, false);
    assert_int_equal(w->err, TAUT_OK);
    assert_int_equal(w->in[1].state, INSTANCE_FAILED);
    assert_int_equal(w->in[2].state, INSTANCE_RUNNING);
    const struct taut_svc *svc = svc_get(core_mod(w->hub), "stumbling", 1, &needs_it);
    assert_int_equal(svc->up, 0);
    expect_health(what);
    usleep(5000); /* a timer that was left would be due */
    for (int i = 0; i < 6; i++) uv_run(&w->loop, UV_RUN_NOWAIT);
    const char *said = end();
    assert_said(said, line);
    assert_null(strstr(said, "ticked"));
}

static void a_module_whose_init_fails_costs_its_own_feature(void **state) {
    (void)state;
    expect_goes_on(INIT_FAILS, "init failed",
                   "stumbler not_started: init failed: unavailable; the server goes on without it");
}
static void what_a_module_registers_before_its_init_fails_is_taken_back(void **state) {
    (void)state;
    expect_goes_on(INIT_REGISTERS, "init failed",
                   "stumbler not_started: init failed: out of memory; the server goes on without it");
}
static void a_module_that_does_not_provide_what_it_declares_has_failed(void **state) {
    (void)state;
    expect_goes_on(INIT_FORGETS, "init failed",
                   "stumbler not_started: init failed: its `provides` names stumbling/1, and its init did not provide "
                   "it: call taut_svc_provide() there; the server goes on without it");
}
static void a_module_whose_start_fails_costs_its_own_feature(void **state) {
    (void)state;
    expect_goes_on(START_FAILS, "start failed",
                   "stumbler not_started: start failed: input/output error; the server goes on without it");
}
static void a_module_whose_start_never_completes_costs_its_time_and_its_own_feature(void **state) {
    (void)state;
    const char *said = child_said(START_NEVER, false, false);
    assert_said(said, "stumbler not_started: did not start within 1 s; the server goes on without it");
    assert_said(said, "began: 0 \"\", stumbler failed, other running");
    said = child_said(START_NEVER, true, false);
    assert_said(said, "\"module stumbler did not start within 1 s\"");
}

static void a_module_that_others_need_ends_the_start(void **state) {
    static const struct {
        int64_t where;
        const char *text;
    } cases[] = {{INIT_FAILS, "module stumbler: init failed: unavailable"},
                 {START_FAILS, "module stumbler: start failed: input/output error"}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        begin(cases[i].where, true);
        assert_true(w->err < 0);
        assert_string_equal(w->text, cases[i].text);
        end();
    }
}

static void one_that_is_switched_off_needs_nobody(void **state) {
    (void)state;
    other_is_off = true;
    begin(INIT_FAILS, true);
    assert_int_equal(w->err, TAUT_OK);
    assert_int_equal(w->in[1].state, INSTANCE_FAILED);
    end();
}

static void a_module_that_never_stops_is_left_and_named(void **state) {
    (void)state;
    assert_said(child_said(STOP_NEVER, false, false),
                "stumbler stop_timeout: did not stop within 1 s; it is left as it is");
}
static void a_module_that_stops_late_is_waited_for(void **state) {
    (void)state;
    begin(STOP_LATE, false);
    assert_string_equal(end(), "");
}
static void what_a_module_leaves_behind_is_named_and_its_timers_are_ended(void **state) {
    (void)state;
    begin(FINI_LEAVES, false);
    char line[128];
    long long bytes = atomic_load(&w->in[1].seen->memory_bytes); /* as the allocator rounds */
    assert_true(bytes >= 100);
    snprintf(line, sizeof line, "stumbler left_behind: ended, and left %lld bytes of memory behind (1 blocks)", bytes);
    assert_said(end(), line);
}
static void a_module_that_does_not_stumble_says_nothing(void **state) {
    (void)state;
    begin(NOWHERE, true);
    assert_int_equal(w->err, TAUT_OK);
    assert_string_equal(end(), "");
}

static void a_store_that_cannot_be_opened_ends_the_start(void **state) {
    (void)state;
    storage = fake_storage;
    storage.open = never_opens;
    begin(NOWHERE, false);
    assert_int_equal(w->err, TAUT_E_IO);
    assert_string_equal(w->text, "module store: the store could not be opened: input/output error");
    end();
    storage = fake_storage;
    storage.open = never_opens_and_says_why;
    begin(NOWHERE, false);
    assert_int_equal(w->err, TAUT_E_IO);
    assert_string_equal(w->text, "module store: the store could not be opened: disk full");
    end();
}

static void a_store_that_does_not_close_is_left_and_named(void **state) {
    (void)state;
    assert_said(child_said(NOWHERE, false, true),
                "hub close_timeout: the store was not closed within 1 s: timed out; it is left as it is");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_module_that_does_not_stumble_says_nothing),
        cmocka_unit_test(a_module_whose_init_fails_costs_its_own_feature),
        cmocka_unit_test(what_a_module_registers_before_its_init_fails_is_taken_back),
        cmocka_unit_test(a_module_that_does_not_provide_what_it_declares_has_failed),
        cmocka_unit_test(a_module_whose_start_fails_costs_its_own_feature),
        cmocka_unit_test(a_module_whose_start_never_completes_costs_its_time_and_its_own_feature),
        cmocka_unit_test(a_module_that_others_need_ends_the_start),
        cmocka_unit_test(one_that_is_switched_off_needs_nobody),
        cmocka_unit_test(a_module_that_never_stops_is_left_and_named),
        cmocka_unit_test(a_module_that_stops_late_is_waited_for),
        cmocka_unit_test(what_a_module_leaves_behind_is_named_and_its_timers_are_ended),
        cmocka_unit_test(a_store_that_cannot_be_opened_ends_the_start),
        cmocka_unit_test(a_store_that_does_not_close_is_left_and_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
