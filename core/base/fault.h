/* fault.h - faults that tests ask for, by environment variables that are read once, at the program's start.
 *
 * TAUT_CRASH_AT=NAME[:N]: SIGKILL at the N-th pass of crash_point(NAME); one comparison a pass when it is not set.
 * TAUT_MUTANT=NAME, only in builds with TAUT_MUTANTS: MUTANT(NAME) is true. Each mutant is a seeded fault that the
 * history checker must catch (tests/crash/mutants.mjs has the list); no code of it is in other builds. Any thread.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include <stdbool.h>
#include <stdint.h>

void faults_from_environment(void);

extern bool crash_armed; /* does not change after faults_from_environment */
void crash_passed(const char *name);
static inline void crash_point(const char *name) {
    if (crash_armed) crash_passed(name);
}

#ifdef TAUT_MUTANTS
bool mutant_is(const char *name);
bool mutant_turn(const char *name, uint32_t one_in); /* each one_in-th time that it is asked */
#define MUTANT(name) mutant_is(name)
#define MUTANT_ONE_IN(name, n) mutant_turn(name, n)
#else
#define MUTANT(name) false
#define MUTANT_ONE_IN(name, n) false
#endif

#endif
