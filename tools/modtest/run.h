/* run.h - one run of the program's own making: what it is to do, and where it is. */
#ifndef MODTEST_RUN_H
#define MODTEST_RUN_H

#include "modtest.h"

/* One run: a life, or a test. */
struct run_plan {
    const struct settings *settings;
    const struct script *script;
    const struct test *test; /* NULL: only lives */
    uint32_t lives;
    uint32_t fault;
    bool only_open; /* is it a module? */
    bool only_load; /* is it configured rightly? */
};

_Noreturn void run_in_child(const struct run_plan *p, struct run_page *page, int report_fd, int stderr_fd);

#endif
