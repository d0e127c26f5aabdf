/* lifecycle.c - modules begin and end: init of all in start order, the store opened with everybody's tables, start one
 * after another; stop in reverse, each with a deadline. */
#include "hub/internal.h"
#include "obs/log.h"

enum { START_TIMEOUT_MS = 60000, OPEN_TIMEOUT_MS = 600000, STOP_TIMEOUT_MS = 10000, STORE_STOP_TIMEOUT_MS = 7000 };

struct lifecycle {
    uint32_t at; /* the instance that is starting, or was stopped last */
    void (*done)(void *arg, int32_t err, const char *text);
    void *arg;
    int32_t err; /* why it all ends */
    char *text;
};

/* ---- stopping ---- */

static void stop_next(struct hub *h);

static struct instance *store_module(struct hub *h) {
    struct service *s = service_of(h->storage);
    return s && s->provider ? s->provider : h->modules->list[0];
}

/* What a module had registered ends with it; the store's service stays until the store is closed. */
static void sweep(struct hub *h, struct instance *in) {
    timers_stop_of(h, &in->pub);
    subs_stop_of(h, &in->pub);
    if (in != store_module(h) || !h->store_open) services_stop_of(h, in);
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
        if (in->state == INSTANCE_STOPPED && in->def->fini) {
            crumb_enter(&in->seen->crumbs, CRUMB_FINI, NULL);
            in->def->fini(&in->pub);
            crumb_leave(NULL);
        }
        in->state = INSTANCE_LOADED;
    }
    void (*done)(void *, int32_t, const char *) = l->done;
    void *arg = l->arg;
    int32_t err = l->err;
    char *text = l->text;
    free(l);
    h->lifecycle = NULL;
    done(arg, err, text ? text : "");
    free(text);
}

static void on_closed(struct taut_mod *m, void *arg, int32_t status, void *result) {
    struct hub *h = arg;
    (void)m, (void)result;
    if (status != TAUT_OK) {
        log_fmt(TAUT_LOG_ERROR, "hub", "close_timeout", "the store was not closed within %d s: %s; it is left as it is",
                STOP_TIMEOUT_MS / 1000, error_text(status));
        store_module(h)->state = INSTANCE_FAILED;
        h->hung = true;
    }
    ended(h);
}

/* The store goes last, behind the gateways' 5 s, and all of it is to end within 15 s of a signal, whatever hangs. */
static uint32_t stop_timeout_ms(struct hub *h, const struct instance *in) {
    bool is_store = store_module(h) == in;
    return is_store ? STORE_STOP_TIMEOUT_MS : STOP_TIMEOUT_MS;
}

static void close_store(struct hub *h) {
    h->hung |= h->store_open && store_module(h)->state == INSTANCE_FAILED; /* its stop was its close */
    if (!h->store_open || h->hung) {
        ended(h);
        return;
    }
    h->store_open = false;
    storage_of(h)->close(h->storage->self, op_new(core_mod(h), STOP_TIMEOUT_MS, on_closed, h));
}

static void on_stopped(struct taut_mod *m, void *arg, int32_t status, void *result) {
    struct hub *h = arg;
    struct instance *in = (struct instance *)m;
    (void)result;
    if (status == TAUT_E_TIMEOUT) {
        log_fmt(TAUT_LOG_ERROR, in->name, "stop_timeout", "did not stop within %u s; it is left as it is",
                stop_timeout_ms(h, in) / 1000);
        in->state = INSTANCE_FAILED;
    } else {
        in->state = INSTANCE_STOPPED;
    }
    sweep(h, in);
    stop_next(h);
}

static void stop_next(struct hub *h) {
    struct lifecycle *l = h->lifecycle;
    while (l->at > 0) {
        struct instance *in = h->modules->list[--l->at];
        if (in->state != INSTANCE_RUNNING && in->state != INSTANCE_INIT) continue;
        if (in->state == INSTANCE_RUNNING && in->def->stop) {
            crumb_enter(&in->seen->crumbs, CRUMB_STOP, NULL);
            in->def->stop(&in->pub, op_new(&in->pub, stop_timeout_ms(h, in), on_stopped, h));
            crumb_leave(NULL);
            return;
        }
        in->state = INSTANCE_STOPPED;
        sweep(h, in);
    }
    close_store(h);
}

