/* print.c - a configuration as YAML: what it would run, written so that it reads the same when it is read again.
 *
 * listen and data are always written, other options of the sections when they are not the defaults, the options of
 * modules as the file gave them. A secret that stands in the file itself is left out: SECRET_TEXT is in its place.
 */
#include <stdio.h>

#include "config/internal.h"

/* Plain where YAML reads it back as the same text, wherever it stands, else in double quotes. */
void yaml_write(FILE *out, taut_str s) {
    bool plain =
        s.len > 0 && !strchr("-?:&*!|>'\"%@` ~", s.ptr[0]) && s.ptr[s.len - 1] != ' ' && s.ptr[s.len - 1] != ':';
    for (size_t i = 0; i < s.len; i++) {
        unsigned char ch = (unsigned char)s.ptr[i];
        if (ch < 0x20 || ch == 0x7f || strchr("#\"\\,[]{}", (int)ch)) plain = false;
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

/* ---- as the file gave it ---- */

static void print_node(FILE *out, const struct node *n, int indent);

static void print_map(FILE *out, const struct node *map, int indent) {
    for (const struct node *n = map->first; n; n = n->next) {
        fprintf(out, "%*s", indent, "");
        yaml_write(out, n->key);
        fputc(':', out);
        print_node(out, n, indent + 2);
    }
}

/* What stands behind "key:" or "-", the end of the line included. Its depth is that of the file: CONFIG_DEPTH_MAX. */
static void print_node(FILE *out, const struct node *n, int indent) {
    if (n->kind == NODE_SCALAR) {
        fputc(' ', out);
        yaml_write(out, n->is_secret ? taut_str_z(SECRET_TEXT) : n->text);
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

static void print_module(FILE *out, const struct config_module *m) {
    bool renamed = !taut_str_eq(m->module, m->name), options = m->options && m->options->first;
    fprintf(out, "  - %s%s\n", m->module.ptr, renamed || options || m->own ? ":" : "");
    if (renamed) fprintf(out, "      as: %s\n", m->name.ptr);
    if (m->own) print_map(out, m->own, 6);
    if (options) print_map(out, m->options, 6);
}

/* ---- by their values ---- */

/* Where the server keeps things and where it listens is worth to be seen, default or not. */
static bool is_always_printed(const struct taut_opt *o) {
    return o->dflt && (o->type == TAUT_OPT_ADDR || o->type == TAUT_OPT_PATH);
}

static bool is_default(struct config *scratch, const struct taut_opt *o, const void *field) {
    union {
        taut_str text;
        struct taut_array list;
        int64_t number;
        double real;
    } dflt;
    if (is_always_printed(o)) return false;
    option_default(scratch, o, TAUT_LIT("/"), &dflt);
    return option_equal(o, field, &dflt);
}

static bool has_news(struct config *scratch, struct taut_array opts, const char *values) {
    for (uint32_t i = 0; i < opts.len; i++) {
        struct taut_opt o = option_at(opts, i);
        const char *field = values + o.offset;
        if (o.type == TAUT_OPT_STRUCT ? has_news(scratch, o.options, field) : !is_default(scratch, &o, field))
            return true;
    }
    return false;
}

static bool holds_secret(const struct taut_opt *o) {
    if (o->type == TAUT_OPT_SECRET || o->item == TAUT_OPT_SECRET) return true;
    for (uint32_t i = 0; i < o->options.len; i++) {
        struct taut_opt inner = option_at(o->options, i);
        if (holds_secret(&inner)) return true;
    }
    return false;
}

/* nodes: of this map in the file, or NULL: what a secret is written as stands there only. */
static void print_values(FILE *out, struct config *scratch, struct taut_array opts, const char *values,
                         const struct node *nodes, const char *skip, int indent) {
    for (uint32_t i = 0; i < opts.len; i++) {
        struct taut_opt o = option_at(opts, i);
        const char *field = values + o.offset;
        const struct node *n = node_child(nodes, o.name);
        if (skip && !strcmp(skip, o.name)) continue;
        if (o.type == TAUT_OPT_STRUCT) {
            if (!has_news(scratch, o.options, field)) continue;
            fprintf(out, "%*s%s:\n", indent, "", o.name);
            print_values(out, scratch, o.options, field, n, NULL, indent + 2);
        } else if (!is_default(scratch, &o, field)) {
            fprintf(out, "%*s%s:", indent, "", o.name);
            if (n && holds_secret(&o)) {
                print_node(out, n, indent + 2);
                continue;
            }
            fputc(' ', out);
            option_write(out, &o, field);
            fputc('\n', out);
        }
    }
}

char *config_print(const struct config *c) {
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (!out) panic("out of memory");
    struct config scratch = {.server = c->server};
    taut_str derived = config_own_url(&scratch);
    const char *skip = taut_str_eq(derived, c->server.public_url) ? "public_url" : NULL;
    fputs("server:\n", out);
    print_values(out, &scratch, config_server_options, (const char *)&c->server, node_child(c->root, "server"), skip,
                 2);
    fputs("admin:\n", out);
    print_values(out, &scratch, config_admin_options, (const char *)&c->admin, node_child(c->root, "admin"), NULL, 2);
    fputs(c->nmodules ? "modules:\n" : "modules: []\n", out);
    for (uint32_t i = 0; i < c->nmodules; i++) print_module(out, &c->modules[i]);
    fclose(out);
    arena_free(&scratch.arena);
    return text;
}
