/* reload.c - taut reload and SIGHUP: the configuration read again while the server runs.
 *
 *   1  the whole file is read and checked, modules' options included, as at a start: any error, and nothing changes
 *   2  what differs is found; who has something to apply is asked, and when all agree all is applied in this same turn
 *   3  modules that are not to run any more are stopped, and those that are to run again are started, in later turns
 *
 * What cannot change while the server runs (options without TAUT_OPT_LIVE, modules that it has not loaded) is named,
 * and named again at every reload until the server is started anew.
 */
#include <jansson.h>

#include "cli/server.h"
#include "module/reconfigure.h"
#include "obs/log.h"
#include "taut/host.h"

struct reload {
    struct server *server;
    struct taut_call *call; /* who waits for its end; NULL: it was a signal */
    struct arena arena;
    char *log_fault; /* NULL: none */
    struct config *next;
    struct modules *wanted;
    struct reconfigure modules; /* and the lists of what is applied, and what is not */
};

/* ---- the core's own options ---- */

struct section {
    struct reload *reload;
    const char *now, *next;
    char *asked, *used; /* NULL: only look */
};

/* A URL that nobody wrote follows the address; that is named already. */
static bool is_derived(const struct reload *r, const char *path) {
    const struct config *now = r->server->engine.config;
    return !strcmp(path, "server.public_url") && !config_given(now, "server", "public_url") &&
           !config_given(r->next, "server", "public_url");
}

/* TLS is switched on or off by a restart; new files in the place of others are read at once. */
static bool is_live(const struct reload *r, const struct taut_opt *o, const char *path) {
    const struct server_config *now = &r->server->engine.config->server, *next = &r->next->server;
    bool is_switch = !now->tls.cert.len != !next->tls.cert.len;
    return o->flags & TAUT_OPT_LIVE && !(is_switch && !strncmp(path, "server.tls.", 11));
}

static void compare(void *arg, const struct taut_opt *o, const char *path) {
    struct section *x = arg;
    struct reload *r = x->reload;
    if (option_equal(o, x->now + o->offset, x->next + o->offset) || is_derived(r, path)) return;
    change_add(&r->arena, is_live(r, o, path) ? &r->modules.applied : &r->modules.restart, path);
}

static void find_changes(struct reload *r) {
    const struct config *now = r->server->engine.config;
    struct section server = {
        .reload = r, .now = (const char *)&now->asked.server, .next = (const char *)&r->next->asked.server};
    struct section admin = {
        .reload = r, .now = (const char *)&now->asked.admin, .next = (const char *)&r->next->asked.admin};
    options_each(&r->arena, config_server_options, "server", 0, compare, &server);
    options_each(&r->arena, config_admin_options, "admin", 0, compare, &admin);
    reconfigure_find(&r->modules, r->wanted);
}

/* Texts and lists of an earlier value stay with the configuration: a few bytes for each change that a person makes. */
static void take_over(void *arg, const struct taut_opt *o, const char *path) {
    struct section *x = arg;
    struct config *now = x->reload->server->engine.config;
    if (!is_live(x->reload, o, path) || option_equal(o, x->asked + o->offset, x->next + o->offset)) return;
    option_copy(&now->arena, o, x->asked + o->offset, x->next + o->offset);
    memcpy(x->used + o->offset, x->asked + o->offset, option_field_size(o));
}

static void apply_to_gateways(const struct server *s) {
    const struct server_config *c = &s->engine.config->server;
    const struct gateway_limits limits = gateway_limits_of(c);
    for (uint32_t i = 0; i < s->ngateways; i++) gateway_set_limits(s->gateways[i], &limits);
}

