/* rtm.h - what the files of the module share.
 *
 *   rtm.c     the module's tables, rtm.connect
 *   ticket.c  single-use tickets
 *   socket.c  opening and closing of sockets, the state of one
 *   frame.c   what a client says: message, ping, typing
 */
#ifndef RTM_H
#define RTM_H

#include "taut/svc/conversation.h"
#include "taut/svc/directory.h"
#include "taut/taut.h"
#include "ticket.h"

struct rtm_options {
    int64_t ticket_lifetime;     /* ms */
    int64_t messages_per_second; /* of one connection; 0: no limit */
};

enum rtm_metric { RTM_TICKETS, RTM_OPENED, RTM_REFUSED, RTM_SLOWED };

/* The module's state. */
struct rtm {
    const struct taut_svc *conversation;
    const struct taut_svc *directory;
    struct tickets tickets;
};

static inline struct rtm *rtm_of(struct taut_mod *m) {
    return m->state;
}
static inline const struct rtm_options *rtm_options(struct taut_mod *m) {
    return m->config;
}
static inline const struct taut_conversation_v1 *rtm_conversation(struct taut_mod *m) {
    return rtm_of(m)->conversation->vtable;
}
static inline const struct taut_directory_v1 *rtm_directory(struct taut_mod *m) {
    return rtm_of(m)->directory->vtable;
}

/* What one connection may still do. A client that types in more than TYPING_SLOTS channels within TYPING_PAUSE_US may
 * be let through early; that costs its readers an event, nothing else. */
enum { TYPING_SLOTS = 4, TYPING_PAUSE_US = 3000000 };
struct rtm_conn {
    int64_t refilled_us; /* monotonic: when `allowance` was right */
    int64_t allowance;   /* messages, in millionths */
    struct {
        uint64_t channel; /* a hash */
        int64_t at_us;    /* monotonic; 0: free */
    } typing[TYPING_SLOTS];
};
struct rtm_conn *rtm_conn_new(struct taut_mod *m);
/* Takes one message from the allowance of the frame's connection; 0 when there is none left. */
int rtm_conn_may_send(struct taut_mod *m, struct taut_call *c);
/* Notes that the connection types in the channel; 0 when it did so a moment ago. */
int rtm_conn_may_type(struct taut_mod *m, struct taut_call *c, taut_str channel);

int32_t rtm_on_open(struct taut_mod *m, struct taut_call *c);
int32_t rtm_on_frame(struct taut_mod *m, struct taut_call *c);
void rtm_on_close(struct taut_mod *m, taut_conn conn, void *state);

#endif
