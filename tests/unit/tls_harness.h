/* tls_harness.h - for test_tls*.c: certificates made on the spot, a gateway behind TLS, a client that speaks TLS. */
#ifndef TLS_HARNESS_H
#define TLS_HARNESS_H

#include "http_harness.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

/* ---- certificates ---- */

static char dir[] = "/tmp/taut-tls-XXXXXX";

static const char *file(const char *name) {
    static char paths[8][128];
    static int n;
    char *path = paths[n++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", dir, name);
    return path;
}

static void add_name(X509 *cert, const char *names) {
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, NID_subject_alt_name, names);
    assert_non_null(ext);
    X509_add_ext(cert, ext, -1);
    X509_EXTENSION_free(ext);
}

/* NAME.crt and NAME.key: self-signed, for these names, good for `days`. */
static void make_pair(const char *name, const char *names, int days) {
    char text[64];
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), days < 0 ? days * 86400 * 2 : -60);
    X509_gmtime_adj(X509_getm_notAfter(cert), days * 86400);
    X509_set_version(cert, 2);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    add_name(cert, names);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    snprintf(text, sizeof text, "%s.crt", name);
    FILE *f = fopen(file(text), "w");
    PEM_write_X509(f, cert);
    fclose(f);
    snprintf(text, sizeof text, "%s.key", name);
    f = fopen(file(text), "w");
    fchmod(fileno(f), 0600);
    PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
    fclose(f);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static int make_files(void **state) {
    set_up_modules(state);
    signal(SIGPIPE, SIG_IGN); /* the client's: OpenSSL writes as if nobody ever left */
    assert_non_null(mkdtemp(dir));
    make_pair("one", "IP:127.0.0.1", 30);
    make_pair("two", "IP:127.0.0.1", 30);
    return 0;
}

static int remove_files(void **state) {
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    tear_down_modules(state);
    return system(command) != 0;
}

/* ---- the server ---- */

static char told[4096]; /* errors of the edge, a line each */
static void on_error(void *arg, bool fatal, const char *option, const char *text) {
    (void)arg, (void)fatal;
    size_t n = strlen(told);
    snprintf(told + n, sizeof told - n, "%s: %s\n", option, text);
}

static struct edge_config edge_config_of(const char *cert, const char *key) {
    return (struct edge_config){.public_url = TAUT_LIT("https://127.0.0.1"),
                                .admin_listen = TAUT_LIT("127.0.0.1:0"),
                                .cert = taut_str_z(cert ? file(cert) : ""),
                                .key = taut_str_z(key ? file(key) : ""),
                                .max_connections = 2000};
}

static struct edge *edge;

static int set_up_with(void **state, const struct edge_config *c) {
    told[0] = 0;
    edge = edge_new(c, on_error, NULL);
    if (!edge) fail_msg("%s", told);
    config.edge = edge;
    config.max_connections = 1500;
    return set_up(state);
}

static int set_up_tls(void **state) {
    struct edge_config c = edge_config_of("one.crt", "one.key");
    return set_up_with(state, &c);
}

static int tear_down_tls(void **state) {
    int rc = tear_down(state);
    edge_free(edge);
    config.edge = edge = NULL;
    return rc;
}

/* ---- the client ---- */

struct tls {
    int fd;
    SSL_CTX *ctx;
    SSL *ssl;
};

static inline struct tls tls_on(int fd) {
    struct tls t = {.fd = fd, .ctx = SSL_CTX_new(TLS_client_method())};
    t.ssl = SSL_new(t.ctx);
    SSL_set_fd(t.ssl, fd);
    return t;
}

static inline struct tls tls_connect(void) {
    struct tls t = tls_on(connect_to(false));
    if (SSL_connect(t.ssl) != 1) fail_msg("%s", ERR_reason_error_string(ERR_get_error()));
    return t;
}

static inline void tls_say(struct tls *t, const char *text) {
    assert_int_equal(SSL_write(t->ssl, text, (int)strlen(text)), (int)strlen(text));
}

/* Into `got`, until `last` has come or the other side has ended. */
static inline size_t tls_hear(struct tls *t, const char *last) {
    size_t n = 0;
    got[0] = 0;
    while (n < sizeof got - 1) {
        int r = SSL_read(t->ssl, got + n, (int)(sizeof got - 1 - n));
        if (r <= 0) break;
        n += (size_t)r;
        got[n] = 0;
        if (last && strstr(got, last)) break;
    }
    return n;
}

static inline bool tls_ended_well(struct tls *t) {
    char c;
    int n = SSL_read(t->ssl, &c, 1);
    return n == 0 && SSL_get_error(t->ssl, n) == SSL_ERROR_ZERO_RETURN;
}

static inline void tls_free(struct tls *t) {
    SSL_free(t->ssl);
    SSL_CTX_free(t->ctx);
    close(t->fd);
}

static inline void becomes(const atomic_ullong *stat, unsigned long long n) {
    for (int i = 0; i < 8000 && atomic_load(stat) != n; i++) usleep(1000);
    assert_int_equal(atomic_load(stat), n);
}

#endif
