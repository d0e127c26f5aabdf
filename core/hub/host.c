/* host.c - the table that modules get: the parts of the other files, and the small calls that any thread may make. */
#include <malloc.h>

#include "hub/internal.h"
#include "obs/log.h"

struct hub *hub_of(const struct taut_mod *m) {
    return (struct hub *)(uintptr_t)m->host;
}

struct posted {
    struct msg msg;
    struct taut_mod *mod;
    void (*fn)(struct taut_mod *m, void *arg);
    void *arg;
};

static void host_log(struct taut_mod *m, int32_t level, const char *event, taut_str text, const struct taut_kv *kvs,
                     uint32_t nkvs) {
    log_kv(level, m->name, event, text, kvs, nkvs);
}

/* Memory is counted by what the allocator really gave. */
static void account(struct taut_mod *m, int64_t bytes) {
    atomic_fetch_add_explicit(&((struct instance *)m)->memory, bytes, memory_order_relaxed);
}
static void *host_alloc(struct taut_mod *m, size_t n) {
    void *p = malloc(n ? n : 1);
    if (p) account(m, (int64_t)malloc_usable_size(p));
    return p;
}
static void *host_realloc(struct taut_mod *m, void *p, size_t n) {
    int64_t before = p ? (int64_t)malloc_usable_size(p) : 0;
    void *q = realloc(p, n ? n : 1);
    if (q) account(m, (int64_t)malloc_usable_size(q) - before);
    return q;
}
static void host_free(struct taut_mod *m, void *p) {
    if (p) account(m, -(int64_t)malloc_usable_size(p));
    free(p);
}

/* ---- the clock and chance, which stand still for the length of a run ---- */

static int64_t host_now(struct taut_mod *m) {
    struct run *r = run_here();
    (void)m;
    if (!r) return clock_wall_us();
    if (!r->now_us) r->now_us = clock_wall_us();
    return r->now_us;
}
static int64_t host_mono(struct taut_mod *m) {
    struct run *r = run_here();
    (void)m;
    if (!r) return clock_mono_us();
    if (!r->mono_us) r->mono_us = clock_mono_us();
    return r->mono_us;
}
static void host_random(struct taut_mod *m, void *p, size_t n) {
    struct run *r = run_here();
    (void)m;
    if (r) check_random(r, p, n);
    else random_bytes(p, n);
}
static int64_t stamp_us(struct taut_call *c, int64_t after_us) {
    check_thread(c->mod, "taut_stamp_us");
    return check_stamp(run_of(c), after_us);
}

static void host_measure(struct taut_mod *m, uint32_t metric, uint32_t label, int64_t n) {
    struct instance *in = (struct instance *)m;
    struct run *r = run_here();
    (void)label;
    if (metric >= in->def->metrics.len || metric >= METRICS_MAX || (r && r->rehearsing)) return;
    if (TAUT_AT(in->def->metrics, struct taut_metric, metric)->kind == TAUT_GAUGE)
        atomic_store_explicit(&in->metrics[metric], n, memory_order_relaxed);
    else atomic_fetch_add_explicit(&in->metrics[metric], n, memory_order_relaxed);
}

void module_health(struct taut_mod *m, uint32_t level, const char *code, taut_str text) {
    struct instance *in = (struct instance *)m;
    check_thread(m, "taut_health");
    if (!check_effect(m, "taut_health")) return;
    if (level == in->health.level && in->health.code && !strcmp(in->health.code, code)) return;
    free(in->health.code);
    free(in->health.text);
    in->health.level = level;
    in->health.code = xstrdup(code);
    in->health.text = xstrndup(text.ptr, text.len);
    log_fmt(level == TAUT_HEALTH_OK ? TAUT_LOG_INFO : TAUT_LOG_WARN, m->name, "health", "%s%s%s%.*s",
            level == TAUT_HEALTH_OK         ? "works"
            : level == TAUT_HEALTH_DEGRADED ? "works in part"
                                            : "does not work",
            *code ? ": " : "", code, (int)text.len, text.ptr);
}

static void host_post(struct taut_mod *m, void (*fn)(struct taut_mod *m, void *arg), void *arg) {
    if (run_here() && !check_effect(m, "taut_post")) return;
    struct posted *p = xmalloc(sizeof *p);
    *p = (struct posted){.msg.kind = MSG_HUB_POSTED, .mod = m, .fn = fn, .arg = arg};
    port_post(&hub_of(m)->port, &p->msg);
}

void host_posted(struct msg *m) {
    struct posted *p = CONTAINER_OF(m, struct posted, msg);
    p->fn(p->mod, p->arg);
    free(p);
}

static const struct taut_server_info *host_info(struct taut_mod *m) {
    return hub_of(m)->config.info;
}

static const struct taut_argv *host_arg(struct taut_call *c, uint32_t i) {
    static const struct taut_argv absent = {0, 0, {"", 0}, 0};
    struct call *k = CONTAINER_OF(c, struct call, pub);
    return i < k->nargs ? &k->args[i] : &absent;
}

static void *scratch(struct taut_call *c, size_t n) {
    check_thread(c->mod, "taut_scratch");
    return arena_zalloc(&CONTAINER_OF(c, struct call, pub)->arena, n);
}

static void progress(struct taut_call *c, taut_str line) {
    struct run *r = run_of(c);
    if (r->rehearsing) return;
    if (r->command && r->command->progress) r->command->progress(r->command->arg, line);
}

void host_init(struct hub *h) {
    struct taut_host *t = &h->host;
    t->size = sizeof *t;
    t->log = host_log;
    t->alloc = host_alloc;
    t->realloc = host_realloc;
    t->free = host_free;
    t->now_us = host_now;
    t->mono_us = host_mono;
    t->random = host_random;
    t->measure = host_measure;
    t->health = module_health;
    t->stamp_us = stamp_us;
    t->await = await_result;
    t->post = host_post;
    t->durable = batch_durable;
    t->info = host_info;
    t->arg = host_arg;
    t->scratch = scratch;
    t->get = load_get;
    t->scan = load_scan;
    t->progress = progress;
    t->publish = publish_ephemeral;
    run_add_to_host(t);
    ops_add_to_host(t);
    services_add_to_host(t);
    hooks_add_to_host(t);
    subs_add_to_host(t);
    answer_add_to_host(t);
    batch_add_to_host(t);
    conns_add_to_host(t);
}
