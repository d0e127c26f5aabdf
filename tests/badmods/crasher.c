/* crasher.c - a module that does what no module may: its methods end the process, on the hub, in a timer, on a pool
 * thread, and by a broken invariant of the core; others tell of its health, fill the log, or let the hub hang. For
 * tests of what an operator sees. */
#include <stdio.h>
#include <time.h>

#include "taut/svc/auth.h"
#include "taut/taut.h"

enum { HANG_S = 13, LINES = 500 };

#if defined(__GNUC__)
__attribute__((no_sanitize("undefined"), no_sanitize("address"))) /* the server's own report is to be seen */
#endif
static void
fault(void) {
    volatile int *volatile nowhere = NULL; /* the compiler must not know */
    *nowhere = 1;
}

static void on_timer(struct taut_mod *m, void *arg) {
    (void)m, (void)arg;
    fault();
}
static void work(void *arg) {
    (void)arg;
    fault();
}
static void worked(struct taut_mod *m, void *arg) {
    (void)m, (void)arg;
}

static int32_t on_method(struct taut_mod *m, struct taut_call *c) {
    (void)m;
    fault();
    return taut_done(c);
}
static int32_t on_timer_method(struct taut_mod *m, struct taut_call *c) {
    m->host->timer_start(m, 1, 0, on_timer, NULL);
    return taut_done(c);
}
static int32_t on_work_method(struct taut_mod *m, struct taut_call *c) {
    m->host->work(m, work, worked, NULL);
    return taut_done(c);
}
static int32_t on_panic_method(struct taut_mod *m, struct taut_call *c) {
    (void)m;
    taut_scratch(c, (size_t)1 << 60); /* more memory than there is */
    return taut_done(c);
}
static int32_t on_ill_method(struct taut_mod *m, struct taut_call *c) {
    taut_health(m, TAUT_HEALTH_DOWN, "ill", TAUT_LIT("it said so"));
    return taut_done(c);
}
static int32_t on_well_method(struct taut_mod *m, struct taut_call *c) {
    taut_health(m, TAUT_HEALTH_OK, "ill", TAUT_LIT(""));
    return taut_done(c);
}
static int32_t on_burst_method(struct taut_mod *m, struct taut_call *c) {
    const struct taut_kv kv = {"answer", TAUT_LIT("forty two")};
    for (int i = 0; i < 50; i++) taut_log_kv(m, TAUT_LOG_WARN, "burst", TAUT_LIT("again"), &kv, 1);
    return taut_done(c);
}

/* The hub hangs in a callback. */
static void on_hang(struct taut_mod *m, void *arg) {
    struct timespec left = {.tv_sec = HANG_S};
    (void)m, (void)arg;
    while (nanosleep(&left, &left) != 0) continue;
}
static int32_t on_hang_method(struct taut_mod *m, struct taut_call *c) {
    m->host->timer_start(m, 1, 0, on_hang, NULL);
    return taut_done(c);
}
/* Numbered lines, of which none is left out. */
static int32_t on_lines_method(struct taut_mod *m, struct taut_call *c) {
    for (int i = 0; i < LINES; i++) taut_log(m, TAUT_LOG_DEBUG, "numbered", "line %d;", i);
    return taut_done(c);
}

static const struct taut_method methods[] = {
    {.name = "crash.method", .flags = TAUT_METHOD_NOAUTH, .run = on_method},
    {.name = "crash.timer", .flags = TAUT_METHOD_NOAUTH, .run = on_timer_method},
    {.name = "crash.work", .flags = TAUT_METHOD_NOAUTH, .run = on_work_method},
    {.name = "crash.panic", .flags = TAUT_METHOD_NOAUTH, .run = on_panic_method},
    {.name = "crash.ill", .flags = TAUT_METHOD_NOAUTH, .run = on_ill_method},
    {.name = "crash.well", .flags = TAUT_METHOD_NOAUTH, .run = on_well_method},
    {.name = "crash.burst", .flags = TAUT_METHOD_NOAUTH, .run = on_burst_method},
    {.name = "crash.hang", .flags = TAUT_METHOD_NOAUTH, .run = on_hang_method},
    {.name = "crash.lines", .flags = TAUT_METHOD_NOAUTH, .run = on_lines_method},
};

/* That others need it is what makes its health the server's: it knows nobody. */
static int32_t init(struct taut_mod *m) {
    return taut_svc_provide(m, "auth", 1, &taut_auth_down, NULL);
}

TAUT_MODULE(.name = "crasher", .version = "0.1.0", .license = "Apache-2.0", .summary = "Ends the process",
            .provides = TAUT_LIST("auth/1"), .init = init, .methods = TAUT_ARRAY(methods));
