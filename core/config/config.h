/* config.h - taut.yaml: a tree of nodes that know where they stand, and option tables applied to it.
 *
 * Reading never stops at the first error: all of them are collected, each as
 * "taut.yaml:42:11: modules.store_sqlite.sync: "ful" is not one of off, normal, full; did you mean "full"?".
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "base/arena.h"
#include "taut/option.h"

enum node_kind { NODE_SCALAR = 1, NODE_MAP, NODE_LIST };
struct node {
    enum node_kind kind;
    bool quoted;        /* a scalar in quotes: always text */
    bool is_secret;     /* a scalar that is a secret itself: never to be shown */
    uint32_t line, col; /* from 1 */
    taut_str text;      /* SCALAR */
    taut_str key;       /* of this child in its map */
    uint32_t key_line, key_col;
    struct node *first, *next; /* children in order */
};

/* The parts of one error. */
struct config_problem {
    uint32_t line, col; /* 0: the file as a whole, or a flag of the command line */
    const char *source; /* the file, or the flag */
    const char *option; /* "modules.store_sqlite.sync", or NULL */
    const char *text;   /* what is wrong and what to do */
};

/* Errors or warnings, in the order of their places. list: ready to print, without a newline. */
struct config_errors {
    struct arena *arena;
    uint32_t n, cap;
    taut_str *list;
    struct config_problem *problems; /* of each, the same in parts */
};

/* What every item of `modules:` may have beside the module's options: the core's, by config_item_options. */
struct item_config {
    int64_t enabled;
    struct {
        int64_t soft, hard; /* bytes; 0: no limit */
    } memory;
};

/* One item of `modules:`. */
struct config_module {
    taut_str module;      /* store_sqlite */
    taut_str name;        /* as: …, else the same */
    struct node *options; /* MAP or NULL: the module's */
    struct node *own;     /* MAP or NULL: the core's, taken out of them */
    struct node *where;
};

struct tls_config {
    taut_str cert, key; /* files; both empty: no TLS */
};
struct server_config {
    taut_str listen, public_url, data;
    struct tls_config tls;
    struct taut_array trusted_proxies, limit_exempt, allowed_origins; /* of taut_str */
    struct taut_array module_path;                                    /* of taut_str: folders */
    int64_t max_connections_per_address, max_connects_per_second_per_address;
    int64_t gateways; /* threads; 0: by the number of cores */
    int64_t max_connections, max_calls, max_call_bytes, max_input, max_answers;
    int64_t max_body, max_header;
    int64_t header_timeout, idle_timeout, call_timeout, ping_interval; /* ms */
    int64_t body_timeout, answer_timeout;
    int64_t start_timeout, stop_timeout;
    int64_t max_spool;
    int64_t cache, tail_events, connection_queue;
    int64_t rate_limits;
    int64_t log_level;  /* debug|info|warn|error */
    int64_t log_format; /* text|json */
    taut_str log_file;
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
    struct {
        struct server_config server;
        struct admin_config admin;
    } asked; /* as config_check found them: what a running server makes of `server` and `admin` is not in here */
    struct config_module *modules;
    uint32_t nmodules;
    bool modules_whole; /* every item of `modules:` could be read */
    taut_str folder;    /* that of the file, absolute; the current one when there is no file */
    struct config_errors errors, warnings;
};

/* The option tables of `server:` and `admin:`, and of what the core has in each item of `modules:`. */
extern const struct taut_array config_server_options, config_admin_options, config_item_options;

/* What the command line puts in place of the file's values; NULL: nothing. */
struct config_override {
    const char *listen, *data, *admin_listen, *public_url;
    bool only_file; /* nothing that could be waited for, like a pipe */
};

/* Never NULL: look at errors.n. `server` and `admin` are filled, defaults included; public_url is derived from listen
 * when it is not given (and when `listen` is overridden), which an address that means all of this machine's does not
 * allow. data is made absolute: a file's is below the file's folder, the command line's below the current one. A name
 * alone in `modules:` means its defaults; duplicates (without as:), unknown and duplicate keys are errors. */
struct config *config_read_file(const char *path, const struct config_override *o);
struct config *config_read_text(const char *name, taut_str yaml, const struct config_override *o);
void config_free(struct config *c);

/* Rules across options: call it when `server` and `admin` are as the file, the command line and the command want them.
 */
