/* reads.c - see reads.h.
 *
 * A mark is durable first and visible then, like everything, but ten thousand readers must not fill the log: its event
 * is an ephemeral one of the batch. The latest mark wins, also one that goes back ("mark unread").
 */
#include "reads.h"
#include "events.h"

int32_t read_mark(struct conv *cv, struct taut_call *c, const struct channel *ch, int64_t *ts) {
    const struct taut_actor *actor = c->actor;
    const struct taut_row *row;
    TAUT_TRY(taut_get(cv->mod, c, &reads, READ_KEY(actor->workspace, actor->user, ch->pub.id), &row));
    *ts = row ? taut_row_int(row, RD_LAST_READ) : ch->base_ts;
    return TAUT_OK;
}

int32_t read_mark_set(struct conv *cv, struct taut_call *c, const struct channel *ch, int64_t ts) {
    const struct taut_actor *actor = c->actor;
    struct taut_batch *b = taut_batch(c);
    const struct sink to = {cv, c, b, actor->workspace};
    taut_upsert(
        cv->mod, b, &reads,
        TAUT_KEY(taut_v_str(actor->workspace), taut_v_str(actor->user), taut_v_str(ch->pub.id), taut_v_int(ts)));
    event_marked(&to, ch, ts);
    taut_answer(c);
    return taut_commit(c, b);
}
