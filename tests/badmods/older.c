/* older.c - a module as if built with an older header: a table that ends before `check`, options one field shorter. */
#include "taut/module.h"

struct options {
    int64_t level, depth;
};

/* struct taut_opt without `help`. */
struct old_opt {
    const char *name;
    uint32_t type, offset;
    const char *dflt;
    int64_t min, max;
    const char *choices;
    uint32_t flags, reserved;
};
static const struct old_opt opts[] = {
    {.name = "level", .type = TAUT_OPT_INT, .offset = offsetof(struct options, level), .dflt = "3", .max = 9},
    {.name = "depth", .type = TAUT_OPT_INT, .offset = offsetof(struct options, depth), .dflt = "5", .max = 9},
};

TAUT_EXPORT extern const struct taut_module taut_module;
const struct taut_module taut_module = {
    .size = offsetof(struct taut_module, tables),
    .abi_major = TAUT_ABI_MAJOR,
    .abi_minor = 0,
    .name = "older",
    .version = "0",
    .options = {opts, 2, sizeof(struct old_opt)},
    .config_size = sizeof(struct options),
    .flags = 0,
};
