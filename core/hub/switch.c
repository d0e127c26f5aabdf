/* switch.c - modules stopped and started while the server runs, one after another.
 *
 * One that is to stop is out of reach first: its methods are unknown, its routes unavailable, its sockets closed, its
 * hooks not asked, its services down. Then it stops; then what is still on its way to it arrives; then it is gone. What
 * does not come to its end in time is left as it is, as at the end of the server.
 */
#include "hub/internal.h"
#include "obs/log.h"

enum { LOOK_MS = 20 };

struct switching {
    struct module_switch *list;
    uint32_t n, at;
    struct instance *in; /* that of the step under way */
    uint32_t timeout_ms;
    int64_t deadline_us;
    char *failed;
    void (*done)(void *arg, const char *failed);
    void *arg;
    void (*stopped)(void *arg, int32_t err, const char *text); /* the server is to stop behind this step, or NULL */
    void *stopped_arg;
};

static void next(struct hub *h);

static void fail(struct switching *s, const struct instance *in, const char *why) {
    char *all = xasprintf("%s%smodules.%s: %s", s->failed ? s->failed : "", s->failed ? "\n" : "", in->name, why);
    free(s->failed);
    s->failed = all;
}

/* ---- stopping ---- */

static bool has_runs(const struct hub *h, const struct instance *in) {
    for (const struct run *r = h->runs; r; r = r->next)
        if (r->owner == in) return true;
    return false;
}

static bool is_quiet(struct hub *h, struct instance *in) {
    return !atomic_load(&in->in_flight) && !has_runs(h, in) && !conns_of(h, in);
}

static void forget_faults(struct hub *h, struct instance *in) {
    for (uint32_t i = 0; i < h->modules->nhooks; i++)
        if (h->modules->hooks[i].owner == in) h->modules->hooks[i].breaker = (struct breaker){0};
    report_health(&in->pub, TAUT_HEALTH_OK, NULL, TAUT_LIT(""));
}

static void hangs(struct hub *h, struct instance *in, const char *what) {
    struct switching *s = h->switching;
    instance_hangs(h, in, what, s->timeout_ms);
    instance_sweep(h, in);
    log_fmt(TAUT_LOG_ERROR, in->name, "stop_timeout", "%s; it is left as it is", in->hung);
    fail(s, in, in->hung);
    next(h);
}

/* What came in between has been taken away again. */
static void gone(struct hub *h, struct instance *in) {
    instance_sweep(h, in);
    ops_end_of(h, &in->pub);
    instance_fini(in);
    in->state = INSTANCE_STOPPED;
    forget_faults(h, in);
    log_fmt(TAUT_LOG_INFO, in->name, "stopped", "%s",
            in->def->methods.len ? "its methods are unknown until it is started again"
                                 : "nothing of it is reached until it is started again");
    next(h);
}

static void look(struct taut_mod *m, void *arg) {
    struct hub *h = arg;
    struct instance *in = h->switching->in;
    (void)m;
    if (is_quiet(h, in)) gone(h, in);
    else if (clock_mono_us() > h->switching->deadline_us) hangs(h, in, "come to rest");
    else timer_start(core_mod(h), LOOK_MS, 0, look, h);
}

static void on_stopped(struct taut_mod *m, void *arg, int32_t status, void *result) {
    struct hub *h = arg;
    struct instance *in = (struct instance *)(void *)m;
    (void)result;
    if (status == TAUT_E_TIMEOUT && h->ops.expired) {
        hangs(h, in, "stop");
        return;
    }
    instance_sweep(h, in);
    conns_end_of(h, in); /* those that it let in meanwhile */
    held_end_of(h, in);
    ops_end_of(h, m);
    look(core_mod(h), h);
}

