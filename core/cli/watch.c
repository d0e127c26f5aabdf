/* watch.c - see watch.h. Reads only what any thread may read. */
#include "cli/watch.h"

#include <stdio.h>

#include "hub/observe.h"
#include "module/needs.h"
#include "taut/json.h"

void watch_loop(struct watch *w, const char *name, const struct beat *beat, const struct port *port) {
    ENSURE(w->nloops < WATCH_LOOPS);
    snprintf(w->loops[w->nloops].name, sizeof w->loops[0].name, "%s", name);
    w->loops[w->nloops].port = port;
    w->loops[w->nloops++].beat = beat;
}

static bool is_stuck(const struct beat *b) {
    return beat_age_us(b) > STUCK_MS * 1000;
}

bool watch_others_turn(const struct watch *w, const struct beat *own) {
    for (uint32_t i = 0; i < w->nloops; i++)
        if (w->loops[i].beat != own && is_stuck(w->loops[i].beat)) return false;
    return true;
}

static void reason(struct taut_json *j, const char *module, const char *level, const char *code, taut_str text) {
    taut_json_open(j, '{');
    taut_json_kstr(j, "module", taut_str_z(module));
    taut_json_kstr(j, "level", taut_str_z(level));
    taut_json_kstr(j, "code", taut_str_z(code));
    taut_json_kstr(j, "text", text);
    taut_json_close(j, '}');
}

static bool stuck_loops(const struct watch *w, struct taut_json *j) {
    bool any = false;
    for (uint32_t i = 0; i < w->nloops; i++) {
        if (!is_stuck(w->loops[i].beat)) continue;
        char text[96];
        int n = snprintf(text, sizeof text, "its loop has not turned for %lld s",
                         (long long)beat_age_us(w->loops[i].beat) / 1000000);
        reason(j, w->loops[i].name, "down", "stuck", taut_str_n(text, (size_t)n));
        any = true;
    }
    return any;
}

bool watch_live(void *watch, struct taut_json *j) {
    const struct watch *w = watch;
    taut_json_kopen(j, "reasons", '[');
    bool live = !stuck_loops(w, j);
    taut_json_close(j, ']');
    taut_json_kbool(j, "live", live);
    return live;
}

/* ---- ready ---- */

/* Everything that the instances say is wrong. False: one that others need is down. */
static bool instances(const struct watch *w, struct taut_json *j) {
    bool ok = true;
    for (uint32_t i = 0; i < w->modules->n; i++) {
        struct instance *in = w->modules->list[i];
        struct health_note notes[HEALTH_NOTES];
        uint32_t n = in->seen ? health_list(&in->seen->health, notes) : 0;
        for (uint32_t k = 0; k < n; k++) {
            reason(j, in->name, health_names[notes[k].level], notes[k].code, taut_str_z(notes[k].text));
            if (notes[k].level == TAUT_HEALTH_DOWN && module_is_needed(w->modules, in)) ok = false;
        }
    }
    return ok;
}

/* What the core has seen itself: a batch that waits for the store, or was refused not long ago. */
static bool store_answers(const struct watch *w, struct taut_json *j) {
    long long ns = atomic_load_explicit(&hub_seen(w->hub)->now.oldest_commit_ns, memory_order_relaxed);
    char text[96];
    if (ns <= STORE_SILENT_MS * 1000000ll) return true;
    int n = snprintf(text, sizeof text, "the store has not answered a batch for %lld s", ns / 1000000000);
    reason(j, "core", "down", "store_hangs", taut_str_n(text, (size_t)n));
    return false;
}

static bool store_takes_writes(const struct watch *w, struct taut_json *j) {
    int64_t at = atomic_load_explicit(&hub_seen(w->hub)->store_refused_us, memory_order_relaxed);
    if (!at || clock_mono_us() - at > STORE_REFUSED_MS * 1000) return true;
    reason(j, "core", "down", "store_refuses", TAUT_LIT("the store did not take the last batch"));
    return false;
}

bool watch_ready(void *watch, struct taut_json *j) {
    static const char *const phases[] = {"the server is starting", "", "the server is stopping"};
    const struct watch *w = watch;
    int phase = atomic_load(&w->phase);
    taut_json_kopen(j, "reasons", '[');
    bool ready = !stuck_loops(w, j);
    if (phase != WATCH_RUNNING) reason(j, "core", "down", "not_running", taut_str_z(phases[phase]));
    ready = instances(w, j) && ready && phase == WATCH_RUNNING;
    ready = store_answers(w, j) && ready;
    ready = store_takes_writes(w, j) && ready;
    taut_json_close(j, ']');
    taut_json_kbool(j, "ready", ready);
    return ready;
}