void config_check(struct config *c);

/* Fills `into` (a module's options struct, zeroed) by the table from node (MAP or NULL: all defaults). path: as it
 * stands in errors ("modules.store_sqlite"). base: relative TAUT_OPT_PATHs are below it. */
void config_apply(struct config *c, struct taut_array opts, const struct node *node, const struct node *where,
                  const char *path, taut_str base, void *into);

/* The core's options of an item into `into` (zeroed), rules across them included. */
void config_apply_item(struct config *c, const struct config_module *m, struct item_config *into);
/* Is that a name under which no module may have an option? */
bool config_is_items_own(taut_str name);

/* Adds a module with its defaults that the file does not list; it has no place in the file (`where` is NULL). */
void config_add_module(struct config *c, const char *module);

/* Adds an error at a node (NULL: at the file). path is the option's full name or NULL. */
void config_error(struct config *c, const struct node *at, const char *path, const char *fmt, ...) TAUT_PRINTF(4, 5);
/* The same for what may be meant as it is. */
void config_warn(struct config *c, const struct node *at, const char *path, const char *fmt, ...) TAUT_PRINTF(4, 5);

/* The node of "sync" or "tls.key" below a map. config_node: NULL when there is none. config_find: the innermost that is
 * there, at least `where`. */
const struct node *config_node(const struct node *map, const char *option);
const struct node *config_find(const struct node *map, const char *option, const struct node *where);
const struct node *node_child(const struct node *map, const char *key); /* NULL: there is none, or no map */

/* Does the file itself say `section: { option: … }`? */
bool config_given(const struct config *c, const char *section, const char *option);

/* "http://" + an address. In the config's arena. */
taut_str config_url_of(struct config *c, taut_str listen);
/* The public URL of a server that was not told one: its listen address, with https when it has TLS. */
taut_str config_own_url(struct config *c);

/* ---- option tables, which nest (table.c, values.c) ---- */

/* Option i as this server knows it, whatever the size that its maker knew. */
struct taut_opt option_at(struct taut_array opts, uint32_t i);
/* What an item of a LIST or MAP is, as an option at offset 0. */
struct taut_opt option_item(const struct taut_opt *o);
bool option_is_text(const struct taut_opt *o);
size_t option_field_size(const struct taut_opt *o); /* STRUCT: as an item of a list only */
/* "duration", "off|normal|full", "list of address". In the arena or static. */
taut_str option_type_text(struct arena *a, const struct taut_opt *o);
/* Calls fn for each option that has a field: in place of a STRUCT, for those in it. o->offset is that from the
 * outermost struct; path is "server.tls.cert". Both are gone when fn returns, path lies in the arena. */
typedef void (*option_fn)(void *arg, const struct taut_opt *o, const char *path);
void options_each(struct arena *a, struct taut_array opts, const char *path, uint32_t offset, option_fn fn, void *arg);
/* What is wrong with a table whose fields lie in a struct of `room` bytes, before anything else looks at it: malloc'ed,
 * or NULL. depth: 0. */
char *options_fault(struct taut_array opts, uint64_t room, uint32_t depth);

bool option_equal(const struct taut_opt *o, const void *a, const void *b);
/* With its texts and items, which are put into the arena. */
void option_copy(struct arena *a, const struct taut_opt *o, void *to, const void *from);
/* One line, as one would write it; "(secret)" for a secret. In the arena. */
taut_str option_text(struct arena *a, const struct taut_opt *o, const void *field);
/* Does a scalar name the environment? */
bool text_is_reference(taut_str text);

/* "a, b, c" */
taut_str option_list_text(struct arena *a, const char *const *words, uint32_t n);
/* "100ms to 1h", "at least 1MiB", "8 to 64 bytes", "at most 3 items, each 1 to 9"; empty when there is no range. */
taut_str option_range_text(struct arena *a, const struct taut_opt *o);

/* A JSON Schema (2020-12) of the whole file, for these modules. */
struct schema_module {
    const char *name, *summary;
    struct taut_array options;
};
struct taut_json;
void config_schema(struct arena *a, struct taut_json *j, const struct schema_module *list, uint32_t n);

/* The configuration as YAML: block style, two spaces, `modules:` last, one module a line where it has no options.
 * Allocated with malloc. */
char *config_print(const struct config *c);

#endif
