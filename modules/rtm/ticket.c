/* ticket.c - the table of tickets: hash buckets for finding, one list in order of issue for expiry and for the bound.
 *
 * A used ticket leaves its bucket at once and its list when it becomes the oldest; until then it is only marked, so the
 * list needs no backward links. n counts what the list holds.
 */
#include "ticket.h"

#include <sodium.h>

enum { USED = -1 }; /* in expires_us */

int32_t tickets_init(struct taut_mod *m, struct tickets *ts) {
    memset(ts, 0, sizeof *ts);
    ts->buckets = taut_alloc(m, TICKET_BUCKETS * sizeof *ts->buckets);
    if (!ts->buckets) return TAUT_E_NOMEM;
    memset(ts->buckets, 0, TICKET_BUCKETS * sizeof *ts->buckets);
    return TAUT_OK;
}

void tickets_fini(struct taut_mod *m, struct tickets *ts) {
    for (struct ticket *t = ts->oldest, *next; t; t = next) {
        next = t->newer;
        taut_free(m, t);
    }
    taut_free(m, ts->buckets);
    memset(ts, 0, sizeof *ts);
}

static void hash_text(taut_str text, unsigned char hash[TICKET_HASH]) {
    crypto_generichash(hash, TICKET_HASH, (const unsigned char *)text.ptr, text.len, NULL, 0);
}

/* The hash is as good as random: its first bytes choose the bucket. */
static struct ticket **bucket_of(struct tickets *ts, const unsigned char hash[TICKET_HASH]) {
    return &ts->buckets[(uint32_t)(hash[0] | hash[1] << 8) % TICKET_BUCKETS];
}

static void leave_bucket(struct tickets *ts, const struct ticket *t) {
    struct ticket **at = bucket_of(ts, t->hash);
    while (*at != t) at = &(*at)->bucket_next;
    *at = t->bucket_next;
}

static void drop_oldest(struct taut_mod *m, struct tickets *ts) {
    struct ticket *t = ts->oldest;
    if (t->expires_us != USED) leave_bucket(ts, t);
    ts->oldest = t->newer;
    if (!ts->oldest) ts->newest = NULL;
    ts->n--;
    taut_free(m, t);
}

static void drop_stale(struct taut_mod *m, struct tickets *ts, int64_t now_us) {
    while (ts->oldest && ts->oldest->expires_us <= now_us) drop_oldest(m, ts);
}

static taut_str put(char **at, taut_str s) {
    char *p = *at;
    if (s.len) memcpy(p, s.ptr, s.len);
    *at += s.len;
    return taut_str_n(p, s.len);
}

static struct ticket *ticket_new(struct taut_mod *m, const struct taut_actor *a) {
    size_t text = a->workspace.len + a->user.len + a->bot.len + a->app.len + a->token.len + a->scopes.len;
    struct ticket *t = taut_alloc(m, sizeof *t + text);
    if (!t) return NULL;
    char *at = (char *)(t + 1);
    memset(t, 0, sizeof *t);
    t->actor = (struct taut_actor){.size = sizeof t->actor,
                                   .flags = a->flags,
                                   .workspace = put(&at, a->workspace),
                                   .user = put(&at, a->user),
                                   .bot = put(&at, a->bot),
                                   .app = put(&at, a->app),
                                   .token = put(&at, a->token),
                                   .scopes = put(&at, a->scopes)};
    return t;
}

int32_t ticket_issue(struct taut_mod *m, struct tickets *ts, const struct taut_actor *actor, int64_t ttl_us,
                     char text[TICKET_TEXT]) {
    static const char digits[] = "0123456789abcdef";
    unsigned char secret[TICKET_TEXT / 2];
    int64_t now_us = taut_mono_us(m);
    struct ticket *t = ticket_new(m, actor);
    if (!t) return TAUT_E_NOMEM;
    m->host->random(m, secret, sizeof secret);
    for (size_t i = 0; i < sizeof secret; i++) {
        text[2 * i] = digits[secret[i] >> 4];
        text[2 * i + 1] = digits[secret[i] & 15];
    }
    hash_text(taut_str_n(text, TICKET_TEXT), t->hash);
    t->expires_us = now_us + ttl_us;

    drop_stale(m, ts, now_us);
    while (ts->n >= TICKETS_MAX) drop_oldest(m, ts);
    struct ticket **bucket = bucket_of(ts, t->hash);
    t->bucket_next = *bucket;
    *bucket = t;
    if (ts->newest) ts->newest->newer = t;
    else ts->oldest = t;
    ts->newest = t;
    ts->n++;
    return TAUT_OK;
}

const struct ticket *ticket_find(struct taut_mod *m, struct tickets *ts, taut_str text) {
    unsigned char hash[TICKET_HASH];
    if (text.len != TICKET_TEXT) return NULL;
    hash_text(text, hash);
    drop_stale(m, ts, taut_mono_us(m));
    for (const struct ticket *t = *bucket_of(ts, hash); t; t = t->bucket_next) {
        if (sodium_memcmp(t->hash, hash, sizeof hash) == 0) return t;
    }
    return NULL;
}

void ticket_use(struct taut_mod *m, struct tickets *ts, const struct ticket *used) {
    struct ticket *t = *bucket_of(ts, used->hash);
    while (t != used) t = t->bucket_next;
    leave_bucket(ts, t);
    t->expires_us = USED;
    drop_stale(m, ts, taut_mono_us(m));
}
