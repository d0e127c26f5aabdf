/* check.c - what modules may not do, found where it happens: calls from a wrong thread, effects before the last read,
 * handlers whose runs differ. A build with TAUT_CHECKS runs every handler twice and stops at the first fault; others
 * look at threads alone, and go on. Hub, except for check_thread. */
#include "hub/internal.h"
#include "obs/log.h"

enum { END_TEXT_MAX = 200 };

/* What a run drew from chance, to be drawn again. In the call's memory. */
struct tape {
    char *bytes;
    size_t len, cap, at;
    uint64_t end; /* digest of what the rehearsal came to */
    const char *end_text;
    uint64_t batch; /* and of the batch that it would have submitted; 0: none */
};

static _Thread_local struct hub *here;

void check_hub_thread(struct hub *h) {
    here = h;
}

bool check_is_hub_thread(const struct hub *h) {
    return here == h;
}

struct run *run_here(void) {
    return here ? here->running : NULL;
}

/* ---- threads ---- */

bool check_thread(const struct taut_mod *m, const char *function) {
    struct instance *in = (struct instance *)(uintptr_t)m;
    if (here == hub_of(m)) return true;
#ifdef TAUT_CHECKS
    panic("module %s: %s() was called outside of the hub's thread; from other threads: taut_post it", m->name,
          function);
#endif
    if (!atomic_exchange(&in->is_wrong_thread_told, true))
        log_fmt(TAUT_LOG_ERROR, m->name, "wrong_thread",
                "%s() was called outside of the hub's thread; this is a fault of the module", function);
    return false;
}

/* ---- effects ---- */

static const char *name_of(const struct call *c) {
    switch (c->pub.kind) {
    case TAUT_CALL_METHOD: return c->method ? c->method->def->name : "a method";
    case TAUT_CALL_COMMAND: return c->command->def->name;
    case TAUT_CALL_ROUTE: return c->route->def->path;
    case TAUT_CALL_OPEN: return "open";
    case TAUT_CALL_FRAME: return "frame";
    default: return "a task";
    }
}

const char *handler_name(const struct run *r) {
    return name_of(r->call);
}

bool check_effect(struct taut_mod *m, const char *function) {
    struct run *r = run_here();
    (void)m;
    if (!r) return true;
    if (!r->effect) r->effect = function;
    return !r->rehearsing;
}

bool check_read(struct run *r, const char *function) {
    r->asked = function;
    if (r->hub->running != r || r->state != RUN_RUNNING) {
#ifdef TAUT_CHECKS
        panic("module %s: %s() was called for a call (%s) whose handler does not run, and which so cannot wait for it",
              r->call->pub.mod->name, function, handler_name(r));
#endif
        log_fmt(TAUT_LOG_ERROR, r->call->pub.mod->name, "late_read",
                "%s() was called for a call whose handler does not run; this is a fault of the module", function);
        return false;
    }
#ifdef TAUT_CHECKS
    if (r->effect)
        panic("module %s: the handler of %s calls %s() before its last read, %s(): what it causes there it causes "
              "again in each run",
              r->call->pub.mod->name, handler_name(r), r->effect, function);
#endif
    return true;
}

bool check_given(const struct taut_mod *m, const char *function, bool is_given, const char *what) {
    if (!is_given)
        log_fmt(TAUT_LOG_ERROR, m->name, "bad_call",
                "%s() without %s: nothing comes of it; this is a fault of the module", function, what);
    return is_given;
}

void check_completed_twice(const struct taut_mod *m) {
#ifdef TAUT_CHECKS
    panic("module %s: completes an operation twice; its receiver ran at the first", m->name);
#else
    log_fmt(TAUT_LOG_ERROR, m->name, "completed_twice",
            "an operation was completed twice; this is a fault of the module, and only the first counts");
#endif
}

/* ---- ends ---- */

#ifdef TAUT_CHECKS

struct run *run_of(struct taut_call *c) {
    struct call *call = CONTAINER_OF(c, struct call, pub);
    if (!call->run)
        panic("module %s: %s: its call has ended already; one that is used later returns TAUT_E_PENDING, and is ended "
              "once",
              c->mod ? c->mod->name : "?", name_of(call));
    return call->run;
}

static uint32_t lost_of(const struct taut_batch *b) {
    return b->nwrite + b->nevent + b->nephemeral + b->ncursor + (b->view.trim > 0);
}

void check_ends(struct run *r, const char *function) {
    const char *name = r->call->pub.mod->name;
    const struct taut_batch *b = r->batch;
    if (r->ended_by)
        panic("module %s: the handler of %s ends its call twice: by %s(), then by %s()", name, handler_name(r),
              r->ended_by, function);
    r->ended_by = function;
    if (b && b->start == r->starts && strcmp(function, "taut_commit") != 0 && lost_of(b))
        panic("module %s: %s is ended by %s() with %u %s in its batch, which nobody stores; taut_commit stores them",
              name, handler_name(r), function, lost_of(b), lost_of(b) == 1 ? "change" : "changes");
}

