/* svc/directory.h - the family directory/1: workspaces, people, bots and tokens. Provided by modules/directory.
 *
 * Functions are restartable: they return TAUT_E_AGAIN as taut_get does. Those that take a batch only add to it. Strings
 * handed out live as long as the call. Thread: hub. Since 1.0.
 */
#ifndef TAUT_SVC_DIRECTORY_H
#define TAUT_SVC_DIRECTORY_H

#include "taut/hook.h"
#include "taut/table.h"

struct taut_workspace {
    uint32_t size;
    uint32_t revoked; /* nobody gets in: its tokens are good for nothing */
    taut_str id, name, domain;
};

enum {
    TAUT_USER_DELETED = 1,
    TAUT_USER_BOT = 2,
    TAUT_USER_ADMIN = 4,
    TAUT_USER_OWNER = 8,
    TAUT_USER_PRIMARY_OWNER = 16 /* who made the workspace; an owner too */
};
struct taut_user {
    uint32_t size;
    uint32_t flags;                               /* TAUT_USER_* */
    taut_str id, name, real_name, email, tz, bot; /* bot: B… of a bot's user */
    int64_t updated;                              /* seconds */
};

struct taut_bot {
    uint32_t size;
    uint32_t deleted;
    taut_str id, user, app, name;
    int64_t updated; /* seconds */
};

/* The filter "directory.user_create" runs inside the batch that creates the user, so that others (membership
 * of default channels) are part of the same transaction. data is this struct. */
#define TAUT_HOOK_USER_CREATE "directory.user_create"
struct taut_user_create {
    uint32_t size;
    uint32_t quiet; /* 1: bulk import; append no events */
    taut_str workspace;
    const struct taut_user *user;
};

/* The filter "directory.workspace_create": the same for a new workspace (its #general). user: its first
 * owner, created in the same batch. */
#define TAUT_HOOK_WORKSPACE_CREATE "directory.workspace_create"

struct taut_directory_v1 {
    uint32_t size;
    uint32_t reserved;
    /* *out NULL when there is none. */
    int32_t (*workspace)(void *self, struct taut_call *c, taut_str id, const struct taut_workspace **out);
    int32_t (*user)(void *self, struct taut_call *c, taut_str workspace, taut_str id, const struct taut_user **out);
    int32_t (*bot)(void *self, struct taut_call *c, taut_str workspace, taut_str id, const struct taut_bot **out);
    /* All workspaces, oldest first. out: of struct taut_workspace. */
    int32_t (*workspaces)(void *self, struct taut_call *c, struct taut_array *out);
    int32_t (*user_by_name)(void *self, struct taut_call *c, taut_str workspace, taut_str name,
                            const struct taut_user **out);

    /* These add to the batch, whose workspace the caller sets (workspace_create does it itself). spec's id empty: one
     * is made and written to *id. quiet 0: everybody is told, and the hook point TAUT_HOOK_USER_CREATE runs. quiet 1,
     * for bulk work: neither; the caller adds memberships itself. */
    int32_t (*workspace_create)(void *self, struct taut_call *c, struct taut_batch *b,
                                const struct taut_workspace *spec, const struct taut_user *owner, taut_str *id,
                                taut_str *owner_id);
    int32_t (*user_create)(void *self, struct taut_call *c, struct taut_batch *b, taut_str workspace,
                           const struct taut_user *spec, uint32_t quiet, taut_str *id);
    /* A bot and its user. */
    int32_t (*bot_create)(void *self, struct taut_call *c, struct taut_batch *b, taut_str workspace, taut_str name,
                          taut_str *bot_id, taut_str *user_id);
    /* Makes a token for the user (xoxp-…) or the bot's user (xoxb-…). *token is the only time anyone sees it: the
     * store gets its hash. */
    int32_t (*token_create)(void *self, struct taut_call *c, struct taut_batch *b, taut_str workspace, taut_str user,
                            taut_str bot, taut_str *token, taut_str *token_id);
    /* Of the token itself: its id if it is known and valid, else empty. */
    int32_t (*token_check)(void *self, struct taut_call *c, taut_str token, taut_str *token_id);
    /* Is the token of that id (an actor's `token`) known, not revoked, and its user active? For what outlives the call
     * that carried the token, such as a ticket. */
    int32_t (*token_live)(void *self, struct taut_call *c, taut_str workspace, taut_str token_id, uint32_t *live);
};

