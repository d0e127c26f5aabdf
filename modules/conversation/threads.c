/* threads.c - see threads.h. reply_count adds up by itself; the list of who replied is written by those who change it,
 * under a condition, so that two first replies at once do not lose one another.
 */
#include "threads.h"
#include "text.h"

enum { REPLIES_COUNTED_ANEW = 1000 }; /* in longer threads a removed reply changes the count alone */

int32_t thread_parent(struct conv *cv, struct taut_call *c, const struct channel *ch, int64_t ts,
                      const struct taut_row **out) {
    taut_str ws = c->actor->workspace;
    TAUT_TRY(taut_get(cv->mod, c, &messages, MESSAGE_KEY(ws, ch->pub.id, ts), out));
    if (!*out || taut_row_null(*out, MS_THREAD_TS)) return TAUT_OK;
    return taut_get(cv->mod, c, &messages, MESSAGE_KEY(ws, ch->pub.id, taut_row_int(*out, MS_THREAD_TS)), out);
}

static void reply_write(const struct sink *to, const struct channel *ch, const struct message *reply,
                        const struct taut_set *sets, uint32_t n) {
    struct taut_mod *m = to->cv->mod;
    const struct taut_val row[RE_COLUMNS] = {
        [RE_WORKSPACE] = taut_v_str(to->workspace),    [RE_CHANNEL] = taut_v_str(ch->pub.id),
        [RE_THREAD_TS] = taut_v_int(reply->thread_ts), [RE_TS] = taut_v_int(reply->ts),
        [RE_USER] = taut_v_opt(reply->user),
    };
    taut_insert(to->b, m, &replies, row, RE_COLUMNS);
    taut_update(to->b, m, &messages, MESSAGE_KEY(to->workspace, ch->pub.id, reply->thread_ts), sets, n);
}

void thread_reply_import(const struct sink *to, const struct channel *ch, const struct message *reply) {
    const struct taut_set sets[] = {
        {.col = MS_REPLY_COUNT, .how = TAUT_ADD, .val = taut_v_int(1)},
        {.col = MS_LATEST_REPLY, .how = TAUT_MAX, .val = taut_v_int(reply->ts)},
    };
    reply_write(to, ch, reply, sets, 2);
}

taut_str thread_reply_add(const struct sink *to, const struct channel *ch, const struct taut_row *parent,
                          const struct message *reply) {
    struct taut_mod *m = to->cv->mod;
    taut_str ws = to->workspace, users = taut_row_str(parent, MS_REPLY_USERS);
    struct taut_set sets[3] = {
        {.col = MS_REPLY_COUNT, .how = TAUT_ADD, .val = taut_v_int(1)},
        {.col = MS_LATEST_REPLY, .how = TAUT_MAX, .val = taut_v_int(reply->ts)},
    };
    if (list_has(users, reply->user) || list_count(users) >= REPLY_USERS_MAX) {
        taut_expect_present(to->b, m, &messages, MESSAGE_KEY(ws, ch->pub.id, reply->thread_ts));
        reply_write(to, ch, reply, sets, 2);
        return users;
    }
    taut_expect_equals(to->b, m, &messages, MESSAGE_KEY(ws, ch->pub.id, reply->thread_ts), MS_REPLY_USERS,
                       taut_v_str(users));
    users = taut_fmt(to->c, "%.*s%s%.*s", (int)users.len, users.ptr, users.len ? "," : "", (int)reply->user.len,
                     reply->user.ptr);
    sets[2] = (struct taut_set){.col = MS_REPLY_USERS, .how = TAUT_SET, .val = taut_v_str(users)};
    reply_write(to, ch, reply, sets, 3);
    return users;
}

/* Who replied and when last, without that one. */
static taut_str others(struct taut_call *c, const struct taut_rows *rows, int64_t without, int64_t *latest) {
    taut_str users = {"", 0};
    uint32_t i;
    *latest = 0;
    for (i = 0; i < rows->n; i++) {
        taut_str user = taut_row_str(&rows->rows[i], RE_USER);
        if (taut_row_int(&rows->rows[i], RE_TS) == without) continue;
        *latest = taut_row_int(&rows->rows[i], RE_TS);
        if (!list_has(users, user) && list_count(users) < REPLY_USERS_MAX)
            users = taut_fmt(c, "%.*s%s%.*s", (int)users.len, users.ptr, users.len ? "," : "", (int)user.len, user.ptr);
    }
    return users;
}

int32_t thread_reply_remove(const struct sink *to, const struct channel *ch, const struct message *reply) {
    struct taut_mod *m = to->cv->mod;
    taut_str ws = to->workspace, users;
    const struct taut_val prefix[] = {taut_v_str(ws), taut_v_str(ch->pub.id), taut_v_int(reply->thread_ts)};
    const struct taut_scan scan = {
        .index = TAUT_SCAN_PRIMARY, .nprefix = 3, .prefix = prefix, .limit = REPLIES_COUNTED_ANEW};
    const struct taut_row *parent;
    const struct taut_rows *rows;
    int64_t latest;
    int32_t first = taut_get(m, to->c, &messages, MESSAGE_KEY(ws, ch->pub.id, reply->thread_ts), &parent);
    int32_t second = taut_scan(m, to->c, &replies, &scan, &rows);
    TAUT_TRY(first);
    TAUT_TRY(second);
    taut_delete(to->b, m, &replies, REPLY_KEY(ws, ch->pub.id, reply->thread_ts, reply->ts));
    if (!parent) return TAUT_OK;
    users = others(to->c, rows, reply->ts, &latest);
    const struct taut_set sets[] = {
        {.col = MS_REPLY_COUNT, .how = TAUT_ADD, .val = taut_v_int(-1)},
        {.col = MS_LATEST_REPLY, .how = TAUT_SET, .val = taut_v_int(latest)},
        {.col = MS_REPLY_USERS, .how = TAUT_SET, .val = taut_v_str(users)},
    };
    /* The count stands for the whole thread: another reply, or another removal, changes it. */
    taut_expect_equals(to->b, m, &messages, MESSAGE_KEY(ws, ch->pub.id, reply->thread_ts), MS_REPLY_COUNT,
                       taut_v_int(taut_row_int(parent, MS_REPLY_COUNT)));
    if (taut_row_int(parent, MS_REPLY_COUNT) <= 1 && taut_str_is(taut_row_str(parent, MS_SUBTYPE), "tombstone"))
        taut_delete(to->b, m, &messages, MESSAGE_KEY(ws, ch->pub.id, reply->thread_ts));
    else taut_update(to->b, m, &messages, MESSAGE_KEY(ws, ch->pub.id, reply->thread_ts), sets, rows->more ? 1 : 3);
    return TAUT_OK;
}
