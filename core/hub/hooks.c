/* hooks.c - the functions at a point, asked in their order (core/module/hooks.c has made it). A filter runs inside the
 * call of the one whose point it is, within its budget; one that is at fault too often is left out for a while. */
#include <stdio.h>

#include "hub/internal.h"
#include "hub/status.h"
#include "obs/log.h"

enum { BUDGET_MS = 30, DEPTH_MAX = 8 };

/* What a filter has used of its budget in a call: its own runs and what it has awaited, until it gives its verdict.
 * What others take (other filters, the disk, its rows) does not count. */
struct hook_time {
    struct hook_time *next;
    const struct hook_entry *hook;
    int64_t used_us;
    int64_t counted_us; /* up to this moment */
    bool is_told;       /* that its budget was not enough */
};

/* One who is to be told. In one block with its texts. */
struct observed {
    struct observed *next;
    struct hook_point *point;
    taut_str workspace, body;
};

static struct hook_point *point_of(struct hub *h, const char *name) {
    return map_get(&h->modules->points, taut_str_z(name));
}

static uint32_t hooked(struct taut_mod *m, const char *point) {
    const struct hook_point *p = point_of(hub_of(m), point);
    return p ? p->n : 0;
}

/* ---- faults ---- */

static void on_trial(struct taut_mod *m, void *arg) {
    struct hook_entry *e = arg;
    (void)m;
    if (!e->breaker.open) return; /* its module was stopped meanwhile */
    breaker_close(&e->breaker);
    log_fmt(TAUT_LOG_INFO, e->owner->name, "hook_trial", "%s at %s is asked again", e->def->name, e->def->point);
}

/* What comes of those whom it does not look at. */
static const char *what_goes_on(const struct hook_entry *e) {
    if (e->def->kind == TAUT_HOOK_PROVIDE) return "what it knows others are asked";
    return e->def->on_error == TAUT_FAIL_CLOSED ? "what it should judge is refused"
                                                : "what it should judge goes on without it";
}

static void fault(struct hub *h, struct hook_entry *e, const char *what) {
    own_add(&e->faults, 1);
    log_fmt(TAUT_LOG_WARN, e->owner->name, "hook_fault", "%s at %s %s", e->def->name, e->def->point, what);
    if (!breaker_fault(&e->breaker, clock_mono_us())) return;
    log_fmt(TAUT_LOG_ERROR, e->owner->name, "hook_tripped", "%s at %s is left out for %u ms: %s", e->def->name,
            e->def->point, e->breaker.open_ms, what_goes_on(e));
    char text[HEALTH_TEXT];
    int n = snprintf(text, sizeof text, "%s at %s is left out for a while: %s", e->def->name, e->def->point,
                     what_goes_on(e));
    report_health(&e->owner->pub, TAUT_HEALTH_DEGRADED, "hook_tripped",
                  taut_str_n(text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1));
    own_add(&e->owner->seen->trips, 1);
    timer_start(core_mod(h), e->breaker.open_ms, 0, on_trial, e);
}

static bool has_tripped(const struct hub *h, const struct instance *in) {
    for (uint32_t i = 0; i < h->modules->nhooks; i++) {
        const struct hook_entry *e = &h->modules->hooks[i];
        if (e->owner == in && (e->breaker.open || e->breaker.trial)) return true;
    }
    return false;
}

static void sound(struct hub *h, struct hook_entry *e) {
    if (!e->breaker.trial) return;
    breaker_success(&e->breaker);
    if (!has_tripped(h, e->owner)) report_health(&e->owner->pub, TAUT_HEALTH_OK, "hook_tripped", TAUT_LIT(""));
}

static int32_t without(struct taut_call *c, const struct hook_entry *e) {
    if (e->def->on_error != TAUT_FAIL_CLOSED) return TAUT_OK;
    return taut_fail_text(c, "service_unavailable",
                          taut_fmt(c, "the rule \"%s\" cannot be asked at the moment; try again later", e->def->name));
}

/* ---- filters ---- */

static struct hook_time *time_of(struct run *r, const struct hook_entry *e) {
    for (struct hook_time *t = r->hook_times; t; t = t->next)
        if (t->hook == e) return t;
    struct hook_time *t = arena_zalloc(&r->call->arena, sizeof *t);
    *t = (struct hook_time){.next = r->hook_times, .hook = e};
    return r->hook_times = t;
}

static int64_t budget_us(const struct hook_entry *e) {
    return (int64_t)(e->def->budget_ms ? e->def->budget_ms : BUDGET_MS) * 1000;
}

void hook_count(struct hook_time *t) {
    int64_t now_us = clock_mono_us();
    t->used_us += now_us - t->counted_us;
    t->counted_us = now_us;
}

uint32_t hook_time_left(const struct hook_time *t, uint32_t timeout_ms) {
    int64_t used_us = t->used_us + clock_mono_us() - t->counted_us;
    int64_t left_ms = (budget_us(t->hook) - used_us + 999) / 1000;
    return left_ms <= 0 ? 0 : left_ms < timeout_ms ? (uint32_t)left_ms : timeout_ms;
}

