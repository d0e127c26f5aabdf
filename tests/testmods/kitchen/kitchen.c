/* kitchen.c - the declaration of the kitchen: options, life, and everything that the other files bring. */
#include "kitchen.h"

static const struct taut_opt options[] = {
    TAUT_OPT(struct options, fails, TAUT_OPT_ENUM, .choices = "never|init|start", .help = "where it fails"),
    TAUT_OPT(struct options, log, TAUT_OPT_ENUM, .choices = "read|fails|held", .help = "what it does with events"),
    TAUT_OPT(struct options, patience, TAUT_OPT_DURATION, .dflt = "50ms", .max = 1000, .flags = TAUT_OPT_LIVE,
             .help = "how long it waits"),
    TAUT_OPT(struct options, greeting, TAUT_OPT_STR, .dflt = "hello", .flags = TAUT_OPT_LIVE, .help = "what it says"),
    TAUT_OPT(struct options, words, TAUT_OPT_LIST, .item = TAUT_OPT_STR, .dflt = "salt, pepper", .help = "spices"),
};

static void check(const void *config, struct taut_check *ctx, taut_check_error_fn error) {
    const struct options *o = config;
    if (o->patience < 10) error(ctx, "patience", "is too short; wait 10ms at least");
}

static int32_t on_state(struct taut_mod *m, struct taut_call *c) {
    const struct kitchen *k = kitchen_of(m);
    struct taut_json *j = taut_answer(c);
    taut_json_kint(j, "sent", k->sent);
    taut_json_kint(j, "edited", k->edited);
    taut_json_kint(j, "deleted", k->deleted);
    taut_json_kint(j, "logged", k->logged);
    taut_json_kint(j, "last_seq", k->last_seq);
    taut_json_kint(j, "own_logged", k->own_logged);
    taut_json_kint(j, "awaited", k->awaited);
    taut_json_kint(j, "tasted", k->tasted);
    taut_json_kint(j, "opened", k->opened);
    taut_json_kint(j, "closed", k->closed);
    taut_json_kint(j, "prepared", k->prepared);
    taut_json_kint(j, "committed", k->committed);
    taut_json_kbool(j, "slow_up", k->slow->up != 0);
    taut_json_kbool(j, "nobody_up", k->nobody->up != 0);
    taut_json_kstr(j, "greeting", options_of(m)->greeting);
    taut_json_kopen(j, "words", '[');
    for (uint32_t i = 0; i < options_of(m)->words.len; i++)
        taut_json_str(j, *TAUT_AT(options_of(m)->words, taut_str, i));
    taut_json_close(j, ']');
    return taut_done(c);
}

/* ---- life ---- */

static int32_t init(struct taut_mod *m) {
    struct kitchen *k = taut_alloc(m, sizeof *k);
    if (!k) return TAUT_E_NOMEM;
    if (options_of(m)->fails == FAILS_IN_INIT) {
        taut_free(m, k);
        return TAUT_E_UNAVAILABLE;
    }
    *k = (struct kitchen){.mod = m};
    m->state = k;
    return kitchen_begin_services(m);
}

static void start(struct taut_mod *m, taut_op op) {
    if (options_of(m)->fails == FAILS_IN_START) {
        taut_free(m, m->state);
        taut_op_complete(m, op, TAUT_E_IO, NULL, NULL);
        return;
    }
    int32_t err = kitchen_begin_log(m);
    if (err < 0) taut_free(m, m->state);
    taut_op_complete(m, op, err, NULL, NULL);
}

static void stop(struct taut_mod *m, taut_op op) {
    kitchen_end_log(m);
    taut_log(m, TAUT_LOG_INFO, "closed", "the kitchen is closed");
    taut_op_complete(m, op, TAUT_OK, NULL, NULL);
}

static void fini(struct taut_mod *m) {
    taut_free(m, m->state);
}

