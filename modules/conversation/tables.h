/* tables.h - the tables of this module and the numbers of their columns. The key columns stand first.
 *
 * Message times are INT microseconds. An ordinary post writes one row of `messages` and nothing with an index: what
 * belongs to threads lies in `replies`, which only replies write. Of a parent, replies change counters alone, so that a
 * thread in which many write at once has no conflicts; who replied is read from `replies`.
 */
#ifndef CONVERSATION_TABLES_H
#define CONVERSATION_TABLES_H

#include "taut/table.h"

/* channels: one row a conversation of any kind. */
enum {
    CH_WORKSPACE,
    CH_ID,
    CH_KIND,    /* TAUT_CH_* */
    CH_NAME,    /* NULL for DMs of both kinds */
    CH_CREATOR, /* a user */
    CH_CREATED, /* seconds */
    CH_TOPIC,
    CH_TOPIC_BY,
    CH_TOPIC_AT, /* seconds */
    CH_PURPOSE,
    CH_PURPOSE_BY,
    CH_PURPOSE_AT, /* seconds */
    CH_IS_ARCHIVED,
    CH_IS_GENERAL, /* 1 or NULL: unique in its workspace */
    CH_LAST_TS,    /* microseconds; 0: empty. Posts raise it with MAX */
    CH_PAIR,       /* DMs: the user ids, sorted, joined by commas; else NULL */
    CH_LABEL,      /* group DMs: the name that people see; else NULL */
    CH_NUM_MEMBERS,
    CH_UPDATED, /* milliseconds */
    CH_COLUMNS
};
enum { CHANNELS_BY_NAME, CHANNELS_BY_PAIR, CHANNELS_GENERAL, CHANNELS_BY_KIND };

/* members: who is in what. */
enum {
    ME_WORKSPACE,
    ME_CHANNEL,
    ME_USER,
    ME_SINCE_SEQ, /* seq of the event with which the membership began; 0: from the start */
    ME_JOINED,    /* seconds */
    ME_INVITER,
    ME_BASE_TS, /* the channel's newest message then: nothing up to it is unread */
    ME_COLUMNS
};
enum { MEMBERS_BY_USER };

/* reads: read marks; only ever raised. */
enum { RD_WORKSPACE, RD_USER, RD_CHANNEL, RD_LAST_READ, RD_COLUMNS };

/* messages. The columns that most messages lack stand last, so that a post may leave them out. */
enum {
    MS_WORKSPACE,
    MS_CHANNEL,
    MS_TS,
    MS_USER,
    MS_BOT,
    MS_TEXT,
    MS_REPLY_COUNT,  /* of a thread's parent */
    MS_LATEST_REPLY, /* microseconds; of replies that may have been deleted since */
    MS_CLIENT_MSG_ID,
    MS_THREAD_TS, /* of a reply: its parent; NULL otherwise, in parents too */
    MS_SUBTYPE,
    MS_BLOCKS,
    MS_ATTACHMENTS,
    MS_METADATA,
    MS_EDITED_TS, /* microseconds */
    MS_EDITED_BY,
    MS_COLUMNS
};
enum { MS_ORDINARY = MS_CLIENT_MSG_ID + 1 }; /* so many columns has a message without any of the rest */

/* replies: the messages of a thread in order. */
enum { RE_WORKSPACE, RE_CHANNEL, RE_THREAD_TS, RE_TS, RE_USER, RE_COLUMNS };

/* reactions: the user stands before the name, so that one person's reactions to a message are a prefix. */
enum { RX_WORKSPACE, RX_CHANNEL, RX_TS, RX_USER, RX_NAME, RX_AT, RX_COLUMNS };

extern const struct taut_table channels, members, reads, messages, replies, reactions;

/* Keys, as the two arguments that the calls of taut/host.h take. */
#define CHANNEL_KEY(ws, id) TAUT_KEY(taut_v_str(ws), taut_v_str(id))
#define MEMBER_KEY(ws, channel, user) TAUT_KEY(taut_v_str(ws), taut_v_str(channel), taut_v_str(user))
#define READ_KEY(ws, user, channel) TAUT_KEY(taut_v_str(ws), taut_v_str(user), taut_v_str(channel))
#define MESSAGE_KEY(ws, channel, ts) TAUT_KEY(taut_v_str(ws), taut_v_str(channel), taut_v_int(ts))
#define REPLY_KEY(ws, channel, thread, ts) \
    TAUT_KEY(taut_v_str(ws), taut_v_str(channel), taut_v_int(thread), taut_v_int(ts))
#define REACTION_KEY(ws, channel, ts, user, name) \
    TAUT_KEY(taut_v_str(ws), taut_v_str(channel), taut_v_int(ts), taut_v_str(user), taut_v_str(name))

#endif
