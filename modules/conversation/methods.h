/* methods.h - the Web API methods of this module: the numbers of their arguments, and their handlers. The table that
 * the core reads is in methods.c.
 */
#ifndef CONVERSATION_METHODS_H
#define CONVERSATION_METHODS_H

#include "conversation.h"

enum { CREATE_NAME, CREATE_IS_PRIVATE, CREATE_ARGS };
enum { LIST_TYPES, LIST_EXCLUDE_ARCHIVED, LIST_LIMIT, LIST_CURSOR, LIST_ARGS };
enum { LIST_USER = LIST_ARGS, USER_LIST_ARGS }; /* users.conversations */
enum { INFO_CHANNEL, INFO_NUM_MEMBERS, INFO_ARGS };
enum { CHANNEL_CHANNEL, CHANNEL_ARGS }; /* join, leave */
enum { INVITE_CHANNEL, INVITE_USERS, INVITE_FORCE, INVITE_ARGS };
enum { KICK_CHANNEL, KICK_USER, KICK_ARGS };
enum { MEMBERS_CHANNEL, MEMBERS_LIMIT, MEMBERS_CURSOR, MEMBERS_ARGS };
enum { OPEN_CHANNEL, OPEN_USERS, OPEN_RETURN_IM, OPEN_PREVENT_CREATION, OPEN_ARGS };
enum { MARK_CHANNEL, MARK_TS, MARK_ARGS };
enum {
    HISTORY_CHANNEL,
    HISTORY_OLDEST,
    HISTORY_LATEST,
    HISTORY_INCLUSIVE,
    HISTORY_LIMIT,
    HISTORY_CURSOR,
    HISTORY_METADATA,
    HISTORY_ARGS
};
enum { HISTORY_TS = HISTORY_ARGS, REPLIES_ARGS };
enum {
    POST_CHANNEL,
    POST_TEXT,
    POST_BLOCKS,
    POST_ATTACHMENTS,
    POST_METADATA,
    POST_THREAD_TS,
    POST_REPLY_BROADCAST,
    POST_CLIENT_MSG_ID,
    POST_MARKDOWN_TEXT,
    POST_ARGS
};
enum {
    UPDATE_CHANNEL,
    UPDATE_TS,
    UPDATE_TEXT,
    UPDATE_BLOCKS,
    UPDATE_ATTACHMENTS,
    UPDATE_METADATA,
    UPDATE_MARKDOWN_TEXT,
    UPDATE_ARGS
};
enum { DELETE_CHANNEL, DELETE_TS, DELETE_ARGS };
enum { ITEM_CHANNEL, ITEM_TIMESTAMP, ITEM_FILE, ITEM_FILE_COMMENT, ITEM_ARGS };
enum { REACT_NAME = ITEM_ARGS, REACT_ARGS };         /* add, remove */
enum { REACTIONS_FULL = ITEM_ARGS, REACTIONS_ARGS }; /* get */

/* methods_channels.c */
int32_t on_create(struct taut_mod *m, struct taut_call *c);
int32_t on_list(struct taut_mod *m, struct taut_call *c);
int32_t on_user_list(struct taut_mod *m, struct taut_call *c);
int32_t on_info(struct taut_mod *m, struct taut_call *c);
/* methods_members.c */
int32_t on_join(struct taut_mod *m, struct taut_call *c);
int32_t on_leave(struct taut_mod *m, struct taut_call *c);
int32_t on_invite(struct taut_mod *m, struct taut_call *c);
int32_t on_kick(struct taut_mod *m, struct taut_call *c);
int32_t on_members(struct taut_mod *m, struct taut_call *c);
int32_t on_open(struct taut_mod *m, struct taut_call *c);
/* methods_history.c */
int32_t on_history(struct taut_mod *m, struct taut_call *c);
int32_t on_replies(struct taut_mod *m, struct taut_call *c);
int32_t on_mark(struct taut_mod *m, struct taut_call *c);
/* methods_chat.c */
int32_t on_post(struct taut_mod *m, struct taut_call *c);
int32_t on_update(struct taut_mod *m, struct taut_call *c);
int32_t on_delete(struct taut_mod *m, struct taut_call *c);
/* methods_reactions.c */
int32_t on_react(struct taut_mod *m, struct taut_call *c);
int32_t on_unreact(struct taut_mod *m, struct taut_call *c);
int32_t on_reactions(struct taut_mod *m, struct taut_call *c);

/* The table. */
enum { METHODS = 19 };
extern const struct taut_method conversation_methods[METHODS];

#endif