static int32_t reconfigure(struct taut_mod *m, const struct taut_reconfigure *r) {
    const struct options *next = r->config;
    if (r->phase == TAUT_PREPARE && taut_str_is(next->greeting, "nothing")) {
        r->error(r->ctx, "greeting", "says nothing; take a word");
        return TAUT_E_INVAL;
    }
    kitchen_of(m)->prepared += r->phase == TAUT_PREPARE;
    kitchen_of(m)->committed += r->phase == TAUT_COMMIT;
    return TAUT_OK;
}

/* ---- what it brings ---- */

#define ARG(n, t, f) \
    { .name = n, .type = t, .flags = f, .missing = "no_" n, .help = n }
static const struct taut_arg some[] = {ARG("s", TAUT_ARG_STR, TAUT_ARG_REQUIRED), ARG("i", TAUT_ARG_INT, 0),
                                       ARG("b", TAUT_ARG_BOOL, 0), ARG("l", TAUT_ARG_LIST, 0),
                                       ARG("j", TAUT_ARG_JSON, 0)};
static const struct taut_arg page[] = {ARG("limit", TAUT_ARG_STR, 0), ARG("cursor", TAUT_ARG_STR, 0)};
static const struct taut_arg word[] = {ARG("s", TAUT_ARG_STR, 0), ARG("i", TAUT_ARG_INT, 0)};
static const struct taut_arg thing[] = {ARG("id", TAUT_ARG_STR, TAUT_ARG_REQUIRED), ARG("n", TAUT_ARG_INT, 0),
                                        ARG("note", TAUT_ARG_STR, 0), ARG("how", TAUT_ARG_STR, 0),
                                        ARG("topic", TAUT_ARG_STR, 0)};
static const struct taut_arg who[] = {ARG("workspace", TAUT_ARG_STR, TAUT_ARG_REQUIRED),
                                      ARG("id", TAUT_ARG_STR, TAUT_ARG_POSITIONAL)};
static const struct taut_arg asked[] = {ARG("user", TAUT_ARG_STR, 0), ARG("name", TAUT_ARG_STR, 0),
                                        ARG("bot", TAUT_ARG_STR, 0), ARG("token", TAUT_ARG_STR, 0),
                                        ARG("channel", TAUT_ARG_STR, 0)};
#define METHOD(n, a, r) \
    { .name = "kitchen." n, .args = TAUT_ARRAY(a), .rate = TAUT_RATE_NONE, .run = r }
static const struct taut_method methods[] = {
    METHOD("state", word, on_state),
    METHOD("base", word, kitchen_base),
    METHOD("health", word, kitchen_health),
    METHOD("json", some, kitchen_json),
    METHOD("fail", word, kitchen_fail),
    METHOD("page", page, kitchen_page),
    METHOD("await", word, kitchen_await),
    METHOD("slow", word, kitchen_slow),
    METHOD("nobody", word, kitchen_nobody),
    METHOD("held", word, kitchen_held),
    METHOD("task", word, kitchen_task),
    METHOD("loop", word, kitchen_loop),
    METHOD("ops", word, kitchen_ops),
    METHOD("put", thing, kitchen_put),
    METHOD("get", thing, kitchen_get),
    METHOD("list", thing, kitchen_list),
    METHOD("change", thing, kitchen_change),
    METHOD("remove", thing, kitchen_remove),
    METHOD("announce", thing, kitchen_announce),
    METHOD("skip", word, kitchen_skip),
    METHOD("unsubscribe", word, kitchen_unsubscribe),
    METHOD("trim", word, kitchen_trim),
    METHOD("point", word, kitchen_point),
    METHOD("directory", asked, kitchen_directory),
    METHOD("conversation", asked, kitchen_conversation),
    METHOD("say", asked, kitchen_say),
    METHOD("storage", word, kitchen_storage),
    METHOD("down", word, kitchen_down),
};
static const struct taut_route routes[] = {
    {.method = "PUT", .path = "/kitchen/echo", .run = kitchen_on_echo, .max_body = 1 << 20},
    {.method = "POST", .path = "/kitchen/form", .flags = TAUT_ROUTE_PARTS, .run = kitchen_on_form},
    {.method = "GET", .path = "/kitchen/file", .run = kitchen_on_file},
    {.method = "GET", .path = "/kitchen/health", .flags = TAUT_ROUTE_ADMIN, .run = kitchen_on_health},
};
static const struct taut_socket_route sockets[] = {{.prefix = "/kitchen/live/",
                                                    .name = "kitchen",
                                                    .open = kitchen_open,
                                                    .frame = kitchen_frame,
                                                    .close = kitchen_close}};
