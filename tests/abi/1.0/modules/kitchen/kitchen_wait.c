/* kitchen_wait.c - handlers that wait: for a timer, for a service that never answers, held calls, tasks. */
#include "kitchen.h"

#define SLOW_FAMILY "kitchen_slow"

struct slow_v1 {
    uint32_t size;
    uint32_t reserved;
    int32_t (*ask)(void *self, struct taut_mod *consumer, taut_op op);
};

/* A service that never answers, and its down table. */
static int32_t never(void *self, struct taut_mod *consumer, taut_op op) {
    (void)self, (void)consumer, (void)op;
    return TAUT_OK;
}
static const struct slow_v1 slow = {sizeof slow, 0, never};

static int32_t down_ask(void *self, struct taut_mod *consumer, taut_op op) {
    (void)consumer;
    taut_op_complete(self, op, TAUT_E_UNAVAILABLE, NULL, NULL);
    return TAUT_OK;
}
static const struct slow_v1 slow_down = {sizeof slow_down, 0, down_ask};

int32_t kitchen_begin_services(struct taut_mod *m) {
    struct kitchen *k = kitchen_of(m);
    int32_t err = taut_svc_provide(m, SLOW_FAMILY, 1, &slow, k);
    k->slow = taut_svc_get(m, SLOW_FAMILY, 1, &slow_down);
    k->nobody = taut_svc_get(m, "kitchen_nobody", 1, &slow_down);
    k->auth = taut_svc_get(m, "auth", 1, &taut_auth_down);
    k->directory = taut_svc_get(m, "directory", 1, &taut_directory_down);
    k->conversation = taut_svc_get(m, "conversation", 1, &taut_conversation_down);
    k->storage = taut_svc_get(m, "storage", 1, &taut_storage_down);
    k->no_auth = taut_svc_get(m, "kitchen_no_auth", 1, &taut_auth_down);
    k->no_directory = taut_svc_get(m, "kitchen_no_directory", 1, &taut_directory_down);
    k->no_conversation = taut_svc_get(m, "kitchen_no_conversation", 1, &taut_conversation_down);
    k->no_storage = taut_svc_get(m, "kitchen_no_storage", 1, &taut_storage_down);
    return err;
}

/* ---- await ---- */

void kitchen_wake(struct taut_mod *m, void *arg) {
    taut_op_complete(m, (taut_op)(uintptr_t)arg, TAUT_OK, NULL, NULL);
}
static void begin_wait(struct taut_mod *m, void *arg, taut_op op) {
    (void)arg;
    if (!taut_timer_start(m, (uint64_t)options_of(m)->patience, 0, kitchen_wake, (void *)(uintptr_t)op))
        taut_op_complete(m, op, TAUT_E_NOMEM, NULL, NULL);
}
static void count_await(struct taut_mod *m, void *arg) {
    (void)arg;
    kitchen_of(m)->awaited++;
}

int32_t kitchen_await(struct taut_mod *m, struct taut_call *c) {
    void *nothing;
    TAUT_TRY(taut_await(m, c, NULL, TAUT_LIT("wait"), 1000, begin_wait, NULL, &nothing));
    taut_at_end(m, c, count_await, NULL);
    taut_json_kint(taut_answer(c), "stamp", taut_stamp_us(c, 0));
    return taut_done(c);
}

/* ---- services ---- */

struct relay {
    struct taut_mod *mod;
    taut_op op;
};
static void on_asked(struct taut_mod *m, void *arg, int32_t status, void *result) {
    struct relay *r = arg;
    (void)result;
    taut_op_complete(m, r->op, status, NULL, NULL);
    taut_free(m, r);
}
static void begin_ask(struct taut_mod *m, void *arg, taut_op op) {
    const struct taut_svc *svc = arg;
    const struct slow_v1 *t = svc->vtable;
    struct relay *r = taut_alloc(m, sizeof *r);
    if (!r) {
        taut_op_complete(m, op, TAUT_E_NOMEM, NULL, NULL);
        return;
    }
    *r = (struct relay){m, op};
    t->ask(svc->self, m, taut_op_new(m, svc, 50, on_asked, r));
}

