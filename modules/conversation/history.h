/* history.h - pages of messages: of a channel, newest first, and of a thread, oldest first. */
#ifndef CONVERSATION_HISTORY_H
#define CONVERSATION_HISTORY_H

#include "messages.h"

/* Which messages. 0 in hi: no bound. */
struct window {
    int64_t lo, hi; /* microseconds */
    int lo_open, hi_open;
    int from_oldest; /* of more than fit: those that are closest to lo; else those closest to hi */
    uint32_t limit;  /* 1 … TAUT_PAGE_MAX */
};
/* A page ends, whatever its limit, with the message that brings its texts to so many bytes. */
enum { PAGE_BYTES = 1 << 20 };

struct message_page {
    struct message *list;
    uint32_t n;
    int more;
    int64_t last; /* time of the last message looked at: the next page begins behind it */
};

/* Messages that stand in the channel itself, newest first. A page may hold fewer than there are when replies lie
 * between. */
int32_t history_page(struct conv *cv, struct taut_call *c, const struct channel *ch, const struct window *w,
                     struct message_page *out);
/* The parent, then its replies within the window. */
int32_t thread_page(struct conv *cv, struct taut_call *c, const struct channel *ch, const struct taut_row *parent,
                    const struct window *w, struct message_page *out);

/* Writes the member `messages` of the answer: each with its bot, its thread and its reactions. */
int32_t page_load(struct conv *cv, struct taut_call *c, const struct channel *ch, struct message_page *page,
                  taut_str *json);

#endif
