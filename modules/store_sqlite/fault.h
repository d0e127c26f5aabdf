/* fault.h - points at which tests let the process die, and the mutants that the history checker must catch.
 *
 * TAUT_CRASH_AT=store.before_commit[:N]: SIGKILL at the N-th pass. TAUT_MUTANT only in builds with TAUT_MUTANTS. Both
 * are read once, at init; crash_point is the writer's alone.
 */
#ifndef STORE_FAULT_H
#define STORE_FAULT_H

#include "store.h"

enum crash_point {
    CRASH_BEFORE_COMMIT = 1,
    CRASH_AFTER_COMMIT,
    CRASH_BEFORE_ANSWER,
    CRASH_IN_OPENING,
    CRASH_IN_MIGRATION
};

/* Is that mutant on? Never, and no code of it is there, in builds without mutants. tests/crash/mutants.mjs has the
 * list. */
#ifdef TAUT_MUTANTS
#define MUTANT(faults, name) ((faults)->mutant && strcmp((faults)->mutant, #name) == 0)
#else
#define MUTANT(faults, name) false
#endif

void faults_read(struct faults *f);
void crash_now_or_later(struct faults *f);
static inline void crash_point(struct faults *f, enum crash_point p) {
    if (f->crash_at == (int)p) crash_now_or_later(f);
}

#endif
