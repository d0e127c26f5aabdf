/* user_commands.c - `taut user create|list|revoke|activate`. Their argument tables stand in commands.c. */
#include "internal.h"

static void write_user(struct taut_json *j, const struct taut_user *u) {
    taut_json_open(j, '{');
    taut_json_kstr(j, "id", u->id);
    taut_json_kstr(j, "name", u->name);
    taut_json_kstr(j, "real_name", u->real_name);
    taut_json_kstr(j, "email", u->email);
    taut_json_kstr(j, "bot_id", u->bot);
    taut_json_kbool(j, "admin", (u->flags & TAUT_USER_ADMIN) != 0);
    taut_json_kbool(j, "owner", (u->flags & TAUT_USER_OWNER) != 0);
    taut_json_kbool(j, "deleted", (u->flags & TAUT_USER_DELETED) != 0);
    taut_json_close(j, '}');
}

/* ---- create ---- */

enum { UC_NAME, UC_REAL_NAME, UC_EMAIL, UC_ADMIN, UC_OWNER, UC_BOT, UC_WORKSPACE };

static int32_t fail_name_taken(struct taut_call *c, const struct taut_workspace *ws, taut_str name) {
    return taut_fail_text(c, "name_taken",
                          taut_fmt(c, "workspace %.*s already has a user \"%.*s\"; choose another --name",
                                   (int)ws->domain.len, ws->domain.ptr, (int)name.len, name.ptr));
}

int32_t on_user_create(struct taut_mod *m, struct taut_call *c) {
    struct taut_user user = {.size = sizeof user,
                             .name = taut_arg_str(c, UC_NAME),
                             .real_name = taut_arg_str(c, UC_REAL_NAME),
                             .email = taut_arg_str(c, UC_EMAIL)};
    const int is_bot = taut_arg_int(c, UC_BOT, 0) != 0;
    const struct taut_workspace *ws;
    const struct taut_user *other;
    if (!user.real_name.len) user.real_name = user.name;
    if (taut_arg_int(c, UC_ADMIN, 0)) user.flags |= TAUT_USER_ADMIN;
    if (taut_arg_int(c, UC_OWNER, 0)) user.flags |= TAUT_USER_ADMIN | TAUT_USER_OWNER;
    if (is_bot && (user.flags || user.email.len))
        return taut_fail_text(c, "invalid_arguments",
                              TAUT_LIT("a bot has no --email and is neither --admin nor --owner"));
    TAUT_TRY(command_workspace(m, c, taut_arg_str(c, UC_WORKSPACE), &ws));
    TAUT_TRY(user_by_name(m, c, ws->id, user.name, &other));
    if (other) return fail_name_taken(c, ws, user.name);

    struct taut_batch *b = taut_batch(c);
    taut_batch_workspace(c->mod, b, ws->id);
    if (is_bot) TAUT_TRY(bot_create(m, c, b, ws->id, user.name, &user.bot, &user.id));
    else TAUT_TRY(user_create(m, c, b, ws->id, &user, 0, &user.id));
    struct taut_json *j = taut_answer(c);
    taut_json_key(j, "user");
    write_user(j, &user);
    return taut_commit(c, b);
}

/* ---- list ---- */

enum { UL_WORKSPACE, UL_LIMIT, UL_AFTER };

int32_t on_user_list(struct taut_mod *m, struct taut_call *c) {
    const struct taut_workspace *ws;
    int64_t limit = taut_arg_int(c, UL_LIMIT, COMMAND_LIST_DEFAULT);
    if (limit < 1 || limit > COMMAND_LIST_MAX)
        return taut_fail_text(c, "invalid_limit", TAUT_LIT("--limit is a number from 1 to 10000"));
    TAUT_TRY(command_workspace(m, c, taut_arg_str(c, UL_WORKSPACE), &ws));
    struct taut_val prefix = taut_v_str(ws->id);
    struct taut_scan scan = {
        .size = sizeof scan, .index = TAUT_SCAN_PRIMARY, .prefix = &prefix, .nprefix = 1, .limit = (uint32_t)limit};
    scan.lo = taut_v_opt(taut_arg_str(c, UL_AFTER));
    scan.lo_open = 1;
    const struct taut_rows *rows;
    TAUT_TRY(taut_scan(m, c, &users_table, &scan, &rows));
    struct taut_json *j = taut_answer(c);
    taut_json_kopen(j, "users", '[');
    for (uint32_t i = 0; i < rows->n; i++) {
        struct taut_user user = user_from_row(&rows->rows[i]);
        write_user(j, &user);
    }
    taut_json_close(j, ']');
    taut_json_kbool(j, "more", rows->more != 0);
    return taut_done(c);
}

