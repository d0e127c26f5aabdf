/* internal.h - what the files of config/ share.
 *
 *   yaml.c     text -> nodes that know their places
 *   config.c   the sections, the list of modules, what the command line puts over it
 *   item.c     what the core has in each item of that list
 *   options.c  option tables applied to nodes
 *   expand.c   ${env:NAME}, secrets in files
 *   scalar.c   one value from its text; regex.c: is it a pattern?
 *   values.c   values compared, copied, as text
 *   table.c    option tables themselves, and what is wrong with one
 *   errors.c   the list of what is wrong
 *   print.c    back to YAML; schema.c: tables as a JSON Schema
 */
#ifndef CONFIG_INTERNAL_H
#define CONFIG_INTERNAL_H

#include <stdio.h>

#include "config/config.h"

enum {
    CONFIG_BYTES_MAX = 1024 * 1024,
    CONFIG_DEPTH_MAX = 32,
    CONFIG_NODES_MAX = 20000,
    CONFIG_NAME_MAX = 32,
    CONFIG_SHOWN_MAX = 80 /* bytes of a value that an error shows */
};

#define SECRET_TEXT "(secret)" /* in place of a secret, wherever one would be shown */

/* Reads the text into c->root, which stays NULL when it is not YAML. Errors are added to c. */
void yaml_read(struct config *c, taut_str yaml);
/* The list of `modules:` into c->modules. */
void config_list_modules(struct config *c, const struct node *list);
/* One scalar as YAML. */
void yaml_write(FILE *out, taut_str s);

/* As config_error, at a place that is no node. */
void config_error_at(struct config *c, uint32_t line, uint32_t col, const char *path, const char *fmt, ...)
    TAUT_PRINTF(5, 6);
/* As much of a text as an error can show. */
const char *text_shown(struct arena *a, taut_str text);

/* ---- item.c ---- */
/* Takes what is the core's out of an item's options. */
void item_take_own(struct config *c, struct config_module *m);

/* ---- table.c ---- */
bool option_is_scalar(const struct taut_opt *o); /* one that may be the item of a list */
bool option_has_range(const struct taut_opt *o);
uint32_t option_items_max(const struct taut_opt *o);
/* Splits "a|b|c". */
uint32_t option_choices(struct arena *a, const char *choices, const char *words[TAUT_OPT_CHOICES_MAX]);

/* ---- scalar.c ---- */
/* Parses one value. NULL, or what is wrong with it: `"ful" is not one of off, normal, full; …`. */
const char *option_parse(struct config *c, const struct taut_opt *o, taut_str text, taut_str base, void *field);
/* A number as one would write it in the file. */
taut_str option_number_text(struct arena *a, const struct taut_opt *o, int64_t v);
taut_str option_real_text(struct arena *a, double v);
/* NULL, or why it is no pattern. */
const char *regex_fault(struct arena *a, taut_str pattern);

/* ---- expand.c ---- */
/* The scalar's text with every ${env:NAME} replaced. False when an error was added. */
bool option_expand(struct config *c, const struct taut_opt *o, const struct node *n, const char *path, taut_str *text);
/* The secret that the scalar means. False when an error was added. Marks a node that holds the secret itself. */
bool option_secret(struct config *c, const struct taut_opt *o, struct node *n, const char *path, taut_str *text);

/* ---- options.c ---- */
/* The field's default. NULL, or what is wrong with it. */
const char *option_default(struct config *c, const struct taut_opt *o, taut_str base, void *field);

/* ---- values.c ---- */
void option_clear(const struct taut_opt *o, void *field);
void option_write(FILE *out, const struct taut_opt *o, const void *field);
/* Where a pair of this item's type has its value. */
void *option_pair_field(const struct taut_opt *item, struct taut_opt_pair *pair);

taut_str path_absolute(struct arena *a, taut_str base, taut_str path);
bool name_is_valid(taut_str name); /* of an instance: [a-z][a-z0-9_]*, at most CONFIG_NAME_MAX */

#endif
