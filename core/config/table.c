/* table.c - option tables themselves: what each type is, an element whatever its maker's size, the options of nested
 * tables one by one, and what is wrong with a table (a module's fault, found before any of it is used). */
#include "config/internal.h"

enum { FIELD_NONE, FIELD_TEXT, FIELD_NUMBER, FIELD_REAL, FIELD_LIST };

static const struct type {
    const char *name;
    uint32_t field;
    bool has_choices;
} types[] = {
    [TAUT_OPT_STR] = {"text", FIELD_TEXT, false},
    [TAUT_OPT_PATH] = {"path", FIELD_TEXT, false},
    [TAUT_OPT_INT] = {"number", FIELD_NUMBER, false},
    [TAUT_OPT_BOOL] = {"bool", FIELD_NUMBER, false},
    [TAUT_OPT_ENUM] = {"enum", FIELD_NUMBER, true},
    [TAUT_OPT_DURATION] = {"duration", FIELD_NUMBER, false},
    [TAUT_OPT_BYTES] = {"bytes", FIELD_NUMBER, false},
    [TAUT_OPT_ADDR] = {"address", FIELD_TEXT, false},
    [TAUT_OPT_URL] = {"URL", FIELD_TEXT, false},
    [TAUT_OPT_NET] = {"network", FIELD_TEXT, false},
    [TAUT_OPT_FLOAT] = {"decimal number", FIELD_REAL, false},
    [TAUT_OPT_FLAGS] = {"flags", FIELD_NUMBER, true},
    [TAUT_OPT_REGEX] = {"regular expression", FIELD_TEXT, false},
    [TAUT_OPT_SECRET] = {"secret", FIELD_TEXT, false},
    [TAUT_OPT_LIST] = {"list", FIELD_LIST, false},
    [TAUT_OPT_MAP] = {"map", FIELD_LIST, false},
    [TAUT_OPT_STRUCT] = {"group", FIELD_NONE, false},
};

static uint32_t field_of(uint32_t type) {
    return type < COUNT_OF(types) ? types[type].field : FIELD_NONE;
}

bool option_is_text(const struct taut_opt *o) {
    return field_of(o->type) == FIELD_TEXT;
}
bool option_is_scalar(const struct taut_opt *o) {
    return field_of(o->type) != FIELD_NONE && field_of(o->type) != FIELD_LIST && o->type != TAUT_OPT_FLAGS;
}
bool option_has_range(const struct taut_opt *o) {
    return o->min || o->max;
}

size_t option_field_size(const struct taut_opt *o) {
    static const size_t sizes[] = {[FIELD_TEXT] = sizeof(taut_str),
                                   [FIELD_NUMBER] = sizeof(int64_t),
                                   [FIELD_REAL] = sizeof(double),
                                   [FIELD_LIST] = sizeof(struct taut_array)};
    return o->type == TAUT_OPT_STRUCT ? o->item_size : sizes[field_of(o->type)];
}

taut_str option_type_text(struct arena *a, const struct taut_opt *o) {
    struct taut_opt item = option_item(o);
    const char *name = o->type < COUNT_OF(types) ? types[o->type].name : "";
    if (o->type == TAUT_OPT_LIST || o->type == TAUT_OPT_MAP)
        return arena_fmt(a, "%s of %s", name, option_type_text(a, &item).ptr);
    if (o->type == TAUT_OPT_FLAGS) return arena_fmt(a, "list of %s", o->choices);
    return taut_str_z(o->type == TAUT_OPT_ENUM ? o->choices : name);
}

struct taut_opt option_at(struct taut_array opts, uint32_t i) {
    struct taut_opt o = {0};
    memcpy(&o, (const char *)opts.ptr + (size_t)i * opts.elem_size,
           opts.elem_size < sizeof o ? opts.elem_size : sizeof o);
    return o;
}

struct taut_opt option_item(const struct taut_opt *o) {
    struct taut_opt item = *o;
    item.type = o->item;
    item.offset = 0;
    item.dflt = NULL;
    item.flags &= ~(uint32_t)TAUT_OPT_REQUIRED;
    return item;
}

uint32_t option_items_max(const struct taut_opt *o) {
    return o->max_items ? o->max_items : TAUT_OPT_ITEMS_MAX;
}

uint32_t option_choices(struct arena *a, const char *choices, const char *words[TAUT_OPT_CHOICES_MAX]) {
    uint32_t n = 0;
    while (choices && n < TAUT_OPT_CHOICES_MAX) {
        const char *bar = strchr(choices, '|');
        size_t len = bar ? (size_t)(bar - choices) : strlen(choices);
        words[n++] = arena_str(a, taut_str_n(choices, len)).ptr;
        choices = bar ? bar + 1 : NULL;
    }
    return n;
}

