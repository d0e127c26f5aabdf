/* internal.h - what the files of module/ share. */
#ifndef MODULE_INTERNAL_H
#define MODULE_INTERNAL_H

#include "module/loader.h"

/* `modules` with what the loader alone needs to know. */
struct module_set {
    struct modules pub; /* first */
    struct arena arena; /* everything but the maps' slots and what `opened` holds */
    struct loaded **opened;
    uint32_t nopened;
    const char *dir;              /* where modules lie; only while they are loaded */
    struct live_values *replaced; /* reconfigure.c's */
};

/* What a module's check and reconfigure report to: the instance's item in the configuration. */
struct taut_check {
    struct config *config;
    const struct config_module *module;
    const char *path;
};
void check_error(struct taut_check *ctx, const char *option, const char *text);

/* The values that reloads put into the instances. */
void modules_free_live(struct modules *ms);

/* Puts ms->list into start order. False when an error was added to cfg. */
bool order_modules(struct module_set *s, struct config *cfg);
/* Fills the tables of ms from the definitions of its instances. Errors are added to cfg. */
void register_modules(struct module_set *s, struct config *cfg);

/* hooks.c: an instance's hooks into ms->hooks; then, when all are there, into the order in which they are asked. */
void hooks_add(struct module_set *s, struct config *cfg, struct instance *in);
void hooks_order(struct module_set *s, struct config *cfg);

/* Adds an error about an instance, at its place in the file. */
void instance_error(struct config *cfg, const struct instance *in, const char *fmt, ...) TAUT_PRINTF(3, 4);

/* Names of the *.so files of a directory without their ending, sorted; strings and array in the arena. */
const char **module_names(struct arena *a, const char *dir, uint32_t *n);
char *module_file(const char *dir, taut_str name); /* malloc'ed */

/* Does the file end before what its program headers say is in it? *size: what there is. To map such a file is to die of
 * SIGBUS at the first touch of what is missing. */
bool elf_is_cut_off(const char *file, size_t *size);

/* A wrong module's file as errors name it. */
const char *file_base(const char *path);

#endif
