/* server_metrics.c - everything that /metrics shows, in its order: the process, the log, the gateways, the loops, the
 * hub and the modules. */
#include "cli/internal.h"

#include "cli/watch.h"
#include "gateway/gateway.h"
#include "hub/observe.h"
#include "obs/log.h"

static const struct {
    const char *name, *help;
    size_t offset;
    enum metric_kind kind;
} stats[] = {
#define GAUGE(field, name, text) \
    { "taut_gateway_" name, text, offsetof(struct gateway_stats, field), METRIC_GAUGE }
#define COUNTER(field, name, text) \
    { "taut_gateway_" name "_total", text, offsetof(struct gateway_stats, field), METRIC_COUNTER }
    GAUGE(http_connections, "http_connections", "Open HTTP connections."),
    COUNTER(http_requests, "http_requests", "HTTP requests."),
    GAUGE(tls_connections, "tls_connections", "Open TLS connections."),
    COUNTER(tls_handshakes, "tls_handshakes", "TLS handshakes that were completed."),
    COUNTER(tls_failed, "tls_failed", "TLS handshakes that failed."),
    GAUGE(ws_connections, "ws_connections", "Open WebSockets."),
    COUNTER(ws_opened, "ws_opened", "WebSockets opened."),
    COUNTER(frames_in, "frames_in", "Text frames received."),
    COUNTER(deliveries, "deliveries", "Events delivered to connections."),
    COUNTER(writes, "writes", "Writes to WebSockets."),
    COUNTER(bytes_out, "bytes_out", "Bytes sent to WebSockets."),
    COUNTER(lagging, "lags", "Times that a connection began to lag."),
    GAUGE(lagging_now, "lagging_connections", "WebSockets that lag."),
    GAUGE(queued_bytes, "queued_bytes", "Bytes that wait for WebSockets."),
    COUNTER(dropped_ephemeral, "dropped_ephemeral", "Ephemeral events dropped."),
    COUNTER(slow_closed, "slow_closed", "Connections closed because they were too slow."),
    COUNTER(refused, "refused", "Connections and requests refused."),
    COUNTER(refused_address, "refused_address", "Connections refused by a limit of their address."),
    COUNTER(refused_origin, "refused_origin", "Requests refused because of their Origin."),
    GAUGE(calls, "calls", "Calls that the hub has of the gateway."),
    GAUGE(call_bytes, "call_bytes", "Memory of their requests: at most server.max_call_bytes."),
    GAUGE(input_bytes, "input_bytes", "Requests that have not arrived as a whole: at most server.max_input."),
    GAUGE(answer_bytes, "answer_bytes", "Answers that nobody has read yet: at most server.max_answers."),
#undef GAUGE
#undef COUNTER
};

static void add_gateway(struct metrics *m, const struct gateway_stats *from, uint32_t number) {
    char labels[32];
    snprintf(labels, sizeof labels, "gateway=\"%u\"", number);
    for (size_t i = 0; i < COUNT_OF(stats); i++)
        metrics_add(m, &(struct metric){.name = stats[i].name,
                                        .labels = labels,
                                        .help = stats[i].help,
                                        .kind = stats[i].kind,
                                        .read = metric_read_ullong,
                                        .arg = (const char *)from + stats[i].offset});
}

static void add_loop(struct metrics *m, const char *name, const struct beat *b) {
    char labels[64];
    metric_label(labels, sizeof labels, "loop", name);
    metrics_add(m, &(struct metric){"taut_loop_turn_seconds", labels,
                                    "What a loop does between two waits: how long something new may have to wait.",
                                    METRIC_HISTOGRAM, NULL, &b->turns});
    metrics_add(m, &(struct metric){"taut_loop_lag_seconds", labels,
                                    "How late a timer of the loop is, looked at once a second.", METRIC_HISTOGRAM, NULL,
                                    &b->lags});
}

static double read_one(const void *arg) {
    (void)arg;
    return 1;
}

void server_metrics(struct metrics *m, struct hub *hub, const struct watch *w, const struct gateway_stats *const *from,
                    uint32_t n) {
    metrics_add_process(m);
    metrics_add(m, &(struct metric){"taut_build", "version=\"" TAUT_VERSION "\"", "Always 1; the version is its label.",
                                    METRIC_GAUGE, read_one, NULL});
    log_metrics(m);
    for (uint32_t i = 0; i < n; i++) add_gateway(m, from[i], i);
    for (uint32_t i = 0; i < w->nloops; i++) add_loop(m, w->loops[i].name, w->loops[i].beat);
    hub_metrics(hub, m);
}
