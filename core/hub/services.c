/* services.c - services: who provides them, and the places by which consumers reach them. A consumer's place is its
 * own, so that it gets the down table of the header that it was built with; the core fills it anew whenever the
 * provider comes, goes, or is cut off. */
#include "hub/internal.h"
#include "module/needs.h"
#include "obs/log.h"

enum { SERVICE_NAME_MAX = 128 };

struct proxy {
    struct taut_svc pub; /* first */
    struct proxy *next;
    struct service *service;
    struct instance *consumer;
    const void *down;
};

static void fill(struct proxy *p) {
    const struct service *s = p->service;
    bool up = s->provider && !s->breaker.open;
    const void *vtable = up || !p->down ? s->vtable : p->down;
    if (p->pub.vtable == vtable && p->pub.up == up) return;
    p->pub.up = up;
    p->pub.vtable = vtable;
    p->pub.self = vtable == s->vtable ? s->self : &p->consumer->pub;
    p->pub.generation++;
}

static void fill_all(struct service *s) {
    for (struct proxy *p = s->proxies; p; p = p->next) fill(p);
}

static struct service *find(struct hub *h, const char *family, uint32_t major) {
    struct service *s = h->services;
    while (s && (s->major != major || strcmp(s->family, family) != 0)) s = s->next;
    if (s) return s;
    s = xcalloc(1, sizeof *s);
    s->family = xstrdup(family);
    s->major = major;
    s->next = h->services;
    h->services = s;
    return s;
}

static bool lists(const struct taut_array *names, const char *family, uint32_t major) {
    char full[SERVICE_NAME_MAX];
    snprintf(full, sizeof full, "%s/%u", family, major);
    return names_have(names, full);
}

static int32_t svc_provide(struct taut_mod *m, const char *family, uint32_t major, const void *vtable, void *self) {
    struct instance *in = (struct instance *)m;
    check_thread(m, "taut_svc_provide");
    if (!vtable || !lists(&in->def->provides, family, major)) {
        log_fmt(TAUT_LOG_ERROR, m->name, "bad_service", "offers service %s/%u, which its `provides` does not name",
                family, major);
        return TAUT_E_INVAL;
    }
    struct service *s = find(hub_of(m), family, major);
    if (s->provider) return TAUT_E_EXISTS;
    s->provider = in;
    s->vtable = vtable;
    s->self = self;
    fill_all(s);
    return TAUT_OK;
}

const char *services_missing(struct hub *h, const struct instance *in) {
    for (uint32_t i = 0; i < in->def->provides.len; i++) {
        char full[SERVICE_NAME_MAX] = "";
        const struct service *s = h->services;
        for (; s; s = s->next) {
            snprintf(full, sizeof full, "%s/%u", s->family, s->major);
            if (s->provider == in && !strcmp(full, name_at(&in->def->provides, i))) break;
        }
        if (!s) return name_at(&in->def->provides, i);
    }
    return NULL;
}

/* What is in neither list need not be there yet when the module starts. The core needs no lists. */
static void tell_of_undeclared(const struct hub *h, struct service *s, const struct instance *in) {
    if (in == &h->core || in == s->asked_undeclared) return;
    const struct taut_array *declared[] = {&in->def->needs, &in->def->wants, &in->def->provides};
    for (size_t i = 0; i < COUNT_OF(declared); i++)
        if (lists(declared[i], s->family, s->major)) return;
    s->asked_undeclared = in;
    log_fmt(
        TAUT_LOG_WARN, in->name, "undeclared_service",
        "asks for %s/%u, which is neither in its `needs` nor in its `wants`: it may start before the provider does; "
        "add it to one of them",
        s->family, s->major);
}

const struct taut_svc *svc_get(struct taut_mod *m, const char *family, uint32_t major, const void *down) {
    check_thread(m, "taut_svc_get");
    struct service *s = find(hub_of(m), family, major);
    for (struct proxy *old = s->proxies; old; old = old->next)
        if (old->consumer == (struct instance *)m && old->down == down && (s->provider || down)) return &old->pub;
    tell_of_undeclared(hub_of(m), s, (struct instance *)m);
    if (!s->provider && !down) return NULL;
    struct proxy *p = xcalloc(1, sizeof *p);
    p->pub.size = sizeof p->pub;
    p->service = s;
    p->consumer = (struct instance *)m;
    p->down = down;
    p->next = s->proxies;
    s->proxies = p;
    fill(p);
    return &p->pub;
}

struct service *service_of(const struct taut_svc *svc) {
    return svc ? ((const struct proxy *)(const void *)svc)->service : NULL;
}

static void on_trial(struct taut_mod *m, void *arg) {
    struct service *s = arg;
    (void)m;
    if (!s->breaker.open) return; /* its provider was stopped meanwhile */
    breaker_close(&s->breaker);
    fill_all(s);
    log_fmt(TAUT_LOG_INFO, s->provider->name, "breaker_trial", "%s/%u is tried again", s->family, s->major);
}

void service_timed_out(struct hub *h, struct service *s) {
    s->timeouts++;
    if (!s->provider || !breaker_fault(&s->breaker, clock_mono_us())) return;
    log_fmt(TAUT_LOG_ERROR, s->provider->name, "breaker_open",
            "%s/%u does not answer; it is cut off for %u ms, and those who use it do without", s->family, s->major,
            s->breaker.open_ms);
    char text[HEALTH_TEXT];
    int n =
        snprintf(text, sizeof text, "%s/%u does not answer in time and is cut off for a while", s->family, s->major);
    report_health(&s->provider->pub, TAUT_HEALTH_DEGRADED, "breaker_open",
                  taut_str_n(text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1));
    own_add(&s->provider->seen->trips, 1);
    fill_all(s);
    timer_start(core_mod(h), s->breaker.open_ms, 0, on_trial, s);
}

static bool has_tripped(const struct hub *h, const struct instance *in) {
    for (const struct service *s = h->services; s; s = s->next)
        if (s->provider == in && (s->breaker.open || s->breaker.trial)) return true;
    return false;
}

void service_succeeded(struct hub *h, struct service *s) {
    if (!s->breaker.trial) return;
    breaker_success(&s->breaker);
    if (s->provider && !has_tripped(h, s->provider))
        report_health(&s->provider->pub, TAUT_HEALTH_OK, "breaker_open", TAUT_LIT(""));
}

void services_stop_of(struct hub *h, struct instance *in) {
    for (struct service *s = h->services; s; s = s->next) {
        if (s->provider != in) continue;
        s->provider = NULL;
        s->breaker = (struct breaker){0};
        fill_all(s);
        ops_fail_of(h, s);
    }
}

void services_add_to_host(struct taut_host *t) {
    t->svc_provide = svc_provide;
    t->svc_get = svc_get;
}

void services_free(struct hub *h) {
    for (struct service *s = h->services, *next; s; s = next) {
        next = s->next;
        for (struct proxy *p = s->proxies, *after; p; p = after) {
            after = p->next;
            free(p);
        }
        free(s->family);
        free(s);
    }
}
