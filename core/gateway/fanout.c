/* fanout.c - events from the hub to the connections on their topics; deltas; refills. Gateway thread.
 *
 * An event's deltas are applied before it is delivered: who leaves with it does not get it, who joins does. A
 * connection gets an event once, however many of its topics it names, when it is no older than the membership (seq >=
 * since_seq, P4), lies above the connection's floor, and the connection neither sent it (skip) nor lags. Lagging
 * connections get theirs from MSG_REFILLED, by the same rule with the topics they have then.
 *
 * A refill may know more than has been published here. Events above the workspace's position are left for the live
 * stream: their deltas have not been applied yet.
 */
#include "base/fault.h"
#include "gateway/ws_internal.h"

static const char gap_text[] =
    "the log no longer reaches back to this connection's position: reconnect and read the history";
static const char stuck_text[] = "the server could not read its log: reconnect";

/* ---- deltas ---- */

static void apply_delta(struct conn *c, const struct taut_delta *d, uint64_t seq) {
    switch (d->how) {
    case '+': topic_add(c, d->topic, seq); break;
    case '-': topic_remove(c, d->topic); break;
    case 'x': conn_close(c, CLOSE_POLICY, d->topic); break;
    default: break;
    }
}

void fanout_apply_deltas_to(struct conn *c, const struct event *e) {
    for (uint32_t i = 0; i < e->ndeltas && !c->closing; i++) {
        struct topic *who = topic_find(c->workspace, e->deltas[i].who);
        if (who && topic_member(who, c)) apply_delta(c, &e->deltas[i], e->seq);
    }
}

/* From the end: a removal moves the last member, which has been seen, into the hole. The topic may be freed with its
 * last member, after which it is not looked at again. */
static void apply_deltas(struct workspace *w, const struct event *e) {
    for (uint32_t d = 0; d < e->ndeltas; d++) {
        struct topic *who = topic_find(w, e->deltas[d].who);
        for (uint32_t i = who ? who->n : 0; i-- > 0;) {
            struct conn *c = who->members[i].conn;
            if (!e->seq || c->as_of < e->seq) apply_delta(c, &e->deltas[d], e->seq);
        }
    }
}

/* ---- live events ---- */

static bool is_due(const struct member *m, const struct event *e) {
    const struct conn *c = m->conn;
    if (e->skip && e->skip == c->id) return false;
    return !e->seq || (e->seq >= m->since_seq && e->seq > c->floor && !c->lagging);
}

static void deliver_to_topic(const struct topic *t, const struct event *e, struct frame **frame, uint64_t stamp) {
    for (uint32_t i = 0; i < t->n; i++) {
        struct conn *c = t->members[i].conn;
        if (c->stamp == stamp || !is_due(&t->members[i], e)) continue;
        c->stamp = stamp;
        if (!*frame) *frame = frame_event(e);
        if (!e->seq) conn_queue_ephemeral(c, *frame);
        else if (!conn_queue_event(c, *frame)) conn_lag(c, e->seq);
        crash_point("gateway.in_fanout");
    }
}

static void deliver(struct workspace *w, const struct event *e) {
    if (!e->body.len) return;
    struct frame *frame = NULL; /* built for the first who gets it */
    uint64_t stamp = ++w->server->stamp;
    for (uint32_t i = 0; i < e->ntopics; i++) {
        struct topic *t = topic_find(w, e->topics[i]);
        if (t) deliver_to_topic(t, e, &frame, stamp);
    }
    if (frame) frame_unref(frame);
}

/* Events between the position and this one never came: whoever was live reads them from the log. */
static void lag_all(struct workspace *w) {
    for (struct link *l = w->conns.next; l != &w->conns; l = l->next) {
        struct conn *c = CONTAINER_OF(l, struct conn, in_workspace);
        uint64_t stands_at = c->floor > w->position ? c->floor : w->position;
        if (!c->lagging && !c->closing) conn_lag(c, stands_at + 1);
    }
}

static void publish(struct workspace *w, const struct event *e) {
    if (e->seq) {
        if (e->seq <= w->position) return;
        if (e->seq != w->position + 1) lag_all(w);
    }
    bool late = MUTANT("leave_late");
    if (!late) apply_deltas(w, e);
    deliver(w, e);
    if (late) apply_deltas(w, e);
    if (e->seq) w->position = e->seq;
}

void fanout_events(struct gateway *g, struct events_msg *m) {
    for (uint32_t i = 0; i < m->n; i++) {
        struct workspace *w = workspace_find(g->ws, m->events[i]->workspace);
        if (w) publish(w, m->events[i]);
        event_unref(m->events[i]);
    }
    free(m);
}

/* ---- refills ---- */

static bool may_see(const struct conn *c, const struct event *e) {
    if (!e->body.len || (e->skip && e->skip == c->id)) return false;
    for (uint32_t i = 0; i < e->ntopics; i++) {
        struct topic *t = topic_find(c->workspace, e->topics[i]);
        const struct member *member = t ? topic_member(t, c) : NULL;
        if (member && (e->seq >= member->since_seq || MUTANT("since_ignored"))) return true;
    }
    return false;
}

/* False: the queue is full; cursor stands before the event that found no room. */
static bool take_refill(struct conn *c, const struct events_msg *m, uint64_t upto) {
    for (uint32_t i = 0; i < m->n; i++) {
        const struct event *e = m->events[i];
        if (e->seq <= c->cursor) continue;
        if (e->seq > upto) break;
        if (may_see(c, e)) {
            struct frame *f = frame_event(e);
            bool queued = conn_queue_event(c, f);
            frame_unref(f);
            if (!queued) {
                c->cursor = e->seq - 1;
                return false;
            }
        }
        c->cursor = e->seq;
    }
    if (c->cursor < upto) c->cursor = upto;
    return true;
}

static void refill(struct conn *c, const struct events_msg *m) {
    uint64_t position = c->workspace->position, before = c->cursor;
    c->refill_pending = false;
    if (m->gap) {
        conn_close(c, CLOSE_TRY_LATER, taut_str_z(gap_text));
        return;
    }
    bool all = take_refill(c, m, m->upto < position ? m->upto : position);
    if (c->cursor >= position || MUTANT("lag_ends_early")) {
        c->lagging = false;
        c->floor = c->cursor;
    } else if (all && c->cursor == before) {
        conn_close(c, CLOSE_TRY_LATER, taut_str_z(stuck_text));
        return;
    }
    conn_mark_dirty(c);
}

void fanout_refilled(struct gateway *g, struct events_msg *m) {
    struct conn *c = conn_find(g, m->conn);
    if (c && c->refill_pending && c->lagging && !c->closing) refill(c, m);
    for (uint32_t i = 0; i < m->n; i++) event_unref(m->events[i]);
    free(m);
}
