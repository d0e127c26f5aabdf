/* @NAME@.c - greets people, and remembers how often. A module to learn from and to change into one of your own.
 *
 * Read it from the top; the last lines tie it together. The headers in <taut/> say the rest, function by function.
 *
 * Handlers run on one thread, one at a time, and are RESTARTABLE: a read (taut_get, taut_scan) whose rows are not in
 * memory returns TAUT_E_AGAIN, which the handler returns at once (TAUT_TRY does); when the rows are there it is called
 * again, from its first line. So: first reads and decisions, then effects, all of them in one batch, which is written
 * as a whole or not at all. taut-modtest and debug builds of the server call every handler twice to hold you to it.
 *
 * Copyright @YEAR@ @AUTHOR@
 * SPDX-License-Identifier: Apache-2.0
 */
#include <taut/msg.h>
#include <taut/taut.h>

/* ---- options: what may stand under "@NAME@:" in taut.yaml; LIVE ones are changed by `taut reload` ---- */
struct limits {
    int64_t per_name, pause;
};
struct options {
    taut_str greeting;
    int64_t ending;
    struct taut_array never; /* of taut_str */
    struct limits limits;
};
enum { ENDING_CALM, ENDING_LOUD };

static const struct taut_opt limits_options[] = {
    TAUT_OPT(struct limits, per_name, TAUT_OPT_INT, .dflt = "1000", .min = 1, .max = 1000000, .flags = TAUT_OPT_LIVE,
             .help = "how often one name is greeted"),
    TAUT_OPT(struct limits, pause, TAUT_OPT_DURATION, .dflt = "0s", .max = 86400000, .flags = TAUT_OPT_LIVE,
             .help = "from one greeting of a name to its next"),
};
static const struct taut_opt options[] = {
    TAUT_OPT(struct options, greeting, TAUT_OPT_STR, .dflt = "Hello", .min = 1, .max = 64, .flags = TAUT_OPT_LIVE,
             .help = "what is said before a name"),
    TAUT_OPT(struct options, ending, TAUT_OPT_ENUM, .choices = "calm|loud", .dflt = "calm", .help = "one ! or three"),
    TAUT_OPT(struct options, never, TAUT_OPT_LIST, .item = TAUT_OPT_STR, .max_items = 100,
             .help = "names that are not greeted"),
    TAUT_OPT(struct options, limits, TAUT_OPT_STRUCT, .options = TAUT_ARRAY(limits_options),
             .help = "how much is enough"),
};

/* Rules that the table cannot say. */
static void check(const void *config, struct taut_check *ctx, taut_check_error_fn error) {
    if (strpbrk(((const struct options *)config)->greeting.ptr, "<>&"))
        error(ctx, "greeting", "holds one of < > &, which mean something else in a message; leave them out");
}

/* ---- state: no variables at file scope, for a module may be configured twice ---- */
struct state {
    int64_t since_start;
};
enum { GREETINGS }; /* places in the table of metrics */

static void count_one(struct taut_mod *m, void *arg) {
    struct state *s = m->state;
    (void)arg;
    s->since_start++;
    taut_count(m, GREETINGS, 1);
}

/* ---- the table: one row a name, private to this module ---- */
enum { ROW_WORKSPACE, ROW_NAME, ROW_TIMES, ROW_LAST_US };
static const struct taut_col columns[] = {
    [ROW_WORKSPACE] = {.name = "workspace", .type = TAUT_TEXT},
    [ROW_NAME] = {.name = "name", .type = TAUT_TEXT},
    [ROW_TIMES] = {.name = "times", .type = TAUT_INT},
    [ROW_LAST_US] = {.name = "last_us", .type = TAUT_INT},
};
static const struct taut_table greetings = {
    .size = sizeof greetings, .key_cols = 2, .name = "greetings", .cols = TAUT_ARRAY(columns)};

/* ---- the method: POST /api/@NAME@.greet ---- */
enum { GREET_NAME, GREET_QUIET };
static const struct taut_arg greet_args[] = {
    [GREET_NAME] = {.name = "name", .type = TAUT_ARG_STR, .flags = TAUT_ARG_REQUIRED, .missing = "no_name"},
    [GREET_QUIET] = {.name = "quiet", .type = TAUT_ARG_BOOL}, /* tell nobody else */
};
enum { NAME_BYTES = 80 }; /* whatever a stranger sends has a limit */

static taut_str text_for(struct taut_call *c, const struct options *o, taut_str name) {
    return taut_fmt(c, "%s, %.*s%s", o->greeting.ptr, (int)name.len, name.ptr, o->ending == ENDING_LOUD ? "!!!" : "!");
}

static int is_never_greeted(const struct options *o, taut_str name) {
    for (uint32_t i = 0; i < o->never.len; i++)
        if (taut_str_eq(*TAUT_AT(o->never, taut_str, i), name)) return 1;
    return 0;
}

/* The next count. Its condition makes sure that it still is the next one when it is written: when another call was
 * faster, nothing is, and the core runs the handler again. */
static void remember(struct taut_mod *m, struct taut_batch *b, taut_str workspace, taut_str name, int64_t times) {
    const struct taut_val row[] = {taut_v_str(workspace), taut_v_str(name), taut_v_int(times + 1),
                                   taut_v_int(taut_now_us(m))};
    if (times) taut_expect_equals(m, b, &greetings, row, 2, ROW_TIMES, taut_v_int(times));
    else taut_expect_absent(m, b, &greetings, row, 2);
    taut_upsert(m, b, &greetings, row, 4);
}

