/* args.c - words of the command line to typed arguments, by the command's table and the flags that all have. */
#include "cli/internal.h"

const struct common_flag common_flags[] = {
    {"config", "FILE", "the configuration (taut.yaml)", 'c', FLAG_CONFIG, offsetof(struct flags, config)},
    {"data", "DIR", "the data directory, in place of the configuration's", 0, FLAG_DATA, offsetof(struct flags, data)},
    {"listen", "ADDR:PORT", "the address, in place of the configuration's; port 0: any free one", 0, FLAG_LISTEN,
     offsetof(struct flags, listen)},
    {"admin-listen", "ADDR:PORT", "the same for the admin address", 0, FLAG_LISTEN,
     offsetof(struct flags, admin_listen)},
    {"public-url", "URL", "how clients reach it, in place of the configuration's", 0, FLAG_LISTEN,
     offsetof(struct flags, public_url)},
    {"allow-remote", NULL, "let other machines connect", 0, FLAG_ALLOW_REMOTE, offsetof(struct flags, allow_remote)},
    {"print-config", NULL, "print the configuration that it would run with, and end", 0, FLAG_PRINT_CONFIG,
     offsetof(struct flags, print_config)},
    {"json", NULL, "answer in JSON, for programs", 0, FLAG_JSON, offsetof(struct flags, json)},
    {"help", NULL, "print this", 'h', 0, offsetof(struct flags, help)},
};
const size_t ncommon_flags = COUNT_OF(common_flags);

const char *flag_name(struct arena *a, const char *name) {
    char *z = (char *)(uintptr_t)arena_fmt(a, "--%s", name).ptr;
    for (char *p = z; *p; p++)
        if (*p == '_') *p = '-';
    return z;
}

/* NULL, or what is wrong. */
static const char *to_int(taut_str s, int64_t *v) {
    size_t i = s.len && s.ptr[0] == '-';
    uint64_t n = 0, most = (uint64_t)INT64_MAX + i;
    bool fits = true, negative = i;
    if (i == s.len) return "is not a whole number";
    for (; i < s.len; i++) {
        unsigned digit = (unsigned)(s.ptr[i] - '0');
        if (digit > 9) return "is not a whole number";
        fits = fits && n <= (most - digit) / 10;
        n = n * 10 + digit;
    }
    *v = (int64_t)(negative ? 0 - n : n);
    return fits ? NULL : "is too large a number";
}

const char *arg_set(struct arena *a, const struct taut_arg *def, taut_str text, struct taut_argv *v) {
    *v = (struct taut_argv){.present = 1, .type = def->type, .s = arena_str(a, text)};
    switch (def->type) {
    case TAUT_ARG_INT: return to_int(text, &v->i);
    case TAUT_ARG_BOOL:
        v->i = taut_str_is(text, "true") || taut_str_is(text, "1");
        return v->i || taut_str_is(text, "false") || taut_str_is(text, "0") ? NULL : "is neither true nor false";
    default: return NULL;
    }
}

/* What the parser is at. */
struct parse {
    struct cli *cli;
    const struct command *command;
    int argc, at;
    char **argv;
    uint32_t positional; /* the next declared argument that may stand without its name */
};

static const struct taut_arg *arg_at(const struct command *c, uint32_t i) {
    return TAUT_AT(c->args, struct taut_arg, i);
}

static void complain(const struct parse *p, const char *what, const char *word, const char *more) {
    fprintf(stderr, "taut %s: %s%s%s; see: taut %s --help\n", p->command->name, what, word, more, p->command->name);
}

/* The flag's value: behind its "=", or the next word. NULL: there is none, which was printed. */
static const char *take_value(struct parse *p, const char *flag, const char *equals) {
    if (equals) return equals + 1;
    if (p->at < p->argc) return p->argv[p->at++];
    complain(p, flag, " needs a value", "");
    return NULL;
}

static bool same_name(taut_str word, const char *name) {
    if (word.len != strlen(name)) return false;
    for (size_t i = 0; i < word.len; i++)
        if (word.ptr[i] != (name[i] == '_' ? '-' : name[i])) return false;
    return true;
}

static bool set_arg(struct parse *p, uint32_t i, taut_str text, const char *shown) {
    if (p->cli->args[i].present) {
        complain(p, shown, " is given twice", "");
        return false;
    }
    const char *why = arg_set(&p->cli->arena, arg_at(p->command, i), text, &p->cli->args[i]);
    if (why) complain(p, shown, arena_fmt(&p->cli->arena, ": \"%.*s\" ", (int)text.len, text.ptr).ptr, why);
    return !why;
}

