/* test_subscribe.c - readers of the log: from the store, from memory, over gaps and failures, to the end. */
#include "hub/subscribe.h"
#include "hub_harness.h"
#include "taut/event.h"

/* A reader that notes what it gets. */
static struct {
    taut_sub id;
    uint64_t seqs[64];
    uint32_t n, calls, gaps;
    uint64_t gap_first;
    taut_op op;        /* of the hand-over that waits for the test */
    bool waits;        /* hand-overs wait for the test */
    int32_t fail_next; /* the next hand-over ends so */
    uint64_t seek;     /* at a gap it goes on behind this; 0: it says nothing */
} reader;

static void done(taut_op op, int32_t status) {
    taut_op_complete(&b_->user_in.pub, op, status, NULL, NULL);
}

static void on_events(struct taut_mod *m, void *arg, const struct taut_events *e, taut_op op) {
    (void)arg;
    reader.calls++;
    assert_true(taut_str_is(e->workspace, "W1"));
    if (reader.fail_next) {
        done(op, reader.fail_next);
        reader.fail_next = 0;
        return;
    }
    if (e->gap) {
        assert_int_equal(e->events.len, 0);
        reader.gaps++;
        reader.gap_first = e->first;
        if (reader.seek) taut_subscription_seek(m, reader.id, e->workspace, reader.seek);
    }
    for (uint32_t i = 0; i < e->events.len; i++) {
        const struct taut_logged *l = TAUT_AT(e->events, struct taut_logged, i);
        assert_true(taut_str_is(l->topics, "C1"));
        reader.seqs[reader.n++] = l->seq;
    }
    if (reader.waits) reader.op = op;
    else done(op, TAUT_OK);
}

static void on_many(struct taut_mod *m, void *arg, const struct taut_events *e, taut_op op) {
    (void)m, (void)arg, (void)e;
    done(op, TAUT_OK);
}

static taut_sub subscribe(const char *name, uint32_t flags, uint32_t max_events) {
    struct taut_subscription s = {
        .size = sizeof s, .flags = flags, .name = name, .max_events = max_events, .on_events = on_events};
    return taut_subscribe(&b_->user_in.pub, &s);
}

static void begin(uint64_t first, uint64_t last, uint64_t cursor) {
    memset(&reader, 0, sizeof reader);
    store.log_first = first;
    store.log_last = store.seq = last;
    store.cursor = cursor;
}

static void read_on(uint32_t flags, uint32_t max_events) {
    reader.id = subscribe("user", flags, max_events);
    assert_true(reader.id != 0);
    turn();
}

/* An event more, on disk and published. */
static void say(void) {
    ask(BUMP);
    if (store.log_last) store.log_last++;
    release();
    turn();
}

/* Turns until so many events have come, two seconds at most for each wait that the hub makes. */
static void wait_for(uint32_t n) {
    int64_t end = clock_mono_us() + 8000000;
    while (reader.n < n && clock_mono_us() < end) uv_run(&b_->loop, UV_RUN_ONCE);
    assert_int_equal(reader.n, n);
}

static void read_in_order(uint64_t from) {
    for (uint32_t i = 0; i < reader.n; i++) assert_int_equal(reader.seqs[i], from + i);
}

/* ---- where the events come from ---- */

static void who_was_away_gets_what_the_store_has_and_then_what_is_said(void **state) {
    (void)state;
    begin(1, 9, 2);
    read_on(0, 3);
    wait_for(7);
    assert_int_equal(reader.calls, 3); /* three at a time */
    say();
    say();
    assert_int_equal(reader.n, 9);
    read_in_order(3);
    assert_int_equal(store.log_reads, 3); /* what is said comes from memory */
    assert_int_equal(store.log_max_bytes, 1 << 20);
}

static void one_without_a_cursor_begins_at_the_beginning_or_now(void **state) {
    (void)state;
    begin(1, 4, 0);
    read_on(0, 0);
    assert_int_equal(reader.n, 4);
    read_in_order(1);
    taut_unsubscribe(&b_->user_in.pub, reader.id);
    begin(1, 4, 0);
    read_on(TAUT_SUB_FROM_NOW, 0);
    assert_int_equal(reader.n, 0);
    say();
    assert_int_equal(reader.n, 1);
    read_in_order(5);
}

