/* storage_suite.h - the parts of the suite for storage/1. Each test runs in a process of its own, on a fresh directory.
 */
#ifndef TESTS_STORAGE_SUITE_H
#define TESTS_STORAGE_SUITE_H

#include "store_kit.h"

enum {
    NEEDS_PERSISTENCE = 1, /* what is acknowledged outlives the process */
    NEEDS_HOST_CLOCK = 2   /* the provider asks the host for the time */
};
struct suite_test {
    const char *name;
    CMUnitTestFunction run;
    uint32_t needs;
};
struct suite_part {
    const char *name;
    const struct suite_test *tests;
    size_t n;
};

#define PART(part) \
    const struct suite_part part##_part = {#part, part##_tests, sizeof part##_tests / sizeof *part##_tests}
#define T(f) \
    { #f, f, 0 }
#define T_IF(needs, f) \
    { #f, f, needs }

extern const struct suite_part values_part, batches_part, claims_part, order_part, reads_part, log_part, life_part,
    model_part;

#endif
