/* faulty.c - one fault for each word of its option; modtest.test.mjs says what taut-modtest has to say of each. */
#include <pthread.h>
#include <unistd.h>

#include <stdbool.h>

#include "taut/taut.h"

#define FAULTS                                                                                                     \
    "none|leak|leak_on_failure|timer|poll|subscription|op|descriptor|thread|crash_on_failure|silent_on_failure|"   \
    "stop_never_ends|start_never_ends|start_hangs|start_fails|state|effect|wrong_thread|double_free|foreign_free|" \
    "wild_pointer|never_answers|busy|hand_over|reader_fails|op_twice|undeclared|file_state"
enum {
    NONE,
    LEAK,
    LEAK_ON_FAILURE,
    TIMER,
    POLL,
    SUBSCRIPTION,
    OP,
    DESCRIPTOR,
    THREAD,
    CRASH_ON_FAILURE,
    SILENT_ON_FAILURE,
    STOP_NEVER_ENDS,
    START_NEVER_ENDS,
    START_HANGS,
    START_FAILS,
    STATE,
    EFFECT,
    WRONG_THREAD,
    DOUBLE_FREE,
    FOREIGN_FREE,
    WILD_POINTER,
    NEVER_ANSWERS,
    BUSY,
    HAND_OVER,
    READER_FAILS,
    OP_TWICE,
    UNDECLARED,
    FILE_STATE
};
struct options {
    int64_t fault;
};
static const struct taut_opt options[] = {
    TAUT_OPT(struct options, fault, TAUT_OPT_ENUM, .choices = FAULTS, .help = "what it does wrong"),
};
static bool has(const struct taut_mod *m, int64_t fault) {
    return ((const struct options *)m->config)->fault == fault;
}

struct faulty {
    int64_t calls;
    int fd[2];
    pthread_t thread;
    char *more;
    taut_sub sub;
};

static const struct taut_col cols[] = {{"id", TAUT_TEXT, 0}};
static const struct taut_table things = {
    .size = sizeof things, .key_cols = 1, .name = "things", .cols = TAUT_ARRAY(cols)};
static const struct taut_table *const tables[] = {&things};

/* ---- a handler ---- */

static void nothing(struct taut_mod *m, void *arg) {
    (void)m, (void)arg;
}
static void nothing_at_work(void *arg) {
    taut_op_cancel(arg, 1); /* of the hub alone */
}

static int32_t asked; /* what no module should have */

static int32_t on_ask(struct taut_mod *m, struct taut_call *c) {
    struct faulty *f = m->state;
    const struct taut_row *row;
    if (has(m, STATE)) f->calls++;
    if (has(m, FILE_STATE)) asked++;
    if (has(m, EFFECT)) taut_timer_start(m, 1, 0, nothing, NULL);
    if (has(m, DOUBLE_FREE)) {
        taut_free(m, f->more);
        taut_free(m, f->more);
    }
    if (has(m, FOREIGN_FREE)) taut_free(m, f);
    if (has(m, WILD_POINTER)) *(volatile int64_t *)(uintptr_t)(f->calls + 8) = 1;
    if (has(m, UNDECLARED)) taut_svc_get(m, "nobody", 1, NULL);
    if (has(m, NEVER_ANSWERS)) return TAUT_E_PENDING;
    TAUT_TRY(taut_get(m, c, &things, TAUT_KEY(taut_v_str(TAUT_LIT("x"))), &row));
    if (has(m, WRONG_THREAD)) taut_work(m, nothing_at_work, nothing, m);
    char *copy = has(m, SILENT_ON_FAILURE) ? taut_alloc(m, 10) : f->more;
    taut_json_kint(taut_answer(c), "calls", copy ? f->calls : -1);
    if (has(m, SILENT_ON_FAILURE)) taut_free(m, copy);
    return taut_done(c);
}

/* ---- life ---- */

