/* internal.h - what the files of the demo module share. Everything runs on the hub.
 *
 *   demo.c       `taut demo`: the command, and DATA/demo.json
 *   provision.c  what the demo workspace has: tasks that look, and add what is missing
 *   file.c       small files: read whole, written atomically
 *   mark.c       the mark of a seed that is under way
 *   seed.c       `taut seed`: the command, and the stages of the work
 *   rows.c       the batches of the seed
 *   plan.c       who is in which channel and how many messages each has, made before anything is written
 *   words.c      numbers and texts that are always the same
 *   module.c     the module
 */
#ifndef DEMO_INTERNAL_H
#define DEMO_INTERNAL_H

#include "taut/svc/conversation.h"
#include "taut/svc/directory.h"
#include "taut/taut.h"

/* The module's state: the services it stands on, and its start while it lasts. */
struct demo {
    const struct taut_svc *directory, *conversation;
    taut_op started;
};

static inline struct demo *demo_of(const struct taut_mod *m) {
    return m->state;
}
/* As the two halves of a call: dir(m)->user(dir_self(m), …). */
static inline const struct taut_directory_v1 *dir(const struct taut_mod *m) {
    return demo_of(m)->directory->vtable;
}
static inline void *dir_self(const struct taut_mod *m) {
    return demo_of(m)->directory->self;
}
static inline const struct taut_conversation_v1 *conv(const struct taut_mod *m) {
    return demo_of(m)->conversation->vtable;
}
static inline void *conv_self(const struct taut_mod *m) {
    return demo_of(m)->conversation->self;
}

static inline taut_str no_str(void) {
    return taut_str_n("", 0);
}

int32_t on_demo(struct taut_mod *m, struct taut_call *c); /* demo.c */
int32_t on_seed(struct taut_mod *m, struct taut_call *c); /* seed.c */
/* The arguments of seed, in this order. */
enum { SEED_USERS, SEED_CHANNELS, SEED_MESSAGES, SEED_TOKENS, SEED_CHANNELS_OUT, SEED_ARGS };
extern const struct taut_arg seed_args[SEED_ARGS];

#endif
