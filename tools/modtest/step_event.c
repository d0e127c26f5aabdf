/* step_event.c - events: those that somebody else appends, and those that the modules have appended or published; and
 * hooks driven by hand. */
#include "ask.h"
#include "store.h"
#include "taut/msg.h"

/* ---- somebody else's ---- */

struct append {
    struct world *world;
    const struct step *step;
    bool ended;
    int32_t status;
    uint64_t seq;
};

static uint32_t topics_of(struct world *w, const struct node *event, const taut_str **topics) {
    const struct node *one = node_child(event, "topic"), *many = node_child(event, "topics");
    uint32_t n = 0;
    for (const struct node *i = many ? many->first : NULL; i; i = i->next) n++;
    taut_str *list = arena_alloc(&w->arena, (n + 1) * sizeof *list);
    n = 0;
    if (one) list[n++] = node_text(one, "");
    for (const struct node *i = many ? many->first : NULL; i && !one; i = i->next) list[n++] = node_text(i, "");
    *topics = list;
    return n;
}

static int32_t append(struct taut_mod *m, struct taut_call *c) {
    const struct append *a = c->arg;
    const struct node *event = a->step->value, *body = node_child(event, "body");
    struct taut_batch *b = taut_batch(c);
    struct taut_event e = {.size = sizeof e, .body = TAUT_LIT("{}")};
    e.ntopics = topics_of(a->world, event, &e.topics);
    if (body) e.body = body->kind == NODE_SCALAR ? body->text : node_json_text(&a->world->arena, body);
    taut_batch_workspace(m, b, node_text(node_child(event, "workspace"), "T1"));
    taut_append(m, b, &e);
    store_spare(&b->view);
    return taut_commit(c, b);
}

static void on_appended(struct taut_mod *m, void *arg, const struct taut_outcome *o) {
    struct append *a = arg;
    (void)m;
    a->status = o->status;
    a->seq = o->seq;
    a->ended = true;
    store_spare(NULL);
}

static bool is_appended(struct world *w, const void *arg) {
    (void)w;
    return ((const struct append *)arg)->ended;
}

bool step_event(struct world *w, const struct step *s) {
    struct append *a = arena_zalloc(&w->arena, sizeof *a);
    *a = (struct append){.world = w, .step = s};
    run_task(core_mod(w->hub), NULL, append, a, on_appended);
    if (!world_wait(w, is_appended, a) || a->status != TAUT_OK) {
        fail_at(w, s->value, "event: it was not appended");
        return false;
    }
    gateway_forget_event(w, node_text(node_child(s->value, "workspace"), "T1"), a->seq);
    return true;
}

/* ---- what came ---- */

static json_t *event_json(const struct event *e) {
    json_t *o = json_object(), *topics = json_array(), *deltas = json_array();
    for (uint32_t i = 0; i < e->ntopics; i++)
        json_array_append_new(topics, json_stringn(e->topics[i].ptr, e->topics[i].len));
    for (uint32_t i = 0; i < e->ndeltas; i++) {
        const struct taut_delta *d = &e->deltas[i];
        char *text =
            xasprintf("%c%.*s %.*s", (int)d->how, (int)d->who.len, d->who.ptr, (int)d->topic.len, d->topic.ptr);
        json_array_append_new(deltas, json_string(text));
        free(text);
    }
    json_object_set_new(o, "workspace", json_stringn(e->workspace.ptr, e->workspace.len));
    json_object_set_new(o, "topic", e->ntopics ? json_incref(json_array_get(topics, 0)) : json_null());
    json_object_set_new(o, "topics", topics);
    json_object_set_new(o, "deltas", deltas);
    json_object_set_new(o, "ephemeral", json_boolean(!e->seq));
    json_object_set_new(o, "body", json_loadb(e->body.ptr, e->body.len, JSON_DECODE_ANY, NULL));
    return o;
}

static json_t *events_json(const struct world *w) {
    json_t *all = json_array();
    for (const struct note *n = w->gateway->events; n; n = n->next) json_array_append_new(all, event_json(n->event));
    return all;
}

static bool came(struct world *w, const void *arg) {
    json_t *all = events_json(w);
    bool same = matches_json(arg, all);
    json_decref(all);
    return same;
}

static void forget_events(struct world *w) {
    for (struct note *n = w->gateway->events; n; n = n->next) event_unref(n->event);
    w->gateway->events = NULL;
    w->gateway->events_tail = &w->gateway->events;
}

bool step_events(struct world *w, const struct step *s) {
    world_wait(w, came, s->value);
    json_t *all = events_json(w);
    bool ok = !is_judged(w) || expect_json(w, s->value, all, "events");
    json_decref(all);
    forget_events(w);
    return ok;
}

/* ---- hooks ---- */

struct driven {
    struct world *world;
    const struct step *step;
    struct taut_draft draft;
    struct taut_channel channel;
    bool ended;
    taut_str body, error;
};

static int32_t set_draft(struct taut_draft *d, struct taut_mod *m, uint32_t field, taut_str value) {
    struct driven *h = d->owner;
    taut_str *fields[] = {NULL, &d->text, &d->blocks, &d->attachments, &d->metadata};
    (void)m;
    if (!field || field >= COUNT_OF(fields)) return TAUT_E_INVAL;
    json_t *text = field == TAUT_DRAFT_TEXT ? json_stringn(value.ptr, value.len) : NULL; /* NULL: no UTF-8 */
    if (field == TAUT_DRAFT_TEXT && !text) return TAUT_E_INVAL;
    json_decref(text);
    *fields[field] = arena_str(&h->world->arena, value);
    d->edits++;
    return TAUT_OK;
}

