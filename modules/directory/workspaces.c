/* workspaces.c - workspaces. A workspace is made together with its first owner, in one batch. */
#include "internal.h"

enum { WORKSPACES_MAX = 1000 };

static struct taut_workspace from_row(const struct taut_row *row) {
    return (struct taut_workspace){
        .size = sizeof(struct taut_workspace),
        .id = taut_row_str(row, WS_ID),
        .name = taut_row_str(row, WS_NAME),
        .domain = taut_row_str(row, WS_DOMAIN),
        .revoked = !taut_row_null(row, WS_REVOKED),
    };
}

int32_t workspace_get(void *self, struct taut_call *c, taut_str id, const struct taut_workspace **out) {
    const struct taut_row *row;
    *out = NULL;
    TAUT_TRY(taut_get(self, c, &workspaces_table, TAUT_KEY(taut_v_str(id)), &row));
    if (!row) return TAUT_OK;
    struct taut_workspace *ws = taut_scratch(c, sizeof *ws);
    *ws = from_row(row);
    *out = ws;
    return TAUT_OK;
}

int32_t workspace_list(struct taut_mod *m, struct taut_call *c, const struct taut_workspace **out, uint32_t *n) {
    const struct taut_rows *rows;
    struct taut_scan scan = {.size = sizeof scan, .index = WS_BY_CREATED, .limit = WORKSPACES_MAX};
    TAUT_TRY(taut_scan(m, c, &workspaces_table, &scan, &rows));
    struct taut_workspace *list = taut_scratch(c, rows->n * sizeof *list);
    for (uint32_t i = 0; i < rows->n; i++) list[i] = from_row(&rows->rows[i]);
    *out = list;
    *n = rows->n;
    return TAUT_OK;
}

int32_t workspaces_offered(void *self, struct taut_call *c, struct taut_array *out) {
    const struct taut_workspace *list;
    uint32_t n;
    TAUT_TRY(workspace_list(self, c, &list, &n));
    *out = (struct taut_array){list, n, sizeof *list};
    return TAUT_OK;
}

static int32_t check(struct taut_call *c, const struct taut_workspace *spec) {
    if (!TAUT_HAS(spec, domain)) return TAUT_E_INVAL;
    if (!title_valid(spec->name))
        return taut_fail_text(c, "invalid_name", TAUT_LIT("a workspace's name has " TITLE_RULE));
    if (!domain_valid(spec->domain))
        return taut_fail_text(c, "invalid_domain", TAUT_LIT("a workspace's domain has " DOMAIN_RULE));
    return TAUT_OK;
}

int32_t workspace_create(void *self, struct taut_call *c, struct taut_batch *b, const struct taut_workspace *spec,
                         const struct taut_user *owner, taut_str *id, taut_str *owner_id) {
    struct taut_mod *m = self;
    char id_buf[12], owner_buf[12];
    TAUT_TRY(check(c, spec));
    TAUT_TRY(user_check(c, owner));
    *id = spec->id.len ? spec->id : taut_keep(c, taut_id_new(m, 'T', id_buf));

    struct taut_user first;
    taut_copy_sized(&first, sizeof first, owner);
    if (!first.id.len) first.id = taut_keep(c, taut_id_new(m, 'U', owner_buf));
    first.flags |= TAUT_USER_OWNER | TAUT_USER_ADMIN | TAUT_USER_PRIMARY_OWNER;
    first.updated = now_seconds(m);
    *owner_id = first.id;

    taut_batch_workspace(c->mod, b, *id);
    taut_insert(m, b, &workspaces_table,
                TAUT_KEY(taut_v_str(*id), taut_v_str(spec->name), taut_v_str(spec->domain), taut_v_int(now_seconds(m)),
                         taut_v_null()));
    user_insert(m, b, *id, &first);
    /* Nobody can be connected to a workspace that is only being made: its hooks need no events. */
    struct taut_user_create created = {.size = sizeof created, .quiet = 1, .workspace = *id, .user = &first};
    return taut_filter(m, c, TAUT_HOOK_WORKSPACE_CREATE, TAUT_NONE, b, &created);
}

void workspace_set_revoked(struct taut_mod *m, struct taut_batch *b, const struct taut_workspace *ws, int revoked) {
    const struct taut_set set = {WS_REVOKED, TAUT_SET, revoked ? taut_v_int(now_seconds(m)) : taut_v_null()};
    taut_update(m, b, &workspaces_table, TAUT_KEY(taut_v_str(ws->id)), &set, 1);
    if (revoked) append_close(m, b, ws->id, "account_inactive"); /* everybody is on the workspace's topic */
}
