/* modtest.h - what the files of taut-modtest share.
 *
 *   main.c       the command line
 *   runner.c     tests in their order, each in a process of its own; TAP
 *   child.c      that process
 *   script.c     a script: tests and their steps, with everything that is wrong in it
 *   world.c      one life: a hub, its modules, a gateway that takes notes, on one loop in one thread
 *   turns.c      letting it run until it rests; moving the clock
 *   clock.c      the clock
 *   gateway.c    calls and sockets, and what comes back
 *   store.c      storage/1 in the same thread; rows.c: what is in it from the start; auth.c: auth/1
 *   watch.c      what the module holds of the host; faults.c: the n-th that it asks for is refused
 *   leftovers.c  what is left when it has ended
 *   notes.c      the log
 *   expect.c     comparing; node_json.c: values of a script as JSON
 *   kept.c       what a step keeps of an answer for later ones
 *   steps.c      the table of steps; step_*.c: what they do; ask.c: what those share that ask something
 *
 * A test is run in a child, which ends with it: whatever a module does ends its own test alone. There is one world in a
 * process. The parent never runs code of a module.
 */
#ifndef MODTEST_H
#define MODTEST_H

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "config/config.h"
#include "hub/internal.h"
#include "module/loader.h"

/* ---- clock.c ---- */
void clock_move(int64_t ms);
int64_t clock_real_ms(void); /* of the machine: for patience */

/* ---- script.c ---- */
struct world;
struct step;
enum { STEP_TEXT = 1 << NODE_SCALAR, STEP_MAP = 1 << NODE_MAP, STEP_LIST = 1 << NODE_LIST };
struct step_kind {
    const char *name;
    const char *keys;  /* what else may stand in it: "args answer" */
    uint32_t value;    /* STEP_* */
    const char *inner; /* keys of a value that is a map; NULL: any */
    bool (*run)(struct world *w, const struct step *s);
    bool asks; /* the module is to answer it */
};
struct step {
    const struct step_kind *kind;
    const struct node *node;  /* the map */
    const struct node *value; /* of the member that names the kind */
};
struct test {
    const char *name;
    const struct node *options; /* of the module under test, or NULL */
    struct step *steps;
    uint32_t n;
};
struct script {
    struct config *config; /* its errors, its list of modules; its arena has all of this */
    const char *file;
    const struct node *rows; /* or NULL */
    struct test *tests;
    uint32_t n;
};
struct script *script_read(const char *file); /* never NULL: look at config->errors */
struct script *script_none(void);             /* no tests, nothing configured */
const struct step_kind *step_kind_named(taut_str name);
uint32_t step_kind_names(const char *names[]); /* at most STEP_KINDS_MAX */
enum { STEP_KINDS_MAX = 32 };

/* ---- the run that this process is: runner.c ---- */

/* Shared with the parent: where the child is when it ends by itself. */
struct run_page {
    uint32_t line, col;  /* of the step; 0: none */
    char doing[160];     /* "start", "call: hello.greet" */
    char said[256];      /* what it was doing when it crashed, as crumbs say */
    atomic_uint beats;   /* rises while something goes on */
    uint32_t refused_at; /* the fault that was asked for has happened */
    uint32_t asked;      /* for how much the module asked that may be refused */
    bool ended, failed;
    bool is_wrong; /* what was configured: nothing ran */
};
struct settings {
    const char *module; /* the file under test */
    const char *name;   /* of the module */
    const char *dirs;   /* where modules are looked for */
    const char **with;  /* further modules, by name */
    uint32_t nwith;
    bool verbose;
    int64_t patience_ms;
};

/* ---- world.c ---- */
struct gateway;
struct world {
    const struct settings *settings;
    const struct script *script;
    const struct test *test; /* or NULL */
    struct run_page *page;
    FILE *report;
    uint32_t fault; /* the n-th thing that the module asks for is refused; 0: none */
    bool failed;

