/* test_check.c - what a build with TAUT_CHECKS stops modules from doing, to the letter. Other builds let handlers be,
 * and tell of wrong threads once. */
#include "hub_harness.h"
#include "obs/log.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static int before; /* what a module must not have */

static int32_t answers_differently(struct taut_mod *m, struct taut_call *c) {
    (void)m;
    taut_json_kint(taut_answer(c), "n", ++before);
    return taut_done(c);
}

static int32_t writes_differently(struct taut_mod *m, struct taut_call *c) {
    struct taut_batch *b = taut_batch(c);
    const struct taut_set set = {2, TAUT_SET, taut_v_int(++before)};
    taut_update(m, b, &notes, NOTE, &set, 1);
    taut_answer(c);
    return taut_commit(c, b);
}

static void nothing(struct taut_mod *m, void *arg) {
    (void)m, (void)arg;
}
static int32_t acts_too_early(struct taut_mod *m, struct taut_call *c) {
    const struct taut_row *row;
    taut_timer_start(m, 1000, 0, nothing, NULL);
    TAUT_TRY(taut_get(m, c, &notes, NOTE, &row));
    taut_answer(c);
    return taut_done(c);
}

static int32_t is_right(struct taut_mod *m, struct taut_call *c) {
    unsigned char chance[8];
    const struct taut_row *row;
    TAUT_TRY(taut_get(m, c, &notes, NOTE, &row));
    taut_random(m, chance, sizeof chance);
    struct taut_json *j = taut_answer(c);
    taut_json_kint(j, "chance", chance[0] << 8 | chance[1]);
    taut_json_kint(j, "now", taut_now_us(m));
    taut_json_kint(j, "stamp", taut_stamp_us(c, 0));
    taut_timer_start(m, 1000, 0, nothing, NULL);
    return taut_done(c);
}

static struct taut_call *held;
static void note_call(struct taut_mod *m, void *arg) {
    (void)m;
    held = arg;
}
static int32_t is_held(struct taut_mod *m, struct taut_call *c) {
    taut_at_end(m, c, note_call, c);
    return TAUT_E_PENDING;
}

static void run_task_of(taut_task_fn fn) {
    taut_task(&b_->user_in.pub, NULL, fn, NULL, NULL);
    turn();
}

static void *from_a_thread(void *arg) {
    (void)arg;
    taut_timer_start(&b_->user_in.pub, 1000, 0, nothing, NULL);
    return NULL;
}
static void thread_calls(void) {
    pthread_t t;
    if (pthread_create(&t, NULL, from_a_thread, NULL) == 0) pthread_join(t, NULL);
}
static void differs(void) {
    run_task_of(answers_differently);
}
static void writes(void) {
    run_task_of(writes_differently);
}
static void early(void) {
    run_task_of(acts_too_early);
}

static int32_t becomes_another(struct taut_mod *m, struct taut_call *c) {
    struct taut_actor *a = (struct taut_actor *)(uintptr_t)c->actor;
    (void)m;
    a->workspace = TAUT_LIT("T2");
    taut_answer(c);
    return taut_done(c);
}
static void changes_its_actor(void) {
    run_task_of(becomes_another);
}

static void reads_late(void) {
    const struct taut_row *row;
    run_task_of(is_held);
    taut_get(&b_->user_in.pub, held, &notes, NOTE, &row);
}

static int32_t bad_and_told(struct taut_mod *m, struct taut_call *c) {
    struct taut_batch *b = taut_batch(c);
    const struct taut_set set = {2, TAUT_SET, taut_v_str(TAUT_LIT("text"))};
    taut_update(m, b, &notes, NOTE, &set, 1);
    if (taut_commit(c, b) < 0) return taut_fail(c, "no");
    return TAUT_OK;
}

/* ---- state ---- */

