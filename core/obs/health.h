/* health.h - how well one instance says that it is: a list of what is wrong, each under a short code. Any thread.
 *
 * Sticky by severity: the state is the worst of what is listed; a report replaces the one of the same code only, and
 * what is not taken back (TAUT_HEALTH_OK under its code, or under NULL for all) stays.
 */
#ifndef OBS_HEALTH_H
#define OBS_HEALTH_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/base.h"

enum { HEALTH_NOTES = 8, HEALTH_CODE = 32, HEALTH_TEXT = 200 };

struct health_note {
    uint32_t level; /* TAUT_HEALTH_DEGRADED or TAUT_HEALTH_DOWN */
    char code[HEALTH_CODE], text[HEALTH_TEXT];
    int64_t since_us; /* wall clock */
};
struct health {
    pthread_mutex_t lock;
    struct health_note list[HEALTH_NOTES];
    uint32_t n;
    _Atomic uint32_t worst; /* TAUT_HEALTH_OK when the list is empty */
};

void health_init(struct health *h);
void health_fini(struct health *h);

/* True when that changed something that is worth a line in the log. When the list is full, a report takes the place of
 * a less severe one, or is left out. */
bool health_set(struct health *h, uint32_t level, const char *code, taut_str text);
/* A copy of the list, the worst first. */
uint32_t health_list(struct health *h, struct health_note out[HEALTH_NOTES]);
static inline uint32_t health_worst(const struct health *h) {
    return atomic_load_explicit(&h->worst, memory_order_relaxed);
}
extern const char *const health_names[3]; /* "ok", "degraded", "down" */

#endif
