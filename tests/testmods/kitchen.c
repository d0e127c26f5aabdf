/* kitchen.c - what other modules may do beside answering: filters and observers of messages, waiting in a handler, a
 * service that does not answer, the log read from a cursor. tests/e2e/kitchen.test.mjs says what must come of it. */
#include "taut/msg.h"
#include "taut/taut.h"

#define SLOW_FAMILY "kitchen_slow"

struct slow_v1 {
    uint32_t size;
    uint32_t reserved;
    int32_t (*ask)(void *self, struct taut_mod *consumer, taut_op op);
};

struct kitchen {
    struct taut_mod *mod;
    const struct taut_svc *slow, *nobody;
    int64_t sent, logged, last_seq, awaited;
};

static struct kitchen *kitchen_of(struct taut_mod *m) {
    return m->state;
}

/* ---- options ---- */

struct options {
    int64_t fails, log;
};
enum { FAILS_NEVER, FAILS_IN_INIT, FAILS_IN_START };
enum { LOG_READ, LOG_FAILS, LOG_IS_HELD };
static const struct taut_opt options[] = {
    TAUT_OPT(struct options, fails, TAUT_OPT_ENUM, .choices = "never|init|start", .help = "where it fails"),
    TAUT_OPT(struct options, log, TAUT_OPT_ENUM, .choices = "read|fails|held", .help = "what it does with events"),
};
static const struct options *options_of(const struct taut_mod *m) {
    return m->config;
}

/* ---- a service that never answers, and its down table ---- */

static int32_t never(void *self, struct taut_mod *consumer, taut_op op) {
    (void)self, (void)consumer, (void)op;
    return TAUT_OK;
}
static const struct slow_v1 slow = {sizeof slow, 0, never};

static int32_t down_ask(void *self, struct taut_mod *consumer, taut_op op) {
    (void)consumer;
    taut_op_complete(self, op, TAUT_E_UNAVAILABLE, NULL, NULL);
    return TAUT_OK;
}
static const struct slow_v1 slow_down = {sizeof slow_down, 0, down_ask};

/* ---- filters and observers ---- */

static void wake(struct taut_mod *m, void *arg) {
    taut_op_complete(m, (taut_op)(uintptr_t)arg, TAUT_OK, NULL, NULL);
}

static void begin_wait(struct taut_mod *m, void *arg, taut_op op) {
    taut_timer_start(m, (uint64_t)(uintptr_t)arg, 0, wake, (void *)(uintptr_t)op);
}

static int32_t on_before_send(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, void *data) {
    struct taut_draft *d = data;
    void *nothing;
    (void)b;
    if (taut_str_is(d->text, "forbidden"))
        return taut_fail_text(c, "restricted_action", TAUT_LIT("that word is forbidden here"));
    if (taut_str_is(d->text, "slow"))
        TAUT_TRY(taut_await(m, c, TAUT_LIT("slow"), 1000, begin_wait, (void *)100, &nothing));
    if (taut_str_is(d->text, "broken")) return TAUT_E_IO;
    if (taut_str_is(d->text, "shout")) return taut_draft_set(d, m, TAUT_DRAFT_TEXT, TAUT_LIT("HO"));
    return TAUT_OK;
}

static void on_sent(struct taut_mod *m, const struct taut_observed *o) {
    if (o->seq && o->body.len) kitchen_of(m)->sent++;
}

/* ---- the log ---- */

static void on_events(struct taut_mod *m, void *arg, const struct taut_events *e, taut_op op) {
    struct kitchen *k = arg;
    if (options_of(m)->log == LOG_IS_HELD) return;
    if (options_of(m)->log == LOG_FAILS) {
        taut_op_complete(m, op, TAUT_E_IO, NULL, NULL);
        return;
    }
    for (uint32_t i = 0; i < e->events.len; i++) {
        const struct taut_logged *event = TAUT_AT(e->events, struct taut_logged, i);
        if (event->seq != (uint64_t)k->last_seq + 1 && k->last_seq)
            taut_log(m, TAUT_LOG_ERROR, "hole", "seq %llu after %llu", (unsigned long long)event->seq,
                     (unsigned long long)k->last_seq);
        k->last_seq = (int64_t)event->seq;
        k->logged++;
    }
    taut_op_complete(m, op, TAUT_OK, NULL, NULL);
}

/* ---- methods ---- */

static int32_t on_state(struct taut_mod *m, struct taut_call *c) {
    const struct kitchen *k = kitchen_of(m);
    struct taut_json *j = taut_answer(c);
    taut_json_kint(j, "sent", k->sent);
    taut_json_kint(j, "logged", k->logged);
    taut_json_kint(j, "last_seq", k->last_seq);
    taut_json_kint(j, "awaited", k->awaited);
    taut_json_kbool(j, "slow_up", k->slow->up != 0);
    taut_json_kbool(j, "nobody_up", k->nobody->up != 0);
    return taut_done(c);
}

