/* alloc_faults.h - lets the n-th allocation fail, of the store, of SQLite, or that the store asks of its host. */
#ifndef TESTS_ALLOC_FAULTS_H
#define TESTS_ALLOC_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void alloc_install(void);    /* before anybody has used SQLite */
void alloc_fail(uint64_t n); /* the n-th from now, once; 0: none */
bool alloc_failed(void);     /* has it, since then? */

/* What alloc.h puts in the place of the store's allocations. */
#define EXPORT __attribute__((visibility("default")))
EXPORT void *faulty_malloc(size_t n);
EXPORT void *faulty_calloc(size_t n, size_t size);
EXPORT void *faulty_realloc(void *p, size_t n);
EXPORT char *faulty_strdup(const char *z);
EXPORT char *faulty_strndup(const char *z, size_t n);

#endif