    struct arena arena;
    struct config *config;
    struct modules *modules;
    struct instance *module; /* under test */
    uv_loop_t loop;
    struct taut_server_info info;
    struct hub *hub;
    uint32_t threads; /* of the process before there were modules */
    bool started, stopped, runs;
    bool is_restless; /* it never came to rest, which was reported */
    bool hung;        /* the store is still at work: nothing is freed */
    int32_t start_error;
    struct gateway *gateway;
    struct kept *kept;           /* of answers, newest first */
    struct taut_batch_view rows; /* that are there from the start */
};

/* Loads what is configured. False: errors are in w->config. */
bool world_load(struct world *w, const struct node *options);
/* The life up to its steps, and from there to its end. False: the module does not run, which was reported if it is a
 * failure. */
bool world_begin(struct world *w);
void world_end(struct world *w); /* one that has ended already stays as it is */
/* This life ends, with all that belongs to an end, and another one begins, on the same store and with the options of
 * now. False: as world_begin, or what was left over was reported. */
bool world_restart(struct world *w);
struct config *world_config(struct world *w, const struct node *options); /* of a script's modules, not yet loaded */

/* What goes wrong, at a place of the script (NULL: none). The test has failed. */
void fail_at(struct world *w, const struct node *at, const char *fmt, ...) TAUT_PRINTF(3, 4);
/* Says in the run's page what is going on. */
void now_doing(struct world *w, const struct node *at, const char *fmt, ...) TAUT_PRINTF(3, 4);

/* ---- turns.c ---- */
typedef bool (*world_cond)(struct world *w, const void *arg);
/* Lets everything that can go on without time go on. */
void world_settle(struct world *w);
/* The same until cond holds; for a while also for what other threads and descriptors may still bring. */
bool world_wait(struct world *w, world_cond cond, const void *arg);
bool world_wait_for(struct world *w, int64_t ms, world_cond cond, const void *arg);
/* Moves the clock; timers fire in order, each at its time. */
void world_advance(struct world *w, int64_t ms);
/* Waits, then moves the clock until cond holds or ms have passed. */
bool world_advance_until(struct world *w, int64_t ms, world_cond cond, const void *arg);
uint32_t thread_count(void);

/* step_world.c: moves the clock as far as the step's `within` allows, until cond holds. False: it does not, or there is
 * no `within`, or that is no time (reported). */
bool step_lets_pass(struct world *w, const struct step *s, world_cond cond, const void *arg);

/* ---- gateway.c ---- */
struct frame {
    struct frame *next;
    taut_str json;
};
struct conn {
    struct conn *next;
    taut_conn id;
    const char *name;
    const struct socket_entry *socket;
    bool open, closed;
    uint32_t code;
    taut_str reason;
    struct frame *frames, **tail; /* not looked at yet */
};
/* A call that was sent, and what came of it. */
struct asked {
    struct asked *next;
    struct call *call; /* NULL: given back */
    struct conn *conn;
    bool answered, late; /* late: the hub gave up waiting */
    bool silent;         /* a frame without an answer */
    int status;
    const char *type;
    taut_str headers, body;
};
struct note { /* a published event */
    struct note *next;
    struct event *event;
};
struct gateway {
    struct port port;
    struct world *world;
    struct call_pool pool;
    struct asked *asked, **asked_tail;
    struct conn *conns;
    struct note *events, **events_tail;
    struct asked *pending; /* the newest that is to be answered later */
    taut_conn last_conn;
};
void gateway_open(struct world *w);
void gateway_close(struct world *w);
struct asked *gateway_call(struct world *w, uint32_t kind);   /* a new one, to be filled */
void gateway_send(struct world *w, struct asked *a);          /* to the hub */
struct conn *gateway_conn(struct world *w, const char *name); /* NULL: there is none */
struct conn *gateway_connect(struct world *w, const char *name, const struct socket_entry *socket);
void gateway_disconnect(struct world *w, struct conn *c);
void gateway_disconnect_all(struct world *w);
bool gateway_is_answered(struct world *w, const void *asked);
void gateway_forget_event(struct world *w, taut_str workspace, uint64_t seq);