static void take_block(void) {
    b_->user_in.pub.state = taut_alloc(&b_->user_in.pub, sizeof(int64_t));
    *(int64_t *)b_->user_in.pub.state = 0;
}
static int32_t remembers_too_early(struct taut_mod *m, struct taut_call *c) {
    const struct taut_row *row;
    ++*(int64_t *)m->state;
    TAUT_TRY(taut_get(m, c, &notes, NOTE, &row)); /* the store never has it: the run ends here */
    return taut_done(c);
}
static int32_t takes_for_ever(struct taut_mod *m, struct taut_call *c) {
    taut_alloc(m, 10);
    return taut_done(c);
}
static void count_it(struct taut_mod *m, void *arg) {
    (void)arg;
    ++*(int64_t *)m->state;
}
static int32_t counts_at_end(struct taut_mod *m, struct taut_call *c) {
    const struct taut_row *row;
    char *passing = taut_alloc(m, 100);
    taut_free(m, passing);
    TAUT_TRY(taut_get(m, c, &notes, NOTE, &row));
    taut_at_end(m, c, count_it, NULL);
    return taut_done(c);
}
static void remembers(void) {
    take_block();
    store.hold_reads = true;
    run_task_of(remembers_too_early);
}
static void takes(void) {
    run_task_of(takes_for_ever);
}

/* ---- ends ---- */

static int32_t goes_on(struct taut_mod *m, struct taut_call *c) {
    const struct taut_row *row;
    (void)taut_get(m, c, &notes, NOTE, &row);
    taut_json_kbool(taut_answer(c), "there", row != NULL);
    return taut_done(c);
}
static int32_t loses_its_batch(struct taut_mod *m, struct taut_call *c) {
    struct taut_batch *b = taut_batch(c);
    const struct taut_set set = {2, TAUT_SET, taut_v_int(1)};
    taut_update(m, b, &notes, NOTE, &set, 1);
    return taut_done(c);
}
static int32_t ends_twice(struct taut_mod *m, struct taut_call *c) {
    (void)m;
    taut_done(c);
    return taut_done(c);
}
static int32_t ends_and_waits(struct taut_mod *m, struct taut_call *c) {
    (void)m;
    taut_done(c);
    return TAUT_E_AGAIN;
}
static int32_t writes_no_json(struct taut_mod *m, struct taut_call *c) {
    (void)m;
    taut_json_open(taut_answer(c), '{');
    return taut_done(c);
}
static int32_t appends_no_object(struct taut_mod *m, struct taut_call *c) {
    struct taut_batch *b = taut_batch(c);
    const struct taut_event e = {.size = sizeof e, .body = TAUT_LIT("{hello}")};
    taut_batch_workspace(m, b, TAUT_LIT("W1"));
    taut_append(m, b, &e);
    return taut_commit(c, b);
}
static int32_t measures_undeclared(struct taut_mod *m, struct taut_call *c) {
    taut_count(m, 9, 1);
    return taut_done(c);
}
static void goes(void) {
    run_task_of(goes_on);
}
static void loses(void) {
    run_task_of(loses_its_batch);
}
static void twice_(void) {
    run_task_of(ends_twice);
}
static void waits(void) {
    run_task_of(ends_and_waits);
}
static void no_json(void) {
    run_task_of(writes_no_json);
}
static void no_object(void) {
    run_task_of(appends_no_object);
}
static void undeclared(void) {
    run_task_of(measures_undeclared);
}
static void ends_late(void) {
    run_task_of(is_held);
    taut_done(held);
    turn();
#ifdef TAUT_CHECKS
    taut_done(held);
#endif
}

/* Runs it in a process of its own; what it said, and whether it was stopped. */
static bool is_stopped(void (*fn)(void), char said[4096]) {
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        dup2(ends[1], STDERR_FILENO);
        fn();
        _exit(0);
    }
    close(ends[1]);
    size_t n = 0;
    for (ssize_t got; n < 4095 && (got = read(ends[0], said + n, 4095 - n)) > 0;) n += (size_t)got;
    said[n] = 0;
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void expect_stop(void (*fn)(void), const char *text) {
    char said[4096];
#ifdef TAUT_CHECKS
    assert_true(is_stopped(fn, said));
    if (!strstr(said, text)) assert_string_equal(said, text);
#else
    (void)text;
    assert_false(is_stopped(fn, said));
#endif
}

