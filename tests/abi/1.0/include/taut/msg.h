/* msg.h - channels and messages as other modules see them, and the draft that filters of a message may change.
 *
 * Thread: hub. Since 1.0.
 */
#ifndef TAUT_MSG_H
#define TAUT_MSG_H

#include "taut/hook.h"

enum { TAUT_CH_PUBLIC = 1, TAUT_CH_PRIVATE = 2, TAUT_CH_IM = 3, TAUT_CH_MPIM = 4 };

struct taut_channel {
    uint32_t size;
    uint32_t kind; /* TAUT_CH_* */
    taut_str id, name, creator, topic, purpose;
    uint32_t is_archived, is_general;
    uint32_t is_member; /* the call's actor is in it */
    uint32_t reserved;
    int64_t created;    /* seconds */
    int64_t last_ts;    /* microseconds; 0: empty */
    uint64_t since_seq; /* the actor's membership began at this seq */
    taut_str peer;      /* IM: the other user */
};

/* Filters of a message before it is stored, whoever posts it and by whatever way. data: a struct taut_draft. The
 * actor's right to post has been asked before, and its facts are conditions of the batch: they still hold when what the
 * filters left is written. */
#define TAUT_HOOK_BEFORE_SEND "message.before_send"
/* The same for what an edit makes of a message. */
#define TAUT_HOOK_BEFORE_EDIT "message.before_edit"
/* Observers of messages that are on disk. body: {"channel":C…,"ts":…,"user":U…}, without the text. */
#define TAUT_HOOK_SENT "message.sent"
#define TAUT_HOOK_EDITED "message.edited"
#define TAUT_HOOK_DELETED "message.deleted"

enum { TAUT_DRAFT_TEXT = 1, TAUT_DRAFT_BLOCKS = 2, TAUT_DRAFT_ATTACHMENTS = 3, TAUT_DRAFT_METADATA = 4 };

/* A message that is not stored yet. Filters read it, and change it by taut_draft_set alone, so that who changed what is
 * known. */
struct taut_draft {
    uint32_t size;
    uint32_t edits; /* how often it was changed */
    const struct taut_channel *channel;
    taut_str user, bot;                     /* who posts; bot: or empty */
    taut_str thread_ts;                     /* or empty */
    taut_str ts;                            /* edits: of the message; else empty */
    taut_str text;                          /* as it will be stored: <, > and & are escaped */
    taut_str blocks, attachments, metadata; /* JSON or empty */
    int32_t (*set)(struct taut_draft *d, struct taut_mod *m, uint32_t field, taut_str value);
    void *owner;
};

/* Changes a field; the value is copied. TAUT_E_INVAL: no such field, no JSON, or no UTF-8; TAUT_E_LIMIT: too long. */
static inline int32_t taut_draft_set(struct taut_draft *d, struct taut_mod *m, uint32_t field, taut_str value) {
    return d->set(d, m, field, value);
}

#endif