static int32_t ask(struct taut_mod *m, struct taut_call *c, const struct taut_svc *svc) {
    void *nothing;
    int32_t err = taut_await(m, c, NULL, TAUT_LIT("ask"), 2000, begin_ask, (void *)(uintptr_t)svc, &nothing);
    if (err == TAUT_E_AGAIN || err == TAUT_E_NOMEM) return err;
    taut_json_kint(taut_answer(c), "status", err);
    return taut_done(c);
}
int32_t kitchen_slow(struct taut_mod *m, struct taut_call *c) {
    return ask(m, c, kitchen_of(m)->slow);
}
int32_t kitchen_nobody(struct taut_mod *m, struct taut_call *c) {
    return ask(m, c, kitchen_of(m)->nobody);
}

/* ---- held calls ---- */

static void answer_late(struct taut_mod *m, void *arg) {
    struct taut_call *c = arg;
    taut_json_kstr(taut_answer(c), "said", options_of(m)->greeting);
    taut_done(c);
}
static void begin_late(struct taut_mod *m, void *arg) {
    if (!taut_timer_start(m, 10, 0, answer_late, arg)) taut_fail(arg, "no_memory");
}

int32_t kitchen_held(struct taut_mod *m, struct taut_call *c) {
    taut_at_end(m, c, begin_late, c);
    return TAUT_E_PENDING;
}

/* ---- tasks ---- */

struct job {
    struct taut_mod *mod;
    taut_op op;
    char word[32], body[100], error[100];
    int32_t status;
    int has_ended, ended_late; /* late: not within taut_task */
};

static int32_t do_job(struct taut_mod *m, struct taut_call *c) {
    const struct job *job = c->arg;
    (void)m;
    if (!strcmp(job->word, "fail")) return taut_fail(c, "no_time");
    struct taut_json *j = taut_answer(c);
    taut_json_kbool(j, "as_system", (c->actor->flags & TAUT_ACTOR_SYSTEM) != 0);
    taut_json_kstr(j, "word", taut_str_z(job->word));
    return taut_done(c);
}

static void free_job(void *result) {
    struct job *job = result;
    taut_free(job->mod, job);
}
static void on_job_done(struct taut_mod *m, void *arg, const struct taut_outcome *o) {
    struct job *job = arg;
    job->has_ended = 1;
    job->status = o->status;
    snprintf(job->body, sizeof job->body, "%.*s", (int)o->body.len, o->body.ptr ? o->body.ptr : "");
    snprintf(job->error, sizeof job->error, "%.*s", (int)o->error.len, o->error.ptr ? o->error.ptr : "");
    taut_op_complete(m, job->op, TAUT_OK, job, free_job);
}
static void begin_job(struct taut_mod *m, void *arg, taut_op op) {
    const taut_str *word = arg;
    struct job *job = taut_alloc(m, sizeof *job);
    if (!job) {
        taut_op_complete(m, op, TAUT_E_NOMEM, NULL, NULL);
        return;
    }
    *job = (struct job){.mod = m, .op = op};
    snprintf(job->word, sizeof job->word, "%.*s", (int)word->len, word->ptr);
    taut_task(m, NULL, do_job, job, on_job_done);
    job->ended_late = !job->has_ended;
}

int32_t kitchen_task(struct taut_mod *m, struct taut_call *c) {
    taut_str word = taut_arg_str(c, 0);
    void *result;
    TAUT_TRY(taut_await(m, c, NULL, TAUT_LIT("job"), 1000, begin_job, &word, &result));
    const struct job *job = result;
    struct taut_json *j = taut_answer(c);
    taut_json_kint(j, "status", job->status);
    taut_json_kstr(j, "body", taut_str_z(job->body));
    taut_json_kstr(j, "error", taut_str_z(job->error));
    taut_json_kbool(j, "ended_late", job->ended_late);
    return taut_done(c);
}
