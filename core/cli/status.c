/* status.c - taut status: what the running server is doing, gathered on its hub's thread. */
#include <unistd.h>

#include "cli/server.h"
#include "hub/observe.h"
#include "hub/status.h"
#include "obs/crash.h"
#include "obs/log.h"
#include "obs/log_format.h"
#include "taut/json.h"

static int64_t stat_of(const atomic_ullong *at) {
    return (int64_t)atomic_load_explicit(at, memory_order_relaxed);
}

static void time_member(struct taut_json *j, const char *key, int64_t wall_us) {
    char text[LOG_TIME_MAX];
    log_format_time(text, wall_us);
    taut_json_kstr(j, key, taut_str_z(text));
}

static void gateways(const struct server *s, struct taut_json *j) {
    taut_json_kopen(j, "gateways", '[');
    for (uint32_t i = 0; i < s->ngateways; i++) {
        const struct gateway_stats *g = gateway_stats(s->gateways[i]);
        const struct beat *b = gateway_beat(s->gateways[i]);
        taut_json_open(j, '{');
        taut_json_kint(j, "gateway", i);
        taut_json_kint(j, "http", stat_of(&g->http_connections));
        taut_json_kint(j, "websockets", stat_of(&g->ws_connections));
        taut_json_kint(j, "lagging", stat_of(&g->lagging_now));
        taut_json_kint(j, "queued_bytes", stat_of(&g->queued_bytes));
        taut_json_kint(j, "calls", stat_of(&g->calls));
        taut_json_kint(j, "turn_p99_us", (int64_t)(histogram_quantile(&b->turns, 0.99) / 1000));
        taut_json_close(j, '}');
    }
    taut_json_close(j, ']');
}

static void errors(struct taut_json *j) {
    struct log_recent list[LOG_RECENT];
    uint32_t n = log_recent(list);
    taut_json_kopen(j, "errors", '[');
    for (uint32_t i = 0; i < n; i++) {
        taut_json_open(j, '{');
        time_member(j, "last", list[i].last_us);
        taut_json_kstr(j, "level", taut_str_z(log_level_names[list[i].level & 3]));
        taut_json_kint(j, "count", (int64_t)list[i].count);
        taut_json_kstr(j, "module", taut_str_z(list[i].who));
        taut_json_kstr(j, "event", taut_str_z(list[i].event));
        taut_json_kstr(j, "text", taut_str_z(list[i].text));
        taut_json_close(j, '}');
    }
    taut_json_close(j, ']');
}

static void reports(const struct engine *e, struct taut_json *j) {
    uint32_t n;
    char *newest = crash_newest(e->dir.dir_fd, &n);
    taut_json_kint(j, "crash_reports", n);
    if (newest) taut_json_kstr(j, "newest_crash_report", taut_str_z(newest));
    free(newest);
}

void status_write(struct engine *e, struct taut_json *j) {
    struct server *s = e->server;
    int64_t up_us = clock_mono_us() - s->ready_us;
    char abi[16];
    int n = snprintf(abi, sizeof abi, "%d.%d", TAUT_ABI_MAJOR, TAUT_ABI_MINOR);
    taut_json_kstr(j, "version", TAUT_LIT(TAUT_VERSION));
    taut_json_kstr(j, "abi", taut_str_n(abi, (size_t)n));
    taut_json_kint(j, "pid", getpid());
    time_member(j, "started", clock_wall_us() - up_us);
    taut_json_kint(j, "uptime_s", up_us / 1000000);
    taut_json_kstr(j, "data", e->info.data);
    taut_json_kstr(j, "listen", e->config->server.listen);
    taut_json_kstr(j, "admin", e->config->admin.listen);
    taut_json_kstr(j, "public_url", e->info.public_url);
    watch_ready(&s->watch, j);
    hub_status(e->hub, j);
    taut_json_kint(j, "hub_turn_p99_us", (int64_t)(histogram_quantile(&s->beat.turns, 0.99) / 1000));
    gateways(s, j);
    errors(j);
    reports(e, j);
}
