/* step_notes.c - what the module says of itself: its log, its health, its metrics. */
#include "modtest.h"
#include "obs/log.h"
#include "obs/log_format.h"

/* ---- the log ---- */

static bool is_the_line(const struct world *w, const struct node *want, const struct line *l) {
    const struct node *event = node_child(want, "event"), *level = node_child(want, "level");
    const struct node *text = node_child(want, "text"), *who = node_child(want, "module");
    if (strcmp(l->who, who ? node_text(who, "").ptr : w->module->name) != 0) return false;
    if (want->kind == NODE_SCALAR) return matches_text(want->text, taut_str_z(l->event));
    if (event && !matches_text(node_text(event, ""), taut_str_z(l->event))) return false;
    if (level && !taut_str_is(node_text(level, ""), log_level_names[l->level & 3])) return false;
    return !text || matches_text(node_text(text, ""), l->text);
}

static bool was_logged(struct world *w, const void *arg) {
    const struct step *s = arg;
    for (const struct line *l = notes_next(NULL); l; l = notes_next(l)) {
        if (!is_the_line(w, s->value, l)) continue;
        notes_seen(l);
        return true;
    }
    return false;
}

static void say_what_was(struct world *w, const struct step *s) {
    taut_str all = TAUT_LIT("");
    for (const struct line *l = notes_next(NULL); l; l = notes_next(l))
        if (!strcmp(l->who, w->module->name))
            all = arena_fmt(&w->arena, "%s%s%s %s \"%s\"", all.ptr, all.len ? ", " : "", log_level_names[l->level & 3],
                            l->event, l->text.ptr);
    fail_at(w, s->value, "log: there is no such line; there is %s", all.len ? all.ptr : "none");
}

bool step_log(struct world *w, const struct step *s) {
    if (!is_judged(w) || world_wait(w, was_logged, s)) return true;
    say_what_was(w, s);
    return false;
}

/* ---- health ---- */

/* {"level": …, "notes": [{"code": …, "level": …, "text": …}]} */
static json_t *health_of(const struct world *w) {
    struct health_note notes[HEALTH_NOTES];
    uint32_t n = health_list(&w->module->seen->health, notes);
    json_t *all = json_object(), *list = json_array();
    for (uint32_t i = 0; i < n; i++)
        json_array_append_new(list, json_pack("{s:s,s:s,s:s}", "level", health_names[notes[i].level % 3], "code",
                                              notes[i].code, "text", notes[i].text));
    json_object_set_new(all, "level", json_string(health_names[health_worst(&w->module->seen->health) % 3]));
    json_object_set_new(all, "notes", list);
    return all;
}

/* Of a map {level, code, text}: one of the notes. */
static bool is_health(const struct node *want, const json_t *health) {
    const json_t *note;
    size_t i;
    if (want->kind == NODE_SCALAR) return matches_json(want, json_object_get(health, "level"));
    json_array_foreach(json_object_get(health, "notes"), i, note) if (matches_json(want, note)) return true;
    return false;
}

static bool has_health(struct world *w, const void *arg) {
    subs_watch(w->hub); /* what the server does each second */
    json_t *health = health_of(w);
    bool is = is_health(((const struct step *)arg)->value, health);
    json_decref(health);
    return is;
}

bool step_health(struct world *w, const struct step *s) {
    if (!is_judged(w) || world_wait(w, has_health, s)) return true;
    json_t *health = health_of(w);
    char *text = json_dumps(health, JSON_COMPACT);
    taut_str want = node_json_text(&w->arena, s->value);
    fail_at(w, s->value, "health: expected %s, got %s", want.ptr, text);
    free(text);
    json_decref(health);
    return false;
}

/* ---- metrics ---- */

/* Which of "result=ok|error" is "ok"? */
static uint32_t label_index(const char *labels, taut_str label) {
    const char *at = labels ? strchr(labels, '=') : NULL;
    for (uint32_t i = 0; at && *at; i++) {
        size_t n = strcspn(++at, "|");
        if (label.len == n && !memcmp(at, label.ptr, n)) return i;
        at += n;
    }
    return 0;
}

static const struct seen_metric *find_metric(const struct world *w, taut_str name) {
    const struct seen *seen = w->module->seen;
    for (uint32_t i = 0; i < seen->nmetrics; i++)
        if (taut_str_is(name, seen->metrics[i].def.name)) return &seen->metrics[i];
    return NULL;
}

static long long metric_value(const struct world *w, const struct step *s) {
    const struct seen_metric *m = find_metric(w, node_text(node_child(s->value, "name"), ""));
    uint32_t label = label_index(m->def.labels, node_text(node_child(s->value, "label"), ""));
    return m->histograms ? (long long)histogram_count(&m->histograms[label]) : atomic_load(&m->values[label]);
}

static bool has_value(struct world *w, const void *arg) {
    const struct step *s = arg;
    return metric_value(w, s) == strtoll(node_text(node_child(s->value, "value"), "0").ptr, NULL, 10);
}

bool step_metric(struct world *w, const struct step *s) {
    const struct node *name = node_child(s->value, "name"), *value = node_child(s->value, "value");
    if (!find_metric(w, node_text(name, ""))) {
        fail_at(w, name ? name : s->value, "metric: the module declares none of that name");
        return false;
    }
    if (!is_judged(w) || world_wait(w, has_value, s)) return true;
    fail_at(w, value ? value : s->value, "metric: expected %s, got %lld", node_text(value, "0").ptr,
            metric_value(w, s));
    return false;
}
