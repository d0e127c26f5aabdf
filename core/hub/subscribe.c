/* subscribe.c - modules that read the log as a whole, each at its named cursor. For each workspace one hand-over at a
 * time: from the tail in memory while it reaches back, else from the store. Nothing is handed over that the hub has not
 * published, so that what a reader finds in rows is never older than what it was told. */
#include "hub/internal.h"
#include "obs/log.h"

enum { NAME_MAX_BYTES = 100, EVENTS_DEFAULT = 256, EVENTS_MOST = 4096, KEEP_MS = 1000, KEEP_EVENTS = 1000 };
enum { FLUSH_MS = 2000 /* while stopping; a store that hangs is not waited for */ };
enum { AGAIN_MS_FIRST = 1000, AGAIN_MS_MAX = 60000 };

struct sub {
    struct sub *next;
    taut_sub id;
    struct taut_mod *mod;
    struct taut_subscription def;
    taut_str name; /* behind the struct */
    struct feed *feeds;
    bool ended;     /* nothing is handed over any more */
    bool listed;    /* the logs of the store are known */
    uint32_t users; /* operations under way that know it */
};

/* One workspace of a subscription. */
struct feed {
    struct feed *next;     /* of its subscription */
    struct feed *log_next; /* of its log */
    struct sub *sub;
    struct wslog *log;
    bool placed;       /* its cursor is known */
    bool busy;         /* something is under way: a read, a hand-over, a pause */
    uint64_t last;     /* of the log when its cursor was read */
    uint64_t position; /* done with */
    uint64_t upto;     /* of the hand-over under way */
    uint64_t kept;     /* what the store has as cursor */
    bool sought;       /* the reader has said where to go on */
    uint64_t seek;
    uint32_t pause_ms;
    struct hand_over *over; /* under way, or NULL */
};

/* What is handed over: events of the tail, a reference each, or the store's answer. */
struct handed {
    struct taut_events pub;
    struct arena arena;    /* the list, and texts */
    struct event **events; /* or NULL */
    void *rows;            /* or NULL */
    void (*destroy)(void *rows);
    struct taut_logged *list;
    uint32_t n;
};

struct hand_over {
    struct feed *feed;
    struct handed *what;
};

static void pump(struct feed *f);
static void keep_soon(struct hub *h);

static void drop(struct handed *g) {
    for (uint32_t i = 0; g->events && i < g->n; i++) event_unref(g->events[i]);
    if (g->rows) g->destroy(g->rows);
    arena_free(&g->arena);
    free(g);
}

static void sub_free(struct sub *s) {
    for (struct feed *f = s->feeds, *next; f; f = next) {
        next = f->next;
        struct feed **at = &f->log->feeds;
        while (*at != f) at = &(*at)->log_next;
        *at = f->log_next;
        if (f->over) drop(f->over->what);
        free(f->over);
        free(f);
    }
    free(s);
}

/* One that has ended is let go when nothing under way knows it any more. */
static void unuse(struct sub *s) {
    if (--s->users || !s->ended) return;
    struct sub **at = &hub_of(s->mod)->ended_subs;
    while (*at != s) at = &(*at)->next;
    *at = s->next;
    sub_free(s);
}

/* ---- handing over ---- */

static void on_pause_over(struct taut_mod *m, void *arg) {
    struct feed *f = arg;
    struct sub *s = f->sub;
    (void)m;
    f->busy = false;
    if (!s->ended) pump(f);
    unuse(s);
}

static void pause_feed(struct feed *f) {
    f->pause_ms = !f->pause_ms ? AGAIN_MS_FIRST : f->pause_ms * 2 < AGAIN_MS_MAX ? f->pause_ms * 2 : AGAIN_MS_MAX;
    f->busy = true;
    f->sub->users++;
    timer_start(core_mod(hub_of(f->sub->mod)), f->pause_ms, 0, on_pause_over, f);
}

