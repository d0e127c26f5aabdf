/* host.c - the table that modules get: the parts of the other files, and the small calls that any thread may make. */
#include "hub/internal.h"

struct hub *hub_of(const struct taut_mod *m) {
    return (struct hub *)(uintptr_t)m->host;
}

struct posted {
    struct msg msg;
    struct taut_mod *mod;
    void (*fn)(struct taut_mod *m, void *arg);
    void *arg;
};

static int64_t host_now(struct taut_mod *m) {
    (void)m;
    return clock_wall_us();
}
static int64_t host_mono(struct taut_mod *m) {
    (void)m;
    return clock_mono_us();
}
static void host_random(struct taut_mod *m, void *p, size_t n) {
    (void)m;
    random_bytes(p, n);
}

static void host_post(struct taut_mod *m, void (*fn)(struct taut_mod *m, void *arg), void *arg) {
    struct posted *p = xmalloc(sizeof *p);
    *p = (struct posted){.msg.kind = MSG_HUB_POSTED, .mod = m, .fn = fn, .arg = arg};
    port_post(&hub_of(m)->port, &p->msg);
}

void host_posted(struct msg *m) {
    struct posted *p = CONTAINER_OF(m, struct posted, msg);
    crumb_enter(crumbs_of(p->mod), CRUMB_POSTED, NULL);
    p->fn(p->mod, p->arg);
    crumb_leave(NULL);
    free(p);
}

static const struct taut_server_info *host_info(struct taut_mod *m) {
    return hub_of(m)->config.info;
}

static int32_t hook_run(struct taut_mod *m, struct taut_call *c, const char *point, struct taut_batch *b, void *data) {
    struct modules *ms = hub_of(m)->modules;
    for (uint32_t i = 0; i < ms->nhooks; i++) {
        struct hook_entry *hook = &ms->hooks[i];
        if (strcmp(hook->def->point, point) != 0) continue;
        crumb_enter(crumbs_of(&hook->owner->pub), CRUMB_HOOK, hook->def->point);
        int32_t err = hook->def->run(&hook->owner->pub, c, b, data);
        crumb_leave(&hook->seconds);
        TAUT_TRY(err);
    }
    return TAUT_OK;
}

static const struct taut_argv *host_arg(struct taut_call *c, uint32_t i) {
    static const struct taut_argv absent = {0, 0, {"", 0}, 0};
    struct call *k = CONTAINER_OF(c, struct call, pub);
    return i < k->nargs ? &k->args[i] : &absent;
}

static void *scratch(struct taut_call *c, size_t n) {
    return arena_zalloc(&CONTAINER_OF(c, struct call, pub)->arena, n);
}

static void progress(struct taut_call *c, taut_str line) {
    struct run *r = run_of(c);
    if (r->command && r->command->progress) r->command->progress(r->command->arg, line);
}

void host_init(struct hub *h) {
    struct taut_host *t = &h->host;
    t->size = sizeof *t;
    t->now_us = host_now;
    t->mono_us = host_mono;
    t->random = host_random;
    t->post = host_post;
    t->ops_complete = ops_complete;
    t->durable = batch_durable;
    t->info = host_info;
    t->op_new = op_new;
    t->svc_provide = svc_provide;
    t->svc_get = svc_get;
    t->hook_run = hook_run;
    t->arg = host_arg;
    t->scratch = scratch;
    t->get = load_get;
    t->scan = load_scan;
    t->progress = progress;
    t->task = run_task;
    t->publish = publish_ephemeral;
    observe_add_to_host(t);
    answer_add_to_host(t);
    route_add_to_host(t);
    batch_add_to_host(t);
    conns_add_to_host(t);
}
