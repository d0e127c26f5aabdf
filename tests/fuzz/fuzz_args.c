/* fuzz_args.c - libFuzzer target: words of a command line through the parser, with a table of every argument type. What
 * is refused is refused in one line; what is accepted, written out in full, is accepted again and means the same.
 *
 * The first byte says which of the core's flags the command has; the rest are words, one a line.
 */
#include "cli/internal.h"

enum { WORDS_MAX = 48 };

static const struct taut_arg defs[] = {
    {"name", TAUT_ARG_STR, TAUT_ARG_REQUIRED | TAUT_ARG_POSITIONAL, NULL, NULL},
    {"count", TAUT_ARG_INT, 0, NULL, NULL},
    {"dry_run", TAUT_ARG_BOOL, 0, NULL, NULL},
    {"more", TAUT_ARG_STR, TAUT_ARG_POSITIONAL, NULL, NULL},
    {"users", TAUT_ARG_LIST, 0, NULL, NULL},
    {"blocks", TAUT_ARG_JSON, 0, NULL, NULL},
};

/* What the parser printed. */
static char *said;
static size_t said_len;

static bool parse(struct cli *cli, const struct command *command, int argc, char **argv) {
    FILE *before = stderr, *to;
    *cli = (struct cli){.command = command};
    free(said);
    said = NULL;
    to = open_memstream(&said, &said_len);
    stderr = to;
    bool ok = args_parse(cli, argc, argv);
    stderr = before;
    fclose(to);
    return ok;
}

static void check_refusal(void) {
    if (strncmp(said, "taut try: ", 10) != 0 || strlen(said) != said_len) panic("refused with: %s", said);
    if (!said_len || strchr(said, '\n') != said + said_len - 1) panic("refused in several lines: %s", said);
}

/* The digits really are that number. */
static bool is_number(taut_str s, int64_t v) {
    bool negative = s.len && s.ptr[0] == '-';
    __int128 n = 0;
    for (size_t i = negative; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9') return false;
        n = n * 10 + (s.ptr[i] - '0');
    }
    return s.len > negative && (negative ? -n : n) == v;
}

static void check_values(const struct cli *cli) {
    for (uint32_t i = 0; i < COUNT_OF(defs); i++) {
        const struct taut_argv *v = &cli->args[i];
        if (!v->present) {
            if ((defs[i].flags & TAUT_ARG_REQUIRED) && !cli->given.help) panic("%s is missing", defs[i].name);
            continue;
        }
        if (v->type != defs[i].type) panic("%s has another type", defs[i].name);
        if (v->type == TAUT_ARG_INT && !is_number(v->s, v->i)) panic("%s is not %lld", v->s.ptr, (long long)v->i);
        if (v->type == TAUT_ARG_BOOL && v->i != 0 && v->i != 1) panic("%s is no truth", defs[i].name);
    }
}

/* The same in full: every flag with its name, behind an equals sign. */
static int write_out(struct cli *cli, char **argv) {
    struct arena *a = &cli->arena;
    int n = 0;
    for (size_t i = 0; i < ncommon_flags; i++) {
        const struct common_flag *f = &common_flags[i];
        const char *field = (const char *)&cli->given + f->offset, *value;
        memcpy(&value, field, sizeof value);
        taut_str word = TAUT_NONE;
        if (!f->value && *(const bool *)field) word = arena_fmt(a, "--%s", f->name);
        else if (f->value && value) word = arena_fmt(a, "--%s=%s", f->name, value);
        if (word.len) argv[n++] = (char *)(uintptr_t)word.ptr;
    }
    for (uint32_t i = 0; i < COUNT_OF(defs); i++)
        if (cli->args[i].present)
            argv[n++] = (char *)(uintptr_t)arena_fmt(a, "%s=%s", flag_name(a, defs[i].name), cli->args[i].s.ptr).ptr;
    return n;
}

static bool same_text(const char *a, const char *b) {
    return a && b ? !strcmp(a, b) : a == b;
}

static void compare(const struct cli *a, const struct cli *b) {
    const struct flags *x = &a->given, *y = &b->given;
    if (!same_text(x->config, y->config) || !same_text(x->data, y->data) || !same_text(x->listen, y->listen) ||
        !same_text(x->admin_listen, y->admin_listen) || !same_text(x->public_url, y->public_url) ||
        x->json != y->json || x->print_config != y->print_config || x->allow_remote != y->allow_remote ||
        x->help != y->help)
        panic("the flags differ");
    for (uint32_t i = 0; i < COUNT_OF(defs); i++) {
        const struct taut_argv *v = &a->args[i], *w = &b->args[i];
        if (v->present != w->present || v->i != w->i || (v->present && !taut_str_eq(v->s, w->s)))
            panic("%s differs", defs[i].name);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!size || memchr(data, 0, size)) return 0;
    char *words = xstrndup((const char *)data + 1, size - 1), *at = words, *word, *argv[WORDS_MAX];
    char *full[COUNT_OF(defs) + WORDS_MAX];
    struct command command = {.name = "try", .args = TAUT_ARRAY(defs), .flags = data[0]};
    struct cli cli, again;
    int argc = 0;
    while (argc < WORDS_MAX && (word = strsep(&at, "\n"))) argv[argc++] = word;
    if (!parse(&cli, &command, argc, argv)) check_refusal();
    else if (said_len) panic("accepted, and said: %s", said);
    else {
        check_values(&cli);
        if (!parse(&again, &command, write_out(&cli, full), full)) panic("written out it is refused: %s", said);
        compare(&cli, &again);
        arena_free(&again.arena);
    }
    arena_free(&cli.arena);
    free(words);
    return 0;
}