static void on_handed(struct taut_mod *m, void *arg, int32_t status, void *result) {
    struct hand_over *over = arg;
    struct feed *f = over->feed;
    struct sub *s = f->sub;
    (void)result;
    drop(over->what);
    free(over);
    f->over = NULL;
    f->busy = false;
    if (s->ended) {
        /* nothing more */
    } else if (status < 0) {
        log_fmt(TAUT_LOG_WARN, m->name, "subscriber_failed", "%.*s: events %llu to %llu of %.*s: %s; they come again",
                (int)s->name.len, s->name.ptr, (unsigned long long)f->position + 1, (unsigned long long)f->upto,
                (int)f->log->name.len, f->log->name.ptr, error_text(status));
        pause_feed(f);
    } else {
        f->pause_ms = 0;
        f->position = f->sought ? f->seek : f->upto;
        f->sought = false;
        if (!(s->def.flags & TAUT_SUB_OWN_CURSOR)) keep_soon(hub_of(m));
        pump(f);
    }
    unuse(s);
}

static void hand_over(struct feed *f, struct handed *g, uint64_t upto) {
    struct sub *s = f->sub;
    struct hand_over *over = xmalloc(sizeof *over);
    *over = (struct hand_over){f, g};
    f->over = over;
    g->pub.size = sizeof g->pub;
    g->pub.workspace = f->log->name;
    g->pub.events = (struct taut_array){g->list, g->n, sizeof g->list[0]};
    f->upto = upto;
    f->busy = true;
    f->sought = false;
    s->users++;
    s->def.on_events(s->mod, s->def.arg, &g->pub, op_new(s->mod, 0, on_handed, over));
}

static void on_rows(struct taut_mod *m, void *arg, int32_t status, void *result) {
    struct feed *f = arg;
    struct sub *s = f->sub;
    struct hub *h = hub_of(m);
    const struct taut_event_rows *rows = result;
    uint64_t end = f->log->position ? f->log->position : f->last;
    f->busy = false;
    if (s->ended) {
        unuse(s);
        return;
    }
    if (status == TAUT_E_GAP) {
        struct handed *g = xcalloc(1, sizeof *g);
        g->pub.gap = 1;
        g->pub.first = rows ? rows->first : end;
        hand_over(f, g, g->pub.first ? g->pub.first - 1 : 0);
    } else if (status != TAUT_OK) {
        pause_feed(f);
    } else {
        struct handed *g = xcalloc(1, sizeof *g);
        g->list = arena_alloc(&g->arena, (rows->n + 1) * sizeof *g->list);
        while (g->n < rows->n && rows->events[g->n].seq <= end) {
            const struct taut_event_rec *r = &rows->events[g->n];
            g->list[g->n++] = (struct taut_logged){
                .seq = r->seq, .at_us = r->at_us, .body = r->body, .topics = r->topics, .deltas = r->deltas};
        }
        g->rows = result;
        g->destroy = ops_keep_result(h);
        if (g->n) hand_over(f, g, g->list[g->n - 1].seq);
        else drop(g);
    }
    unuse(s);
}

static taut_str topics_text(struct arena *a, const struct event *e) {
    taut_str all = taut_str_n("", 0);
    for (uint32_t i = 0; i < e->ntopics; i++)
        all =
            i ? arena_fmt(a, "%s %.*s", all.ptr, (int)e->topics[i].len, e->topics[i].ptr) : arena_str(a, e->topics[i]);
    return all;
}

static taut_str deltas_text(struct arena *a, const struct event *e) {
    taut_str all = taut_str_n("", 0);
    for (uint32_t i = 0; i < e->ndeltas; i++) {
        const struct taut_delta *d = &e->deltas[i];
        all = arena_fmt(a, "%s%s%c%.*s %.*s", all.ptr, i ? "," : "", (int)d->how, (int)d->who.len, d->who.ptr,
                        (int)d->topic.len, d->topic.ptr);
    }
    return all;
}