static void who_is_slower_than_the_memory_of_the_hub_reads_the_store(void **state) {
    (void)state;
    begin(1, 1, 1);
    reader.waits = true;
    read_on(0, 2);
    for (int i = 0; i < 8; i++) say(); /* the hub remembers four */
    assert_int_equal(reader.n, 1);
    uint32_t reads = store.log_reads;
    reader.waits = false;
    done(reader.op, TAUT_OK);
    wait_for(8);
    read_in_order(2);
    assert_true(store.log_reads > reads);
}

/* ---- gaps ---- */

static void a_gap_is_told_and_the_reader_says_where_it_goes_on(void **state) {
    (void)state;
    begin(5, 9, 2);
    reader.seek = 7;
    read_on(0, 0);
    assert_int_equal(reader.gaps, 1);
    assert_int_equal(reader.gap_first, 5);
    assert_int_equal(reader.n, 2);
    read_in_order(8);
}

static void one_who_says_nothing_at_a_gap_goes_on_from_what_is_there(void **state) {
    (void)state;
    begin(5, 9, 2);
    read_on(0, 0);
    assert_int_equal(reader.gaps, 1);
    assert_int_equal(reader.n, 5);
    read_in_order(5);
}

/* ---- failures ---- */

static void a_store_that_cannot_be_read_is_asked_again(void **state) {
    (void)state;
    begin(1, 3, 1);
    store.log_error = TAUT_E_UNAVAILABLE; /* which logs there are */
    read_on(0, 0);
    assert_int_equal(reader.n, 0);
    wait_for(2);
    read_in_order(2);
    taut_unsubscribe(&b_->user_in.pub, reader.id);
    begin(1, 3, 1);
    reader.id = subscribe("user", 0, 0);
    uv_run(&b_->loop, UV_RUN_NOWAIT);
    store.log_error = TAUT_E_IO; /* the cursors, or the events */
    wait_for(2);
    read_in_order(2);
}

static void events_that_the_reader_could_not_deal_with_come_again(void **state) {
    (void)state;
    begin(1, 3, 1);
    reader.fail_next = TAUT_E_UNAVAILABLE;
    int64_t from = clock_mono_us();
    read_on(0, 0);
    assert_int_equal(reader.n, 0);
    wait_for(2);
    read_in_order(2);
    assert_true(clock_mono_us() - from > 900000); /* after a second, not at once */
}

/* ---- seen from outside ---- */

static void status_says(const char *readers) {
    struct arena a = {0};
    struct taut_json j;
    arena_json(&a, &j);
    taut_json_open(&j, '{');
    subs_status(b_->hub, &j);
    taut_json_close(&j, '}');
    if (!strstr(arena_str(&a, taut_str_n(j.ptr, j.len)).ptr, readers)) fail_msg("%.*s", (int)j.len, j.ptr);
    arena_free(&a);
}

static void how_far_readers_are_is_told(void **state) {
    (void)state;
    const struct seen *seen = b_->user_in.seen;
    begin(1, 5, 2);
    reader.waits = true;
    read_on(0, 2);
    subs_watch(b_->hub);
    assert_int_equal(seen->events_behind, 3);
    status_says("{\"module\":\"user\",\"name\":\"user\",\"workspace\":\"W1\",\"behind\":3,\"since\":\"20");
    reader.waits = false;
    done(reader.op, TAUT_OK);
    wait_for(3);
    turn();
    subs_watch(b_->hub);
    assert_int_equal(seen->events_behind, 0);
    status_says("{\"readers\":[{\"module\":\"user\",\"name\":\"user\",\"workspace\":\"\",\"behind\":0,\"since\":\"\","
                "\"failures\":0}]}");
}

static void one_that_does_not_go_on_is_its_modules_health_until_it_does(void **state) {
    (void)state;
    struct seen *seen = b_->user_in.seen;
    struct health_note said[HEALTH_NOTES];
    begin(1, 3, 1);
    reader.waits = true;
    read_on(0, 0);
    subs_watch(b_->hub);
    assert_int_equal(health_worst(&seen->health), TAUT_HEALTH_OK);
    b_->hub->subs->feeds->since_us -= 61 * 1000000;
    subs_watch(b_->hub);
    assert_int_equal(health_list(&seen->health, said), 1);
    assert_string_equal(said[0].code, "reader_stuck");
    assert_string_equal(said[0].text, "the reader \"user\" does not go on in W1: event 2 was handed over 61 s ago");
    assert_int_equal(seen->readers_stuck, 1);
    reader.waits = false;
    done(reader.op, TAUT_OK);
    turn();
    subs_watch(b_->hub);
    assert_int_equal(health_worst(&seen->health), TAUT_HEALTH_OK);
    assert_int_equal(seen->readers_stuck, 0);
}

/* ---- the end ---- */

