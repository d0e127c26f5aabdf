/* threads.c - see threads.h. What replies change of their parent adds up by itself, without conditions. */
#include "threads.h"

enum { PEOPLE_ROWS = 20000, PEOPLE_ROWS_MIN = 50, PEOPLE_ROWS_MAX = 1000 }; /* for a page; for each thread of it */

int32_t message_find(struct conv *cv, struct taut_call *c, const struct channel *ch, int64_t ts,
                     const struct taut_row **out) {
    TAUT_TRY(taut_get(cv->mod, c, &messages, MESSAGE_KEY(c->actor->workspace, ch->pub.id, ts), out));
    if (*out && message_is_gone(*out)) *out = NULL;
    return TAUT_OK;
}

int32_t thread_parent(struct conv *cv, struct taut_call *c, const struct channel *ch, int64_t ts,
                      const struct taut_row **out) {
    TAUT_TRY(message_find(cv, c, ch, ts, out));
    if (!*out || taut_row_null(*out, MS_THREAD_TS)) return TAUT_OK;
    return message_find(cv, c, ch, taut_row_int(*out, MS_THREAD_TS), out);
}

int32_t thread_authors(struct conv *cv, struct taut_call *c, const struct channel *ch, struct message *list,
                       uint32_t n) {
    int32_t err = TAUT_OK;
    uint32_t i;
    for (i = 0; i < n; i++) {
        const struct taut_row *parent = NULL;
        int32_t got = list[i].thread_ts ? message_find(cv, c, ch, list[i].thread_ts, &parent) : TAUT_OK;
        if (got < 0) err = got;
        else if (parent) list[i].parent_user = taut_row_str(parent, MS_USER);
    }
    return err;
}

static void people_count(struct taut_call *c, const struct taut_rows *rows, struct message *ms) {
    taut_str *people = taut_scratch(c, (rows->n + 1) * sizeof *people);
    uint32_t n = 0, i, k;
    for (i = 0; i < rows->n; i++) {
        taut_str user = taut_row_str(&rows->rows[i], RE_USER);
        for (k = 0; k < n && !taut_str_eq(people[k], user);) k++;
        if (k < n) continue;
        if (n < REPLY_USERS_SHOWN) ms->reply_users[n] = user;
        people[n++] = user;
    }
    ms->reply_users_count = n;
    if (rows->n && !rows->more) ms->latest_reply = taut_row_int(&rows->rows[rows->n - 1], RE_TS);
}

int32_t thread_people(struct conv *cv, struct taut_call *c, const struct channel *ch, struct message *list,
                      uint32_t n) {
    uint32_t parents = 0, limit, i;
    int32_t err = TAUT_OK;
    for (i = 0; i < n; i++) parents += list[i].reply_count > 0;
    if (!parents) return TAUT_OK;
    limit = PEOPLE_ROWS / parents;
    if (limit > PEOPLE_ROWS_MAX) limit = PEOPLE_ROWS_MAX;
    if (limit < PEOPLE_ROWS_MIN) limit = PEOPLE_ROWS_MIN;
    for (i = 0; i < n; i++) {
        const struct taut_val prefix[] = {taut_v_str(c->actor->workspace), taut_v_str(ch->pub.id),
                                          taut_v_int(list[i].ts)};
        const struct taut_scan scan = {
            .size = sizeof scan, .index = TAUT_SCAN_PRIMARY, .nprefix = 3, .prefix = prefix, .limit = limit};
        const struct taut_rows *rows;
        int32_t got;
        if (list[i].reply_count <= 0) continue;
        got = taut_scan(cv->mod, c, &replies, &scan, &rows);
        if (got < 0) err = got;
        else people_count(c, rows, &list[i]);
    }
    return err;
}

void thread_reply_add(const struct sink *to, const struct channel *ch, const struct message *reply) {
    struct taut_mod *m = to->cv->mod;
    const struct taut_set sets[] = {
        {.col = MS_REPLY_COUNT, .how = TAUT_ADD, .val = taut_v_int(1)},
        {.col = MS_LATEST_REPLY, .how = TAUT_MAX, .val = taut_v_int(reply->ts)},
    };
    const struct taut_val row[RE_COLUMNS] = {
        [RE_WORKSPACE] = taut_v_str(to->workspace),    [RE_CHANNEL] = taut_v_str(ch->pub.id),
        [RE_THREAD_TS] = taut_v_int(reply->thread_ts), [RE_TS] = taut_v_int(reply->ts),
        [RE_USER] = taut_v_opt(reply->user),
    };
    taut_insert(m, to->b, &replies, row, RE_COLUMNS);
    taut_update(m, to->b, &messages, MESSAGE_KEY(to->workspace, ch->pub.id, reply->thread_ts), sets, 2);
}

int32_t thread_reply_remove(const struct sink *to, const struct channel *ch, const struct message *reply) {
    struct taut_mod *m = to->cv->mod;
    const struct taut_val key[] = {taut_v_str(to->workspace), taut_v_str(ch->pub.id), taut_v_int(reply->thread_ts)};
    const struct taut_set one_less = {.col = MS_REPLY_COUNT, .how = TAUT_ADD, .val = taut_v_int(-1)};
    const struct taut_row *parent;
    int64_t count;
    TAUT_TRY(taut_get(m, to->c, &messages, key, 3, &parent));
    taut_delete(m, to->b, &replies, REPLY_KEY(to->workspace, ch->pub.id, reply->thread_ts, reply->ts));
    if (!parent) return TAUT_OK;
    count = taut_row_int(parent, MS_REPLY_COUNT);
    if (count > 1 || !message_is_stone(parent)) {
        taut_update(m, to->b, &messages, key, 3, &one_less, 1);
        return TAUT_OK;
    }
    taut_expect_equals(m, to->b, &messages, key, 3, MS_REPLY_COUNT, taut_v_int(count)); /* a stone goes with the last */
    taut_delete(m, to->b, &messages, key, 3);
    return TAUT_OK;
}
