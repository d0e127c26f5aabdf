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
    const struct gateway_limits *l = &CONTAINER_OF(m, struct limits_msg, msg)->limits;
    struct gateway_config *c = &g->config;
    c->max_body = l->max_body;
    c->max_calls = l->max_calls;
    c->max_call_bytes = l->max_call_bytes;
    c->max_input = l->max_input;
    c->max_answers = l->max_answers;
    c->header_timeout = l->header_timeout;
    c->body_timeout = l->body_timeout;
    c->answer_timeout = l->answer_timeout;
    c->idle_timeout = l->idle_timeout;
    c->connection_queue = l->connection_queue;
    http_limits_changed(g);
    ws_limits_changed(g);
    free(m);
}
