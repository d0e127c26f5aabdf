/* test_rtm.c - modules/rtm with a host and services of our own: a clock that we set, and services that answer as told.
 */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "taut/svc/conversation.h"
#include "taut/svc/directory.h"
#include "taut/taut.h"

/* ---- the world of the module ---- */

static struct {
    const struct taut_module *def;
    struct taut_mod mod;
    int64_t now_us;
    uint32_t live; /* what token_live says */
    int32_t topics_result, post_result;
    const char *post_error;
    struct arena arena;
    struct taut_json answer;
    struct taut_call call;
    enum { NOTHING, DONE, COMMITTED, ACCEPTED, REJECTED } outcome;
    void *state; /* of the accepted connection */
    uint32_t ntopics;
    struct taut_topic last_topic;
    taut_str rejected_with;
    uint32_t published, posted;
    taut_str published_body;
} w;

static void *host_alloc(struct taut_mod *m, size_t n) {
    return (void)m, malloc(n);
}
static void host_free(struct taut_mod *m, void *p) {
    (void)m, free(p);
}
static int64_t host_mono(struct taut_mod *m) {
    return (void)m, w.now_us;
}
static void host_random(struct taut_mod *m, void *p, size_t n) {
    (void)m, random_bytes(p, n);
}
static void host_measure(struct taut_mod *m, uint32_t metric, uint32_t label, int64_t n) {
    (void)m, (void)metric, (void)label, (void)n;
}
static const struct taut_server_info *host_info(struct taut_mod *m) {
    static struct taut_server_info info = {.rate_limits = 1};
    (void)m;
    info.socket_url = TAUT_LIT("ws://127.0.0.1:8065");
    return &info;
}
static void *host_scratch(struct taut_call *c, size_t n) {
    return (void)c, arena_zalloc(&w.arena, n);
}
static struct taut_json *host_json(struct taut_call *c) {
    struct taut_json *j = host_scratch(c, sizeof *j);
    arena_json(&w.arena, j);
    return j;
}
static struct taut_json *host_answer(struct taut_call *c) {
    (void)c;
    arena_json(&w.arena, &w.answer);
    taut_json_open(&w.answer, '{');
    return &w.answer;
}
static int32_t host_fail(struct taut_call *c, const char *error, taut_str message) {
    (void)message;
    c->failed = taut_str_z(error);
    return TAUT_E_FAILED;
}
static int32_t host_done(struct taut_call *c) {
    (void)c;
    if (w.answer.ptr) taut_json_close(&w.answer, '}');
    w.outcome = DONE;
    return TAUT_OK;
}
static void host_at_end(struct taut_mod *m, struct taut_call *c, taut_fn fn, void *arg) {
    if (c->run == 0) fn(m, arg); /* once a call */
}
static int32_t host_commit(struct taut_call *c, struct taut_batch *b) {
    (void)b;
    host_done(c);
    w.outcome = COMMITTED;
    return TAUT_OK;
}
static int32_t host_accept(struct taut_call *c, const struct taut_accept *a) {
    (void)c;
    w.outcome = ACCEPTED;
    w.state = a->state;
    w.ntopics = a->ntopics;
    w.last_topic = a->topics[a->ntopics - 1];
    w.last_topic.name = arena_str(&w.arena, w.last_topic.name);
    return TAUT_OK;
}
static int32_t host_reject(struct taut_call *c, taut_str last_frame, uint32_t close_code) {
    (void)c;
    assert_int_equal(close_code, 1008);
    w.outcome = REJECTED;
    w.rejected_with = arena_str(&w.arena, last_frame);
    return TAUT_OK;
}
static struct taut_batch *host_batch(struct taut_call *c) {
    return (void)c, NULL;
}
static void host_publish(struct taut_mod *m, taut_str workspace, const struct taut_event *e) {
    (void)m, (void)workspace;
    assert_int_equal(e->skip, w.call.conn);
    w.published++;
    w.published_body = arena_str(&w.arena, e->body);
}

