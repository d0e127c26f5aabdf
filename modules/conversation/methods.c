/* methods.c - the table of this module's Web API methods. Scopes and rates are those of the public documentation. */
#include "methods.h"

static const struct taut_arg create_args[CREATE_ARGS] = {
    [CREATE_NAME] = {"name", TAUT_ARG_STR, TAUT_ARG_REQUIRED, "invalid_name_required", NULL},
    [CREATE_IS_PRIVATE] = {"is_private", TAUT_ARG_BOOL, 0, NULL, NULL},
};
#define LIST_ROWS                                                                 \
    [LIST_TYPES] = {"types", TAUT_ARG_LIST, 0, NULL, NULL},                       \
    [LIST_EXCLUDE_ARCHIVED] = {"exclude_archived", TAUT_ARG_BOOL, 0, NULL, NULL}, \
    [LIST_LIMIT] = {"limit", TAUT_ARG_STR, 0, NULL, NULL}, [LIST_CURSOR] = {"cursor", TAUT_ARG_STR, 0, NULL, NULL}
static const struct taut_arg list_args[LIST_ARGS] = {LIST_ROWS};
static const struct taut_arg user_list_args[USER_LIST_ARGS] = {
    LIST_ROWS,
    [LIST_USER] = {"user", TAUT_ARG_STR, 0, NULL, NULL},
};
static const struct taut_arg info_args[INFO_ARGS] = {
    [INFO_CHANNEL] = {"channel", TAUT_ARG_STR, TAUT_ARG_REQUIRED, NULL, NULL},
    [INFO_NUM_MEMBERS] = {"include_num_members", TAUT_ARG_BOOL, 0, NULL, NULL},
};
static const struct taut_arg channel_args[CHANNEL_ARGS] = {
    [CHANNEL_CHANNEL] = {"channel", TAUT_ARG_STR, TAUT_ARG_REQUIRED, NULL, NULL},
};
static const struct taut_arg invite_args[INVITE_ARGS] = {
    [INVITE_CHANNEL] = {"channel", TAUT_ARG_STR, TAUT_ARG_REQUIRED, NULL, NULL},
    [INVITE_USERS] = {"users", TAUT_ARG_LIST, TAUT_ARG_REQUIRED, "no_user", NULL},
    [INVITE_FORCE] = {"force", TAUT_ARG_BOOL, 0, NULL, NULL},
};
static const struct taut_arg kick_args[KICK_ARGS] = {
    [KICK_CHANNEL] = {"channel", TAUT_ARG_STR, TAUT_ARG_REQUIRED, NULL, NULL},
    [KICK_USER] = {"user", TAUT_ARG_STR, TAUT_ARG_REQUIRED, "user_not_found", NULL},
};
static const struct taut_arg members_args[MEMBERS_ARGS] = {
    [MEMBERS_CHANNEL] = {"channel", TAUT_ARG_STR, TAUT_ARG_REQUIRED, NULL, NULL},
    [MEMBERS_LIMIT] = {"limit", TAUT_ARG_STR, 0, NULL, NULL},
    [MEMBERS_CURSOR] = {"cursor", TAUT_ARG_STR, 0, NULL, NULL},
};
static const struct taut_arg open_args[OPEN_ARGS] = {
    [OPEN_CHANNEL] = {"channel", TAUT_ARG_STR, 0, NULL, NULL},
    [OPEN_USERS] = {"users", TAUT_ARG_LIST, 0, NULL, NULL},
    [OPEN_RETURN_IM] = {"return_im", TAUT_ARG_BOOL, 0, NULL, NULL},
    [OPEN_PREVENT_CREATION] = {"prevent_creation", TAUT_ARG_BOOL, 0, NULL, NULL},
};
static const struct taut_arg mark_args[MARK_ARGS] = {
    [MARK_CHANNEL] = {"channel", TAUT_ARG_STR, TAUT_ARG_REQUIRED, NULL, NULL},
    [MARK_TS] = {"ts", TAUT_ARG_STR, TAUT_ARG_REQUIRED, "invalid_timestamp", NULL},
};
#define HISTORY_ROWS                                                              \
    [HISTORY_CHANNEL] = {"channel", TAUT_ARG_STR, TAUT_ARG_REQUIRED, NULL, NULL}, \
    [HISTORY_OLDEST] = {"oldest", TAUT_ARG_STR, 0, NULL, NULL},                   \
    [HISTORY_LATEST] = {"latest", TAUT_ARG_STR, 0, NULL, NULL},                   \
    [HISTORY_INCLUSIVE] = {"inclusive", TAUT_ARG_BOOL, 0, NULL, NULL},            \
    [HISTORY_LIMIT] = {"limit", TAUT_ARG_STR, 0, NULL, NULL},                     \
    [HISTORY_CURSOR] = {"cursor", TAUT_ARG_STR, 0, NULL, NULL},                   \
    [HISTORY_METADATA] = {"include_all_metadata", TAUT_ARG_BOOL, 0, NULL, NULL}
