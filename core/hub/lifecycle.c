/* lifecycle.c - modules begin and end: init of all in start order, the store opened with everybody's tables, start one
 * after another; stop in reverse, each with a deadline. One that lets a deadline pass is named and left as it is: what
 * it registered is taken away, its memory stays, nothing of it is called any more, and the process ends with a failure.
 */
#include "hub/internal.h"
#include "module/needs.h"
#include "obs/log.h"

enum { OPEN_TIMEOUT_MS = 600000 };

struct lifecycle {
    uint32_t at; /* the instance that is starting, or was stopped last */
    void (*done)(void *arg, int32_t err, const char *text);
    void *arg;
    uint32_t timeout_ms; /* of the one that stops now */
    int32_t err;         /* why it all ends */
    char *text;
};

/* ---- stopping ---- */

static void stop_next(struct hub *h);

/* "module a did not stop within 10 s, module b …"; NULL: none hangs. malloc'ed. */
static char *name_hung(const struct hub *h) {
    char *text = NULL;
    for (uint32_t i = 0; i < h->modules->n; i++) {
        const struct instance *in = h->modules->list[i];
        if (!in->hung[0]) continue;
        char *more = xasprintf("%s%smodule %s %s", text ? text : "", text ? ", " : "", in->name, in->hung);
        free(text);
        text = more;
    }
    return text;
}

/* Last of all: nothing of the modules is called after their fini. Of a store that did not close in time neither fini
 * nor anything that it may still read. */
static void ended(struct hub *h) {
    struct lifecycle *l = h->lifecycle;
    run_end_all(h);
    ops_abandon(h);
    h->ended = true;
    for (uint32_t i = h->modules->n; i > 0; i--) {
        struct instance *in = h->modules->list[i - 1];
        if (in->state == INSTANCE_STOPPED && !in->off) instance_fini(in);
        in->state = INSTANCE_LOADED;
    }
    void (*done)(void *, int32_t, const char *) = l->done;
    void *arg = l->arg;
    int32_t err = l->err;
    char *text = l->text, *hung = err ? NULL : name_hung(h);
    if (hung) {
        free(text);
        text = hung;
        err = TAUT_E_TIMEOUT;
    }
    free(l);
    h->lifecycle = NULL;
    done(arg, err, text ? text : "");
    free(text);
}

static void on_closed(struct taut_mod *m, void *arg, int32_t status, void *result) {
    struct hub *h = arg;
    (void)m, (void)result;
    if (status != TAUT_OK) {
        log_fmt(TAUT_LOG_ERROR, "hub", "close_timeout", "the store was not closed within %u s: %s; it is left as it is",
                stop_timeout_ms(h) / 1000, error_text(status));
        instance_hangs(h, store_module(h), "close", stop_timeout_ms(h));
    }
    ended(h);
}

static void close_store(struct hub *h) {
    bool is_lost = h->store_open && store_module(h)->state == INSTANCE_FAILED; /* its stop was its close */
    h->hung |= is_lost;
    if (!h->store_open || is_lost) {
        ended(h);
        return;
    }
    h->store_open = false;
    ASK_STORE(h, close, op_new(core_mod(h), stop_timeout_ms(h), on_closed, h));
}

static void on_stopped(struct taut_mod *m, void *arg, int32_t status, void *result) {
    struct hub *h = arg;
    struct instance *in = (struct instance *)m;
    (void)result;
    if (status == TAUT_E_TIMEOUT && h->ops.expired) {
        instance_hangs(h, in, "stop", h->lifecycle->timeout_ms);
        log_fmt(TAUT_LOG_ERROR, in->name, "stop_timeout", "%s; it is left as it is", in->hung);
    } else {
        in->state = INSTANCE_STOPPED;
    }
    instance_sweep(h, in);
    stop_next(h);
}

static void stop_next(struct hub *h) {
    struct lifecycle *l = h->lifecycle;
    while (l->at > 0) {
        struct instance *in = h->modules->list[--l->at];
        if (in->state != INSTANCE_RUNNING && in->state != INSTANCE_INIT) continue;
        if (in->state == INSTANCE_RUNNING && in->def->stop) {
            l->timeout_ms = instance_stop(h, in, on_stopped, h);
            return;
        }
        in->state = INSTANCE_STOPPED;
        instance_sweep(h, in);
    }
    close_store(h);
}

static void begin_stop(struct hub *h) {
    h->stopping = true;
    stop_next(h);
}

void hub_stop_modules(struct hub *h, void (*done)(void *arg, int32_t err, const char *text), void *arg) {
    if (switch_stops_first(h, done, arg)) return;
    struct lifecycle *l = h->lifecycle ? h->lifecycle : xcalloc(1, sizeof *l);
    h->lifecycle = l;
    l->done = done;
    l->arg = arg;
    l->at = h->modules->n;
    subs_flush(h, begin_stop);
}