/* Its module has failed, or ended. */
static bool is_gone(const struct hook_entry *e) {
    return e->owner->state == INSTANCE_FAILED || e->owner->state == INSTANCE_STOPPED || e->owner->off;
}

static void filter_ended(struct run *r, struct hook_entry *e) {
#ifdef TAUT_CHECKS
    panic("module %s: the filter %s ends a call that is not its own; it returns TAUT_OK, or what taut_fail returns",
          e->owner->name, e->def->name);
#endif
    r->replied = r->answer_open = false;
    r->ended_by = NULL;
    if (!r->rehearsing)
        fault(r->hub, e, "ends the call that it looks at; it returns TAUT_OK, or what taut_fail returns");
}

static int32_t ask(struct run *r, struct hook_entry *e, struct taut_batch *b, void *data) {
    struct taut_call *c = &r->call->pub;
    struct hook_time *t = time_of(r, e), *outer = r->hook;
    if (e->breaker.open || is_gone(e)) return without(c, e);
    if (r->hook_depth >= DEPTH_MAX) {
        if (!r->rehearsing) fault(r->hub, e, "leads to itself again and again (8 filters run, each inside another)");
        return without(c, e);
    }
    if (t->used_us >= budget_us(e)) { /* it is not asked again in this call */
        if (!r->rehearsing && !t->is_told) fault(r->hub, e, "took longer than its budget");
        t->is_told |= !r->rehearsing;
        return without(c, e);
    }
    int64_t before_us = t->used_us;
    r->hook = t;
    t->counted_us = clock_mono_us();
    crumb_enter(crumbs_of(&e->owner->pub), CRUMB_HOOK, e->def->name);
    r->hook_depth++;
    bool had_ended = r->replied;
    int32_t verdict = e->def->filter(&e->owner->pub, c, b, data);
    r->hook_depth--;
    crumb_leave(r->rehearsing ? NULL : &e->seconds);
    r->hook = outer;
    hook_count(t);
    if (r->replied && !had_ended && !r->failed) { /* what it was asked about is not its own to end */
        filter_ended(r, e);
        return without(c, e);
    }
    if (verdict == TAUT_E_AGAIN) return verdict;
    bool is_late = t->used_us > budget_us(e);
    t->used_us = r->rehearsing ? before_us : 0;
    bool refuses = verdict == TAUT_E_FAILED && r->failed;
    if (verdict != TAUT_OK && verdict != TAUT_STOP && !refuses) {
        if (!r->rehearsing) fault(r->hub, e, verdict < 0 ? error_text(verdict) : "gave an unknown verdict");
        return without(c, e);
    }
    if (r->rehearsing) return verdict;
    if (is_late) fault(r->hub, e, "took longer than its budget");
    else sound(r->hub, e);
    return verdict;
}

static int32_t filter(struct taut_mod *m, struct taut_call *c, const char *point, taut_str key, struct taut_batch *b,
                      void *data) {
    struct run *r = run_of(c);
    struct hook_point *p = point_of(r->hub, point);
    check_thread(m, "taut_filter");
    if (!p || !p->nfilters) return TAUT_OK;
    if (key.len) TAUT_TRY(turn_take(r, arena_fmt(&r->call->arena, "%s %.*s", point, (int)key.len, key.ptr)));
    for (uint32_t i = 0; i < p->n; i++) {
        if (p->list[i].def->kind != TAUT_HOOK_FILTER || p->list[i].owner->off) continue;
        int32_t verdict = ask(r, &p->list[i], b, data);
        if (verdict == TAUT_STOP) break;
        if (verdict != TAUT_OK) return verdict;
    }
    return TAUT_OK;
}

/* ---- observers ---- */

static void tell(const struct observed *o, uint64_t seq) {
    const struct taut_observed what = {
        .size = sizeof what, .point = o->point->name, .workspace = o->workspace, .body = o->body, .seq = seq};
    for (uint32_t i = 0; i < o->point->n; i++) {
        struct hook_entry *e = &o->point->list[i];
        if (e->def->kind != TAUT_HOOK_OBSERVE || is_gone(e)) continue;
        crumb_enter(crumbs_of(&e->owner->pub), CRUMB_HOOK, e->def->name);
        e->def->observe(&e->owner->pub, &what);
        crumb_leave(&e->seconds);
    }
}

static void observe(struct taut_mod *m, struct taut_batch *b, const char *point, taut_str workspace, taut_str body) {
    struct hub *h = hub_of(m);
    struct hook_point *p = point_of(h, point);
    check_thread(m, "taut_observe");
    if (!p || !p->nobservers) return;
    if (!b && !check_effect(m, "taut_observe")) return;
    size_t bytes = sizeof(struct observed) + workspace.len + body.len;
    struct observed *o = b ? arena_zalloc(&b->run->call->arena, bytes) : xcalloc(1, bytes);
    char *at = (char *)(o + 1);
    o->point = p;
    o->workspace = taut_str_n(at, workspace.len);
    if (workspace.len) memcpy(at, workspace.ptr, workspace.len);
    at += workspace.len;
    o->body = taut_str_n(at, body.len);
    if (body.len) memcpy(at, body.ptr, body.len);
    struct observed **first = b ? &b->observed : &h->observed, **last = b ? &b->observed_last : &h->observed_last;
    *(*first ? &(*last)->next : first) = o;
    *last = o;
}