static void who_has_unsubscribed_hears_nothing_more(void **state) {
    (void)state;
    begin(1, 3, 1);
    reader.waits = true;
    read_on(0, 1);
    assert_int_equal(reader.n, 1);
    taut_unsubscribe(&b_->user_in.pub, reader.id);
    done(reader.op, TAUT_OK);
    say();
    assert_int_equal(reader.calls, 1);
    assert_true(subscribe("user", 0, 0) != 0); /* the name is free again */
}

static void a_name_is_one_readers_and_has_a_length(void **state) {
    (void)state;
    char longer[102];
    memset(longer, 'x', 101);
    longer[101] = 0;
    begin(1, 1, 1);
    read_on(0, 0);
    assert_int_equal(subscribe("user", 0, 0), 0);
    assert_int_equal(subscribe("", 0, 0), 0);
    assert_int_equal(subscribe(longer, 0, 0), 0);
    longer[100] = 0;
    assert_true(subscribe(longer, 0, 0) != 0);
}

static void the_cursor_is_kept_in_the_store_behind_what_was_dealt_with(void **state) {
    (void)state;
    begin(1, 4, 1);
    read_on(0, 0);
    assert_int_equal(reader.n, 3);
    int64_t end = clock_mono_us() + 5000000;
    while (!store.nheld && clock_mono_us() < end) uv_run(&b_->loop, UV_RUN_ONCE);
    assert_int_equal(store.nheld, 1);
    assert_int_equal(store.held[0]->cursors.len, 1);
    const struct taut_cursor *c = TAUT_AT(store.held[0]->cursors, struct taut_cursor, 0);
    assert_true(taut_str_is(c->name, "user"));
    assert_int_equal(c->seq, 4);
}

/* ---- cursors ---- */

static void wait_for_commits(uint32_t n) {
    int64_t end = clock_mono_us() + 5000000;
    while (store.commits < n && clock_mono_us() < end) uv_run(&b_->loop, UV_RUN_ONCE);
    assert_int_equal(store.commits, n);
}

static void the_store_has_cursor(const char *name, uint64_t seq) {
    assert_int_equal(store.nheld, 1);
    assert_int_equal(store.held[0]->cursors.len, 1);
    const struct taut_cursor *c = TAUT_AT(store.held[0]->cursors, struct taut_cursor, 0);
    assert_true(taut_str_is(c->name, name));
    assert_int_equal(c->seq, seq);
}

static bool switched;
static void on_switched(void *arg, const char *failed) {
    (void)arg;
    assert_null(failed);
    switched = true;
}
static void switch_off(void) {
    const struct module_switch off = {&b_->user_in, false};
    switched = false;
    hub_switch_modules(b_->hub, &off, 1, on_switched, NULL);
    turn();
}

static void the_store_may_take_longer_than_the_module_that_the_cursor_is_of(void **state) {
    (void)state;
    begin(1, 3, 0);
    read_on(0, 0);
    assert_int_equal(reader.n, 3);
    switch_off();
    the_store_has_cursor("user", 3);
    assert_false(switched);
    int64_t end = clock_mono_us() + 5000000;
    while (!switched && clock_mono_us() < end) uv_run(&b_->loop, UV_RUN_ONCE);
    assert_true(switched);           /* it was not waited for without end */
    the_store_has_cursor("user", 3); /* with ASan: name and batch are still there */
}

static void a_reader_from_now_on_is_told_nothing_before_its_start_is_on_disk(void **state) {
    (void)state;
    begin(1, 4, 0);
    store.refuse_next = TAUT_E_UNAVAILABLE;
    read_on(TAUT_SUB_FROM_NOW | TAUT_SUB_OWN_CURSOR, 0);
    wait_for_commits(2); /* a second later */
    the_store_has_cursor("user", 4);
    store.log_last = store.seq = 5;
    wslog_get(b_->hub, TAUT_LIT("W1"))->position = 5;
    subs_published(b_->hub, wslog_get(b_->hub, TAUT_LIT("W1")));
    turn();
    assert_int_equal(reader.calls, 0);
    release();
    turn();
    assert_int_equal(reader.n, 1);
    read_in_order(5);
}

static void a_cursor_that_was_refused_is_kept_later(void **state) {
    (void)state;
    begin(1, 3, 0);
    store.refuse_next = TAUT_E_UNAVAILABLE;
    read_on(0, 0);
    wait_for_commits(2);
    the_store_has_cursor("user", 3);
}

