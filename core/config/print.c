/* print.c - a configuration as YAML: what it would run, written so that it reads the same when it is read again.
 *
 * listen and data are always written, other options of the sections when they are not the defaults, the options of
 * modules as the file gave them.
 */
#include <stdio.h>

#include "config/internal.h"

/* Plain where YAML reads it back as the same text, else in double quotes. */
static void print_text(FILE *out, taut_str s) {
    bool plain =
        s.len > 0 && !strchr("-?:,[]{}#&*!|>'\"%@` ~", s.ptr[0]) && s.ptr[s.len - 1] != ' ' && s.ptr[s.len - 1] != ':';
    for (size_t i = 0; i < s.len; i++) {
        unsigned char ch = (unsigned char)s.ptr[i];
        if (ch < 0x20 || ch == 0x7f || ch == '#' || ch == '"' || ch == '\\') plain = false;
        if (ch == ':' && i + 1 < s.len && s.ptr[i + 1] == ' ') plain = false;
    }
    if (plain) {
        fwrite(s.ptr, 1, s.len, out);
        return;
    }
    fputc('"', out);
    for (size_t i = 0; i < s.len; i++) {
        unsigned char ch = (unsigned char)s.ptr[i];
        if (ch == '"' || ch == '\\') fprintf(out, "\\%c", ch);
        else if (ch < 0x20 || ch == 0x7f) fprintf(out, "\\x%02x", ch);
        else fputc(ch, out);
    }
    fputc('"', out);
}

static void print_node(FILE *out, const struct node *n, int indent);

static void print_map(FILE *out, const struct node *map, int indent) {
    for (const struct node *n = map->first; n; n = n->next) {
        fprintf(out, "%*s", indent, "");
        print_text(out, n->key);
        fputc(':', out);
        print_node(out, n, indent + 2);
    }
}

/* What stands behind "key:" or "-", the end of the line included. Its depth is that of the file: CONFIG_DEPTH_MAX. */
static void print_node(FILE *out, const struct node *n, int indent) {
    if (n->kind == NODE_SCALAR) {
        fputc(' ', out);
        print_text(out, n->text);
        fputc('\n', out);
    } else if (!n->first) {
        fputs(n->kind == NODE_MAP ? " {}\n" : " []\n", out);
    } else if (n->kind == NODE_MAP) {
        fputc('\n', out);
        print_map(out, n, indent);
    } else {
        fputc('\n', out);
        for (const struct node *i = n->first; i; i = i->next) {
            fprintf(out, "%*s-", indent, "");
            print_node(out, i, indent + 2);
        }
    }
}

static bool is_default(struct config *scratch, const struct taut_opt *o, const void *field) {
    int64_t v = 0, dflt = 0;
    if (option_is_text(o)) return false;
    if (o->dflt) option_parse(scratch, o, taut_str_z(o->dflt), TAUT_LIT("/"), &dflt);
    memcpy(&v, field, sizeof v);
    return v == dflt;
}

static void print_section(FILE *out, struct config *scratch, const char *name, struct taut_array opts,
                          const void *values, const char *skip) {
    fprintf(out, "%s:\n", name);
    for (uint32_t i = 0; i < opts.len; i++) {
        struct taut_opt o = option_at(opts, i);
        const void *field = (const char *)values + o.offset;
        if (is_default(scratch, &o, field) || (skip && !strcmp(skip, o.name))) continue;
        taut_str text;
        int64_t v = 0;
        if (option_is_text(&o)) {
            memcpy(&text, field, sizeof text);
        } else {
            memcpy(&v, field, sizeof v);
            text = option_number_text(&scratch->arena, &o, v);
        }
        fprintf(out, "  %s: ", o.name);
        print_text(out, text);
        fputc('\n', out);
    }
}

static void print_module(FILE *out, const struct config_module *m) {
    bool renamed = !taut_str_eq(m->module, m->name), options = m->options && m->options->first;
    fprintf(out, "  - %s%s\n", m->module.ptr, renamed || options ? ":" : "");
    if (renamed) fprintf(out, "      as: %s\n", m->name.ptr);
    if (options) print_map(out, m->options, 6);
}

char *config_print(const struct config *c) {
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (!out) panic("out of memory");
    struct config scratch = {0};
    taut_str derived = config_url_of(&scratch, c->server.listen);
    const char *skip = taut_str_eq(derived, c->server.public_url) ? "public_url" : NULL;
    print_section(out, &scratch, "server", config_server_options, &c->server, skip);
    print_section(out, &scratch, "admin", config_admin_options, &c->admin, NULL);
    fputs(c->nmodules ? "modules:\n" : "modules: []\n", out);
    for (uint32_t i = 0; i < c->nmodules; i++) print_module(out, &c->modules[i]);
    fclose(out);
    arena_free(&scratch.arena);
    return text;
}
