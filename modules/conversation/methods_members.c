/* methods_members.c - conversations.join, .leave, .invite, .kick, .members and .open. */
#include "dms.h"
#include "may.h"
#include "methods.h"
#include "taut/page.h"
#include "text.h"
#include "views.h"

static const taut_str nobody = {"", 0};

static int32_t answer_channel(struct taut_call *c, struct taut_batch *b, const struct channel *ch) {
    const struct channel seen = channel_seen_by(ch, c->actor->user);
    struct taut_json *j = taut_answer(c);
    taut_json_key(j, "channel");
    shape_channel(j, c->actor->workspace, &seen, &CHANNEL_VIEW_PLAIN);
    return b ? taut_commit(c, b) : taut_done(c);
}

int32_t on_join(struct taut_mod *m, struct taut_call *c) {
    struct conv *cv = conv_of(m);
    const struct sink to = {cv, c, taut_batch(c), c->actor->workspace};
    const struct channel *ch;
    TAUT_TRY(channel_see(cv, c, taut_arg_str(c, CHANNEL_CHANNEL), &ch));
    TAUT_TRY(may(cv, c, TAUT_ACT_JOIN, ch, nobody, to.b));
    if (ch->pub.is_member) {
        taut_warn(c, "already_in_channel");
        return answer_channel(c, NULL, ch);
    }
    member_add(&to, ch, c->actor->user, nobody, MEMBER_JOINS);
    return answer_channel(c, to.b, ch);
}

/* A private channel keeps a member. Where few are left, leaving rests on their number: so few conflicts come to an end
 * however many leave at once. */
enum { FEW_MEMBERS = 8 };

int32_t on_leave(struct taut_mod *m, struct taut_call *c) {
    struct conv *cv = conv_of(m);
    const struct sink to = {cv, c, taut_batch(c), c->actor->workspace};
    const struct channel *ch;
    TAUT_TRY(channel_see(cv, c, taut_arg_str(c, CHANNEL_CHANNEL), &ch));
    TAUT_TRY(may(cv, c, TAUT_ACT_LEAVE, ch, nobody, to.b));
    if (!ch->pub.is_member) {
        taut_json_kbool(taut_answer(c), "not_in_channel", 1);
        return taut_done(c);
    }
    if (ch->pub.kind == TAUT_CH_PRIVATE) {
        if (ch->num_members <= 1) return taut_fail(c, "last_member");
        if (ch->num_members <= FEW_MEMBERS) members_expect(&to, ch);
    }
    member_remove(&to, ch, c->actor->user, c->actor->user);
    taut_answer(c);
    return taut_commit(c, to.b);
}

/* ---- conversations.invite ---- */

enum { INVITE_MAX = 1000 };

/* One of those invited. error: why not, or NULL. */
struct guest {
    taut_str id;
    const char *error;
};

static int32_t guest_check(struct conv *cv, struct taut_call *c, const struct channel *ch, struct guest *g) {
    const struct taut_user *user;
    int is_member;
    int32_t first = find_user(cv, c, c->actor->workspace, g->id, &user);
    int32_t second = member_is(cv, c, c->actor->workspace, ch->pub.id, g->id, &is_member);
    TAUT_TRY(first);
    TAUT_TRY(second);
    if (!user) g->error = "user_not_found";
    else if (taut_str_eq(g->id, c->actor->user)) g->error = "cant_invite_self";
    else if (user->flags & TAUT_USER_DELETED) g->error = "cant_invite";
    else if (is_member) g->error = "already_in_channel";
    return TAUT_OK;
}

static int32_t guests_load(struct conv *cv, struct taut_call *c, const struct channel *ch, struct guest **out,
                           uint32_t *n) {
    taut_str list = taut_arg_str(c, INVITE_USERS), rest = list, id;
    struct guest *guests;
    int32_t err = TAUT_OK;
    uint32_t i;
    *n = 0;
    if (list_count(list) > INVITE_MAX)
        return taut_fail_text(c, "invalid_arguments",
                              TAUT_LIT("users names more than 1000 people; invite them in parts"));
    guests = taut_scratch(c, (list_count(list) + 1) * sizeof *guests);
    while (list_next(&rest, &id)) {
        if (list_has(taut_str_n(list.ptr, (size_t)(id.ptr - list.ptr)), id)) continue; /* named before */
        guests[*n].id = id;
        i = (*n)++;
        int32_t got = guest_check(cv, c, ch, &guests[i]);
        if (got < 0) err = got;
    }
    *out = guests;
    return err;
}

static void answer_guests(struct taut_json *j, const struct guest *guests, uint32_t n) {
    uint32_t i;
    taut_json_kopen(j, "errors", '[');
    for (i = 0; i < n; i++) {
        if (!guests[i].error) continue;
        taut_json_open(j, '{');
        taut_json_kstr(j, "user", guests[i].id);
        taut_json_kbool(j, "ok", 0);
        taut_json_kstr(j, "error", taut_str_z(guests[i].error));
        taut_json_close(j, '}');
    }
    taut_json_close(j, ']');
}

