/* run.c - the life of a call on the hub: who asks, run after run until all rows are at hand, one batch or one answer,
 * and back to where it came from. A handler never waits: it is run again. */
#include "base/fault.h"
#include "hub/internal.h"
#include "obs/log.h"

static void start_once(struct run *r);

#define TO(state) (1u << (state))
static const uint32_t leads_to[RUN_STATES] = {
    [RUN_RUNNING] =
        TO(RUN_RUNNING) | TO(RUN_LOADING) | TO(RUN_COMMITTING) | TO(RUN_HELD) | TO(RUN_SETTLED) | TO(RUN_DONE),
    [RUN_LOADING] = TO(RUN_RUNNING) | TO(RUN_DONE),
    [RUN_COMMITTING] = TO(RUN_RUNNING) | TO(RUN_DONE),
    [RUN_HELD] = TO(RUN_COMMITTING) | TO(RUN_OVERDUE) | TO(RUN_DONE),
    [RUN_OVERDUE] = TO(RUN_DONE),
    [RUN_SETTLED] = TO(RUN_DONE),
};

void run_to(struct run *r, enum run_state to) {
    ENSURE(leads_to[r->state] & TO(to));
    if (r->state == RUN_OVERDUE) held_returned(r);
    r->state = to;
}

static void link_run(struct run *r) {
    struct hub *h = r->hub;
    hub_tick_on(h);
    r->prev = h->runs_last;
    *(h->runs_last ? &h->runs_last->next : &h->runs) = r;
    h->runs_last = r;
    h->nruns++;
}

static void unlink_run(struct run *r) {
    struct hub *h = r->hub;
    *(r->prev ? &r->prev->next : &h->runs) = r->next;
    *(r->next ? &r->next->prev : &h->runs_last) = r->prev;
    if (h->next_run == r) h->next_run = r->next;
    h->nruns--;
}

static struct instance *owner_of(const struct call *c) {
    switch (c->pub.kind) {
    case TAUT_CALL_METHOD: return c->method ? c->method->owner : NULL;
    case TAUT_CALL_ROUTE: return c->route->owner;
    case TAUT_CALL_COMMAND: return c->command->owner;
    case TAUT_CALL_OPEN:
    case TAUT_CALL_FRAME: return c->socket->owner;
    default: return (struct instance *)c->pub.mod;
    }
}

static taut_task_fn handler_of(const struct call *c) {
    switch (c->pub.kind) {
    case TAUT_CALL_METHOD: return c->method ? c->method->def->run : NULL;
    case TAUT_CALL_ROUTE: return c->route->def->run;
    case TAUT_CALL_COMMAND: return c->command->def->run;
    case TAUT_CALL_OPEN: return c->socket->def->open;
    case TAUT_CALL_FRAME: return c->socket->def->frame;
    default: return NULL;
    }
}

static const char *name_of(const struct call *c) {
    switch (c->pub.kind) {
    case TAUT_CALL_METHOD: return c->method ? c->method->def->name : NULL;
    case TAUT_CALL_ROUTE: return c->route->def->path;
    case TAUT_CALL_COMMAND: return c->command->def->name;
    case TAUT_CALL_OPEN:
    case TAUT_CALL_FRAME: return c->socket->def->name;
    default: return NULL;
    }
}

static struct run *run_new(struct hub *h, struct call *c) {
    struct run *r = arena_zalloc(&c->arena, sizeof *r);
    r->hub = h;
    r->call = c;
    c->run = r;
    r->owner = owner_of(c);
    r->handler = handler_of(c);
    c->pub.size = sizeof c->pub;
    r->name = name_of(c);
    r->began_ns = clock_mono_ns();
    c->pub.mod = r->owner ? &r->owner->pub : core_mod(h);
    c->pub.claimed_seq = 0;
    c->pub.claimed = c->pub.failed = c->pub.refused = taut_str_n("", 0);
    if (c->pub.kind <= TAUT_CALL_FRAME || c->pub.kind == TAUT_CALL_ROUTE)
        r->deadline_us = (int64_t)(r->began_ns / 1000) + h->config.call_timeout_ms * 1000;
    link_run(r);
    return r;
}

/* Its module has failed, or ended: that costs what it offers, and nothing else. One that is being started has tasks
 * only. */
