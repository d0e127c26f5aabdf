/* kitchen_store.c - storage/1 as its consumer sees it, and the down tables of all families. No module needs to talk to
 * the store itself: rows and events have calls of their own. What is asked here harms nobody. */
#include "kitchen.h"

enum { NO_TABLE = 1 << 20, ANSWERS_MAX = 12 };

struct answers;
struct one {
    struct answers *all;
    uint32_t which;
};
struct answers {
    struct one ones[ANSWERS_MAX];
    struct taut_mod *mod;
    taut_op op;
    uint32_t asked, ended;
    int32_t status[ANSWERS_MAX];
    int64_t logs, events, cursors;
    uint64_t copied, total;
    struct taut_batch_view batch;
    struct taut_cond cond;
    struct taut_scan scan;
    struct taut_get_req get;
    struct taut_val key;
    char workspace[32];
};

static void free_answers(void *result) {
    struct answers *a = result;
    taut_free(a->mod, a);
}
enum { COMMIT, GET, SCAN, EVENTS, LOGS, CURSORS, OPEN, RESTORE, BACKUP, CLOSE, QUESTIONS };
static const char *const names[QUESTIONS] = {"commit",  "get",  "scan",    "events", "logs",
                                             "cursors", "open", "restore", "backup", "close"};

static void on_answer(struct taut_mod *m, void *arg, int32_t status, void *result) {
    struct one *o = arg;
    struct answers *a = o->all;
    a->status[o->which] = status;
    if (status == TAUT_OK && o->which == EVENTS) a->events = ((const struct taut_event_rows *)result)->n;
    if (status == TAUT_OK && o->which == LOGS) a->logs = ((const struct taut_log_heads *)result)->n;
    if (status == TAUT_OK && o->which == CURSORS) a->cursors = ((const struct taut_cursors *)result)->n;
    if (++a->ended == a->asked) taut_op_complete(m, a->op, TAUT_OK, a, free_answers);
}
static taut_op question(struct taut_mod *m, struct answers *a, const struct taut_svc *svc, uint32_t which) {
    a->ones[which] = (struct one){a, which};
    return taut_op_new(m, svc, 5000, on_answer, &a->ones[which]);
}

/* Questions that a store answers, most of them with what is wrong with them. */
static void ask_store(struct taut_mod *m, struct answers *a, const struct taut_svc *svc, int is_down) {
    const struct taut_storage_v1 *t = svc->vtable;
    void *self = svc->self;
    if (!a) return;
    taut_str ws = taut_str_z(a->workspace), there = TAUT_LIT("/dev/null");
    a->asked = is_down ? QUESTIONS : QUESTIONS - 1;
    a->key = taut_v_int(1);
    a->cond = (struct taut_cond){.table = NO_TABLE, .how = TAUT_COND_ABSENT, .key = &a->key, .nkey = 1};
    a->batch =
        (struct taut_batch_view){.size = sizeof a->batch, .workspace = ws, .conds = {&a->cond, 1, sizeof a->cond}};
    a->scan = (struct taut_scan){.size = sizeof a->scan, .index = TAUT_SCAN_PRIMARY, .limit = 1};
    a->get = (struct taut_get_req){.table = NO_TABLE, .nkey = 1, .key = &a->key};
    t->commit(self, &a->batch, question(m, a, svc, COMMIT));
    t->get(self, &a->get, 1, question(m, a, svc, GET));
    t->scan(self, NO_TABLE, &a->scan, question(m, a, svc, SCAN));
    t->events(self, ws, 0, 3, 1000, question(m, a, svc, EVENTS));
    t->logs(self, question(m, a, svc, LOGS));
    t->cursors(self, ws, question(m, a, svc, CURSORS));
    t->open(self, NULL, 0, question(m, a, svc, OPEN));
    t->restore(self, there, question(m, a, svc, RESTORE));
    t->backup(self, there, question(m, a, svc, BACKUP));
    if (is_down) t->close(self, question(m, a, svc, CLOSE)); /* nobody but the core closes one that is up */
    t->copied(self, &a->copied, &a->total);
}

static struct answers *begin_answers(struct taut_mod *m, const taut_str *workspace, taut_op op) {
    struct answers *a = taut_alloc(m, sizeof *a);
    if (!a) {
        taut_op_complete(m, op, TAUT_E_NOMEM, NULL, NULL);
        return NULL;
    }
    memset(a, 0, sizeof *a);
    a->mod = m;
    a->op = op;
    snprintf(a->workspace, sizeof a->workspace, "%.*s", (int)workspace->len, workspace->ptr);
    return a;
}
static void begin_store(struct taut_mod *m, void *arg, taut_op op) {
    ask_store(m, begin_answers(m, arg, op), kitchen_of(m)->storage, 0);
}
static void begin_no_store(struct taut_mod *m, void *arg, taut_op op) {
    ask_store(m, begin_answers(m, arg, op), kitchen_of(m)->no_storage, 1);
}