static void apply_server(struct reload *r) {
    struct server *s = r->server;
    struct config *c = s->engine.config;
    struct section x = {.reload = r,
                        .next = (const char *)&r->next->asked.server,
                        .asked = (char *)&c->asked.server,
                        .used = (char *)&c->server};
    options_each(&r->arena, config_server_options, "server", 0, take_over, &x);
    log_set_level((int)c->server.log_level);
    log_set_format(c->server.log_format ? LOG_JSON : LOG_TEXT);
    s->engine.info.rate_limits = c->server.rate_limits != 0;
    hub_reconfigure(s->engine.hub, &(struct hub_config){.info = &s->engine.info,
                                                        .call_timeout_ms = c->server.call_timeout,
                                                        .cache_bytes = c->server.cache,
                                                        .tail_events = c->server.tail_events,
                                                        .start_timeout_ms = (uint32_t)c->server.start_timeout,
                                                        .stop_timeout_ms = (uint32_t)c->server.stop_timeout});
    apply_to_gateways(s);
}

/* Warnings were given when the configuration was checked. */
static void report_error(void *config, bool fatal, const char *option, const char *text) {
    if (fatal) edge_report(config, fatal, option, text);
}

/* The certificate is read again, also when its files have the same names. What cannot be changed stays as it is. */
static bool prepare_edge(struct reload *r) {
    const struct server *s = r->server;
    struct edge_config c = edge_options(r->next);
    c.public_url = s->engine.config->server.public_url;
    c.admin_listen = s->engine.config->admin.listen;
    if (!edge_prepare(s->edge, &c, report_error, r->next)) return false;
    if (edge_certificate_changes(s->edge)) change_add(&r->arena, &r->modules.applied, "server.tls (certificate)");
    return true;
}

/* ---- all of it ---- */

/* False: errors say why, and nothing changed. */
static bool reload_run(struct reload *r) {
    if (r->next->errors.n) return false;
    find_changes(r);
    if (!prepare_edge(r)) return false;
    if (!reconfigure_prepare(&r->modules)) {
        edge_cancel(r->server->edge);
        return false;
    }
    apply_server(r);
    edge_commit(r->server->edge);
    reconfigure_commit(&r->modules);
    return true;
}

static struct reload *reload_begin(struct server *s, struct taut_call *call) {
    struct reload *r = xcalloc(1, sizeof *r);
    r->server = s;
    r->call = call;
    s->reloading = true;
    signs_reloading();
    modules_reap(s->engine.modules);
    r->log_fault = log_reopen();
    s->cli->reloads = true;
    r->next = settings_load(s->cli, &r->wanted);
    r->modules = (struct reconfigure){.arena = &r->arena, .running = s->engine.modules, .config = r->next};
    return r;
}

static void reload_end(struct reload *r) {
    r->server->reloading = false;
    signs_reloaded();
    modules_free(r->wanted);
    config_free(r->next);
    arena_free(&r->arena);
    free(r->log_fault);
    free(r);
}

static taut_str list_text(struct arena *a, const struct change_list *l) {
    return l->n ? option_list_text(a, l->names, l->n) : TAUT_LIT("nothing");
}

/* Whoever asked is to see them all; a file of nothing but errors is not to fill the log. */
static void log_problems(int level, const struct config_errors *e) {
    enum { LINES_MAX = 100 };
    for (uint32_t i = 0; i < e->n && i < LINES_MAX; i++) log_always(level, "server", "configuration", e->list[i]);
    if (e->n > LINES_MAX)
        log_fmt(level, "server", "configuration_more", "%u more; taut check shows all", e->n - LINES_MAX);
}

/* failed: what could not be stopped or started, a line each; or NULL. */
static void log_result(struct reload *r, bool is_done, const char *failed) {
    log_problems(TAUT_LOG_WARN, &r->next->warnings);
    log_problems(TAUT_LOG_ERROR, &r->next->errors);
    if (failed) log_fmt(TAUT_LOG_ERROR, "server", "reload", "not all of it could be applied: %s", failed);
    if (is_done)
        log_fmt(TAUT_LOG_INFO, "server", "reload", "applied: %s; needs a restart: %s",
                list_text(&r->arena, &r->modules.applied).ptr, list_text(&r->arena, &r->modules.restart).ptr);
    else log_fmt(TAUT_LOG_ERROR, "server", "reload", "nothing was changed: the configuration has errors");
}

