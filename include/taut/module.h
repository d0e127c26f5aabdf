/* module.h - how a module declares itself: one data symbol, `taut_module`.
 *
 * Life: open (dlopen, header checked) -> config (options of all modules parsed and checked) -> init -> start -> run ->
 * stop -> fini. An init or start that fails has cleaned up after itself and gets no stop or fini. Everything that a
 * module registered belongs to its instance. A reload may stop a module while the server runs, and start it again: init
 * after fini, with m->state NULL and the options of then. A start or stop that does not end in time is left as it is:
 * what was registered is taken away, nothing of the module is called any more, its memory stays. All callbacks run on
 * the home loop (the hub), one at a time.
 *
 * A module has no mutable file-scope data: one without methods, routes, sockets and commands may be configured twice
 * (`as:`).
 *
 * Thread: the hub; nothing of a module runs before its `check`, which is pure. Ownership: the declaration and all that
 * it points to is the module's, is constant, and lives as long as the process. Since 1.0.
 */
#ifndef TAUT_MODULE_H
#define TAUT_MODULE_H

#include "taut/command.h"
#include "taut/conn.h"
#include "taut/event.h"
#include "taut/hook.h"
#include "taut/loop.h"
#include "taut/method.h"
#include "taut/op.h"
#include "taut/option.h"
#include "taut/route.h"
#include "taut/service.h"
#include "taut/table.h"

/* ---- the module ---- */

enum { TAUT_COUNTER = 1, TAUT_GAUGE = 2, TAUT_HISTOGRAM = 3 };
struct taut_metric {
    const char *name; /* shown as taut_mod_<module>_<name>; counters end in _total, histograms in their unit */
    uint32_t kind;
    uint32_t reserved;
    const char *help;
    const char *unit;   /* "seconds", "bytes", or NULL; stands at the end of the name */
    const char *labels; /* "result=ok|conflict|error": one label and its values, at most 16; NULL: none */
};

enum {
    TAUT_MODULE_STANDARD = 1 /* part of the standard configuration, which `taut demo` and commands without a file use */
};

struct taut_module {
    /* These 8 bytes never change. */
    uint32_t size;
    uint16_t abi_major;
    uint16_t abi_minor; /* the lowest minor that it needs */

    const char *name, *version, *license, *summary;
    struct taut_array provides, needs, wants; /* of const char *: "storage/1" */
    struct taut_array options;                /* of struct taut_opt */
    uint32_t config_size;
    uint32_t flags;
    struct taut_array tables;   /* of const struct taut_table * */
    struct taut_array methods;  /* of struct taut_method */
    struct taut_array routes;   /* of struct taut_route */
    struct taut_array sockets;  /* of struct taut_socket_route */
    struct taut_array commands; /* of struct taut_command */
    struct taut_array hooks;    /* of struct taut_hook */
    struct taut_array metrics;  /* of struct taut_metric */

    /* Cross-field rules of the options; reports through `error`. No side effects. May be NULL. */
    void (*check)(const void *config, struct taut_check *ctx, taut_check_error_fn error);
    int32_t (*init)(struct taut_mod *m);           /* allocate, provide services, get services */
    void (*start)(struct taut_mod *m, taut_op op); /* may take time; completes op */
    void (*stop)(struct taut_mod *m, taut_op op);  /* the same, in server.stop_timeout: 10 s. Its threads, work and
                                                      held calls end with it; no handler of it runs any more */
    void (*fini)(struct taut_mod *m);
    /* LIVE options changed (option.h, reload). NULL: the module reads m->config each time that it needs it. */
    int32_t (*reconfigure)(struct taut_mod *m, const struct taut_reconfigure *r);
};

#define TAUT_MODULE(...)                                                                  \
    TAUT_EXPORT extern const struct taut_module taut_module;                              \
    const struct taut_module taut_module = {.size = (uint32_t)sizeof(struct taut_module), \
                                            .abi_major = TAUT_ABI_MAJOR,                  \
                                            .abi_minor = TAUT_MODULE_MIN_MINOR,           \
                                            __VA_ARGS__}

#endif