/* ---- revoke, activate ---- */

enum { UR_USER, UR_WORKSPACE, UR_FORCE };

static int is_active_owner(const struct taut_user *user) {
    return (user->flags & (TAUT_USER_OWNER | TAUT_USER_DELETED)) == TAUT_USER_OWNER;
}

/* *other: an owner besides that user, who gets in; NULL: there is none. */
static int32_t other_owner(struct taut_mod *m, struct taut_call *c, taut_str workspace, const struct taut_user *user,
                           struct taut_user *other, int *found) {
    struct taut_val prefix = taut_v_str(workspace);
    struct taut_scan scan = {.size = sizeof scan,
                             .index = TAUT_SCAN_PRIMARY,
                             .prefix = &prefix,
                             .nprefix = 1,
                             .lo_open = 1,
                             .limit = COMMAND_LIST_MAX};
    const struct taut_rows *rows;
    *found = 0;
    do {
        TAUT_TRY(taut_scan(m, c, &users_table, &scan, &rows));
        for (uint32_t i = 0; i < rows->n && !*found; i++) {
            *other = user_from_row(&rows->rows[i]);
            scan.lo = taut_v_str(other->id);
            *found = is_active_owner(other) && !taut_str_eq(other->id, user->id);
        }
    } while (rows->more && !*found);
    return TAUT_OK;
}

/* A workspace keeps an owner, unless its operator wants it otherwise. */
static int32_t check_owner(struct taut_mod *m, struct taut_call *c, struct taut_batch *b,
                           const struct taut_workspace *ws, const struct taut_user *user) {
    struct taut_user other;
    int found;
    if (!is_active_owner(user) || taut_arg_int(c, UR_FORCE, 0)) return TAUT_OK;
    TAUT_TRY(other_owner(m, c, ws->id, user, &other, &found));
    if (!found)
        return taut_fail_text(c, "last_owner",
                              taut_fmt(c,
                                       "%.*s is the last owner of workspace %.*s; make another one (taut user create "
                                       "--owner --name NAME), or say --force",
                                       (int)user->name.len, user->name.ptr, (int)ws->domain.len, ws->domain.ptr));
    user_expect(m, b, ws->id, &other);
    return TAUT_OK;
}

static int32_t set_deleted(struct taut_mod *m, struct taut_call *c, int deleted) {
    const struct taut_workspace *ws;
    const struct taut_user *user;
    TAUT_TRY(command_workspace(m, c, taut_arg_str(c, UR_WORKSPACE), &ws));
    TAUT_TRY(command_user(m, c, ws, taut_arg_str(c, UR_USER), &user));
    struct taut_batch *b = taut_batch(c);
    taut_batch_workspace(c->mod, b, ws->id);
    struct taut_user shown = *user;
    if (deleted) TAUT_TRY(check_owner(m, c, b, ws, user));
    if (deleted != ((user->flags & TAUT_USER_DELETED) != 0)) user_set_deleted(m, c, b, ws->id, user, deleted);
    shown.flags = deleted ? user->flags | TAUT_USER_DELETED : user->flags & ~(uint32_t)TAUT_USER_DELETED;
    struct taut_json *j = taut_answer(c);
    taut_json_key(j, "user");
    write_user(j, &shown);
    return taut_commit(c, b);
}

int32_t on_user_revoke(struct taut_mod *m, struct taut_call *c) {
    return set_deleted(m, c, 1);
}

int32_t on_user_activate(struct taut_mod *m, struct taut_call *c) {
    return set_deleted(m, c, 0);
}
