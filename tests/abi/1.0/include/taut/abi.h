/* abi.h - the version of the module ABI, and the few rules that let it grow.
 *
 * What 1.0 freezes: the layout of every struct in these headers, the value of every constant, the meaning of every
 * function. What may come in 1.1 and later: members at the end of a struct that begins with its size or that lies in a
 * taut_array (which knows the size of its elements), further constants, further functions at the end of a table. A
 * module says with TAUT_MODULE_MIN_MINOR what it cannot do without; for the rest it asks TAUT_HAS.
 *
 * Widths: integers have fixed widths; no enum and no bool crosses the border, nothing variadic does. Pointers, function
 * pointers and size_t are the platform's: a module is built for the machine that loads it.
 *
 * What holds of every function of these headers, where its own comment or that of its header does not say otherwise:
 *   thread     the one that the header names; a call from another thread is a fault of the module
 *   ownership  what is handed to a function stays its caller's and is read until the function returns; what is kept is
 *              copied. What a function hands out belongs to the core, is not changed or freed, and lives as long as its
 *              comment says
 *   errors     an int32_t is TAUT_OK, or a negative TAUT_E_*, of which TAUT_E_INVAL is for arguments that are wrong
 *   since      the version that the header names
 *
 * Thread: any; there are only macros here. Since 1.0.
 *
 * Changes
 *   1.0  the first version that lasts
 */
#ifndef TAUT_ABI_H
#define TAUT_ABI_H

#include <stddef.h>
#include <stdint.h>

#define TAUT_ABI_MAJOR 1
#define TAUT_ABI_MINOR 0

/* The lowest minor that a module asks for. Defined by the author before the first include; never by a header: to
 * rebuild with newer headers must not by itself refuse older servers. */
#ifndef TAUT_MODULE_MIN_MINOR
#define TAUT_MODULE_MIN_MINOR 0
#endif

/* Does this struct, as the other side built it, reach as far as `member`? For structs that begin with their size. A
 * function of a table that is there may still be NULL: a provider need not have all of them. */
#define TAUT_HAS(table, member) ((table)->size >= offsetof(__typeof__(*(table)), member) + sizeof((table)->member))

#if defined(__GNUC__)
#define TAUT_EXPORT __attribute__((visibility("default")))
#define TAUT_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define TAUT_UNUSED __attribute__((unused))
#else
#define TAUT_EXPORT
#define TAUT_PRINTF(fmt, args)
#define TAUT_UNUSED
#endif

/* An array that crosses the border carries the size of its elements, so that elements can grow. Whoever reads one goes
 * by elem_size (TAUT_AT), and looks at no member that lies behind it. */
struct taut_array {
    const void *ptr;
    uint32_t len;
    uint32_t elem_size;
};

/* C only: an array variable, or a list of strings, as the initialiser of a struct taut_array. */
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
