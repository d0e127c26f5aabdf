/* conversation.h - what the files of this module share: its state and how they reach the directory. Thread: hub. */
#ifndef CONVERSATION_CONVERSATION_H
#define CONVERSATION_CONVERSATION_H

#include "taut/svc/conversation.h"
#include "taut/svc/directory.h"
#include "taut/taut.h"

struct conv {
    struct taut_mod *mod;
    const struct taut_svc *directory;
};

static inline struct conv *conv_of(struct taut_mod *m) {
    return m->state;
}

static inline int32_t find_user(struct conv *cv, struct taut_call *c, taut_str workspace, taut_str id,
                                const struct taut_user **out) {
    const struct taut_directory_v1 *directory = cv->directory->vtable;
    return directory->user(cv->directory->self, c, workspace, id, out);
}
static inline int32_t find_bot(struct conv *cv, struct taut_call *c, taut_str workspace, taut_str id,
                               const struct taut_bot **out) {
    const struct taut_directory_v1 *directory = cv->directory->vtable;
    return directory->bot(cv->directory->self, c, workspace, id, out);
}

#endif
