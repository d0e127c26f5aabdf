/* users.c - people, and the users of bots. A user is never removed, only marked as deleted: messages keep their author.
 */
#include "internal.h"

struct taut_user user_from_row(const struct taut_row *row) {
    return (struct taut_user){
        .size = sizeof(struct taut_user),
        .id = taut_row_str(row, USER_ID),
        .name = taut_row_str(row, USER_NAME),
        .real_name = taut_row_str(row, USER_REAL_NAME),
        .email = taut_row_str(row, USER_EMAIL),
        .tz = taut_row_str(row, USER_TZ),
        .bot = taut_row_str(row, USER_BOT),
        .flags = (uint32_t)taut_row_int(row, USER_FLAGS),
        .updated = taut_row_int(row, USER_UPDATED),
    };
}

static const struct taut_user *keep_row(struct taut_call *c, const struct taut_row *row) {
    struct taut_user *u = taut_scratch(c, sizeof *u);
    *u = user_from_row(row);
    return u;
}

int32_t user_get(void *self, struct taut_call *c, taut_str workspace, taut_str id, const struct taut_user **out) {
    const struct taut_row *row;
    TAUT_TRY(taut_get(self, c, &users_table, TAUT_KEY(taut_v_str(workspace), taut_v_str(id)), &row));
    *out = row ? keep_row(c, row) : NULL;
    return TAUT_OK;
}

int32_t user_by_name(void *self, struct taut_call *c, taut_str workspace, taut_str name, const struct taut_user **out) {
    const struct taut_rows *rows;
    struct taut_val prefix[] = {taut_v_str(workspace), taut_v_str(name)};
    struct taut_scan scan = {.size = sizeof scan, .index = USER_BY_NAME, .prefix = prefix, .nprefix = 2, .limit = 1};
    TAUT_TRY(taut_scan(self, c, &users_table, &scan, &rows));
    *out = rows->n ? keep_row(c, &rows->rows[0]) : NULL;
    return TAUT_OK;
}

int32_t user_check(struct taut_call *c, const struct taut_user *spec) {
    if (!TAUT_HAS(spec, updated)) return TAUT_E_INVAL;
    if (!name_valid(spec->name)) return taut_fail_text(c, "invalid_name", TAUT_LIT("a user's name has " NAME_RULE));
    if (spec->real_name.len && !title_valid(spec->real_name))
        return taut_fail_text(c, "invalid_real_name", TAUT_LIT("a real name has " TITLE_RULE));
    if (spec->email.len && !email_valid(spec->email))
        return taut_fail_text(c, "invalid_email", TAUT_LIT("an email address looks like ada@example.org"));
    return TAUT_OK;
}

void user_insert(struct taut_mod *m, struct taut_batch *b, taut_str workspace, const struct taut_user *user) {
    struct taut_val vals[USER_COLS] = {
        [USER_WORKSPACE] = taut_v_str(workspace),   [USER_ID] = taut_v_str(user->id),
        [USER_NAME] = taut_v_str(user->name),       [USER_REAL_NAME] = taut_v_str(user->real_name),
        [USER_EMAIL] = taut_v_opt(user->email),     [USER_TZ] = taut_v_opt(user->tz),
        [USER_FLAGS] = taut_v_int(user->flags),     [USER_BOT] = taut_v_opt(user->bot),
        [USER_CREATED] = taut_v_int(user->updated), [USER_UPDATED] = taut_v_int(user->updated),
    };
    taut_insert(m, b, &users_table, vals, USER_COLS);
}

void user_event(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, const char *type, taut_str workspace,
                const struct taut_user *user) {
    struct taut_json *j = taut_json_scratch(c);
    taut_json_open(j, '{');
    taut_json_kstr(j, "type", taut_str_z(type));
    taut_json_key(j, "user");
    shape_user(j, workspace, user, (struct shape_user_opts){.image = avatar_url(m, c)});
    taut_json_kint(j, "cache_ts", user->updated);
    taut_json_close(j, '}');
    struct taut_event e = {.size = sizeof e, .ntopics = 1, .topics = &workspace, .body = taut_json_out(j)};
    taut_append(m, b, &e);
}

int32_t user_create(void *self, struct taut_call *c, struct taut_batch *b, taut_str workspace,
                    const struct taut_user *spec, uint32_t quiet, taut_str *id) {
    struct taut_mod *m = self;
    char buf[12];
    TAUT_TRY(user_check(c, spec));
    struct taut_user user;
    taut_copy_sized(&user, sizeof user, spec);
    if (!user.id.len) user.id = taut_keep(c, taut_id_new(m, 'U', buf));
    user.updated = now_seconds(m);
    *id = user.id;
    user_insert(m, b, workspace, &user);
    if (quiet) return TAUT_OK;
    user_event(m, c, b, "team_join", workspace, &user);
    struct taut_user_create created = {.size = sizeof created, .workspace = workspace, .user = &user};
    return taut_filter(m, c, TAUT_HOOK_USER_CREATE, TAUT_NONE, b, &created);
}

void append_close(struct taut_mod *m, struct taut_batch *b, taut_str who, const char *reason) {
    struct taut_delta close = {.how = 'x', .who = who, .topic = taut_str_z(reason)};
    struct taut_event e = {.size = sizeof e, .deltas = &close, .ndeltas = 1};
    taut_append(m, b, &e);
}

void user_expect(struct taut_mod *m, struct taut_batch *b, taut_str workspace, const struct taut_user *user) {
    taut_expect_equals(m, b, &users_table, TAUT_KEY(taut_v_str(workspace), taut_v_str(user->id)), USER_FLAGS,
                       taut_v_int(user->flags));
}

void user_set_deleted(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, taut_str workspace,
                      const struct taut_user *user, int deleted) {
    struct taut_user changed = *user;
    changed.flags = deleted ? user->flags | TAUT_USER_DELETED : user->flags & ~(uint32_t)TAUT_USER_DELETED;
    changed.updated = now_seconds(m);
    const struct taut_set sets[] = {{USER_FLAGS, TAUT_SET, taut_v_int(changed.flags)},
                                    {USER_UPDATED, TAUT_SET, taut_v_int(changed.updated)}};
    user_expect(m, b, workspace, user);
    taut_update(m, b, &users_table, TAUT_KEY(taut_v_str(workspace), taut_v_str(user->id)), sets, 2);
    user_event(m, c, b, "user_change", workspace, &changed);
    if (deleted) append_close(m, b, user->id, "account_inactive");
}