static void never(struct taut_mod *m, void *arg, int32_t status, void *result) {
    (void)m, (void)arg, (void)status, (void)result;
}
static void on_ready(struct taut_mod *m, void *arg, uint32_t events) {
    (void)m, (void)arg, (void)events;
}
static void on_events(struct taut_mod *m, void *arg, const struct taut_events *e, taut_op op) {
    (void)arg, (void)e;
    if (has(m, HAND_OVER)) return;
    taut_op_complete(m, op, has(m, READER_FAILS) ? TAUT_E_UNAVAILABLE : TAUT_OK, NULL, NULL);
}
static void *wait_for_ever(void *arg) {
    for (;;) pause();
    return arg;
}
static void again(struct taut_mod *m, void *arg) {
    taut_post(m, again, arg);
}

static int32_t init(struct taut_mod *m) {
    struct faulty *f = m->state = taut_alloc(m, sizeof *f);
    if (!f) return TAUT_E_NOMEM;
    *f = (struct faulty){.fd = {-1, -1}, .more = taut_alloc(m, 100)};
    if (has(m, CRASH_ON_FAILURE)) f->more[0] = 1;
    if (f->more) return TAUT_OK;
    if (!has(m, LEAK_ON_FAILURE)) taut_free(m, f);
    return TAUT_E_NOMEM;
}

static void start(struct taut_mod *m, taut_op op) {
    struct faulty *f = m->state;
    const struct taut_subscription s = {.size = sizeof s, .name = "faulty", .on_events = on_events};
    if (has(m, TIMER)) taut_timer_start(m, 1000, 1000, nothing, NULL);
    if (has(m, SUBSCRIPTION)) taut_subscribe(m, &s);
    if (has(m, HAND_OVER) || has(m, READER_FAILS)) f->sub = taut_subscribe(m, &s);
    if (has(m, OP)) taut_op_new(m, NULL, 0, never, NULL);
    if (has(m, POLL) || has(m, DESCRIPTOR)) (void)!pipe(f->fd);
    if (has(m, POLL)) taut_poll_start(m, f->fd[0], TAUT_POLL_READ, on_ready, NULL);
    if (has(m, THREAD)) pthread_create(&f->thread, NULL, wait_for_ever, NULL);
    if (has(m, BUSY)) taut_post(m, again, NULL);
    if (has(m, START_HANGS))
        for (volatile uint32_t i = 0;; i++) (void)i;
    if (has(m, START_FAILS)) {
        taut_free(m, f->more);
        taut_free(m, f);
    }
    for (int ends = has(m, START_NEVER_ENDS) ? 0 : has(m, OP_TWICE) ? 2 : 1; ends; ends--)
        taut_op_complete(m, op, has(m, START_FAILS) ? TAUT_E_DENIED : TAUT_OK, NULL, NULL);
}

static void stop(struct taut_mod *m, taut_op op) {
    struct faulty *f = m->state;
    if (f->sub) taut_unsubscribe(m, f->sub);
    if (!has(m, STOP_NEVER_ENDS)) taut_op_complete(m, op, TAUT_OK, NULL, NULL);
}

static void fini(struct taut_mod *m) {
    struct faulty *f = m->state;
    if (has(m, POLL)) close(f->fd[0]), close(f->fd[1]);
    if (!has(m, LEAK)) taut_free(m, f->more);
    taut_free(m, f);
}

static const struct taut_method methods[] = {{.name = "faulty.ask", .flags = TAUT_METHOD_NOAUTH, .run = on_ask}};

TAUT_MODULE(.name = "faulty", .version = "0.1.0", .license = "Apache-2.0", .summary = "Does one thing wrong, for tests",
            .needs = TAUT_LIST("storage/1"), .options = TAUT_ARRAY(options), .config_size = sizeof(struct options),
            .tables = TAUT_ARRAY(tables), .methods = TAUT_ARRAY(methods), .init = init, .start = start, .stop = stop,
            .fini = fini);