static bool is_gone(const struct run *r) {
    const struct instance *in = r->owner;
    if (!in) return false;
    bool starts = in->off && in->state == INSTANCE_INIT && r->call->pub.kind == TAUT_CALL_TASK;
    return in->state == INSTANCE_FAILED || in->state == INSTANCE_STOPPED || (in->off && !starts);
}

void run_begin(struct hub *h, struct call *c) {
    if (c->pub.kind == TAUT_CALL_FRAME) {
        conns_frame(h, c);
        return;
    }
    start_once(run_new(h, c));
}

/* The next frame of a connection. */

void run_frame(struct hub *h, struct call *c, struct hconn *conn) {
    struct run *r = run_new(h, c);
    r->conn = conn;
    conn->busy = r;
    conn->users++;
    c->pub.actor = &conn->actor;
    c->pub.arg = conn->state;
    c->pub.conn = conn->id;
    start_once(r);
}

/* ---- one run ---- */

static bool has_scope(taut_str have, const char *wanted) {
    if (!wanted || !*wanted || !have.len) return true;
    for (const char *w = wanted; *w;) {
        size_t n = strcspn(w, ",");
        for (size_t i = 0; i + n <= have.len;) {
            const char *comma = memchr(have.ptr + i, ',', have.len - i);
            size_t len = comma ? (size_t)(comma - have.ptr) - i : have.len - i;
            if (len == n && memcmp(have.ptr + i, w, n) == 0) return true;
            i += len + 1;
        }
        w += n;
        if (*w == ',') w++;
    }
    return false;
}

/* Who asks, and whether they may ask this at all. TAUT_OK, AGAIN or FAILED. */
static int32_t authenticate(struct run *r) {
    struct call *c = r->call;
    const struct taut_auth_v1 *auth = r->hub->auth->up ? r->hub->auth->vtable : NULL;
    bool open_to_all = c->method && (c->method->def->flags & TAUT_METHOD_NOAUTH);
    if (!c->method || (r->owner->off && !c->pub.run)) { /* one that runs already is told that its module is gone */
        answer_error(r, "unknown_method", taut_str_n("", 0));
        return TAUT_E_FAILED;
    }
    if (!(open_to_all && !c->token.len)) {
        if (!auth) {
            answer_error(r, "service_unavailable", taut_str_z("no module provides auth/1"));
            return TAUT_E_FAILED;
        }
        r->actor = (struct taut_actor){.size = sizeof r->actor};
        crumb_enter(provider_crumbs(r->hub->auth), CRUMB_SERVICE, "auth/1 resolve");
        int32_t err = auth->resolve(r->hub->auth->self, &c->pub, c->token, &r->actor);
        crumb_leave(NULL);
        TAUT_TRY(err);
        c->pub.actor = &r->actor;
        if (!has_scope(r->actor.scopes, c->method->def->scopes)) {
            answer_error(r, "missing_scope", taut_str_n("", 0));
            return TAUT_E_FAILED;
        }
    }
    if (c->arg_error) {
        answer_error(r, c->arg_error, c->arg_error_text);
        return TAUT_E_FAILED;
    }
    return TAUT_OK;
}

static int32_t run_handler(struct run *r) {
    struct call *c = r->call;
    c->pub.run = r->starts++;
    c->pub.failed = taut_str_n("", 0);
    r->failed = r->answer_open = r->replied = false;
    r->nwarnings = 0;
    r->effect = r->asked = r->ended_by = NULL;
    r->at_end = NULL;
    r->next_cursor = taut_str_n("", 0);
    if (c->arg_warning) r->warnings[r->nwarnings++] = c->arg_warning;
    if (c->pub.kind == TAUT_CALL_METHOD) TAUT_TRY(authenticate(r));
    if (is_gone(r)) {
        answer_error(r, "service_unavailable", arena_fmt(&c->arena, "the module %s is not running", r->owner->name));
        return TAUT_E_FAILED;
    }
    if (held_too_many(r->owner)) {
        answer_error(r, "service_unavailable",
                     arena_fmt(&c->arena, "the module %s does not answer its calls", r->owner->name));
        return TAUT_E_FAILED;
    }
    uint64_t actor = check_actor(r);
    crumb_enter(crumbs_of(c->pub.mod), c->pub.kind, r->name);
    int32_t err = r->handler(c->pub.mod, &c->pub);
    crumb_leave(NULL);
    check_actor_is(r, actor);
    return err;
}