static int32_t find_workspace(void *self, struct taut_call *c, taut_str id, const struct taut_workspace **out) {
    static struct taut_workspace ws;
    (void)self, (void)c;
    ws = (struct taut_workspace){.id = id, .name = TAUT_LIT("Acme"), .domain = TAUT_LIT("acme")};
    *out = &ws;
    return TAUT_OK;
}
static int32_t find_user(void *self, struct taut_call *c, taut_str workspace, taut_str id,
                         const struct taut_user **out) {
    static struct taut_user user;
    (void)self, (void)c, (void)workspace;
    user = (struct taut_user){.id = id, .name = TAUT_LIT("ada")};
    *out = &user;
    return TAUT_OK;
}
static int32_t token_live(void *self, struct taut_call *c, taut_str workspace, taut_str token_id, uint32_t *live) {
    (void)self, (void)c, (void)workspace;
    assert_true(taut_str_is(token_id, "K1"));
    *live = w.live;
    return TAUT_OK;
}
static int32_t topics(void *self, struct taut_call *c, taut_str workspace, taut_str user, const struct taut_topic **out,
                      uint32_t *n, uint64_t *as_of) {
    static struct taut_topic list[2];
    (void)self, (void)c, (void)workspace;
    list[0] = (struct taut_topic){TAUT_LIT("C1"), 3};
    list[1] = (struct taut_topic){user, 0};
    *out = list, *n = 2, *as_of = 9;
    return w.topics_result;
}
static int32_t channel(void *self, struct taut_call *c, taut_str id, const struct taut_channel **out) {
    static struct taut_channel ch;
    (void)self;
    if (id.len == 0 || id.ptr[0] != 'C') return taut_fail(c, "channel_not_found");
    ch = (struct taut_channel){.id = id};
    *out = &ch;
    return TAUT_OK;
}
static int32_t may(void *self, struct taut_call *c, uint32_t action, const struct taut_channel *ch, taut_str author,
                   struct taut_batch *b) {
    (void)self, (void)ch, (void)author, (void)b;
    assert_int_equal(action, TAUT_ACT_TYPE);
    return w.post_error ? taut_fail(c, w.post_error) : TAUT_OK;
}
static int32_t post(void *self, struct taut_call *c, struct taut_batch *b, const struct taut_new_message *in,
                    struct taut_posted *out) {
    (void)self, (void)b;
    if (w.post_error) return taut_fail(c, w.post_error);
    if (w.post_result < 0) return w.post_result;
    assert_int_equal(in->skip, c->conn);
    w.posted++;
    *out = (struct taut_posted){.channel = in->channel, .ts = TAUT_LIT("1.000001"), .text = in->text};
    return TAUT_OK;
}

static const struct taut_directory_v1 directory = {
    .size = sizeof directory, .workspace = find_workspace, .user = find_user, .token_live = token_live};
static const struct taut_conversation_v1 conversation = {
    .size = sizeof conversation, .channel = channel, .may = may, .post = post, .topics = topics};

static const struct taut_svc *host_svc(struct taut_mod *m, const char *family, uint32_t major, const void *down) {
    static const struct taut_svc d = {sizeof d, 1, &directory, NULL, 1}, k = {sizeof k, 1, &conversation, NULL, 1};
    (void)m, (void)major, (void)down;
    return strcmp(family, "directory") == 0 ? &d : &k;
}

static const struct taut_host host = {
    .size = sizeof host,
    .alloc = host_alloc,
    .free = host_free,
    .mono_us = host_mono,
    .random = host_random,
    .measure = host_measure,
    .info = host_info,
    .scratch = host_scratch,
    .json = host_json,
    .answer = host_answer,
    .fail_with = host_fail,
    .done = host_done,
    .at_end = host_at_end,
    .commit = host_commit,
    .accept = host_accept,
    .reject = host_reject,
    .batch = host_batch,
    .publish = host_publish,
    .svc_get = host_svc,
};

