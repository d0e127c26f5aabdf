/* reserved.c - a module with an option whose name is the server's own in each item of `modules:`. */
#include "taut/module.h"

struct options {
    int64_t memory;
};
static const struct taut_opt options[] = {TAUT_OPT(struct options, memory, TAUT_OPT_BYTES)};

TAUT_MODULE(.name = "reserved", .version = "1", .license = "Apache-2.0", .options = TAUT_ARRAY(options),
            .config_size = sizeof(struct options));
