/* sample.c - a module with one of everything that is registered, for tests of loader and command line. */
#include "taut/taut.h"

struct options {
    int64_t sync, cache;
    taut_str path;
};
static const struct taut_opt opts[] = {
    TAUT_OPT(struct options, sync, TAUT_OPT_ENUM, .choices = "off|normal|full", .dflt = "full", .help = "how safely"),
    TAUT_OPT(struct options, cache, TAUT_OPT_BYTES, .dflt = "1MiB", .min = 1024),
    TAUT_OPT(struct options, path, TAUT_OPT_PATH, .dflt = "sample.db"),
};

static void check(const void *config, struct taut_check *ctx,
                  void (*error)(struct taut_check *, const char *, const char *)) {
    const struct options *o = config;
    if (o->sync == 0 && o->cache > (1 << 30)) error(ctx, "cache", "is too large without sync");
}

static const struct taut_arg echo_args[] = {
    {"text", TAUT_ARG_STR, TAUT_ARG_REQUIRED | TAUT_ARG_POSITIONAL, NULL, "what to say"},
    {"times", TAUT_ARG_INT, 0, NULL, "how often"},
    {"loud_voice", TAUT_ARG_BOOL, 0, NULL, "in capitals"},
};

static int32_t on_echo(struct taut_mod *m, struct taut_call *c) {
    struct taut_json *j = taut_answer(c);
    (void)m;
    if (taut_str_is(taut_arg_str(c, 0), "fail")) return taut_fail_text(c, "name_taken", TAUT_LIT("somebody was first"));
    taut_progress(c, TAUT_LIT("echoing"));
    taut_json_kstr(j, "text", taut_arg_str(c, 0));
    taut_json_kint(j, "times", taut_arg_int(c, 1, 1));
    taut_json_kbool(j, "loud", taut_arg_int(c, 2, 0) != 0);
    return taut_done(c);
}

static const struct taut_method methods[] = {{.name = "sample.echo", .args = TAUT_ARRAY(echo_args), .run = on_echo}};
static const struct taut_command commands[] = {
    {.name = "sample echo", .help = "say it again", .args = TAUT_ARRAY(echo_args), .run = on_echo},
    {.name = "sample alone", .help = "only offline", .flags = TAUT_CMD_OFFLINE, .run = on_echo},
    {.name = "sample stay", .help = "serve", .args = TAUT_ARRAY(echo_args), .flags = TAUT_CMD_SERVE, .run = on_echo},
};
static const struct taut_route routes[] = {{.method = "GET", .path = "/sample", .run = on_echo}};
static int32_t on_point(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, void *data) {
    (void)m, (void)c, (void)b, (void)data;
    return TAUT_OK;
}
static const struct taut_hook hooks[] = {TAUT_FILTER("sample.point", "sample/look", on_point)};
static const struct taut_metric metrics[] = {{.name = "echoes_total", .kind = TAUT_COUNTER, .help = "Echoes."}};
static const struct taut_col cols[] = {{"id", TAUT_TEXT, 0}};
static const struct taut_table things = {
    .size = sizeof things, .key_cols = 1, .name = "things", .cols = TAUT_ARRAY(cols)};
static const struct taut_table *const tables[] = {&things};

TAUT_MODULE(.name = "sample", .version = "1.2", .license = "Apache-2.0", .summary = "one of everything",
            .options = TAUT_ARRAY(opts), .config_size = sizeof(struct options), .flags = TAUT_MODULE_STANDARD,
            .tables = TAUT_ARRAY(tables), .methods = TAUT_ARRAY(methods), .routes = TAUT_ARRAY(routes),
            .commands = TAUT_ARRAY(commands), .hooks = TAUT_ARRAY(hooks), .metrics = TAUT_ARRAY(metrics),
            .check = check);
