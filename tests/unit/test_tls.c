/* test_tls.c - the TLS front door as a peer sees it: handshakes good and bad, both ends of a conversation, slow and
 * vanishing peers, reload, stopping. */
#include <signal.h>

#include "tls_harness.h"

#include "gateway/tls_front.h"

/* ---- conversations ---- */

static void a_request_over_tls_is_answered_as_without(void **state) {
    (void)state;
    struct tls t = tls_connect();
    tls_say(&t, GET("/api/echo?text=a+b&token=t"));
    tls_hear(&t, "}");
    assert_string_equal(got,
                        "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: 26\r\n\r\n"
                        "{\"text\":\"a b\",\"token\":\"t\"}");
    for (int i = 0; i < 50; i++) {
        tls_say(&t, GET("/api/echo?text=again"));
        tls_hear(&t, "}");
        heard("again");
    }
    tls_free(&t);
    becomes(&gateway_stats(g)->tls_connections, 0);
    becomes(&gateway_stats(g)->http_connections, 0);
}

static void a_request_may_come_in_records_of_one_byte(void **state) {
    (void)state;
    static const char request[] = GET("/api/echo?text=slowly");
    struct tls t = tls_connect();
    for (size_t i = 0; i < sizeof request - 1; i++) assert_int_equal(SSL_write(t.ssl, request + i, 1), 1);
    tls_hear(&t, "}");
    heard("slowly");
    tls_free(&t);
}

