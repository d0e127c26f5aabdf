/* test_ws.c - a WebSocket from opening to closing: frames in and answers, hostile frames, pings, slow and silent peers.
 */
#include "ws_harness.h"

static int setup(void **state) {
    (void)state;
    harness_start(256 * 1024);
    return 0;
}
static int setup_large_queue(void **state) {
    (void)state;
    harness_start(16 * 1024 * 1024);
    return 0;
}
static int teardown(void **state) {
    (void)state;
    harness_stop();
    return 0;
}

static struct client A;

static void open_plain(struct client *c) {
    struct open_as as = {.topics = {"C1"}, .as_of = 9, .cursor = 9, .position = 9, .hello = ""};
    open_conn(c, &as);
}

static struct call *expect_frame(const char *text) {
    struct call *c = CONTAINER_OF(next_mail(MSG_CALL), struct call, msg);
    assert_int_equal(c->pub.kind, TAUT_CALL_FRAME);
    assert_true(c->pub.conn == A.id);
    assert_true(taut_str_is(c->pub.text, text));
    return c;
}
static void answer(struct call *c, const char *body, uint64_t seq) {
    c->msg.kind = MSG_ANSWER;
    c->out.body = arena_str(&c->arena, taut_str_z(body));
    c->out.seq = seq;
    port_post(&H.g->port, &c->msg);
}

static void a_text_frame_is_a_call_and_its_answer_a_frame(void **state) {
    (void)state;
    open_plain(&A);
    send_text(&A, "{\"id\":1}");
    answer(expect_frame("{\"id\":1}"), "{\"reply_to\":1}", 0);
    expect_text(&A, "{\"reply_to\":1}");
    post_text(MSG_SEND, A.id, 0, "{\"sent\":1}");
    expect_text(&A, "{\"sent\":1}");
    hang_up(&A);
}

static void an_answer_has_a_cursor_only_when_all_before_it_was_queued(void **state) {
    (void)state;
    open_plain(&A);
    send_text(&A, "1");
    struct call *c = expect_frame("1");
    publish_event(make_event(10, A.id, "C1", "", "{\"mine\":1}"));
    publish(11, "C1", "", "{\"n\":11}");
    answer(c, "{\"ok\":1}", 10);
    expect_text(&A, "{\"n\":11,\"cursor\":\"1-b\"}");
    expect_text(&A, "{\"ok\":1,\"cursor\":\"1-b\"}"); /* never goes back */
    send_text(&A, "2");
    answer(expect_frame("2"), "{\"ok\":2}", 12); /* overtook its event */
    expect_text(&A, "{\"ok\":2}");
    hang_up(&A);
}

static void an_early_answer_is_the_only_one(void **state) {
    (void)state;
    open_plain(&A);
    send_text(&A, "1");
    struct call *c = expect_frame("1");
    static const char body[] = "{\"error\":\"timeout\"}";
    struct early_msg *m = xcalloc(1, sizeof *m + sizeof body);
    m->msg.kind = MSG_EARLY;
    m->conn = A.id;
    memcpy(m + 1, body, sizeof body);
    m->body = taut_str_n((char *)(m + 1), sizeof body - 1);
    port_post(&H.g->port, &m->msg);
    c->out.sent = true;
    answer(c, "{\"late\":1}", 0);
    expect_text(&A, body);
    expect_silence(&A);
    hang_up(&A);
}

static void fragments_are_put_together_around_control_frames(void **state) {
    (void)state;
    static char big[16 * 1024 + 1];
    open_plain(&A);
    send_raw(&A, OP_TEXT, true, "ab", 2);
    send_raw(&A, 0x80 | OP_PING, true, "hello", 5);
    send_raw(&A, OP_CONT, true, "", 0);
    send_raw(&A, 0x80 | OP_CONT, true, "c\xc3\xa9", 3);
    answer(expect_frame("abc\xc3\xa9"), "{}", 0);
    bool pong = false, text = false;
    while (!pong || !text) {
        assert_true(get_frame(&A));
        if (A.opcode == OP_PONG) pong = strcmp((char *)A.data, "hello") == 0;
        else text = true;
    }
    memset(big, 'x', sizeof big - 1);
    send_raw(&A, 0x80 | OP_TEXT, true, big, sizeof big - 1); /* just fits */
    answer(expect_frame(big), "{\"big\":1}", 0);
    expect_text(&A, "{\"big\":1}");
    send_text(&A, "");
    answer(expect_frame(""), "{\"empty\":1}", 0);
    expect_text(&A, "{\"empty\":1}");
    hang_up(&A);
}