/* ---- auth.c, rows.c; store.h ---- */
extern const struct taut_module modtest_auth;
/* A token by which it knows this actor, whose texts stay. */
taut_str auth_token(struct world *w, const struct taut_actor *a);
/* The rows of the script, in the tables of the modules that are loaded. */
void rows_read(struct world *w, struct config *errors);

/* ---- watch.c, faults.c, leftovers.c ---- */
void watch_begin(struct world *w); /* the hub's table is there, no module runs yet */
void watch_end(void);
uint32_t watch_jobs(void);  /* on the pool */
uint32_t watch_polls(void); /* watched descriptors */
/* Is this one refused? */
bool fault_now(void);
void faults_begin(struct world *w);
bool fault_happened(void);

/* Open files. */
struct descriptors {
    uint64_t open[16]; /* bits */
};
void descriptors_look(struct descriptors *d);
void leftovers_report(struct world *w);
void leftovers_after_loop(struct world *w, const struct descriptors *before, uint32_t threads);

/* ---- notes.c ---- */
struct line {
    struct line *next;
    int level;
    const char *who, *event;
    taut_str text;
    bool is_named; /* a step of the test asked for it */
};
void notes_begin(struct world *w, bool verbose);
/* The next line that was not looked at yet, behind `after` (NULL: the first). */
const struct line *notes_next(const struct line *after);
void notes_seen(const struct line *l); /* it, by name, and all before it */
const struct line *notes_first(void);
const struct line *notes_fault(const char *who); /* a fault of that module which no step named; or NULL */

/* ---- expect.c, node_json.c ---- */
/* Is `got` as `want` says? Of maps what is named; of lists all items. False: reported, where it differs. */
bool expect_json(struct world *w, const struct node *want, const json_t *got, const char *path);
bool expect_text(struct world *w, const struct node *want, taut_str got, const char *path);
/* The same, silently. */
bool matches_json(const struct node *want, const json_t *got);
bool matches_text(taut_str pattern, taut_str got);
json_t *node_json(const struct node *n);
taut_str node_json_text(struct arena *a, const struct node *n);
bool node_is_true(const struct node *n);
taut_str node_text(const struct node *n, const char *dflt); /* of a scalar; dflt: it is not there */

/* ---- kept.c ---- */
bool keep_of(struct world *w, const struct step *s, taut_str body); /* what `keep:` says */
/* The step with what was kept in place of its names. In the world's memory. */
struct step step_filled(struct world *w, const struct step *s);

/* ---- steps: steps.c, step_*.c ---- */
bool step_call(struct world *w, const struct step *s);
bool step_answered(struct world *w, const struct step *s);
bool step_request(struct world *w, const struct step *s);
bool step_command(struct world *w, const struct step *s);
bool step_connect(struct world *w, const struct step *s);
bool step_frame(struct world *w, const struct step *s);
bool step_sent(struct world *w, const struct step *s);
bool step_closed(struct world *w, const struct step *s);
bool step_disconnect(struct world *w, const struct step *s);
bool step_event(struct world *w, const struct step *s);
bool step_events(struct world *w, const struct step *s);
bool step_hook(struct world *w, const struct step *s);
bool step_advance(struct world *w, const struct step *s);
bool step_log(struct world *w, const struct step *s);
bool step_health(struct world *w, const struct step *s);
bool step_metric(struct world *w, const struct step *s);
bool step_storage(struct world *w, const struct step *s);
bool step_reload(struct world *w, const struct step *s);
bool step_restart(struct world *w, const struct step *s);

/* Are this run's expectations held against it? Not when something was refused on purpose. */
static inline bool is_judged(const struct world *w) {
    (void)w;
    return !fault_happened();
}

/* ---- runner.c ---- */
enum { EXIT_FAILED = 1, EXIT_WRONG = 2 };
int run_all(const struct settings *s, struct script *const *scripts, uint32_t n, const char *only, bool faults);

#endif