/* From memory; false when the tail does not reach back so far. */
static bool hand_over_tail(struct feed *f) {
    struct handed *g = xcalloc(1, sizeof *g);
    uint64_t to = f->position + f->sub->def.max_events;
    if (!f->log->position || !tail_read(f->log, f->position, to, &g->arena, &g->events, &g->n) || !g->n) {
        g->events = NULL;
        drop(g);
        return false;
    }
    g->list = arena_alloc(&g->arena, g->n * sizeof *g->list);
    for (uint32_t i = 0; i < g->n; i++) {
        const struct event *e = g->events[i];
        g->list[i] = (struct taut_logged){.seq = e->seq,
                                          .at_us = e->at_us,
                                          .body = e->body,
                                          .topics = topics_text(&g->arena, e),
                                          .deltas = deltas_text(&g->arena, e)};
    }
    hand_over(f, g, g->list[g->n - 1].seq);
    return true;
}

static void pump(struct feed *f) {
    struct sub *s = f->sub;
    struct hub *h = hub_of(s->mod);
    uint64_t end = f->log->position ? f->log->position : f->last;
    if (!f->placed || f->busy || s->ended || h->stopping || f->position >= end) return;
    if (hand_over_tail(f)) return;
    f->busy = true;
    s->users++;
    ASK_STORE(h, events, f->log->name, f->position, s->def.max_events, op_new(core_mod(h), 0, on_rows, f));
}

/* ---- where to begin ---- */

static struct feed *feed_of(struct sub *s, struct wslog *l) {
    for (struct feed *f = l->feeds; f; f = f->log_next)
        if (f->sub == s) return f;
    return NULL;
}

static struct feed *feed_new(struct sub *s, struct wslog *l) {
    struct feed *f = xcalloc(1, sizeof *f);
    f->sub = s;
    f->log = l;
    f->next = s->feeds;
    s->feeds = f;
    f->log_next = l->feeds;
    l->feeds = f;
    return f;
}

static void ask_cursors(struct feed *f);

static void on_ask_again(struct taut_mod *m, void *arg) {
    struct feed *f = arg;
    (void)m;
    if (!f->sub->ended) ask_cursors(f);
    unuse(f->sub);
}

static void on_cursors(struct taut_mod *m, void *arg, int32_t status, void *result) {
    struct feed *f = arg;
    struct sub *s = f->sub;
    const struct taut_cursors *all = result;
    if (!s->ended && status != TAUT_OK) {
        s->users++;
        timer_start(m, AGAIN_MS_FIRST, 0, on_ask_again, f);
    } else if (!s->ended) {
        bool found = false;
        for (uint32_t i = 0; i < all->n; i++)
            if (taut_str_eq(all->cursors[i].name, s->name)) {
                f->position = f->kept = all->cursors[i].seq;
                found = true;
            }
        if (!found && (s->def.flags & TAUT_SUB_FROM_NOW)) f->position = f->last;
        f->placed = true;
        pump(f);
    }
    unuse(s);
}

static void ask_cursors(struct feed *f) {
    struct hub *h = hub_of(f->sub->mod);
    f->sub->users++;
    ASK_STORE(h, cursors, f->log->name, op_new(core_mod(h), 0, on_cursors, f));
}

/* A log that has grown. One that the subscription does not know is new: it is read from its beginning. */
static void grown(struct sub *s, struct wslog *l) {
    if (!s->listed || s->ended) return;
    struct feed *f = feed_of(s, l);
    if (!f) {
        f = feed_new(s, l);
        f->placed = true;
    }
    pump(f);
}

void subs_published(struct hub *h, struct wslog *l) {
    for (struct sub *s = h->subs; s; s = s->next) grown(s, l);
}

static void grown_since(void *value, void *arg) {
    struct wslog *l = value;
    if (l->position) grown(arg, l);
}

