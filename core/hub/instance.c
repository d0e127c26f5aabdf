/* instance.c - the steps of one module's life, for those who take them: at start and end of the server (lifecycle.c),
 * and while it runs (switch.c). */
#include <stdio.h>

#include "hub/internal.h"
#include "obs/log.h"

enum {
    START_TIMEOUT_MS = 60000,
    STOP_TIMEOUT_MS = 10000,
    STOP_BEHIND_HUNG_MS = 3000, /* when another one has taken all of its time */
    STORE_STOP_TIMEOUT_MS = 7000
};

struct instance *store_module(struct hub *h) {
    struct service *s = service_of(h->storage);
    return s && s->provider ? s->provider : h->modules->list[0];
}

uint32_t start_timeout_ms(const struct hub *h) {
    return h->config.start_timeout_ms ? h->config.start_timeout_ms : START_TIMEOUT_MS;
}

uint32_t stop_timeout_ms(const struct hub *h) {
    return h->config.stop_timeout_ms ? h->config.stop_timeout_ms : STOP_TIMEOUT_MS;
}

/* A service that it declares and does not provide: others would find nobody there. */
static int32_t missing(struct instance *in, const char *service) {
    snprintf(in->failed, sizeof in->failed,
             "its `provides` names %s, and its init did not provide it: call taut_svc_provide() there", service);
    instance_fini(in);
    return TAUT_E_INVAL;
}

int32_t instance_init(struct hub *h, struct instance *in) {
    in->failed[0] = 0;
    in->pub = (struct taut_mod){.size = sizeof in->pub, .host = &h->host, .config = in->config, .name = in->name};
    in->state = INSTANCE_INIT;
    crumb_enter(&in->seen->crumbs, CRUMB_INIT, NULL);
    int32_t err = in->def->init ? in->def->init(&in->pub) : TAUT_OK;
    crumb_leave(NULL);
    const char *service = err < 0 ? NULL : services_missing(h, in);
    return service ? missing(in, service) : err;
}

taut_str instance_why(const struct instance *in, int32_t err) {
    return taut_str_z(in->failed[0] ? in->failed : error_text(err));
}

void instance_start(struct hub *h, struct instance *in, taut_op_fn fn, void *arg) {
    crumb_enter(&in->seen->crumbs, CRUMB_START, NULL);
    in->def->start(&in->pub, op_new(&in->pub, start_timeout_ms(h), fn, arg));
    crumb_leave(NULL);
}

/* The store goes last, behind the gateways' 5 s, and all of it is to end within 15 s of a signal, whatever hangs. */
uint32_t instance_stop(struct hub *h, struct instance *in, taut_op_fn fn, void *arg) {
    uint32_t all = stop_timeout_ms(h);
    uint32_t most = store_module(h) == in ? STORE_STOP_TIMEOUT_MS : h->hung ? STOP_BEHIND_HUNG_MS : all;
    uint32_t timeout_ms = most < all ? most : all;
    crumb_enter(&in->seen->crumbs, CRUMB_STOP, NULL);
    in->def->stop(&in->pub, op_new(&in->pub, timeout_ms, fn, arg));
    crumb_leave(NULL);
    return timeout_ms;
}

/* What a module had registered ends with it; the store's service stays until the store is closed. */
void instance_sweep(struct hub *h, struct instance *in) {
    timers_stop_of(h, &in->pub);
    subs_stop_of(h, &in->pub);
    if (in != store_module(h) || !h->store_open) services_stop_of(h, in);
}

/* A leak of a module, which the process ends anyway; but the module may be stopped and started one day. */
static void tell_of_leftovers(const struct instance *in) {
    long long blocks = atomic_load(&in->seen->memory_blocks);
    if (blocks > 0)
        log_fmt(TAUT_LOG_WARN, in->name, "left_behind", "ended, and left %lld bytes of memory behind (%lld blocks)",
                (long long)atomic_load(&in->seen->memory_bytes), blocks);
}

void instance_fini(struct instance *in) {
    if (in->def->fini) {
        crumb_enter(&in->seen->crumbs, CRUMB_FINI, NULL);
        in->def->fini(&in->pub);
        crumb_leave(NULL);
    }
    tell_of_leftovers(in);
}

void instance_hangs(struct hub *h, struct instance *in, const char *what, uint32_t timeout_ms) {
    in->state = INSTANCE_FAILED;
    snprintf(in->hung, sizeof in->hung, "did not %s within %g s", what, timeout_ms / 1000.0);
    h->hung = true;
    work_forget(h, &in->pub);
    report_health(&in->pub, TAUT_HEALTH_DOWN, "hung", taut_str_z(in->hung));
}