/* Whatever has been sent before: a peer may answer with any bytes, and some do. */
static void pings_are_text_and_pongs_may_be_anything(void **state) {
    (void)state;
    open_plain(&A);
    send_text(&A, "1");
    answer(expect_frame("1"), "{}", 0);
    expect_text(&A, "{}");
    ticks(10);
    assert_true(get_frame(&A));
    assert_int_equal(A.opcode, OP_PING);
    assert_int_equal(A.len, 16);
    assert_int_equal(strspn((char *)A.data, "0123456789abcdef"), 16);
    send_raw(&A, OP_TEXT, true, "\xc3", 1); /* half a character … */
    send_raw(&A, 0x80 | OP_PONG, true, "\xff\0\xfe", 3);
    send_raw(&A, 0x80 | OP_CONT, true, "\xa9", 1); /* … and its other half */
    answer(expect_frame("\xc3\xa9"), "{\"n\":2}", 0);
    expect_text(&A, "{\"n\":2}");
    hang_up(&A);
}

static void text_is_judged_as_a_whole_message(void **state) {
    (void)state;
    open_plain(&A);
    send_raw(&A, OP_TEXT, true, "\xc3", 1);
    send_raw(&A, 0x80 | OP_CONT, true, "x", 1);
    expect_close(&A, 1007);
    expect_closed(A.id);
    close(A.fd);
}

static void what_comes_behind_the_request_is_read(void **state) {
    (void)state;
    unsigned char behind[64];
    struct open_as as = {.topics = {"C1"}, .hello = "{}", .behind = behind};
    as.nbehind = put_frame(behind, 0x80 | OP_TEXT, true, "first", 5);
    as.nbehind += put_frame(behind + as.nbehind, 0x80 | OP_TEXT, true, "second", 6);
    open_conn(&A, &as);
    expect_text(&A, "{\"cursor\":\"1-0\"}");
    answer(expect_frame("first"), "{\"n\":1}", 0);
    answer(expect_frame("second"), "{\"n\":2}", 0);
    expect_text(&A, "{\"n\":1}");
    expect_text(&A, "{\"n\":2}");
    hang_up(&A);
}

static void a_bad_frame_behind_the_request_ends_it(void **state) {
    (void)state;
    unsigned char behind[64];
    struct open_as as = {.topics = {"C1"}, .hello = "{}", .behind = behind};
    as.nbehind = put_frame(behind, 0xf1, true, "x", 1);
    open_conn(&A, &as);
    expect_closed(A.id);
    close(A.fd);
}

static void hostile_frames_are_refused(void **state) {
    (void)state;
    static char big[16 * 1024 + 1];
    memset(big, 'x', sizeof big);
    static const struct {
        unsigned char first;
        const char *data;
        size_t len;
        int code;
    } cases[] = {
        {0x80 | OP_BINARY, "\1\2", 2, 1003},
        {0x80 | OP_TEXT, big, sizeof big, 1009},
        {0x80 | OP_TEXT, "\xff\xfe", 2, 1007},
        {0x80 | OP_TEXT, "\xc3", 1, 1007},         /* ends in the middle of a character */
        {0x80 | OP_TEXT, "\xed\xa0\x80", 3, 1007}, /* a surrogate */
        {0x80 | OP_TEXT, "{\0}", 3, 1007},
        {0xc0 | OP_TEXT, "x", 1, 1002}, /* compressed, which was not agreed on */
        {0x90 | OP_TEXT, "x", 1, 1002},
        {0x83, "x", 1, 1002},           /* no such opcode */
        {OP_PING, "x", 1, 1002},        /* control frames are not fragmented */
        {0x80 | OP_CONT, "x", 1, 1002}, /* of nothing */
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        open_plain(&A);
        send_raw(&A, cases[i].first, true, cases[i].data, cases[i].len);
        assert_true(get_frame(&A));
        assert_int_equal(A.opcode, OP_CLOSE);
        assert_int_equal(A.data[0] << 8 | A.data[1], cases[i].code);
        hang_up(&A);
    }
}