static bool set_common(struct parse *p, const struct common_flag *f, const char *word, const char *equals) {
    char *field = (char *)&p->cli->given + f->offset;
    if (!f->value) {
        *(bool *)field = true;
        if (equals) complain(p, word, " takes no value", "");
        return !equals;
    }
    const char *value = take_value(p, arena_fmt(&p->cli->arena, "--%s", f->name).ptr, equals);
    memcpy(field, &value, sizeof value);
    return value != NULL;
}

static void unknown_flag(struct parse *p, taut_str name) {
    struct arena *a = &p->cli->arena;
    uint32_t n = 0;
    const char **known = arena_alloc(a, (ncommon_flags + p->command->args.len) * sizeof *known);
    for (size_t i = 0; i < ncommon_flags; i++)
        if (!common_flags[i].flag || (common_flags[i].flag & p->command->flags)) known[n++] = common_flags[i].name;
    for (uint32_t i = 0; i < p->command->args.len; i++) known[n++] = flag_name(a, arg_at(p->command, i)->name) + 2;
    const char *near = nearest(name, known, n);
    complain(p, arena_fmt(a, "unknown flag --%.*s", (int)name.len, name.ptr).ptr,
             near ? arena_fmt(a, "; did you mean --%s?", near).ptr : "", "");
}

static bool parse_long(struct parse *p, const char *word) {
    const char *equals = strchr(word, '=');
    taut_str name = taut_str_n(word + 2, equals ? (size_t)(equals - word) - 2 : strlen(word) - 2);
    for (size_t i = 0; i < ncommon_flags; i++) {
        const struct common_flag *f = &common_flags[i];
        if (taut_str_is(name, f->name) && (!f->flag || (f->flag & p->command->flags)))
            return set_common(p, f, word, equals);
    }
    for (uint32_t i = 0; i < p->command->args.len; i++) {
        const struct taut_arg *a = arg_at(p->command, i);
        if (!same_name(name, a->name)) continue;
        const char *shown = flag_name(&p->cli->arena, a->name);
        const char *value = a->type == TAUT_ARG_BOOL && !equals ? "true" : take_value(p, shown, equals);
        return value && set_arg(p, i, taut_str_z(value), shown);
    }
    unknown_flag(p, name);
    return false;
}

static bool parse_letter(struct parse *p, const char *word) {
    for (size_t i = 0; i < ncommon_flags; i++) {
        const struct common_flag *f = &common_flags[i];
        if (f->letter && word[1] == f->letter && !word[2] && (!f->flag || (f->flag & p->command->flags)))
            return set_common(p, f, word, NULL);
    }
    complain(p, "unknown flag ", word, "");
    return false;
}

static bool parse_positional(struct parse *p, const char *word) {
    for (; p->positional < p->command->args.len; p->positional++) {
        const struct taut_arg *a = arg_at(p->command, p->positional);
        if ((a->flags & TAUT_ARG_POSITIONAL) && !p->cli->args[p->positional].present)
            return set_arg(p, p->positional++, taut_str_z(word), a->name);
    }
    complain(p, arena_fmt(&p->cli->arena, "\"%s\" is one word too many", word).ptr, "", "");
    return false;
}

static bool check_required(struct parse *p) {
    for (uint32_t i = 0; i < p->command->args.len; i++) {
        const struct taut_arg *a = arg_at(p->command, i);
        if (!(a->flags & TAUT_ARG_REQUIRED) || p->cli->args[i].present) continue;
        complain(p, "needs ", a->flags & TAUT_ARG_POSITIONAL ? a->name : flag_name(&p->cli->arena, a->name), "");
        return false;
    }
    return true;
}

bool args_parse(struct cli *cli, int argc, char **argv) {
    struct parse p = {.cli = cli, .command = cli->command, .argc = argc, .argv = argv};
    bool flags_end = false;
    cli->args = arena_zalloc(&cli->arena, (p.command->args.len + 1) * sizeof *cli->args);
    while (p.at < argc) {
        const char *word = argv[p.at++];
        bool ok = true;
        if (!flags_end && !strcmp(word, "--")) flags_end = true;
        else if (!flags_end && word[0] == '-' && word[1] == '-') ok = parse_long(&p, word);
        else if (!flags_end && word[0] == '-' && word[1]) ok = parse_letter(&p, word);
        else ok = parse_positional(&p, word);
        if (!ok) return false;
    }
    return cli->given.help || check_required(&p);
}
