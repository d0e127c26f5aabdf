/* gauges.c - what a gateway has in hand, noted once a second for others to read. Gateway thread. */
#include "gateway/http.h"
#include "gateway/ws_internal.h"

struct sums {
    unsigned long long lagging, queued;
};
static void add_conn(void *value, void *arg) {
    const struct conn *c = value;
    struct sums *s = arg;
    s->lagging += c->lagging;
    s->queued += c->queued + (c->held_len - c->held_at);
}

void gateway_sample(void *gateway) {
    struct gateway *g = gateway;
    struct sums s = {0, 0};
    if (g->ws && !g->ws_stopped) map_each(&g->ws->conns, add_conn, &s);
    atomic_store_explicit(&g->stats.calls, g->at_hub, memory_order_relaxed);
    atomic_store_explicit(&g->stats.call_bytes, g->http->call_bytes, memory_order_relaxed);
    atomic_store_explicit(&g->stats.input_bytes, g->http->input, memory_order_relaxed);
    atomic_store_explicit(&g->stats.answer_bytes, g->http->unsent, memory_order_relaxed);
    atomic_store_explicit(&g->stats.disk_jobs, g->http->disk.jobs, memory_order_relaxed);
    atomic_store_explicit(&g->stats.lagging_now, s.lagging, memory_order_relaxed);
    atomic_store_explicit(&g->stats.queued_bytes, s.queued, memory_order_relaxed);
}
