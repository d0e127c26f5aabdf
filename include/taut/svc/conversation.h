/* svc/conversation.h - the family conversation/1: channels, members, messages, and the one permission function.
 *
 * Functions are restartable. Those that take a batch only add to it. Strings handed out live as long as the call.
 * Thread: hub. Since 0.1.
 */
#ifndef TAUT_SVC_CONVERSATION_H
#define TAUT_SVC_CONVERSATION_H

#include "taut/call.h"
#include "taut/conn.h"

enum { TAUT_CH_PUBLIC = 1, TAUT_CH_PRIVATE = 2, TAUT_CH_IM = 3, TAUT_CH_MPIM = 4 };

struct taut_channel {
    taut_str id, name, creator, topic, purpose;
    uint32_t kind; /* TAUT_CH_* */
    uint32_t is_archived, is_general;
    uint32_t is_member; /* the call's actor is in it */
    int64_t created;    /* seconds */
    int64_t last_ts;    /* microseconds; 0: empty */
    uint64_t since_seq; /* the actor's membership began at this seq */
    taut_str peer;      /* IM: the other user */
};

/* What somebody wants to do; the question for `may`. */
enum {
    TAUT_ACT_SEE = 1, /* know that the channel exists, read its metadata */
    TAUT_ACT_READ,    /* read messages, members, reactions */
    TAUT_ACT_POST,
    TAUT_ACT_REACT,
    TAUT_ACT_JOIN,
    TAUT_ACT_INVITE,
    TAUT_ACT_KICK,
    TAUT_ACT_LEAVE,
    TAUT_ACT_MARK,
    TAUT_ACT_TYPE,
    TAUT_ACT_EDIT,  /* message: the author */
    TAUT_ACT_DELETE /* message: the author, or an admin */
};

/* A message to post. */
struct taut_post {
    taut_str channel;
    taut_str text;
    taut_str thread_ts;
    taut_str client_msg_id;                 /* makes retries safe; or empty */
    taut_str blocks, attachments, metadata; /* JSON or empty */
    taut_str subtype;
    taut_conn skip; /* the connection that gets an ack instead of the event */
    uint32_t reply_broadcast;
    uint32_t reserved;
};

/* What was posted, or will be when the batch commits. */
struct taut_posted {
    taut_str channel, ts, text;
    taut_str message;  /* the message object as JSON */
    uint32_t repeated; /* 1: this was a retry; nothing to commit, the rest is the first answer */
    uint32_t reserved;
};

struct taut_conversation_v1 {
    uint32_t size;
    uint32_t reserved;
    /* The channel as the actor sees it. Fails the call with channel_not_found when there is none or the actor may not
     * see it. */
    int32_t (*channel)(void *self, struct taut_call *c, taut_str id, const struct taut_channel **out);
    /* THE permission function: every read and write path of every module asks it. author: of the message, for EDIT and
     * DELETE, else empty. TAUT_OK, or fails the call with the error that Slack gives. Adds the facts that it used as
     * conditions to b (may be NULL for reads). */
    int32_t (*may)(void *self, struct taut_call *c, uint32_t action, const struct taut_channel *ch, taut_str author,
                   struct taut_batch *b);
    /* Fills the batch with a post by the actor. The caller writes its answer and commits. */
    int32_t (*post)(void *self, struct taut_call *c, struct taut_batch *b, const struct taut_post *in,
                    struct taut_posted *out);
    /* The topics of a user's connections: its channels, its own, the workspace's. *as_of: the log position for which
     * they are right. */
    int32_t (*topics)(void *self, struct taut_call *c, taut_str workspace, taut_str user, const struct taut_topic **out,
                      uint32_t *n, uint64_t *as_of);

    /* For provisioning and import; they ask no permission and append no events. */
    int32_t (*channel_by_name)(void *self, struct taut_call *c, taut_str workspace, taut_str name,
                               const struct taut_channel **out);
    int32_t (*channel_import)(void *self, struct taut_call *c, struct taut_batch *b, taut_str workspace,
                              const struct taut_channel *spec, taut_str *id);
    int32_t (*member_import)(void *self, struct taut_call *c, struct taut_batch *b, taut_str workspace,
                             taut_str channel, taut_str user, int64_t read_ts);
    int32_t (*message_import)(void *self, struct taut_call *c, struct taut_batch *b, taut_str workspace,
                              taut_str channel, taut_str user, int64_t ts_us, int64_t thread_ts_us, taut_str text);
    int32_t (*channel_touch)(void *self, struct taut_call *c, struct taut_batch *b, taut_str workspace,
                             taut_str channel, int64_t last_ts_us); /* after an import */
};

#endif