/* ---- what a test does ---- */

static struct {
    int64_t ticket_lifetime, messages_per_second; /* as the module's options struct */
} config = {30000, 0};

static struct taut_actor actor = {.size = sizeof actor, .workspace = {"T1", 2}, .user = {"U1", 2}, .token = {"K1", 2}};

static int setup(void **state) {
    (void)state;
    void *dl = dlopen(TAUT_MODULE_DIR "/rtm.so", RTLD_NOW | RTLD_LOCAL);
    assert_non_null(dl);
    memset(&w, 0, sizeof w);
    w.def = dlsym(dl, "taut_module");
    w.live = 1;
    w.now_us = 1000000;
    w.mod = (struct taut_mod){.host = &host, .config = &config, .name = "rtm"};
    config.messages_per_second = 0;
    assert_int_equal(w.def->init(&w.mod), TAUT_OK);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    w.def->fini(&w.mod);
    arena_free(&w.arena);
    return 0;
}

static const struct taut_socket_route *route(void) {
    return TAUT_AT(w.def->sockets, struct taut_socket_route, 0);
}

static void new_call(uint32_t kind, taut_str text) {
    w.call = (struct taut_call){.mod = &w.mod, .actor = &actor, .kind = kind, .conn = 77, .text = text, .arg = w.state};
    w.answer = (struct taut_json){0};
    w.outcome = NOTHING;
}

/* Calls rtm.connect; the ticket is the last 64 characters of its URL. */
static taut_str connect_ticket(void) {
    new_call(TAUT_CALL_METHOD, taut_str_n("", 0));
    assert_int_equal(TAUT_AT(w.def->methods, struct taut_method, 0)->run(&w.mod, &w.call), TAUT_OK);
    taut_str out = taut_json_out(&w.answer), head = TAUT_LIT("{\"url\":\"ws://127.0.0.1:8065/rtm/");
    assert_memory_equal(out.ptr, head.ptr, head.len);
    return taut_str_n(out.ptr + head.len, 64);
}

static int open_with(taut_str ticket) {
    new_call(TAUT_CALL_OPEN, ticket);
    w.call.actor = NULL;
    assert_int_equal(route()->open(&w.mod, &w.call), TAUT_OK);
    return w.outcome == ACCEPTED;
}
static void close_it(void) {
    route()->close(&w.mod, 77, w.state);
    w.state = NULL;
}

/* What a frame is answered; empty: nothing. */
static const char *frame(const char *text) {
    new_call(TAUT_CALL_FRAME, taut_str_z(text));
    assert_int_equal(route()->frame(&w.mod, &w.call), TAUT_OK);
    return arena_str(&w.arena, taut_json_out(&w.answer)).ptr;
}

/* ---- tickets ---- */

static void a_ticket_opens_one_socket(void **state) {
    (void)state;
    taut_str ticket = connect_ticket();
    assert_true(open_with(ticket));
    close_it();
    assert_false(open_with(ticket));
    assert_string_equal(w.rejected_with.ptr,
                        "{\"type\":\"error\",\"error\":{\"code\":1,\"msg\":\"Socket URL has expired\"}}");
}

static void a_socket_is_on_its_tokens_topic_from_the_start(void **state) {
    (void)state;
    assert_true(open_with(connect_ticket()));
    assert_int_equal(w.ntopics, 3);
    assert_true(taut_str_is(w.last_topic.name, "K1"));
    assert_int_equal(w.last_topic.since_seq, 0);
    close_it();
}

static void a_run_that_waits_for_rows_keeps_the_ticket(void **state) {
    (void)state;
    taut_str ticket = connect_ticket();
    w.topics_result = TAUT_E_AGAIN;
    new_call(TAUT_CALL_OPEN, ticket);
    assert_int_equal(route()->open(&w.mod, &w.call), TAUT_E_AGAIN);
    w.topics_result = TAUT_OK;
    assert_true(open_with(ticket));
    close_it();
}