static void ask_logs(struct sub *s);

static void on_logs_again(struct taut_mod *m, void *arg) {
    struct sub *s = arg;
    (void)m;
    if (!s->ended) ask_logs(s);
    unuse(s);
}

static void on_logs(struct taut_mod *m, void *arg, int32_t status, void *result) {
    struct sub *s = arg;
    const struct taut_log_heads *all = result;
    struct hub *h = hub_of(m);
    if (!s->ended && status != TAUT_OK) {
        s->users++;
        timer_start(m, AGAIN_MS_FIRST, 0, on_logs_again, s);
    } else if (!s->ended) {
        s->listed = true;
        for (uint32_t i = 0; i < all->n; i++) {
            struct feed *f = feed_new(s, wslog_get(h, all->heads[i].workspace));
            f->last = all->heads[i].last;
            ask_cursors(f);
        }
        map_each(&h->logs, grown_since, s);
    }
    unuse(s);
}

static void ask_logs(struct sub *s) {
    struct hub *h = hub_of(s->mod);
    s->users++;
    ASK_STORE(h, logs, op_new(core_mod(h), 0, on_logs, s));
}

/* ---- keeping cursors ---- */

/* One workspace's cursors on their way to the store. */
struct keep {
    struct taut_batch batch; /* first */
    struct hub *hub;
    uint32_t n;
    void (*then)(struct hub *h);
    uint32_t *left; /* of the flush that waits for it, or NULL */
    struct {
        struct feed *feed;
        struct taut_cursor cursor;
    } list[];
};

static void on_kept(struct taut_mod *m, void *arg, int32_t status, void *result) {
    struct keep *k = arg;
    (void)m, (void)result;
    for (uint32_t i = 0; i < k->n; i++) {
        if (status == TAUT_OK) k->list[i].feed->kept = k->list[i].cursor.seq;
        unuse(k->list[i].feed->sub);
    }
    if (k->left && --*k->left == 0) {
        free(k->left);
        k->then(k->hub);
    }
    if (status != TAUT_E_TIMEOUT) free(k); /* else the store still has it */
}

static bool is_due(const struct feed *f) {
    return f->placed && f->position != f->kept && !(f->sub->def.flags & TAUT_SUB_OWN_CURSOR);
}

static uint32_t count_due(struct hub *h, const struct wslog *l) {
    uint32_t n = 0;
    for (struct sub *s = h->subs; s; s = s->next)
        for (struct feed *f = s->feeds; f; f = f->next) n += f->log == l && is_due(f);
    return n;
}

struct keeping {
    struct hub *hub;
    void (*then)(struct hub *h);
    uint32_t *left;
};
static void keep_log(void *value, void *arg) {
    struct wslog *l = value;
    struct keeping *w = arg;
    struct hub *h = w->hub;
    uint32_t n = count_due(h, l);
    if (!n) return;
    struct keep *k = xcalloc(1, sizeof *k + n * (sizeof k->list[0]));
    k->hub = h;
    k->then = w->then;
    k->left = w->left;
    if (w->left) ++*w->left;
    for (struct sub *s = h->subs; s; s = s->next)
        for (struct feed *f = s->feeds; f; f = f->next) {
            if (f->log != l || !is_due(f)) continue;
            s->users++;
            k->list[k->n].feed = f;
            k->list[k->n++].cursor = (struct taut_cursor){.name = s->name, .seq = f->position};
        }
    k->batch.view = (struct taut_batch_view){
        .size = sizeof k->batch.view,
        .cls = w->left ? TAUT_CLASS_INTERACTIVE : TAUT_CLASS_BACKGROUND,
        .workspace = l->name,
        .cursors = {&k->list[0].cursor, k->n, sizeof k->list[0]},
    };
    ASK_STORE(h, commit, &k->batch.view, op_new(core_mod(h), w->left ? FLUSH_MS : 0, on_kept, k));
}