static void begin_stop(struct hub *h) {
    h->stopping = true;
    stop_next(h);
}

void hub_stop_modules(struct hub *h, void (*done)(void *arg, int32_t err, const char *text), void *arg) {
    struct lifecycle *l = h->lifecycle ? h->lifecycle : xcalloc(1, sizeof *l);
    h->lifecycle = l;
    l->done = done;
    l->arg = arg;
    l->at = h->modules->n;
    subs_flush(h, begin_stop);
}

/* Start has failed: what has begun is ended again, then `done` hears why. */
static void give_up(struct hub *h, struct instance *in, const char *what, int32_t err, enum instance_state state) {
    struct lifecycle *l = h->lifecycle;
    l->err = err;
    l->text = xasprintf("module %s: %s: %s", in->name, what, error_text(err));
    in->state = state;
    sweep(h, in);
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

typedef const char *text_ptr;
static bool lists(struct taut_array services, const char *service) {
    for (uint32_t i = 0; i < services.len; i++)
        if (!strcmp(*TAUT_AT(services, text_ptr, i), service)) return true;
    return false;
}

static bool is_needed(const struct hub *h, const struct instance *in) {
    for (uint32_t i = 0; i < h->modules->n; i++)
        for (uint32_t k = 0; k < in->def->provides.len; k++)
            if (lists(h->modules->list[i]->def->needs, *TAUT_AT(in->def->provides, text_ptr, k))) return true;
    return false;
}

/* A module that fails costs its own feature, unless others cannot be without it. */
static bool goes_on_without(struct hub *h, struct instance *in, const char *what, int32_t err) {
    if (is_needed(h, in)) return false;
    in->state = INSTANCE_FAILED;
    sweep(h, in);
    log_fmt(TAUT_LOG_ERROR, in->name, "not_started", "%s: %s; the server goes on without it", what, error_text(err));
    module_health(&in->pub, TAUT_HEALTH_DOWN, "not_started", taut_str_z(what));
    return true;
}

static void on_started(struct taut_mod *m, void *arg, int32_t status, void *result) {
    struct hub *h = arg;
    struct instance *in = (struct instance *)m;
    (void)result;
    if (status == TAUT_OK) {
        in->state = INSTANCE_RUNNING;
    } else if (!goes_on_without(h, in, "start failed", status)) {
        give_up(h, in, "start failed", status, INSTANCE_FAILED);
        return;
    }
    h->lifecycle->at++;
    start_next(h);
}

static void start_next(struct hub *h) {
    struct lifecycle *l = h->lifecycle;
    while (l->at < h->modules->n) {
        struct instance *in = h->modules->list[l->at];
        if (in->state == INSTANCE_FAILED) {
            l->at++;
            continue;
        }
        if (in->def->start) {
            crumb_enter(&in->seen->crumbs, CRUMB_START, NULL);
            in->def->start(&in->pub, op_new(&in->pub, START_TIMEOUT_MS, on_started, h));
            crumb_leave(NULL);
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
        give_up(h, store_module(h), "the store could not be opened", status, INSTANCE_INIT);
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
        in->pub.size = sizeof in->pub;
        in->pub.host = &h->host;
        in->pub.config = in->config;
        in->pub.name = in->name;
        crumb_enter(&in->seen->crumbs, CRUMB_INIT, NULL);
        int32_t err = in->def->init ? in->def->init(&in->pub) : TAUT_OK;
        crumb_leave(NULL);
        in->state = INSTANCE_INIT;
        if (err < 0 && !goes_on_without(h, in, "init failed", err)) {
            give_up(h, in, "init failed", err, INSTANCE_FAILED);
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
    storage_of(h)->open(h->storage->self, ms->tables, ms->ntables, op_new(core_mod(h), OPEN_TIMEOUT_MS, on_open, h));
}
