/* test_fanout.c - who gets which event, when, and once; over real sockets. */
#include "ws_harness.h"

static int setup(void **state) {
    (void)state;
    harness_start(256 * 1024);
    return 0;
}
static int teardown(void **state) {
    (void)state;
    harness_stop();
    return 0;
}

static struct client A, B;

static void open_live(struct client *c, const char *topic, uint64_t position) {
    struct open_as as = {.topics = {topic, "W"},
                         .as_of = position,
                         .cursor = position,
                         .position = position,
                         .hello = "{\"type\":\"hello\"}"};
    char hello[64];
    snprintf(hello, sizeof hello, "{\"type\":\"hello\",\"cursor\":\"1-%llx\"}", (unsigned long long)position);
    open_conn(c, &as);
    expect_text(c, hello);
}

static void an_event_reaches_those_on_its_topic_with_a_cursor(void **state) {
    (void)state;
    open_live(&A, "C1", 4);
    open_live(&B, "C2", 4);
    publish(5, "C1", "", "{\"n\":5}");
    publish(6, "C2", "", "{}");
    expect_text(&A, "{\"n\":5,\"cursor\":\"1-5\"}");
    expect_text(&B, "{\"cursor\":\"1-6\"}");
    expect_silence(&A);
    hang_up(&A);
    hang_up(&B);
}

static void an_event_on_several_topics_comes_once_and_never_to_its_sender(void **state) {
    (void)state;
    open_live(&A, "C1", 4);
    open_live(&B, "C1", 4);
    publish_event(make_event(5, A.id, "C1 W", "", "{\"n\":5}"));
    publish(6, "C1 W", "", "{\"n\":6}");
    expect_text(&A, "{\"n\":6,\"cursor\":\"1-6\"}");
    expect_text(&B, "{\"n\":5,\"cursor\":\"1-5\"}");
    expect_text(&B, "{\"n\":6,\"cursor\":\"1-6\"}");
    expect_silence(&B);
    hang_up(&A);
    hang_up(&B);
}

static void who_joins_sees_the_event_and_who_leaves_does_not(void **state) {
    (void)state;
    open_live(&A, "U1", 0);
    open_live(&B, "U2", 0);
    publish(1, "C1", "+U1 C1", "{\"join\":1}");
    publish(2, "C1", "+U2 C1", "{\"join\":2}");
    publish(3, "C1 U3", "-U1 C1", "{\"left\":1}");
    publish(4, "W", "", "{\"end\":1}");
    expect_text(&A, "{\"join\":1,\"cursor\":\"1-1\"}");
    expect_text(&A, "{\"join\":2,\"cursor\":\"1-2\"}");
    expect_text(&A, "{\"end\":1,\"cursor\":\"1-4\"}");
    expect_text(&B, "{\"join\":2,\"cursor\":\"1-2\"}");
    expect_text(&B, "{\"left\":1,\"cursor\":\"1-3\"}");
    expect_text(&B, "{\"end\":1,\"cursor\":\"1-4\"}");
    hang_up(&A);
    hang_up(&B);
}

static void a_closing_delta_closes_after_what_is_queued(void **state) {
    (void)state;
    open_live(&A, "K1", 0);
    open_live(&B, "K2", 0);
    publish(1, "W", "", "{\"n\":1}");
    publish(2, "W", "xK1 token_revoked", "{\"n\":2}");
    expect_text(&A, "{\"n\":1,\"cursor\":\"1-1\"}");
    assert_true(get_frame(&A));
    assert_int_equal(A.opcode, OP_CLOSE);
    assert_int_equal(A.data[0] << 8 | A.data[1], 1008);
    assert_string_equal((char *)A.data + 2, "token_revoked");
    expect_text(&B, "{\"n\":1,\"cursor\":\"1-1\"}");
    expect_text(&B, "{\"n\":2,\"cursor\":\"1-2\"}");
    expect_closed(A.id);
    close(A.fd);
    hang_up(&B);
}

