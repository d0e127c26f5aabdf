/* tls_context.c - certificate and key out of their files, and the rules of every handshake: TLS 1.2 with forward secret
 * AEAD ciphers or 1.3, HTTP/1.1 as the only protocol, no renegotiation, no compression. Any thread. */
#include "gateway/tls_context.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char ciphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20"; /* of 1.2; those of 1.3 are all good */
static const char groups[] = "X25519:P-256:P-384";

/* ---- HTTP/1.1 and nothing else ---- */

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                   unsigned int in_len, void *arg) {
    static const unsigned char http11[] = "\x08http/1.1";
    unsigned char *chosen;
    (void)ssl, (void)arg;
    int found = SSL_select_next_proto(&chosen, out_len, http11, sizeof http11 - 1, in, in_len);
    *out = chosen;
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* ---- the files ---- */

static char *cannot_read(const char *file, int err) {
    return xasprintf("%s: cannot be read: %s; %s", file, strerror(err),
                     err == EACCES
                         ? "let the user that runs taut read it"
                         : "give the path of a PEM file, absolute or below the folder of the configuration file");
}

/* A pipe would be waited for, by a server that runs. */
static FILE *open_pem(const char *file, char **why) {
    struct stat st;
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    FILE *f = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? fdopen(fd, "r") : NULL;
    *why = f ? NULL : fd < 0 ? cannot_read(file, errno) : xasprintf("%s: is no regular file", file);
    if (!f && fd >= 0) close(fd);
    return f;
}

/* A key with a pass phrase would have a server that starts alone ask for it. */
static int no_pass_phrase(char *buf, int size, int writing, void *was_asked) {
    (void)buf, (void)size, (void)writing;
    *(bool *)was_asked = true;
    return -1;
}

/* The text of the last error of OpenSSL, which forgets it. */
static const char *last_error(void) {
    const char *text = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return text ? text : "no reason given";
}

static char *read_certificates(SSL_CTX *ctx, const char *file) {
    char *why;
    FILE *f = open_pem(file, &why);
    if (!f) return why;
    fclose(f);
    if (SSL_CTX_use_certificate_chain_file(ctx, file) == 1) return NULL;
    return xasprintf("%s: no certificate in PEM form can be read from it (%s); it begins with "
                     "-----BEGIN CERTIFICATE-----, the server's own first, then those that it was signed with",
                     file, last_error());
}

static char *read_key(SSL_CTX *ctx, const char *file, const char *cert) {
    bool wants_pass_phrase = false;
    char *cause;
    FILE *f = open_pem(file, &cause);
    if (!f) return cause;
    EVP_PKEY *key = PEM_read_PrivateKey(f, NULL, no_pass_phrase, &wants_pass_phrase);
    fclose(f);
    if (!key && wants_pass_phrase) {
        ERR_clear_error();
        return xasprintf("%s: is locked with a pass phrase, which nobody could type when the server starts; write it "
                         "without: openssl pkey -in %s -out NEW",
                         file, file);
    }
    if (!key)
        return xasprintf("%s: no private key in PEM form can be read from it (%s); it begins with "
                         "-----BEGIN PRIVATE KEY-----",
                         file, last_error());
    bool fits = X509_check_private_key(SSL_CTX_get0_certificate(ctx), key) == 1;
    bool taken = fits && SSL_CTX_use_PrivateKey(ctx, key) == 1;
    EVP_PKEY_free(key);
    if (taken) return NULL;
    const char *why = last_error();
    if (fits) return xasprintf("%s: cannot be used: %s", file, why);
    return xasprintf("%s: is not the key of the certificate in %s; give the two that were made together", file, cert);
}

static void set_rules(SSL_CTX *ctx) {
    static const unsigned char id[] = "taut";
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                 SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF);
    ENSURE(SSL_CTX_set_cipher_list(ctx, ciphers) == 1 && SSL_CTX_set1_groups_list(ctx, groups) == 1);
    /* Resumption by tickets, whose keys live as long as this context; nothing of it is kept here. */
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_session_id_context(ctx, id, sizeof id - 1);
    SSL_CTX_set_num_tickets(ctx, 1);
    /* What could not be written is written again from wherever it lies then; an idle connection holds no buffers. */
    SSL_CTX_set_mode(ctx,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_max_cert_list(ctx, 16384); /* nobody is asked for a certificate */
    SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
}

SSL_CTX *tls_context_new(const char *cert, const char *key, struct tls_problem *problem) {
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (!ctx) panic("OpenSSL does not start: %s", last_error());
    set_rules(ctx);
    *problem = (struct tls_problem){.text = read_certificates(ctx, cert)};
    if (!problem->text) *problem = (struct tls_problem){.in_key = true, .text = read_key(ctx, key, cert)};
    if (!problem->text) return ctx;
    SSL_CTX_free(ctx);
    return NULL;
}

/* ---- what is odd ---- */

int64_t tls_context_expires(SSL_CTX *ctx) {
    struct tm end;
    return ASN1_TIME_to_tm(X509_get0_notAfter(SSL_CTX_get0_certificate(ctx)), &end) == 1 ? (int64_t)timegm(&end) : 0;
}

static char *time_text(const ASN1_TIME *t) {
    struct tm when;
    char text[32] = "?";
    if (ASN1_TIME_to_tm(t, &when) == 1) strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &when);
    return xstrdup(text);
}

static bool is_for_host(X509 *cert, const char *host) {
    unsigned char address[16];
    bool is_address = inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
    return (is_address ? X509_check_ip_asc(cert, host, 0) : X509_check_host(cert, host, 0, 0, NULL)) == 1;
}

static char *host_of(taut_str url) {
    const char *slashes = url.len > 8 ? memchr(url.ptr, '/', url.len) : NULL;
    if (!slashes) return NULL;
    const char *from = slashes + 2, *end = url.ptr + url.len, *to = from;
    bool bracket = from < end && *from == '[';
    from += bracket;
    for (to = from; to < end && *to != '/' && *to != (bracket ? ']' : ':');) to++;
    return xstrndup(from, (size_t)(to - from));
}

char *tls_key_oddity(const char *key) {
    struct stat st;
    if (stat(key, &st) != 0 || !(st.st_mode & S_IRWXO)) return NULL;
    return xasprintf("everybody on this machine may read the key in %s (its mode is %04o); chmod 600 it", key,
                     (unsigned)st.st_mode & 07777);
}

char *tls_context_oddity(SSL_CTX *ctx, taut_str url) {
    X509 *cert = SSL_CTX_get0_certificate(ctx);
    const ASN1_TIME *begin = X509_get0_notBefore(cert), *end = X509_get0_notAfter(cert);
    bool early = X509_cmp_current_time(begin) > 0, late = X509_cmp_current_time(end) < 0;
    if (early || late) {
        char *when = time_text(early ? begin : end);
        char *text =
            xasprintf(early ? "is not valid before %s; is the clock right?" : "has expired on %s; renew it", when);
        free(when);
        return text;
    }
    char *host = host_of(url), *text = NULL;
    if (host && !is_for_host(cert, host))
        text = xasprintf("is not for %s, the host of server.public_url: clients will refuse it", host);
    free(host);
    ERR_clear_error();
    return text;
}
