/* fault.c - see fault.h. */
#include "fault.h"

#include <signal.h>
#include <unistd.h>

static const struct {
    const char *name;
    int point;
} points[] = {{"store.before_commit", CRASH_BEFORE_COMMIT},
              {"store.after_commit", CRASH_AFTER_COMMIT},
              {"store.before_answer", CRASH_BEFORE_ANSWER},
              {"store.in_opening", CRASH_IN_OPENING},
              {"store.in_migration", CRASH_IN_MIGRATION}};

void faults_read(struct faults *f) {
    const char *at = getenv("TAUT_CRASH_AT");
    memset(f, 0, sizeof *f);
    for (size_t i = 0; at && i < sizeof points / sizeof *points; i++) {
        size_t n = strlen(points[i].name);
        if (strncmp(at, points[i].name, n) != 0 || (at[n] && at[n] != ':')) continue;
        f->crash_at = points[i].point;
        f->crash_n = at[n] ? (uint32_t)strtoul(at + n + 1, NULL, 10) : 1;
    }
#ifdef TAUT_MUTANTS
    f->mutant = getenv("TAUT_MUTANT");
#endif
}

void crash_now_or_later(struct faults *f) {
    if (f->crash_n > 1) f->crash_n--;
    else kill(getpid(), SIGKILL);
}
