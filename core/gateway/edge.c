/* edge.c - rules out of options, the certificate at hand, seats: see edge.h. */
#include "gateway/edge.h"

#include <openssl/x509.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

#include "gateway/tls_context.h"

struct edge {
    struct edge_rules *_Atomic rules;
    struct per_address *per_address;
    pthread_mutex_t lock; /* of ctx */
    SSL_CTX *ctx;         /* NULL: no TLS */
    bool has_tls;         /* never changes */
    atomic_llong expires;
    /* between prepare and commit or cancel */
    struct edge_rules *next_rules;
    SSL_CTX *next_ctx;
};

struct reporter {
    edge_report_fn fn;
    void *arg;
    bool failed;
};

TAUT_PRINTF(3, 4)
static void report(struct reporter *r, const char *option, const char *fmt, ...) {
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    r->failed = true;
    r->fn(r->arg, true, option, text);
}

/* ---- rules ---- */

static void rules_free(struct edge_rules *r) {
    if (!r) return;
    addr_nets_free(&r->proxies);
    addr_nets_free(&r->exempt);
    origins_free(&r->origins);
    free(r->prefix);
    free(r->admin_listen);
    free(r->https_only);
    free(r->fingerprint);
    free(r);
}

static void print_items(FILE *out, struct taut_array items) {
    for (uint32_t i = 0; i < items.len; i++) {
        const taut_str *s = TAUT_AT(items, taut_str, i);
        fprintf(out, "%.*s,", (int)s->len, s->ptr);
    }
    fputc('\n', out);
}

static char *fingerprint(const struct edge_config *c) {
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (!out) panic("out of memory");
    fprintf(out, "%.*s\n%.*s\n%lld %lld\n", (int)c->public_url.len, c->public_url.ptr, (int)c->admin_listen.len,
            c->admin_listen.ptr, (long long)c->max_connections_per_address, (long long)c->max_connects_per_second);
    print_items(out, c->trusted_proxies);
    print_items(out, c->limit_exempt);
    print_items(out, c->allowed_origins);
    fclose(out);
    return text;
}

/* With the address to use, unless that could not be said in JSON. */
static char *https_only(taut_str url) {
    bool plain = url.len > 0;
    for (size_t i = 0; i < url.len; i++) plain = plain && url.ptr[i] != '"' && url.ptr[i] != '\\';
    char *body = xasprintf("{\"ok\":false,\"error\":\"bad_request\",\"message\":\"this is an https address%s%.*s\"}",
                           plain ? ": use " : "", plain ? (int)url.len : 0, url.len ? url.ptr : "");
    char *text = xasprintf("HTTP/1.1 400 Bad Request\r\nContent-Type: application/json; charset=utf-8\r\n"
                           "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
                           strlen(body), body);
    free(body);
    return text;
}

static void read_nets(struct reporter *r, const char *option, struct taut_array items, struct addr_nets *nets) {
    taut_str bad;
    if (!addr_nets_parse(items, nets, &bad))
        report(r, option,
               "\"%.*s\" is not an address or a network; write it like 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32",
               (int)bad.len, bad.ptr);
}

static struct edge_rules *rules_new(const struct edge_config *c, struct reporter *r) {
    struct edge_rules *n = xcalloc(1, sizeof *n);
    taut_str bad, path = url_path(c->public_url);
    read_nets(r, "trusted_proxies", c->trusted_proxies, &n->proxies);
    read_nets(r, "limit_exempt", c->limit_exempt, &n->exempt);
    if (!origins_new(&n->origins, c->public_url, c->allowed_origins, &bad))
        report(r, "allowed_origins",
               "\"%.*s\" is not an origin; write it like https://chat.example.org, without a path, or * for all pages",
               (int)bad.len, bad.ptr);
    n->limits = (struct per_address_limits){c->max_connections_per_address, c->max_connects_per_second};
    n->prefix = xstrndup(path.ptr, path.len);
    n->admin_listen = xstrndup(c->admin_listen.ptr, c->admin_listen.len);
    n->https_only = https_only(c->public_url);
    n->fingerprint = fingerprint(c);
    if (!r->failed) return n;
    rules_free(n);
    return NULL;
}

/* ---- certificate and key ---- */

static SSL_CTX *read_pair(const struct edge_config *c, struct reporter *r) {
    struct tls_problem problem;
    if (!c->cert.len && !c->key.len) return NULL;
    if (!c->cert.len || !c->key.len) {
        report(r, c->cert.len ? "tls.key" : "tls.cert", "is missing: TLS needs both, tls.cert and tls.key");
        return NULL;
    }
    char *cert = xstrndup(c->cert.ptr, c->cert.len), *key = xstrndup(c->key.ptr, c->key.len);
    SSL_CTX *ctx = tls_context_new(cert, key, &problem);
    if (!ctx) report(r, problem.in_key ? "tls.key" : "tls.cert", "%s", problem.text);
    char *oddity = ctx ? tls_context_oddity(ctx, c->public_url) : NULL;
    char *open_key = ctx ? tls_key_oddity(key) : NULL;
    if (oddity) r->fn(r->arg, false, "tls.cert", oddity);
    if (open_key) r->fn(r->arg, false, "tls.key", open_key);
    free(open_key);
    if (!ctx) free(problem.text);
    free(oddity);
    free(cert);
    free(key);
    return ctx;
}