#else

void check_ends(struct run *r, const char *function) {
    (void)r, (void)function;
}

#endif

/* ---- chance ---- */

static struct tape *tape_of(struct run *r) {
    if (!r->tape) r->tape = arena_zalloc(&r->call->arena, sizeof *r->tape);
    return r->tape;
}

static void record(struct run *r, const void *p, size_t n) {
    struct tape *t = tape_of(r);
    if (t->len + n > t->cap) {
        size_t cap = (t->len + n) * 2;
        char *bytes = arena_alloc(&r->call->arena, cap);
        if (t->len) memcpy(bytes, t->bytes, t->len);
        t->bytes = bytes;
        t->cap = cap;
    }
    memcpy(t->bytes + t->len, p, n);
    t->len += n;
}

static bool play(struct run *r, void *p, size_t n) {
    struct tape *t = r->tape;
    if (!t || t->at + n > t->len) return false;
    memcpy(p, t->bytes + t->at, n);
    t->at += n;
    return true;
}

void check_random(struct run *r, void *p, size_t n) {
    if (!r->rehearsing && play(r, p, n)) return;
    random_bytes(p, n);
    if (r->rehearsing) record(r, p, n);
}

int64_t check_stamp(struct run *r, int64_t after_us) {
    int64_t us;
    if (!r->rehearsing && play(r, &us, sizeof us)) return us;
    us = clock_wall_us();
    if (us <= r->hub->last_stamp_us) us = r->hub->last_stamp_us + 1;
    if (us <= after_us) us = after_us + 1;
    r->hub->last_stamp_us = us;
    if (r->rehearsing) record(r, &us, sizeof us);
    return us;
}

/* ---- two runs ---- */

#ifdef TAUT_CHECKS

static void add(uint64_t *h, const void *p, size_t n) { /* FNV-1a */
    const unsigned char *at = p;
    for (size_t i = 0; i < n; i++) *h = (*h ^ at[i]) * 1099511628211u;
}
static void add_int(uint64_t *h, uint64_t v) {
    add(h, &v, sizeof v);
}
static void add_str(uint64_t *h, taut_str s) {
    add_int(h, s.len);
    add(h, s.ptr, s.len);
}
static void add_val(uint64_t *h, const struct taut_val *v) {
    add_int(h, v->type);
    if (v->type == TAUT_TEXT || v->type == TAUT_BLOB) add_str(h, taut_str_n(v->u.p, v->len));
    else if (v->type != TAUT_NULL) add_int(h, (uint64_t)v->u.i);
}
static void add_vals(uint64_t *h, const struct taut_val *v, uint32_t n) {
    add_int(h, n);
    for (uint32_t i = 0; i < n; i++) add_val(h, &v[i]);
}

static uint64_t batch_digest(const struct taut_batch *b) {
    uint64_t h = 14695981039346656037u;
    for (uint32_t i = 0; i < b->ncond; i++) {
        const struct taut_cond *c = &b->conds[i];
        add_int(&h, c->table);
        add_int(&h, c->how);
        add_int(&h, c->col);
        add_vals(&h, c->key, c->nkey);
        add_val(&h, &c->val);
    }
    for (uint32_t i = 0; i < b->nwrite; i++) {
        const struct taut_write *w = &b->writes[i];
        add_int(&h, w->table);
        add_int(&h, w->kind);
        add_vals(&h, w->vals, w->nvals);
        for (uint32_t k = 0; k < w->nsets; k++) {
            add_int(&h, w->sets[k].col);
            add_int(&h, w->sets[k].how);
            add_val(&h, &w->sets[k].val);
        }
    }
    for (uint32_t i = 0; i < b->nevent; i++) {
        add_str(&h, b->records[i].topics);
        add_str(&h, b->records[i].deltas);
        add_str(&h, b->records[i].body);
    }
    for (uint32_t i = 0; i < b->nephemeral; i++) add_str(&h, b->ephemera[i]->body);
    for (uint32_t i = 0; i < b->ncursor; i++) {
        add_str(&h, b->cursors[i].name);
        add_int(&h, b->cursors[i].seq);
    }
    add_str(&h, b->view.workspace);
    add_str(&h, b->view.claim_key);
    add_str(&h, b->view.claim_value);
    add_int(&h, b->view.trim);
    return h | 1;
}