static void answer(struct reload *r, bool is_done, const char *failed);

static void finish(struct reload *r, bool is_done, const char *failed) {
    struct server *s = r->server;
    log_result(r, is_done, failed);
    if (r->call) answer(r, is_done, failed);
    reload_end(r);
    if (!s->hung_up || s->stopping) return;
    s->hung_up = false;
    server_hangup(s);
}

static void on_switched(void *arg, const char *failed) {
    finish(arg, true, failed);
}

static void reload_go(struct reload *r) {
    bool is_done = reload_run(r);
    if (is_done && r->modules.nswitches)
        hub_switch_modules(r->server->engine.hub, r->modules.switches, r->modules.nswitches, on_switched, r);
    else finish(r, is_done, NULL);
}

void server_hangup(struct server *s) {
    if (!s->started || s->stopping) {
        free(log_reopen());
        return;
    }
    if (s->reloading) s->hung_up = true; /* again, when that has ended */
    else reload_go(reload_begin(s, NULL));
}

/* ---- the command ---- */

static void print_names(FILE *out, const json_t *names, const char *what) {
    for (size_t i = 0; i < json_array_size(names); i++)
        fprintf(out, "%s: %s\n", what, json_string_value(json_array_get(names, i)));
}

bool reload_print(FILE *out, taut_str json) {
    json_t *o = json_loadb(json.ptr, json.len, 0, NULL);
    const json_t *applied = json_object_get(o, "applied"), *restart = json_object_get(o, "restart");
    const json_t *warnings = json_object_get(o, "warnings");
    print_names(out, applied, "applied");
    print_names(out, restart, "needs a restart");
    for (size_t i = 0; i < json_array_size(warnings); i++)
        fprintf(out, "%s\n", json_string_value(json_array_get(warnings, i)));
    if (!json_array_size(applied) && !json_array_size(restart)) fputs("nothing has changed\n", out);
    json_decref(o);
    return true;
}

static void write_names(struct taut_json *j, const char *key, const struct change_list *l) {
    taut_json_kopen(j, key, '[');
    for (uint32_t i = 0; i < l->n; i++) taut_json_str(j, taut_str_z(l->names[i]));
    taut_json_close(j, ']');
}

static void write_warnings(struct reload *r, struct taut_json *j) {
    const struct config_errors *e = &r->next->warnings;
    if (!r->log_fault && !e->n) return;
    taut_json_kopen(j, "warnings", '[');
    if (r->log_fault) taut_json_str(j, arena_fmt(&r->arena, "warning: %s", r->log_fault));
    for (uint32_t i = 0; i < e->n; i++) taut_json_str(j, e->list[i]);
    taut_json_close(j, ']');
}

static void refuse(struct reload *r) {
    taut_str all = TAUT_LIT("nothing was changed");
    for (uint32_t i = 0; i < r->next->errors.n; i++)
        all = arena_fmt(&r->arena, "%s\n%s", all.ptr, r->next->errors.list[i].ptr);
    taut_fail_text(r->call, "invalid_configuration", all);
}

static void answer(struct reload *r, bool is_done, const char *failed) {
    if (!is_done) {
        refuse(r);
        return;
    }
    if (failed) {
        taut_fail_text(r->call, "not_all_applied", arena_fmt(&r->arena, "everything was applied but this\n%s", failed));
        return;
    }
    struct taut_json *j = taut_answer(r->call);
    write_names(j, "applied", &r->modules.applied);
    write_names(j, "restart", &r->modules.restart);
    write_warnings(r, j);
    taut_done(r->call);
}

int32_t reload_command(struct taut_mod *m, struct taut_call *c) {
    struct server *s = engine_of(m)->server;
    if (!s || !s->started || s->stopping) return taut_fail(c, "not_ready");
    if (s->reloading) return taut_fail_text(c, "reload_under_way", TAUT_LIT("another reload has not ended yet"));
    reload_go(reload_begin(s, c));
    return TAUT_E_PENDING;
}
