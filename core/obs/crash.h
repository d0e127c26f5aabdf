/* crash.h - a report when the process dies of a fault of its own: to stderr and to DIR/crash-TIME.txt, then the signal
 * has its default effect. */
#ifndef OBS_CRASH_H
#define OBS_CRASH_H

#include "base/base.h"

struct crash_info {
    int dir_fd; /* of the data directory; stays open */
    const char *version;
    const char *modules; /* "store_sqlite 0.1.0 (taut.yaml:7:5)\n…"; copied */
};

/* Takes SIGSEGV, SIGBUS, SIGABRT, SIGFPE and SIGILL. Once a process; later calls change what is said. */
void crash_begin(const struct crash_info *info);
/* No file is written any more, and no modules are named. */
void crash_end(void);

/* The newest report in the directory, malloc'ed, or NULL; *n: how many there are. */
char *crash_newest(int dir_fd, uint32_t *n);

#endif
