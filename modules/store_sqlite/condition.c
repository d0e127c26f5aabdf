/* condition.c - see condition.h. */
#include "condition.h"

#include <string.h>

#include "writer.h"

enum {
    READS_WORK_AGAIN_US = 10 * 1000000, /* without a failure: two that take turns are one state */
    CLAIMS_ROOM_SHARE = 10              /* of the claims that must be free before it is taken back */
};

static void tell(struct store *s, uint32_t level, const char *code, const char *text) {
    taut_health(s->mod, level, code, taut_str_z(text));
}

/* ---- writes ---- */

static const char *code_of(const char *cause) {
    static const char *const codes[][2] = {
        {"disk full", "disk_full"},
        {"disk quota exceeded", "disk_full"},
        {"the file would be larger than is allowed", "disk_full"},
        {"the file system is read-only", "read_only"},
        {"permission denied", "read_only"},
        {"the database file is not in its place", "file_moved"},
        {"disk error", "disk_error"},
    };
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (!strcmp(codes[i][0], cause)) return codes[i][1];
    return "writes_fail";
}

void condition_broken(struct writer *w) {
    struct condition *c = &w->store->condition;
    const char *cause = w->conn.cause ? w->conn.cause : "the cause is not known", *code = code_of(cause);
    char text[160];
    if (c->broken == code) return;
    condition_healed(w);
    c->broken = code;
    snprintf(text, sizeof text, "nothing is stored at the moment: %s; reads go on, and it is tried again by itself",
             cause);
    tell(w->store, TAUT_HEALTH_DOWN, code, text);
}

void condition_healed(struct writer *w) {
    struct condition *c = &w->store->condition;
    if (c->broken) tell(w->store, TAUT_HEALTH_OK, c->broken, "");
    c->broken = NULL;
}

void condition_claims(struct writer *w) {
    struct condition *c = &w->store->condition;
    uint64_t max = (uint64_t)w->store->opt->claims;
    bool has_room = w->claims.len <= max - max / CLAIMS_ROOM_SHARE;
    if (w->claims_dropped && !c->claims_full) {
        c->claims_full = true;
        tell(w->store, TAUT_HEALTH_DEGRADED, "claims_full",
             "client_msg_ids are forgotten before their 24 hours are over; raise claims");
    } else if (!w->claims_dropped && c->claims_full && has_room) {
        c->claims_full = false;
        tell(w->store, TAUT_HEALTH_OK, "claims_full", "");
    }
}

/* ---- queues ---- */

void condition_overloaded(struct store *s) {
    if (!atomic_exchange(&s->condition.overloaded, true))
        tell(s, TAUT_HEALTH_DEGRADED, "overloaded",
             "too much waits for the disk, and more is refused: it hangs, or is too slow");
}

void condition_at_ease(struct store *s) {
    if (atomic_load_explicit(&s->condition.overloaded, memory_order_relaxed) &&
        atomic_exchange(&s->condition.overloaded, false))
        tell(s, TAUT_HEALTH_OK, "overloaded", "");
}

/* ---- reads ---- */

void condition_read(struct store *s, bool failed, const char *cause) {
    _Atomic int64_t *at = &s->condition.reads_failed_us;
    int64_t before = atomic_load_explicit(at, memory_order_relaxed);
    if (!failed && !before) return;
    int64_t now = taut_mono_us(s->mod);
    if (failed) {
        if (!atomic_exchange(at, now)) tell(s, TAUT_HEALTH_DEGRADED, "reads_fail", cause ? cause : "disk error");
    } else if (now - before > READS_WORK_AGAIN_US && atomic_exchange(at, 0)) {
        tell(s, TAUT_HEALTH_OK, "reads_fail", "");
    }
}

void condition_damaged(struct store *s) {
    tell(s, TAUT_HEALTH_DEGRADED, "damaged",
         "the database file is damaged: stop the server and restore a backup; the log says more");
}
