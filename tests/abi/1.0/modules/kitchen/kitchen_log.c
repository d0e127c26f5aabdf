/* kitchen_log.c - the log: read from two cursors, one of which the module keeps itself; events past the log; the log
 * made shorter. */
#include "kitchen.h"

/* ---- a cursor that the core keeps ---- */

static void on_events(struct taut_mod *m, void *arg, const struct taut_events *e, taut_op op) {
    struct kitchen *k = arg;
    if (options_of(m)->log == LOG_IS_HELD) return;
    if (options_of(m)->log == LOG_FAILS) {
        taut_op_complete(m, op, TAUT_E_IO, NULL, NULL);
        return;
    }
    for (uint32_t i = 0; i < e->events.len; i++) {
        const struct taut_logged *event = TAUT_AT(e->events, struct taut_logged, i);
        if (event->seq != (uint64_t)k->last_seq + 1 && k->last_seq)
            taut_log(m, TAUT_LOG_ERROR, "hole", "seq %llu after %llu", (unsigned long long)event->seq,
                     (unsigned long long)k->last_seq);
        k->last_seq = (int64_t)event->seq;
        k->logged++;
    }
    taut_op_complete(m, op, TAUT_OK, NULL, NULL);
}

/* ---- one that the module keeps, in the batches in which it writes down what it has seen ---- */

struct seen {
    struct taut_mod *mod;
    taut_op op;
    uint64_t upto;
    uint32_t n;
    char workspace[32];
};

static int32_t write_down(struct taut_mod *m, struct taut_call *c) {
    const struct seen *s = c->arg;
    struct taut_batch *b = taut_batch(c);
    taut_batch_workspace(m, b, taut_str_z(s->workspace));
    taut_set_cursor(m, b, TAUT_LIT("kitchen/own"), s->upto);
    taut_upsert(
        m, b, &kitchen_things,
        TAUT_KEY(taut_v_str(TAUT_LIT("kitchen")), taut_v_str(taut_str_z(s->workspace)), taut_v_int((int64_t)s->upto)));
    taut_answer(c);
    return taut_commit(c, b);
}
static void on_written(struct taut_mod *m, void *arg, const struct taut_outcome *o) {
    struct seen *s = arg;
    if (o->status == TAUT_OK) kitchen_of(m)->own_logged += s->n;
    taut_op_complete(m, s->op, o->status, NULL, NULL);
    taut_free(m, s);
}

static void on_own_events(struct taut_mod *m, void *arg, const struct taut_events *e, taut_op op) {
    struct kitchen *k = arg;
    struct seen *s = taut_alloc(m, sizeof *s);
    if (!s) {
        taut_op_complete(m, op, TAUT_E_NOMEM, NULL, NULL); /* they come again */
        return;
    }
    *s = (struct seen){.mod = m, .op = op, .upto = e->first, .n = e->events.len};
    snprintf(s->workspace, sizeof s->workspace, "%.*s", (int)e->workspace.len, e->workspace.ptr);
    if (e->events.len) s->upto = TAUT_AT(e->events, struct taut_logged, e->events.len - 1)->seq;
    if (k->skip) {
        s->upto += k->skip;
        k->skip = 0;
        taut_subscription_seek(m, k->own, e->workspace, s->upto);
    }
    if (taut_task(m, NULL, write_down, s, on_written) == TAUT_OK) return;
    taut_op_complete(m, op, TAUT_E_UNAVAILABLE, NULL, NULL);
    taut_free(m, s);
}

int32_t kitchen_begin_log(struct taut_mod *m) {
    const struct taut_subscription kept = {
        .size = sizeof kept, .name = m->name, .max_events = 3, .on_events = on_events, .arg = kitchen_of(m)};
    const struct taut_subscription own = {.size = sizeof own,
                                          .flags = TAUT_SUB_OWN_CURSOR | TAUT_SUB_FROM_NOW,
                                          .name = "kitchen/own",
                                          .on_events = on_own_events,
                                          .arg = kitchen_of(m)};
    if (options_of(m)->log == LOG_READ) kitchen_of(m)->own = taut_subscribe(m, &own);
    kitchen_of(m)->kept = taut_subscribe(m, &kept);
    return kitchen_of(m)->kept ? TAUT_OK : TAUT_E_INVAL;
}

void kitchen_end_log(struct taut_mod *m) {
    taut_unsubscribe(m, kitchen_of(m)->own);
    taut_unsubscribe(m, kitchen_of(m)->kept);
}

/* ---- methods ---- */

static void set_skip(struct taut_mod *m, void *arg) {
    kitchen_of(m)->skip = (uint64_t)(uintptr_t)arg;
}
int32_t kitchen_skip(struct taut_mod *m, struct taut_call *c) {
    taut_at_end(m, c, set_skip, (void *)(uintptr_t)taut_arg_int(c, 1, 1));
    taut_answer(c);
    return taut_done(c);
}

static void end_it(struct taut_mod *m, void *arg) {
    (void)arg;
    taut_unsubscribe(m, kitchen_of(m)->own);
}
int32_t kitchen_unsubscribe(struct taut_mod *m, struct taut_call *c) {
    taut_at_end(m, c, end_it, NULL);
    taut_answer(c);
    return taut_done(c);
}

/* An event past the log, to who is on a topic. */
int32_t kitchen_announce(struct taut_mod *m, struct taut_call *c) {
    taut_str topic = taut_arg_str(c, 4);
    const struct taut_event e = {.size = sizeof e,
                                 .topics = &topic,
                                 .ntopics = 1,
                                 .body = taut_fmt(c, "{\"type\":\"kitchen_call\",\"id\":\"%.*s\"}",
                                                  (int)taut_arg_str(c, 0).len, taut_arg_str(c, 0).ptr)};
    taut_answer(c);
    taut_publish(m, c->actor->workspace, &e);
    return taut_done(c);
}

/* The log of the workspace begins behind that seq. */
int32_t kitchen_trim(struct taut_mod *m, struct taut_call *c) {
    struct taut_batch *b = taut_batch(c);
    taut_trim(m, b, (uint64_t)taut_arg_int(c, 1, 1));
    taut_answer(c);
    return taut_commit(c, b);
}
