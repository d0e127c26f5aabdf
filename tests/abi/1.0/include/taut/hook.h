/* hook.h - named points at which other modules take part in what one module does.
 *
 * A point belongs to the module that runs it and is named <family>.<what> ("message.before_send"). Three kinds, which
 * differ in the type of their function, so that a wrong use does not compile:
 *
 *   filter   looks at something before it is done; may change it, add to the batch, refuse (taut_fail), or wait
 *            (TAUT_E_AGAIN, as all restartable code; taut_await for what takes time)
 *   observe  is told of something that has been done: for a batch, when it is on disk
 *   provide  answers a question that the first one who knows decides
 *
 * Order is total: stage, then before/after, then priority (higher first), then the start order of modules, then the
 * order of the table. `taut hooks POINT` prints it, with the reason of each place.
 *
 * A filter has a budget: for its own runs and for what it awaits, until its verdict; the rows that it reads, the disk
 * and other filters take nothing of it. One that fails otherwise than by taut_fail, or takes longer, is at fault:
 * on_error says whether what it should have judged goes on or is refused. One with 5 faults within a minute is left out
 * (which on_error decides likewise) for a second, then twice as long each time, up to a minute; the module is shown as
 * degraded. A provider that fails is passed over, and left out likewise.
 *
 * Thread: hub. Since 1.0.
 */
#ifndef TAUT_HOOK_H
#define TAUT_HOOK_H

#include "taut/call.h"

enum { TAUT_HOOK_FILTER = 1, TAUT_HOOK_OBSERVE = 2, TAUT_HOOK_PROVIDE = 3 };
enum {
    TAUT_STAGE_POLICY = 0, /* may this be? The default */
    TAUT_STAGE_NORMALISE = -20,
    TAUT_STAGE_AUTHENTICATE = -10,
    TAUT_STAGE_ENRICH = 10,
    TAUT_STAGE_ROUTE = 20
};
enum { TAUT_FAIL_OPEN = 0, TAUT_FAIL_CLOSED = 1 };
enum {
    TAUT_STOP = 1, /* a filter: enough, the others are not asked */
    TAUT_PASS = 1  /* a provider: I do not know */
};

/* What an observer is told. */
struct taut_observed {
    uint32_t size;
    uint32_t reserved;
    const char *point;
    taut_str workspace; /* or empty */
    taut_str body;      /* JSON; what is in it the point says */
    uint64_t seq;       /* of its batch's last event; 0: none */
};

/* data: what the point documents; b: the batch to add to, or NULL. TAUT_OK: go on. */
typedef int32_t (*taut_filter_fn)(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, void *data);
typedef void (*taut_observe_fn)(struct taut_mod *m, const struct taut_observed *o);
/* TAUT_OK: *data is filled; TAUT_PASS. */
typedef int32_t (*taut_provide_fn)(struct taut_mod *m, struct taut_call *c, void *data);

struct taut_hook {
    const char *point; /* this and name: letters, digits and . _ - / :, at most 100 */
    const char *name;  /* of this function, for before and after and for people: "profanity/mask" */
    uint32_t kind;     /* TAUT_HOOK_*; the macros below set it */
    int32_t stage;     /* TAUT_STAGE_* */
    int32_t priority;
    uint32_t on_error;  /* filters: TAUT_FAIL_* */
    uint32_t budget_ms; /* filters: 0 is 30 */
    uint32_t reserved;
    const char *before, *after; /* names of other functions at this point, comma separated; those that are not there
                                   are ignored */
    taut_filter_fn filter;
    taut_observe_fn observe;
    taut_provide_fn provide;
};

/* Entries of a module's table of hooks. C only. */
#define TAUT_FILTER(at, called, ...) TAUT_HOOK_OF(at, called, TAUT_HOOK_FILTER, filter, __VA_ARGS__, .reserved = 0)
#define TAUT_OBSERVE(at, called, ...) TAUT_HOOK_OF(at, called, TAUT_HOOK_OBSERVE, observe, __VA_ARGS__, .reserved = 0)
#define TAUT_PROVIDE(at, called, ...) TAUT_HOOK_OF(at, called, TAUT_HOOK_PROVIDE, provide, __VA_ARGS__, .reserved = 0)

#define TAUT_HOOK_OF(at, called, which, member, fn, ...) \
    { .point = (at), .name = (called), .kind = (which), .member = (fn), __VA_ARGS__ }

/* ---- for the one whose point it is ---- */

/* How many functions there are at a point: who asks nobody need not prepare what they would be shown. */
static inline uint32_t taut_hooked(struct taut_mod *m, const char *point) {
    return m->host->hooked(m, point);
}
/* Asks the filters. TAUT_OK, or what the handler returns at once: TAUT_E_FAILED (refused), TAUT_E_AGAIN. key: calls of
 * one key pass the point in the order in which they came to it, however long each is looked at, until they have
 * submitted their batch; empty: in any order. A call may pass several points so. If two calls pass two of them in
 * opposite orders, the one that would wait for the other for ever does not wait. */
static inline int32_t taut_filter(struct taut_mod *m, struct taut_call *c, const char *point, taut_str key,
                                  struct taut_batch *b, void *data) {
    return m->host->filter(m, c, point, key, b, data);
}
/* Tells the observers: when b is on disk, or with b NULL on a later turn. body is copied. */
static inline void taut_observe(struct taut_mod *m, struct taut_batch *b, const char *point, taut_str workspace,
                                taut_str body) {
    m->host->observe(m, b, point, workspace, body);
}
/* Asks the providers. TAUT_E_NOTFOUND: none knows. */
static inline int32_t taut_provide(struct taut_mod *m, struct taut_call *c, const char *point, void *data) {
    return m->host->provide(m, c, point, data);
}

#endif