static void events_older_than_the_membership_are_not_seen(void **state) {
    (void)state;
    struct open_as as = {.topics = {"C1@7", "C2@9"}, .as_of = 4, .cursor = 4, .position = 4, .hello = ""};
    open_conn(&A, &as);
    publish(5, "C1", "", "{\"n\":5}");
    publish(6, "C1 C2", "", "{\"n\":6}");
    publish(7, "C1 C2", "", "{\"n\":7}");
    publish(8, "C2", "", "{\"n\":8}");
    publish(9, "C2", "", "{\"n\":9}");
    expect_text(&A, "{\"n\":7,\"cursor\":\"1-7\"}");
    expect_text(&A, "{\"n\":9,\"cursor\":\"1-9\"}");
    hang_up(&A);
}

static void post_refill(taut_conn id, uint64_t from, uint64_t upto, const char *topics, uint32_t gap) {
    uint32_t n = upto >= from ? (uint32_t)(upto - from + 1) : 0;
    struct events_msg *m = make_events(MSG_REFILLED, n);
    m->conn = id;
    m->upto = upto;
    m->gap = gap;
    for (uint32_t i = 0; i < n; i++) {
        char body[64];
        snprintf(body, sizeof body, "{\"n\":%llu}", (unsigned long long)(from + i));
        m->events[i] = make_event(from + i, 0, topics, "", body);
    }
    port_post(&H.g->port, &m->msg);
}

static void a_resumed_connection_catches_up_in_pieces_and_turns_live(void **state) {
    (void)state;
    struct open_as as = {.topics = {"C1@3", "W"}, .as_of = 10, .cursor = 1, .position = 10, .hello = "{\"h\":1}"};
    open_conn(&A, &as);
    expect_text(&A, "{\"h\":1,\"cursor\":\"1-1\"}");
    assert_int_equal(expect_refill(A.id), 1);
    publish(11, "C1", "", "{\"n\":11}"); /* comes while it lags */
    post_refill(A.id, 2, 5, "C1", 0);
    assert_int_equal(expect_refill(A.id), 5);
    post_refill(A.id, 6, 11, "C1", 0);
    for (int n = 3; n <= 11; n++) {
        char want[64];
        snprintf(want, sizeof want, "{\"n\":%d,\"cursor\":\"1-%x\"}", n, (unsigned)n);
        expect_text(&A, want);
    }
    publish(12, "C1", "", "{\"n\":12}");
    expect_text(&A, "{\"n\":12,\"cursor\":\"1-c\"}");
    no_mail();
    hang_up(&A);
}

static void a_refill_beyond_the_position_waits_for_the_live_stream(void **state) {
    (void)state;
    struct open_as as = {.topics = {"U1"}, .as_of = 5, .cursor = 4, .position = 5, .hello = ""};
    open_conn(&A, &as);
    assert_int_equal(expect_refill(A.id), 4);
    post_refill(A.id, 5, 7, "U1", 0); /* 6 and 7 are on disk but not published */
    expect_text(&A, "{\"n\":5,\"cursor\":\"1-5\"}");
    publish(6, "C1", "+U1 C1", "{\"live\":6}");
    publish(7, "C1", "", "{\"live\":7}");
    expect_text(&A, "{\"live\":6,\"cursor\":\"1-6\"}");
    expect_text(&A, "{\"live\":7,\"cursor\":\"1-7\"}");
    hang_up(&A);
}

static void changes_between_the_snapshot_and_the_position_are_applied_at_attach(void **state) {
    (void)state;
    struct open_as as = {.topics = {"U1", "C1"}, .as_of = 5, .cursor = 7, .position = 7, .hello = ""};
    as.events[0] = make_event(6, 0, "", "-U1 C1", "");
    as.events[1] = make_event(7, 0, "", "+U1 C2,+U9 C3", "");
    open_conn(&A, &as);
    publish(8, "C1 C3", "", "{\"n\":8}");
    publish(9, "C2", "", "{\"n\":9}");
    expect_text(&A, "{\"n\":9,\"cursor\":\"1-9\"}");
    hang_up(&A);
}

