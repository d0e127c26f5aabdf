/* metrics.c - the metrics of the hub, of methods and of hooks, as they are registered. While the server starts. */
#include "hub/internal.h"
#include "hub/observe.h"

#define AT(field) offsetof(struct hub_seen, field)
static const struct {
    const char *name, *labels, *help;
    enum metric_kind kind;
    double (*read)(const void *arg);
    size_t at;
} table[] = {
#define GAUGE(name, field, help) \
    { name, NULL, help, METRIC_GAUGE, metric_read_llong, AT(now.field) }
#define TOTAL(name, field, help) \
    { name, NULL, help, METRIC_COUNTER, metric_read_ullong, AT(now.field) }
#define KIND(kind, i)                                                                                    \
    {"taut_call_seconds", "kind=\"" kind "\"", CALL_HELP, METRIC_HISTOGRAM, NULL, AT(calls[i])}, {       \
        "taut_calls_failed_total", "kind=\"" kind "\"", FAILED_HELP, METRIC_COUNTER, metric_read_ullong, \
            AT(calls_failed[i])                                                                          \
    }
#define COMMIT(end, i) \
    { "taut_commits_total", "result=\"" end "\"", COMMIT_HELP, METRIC_COUNTER, metric_read_ullong, AT(commits[i]) }
#define READ(kind, i) \
    { "taut_read_seconds", "kind=\"" kind "\"", READ_HELP, METRIC_HISTOGRAM, NULL, AT(reads[i]) }
#define CALLS_HELP "Calls under way at the hub, by what they wait for."
#define CALL_HELP "Time of calls, from their arrival at the hub to their answer."
#define FAILED_HELP "Calls that were answered with an error."
#define COMMIT_HELP "Batches that the store has answered."
#define READ_HELP "Time of reads of the store."
    {"taut_hub_calls", "state=\"reading\"", CALLS_HELP, METRIC_GAUGE, metric_read_llong, AT(now.calls[STATE_READING])},
    {"taut_hub_calls", "state=\"committing\"", CALLS_HELP, METRIC_GAUGE, metric_read_llong,
     AT(now.calls[STATE_COMMITTING])},
    {"taut_hub_calls", "state=\"held\"", CALLS_HELP, METRIC_GAUGE, metric_read_llong, AT(now.calls[STATE_HELD])},
    {"taut_hub_calls", "state=\"other\"", CALLS_HELP, METRIC_GAUGE, metric_read_llong, AT(now.calls[STATE_OTHER])},
    {"taut_hub_oldest_call_seconds", NULL, "Age of the oldest call that no module holds open.", METRIC_GAUGE,
     metric_read_ns, AT(now.oldest_call_ns)},
    {"taut_store_oldest_commit_seconds", NULL, "How long a call's batch has been at the store without an answer.",
     METRIC_GAUGE, metric_read_ns, AT(now.oldest_commit_ns)},
    KIND("method", TAUT_CALL_METHOD),
    KIND("open", TAUT_CALL_OPEN),
    KIND("frame", TAUT_CALL_FRAME),
    KIND("command", TAUT_CALL_COMMAND),
    KIND("task", TAUT_CALL_TASK),
    KIND("route", TAUT_CALL_ROUTE),
    {"taut_commit_durable_seconds", NULL, "From the submission of a batch to the news that it is on disk.",
     METRIC_HISTOGRAM, NULL, AT(commit_durable)},
    {"taut_commit_answered_seconds", NULL, "From the submission of a call's last batch to the call's answer.",
     METRIC_HISTOGRAM, NULL, AT(commit_answered)},
    COMMIT("ok", COMMIT_OK),
    COMMIT("conflict", COMMIT_CONFLICT),
    COMMIT("claimed", COMMIT_CLAIMED),
    COMMIT("unavailable", COMMIT_UNAVAILABLE),
    COMMIT("unknown", COMMIT_UNKNOWN),
    COMMIT("failed", COMMIT_FAILED),
    {"taut_calls_overdue_total", NULL, "Calls that a module kept open behind their deadline: answered in its place.",
     METRIC_COUNTER, metric_read_ullong, AT(held_overdue)},
    {"taut_calls_answered_late_total", NULL, "Answers of modules to such calls: nobody got them.", METRIC_COUNTER,
     metric_read_ullong, AT(held_late)},
    READ("get", READ_GET),
    READ("scan", READ_SCAN),
    READ("events", READ_EVENTS),
    GAUGE("taut_hub_connections", connections, "Open sockets that the hub knows."),
    GAUGE("taut_store_commits", store_commits, "Batches at the store."),
    GAUGE("taut_store_reads", store_reads, "Rows that are being read."),
    GAUGE("taut_store_scanning_calls", scans, "Calls that have scans."),
    GAUGE("taut_store_scans_waiting", scans_waiting, "Scans that wait for their turn."),
    GAUGE("taut_cache_bytes", cache_bytes, "Memory of the rows that are kept."),
    GAUGE("taut_cache_limit_bytes", cache_max_bytes, "What it may take: server.cache."),
    GAUGE("taut_cache_rows", cache_rows, "Rows that are kept in memory."),
    TOTAL("taut_cache_hits_total", cache_hits, "Rows that were at hand."),
    TOTAL("taut_cache_misses_total", cache_misses, "Rows that were not."),
    TOTAL("taut_cache_evictions_total", cache_evictions, "Rows that left for others."),
    GAUGE("taut_logs", logs, "Logs that have been used since the start."),
    GAUGE("taut_tail_events", tail_events, "Events that are kept in memory."),
    GAUGE("taut_tail_bytes", tail_bytes, "Memory of the events that are kept."),
    GAUGE("taut_ops", ops, "Operations that are not complete."),
    TOTAL("taut_ops_stale_total", ops_stale, "Completions of operations that were over."),
    TOTAL("taut_ops_timed_out_total", ops_timed_out, "Operations that passed their deadline."),
    GAUGE("taut_timers", timers, "Timers of modules."),
    GAUGE("taut_work_queued", work_queued, "Work that waits for a thread of the pool."),
};

