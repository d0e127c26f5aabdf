/* server_metrics.c - what /metrics shows of the program, in this order: the process, the log, the gateways, the loops,
 * large bodies, TLS. Behind it come the hub and the modules (hub/metrics.c). */
#include "cli/server.h"
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
    GAUGE(disk_jobs, "disk_jobs", "Reads and writes of large bodies that are under way."),
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

static double read_waiting(const void *port) {
    return (double)port_depth(port);
}

static void add_loop(struct metrics *m, const char *name, const struct beat *b, const struct port *port) {
    char labels[64];
    metric_label(labels, sizeof labels, "loop", name);
    metrics_add(m, &(struct metric){"taut_loop_turn_seconds", labels,
                                    "What a loop does between two waits: how long something new may have to wait.",
                                    METRIC_HISTOGRAM, NULL, &b->turns});
    metrics_add(m, &(struct metric){"taut_loop_lag_seconds", labels,
                                    "How late a timer of the loop is, looked at once a second.", METRIC_HISTOGRAM, NULL,
                                    &b->lags});
    metrics_add(m, &(struct metric){"taut_mailbox_waiting", labels,
                                    "Messages of other threads that wait for the loop, or are being dealt with.",
                                    METRIC_GAUGE, read_waiting, port});
    metrics_add(m, &(struct metric){"taut_mailbox_messages_total", labels, "Messages of other threads to the loop.",
                                    METRIC_COUNTER, metric_read_ullong, &port->posted});
}

static void add_spool(struct metrics *m, const struct spool_stats *s) {
    metrics_add(m, &(struct metric){"taut_spool_bytes", NULL,
                                    "Large bodies that wait on disk for their requests' end: at most server.max_spool.",
                                    METRIC_GAUGE, metric_read_llong, &s->bytes});
    metrics_add(m, &(struct metric){"taut_spool_files", NULL, "Files of large bodies.", METRIC_GAUGE, metric_read_llong,
                                    &s->files});
    metrics_add(m, &(struct metric){"taut_spool_refused_total", NULL, "Times that there was no room for a large body.",
                                    METRIC_COUNTER, metric_read_ullong, &s->refused});
}

static void add_certificate(struct metrics *m, const atomic_llong *expires) {
    metrics_add(m, &(struct metric){"taut_tls_certificate_expires_seconds", NULL,
                                    "When the certificate expires, in seconds since 1970.", METRIC_GAUGE,
                                    metric_read_llong, expires});
}

static const char build[] = "version=\"" TAUT_VERSION "\"";

void server_metrics(struct metrics *m, const struct metric_sources *from) {
    metrics_add_process(m);
    metrics_add(m, &(struct metric){"taut_build_info", build, "The program.", METRIC_INFO, NULL, NULL});
    log_metrics(m);
    for (uint32_t i = 0; i < from->ngateways; i++) add_gateway(m, from->gateways[i], i);
    for (uint32_t i = 0; i < from->watch->nloops; i++)
        add_loop(m, from->watch->loops[i].name, from->watch->loops[i].beat, from->watch->loops[i].port);
    add_spool(m, from->spool);
    if (from->certificate_expires) add_certificate(m, from->certificate_expires);
}