static void read_draft(struct driven *h) {
    const struct node *n = node_child(h->step->node, "draft");
    h->channel = (struct taut_channel){.size = sizeof h->channel,
                                       .kind = TAUT_CH_PUBLIC,
                                       .id = node_text(node_child(n, "channel"), "C1"),
                                       .name = TAUT_LIT("general"),
                                       .creator = TAUT_LIT("U1"),
                                       .is_member = 1,
                                       .topic = TAUT_NONE,
                                       .purpose = TAUT_NONE,
                                       .peer = TAUT_NONE};
    h->draft = (struct taut_draft){.size = sizeof h->draft,
                                   .channel = &h->channel,
                                   .user = node_text(node_child(n, "user"), "U1"),
                                   .bot = node_text(node_child(n, "bot"), ""),
                                   .thread_ts = node_text(node_child(n, "thread_ts"), ""),
                                   .ts = node_text(node_child(n, "ts"), ""),
                                   .text = node_text(node_child(n, "text"), ""),
                                   .blocks = node_text(node_child(n, "blocks"), ""),
                                   .attachments = node_text(node_child(n, "attachments"), ""),
                                   .metadata = node_text(node_child(n, "metadata"), ""),
                                   .set = set_draft,
                                   .owner = h};
}

/* Asks the filters and writes what they added: as the owner of the point does. */
static int32_t drive_filters(struct taut_mod *m, struct taut_call *c) {
    struct driven *h = c->arg;
    struct taut_batch *b = taut_batch(c);
    read_draft(h);
    taut_batch_workspace(m, b, c->actor->workspace);
    TAUT_TRY(taut_filter(m, c, h->step->value->text.ptr, TAUT_NONE, b, &h->draft));
    struct taut_json *j = taut_answer(c);
    taut_json_kbool(j, "ok", 1);
    taut_json_kstr(j, "text", h->draft.text);
    if (h->draft.blocks.len) taut_json_ktext(j, "blocks", h->draft.blocks);
    if (h->draft.attachments.len) taut_json_ktext(j, "attachments", h->draft.attachments);
    if (h->draft.metadata.len) taut_json_ktext(j, "metadata", h->draft.metadata);
    return taut_commit(c, b);
}

static int32_t drive_observers(struct taut_mod *m, struct taut_call *c) {
    const struct driven *h = c->arg;
    const struct node *body = node_child(h->step->node, "body");
    taut_str text = !body                       ? TAUT_LIT("{}")
                    : body->kind == NODE_SCALAR ? body->text
                                                : node_json_text(&h->world->arena, body);
    taut_observe(m, NULL, h->step->value->text.ptr, node_text(node_child(h->step->node, "workspace"), "T1"), text);
    taut_json_kbool(taut_answer(c), "ok", 1);
    return taut_done(c);
}

static void on_driven(struct taut_mod *m, void *arg, const struct taut_outcome *o) {
    struct driven *h = arg;
    (void)m;
    h->error = arena_str(&h->world->arena, o->error);
    h->body = o->status == TAUT_OK ? arena_str(&h->world->arena, o->body)
                                   : arena_fmt(&h->world->arena, "{\"ok\":false,\"error\":\"%s\"}", h->error.ptr);
    h->ended = true;
}

static bool is_driven(struct world *w, const void *arg) {
    (void)w;
    return ((const struct driven *)arg)->ended;
}

/* Filters of other points are shown something else than a draft. False: reported. */
static bool may_drive(struct world *w, const struct step *s) {
    const char *point = s->value->text.ptr;
    bool is_draft = !strcmp(point, TAUT_HOOK_BEFORE_SEND) || !strcmp(point, TAUT_HOOK_BEFORE_EDIT);
    const struct hook_point *there = map_get(&w->modules->points, s->value->text);
    if (!there) fail_at(w, s->value, "hook: no module has a function at \"%s\"", point);
    else if (!is_draft && node_child(s->node, "draft"))
        fail_at(w, s->value,
                "hook: a draft is what filters at " TAUT_HOOK_BEFORE_SEND " and " TAUT_HOOK_BEFORE_EDIT
                " are shown; others are driven by the module whose point it is (list it in \"modules\")");
    else if (!node_child(s->node, "draft") && !there->nobservers)
        fail_at(w, s->value, "hook: nobody observes \"%s\"%s", point, is_draft ? "; give a draft" : "");
    return !w->failed;
}

bool step_hook(struct world *w, const struct step *s) {
    if (!may_drive(w, s)) return false;
    struct driven *h = arena_zalloc(&w->arena, sizeof *h);
    const struct node *answer = node_child(s->node, "answer");
    *h = (struct driven){.world = w, .step = s};
    bool asks = node_child(s->node, "draft") != NULL;
    run_task(core_mod(w->hub), asks ? actor_of(w, node_child(s->node, "as")) : NULL,
             asks ? drive_filters : drive_observers, h, on_driven);
    if (!world_wait(w, is_driven, h) && !step_lets_pass(w, s, is_driven, h)) {
        if (!w->failed)
            fail_at(w, s->value,
                    "hook: the filters do not come to an end; if they wait for time to pass, say how long: "
                    "\"within: 5s\"");
        return false;
    }
    if (!is_judged(w) || !answer) return true;
    json_t *got = json_loadb(h->body.ptr, h->body.len, JSON_DECODE_ANY, NULL);
    bool ok = expect_json(w, answer, got, "answer");
    json_decref(got);
    return ok;
}