static void unmasked_frames_are_refused(void **state) {
    (void)state;
    static const unsigned char firsts[] = {0x80 | OP_TEXT, OP_TEXT, 0x80 | OP_PING, 0x80 | OP_PONG, 0x80 | OP_CLOSE};
    for (size_t i = 0; i < COUNT_OF(firsts); i++) {
        open_plain(&A);
        send_raw(&A, firsts[i], false, "\x03\xe8", 2);
        expect_close(&A, 1002);
        expect_closed(A.id);
        close(A.fd);
    }
    open_plain(&A);
    send_text(&A, "1"); /* not only the first frame is looked at */
    answer(expect_frame("1"), "{}", 0);
    send_raw(&A, 0x80 | OP_TEXT, false, "bare", 4);
    expect_text(&A, "{}");
    expect_close(&A, 1002);
    expect_closed(A.id);
    close(A.fd);
}

static size_t put_pings(unsigned char *out, int from, int n) {
    size_t len = 0;
    for (int i = from; i < from + n; i++) {
        char payload[16];
        len += put_frame(out + len, 0x80 | OP_PING, true, payload, (size_t)snprintf(payload, sizeof payload, "p%d", i));
    }
    return len;
}

static void every_ping_of_one_segment_is_answered(void **state) {
    (void)state;
    unsigned char out[256];
    open_plain(&A);
    size_t len = put_pings(out, 0, 4);
    len += put_frame(out + len, 0x80 | OP_PING, true, "\xff\0\r\n{", 5);
    len += put_frame(out + len, 0x80 | OP_PING, true, "", 0);
    write_all(A.fd, out, len);
    for (int i = 0; i < 4; i++) {
        char want[16];
        snprintf(want, sizeof want, "p%d", i);
        assert_true(get_frame(&A));
        assert_int_equal(A.opcode, OP_PONG);
        assert_string_equal((char *)A.data, want);
    }
    assert_true(get_frame(&A));
    assert_int_equal(A.len, 5);
    assert_memory_equal(A.data, "\xff\0\r\n{", 5);
    assert_true(get_frame(&A));
    assert_int_equal(A.opcode, OP_PONG);
    assert_int_equal(A.len, 0);
    hang_up(&A);
}

/* Of very many pings that come at once older ones may stay without an answer, but never the newest. */
static void of_a_flood_of_pings_the_newest_is_answered(void **state) {
    (void)state;
    static unsigned char out[1 << 16];
    int pongs = 0;
    open_plain(&A);
    size_t len = put_pings(out, 0, 3000);
    write_all(A.fd, out, len);
    do {
        assert_true(get_frame(&A));
        assert_int_equal(A.opcode, OP_PONG);
        pongs++;
    } while (strcmp((char *)A.data, "p2999") != 0);
    assert_true(pongs > 10);
    expect_silence(&A);
    hang_up(&A);
}

static void frames_may_come_byte_by_byte(void **state) {
    (void)state;
    static char text[301];
    unsigned char out[1024];
    memset(text, 'y', sizeof text - 1);
    open_plain(&A);
    size_t len = put_frame(out, OP_TEXT, true, text, 150);
    len += put_frame(out + len, 0x80 | OP_PING, true, "abc", 3);
    len += put_frame(out + len, 0x80 | OP_CONT, true, text + 150, 150);
    for (size_t i = 0; i < len; i++) {
        write_all(A.fd, out + i, 1);
        if (i % 8 == 0) usleep(200);
    }
    answer(expect_frame(text), "{\"n\":1}", 0);
    assert_true(get_frame(&A));
    assert_int_equal(A.opcode, OP_PONG);
    assert_string_equal((char *)A.data, "abc");
    expect_text(&A, "{\"n\":1}");
    hang_up(&A);
}

static void close_frames_are_answered_by_what_they_say(void **state) {
    (void)state;
    static const struct {
        const char *data;
        size_t len;
        int code;
    } cases[] = {
        {"", 0, 1000},         {"\x03\xe9 bye", 6, 1001}, {"\x0f\xa0", 2, 4000},
        {"\x03", 1, 1002},     {"\x03\xed", 2, 1002}, /* 1005 */
        {"\x03\xf7", 2, 1002},                        /* 1015 */
        {"\x00\x01", 2, 1002}, {"\x03\xe8\xff", 3, 1007},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        open_plain(&A);
        send_raw(&A, 0x80 | OP_CLOSE, true, cases[i].data, cases[i].len);
        assert_true(get_frame(&A));
        assert_int_equal(A.opcode, OP_CLOSE);
        assert_int_equal(A.data[0] << 8 | A.data[1], cases[i].code);
        assert_false(get_frame(&A));
        expect_closed(A.id);
        close(A.fd);
    }
}

