/* mutants.c - faults that the history checker must catch, compiled in only with TAUT_MUTANTS and switched on by the
 * environment variable TAUT_MUTANT. Gateway threads.
 */
#include "gateway/ws_internal.h"

#ifdef TAUT_MUTANTS
bool mutant(enum mutant which, uint32_t one_in) {
    static const char *const names[] = {
        [MUTANT_SWAP] = "swap", [MUTANT_DROP] = "drop", [MUTANT_LEAVE_LATE] = "leave_late", [MUTANT_REPEAT] = "repeat"};
    static _Thread_local uint32_t turn;
    const char *on = getenv("TAUT_MUTANT");
    return on && strcmp(on, names[which]) == 0 && ++turn % one_in == 0;
}
#endif