static void a_ticket_expires(void **state) {
    (void)state;
    taut_str early = connect_ticket(), late = connect_ticket();
    w.now_us += 29999999;
    assert_true(open_with(early));
    close_it();
    w.now_us += 1;
    assert_false(open_with(late));
}

static void a_ticket_of_a_revoked_token_opens_nothing(void **state) {
    (void)state;
    taut_str ticket = connect_ticket();
    w.live = 0;
    assert_false(open_with(ticket));
}

static void what_is_no_ticket_opens_nothing(void **state) {
    (void)state;
    char zeros[65] = "0000000000000000000000000000000000000000000000000000000000000000";
    assert_false(open_with(taut_str_z("")));
    assert_false(open_with(taut_str_z(zeros)));
    taut_str ticket = connect_ticket();
    assert_false(open_with(taut_str_n(ticket.ptr, 63)));
    assert_true(open_with(ticket));
    close_it();
}

/* The same for one of many users. */
static taut_str connect_as(int i) {
    char name[12];
    snprintf(name, sizeof name, "V%d", i);
    actor.user = taut_str_z(name);
    taut_str ticket = connect_ticket();
    actor.user = TAUT_LIT("U1");
    return ticket;
}

static void the_table_is_bounded_and_the_oldest_ticket_goes(void **state) {
    (void)state;
    enum { MAX = 100000, OF_USER = 32 };
    taut_str first = connect_ticket(), second = connect_ticket(), used = connect_ticket();
    assert_true(open_with(used));
    close_it();
    for (int i = 0; i < MAX - 1; i++) connect_as(i / OF_USER);
    assert_false(open_with(first));
    assert_true(open_with(second));
    close_it();
}

static void nobody_pushes_out_the_tickets_of_another(void **state) {
    (void)state;
    taut_str mine = connect_ticket(), first = connect_as(1), second = connect_as(1), last = second;
    for (int i = 0; i < 31; i++) last = connect_as(1);
    assert_false(open_with(first)); /* the 33rd took its place */
    for (int i = 0; i < 200000; i++) last = connect_as(1);
    assert_false(open_with(second));
    assert_true(open_with(mine));
    close_it();
    assert_true(open_with(last));
    close_it();
}

/* ---- frames ---- */

static void a_message_is_acknowledged_as_it_is_stored(void **state) {
    (void)state;
    assert_true(open_with(connect_ticket()));
    assert_string_equal(frame("{\"id\":1,\"type\":\"message\",\"channel\":\"C1\",\"text\":\"hi\"}"),
                        "{\"ok\":true,\"reply_to\":1,\"ts\":\"1.000001\",\"text\":\"hi\"}");
    assert_int_equal(w.outcome, COMMITTED);
    assert_string_equal(frame("{\"type\":\"message\",\"channel\":\"C1\",\"text\":\"no id\"}"),
                        "{\"ok\":true,\"ts\":\"1.000001\",\"text\":\"no id\"}");
    close_it();
}

static void a_refusal_of_a_service_is_answered_in_rtm_form(void **state) {
    (void)state;
    assert_true(open_with(connect_ticket()));
    const char *message = "{\"id\":4,\"type\":\"message\",\"channel\":\"C1\",\"text\":\"hi\"}";
    w.post_error = "not_in_channel";
    assert_string_equal(frame(message),
                        "{\"ok\":false,\"reply_to\":4,\"error\":{\"code\":6,\"msg\":\"not a member of this "
                        "channel\"}}");
    w.post_error = "some_new_error";
    assert_string_equal(frame(message),
                        "{\"ok\":false,\"reply_to\":4,\"error\":{\"code\":99,\"msg\":\"some_new_error\"}}");
    w.post_error = NULL;
    w.post_result = TAUT_E_UNAVAILABLE; /* not the module's to answer */
    new_call(TAUT_CALL_FRAME, taut_str_z(message));
    assert_int_equal(route()->frame(&w.mod, &w.call), TAUT_E_UNAVAILABLE);
    close_it();
}