static void a_length_of_64_bits_is_refused_before_it_comes(void **state) {
    (void)state;
    static const unsigned char head[] = {0x81, 0xff, 0x7f, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4};
    open_plain(&A);
    write_all(A.fd, head, sizeof head);
    expect_close(&A, 1009);
    expect_closed(A.id);
    close(A.fd);
}

static void a_length_in_more_bytes_than_it_needs_ends_it(void **state) {
    (void)state;
    static const unsigned char heads[][14] = {
        {0x81, 0xfe, 0, 125, 1, 2, 3, 4},
        {0x81, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1, 2, 3, 4},
        {0x81, 0xff, 0x80, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4}, /* the sign */
    };
    for (size_t i = 0; i < COUNT_OF(heads); i++) {
        open_plain(&A);
        write_all(A.fd, heads[i], i ? 14 : 8);
        expect_close(&A, 1002);
        expect_closed(A.id);
        close(A.fd);
    }
}

static void a_ping_larger_than_allowed_ends_it(void **state) {
    (void)state;
    char big[130] = {0};
    open_plain(&A);
    send_raw(&A, 0x80 | OP_PING, true, big, sizeof big);
    expect_closed(A.id);
    close(A.fd);
}

static void a_peer_that_closes_is_answered_and_the_hub_told_once(void **state) {
    (void)state;
    open_plain(&A);
    send_raw(&A, 0x80 | OP_CLOSE, true, "\x03\xe8", 2);
    assert_true(get_frame(&A));
    assert_int_equal(A.opcode, OP_CLOSE);
    assert_int_equal(A.data[0] << 8 | A.data[1], 1000);
    assert_false(get_frame(&A));
    expect_closed(A.id);
    close(A.fd);
    no_mail();
}

static void the_hub_closes_with_code_and_reason_after_what_is_queued(void **state) {
    (void)state;
    open_plain(&A);
    publish(10, "C1", "", "{\"n\":10}");
    post_text(MSG_CLOSE, A.id, 4001, "moved");
    publish(11, "C1", "", "{\"n\":11}");
    send_text(&A, "ignored");
    expect_text(&A, "{\"n\":10,\"cursor\":\"1-a\"}");
    assert_true(get_frame(&A));
    assert_int_equal(A.opcode, OP_CLOSE);
    assert_int_equal(A.data[0] << 8 | A.data[1], 4001);
    assert_string_equal((char *)A.data + 2, "moved");
    send_raw(&A, 0x80 | OP_CLOSE, true, A.data, 2);
    assert_false(get_frame(&A)); /* no second close frame */
    for (;;) {
        struct msg *m = next_mail_within(5000);
        assert_non_null(m);
        if (m->kind == MSG_CLOSED) {
            free(m);
            break;
        }
        call_put(&H.calls, CONTAINER_OF(m, struct call, msg)); /* "ignored" may have been faster */
    }
    close(A.fd);
}

static void a_rejected_socket_gets_its_last_frame_and_the_code(void **state) {
    (void)state;
    struct open_as as = {.rejected = true, .close_code = 4008, .hello = "{\"type\":\"error\"}"};
    open_conn(&A, &as);
    expect_text(&A, "{\"type\":\"error\"}");
    expect_close(&A, 4008);
    no_mail(); /* the hub never knew it */
    close(A.fd);
}

static void reading_pauses_at_64_unanswered_frames(void **state) {
    (void)state;
    struct call *calls[200];
    open_plain(&A);
    for (int i = 0; i < 200; i++) send_text(&A, "x");
    for (int i = 0; i < 64; i++) calls[i] = expect_frame("x");
    no_mail();
    for (int answered = 0, got = 64; answered < 200;) {
        for (int i = 0; i < 32 && answered < got; i++) answer(calls[answered++], "{}", 0);
        for (struct msg *m; got < 200 && got < answered + 64 && (m = next_mail_within(50)) != NULL; got++)
            calls[got] = CONTAINER_OF(m, struct call, msg);
    }
    for (int i = 0; i < 200; i++) expect_text(&A, "{}");
    hang_up(&A);
}

