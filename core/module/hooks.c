/* hooks.c - the order in which the functions at a point are asked: stage, then what their before and after lists say,
 * then priority, then the start order of their modules, then the order of the table. Made once, while loading. */
#include <stdio.h>

#include "module/internal.h"

void hooks_add(struct module_set *s, struct config *cfg, struct instance *in) {
    struct modules *ms = &s->pub;
    for (uint32_t i = 0; i < in->def->hooks.len; i++) {
        const struct taut_hook *def = TAUT_AT(in->def->hooks, struct taut_hook, i);
        bool right =
            def->point && def->name &&
            ((def->kind == TAUT_HOOK_FILTER && def->filter) || (def->kind == TAUT_HOOK_OBSERVE && def->observe) ||
             (def->kind == TAUT_HOOK_PROVIDE && def->provide));
        if (!right) {
            instance_error(cfg, in,
                           "hook %u%s%s%s lacks its name, its point or its function; this is a fault of the module", i,
                           def->name ? " (\"" : "", def->name ? def->name : "", def->name ? "\")" : "");
            continue;
        }
        for (uint32_t k = 0; k < ms->nhooks; k++)
            if (ms->hooks[k].owner == in && !strcmp(ms->hooks[k].def->point, def->point) &&
                !strcmp(ms->hooks[k].def->name, def->name))
                instance_error(cfg, in, "has two hooks \"%s\" at %s; this is a fault of the module", def->name,
                               def->point);
        point_check(cfg, in, def);
        ms->hooks[ms->nhooks++] = (struct hook_entry){.owner = in, .def = def};
    }
}

/* Is the name in the comma separated list? */
static bool names(const char *list, const char *name) {
    size_t n = strlen(name);
    for (const char *at = list; at && *at;) {
        while (*at == ' ' || *at == ',') at++;
        size_t len = strcspn(at, ", ");
        if (len == n && !strncmp(at, name, n)) return true;
        at += len;
    }
    return false;
}

static bool must_precede(const struct hook_entry *a, const struct hook_entry *b) {
    return names(a->def->before, b->def->name) || names(b->def->after, a->def->name);
}

/* Would a go before b if nobody had asked for anything? The list begins in start order. */
static bool ranks_before(const struct hook_entry *a, const struct hook_entry *b) {
    return a->def->priority > b->def->priority;
}

static const char *stage_name(int32_t stage) {
    return stage == TAUT_STAGE_NORMALISE      ? "normalise"
           : stage == TAUT_STAGE_AUTHENTICATE ? "authenticate"
           : stage == TAUT_STAGE_POLICY       ? "policy"
           : stage == TAUT_STAGE_ENRICH       ? "enrich"
           : stage == TAUT_STAGE_ROUTE        ? "route"
                                              : NULL;
}

static const char *reason_of(struct arena *a, const struct hook_entry *e, const struct hook_entry *list, uint32_t n) {
    const char *stage = stage_name(e->def->stage);
    taut_str text = stage ? arena_fmt(a, "stage %s", stage) : arena_fmt(a, "stage %d", e->def->stage);
    for (uint32_t i = 0; i < n; i++) {
        const struct hook_entry *o = &list[i];
        if (o == e || o->def->stage != e->def->stage) continue;
        if (must_precede(e, o)) text = arena_fmt(a, "%s, before %s", text.ptr, o->def->name);
        if (must_precede(o, e)) text = arena_fmt(a, "%s, after %s", text.ptr, o->def->name);
    }
    if (e->def->priority) text = arena_fmt(a, "%s, priority %d", text.ptr, e->def->priority);
    return arena_fmt(a, "%s, start of %s", text.ptr, e->owner->name).ptr;
}

/* Sorts by stage, keeping the order otherwise; then within each stage takes, again and again, the one of highest rank
 * that nobody who is left must precede. False: they wait for each other. */
static bool sort_stage(struct hook_entry *list, uint32_t n) {
    for (uint32_t done = 0; done < n; done++) {
        uint32_t best = n;
        for (uint32_t i = done; i < n; i++) {
            bool is_free = true;
            for (uint32_t k = done; k < n; k++) is_free &= k == i || !must_precede(&list[k], &list[i]);
            if (is_free && (best == n || ranks_before(&list[i], &list[best]))) best = i;
        }
        if (best == n) return false;
        struct hook_entry e = list[best];
        memmove(&list[done + 1], &list[done], (best - done) * sizeof e);
        list[done] = e;
    }
    return true;
}

static void sort_by(struct hook_entry *list, uint32_t n,
                    int (*compare)(const struct hook_entry *, const struct hook_entry *)) {
    for (uint32_t i = 1; i < n; i++) { /* insertion: stable, and lists are short */
        struct hook_entry e = list[i];
        uint32_t at = i;
        for (; at > 0 && compare(&list[at - 1], &e) > 0; at--) list[at] = list[at - 1];
        list[at] = e;
    }
}
static int by_point(const struct hook_entry *a, const struct hook_entry *b) {
    return strcmp(a->def->point, b->def->point);
}
static int by_stage(const struct hook_entry *a, const struct hook_entry *b) {
    return (a->def->stage > b->def->stage) - (a->def->stage < b->def->stage);
}

static void check_stages(struct config *cfg, const struct hook_entry *list, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < i; k++) /* k stands in an earlier stage, or in the same */
            if (list[k].def->stage < list[i].def->stage && must_precede(&list[i], &list[k]))
                instance_error(cfg, list[i].owner,
                               "hook \"%s\" at %s is to be asked before \"%s\", which stands in an earlier stage",
                               list[i].def->name, list[i].def->point, list[k].def->name);
}

static void order_point(struct module_set *s, struct config *cfg, struct hook_entry *list, uint32_t n) {
    struct hook_point *p = arena_zalloc(&s->arena, sizeof *p);
    *p = (struct hook_point){.name = list[0].def->point, .list = list, .n = n};
    sort_by(list, n, by_stage);
    check_stages(cfg, list, n);
    for (uint32_t i = 0, end; i < n; i = end) {
        for (end = i; end < n && list[end].def->stage == list[i].def->stage;) end++;
        if (!sort_stage(list + i, end - i))
            instance_error(cfg, list[i].owner, "hooks at %s want to be asked before each other, in a circle", p->name);
    }
    for (uint32_t i = 0; i < n; i++) {
        list[i].reason = reason_of(&s->arena, &list[i], list, n);
        p->nfilters += list[i].def->kind == TAUT_HOOK_FILTER;
        p->nobservers += list[i].def->kind == TAUT_HOOK_OBSERVE;
    }
    map_put(&s->pub.points, taut_str_z(p->name), p);
}

void hooks_order(struct module_set *s, struct config *cfg) {
    struct modules *ms = &s->pub;
    sort_by(ms->hooks, ms->nhooks, by_point);
    for (uint32_t i = 0, end; i < ms->nhooks; i = end) {
        for (end = i; end < ms->nhooks && !strcmp(ms->hooks[end].def->point, ms->hooks[i].def->point);) end++;
        order_point(s, cfg, ms->hooks + i, end - i);
    }
}