static void register_method(void *value, void *arg) {
    struct method_entry *me = value;
    char labels[160];
    metric_label(labels, sizeof labels, "method", me->def->name);
    metrics_add(arg,
                &(struct metric){.name = "taut_method_seconds",
                                 .labels = labels,
                                 .help = "Time of a method's calls, from their arrival at the hub to their answer.",
                                 .kind = METRIC_HISTOGRAM,
                                 .arg = &me->seconds});
    metrics_add(arg, &(struct metric){.name = "taut_method_failed_total",
                                      .labels = labels,
                                      .help = "A method's calls that were answered with an error.",
                                      .kind = METRIC_COUNTER,
                                      .read = metric_read_ullong,
                                      .arg = &me->failed});
}

static void register_hook(const struct hook_entry *hook, const char *module, struct metrics *metrics) {
    char labels[512];
    size_t n = metric_label(labels, sizeof labels, "point", hook->def->point);
    labels[n++] = ',';
    n += metric_label(labels + n, sizeof labels - n, "name", hook->def->name);
    labels[n++] = ',';
    metric_label(labels + n, sizeof labels - n, "module", module);
    metrics_add(metrics, &(struct metric){.name = "taut_hook_seconds",
                                          .labels = labels,
                                          .help = "Time of a hook's functions, by hook point, function and module.",
                                          .kind = METRIC_HISTOGRAM,
                                          .arg = &hook->seconds});
    metrics_add(metrics, &(struct metric){.name = "taut_hook_faults_total",
                                          .labels = labels,
                                          .help = "Times that a hook's function failed, or took too long.",
                                          .kind = METRIC_COUNTER,
                                          .read = metric_read_ullong,
                                          .arg = &hook->faults});
}

static void register_hub(const struct hub_seen *seen, struct metrics *metrics) {
    for (size_t i = 0; i < COUNT_OF(table); i++)
        metrics_add(metrics, &(struct metric){.name = table[i].name,
                                              .labels = table[i].labels,
                                              .help = table[i].help,
                                              .kind = table[i].kind,
                                              .read = table[i].read,
                                              .arg = (const char *)seen + table[i].at});
}

void hub_metrics_example(struct metrics *metrics) {
    static const struct hub_seen nothing;
    static const struct taut_method method_def = {.name = "NAME"};
    static const struct taut_hook hook_def = {.point = "POINT", .name = "FUNCTION"};
    static struct method_entry method = {.def = &method_def};
    static const struct hook_entry hook = {.def = &hook_def};
    static struct seen module = {.crumbs = {.name = "MODULE"}};
    register_hub(&nothing, metrics);
    register_method(&method, metrics);
    register_hook(&hook, "MODULE", metrics);
    seen_register(&module, metrics);
}

void hub_metrics(struct hub *h, struct metrics *metrics) {
    register_hub(&h->seen, metrics);
    map_each(&h->modules->methods, register_method, metrics);
    for (uint32_t i = 0; i < h->modules->nhooks; i++)
        register_hook(&h->modules->hooks[i], h->modules->hooks[i].owner->pub.name, metrics);
    seen_register(h->core.seen, metrics);
    for (uint32_t i = 0; i < h->modules->n; i++) seen_register(h->modules->list[i]->seen, metrics);
}
