/* loader.h - from files to instances: dlopen, header check, options, start order, registration.
 *
 * Everything that is wrong is added to the config's errors, all at once; nothing of a module runs before `init`
 * (the hub's business, hub.h).
 */
#ifndef MODULE_LOADER_H
#define MODULE_LOADER_H

#include "config/config.h"
#include "module/module.h"

/* Where modules lie: $TAUT_MODULE_DIR, else ../lib/taut (and ../<libdir>/taut) beside the running program. malloc'ed.
 * This and every `dir` below may be several folders with colons between them; the first that has a module wins. */
char *loader_module_dir(void);
/* The first file of that name there, or where it would be in the last of the folders. malloc'ed. */
char *loader_file(const char *dir, taut_str name);
/* Why code may not be taken from there: others than root and this user could put some in it. malloc'ed; NULL: it may,
 * or there is no such folder. */
char *loader_folder_fault(const char *folder);

/* Opens one file and checks its head. NULL and *why (malloc'ed, one line that says what to do) when it is no module or
 * not for this server. def->… may be read; nothing of it has run. */
struct loaded {
    void *dl;
    const struct taut_module *def;
    char *file;
};
struct loaded *loader_open(const char *file, char **why);
/* The second half of it: of a declaration that is at hand. dl is closed with it, unless it is refused; or NULL. */
struct loaded *loader_adopt(const char *file, void *dl, const struct taut_module *def, char **why);
void loader_close(struct loaded *l); /* forgets it; the code stays mapped */

/* All *.so of the directory that are modules, by name. Files that are not are reported through *why lines and left out.
 */
uint32_t loader_scan(const char *dir, struct loaded ***list, char **why);

/* Does a command of that name begin with a word of the server's own ones? Modules may not have it. */
bool loader_owns_command(const char *name);

/* Modules that are part of the program (those of taut-modtest); NULL at the end of the list. NULL: there are none. */
extern const struct taut_module *const *loader_built_in;

/* Loads, configures, orders and registers what the config lists. errors in cfg->errors. Never NULL. The config must
 * outlive the modules: their options' texts lie in it. */
struct modules *loader_load(struct config *cfg, const char *dir);
void modules_free(struct modules *ms);

/* YAML for the standard configuration: every module of the directory with TAUT_MODULE_STANDARD. malloc'ed. */
char *loader_standard_config(const char *dir);

#endif