/* ---- when nobody provides it ---- */

static inline int32_t taut_directory_down_workspace(void *self, struct taut_call *c, taut_str id,
                                                    const struct taut_workspace **out) {
    (void)self, (void)c, (void)id, (void)out;
    return TAUT_E_UNAVAILABLE;
}
static inline int32_t taut_directory_down_user(void *self, struct taut_call *c, taut_str workspace, taut_str id,
                                               const struct taut_user **out) {
    (void)self, (void)c, (void)workspace, (void)id, (void)out;
    return TAUT_E_UNAVAILABLE;
}
static inline int32_t taut_directory_down_bot(void *self, struct taut_call *c, taut_str workspace, taut_str id,
                                              const struct taut_bot **out) {
    (void)self, (void)c, (void)workspace, (void)id, (void)out;
    return TAUT_E_UNAVAILABLE;
}
static inline int32_t taut_directory_down_workspaces(void *self, struct taut_call *c, struct taut_array *out) {
    (void)self, (void)c, (void)out;
    return TAUT_E_UNAVAILABLE;
}
static inline int32_t taut_directory_down_user_by_name(void *self, struct taut_call *c, taut_str workspace,
                                                       taut_str name, const struct taut_user **out) {
    (void)self, (void)c, (void)workspace, (void)name, (void)out;
    return TAUT_E_UNAVAILABLE;
}
static inline int32_t taut_directory_down_workspace_create(void *self, struct taut_call *c, struct taut_batch *b,
                                                           const struct taut_workspace *spec,
                                                           const struct taut_user *owner, taut_str *id,
                                                           taut_str *owner_id) {
    (void)self, (void)c, (void)b, (void)spec, (void)owner, (void)id, (void)owner_id;
    return TAUT_E_UNAVAILABLE;
}
static inline int32_t taut_directory_down_user_create(void *self, struct taut_call *c, struct taut_batch *b,
                                                      taut_str workspace, const struct taut_user *spec, uint32_t quiet,
                                                      taut_str *id) {
    (void)self, (void)c, (void)b, (void)workspace, (void)spec, (void)quiet, (void)id;
    return TAUT_E_UNAVAILABLE;
}
static inline int32_t taut_directory_down_bot_create(void *self, struct taut_call *c, struct taut_batch *b,
                                                     taut_str workspace, taut_str name, taut_str *bot_id,
                                                     taut_str *user_id) {
    (void)self, (void)c, (void)b, (void)workspace, (void)name, (void)bot_id, (void)user_id;
    return TAUT_E_UNAVAILABLE;
}
static inline int32_t taut_directory_down_token_create(void *self, struct taut_call *c, struct taut_batch *b,
                                                       taut_str workspace, taut_str user, taut_str bot, taut_str *token,
                                                       taut_str *token_id) {
    (void)self, (void)c, (void)b, (void)workspace, (void)user, (void)bot, (void)token, (void)token_id;
    return TAUT_E_UNAVAILABLE;
}
static inline int32_t taut_directory_down_token_check(void *self, struct taut_call *c, taut_str token,
                                                      taut_str *token_id) {
    (void)self, (void)c, (void)token, (void)token_id;
    return TAUT_E_UNAVAILABLE;
}
static inline int32_t taut_directory_down_token_live(void *self, struct taut_call *c, taut_str workspace,
                                                     taut_str token_id, uint32_t *live) {
    (void)self, (void)c, (void)workspace, (void)token_id, (void)live;
    return TAUT_E_UNAVAILABLE;
}
TAUT_UNUSED static const struct taut_directory_v1 taut_directory_down = {
    (uint32_t)sizeof(struct taut_directory_v1),
    0,
    taut_directory_down_workspace,
    taut_directory_down_user,
    taut_directory_down_bot,
    taut_directory_down_workspaces,
    taut_directory_down_user_by_name,
    taut_directory_down_workspace_create,
    taut_directory_down_user_create,
    taut_directory_down_bot_create,
    taut_directory_down_token_create,
    taut_directory_down_token_check,
    taut_directory_down_token_live,
};

#endif
