/* svc/conversation.h - the family conversation/1: channels, members, messages, and the one permission function.
 *
 * Functions are restartable. Those that take a batch only add to it. Strings handed out live as long as the call.
 * Thread: hub. Since 1.0.
 */
#ifndef TAUT_SVC_CONVERSATION_H
#define TAUT_SVC_CONVERSATION_H

#include "taut/conn.h"
#include "taut/msg.h"
#include "taut/table.h"

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
struct taut_new_message {
    uint32_t size;
    uint32_t reply_broadcast;
    taut_str channel;
    taut_str text;
    taut_str thread_ts;
    taut_str client_msg_id;                 /* makes retries safe; or empty */
    taut_str blocks, attachments, metadata; /* JSON or empty */
    taut_str subtype;
    taut_conn skip; /* the connection that gets an ack instead of the event */
};

/* What was posted, or will be when the batch commits. */
struct taut_posted {
    uint32_t size;     /* set by the caller; nothing behind it is written */
    uint32_t repeated; /* 1: this was a retry; nothing to commit, the rest is the first answer */
    taut_str channel, ts, text;
    taut_str message; /* the message object as JSON */
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
    /* Fills the batch with a post by the actor, after the filters of TAUT_HOOK_BEFORE_SEND. The caller writes its
     * answer and commits. */
    int32_t (*post)(void *self, struct taut_call *c, struct taut_batch *b, const struct taut_new_message *in,
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

/* ---- when nobody provides it ---- */

static inline int32_t taut_conversation_down_channel(void *self, struct taut_call *c, taut_str id,
                                                     const struct taut_channel **out) {
    (void)self, (void)c, (void)id, (void)out;
    return TAUT_E_UNAVAILABLE;
}
static inline int32_t taut_conversation_down_may(void *self, struct taut_call *c, uint32_t action,
                                                 const struct taut_channel *ch, taut_str author, struct taut_batch *b) {
    (void)self, (void)c, (void)action, (void)ch, (void)author, (void)b;
    return TAUT_E_UNAVAILABLE;
}
static inline int32_t taut_conversation_down_post(void *self, struct taut_call *c, struct taut_batch *b,
                                                  const struct taut_new_message *in, struct taut_posted *out) {
    (void)self, (void)c, (void)b, (void)in, (void)out;
    return TAUT_E_UNAVAILABLE;
}
static inline int32_t taut_conversation_down_topics(void *self, struct taut_call *c, taut_str workspace, taut_str user,
                                                    const struct taut_topic **out, uint32_t *n, uint64_t *as_of) {
    (void)self, (void)c, (void)workspace, (void)user, (void)out, (void)n, (void)as_of;
    return TAUT_E_UNAVAILABLE;
}
static inline int32_t taut_conversation_down_channel_by_name(void *self, struct taut_call *c, taut_str workspace,
                                                             taut_str name, const struct taut_channel **out) {
    (void)self, (void)c, (void)workspace, (void)name, (void)out;
    return TAUT_E_UNAVAILABLE;
}
static inline int32_t taut_conversation_down_channel_import(void *self, struct taut_call *c, struct taut_batch *b,
                                                            taut_str workspace, const struct taut_channel *spec,
                                                            taut_str *id) {
    (void)self, (void)c, (void)b, (void)workspace, (void)spec, (void)id;
    return TAUT_E_UNAVAILABLE;
}
static inline int32_t taut_conversation_down_member_import(void *self, struct taut_call *c, struct taut_batch *b,
                                                           taut_str workspace, taut_str channel, taut_str user,
                                                           int64_t read_ts) {
    (void)self, (void)c, (void)b, (void)workspace, (void)channel, (void)user, (void)read_ts;
    return TAUT_E_UNAVAILABLE;
}
static inline int32_t taut_conversation_down_message_import(void *self, struct taut_call *c, struct taut_batch *b,
                                                            taut_str workspace, taut_str channel, taut_str user,
                                                            int64_t ts_us, int64_t thread_ts_us, taut_str text) {
    (void)self, (void)c, (void)b, (void)workspace, (void)channel, (void)user, (void)ts_us, (void)thread_ts_us,
        (void)text;
    return TAUT_E_UNAVAILABLE;
}
static inline int32_t taut_conversation_down_channel_touch(void *self, struct taut_call *c, struct taut_batch *b,
                                                           taut_str workspace, taut_str channel, int64_t last_ts_us) {
    (void)self, (void)c, (void)b, (void)workspace, (void)channel, (void)last_ts_us;
    return TAUT_E_UNAVAILABLE;
}
TAUT_UNUSED static const struct taut_conversation_v1 taut_conversation_down = {
    (uint32_t)sizeof(struct taut_conversation_v1),
    0,
    taut_conversation_down_channel,
    taut_conversation_down_may,
    taut_conversation_down_post,
    taut_conversation_down_topics,
    taut_conversation_down_channel_by_name,
    taut_conversation_down_channel_import,
    taut_conversation_down_member_import,
    taut_conversation_down_message_import,
    taut_conversation_down_channel_touch,
};

#endif