/* ---- life and reload ---- */

bool edge_prepare(struct edge *e, const struct edge_config *c, edge_report_fn fn, void *arg) {
    struct reporter r = {fn, arg, false};
    edge_cancel(e);
    e->next_rules = rules_new(c, &r);
    e->next_ctx = read_pair(c, &r);
    if (!e->has_tls != !e->next_ctx) { /* the gateways' sockets speak it, or do not, until a restart */
        SSL_CTX_free(e->next_ctx);
        e->next_ctx = NULL;
    }
    if (!r.failed) return true;
    edge_cancel(e);
    return false;
}

void edge_cancel(struct edge *e) {
    rules_free(e->next_rules);
    e->next_rules = NULL;
    SSL_CTX_free(e->next_ctx);
    e->next_ctx = NULL;
}

bool edge_certificate_changes(const struct edge *e) {
    return e->next_ctx && X509_cmp(SSL_CTX_get0_certificate(e->next_ctx), SSL_CTX_get0_certificate(e->ctx)) != 0;
}

static void use_pair(struct edge *e, SSL_CTX *ctx) {
    pthread_mutex_lock(&e->lock);
    SSL_CTX *before = e->ctx;
    e->ctx = ctx;
    pthread_mutex_unlock(&e->lock);
    SSL_CTX_free(before); /* connections that were made with it hold it on */
    atomic_store(&e->expires, ctx ? tls_context_expires(ctx) : 0);
}

void edge_commit(struct edge *e) {
    struct edge_rules *now = atomic_load(&e->rules);
    if (e->next_rules && strcmp(e->next_rules->fingerprint, now->fingerprint) != 0) {
        e->next_rules->before = now;
        atomic_store_explicit(&e->rules, e->next_rules, memory_order_release);
        e->next_rules = NULL;
    }
    if (e->next_ctx) use_pair(e, e->next_ctx);
    e->next_ctx = NULL;
    edge_cancel(e);
}

struct edge *edge_new(const struct edge_config *c, edge_report_fn fn, void *arg) {
    struct reporter r = {fn, arg, false};
    struct edge_rules *rules = rules_new(c, &r);
    SSL_CTX *ctx = read_pair(c, &r);
    if (r.failed) {
        rules_free(rules);
        SSL_CTX_free(ctx);
        return NULL;
    }
    struct edge *e = xcalloc(1, sizeof *e);
    atomic_init(&e->rules, rules);
    e->per_address = per_address_new(c->max_connections);
    pthread_mutex_init(&e->lock, NULL);
    e->has_tls = ctx != NULL;
    use_pair(e, ctx);
    return e;
}

void edge_free(struct edge *e) {
    if (!e) return;
    edge_cancel(e);
    for (struct edge_rules *r = atomic_load(&e->rules), *before; r; r = before) {
        before = r->before;
        rules_free(r);
    }
    per_address_free(e->per_address);
    SSL_CTX_free(e->ctx);
    pthread_mutex_destroy(&e->lock);
    free(e);
}

/* ---- what gateways ask ---- */

const struct edge_rules *edge_rules(const struct edge *e) {
    return atomic_load_explicit(&e->rules, memory_order_acquire);
}

bool edge_has_tls(const struct edge *e) {
    return e->has_tls;
}

SSL *edge_tls_new(struct edge *e) {
    pthread_mutex_lock(&e->lock);
    SSL *ssl = SSL_new(e->ctx); /* holds the context on */
    pthread_mutex_unlock(&e->lock);
    return ssl;
}

const atomic_llong *edge_certificate_expires(struct edge *e) {
    return &e->expires;
}

static bool limits_hold(const struct edge_rules *r, const struct addr *a) {
    bool limited = r->limits.connections || r->limits.per_second;
    return limited && !addr_nets_have(&r->exempt, a) && !addr_nets_have(&r->proxies, a);
}

bool edge_limits(const struct edge *e, const struct addr *a) {
    return limits_hold(edge_rules(e), a);
}

enum admission edge_admit(struct edge *e, const struct addr *a, struct seat *seat) {
    const struct edge_rules *r = edge_rules(e);
    if (!limits_hold(r, a)) return ADMITTED;
    return per_address_take(e->per_address, &r->limits, a, (uint64_t)clock_mono_us() / 1000, seat);
}

void edge_leave(struct edge *e, struct seat *seat) {
    per_address_give_back(e->per_address, seat);
}

bool edge_is_proxy(const struct edge *e, const struct addr *a) {
    return addr_nets_have(&edge_rules(e)->proxies, a);
}
