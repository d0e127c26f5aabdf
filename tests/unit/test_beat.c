/* test_beat.c - the beat of a loop, and what is made of it: a loop that hangs in a callback is seen by others, is no
 * longer alive for /healthz, and feeds no watchdog. */
#include "hub_harness.h"

#include "cli/watch.h"

/* ---- the beat of a real loop ---- */

static int beats;
static void on_beat(void *arg) {
    uv_loop_t *loop = arg;
    if (++beats == 2) uv_stop(loop);
}

static void a_loop_that_turns_beats_once_a_second(void **state) {
    uv_loop_t loop;
    struct beat b = {.arg = NULL};
    (void)state;
    uv_loop_init(&loop);
    assert_int_equal(beat_age_us(&b), 0); /* it does not run */
    beats = 0;
    beat_start(&b, &loop, on_beat, &loop);
    int64_t began = clock_mono_us();
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_in_range(clock_mono_us() - began, 1900000, 6000000);
    assert_int_equal(histogram_count(&b.lags), 2);
    assert_true(histogram_count(&b.turns) >= 1);
    assert_true(beat_age_us(&b) < 1000000);
    beat_stop(&b);
    beat_stop(&b); /* may be repeated */
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(beat_age_us(&b), 0);
}

static void on_timer(uv_timer_t *t) {
    const struct beat *b = t->data;
    uv_sleep(300); /* the loop hangs in this callback */
    assert_true(beat_age_us(b) >= 300000);
    uv_close((uv_handle_t *)t, NULL);
    uv_stop(t->loop);
}