static void a_flood_is_told_to_slow_down_and_recovers(void **state) {
    (void)state;
    config.messages_per_second = 2;
    assert_true(open_with(connect_ticket()));
    const char *message = "{\"id\":1,\"type\":\"message\",\"channel\":\"C1\",\"text\":\"hi\"}";
    for (int i = 0; i < 20; i++) frame(message);
    assert_int_equal(w.posted, 20);
    assert_string_equal(frame(message),
                        "{\"ok\":false,\"reply_to\":1,\"error\":{\"code\":-1,\"msg\":\"slow down, too many "
                        "messages...\"}}");
    w.now_us += 500000;
    frame(message);
    assert_int_equal(w.posted, 21);
    w.now_us += 3600000000;
    for (int i = 0; i < 25; i++) frame(message);
    assert_int_equal(w.posted, 41);
    close_it();
}

static void a_run_again_is_not_charged(void **state) {
    (void)state;
    config.messages_per_second = 1;
    assert_true(open_with(connect_ticket()));
    for (uint32_t i = 0; i < 50; i++) {
        new_call(TAUT_CALL_FRAME, taut_str_z("{\"id\":1,\"type\":\"message\",\"channel\":\"C1\",\"text\":\"hi\"}"));
        w.call.run = i;
        assert_int_equal(route()->frame(&w.mod, &w.call), TAUT_OK);
    }
    assert_int_equal(w.posted, 50);
    close_it();
}

static void typing_is_published_once_in_three_seconds_for_each_channel(void **state) {
    (void)state;
    assert_true(open_with(connect_ticket()));
    assert_string_equal(frame("{\"id\":1,\"type\":\"typing\",\"channel\":\"C1\"}"), "");
    assert_string_equal(w.published_body.ptr, "{\"type\":\"user_typing\",\"channel\":\"C1\",\"user\":\"U1\"}");
    frame("{\"id\":2,\"type\":\"typing\",\"channel\":\"C1\"}");
    assert_int_equal(w.published, 1);
    frame("{\"id\":3,\"type\":\"typing\",\"channel\":\"C2\",\"thread_ts\":\"1.2\"}");
    assert_int_equal(w.published, 2);
    w.now_us += 3000000;
    frame("{\"id\":4,\"type\":\"typing\",\"channel\":\"C1\"}");
    assert_int_equal(w.published, 3);
    assert_string_equal(frame("{\"id\":5,\"type\":\"typing\",\"channel\":\"X\"}"),
                        "{\"ok\":false,\"reply_to\":5,\"error\":{\"code\":5,\"msg\":\"channel not found\"}}");
    w.post_error = "not_in_channel";
    w.now_us += 3000000;
    frame("{\"id\":6,\"type\":\"typing\",\"channel\":\"C1\"}");
    assert_int_equal(w.published, 3);
    close_it();
}

static void typing_passes_on_no_text_of_the_client(void **state) {
    static const char *const bad[] = {"1", ".5", "5.", "1.2.3", "1.2x", "", "1234567890123.1234567", "<b>"};
    char text[128];
    (void)state;
    assert_true(open_with(connect_ticket()));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(text, sizeof text, "{\"id\":1,\"type\":\"typing\",\"channel\":\"C1\",\"thread_ts\":\"%s\"}", bad[i]);
        w.now_us += 3000000;
        frame(text);
        assert_string_equal(w.published_body.ptr, "{\"type\":\"user_typing\",\"channel\":\"C1\",\"user\":\"U1\"}");
    }
    w.now_us += 3000000;
    frame("{\"id\":1,\"type\":\"typing\",\"channel\":\"C1\",\"thread_ts\":\"1512085950.000216\"}");
    assert_string_equal(w.published_body.ptr, "{\"type\":\"user_typing\",\"channel\":\"C1\",\"user\":\"U1\","
                                              "\"thread_ts\":\"1512085950.000216\"}");
    close_it();
}