/* Start has failed: what has begun is ended again, then `done` hears why. */
/* why: NULL when only the error is known. */
static void give_up(struct hub *h, struct instance *in, const char *what, int32_t err, const taut_str *why,
                    enum instance_state state) {
    struct lifecycle *l = h->lifecycle;
    taut_str cause = why ? *why : instance_why(in, err);
    l->err = err;
    l->text = in->hung[0] ? xasprintf("module %s %s", in->name, in->hung)
                          : xasprintf("module %s: %s: %.*s", in->name, what, (int)cause.len, cause.ptr);
    in->state = state;
    instance_sweep(h, in);
    h->stopping = true;
    l->at = h->modules->n;
    stop_next(h);
}

void lifecycle_end(struct hub *h, int32_t err, taut_str text) {
    struct lifecycle *l = h->lifecycle;
    l->err = err;
    l->text = xstrndup(text.ptr, text.len);
    h->stopping = true;
    l->at = h->modules->n;
    stop_next(h);
}

/* ---- starting ---- */

static void start_next(struct hub *h);

/* A module that fails costs its own feature, unless others cannot be without it. */
static bool goes_on_without(struct hub *h, struct instance *in, const char *what, int32_t err) {
    if (module_is_needed(h->modules, in)) return false;
    in->state = INSTANCE_FAILED;
    instance_sweep(h, in);
    if (in->hung[0]) {
        log_fmt(TAUT_LOG_ERROR, in->name, "not_started", "%s; the server goes on without it", in->hung);
        return true;
    }
    log_fmt(TAUT_LOG_ERROR, in->name, "not_started", "%s: %s; the server goes on without it", what,
            instance_why(in, err).ptr);
    report_health(&in->pub, TAUT_HEALTH_DOWN, "not_started", taut_str_z(what));
    return true;
}

static void on_started(struct taut_mod *m, void *arg, int32_t status, void *result) {
    struct hub *h = arg;
    struct instance *in = (struct instance *)m;
    (void)result;
    if (status == TAUT_E_TIMEOUT && h->ops.expired) instance_hangs(h, in, "start", start_timeout_ms(h));
    if (status == TAUT_OK) {
        in->state = INSTANCE_RUNNING;
    } else if (!goes_on_without(h, in, "start failed", status)) {
        give_up(h, in, "start failed", status, NULL, INSTANCE_FAILED);
        return;
    }
    h->lifecycle->at++;
    start_next(h);
}

static void start_next(struct hub *h) {
    struct lifecycle *l = h->lifecycle;
    while (l->at < h->modules->n) {
        struct instance *in = h->modules->list[l->at];
        if (in->state == INSTANCE_FAILED || in->off) {
            l->at++;
            continue;
        }
        if (in->def->start) {
            instance_start(h, in, on_started, h);
            return;
        }
        in->state = INSTANCE_RUNNING;
        l->at++;
    }
    void (*done)(void *, int32_t, const char *) = l->done;
    void *arg = l->arg;
    free(l);
    h->lifecycle = NULL;
    done(arg, TAUT_OK, "");
}

static void on_open(struct taut_mod *m, void *arg, int32_t status, void *result) {
    struct hub *h = arg;
    (void)m;
    if (status != TAUT_OK) {
        give_up(h, store_module(h), "the store could not be opened", status, result, INSTANCE_INIT);
        return;
    }
    h->store_open = true;
    if (result) h->applied_lsn = ((const struct taut_open_result *)result)->lsn;
    start_next(h);
}

void hub_start_modules(struct hub *h, void (*done)(void *arg, int32_t err, const char *text), void *arg) {
    struct modules *ms = h->modules;
    struct lifecycle *l = h->lifecycle = xcalloc(1, sizeof *l);
    l->done = done;
    l->arg = arg;
    for (uint32_t i = 0; i < ms->n; i++) {
        struct instance *in = ms->list[i];
        if (in->off) {
            in->state = INSTANCE_STOPPED;
            continue;
        }
        int32_t err = instance_init(h, in);
        if (err < 0 && !goes_on_without(h, in, "init failed", err)) {
            give_up(h, in, "init failed", err, NULL, INSTANCE_FAILED);
            return;
        }
    }
    h->storage = svc_get(core_mod(h), "storage", 1, &taut_storage_down);
    h->auth = svc_get(core_mod(h), "auth", 1, &taut_auth_down);
    if (h->restoring) {
        restore_instead_of_open(h);
        return;
    }
    if (!h->storage->up) {
        start_next(h);
        return;
    }
    ASK_STORE(h, open, ms->tables, ms->ntables, op_new(core_mod(h), OPEN_TIMEOUT_MS, on_open, h));
}
