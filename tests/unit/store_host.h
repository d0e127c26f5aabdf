/* store_host.h - a small host for the tests of a storage provider: completions and durable reports go into queues that
 * the test waits on; log lines are kept. */
#ifndef TESTS_STORE_HOST_H
#define TESTS_STORE_HOST_H

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "taut/svc/storage.h"
#include "taut/taut.h"

enum { HOST_OPS = 1 << 18, HOST_METRICS = 16 };

struct host_slot {
    int done;
    int32_t status;
    void *result;
    void (*destroy)(void *);
};
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct host_slot slots[HOST_OPS];
    uint32_t last_op;
    struct taut_durable durable[HOST_OPS];
    uint32_t ndurable;
    char log[4096]; /* the last line */
    char lines[1 << 16];
    int64_t metrics[HOST_METRICS];
    _Atomic int64_t clock_shift_us, mono_shift_us;
    const struct taut_storage_v1 *storage;
    void *self;
} host = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

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
static int64_t clock_us(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}
static int64_t host_now_us(struct taut_mod *m) {
    (void)m;
    return clock_us(CLOCK_REALTIME) + host.clock_shift_us;
}
static int64_t host_mono_us(struct taut_mod *m) {
    (void)m;
    return clock_us(CLOCK_MONOTONIC) + host.mono_shift_us;
}
/* How often that stands in the log since the store was opened. */
static inline int host_logged(const char *what) {
    int n = 0;
    pthread_mutex_lock(&host.lock);
    for (const char *p = host.lines; (p = strstr(p, what)); p++) n++;
    pthread_mutex_unlock(&host.lock);
    return n;
}
static void host_random(struct taut_mod *m, void *p, size_t n) {
    (void)m;
    for (size_t i = 0; i < n; i++) ((unsigned char *)p)[i] = (unsigned char)(i * 37 + 11);
}
static void host_measure(struct taut_mod *m, uint32_t metric, uint32_t label, int64_t n) {
    (void)label;
    (void)m;
    pthread_mutex_lock(&host.lock);
    host.metrics[metric] = n;
    pthread_mutex_unlock(&host.lock);
}
static void host_complete(struct taut_mod *m, const struct taut_completion *list, uint32_t n) {
    (void)m;
    pthread_mutex_lock(&host.lock);
    for (uint32_t i = 0; i < n; i++)
        host.slots[list[i].op] = (struct host_slot){1, list[i].status, list[i].result, list[i].destroy};
    pthread_cond_broadcast(&host.changed);
    pthread_mutex_unlock(&host.lock);
}
static void host_durable(struct taut_mod *m, const struct taut_durable *list, uint32_t n) {
    (void)m;
    pthread_mutex_lock(&host.lock);
    for (uint32_t i = 0; i < n; i++) host.durable[host.ndurable++ % HOST_OPS] = list[i];
    pthread_mutex_unlock(&host.lock);
}
static int32_t host_provide(struct taut_mod *m, const char *family, uint32_t major, const void *vtable, void *self) {
    (void)m;
    if (strcmp(family, "storage") != 0 || major != 1) return TAUT_E_INVAL;
    host.storage = vtable;
    host.self = self;
    return TAUT_OK;
}
static const struct taut_host host_table = {.size = sizeof host_table,
                                            .log = host_log,
                                            .now_us = host_now_us,
                                            .mono_us = host_mono_us,
                                            .random = host_random,
                                            .measure = host_measure,
                                            .ops_complete = host_complete,
                                            .durable = host_durable,
                                            .svc_provide = host_provide};

static taut_op host_op(void) {
    pthread_mutex_lock(&host.lock);
    if (++host.last_op == HOST_OPS) host.last_op = 1;
    uint32_t op = host.last_op;
    host.slots[op].done = 0;
    pthread_mutex_unlock(&host.lock);
    return op;
}

/* Waits for the op; *result stays the test's, to be given to host_release. */
static struct host_slot host_wait(taut_op op) {
    pthread_mutex_lock(&host.lock);
    while (!host.slots[op].done) pthread_cond_wait(&host.changed, &host.lock);
    struct host_slot s = host.slots[op];
    pthread_mutex_unlock(&host.lock);
    return s;
}
static void host_release(struct host_slot *s) {
    if (s->destroy) s->destroy(s->result);
    s->result = NULL;
    s->destroy = NULL;
}
static inline bool host_is_done(taut_op op) {
    pthread_mutex_lock(&host.lock);
    bool done = host.slots[op].done;
    pthread_mutex_unlock(&host.lock);
    return done;
}
static int32_t host_status(taut_op op) {
    struct host_slot s = host_wait(op);
    host_release(&s);
    return s.status;
}

#endif
