/* kitchen_loop.c - the home loop: posted work, timers, a descriptor, the pool; and operations with all their ends. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>

#include "kitchen.h"

/* ---- one thing after another; each notes its name ---- */

struct tour {
    struct taut_mod *mod;
    taut_op op;
    taut_timer never, twice;
    taut_poll poll;
    int ends[2], ticks;
    char seen[128];
};

static void note(struct tour *t, const char *what) {
    size_t n = strlen(t->seen);
    snprintf(t->seen + n, sizeof t->seen - n, "%s%s", n ? " " : "", what);
}

static void free_tour(void *result) {
    struct tour *t = result;
    taut_free(t->mod, t);
}

/* The pool: what any thread may call. */
static void work(void *arg) {
    struct tour *t = arg;
    if (taut_mono_us(t->mod) > 0) note(t, "work");
}
static void worked(struct taut_mod *m, void *arg) {
    struct tour *t = arg;
    note(t, "worked");
    taut_op_complete(m, t->op, TAUT_OK, t, free_tour);
}

/* It ends before its time: something could not be had. */
static void give_up(struct taut_mod *m, struct tour *t) {
    if (t->ends[0] >= 0) close(t->ends[0]), close(t->ends[1]);
    taut_op_complete(m, t->op, TAUT_E_NOMEM, t, free_tour);
}

static void on_readable(struct taut_mod *m, void *arg, uint32_t events) {
    struct tour *t = arg;
    char byte;
    if (events & TAUT_POLL_READ && read(t->ends[0], &byte, 1) == 1) note(t, "poll");
    taut_poll_stop(m, t->poll);
    close(t->ends[0]);
    close(t->ends[1]);
    t->ends[0] = -1;
    if (taut_work(m, work, worked, t) < 0) give_up(m, t);
}

static void on_tick(struct taut_mod *m, void *arg) {
    struct tour *t = arg;
    note(t, "tick");
    if (++t->ticks < 2) return;
    taut_timer_stop(m, t->twice);
    if (pipe2(t->ends, O_NONBLOCK | O_CLOEXEC) == 0)
        t->poll = taut_poll_start(m, t->ends[0], TAUT_POLL_READ, on_readable, t);
    if (!t->poll) give_up(m, t);
    else if (write(t->ends[1], "x", 1) != 1) note(t, "unwritten");
}
static void on_never(struct taut_mod *m, void *arg) {
    (void)m;
    note(arg, "stopped timers do not run");
}
static void on_posted(struct taut_mod *m, void *arg) {
    struct tour *t = arg;
    note(t, "posted");
    taut_timer_stop(m, t->never);
    t->twice = taut_timer_start(m, 20, 20, on_tick, t);
    if (!t->twice) give_up(m, t);
}

static void begin_tour(struct taut_mod *m, void *arg, taut_op op) {
    struct tour *t = taut_alloc(m, sizeof *t);
    (void)arg;
    if (!t) {
        taut_op_complete(m, op, TAUT_E_NOMEM, NULL, NULL);
        return;
    }
    *t = (struct tour){.mod = m, .op = op, .ends = {-1, -1}};
    t->never = taut_timer_start(m, 30, 0, on_never, t); /* within the two ticks */
    taut_post(m, on_posted, t);
}

int32_t kitchen_loop(struct taut_mod *m, struct taut_call *c) {
    void *result;
    TAUT_TRY(taut_await(m, c, NULL, TAUT_LIT("tour"), 5000, begin_tour, NULL, &result));
    taut_json_kstr(taut_answer(c), "seen", taut_str_z(((struct tour *)result)->seen));
    return taut_done(c);
}

/* ---- operations ---- */

enum { GOOD, BAD, MANY_A, MANY_B, LATE, CANCELLED, OPS };
static const char *const names[OPS] = {"good", "bad", "many_a", "many_b", "late", "cancelled"};

struct ends;
struct one {
    struct ends *all;
    int which;
};
struct ends {
    struct one ones[OPS];
    struct taut_mod *mod;
    taut_op op;
    int32_t status[OPS];
    uint32_t ended, told, destroyed, late_refused;
};

static void free_ends(void *result) {
    struct ends *e = result;
    taut_free(e->mod, e);
}
static void when_all(struct taut_mod *m, struct ends *e) {
    if (e->ended == OPS - 1 && e->told == 2) taut_op_complete(m, e->op, TAUT_OK, e, free_ends);
}
static void on_end(struct taut_mod *m, void *arg, int32_t status, void *result) {
    struct one *o = arg;
    struct ends *e = o->all;
    (void)result;
    e->status[o->which] = status;
    e->ended++;
    when_all(m, e);
}
/* Runs when the op was cancelled, and when its deadline passed. */
static void on_cancel(struct taut_mod *m, void *arg) {
    struct ends *e = arg;
    e->told++;
    when_all(m, e);
}
static void destroy(void *result) {
    ((struct ends *)result)->destroyed++;
}

static taut_op op_of(struct taut_mod *m, struct ends *e, int which, uint32_t timeout_ms) {
    e->ones[which] = (struct one){e, which};
    return taut_op_new(m, NULL, timeout_ms, on_end, &e->ones[which]);
}

static void begin_ops(struct taut_mod *m, void *arg, taut_op op) {
    struct ends *e = taut_alloc(m, sizeof *e);
    (void)arg;
    if (!e) {
        taut_op_complete(m, op, TAUT_E_NOMEM, NULL, NULL);
        return;
    }
    *e = (struct ends){.mod = m, .op = op, .status[CANCELLED] = 1};
    taut_op good = op_of(m, e, GOOD, 1000);
    taut_op_complete(m, good, TAUT_OK, e, destroy);
    taut_op_complete(m, op_of(m, e, BAD, 1000), TAUT_E_IO, NULL, NULL);
    const struct taut_completion many[] = {{.op = op_of(m, e, MANY_A, 0), .status = TAUT_OK},
                                           {.op = op_of(m, e, MANY_B, 0), .status = TAUT_E_NOTFOUND}};
    taut_ops_complete(m, many, 2);
    taut_op_on_cancel(m, op_of(m, e, LATE, 20), on_cancel, e);
    taut_op cancelled = op_of(m, e, CANCELLED, 1000);
    taut_op_on_cancel(m, cancelled, on_cancel, e);
    taut_op_cancel(m, cancelled);
    e->late_refused = taut_op_on_cancel(m, cancelled, on_cancel, e) == TAUT_E_NOTFOUND;
}

int32_t kitchen_ops(struct taut_mod *m, struct taut_call *c) {
    void *result;
    TAUT_TRY(taut_await(m, c, NULL, TAUT_LIT("ops"), 5000, begin_ops, NULL, &result));
    const struct ends *e = result;
    struct taut_json *j = taut_answer(c);
    for (int i = 0; i < OPS; i++) taut_json_kint(j, names[i], e->status[i]);
    taut_json_kint(j, "destroyed", e->destroyed);
    taut_json_kbool(j, "late_refused", e->late_refused != 0);
    return taut_done(c);
}