static void begin_stop(struct hub *h, struct instance *in) {
    in->off = true;
    conns_end_of(h, in);
    if (in->state == INSTANCE_FAILED) { /* it has cleaned up, or hangs: then nothing of it is called */
        next(h);
        return;
    }
    services_stop_of(h, in);
    h->switching->timeout_ms = stop_timeout_ms(h);
    h->switching->deadline_us = clock_mono_us() + 2000 * (int64_t)stop_timeout_ms(h);
    if (in->def->stop) h->switching->timeout_ms = instance_stop(h, in, on_stopped, h);
    else on_stopped(&in->pub, h, TAUT_OK, NULL);
}

/* ---- starting ---- */

static void not_started(struct hub *h, struct instance *in, const char *what, int32_t err) {
    char *why = in->hung[0] ? xstrdup(in->hung) : xasprintf("%s: %s", what, instance_why(in, err).ptr);
    in->state = INSTANCE_FAILED;
    in->off = false;
    instance_sweep(h, in);
    log_fmt(TAUT_LOG_ERROR, in->name, "not_started", "%s; the server goes on without it", why);
    if (!in->hung[0]) report_health(&in->pub, TAUT_HEALTH_DOWN, "not_started", taut_str_z(why));
    fail(h->switching, in, why);
    free(why);
    next(h);
}

static void on_started(struct taut_mod *m, void *arg, int32_t status, void *result) {
    struct hub *h = arg;
    struct instance *in = (struct instance *)(void *)m;
    (void)result;
    if (status == TAUT_E_TIMEOUT && h->ops.expired) instance_hangs(h, in, "start", start_timeout_ms(h));
    if (status != TAUT_OK) {
        not_started(h, in, "start failed", status);
        return;
    }
    in->state = INSTANCE_RUNNING;
    in->off = false;
    log_fmt(TAUT_LOG_INFO, in->name, "started", "it is there again");
    next(h);
}

static void begin_start(struct hub *h, struct instance *in) {
    in->off = true; /* also one that has failed: nobody reaches it before it has started */
    forget_faults(h, in);
    bool is_busy = atomic_load(&in->in_flight);
    if (is_busy) snprintf(in->failed, sizeof in->failed, "what it had begun before it failed is still under way");
    int32_t err = is_busy ? TAUT_E_UNAVAILABLE : instance_init(h, in);
    if (is_busy) not_started(h, in, "not tried", err);
    else if (err < 0) not_started(h, in, "init failed", err);
    else if (in->def->start) instance_start(h, in, on_started, h);
    else on_started(&in->pub, h, TAUT_OK, NULL);
}

/* ---- all of them ---- */

static void finish(struct hub *h) {
    struct switching *s = h->switching;
    h->switching = NULL;
    for (; s->at < s->n; s->at++) fail(s, s->list[s->at].in, "the server stops");
    s->done(s->arg, s->failed);
    if (s->stopped) hub_stop_modules(h, s->stopped, s->stopped_arg);
    free(s->failed);
    free(s->list);
    free(s);
}

static void next(struct hub *h) {
    struct switching *s = h->switching;
    if (s->stopped || s->at == s->n) {
        finish(h);
        return;
    }
    const struct module_switch *one = &s->list[s->at++];
    s->in = one->in;
    if (one->on) begin_start(h, one->in);
    else begin_stop(h, one->in);
}

static void begin(struct taut_mod *m, void *arg) {
    (void)m;
    subs_flush(arg, next);
}

void hub_switch_modules(struct hub *h, const struct module_switch *list, uint32_t n,
                        void (*done)(void *arg, const char *failed), void *arg) {
    struct switching *s = h->switching = xcalloc(1, sizeof *s);
    s->list = xcalloc(n + 1, sizeof *s->list);
    memcpy(s->list, list, n * sizeof *list);
    s->n = n;
    s->done = done;
    s->arg = arg;
    timer_start(core_mod(h), 0, 0, begin, h); /* not inside the call that asks for it */
}

bool switch_stops_first(struct hub *h, void (*done)(void *arg, int32_t err, const char *text), void *arg) {
    if (!h->switching) return false;
    h->switching->stopped = done;
    h->switching->stopped_arg = arg;
    return true;
}