static void a_handler_that_changes_its_actor_is_stopped(void **state) {
    (void)state;
    expect_stop(changes_its_actor,
                "changed the actor of its call; to act as another one, start a taut_task as that one");
}

static void two_runs_that_end_differently_are_stopped(void **state) {
    (void)state;
    expect_stop(differs, "module user: two runs of the handler of a task came to different ends ({\"n\":1; {\"n\":2); "
                         "see HANDLERS ARE RESTARTABLE in taut/call.h");
}
static void two_runs_that_write_differently_are_stopped(void **state) {
    (void)state;
    expect_stop(writes, "module user: two runs of the handler of a task built different batches; see HANDLERS ARE "
                        "RESTARTABLE in taut/call.h");
}
static void an_effect_before_the_last_read_is_stopped(void **state) {
    (void)state;
    expect_stop(early, "module user: the handler of a task calls taut_timer_start() before its last read, taut_get(): "
                       "what it causes there it causes again in each run");
}
static void a_read_for_a_call_that_is_held_is_stopped(void **state) {
    (void)state;
    expect_stop(reads_late, "module user: taut_get() was called for a call (a task) whose handler does not run, and "
                            "which so cannot wait for it");
}
static void a_call_from_another_thread_is_stopped(void **state) {
    (void)state;
    expect_stop(thread_calls,
                "module user: taut_timer_start() was called outside of the hub's thread; from other threads: "
                "taut_post it");
}
static void state_that_changes_before_the_last_read_is_found(void **state) {
    (void)state;
    expect_stop(remembers,
                "module user: the handler of a task changes its module's state while it runs; use taut_at_end");
}
static void memory_that_a_handler_keeps_is_found(void **state) {
    (void)state;
    expect_stop(takes, "module user: the handler of a task changes its module's state while it runs; use taut_at_end");
}
static void state_that_changes_at_the_end_is_right(void **state) {
    (void)state;
    take_block();
    run_task_of(counts_at_end);
    assert_int_equal(*(int64_t *)b_->user_in.pub.state, 1);
    taut_free(&b_->user_in.pub, b_->user_in.pub.state);
}
static void one_that_goes_on_without_its_row_is_stopped(void **state) {
    (void)state;
    expect_stop(goes, "module user: the handler of a task went on after taut_get() returned TAUT_E_AGAIN; return it at "
                      "once");
}
static void a_batch_that_nobody_stores_is_found(void **state) {
    (void)state;
    expect_stop(loses, "module user: a task is ended by taut_done() with 1 change in its batch, which nobody stores; "
                       "taut_commit stores them");
}
static void two_ends_are_found(void **state) {
    (void)state;
    expect_stop(twice_, "module user: the handler of a task ends its call twice: by taut_done(), then by taut_done()");
    expect_stop(waits,
                "module user: the handler of a task returned TAUT_E_AGAIN after taut_done(), which has ended its "
                "call; return what that returns");
    expect_stop(ends_late, "module user: a task: its call has ended already; one that is used later returns "
                           "TAUT_E_PENDING, and is ended once");
}
static void what_is_no_json_is_found(void **state) {
    (void)state;
    expect_stop(no_json, "module user: the answer of a task is not a JSON object in UTF-8: {{}");
    expect_stop(no_object, "module user: the body of an event of a task is not a JSON object in UTF-8: {hello}");
}
/* Its end is another one, which is no second end; why, the log says. */
static void bad_batch(void) {
    run_task_of(bad_and_told);
}
static void a_handler_may_answer_otherwise_when_its_batch_cannot_be(void **state) {
    char said[4096];
    (void)state;
    assert_false(is_stopped(bad_batch, said));
    assert_non_null(strstr(said, "a batch that cannot be committed: table notes: column n is a number, got text"));
}

/* Where nothing is checked there is nothing to be wrong; for TSan the check itself is a race. */
#if defined TAUT_CHECKS && !defined __SANITIZE_THREAD__

