/* sub_watch.c - readers of the log seen from outside: how far behind they are, and which of them do not go on. Looked
 * at about once a second, with the gauges. Hub.
 *
 * A reader does not go on in a workspace when what it was handed is not done with for a minute, or has failed five
 * times in a row. That is its module's health, until it goes on.
 */
#include "hub/subscribe.h"
#include "obs/log_format.h"
#include "taut/json.h"

enum { STUCK_US = 60 * 1000000, STUCK_FAILURES = 5, SHOWN_MAX = 100 };

static uint64_t behind(const struct feed *f) {
    uint64_t end = f->log->position ? f->log->position : f->last;
    return f->placed && end > f->position ? end - f->position : 0;
}

static bool is_stuck(const struct feed *f, int64_t now_us) {
    return f->failures >= STUCK_FAILURES || (f->since_us && now_us - f->since_us >= STUCK_US);
}

/* ---- health ---- */

static void report_stuck(const struct feed *f, int64_t now_us) {
    char text[HEALTH_TEXT], how[64];
    if (f->failures) snprintf(how, sizeof how, "has failed %u times in a row", f->failures);
    else snprintf(how, sizeof how, "was handed over %lld s ago", (long long)(now_us - f->since_us) / 1000000);
    int n =
        snprintf(text, sizeof text, "the reader \"%.*s\" does not go on in %.*s: event %llu %s", (int)f->sub->name.len,
                 f->sub->name.ptr, (int)f->log->name.len, f->log->name.ptr, (unsigned long long)f->position + 1, how);
    report_health(f->sub->mod, TAUT_HEALTH_DEGRADED, "reader_stuck",
                  taut_str_n(text, n < (int)sizeof text ? (size_t)n : sizeof text - 1));
}

static void watch_module(struct hub *h, struct instance *in, int64_t now_us) {
    const struct feed *worst = NULL;
    uint64_t events = 0;
    uint32_t stuck = 0;
    for (const struct sub *s = h->subs; s; s = s->next)
        for (const struct feed *f = s->mod == &in->pub ? s->feeds : NULL; f; f = f->next) {
            events += behind(f);
            if (!is_stuck(f, now_us)) continue;
            stuck++;
            if (!worst || f->since_us < worst->since_us) worst = f;
        }
    atomic_store_explicit(&in->seen->events_behind, (long long)events, memory_order_relaxed);
    bool was_stuck = atomic_exchange_explicit(&in->seen->readers_stuck, stuck, memory_order_relaxed) != 0;
    if (worst) report_stuck(worst, now_us);
    else if (was_stuck) report_health(&in->pub, TAUT_HEALTH_OK, "reader_stuck", TAUT_LIT(""));
}

void subs_watch(struct hub *h) {
    int64_t now_us = clock_mono_us();
    for (uint32_t i = 0; i < h->modules->n; i++) watch_module(h, h->modules->list[i], now_us);
}

/* ---- taut status ---- */

static void row(struct taut_json *j, const struct sub *s, const struct feed *f) {
    char since[LOG_TIME_MAX] = "";
    if (f && f->since_us) log_format_time(since, clock_wall_us() - (clock_mono_us() - f->since_us));
    taut_json_open(j, '{');
    taut_json_kstr(j, "module", taut_str_z(s->mod->name));
    taut_json_kstr(j, "name", s->name);
    taut_json_kstr(j, "workspace", f ? f->log->name : TAUT_LIT(""));
    taut_json_kint(j, "behind", f ? (int64_t)behind(f) : 0);
    taut_json_kstr(j, "since", taut_str_z(since));
    taut_json_kint(j, "failures", f ? f->failures : 0);
    taut_json_close(j, '}');
}

/* A row for each workspace in which it has something to do; one without a workspace when there is none. */
void subs_status(struct hub *h, struct taut_json *j) {
    uint32_t n = 0;
    taut_json_kopen(j, "readers", '[');
    for (const struct sub *s = h->subs; s; s = s->next) {
        bool has_any = false;
        for (const struct feed *f = s->feeds; f; f = f->next) {
            if (!f->since_us && !behind(f)) continue;
            has_any = true;
            if (n++ < SHOWN_MAX) row(j, s, f);
        }
        if (!has_any && n++ < SHOWN_MAX) row(j, s, NULL);
    }
    taut_json_close(j, ']');
}