static void count_await(struct taut_mod *m, void *arg) {
    (void)arg;
    kitchen_of(m)->awaited++;
}

static int32_t on_await(struct taut_mod *m, struct taut_call *c) {
    void *nothing;
    TAUT_TRY(taut_await(m, c, TAUT_LIT("wait"), 1000, begin_wait, (void *)50, &nothing));
    taut_at_end(m, c, count_await, NULL);
    taut_json_kint(taut_answer(c), "stamp", taut_stamp_us(c, 0));
    return taut_done(c);
}

static void ask_slow(struct taut_mod *m, void *arg, taut_op op) {
    const struct taut_svc *svc = arg;
    const struct slow_v1 *t = svc->vtable;
    t->ask(svc->self, m, op);
}

struct relay {
    struct taut_mod *mod;
    taut_op op;
};
static void on_asked(struct taut_mod *m, void *arg, int32_t status, void *result) {
    struct relay *r = arg;
    (void)result;
    taut_op_complete(m, r->op, status, NULL, NULL);
    taut_free(m, r);
}
static void begin_ask(struct taut_mod *m, void *arg, taut_op op) {
    struct relay *r = taut_alloc(m, sizeof *r);
    *r = (struct relay){m, op};
    ask_slow(m, arg, taut_op_new(m, arg, 50, on_asked, r));
}

static int32_t ask(struct taut_mod *m, struct taut_call *c, const struct taut_svc *svc) {
    void *nothing;
    int32_t err = taut_await(m, c, TAUT_LIT("ask"), 2000, begin_ask, (void *)(uintptr_t)svc, &nothing);
    if (err == TAUT_E_AGAIN) return err;
    taut_json_kint(taut_answer(c), "status", err);
    return taut_done(c);
}
static int32_t on_slow(struct taut_mod *m, struct taut_call *c) {
    return ask(m, c, kitchen_of(m)->slow);
}
static int32_t on_nobody(struct taut_mod *m, struct taut_call *c) {
    return ask(m, c, kitchen_of(m)->nobody);
}

/* ---- life ---- */

static int32_t init(struct taut_mod *m) {
    struct kitchen *k = taut_alloc(m, sizeof *k);
    if (!k) return TAUT_E_NOMEM;
    if (options_of(m)->fails == FAILS_IN_INIT) {
        taut_free(m, k);
        return TAUT_E_UNAVAILABLE;
    }
    *k = (struct kitchen){.mod = m};
    m->state = k;
    int32_t err = taut_svc_provide(m, SLOW_FAMILY, 1, &slow, k);
    k->slow = taut_svc_get(m, SLOW_FAMILY, 1, &slow_down);
    k->nobody = taut_svc_get(m, "kitchen_nobody", 1, &slow_down);
    return err;
}

static void start(struct taut_mod *m, taut_op op) {
    const struct taut_subscription s = {
        .size = sizeof s, .name = m->name, .max_events = 3, .on_events = on_events, .arg = kitchen_of(m)};
    if (options_of(m)->fails == FAILS_IN_START) {
        taut_free(m, m->state);
        taut_op_complete(m, op, TAUT_E_IO, NULL, NULL);
        return;
    }
    taut_op_complete(m, op, taut_subscribe(m, &s) ? TAUT_OK : TAUT_E_INVAL, NULL, NULL);
}

static void fini(struct taut_mod *m) {
    taut_free(m, m->state);
}

static const struct taut_method methods[] = {
    {.name = "kitchen.state", .run = on_state},
    {.name = "kitchen.await", .run = on_await},
    {.name = "kitchen.slow", .run = on_slow},
    {.name = "kitchen.nobody", .run = on_nobody},
};
static const struct taut_hook hooks[] = {
    TAUT_FILTER(TAUT_HOOK_BEFORE_SEND, "kitchen/taste", on_before_send, .on_error = TAUT_FAIL_CLOSED, .budget_ms = 500),
    TAUT_FILTER(TAUT_HOOK_BEFORE_EDIT, "kitchen/taste", on_before_send, .on_error = TAUT_FAIL_CLOSED, .budget_ms = 500),
    TAUT_OBSERVE(TAUT_HOOK_SENT, "kitchen/count", on_sent),
};

TAUT_MODULE(.name = "kitchen", .version = "0.1.0", .license = "Apache-2.0", .summary = "for tests",
            .flags = TAUT_MODULE_STANDARD, .provides = TAUT_LIST(SLOW_FAMILY "/1"), .needs = TAUT_LIST("storage/1"),
            .options = TAUT_ARRAY(options), .config_size = sizeof(struct options), .methods = TAUT_ARRAY(methods),
            .hooks = TAUT_ARRAY(hooks), .init = init, .start = start, .fini = fini);