static void look_at_rest(struct gateway *g, void *arg) {
    const struct conn *c = conn_find(g, A.id);
    *(uint32_t *)arg = c->rest_len;
}

static void reading_pauses_at_64_kib_unanswered(void **state) {
    (void)state;
    uint32_t rest;
    static char big[16 * 1024 + 1];
    struct call *calls[12];
    memset(big, 'x', sizeof big - 1);
    open_plain(&A);
    for (int i = 0; i < 12; i++) send_text(&A, big);
    for (int i = 0; i < 4; i++) calls[i] = expect_frame(big);
    no_mail();
    on_gateway(look_at_rest, &rest);
    assert_true(rest <= 4096); /* one read: the others wait in the kernel */
    answer(calls[0], "{}", 0);
    no_mail();
    answer(calls[1], "{}", 0); /* half of them are answered */
    for (int i = 4; i < 6; i++) calls[i] = expect_frame(big);
    no_mail();
    for (int i = 2; i < 12; i += 2) {
        answer(calls[i], "{}", 0);
        answer(calls[i + 1], "{}", 0);
        for (int k = i + 4; k < i + 6 && k < 12; k++) calls[k] = expect_frame(big);
    }
    for (int i = 0; i < 12; i++) expect_text(&A, "{}");
    hang_up(&A);
}

/* ---- slow and silent peers ---- */

static void publish_fill(uint64_t seq) {
    static char body[2100];
    int n = snprintf(body, sizeof body, "{\"n\":%llu,\"fill\":\"", (unsigned long long)seq);
    memset(body + n, (int)('a' + seq % 26), 2000);
    memcpy(body + n + 2000, "\"}", 3);
    publish(seq, "C1", "", body);
}

static void partial_writes_and_control_frames_in_both_directions_keep_every_byte_in_order(void **state) {
    (void)state;
    struct open_as as = {.topics = {"C1"}, .hello = "", .rcvbuf = 4096};
    enum { EVENTS = 2000 };
    uint64_t want = 1;
    int pongs = 0, pings = 0, sent = 0;
    open_conn(&A, &as);
    for (uint64_t seq = 1; seq <= EVENTS; seq++) {
        publish_fill(seq);
        if (seq == 500) ticks(10); /* a ping of the server's */
    }
    while (want <= EVENTS) {
        if (want % 20 == 0 && sent < 80 && pongs == sent) {
            char payload[32];
            snprintf(payload, sizeof payload, "ping-%d", ++sent);
            send_raw(&A, 0x80 | OP_PING, true, payload, strlen(payload));
            ticks(1);
        }
        assert_true(get_frame(&A));
        if (A.opcode == OP_PONG) {
            char expected[32];
            snprintf(expected, sizeof expected, "ping-%d", ++pongs);
            assert_string_equal((char *)A.data, expected);
        } else if (A.opcode == OP_PING) {
            pings++;
            assert_int_equal(A.len, 16);
            send_raw(&A, 0x80 | OP_PONG, true, A.data, A.len);
        } else {
            char expected[64];
            int n = snprintf(expected, sizeof expected, "{\"n\":%llu,\"fill\":\"", (unsigned long long)want);
            assert_int_equal(A.opcode, OP_TEXT);
            assert_memory_equal(A.data, expected, (size_t)n);
            for (int i = 0; i < 2000; i++) assert_int_equal(A.data[n + i], 'a' + (int)(want % 26));
            n = snprintf(expected, sizeof expected, "\",\"cursor\":\"1-%llx\"}", (unsigned long long)want);
            assert_string_equal((char *)A.data + A.len - (size_t)n, expected);
            want++;
        }
    }
    assert_true(pongs > 2);
    assert_true(pings > 0);
    hang_up(&A);
}

static void a_peer_that_reads_slowly_stays_and_one_that_reads_nothing_is_let_go(void **state) {
    (void)state;
    struct open_as as = {.topics = {"C1"}, .hello = "", .rcvbuf = 4096};
    open_conn(&A, &as);
    for (uint64_t seq = 1; seq <= 1000; seq++) publish_fill(seq);
    for (int i = 0; i < 10; i++) {
        for (int k = 0; k < 20; k++) {
            assert_true(get_frame(&A));
            if (A.opcode == OP_PING) send_raw(&A, 0x80 | OP_PONG, true, A.data, A.len);
        }
        usleep(20000);
        ticks(12);
    }
    assert_int_equal(atomic_load(&H.g->stats.slow_closed), 0);
    no_mail();
    ticks(1);
    ticks(30);
    expect_closed(A.id);
    assert_int_equal(atomic_load(&H.g->stats.slow_closed), 1);
    while (get_frame(&A)) {
    }
    close(A.fd);
}