static void a_snapshot_newer_than_the_stream_is_not_changed_by_older_deltas(void **state) {
    (void)state;
    struct open_as as = {.topics = {"U1", "C2"}, .as_of = 12, .cursor = 12, .position = 10, .hello = ""};
    open_conn(&A, &as);
    publish(11, "C2", "+U1 C1", "{\"n\":11}");
    publish(12, "C2", "-U1 C2,xU1 gone", "{\"n\":12}");
    publish(13, "C1", "", "{\"n\":13}");
    publish(14, "C2", "", "{\"n\":14}");
    expect_text(&A, "{\"n\":14,\"cursor\":\"1-e\"}");
    hang_up(&A);
}

static void a_gap_closes_with_1013(void **state) {
    (void)state;
    struct open_as as = {.topics = {"U1"}, .as_of = 5, .cursor = 1, .position = 5, .hello = ""};
    open_conn(&A, &as);
    assert_int_equal(expect_refill(A.id), 1);
    post_refill(A.id, 1, 0, "", 1);
    expect_close(&A, 1013);
    expect_closed(A.id);
    close(A.fd);
}

static void a_jump_in_the_stream_is_read_from_the_log(void **state) {
    (void)state;
    open_live(&A, "C1", 4);
    publish(7, "C1", "", "{\"n\":7}");
    assert_int_equal(expect_refill(A.id), 4);
    post_refill(A.id, 5, 7, "C1", 0);
    expect_text(&A, "{\"n\":5,\"cursor\":\"1-5\"}");
    expect_text(&A, "{\"n\":6,\"cursor\":\"1-6\"}");
    expect_text(&A, "{\"n\":7,\"cursor\":\"1-7\"}");
    publish(7, "C1", "", "{\"twice\":7}");
    publish(8, "C1", "", "{\"n\":8}");
    expect_text(&A, "{\"n\":8,\"cursor\":\"1-8\"}");
    hang_up(&A);
}

/* ---- a reader that stalls ---- */

enum { STALL_EVENTS = 4000, BODY = 900, REFILL_MAX = 64 };

static struct event *stall_event(uint64_t seq) {
    char body[BODY + 64];
    int n = snprintf(body, sizeof body, "{\"n\":%llu,\"fill\":\"", (unsigned long long)seq);
    memset(body + n, 'x', BODY);
    memcpy(body + n + BODY, "\"}", 3);
    return make_event(seq, 0, "C1", "", body);
}

struct deliveries {
    uint32_t most, lagging;
};
static void look(struct gateway *g, void *arg) {
    struct deliveries *s = arg;
    struct conn *c = conn_find(g, A.id);
    uint32_t bytes = c ? c->queued + c->held_len : 0;
    if (bytes > s->most) s->most = bytes;
    s->lagging = c && c->lagging;
}

static void answer_refill(uint64_t after) {
    uint64_t upto = after + REFILL_MAX < STALL_EVENTS ? after + REFILL_MAX : STALL_EVENTS;
    struct events_msg *m = make_events(MSG_REFILLED, (uint32_t)(upto - after));
    m->conn = A.id;
    m->upto = upto;
    for (uint32_t i = 0; i < m->n; i++) m->events[i] = stall_event(after + 1 + i);
    port_post(&H.g->port, &m->msg);
}

static uint64_t number_in(const char *body) {
    const char *n = strstr(body, "\"n\":");
    return n ? strtoull(n + 4, NULL, 10) : 0;
}

static void a_stalled_reader_loses_repeats_and_reorders_nothing(void **state) {
    (void)state;
    struct open_as as = {.topics = {"C1"}, .hello = "", .rcvbuf = 8192};
    struct deliveries seen = {0};
    open_conn(&A, &as);
    for (uint64_t seq = 1; seq <= STALL_EVENTS; seq++) {
        publish_event(stall_event(seq));
        if (seq % 200 == 0) on_gateway(look, &seen);
    }
    on_gateway(look, &seen);
    assert_true(seen.lagging);
    assert_true(seen.most <= 192 * 1024);
    for (uint64_t want = 1; want <= STALL_EVENTS; want++) {
        while (!has_data(&A, 0)) { /* the hub answers whenever it is asked */
            struct msg *m = next_mail_within(5);
            if (!m) continue;
            assert_int_equal(m->kind, MSG_REFILL);
            answer_refill(CONTAINER_OF(m, struct conn_msg, msg)->seq);
            free(m);
        }
        assert_true(get_frame(&A));
        assert_int_equal(number_in((char *)A.data), want);
        if (want % 100 == 0) on_gateway(look, &seen);
    }
    assert_true(seen.most <= 192 * 1024);
    on_gateway(look, &seen);
    assert_false(seen.lagging);
    publish_event(stall_event(STALL_EVENTS + 1));
    assert_true(get_frame(&A));
    assert_int_equal(number_in((char *)A.data), STALL_EVENTS + 1);
    hang_up(&A);
}