static void a_cursor_does_not_overtake_an_earlier_one_of_its_name(void **state) {
    (void)state;
    begin(1, 6, 1);
    reader.waits = true;
    read_on(0, 3);
    done(reader.op, TAUT_OK);
    wait_for_commits(1);
    the_store_has_cursor("user", 4);
    done(reader.op, TAUT_OK);
    turn();
    assert_int_equal(reader.n, 5);
    switch_off();
    the_store_has_cursor("user", 4);
    release();
    turn();
    the_store_has_cursor("user", 6);
    assert_false(switched);
    release();
    turn();
    assert_true(switched);
}

static void count_only(struct taut_mod *m, void *arg, const struct taut_events *e, taut_op op) {
    (void)m, (void)arg;
    reader.calls += e->events.len;
    done(op, TAUT_OK);
}
static void after_a_thousand_events_the_cursor_is_kept_at_once(void **state) {
    (void)state;
    begin(1, 1999, 0);
    const struct taut_subscription s = {.size = sizeof s, .name = "user", .max_events = 500, .on_events = count_only};
    assert_true(taut_subscribe(&b_->user_in.pub, &s) != 0);
    for (int i = 0; i < 20; i++) turn();
    assert_int_equal(reader.calls, 1999);
    the_store_has_cursor("user", 1000);
}

/* Stopping keeps the cursors once more. */
static int stop(void **state) {
    store.hold_reads = false;
    hub_stop_modules(b_->hub, on_end, NULL);
    turn();
    for (int i = 0; i < 2; i++) release(), turn(); /* what was on its way, and what has moved since */
    return teardown(state);
}

/* ---- readers that get in each other's way ---- */

static void while_the_store_refuses_cursors_are_kept_no_oftener_than_once_a_second(void **state) {
    (void)state;
    begin(1, 3000, 1);
    int64_t end = clock_mono_us() + 500000;
    struct taut_subscription s = {.size = sizeof s, .name = "user", .on_events = on_many};
    assert_true(taut_subscribe(&b_->user_in.pub, &s) != 0);
    while (clock_mono_us() < end) {
        store.refuse_next = TAUT_E_UNAVAILABLE;
        uv_run(&b_->loop, UV_RUN_NOWAIT);
    }
    store.refuse_next = 0;
    assert_true(store.commits < 20); /* one for each hand-over of what is there */
}

static taut_sub once_id;
static uint32_t once_got;
static void on_once(struct taut_mod *m, void *arg, const struct taut_events *e, taut_op op) {
    (void)arg;
    once_got += e->events.len;
    taut_unsubscribe(m, once_id);
    done(op, TAUT_OK);
}
static void who_leaves_in_its_hand_over_takes_it_from_nobody(void **state) {
    const struct taut_subscription once = {.size = sizeof once, .name = "user/once", .on_events = on_once};
    (void)state;
    begin(0, 0, 0);
    once_got = 0;
    read_on(0, 0);
    once_id = taut_subscribe(&b_->user_in.pub, &once);
    assert_true(once_id != 0);
    turn();
    say();
    assert_int_equal(once_got, 1);
    assert_int_equal(reader.n, 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, stop)
int main(void) {
    const struct CMUnitTest tests[] = {
        T(who_was_away_gets_what_the_store_has_and_then_what_is_said),
        T(one_without_a_cursor_begins_at_the_beginning_or_now),
        T(who_is_slower_than_the_memory_of_the_hub_reads_the_store),
        T(a_gap_is_told_and_the_reader_says_where_it_goes_on),
        T(one_who_says_nothing_at_a_gap_goes_on_from_what_is_there),
        T(a_store_that_cannot_be_read_is_asked_again),
        T(events_that_the_reader_could_not_deal_with_come_again),
        T(how_far_readers_are_is_told),
        T(one_that_does_not_go_on_is_its_modules_health_until_it_does),
        T(who_has_unsubscribed_hears_nothing_more),
        T(a_name_is_one_readers_and_has_a_length),
        T(the_cursor_is_kept_in_the_store_behind_what_was_dealt_with),
        T(the_store_may_take_longer_than_the_module_that_the_cursor_is_of),
        T(a_reader_from_now_on_is_told_nothing_before_its_start_is_on_disk),
        T(a_cursor_that_was_refused_is_kept_later),
        T(a_cursor_does_not_overtake_an_earlier_one_of_its_name),
        T(after_a_thousand_events_the_cursor_is_kept_at_once),
        T(while_the_store_refuses_cursors_are_kept_no_oftener_than_once_a_second),
        T(who_leaves_in_its_hand_over_takes_it_from_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
