/* hub.h - the one thread on which all module code runs: calls, reads, commits, operations, timers.
 *
 * All functions run on the hub's own thread unless they say otherwise.
 */
#ifndef HUB_HUB_H
#define HUB_HUB_H

#include "hub/port.h"

struct hub;

struct hub_config {
    const struct taut_server_info *info;
    int64_t call_timeout_ms;                    /* METHOD, FRAME, OPEN, ROUTE */
    int64_t cache_bytes;                        /* rows kept in memory */
    int64_t tail_events;                        /* events kept in memory per workspace */
    uint32_t start_timeout_ms, stop_timeout_ms; /* of one module; 0: 60 s, and 10 s (the store: 7 s) */
};

struct hub *hub_new(uv_loop_t *loop, struct modules *modules, const struct hub_config *config);
const struct taut_host *hub_host(struct hub *h);
struct port *hub_port(struct hub *h); /* where gateways send their messages; any thread may post to it */

/* The same with other limits, while it runs. `info` stays what it was. */
void hub_reconfigure(struct hub *h, const struct hub_config *config);

/* Init and start of all modules in order: storage opened between init and start. done(arg, err, text): 0, or which
 * module failed and why. stop in reverse; done when all have stopped or their time is up: TAUT_E_TIMEOUT, and which
 * ones are left as they are. */
void hub_start_modules(struct hub *h, void (*done)(void *arg, int32_t err, const char *text), void *arg);
void hub_stop_modules(struct hub *h, void (*done)(void *arg, int32_t err, const char *text), void *arg);

/* Stops and starts some of them while the others run, one after another in the order of the list. No other call of this
 * may be under way. done: NULL, or what did not come to its end and why, a line each. */
void hub_switch_modules(struct hub *h, const struct module_switch *list, uint32_t n,
                        void (*done)(void *arg, const char *failed), void *arg);

/* Instead of hub_start_modules: puts a backup in the place of the store and ends what was begun for that. done: 0 and
 * what was done, or why it was not. The file's name stays valid until then. progress may be NULL. */
void hub_restore(struct hub *h, taut_str file, void (*progress)(void *arg, uint64_t done, uint64_t total),
                 void (*done)(void *arg, int32_t err, const char *text), void *arg);

/* A gateway that gets every published event. Before the loop runs, or on the hub. */
void hub_add_gateway(struct hub *h, struct port *p);

/* Runs a command as a call of kind COMMAND with the actor OPERATOR. done on the hub; its call is valid until it
 * returns. progress may be NULL. */
struct hub_command {
    const struct command_entry *command;
    struct taut_argv *args; /* one a declared argument; everything copied */
    uint32_t nargs;
    void (*progress)(void *arg, taut_str line);
    void (*done)(void *arg, const struct taut_outcome *o);
    void *arg;
};
void hub_run_command(struct hub *h, const struct hub_command *cmd);

/* Ends the process (code 1) when a module hangs (logged): its threads may still use what would be freed. */
void hub_free(struct hub *h);

#endif