static void ephemera_are_dropped_before_anything_else(void **state) {
    (void)state;
    struct open_as as = {.topics = {"C1"}, .hello = "", .rcvbuf = 8192};
    struct deliveries seen = {0};
    uint32_t ephemeral = 0;
    open_conn(&A, &as);
    publish(0, "C1", "", "{\"typing\":1}");
    expect_text(&A, "{\"typing\":1}");
    for (uint64_t seq = 1; seq <= 195; seq++) {
        publish_event(stall_event(seq));
        publish(0, "C1", "", "{\"typing\":1}");
    }
    on_gateway(look, &seen);
    assert_false(seen.lagging);
    assert_true(atomic_load(&H.g->stats.dropped_ephemeral) > 0);
    for (uint64_t want = 1; want <= 195;) {
        assert_true(get_frame(&A));
        if (strstr((char *)A.data, "typing")) ephemeral++;
        else assert_int_equal(number_in((char *)A.data), want++);
    }
    assert_true(ephemeral < 195);
    hang_up(&A);
}

static uint64_t cursor_in(const char *body) {
    const char *n = strstr(body, "\"cursor\":\"1-");
    return n ? strtoull(n + 12, NULL, 16) : 0;
}

/* An answer that waits behind events which are dropped as the connection begins to lag. */
static void a_cursor_never_claims_what_was_dropped(void **state) {
    (void)state;
    enum { ACKED = 195 };
    struct open_as as = {.topics = {"C1"}, .hello = "", .rcvbuf = 8192};
    struct deliveries seen = {0};
    bool acked = false;
    open_conn(&A, &as);
    send_text(&A, "{}");
    struct call *c = CONTAINER_OF(next_mail(MSG_CALL), struct call, msg);
    for (uint64_t seq = 1; seq <= STALL_EVENTS; seq++) {
        publish_event(stall_event(seq));
        if (seq != ACKED) continue;
        c->msg.kind = MSG_ANSWER;
        c->out.seq = ACKED;
        c->out.body = TAUT_LIT("{\"ok\":true}");
        port_post(&H.g->port, &c->msg);
    }
    on_gateway(look, &seen);
    assert_true(seen.lagging);
    for (uint64_t want = 1; want <= 300;) {
        while (!has_data(&A, 0)) {
            struct msg *m = next_mail_within(5);
            if (!m) continue;
            answer_refill(CONTAINER_OF(m, struct conn_msg, msg)->seq);
            free(m);
        }
        assert_true(get_frame(&A));
        const char *body = (const char *)A.data;
        if (strncmp(body, "{\"ok\":true}", 11) == 0) {
            acked = true;
            assert_int_equal(strspn(body + 11, " "), strlen(body + 11)); /* blanks where the cursor stood */
            continue;
        }
        assert_int_equal(number_in(body), want);
        assert_int_equal(cursor_in(body), want++);
    }
    assert_true(acked);
    close(A.fd);
}

static void look_at_ring(struct gateway *g, void *arg) {
    struct conn *c = conn_find(g, A.id);
    *(uint32_t *)arg = c->ring_cap;
}

static void publish_together(uint64_t from, uint32_t n) {
    struct events_msg *m = make_events(MSG_EVENTS, n);
    for (uint32_t i = 0; i < n; i++) m->events[i] = make_event(from + i, 0, "C1", "", "{\"n\":1}");
    port_post(&H.g->port, &m->msg);
    for (uint32_t i = 0; i < n; i++) assert_true(get_frame(&A));
}

