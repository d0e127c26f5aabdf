/* reconfigure.h - a new configuration for modules that run: what of it can be applied now, and how it is, in two
 * phases. Hub.
 *
 * Options with TAUT_OPT_LIVE are applied. Modules that went, or that are not to run any more (`enabled: false`), are to
 * be stopped, and those that come back to be started again. Everything else that differs is named and stays as it is
 * until a restart: other options, modules that this process has not loaded, the order. A module sees either all of what
 * changes for it or nothing, and no module sees anything when one of them refuses.
 */
#ifndef MODULE_RECONFIGURE_H
#define MODULE_RECONFIGURE_H

#include "module/loader.h"

/* Names of options and modules, in the order in which they were added; strings in `arena`. */
struct change_list {
    const char **names;
    uint32_t n, cap;
};
void change_add(struct arena *a, struct change_list *list, const char *name);

struct reconfigure {
    struct arena *arena;     /* everything of this struct */
    struct modules *running; /* their instances get the new values */
    struct config *config;   /* the new one, without errors; refusals are added to it */
    struct change_list applied, restart;
    struct module_change *changes;
    uint32_t n, prepared;
    /* What is to be stopped, in reverse start order, then what is to be started: by the hub, behind the commit. */
    struct module_switch *switches;
    uint32_t nswitches;
};

/* Finds what differs between the modules that run and those that the new configuration would run. */
void reconfigure_find(struct reconfigure *r, const struct modules *wanted);
/* Asks all that have something to apply. False: one refuses, which stands in the config's errors, and nothing changed.
 */
bool reconfigure_prepare(struct reconfigure *r);
/* One of these after reconfigure_prepare was true. */
void reconfigure_commit(struct reconfigure *r);
void reconfigure_cancel(struct reconfigure *r);

/* Frees the values that earlier commits replaced. In a later turn of the loop: no callback of then runs any more. */
void modules_reap(struct modules *ms);

#endif
