/* step_world.c - what the world does to the module: time passes, its options change, the store refuses. */
#include "config/internal.h"
#include "modtest.h"
#include "module/reconfigure.h"
#include "store.h"

/* ---- time ---- */

/* -1: reported. */
static int64_t time_of(struct world *w, const struct node *n, const char *what) {
    const struct taut_opt duration = {.name = what, .type = TAUT_OPT_DURATION};
    int64_t ms = -1;
    const char *why = n->kind == NODE_SCALAR ? option_parse(w->config, &duration, n->text, TAUT_NONE, &ms)
                                             : "takes a time such as 90s";
    if (!why) return ms;
    fail_at(w, n, "%s: %s", what, why);
    return -1;
}

bool step_advance(struct world *w, const struct step *s) {
    int64_t ms = time_of(w, s->value, "advance");
    if (ms >= 0) world_advance(w, ms);
    return !w->failed;
}

bool step_lets_pass(struct world *w, const struct step *s, world_cond cond, const void *arg) {
    const struct node *within = node_child(s->node, "within");
    int64_t ms = within ? time_of(w, within, "within") : -1;
    return ms >= 0 && world_advance_until(w, ms, cond, arg);
}

/* ---- the store ---- */

static const struct {
    const char *name;
    int32_t status;
} refusals[] = {
    {"conflict", TAUT_E_CONFLICT}, {"unavailable", TAUT_E_UNAVAILABLE}, {"io", TAUT_E_IO}, {"unknown", TAUT_E_UNKNOWN}};

bool step_storage(struct world *w, const struct step *s) {
    const struct node *next = node_child(s->value, "next"), *status = node_child(s->value, "status");
    bool commit = taut_str_is(node_text(next, ""), "commit"), read = taut_str_is(node_text(next, ""), "read");
    for (size_t i = 0; i < COUNT_OF(refusals) && (commit || read); i++)
        if (taut_str_is(node_text(status, ""), refusals[i].name)) {
            store_refuse(commit, refusals[i].status);
            return true;
        }
    fail_at(w, s->value, "storage: takes {next: commit|read, status: conflict|unavailable|io|unknown}");
    return false;
}

/* ---- an end, and a beginning ---- */

bool step_restart(struct world *w, const struct step *s) {
    if (taut_str_is(node_text(s->value, ""), "server")) return world_restart(w);
    fail_at(w, s->value, "restart: takes \"server\": all modules stop, and start again on the same store");
    return false;
}

/* ---- options ---- */

static const struct config_module *item_of(const struct world *w, const struct config *c) {
    for (uint32_t i = 0; i < c->nmodules; i++)
        if (taut_str_is(c->modules[i].name, w->module->name)) return &c->modules[i];
    return NULL;
}

/* The options as they are, with those of the step in place of theirs. */
static const struct node *merged(struct world *w, const struct node *now, const struct node *changes) {
    struct node *map = arena_zalloc(&w->arena, sizeof *map), **tail = &map->first;
    *map = *changes;
    map->first = NULL;
    tail = &map->first;
    const struct node *lists[] = {changes, now};
    for (size_t k = 0; k < COUNT_OF(lists); k++)
        for (const struct node *i = lists[k] ? lists[k]->first : NULL; i; i = i->next) {
            if (k && node_child(changes, i->key.ptr)) continue;
            struct node *copy = *tail = arena_alloc(&w->arena, sizeof *copy);
            *copy = *i;
            copy->next = NULL;
            tail = &copy->next;
        }
    return map;
}

static taut_str names_text(struct arena *a, const struct change_list *l) {
    return l->n ? option_list_text(a, l->names, l->n) : TAUT_LIT("none");
}

/* Options that need a restart are a fault of the script, unless it says so. */
static bool judge_reload(struct world *w, const struct step *s, const struct reconfigure *r, bool done) {
    const struct node *refused = node_child(s->node, "refused"), *restart = node_child(s->node, "restart");
    taut_str why = r->config->errors.n ? taut_str_z(r->config->errors.problems[0].text) : TAUT_LIT("");
    if (!is_judged(w)) return true;
    if (refused && !done) return expect_text(w, refused, why, "refused");
    if (refused || !done) {
        fail_at(w, refused ? refused : s->value, "reload: expected %s, got %s%s",
                refused ? "a refusal" : "that it is applied", done ? "none" : "refused: ", why.ptr);
        return false;
    }
    if (restart) return expect_text(w, restart, names_text(&w->arena, &r->restart), "restart");
    if (!r->restart.n) return true;
    fail_at(w, s->value, "reload: %s cannot change without a restart", names_text(&w->arena, &r->restart).ptr);
    return false;
}

bool step_reload(struct world *w, const struct step *s) {
    const struct config_module *now = item_of(w, w->config);
    const struct node *options = merged(w, now ? now->options : NULL, s->value);
    struct arena arena = {0};
    struct config *next = world_config(w, options);
    struct modules *wanted = loader_load(next, w->settings->dirs);
    struct reconfigure r = {.arena = &arena, .running = w->modules, .config = next};
    bool done = !next->errors.n;
    if (done) reconfigure_find(&r, wanted);
    done = done && reconfigure_prepare(&r);
    if (done) reconfigure_commit(&r);
    bool ok = judge_reload(w, s, &r, done);
    modules_free(wanted);
    config_free(next);
    arena_free(&arena);
    world_settle(w);
    modules_reap(w->modules);
    struct config_module *item = (struct config_module *)(uintptr_t)item_of(w, w->config);
    if (done) item->options = (struct node *)(uintptr_t)options;
    return ok;
}