static void show(struct taut_json *j, const struct answers *a) {
    for (uint32_t i = 0; i < a->asked; i++) taut_json_kint(j, names[i], a->status[i]);
    taut_json_kbool(j, "has_logs", a->logs > 0);
    taut_json_kbool(j, "has_events", a->events > 0);
    taut_json_kbool(j, "has_cursors", a->cursors > 0);
    taut_json_kbool(j, "copies", a->total > 0 && a->copied <= a->total);
}

int32_t kitchen_storage(struct taut_mod *m, struct taut_call *c) {
    taut_str ws = c->actor->workspace;
    void *result;
    TAUT_TRY(taut_await(m, c, NULL, TAUT_LIT("store"), 5000, begin_store, &ws, &result));
    show(taut_answer(c), result);
    return taut_done(c);
}

/* ---- nobody there ---- */

/* How many of the functions of directory/1 say that nobody is there. */
static int directory_down(struct taut_mod *m, struct taut_call *c) {
    const struct taut_svc *s = kitchen_of(m)->no_directory;
    const struct taut_directory_v1 *t = s->vtable;
    const taut_str x = TAUT_LIT("x");
    int n = t->workspace(s->self, c, x, NULL) == TAUT_E_UNAVAILABLE;
    n += t->user(s->self, c, x, x, NULL) == TAUT_E_UNAVAILABLE;
    n += t->bot(s->self, c, x, x, NULL) == TAUT_E_UNAVAILABLE;
    n += t->workspaces(s->self, c, NULL) == TAUT_E_UNAVAILABLE;
    n += t->user_by_name(s->self, c, x, x, NULL) == TAUT_E_UNAVAILABLE;
    n += t->workspace_create(s->self, c, NULL, NULL, NULL, NULL, NULL) == TAUT_E_UNAVAILABLE;
    n += t->user_create(s->self, c, NULL, x, NULL, 0, NULL) == TAUT_E_UNAVAILABLE;
    n += t->bot_create(s->self, c, NULL, x, x, NULL, NULL) == TAUT_E_UNAVAILABLE;
    n += t->token_create(s->self, c, NULL, x, x, x, NULL, NULL) == TAUT_E_UNAVAILABLE;
    n += t->token_check(s->self, c, x, NULL) == TAUT_E_UNAVAILABLE;
    return n + (t->token_live(s->self, c, x, x, NULL) == TAUT_E_UNAVAILABLE);
}

static int conversation_down(struct taut_mod *m, struct taut_call *c) {
    const struct taut_svc *s = kitchen_of(m)->no_conversation;
    const struct taut_conversation_v1 *t = s->vtable;
    const taut_str x = TAUT_LIT("x");
    int n = t->channel(s->self, c, x, NULL) == TAUT_E_UNAVAILABLE;
    n += t->may(s->self, c, TAUT_ACT_SEE, NULL, x, NULL) == TAUT_E_UNAVAILABLE;
    n += t->post(s->self, c, NULL, NULL, NULL) == TAUT_E_UNAVAILABLE;
    n += t->topics(s->self, c, x, x, NULL, NULL, NULL) == TAUT_E_UNAVAILABLE;
    n += t->channel_by_name(s->self, c, x, x, NULL) == TAUT_E_UNAVAILABLE;
    n += t->channel_import(s->self, c, NULL, x, NULL, NULL) == TAUT_E_UNAVAILABLE;
    n += t->member_import(s->self, c, NULL, x, x, x, 0) == TAUT_E_UNAVAILABLE;
    n += t->message_import(s->self, c, NULL, x, x, x, 0, 0, x) == TAUT_E_UNAVAILABLE;
    return n + (t->channel_touch(s->self, c, NULL, x, x, 0) == TAUT_E_UNAVAILABLE);
}

int32_t kitchen_down(struct taut_mod *m, struct taut_call *c) {
    const struct taut_svc *no_auth = kitchen_of(m)->no_auth;
    const struct taut_auth_v1 *auth = no_auth->vtable;
    taut_str ws = c->actor->workspace;
    void *result;
    TAUT_TRY(taut_await(m, c, NULL, TAUT_LIT("no store"), 5000, begin_no_store, &ws, &result));
    struct taut_json *j = taut_answer(c);
    taut_json_kint(j, "auth", auth->resolve(no_auth->self, c, ws, NULL) == TAUT_E_UNAVAILABLE);
    taut_json_kint(j, "directory", directory_down(m, c));
    taut_json_kint(j, "conversation", conversation_down(m, c));
    show(j, result);
    return taut_done(c);
}