static void a_ping_is_echoed(void **state) {
    (void)state;
    assert_true(open_with(connect_ticket()));
    assert_string_equal(
        frame("{\"type\":\"ping\",\"id\":9,\"timestamp\":123,\"x\":[1,\"\xc3\xbc\"],\"cursor\":\"mine\"}"),
        "{\"type\":\"pong\",\"reply_to\":9,\"timestamp\":123,\"x\":[1,\"\xc3\xbc\"]}");
    close_it();
}

static void what_is_no_frame_is_an_error(void **state) {
    static const struct {
        const char *text, *answer;
    } cases[] = {
        {"{", "{\"type\":\"error\",\"error\":{\"code\":3,\"msg\":\"frame is not valid JSON (byte 1)\"}}"},
        {"", "{\"type\":\"error\",\"error\":{\"code\":3,\"msg\":\"frame is not valid JSON (byte 0)\"}}"},
        {"[1]", "{\"type\":\"error\",\"error\":{\"code\":3,\"msg\":\"frame is not a JSON object\"}}"},
        {"{\"type\":\"ping\",\"type\":\"ping\"}",
         "{\"type\":\"error\",\"error\":{\"code\":3,\"msg\":\"frame is not valid JSON (byte 21)\"}}"},
        {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
         "{\"type\":\"error\",\"error\":{\"code\":3,\"msg\":\"frame is nested deeper than "
         "32\"}}"},
        {"{\"id\":1,\"type\":\"nope\"}",
         "{\"ok\":false,\"reply_to\":1,\"error\":{\"code\":1,\"msg\":\"unknown type: nope\"}}"},
        {"{\"id\":2}", "{\"ok\":false,\"reply_to\":2,\"error\":{\"code\":1,\"msg\":\"type is missing\"}}"},
        {"{\"id\":\"3\",\"type\":\"message\",\"channel\":\"C1\"}",
         "{\"ok\":false,\"error\":{\"code\":2,\"msg\":\"message text is missing\"}}"},
        {"{\"id\":4,\"type\":\"presence_sub\",\"ids\":[]}", ""},
    };
    (void)state;
    assert_true(open_with(connect_ticket()));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(frame(cases[i].text), cases[i].answer);
    char *big = malloc(16386);
    memset(big, ' ', 16385);
    big[16385] = 0;
    assert_string_equal(frame(big),
                        "{\"type\":\"error\",\"error\":{\"code\":3,\"msg\":\"frame is longer than 16384 bytes\"}}");
    free(big);
    close_it();
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_ticket_opens_one_socket),
        CASE(a_socket_is_on_its_tokens_topic_from_the_start),
        CASE(a_run_that_waits_for_rows_keeps_the_ticket),
        CASE(a_ticket_expires),
        CASE(a_ticket_of_a_revoked_token_opens_nothing),
        CASE(what_is_no_ticket_opens_nothing),
        CASE(the_table_is_bounded_and_the_oldest_ticket_goes),
        CASE(nobody_pushes_out_the_tickets_of_another),
        CASE(a_message_is_acknowledged_as_it_is_stored),
        CASE(a_refusal_of_a_service_is_answered_in_rtm_form),
        CASE(a_flood_is_told_to_slow_down_and_recovers),
        CASE(a_run_again_is_not_charged),
        CASE(typing_is_published_once_in_three_seconds_for_each_channel),
        CASE(typing_passes_on_no_text_of_the_client),
        CASE(a_ping_is_echoed),
        CASE(what_is_no_frame_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
