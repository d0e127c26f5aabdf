/* op.h - operations: work whose end comes later.
 *
 * Whoever wants something makes an op and hands it to whoever does it; that one completes it, once, from any thread.
 * The receiver runs on the hub on a later turn, never inside the call that started the work. An op is a number: a late
 * or a second completion finds nobody, is counted, and its result is destroyed; the second of one module is a fault,
 * which the log names and which stops a build with checks.
 *
 * Thread: the hub, except for completing. Since 1.0.
 */
#ifndef TAUT_OP_H
#define TAUT_OP_H

#include "taut/host.h"

/* An end. result is read by the receiver on the hub, then destroyed; destroy may be NULL. Frozen. */
struct taut_completion {
    taut_op op;
    int32_t status;
    uint32_t reserved;
    void *result;
    void (*destroy)(void *result);
};

/* A new operation. fn runs once: with what it was completed with, with TAUT_E_TIMEOUT when timeout_ms passed (0: no
 * deadline), or with TAUT_E_UNAVAILABLE when the provider of `svc` is gone. svc: the service that is asked, as svc_get
 * gave it, or NULL: an operation of the module with itself. Time-outs open the service's circuit breaker. */
static inline taut_op taut_op_new(struct taut_mod *m, const struct taut_svc *svc, uint32_t timeout_ms, taut_op_fn fn,
                                  void *arg) {
    return m->host->op_new(m, svc, timeout_ms, fn, arg);
}

/* Completes an operation. Any thread. */
static inline void taut_op_complete(struct taut_mod *m, taut_op op, int32_t status, void *result,
                                    void (*destroy)(void *)) {
    struct taut_completion c;
    c.op = op;
    c.status = status;
    c.reserved = 0;
    c.result = result;
    c.destroy = destroy;
    m->host->ops_complete(m, &c, 1);
}
/* Many at once: one wake-up. Copied. Any thread. */
static inline void taut_ops_complete(struct taut_mod *m, const struct taut_completion *list, uint32_t n) {
    m->host->ops_complete(m, list, n);
}

/* The one who made it wants it no more: its receiver is not called. A finished op is ignored. */
static inline void taut_op_cancel(struct taut_mod *m, taut_op op) {
    m->host->op_cancel(m, op);
}
/* For the one who does the work: fn runs, on a later turn, when the op is cancelled or its deadline passes before it is
 * completed. TAUT_E_NOTFOUND: that has happened already. */
static inline int32_t taut_op_on_cancel(struct taut_mod *m, taut_op op, taut_fn fn, void *arg) {
    return m->host->op_on_cancel(m, op, fn, arg);
}

#endif
