/* members.c - see members.h. */
#include "members.h"

enum { TOPICS_PAGE = 10000 };

static void count_members(const struct sink *to, const struct channel *ch, int64_t by) {
    const struct taut_set sets[] = {{.col = CH_NUM_MEMBERS, .how = TAUT_ADD, .val = taut_v_int(by)}};
    taut_update(to->cv->mod, to->b, &channels, CHANNEL_KEY(to->workspace, ch->pub.id), sets, 1);
}

void member_add(const struct sink *to, const struct channel *ch, taut_str user, taut_str inviter, uint32_t how) {
    struct taut_val since = taut_v_int(0);
    if (how != MEMBER_QUIET) since = taut_v_seq(event_joined(to, ch, user));
    if (how == MEMBER_JOINS) event_member_joined(to, ch, user, inviter);
    const struct taut_val row[ME_COLUMNS] = {
        [ME_WORKSPACE] = taut_v_str(to->workspace),
        [ME_CHANNEL] = taut_v_str(ch->pub.id),
        [ME_USER] = taut_v_str(user),
        [ME_SINCE_SEQ] = since,
        [ME_JOINED] = taut_v_int(taut_now_us(to->cv->mod) / 1000000),
        [ME_INVITER] = taut_v_opt(inviter),
        [ME_BASE_TS] = taut_v_int(ch->pub.last_ts),
    };
    taut_insert(to->cv->mod, to->b, &members, row, ME_COLUMNS);
    count_members(to, ch, 1);
}

void member_remove(const struct sink *to, const struct channel *ch, taut_str user, taut_str actor) {
    taut_expect_present(to->cv->mod, to->b, &members, MEMBER_KEY(to->workspace, ch->pub.id, user));
    taut_delete(to->cv->mod, to->b, &members, MEMBER_KEY(to->workspace, ch->pub.id, user));
    count_members(to, ch, -1);
    event_member_left(to, ch, user);
    event_left(to, ch, user, actor);
}

void members_expect(const struct sink *to, const struct channel *ch) {
    taut_expect_equals(to->cv->mod, to->b, &channels, CHANNEL_KEY(to->workspace, ch->pub.id), CH_NUM_MEMBERS,
                       taut_v_int(ch->num_members));
}

int32_t member_is(struct conv *cv, struct taut_call *c, taut_str workspace, taut_str channel, taut_str user, int *out) {
    const struct taut_row *row;
    TAUT_TRY(taut_get(cv->mod, c, &members, MEMBER_KEY(workspace, channel, user), &row));
    *out = row != NULL;
    return TAUT_OK;
}

static int32_t memberships(struct conv *cv, struct taut_call *c, taut_str workspace, taut_str user, taut_str after,
                           uint32_t limit, const struct taut_rows **rows) {
    const struct taut_val prefix[] = {taut_v_str(workspace), taut_v_str(user)};
    const struct taut_scan scan = {
        .size = sizeof scan,
        .index = MEMBERS_BY_USER,
        .nprefix = 2,
        .prefix = prefix,
        .lo = taut_v_opt(after),
        .lo_open = 1,
        .limit = limit,
        .workspace = workspace,
    };
    return taut_scan(cv->mod, c, &members, &scan, rows);
}

int32_t member_channels(struct conv *cv, struct taut_call *c, taut_str after, uint32_t limit,
                        struct channel_page *out) {
    taut_str workspace = c->actor->workspace, user = c->actor->user;
    const struct taut_rows *rows;
    int32_t err = TAUT_OK;
    uint32_t i;
    *out = (struct channel_page){.next = {"", 0}};
    TAUT_TRY(memberships(cv, c, workspace, user, after, limit, &rows));
    out->list = taut_scratch(c, (rows->n + 1) * sizeof *out->list);
    for (i = 0; i < rows->n; i++) { /* ask for all of them before giving up, so that they are loaded together */
        const struct channel *ch = NULL;
        int32_t got = channel_find(cv, c, workspace, taut_row_str(&rows->rows[i], ME_CHANNEL), user, &ch);
        if (got < 0) err = got;
        else if (ch) out->list[out->n++] = ch;
    }
    if (rows->more) out->next = taut_row_str(&rows->rows[rows->n - 1], ME_CHANNEL);
    return err;
}

int32_t member_topics(struct conv *cv, struct taut_call *c, taut_str workspace, taut_str user,
                      const struct taut_topic **out, uint32_t *n, uint64_t *as_of) {
    struct taut_topic *topics = taut_scratch(c, 2 * sizeof *topics);
    taut_str after = {"", 0};
    uint32_t have = 2, more = 1, i;
    topics[0] = (struct taut_topic){.name = user};
    topics[1] = (struct taut_topic){.name = workspace};
    *as_of = UINT64_MAX; /* of several pages the first counts: changes since then are applied anew, which is harmless */
    while (more) {
        const struct taut_rows *rows;
        struct taut_topic *grown;
        TAUT_TRY(memberships(cv, c, workspace, user, after, TOPICS_PAGE, &rows));
        grown = taut_scratch(c, (have + rows->n) * sizeof *grown);
        memcpy(grown, topics, have * sizeof *grown);
        topics = grown;
        for (i = 0; i < rows->n; i++) {
            after = taut_row_str(&rows->rows[i], ME_CHANNEL);
            topics[have++] = (struct taut_topic){after, (uint64_t)taut_row_int(&rows->rows[i], ME_SINCE_SEQ)};
        }
        if (rows->seq < *as_of) *as_of = rows->seq;
        more = rows->more;
    }
    *out = topics;
    *n = have;
    return TAUT_OK;
}
