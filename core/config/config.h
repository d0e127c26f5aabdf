/* config.h - taut.yaml: a tree of nodes that know where they stand, and option tables applied to it.
 *
 * Reading never stops at the first error: all of them are collected, each as
 * "taut.yaml:42:11: modules.store_sqlite.sync: "ful" is not one of off, normal, full; did you mean "full"?".
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "base/arena.h"
#include "taut/module.h"

enum node_kind { NODE_SCALAR = 1, NODE_MAP, NODE_LIST };
struct node {
    enum node_kind kind;
    bool quoted;        /* a scalar in quotes: always text */
    uint32_t line, col; /* from 1 */
    taut_str text;      /* SCALAR */
    taut_str key;       /* of this child in its map */
    uint32_t key_line, key_col;
    struct node *first, *next; /* children in order */
};

/* Errors, in the order of their places. text: ready to print, without a newline. */
struct config_errors {
    struct arena *arena;
    uint32_t n, cap;
    taut_str *list;
    uint64_t *places; /* of each: line << 32 | column */
};

/* One item of `modules:`. */
struct config_module {
    taut_str module;      /* store_sqlite */
    taut_str name;        /* as: …, else the same */
    struct node *options; /* MAP or NULL */
    struct node *where;
};

struct server_config {
    taut_str listen, public_url, data;
    int64_t gateways; /* threads; 0: by the number of cores */
    int64_t max_connections, max_calls, max_call_bytes, max_input, max_answers;
    int64_t max_body, max_header;
    int64_t header_timeout, idle_timeout, call_timeout, ping_interval; /* ms */
    int64_t cache, tail_events, connection_queue;
    int64_t rate_limits;
    int64_t log_level; /* debug|info|warn|error */
};
struct admin_config {
    taut_str listen;
};

struct config {
    struct arena arena;
    char *file; /* as errors name it */
    struct node *root;
    struct server_config server;
    struct admin_config admin;
    struct config_module *modules;
    uint32_t nmodules;
    bool modules_whole; /* every item of `modules:` could be read */
    struct config_errors errors;
};

/* The option tables of `server:` and `admin:`. */
extern const struct taut_array config_server_options, config_admin_options;

/* What the command line puts in place of the file's values; NULL: nothing. */
struct config_override {
    const char *listen, *data, *admin_listen, *public_url;
};

/* Never NULL: look at errors.n. `server` and `admin` are filled, defaults included; public_url is derived from listen
 * when it is not given (and when `listen` is overridden), which an address that means all of this machine's does not
 * allow. data is made absolute: a file's is below the file's folder, the command line's below the current one. A name
 * alone in `modules:` means its defaults; duplicates (without as:), unknown and duplicate keys are errors. */
struct config *config_read_file(const char *path, const struct config_override *o);
struct config *config_read_text(const char *name, taut_str yaml, const struct config_override *o);
void config_free(struct config *c);

/* Fills `into` (a module's options struct, zeroed) by the table from node (MAP or NULL: all defaults). path: as it
 * stands in errors ("modules.store_sqlite"). base: relative TAUT_OPT_PATHs are below it. */
void config_apply(struct config *c, struct taut_array opts, const struct node *node, const struct node *where,
                  const char *path, taut_str base, void *into);

/* Adds a module with its defaults that the file does not list; it has no place in the file (`where` is NULL). */
void config_add_module(struct config *c, const char *module);

/* Adds an error at a node (NULL: at the file). path is the option's full name or NULL. */
void config_error(struct config *c, const struct node *at, const char *path, const char *fmt, ...) TAUT_PRINTF(4, 5);

/* Does the file itself say `section: { option: … }`? */
bool config_given(const struct config *c, const char *section, const char *option);

/* "http://" + listen: the public URL of a server that was not told one. In the config's arena. */
taut_str config_url_of(struct config *c, taut_str listen);

/* The configuration as YAML: block style, two spaces, `modules:` last, one module a line where it has no options.
 * Allocated with malloc. */
char *config_print(const struct config *c);

#endif
