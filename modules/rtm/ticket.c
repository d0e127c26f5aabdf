/* ticket.c - the table of tickets: buckets by hash for finding, buckets by user for counting, one list in order of
 * issue for expiry and for the bound. A ticket is in all three until it is used, expires or is pushed out.
 */
#include "ticket.h"

#include <sodium.h>

int32_t tickets_init(struct taut_mod *m, struct tickets *ts) {
    size_t size = TICKET_BUCKETS * sizeof *ts->buckets;
    memset(ts, 0, sizeof *ts);
    ts->buckets = taut_alloc(m, size);
    ts->owners = taut_alloc(m, size);
    if (!ts->buckets || !ts->owners) {
        tickets_fini(m, ts);
        return TAUT_E_NOMEM;
    }
    memset(ts->buckets, 0, size);
    memset(ts->owners, 0, size);
    return TAUT_OK;
}

void tickets_fini(struct taut_mod *m, struct tickets *ts) {
    for (struct ticket *t = ts->oldest, *next; t; t = next) {
        next = t->newer;
        taut_free(m, t);
    }
    taut_free(m, ts->buckets);
    taut_free(m, ts->owners);
    memset(ts, 0, sizeof *ts);
}

static void hash_text(taut_str text, unsigned char hash[TICKET_HASH]) {
    crypto_generichash(hash, TICKET_HASH, (const unsigned char *)text.ptr, text.len, NULL, 0);
}

/* The hash is as good as random: its first bytes choose the bucket. */
static struct ticket **bucket_of(struct tickets *ts, const unsigned char hash[TICKET_HASH]) {
    return &ts->buckets[(uint32_t)(hash[0] | hash[1] << 8) % TICKET_BUCKETS];
}

/* FNV-1a over workspace and user. */
static struct ticket **owner_of(struct tickets *ts, const struct taut_actor *a) {
    const taut_str parts[] = {a->workspace, a->user};
    uint32_t h = 2166136261u;
    for (size_t p = 0; p < 2; p++)
        for (size_t i = 0; i < parts[p].len; i++) h = (h ^ (unsigned char)parts[p].ptr[i]) * 16777619u;
    return &ts->owners[h % TICKET_BUCKETS];
}

static void enter(struct tickets *ts, struct ticket *t) {
    struct ticket **bucket = bucket_of(ts, t->hash), **owner = owner_of(ts, &t->actor);
    t->bucket_next = *bucket;
    *bucket = t;
    t->owner_next = *owner;
    *owner = t;
    t->older = ts->newest;
    *(ts->newest ? &ts->newest->newer : &ts->oldest) = t;
    ts->newest = t;
    ts->n++;
}

static void end(struct taut_mod *m, struct tickets *ts, struct ticket *t) {
    struct ticket **at = bucket_of(ts, t->hash);
    while (*at != t) at = &(*at)->bucket_next;
    *at = t->bucket_next;
    for (at = owner_of(ts, &t->actor); *at != t;) at = &(*at)->owner_next;
    *at = t->owner_next;
    *(t->older ? &t->older->newer : &ts->oldest) = t->newer;
    *(t->newer ? &t->newer->older : &ts->newest) = t->older;
    ts->n--;
    taut_free(m, t);
}

static void drop_stale(struct taut_mod *m, struct tickets *ts, int64_t now_us) {
    while (ts->oldest && ts->oldest->expires_us <= now_us) end(m, ts, ts->oldest);
}

/* Makes room for one more ticket of that user. */
static void drop_surplus(struct taut_mod *m, struct tickets *ts, const struct taut_actor *a) {
    struct ticket *oldest = NULL;
    uint32_t n = 0;
    for (struct ticket *t = *owner_of(ts, a); t; t = t->owner_next) {
        if (!taut_str_eq(t->actor.user, a->user) || !taut_str_eq(t->actor.workspace, a->workspace)) continue;
        oldest = t;
        n++;
    }
    if (n >= TICKETS_OF_USER) end(m, ts, oldest);
    while (ts->n >= TICKETS_MAX) end(m, ts, ts->oldest);
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

void ticket_text(struct taut_mod *m, char text[TICKET_TEXT]) {
    static const char digits[] = "0123456789abcdef";
    unsigned char secret[TICKET_TEXT / 2];
    taut_random(m, secret, sizeof secret);
    for (size_t i = 0; i < sizeof secret; i++) {
        text[2 * i] = digits[secret[i] >> 4];
        text[2 * i + 1] = digits[secret[i] & 15];
    }
}

int32_t ticket_issue(struct taut_mod *m, struct tickets *ts, const struct taut_actor *actor, int64_t ttl_us,
                     const char text[TICKET_TEXT]) {
    int64_t now_us = taut_mono_us(m);
    struct ticket *t = ticket_new(m, actor);
    if (!t) return TAUT_E_NOMEM;
    hash_text(taut_str_n(text, TICKET_TEXT), t->hash);
    t->expires_us = now_us + ttl_us;

    drop_stale(m, ts, now_us);
    drop_surplus(m, ts, actor);
    enter(ts, t);
    return TAUT_OK;
}

/* Only looks: handlers call it before their last read. */
static struct ticket *find(struct taut_mod *m, struct tickets *ts, taut_str text) {
    unsigned char hash[TICKET_HASH];
    if (text.len != TICKET_TEXT) return NULL;
    hash_text(text, hash);
    for (struct ticket *t = *bucket_of(ts, hash); t; t = t->bucket_next) {
        if (sodium_memcmp(t->hash, hash, sizeof hash) == 0) return t->expires_us > taut_mono_us(m) ? t : NULL;
    }
    return NULL;
}

const struct ticket *ticket_find(struct taut_mod *m, struct tickets *ts, taut_str text) {
    return find(m, ts, text);
}

void ticket_use(struct taut_mod *m, struct tickets *ts, taut_str text) {
    struct ticket *t = find(m, ts, text);
    if (t) end(m, ts, t);
}
