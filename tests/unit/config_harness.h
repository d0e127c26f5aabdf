/* config_harness.h - what the tests of core/config share. */
#ifndef CONFIG_HARNESS_H
#define CONFIG_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/config.h"

/* All errors or warnings, one a line. */
static inline void assert_problems(const struct config_errors *e, const char *lines) {
    char all[16384] = "";
    for (uint32_t i = 0; i < e->n; i++) {
        strncat(all, e->list[i].ptr, sizeof all - strlen(all) - 1);
        strncat(all, "\n", sizeof all - strlen(all) - 1);
    }
    assert_string_equal(all, lines);
}

static inline void assert_str(taut_str s, const char *z) {
    assert_int_equal(s.len, strlen(z));
    assert_memory_equal(s.ptr, z, s.len);
}

#endif
