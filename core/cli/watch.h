/* watch.h - the server watched by itself: do its loops turn, is it ready. What /healthz, /readyz, taut status and the
 * service manager hear. */
#ifndef CLI_WATCH_H
#define CLI_WATCH_H

#include "hub/beat.h"
#include "hub/hub.h"

enum { WATCH_LOOPS = 33, STUCK_MS = 10000, STORE_REFUSED_MS = 10000, STORE_SILENT_MS = 10000 };
enum watch_phase { WATCH_STARTING, WATCH_RUNNING, WATCH_STOPPING };

struct watch {
    struct hub *hub;
    struct modules *modules;
    struct {
        char name[24];
        const struct beat *beat;
        const struct port *port; /* its mailbox */
    } loops[WATCH_LOOPS];
    uint32_t nloops;
    _Atomic int phase; /* enum watch_phase */
};

/* While the server is made, on its own thread. */
void watch_loop(struct watch *w, const char *name, const struct beat *beat, const struct port *port);

/* Any thread. Each writes members into an open object and returns whether all is well. */
bool watch_live(void *watch, struct taut_json *j);
bool watch_ready(void *watch, struct taut_json *j);
/* True when every loop but this one has beaten lately. */
bool watch_others_turn(const struct watch *w, const struct beat *own);

#endif
