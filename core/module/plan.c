/* plan.c - which of the modules that this process has loaded a reload stops and starts. Nobody loses what it needs: one
 * whose stop would leave a need open stays, and one whose needs are not met is not started; both wait for a restart,
 * and so does what was never loaded, since gateways and store know only what was there when they began.
 */
#include "module/internal.h"
#include "module/needs.h"
#include "module/reconfigure.h"

/* The modules that run now, and what becomes of each. */
struct plan {
    struct reconfigure *r;
    const struct modules *running;
    bool *on; /* of each: is it to run? */
};

static void wait_for_restart(const struct plan *p, const struct instance *in) {
    change_add(p->r->arena, &p->r->restart, arena_fmt(p->r->arena, "modules.%s", in->name).ptr);
}

/* What the file says of one that is loaded. */
static bool is_wanted(const struct plan *p, const struct instance *in, const struct modules *wanted) {
    const struct instance *other = instance_named(wanted, in->name);
    bool is_other = other && !is_same_module(in, other), is_on = other && !other->off;
    if (is_other || (!is_on && !in->off && module_provides(in, "storage/1")) || (is_on && in->off && in->hung[0])) {
        wait_for_restart(p, in);
        return !in->off;
    }
    return is_on;
}

/* Stays what it is, until a restart. */
static void leave(struct plan *p, uint32_t i) {
    p->on[i] = !p->running->list[i]->off;
    wait_for_restart(p, p->running->list[i]);
}

/* True: something had to be left as it is. */
static bool mend_need(struct plan *p, uint32_t i, const char *service) {
    uint32_t stops = p->running->n;
    for (uint32_t k = 0; k < p->running->n; k++) {
        if (!module_provides(p->running->list[k], service)) continue;
        if (p->on[k]) return false;
        if (!p->running->list[k]->off) stops = k;
    }
    if (stops < p->running->n) leave(p, stops);
    else if (p->running->list[i]->off) leave(p, i);
    else return false; /* it has been without since the start */
    return true;
}

static bool mend_needs(struct plan *p) {
    for (uint32_t i = 0; i < p->running->n; i++)
        for (uint32_t k = 0; p->on[i] && k < p->running->list[i]->def->needs.len; k++)
            if (mend_need(p, i, name_at(&p->running->list[i]->def->needs, k))) return true;
    return false;
}

/* One that has failed is tried again by each reload; one that hangs has to wait for a restart. */
static bool is_down(const struct instance *in) {
    return in->off || (in->state == INSTANCE_FAILED && !in->hung[0]);
}

static void add(struct plan *p, uint32_t i) {
    struct instance *in = p->running->list[i];
    bool starts = p->on[i] && is_down(in), stops = !p->on[i] && !in->off;
    if (!starts && !stops) return;
    p->r->switches[p->r->nswitches++] = (struct module_switch){in, p->on[i]};
    change_add(p->r->arena, &p->r->applied,
               arena_fmt(p->r->arena, "modules.%s (%s)", in->name, p->on[i] ? "started" : "stopped").ptr);
}

void plan_switches(struct reconfigure *r, const struct modules *wanted) {
    struct plan p = {r, r->running, arena_zalloc(r->arena, (r->running->n + 1) * sizeof *p.on)};
    r->switches = arena_zalloc(r->arena, (r->running->n + 1) * sizeof *r->switches);
    for (uint32_t i = 0; i < p.running->n; i++) p.on[i] = is_wanted(&p, p.running->list[i], wanted);
    while (mend_needs(&p)) continue;
    for (uint32_t i = p.running->n; i-- > 0;)
        if (!p.on[i]) add(&p, i);
    for (uint32_t i = 0; i < p.running->n; i++)
        if (p.on[i]) add(&p, i);
    for (uint32_t i = 0; i < wanted->n; i++)
        if (!instance_named(r->running, wanted->list[i]->name)) wait_for_restart(&p, wanted->list[i]);
}

bool is_to_start(const struct reconfigure *r, const struct instance *in) {
    for (uint32_t i = 0; i < r->nswitches; i++)
        if (r->switches[i].in == in) return r->switches[i].on;
    return false;
}