static void answers_that_nobody_reads_close_with_1013(void **state) {
    (void)state;
    struct open_as as = {.topics = {"C1"}, .hello = "", .rcvbuf = 4096};
    static char text[1001];
    int answers = 0;
    memset(text, 'x', sizeof text - 1);
    open_conn(&A, &as);
    for (int i = 0; i < 400; i++) post_text(MSG_SEND, A.id, 0, text);
    while (get_frame(&A) && A.opcode == OP_TEXT) answers++;
    assert_int_equal(A.opcode, OP_CLOSE);
    assert_int_equal(A.data[0] << 8 | A.data[1], 1013);
    assert_true(answers >= 64 && answers < 400); /* all before the close frame, in order */
    hang_up(&A);
}

static void a_peer_that_gives_no_sign_of_life_is_let_go(void **state) {
    (void)state;
    open_plain(&A);
    ticks(29);
    for (int i = 0; i < 2; i++) {
        assert_true(get_frame(&A));
        assert_int_equal(A.opcode, OP_PING);
        assert_int_equal(A.len, 16);
    }
    send_raw(&A, 0x80 | OP_PONG, true, A.data, A.len);
    usleep(50000);
    ticks(29); /* the pong has counted */
    no_mail();
    ticks(12);
    expect_closed(A.id);
    close(A.fd);
}

static void a_peer_that_does_not_answer_a_close_frame_is_cut_off(void **state) {
    (void)state;
    open_plain(&A);
    post_text(MSG_CLOSE, A.id, 1008, "");
    expect_closed(A.id);
    ticks(6);
    assert_true(get_frame(&A));
    assert_int_equal(A.opcode, OP_CLOSE);
    assert_false(get_frame(&A));
    close(A.fd);
}

static void stopping_closes_everybody_with_1001(void **state) {
    (void)state;
    static struct client c[5];
    harness_start(256 * 1024);
    for (int i = 0; i < 5; i++) open_plain(&c[i]);
    harness_ask_to_stop();
    for (int i = 0; i < 5; i++) {
        expect_close(&c[i], 1001);
        free(next_mail(MSG_CLOSED));
        close(c[i].fd);
    }
    harness_end();
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(a_text_frame_is_a_call_and_its_answer_a_frame),
        T(an_answer_has_a_cursor_only_when_all_before_it_was_queued),
        T(an_early_answer_is_the_only_one),
        T(fragments_are_put_together_around_control_frames),
        T(pings_are_text_and_pongs_may_be_anything),
        T(text_is_judged_as_a_whole_message),
        T(what_comes_behind_the_request_is_read),
        T(a_bad_frame_behind_the_request_ends_it),
        T(hostile_frames_are_refused),
        T(unmasked_frames_are_refused),
        T(every_ping_of_one_segment_is_answered),
        T(of_a_flood_of_pings_the_newest_is_answered),
        T(frames_may_come_byte_by_byte),
        T(close_frames_are_answered_by_what_they_say),
        T(a_length_of_64_bits_is_refused_before_it_comes),
        T(a_length_in_more_bytes_than_it_needs_ends_it),
        T(a_ping_larger_than_allowed_ends_it),
        T(a_peer_that_closes_is_answered_and_the_hub_told_once),
        T(the_hub_closes_with_code_and_reason_after_what_is_queued),
        T(a_rejected_socket_gets_its_last_frame_and_the_code),
        T(reading_pauses_at_64_unanswered_frames),
        T(reading_pauses_at_64_kib_unanswered),
        cmocka_unit_test_setup_teardown(partial_writes_and_control_frames_in_both_directions_keep_every_byte_in_order,
                                        setup_large_queue, teardown),
        cmocka_unit_test_setup_teardown(a_peer_that_reads_slowly_stays_and_one_that_reads_nothing_is_let_go,
                                        setup_large_queue, teardown),
        T(answers_that_nobody_reads_close_with_1013),
        T(a_peer_that_gives_no_sign_of_life_is_let_go),
        T(a_peer_that_does_not_answer_a_close_frame_is_cut_off),
        cmocka_unit_test(stopping_closes_everybody_with_1001),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