/* The answer stands. It leaves when no read of the call is under way any more. */
static void conclude(struct run *r) {
    if (!r->waiting) {
        run_finish(r);
        return;
    }
    run_to(r, RUN_SETTLED);
}

/* Nothing was stored. The peer of a frame is told in the protocol's form, which only the handler knows. */
static void refuse(struct run *r, const char *code, const char *text) {
    if (r->conn && !r->call->pub.refused.len && !r->waiting && !r->hub->stopping) {
        r->call->pub.refused = taut_str_z(code);
        start_once(r);
        return;
    }
    answer_error(r, code, taut_str_z(text));
    conclude(r);
}

static void broken(struct run *r, const char *what, int32_t err) {
    log_fmt(TAUT_LOG_ERROR, r->owner ? r->owner->name : "core", "handler_failed", "%s: %s", what, error_text(err));
    refuse(r, "internal_error", "");
}

/* It has come to no end that a handler may come to. */
static void failed_itself(struct run *r, int32_t err) {
    const char *what = err >= 0 ? "returned without an end; it ends by one of taut_commit, taut_done, taut_fail, or "
                                  "returns TAUT_E_PENDING to be ended later"
                       : err == TAUT_E_AGAIN ? "returned TAUT_E_AGAIN, but has asked for nothing to wait for"
                                             : error_text(err);
    log_fmt(TAUT_LOG_ERROR, r->owner ? r->owner->name : "core", "handler_failed", "the handler of %s%s %s",
            handler_name(r), err < 0 && err != TAUT_E_AGAIN ? " failed:" : "", what);
    refuse(r, "internal_error", "");
}

/* A call that reads no more gives its place to others: a commit may take long. */
static void stop_scanning(struct run *r) {
    if (!r->scanning) return;
    r->scanning = false;
    load_scan_freed(r->hub);
}

/* ---- effects on a module's own state ---- */

struct at_end {
    struct at_end *next;
    struct taut_mod *mod;
    taut_fn fn;
    void *arg;
};

static void at_end(struct taut_mod *m, struct taut_call *c, taut_fn fn, void *arg) {
    struct run *r = run_of(c);
    check_thread(m, "taut_at_end");
    struct at_end *e = arena_alloc(&r->call->arena, sizeof *e), **last = &r->at_end;
    *e = (struct at_end){.mod = m, .fn = fn, .arg = arg};
    while (*last) last = &(*last)->next;
    *last = e;
}

void run_do_at_end(const struct run *r) {
    for (struct at_end *e = r->at_end; e; e = e->next) {
        crumb_enter(crumbs_of(e->mod), CRUMB_AT_END, NULL);
        e->fn(e->mod, e->arg);
        crumb_leave(NULL);
    }
}

static void do_at_end(struct run *r) {
    if (r->ended_once) return;
    r->ended_once = true;
    run_do_at_end(r);
}

/* Its answer comes later; perhaps from what is to be done at its end. */
static void hold(struct run *r) {
    if (r->was_held) {
        broken(r, "a handler held its call again", TAUT_E_PENDING);
        return;
    }
    r->was_held = true;
    stop_scanning(r);
    do_at_end(r);
    if (r->state == RUN_COMMITTING) return;
    if (r->replied || r->failed) run_finish(r);
    else run_to(r, RUN_HELD);
}

/* The handler, once, with clocks that stand still; with TAUT_CHECKS twice. */
static int32_t run_once(struct run *r) {
    struct run *outer = r->hub->running;
    int32_t err;
    if (!r->same_moment) r->now_us = r->mono_us = 0; /* else a read by the clock would be another one in each run */
    r->same_moment = false;
    r->hub->running = r;
    if (!check_rehearse(r, run_handler, &err)) {
        err = run_handler(r);
        check_compare(r, err);
    }
    r->hub->running = outer;
    return err;
}

