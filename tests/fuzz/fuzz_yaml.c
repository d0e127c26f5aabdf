/* fuzz_yaml.c - libFuzzer target: any text as taut.yaml, with a table of every option type applied to its modules. What
 * is accepted must print as a configuration that is accepted, prints the same, and means the same. */
#define _GNU_SOURCE /* memmem */
#include <string.h>

#include "config/config.h"

struct inner {
    taut_str name;
    int64_t limit, marks;
    struct taut_array nets;
};
struct options {
    taut_str s, path, url, addr, net, pattern, secret;
    int64_t i, b, e, d, z, f;
    double x;
    struct inner in;
    struct taut_array texts, numbers, reals, map, secrets, structs;
};
static const struct taut_opt inner[] = {
    TAUT_OPT(struct inner, name, TAUT_OPT_STR, .flags = TAUT_OPT_REQUIRED, .min = 1, .max = 9),
    TAUT_OPT(struct inner, limit, TAUT_OPT_INT, .dflt = "-5", .min = -9, .max = 9),
    TAUT_OPT(struct inner, marks, TAUT_OPT_FLAGS, .choices = "1.2|1.3|on", .dflt = "on"),
    TAUT_OPT(struct inner, nets, TAUT_OPT_LIST, .item = TAUT_OPT_NET, .dflt = "::1, 10.0.0.0/8"),
};
static const struct taut_opt opts[] = {
    TAUT_OPT(struct options, s, TAUT_OPT_STR, .dflt = "x"),
    TAUT_OPT(struct options, path, TAUT_OPT_PATH, .dflt = "p"),
    TAUT_OPT(struct options, url, TAUT_OPT_URL, .choices = "http|https"),
    TAUT_OPT(struct options, addr, TAUT_OPT_ADDR),
    TAUT_OPT(struct options, net, TAUT_OPT_NET),
    TAUT_OPT(struct options, pattern, TAUT_OPT_REGEX),
    TAUT_OPT(struct options, secret, TAUT_OPT_SECRET),
    TAUT_OPT(struct options, i, TAUT_OPT_INT, .min = 1),
    TAUT_OPT(struct options, b, TAUT_OPT_BOOL),
    TAUT_OPT(struct options, e, TAUT_OPT_ENUM, .choices = "off|normal|full"),
    TAUT_OPT(struct options, d, TAUT_OPT_DURATION, .max = 86400000),
    TAUT_OPT(struct options, z, TAUT_OPT_BYTES, .flags = TAUT_OPT_LIVE),
    TAUT_OPT(struct options, f, TAUT_OPT_FLAGS, .choices = "a|b|c"),
    TAUT_OPT(struct options, x, TAUT_OPT_FLOAT, .min = -1, .max = 1),
    TAUT_OPT(struct options, in, TAUT_OPT_STRUCT, .options = TAUT_ARRAY(inner)),
    TAUT_OPT(struct options, texts, TAUT_OPT_LIST, .item = TAUT_OPT_STR, .max_items = 5),
    TAUT_OPT(struct options, numbers, TAUT_OPT_LIST, .item = TAUT_OPT_INT),
    TAUT_OPT(struct options, reals, TAUT_OPT_LIST, .item = TAUT_OPT_FLOAT),
    TAUT_OPT(struct options, map, TAUT_OPT_MAP, .item = TAUT_OPT_DURATION),
    TAUT_OPT(struct options, secrets, TAUT_OPT_MAP, .item = TAUT_OPT_SECRET),
    TAUT_OPT(struct options, structs, TAUT_OPT_LIST, .item = TAUT_OPT_STRUCT, .options = TAUT_ARRAY(inner),
             .item_size = sizeof(struct inner)),
};
static const struct taut_array table = TAUT_ARRAY(opts);

/* The configuration with the first module's options. */
static struct config *read_all(const char *name, taut_str yaml, struct options *o) {
    static const struct config_override none = {0};
    struct config *c = config_read_text(name, yaml, &none);
    const struct config_module *m = c->nmodules ? &c->modules[0] : NULL;
    memset(o, 0, sizeof *o);
    config_check(c);
    config_apply(c, table, m ? m->options : NULL, m ? m->where : NULL, "modules.m", TAUT_LIT("/data"), o);
    for (uint32_t i = 0; i < c->errors.n; i++)
        if (!c->errors.list[i].len || strpbrk(c->errors.list[i].ptr, "\n\x1b")) panic("%s", c->errors.list[i].ptr);
    return c;
}

static bool holds_secret(const struct taut_opt *o) {
    return o->type == TAUT_OPT_SECRET || o->item == TAUT_OPT_SECRET;
}

/* The same values, also as a copy and as text; secrets are not printed. */
static void compare(const struct options *a, const struct options *b) {
    struct arena arena = {0};
    struct options copy = {0};
    for (uint32_t i = 0; i < table.len; i++) {
        struct taut_opt o = option_at(table, i);
        const char *x = (const char *)a + o.offset, *y = (const char *)b + o.offset;
        option_copy(&arena, &o, (char *)&copy + o.offset, x);
        if (!option_equal(&o, (char *)&copy + o.offset, x)) panic("the copy of %s differs", o.name);
        if (holds_secret(&o)) continue;
        if (!option_equal(&o, x, y)) panic("%s reads differently", o.name);
        if (!taut_str_eq(option_text(&arena, &o, x), option_text(&arena, &o, y)))
            panic("%s is written otherwise", o.name);
    }
    arena_free(&arena);
}

#define NO_SECRET "(secret)" /* is refused where a secret should stand */

static void print_and_read(const struct config *c, const struct options *o) {
    struct options other;
    char *first = config_print(c), *filled = strdup(first);
    for (char *at = filled; (at = strstr(at, NO_SECRET));) memcpy(at, "a-secret", sizeof NO_SECRET - 1);
    struct config *again = read_all("printed.yaml", taut_str_z(filled), &other);
    if (again->errors.n) panic("%s\n---\n%s", again->errors.list[0].ptr, first);
    char *second = config_print(again);
    if (strcmp(first, second) != 0) panic("prints differently:\n%s\n---\n%s", first, second);
    compare(o, &other);
    free(first);
    free(filled);
    free(second);
    config_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct options o;
    setenv("FUZZ", "5", 1);
    if (memmem(data, size, "file:", 5)) return 0;   /* no files of this machine */
    if (memmem(data, size, "secret)", 7)) return 0; /* print_and_read could not tell it from its own */
    struct config *c = read_all("fuzz.yaml", taut_str_n((const char *)data, size), &o);
    if (!c->errors.n && c->nmodules) print_and_read(c, &o);
    config_free(c);
    return 0;
}
