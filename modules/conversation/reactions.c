/* reactions.c - see reactions.h. */
#include <stdlib.h>

#include "may.h"
#include "reactions.h"
#include "text.h"

enum {
    PERSON_MAX = 23,     /* emoji of one person on one message */
    EMOJI_MAX = 50,      /* different emoji on one message */
    EMOJI_LOOKED = 1000, /* rows that are looked at to count them */
    LOAD_PAGE = 10000,
    LOAD_PAGES_MAX = 10 /* of what is beyond, the newest are not shown */
};

static int32_t on_message(struct conv *cv, struct taut_call *c, struct taut_batch *b, const struct channel *ch,
                          int64_t ts, const struct taut_row **message) {
    TAUT_TRY(may(cv, c, TAUT_ACT_REACT, ch, taut_str_n("", 0), b));
    TAUT_TRY(message_find(cv, c, ch, ts, message));
    return *message ? TAUT_OK : taut_fail(c, "message_not_found");
}

/* Different names in the rows; with `name` among them, or not. */
static uint32_t names_in(struct taut_call *c, const struct taut_rows *rows, taut_str name, int *known) {
    taut_str *names = taut_scratch(c, (rows->n + 1) * sizeof *names);
    uint32_t n = 0, i, k;
    *known = 0;
    for (i = 0; i < rows->n && n <= EMOJI_MAX; i++) {
        taut_str each = taut_row_str(&rows->rows[i], RX_NAME);
        if (taut_str_eq(each, name)) *known = 1;
        for (k = 0; k < n && !taut_str_eq(names[k], each);) k++;
        if (k == n) names[n++] = each;
    }
    return n;
}

static int32_t within_limits(struct conv *cv, struct taut_call *c, const struct channel *ch, int64_t ts,
                             taut_str name) {
    const struct taut_val prefix[] = {taut_v_str(c->actor->workspace), taut_v_str(ch->pub.id), taut_v_int(ts),
                                      taut_v_str(c->actor->user)};
    const struct taut_scan own = {
        .size = sizeof own, .index = TAUT_SCAN_PRIMARY, .nprefix = 4, .prefix = prefix, .limit = PERSON_MAX};
    const struct taut_scan all = {
        .size = sizeof all, .index = TAUT_SCAN_PRIMARY, .nprefix = 3, .prefix = prefix, .limit = EMOJI_LOOKED};
    const struct taut_rows *mine, *everyones;
    int32_t first = taut_scan(cv->mod, c, &reactions, &own, &mine);
    int32_t second = taut_scan(cv->mod, c, &reactions, &all, &everyones);
    int known;
    TAUT_TRY(first);
    TAUT_TRY(second);
    if (mine->n >= PERSON_MAX) return taut_fail(c, "too_many_reactions");
    if (names_in(c, everyones, name, &known) >= EMOJI_MAX && !known) return taut_fail(c, "too_many_emoji");
    return TAUT_OK;
}

int32_t reaction_add(struct conv *cv, struct taut_call *c, struct taut_batch *b, const struct channel *ch, int64_t ts,
                     taut_str name) {
    const struct sink to = {cv, c, b, c->actor->workspace};
    taut_str user = c->actor->user;
    const struct taut_row *message, *mine;
    TAUT_TRY(on_message(cv, c, b, ch, ts, &message));
    TAUT_TRY(taut_get(cv->mod, c, &reactions, REACTION_KEY(to.workspace, ch->pub.id, ts, user, name), &mine));
    if (mine) return taut_fail(c, "already_reacted");
    TAUT_TRY(within_limits(cv, c, ch, ts, name));
    taut_expect_present(cv->mod, b, &messages, MESSAGE_KEY(to.workspace, ch->pub.id, ts));
    taut_expect_absent(cv->mod, b, &reactions, REACTION_KEY(to.workspace, ch->pub.id, ts, user, name));
    taut_insert(cv->mod, b, &reactions,
                TAUT_KEY(taut_v_str(to.workspace), taut_v_str(ch->pub.id), taut_v_int(ts), taut_v_str(user),
                         taut_v_str(name), taut_v_int(taut_now_us(cv->mod))));
    event_reaction(&to, ch, "reaction_added", name, ts, taut_row_str(message, MS_USER));
    return TAUT_OK;
}

