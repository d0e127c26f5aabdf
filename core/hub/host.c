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

static void host_post(struct taut_mod *m, void (*fn)(struct taut_mod *m, void *arg), void *arg) {
    if (!check_given(m, "taut_post", fn != NULL, "a function")) return;
    if (run_here() && !check_effect(m, "taut_post")) return;
    struct posted *p = xmalloc(sizeof *p);
    *p = (struct posted){.msg.kind = MSG_HUB_POSTED, .mod = m, .fn = fn, .arg = arg};
    atomic_fetch_add(&((struct instance *)(void *)m)->in_flight, 1);
    port_post(&hub_of(m)->port, &p->msg);
}

void host_posted(struct msg *m) {
    struct posted *p = CONTAINER_OF(m, struct posted, msg);
    if (!is_left(p->mod)) {
        crumb_enter(crumbs_of(p->mod), CRUMB_POSTED, NULL);
        p->fn(p->mod, p->arg);
        crumb_leave(NULL);
    }
    atomic_fetch_sub(&((struct instance *)(void *)p->mod)->in_flight, 1);
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
    t->now_us = host_now;
    t->mono_us = host_mono;
    t->random = host_random;
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
    report_add_to_host(t);
    memory_add_to_host(t);
    answer_add_to_host(t);
    route_add_to_host(t);
    batch_add_to_host(t);
    conns_add_to_host(t);
}
