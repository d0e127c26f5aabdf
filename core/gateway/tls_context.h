/* tls_context.h - a certificate and its key, as what connections are made with. */
#ifndef GATEWAY_TLS_CONTEXT_H
#define GATEWAY_TLS_CONTEXT_H

#include <openssl/ssl.h>

#include "base/base.h"

struct tls_problem {
    bool in_key; /* it is the key's file that is wrong; else the certificate's */
    char *text;  /* malloc'ed: "FILE: what is wrong; what to do" */
};

/* NULL and *problem. The files are read now and never again. */
SSL_CTX *tls_context_new(const char *cert, const char *key, struct tls_problem *problem);

/* What is odd about the certificate of a context, though it works: it is not valid now, or not for this URL's host.
 * NULL (nothing), or malloc'ed. */
char *tls_context_oddity(SSL_CTX *ctx, taut_str url);
char *tls_key_oddity(const char *key);     /* the same of the key's file: who may read it */
int64_t tls_context_expires(SSL_CTX *ctx); /* seconds since 1970 */

#endif
