/* stumbler.c - a module that stumbles in its life where its configuration says: fails, ends the process, never answers,
 * or leaves behind what it had begun. It offers a method, so that one sees what is missing when it is not there. */
#include "taut/taut.h"

enum {
    NOWHERE,
    INIT_FAILS,
    INIT_REGISTERS,
    INIT_CRASHES,
    INIT_FORGETS, /* to provide what it says that it does */
    START_FAILS,
    START_NEVER,
    STOP_NEVER,
    STOP_LATE,
    FINI_LEAVES
};
struct options {
    int64_t where;
};
static const struct taut_opt options[] = {
    TAUT_OPT(
        struct options, where, TAUT_OPT_ENUM,
        .choices =
            "nowhere|init_fails|init_registers|init_crashes|init_forgets|start_fails|start_never|stop_never|stop_late|"
            "fini_leaves",
        .help = "where it stumbles"),
};
static int64_t where(const struct taut_mod *m) {
    return ((const struct options *)m->config)->where;
}

struct stumbling_v1 {
    uint32_t size;
    uint32_t reserved;
};
static const struct stumbling_v1 service = {sizeof service, 0};

static void *volatile left; /* is found by whoever looks for lost memory */

static void tick(struct taut_mod *m, void *arg) {
    (void)arg;
    if (where(m) != FINI_LEAVES) taut_log(m, TAUT_LOG_ERROR, "ticked", "a module that is not there does something");
}

/* What a good module takes back before it says that it failed. */
static void register_all(struct taut_mod *m) {
    taut_svc_provide(m, "stumbling", 1, &service, NULL);
    taut_timer_start(m, 1, 1, tick, NULL);
}

#if defined(__GNUC__)
__attribute__((no_sanitize("undefined"), no_sanitize("address"))) /* the server's own report is to be seen */
#endif
static void
crash(void) {
    volatile int *volatile nowhere = NULL;
    *nowhere = 1;
}

static int32_t init(struct taut_mod *m) {
    if (where(m) == INIT_CRASHES) crash();
    if (where(m) == INIT_FAILS) return TAUT_E_UNAVAILABLE;
    if (where(m) == INIT_FORGETS) return TAUT_OK;
    if (where(m) != INIT_REGISTERS) return taut_svc_provide(m, "stumbling", 1, &service, NULL);
    register_all(m);
    return TAUT_E_NOMEM;
}

static void start(struct taut_mod *m, taut_op op) {
    if (where(m) == START_NEVER) return;
    if (where(m) == FINI_LEAVES) {
        left = taut_alloc(m, 100);
        taut_timer_start(m, 1, 1, tick, NULL);
    }
    taut_op_complete(m, op, where(m) == START_FAILS ? TAUT_E_IO : TAUT_OK, NULL, NULL);
}

static void end_late(struct taut_mod *m, void *arg) {
    taut_op_complete(m, (taut_op)(uintptr_t)arg, TAUT_OK, NULL, NULL);
}
static void stop(struct taut_mod *m, taut_op op) {
    if (where(m) == STOP_NEVER) return;
    if (where(m) == STOP_LATE) taut_timer_start(m, 200, 0, end_late, (void *)(uintptr_t)op);
    else taut_op_complete(m, op, TAUT_OK, NULL, NULL);
}

static int32_t on_state(struct taut_mod *m, struct taut_call *c) {
    (void)m;
    taut_answer(c);
    return taut_done(c);
}
static const struct taut_method methods[] = {
    {.name = "stumbler.state", .flags = TAUT_METHOD_NOAUTH, .run = on_state},
};

TAUT_MODULE(.name = "stumbler", .version = "1.0", .license = "Apache-2.0", .summary = "stumbles",
            .provides = TAUT_LIST("stumbling/1"), .options = TAUT_ARRAY(options), .config_size = sizeof(struct options),
            .methods = TAUT_ARRAY(methods), .init = init, .start = start, .stop = stop);
