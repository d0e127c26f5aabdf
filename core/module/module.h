/* module.h - instances of modules, and what they registered: the tables by which the rest of the core finds a method, a
 * route, a command, a service or a hook. Built while the server starts, on one thread; read-only afterwards (services
 * excepted: hub only). */
#ifndef MODULE_MODULE_H
#define MODULE_MODULE_H

#include "base/map.h"
#include "config/config.h"
#include "obs/seen.h"
#include "taut/module.h"
#include "taut/svc/storage.h"

enum instance_state { INSTANCE_LOADED, INSTANCE_INIT, INSTANCE_RUNNING, INSTANCE_STOPPED, INSTANCE_FAILED };

struct instance {
    struct taut_mod pub; /* first: a taut_mod * of ours is an instance * */
    const struct taut_module *def;
    char *name; /* = pub.name */
    char *file;
    void *config;                       /* = pub.config; the parsed options struct */
    struct item_config item, item_next; /* the core's options; next: while a reload is under way */
    void *dl;
    enum instance_state state;
    uint32_t first_table; /* id of its first table in modules.tables */
    uint32_t ntables;
    char *where;                      /* "taut.yaml:7:5", for messages */
    struct seen *seen;                /* its hub's, from hub_new to hub_free */
    atomic_bool off;                  /* not to run: nobody reaches it; written by the hub, read by any thread */
    atomic_bool is_wrong_thread_told; /* its calls from outside of the hub's thread were logged once; any thread */
    atomic_uint in_flight;            /* posts and work that are to come back to it; any thread */
    char hung[48];                    /* "did not stop within 10 s": it is left as it is; else empty; hub */
    char failed[160];                 /* why its init counts as failed though it returned no error; else empty; hub */
    uint32_t overdue;                 /* calls that it keeps open behind their deadline; hub */
    struct live_values *base;         /* what a reload started it with, all of it; NULL: the arena of all has it */
    struct live_values *live;         /* where `config` lies since a reload changed it; NULL: in `base` */
};

/* Cuts off what fails again and again (core/hub/breaker.c). */
struct breaker {
    int64_t window_us; /* the first of the faults that count */
    uint32_t faults;
    uint32_t open_ms; /* how long it was open last; 0: it has not been */
    bool open, trial; /* trial: closed again, and not yet proved */
};

/* A registered thing and whose it is. */
struct method_entry {
    struct instance *owner;
    const struct taut_method *def;
    uint32_t nargs;
    struct map arg_index;     /* argument name -> (index + 1) as a pointer; filled at load, read by gateways */
    struct histogram seconds; /* of its calls, from arrival to answer; hub */
    atomic_ullong failed;     /* calls that were answered with an error; hub */
};
struct route_entry {
    struct instance *owner;
    const struct taut_route *def;
};
struct socket_entry {
    struct instance *owner;
    const struct taut_socket_route *def;
};
struct command_entry {
    struct instance *owner;
    const struct taut_command *def;
};
struct hook_entry {
    struct instance *owner;
    const struct taut_hook *def;
    const char *reason;       /* why it stands where it stands */
    struct histogram seconds; /* of its runs; hub */
    struct breaker breaker;   /* hub */
    atomic_ullong faults;     /* hub */
};
struct hook_point {
    const char *name;
    struct hook_entry *list; /* in their order; in modules.hooks */
    uint32_t n, nfilters, nobservers;
};

/* One that is to stop, or to be started again. */
struct module_switch {
    struct instance *in;
    bool on;
};

struct modules {
    struct instance **list; /* in start order */
    uint32_t n;
    struct taut_table_ref *tables; /* of all instances */
    uint32_t ntables;
    struct map methods; /* name -> struct method_entry */
    struct route_entry *routes;
    uint32_t nroutes;
    struct socket_entry *sockets;
    uint32_t nsockets;
    struct command_entry *commands;
    uint32_t ncommands;
    struct hook_entry *hooks; /* by point, and at each in the order in which they are asked */
    uint32_t nhooks;
    struct map points; /* name -> struct hook_point */
};

/* map.h salts itself at the first use, which would be a write: look-ups from other threads go through these. */
struct method_entry *modules_method(const struct modules *ms, taut_str name);
/* Index of the method's argument of that name, or -1. */
int method_arg_index(const struct method_entry *me, taut_str name);

#endif