/* An event for everybody in the workspace, kept in its log with the row. */
static void announce(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, taut_str text) {
    struct taut_json *j = taut_json_scratch(c);
    taut_json_open(j, '{');
    taut_json_kstr(j, "type", TAUT_LIT("@NAME@_greeted"));
    taut_json_kstr(j, "user", c->actor->user);
    taut_json_kstr(j, "text", text);
    taut_json_close(j, '}');
    const struct taut_event event = {
        .size = sizeof event, .ntopics = 1, .topics = &c->actor->workspace, .body = taut_json_out(j)};
    taut_append(m, b, &event);
}

static int32_t on_greet(struct taut_mod *m, struct taut_call *c) {
    const struct options *o = m->config;
    taut_str workspace = c->actor->workspace, name = taut_arg_str(c, GREET_NAME);
    const struct taut_row *row;
    if (name.len > NAME_BYTES) return taut_fail(c, "name_too_long");
    if (is_never_greeted(o, name)) return taut_fail(c, "never_greeted");
    /* reads; the handler may leave here, and begin again at its top */
    TAUT_TRY(taut_get(m, c, &greetings, TAUT_KEY(taut_v_str(workspace), taut_v_str(name)), &row));
    int64_t times = row ? taut_row_int(row, ROW_TIMES) : 0;
    if (times >= o->limits.per_name) return taut_fail(c, "greeted_enough");
    if (row && taut_now_us(m) < taut_row_int(row, ROW_LAST_US) + o->limits.pause * 1000)
        return taut_fail_text(c, "too_soon", TAUT_LIT("this name has just been greeted; wait a little"));
    /* from here on effects, nothing is read any more */
    struct taut_batch *b = taut_batch(c);
    taut_str text = text_for(c, o, name);
    remember(m, b, workspace, name, times);
    if (!taut_arg_int(c, GREET_QUIET, 0)) announce(m, c, b, text);
    taut_at_end(m, c, count_one, NULL); /* once, however often this ran */
    struct taut_json *j = taut_answer(c);
    taut_json_kstr(j, "text", text);
    taut_json_kint(j, "times", times + 1);
    return taut_commit(c, b); /* answers when it is on disk */
}
static const struct taut_method methods[] = {
    {.name = "@NAME@.greet", .args = TAUT_ARRAY(greet_args), .rate = TAUT_RATE_TIER3, .run = on_greet},
};

/* ---- the filter: a message that is "!@NAME@" is sent as a greeting ---- */
static int32_t on_before_send(struct taut_mod *m, struct taut_call *c, struct taut_batch *b, void *data) {
    struct taut_draft *draft = data;
    (void)b;
    if (!taut_str_is(draft->text, "!@NAME@")) return TAUT_OK;
    return taut_draft_set(draft, m, TAUT_DRAFT_TEXT, text_for(c, m->config, TAUT_LIT("everybody")));
}
static const struct taut_hook hooks[] = {
    TAUT_FILTER(TAUT_HOOK_BEFORE_SEND, "@NAME@/greet", on_before_send, .stage = TAUT_STAGE_NORMALISE),
};

/* ---- the sub-command: taut @NAME@ list ---- */
enum { LIST_LIMIT };
static const struct taut_arg list_args[] = {{.name = "limit", .type = TAUT_ARG_INT, .help = "at most so many; 100"}};

static int32_t on_list(struct taut_mod *m, struct taut_call *c) {
    const struct state *s = m->state;
    int64_t limit = taut_arg_int(c, LIST_LIMIT, 100);
    const struct taut_rows *rows;
    if (limit < 1 || limit > 1000) return taut_fail_text(c, "invalid_limit", TAUT_LIT("--limit must be 1 to 1000"));
    const struct taut_scan all = {.size = sizeof all, .index = TAUT_SCAN_PRIMARY, .limit = (uint32_t)limit};
    TAUT_TRY(taut_scan(m, c, &greetings, &all, &rows));
    struct taut_json *j = taut_answer(c);
    taut_json_kint(j, "since_start", s->since_start);
    taut_json_kopen(j, "greetings", '[');
    for (uint32_t i = 0; i < rows->n; i++) {
        taut_json_open(j, '{');
        taut_json_kstr(j, "name", taut_row_str(&rows->rows[i], ROW_NAME));
        taut_json_kint(j, "times", taut_row_int(&rows->rows[i], ROW_TIMES));
        taut_json_close(j, '}');
    }
    taut_json_close(j, ']');
    return taut_done(c);
}
static const struct taut_command commands[] = {
    {.name = "@NAME@ list", .help = "who was greeted, and how often", .args = TAUT_ARRAY(list_args), .run = on_list},
};

/* ---- life: init, start, then handlers, stop, fini. What init allocates, fini frees ---- */
static int32_t init(struct taut_mod *m) {
    m->state = taut_alloc(m, sizeof(struct state));
    if (!m->state) return TAUT_E_NOMEM;
    *(struct state *)m->state = (struct state){0};
    return TAUT_OK;
}
static void fini(struct taut_mod *m) {
    taut_free(m, m->state);
}

static const struct taut_metric metrics[] = {
    [GREETINGS] = {.name = "greetings_total", .kind = TAUT_COUNTER, .help = "People that were greeted."},
};
static const struct taut_table *const tables[] = {&greetings};

TAUT_MODULE(.name = "@NAME@", .version = "0.1.0", .license = "Apache-2.0", .summary = "greets people",
            .needs = TAUT_LIST("storage/1"), .options = TAUT_ARRAY(options), .config_size = sizeof(struct options),
            .tables = TAUT_ARRAY(tables), .methods = TAUT_ARRAY(methods), .commands = TAUT_ARRAY(commands),
            .hooks = TAUT_ARRAY(hooks), .metrics = TAUT_ARRAY(metrics), .check = check, .init = init, .fini = fini);