static void start_once(struct run *r) {
    if (r->starts >= RUNS_MAX) {
        broken(r, "a handler was run too often without an end", TAUT_E_LIMIT);
        return;
    }
    run_to(r, RUN_RUNNING);
    int32_t err = run_once(r);
    if (r->state == RUN_COMMITTING) { /* submitted; its end comes with the op */
        do_at_end(r);
        turns_leave(r);
        if (r->conn) conns_frame_passed(r->hub, r->conn, r);
        stop_scanning(r);
        return;
    }
    if (r->restart) { /* what it looked at was too old */
        r->restart = false;
        start_once(r);
    } else if (run_waits(r, err)) {
        r->same_moment = true;
        run_to(r, RUN_LOADING);
    } else if (err == TAUT_E_PENDING) {
        hold(r);
    } else if ((err >= 0 || err == TAUT_E_FAILED) && (r->replied || r->failed)) {
        do_at_end(r);
        conclude(r);
    } else if (err == TAUT_E_UNAVAILABLE) {
        refuse(r, "service_unavailable", "");
    } else {
        failed_itself(r, err);
    }
}

static void unknown_outcome(struct run *r) {
    if (MUTANT("timeout_is_failure")) {
        answer_error(r, "service_unavailable", taut_str_z("this took too long; nothing was stored"));
        return;
    }
    answer_error(r, "fatal_error",
                 taut_str_z("the outcome is unknown: this may or may not have been stored; repeat it with the same "
                            "client_msg_id, or look before you repeat it"));
}

/* It cannot be looked at. What was claimed earlier is stored, so "nothing was stored" would be untrue. */
static void unreadable(struct run *r, const char *text) {
    if (r->call->pub.claimed.len) {
        unknown_outcome(r);
        if (r->conn) r->call->out.sent = true;
        conclude(r);
        return;
    }
    refuse(r, "service_unavailable", text);
}

void run_again(struct run *r) {
    if (r->dead || r->state == RUN_SETTLED) {
        run_finish(r);
    } else if (r->hub->stopping) {
        unreadable(r, "the server stops");
    } else if (r->load_error) {
        log_fmt(TAUT_LOG_WARN, r->owner ? r->owner->name : "core", "read_failed", "a read failed: %s",
                error_text(r->load_error));
        r->load_error = TAUT_OK;
        run_forget_reads(r);
        unreadable(r, "the store cannot be read at the moment; try again later");
    } else {
        start_once(r);
    }
}

/* ---- the batch's answer ---- */

/* The batch met what another one wrote: look again. What it had read may be what was wrong. */
static void conflict(struct run *r) {
    if (r->hub->stopping) {
        refuse(r, "service_unavailable", "the server stops");
        return;
    }
    if (r->was_held) {
        refuse(r, "service_unavailable", "what this rests on has changed meanwhile; nothing was stored; try again");
        return;
    }
    if (++r->conflicts > RUNS_MAX_CONFLICTS) {
        broken(r, "a batch met a conflict too often", TAUT_E_CONFLICT);
        return;
    }
    for (uint32_t i = 0; i < r->batch->ncond; i++) {
        char text[KEY_MAX];
        const struct taut_cond *k = &r->batch->conds[i];
        struct crow *row = rows_peek(&r->hub->rows, taut_str_n(text, key_encode(text, k->table, k->key, k->nkey)));
        if (row) rows_drop(&r->hub->rows, row);
    }
    run_forget_reads(r);
    start_once(r);
}

static const char *unavailable_text(struct run *r, const struct taut_commit_result *res) {
    if (!res || !res->why.len) return "the store takes nothing at the moment; try again later";
    return arena_fmt(&r->call->arena, "the store takes nothing at the moment (%.*s); try again later",
                     (int)res->why.len, res->why.ptr)
        .ptr;
}

