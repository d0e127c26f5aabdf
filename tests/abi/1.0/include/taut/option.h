/* option.h - what may stand under a module's name in taut.yaml: one table, from which come parsing, defaults, ranges,
 * the errors with their places, `taut config explain`, the JSON Schema, docs/config.md and what a reload may change.
 *
 *   struct options { int64_t sync, cache; taut_str path; struct taut_array peers; struct tls tls; };
 *
 *   static const struct taut_opt tls_options[] = {
 *       TAUT_OPT(struct tls, cert, TAUT_OPT_PATH, .flags = TAUT_OPT_REQUIRED, .help = "the certificate, as PEM"),
 *       TAUT_OPT(struct tls, key, TAUT_OPT_PATH, .flags = TAUT_OPT_REQUIRED, .help = "its key, as PEM"),
 *   };
 *   static const struct taut_opt options[] = {
 *       TAUT_OPT(struct options, sync, TAUT_OPT_ENUM, .choices = "off|normal|full", .dflt = "full", .help = "..."),
 *       TAUT_OPT(struct options, cache, TAUT_OPT_BYTES, .dflt = "8MiB", .min = 1 << 20, .flags = TAUT_OPT_LIVE),
 *       TAUT_OPT(struct options, path, TAUT_OPT_PATH, .dflt = "main.db", .help = "the file"),
 *       TAUT_OPT(struct options, peers, TAUT_OPT_LIST, .item = TAUT_OPT_ADDR, .dflt = "127.0.0.1:1, 127.0.0.1:2"),
 *       TAUT_OPT(struct options, tls, TAUT_OPT_STRUCT, .options = TAUT_ARRAY(tls_options), .help = "..."),
 *   };
 *
 * The options struct belongs to the core: it is zeroed, filled (defaults included), checked, and read-only for the
 * module. Its layout is the field types below and nothing else; the table says where each one lies. A field of another
 * size does not compile (TAUT_OPT); fields that lie over each other are refused when the module is loaded.
 *
 * Thread: the hub; `check` also before there is one. Since 1.0.
 */
#ifndef TAUT_OPTION_H
#define TAUT_OPTION_H

#include "taut/types.h"

/* The type of an option, and that of its field. Texts are UTF-8 without NUL inside and have a NUL behind them; they are
 * {"", 0} when empty, never NULL. In any scalar of the file "${env:NAME}" stands for an environment variable. */
enum {
    TAUT_OPT_STR = 1,  /* taut_str; min and max: its length in bytes */
    TAUT_OPT_PATH,     /* taut_str, made absolute: relative ones are below server.data; empty stays empty */
    TAUT_OPT_INT,      /* int64_t */
    TAUT_OPT_BOOL,     /* int64_t 0 or 1: true false yes no on off */
    TAUT_OPT_ENUM,     /* int64_t: index into choices */
    TAUT_OPT_DURATION, /* int64_t milliseconds: 10ms 5s 2m 1h 7d */
    TAUT_OPT_BYTES,    /* int64_t: 512 64KiB 1MiB 2GiB */
    TAUT_OPT_ADDR,     /* taut_str HOST:PORT, [V6]:PORT; the port may be 0 */
    TAUT_OPT_URL,      /* taut_str SCHEME://HOST..., without spaces; choices: the schemes that may be, all when NULL */
    TAUT_OPT_NET,      /* taut_str ADDRESS or ADDRESS/BITS, IPv4 or IPv6 */
    TAUT_OPT_FLOAT,    /* double, finite; min and max are whole numbers */
    TAUT_OPT_FLAGS,    /* int64_t: bit i for the i-th of choices; a list of words in the file, "a, b" in dflt */
    TAUT_OPT_REGEX,  /* taut_str: a pattern that PCRE2 compiles (UTF). The text is handed over, not what it compiles to
                      */
    TAUT_OPT_SECRET, /* taut_str: "${env:NAME}", "file:PATH" (its first line), or the text itself, which is warned of.
                        Never printed: neither by the core, nor, please, by the module */
    TAUT_OPT_LIST,   /* struct taut_array: of `item`, or of structs when item is STRUCT */
    TAUT_OPT_MAP,    /* struct taut_array of struct taut_opt_pair, in the order of the file */
    TAUT_OPT_STRUCT  /* a struct of its own, in place: offset is its, those of `options` count from there */
};

enum {
    TAUT_OPT_REQUIRED = 1, /* has no default. Inside of a STRUCT: when the STRUCT is given at all */
    TAUT_OPT_LIVE = 2      /* a reload may change it (module.h, reconfigure); on the options of a STRUCT, not on it */
};

enum {
    TAUT_OPT_CHOICES_MAX = 32, /* words of choices */
    TAUT_OPT_ITEMS_MAX = 4096, /* items of a LIST or MAP, when max_items is 0 */
    TAUT_OPT_DEPTH_MAX = 4     /* STRUCTs within STRUCTs */
};