static const struct taut_command commands[] = {
    {.name = "kitchen write", .help = "write a thing", .args = TAUT_ARRAY(who), .run = kitchen_write},
    {.name = "kitchen provision", .help = "make a workspace", .args = TAUT_ARRAY(who), .run = kitchen_provision},
};
static const struct taut_hook hooks[] = {
    TAUT_FILTER(TAUT_HOOK_BEFORE_SEND, "kitchen/taste", kitchen_before_send, .on_error = TAUT_FAIL_CLOSED,
                .budget_ms = 500),
    TAUT_FILTER(TAUT_HOOK_BEFORE_EDIT, "kitchen/taste", kitchen_before_send, .on_error = TAUT_FAIL_CLOSED,
                .budget_ms = 500),
    TAUT_FILTER(TAUT_HOOK_USER_CREATE, "kitchen/birth", kitchen_at_birth),
    TAUT_FILTER(TAUT_HOOK_WORKSPACE_CREATE, "kitchen/birth", kitchen_at_birth),
    TAUT_FILTER(KITCHEN_POINT, "kitchen/point", kitchen_taste, .stage = TAUT_STAGE_ENRICH, .priority = 3),
    TAUT_OBSERVE(TAUT_HOOK_SENT, "kitchen/count", kitchen_sent),
    TAUT_OBSERVE(TAUT_HOOK_EDITED, "kitchen/count", kitchen_edited),
    TAUT_OBSERVE(TAUT_HOOK_DELETED, "kitchen/count", kitchen_deleted),
    TAUT_OBSERVE(KITCHEN_POINT, "kitchen/tasted", kitchen_tasted),
    TAUT_PROVIDE(KITCHEN_POINT, "kitchen/knows", kitchen_knows),
};
static const struct taut_metric metrics[METRICS] = {
    [DISHES] = {.name = "dishes_total", .kind = TAUT_COUNTER, .help = "Dishes.", .labels = "course=first|main"},
    [TEMPERATURE] = {.name = "temperature", .kind = TAUT_GAUGE, .help = "Of the oven."},
    [COOKING] = {.name = "cooking", .kind = TAUT_HISTOGRAM, .unit = "seconds", .help = "Time of a dish."},
};
static const struct taut_table *const tables[] = {&kitchen_things};

TAUT_MODULE(.name = "kitchen", .version = "1.0.0", .license = "Apache-2.0", .summary = "uses every public call",
            .flags = TAUT_MODULE_STANDARD, .provides = TAUT_LIST("kitchen_slow/1"),
            .needs = TAUT_LIST("storage/1", "directory/1", "conversation/1"),
            .wants = TAUT_LIST("auth/1", "kitchen_nobody/1", "kitchen_no_auth/1", "kitchen_no_directory/1",
                               "kitchen_no_conversation/1", "kitchen_no_storage/1"),
            .options = TAUT_ARRAY(options), .config_size = sizeof(struct options), .tables = TAUT_ARRAY(tables),
            .methods = TAUT_ARRAY(methods), .routes = TAUT_ARRAY(routes), .sockets = TAUT_ARRAY(sockets),
            .commands = TAUT_ARRAY(commands), .hooks = TAUT_ARRAY(hooks), .metrics = TAUT_ARRAY(metrics),
            .check = check, .init = init, .start = start, .stop = stop, .fini = fini, .reconfigure = reconfigure);
