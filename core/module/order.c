/* order.c - start order: a module starts after everyone who provides what it needs or wants, otherwise in the order of
 * the file. */
#include <stdio.h>

#include "module/internal.h"
#include "module/needs.h"

enum { ADVICE_SERVICES_MAX = 64 };

/* The one that is to run; else one that is not. */
static struct instance *provider_of(const struct modules *ms, const char *service) {
    struct instance *idle = NULL;
    for (uint32_t i = 0; i < ms->n; i++) {
        if (!module_provides(ms->list[i], service)) continue;
        if (!ms->list[i]->off) return ms->list[i];
        if (!idle) idle = ms->list[i];
    }
    return idle;
}

/* What to do about a service that nobody provides: list the module that does, or mend its name. */
static taut_str advice(struct module_set *s, struct arena *a, const char *service) {
    struct loaded **list = NULL;
    char *why = NULL;
    uint32_t n = loader_scan(s->dir, &list, &why), services = 0;
    const char *module = NULL, *names[ADVICE_SERVICES_MAX];
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < list[i]->def->provides.len; k++) {
            const char *other = name_at(&list[i]->def->provides, k);
            if (services < ADVICE_SERVICES_MAX) names[services++] = other;
            if (!strcmp(other, service) && !module) module = list[i]->def->name;
        }
    const char *near = module ? NULL : nearest(taut_str_z(service), names, services);
    taut_str text = module ? arena_fmt(a, "; add \"- %s\" to the modules", module)
                    : near ? arena_fmt(a, "; did you mean \"%s\"?", near)
                           : TAUT_LIT("");
    for (uint32_t i = 0; i < n; i++) loader_close(list[i]);
    free(list);
    free(why);
    return text;
}

static bool check_services(struct module_set *s, struct config *cfg) {
    const struct modules *ms = &s->pub;
    bool ok = true;
    for (uint32_t i = 0; i < ms->n; i++) {
        const struct instance *in = ms->list[i];
        if (in->off) continue;
        for (uint32_t k = 0; k < in->def->needs.len; k++) {
            const char *service = name_at(&in->def->needs, k);
            const struct instance *provider = provider_of(ms, service);
            if (provider && !provider->off) continue;
            ok = false;
            if (provider) {
                instance_error(cfg, in, "needs service \"%s\" of modules.%s, which has \"enabled: false\"", service,
                               provider->name);
                continue;
            }
            instance_error(cfg, in, "needs service \"%s\", which no enabled module provides%s", service,
                           advice(s, &cfg->arena, service).ptr);
        }
        for (uint32_t k = 0; k < in->def->provides.len; k++) {
            const char *service = name_at(&in->def->provides, k);
            const struct instance *first = provider_of(ms, service);
            if (first == in) continue;
            instance_error(cfg, in, "provides service \"%s\", as modules.%s already does; remove one of them", service,
                           first->name);
            ok = false;
        }
    }
    return ok;
}

/* The first provider that `in` waits for and that is not placed yet, and the service; NULL when it can start. */
static struct instance *waits_for(const struct modules *ms, const struct instance *in, const bool *placed,
                                  const char **service) {
    const struct taut_array *lists[] = {&in->def->needs, &in->def->wants};
    for (size_t l = 0; l < COUNT_OF(lists); l++)
        for (uint32_t k = 0; k < lists[l]->len; k++) {
            struct instance *p = provider_of(ms, *service = name_at(lists[l], k));
            if (!p || p == in) continue;
            for (uint32_t i = 0; i < ms->n; i++)
                if (ms->list[i] == p && !placed[i]) return p;
        }
    return NULL;
}

/* Does following the first thing that each waits for lead back to `in`? */
static bool on_circle(const struct modules *ms, const bool *placed, const struct instance *in) {
    const char *service;
    const struct instance *at = in;
    for (uint32_t i = 0; i < ms->n; i++) {
        at = waits_for(ms, at, placed, &service);
        if (!at || at == in) return at != NULL;
    }
    return false;
}

static void report_cycle(const struct modules *ms, struct config *cfg, const bool *placed) {
    const char *service;
    struct instance *from = NULL;
    for (uint32_t i = ms->n; i > 0; i--)
        if (!placed[i - 1] && on_circle(ms, placed, ms->list[i - 1])) from = ms->list[i - 1];
    ENSURE(from);
    taut_str path = TAUT_LIT("");
    struct instance *at = from;
    do {
        struct instance *next = waits_for(ms, at, placed, &service);
        path = arena_fmt(&cfg->arena, "%s%s%s needs \"%s\" from %s", path.ptr, path.len ? ", " : "", at->name, service,
                         next->name);
        at = next;
    } while (at != from);
    instance_error(cfg, from, "modules wait for each other in a circle: %s", path.ptr);
}

bool order_modules(struct module_set *s, struct config *cfg) {
    struct modules *ms = &s->pub;
    if (!check_services(s, cfg)) return false;
    struct instance **sorted = arena_zalloc(&s->arena, (ms->n + 1) * sizeof(struct instance *));
    bool *placed = arena_zalloc(&s->arena, (ms->n + 1) * sizeof *placed);
    for (uint32_t n = 0; n < ms->n; n++) {
        const char *service;
        uint32_t i = 0;
        while (i < ms->n && (placed[i] || waits_for(ms, ms->list[i], placed, &service))) i++;
        if (i == ms->n) {
            report_cycle(ms, cfg, placed);
            return false;
        }
        placed[i] = true;
        sorted[n] = ms->list[i];
    }
    ms->list = sorted;
    return true;
}
