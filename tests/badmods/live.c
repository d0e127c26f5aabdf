/* live.c - a module whose options change while it runs: what it is asked and told is kept in its state, a text that a
 * test may put there itself. `live show` says what it sees. */
#include <stdio.h>

#include "taut/taut.h"

enum { SEEN_MAX = 512, REFUSED = 13, REFUSED_SILENTLY = 14 };

struct options {
    int64_t level, floor, fixed;
    taut_str greeting;
    struct taut_array names;
    taut_str label;
};
static const struct taut_opt opts[] = {
    TAUT_OPT(struct options, level, TAUT_OPT_INT, .dflt = "1", .flags = TAUT_OPT_LIVE, .help = "13 and 14 are refused"),
    TAUT_OPT(struct options, floor, TAUT_OPT_INT, .help = "level is not below it"),
    TAUT_OPT(struct options, fixed, TAUT_OPT_INT, .help = "needs a restart"),
    TAUT_OPT(struct options, greeting, TAUT_OPT_STR, .dflt = "hello", .flags = TAUT_OPT_LIVE),
    TAUT_OPT(struct options, names, TAUT_OPT_LIST, .item = TAUT_OPT_STR, .dflt = "a, b", .flags = TAUT_OPT_LIVE),
    TAUT_OPT(struct options, label, TAUT_OPT_STR, .dflt = "none", .help = "a text that needs a restart"),
};

static void check(const void *config, struct taut_check *ctx, taut_check_error_fn error) {
    const struct options *o = config;
    if (o->level < o->floor) error(ctx, "level", "is below floor");
}

static int32_t init(struct taut_mod *m) {
    m->state = taut_alloc(m, SEEN_MAX);
    if (!m->state) return TAUT_E_NOMEM;
    memset(m->state, 0, SEEN_MAX);
    return TAUT_OK;
}
static void fini(struct taut_mod *m) {
    taut_free(m, m->state);
}

static int32_t reconfigure(struct taut_mod *m, const struct taut_reconfigure *r) {
    static const char *const phases[] = {"", "prepare", "commit", "cancel"};
    const struct options *now = r->current, *next = r->config;
    char *seen = m->state;
    size_t n = strlen(seen);
    snprintf(seen + n, SEEN_MAX - n, "%s%s %d>%d", n ? ", " : "", phases[r->phase], (int)now->level, (int)next->level);
    if (r->phase != TAUT_PREPARE) return TAUT_OK;
    if (next->level == REFUSED) r->error(r->ctx, "level", "13 brings bad luck; take another");
    return next->level == REFUSED_SILENTLY ? TAUT_E_UNAVAILABLE : TAUT_OK;
}

static int32_t on_show(struct taut_mod *m, struct taut_call *c) {
    const struct options *o = m->config;
    struct taut_json *j = taut_answer(c);
    taut_json_kint(j, "level", o->level);
    taut_json_kint(j, "fixed", o->fixed);
    taut_json_kstr(j, "greeting", o->greeting);
    taut_json_kopen(j, "names", '[');
    for (uint32_t i = 0; i < o->names.len; i++) taut_json_str(j, *TAUT_AT(o->names, taut_str, i));
    taut_json_close(j, ']');
    taut_json_kstr(j, "seen", taut_str_z(m->state));
    return taut_done(c);
}
static const struct taut_command commands[] = {{.name = LIVE_NAME " show", .help = "what it sees", .run = on_show}};

TAUT_MODULE(.name = LIVE_NAME, .version = "1.0", .license = "Apache-2.0", .summary = "options that change",
            .options = TAUT_ARRAY(opts), .config_size = sizeof(struct options), .commands = TAUT_ARRAY(commands),
            .check = check, .init = init, .fini = fini, .reconfigure = reconfigure);
