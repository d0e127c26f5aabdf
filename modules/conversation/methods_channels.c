/* methods_channels.c - conversations.create, .list, .info and users.conversations. */
#include "may.h"
#include "members.h"
#include "methods.h"
#include "taut/page.h"
#include "text.h"
#include "views.h"

/* ---- conversations.create ---- */

int32_t on_create(struct taut_mod *m, struct taut_call *c) {
    struct conv *cv = conv_of(m);
    const struct channel_view view = {.last_read = 0, .unread_count = 0};
    taut_str ws = c->actor->workspace, user = c->actor->user, name = taut_arg_str(c, CREATE_NAME);
    int is_private = taut_arg_int(c, CREATE_IS_PRIVATE, 0) != 0;
    const char *error = channel_name_error(name);
    const struct channel *taken;
    struct taut_json *j;
    if (error) return taut_fail(c, error);
    TAUT_TRY(channel_lookup(cv, c, ws, CHANNELS_BY_NAME, taut_v_str(name), user, &taken));
    if (taken) return taut_fail(c, "name_taken");

    const struct sink to = {cv, c, taut_batch(c), ws};
    struct channel *ch = channel_new(cv, c, is_private ? TAUT_CH_PRIVATE : TAUT_CH_PUBLIC, user);
    ch->pub.name = name;
    channel_insert(cv, to.b, ws, ch);
    if (!is_private) event_created(&to, ch);
    member_add(&to, ch, user, taut_str_n("", 0), MEMBER_DM);
    ch->pub.is_member = 1;
    ch->num_members = 1;
    j = taut_answer(c);
    taut_json_key(j, "channel");
    shape_channel(j, ws, ch, &view);
    return taut_commit(c, to.b);
}

/* ---- lists ---- */

#define KIND(k) (1u << (k))

static int32_t types_arg(struct taut_call *c, uint32_t *kinds) {
    static const struct {
        const char *name;
        uint32_t kind;
    } types[] = {{"public_channel", TAUT_CH_PUBLIC},
                 {"private_channel", TAUT_CH_PRIVATE},
                 {"im", TAUT_CH_IM},
                 {"mpim", TAUT_CH_MPIM}};
    taut_str rest = taut_arg_str(c, LIST_TYPES), each;
    size_t i, n = sizeof types / sizeof types[0];
    *kinds = rest.len ? 0 : KIND(TAUT_CH_PUBLIC);
    while (list_next(&rest, &each)) {
        for (i = 0; i < n && !taut_str_is(each, types[i].name);) i++;
        if (i == n) return taut_fail(c, "invalid_types");
        *kinds |= KIND(types[i].kind);
    }
    return TAUT_OK;
}

/* A list on its way: what it may hold, and what it holds. */
struct listing {
    struct conv *cv;
    struct taut_call *c;
    uint32_t kinds, limit, n;
    int exclude_archived;
    taut_str with; /* only channels that this user is in; empty: all */
    const struct channel **list;
    const char *next_kind; /* of the cursor; NULL: that was all */
    taut_str next;
};

static int32_t listing_args(struct taut_mod *m, struct taut_call *c, struct listing *l) {
    *l = (struct listing){.cv = conv_of(m), .c = c, .exclude_archived = taut_arg_int(c, LIST_EXCLUDE_ARCHIVED, 0) != 0};
    TAUT_TRY(types_arg(c, &l->kinds));
    TAUT_TRY(taut_limit_arg(c, LIST_LIMIT, TAUT_PAGE_DEFAULT, &l->limit));
    l->list = taut_scratch(c, l->limit * sizeof *l->list);
    return TAUT_OK;
}

/* Takes a channel that the actor may see, if it is one of those asked for. */
static int32_t listing_add(struct listing *l, const struct channel *ch) {
    int is_in = 1;
    if (!(l->kinds & KIND(ch->pub.kind)) || (l->exclude_archived && ch->pub.is_archived)) return TAUT_OK;
    if (l->with.len) TAUT_TRY(member_is(l->cv, l->c, l->c->actor->workspace, ch->pub.id, l->with, &is_in));
    if (is_in && l->n < l->limit) l->list[l->n++] = ch;
    return TAUT_OK;
}

static int32_t listing_answer(struct listing *l) {
    const struct channel_view view = {.last_read = -1, .unread_count = -1, .num_members = 1};
    struct taut_json *j = taut_answer(l->c);
    uint32_t i;
    taut_json_kopen(j, "channels", '[');
    for (i = 0; i < l->n; i++) shape_channel(j, l->c->actor->workspace, l->list[i], &view);
    taut_json_close(j, ']');
    if (l->next_kind) taut_cursor_answer(l->c, l->next_kind, l->next);
    return taut_done(l->c);
}

enum { ROUNDS_MAX = 8 }; /* for one page, when most of what somebody is in is not asked for */