void run_committed(struct run *r, int32_t status, const struct taut_commit_result *res) {
    run_to(r, RUN_RUNNING);
    observe_commit(r->hub, status);
    if (status != TAUT_OK) batch_drop_events(r->batch);
    if (r->dead) {
        run_finish(r);
        return;
    }
    switch (status) {
    case TAUT_OK:
        r->replied = true;
        run_finish(r);
        break;
    case TAUT_E_CONFLICT: conflict(r); break;
    case TAUT_E_CLAIMED:
        if (r->call->pub.claimed.len || !res) {
            broken(r, "a claimed batch was submitted again", status);
            break;
        }
        r->call->pub.claimed = arena_str(&r->call->arena, res->claim_value);
        r->call->pub.claimed_seq = res->claim_seq;
        run_again(r);
        break;
    case TAUT_E_IO: /* nothing of it is there */
    case TAUT_E_NOMEM:
    case TAUT_E_UNAVAILABLE: refuse(r, "service_unavailable", unavailable_text(r, res)); break;
    case TAUT_E_UNKNOWN:
    case TAUT_E_TIMEOUT:
        r->hub->in_doubt = true;
        load_doubt(r->hub);
        unknown_outcome(r);
        if (r->conn) r->call->out.sent = true; /* silence: neither a success nor a failure */
        run_finish(r);
        break;
    default: broken(r, "a commit failed", status);
    }
}

/* ---- the end ---- */

static void outcome(struct run *r, struct taut_outcome *o) {
    *o = (struct taut_outcome){
        .size = sizeof *o,
        .status = r->failed ? TAUT_E_FAILED : TAUT_OK,
        .body = r->call->out.body,
        .error = r->call->pub.failed,
        .seq = r->seq,
    };
}

void run_finish(struct run *r) {
    struct hub *h = r->hub;
    struct call *c = r->call;
    run_to(r, RUN_DONE);
    if (!r->dead) answer_finish(r);
    observe_end_of(h, r);
    if (r->dead) c->out.sent = true;
    c->out.seq = r->seq ? r->seq : c->pub.claimed_seq;

    struct taut_outcome o;
    if (r->task_done || r->command) outcome(r, &o);
    if (r->task_done && !is_left(c->pub.mod)) {
        crumb_enter(crumbs_of(c->pub.mod), CRUMB_TASK_DONE, NULL);
        r->task_done(c->pub.mod, c->pub.arg, &o);
        crumb_leave(NULL);
    }
    if (r->command) r->command->done(r->command->arg, &o);

    run_forget_reads(r);
    await_forget(r);
    turns_leave(r);
    if (r->batch) batch_drop_events(r->batch);
    unlink_run(r);
    c->run = NULL;
    struct hconn *conn = r->conn;
    bool scanning = r->scanning;
    if (c->home) {
        c->msg.kind = MSG_ANSWER;
        hub_send(h, c->home, &c->msg);
    } else {
        call_put(&h->pool, c);
    }
    if (scanning) load_scan_freed(h);
    if (conn) conns_frame_done(h, conn, r); /* last: the next frame's answer comes behind this one's */
}

/* The gateway answers with what stands there; the call comes later. */
void answer_now(struct run *r) {
    struct call *c = r->call;
    answer_finish(r);
    if (c->pub.kind == TAUT_CALL_OPEN) { /* no socket comes of it: an answer of HTTP */
        c->out.http_status = 503;
        c->out.content_type = "text/plain; charset=utf-8";
        c->out.body = c->pub.failed;
    }
    struct early_msg *m = xmalloc(sizeof *m + c->out.body.len);
    memset(m, 0, sizeof *m);
    m->msg.kind = MSG_EARLY;
    m->cookie = c->cookie;
    m->http_status = c->out.http_status;
    m->content_type = c->out.content_type; /* static, or in the call, which outlives this message */
    m->body = taut_str_n((char *)(m + 1), c->out.body.len);
    if (m->body.len) memcpy(m + 1, c->out.body.ptr, c->out.body.len);
    r->dead = true;
    hub_send(r->hub, c->home, &m->msg);
}

/* Calls whose time is up are answered, and end by themselves later: a submitted batch cannot be taken back. */
static void expire(struct run *r) {
    struct call *c = r->call;
    r->deadline_us = 0;
    log_fmt(TAUT_LOG_WARN, r->owner ? r->owner->name : "core", "call_timeout", "%s passed its deadline%s",
            r->name ? r->name : "a call", r->state == RUN_HELD ? "; the module keeps it open" : "");
    if (r->state == RUN_HELD) {
        held_expire(r);
        return;
    }
    if (c->pub.kind == TAUT_CALL_FRAME || c->pub.kind == TAUT_CALL_OPEN) return; /* silence until it is known */
    if (r->state == RUN_COMMITTING || c->pub.claimed.len) unknown_outcome(r);
    else answer_error(r, "service_unavailable", taut_str_z("this took too long; nothing was stored"));
    answer_now(r);
}