static void a_web_socket_opens_over_tls(void **state) {
    (void)state;
    struct tls t = tls_connect();
    tls_say(&t, "GET /rtm/abc?d=1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
    size_t n = tls_hear(&t, "d=1\"}");
    heard("HTTP/1.1 101 Switching Protocols\r\n");
    heard("{\"path\":\"abc\",\"query\":\"d=1\"}");
    assert_true(n > 0);
    tls_free(&t);
    becomes(&gateway_stats(g)->tls_connections, 0);
}

static void the_server_says_close_notify_before_it_closes(void **state) {
    (void)state;
    struct tls t = tls_connect();
    tls_say(&t, "GET /api/echo?text=bye HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    tls_hear(&t, "bye");
    heard("bye");
    while (SSL_pending(t.ssl)) tls_hear(&t, NULL);
    assert_true(tls_ended_well(&t));
    tls_free(&t);
}

static void who_has_said_all_still_hears_the_answer(void **state) {
    (void)state;
    struct tls t = tls_connect();
    tls_say(&t, GET("/api/hold?text=half"));
    wait_for(&hub.holding, 1);
    SSL_shutdown(t.ssl);
    shutdown(t.fd, SHUT_WR);
    usleep(50000);
    release();
    tls_hear(&t, "half\"");
    heard("half");
    tls_hear(&t, NULL);
    assert_int_equal(SSL_get_shutdown(t.ssl) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
    tls_free(&t);
    becomes(&gateway_stats(g)->tls_connections, 0);
}

static void a_large_answer_reaches_a_slow_reader_whole(void **state) {
    (void)state;
    static char buf[50000];
    struct tls t = tls_connect();
    int small = 131072;
    setsockopt(t.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    tls_say(&t, "GET /api/large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    size_t total = 0, wrong = 0;
    for (int n, i = 0; (n = SSL_read(t.ssl, buf, sizeof buf)) > 0; i++) {
        size_t from = total ? 0 : (size_t)(strstr(buf, "\r\n\r\n") + 4 - buf);
        for (size_t k = from; k < (size_t)n; k++) wrong += buf[k] != 'x';
        total += (size_t)n - from;
        if (i % 20 == 0) usleep(5000);
    }
    assert_int_equal(wrong, 0);
    assert_int_equal(total, 8 << 20);
    assert_int_equal(SSL_get_shutdown(t.ssl) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
    tls_free(&t);
}

static void a_file_of_the_disks_threads_goes_through_too(void **state) {
    (void)state;
    static char buf[65536];
    struct tls t = tls_connect();
    size_t total = 0, head = 0;
    tls_say(&t, "GET /page?file HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    for (int n, i = 0; (n = SSL_read(t.ssl, buf, sizeof buf - 1)) > 0; i++) {
        buf[n] = 0;
        if (!total) head = (size_t)(strstr(buf, "\r\n\r\n") + 4 - buf);
        total += (size_t)n;
        if (i % 40 == 0) usleep(5000);
    }
    assert_int_equal(total - head, 8 << 20);
    assert_int_equal(SSL_get_shutdown(t.ssl) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
    tls_free(&t);
}

static void many_requests_and_answers_cross_without_mixing(void **state) {
    (void)state;
    struct tls t[8];
    for (int i = 0; i < 8; i++) t[i] = tls_connect();
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 8; i++) {
            char request[128];
            snprintf(request, sizeof request, "GET /api/echo?text=n%d-%d HTTP/1.1\r\nHost: x\r\n\r\n", round, i);
            tls_say(&t[i], request);
        }
        for (int i = 0; i < 8; i++) {
            char expected[32];
            snprintf(expected, sizeof expected, "\"n%d-%d\"", round, i);
            tls_hear(&t[i], "}");
            heard(expected);
        }
    }
    for (int i = 0; i < 8; i++) tls_free(&t[i]);
}

/* ---- handshakes ---- */

static void who_speaks_no_tls_is_told_the_address(void **state) {
    (void)state;
    int fd = connect_to(false);
    say(fd, GET("/api/echo?text=plain"));
    hear(fd, NULL);
    assert_string_equal(got, "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json; charset=utf-8\r\n"
                             "Content-Length: 94\r\nConnection: close\r\n\r\n"
                             "{\"ok\":false,\"error\":\"bad_request\",\"message\":\"this is an https address: use "
                             "https://127.0.0.1\"}");
    close(fd);
    becomes(&gateway_stats(g)->tls_connections, 0);
}

static void what_is_neither_http_nor_tls_is_closed(void **state) {
    (void)state;
    int fd = connect_to(false);
    say_bytes(fd, "\x00\x01\x02", 3);
    assert_true(is_closed(fd));
    close(fd);
}

static void old_versions_of_tls_are_refused(void **state) {
    (void)state;
    struct tls t = tls_on(connect_to(false));
    SSL_set_cipher_list(t.ssl, "ALL:@SECLEVEL=0");
    SSL_set_min_proto_version(t.ssl, TLS1_VERSION);
    SSL_set_max_proto_version(t.ssl, TLS1_1_VERSION);
    assert_int_not_equal(SSL_connect(t.ssl), 1);
    assert_string_equal(ERR_reason_error_string(ERR_get_error()), "tlsv1 alert protocol version");
    tls_free(&t);
    becomes(&gateway_stats(g)->tls_failed, 1);
}

static void http_1_1_is_the_only_protocol(void **state) {
    (void)state;
    const unsigned char *chosen;
    unsigned int len;
    struct tls t = tls_on(connect_to(false));
    SSL_set_alpn_protos(t.ssl, (const unsigned char *)"\x02h2\x08http/1.1", 12);
    assert_int_equal(SSL_connect(t.ssl), 1);
    SSL_get0_alpn_selected(t.ssl, &chosen, &len);
    assert_int_equal(len, 8);
    assert_memory_equal(chosen, "http/1.1", 8);
    tls_free(&t);
    t = tls_on(connect_to(false));
    SSL_set_alpn_protos(t.ssl, (const unsigned char *)"\x02h2", 3);
    assert_int_not_equal(SSL_connect(t.ssl), 1);
    assert_string_equal(ERR_reason_error_string(ERR_get_error()), "tlsv1 alert no application protocol");
    tls_free(&t);
}

static void ciphers_without_forward_secrecy_are_refused(void **state) {
    (void)state;
    struct tls t = tls_on(connect_to(false));
    SSL_set_max_proto_version(t.ssl, TLS1_2_VERSION);
    SSL_set_cipher_list(t.ssl, "AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA");
    assert_int_not_equal(SSL_connect(t.ssl), 1);
    tls_free(&t);
}

static void nobody_renegotiates(void **state) {
    (void)state;
    struct tls t = tls_on(connect_to(false));
    SSL_set_max_proto_version(t.ssl, TLS1_2_VERSION);
    assert_int_equal(SSL_connect(t.ssl), 1);
    SSL_renegotiate(t.ssl);
    assert_int_not_equal(SSL_do_handshake(t.ssl), 1);
    tls_free(&t);
    becomes(&gateway_stats(g)->tls_connections, 0);
}

static void a_handshake_that_does_not_end_is_ended(void **state) {
    (void)state;
    int silent = connect_to(false), slow = connect_to(false);
    say_bytes(slow, "\x16\x03\x01\x02", 4);
    becomes(&gateway_stats(g)->tls_connections, 2);
    assert_true(is_closed(silent));
    assert_true(is_closed(slow));
    becomes(&gateway_stats(g)->tls_failed, 2);
    close(silent);
    close(slow);
}

static void a_handshake_may_not_be_endless_bytes(void **state) {
    (void)state;
    static char record[5 + 16000] = "\x16\x03\x01\x3e\x80\x01\x01\x00\x00"; /* a ClientHello of 64 KiB */
    int fd = connect_to(false);
    say_bytes(fd, record, sizeof record);
    say_bytes(fd, record, sizeof record);
    assert_true(is_closed(fd));
    close(fd);
}

static void of_too_many_handshakes_the_oldest_gives_way(void **state) {
    (void)state;
    static int fds[HANDSHAKES_MAX];
    int first = connect_to(false);
    becomes(&gateway_stats(g)->tls_connections, 1);
    for (int i = 0; i < HANDSHAKES_MAX; i++) fds[i] = connect_to(false);
    assert_true(is_closed(first));
    struct tls t = tls_connect();
    tls_say(&t, GET("/api/echo?text=in"));
    tls_hear(&t, "in");
    heard("in");
    assert_true(atomic_load(&gateway_stats(g)->tls_connections) <= HANDSHAKES_MAX + 1);
    tls_free(&t);
    close(first);
    for (int i = 0; i < HANDSHAKES_MAX; i++) close(fds[i]);
}

/* ---- peers that vanish ---- */

static void who_vanishes_during_the_handshake_leaves_nothing(void **state) {
    (void)state;
    for (int i = 0; i < 20; i++) {
        struct tls t = tls_on(connect_to(false));
        BIO *out = BIO_new(BIO_s_mem());
        SSL_set_bio(t.ssl, BIO_new(BIO_s_mem()), out);
        SSL_connect(t.ssl);
        char *hello;
        long n = BIO_get_mem_data(out, &hello);
        say_bytes(t.fd, hello, (size_t)(i % 2 ? n : n / 2));
        if (i % 4 < 2) usleep(2000);
        close_hard(t.fd);
        t.fd = -1;
        SSL_free(t.ssl);
        SSL_CTX_free(t.ctx);
    }
    becomes(&gateway_stats(g)->tls_connections, 0);
}

static void a_reset_ends_what_is_behind_too(void **state) {
    (void)state;
    struct tls t = tls_connect();
    tls_say(&t, GET("/api/hold?text=gone"));
    wait_for(&hub.holding, 1);
    close_hard(t.fd);
    becomes(&gateway_stats(g)->tls_connections, 0);
    connections_become(0);
    t.fd = -1;
    SSL_free(t.ssl);
    SSL_CTX_free(t.ctx);
    release();
}

static void a_reset_in_the_middle_of_an_answer_frees_it(void **state) {
    (void)state;
    struct tls t = tls_connect();
    tls_say(&t, GET("/api/large"));
    tls_hear(&t, "xxxx");
    close_hard(t.fd);
    becomes(&gateway_stats(g)->tls_connections, 0);
    connections_become(0);
    t.fd = -1;
    SSL_free(t.ssl);
    SSL_CTX_free(t.ctx);
}

static void who_never_reads_is_closed(void **state) {
    (void)state;
    struct tls t = tls_connect();
    int small = 131072;
    setsockopt(t.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    tls_say(&t, GET("/api/large"));
    becomes(&gateway_stats(g)->tls_connections, 1);
    becomes(&gateway_stats(g)->tls_connections, 0); /* header_timeout for HTTP, then for the rest */
    tls_free(&t);
}

/* ---- reload and the end ---- */

static bool serves(const char *name) {
    char cn[16] = "";
    struct tls t = tls_connect();
    X509 *cert = SSL_get1_peer_certificate(t.ssl);
    X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, cn, sizeof cn);
    X509_free(cert);
    tls_free(&t);
    return strcmp(cn, name) == 0;
}

static void a_reload_serves_the_new_certificate_and_drops_nobody(void **state) {
    (void)state;
    struct tls before = tls_connect();
    struct edge_config c = edge_config_of("two.crt", "two.key");
    assert_true(serves("one"));
    assert_true(edge_prepare(edge, &c, on_error, NULL));
    assert_true(serves("one"));
    edge_commit(edge);
    assert_true(serves("two"));
    tls_say(&before, GET("/api/echo?text=still"));
    tls_hear(&before, "still");
    heard("still");
    tls_free(&before);
}

static void a_bad_pair_is_named_and_the_old_one_stays(void **state) {
    (void)state;
    struct edge_config c = edge_config_of("two.crt", "one.key");
    char expected[512];
    told[0] = 0;
    assert_false(edge_prepare(edge, &c, on_error, NULL));
    snprintf(expected, sizeof expected,
             "tls.key: %s: is not the key of the certificate in %s; give the two that were made together\n",
             file("one.key"), file("two.crt"));
    assert_string_equal(told, expected);
    edge_commit(edge); /* nothing is prepared */
    assert_true(serves("one"));
    c = edge_config_of(NULL, NULL);
    told[0] = 0;
    assert_true(edge_prepare(edge, &c, on_error, NULL)); /* TLS is switched off by a restart */
    edge_commit(edge);
    assert_string_equal(told, "");
    assert_true(serves("one"));
}

static void a_stop_ends_connections_in_every_state(void **state) {
    (void)state;
    int silent = connect_to(false);
    struct tls idle = tls_connect(), waiting = tls_connect();
    tls_say(&waiting, GET("/api/hold?text=last"));
    wait_for(&hub.holding, 1);
    release();
    gateway_stop(g);
    tls_hear(&waiting, "last");
    heard("last");
    assert_true(is_closed(silent));
    assert_true(tls_ended_well(&idle));
    tls_free(&idle);
    tls_free(&waiting);
    close(silent);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up_tls, tear_down_tls)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_request_over_tls_is_answered_as_without),
        TEST(a_request_may_come_in_records_of_one_byte),
        TEST(a_web_socket_opens_over_tls),
        TEST(the_server_says_close_notify_before_it_closes),
        TEST(who_has_said_all_still_hears_the_answer),
        TEST(a_large_answer_reaches_a_slow_reader_whole),
        TEST(a_file_of_the_disks_threads_goes_through_too),
        TEST(many_requests_and_answers_cross_without_mixing),
        TEST(who_speaks_no_tls_is_told_the_address),
        TEST(what_is_neither_http_nor_tls_is_closed),
        TEST(old_versions_of_tls_are_refused),
        TEST(http_1_1_is_the_only_protocol),
        TEST(ciphers_without_forward_secrecy_are_refused),
        TEST(nobody_renegotiates),
        TEST(a_handshake_that_does_not_end_is_ended),
        TEST(a_handshake_may_not_be_endless_bytes),
        TEST(of_too_many_handshakes_the_oldest_gives_way),
        TEST(who_vanishes_during_the_handshake_leaves_nothing),
        TEST(a_reset_ends_what_is_behind_too),
        TEST(a_reset_in_the_middle_of_an_answer_frees_it),
        TEST(who_never_reads_is_closed),
        TEST(a_reload_serves_the_new_certificate_and_drops_nobody),
        TEST(a_bad_pair_is_named_and_the_old_one_stays),
        TEST(a_stop_ends_connections_in_every_state),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
