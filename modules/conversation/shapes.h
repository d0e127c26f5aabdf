/* shapes.h - the JSON objects that people see: channels, messages, reactions. They write to a taut_json and read
 * nothing but what they are given.
 */
#ifndef CONVERSATION_SHAPES_H
#define CONVERSATION_SHAPES_H

#include "channels.h"

enum { REPLY_USERS_SHOWN = 5 };

/* What only the viewer's own view of a channel has. */
struct channel_view {
    int64_t last_read;    /* microseconds; -1: left out */
    int64_t unread_count; /* -1: left out */
    taut_str latest;      /* a message as JSON, or empty */
    int num_members;      /* 1: show it */
};
#define CHANNEL_VIEW_PLAIN ((struct channel_view){.last_read = -1, .unread_count = -1})

/* The channel object, braces included. */
void shape_channel(struct taut_json *j, taut_str workspace, const struct channel *ch, const struct channel_view *view);

/* A message before it is written: from a row, or on its way into one. */
struct message {
    taut_str user, bot_id, text, subtype, client_msg_id, parent_user, edited_by;
    taut_str blocks, attachments, metadata; /* JSON or empty */
    const struct taut_bot *bot;             /* of bot_id, when it is known */
    int64_t ts, thread_ts;                  /* microseconds; thread_ts 0: in no thread */
    int64_t reply_count, latest_reply, edited_ts;
    taut_str reply_users[REPLY_USERS_SHOWN]; /* who replied first; empty ones at the end */
    int64_t reply_users_count;
};
struct message message_of(const struct taut_row *row);
/* Is it what a deleted parent left in its place? */
int message_is_stone(const struct taut_row *row);
/* Is it as good as none: a stone whose replies are gone? The last replies, when they are deleted at the same time,
 * leave it behind. */
int message_is_gone(const struct taut_row *row);
/* Does it stand in the channel itself: no reply, or one that was broadcast? */
int message_in_channel(const struct message *ms);

/* One emoji under a message. */
struct reaction {
    taut_str name;
    const taut_str *users;
    uint32_t n;
};
struct reaction_list {
    const struct reaction *list;
    uint32_t n;
};

/* The message object, braces included. reacted may be NULL. */
void shape_message(struct taut_json *j, taut_str workspace, const struct message *ms,
                   const struct reaction_list *reacted);
/* That text with more members before its closing brace: the body of the event about it. root: a thread's parent, for
 * replies that the channel sees too, or empty. */
void shape_message_event(struct taut_json *j, taut_str message, const struct channel *ch, int64_t ts, taut_str root);

void shape_ts(struct taut_json *j, const char *key, int64_t us);

#endif
