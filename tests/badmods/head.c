/* head.c - a module whose head or declaration is wrong in the way that its build says. */
#include "taut/module.h"

#ifndef HEAD_MAJOR
#define HEAD_MAJOR TAUT_ABI_MAJOR
#endif
#ifndef HEAD_MINOR
#define HEAD_MINOR TAUT_ABI_MINOR
#endif
#ifndef HEAD_SIZE
#define HEAD_SIZE sizeof(struct taut_module)
#endif

TAUT_EXPORT extern const struct taut_module taut_module;
const struct taut_module taut_module = {
    .size = (uint32_t)(HEAD_SIZE),
    .abi_major = HEAD_MAJOR,
    .abi_minor = HEAD_MINOR,
    .name = HEAD_NAME,
    .version = "1",
};
