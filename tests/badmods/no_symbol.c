/* no_symbol.c - a shared object that is no module. */
#include "taut/abi.h"

TAUT_EXPORT extern const int not_a_module;
const int not_a_module = 1;