void run_tick(struct hub *h, int64_t now_us) {
    for (struct run *r = h->runs; r; r = h->next_run) {
        h->next_run = r->next;
        if (r->deadline_us && r->deadline_us <= now_us && r->call->home) expire(r);
    }
}

/* ---- calls of our own ---- */

static void begin_task(struct taut_mod *m, void *arg, int32_t status, void *result) {
    struct run *r = arg;
    (void)m, (void)status, (void)result;
    r->awaiting--;
    load_arrived(r, TAUT_OK, 0);
}

static void be(struct run *r, const struct taut_actor *actor) {
    struct arena *arena = &r->call->arena;
    struct taut_actor *a = &r->actor;
    taut_copy_sized(a, sizeof *a, actor);
    taut_str *texts[] = {&a->workspace, &a->user, &a->bot, &a->app, &a->token, &a->scopes};
    for (size_t i = 0; i < COUNT_OF(texts); i++) *texts[i] = arena_str(arena, *texts[i]);
    r->call->pub.actor = a;
}

/* Begins on a later turn: nothing ends within the call that started it. */
int32_t run_task(struct taut_mod *m, const struct taut_actor *actor, taut_task_fn fn, void *arg, taut_task_done done) {
    static const struct taut_actor system = {.size = sizeof system, .flags = TAUT_ACTOR_SYSTEM};
    struct hub *h = hub_of(m);
    check_thread(m, "taut_task");
    if (!check_given(m, "taut_task", fn != NULL, "a function") ||
        !check_given(m, "taut_task", !actor || TAUT_HAS(actor, scopes), "the size of its actor"))
        return TAUT_E_INVAL;
    if (!check_effect(m, "taut_task")) return TAUT_OK;
    struct call *c = call_get(&h->pool, TAUT_CALL_TASK, NULL);
    c->pub.mod = m;
    c->pub.arg = arg;
    struct run *r = run_new(h, c);
    r->handler = fn;
    r->task_done = done;
    be(r, actor ? actor : &system);
    run_to(r, RUN_LOADING);
    r->waiting = r->awaiting = 1;
    taut_op_complete(core_mod(h), op_new(core_mod(h), 0, begin_task, r), TAUT_OK, NULL, NULL);
    return TAUT_OK;
}

void hub_run_command(struct hub *h, const struct hub_command *cmd) {
    struct call *c = call_get(&h->pool, TAUT_CALL_COMMAND, NULL);
    c->command = cmd->command;
    c->method_name = taut_str_z(cmd->command->def->name);
    c->args = arena_zalloc(&c->arena, (cmd->nargs ? cmd->nargs : 1) * sizeof *c->args);
    c->nargs = cmd->nargs;
    for (uint32_t i = 0; i < cmd->nargs; i++) {
        c->args[i] = cmd->args[i];
        c->args[i].s = arena_str(&c->arena, cmd->args[i].s);
    }
    struct hub_command *copy = arena_alloc(&c->arena, sizeof *copy);
    *copy = *cmd;
    struct run *r = run_new(h, c);
    r->command = copy;
    r->actor = (struct taut_actor){.size = sizeof r->actor, .flags = TAUT_ACTOR_OPERATOR};
    c->pub.actor = &r->actor;
    start_once(r);
}

void run_add_to_host(struct taut_host *t) {
    t->task = run_task;
    t->at_end = at_end;
}

void run_end_all(struct hub *h) {
    uint32_t n = h->nruns;
    for (struct run *r = h->runs; r; r = h->next_run) {
        h->next_run = r->next;
        if (r->state == RUN_DONE) continue; /* what it ended with ends the server */
        /* the store may still read its memory: left as it is */
        if (r->state == RUN_COMMITTING || r->waiting > r->awaiting) continue;
        if (n) n--;
        else r->task_done = NULL; /* it was begun by the end of another one: these would have no end */
        r->waiting = 0;
        answer_error(r, "service_unavailable", taut_str_z("the server stops"));
        run_finish(r);
    }
    h->ready = NULL; /* who was to have its turn has ended */
}