static uint64_t end_digest(struct run *r, int32_t err) {
    uint64_t h = 14695981039346656037u;
    const struct call_out *o = &r->call->out;
    add_int(&h, (uint64_t)(int64_t)(err < 0 ? err : 0));
    add_int(&h, (uint64_t)r->failed << 2 | (uint64_t)r->replied << 1 | r->answer_open);
    if (r->failed) add_str(&h, r->call->pub.failed), add_str(&h, r->fail_text);
    if (r->answer_open) add_str(&h, taut_str_n(r->json.ptr, r->json.len));
    if (r->next_cursor.len) add_str(&h, r->next_cursor);
    add_int(&h, r->nwarnings);
    if (r->call->pub.kind == TAUT_CALL_ROUTE) add_int(&h, (uint64_t)o->http_status), add_str(&h, o->body);
    return h;
}

static bool is_rehearsed(const struct run *r) {
    const struct call *c = r->call;
    return c->pub.kind != TAUT_CALL_COMMAND || !(c->command->def->flags & TAUT_CMD_LONG);
}

/* A short text of what end_digest looks at. */
static const char *end_text(struct run *r, int32_t err) {
    struct arena *a = &r->call->arena;
    taut_str text = r->failed ? r->call->pub.failed : taut_str_n(r->json.ptr, r->answer_open ? r->json.len : 0);
    int n = (int)(text.len < END_TEXT_MAX ? text.len : END_TEXT_MAX);
    if (r->failed) return arena_fmt(a, "the error %.*s", n, text.ptr).ptr;
    if (err < 0) return error_text(err);
    return n ? arena_fmt(a, "%.*s", n, text.ptr).ptr : r->replied ? "another answer" : "none";
}

/* What it may not end with, whatever the other run does. */
static void check_end(const struct run *r, int32_t err) {
    const char *name = r->call->pub.mod->name;
    if (r->waiting && (err >= 0 || err == TAUT_E_FAILED))
        panic("module %s: the handler of %s went on after %s() returned TAUT_E_AGAIN; return it at once", name,
              handler_name(r), r->asked ? r->asked : "a read");
    if (r->ended_by && err == TAUT_E_AGAIN && !r->restart)
        panic(
            "module %s: the handler of %s returned TAUT_E_AGAIN after %s(), which has ended its call; return what that "
            "returns",
            name, handler_name(r), r->ended_by);
}

bool check_rehearse(struct run *r, int32_t (*run)(struct run *r), int32_t *err) {
    struct tape *t = tape_of(r);
    t->len = t->at = 0;
    t->batch = 0;
    if (!is_rehearsed(r)) return false;
    r->rehearsing = true;
    states_note(r);
    *err = run(r);
    states_compare(r);
    r->rehearsing = false;
    check_end(r, *err);
    if (run_waits(r, *err) || r->restart) return true; /* the run that counts is still to come */
    t->end = end_digest(r, *err);
    t->end_text = end_text(r, *err);
    route_forget(r->call);
    r->starts--;
    return false;
}

void check_batch(struct run *r, const struct taut_batch *b) {
    if (r->hub->running != r) return; /* its end comes from outside of its handler */
    if (r->rehearsing) tape_of(r)->batch = batch_digest(b);
    else if (r->tape && is_rehearsed(r) && r->tape->batch != batch_digest(b))
        panic("module %s: two runs of the handler of %s built different batches; see HANDLERS ARE RESTARTABLE in "
              "taut/call.h",
              r->call->pub.mod->name, handler_name(r));
}

uint64_t check_actor(const struct run *r) {
    uint64_t h = 14695981039346656037u;
    const struct taut_actor *a = r->call->pub.actor;
    add(&h, &a, sizeof a);
    if (!a) return h;
    const taut_str texts[] = {a->workspace, a->user, a->bot, a->app, a->token, a->scopes};
    add_int(&h, a->flags);
    for (size_t i = 0; i < COUNT_OF(texts); i++) add_str(&h, texts[i]);
    return h;
}

void check_actor_is(const struct run *r, uint64_t digest) {
    if (check_actor(r) != digest)
        panic("module %s: the handler of %s changed the actor of its call; to act as another one, start a taut_task as "
              "that one",
              r->call->pub.mod->name, handler_name(r));
}

void check_compare(struct run *r, int32_t err) {
    check_end(r, err);
    if (!is_rehearsed(r) || r->restart || r->state == RUN_COMMITTING) return;
    if (r->tape->end != end_digest(r, err))
        panic(
            "module %s: two runs of the handler of %s came to different ends (%s; %s); see HANDLERS ARE RESTARTABLE in "
            "taut/call.h",
            r->call->pub.mod->name, handler_name(r), r->tape->end_text, end_text(r, err));
}

#else

bool check_rehearse(struct run *r, int32_t (*run)(struct run *r), int32_t *err) {
    (void)r, (void)run, (void)err;
    return false;
}
void check_batch(struct run *r, const struct taut_batch *b) {
    (void)r, (void)b;
}
void check_compare(struct run *r, int32_t err) {
    (void)r, (void)err;
}
uint64_t check_actor(const struct run *r) {
    (void)r;
    return 0;
}
void check_actor_is(const struct run *r, uint64_t digest) {
    (void)r, (void)digest;
}

#endif
