/* abi.h - the version of the module ABI, and the few rules that let it grow.
 *
 * ABI 0.x is the ABI of the tree: it may still change between two commits. 1.0 freezes it; from then on tables only
 * grow at their end.
 *
 * Changes
 *   0.1  first version
 */
#ifndef TAUT_ABI_H
#define TAUT_ABI_H

#include <stddef.h>
#include <stdint.h>

#define TAUT_ABI_MAJOR 0
#define TAUT_ABI_MINOR 1

/* The lowest minor that a module asks for. Defined by the author before the first include; never by a header. */
#ifndef TAUT_MODULE_MIN_MINOR
#define TAUT_MODULE_MIN_MINOR 0
#endif

/* Does this table, as the other side built it, reach as far as `member`? */
#define TAUT_HAS(table, member) ((table)->size >= offsetof(__typeof__(*(table)), member) + sizeof((table)->member))

#if defined(__GNUC__)
#define TAUT_EXPORT __attribute__((visibility("default")))
#define TAUT_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define TAUT_EXPORT
#define TAUT_PRINTF(fmt, args)
#endif

/* An array that crosses the border carries the size of its elements, so that elements can grow. */
struct taut_array {
    const void *ptr;
    uint32_t len;
    uint32_t elem_size;
};

#define TAUT_ARRAY(a) \
    { (a), (uint32_t)(sizeof(a) / sizeof((a)[0])), (uint32_t)sizeof((a)[0]) }
#define TAUT_LIST(...)                                                                     \
    {                                                                                      \
        (const char *const[]){__VA_ARGS__},                                                \
            (uint32_t)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)), \
            (uint32_t)sizeof(const char *)                                                 \
    }

/* Element i of an array, whatever the size that its maker knew. */
#define TAUT_AT(array, type, i) \
    ((const type *)(const void *)((const char *)(array).ptr + (size_t)(i) * (array).elem_size))

#endif
