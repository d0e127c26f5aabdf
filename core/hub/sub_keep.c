/* sub_keep.c - the cursors of subscriptions on their way to the store: in a background batch a second after they have
 * moved, or when a reader is a thousand events ahead of its cursor; all of them before modules stop.
 *
 * A feed has one cursor at the store at a time: batches of different classes overtake each other, and a cursor is set
 * to what it is told, also backwards. The store has a batch, names and all, until it completes, however long that
 * takes.
 */
#include "hub/subscribe.h"

enum { KEEP_MS = 1000, KEEP_EVENTS = 1000 };
enum { FLUSH_MS = 2000 /* while stopping; a store that hangs is not waited for */ };

/* Waits until all cursors are kept. */
struct flush {
    struct hub *hub;
    void (*then)(struct hub *h);
    uint32_t left; /* keeps that it waits for, and itself while they are made */
    taut_timer timer;
};

/* Cursors of one workspace, at the store. */
struct keep {
    struct taut_batch batch; /* first */
    struct keep *next;       /* in hub.keeps */
    struct hub *hub;
    struct flush *flush; /* waits for it, or NULL */
    uint32_t n;
    struct {
        struct feed *feed;
        struct taut_cursor cursor;
    } list[];
};

static void keep_log(struct hub *h, struct wslog *l, struct flush *flush);
static void keep_later(struct feed *f);

static void flush_end(struct flush *f) {
    struct hub *h = f->hub;
    void (*then)(struct hub *) = f->then;
    timer_stop(core_mod(h), f->timer);
    free(f);
    then(h);
}

static void forget(struct keep *k) {
    struct keep **at = &k->hub->keeps;
    while (*at != k) at = &(*at)->next;
    *at = k->next;
    free(k);
}

static void on_kept(struct taut_mod *m, void *arg, int32_t status, void *result) {
    struct keep *k = arg;
    struct flush *flush = k->flush;
    (void)m, (void)result;
    for (uint32_t i = 0; i < k->n; i++) {
        struct feed *f = k->list[i].feed;
        f->keeping = false;
        if (status == TAUT_OK) f->kept = k->list[i].cursor.seq;
        if (!f->placed) sub_started(f, status);
    }
    if (flush && status == TAUT_OK) keep_log(k->hub, k->list[0].feed->log, flush); /* some have moved on meanwhile */
    for (uint32_t i = 0; i < k->n; i++) {
        if (status == TAUT_OK) keep_moved(k->list[i].feed);
        else keep_later(k->list[i].feed);
        sub_unuse(k->list[i].feed->sub);
    }
    forget(k);
    if (flush && --flush->left == 0) flush_end(flush);
}

static void send_keep(struct keep *k, struct wslog *l, uint32_t cls) {
    struct hub *h = k->hub;
    k->next = h->keeps;
    h->keeps = k;
    if (k->flush) k->flush->left++;
    k->batch.view = (struct taut_batch_view){
        .size = sizeof k->batch.view,
        .cls = cls,
        .workspace = l->name,
        .cursors = {&k->list[0].cursor, k->n, sizeof k->list[0]},
    };
    ASK_STORE(h, commit, &k->batch.view, op_new(core_mod(h), 0, on_kept, k));
}

static struct keep *keep_new(struct hub *h, uint32_t n, struct flush *flush) {
    struct keep *k = xcalloc(1, sizeof *k + n * sizeof k->list[0]);
    k->hub = h;
    k->flush = flush;
    return k;
}

static void add(struct keep *k, struct feed *f) {
    f->keeping = true;
    f->sub->users++;
    k->list[k->n].feed = f;
    k->list[k->n++].cursor = (struct taut_cursor){.name = f->sub->name, .seq = f->position};
}

static bool is_due(const struct feed *f) {
    return f->placed && !f->keeping && f->position != f->kept && !(f->sub->def.flags & TAUT_SUB_OWN_CURSOR);
}

static void keep_log(struct hub *h, struct wslog *l, struct flush *flush) {
    uint32_t n = 0;
    for (struct feed *f = l->feeds; f; f = f->log_next) n += !f->sub->ended && is_due(f);
    if (!n) return;
    struct keep *k = keep_new(h, n, flush);
    for (struct feed *f = l->feeds; f; f = f->log_next)
        if (!f->sub->ended && is_due(f)) add(k, f);
    send_keep(k, l, flush ? TAUT_CLASS_INTERACTIVE : TAUT_CLASS_BACKGROUND);
}

void keep_start(struct feed *f) {
    struct keep *k = keep_new(hub_of(f->sub->mod), 1, NULL);
    add(k, f);
    send_keep(k, f->log, TAUT_CLASS_INTERACTIVE);
}

static void keep_each(void *value, void *arg) {
    struct wslog *l = value;
    keep_log(arg, l, NULL);
}
static void on_keep(struct taut_mod *m, void *arg) {
    struct hub *h = arg;
    (void)m;
    h->keeping = 0;
    if (!h->stopping) map_each(&h->logs, keep_each, h);
}

static void keep_later(struct feed *f) {
    struct hub *h = hub_of(f->sub->mod);
    if (!is_due(f) || f->sub->ended || h->stopping || h->keeping) return;
    h->keeping = timer_start(core_mod(h), KEEP_MS, 0, on_keep, h);
}

void keep_moved(struct feed *f) {
    struct hub *h = hub_of(f->sub->mod);
    bool is_far = is_due(f) && f->position >= f->kept + KEEP_EVENTS;
    if (is_far && !f->sub->ended && !h->stopping) keep_log(h, f->log, NULL);
    else keep_later(f);
}

/* ---- all of them, now ---- */

static void on_flush_over(struct taut_mod *m, void *arg) {
    struct flush *f = arg;
    (void)m;
    for (struct keep *k = f->hub->keeps; k; k = k->next)
        if (k->flush == f) k->flush = NULL;
    flush_end(f);
}

static void flush_each(void *value, void *arg) {
    struct wslog *l = value;
    struct flush *f = arg;
    keep_log(f->hub, l, f);
}

void subs_flush(struct hub *h, void (*then)(struct hub *h)) {
    struct flush *f = xcalloc(1, sizeof *f);
    *f = (struct flush){.hub = h, .then = then, .left = 1};
    f->timer = timer_start(core_mod(h), FLUSH_MS, 0, on_flush_over, f);
    for (struct keep *k = h->keeps; k; k = k->next) {
        k->flush = f;
        f->left++;
    }
    if (h->store_open) map_each(&h->logs, flush_each, f);
    if (--f->left == 0) flush_end(f);
}

void keeps_free(struct hub *h) {
    for (struct keep *k = h->keeps, *next; k; k = next) {
        next = k->next;
        free(k);
    }
    h->keeps = NULL;
}
