/* serve.c - the server's life on the main thread: lock, modules, hub, gateways, "ready", signals, and all of it ended
 * in reverse.
 *
 *   begin   descriptors -> lock -> hub -> gateways bind -> modules start -> gateways run -> ready
 *   end     control socket -> gateways (all at once, off this thread: the hub still answers) -> modules -> the rest
 *
 * After the first signal to end, both of these have their default action: a second one ends the process at once,
 * whatever hangs; the store stands that.
 */
#include <malloc.h>
#include <signal.h>

#include "cli/server.h"
#include "hub/observe.h"
#include "obs/log.h"

enum { GATEWAYS_AUTO_MAX = 4, LARGE_BLOCK_MIN = 128 * 1024 };

/* ---- steps ---- */

/* What is large goes back to the system as soon as it is freed. Left to itself glibc takes blocks of any size from its
 * heaps once a large one was freed; what a burst of large answers then leaves is held, in pieces. */
static void give_back_large_blocks(void) {
#ifdef M_MMAP_THRESHOLD
    mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK_MIN);
#endif
}

enum { TLS_DESCRIPTORS = 3 /* the socket, and a pair between TLS and what is behind it */ };

/* Descriptors for all connections, or as many connections as there are descriptors for. */
static bool set_descriptors(const struct cli *cli, struct config *c) {
    int64_t each = c->server.tls.cert.len ? TLS_DESCRIPTORS : 1, now;
    int64_t want = c->server.max_connections * each + DESCRIPTORS_SPARE;
    if (!descriptors_set(cli, want, &now)) return false;
    if (now >= want) return true;
    c->server.max_connections = (now > 2 * DESCRIPTORS_SPARE ? now - DESCRIPTORS_SPARE : now / 2) / each;
    log_fmt(TAUT_LOG_WARN, "server", "descriptors", "the limit of open files is %lld: at most %lld connections",
            (long long)now, (long long)c->server.max_connections);
    return true;
}

static bool lock_data(const struct cli *cli, const struct config *c, struct datadir *d) {
    char *why = NULL;
    long holder = 0;
    int32_t err = datadir_open(d, c->server.data.ptr, true, &holder, &why);
    if (err == TAUT_OK) return true;
    if (why) fprintf(stderr, "taut %s: %s\n", cli->command->name, why);
    else
        fprintf(stderr,
                "taut: the data directory %s is in use by another taut (process %ld); stop it, or use another --data\n",
                d->path, holder);
    free(why);
    datadir_close(d);
    return false;
}

static uint32_t count_gateways(const struct config *c) {
    if (c->server.gateways) return (uint32_t)c->server.gateways;
    unsigned cores = uv_available_parallelism();
    return cores <= 2 ? 1 : cores / 2 < GATEWAYS_AUTO_MAX ? cores / 2 : GATEWAYS_AUTO_MAX;
}

struct gateway_limits gateway_limits_of(const struct server_config *c) {
    return (struct gateway_limits){
        .max_body = c->max_body,
        .max_calls = c->max_calls,
        .max_call_bytes = c->max_call_bytes,
        .max_input = c->max_input,
        .max_answers = c->max_answers,
        .header_timeout = c->header_timeout,
        .body_timeout = c->body_timeout,
        .answer_timeout = c->answer_timeout,
        .idle_timeout = c->idle_timeout,
        .connection_queue = c->connection_queue,
    };
}

static struct gateway *bind_gateway(struct server *s, uint32_t i, uint32_t n, bool reuse_port) {
    const struct server_config *c = &s->engine.config->server;
    char *why = NULL;
    const struct gateway_config gc = {
        .listen = i ? gateway_address(s->gateways[0], false) : c->listen.ptr,
        .admin_listen = i ? NULL : s->engine.config->admin.listen.ptr,
        .modules = s->engine.modules,
        .hub = hub_port(s->engine.hub),
        .max_connections = (c->max_connections + n - 1) / n,
        .max_header = c->max_header,
        .limits = gateway_limits_of(c),
        .spool = s->spool,
        .edge = s->edge,
        .ping_interval = c->ping_interval,
        .reuse_port = reuse_port,
        .metrics = metrics_text,
        .metrics_arg = s->metrics,
        .live = watch_live,
        .ready = watch_ready,
        .watch = &s->watch,
    };
    struct gateway *g = gateway_new(&gc, &why);
    if (!g) fprintf(stderr, "taut %s: %s\n", s->cli->command->name, why);
    free(why);
    return g;
}

static bool open_spool(struct server *s) {
    const struct server_config *c = &s->engine.config->server;
    char *why = NULL;
    s->spool = spool_open(c->data.ptr, c->max_spool, SPOOL_FILES_MAX, &why);
    if (!s->spool) fprintf(stderr, "taut %s: %s\n", s->cli->command->name, why);
    free(why);
    return s->spool != NULL;
}

