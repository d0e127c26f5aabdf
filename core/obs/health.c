/* health.c - see health.h. One short lock an instance. */
#include "obs/health.h"

#include <stdio.h>

#include "taut/host.h"

const char *const health_names[3] = {"ok", "degraded", "down"};

void health_init(struct health *h) {
    *h = (struct health){.n = 0};
    pthread_mutex_init(&h->lock, NULL);
}

void health_fini(struct health *h) {
    pthread_mutex_destroy(&h->lock);
}

static struct health_note *find(struct health *h, const char *code) {
    for (uint32_t i = 0; i < h->n; i++)
        if (!strncmp(h->list[i].code, code, HEALTH_CODE - 1)) return &h->list[i];
    return NULL;
}

static bool forget(struct health *h, const char *code) {
    uint32_t before = h->n;
    if (!code) {
        h->n = 0;
    } else {
        struct health_note *note = find(h, code);
        if (note) *note = h->list[--h->n];
    }
    return h->n != before;
}

/* Where a new report goes; NULL: all that is there is at least as severe. */
static struct health_note *place_for(struct health *h, uint32_t level) {
    if (h->n < HEALTH_NOTES) return &h->list[h->n++];
    for (uint32_t i = 0; i < h->n; i++)
        if (h->list[i].level < level) return &h->list[i];
    return NULL;
}

static bool report(struct health *h, uint32_t level, const char *code, taut_str text) {
    struct health_note *note = find(h, code);
    bool is_new = !note || note->level != level;
    int64_t since = note && !is_new ? note->since_us : clock_wall_us();
    if (!note) note = place_for(h, level);
    if (!note) return false;
    *note = (struct health_note){.level = level, .since_us = since};
    snprintf(note->code, sizeof note->code, "%s", code);
    snprintf(note->text, sizeof note->text, "%.*s", (int)(text.len < HEALTH_TEXT ? text.len : HEALTH_TEXT), text.ptr);
    return is_new;
}

bool health_set(struct health *h, uint32_t level, const char *code, taut_str text) {
    uint32_t worst = TAUT_HEALTH_OK;
    if (level > TAUT_HEALTH_DOWN) level = TAUT_HEALTH_DOWN;
    pthread_mutex_lock(&h->lock);
    bool changed = level == TAUT_HEALTH_OK ? forget(h, code) : report(h, level, code ? code : "unnamed", text);
    for (uint32_t i = 0; i < h->n; i++)
        if (h->list[i].level > worst) worst = h->list[i].level;
    atomic_store_explicit(&h->worst, worst, memory_order_relaxed);
    pthread_mutex_unlock(&h->lock);
    return changed;
}

uint32_t health_list(struct health *h, struct health_note out[HEALTH_NOTES]) {
    uint32_t n = 0;
    pthread_mutex_lock(&h->lock);
    for (uint32_t level = TAUT_HEALTH_DOWN; level > TAUT_HEALTH_OK; level--)
        for (uint32_t i = 0; i < h->n; i++)
            if (h->list[i].level == level) out[n++] = h->list[i];
    pthread_mutex_unlock(&h->lock);
    return n;
}
