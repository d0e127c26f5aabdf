/* kitchen_hooks.c - filters and observers at other modules' points, and a point of its own with all three kinds. */
#include "kitchen.h"

/* ---- messages ---- */

static void begin_slow(struct taut_mod *m, void *arg, taut_op op) {
    if (!taut_timer_start(m, (uint64_t)(uintptr_t)arg, 0, kitchen_wake, (void *)(uintptr_t)op))
        taut_op_complete(m, op, TAUT_E_NOMEM, NULL, NULL);
}

int32_t kitchen_before_send(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, void *data) {
    struct taut_draft *d = data;
    void *nothing;
    (void)b;
    if (taut_str_is(d->text, "forbidden"))
        return taut_fail_text(c, "restricted_action", TAUT_LIT("that word is forbidden here"));
    if (taut_str_is(d->text, "slow"))
        TAUT_TRY(taut_await(m, c, NULL, TAUT_LIT("slow"), 1000, begin_slow, (void *)100, &nothing));
    if (taut_str_is(d->text, "broken")) return TAUT_E_IO;
    if (taut_str_is(d->text, "shout")) return taut_draft_set(d, m, TAUT_DRAFT_TEXT, TAUT_LIT("HO"));
    return TAUT_OK;
}

void kitchen_sent(struct taut_mod *m, const struct taut_observed *o) {
    if (o->seq && o->body.len) kitchen_of(m)->sent++;
}
void kitchen_edited(struct taut_mod *m, const struct taut_observed *o) {
    if (taut_str_is(taut_str_z(o->point), TAUT_HOOK_EDITED)) kitchen_of(m)->edited++;
}
void kitchen_deleted(struct taut_mod *m, const struct taut_observed *o) {
    if (taut_str_is(taut_str_z(o->point), TAUT_HOOK_DELETED)) kitchen_of(m)->deleted++;
}

/* ---- people: a thing of theirs in the batch that makes them ---- */

int32_t kitchen_at_birth(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, void *data) {
    const struct taut_user_create *birth = data;
    (void)c;
    taut_upsert(m, b, &kitchen_things,
                TAUT_KEY(taut_v_str(birth->workspace), taut_v_str(birth->user->id), taut_v_int(1),
                         taut_v_str(birth->user->id)));
    return TAUT_OK;
}

/* ---- a point of its own ---- */

struct dish {
    taut_str name;
    int64_t salt;
};

int32_t kitchen_taste(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, void *data) {
    struct dish *d = data;
    (void)m, (void)b;
    if (taut_str_is(d->name, "mud")) return taut_fail(c, "not_edible");
    d->salt++;
    return TAUT_OK;
}
void kitchen_tasted(struct taut_mod *m, const struct taut_observed *o) {
    if (o->body.len && o->workspace.len) kitchen_of(m)->tasted++;
}
int32_t kitchen_knows(struct taut_mod *m, struct taut_call *c, void *data) {
    struct dish *d = data;
    (void)m, (void)c;
    if (taut_str_is(d->name, "secret")) return TAUT_PASS;
    d->salt += 10;
    return TAUT_OK;
}

int32_t kitchen_point(struct taut_mod *m, struct taut_call *c) {
    struct dish d = {taut_arg_str(c, 0), 0};
    TAUT_TRY(taut_filter(m, c, KITCHEN_POINT, TAUT_LIT("table 1"), NULL, &d));
    int32_t provided = taut_provide(m, c, KITCHEN_POINT, &d);
    struct taut_json *j = taut_answer(c);
    taut_json_kint(j, "functions", taut_hooked(m, KITCHEN_POINT));
    taut_json_kint(j, "nobody", taut_hooked(m, "kitchen.empty"));
    taut_json_kint(j, "salt", d.salt);
    taut_json_kint(j, "provided", provided);
    taut_observe(m, NULL, KITCHEN_POINT, c->actor->workspace, TAUT_LIT("{\"tasted\":true}"));
    return taut_done(c);
}
