/* world.c - one life of a module: loaded and configured as the server does it, on a hub of its own, to its end. */
#include <stdarg.h>

#include "config/internal.h"
#include "modtest.h"
#include "module/internal.h"
#include "store.h"

enum { START_MS = 61000, STOP_MS = 25000 };

/* ---- reports ---- */

void fail_at(struct world *w, const struct node *at, const char *fmt, ...) {
    va_list ap;
    fputs("# ", w->report);
    if (at) fprintf(w->report, "%s:%u:%u: ", w->script->file, at->line, at->col);
    va_start(ap, fmt);
    vfprintf(w->report, fmt, ap);
    va_end(ap);
    fputc('\n', w->report);
    fflush(w->report);
    w->failed = true;
}

void now_doing(struct world *w, const struct node *at, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(w->page->doing, sizeof w->page->doing, fmt, ap);
    va_end(ap);
    w->page->line = at ? at->line : 0;
    w->page->col = at ? at->col : 0;
    atomic_fetch_add(&w->page->beats, 1);
}

/* ---- configuration ---- */

static struct config_module *find(struct config *c, const char *name) {
    for (uint32_t i = 0; i < c->nmodules; i++)
        if (taut_str_is(c->modules[i].module, name)) return &c->modules[i];
    return NULL;
}

typedef const char *text_ptr;
/* Does a module that is configured provide it? Files that are none are the loader's to report. */
static bool is_provided(const struct world *w, const struct config *c, const char *service) {
    bool found = false;
    for (uint32_t i = 0; i < c->nmodules && !found; i++) {
        char *file = loader_file(w->settings->dirs, c->modules[i].module), *why = NULL;
        struct loaded *l = loader_open(file, &why);
        for (uint32_t k = 0; l && k < l->def->provides.len; k++)
            found |= !strcmp(*TAUT_AT(l->def->provides, text_ptr, k), service);
        loader_close(l);
        free(file);
        free(why);
    }
    return found;
}

struct config *world_config(struct world *w, const struct node *options) {
    const struct config *listed = w->script->config;
    struct config *c = config_read_text(w->script->file, TAUT_LIT("modules: []"), NULL);
    c->modules = arena_zalloc(&c->arena, (listed->nmodules + 1) * sizeof *c->modules);
    if (listed->nmodules) memcpy(c->modules, listed->modules, listed->nmodules * sizeof *c->modules);
    c->nmodules = listed->nmodules;
    for (uint32_t i = 0; i < w->settings->nwith; i++)
        if (!find(c, w->settings->with[i])) config_add_module(c, w->settings->with[i]);
    if (!find(c, w->settings->name)) config_add_module(c, w->settings->name);
    if (options) find(c, w->settings->name)->options = (struct node *)(uintptr_t)options;
    if (!is_provided(w, c, "storage/1")) config_add_module(c, modtest_store.name);
    if (!is_provided(w, c, "auth/1")) config_add_module(c, modtest_auth.name);
    c->modules_whole = true;
    return c;
}

static void load(struct world *w, const struct node *options) {
    static const struct taut_module *const built_in[] = {&modtest_store, &modtest_auth, NULL};
    loader_built_in = built_in;
    w->config = world_config(w, options);
    w->modules = loader_load(w->config, w->settings->dirs);
    w->module = NULL;
    for (uint32_t i = 0; i < w->modules->n && !w->module; i++)
        if (!strcmp(w->modules->list[i]->def->name, w->settings->name)) w->module = w->modules->list[i];
}

bool world_load(struct world *w, const struct node *options) {
    load(w, options);
    if (!w->config->errors.n) rows_read(w, w->config);
    return !w->config->errors.n;
}

/* ---- life ---- */

static void on_started(void *arg, int32_t err, const char *text) {
    struct world *w = arg;
    w->started = true;
    w->start_error = err;
    if (err && is_judged(w)) fail_at(w, NULL, "it does not run: %s", text);
}

static void on_stopped(void *arg, int32_t err, const char *text) {
    struct world *w = arg;
    (void)err, (void)text;
    w->stopped = true;
}

static bool is_started(struct world *w, const void *arg) {
    (void)arg;
    return w->started;
}
static bool is_stopped(struct world *w, const void *arg) {
    (void)arg;
    return w->stopped;
}

static void open_hub(struct world *w) {
    const struct server_config *s = &w->config->server;
    uv_loop_init(&w->loop);
    w->info = (struct taut_server_info){.size = sizeof w->info,
                                        .version = TAUT_LIT(TAUT_VERSION),
                                        .public_url = TAUT_LIT("http://127.0.0.1:8065"),
                                        .socket_url = TAUT_LIT("ws://127.0.0.1:8065"),
                                        .admin_url = TAUT_LIT("http://127.0.0.1:8066"),
                                        .data = s->data,
                                        .rate_limits = 1};
    w->hub = hub_new(&w->loop, w->modules,
                     &(struct hub_config){.info = &w->info,
                                          .call_timeout_ms = s->call_timeout,
                                          .cache_bytes = s->cache,
                                          .tail_events = s->tail_events});
    gateway_open(w);
}

/* The log's word for why it did not start: "start failed: not permitted". */
static taut_str why_not(const struct world *w) {
    for (const struct line *l = notes_next(NULL); l; l = notes_next(l)) {
        if (strcmp(l->who, w->module->name) != 0 || strcmp(l->event, "not_started") != 0) continue;
        const char *end = strchr(l->text.ptr, ';');
        return end ? taut_str_n(l->text.ptr, (size_t)(end - l->text.ptr)) : l->text;
    }
    return TAUT_LIT("it did not say why");
}

static bool begin(struct world *w) {
    w->threads = thread_count();
    w->started = w->stopped = false;
    open_hub(w);
    watch_begin(w);
    now_doing(w, NULL, "init and start");
    hub_start_modules(w->hub, on_started, w);
    if (!world_advance_until(w, START_MS, is_started, NULL)) {
        fail_at(w, NULL, "start did not end");
        return false;
    }
    bool runs = !w->start_error && w->module->state == INSTANCE_RUNNING;
    taut_str why = why_not(w);
    if (!runs && !w->failed && is_judged(w)) fail_at(w, NULL, "it does not run: %.*s", (int)why.len, why.ptr);
    return runs;
}

bool world_begin(struct world *w) {
    store_begin_with(w->rows.writes.len ? &w->rows : NULL);
    faults_begin(w);
    return w->runs = begin(w);
}

void world_end(struct world *w) {
    if (!w->hub) return;
    now_doing(w, NULL, "stop and fini");
    gateway_disconnect_all(w); /* gateways end before modules */
    world_settle(w);
    if (!w->start_error) {
        hub_stop_modules(w->hub, on_stopped, w);
        if (!world_advance_until(w, STOP_MS, is_stopped, NULL)) fail_at(w, NULL, "stop did not end");
    }
    w->hung = w->hub->hung;
    w->runs = false;
    if (w->module->hung[0] && !w->failed) fail_at(w, NULL, "%s", w->module->hung);
    if (w->hung) return;
    leftovers_report(w);
    gateway_close(w);
    hub_free(w->hub);
    w->hub = NULL;
    uv_loop_close(&w->loop);
    watch_end();
}

bool world_restart(struct world *w) {
    store_keep(true);
    world_end(w);
    store_keep(false);
    if (w->failed || w->hung) return false;
    const struct node *options = find(w->config, w->settings->name)->options;
    struct config *before = w->config;
    modules_free(w->modules);
    load(w, options);
    config_free(before);
    store_begin_with(NULL);
    return w->runs = begin(w);
}