static void print_report(void *arg, bool fatal, const char *option, const char *text) {
    const struct server *s = arg;
    if (fatal) fprintf(stderr, "taut %s: server.%s: %s\n", s->cli->command->name, option, text);
}

static bool open_edge(struct server *s) {
    const struct edge_config c = edge_options(s->engine.config);
    s->edge = edge_new(&c, print_report, s);
    return s->edge != NULL;
}

/* Where the gateways really listen is known now, and so is the server's own origin. */
static void name_edge(struct server *s) {
    const struct edge_config c = edge_options(s->engine.config);
    if (edge_prepare(s->edge, &c, print_report, s)) edge_commit(s->edge);
}

/* The first one has the admin address; with port 0 it finds the port that all share. */
static bool bind_gateways(struct server *s) {
    uint32_t n = count_gateways(s->engine.config);
    s->gateways = xcalloc(n, sizeof(struct gateway *));
    if (n > 1) { /* sockets that share a port would share it with another server too: first see that it is free */
        struct gateway *probe = bind_gateway(s, 0, n, false);
        if (!probe) return false;
        gateway_free(probe);
    }
    for (uint32_t i = 0; i < n; i++) {
        struct gateway *g = bind_gateway(s, i, n, n > 1);
        if (!g) return false;
        s->gateways[s->ngateways++] = g;
        hub_add_gateway(s->engine.hub, gateway_port(g));
    }
    return true;
}

static void register_metrics(struct server *s) {
    const struct gateway_stats **gateways = xcalloc(s->ngateways, sizeof *gateways);
    watch_loop(&s->watch, "hub", &s->beat, hub_port(s->engine.hub));
    for (uint32_t i = 0; i < s->ngateways; i++) {
        char name[24];
        snprintf(name, sizeof name, "gateway %u", i);
        watch_loop(&s->watch, name, gateway_beat(s->gateways[i]), gateway_port(s->gateways[i]));
        gateways[i] = gateway_stats(s->gateways[i]);
    }
    server_metrics(s->metrics,
                   &(struct metric_sources){
                       .watch = &s->watch,
                       .gateways = gateways,
                       .ngateways = s->ngateways,
                       .spool = spool_stats(s->spool),
                       .certificate_expires = edge_has_tls(s->edge) ? edge_certificate_expires(s->edge) : NULL,
                   });
    hub_metrics(s->engine.hub, s->metrics);
    free(gateways);
}

/* ---- the end ---- */

static void on_modules_stopped(void *arg, int32_t err, const char *text) {
    struct server *s = arg;
    if (err) {
        log_fmt(TAUT_LOG_ERROR, "server", "stop", "%s; the process ends without it", text);
        s->rc = CLI_FAILED;
    }
    control_end(s->control);
    s->control = NULL;
    uv_stop(&s->engine.loop);
}

static void stop_gateway(void *gateway) {
    gateway_stop(gateway);
}

/* On a pool thread. All at once, on threads of their own: each may take as long as a gateway waits for slow clients. */
static void stop_gateways(uv_work_t *w) {
    struct server *s = w->data;
    uv_thread_t *threads = xcalloc(s->ngateways, sizeof *threads);
    bool *begun = xcalloc(s->ngateways, sizeof *begun);
    for (uint32_t i = 0; i < s->ngateways; i++)
        begun[i] = uv_thread_create(&threads[i], stop_gateway, s->gateways[i]) == 0;
    for (uint32_t i = 0; i < s->ngateways; i++) {
        if (begun[i]) uv_thread_join(&threads[i]);
        else gateway_stop(s->gateways[i]);
    }
    free(threads);
    free(begun);
}

static void on_gateways_stopped(uv_work_t *w, int status) {
    struct server *s = w->data;
    (void)status;
    s->gateways_run = false;
    hub_stop_modules(s->engine.hub, on_modules_stopped, s);
}

static void stop(struct server *s) {
    s->stopping = true;
    signs_stopping(s);
    if (!s->started) return; /* on_modules_started sees it */
    control_stop(s->control);
    s->stopping_gateways.data = s;
    uv_queue_work(&s->engine.loop, &s->stopping_gateways, stop_gateways, on_gateways_stopped);
}

static const int ends[] = {SIGINT, SIGTERM}; /* the first of `signals` */

static void on_signal(uv_signal_t *h, int number) {
    struct server *s = h->data;
    log_fmt(TAUT_LOG_INFO, "server", "signal", "%s", strsignal(number));
    for (size_t i = 0; i < COUNT_OF(ends); i++) uv_signal_stop(&s->signals[i]); /* the default action again */
    if (!s->stopping) stop(s);
}

/* The log's file was moved away. */
static void on_reopen(uv_signal_t *h, int number) {
    (void)h, (void)number;
    free(log_reopen());
}

static void on_hangup(uv_signal_t *h, int number) {
    (void)number;
    server_hangup(h->data);
}

/* ---- ready ---- */

static void on_progress(void *arg, taut_str line) {
    (void)arg;
    fprintf(stderr, "%.*s\n", (int)line.len, line.ptr);
}

