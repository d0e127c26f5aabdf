/* kitchen.h - the kitchen sink: a module that uses every public call of include/taut, each so that a test can see what
 * came of it (tests/e2e/kitchen.test.mjs). One file a topic. The hub, except where a file says "pool". */
#ifndef KITCHEN_H
#define KITCHEN_H

#include "taut/msg.h"
#include "taut/svc/auth.h"
#include "taut/svc/conversation.h"
#include "taut/svc/directory.h"
#include "taut/svc/storage.h"
#include "taut/taut.h"

struct options {
    int64_t fails, log, patience;
    taut_str greeting;
    struct taut_array words;
};
enum { FAILS_NEVER, FAILS_IN_INIT, FAILS_IN_START };
enum { LOG_READ, LOG_FAILS, LOG_IS_HELD };

enum { DISHES, TEMPERATURE, COOKING, METRICS };

struct kitchen {
    struct taut_mod *mod;
    const struct taut_svc *slow, *nobody;
    const struct taut_svc *auth, *directory, *conversation, *storage;
    const struct taut_svc *no_auth, *no_directory, *no_conversation, *no_storage; /* families that nobody provides */
    taut_sub own, kept;
    int64_t sent, edited, deleted, logged, last_seq, awaited, tasted, own_logged, opened, closed, prepared, committed;
    uint64_t skip; /* the own subscription is to go on that many behind where it is */
};

static inline struct kitchen *kitchen_of(const struct taut_mod *m) {
    return m->state;
}
static inline const struct options *options_of(const struct taut_mod *m) {
    return m->config;
}

/* A member of an answer: did that come to what it should? */
static inline void kitchen_check(struct taut_json *j, const char *name, int is_right) {
    taut_json_kbool(j, name, is_right);
}

typedef int32_t handler(struct taut_mod *m, struct taut_call *c);

handler kitchen_base, kitchen_health, kitchen_json, kitchen_fail, kitchen_page;  /* kitchen_base.c, kitchen_answer.c */
handler kitchen_await, kitchen_slow, kitchen_nobody, kitchen_held, kitchen_task; /* kitchen_wait.c */
handler kitchen_loop, kitchen_ops;                                               /* kitchen_loop.c */
handler kitchen_put, kitchen_get, kitchen_list, kitchen_change, kitchen_remove;  /* kitchen_table.c */
handler kitchen_write;                                                           /* a command */
handler kitchen_announce, kitchen_skip, kitchen_unsubscribe, kitchen_trim;       /* kitchen_log.c */
handler kitchen_point;                                                           /* kitchen_hooks.c */
handler kitchen_directory, kitchen_conversation, kitchen_say;                    /* kitchen_services.c */
handler kitchen_provision;                                                       /* a command */
handler kitchen_storage, kitchen_down;                                           /* kitchen_store.c */
handler kitchen_on_echo, kitchen_on_form, kitchen_on_file, kitchen_on_health;    /* kitchen_route.c */
handler kitchen_open, kitchen_frame;
void kitchen_close(struct taut_mod *m, taut_conn conn, void *state);

int32_t kitchen_begin_services(struct taut_mod *m);
int32_t kitchen_begin_log(struct taut_mod *m);
void kitchen_end_log(struct taut_mod *m);
void kitchen_wake(struct taut_mod *m, void *arg); /* completes the op that arg is */

/* kitchen_hooks.c */
int32_t kitchen_before_send(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, void *data);
int32_t kitchen_at_birth(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, void *data);
int32_t kitchen_taste(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, void *data);
void kitchen_sent(struct taut_mod *m, const struct taut_observed *o);
void kitchen_edited(struct taut_mod *m, const struct taut_observed *o);
void kitchen_deleted(struct taut_mod *m, const struct taut_observed *o);
void kitchen_tasted(struct taut_mod *m, const struct taut_observed *o);
int32_t kitchen_knows(struct taut_mod *m, struct taut_call *c, void *data);
#define KITCHEN_POINT "kitchen.point"

/* kitchen_table.c */
enum { THING_WORKSPACE, THING_ID, THING_N, THING_NOTE, THING_RAW, THING_SEQ };
extern const struct taut_table kitchen_things;
#define THING(ws, id) TAUT_KEY(taut_v_str(ws), taut_v_str(id))

#endif
