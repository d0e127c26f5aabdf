/* limits.c - limits of a running gateway that a reload changes. They travel as mail and are put where each is looked at
 * when it is used; a deadline that was given already only comes nearer, so that the lists of waiting connections stay
 * in order. */
#include "gateway/http.h"
#include "gateway/internal.h"
#include "gateway/ws_internal.h"

struct limits_msg {
    struct msg msg; /* first */
    struct gateway_limits limits;
};

void gateway_set_limits(struct gateway *g, const struct gateway_limits *limits) {
    struct limits_msg *m = xcalloc(1, sizeof *m);
    m->msg.kind = MSG_LIMITS;
    m->limits = *limits;
    port_post(&g->port, &m->msg);
}

void limits_apply(struct gateway *g, struct msg *m) {
    g->config.limits = CONTAINER_OF(m, struct limits_msg, msg)->limits;
    http_limits_changed(g);
    ws_limits_changed(g);
    free(m);
}
