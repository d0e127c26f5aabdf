/* auth.c - auth/1: from the text of a token to the actor behind it. Runs for every call that carries one; both rows it
 * reads are in the core's cache most of the time. */
#include "internal.h"

#define SHARED_SCOPES                                                                                          \
    "assistant:write,bookmarks:read,bookmarks:write,calls:read,calls:write,channels:history,channels:join,"    \
    "channels:manage,channels:read,channels:write,chat:write,dnd:read,emoji:read,files:read,files:write,"      \
    "groups:history,groups:read,groups:write,im:history,im:read,im:write,links:read,links:write,mpim:history," \
    "mpim:read,mpim:write,pins:read,pins:write,reactions:read,reactions:write,reminders:read,reminders:write," \
    "remote_files:read,remote_files:share,remote_files:write,team.preferences:read,team:read,usergroups:read," \
    "usergroups:write,users.profile:read,users:read,users:read.email,users:write"

/* Every token may do everything that its kind can do, and no scope is claimed that nothing here honours: tokens with
 * fewer scopes come with the installation of apps. */
static const char user_scopes[] =
    SHARED_SCOPES ",dnd:write,identify,search:read,stars:read,stars:write,users.profile:write";
static const char bot_scopes[] = SHARED_SCOPES ",app_mentions:read,commands";

static const struct {
    uint32_t user, actor;
} flag_map[] = {
    {TAUT_USER_ADMIN, TAUT_ACTOR_ADMIN},
    {TAUT_USER_OWNER, TAUT_ACTOR_OWNER},
    {TAUT_USER_BOT, TAUT_ACTOR_BOT},
};

int32_t auth_resolve(void *self, struct taut_call *c, taut_str token, struct taut_actor *actor) {
    const struct taut_row *row;
    const struct taut_user *user;
    const char *error;
    TAUT_TRY(token_judge(self, c, token, &row, &user, &error));
    if (error) return taut_fail(c, error);
    taut_str bot = taut_row_str(row, TOKEN_BOT);
    struct taut_actor found = {.size = sizeof found,
                               .workspace = taut_row_str(row, TOKEN_WORKSPACE),
                               .user = user->id,
                               .bot = bot,
                               .app = no_str(),
                               .token = taut_row_str(row, TOKEN_ID),
                               .scopes = taut_str_z(bot.len ? bot_scopes : user_scopes)};
    for (size_t i = 0; i < sizeof flag_map / sizeof flag_map[0]; i++)
        if (user->flags & flag_map[i].user) found.flags |= flag_map[i].actor;
    taut_copy_sized(actor, actor->size, &found);
    return TAUT_OK;
}
