/* http_budget.c - what requests and answers may take. Gateway thread.
 *
 * Answers: how large one will be is known only when it is there, so a method's largest of the last hour or so, as far
 * as it is not in proportion to the request, is what the next are expected to be. A connection may have ANSWERS_MAX
 * bytes coming, and always FEW answers. Requests: those at the hub have a budget as a whole, whether or not their peer
 * is still there.
 */
#include "gateway/http.h"

enum {
    FEW = 4,
    PROPORTION = 4,              /* an answer of that many times its request is no surprise: it says back what it got */
    UNKNOWN = ANSWERS_MAX / FEW, /* what is expected of a method that has not answered yet */
    FADE_TICKS = 60              /* an eighth of the excess is forgotten every minute */
};
static const size_t DEFAULT_BYTES = (size_t)64 << 20;

/* Open addressing by the table entry's address; at most half full. */
struct http_known {
    const void *what;
    size_t excess; /* of the largest answer over PROPORTION times its request */
};

static size_t or_default(int64_t configured) {
    return configured ? (size_t)configured : DEFAULT_BYTES;
}

void http_budget_limits(struct http_server *s) {
    s->max_call_bytes = or_default(s->g->config.limits.max_call_bytes);
    s->max_input = or_default(s->g->config.limits.max_input);
    s->max_answers = or_default(s->g->config.limits.max_answers);
}

void http_budget_init(struct http_server *s) {
    const struct modules *ms = s->g->config.modules;
    http_budget_limits(s);
    s->known_size = 64;
    while (s->known_size < 2 * (ms->methods.len + ms->nroutes)) s->known_size *= 2;
    s->known = xcalloc(s->known_size, sizeof *s->known);
}

void http_budget_free(struct http_server *s) {
    free(s->known);
}

/* The entry of `what`, or the free one where it belongs. */
static struct http_known *known_at(const struct http_server *s, const void *what) {
    uint64_t hash = (uint64_t)(uintptr_t)what * 0x9e3779b97f4a7c15;
    uint32_t i = (uint32_t)(hash >> 32) & (s->known_size - 1);
    while (s->known[i].what && s->known[i].what != what) i = (i + 1) & (s->known_size - 1);
    return &s->known[i];
}

void http_budget_tick(struct http_server *s) {
    if (++s->ticks % FADE_TICKS) return;
    for (uint32_t i = 0; i < s->known_size; i++) s->known[i].excess -= s->known[i].excess / 8;
}

/* ---- answers ---- */

size_t http_expected(const struct http_server *s, const void *what, size_t request_bytes) {
    if (!what) return 0;
    const struct http_known *known = known_at(s, what);
    return known->what ? PROPORTION * request_bytes + known->excess : UNKNOWN;
}

static void learn(struct http_server *s, const void *what, size_t request, size_t answer) {
    struct http_known *known = known_at(s, what);
    size_t excess = answer > PROPORTION * request ? answer - PROPORTION * request : 0;
    if (!known->what || known->excess < excess) *known = (struct http_known){what, excess};
}

bool http_has_room(const struct http_conn *c, size_t expected) {
    return http_outstanding(c) < FEW || c->answers + expected <= ANSWERS_MAX;
}

/* ---- requests at the hub ---- */

/* What the call copied of its request, which nobody changes until the call is put back. */
static size_t request_bytes(const struct call *c) {
    size_t n = c->pub.text.len + c->pub.query.len + c->token.len + (c->http ? c->http->head.len + c->http->bytes : 0);
    for (uint32_t i = 0; i < c->nargs; i++) n += c->args[i].s.len;
    return n;
}

bool http_hub_is_full(const struct gateway *g) {
    return g->at_hub >= g->config.limits.max_calls || g->http->call_bytes >= g->http->max_call_bytes;
}

void http_call_sent(struct gateway *g, const struct call *call) {
    g->http->call_bytes += request_bytes(call);
}

void http_call_returned(struct gateway *g, const struct call *call) {
    if (call->pub.kind == TAUT_CALL_FRAME) return;
    size_t request = request_bytes(call);
    const void *what = call->method ? (const void *)call->method : (const void *)call->route;
    g->http->call_bytes -= request;
    if (what) learn(g->http, what, request, call->out.body.len);
}