struct taut_opt {
    const char *name;    /* [a-z][a-z0-9_]* */
    uint32_t type;       /* TAUT_OPT_* */
    uint32_t offset;     /* of the field in the options struct, or in that of the STRUCT around it */
    const char *dflt;    /* as one would write it, "a, b" for a LIST; NULL: empty, 0, or the first choice */
    int64_t min, max;    /* INT, FLOAT, DURATION, BYTES, and the length of STR and SECRET; both 0: any; max < min: no
                            upper limit. Of a LIST or MAP: its items' */
    const char *choices; /* ENUM, FLAGS, URL: "a|b|c" */
    uint32_t flags;      /* TAUT_OPT_REQUIRED | TAUT_OPT_LIVE */
    uint32_t item;       /* LIST, MAP: the type of its items: a scalar one; LIST: STRUCT as well */
    const char *help;    /* one line, no full stop: what it is, and what a person needs to know to choose a value */
    const char *unit;    /* INT, FLOAT: "threads"; NULL: none */
    struct taut_array options; /* STRUCT, LIST of STRUCT: its table, of struct taut_opt */
    uint32_t item_size;        /* LIST of STRUCT: sizeof the struct */
    uint32_t max_items;        /* LIST, MAP; 0: TAUT_OPT_ITEMS_MAX */
    uint64_t reserved;
};

/* Items of a LIST: taut_str, int64_t, double or a struct, as the type's field is; read with TAUT_AT(list, taut_str, i).
 * Items of a MAP: the one of text, number and real that is the type's is set, the others are empty. */
struct taut_opt_pair {
    taut_str key;
    taut_str text;
    int64_t number;
    double real;
};

#define TAUT_OPT(strct, field, ...) TAUT_OPT_OF(strct, field, __VA_ARGS__, .reserved = 0)
#define TAUT_OPT_OF(strct, field, kind, ...) \
    { .name = #field, .type = (kind), .offset = TAUT_OPT_AT(strct, field, kind), __VA_ARGS__ }

/* The place of a field, whose size is that of the kind's type: "size of array is negative" says that it is not. */
#define TAUT_OPT_AT(strct, field, kind) \
    (uint32_t)(offsetof(strct, field) + \
               0 * sizeof(char[!TAUT_OPT_SIZE(kind) || TAUT_OPT_SIZE(kind) == sizeof(((strct *)0)->field) ? 1 : -1]))
#define TAUT_OPT_SIZE(kind)                                                                                           \
    ((kind) == TAUT_OPT_STRUCT                           ? 0                                                          \
     : (kind) == TAUT_OPT_FLOAT                          ? sizeof(double)                                             \
     : (kind) == TAUT_OPT_LIST || (kind) == TAUT_OPT_MAP ? sizeof(struct taut_array)                                  \
     : (kind) == TAUT_OPT_INT || (kind) == TAUT_OPT_BOOL || (kind) == TAUT_OPT_ENUM || (kind) == TAUT_OPT_DURATION || \
             (kind) == TAUT_OPT_BYTES || (kind) == TAUT_OPT_FLAGS                                                     \
         ? sizeof(int64_t)                                                                                            \
         : sizeof(taut_str))

/* What is wrong with options, as a module's own `check` or `reconfigure` finds it: error(ctx, option, text) adds one
 * error. option: its path ("sync", "tls.key") or NULL for the module as a whole; it is shown at its place in the file.
 * text: what is wrong and what to do, without a full stop. Both are copied. */
struct taut_check;
typedef void (*taut_check_error_fn)(struct taut_check *ctx, const char *option, const char *text);

/* ---- reload ----
 *
 * `taut reload` and SIGHUP read the whole file again. When all of it is right, and options with TAUT_OPT_LIVE changed,
 * each module whose options changed is asked to PREPARE; when all agree, each is told to COMMIT, otherwise those that
 * agreed are told to CANCEL and nothing changes anywhere. All on the home loop, within one turn.
 *
 * `config` is a struct like m->config, with the new values of LIVE options and the values of all others as they are:
 * what is not LIVE never changes under a module. Between PREPARE and COMMIT or CANCEL it is the same pointer. At COMMIT
 * m->config is the new struct already.
 *
 * How long values live: an option that is not LIVE, as long as the instance; a LIVE one (its text, list or map), and
 * m->config itself, until the callback during which it was read returns. So read m->config when it is needed, copy what
 * other threads use, and hand them new copies at COMMIT.
 */
enum { TAUT_PREPARE = 1, TAUT_COMMIT = 2, TAUT_CANCEL = 3 };

struct taut_reconfigure {
    uint32_t size;
    uint32_t phase;      /* TAUT_PREPARE, TAUT_COMMIT, TAUT_CANCEL */
    const void *config;  /* the module's options struct with the new values */
    const void *current; /* that with the values before; at COMMIT it still is there */
    struct taut_check *ctx;
    taut_check_error_fn error; /* PREPARE only: says why not; the same as to return an error */
};

#endif