/* A thread of the module's own, under its lock, while handlers run that are right. */
struct shared {
    pthread_mutex_t lock;
    int64_t n;
};
static atomic_bool is_enough;
static void *tick(void *arg) {
    struct shared *s = arg;
    while (!atomic_load(&is_enough)) {
        pthread_mutex_lock(&s->lock);
        s->n++;
        pthread_mutex_unlock(&s->lock);
        usleep(20000);
    }
    return NULL;
}
static int32_t takes_a_while(struct taut_mod *m, struct taut_call *c) {
    (void)m;
    for (int64_t end = clock_mono_us() + 300; clock_mono_us() < end;) continue;
    taut_answer(c);
    return taut_done(c);
}
static void a_thread_of_the_module_may_change_its_state(void **state) {
    struct shared *s = taut_alloc(&b_->user_in.pub, sizeof *s);
    pthread_t t;
    (void)state;
    pthread_mutex_init(&s->lock, NULL);
    s->n = 0;
    atomic_store(&is_enough, false);
    b_->user_in.pub.state = s;
    assert_int_equal(pthread_create(&t, NULL, tick, s), 0);
    for (int64_t end = clock_mono_us() + 1000000; clock_mono_us() < end;) run_task_of(takes_a_while);
    atomic_store(&is_enough, true);
    pthread_join(t, NULL);
    taut_free(&b_->user_in.pub, s);
}

#endif

static void a_metric_that_is_not_declared_is_found(void **state) {
    (void)state;
    expect_stop(undeclared, "module user: measures number 9, label 0, and has declared 0 metrics");
}
static void what_is_not_given_is_named(void **state) {
    struct taut_mod *m = &b_->user_in.pub;
    const struct taut_actor sizeless = {.user = TAUT_LIT("U1")};
    const struct taut_subscription no_size = {.name = "user", .on_events = NULL};
    struct log_recent lines[LOG_RECENT];
    (void)state;
    assert_int_equal(taut_timer_start(m, 1, 0, NULL, NULL), 0);
    assert_int_equal(taut_work(m, NULL, nothing, NULL), TAUT_E_INVAL);
    taut_post(m, NULL, NULL);
    assert_int_equal(taut_subscribe(m, &no_size), 0);
    assert_int_equal(taut_task(m, NULL, NULL, NULL, NULL), TAUT_E_INVAL);
    assert_int_equal(taut_task(m, &sizeless, is_right, NULL, NULL), TAUT_E_INVAL);
    turn();
    assert_true(log_recent(lines) > 0);
    assert_string_equal(lines[0].event, "bad_call");
    assert_string_equal(
        lines[0].text, "taut_task() without the size of its actor: nothing comes of it; this is a fault of the module");
}

static void a_right_handler_goes_its_way(void **state) {
    (void)state;
    run_task_of(is_right);
    assert_int_equal(b_->hub->nruns, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        T(two_runs_that_end_differently_are_stopped),
        T(a_handler_that_changes_its_actor_is_stopped),
        T(two_runs_that_write_differently_are_stopped),
        T(an_effect_before_the_last_read_is_stopped),
        T(a_read_for_a_call_that_is_held_is_stopped),
        T(a_call_from_another_thread_is_stopped),
        T(state_that_changes_before_the_last_read_is_found),
        T(memory_that_a_handler_keeps_is_found),
        T(state_that_changes_at_the_end_is_right),
        T(one_that_goes_on_without_its_row_is_stopped),
        T(a_batch_that_nobody_stores_is_found),
        T(two_ends_are_found),
        T(what_is_no_json_is_found),
        T(a_metric_that_is_not_declared_is_found),
        T(what_is_not_given_is_named),
        T(a_right_handler_goes_its_way),
        T(a_handler_may_answer_otherwise_when_its_batch_cannot_be),
#if defined TAUT_CHECKS && !defined __SANITIZE_THREAD__
        T(a_thread_of_the_module_may_change_its_state),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
