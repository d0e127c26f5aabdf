/* ask.c - see ask.h. */
#include "ask.h"
#include "watch.h"

enum { HELD_MS = 61000, GRACE_MS = 50 /* for other threads to answer what should not be answered */ };

/* ---- who ---- */

static const struct taut_actor somebody = {
    .size = sizeof somebody, .workspace = {"T1", 2}, .user = {"U1", 2}, .token = {"K1", 2}};

static const struct {
    const char *name;
    uint32_t flag;
} flags[] = {{"admin", TAUT_ACTOR_ADMIN},
             {"owner", TAUT_ACTOR_OWNER},
             {"bot", TAUT_ACTOR_BOT},
             {"operator", TAUT_ACTOR_OPERATOR},
             {"system", TAUT_ACTOR_SYSTEM}};

static uint32_t flags_of(struct world *w, const struct node *list) {
    uint32_t all = 0;
    for (const struct node *n = list ? list->first : NULL; n; n = n->next) {
        size_t i = 0;
        while (i < COUNT_OF(flags) && !taut_str_is(node_text(n, ""), flags[i].name)) i++;
        if (i < COUNT_OF(flags)) all |= flags[i].flag;
        else fail_at(w, n, "flags: \"%s\" is not one of admin, owner, bot, operator, system", node_text(n, "").ptr);
    }
    return all;
}

const struct taut_actor *actor_of(struct world *w, const struct node *as) {
    const struct {
        const char *name;
        size_t at;
    } texts[] = {{"workspace", offsetof(struct taut_actor, workspace)},
                 {"user", offsetof(struct taut_actor, user)},
                 {"bot", offsetof(struct taut_actor, bot)},
                 {"app", offsetof(struct taut_actor, app)},
                 {"token", offsetof(struct taut_actor, token)},
                 {"scopes", offsetof(struct taut_actor, scopes)}};
    struct taut_actor *a = arena_alloc(&w->arena, sizeof *a);
    *a = somebody;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        const struct node *n = node_child(as, texts[i].name);
        taut_str *text = (taut_str *)(void *)((char *)a + texts[i].at);
        if (n) *text = node_text(n, "");
        if (!text->ptr) *text = TAUT_NONE;
    }
    a->flags = flags_of(w, node_child(as, "flags"));
    return a;
}

static bool has_own_auth(const struct world *w) {
    for (uint32_t i = 0; i < w->modules->n; i++)
        if (!strcmp(w->modules->list[i]->def->name, modtest_auth.name)) return true;
    return false;
}

taut_str token_of(struct world *w, const struct step *s) {
    const struct node *token = node_child(s->node, "token"), *as = node_child(s->node, "as");
    if (token) return node_text(token, "");
    if (!has_own_auth(w) || (as && as->kind == NODE_SCALAR && taut_str_is(as->text, "nobody"))) return TAUT_NONE;
    return auth_token(w, actor_of(w, as));
}

taut_str head_of(struct world *w, const struct node *headers, taut_str token) {
    taut_str head = TAUT_LIT("");
    for (const struct node *h = headers ? headers->first : NULL; h; h = h->next)
        head = arena_fmt(&w->arena, "%s%s: %s\r\n", head.ptr, h->key.ptr, node_text(h, "").ptr);
    if (token.len) head = arena_fmt(&w->arena, "%sAuthorization: Bearer %s\r\n", head.ptr, token.ptr);
    return head;
}

/* ---- asking ---- */

bool may_judge(const struct asking *how, bool says_ok) {
    return !fault_happened() || (how->judged_before && says_ok);
}

/* What the call waits for: ": it awaits "bell"". */
static const char *why_open(struct world *w, const struct asked *a) {
    const struct hub *h = w->hub;
    taut_str text = TAUT_LIT("");
    for (const struct run *r = h->runs; r; r = r->next)
        if (a->call && r->call == a->call && run_is_held(r))
            text = TAUT_LIT(": its handler has returned TAUT_E_PENDING, and nobody has ended it since");
    for (uint32_t i = 0; i < h->ops.cap; i++) {
        const struct op_slot *s = &h->ops.slots[i];
        if (s->generation & 1 && s->mod == &w->module->pub && s->key.len)
            text = arena_fmt(&w->arena, "%s%s \"%.*s\"", text.ptr, text.len ? "," : ": it awaits", (int)s->key.len,
                             s->key.ptr);
    }
    for (const struct held *o = watch_list(HELD_OP); o; o = o->next)
        text = arena_fmt(&w->arena, "%s%s an operation is open, since %s", text.ptr, text.len ? "," : ":", o->when);
    return text.ptr;
}

bool ask(struct world *w, const struct step *s, struct asked *a, struct asking *how) {
    bool is_pending = node_is_true(node_child(s->node, "pending"));
    how->judged_before = !fault_happened();
    gateway_send(w, a);
    if (is_pending) w->gateway->pending = a;
    if (is_pending && !world_wait_for(w, GRACE_MS, gateway_is_answered, a)) return false;
    if (is_pending && is_judged(w)) fail_at(w, s->value, "is answered already: %.*s", (int)a->body.len, a->body.ptr);
    if (is_pending) return false;
    if (world_wait(w, gateway_is_answered, a)) return true;
    if (step_lets_pass(w, s, gateway_is_answered, a)) return true;
    if (w->failed) return false;
    if (is_judged(w)) {
        fail_at(w, s->value,
                "there is no answer%s; when it waits for what comes later, say \"pending: true\" here and "
                "\"answered:\" then",
                why_open(w, a));
        return false;
    }
    if (world_advance_until(w, HELD_MS, gateway_is_answered, a)) return true;
    fail_at(w, s->value, "was not answered within %d s", HELD_MS / 1000);
    return false;
}
