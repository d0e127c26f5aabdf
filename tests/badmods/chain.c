/* chain.c - a module that only provides, needs or wants a service. */
#include "taut/module.h"

#ifdef CHAIN_NEEDS
#define NEEDS .needs = TAUT_LIST(CHAIN_NEEDS),
#else
#define NEEDS
#endif
#ifdef CHAIN_WANTS
#define WANTS .wants = TAUT_LIST(CHAIN_WANTS),
#else
#define WANTS
#endif

TAUT_MODULE(NEEDS WANTS.name = CHAIN_NAME, .version = "1", .license = "Apache-2.0",
            .provides = TAUT_LIST(CHAIN_PROVIDES), .summary = "a link of a chain");