static void a_loop_that_hangs_in_a_callback_has_an_old_beat_and_a_long_turn(void **state) {
    uv_loop_t loop;
    uv_timer_t t;
    struct beat b = {.arg = NULL};
    (void)state;
    uv_loop_init(&loop);
    beat_start(&b, &loop, NULL, NULL);
    uv_run(&loop, UV_RUN_NOWAIT); /* a turn begins after a wait: on a slow machine the timer would be due before one */
    uv_timer_init(&loop, &t);
    t.data = &b;
    uv_timer_start(&t, on_timer, 1, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_run(&loop, UV_RUN_NOWAIT);
    beat_stop(&b);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_true(histogram_quantile(&b.turns, 1.0) >= 0.25e9);
}

/* ---- what is made of it ---- */

static struct watch w;
static struct beat hub_beat, gateway_beat_;

static void beat_was(struct beat *b, int64_t s) {
    atomic_store(&b->last_us, clock_mono_us() - s * 1000000);
}

static int begin(void **state) {
    setup(state);
    w = (struct watch){.hub = b_->hub, .modules = &b_->ms};
    watch_loop(&w, "hub", &hub_beat, hub_port(b_->hub));
    watch_loop(&w, "gateway 0", &gateway_beat_, &b_->gateway);
    beat_was(&hub_beat, 0);
    beat_was(&gateway_beat_, 0);
    atomic_store(&w.phase, WATCH_RUNNING);
    return 0;
}

/* "503 …" or "200 …": what the page holds. */
static const char *page(bool (*fn)(void *watch, struct taut_json *j)) {
    static char text[1024];
    struct arena a = {0};
    struct taut_json j;
    arena_json(&a, &j);
    taut_json_open(&j, '{');
    bool ok = fn(&w, &j);
    taut_json_close(&j, '}');
    snprintf(text, sizeof text, "%d %.*s", ok ? 200 : 503, (int)j.len, j.ptr);
    arena_free(&a);
    return text;
}

static void a_server_whose_loops_turn_lives_and_is_ready(void **state) {
    (void)state;
    assert_string_equal(page(watch_live), "200 {\"reasons\":[],\"live\":true}");
    assert_string_equal(page(watch_ready), "200 {\"reasons\":[],\"ready\":true}");
    assert_true(watch_others_turn(&w, &hub_beat));
}

static void a_hub_that_hangs_is_not_alive_and_is_named(void **state) {
    (void)state;
    beat_was(&hub_beat, 9);
    assert_string_equal(page(watch_live), "200 {\"reasons\":[],\"live\":true}"); /* only busy, perhaps */
    beat_was(&hub_beat, 12);
    assert_string_equal(
        page(watch_live),
        "503 {\"reasons\":[{\"module\":\"hub\",\"level\":\"down\",\"code\":\"stuck\",\"text\":\"its loop "
        "has not turned for 12 s\"}],\"live\":false}");
    assert_non_null(strstr(page(watch_ready), "\"ready\":false"));
    assert_true(watch_others_turn(&w, &hub_beat)); /* its own beat feeds the watchdog: there is none */
}

static void a_gateway_that_hangs_keeps_the_watchdog_from_being_fed(void **state) {
    (void)state;
    beat_was(&gateway_beat_, 12);
    assert_false(watch_others_turn(&w, &hub_beat));
    assert_int_equal(strncmp(page(watch_live), "503 ", 4), 0);
    assert_non_null(strstr(page(watch_live), "\"module\":\"gateway 0\""));
}

static void a_server_that_starts_or_stops_lives_and_is_not_ready(void **state) {
    (void)state;
    atomic_store(&w.phase, WATCH_STARTING);
    assert_int_equal(strncmp(page(watch_live), "200 ", 4), 0);
    assert_non_null(strstr(page(watch_ready), "\"code\":\"not_running\",\"text\":\"the server is starting\""));
    atomic_store(&w.phase, WATCH_STOPPING);
    assert_non_null(strstr(page(watch_ready), "\"text\":\"the server is stopping\"}],\"ready\":false"));
}

static void only_a_module_that_is_down_and_needed_makes_it_not_ready(void **state) {
    (void)state;
    health_set(&b_->user_in.seen->health, TAUT_HEALTH_DOWN, "relay", TAUT_LIT("gone"));
    assert_string_equal(
        page(watch_ready),
        "200 {\"reasons\":[{\"module\":\"user\",\"level\":\"down\",\"code\":\"relay\",\"text\":\"gone\"}],"
        "\"ready\":true}");
    health_set(&b_->store_in.seen->health, TAUT_HEALTH_DEGRADED, "slow", TAUT_LIT("a bit"));
    assert_int_equal(strncmp(page(watch_ready), "200 ", 4), 0);
    health_set(&b_->store_in.seen->health, TAUT_HEALTH_DOWN, "disk_full", TAUT_LIT("disk full"));
    assert_int_equal(strncmp(page(watch_ready), "503 ", 4), 0);
    health_set(&b_->store_in.seen->health, TAUT_HEALTH_OK, NULL, TAUT_LIT(""));
    assert_int_equal(strncmp(page(watch_ready), "200 ", 4), 0);
}

static void a_store_that_refuses_is_told_for_ten_seconds_or_until_it_takes_a_batch(void **state) {
    atomic_llong *refused = &hub_seen(b_->hub)->store_refused_us;
    (void)state;
    store.refuse_next = TAUT_E_UNAVAILABLE;
    ask(BLIND);
    assert_non_null(strstr(page(watch_ready), "\"code\":\"store_refuses\""));
    ask(BLIND);
    release();
    turn();
    assert_int_equal(strncmp(page(watch_ready), "200 ", 4), 0);
    atomic_store(refused, clock_mono_us() - 9000000);
    assert_int_equal(strncmp(page(watch_ready), "503 ", 4), 0);
    atomic_store(refused, clock_mono_us() - 11000000);
    assert_int_equal(strncmp(page(watch_ready), "200 ", 4), 0);
}

static void a_store_that_does_not_answer_is_told_by_the_core(void **state) {
    (void)state;
    ask(BLIND);
    struct run *r = b_->hub->runs;
    assert_non_null(r);
    hub_sample(b_->hub);
    assert_int_equal(strncmp(page(watch_ready), "200 ", 4), 0);
    r->submitted_ns -= 11000000000u;
    hub_sample(b_->hub);
    assert_string_equal(
        page(watch_ready),
        "503 {\"reasons\":[{\"module\":\"core\",\"level\":\"down\",\"code\":\"store_hangs\",\"text\":\"the "
        "store has not answered a batch for 11 s\"}],\"ready\":false}");
    release();
    turn();
    hub_sample(b_->hub);
    assert_int_equal(strncmp(page(watch_ready), "200 ", 4), 0);
}

/* ---- crumbs of the core's own questions, and what waits ---- */

static char seen_running[160];
static void asked_get(void *self, const struct taut_get_req *reqs, uint32_t n, taut_op op) {
    crumb_describe(crumb_here, seen_running, sizeof seen_running);
    fake_get(self, reqs, n, op);
}
static void asked_commit(void *self, const struct taut_batch_view *b, taut_op op) {
    crumb_describe(crumb_here, seen_running, sizeof seen_running);
    fake_commit(self, b, op);
}

static void a_question_to_the_store_leaves_a_crumb_of_its_provider(void **state) {
    struct taut_storage_v1 noisy = fake_storage;
    struct service *s = service_of(b_->hub->storage);
    (void)state;
    noisy.get = asked_get;
    noisy.commit = asked_commit;
    ((struct taut_svc *)(uintptr_t)b_->hub->storage)->vtable = &noisy;
    ask(PEEK);
    assert_string_equal(seen_running, "service storage/1 get of store");
    ask(BLIND);
    assert_string_equal(seen_running, "service storage/1 commit of store");
    assert_true(histogram_count(&s->provider->seen->crumbs.kinds[CRUMB_SERVICE]) >= 2);
    ((struct taut_svc *)(uintptr_t)b_->hub->storage)->vtable = &fake_storage;
}

static void mail_that_was_not_dealt_with_is_counted(void **state) {
    struct port *hub = hub_port(b_->hub);
    uint64_t before = atomic_load(&hub->posted);
    (void)state;
    assert_int_equal(port_depth(hub), 0);
    for (int i = 0; i < 3; i++) {
        struct call *c = call_get(&b_->pool, TAUT_CALL_METHOD, &b_->gateway);
        c->method = &b_->methods[PEEK];
        c->msg.kind = MSG_CALL;
        port_post(hub, &c->msg);
    }
    assert_int_equal(port_depth(hub), 3);
    turn();
    assert_int_equal(port_depth(hub), 0);
    assert_true(atomic_load(&hub->posted) - before >= 3);
    assert_int_equal(port_depth(&b_->gateway), 0); /* the answers went in one chain */
    assert_int_equal(atomic_load(&b_->gateway.posted), 3);
}

int main(void) {
#define WATCH_TEST(f) cmocka_unit_test_setup_teardown(f, begin, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loop_that_turns_beats_once_a_second),
        cmocka_unit_test(a_loop_that_hangs_in_a_callback_has_an_old_beat_and_a_long_turn),
        WATCH_TEST(a_server_whose_loops_turn_lives_and_is_ready),
        WATCH_TEST(a_hub_that_hangs_is_not_alive_and_is_named),
        WATCH_TEST(a_gateway_that_hangs_keeps_the_watchdog_from_being_fed),
        WATCH_TEST(a_server_that_starts_or_stops_lives_and_is_not_ready),
        WATCH_TEST(only_a_module_that_is_down_and_needed_makes_it_not_ready),
        WATCH_TEST(a_store_that_refuses_is_told_for_ten_seconds_or_until_it_takes_a_batch),
        WATCH_TEST(a_store_that_does_not_answer_is_told_by_the_core),
        WATCH_TEST(a_question_to_the_store_leaves_a_crumb_of_its_provider),
        WATCH_TEST(mail_that_was_not_dealt_with_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
