/* dms.c - see dms.h. The unique index over the sorted user ids decides who was first when two people open the same DM
 * at once: the later batch is refused, its handler runs again and finds the row.
 */
#include "dms.h"
#include "text.h"

struct people {
    const struct taut_user *user[DM_PEERS_MAX + 1]; /* sorted by id */
    uint32_t n;
};

static int before(taut_str a, taut_str b) {
    int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);
    return order < 0 || (order == 0 && a.len < b.len);
}

static void people_add(struct people *all, const struct taut_user *u) {
    uint32_t at = all->n++;
    for (; at > 0 && before(u->id, all->user[at - 1]->id); at--) all->user[at] = all->user[at - 1];
    all->user[at] = u;
}

/* The actor and the others, each once; nothing is read before their number is known to be small. */
static int32_t people_load(struct conv *cv, struct taut_call *c, taut_str others, struct people *all) {
    const struct taut_actor *actor = c->actor;
    const struct taut_user *found[DM_PEERS_MAX + 1];
    taut_str ids[DM_PEERS_MAX + 1] = {actor->user};
    taut_str rest = others, seen = actor->user, id;
    int32_t err = TAUT_OK;
    uint32_t n = 1, i;
    if (!list_count(others)) return taut_fail(c, "not_enough_users");
    while (list_next(&rest, &id)) {
        if (list_has(seen, id)) continue;
        if (n > DM_PEERS_MAX) return taut_fail(c, "too_many_users");
        seen = taut_fmt(c, "%.*s,%.*s", (int)seen.len, seen.ptr, (int)id.len, id.ptr);
        ids[n++] = id;
    }
    for (i = 0; i < n; i++) {
        int32_t got = find_user(cv, c, actor->workspace, ids[i], &found[i]);
        if (got < 0) err = got;
    }
    TAUT_TRY(err);
    for (i = 0; i < n; i++) {
        if (!found[i]) return taut_fail(c, "user_not_found");
        if (found[i]->flags & TAUT_USER_DELETED) return taut_fail(c, "user_disabled");
        people_add(all, found[i]);
    }
    return TAUT_OK;
}

static taut_str pair_of(struct taut_call *c, const struct people *all) {
    taut_str pair = all->user[0]->id;
    uint32_t i;
    for (i = 1; i < all->n; i++)
        pair = taut_fmt(c, "%.*s,%.*s", (int)pair.len, pair.ptr, (int)all->user[i]->id.len, all->user[i]->id.ptr);
    return pair;
}

/* "mpdm-ada--bob--cy-1" */
static taut_str label_of(struct taut_call *c, const struct people *all) {
    taut_str label = TAUT_LIT("mpdm");
    uint32_t i;
    for (i = 0; i < all->n; i++)
        label = taut_fmt(c, "%.*s%s%.*s", (int)label.len, label.ptr, i ? "--" : "-", (int)all->user[i]->name.len,
                         all->user[i]->name.ptr);
    return taut_fmt(c, "%.*s-1", (int)label.len, label.ptr);
}

int32_t dm_open(struct conv *cv, struct taut_call *c, struct taut_batch *b, taut_str others, const struct channel **out,
                int *fresh) {
    const struct sink to = {cv, c, b, c->actor->workspace};
    struct people all = {.n = 0};
    struct channel *ch;
    taut_str pair;
    uint32_t i;
    *fresh = 0;
    TAUT_TRY(people_load(cv, c, others, &all));
    pair = pair_of(c, &all);
    TAUT_TRY(channel_lookup(cv, c, to.workspace, CHANNELS_BY_PAIR, taut_v_str(pair), c->actor->user, out));
    if (*out || !b) return TAUT_OK;
    ch = channel_new(cv, c, all.n > 2 ? TAUT_CH_MPIM : TAUT_CH_IM, c->actor->user);
    ch->pair = pair;
    ch->num_members = all.n;
    if (all.n > 2) ch->label = label_of(c, &all);
    channel_insert(cv, b, to.workspace, ch);
    for (i = 0; i < all.n; i++) member_add(&to, ch, all.user[i]->id, c->actor->user, MEMBER_DM);
    event_opened(&to, ch, c->actor->user);
    *ch = channel_seen_by(ch, c->actor->user);
    *out = ch;
    *fresh = 1;
    return TAUT_OK;
}
