/* newer.c - a module as if built with the headers of a later minor, which it can do without: a longer declaration,
 * whose methods and their arguments have members that this server does not know. */
#include "taut/module.h"

struct newer_arg {
    struct taut_arg arg;
    const char *example;
};
static const struct newer_arg args[] = {
    {{.name = "first", .type = TAUT_ARG_STR}, "a"},
    {{.name = "second", .type = TAUT_ARG_INT}, "1"},
};

struct newer_method {
    struct taut_method method;
    uint64_t cost;
    const char *tag;
};
static int32_t run(struct taut_mod *m, struct taut_call *c) {
    (void)m;
    return taut_done(c);
}
static const struct newer_method methods[] = {
    {{.name = "newer.one", .run = run}, 1, "one"},
    {{.name = "newer.two", .args = TAUT_ARRAY(args), .run = run}, 2, "two"},
};

struct newer_module {
    struct taut_module module;
    struct taut_array topics;
    void (*dream)(struct taut_mod *m);
};
TAUT_EXPORT extern const struct newer_module taut_module;
const struct newer_module taut_module = {
    .module = {.size = (uint32_t)sizeof(struct newer_module),
               .abi_major = TAUT_ABI_MAJOR,
               .abi_minor = 0,
               .name = "newer",
               .version = "2",
               .methods = TAUT_ARRAY(methods)},
    .topics = TAUT_LIST("a", "b"),
};
