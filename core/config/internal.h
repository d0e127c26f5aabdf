/* internal.h - what the files of config/ share. */
#ifndef CONFIG_INTERNAL_H
#define CONFIG_INTERNAL_H

#include "config/config.h"

enum { CONFIG_BYTES_MAX = 1024 * 1024, CONFIG_DEPTH_MAX = 32, CONFIG_NAME_MAX = 32 };

/* Reads the text into c->root, which stays NULL when it is not YAML. Errors are added to c. */
void yaml_read(struct config *c, taut_str yaml);

/* As config_error, at a place that is no node. */
void config_error_at(struct config *c, uint32_t line, uint32_t col, const char *path, const char *fmt, ...)
    TAUT_PRINTF(5, 6);

const struct node *node_child(const struct node *map, const char *key);

/* Option i as this server knows it, whatever the size that its maker knew. */
struct taut_opt option_at(struct taut_array opts, uint32_t i);
bool option_is_text(const struct taut_opt *o);
/* A number as one would write it in the file. */
taut_str option_number_text(struct arena *a, const struct taut_opt *o, int64_t v);
/* Parses one value. NULL, or what is wrong with it: `"ful" is not one of off, normal, full; …`. */
const char *option_parse(struct config *c, const struct taut_opt *o, taut_str text, taut_str base, void *field);

taut_str path_absolute(struct arena *a, taut_str base, taut_str path);
bool name_is_valid(taut_str name); /* of an instance: [a-z][a-z0-9_]*, at most CONFIG_NAME_MAX */

#endif