static void a_ring_of_usual_size_is_kept_and_a_large_one_freed(void **state) {
    (void)state;
    uint32_t cap;
    open_live(&A, "C1", 0);
    publish_together(1, 40);
    on_gateway(look_at_ring, &cap);
    assert_int_equal(cap, 64);
    publish_together(41, 100);
    on_gateway(look_at_ring, &cap);
    assert_int_equal(cap, 0);
    hang_up(&A);
}

/* ---- many changes, against a model ---- */

enum { PEERS = 6, CHANNELS = 4, STEPS = 3000, DUE_MAX = STEPS };

static struct peer {
    struct client client;
    bool is_on[CHANNELS];
    uint64_t due[DUE_MAX];
    uint32_t ndue;
} peers[PEERS];
static uint64_t position;

static void read_due(struct peer *p) {
    for (uint32_t i = 0; i < p->ndue; i++) {
        assert_true(get_frame(&p->client));
        assert_int_equal(number_in((char *)p->client.data), p->due[i]);
    }
    p->ndue = 0;
}

static void open_peer(struct peer *p, int i) {
    static char names[CHANNELS][16], own[PEERS][16];
    struct open_as as = {.as_of = position, .cursor = position, .position = position, .hello = ""};
    int n = 0;
    snprintf(own[i], sizeof own[i], "U%d", i);
    as.topics[n++] = own[i];
    for (int c = 0; c < CHANNELS; c++) {
        snprintf(names[c], sizeof names[c], "C%d", c);
        p->is_on[c] = rand() % 2;
        if (p->is_on[c]) as.topics[n++] = names[c];
    }
    open_conn(&p->client, &as);
}

/* Publishes on two channels, perhaps with somebody joining or leaving one. */
static void one_step(void) {
    int a = rand() % CHANNELS, b = rand() % CHANNELS, who = rand() % PEERS, channel = rand() % CHANNELS,
        how = rand() % 3;
    char topics[32], deltas[32] = "", body[32];
    position++;
    snprintf(topics, sizeof topics, "C%d C%d", a, b);
    snprintf(body, sizeof body, "{\"n\":%llu}", (unsigned long long)position);
    if (how) {
        snprintf(deltas, sizeof deltas, "%cU%d C%d", how == 1 ? '+' : '-', who, channel);
        peers[who].is_on[channel] = how == 1;
    }
    for (int i = 0; i < PEERS; i++)
        if (peers[i].is_on[a] || peers[i].is_on[b]) peers[i].due[peers[i].ndue++] = position;
    publish(position, topics, deltas, body);
}

static void topics_stay_right_while_people_come_go_join_and_leave(void **state) {
    (void)state;
    srand(7);
    position = 0;
    for (int i = 0; i < PEERS; i++) open_peer(&peers[i], i);
    for (int step = 0; step < STEPS; step++) {
        one_step();
        if (step % 50) continue;
        int i = rand() % PEERS;
        read_due(&peers[i]);
        hang_up(&peers[i].client);
        open_peer(&peers[i], i);
    }
    for (int i = 0; i < PEERS; i++) {
        read_due(&peers[i]);
        expect_silence(&peers[i].client);
        hang_up(&peers[i].client);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(an_event_reaches_those_on_its_topic_with_a_cursor),
        T(an_event_on_several_topics_comes_once_and_never_to_its_sender),
        T(who_joins_sees_the_event_and_who_leaves_does_not),
        T(a_closing_delta_closes_after_what_is_queued),
        T(events_older_than_the_membership_are_not_seen),
        T(a_resumed_connection_catches_up_in_pieces_and_turns_live),
        T(a_refill_beyond_the_position_waits_for_the_live_stream),
        T(changes_between_the_snapshot_and_the_position_are_applied_at_attach),
        T(a_snapshot_newer_than_the_stream_is_not_changed_by_older_deltas),
        T(a_gap_closes_with_1013),
        T(a_jump_in_the_stream_is_read_from_the_log),
        T(a_stalled_reader_loses_repeats_and_reorders_nothing),
        T(ephemera_are_dropped_before_anything_else),
        T(a_cursor_never_claims_what_was_dropped),
        T(a_ring_of_usual_size_is_kept_and_a_large_one_freed),
        T(topics_stay_right_while_people_come_go_join_and_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
