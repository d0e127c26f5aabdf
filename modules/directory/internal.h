/* internal.h - what the files of the directory share. All of it runs on the hub; functions that take a call are
 * restartable, and those that take a batch only add to it: its workspace is the caller's to set (workspace_create
 * excepted). Strings handed out live as long as the call.
 *
 *   tables.c      the tables
 *   names.c       which names are allowed
 *   workspaces.c  workspaces
 *   users.c       people (and the users of bots)
 *   bots.c        bots
 *   tokens.c      tokens: made, found, revoked
 *   auth.c        auth/1: who is behind a token
 *   shapes.c      users, bots and workspaces as JSON
 *   methods.c     Web API methods
 *   commands.c    sub-commands of `taut`: their table, and those for workspaces
 *   user_commands.c   the sub-commands for users
 *   token_commands.c  the sub-commands for tokens
 *   page.c        the page at /, and the avatar
 *   module.c      the module
 */
#ifndef DIRECTORY_INTERNAL_H
#define DIRECTORY_INTERNAL_H

#include "names.h"
#include "tables.h"
#include "taut/svc/auth.h"
#include "taut/svc/directory.h"
#include "taut/taut.h"

static inline int64_t now_seconds(struct taut_mod *m) {
    return taut_now_us(m) / 1000000;
}
static inline taut_str no_str(void) {
    return taut_str_n("", 0);
}

/* ---- workspaces.c ---- */
int32_t workspace_get(void *self, struct taut_call *c, taut_str id, const struct taut_workspace **out);
int32_t workspace_list(struct taut_mod *m, struct taut_call *c, const struct taut_workspace **out, uint32_t *n);
int32_t workspaces_offered(void *self, struct taut_call *c, struct taut_array *out);
/* Makes the tokens of a workspace useless and closes its connections, or makes them good again. Its data stays. */
void workspace_set_revoked(struct taut_mod *m, struct taut_batch *b, const struct taut_workspace *ws, int revoked);
int32_t workspace_create(void *self, struct taut_call *c, struct taut_batch *b, const struct taut_workspace *spec,
                         const struct taut_user *owner, taut_str *id, taut_str *owner_id);

/* ---- users.c ---- */
int32_t user_get(void *self, struct taut_call *c, taut_str workspace, taut_str id, const struct taut_user **out);
int32_t user_by_name(void *self, struct taut_call *c, taut_str workspace, taut_str name, const struct taut_user **out);
int32_t user_create(void *self, struct taut_call *c, struct taut_batch *b, taut_str workspace,
                    const struct taut_user *spec, uint32_t quiet, taut_str *id);
struct taut_user user_from_row(const struct taut_row *row);
/* Fails the call when a name, real name or email of spec is none. */
int32_t user_check(struct taut_call *c, const struct taut_user *spec);
/* The row alone: no hooks, no events. user's id is given. */
void user_insert(struct taut_mod *m, struct taut_batch *b, taut_str workspace, const struct taut_user *user);
/* {"type":<type>,"user":{…}} for everyone in the workspace. */
void user_event(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, const char *type, taut_str workspace,
                const struct taut_user *user);
/* Locks the user out, or lets it in again, and tells everybody. Who is locked out loses its connections. */
void user_set_deleted(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, taut_str workspace,
                      const struct taut_user *user, int deleted);
/* The batch rests on the user's flags being what the caller has seen. */
void user_expect(struct taut_mod *m, struct taut_batch *b, taut_str workspace, const struct taut_user *user);

/* ---- bots.c ---- */
int32_t bot_get(void *self, struct taut_call *c, taut_str workspace, taut_str id, const struct taut_bot **out);
int32_t bot_create(void *self, struct taut_call *c, struct taut_batch *b, taut_str workspace, taut_str name,
                   taut_str *bot_id, taut_str *user_id);

/* ---- tokens.c ---- */
int32_t token_create(void *self, struct taut_call *c, struct taut_batch *b, taut_str workspace, taut_str user,
                     taut_str bot, taut_str *token, taut_str *token_id);
int32_t token_check(void *self, struct taut_call *c, taut_str token, taut_str *token_id);
int32_t token_live(void *self, struct taut_call *c, taut_str workspace, taut_str token_id, uint32_t *live);
/* The row of a token, or NULL in *row when nobody has it. */
int32_t token_row(struct taut_mod *m, struct taut_call *c, taut_str token, const struct taut_row **row);
int32_t token_row_by_id(struct taut_mod *m, struct taut_call *c, taut_str workspace, taut_str id,
                        const struct taut_row **row);
/* *error is NULL for a good token, and then *row is its row and *user who it is for; else the error code. */
int32_t token_judge(struct taut_mod *m, struct taut_call *c, taut_str token, const struct taut_row **row,
                    const struct taut_user **user, const char **error);
/* The token is good for nothing from this commit on, and its connections are closed. */
void token_revoke(struct taut_mod *m, struct taut_batch *b, const struct taut_row *row);

/* An event that only closes every connection on the topic `who`. */
void append_close(struct taut_mod *m, struct taut_batch *b, taut_str who, const char *reason);

/* ---- auth.c ---- */
int32_t auth_resolve(void *self, struct taut_call *c, taut_str token, struct taut_actor *actor);

/* ---- shapes.c ---- */
struct shape_user_opts {
    taut_str image;  /* the URL of the avatar, see avatar_url */
    uint32_t locale; /* 1: with "locale" */
};
void shape_user(struct taut_json *j, taut_str workspace, const struct taut_user *user, struct shape_user_opts opts);
void shape_bot(struct taut_json *j, const struct taut_bot *bot);
void shape_team(struct taut_json *j, const struct taut_workspace *ws, taut_str url);

/* ---- tables of things offered ---- */
enum { DIRECTORY_METHODS = 6, DIRECTORY_COMMANDS = 12 };
extern const struct taut_method directory_methods[DIRECTORY_METHODS];    /* methods.c */
extern const struct taut_command directory_commands[DIRECTORY_COMMANDS]; /* commands.c */

/* ---- page.c ---- */
#define AVATAR_PATH "/avatar.png"
int32_t on_page(struct taut_mod *m, struct taut_call *c);
int32_t on_avatar(struct taut_mod *m, struct taut_call *c);
taut_str avatar_url(struct taut_mod *m, struct taut_call *c);

/* ---- commands.c, for the other commands ---- */
#define ARG_WORKSPACE \
    { .name = "workspace", .type = TAUT_ARG_STR, .help = "id or domain; may be left out when there is only one" }
enum { COMMAND_LIST_DEFAULT = 1000, COMMAND_LIST_MAX = 10000 };
/* The workspace that the command is about: by id or domain, or the only one there is. */
int32_t command_workspace(struct taut_mod *m, struct taut_call *c, taut_str given, const struct taut_workspace **out);
/* By name or id; fails with user_not_found. */
int32_t command_user(struct taut_mod *m, struct taut_call *c, const struct taut_workspace *ws, taut_str given,
                     const struct taut_user **out);
int32_t on_user_create(struct taut_mod *m, struct taut_call *c);
int32_t on_user_list(struct taut_mod *m, struct taut_call *c);
int32_t on_user_revoke(struct taut_mod *m, struct taut_call *c);
int32_t on_user_activate(struct taut_mod *m, struct taut_call *c);
int32_t on_token_create(struct taut_mod *m, struct taut_call *c);
int32_t on_token_list(struct taut_mod *m, struct taut_call *c);
int32_t on_token_revoke(struct taut_mod *m, struct taut_call *c);

#endif
