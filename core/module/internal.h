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

/* plan.c: which modules a reload stops and starts: into r->switches, and by name into r->applied and r->restart. */
struct reconfigure;
void plan_switches(struct reconfigure *r, const struct modules *wanted);
bool is_to_start(const struct reconfigure *r, const struct instance *in);
/* reconfigure.c */
struct instance *instance_named(const struct modules *ms, const char *name);
bool is_same_module(const struct instance *a, const struct instance *b);

/* The values that reloads put into the instances. */
void modules_free_live(struct modules *ms);

/* Puts ms->list into start order. False when an error was added to cfg. */
bool order_modules(struct module_set *s, struct config *cfg);
/* Fills the tables of ms from the definitions of its instances. Errors are added to cfg. */
void register_modules(struct module_set *s, struct config *cfg);

/* hooks.c: an instance's hooks into ms->hooks; then, when all are there, into the order in which they are asked. */
void hooks_add(struct module_set *s, struct config *cfg, struct instance *in);
void hooks_order(struct module_set *s, struct config *cfg);

/* points.c: a warning for a point that is none of the standard ones, but looks like it. */
void point_check(struct config *cfg, const struct instance *in, const struct taut_hook *def);

/* Adds an error about an instance, at its place in the file. */
void instance_error(struct config *cfg, const struct instance *in, const char *fmt, ...) TAUT_PRINTF(3, 4);

/* path.c: the next folder of "one:two" at *at. False: there is none left. */
bool path_next(const char **at, taut_str *folder);
/* Names of the *.so files of these folders without their ending, sorted, each once; strings and array in the arena. */
const char **module_names(struct arena *a, const char *dirs, uint32_t *n);

/* Does the file end before what its program headers say is in it? *size: what there is. To map such a file is to die of
 * SIGBUS at the first touch of what is missing. */
bool elf_is_cut_off(const char *file, size_t *size);

/* declared.c: what is wrong with what a module declares, malloc'ed, or NULL. The arrays as the module made them are
 * looked at before anything in them is, arguments when their methods and commands have this server's shape. */
char *arrays_fault(const struct taut_module *def);
char *arguments_fault(const struct taut_array *args);
char *declaration_fault(const struct taut_module *def);

/* A wrong module's file as errors name it. */
const char *file_base(const char *path);

#endif
