/* help.c - usage texts, made of the same tables that parse. */
#include <ctype.h>

#include "cli/internal.h"

enum { HELP_COLUMN = 26 };

static void print_item(FILE *out, const char *left, const char *help) {
    fprintf(out, "  %-*s %s\n", HELP_COLUMN, left, help ? help : "");
}

void help_all(FILE *out, const struct cli *cli) {
    fputs("taut - a self-hosted real-time team-messaging server\n\nusage: taut COMMAND [ARGUMENTS]\n\ncommands:\n",
          out);
    for (uint32_t i = 0; i < cli->ncommands; i++) print_item(out, cli->commands[i].name, cli->commands[i].help);
    fputs("\nmore about one of them: taut COMMAND --help\n", out);
}

void help_group(FILE *out, const struct cli *cli, const char *group) {
    size_t n = strlen(group);
    fprintf(out, "usage: taut %s COMMAND [ARGUMENTS]\n\ncommands:\n", group);
    for (uint32_t i = 0; i < cli->ncommands; i++)
        if (!strncmp(cli->commands[i].name, group, n) && cli->commands[i].name[n] == ' ')
            print_item(out, cli->commands[i].name, cli->commands[i].help);
}

static const char *upper(struct arena *a, const char *name) {
    char *z = (char *)(uintptr_t)arena_str(a, taut_str_z(name)).ptr;
    for (char *p = z; *p; p++) *p = (char)toupper((unsigned char)*p);
    return z;
}

static const char *value_name(const struct taut_arg *a) {
    switch (a->type) {
    case TAUT_ARG_BOOL: return "";
    case TAUT_ARG_INT: return " N";
    case TAUT_ARG_LIST: return " A,B,…";
    default: return " VALUE";
    }
}

static void print_usage(FILE *out, struct cli *cli, const struct command *c) {
    fprintf(out, "usage: taut %s", c->name);
    for (uint32_t i = 0; i < c->args.len; i++) {
        const struct taut_arg *a = TAUT_AT(c->args, struct taut_arg, i);
        bool required = a->flags & TAUT_ARG_REQUIRED, positional = a->flags & TAUT_ARG_POSITIONAL;
        fprintf(out, " %s%s%s%s", required ? "" : "[",
                positional ? upper(&cli->arena, a->name) : flag_name(&cli->arena, a->name),
                positional ? "" : value_name(a), required ? "" : "]");
    }
    fputs(" [FLAGS]\n\n", out);
}

void help_command(FILE *out, struct cli *cli, const struct command *c) {
    print_usage(out, cli, c);
    fprintf(out, "%s%s%s%s\n\n", c->help, c->module ? " (of module " : "", c->module ? c->module : "",
            c->module ? ")" : "");
    for (uint32_t i = 0; i < c->args.len; i++) {
        const struct taut_arg *a = TAUT_AT(c->args, struct taut_arg, i);
        const char *flag = flag_name(&cli->arena, a->name);
        print_item(out, arena_fmt(&cli->arena, "%s%s", flag, value_name(a)).ptr, a->help);
    }
    for (size_t i = 0; i < ncommon_flags; i++) {
        const struct common_flag *f = &common_flags[i];
        if (f->flag && !(f->flag & c->flags)) continue;
        char letter[8] = "";
        if (f->letter) snprintf(letter, sizeof letter, "-%c, ", f->letter);
        print_item(
            out,
            arena_fmt(&cli->arena, "%s--%s%s%s", letter, f->name, f->value ? " " : "", f->value ? f->value : "").ptr,
            f->help);
    }
}
