/* wrong.c - all modules of wrong.def; the build says which of them this file's `taut_module` is. */
#include "taut/module.h"

#define NAMED(n) .name = #n, .version = "1"
#define ONE(type, ...) \
    { &(const type){__VA_ARGS__}, 1, (uint32_t)sizeof(type) }
#define MANY(type, ...)                                                                              \
    {                                                                                                \
        (const type[]){__VA_ARGS__}, (uint32_t)(sizeof((const type[]){__VA_ARGS__}) / sizeof(type)), \
            (uint32_t)sizeof(type)                                                                   \
    }
#define OPTION(...) .config_size = 64, .options = MANY(struct taut_opt, __VA_ARGS__)
#define METHOD(...) .methods = ONE(struct taut_method, __VA_ARGS__)
#define COMMAND(...) .commands = ONE(struct taut_command, __VA_ARGS__)
#define ROUTE(...) .routes = ONE(struct taut_route, __VA_ARGS__)
#define SOCKET(...) .sockets = ONE(struct taut_socket_route, __VA_ARGS__)
#define HOOK(...) .hooks = ONE(struct taut_hook, .kind = TAUT_HOOK_FILTER, __VA_ARGS__)
#define FIFTY "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee"
#define LONG FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY
#define METRIC(...) .metrics = MANY(struct taut_metric, __VA_ARGS__)
#define TABLE(...) .tables = ONE(struct taut_table *const, &(struct taut_table){__VA_ARGS__})
#define SIZED .size = sizeof(struct taut_table)
#define COLUMNS(...) .cols = MANY(struct taut_col, __VA_ARGS__)
#define INDEXES(...) .index = MANY(struct taut_index, __VA_ARGS__)
#define KEYED(...) TABLE(SIZED, .name = "t", .key_cols = 1, COLUMNS({"a", TAUT_TEXT, 0}), __VA_ARGS__)

TAUT_UNUSED static int32_t call(struct taut_mod *m, struct taut_call *c) {
    (void)m, (void)c;
    return TAUT_OK;
}
TAUT_UNUSED static const char *const texts[16] = {"a"};
TAUT_UNUSED static const struct taut_arg same_args[] = {{.name = "x", .type = TAUT_ARG_STR},
                                                        {.name = "x", .type = TAUT_ARG_INT}};
TAUT_UNUSED static const struct taut_metric many_metrics[65] = {{.name = "a", .kind = TAUT_COUNTER}};
TAUT_UNUSED static const struct taut_opt flat[] = {{.name = "in", .type = TAUT_OPT_INT}};
TAUT_UNUSED static const struct taut_opt level4[] = {{.name = "d", .type = TAUT_OPT_STRUCT, .options = TAUT_LIST("")}};
TAUT_UNUSED static const struct taut_opt level3[] = {
    {.name = "d", .type = TAUT_OPT_STRUCT, .options = TAUT_ARRAY(level4)}};
TAUT_UNUSED static const struct taut_opt level2[] = {
    {.name = "d", .type = TAUT_OPT_STRUCT, .options = TAUT_ARRAY(level3)}};
TAUT_UNUSED static const struct taut_opt level1[] = {
    {.name = "d", .type = TAUT_OPT_STRUCT, .options = TAUT_ARRAY(level2)}};

#define WRONG(called, text, ...)                                   \
    TAUT_UNUSED static const struct taut_module wrong_##called = { \
        .size = (uint32_t)sizeof(struct taut_module), .abi_major = TAUT_ABI_MAJOR, .abi_minor = 0, __VA_ARGS__};
#include "wrong.def"

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
TAUT_EXPORT extern const struct taut_module taut_module __attribute__((alias("wrong_" TEXT(WRONG_NAME))));
