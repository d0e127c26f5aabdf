/* faulty.c - what may go wrong with a module, on demand: it holds calls, takes memory, trips its breakers, does not
 * start or stop. tests/e2e/faulty.test.mjs says what that may cost: its own feature. */
#include <unistd.h>

#include "taut/msg.h"
#include "taut/taut.h"

enum { TAKEN_MAX = 64, ASK_MS = 50, HANG_S = 600 };

struct slow_v1 {
    uint32_t size;
    uint32_t reserved;
    void (*ask)(void *self, struct taut_mod *consumer, taut_op op);
};

struct faulty {
    const struct taut_svc *slow;
    void *taken[TAKEN_MAX];
    uint32_t ntaken;
    int answers; /* the service does */
};

static struct faulty *faulty_of(struct taut_mod *m) {
    return m->state;
}

/* ---- options ---- */

struct options {
    int64_t start, stop;
};
enum { ENDS, HANGS };
static const struct taut_opt options[] = {
    TAUT_OPT(struct options, start, TAUT_OPT_ENUM, .choices = "ends|hangs", .help = "its start"),
    TAUT_OPT(struct options, stop, TAUT_OPT_ENUM, .choices = "ends|hangs", .help = "its stop"),
};
static const struct options *options_of(const struct taut_mod *m) {
    return m->config;
}

/* ---- held calls ---- */

static void answer(struct taut_mod *m, void *arg) {
    (void)m;
    taut_done(arg);
}
static void answer_route(struct taut_mod *m, void *arg) {
    (void)m;
    taut_reply(arg, 200, "text/plain", TAUT_LIT("late\n"));
}

static void begin_hold(struct taut_mod *m, void *arg) {
    struct taut_call *c = arg;
    int64_t ms = c->kind == TAUT_CALL_METHOD ? taut_arg_int(c, 0, 0) : 0;
    if (ms) taut_timer_start(m, (uint64_t)ms, 0, answer, c);
    else if (c->kind == TAUT_CALL_ROUTE) taut_timer_start(m, 1500, 0, answer_route, c);
}

static int32_t on_hold(struct taut_mod *m, struct taut_call *c) {
    taut_at_end(m, c, begin_hold, c);
    return TAUT_E_PENDING;
}

/* ---- memory ---- */

static void take(struct taut_mod *m, void *arg) {
    struct taut_call *c = arg;
    struct faulty *f = faulty_of(m);
    void *p = f->ntaken < TAKEN_MAX ? taut_alloc(m, (size_t)taut_arg_int(c, 0, 1)) : NULL;
    if (p) f->taken[f->ntaken++] = p;
    taut_json_kbool(taut_answer(c), "got", p != NULL);
    taut_done(c);
}
static int32_t on_take(struct taut_mod *m, struct taut_call *c) {
    taut_at_end(m, c, take, c);
    return TAUT_E_PENDING;
}

static void give_all(struct taut_mod *m, void *arg) {
    struct faulty *f = faulty_of(m);
    (void)arg;
    while (f->ntaken) taut_free(m, f->taken[--f->ntaken]);
}
static int32_t on_give(struct taut_mod *m, struct taut_call *c) {
    taut_at_end(m, c, give_all, NULL);
    return taut_done(c);
}

/* ---- a filter that trips, and lets pass what it does not see ---- */

static int32_t on_before_send(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, void *data) {
    const struct taut_draft *d = data;
    (void)m, (void)c, (void)b;
    return taut_str_is(d->text, "trip") ? TAUT_E_IO : TAUT_OK;
}

/* ---- two that may know: the first one fails ---- */

static int32_t on_lookup(struct taut_mod *m, struct taut_call *c, void *data) {
    (void)m, (void)c, (void)data;
    return TAUT_E_IO;
}
static int32_t on_lookup_else(struct taut_mod *m, struct taut_call *c, void *data) {
    (void)m, (void)c;
    *(int64_t *)data = 42;
    return TAUT_OK;
}
static int32_t on_ask_both(struct taut_mod *m, struct taut_call *c) {
    int64_t known = 0;
    int32_t err = taut_provide(m, c, "faulty.lookup", &known);
    struct taut_json *j = taut_answer(c);
    taut_json_kint(j, "status", err);
    taut_json_kint(j, "known", known);
    return taut_done(c);
}

/* ---- a service that answers when it is told to ---- */

static void ask(void *self, struct taut_mod *consumer, taut_op op) {
    const struct faulty *f = self;
    if (f->answers) taut_op_complete(consumer, op, TAUT_OK, NULL, NULL);
}
static const struct slow_v1 slow = {sizeof slow, 0, ask};

