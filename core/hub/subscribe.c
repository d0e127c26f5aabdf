/* subscribe.c - modules that read the log as a whole, each at its named cursor. For each workspace one hand-over at a
 * time: from the tail in memory while it reaches back, else from the store. Nothing is handed over that the hub has not
 * published, so that what a reader finds in rows is never older than what it was told. Cursors are sub_keep.c's. */
#include "hub/subscribe.h"

#include "obs/log.h"

enum { NAME_MAX_BYTES = 100, EVENTS_DEFAULT = 256, EVENTS_MOST = 4096, HAND_OVER_BYTES = 1024 * 1024 };
enum { AGAIN_MS_FIRST = 1000, AGAIN_MS_MAX = 60000 };

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

void sub_unuse(struct sub *s) {
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
    sub_unuse(s);
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
        f->failures++;
        pause_feed(f);
    } else {
        f->pause_ms = f->failures = 0;
        f->since_us = 0;
        f->position = f->sought ? f->seek : f->upto;
        f->sought = false;
        keep_moved(f);
        pump(f);
    }
    sub_unuse(s);
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
    if (!f->since_us) f->since_us = clock_mono_us();
    f->sought = false;
    s->users++;
    taut_op op = op_new(s->mod, 0, on_handed, over);
    crumb_enter(crumbs_of(s->mod), CRUMB_EVENTS, NULL);
    s->def.on_events(s->mod, s->def.arg, &g->pub, op);
    crumb_leave(NULL);
}

static void on_rows(struct taut_mod *m, void *arg, int32_t status, void *result) {
    struct feed *f = arg;
    struct sub *s = f->sub;
    struct hub *h = hub_of(m);
    const struct taut_event_rows *rows = result;
    uint64_t end = f->log->position ? f->log->position : f->last;
    f->busy = false;
    if (s->ended) {
        sub_unuse(s);
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
    sub_unuse(s);
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
    ASK_STORE(h, events, f->log->name, f->position, s->def.max_events, HAND_OVER_BYTES,
              op_new(core_mod(h), 0, on_rows, f));
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
    sub_unuse(f->sub);
}

static void ask_cursors_later(struct feed *f) {
    f->sub->users++;
    timer_start(core_mod(hub_of(f->sub->mod)), AGAIN_MS_FIRST, 0, on_ask_again, f);
}

static void place(struct feed *f) {
    f->placed = true;
    pump(f);
}

static void on_cursors(struct taut_mod *m, void *arg, int32_t status, void *result) {
    struct feed *f = arg;
    struct sub *s = f->sub;
    const struct taut_cursors *all = result;
    (void)m;
    if (!s->ended && status != TAUT_OK) {
        ask_cursors_later(f);
    } else if (!s->ended) {
        bool found = false;
        for (uint32_t i = 0; i < all->n; i++)
            if (taut_str_eq(all->cursors[i].name, s->name)) {
                f->position = f->kept = all->cursors[i].seq;
                found = true;
            }
        if (!found && (s->def.flags & TAUT_SUB_FROM_NOW)) f->position = f->last;
        if (f->position != f->kept) keep_start(f);
        else place(f);
    }
    sub_unuse(s);
}

/* Only when the start itself is on disk is anything handed over: else who dies meanwhile begins at a later end. */
void sub_started(struct feed *f, int32_t status) {
    if (f->sub->ended) return;
    if (status == TAUT_OK) place(f);
    else ask_cursors_later(f);
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
    if (!f) place(feed_new(s, l));
    else pump(f);
}

void subs_published(struct hub *h, struct wslog *l) {
    for (struct sub *s = h->subs; s; s = h->next_sub) { /* a reader may end itself, or another one, meanwhile */
        h->next_sub = s->next;
        grown(s, l);
    }
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
    sub_unuse(s);
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
    sub_unuse(s);
}

static void ask_logs(struct sub *s) {
    struct hub *h = hub_of(s->mod);
    s->users++;
    ASK_STORE(h, logs, op_new(core_mod(h), 0, on_logs, s));
}

/* ---- for modules ---- */

static const char *subscription_fault(const struct hub *h, const struct taut_subscription *def) {
    if (!TAUT_HAS(def, arg)) return "a subscription whose size is too small; set .size = sizeof it";
    if (!def->name || !*def->name || strlen(def->name) > NAME_MAX_BYTES) return "its name has 1 to 100 bytes";
    if (!def->on_events) return "it has no on_events";
    if (!h->store_open) return "the store is not open; subscribe in start, not before";
    for (const struct sub *s = h->subs; s; s = s->next)
        if (taut_str_is(s->name, def->name) && !s->ended) return "somebody has a subscription of that name already";
    return NULL;
}

static taut_sub subscribe(struct taut_mod *m, const struct taut_subscription *def) {
    struct hub *h = hub_of(m);
    check_thread(m, "taut_subscribe");
    if (!check_effect(m, "taut_subscribe")) return UINT64_MAX;
    const char *fault = subscription_fault(h, def);
    if (fault) {
        log_fmt(TAUT_LOG_ERROR, m->name, "bad_subscription", "taut_subscribe(): %s", fault);
        return 0;
    }
    size_t n = strlen(def->name);
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
    if (h->next_sub == s) h->next_sub = s->next;
    s->ended = true;
    s->next = h->ended_subs;
    h->ended_subs = s;
    sub_unuse(s);
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
    keeps_free(h);
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