static void on_keep(struct taut_mod *m, void *arg) {
    struct hub *h = arg;
    (void)m;
    h->keeping = 0;
    if (!h->stopping) map_each(&h->logs, keep_log, &(struct keeping){.hub = h});
}

static void keep_soon(struct hub *h) {
    if (!h->keeping) h->keeping = timer_start(core_mod(h), KEEP_MS, 0, on_keep, h);
}

void subs_flush(struct hub *h, void (*then)(struct hub *h)) {
    uint32_t *left = xcalloc(1, sizeof *left);
    *left = 1;
    if (h->store_open) map_each(&h->logs, keep_log, &(struct keeping){h, then, left});
    if (--*left) return;
    free(left);
    then(h);
}

/* ---- for modules ---- */

static taut_sub subscribe(struct taut_mod *m, const struct taut_subscription *def) {
    struct hub *h = hub_of(m);
    check_thread(m, "taut_subscribe");
    if (!check_effect(m, "taut_subscribe")) return UINT64_MAX;
    size_t n = def->name ? strlen(def->name) : 0;
    bool taken = false;
    for (struct sub *s = h->subs; s; s = s->next) taken |= taut_str_is(s->name, def->name) && !s->ended;
    if (!n || n > NAME_MAX_BYTES || taken || !def->on_events || !h->store_open) return 0;
    struct sub *s = xcalloc(1, sizeof *s + n);
    memcpy(&s->def, def, def->size < sizeof s->def ? def->size : sizeof s->def);
    memcpy(s + 1, def->name, n);
    s->name = taut_str_n((char *)(s + 1), n);
    s->mod = m;
    s->id = ++h->last_sub;
    if (!s->def.max_events) s->def.max_events = EVENTS_DEFAULT;
    if (s->def.max_events > EVENTS_MOST) s->def.max_events = EVENTS_MOST;
    s->users = 1; /* the list's */
    s->next = h->subs;
    h->subs = s;
    ask_logs(s);
    return s->id;
}

static struct sub *sub_find(struct taut_mod *m, taut_sub id) {
    for (struct sub *s = hub_of(m)->subs; s; s = s->next)
        if (s->id == id && s->mod == m) return s;
    return NULL;
}

static void seek(struct taut_mod *m, taut_sub id, taut_str workspace, uint64_t seq) {
    struct sub *s = sub_find(m, id);
    check_thread(m, "taut_subscription_seek");
    for (struct feed *f = s ? s->feeds : NULL; f; f = f->next) {
        if (!taut_str_eq(f->log->name, workspace) || !f->busy) continue;
        f->seek = seq;
        f->sought = true;
    }
}

static void end(struct hub *h, struct sub *s) {
    struct sub **at = &h->subs;
    while (*at != s) at = &(*at)->next;
    *at = s->next;
    s->ended = true;
    s->next = h->ended_subs;
    h->ended_subs = s;
    unuse(s);
}

static void unsubscribe(struct taut_mod *m, taut_sub id) {
    struct sub *s = sub_find(m, id);
    check_thread(m, "taut_unsubscribe");
    if (s && check_effect(m, "taut_unsubscribe")) end(hub_of(m), s);
}

void subs_stop_of(struct hub *h, struct taut_mod *m) {
    for (struct sub *s = h->subs, *next; s; s = next) {
        next = s->next;
        if (s->mod == m || !m) end(h, s);
    }
}

/* Nothing is under way any more; what was to come, as after a pause, does not. */
void subs_free(struct hub *h) {
    subs_stop_of(h, NULL);
    while (h->ended_subs) {
        struct sub *s = h->ended_subs;
        h->ended_subs = s->next;
        sub_free(s);
    }
}

void subs_add_to_host(struct taut_host *t) {
    t->subscribe = subscribe;
    t->subscription_seek = seek;
    t->unsubscribe = unsubscribe;
}