int32_t reaction_remove(struct conv *cv, struct taut_call *c, struct taut_batch *b, const struct channel *ch,
                        int64_t ts, taut_str name) {
    const struct sink to = {cv, c, b, c->actor->workspace};
    taut_str user = c->actor->user;
    const struct taut_row *message, *mine;
    TAUT_TRY(on_message(cv, c, b, ch, ts, &message));
    TAUT_TRY(taut_get(cv->mod, c, &reactions, REACTION_KEY(to.workspace, ch->pub.id, ts, user, name), &mine));
    if (!mine) return taut_fail(c, "no_reaction");
    taut_expect_present(cv->mod, b, &reactions, REACTION_KEY(to.workspace, ch->pub.id, ts, user, name));
    taut_delete(cv->mod, b, &reactions, REACTION_KEY(to.workspace, ch->pub.id, ts, user, name));
    event_reaction(&to, ch, "reaction_removed", name, ts, taut_row_str(message, MS_USER));
    return TAUT_OK;
}

/* ---- for pages of messages ---- */

int32_t reacted_load(struct conv *cv, struct taut_call *c, const struct channel *ch, int64_t from, int64_t to,
                     struct reacted *out) {
    const struct taut_val prefix[] = {taut_v_str(c->actor->workspace), taut_v_str(ch->pub.id)};
    uint32_t offset = 0, page = 0, i;
    *out = (struct reacted){.n = 0};
    for (; page < LOAD_PAGES_MAX; page++, offset += LOAD_PAGE) {
        const struct taut_scan scan = {.size = sizeof scan,
                                       .index = TAUT_SCAN_PRIMARY,
                                       .nprefix = 2,
                                       .prefix = prefix,
                                       .lo = taut_v_int(from),
                                       .hi = taut_v_int(to),
                                       .limit = LOAD_PAGE,
                                       .offset = offset};
        const struct taut_rows *rows;
        const struct taut_row **grown;
        TAUT_TRY(taut_scan(cv->mod, c, &reactions, &scan, &rows));
        grown = taut_scratch(c, (out->n + rows->n + 1) * sizeof *grown);
        if (out->n) memcpy(grown, out->rows, out->n * sizeof *grown);
        for (i = 0; i < rows->n; i++) grown[out->n + i] = &rows->rows[i];
        out->rows = grown;
        out->n += rows->n;
        if (!rows->more) break;
    }
    return TAUT_OK;
}

static int by_time(const void *a, const void *b) {
    const struct taut_row *const *left = a, *const *right = b;
    int64_t x = taut_row_int(*left, RX_AT), y = taut_row_int(*right, RX_AT);
    return x < y ? -1 : x > y;
}

/* The first row of that time or later. */
static uint32_t first_at(const struct reacted *all, int64_t ts) {
    uint32_t low = 0, high = all->n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (taut_row_int(all->rows[mid], RX_TS) < ts) low = mid + 1;
        else high = mid;
    }
    return low;
}

struct reaction_list reacted_of(struct taut_call *c, const struct reacted *all, int64_t ts) {
    uint32_t from = first_at(all, ts), n = first_at(all, ts + 1) - from, i, k, used = 0;
    struct reaction_list out = {.n = 0};
    const struct taut_row **rows;
    struct reaction *list;
    taut_str *users;
    if (!n) return out;
    rows = taut_scratch(c, n * sizeof *rows);
    list = taut_scratch(c, n * sizeof *list);
    users = taut_scratch(c, n * sizeof *users);
    memcpy(rows, all->rows + from, n * sizeof *rows);
    qsort(rows, n, sizeof *rows, by_time);
    for (i = 0; i < n; i++) { /* which emoji, how often */
        taut_str name = taut_row_str(rows[i], RX_NAME);
        for (k = 0; k < out.n && !taut_str_eq(list[k].name, name);) k++;
        if (k == out.n) list[out.n++].name = name;
        list[k].n++;
    }
    for (k = 0; k < out.n; k++) { /* then who */
        list[k].users = users + used;
        for (i = 0; i < n; i++)
            if (taut_str_eq(taut_row_str(rows[i], RX_NAME), list[k].name))
                users[used++] = taut_row_str(rows[i], RX_USER);
    }
    out.list = list;
    return out;
}
