/* alloc.h - put before each file of the store when it is built for the tests of tests/faults: its allocations go to
 * functions of the test program, which can fail. What is freed is freed as ever. */
#ifndef TESTS_ALLOC_H
#define TESTS_ALLOC_H

#define _GNU_SOURCE /* this comes before what a file says itself */
#include <stdlib.h>
#include <string.h>

void *faulty_malloc(size_t n);
void *faulty_calloc(size_t n, size_t size);
void *faulty_realloc(void *p, size_t n);
char *faulty_strdup(const char *z);
char *faulty_strndup(const char *z, size_t n);

#define malloc faulty_malloc
#define calloc faulty_calloc
#define realloc faulty_realloc
#undef strdup
#undef strndup
#define strdup faulty_strdup
#define strndup faulty_strndup

#endif
