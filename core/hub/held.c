/* held.c - calls that a module keeps open (TAUT_E_PENDING), to answer them later. They have the deadline of all calls.
 * One that passes it is answered in the module's place; it stays until the module answers, which has its address, and
 * that late answer goes nowhere. A module that leaves too many so gets no further calls: what it forgets costs it, and
 * nobody else. */
#include "hub/internal.h"
#include "obs/log.h"

enum { OVERDUE_MAX = 64 };

/* Did it answer in the end? Then nothing of that is left. */
static void overdue_changed(struct instance *in) {
    char text[80];
    int n = snprintf(text, sizeof text, "%u calls that it keeps open have passed their deadline", in->overdue);
    report_health(&in->pub, in->overdue ? TAUT_HEALTH_DEGRADED : TAUT_HEALTH_OK, "calls_overdue",
                  taut_str_n(text, (size_t)n));
}

void held_returned(struct run *r) {
    r->owner->overdue--;
    overdue_changed(r->owner);
}

/* What the module did meanwhile nobody knows but the module: so it is not said that nothing happened. */
void held_expire(struct run *r) {
    struct instance *in = r->owner;
    own_add(&r->hub->seen.held_overdue, 1);
    in->overdue++;
    overdue_changed(in);
    answer_error(r, "fatal_error",
                 arena_fmt(&r->call->arena,
                           "the module %s did not answer in time; it may or may not have done what was asked",
                           in->name));
    run_to(r, RUN_OVERDUE);
    r->dead = true;
    turns_leave(r);
    if (r->conn) conns_frame_passed(r->hub, r->conn, r); /* silence: only the module knows the protocol's form */
    else answer_now(r);
}

bool held_too_many(const struct instance *in) {
    return in && in->overdue >= OVERDUE_MAX;
}

bool held_too_late(struct taut_call *c) {
    struct run *r = run_of(c);
    if (!r) {
        log_fmt(
            TAUT_LOG_ERROR, c->mod->name, "ended_call",
            "a call was ended that had ended already, perhaps by a taut_commit that was refused; this is a fault of "
            "the module");
        return true;
    }
    struct instance *in = r->owner;
    if (r->state != RUN_OVERDUE) return false;
    own_add(&r->hub->seen.held_late, 1);
    log_fmt(TAUT_LOG_WARN, in->name, "late_answer", "%s: answered %lld ms after its arrival; nobody waits any more",
            r->name ? r->name : "a call", (long long)((clock_mono_ns() - r->began_ns) / 1000000));
    run_finish(r);
    return true;
}

void held_end_of(struct hub *h, struct instance *in) {
    for (struct run *r = h->runs; r; r = h->next_run) {
        h->next_run = r->next;
        if (!run_is_held(r) || r->owner != in) continue;
        if (r->state == RUN_HELD)
            answer_error(r, "service_unavailable", arena_fmt(&r->call->arena, "the module %s was stopped", in->name));
        run_finish(r);
    }
}

void held_fails(struct run *r, const char *code, const char *text) {
    if (r->hub->running == r) return;
    answer_error(r, code, taut_str_z(text));
    held_answered(r);
}

void held_answered(struct run *r) {
    if (r->state == RUN_HELD) run_finish(r);
}