static const struct taut_arg history_args[HISTORY_ARGS] = {HISTORY_ROWS};
static const struct taut_arg replies_args[REPLIES_ARGS] = {
    HISTORY_ROWS,
    [HISTORY_TS] = {"ts", TAUT_ARG_STR, TAUT_ARG_REQUIRED, "thread_not_found", NULL},
};
static const struct taut_arg post_args[POST_ARGS] = {
    [POST_CHANNEL] = {"channel", TAUT_ARG_STR, TAUT_ARG_REQUIRED, "channel_not_found", NULL},
    [POST_TEXT] = {"text", TAUT_ARG_STR, 0, NULL, NULL},
    [POST_BLOCKS] = {"blocks", TAUT_ARG_JSON, 0, "invalid_blocks_format", NULL},
    [POST_ATTACHMENTS] = {"attachments", TAUT_ARG_JSON, 0, "invalid_attachments", NULL},
    [POST_METADATA] = {"metadata", TAUT_ARG_JSON, 0, "invalid_metadata_format", NULL},
    [POST_THREAD_TS] = {"thread_ts", TAUT_ARG_STR, 0, NULL, NULL},
    [POST_REPLY_BROADCAST] = {"reply_broadcast", TAUT_ARG_BOOL, 0, NULL, NULL},
    [POST_CLIENT_MSG_ID] = {"client_msg_id", TAUT_ARG_STR, 0, NULL, NULL},
    [POST_MARKDOWN_TEXT] = {"markdown_text", TAUT_ARG_STR, 0, NULL, NULL},
};
static const struct taut_arg update_args[UPDATE_ARGS] = {
    [UPDATE_CHANNEL] = {"channel", TAUT_ARG_STR, TAUT_ARG_REQUIRED, "channel_not_found", NULL},
    [UPDATE_TS] = {"ts", TAUT_ARG_STR, TAUT_ARG_REQUIRED, "message_not_found", NULL},
    [UPDATE_TEXT] = {"text", TAUT_ARG_STR, 0, NULL, NULL},
    [UPDATE_BLOCKS] = {"blocks", TAUT_ARG_JSON, 0, "invalid_blocks_format", NULL},
    [UPDATE_ATTACHMENTS] = {"attachments", TAUT_ARG_JSON, 0, "invalid_attachments", NULL},
    [UPDATE_METADATA] = {"metadata", TAUT_ARG_JSON, 0, "invalid_metadata_format", NULL},
    [UPDATE_MARKDOWN_TEXT] = {"markdown_text", TAUT_ARG_STR, 0, NULL, NULL},
};
static const struct taut_arg delete_args[DELETE_ARGS] = {
    [DELETE_CHANNEL] = {"channel", TAUT_ARG_STR, TAUT_ARG_REQUIRED, "channel_not_found", NULL},
    [DELETE_TS] = {"ts", TAUT_ARG_STR, TAUT_ARG_REQUIRED, "message_not_found", NULL},
};
#define ITEM_ROWS                                                  \
    [ITEM_CHANNEL] = {"channel", TAUT_ARG_STR, 0, NULL, NULL},     \
    [ITEM_TIMESTAMP] = {"timestamp", TAUT_ARG_STR, 0, NULL, NULL}, \
    [ITEM_FILE] = {"file", TAUT_ARG_STR, 0, NULL, NULL},           \
    [ITEM_FILE_COMMENT] = {"file_comment", TAUT_ARG_STR, 0, NULL, NULL}
static const struct taut_arg react_args[REACT_ARGS] = {
    ITEM_ROWS,
    [REACT_NAME] = {"name", TAUT_ARG_STR, 0, NULL, NULL},
};
static const struct taut_arg reactions_args[REACTIONS_ARGS] = {
    ITEM_ROWS,
    [REACTIONS_FULL] = {"full", TAUT_ARG_BOOL, 0, NULL, NULL},
};

#define READ_SCOPES "channels:read,groups:read,im:read,mpim:read"
#define HISTORY_SCOPES "channels:history,groups:history,im:history,mpim:history"
#define WRITE_SCOPES "channels:manage,channels:write,groups:write,im:write,mpim:write"
#define INVITE_SCOPES "channels:manage,channels:write.invites,groups:write,groups:write.invites,im:write,mpim:write"
#define OPEN_SCOPES "channels:manage,groups:write,im:write,mpim:write"

#define METHOD(n, a, s, r, f) \
    { .name = (n), .args = TAUT_ARRAY(a), .scopes = (s), .rate = TAUT_RATE_##r, .run = (f) }

const struct taut_method conversation_methods[METHODS] = {
    METHOD("conversations.create", create_args, WRITE_SCOPES, TIER2, on_create),
    METHOD("conversations.list", list_args, READ_SCOPES, TIER2, on_list),
    METHOD("users.conversations", user_list_args, READ_SCOPES, TIER3, on_user_list),
    METHOD("conversations.info", info_args, READ_SCOPES, TIER3, on_info),
    METHOD("conversations.join", channel_args, "channels:join", TIER3, on_join),
    METHOD("conversations.leave", channel_args, WRITE_SCOPES, TIER3, on_leave),
    METHOD("conversations.invite", invite_args, INVITE_SCOPES, TIER3, on_invite),
    METHOD("conversations.kick", kick_args, WRITE_SCOPES, TIER3, on_kick),
    METHOD("conversations.members", members_args, READ_SCOPES, TIER4, on_members),
    METHOD("conversations.open", open_args, OPEN_SCOPES, TIER3, on_open),
    METHOD("conversations.history", history_args, HISTORY_SCOPES, TIER3, on_history),
    METHOD("conversations.replies", replies_args, HISTORY_SCOPES, TIER3, on_replies),
    METHOD("conversations.mark", mark_args, WRITE_SCOPES, TIER3, on_mark),
    METHOD("chat.postMessage", post_args, "chat:write", SPECIAL, on_post),
    METHOD("chat.update", update_args, "chat:write", TIER3, on_update),
    METHOD("chat.delete", delete_args, "chat:write", TIER3, on_delete),
    METHOD("reactions.add", react_args, "reactions:write", TIER3, on_react),
    METHOD("reactions.remove", react_args, "reactions:write", TIER2, on_unreact),
    METHOD("reactions.get", reactions_args, "reactions:read", TIER3, on_reactions),
};
