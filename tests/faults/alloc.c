/* alloc.c - allocations that fail: those of the store (alloc.h), of SQLite, and of what the store asks of its host. */
#include "alloc_faults.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

static struct {
    pthread_mutex_t lock;
    uint64_t n; /* fails when it comes to 1; 0: none does */
    uint64_t failed;
    sqlite3_mem_methods usual;
} alloc = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool fails(void) {
    pthread_mutex_lock(&alloc.lock);
    bool now = alloc.n == 1;
    if (alloc.n) alloc.n--;
    alloc.failed += now;
    pthread_mutex_unlock(&alloc.lock);
    return now;
}

void alloc_fail(uint64_t n) {
    pthread_mutex_lock(&alloc.lock);
    alloc.n = n;
    alloc.failed = 0;
    pthread_mutex_unlock(&alloc.lock);
}

bool alloc_failed(void) {
    pthread_mutex_lock(&alloc.lock);
    bool failed = alloc.failed > 0;
    pthread_mutex_unlock(&alloc.lock);
    return failed;
}

void *faulty_malloc(size_t n) {
    return fails() ? NULL : malloc(n);
}
void *faulty_calloc(size_t n, size_t size) {
    return fails() ? NULL : calloc(n, size);
}
void *faulty_realloc(void *p, size_t n) {
    return fails() ? NULL : realloc(p, n);
}
char *faulty_strdup(const char *z) {
    return fails() ? NULL : strdup(z);
}
char *faulty_strndup(const char *z, size_t n) {
    return fails() ? NULL : strndup(z, n);
}

static void *sqlite_malloc(int n) {
    return fails() ? NULL : alloc.usual.xMalloc(n);
}
static void *sqlite_realloc(void *p, int n) {
    return fails() ? NULL : alloc.usual.xRealloc(p, n);
}

void alloc_install(void) {
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &alloc.usual);
    sqlite3_mem_methods ours = alloc.usual;
    ours.xMalloc = sqlite_malloc;
    ours.xRealloc = sqlite_realloc;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &ours);
}