void options_each(struct arena *a, struct taut_array opts, const char *path, uint32_t offset, option_fn fn, void *arg) {
    for (uint32_t i = 0; i < opts.len; i++) {
        struct taut_opt o = option_at(opts, i);
        const char *full = arena_fmt(a, "%s.%s", path, o.name).ptr;
        o.offset += offset;
        if (o.type == TAUT_OPT_STRUCT) options_each(a, o.options, full, o.offset, fn, arg);
        else fn(arg, &o, full);
    }
}

/* ---- faults ---- */

/* The smallest element that any header had: up to and with `help`. */
enum { OPTION_SIZE_MIN = offsetof(struct taut_opt, unit), OPTIONS_MAX = 1024 };

static uint32_t count_choices(const char *choices) {
    uint32_t n = choices && *choices;
    for (const char *p = choices; n && *p; p++) n += *p == '|';
    return n;
}

static bool is_named_twice(struct taut_array opts, uint32_t i, const char *name) {
    for (uint32_t k = 0; k < i; k++)
        if (!strcmp(option_at(opts, k).name, name)) return true;
    return false;
}

/* The bytes of the options struct that it takes: from the first one on, and behind the last. */
static void extent_of(const struct taut_opt *o, uint64_t *first, uint64_t *end) {
    *first = o->offset;
    *end = o->offset + option_field_size(o);
    if (o->type != TAUT_OPT_STRUCT) return;
    *first = UINT64_MAX;
    *end = 0;
    for (uint32_t i = 0; i < o->options.len; i++) {
        struct taut_opt inner = option_at(o->options, i);
        uint64_t from, to;
        extent_of(&inner, &from, &to);
        if (o->offset + from < *first) *first = o->offset + from;
        if (o->offset + to > *end) *end = o->offset + to;
    }
}

static char *overlap_fault(struct taut_array opts, uint32_t i) {
    struct taut_opt one = option_at(opts, i);
    uint64_t first, end, from, to;
    extent_of(&one, &first, &end);
    for (uint32_t k = 0; k < i; k++) {
        struct taut_opt other = option_at(opts, k);
        extent_of(&other, &from, &to);
        if (first < to && from < end)
            return xasprintf("options \"%s\" and \"%s\" lie over each other in the options struct", other.name,
                             one.name);
    }
    return NULL;
}

static char *nested_fault(const struct taut_opt *o, uint64_t room, uint32_t depth) {
    if (depth == TAUT_OPT_DEPTH_MAX)
        return xasprintf("option \"%s\" is nested deeper than %d levels", o->name, TAUT_OPT_DEPTH_MAX);
    if (!o->options.len) return xasprintf("option \"%s\" has no table of its own", o->name);
    return options_fault(o->options, room, depth + 1);
}

static char *option_fault(const struct taut_opt *o, uint64_t room, uint32_t depth) {
    struct taut_opt item = option_item(o);
    bool is_list = o->type == TAUT_OPT_LIST, holds_items = is_list || o->type == TAUT_OPT_MAP;
    if (o->type != TAUT_OPT_STRUCT && (room < option_field_size(o) || o->offset > room - option_field_size(o)))
        return xasprintf("option \"%s\" lies outside of the options struct", o->name);
    if (o->type == TAUT_OPT_STRUCT) {
        if (o->offset > room) return xasprintf("option \"%s\" lies outside of the options struct", o->name);
        return nested_fault(o, room - o->offset, depth);
    }
    if (is_list && item.type == TAUT_OPT_STRUCT) return nested_fault(o, o->item_size, depth);
    if (holds_items && !option_is_scalar(&item))
        return xasprintf("option \"%s\" has no type that its items can have", o->name);
    const struct taut_opt *chosen = holds_items ? &item : o;
    uint32_t choices = count_choices(o->choices);
    if (types[chosen->type].has_choices && (!choices || choices > TAUT_OPT_CHOICES_MAX))
        return xasprintf("option \"%s\" has %u choices; 1 to %d may be", o->name, choices, TAUT_OPT_CHOICES_MAX);
    return NULL;
}

char *options_fault(struct taut_array opts, uint64_t room, uint32_t depth) {
    if (opts.len && (!opts.ptr || opts.elem_size < OPTION_SIZE_MIN))
        return xasprintf("its options have an impossible size (%u bytes)", opts.elem_size);
    if (opts.len > OPTIONS_MAX) return xasprintf("declares %u options, more than %d", opts.len, OPTIONS_MAX);
    for (uint32_t i = 0; i < opts.len; i++) {
        struct taut_opt o = option_at(opts, i);
        if (!o.name || o.type < TAUT_OPT_STR || o.type > TAUT_OPT_STRUCT)
            return xasprintf("option %u has no name or an unknown type", i);
        if (!name_is_valid(taut_str_z(o.name)))
            return xasprintf("option \"%s\" has a name that is none: use a-z, 0-9 and _, at most %d characters", o.name,
                             CONFIG_NAME_MAX);
        if (is_named_twice(opts, i, o.name)) return xasprintf("option \"%s\" is declared twice", o.name);
        char *fault = option_fault(&o, room, depth);
        if (!fault) fault = overlap_fault(opts, i);
        if (fault) return fault;
    }
    return NULL;
}