static void ask_down(void *self, struct taut_mod *consumer, taut_op op) {
    (void)self;
    taut_op_complete(consumer, op, TAUT_E_UNAVAILABLE, NULL, NULL);
}
static const struct slow_v1 slow_down = {sizeof slow_down, 0, ask_down};

static void begin_ask(struct taut_mod *m, void *arg, taut_op op) {
    const struct taut_svc *svc = arg;
    const struct slow_v1 *t = svc->vtable;
    t->ask(svc->self, m, op);
}
static int32_t on_ask(struct taut_mod *m, struct taut_call *c) {
    void *nothing;
    const struct taut_svc *slow_svc = faulty_of(m)->slow;
    int32_t err = taut_await(m, c, slow_svc, TAUT_LIT("ask"), ASK_MS, begin_ask, (void *)(uintptr_t)slow_svc, &nothing);
    if (err == TAUT_E_AGAIN) return err;
    taut_json_kint(taut_answer(c), "status", err);
    return taut_done(c);
}

static void let_answer(struct taut_mod *m, void *arg) {
    (void)arg;
    faulty_of(m)->answers = 1;
}
static int32_t on_mend(struct taut_mod *m, struct taut_call *c) {
    taut_at_end(m, c, let_answer, NULL);
    return taut_done(c);
}

/* ---- work that does not end ---- */

static void sleep_long(void *arg) {
    (void)arg;
    for (int i = 0; i < HANG_S; i++) sleep(1);
}
static void nothing_done(struct taut_mod *m, void *arg) {
    (void)m, (void)arg;
}
static void begin_work(struct taut_mod *m, void *arg) {
    (void)arg;
    taut_work(m, sleep_long, nothing_done, NULL);
}
static int32_t on_work(struct taut_mod *m, struct taut_call *c) {
    taut_at_end(m, c, begin_work, NULL);
    return taut_done(c);
}

/* ---- life ---- */

static int32_t init(struct taut_mod *m) {
    struct faulty *f = taut_alloc(m, sizeof *f);
    if (!f) return TAUT_E_NOMEM;
    *f = (struct faulty){0};
    m->state = f;
    int32_t err = taut_svc_provide(m, "faulty", 1, &slow, f);
    f->slow = taut_svc_get(m, "faulty", 1, &slow_down);
    return err;
}

static void start(struct taut_mod *m, taut_op op) {
    if (options_of(m)->start == ENDS) taut_op_complete(m, op, TAUT_OK, NULL, NULL);
}

static void stop(struct taut_mod *m, taut_op op) {
    if (options_of(m)->stop == ENDS) taut_op_complete(m, op, TAUT_OK, NULL, NULL);
}

static void fini(struct taut_mod *m) {
    taut_log(m, TAUT_LOG_INFO, "fini", "ended");
    give_all(m, NULL);
    taut_free(m, m->state);
}

static const struct taut_arg hold_args[] = {{.name = "ms", .type = TAUT_ARG_INT}};
static const struct taut_arg take_args[] = {{.name = "bytes", .type = TAUT_ARG_INT, .flags = TAUT_ARG_REQUIRED}};
static const struct taut_method methods[] = {
    {.name = "faulty.hold", .args = TAUT_ARRAY(hold_args), .run = on_hold},
    {.name = "faulty.take", .args = TAUT_ARRAY(take_args), .run = on_take},
    {.name = "faulty.give", .run = on_give},
    {.name = "faulty.ask", .run = on_ask},
    {.name = "faulty.mend", .run = on_mend},
    {.name = "faulty.work", .run = on_work},
    {.name = "faulty.lookup", .run = on_ask_both},
};
static const struct taut_route routes[] = {{.method = "GET", .path = "/faulty/hold", .run = on_hold}};
static const struct taut_hook hooks[] = {
    TAUT_FILTER(TAUT_HOOK_BEFORE_SEND, "faulty/look", on_before_send, .on_error = TAUT_FAIL_OPEN),
    TAUT_PROVIDE("faulty.lookup", "faulty/fails", on_lookup),
    TAUT_PROVIDE("faulty.lookup", "faulty/knows", on_lookup_else),
};

TAUT_MODULE(.name = "faulty", .version = "0.1.0", .license = "Apache-2.0", .summary = "for tests",
            .provides = TAUT_LIST("faulty/1"), .options = TAUT_ARRAY(options), .config_size = sizeof(struct options),
            .methods = TAUT_ARRAY(methods), .routes = TAUT_ARRAY(routes), .hooks = TAUT_ARRAY(hooks), .init = init,
            .start = start, .stop = stop, .fini = fini);
