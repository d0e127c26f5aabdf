/* socket.c - how a socket is let in, and the small state that each has: what it may still send.
 *
 * A ticket is taken out of the table at the end of the run that accepts, not before: a run that waits for rows leaves
 * it there, and of two sockets with one ticket the first to get this far wins. Thread: hub.
 */
#include "rtm.h"

enum { CLOSE_POLICY = 1008, BURST_SECONDS = 10, MILLION = 1000000 };

static int32_t refuse(struct taut_mod *m, struct taut_call *c) {
    taut_count(m, RTM_REFUSED, 1);
    return taut_reject(c, TAUT_LIT("{\"type\":\"error\",\"error\":{\"code\":1,\"msg\":\"Socket URL has expired\"}}"),
                       CLOSE_POLICY);
}

/* A token revoked after rtm.connect must not come in by its ticket. */
static int32_t token_is_good(struct taut_mod *m, struct taut_call *c, const struct taut_actor *a, uint32_t *good) {
    const struct taut_directory_v1 *directory = rtm_directory(m);
    *good = 1;
    if (!TAUT_HAS(directory, token_live) || !directory->token_live) return TAUT_OK;
    return directory->token_live(rtm_of(m)->directory->self, c, a->workspace, a->token, good);
}

static void use_ticket(struct taut_mod *m, void *arg) {
    const struct taut_call *c = *(struct taut_call **)arg;
    ticket_use(m, &rtm_of(m)->tickets, c->text);
}

int32_t rtm_on_open(struct taut_mod *m, struct taut_call *c) {
    struct rtm *r = rtm_of(m);
    const struct ticket *t = ticket_find(m, &r->tickets, c->text);
    const struct taut_topic *topics;
    uint32_t n, good;
    uint64_t as_of;
    if (!t) return refuse(m, c);
    const struct taut_actor *a = &t->actor;
    TAUT_TRY(rtm_conversation(m)->topics(r->conversation->self, c, a->workspace, a->user, &topics, &n, &as_of));
    TAUT_TRY(token_is_good(m, c, a, &good));
    if (!good) return refuse(m, c);

    struct taut_topic *mine = taut_scratch(c, (n + 1) * sizeof *mine);
    if (n) memcpy(mine, topics, n * sizeof *mine);
    mine[n] = (struct taut_topic){a->token, 0}; /* its revocation closes the socket */
    struct rtm_conn *state = rtm_conn_new(m);
    if (!state) return TAUT_E_NOMEM;
    struct taut_accept accept = {.size = sizeof accept,
                                 .ntopics = n + 1,
                                 .actor = a,
                                 .topics = mine,
                                 .as_of = as_of,
                                 .cursor = as_of,
                                 .hello = TAUT_LIT("{\"type\":\"hello\"}"),
                                 .state = state};
    int32_t result = taut_accept(c, &accept);
    if (result < 0) {
        taut_free(m, state);
        return result;
    }
    struct taut_call **used = taut_scratch(c, sizeof *used);
    *used = c;
    taut_at_end(m, c, use_ticket, used);
    taut_count(m, RTM_OPENED, 1);
    return result;
}

void rtm_on_close(struct taut_mod *m, taut_conn conn, void *state) {
    (void)conn;
    taut_free(m, state);
}

struct rtm_conn *rtm_conn_new(struct taut_mod *m) {
    struct rtm_conn *k = taut_alloc(m, sizeof *k);
    if (!k) return NULL;
    memset(k, 0, sizeof *k);
    k->refilled_us = taut_mono_us(m);
    k->allowance = rtm_options(m)->messages_per_second * BURST_SECONDS * MILLION;
    return k;
}

/* What is left of the allowance now. */
static int64_t allowance(struct taut_mod *m, const struct rtm_conn *k, int64_t rate) {
    int64_t elapsed_us = taut_mono_us(m) - k->refilled_us, full = rate * BURST_SECONDS * MILLION;
    if (elapsed_us > BURST_SECONDS * (int64_t)MILLION) elapsed_us = BURST_SECONDS * (int64_t)MILLION;
    int64_t left = k->allowance + elapsed_us * rate;
    return left < full ? left : full;
}

static int64_t rate_of(struct taut_mod *m) {
    return taut_info(m)->rate_limits ? rtm_options(m)->messages_per_second : 0;
}

static void take_one(struct taut_mod *m, void *arg) {
    struct rtm_conn *k = arg;
    k->allowance = allowance(m, k, rate_of(m)) - MILLION;
    k->refilled_us = taut_mono_us(m);
}

int rtm_conn_may_send(struct taut_mod *m, struct taut_call *c) {
    struct rtm_conn *k = c->arg;
    int64_t rate = rate_of(m);
    if (rate == 0) return 1;
    if (c->run == 0 && allowance(m, k, rate) < MILLION) return 0;
    taut_at_end(m, c, take_one, k);
    return 1;
}

/* FNV-1a: two channels of one connection that collide share a pause. */
static uint64_t hash_channel(taut_str s) {
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < s.len; i++) h = (h ^ (unsigned char)s.ptr[i]) * 1099511628211u;
    return h;
}

struct typed {
    struct rtm_conn *conn;
    uint64_t channel;
};

static void note_typing(struct taut_mod *m, void *arg) {
    const struct typed *t = arg;
    struct rtm_conn *k = t->conn;
    uint32_t oldest = 0;
    for (uint32_t i = 1; i < TYPING_SLOTS; i++)
        if (k->typing[i].at_us < k->typing[oldest].at_us) oldest = i;
    k->typing[oldest].channel = t->channel;
    k->typing[oldest].at_us = taut_mono_us(m);
}

int rtm_conn_may_type(struct taut_mod *m, struct taut_call *c, taut_str channel) {
    struct typed *t = taut_scratch(c, sizeof *t);
    int64_t now_us = taut_mono_us(m);
    t->conn = c->arg;
    t->channel = hash_channel(channel);
    for (uint32_t i = 0; i < TYPING_SLOTS; i++)
        if (t->conn->typing[i].channel == t->channel && t->conn->typing[i].at_us &&
            now_us - t->conn->typing[i].at_us < TYPING_PAUSE_US)
            return 0;
    taut_at_end(m, c, note_typing, t);
    return 1;
}
