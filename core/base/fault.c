/* fault.c - see fault.h. */
#include "base/fault.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool crash_armed;
static const char *crash_name;
static size_t crash_name_len;
static atomic_long crash_passes; /* still to come */

void crash_passed(const char *name) {
    if (strlen(name) != crash_name_len || memcmp(name, crash_name, crash_name_len) != 0) return;
    if (atomic_fetch_sub(&crash_passes, 1) == 1) kill(getpid(), SIGKILL);
}

#ifdef TAUT_MUTANTS
static const char *mutant_name;
static atomic_uint mutant_turns;

bool mutant_is(const char *name) {
    return mutant_name && strcmp(mutant_name, name) == 0;
}

bool mutant_turn(const char *name, uint32_t one_in) {
    return mutant_is(name) && (atomic_fetch_add(&mutant_turns, 1) + 1) % one_in == 0;
}
#endif

void faults_from_environment(void) {
    crash_name = getenv("TAUT_CRASH_AT");
    crash_armed = crash_name && *crash_name;
    crash_name_len = crash_armed ? strcspn(crash_name, ":") : 0;
    atomic_init(&crash_passes, crash_armed && crash_name[crash_name_len] ? atol(crash_name + crash_name_len + 1) : 1);
#ifdef TAUT_MUTANTS
    mutant_name = getenv("TAUT_MUTANT");
#endif
}