/* Channels that the actor is in, after that id. */
static int32_t list_joined(struct listing *l, taut_str after) {
    struct channel_page page = {.next = after};
    uint32_t rounds, i;
    for (rounds = 0; rounds < ROUNDS_MAX && l->n < l->limit && (!rounds || page.next.len); rounds++) {
        int32_t err = TAUT_OK;
        TAUT_TRY(member_channels(l->cv, l->c, page.next, l->limit - l->n, &page));
        for (i = 0; i < page.n; i++) {
            int32_t got = listing_add(l, page.list[i]);
            if (got < 0) err = got;
        }
        TAUT_TRY(err);
    }
    l->next_kind = page.next.len ? "joined" : NULL;
    l->next = page.next;
    return TAUT_OK;
}

/* Public channels after that id. A page of those that somebody is in may have few, or none, and a next one. */
static int32_t list_public(struct listing *l, taut_str after) {
    taut_str ws = l->c->actor->workspace, user = l->c->actor->user;
    const struct taut_val prefix[] = {taut_v_str(ws), taut_v_int(TAUT_CH_PUBLIC)};
    const struct taut_scan scan = {.size = sizeof scan,
                                   .index = CHANNELS_BY_KIND,
                                   .nprefix = 2,
                                   .prefix = prefix,
                                   .lo = taut_v_opt(after),
                                   .lo_open = 1,
                                   .limit = l->with.len ? TAUT_PAGE_MAX : l->limit};
    const struct taut_rows *rows;
    int32_t err = TAUT_OK;
    uint32_t i;
    TAUT_TRY(taut_scan(l->cv->mod, l->c, &channels, &scan, &rows));
    for (i = 0; i < rows->n && l->n < l->limit; i++) {
        const struct taut_row *member = NULL;
        taut_str id = taut_row_str(&rows->rows[i], CH_ID);
        int32_t got = taut_get(l->cv->mod, l->c, &members, MEMBER_KEY(ws, id, user), &member);
        int32_t added = listing_add(l, channel_of(l->c, &rows->rows[i], user, member));
        if (got < 0) err = got;
        if (added < 0) err = added;
        l->next = id;
    }
    if (i < rows->n || rows->more) l->next_kind = "public";
    return err;
}

/* First public channels by id, then, of the other kinds, those that the actor is in: what it is not in, it may not see.
 * Cursors hold ids out of these two walks, whoever's channels are asked for, and so nothing that the actor cannot see.
 */
static int32_t list_seen(struct listing *l) {
    taut_str cursor = taut_arg_str(l->c, LIST_CURSOR), after = {"", 0};
    char *out = taut_scratch(l->c, TAUT_CURSOR_SIZE);
    uint32_t all = l->kinds;
    int in_public = !cursor.len || taut_cursor_read(cursor, "public", out, &after);
    if (!in_public && !taut_cursor_read(cursor, "joined", out, &after)) return taut_fail(l->c, "invalid_cursor");
    if (in_public && (all & KIND(TAUT_CH_PUBLIC))) {
        TAUT_TRY(list_public(l, after));
        after = taut_str_n("", 0);
    }
    l->kinds = all & ~KIND(TAUT_CH_PUBLIC);
    if (l->next_kind || !l->kinds) return listing_answer(l);
    if (l->n < l->limit) {
        TAUT_TRY(list_joined(l, after));
    } else { /* the page is full just where the public ones end; every id is greater than "0" */
        l->next_kind = "joined";
        l->next = TAUT_LIT("0");
    }
    return listing_answer(l);
}

int32_t on_list(struct taut_mod *m, struct taut_call *c) {
    struct listing l;
    TAUT_TRY(listing_args(m, c, &l));
    return list_seen(&l);
}

/* The actor's own channels, or those that it shares with another, and the public ones that the other is in. */
int32_t on_user_list(struct taut_mod *m, struct taut_call *c) {
    const struct taut_user *found;
    struct listing l;
    taut_str after, user = taut_arg_str(c, LIST_USER);
    TAUT_TRY(listing_args(m, c, &l));
    if (user.len && !taut_str_eq(user, c->actor->user)) {
        TAUT_TRY(find_user(l.cv, c, c->actor->workspace, user, &found));
        if (!found) return taut_fail(c, "user_not_found");
        l.with = user;
        return list_seen(&l);
    }
    TAUT_TRY(taut_cursor_arg(c, LIST_CURSOR, "joined", &after));
    TAUT_TRY(list_joined(&l, after));
    return listing_answer(&l);
}

/* ---- conversations.info ---- */

int32_t on_info(struct taut_mod *m, struct taut_call *c) {
    struct conv *cv = conv_of(m);
    struct channel_view view = CHANNEL_VIEW_PLAIN;
    const struct channel *ch;
    struct taut_json *j;
    TAUT_TRY(channel_see(cv, c, taut_arg_str(c, INFO_CHANNEL), &ch));
    TAUT_TRY(may(cv, c, TAUT_ACT_SEE, ch, taut_str_n("", 0), NULL));
    view.num_members = taut_arg_int(c, INFO_NUM_MEMBERS, 0) != 0;
    TAUT_TRY(view_load(cv, c, ch, &view));
    j = taut_answer(c);
    taut_json_key(j, "channel");
    shape_channel(j, c->actor->workspace, ch, &view);
    return taut_done(c);
}