void hooks_durable(struct taut_batch *b, uint64_t seq) {
    for (struct observed *o = b->observed; o; o = o->next) tell(o, seq);
}

void hooks_turn(struct hub *h) {
    while (h->observed) {
        struct observed *o = h->observed;
        h->observed = o->next;
        tell(o, 0);
        free(o);
    }
}

void hooks_free(struct hub *h) {
    while (h->observed) {
        struct observed *o = h->observed;
        h->observed = o->next;
        free(o);
    }
}

/* ---- providers ---- */

/* One that fails is as one that does not know. */
static int32_t ask_provider(struct run *r, struct hook_entry *e, void *data) {
    crumb_enter(crumbs_of(&e->owner->pub), CRUMB_HOOK, e->def->name);
    int32_t verdict = e->def->provide(&e->owner->pub, &r->call->pub, data);
    crumb_leave(r->rehearsing ? NULL : &e->seconds);
    if (verdict == TAUT_E_AGAIN) return verdict;
    bool is_sound = verdict == TAUT_OK || verdict == TAUT_PASS || (verdict == TAUT_E_FAILED && r->failed);
    if (!r->rehearsing && is_sound) sound(r->hub, e);
    if (!r->rehearsing && !is_sound) fault(r->hub, e, verdict < 0 ? error_text(verdict) : "gave an unknown verdict");
    return is_sound ? verdict : TAUT_PASS;
}

static int32_t provide(struct taut_mod *m, struct taut_call *c, const char *point, void *data) {
    struct run *r = run_of(c);
    struct hook_point *p = point_of(r->hub, point);
    check_thread(m, "taut_provide");
    for (uint32_t i = 0; p && i < p->n; i++) {
        struct hook_entry *e = &p->list[i];
        if (e->def->kind != TAUT_HOOK_PROVIDE || is_gone(e) || e->breaker.open) continue;
        int32_t verdict = ask_provider(r, e, data);
        if (verdict != TAUT_PASS) return verdict;
    }
    return TAUT_E_NOTFOUND;
}

/* ---- for people ---- */

static void number(struct taut_json *j, const char *key, double ms) {
    char text[32];
    int n = snprintf(text, sizeof text, "%.3f", ms);
    taut_json_ktext(j, key, taut_str_n(text, (size_t)n));
}

static const char *state_of(const struct hook_entry *e) {
    if (is_gone(e)) return "its module is not running";
    return e->breaker.open ? "left out" : e->breaker.trial ? "on trial" : "asked";
}

static void write_hook(struct taut_json *j, const struct hook_entry *e, uint32_t place) {
    static const char *const kinds[] = {"", "filter", "observe", "provide"};
    uint64_t calls = histogram_count(&e->seconds);
    taut_json_open(j, '{');
    taut_json_kstr(j, "point", taut_str_z(e->def->point));
    taut_json_kint(j, "place", place);
    taut_json_kstr(j, "name", taut_str_z(e->def->name));
    taut_json_kstr(j, "module", taut_str_z(e->owner->name));
    taut_json_kstr(j, "kind", taut_str_z(kinds[e->def->kind]));
    taut_json_kstr(j, "because", taut_str_z(e->reason));
    taut_json_kint(j, "calls", (int64_t)calls);
    number(j, "mean_ms", calls ? (double)atomic_load(&e->seconds.sum) / (double)calls / 1e6 : 0);
    number(j, "p99_ms", histogram_quantile(&e->seconds, 0.99) / 1e6);
    taut_json_kint(j, "faults", (int64_t)atomic_load_explicit(&e->faults, memory_order_relaxed));
    taut_json_kstr(j, "state", taut_str_z(state_of(e)));
    taut_json_kint(j, "left_out_ms", e->breaker.open ? e->breaker.open_ms : 0);
    taut_json_close(j, '}');
}

uint32_t hub_hooks(struct hub *h, taut_str point, struct taut_json *j) {
    uint32_t n = 0, place = 0;
    const char *at = "";
    taut_json_kopen(j, "hooks", '[');
    for (uint32_t i = 0; i < h->modules->nhooks; i++) {
        const struct hook_entry *e = &h->modules->hooks[i];
        place = strcmp(at, e->def->point) == 0 ? place + 1 : 1;
        at = e->def->point;
        if (point.len && !taut_str_is(point, e->def->point)) continue;
        write_hook(j, e, place);
        n++;
    }
    taut_json_close(j, ']');
    return n;
}

void hooks_add_to_host(struct taut_host *t) {
    t->hooked = hooked;
    t->filter = filter;
    t->observe = observe;
    t->provide = provide;
}