int32_t on_invite(struct taut_mod *m, struct taut_call *c) {
    struct conv *cv = conv_of(m);
    const struct sink to = {cv, c, taut_batch(c), c->actor->workspace};
    int force = taut_arg_int(c, INVITE_FORCE, 0) != 0;
    const char *error = NULL;
    const struct channel *ch;
    struct guest *guests;
    struct taut_json *j;
    uint32_t n, i, refused = 0;
    TAUT_TRY(channel_see(cv, c, taut_arg_str(c, INVITE_CHANNEL), &ch));
    TAUT_TRY(may(cv, c, TAUT_ACT_INVITE, ch, nobody, to.b));
    TAUT_TRY(guests_load(cv, c, ch, &guests, &n));
    for (i = n; i-- > 0;) {
        if (!guests[i].error) continue;
        error = guests[i].error;
        refused++;
    }
    if (!n) return taut_fail(c, "no_user");
    if (refused && (!force || refused == n)) return taut_fail(c, error);
    for (i = 0; i < n; i++)
        if (!guests[i].error) member_add(&to, ch, guests[i].id, c->actor->user, MEMBER_JOINS);
    j = taut_answer(c);
    taut_json_key(j, "channel");
    shape_channel(j, to.workspace, ch, &CHANNEL_VIEW_PLAIN);
    if (refused) answer_guests(j, guests, n);
    return taut_commit(c, to.b);
}

int32_t on_kick(struct taut_mod *m, struct taut_call *c) {
    struct conv *cv = conv_of(m);
    const struct sink to = {cv, c, taut_batch(c), c->actor->workspace};
    taut_str user = taut_arg_str(c, KICK_USER);
    const struct taut_user *found;
    const struct channel *ch;
    struct taut_json *j;
    int is_member;
    TAUT_TRY(channel_see(cv, c, taut_arg_str(c, KICK_CHANNEL), &ch));
    TAUT_TRY(may(cv, c, TAUT_ACT_KICK, ch, nobody, to.b));
    if (taut_str_eq(user, c->actor->user)) return taut_fail(c, "cant_kick_self");
    TAUT_TRY(find_user(cv, c, to.workspace, user, &found));
    if (!found) return taut_fail(c, "user_not_found");
    TAUT_TRY(member_is(cv, c, to.workspace, ch->pub.id, user, &is_member));
    if (!is_member) return taut_fail(c, "not_in_channel");
    member_remove(&to, ch, user, c->actor->user);
    j = taut_answer(c);
    taut_json_kopen(j, "errors", '{');
    taut_json_close(j, '}');
    return taut_commit(c, to.b);
}

int32_t on_members(struct taut_mod *m, struct taut_call *c) {
    struct conv *cv = conv_of(m);
    const struct taut_rows *rows;
    const struct channel *ch;
    struct taut_json *j;
    taut_str after;
    uint32_t limit, i;
    TAUT_TRY(taut_limit_arg(c, MEMBERS_LIMIT, TAUT_PAGE_DEFAULT, &limit));
    TAUT_TRY(taut_cursor_arg(c, MEMBERS_CURSOR, "user", &after));
    TAUT_TRY(channel_see(cv, c, taut_arg_str(c, MEMBERS_CHANNEL), &ch));
    TAUT_TRY(may(cv, c, TAUT_ACT_READ, ch, nobody, NULL));
    const struct taut_val prefix[] = {taut_v_str(c->actor->workspace), taut_v_str(ch->pub.id)};
    const struct taut_scan scan = {.size = sizeof scan,
                                   .index = TAUT_SCAN_PRIMARY,
                                   .nprefix = 2,
                                   .prefix = prefix,
                                   .lo = taut_v_opt(after),
                                   .lo_open = 1,
                                   .limit = limit};
    TAUT_TRY(taut_scan(m, c, &members, &scan, &rows));
    j = taut_answer(c);
    taut_json_kopen(j, "members", '[');
    for (i = 0; i < rows->n; i++) taut_json_str(j, taut_row_str(&rows->rows[i], ME_USER));
    taut_json_close(j, ']');
    if (rows->more) taut_cursor_answer(c, "user", taut_row_str(&rows->rows[rows->n - 1], ME_USER));
    return taut_done(c);
}

/* ---- conversations.open ---- */

static int32_t answer_open(struct conv *cv, struct taut_call *c, struct taut_batch *b, const struct channel *ch,
                           int fresh) {
    struct channel_view view = {.last_read = 0, .unread_count = 0}; /* of a fresh one */
    int whole = taut_arg_int(c, OPEN_RETURN_IM, 0) != 0;
    struct taut_json *j;
    if (whole && !fresh) TAUT_TRY(view_load(cv, c, ch, &view));
    j = taut_answer(c);
    if (whole) {
        taut_json_key(j, "channel");
        shape_channel(j, c->actor->workspace, ch, &view);
    } else {
        taut_json_kopen(j, "channel", '{');
        taut_json_kstr(j, "id", ch->pub.id);
        taut_json_close(j, '}');
    }
    if (fresh) return taut_commit(c, b);
    taut_json_kbool(j, "no_op", 1);
    taut_json_kbool(j, "already_open", 1);
    return taut_done(c);
}

int32_t on_open(struct taut_mod *m, struct taut_call *c) {
    struct conv *cv = conv_of(m);
    struct taut_batch *b = taut_arg_int(c, OPEN_PREVENT_CREATION, 0) ? NULL : taut_batch(c);
    taut_str id = taut_arg_str(c, OPEN_CHANNEL), users = taut_arg_str(c, OPEN_USERS);
    const struct channel *ch;
    int fresh = 0;
    if (id.len) {
        TAUT_TRY(channel_see(cv, c, id, &ch));
        if (!channel_is_dm(ch)) return taut_fail(c, "method_not_supported_for_channel_type");
        return answer_open(cv, c, NULL, ch, 0);
    }
    if (!users.len) return taut_fail(c, "users_list_not_supplied");
    TAUT_TRY(dm_open(cv, c, b, users, &ch, &fresh));
    if (!ch) return taut_fail(c, "channel_not_found");
    return answer_open(cv, c, b, ch, fresh);
}
