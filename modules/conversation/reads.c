/* reads.c - see reads.h.
 *
 * A mark is durable first and visible then, like everything, but ten thousand readers must not fill the log. So a task
 * commits the row, and its end publishes an ephemeral event and answers the call, which is held open for so long (a
 * held call stays until it is answered).
 */
#include "reads.h"
#include "events.h"

int32_t read_mark(struct conv *cv, struct taut_call *c, const struct channel *ch, int64_t *ts) {
    const struct taut_actor *actor = c->actor;
    const struct taut_row *row;
    TAUT_TRY(taut_get(cv->mod, c, &reads, READ_KEY(actor->workspace, actor->user, ch->pub.id), &row));
    *ts = row ? taut_row_int(row, RD_LAST_READ) : 0;
    if (*ts < ch->base_ts) *ts = ch->base_ts;
    return TAUT_OK;
}

/* In the memory of the held call. */
struct marking {
    struct taut_call *call;
    taut_str workspace, user, channel, event;
    int64_t ts;
    int ended;
    int32_t status; /* what the handler returns when the task has ended before it could be held */
};

static int32_t mark_run(struct taut_mod *m, struct taut_call *c) {
    const struct marking *mk = c->arg;
    const struct taut_set raise = {.col = RD_LAST_READ, .how = TAUT_MAX, .val = taut_v_int(mk->ts)};
    const struct taut_row *row;
    struct taut_batch *b;
    TAUT_TRY(taut_get(m, c, &reads, READ_KEY(mk->workspace, mk->user, mk->channel), &row));
    b = taut_batch(c);
    if (row) {
        taut_update(b, m, &reads, READ_KEY(mk->workspace, mk->user, mk->channel), &raise, 1);
    } else {
        taut_expect_absent(b, m, &reads, READ_KEY(mk->workspace, mk->user, mk->channel));
        taut_insert(
            b, m, &reads,
            TAUT_KEY(taut_v_str(mk->workspace), taut_v_str(mk->user), taut_v_str(mk->channel), taut_v_int(mk->ts)));
    }
    return taut_commit(c, b);
}

static void mark_done(struct taut_mod *m, void *arg, const struct taut_outcome *o) {
    struct marking *mk = arg;
    struct taut_call *c = mk->call;
    const struct taut_event event = {.size = sizeof event, .ntopics = 1, .topics = &mk->user, .body = mk->event};
    if (o->status == TAUT_OK) taut_publish(m, mk->workspace, &event);
    mk->ended = 1;
    mk->status = o->status == TAUT_OK ? TAUT_OK : TAUT_E_FAILED;
    if (o->status == TAUT_OK) taut_done(c);
    else taut_fail(c, o->error.len ? taut_keep(c, o->error).ptr : "fatal_error"); /* a kept text ends in a NUL */
}

int32_t read_mark_raise(struct conv *cv, struct taut_call *c, const struct channel *ch, int64_t ts) {
    struct marking *mk = taut_scratch(c, sizeof *mk);
    *mk = (struct marking){
        .call = c,
        .workspace = taut_keep(c, c->actor->workspace),
        .user = taut_keep(c, c->actor->user),
        .channel = taut_keep(c, ch->pub.id),
        .event = event_marked_body(cv, c, ch, ts),
        .ts = ts,
    };
    TAUT_TRY(taut_task(cv->mod, mark_run, mk, mark_done));
    return mk->ended ? mk->status : TAUT_E_PENDING;
}