static void on_command_done(void *arg, const struct taut_outcome *o) {
    struct server *s = arg;
    s->rc = command_report(s->cli, o);
    if (s->rc != CLI_OK && !s->stopping) stop(s);
}

static void run_command(struct server *s) {
    hub_run_command(s->engine.hub, &(struct hub_command){
                                       .command = command_find(s->engine.modules, taut_str_z(s->cli->command->name)),
                                       .args = s->cli->args,
                                       .nargs = s->cli->command->args.len,
                                       .progress = on_progress,
                                       .done = on_command_done,
                                       .arg = s,
                                   });
}

static void on_modules_started(void *arg, int32_t err, const char *text) {
    struct server *s = arg;
    char *why = NULL;
    if (err) {
        fprintf(stderr, "taut %s: %s\n", s->cli->command->name, text);
        s->rc = CLI_FAILED;
        uv_stop(&s->engine.loop);
        return;
    }
    for (uint32_t i = 0; i < s->ngateways; i++) gateway_start(s->gateways[i]);
    s->started = s->gateways_run = true;
    s->control = control_new(&s->engine, &why);
    if (!s->control) {
        fprintf(stderr, "taut %s: %s\n", s->cli->command->name, why);
        free(why);
        s->rc = CLI_FAILED;
        s->stopping = true;
    }
    if (s->stopping) {
        stop(s);
        return;
    }
    signs_ready(s);
    log_fmt(TAUT_LOG_INFO, "server", "ready", "%s, admin %s, %u modules, %u gateway%s, %lld ms",
            s->engine.info.public_url.ptr, s->engine.info.admin_url.ptr, s->engine.modules->n, s->ngateways,
            s->ngateways == 1 ? "" : "s", (long long)(clock_mono_us() - s->cli->started_us) / 1000);
    if (s->cli->command->def) run_command(s);
}

/* ---- all of it ---- */

static void watch_signals(struct server *s) {
    uv_signal_t *others = &s->signals[COUNT_OF(ends)];
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < COUNT_OF(s->signals); i++) {
        uv_signal_init(&s->engine.loop, &s->signals[i]);
        s->signals[i].data = s;
    }
    for (size_t i = 0; i < COUNT_OF(ends); i++) /* also when nobody takes up the first one */
        uv_signal_start_oneshot(&s->signals[i], on_signal, ends[i]);
    uv_signal_start(&others[0], on_reopen, SIGUSR1);
    uv_signal_start(&others[1], on_hangup, SIGHUP);
}

static void run(struct server *s) {
    watch_signals(s);
    beat_start(&s->beat, &s->engine.loop, signs_beat, s);
    hub_start_modules(s->engine.hub, on_modules_started, s);
    uv_run(&s->engine.loop, UV_RUN_DEFAULT);
    beat_stop(&s->beat);
    for (size_t i = 0; i < COUNT_OF(s->signals); i++) uv_close((uv_handle_t *)&s->signals[i], NULL);
    signal(SIGUSR1, SIG_IGN); /* what asks for something that goes on does not end it */
    signal(SIGHUP, SIG_IGN);
}

static bool open_log(const struct cli *cli, const struct config *c) {
    const struct log_options o = {.level = (int)c->server.log_level,
                                  .format = c->server.log_format ? LOG_JSON : LOG_TEXT,
                                  .file = c->server.log_file.ptr};
    char *why = NULL;
    if (log_open(&o, &why)) return true;
    fprintf(stderr, "taut %s: %s; look at server.log_file\n", cli->command->name, why);
    free(why);
    return false;
}

static int begin(struct server *s) {
    give_back_large_blocks();
    s->watch.hub = s->engine.hub;
    s->watch.modules = s->engine.modules;
    s->engine.server = s;
    s->metrics = metrics_new();
    signs_begin(s);
    if (open_spool(s) && open_edge(s) && bind_gateways(s)) {
        engine_set_addresses(&s->engine, gateway_address(s->gateways[0], false), gateway_address(s->gateways[0], true));
        name_edge(s);
        register_metrics(s);
        s->rc = CLI_OK;
        run(s);
    }
    for (uint32_t i = 0; i < s->ngateways; i++) gateway_free(s->gateways[i]);
    free(s->gateways);
    edge_free(s->edge);
    if (s->spool) spool_close(s->spool);
    signs_end();
    engine_close(&s->engine);
    metrics_free(s->metrics);
    log_close();
    return s->rc;
}

int serve(struct cli *cli, struct config *config, struct modules *modules) {
    struct server s = {.cli = cli, .rc = CLI_FAILED};
    struct datadir dir;
    log_set_level((int)config->server.log_level);
    bool locked = set_descriptors(cli, config) && lock_data(cli, config, &dir);
    if (locked && open_log(cli, config)) {
        engine_open(&s.engine, config, modules, &dir);
        return begin(&s);
    }
    if (locked) datadir_close(&dir);
    modules_free(modules);
    config_free(config);
    return CLI_FAILED;
}
