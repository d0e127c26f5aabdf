/* store_host.c - see store_host.h. */
#include "store_host.h"

#include <errno.h>

enum { WAIT_S = 60 };

struct host host = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

int64_t clock_us(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- the table ---- */

static void host_log(struct taut_mod *m, int32_t level, const char *event, taut_str text, const struct taut_kv *kvs,
                     uint32_t nkvs) {
    (void)kvs, (void)nkvs;
    (void)m;
    (void)level;
    pthread_mutex_lock(&host.lock);
    snprintf(host.log, sizeof host.log, "%s: %.*s", event, (int)text.len, text.ptr);
    size_t at = strlen(host.lines);
    snprintf(host.lines + at, sizeof host.lines - at, "%s\n", host.log);
    pthread_mutex_unlock(&host.lock);
}

static void *host_alloc(struct taut_mod *m, size_t n) {
    (void)m;
    return malloc(n);
}

static void *host_realloc(struct taut_mod *m, void *p, size_t n) {
    (void)m;
    return realloc(p, n);
}

static void host_free(struct taut_mod *m, void *p) {
    (void)m;
    free(p);
}

static int64_t host_now_us(struct taut_mod *m) {
    (void)m;
    return clock_us(CLOCK_REALTIME) + host.clock_shift_us;
}

static int64_t host_mono_us(struct taut_mod *m) {
    (void)m;
    return clock_us(CLOCK_MONOTONIC) + host.mono_shift_us;
}

static void host_random(struct taut_mod *m, void *p, size_t n) {
    (void)m;
    for (size_t i = 0; i < n; i++) ((unsigned char *)p)[i] = (unsigned char)(i * 37 + 11);
}

static void host_measure(struct taut_mod *m, uint32_t metric, uint32_t label, int64_t n) {
    (void)label;
    (void)m;
    pthread_mutex_lock(&host.lock);
    if (metric < HOST_METRICS) host.metrics[metric] = n;
    pthread_mutex_unlock(&host.lock);
}

/* What it says of itself stands in host.health as "code " for each. */
static void host_health(struct taut_mod *m, uint32_t level, const char *code, taut_str text) {
    char word[64];
    (void)m, (void)text;
    snprintf(word, sizeof word, "%s ", code);
    pthread_mutex_lock(&host.lock);
    char *at = strstr(host.health, word);
    if (at) memmove(at, at + strlen(word), strlen(at + strlen(word)) + 1);
    size_t n = strlen(host.health);
    if (level != TAUT_HEALTH_OK) snprintf(host.health + n, sizeof host.health - n, "%s", word);
    pthread_mutex_unlock(&host.lock);
}

TAUT_PRINTF(1, 2) static void breach(const char *fmt, ...) {
    va_list ap;
    if (host.breach[0]) return;
    va_start(ap, fmt);
    vsnprintf(host.breach, sizeof host.breach, fmt, ap);
    va_end(ap);
}

static void check_completion(const struct taut_completion *c) {
    if (c->op == 0 || c->op >= HOST_OPS) {
        breach("op %llu was completed, and never given", (unsigned long long)c->op);
        return;
    }
    const struct host_slot *s = &host.slots[c->op];
    const struct taut_commit_result *r = c->result;
    if (s->done) breach("op %llu was completed twice", (unsigned long long)c->op);
    if (!s->is_commit || c->status != TAUT_OK) return;
    if (!r) breach("a commit has no result");
    else if (r->lsn > host.lsn) breach("commit %llu was answered before it was reported", (unsigned long long)r->lsn);
}

static void host_complete(struct taut_mod *m, const struct taut_completion *list, uint32_t n) {
    (void)m;
    pthread_mutex_lock(&host.lock);
    for (uint32_t i = 0; i < n; i++) {
        check_completion(&list[i]);
        struct host_slot *s = &host.slots[list[i].op % HOST_OPS];
        *s = (struct host_slot){true, s->is_commit, list[i].status, list[i].result, list[i].destroy};
    }
    pthread_cond_broadcast(&host.changed);
    pthread_mutex_unlock(&host.lock);
}

static struct host_seq *seq_of(taut_str workspace) {
    for (uint32_t i = 0; i < host.nseqs; i++)
        if (taut_str_is(workspace, host.seqs[i].workspace)) return &host.seqs[i];
    if (host.nseqs == HOST_LOGS || workspace.len >= sizeof host.seqs[0].workspace) return NULL;
    struct host_seq *s = &host.seqs[host.nseqs++];
    memcpy(s->workspace, workspace.ptr, workspace.len);
    s->workspace[workspace.len] = 0;
    s->last = 0;
    return s;
}

static void check_durable(const struct taut_durable *d) {
    if ((host.lsn || host.knows) && d->lsn != host.lsn + 1)
        breach("commit %llu was reported after %llu", (unsigned long long)d->lsn, (unsigned long long)host.lsn);
    host.lsn = d->lsn;
    if (host.ndurable && !pthread_equal(host.durable_thread, pthread_self())) breach("durable came from two threads");
    host.durable_thread = pthread_self();
    uint32_t n = d->batch->events.len;
    struct host_seq *s = n ? seq_of(d->batch->workspace) : NULL;
    if (!n && d->first_seq) breach("commit %llu has no event and a seq", (unsigned long long)d->lsn);
    if (!s) return;
    if ((s->last || host.knows) && d->first_seq != s->last + 1)
        breach("%s: seq %llu follows %llu", s->workspace, (unsigned long long)d->first_seq,
               (unsigned long long)s->last);
    s->last = d->first_seq + n - 1;
}

static void host_durable(struct taut_mod *m, const struct taut_durable *list, uint32_t n) {
    (void)m;
    pthread_mutex_lock(&host.lock);
    for (uint32_t i = 0; i < n; i++) {
        check_durable(&list[i]);
        host.durable[host.ndurable++ % HOST_OPS] = list[i];
    }
    pthread_mutex_unlock(&host.lock);
}

static int32_t host_provide(struct taut_mod *m, const char *family, uint32_t major, const void *vtable, void *self) {
    (void)m;
    if (strcmp(family, "storage") != 0 || major != 1) return TAUT_E_INVAL;
    host.storage = vtable;
    host.self = self;
    return TAUT_OK;
}

const struct taut_host host_table = {.size = sizeof host_table,
                                     .log = host_log,
                                     .alloc = host_alloc,
                                     .realloc = host_realloc,
                                     .free = host_free,
                                     .now_us = host_now_us,
                                     .mono_us = host_mono_us,
                                     .random = host_random,
                                     .measure = host_measure,
                                     .health = host_health,
                                     .ops_complete = host_complete,
                                     .durable = host_durable,
                                     .svc_provide = host_provide};

/* ---- for tests ---- */

void host_reset(void) {
    pthread_mutex_lock(&host.lock);
    host.ndurable = 0;
    host.log[0] = host.lines[0] = host.health[0] = 0;
    pthread_mutex_unlock(&host.lock);
}

void host_forget(bool fresh) {
    pthread_mutex_lock(&host.lock);
    host.nseqs = 0;
    host.lsn = 0;
    host.knows = fresh;
    pthread_mutex_unlock(&host.lock);
}

int host_logged(const char *what) {
    int n = 0;
    pthread_mutex_lock(&host.lock);
    for (const char *p = host.lines; (p = strstr(p, what)); p++) n++;
    pthread_mutex_unlock(&host.lock);
    return n;
}

static taut_op new_op(bool is_commit) {
    pthread_mutex_lock(&host.lock);
    if (++host.last_op == HOST_OPS) host.last_op = 1;
    uint32_t op = host.last_op;
    host.slots[op] = (struct host_slot){.is_commit = is_commit};
    pthread_mutex_unlock(&host.lock);
    return op;
}

taut_op host_op(void) {
    return new_op(false);
}

taut_op host_commit_op(void) {
    return new_op(true);
}

bool host_is_done(taut_op op) {
    pthread_mutex_lock(&host.lock);
    bool done = host.slots[op].done;
    pthread_mutex_unlock(&host.lock);
    return done;
}

struct host_slot host_wait(taut_op op) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_S;
    pthread_mutex_lock(&host.lock);
    while (!host.slots[op].done)
        if (pthread_cond_timedwait(&host.changed, &host.lock, &until) == ETIMEDOUT) {
            fprintf(stderr, "error: an op was not answered within %d s\n", WAIT_S);
            _exit(3);
        }
    struct host_slot s = host.slots[op];
    pthread_mutex_unlock(&host.lock);
    return s;
}

void host_release(struct host_slot *s) {
    if (s->destroy) s->destroy(s->result);
    s->result = NULL;
    s->destroy = NULL;
}

int32_t host_status(taut_op op) {
    struct host_slot s = host_wait(op);
    host_release(&s);
    return s.status;
}
