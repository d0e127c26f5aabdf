/* server.h - a running server, for the files that belong to its life: serve.c and what looks at it. Main thread. */
#ifndef CLI_SERVER_H
#define CLI_SERVER_H

#include "cli/internal.h"
#include "cli/watch.h"
#include "gateway/gateway.h"
#include "gateway/spool.h"
#include "obs/metrics.h"

enum { SERVER_SIGNALS = 4, SPOOL_FILES_MAX = 128 /* half of the spare descriptors */ };

struct server {
    struct cli *cli;
    struct engine engine;
    struct metrics *metrics;
    struct spool *spool;
    struct edge *edge;
    struct gateway **gateways;
    uint32_t ngateways;
    bool gateways_run;
    struct control *control;
    uv_signal_t signals[SERVER_SIGNALS];
    uv_work_t stopping_gateways;
    struct beat beat; /* of the hub's loop */
    struct watch watch;
    int64_t ready_us; /* mono; 0: not yet */
    bool started, stopping;
    bool reloading, hung_up; /* hung_up: a SIGHUP came while it was */
    int rc;
};

/* ---- server_metrics.c ---- */
/* What the metrics of the program read; those of the hub and its modules are hub_metrics. */
struct metric_sources {
    const struct watch *watch; /* its loops, and their mailboxes */
    const struct gateway_stats **gateways;
    uint32_t ngateways;
    const struct spool_stats *spool;
    const atomic_llong *certificate_expires; /* NULL: there is no TLS */
};
void server_metrics(struct metrics *m, const struct metric_sources *from);

/* ---- server_signs.c: what a server tells the outside, and what it finds ---- */
void signs_begin(struct server *s); /* crash reports are written from here on; says what an earlier run left */
void signs_ready(struct server *s);
void signs_reloading(void); /* signs_reloaded ends it, whatever came of it */
void signs_reloaded(void);
void signs_stopping(struct server *s);
void signs_beat(void *server); /* once a second */
void signs_end(void);

/* ---- serve.c ---- */
struct gateway_limits gateway_limits_of(const struct server_config *c);

/* ---- reload.c ---- */
void server_hangup(struct server *s); /* SIGHUP: reads the configuration again */

#endif
