/* schema.c - taut.yaml as a JSON Schema (2020-12), from the option tables: for editors, which then complete, explain
 * and check while one types. What it cannot say (the range of a duration, rules across options) only the server checks.
 */
#include "config/internal.h"
#include "taut/json.h"

#define REFERENCE "#/$defs/reference"
#define NAME_PATTERN "^[a-z][a-z0-9_]{0,31}$"

static void write_table(struct arena *a, struct taut_json *j, struct taut_array opts, bool is_module);
static void write_value(struct arena *a, struct taut_json *j, const struct taut_opt *o);

/* ---- scalars ---- */

/* What YAML takes a plain word for when it is not a text: off is false in YAML 1.1, 1.2 is a number. */
static void write_word(struct taut_json *j, taut_str word) {
    static const char *const yes[] = {"on", "yes", "true"}, *const no[] = {"off", "no", "false"};
    taut_json_str(j, word);
    for (size_t i = 0; i < COUNT_OF(yes); i++)
        if (taut_str_is(word, yes[i]) || taut_str_is(word, no[i])) taut_json_bool(j, taut_str_is(word, yes[i]));
    bool is_number = word.len > 0 && word.ptr[0] >= '1' && word.ptr[0] <= '9' && word.ptr[word.len - 1] != '.';
    uint32_t points = 0;
    for (size_t i = 0; i < word.len; i++) {
        points += word.ptr[i] == '.';
        is_number = is_number && ((word.ptr[i] >= '0' && word.ptr[i] <= '9') || word.ptr[i] == '.') && points < 2;
    }
    if (is_number) taut_json_text(j, word);
}

static void write_words(struct arena *a, struct taut_json *j, const struct taut_opt *o) {
    const char *words[TAUT_OPT_CHOICES_MAX];
    uint32_t n = option_choices(a, o->choices, words);
    taut_json_kopen(j, "enum", '[');
    for (uint32_t i = 0; i < n; i++) write_word(j, taut_str_z(words[i]));
    taut_json_close(j, ']');
}

static void write_limits(struct taut_json *j, const struct taut_opt *o) {
    if (!option_has_range(o)) return;
    taut_json_kint(j, "minimum", o->min);
    if (o->max >= o->min) taut_json_kint(j, "maximum", o->max);
}

/* Bytes there, characters here: only what holds for both. */
static void write_lengths(struct taut_json *j, const struct taut_opt *o) {
    if (!option_has_range(o)) return;
    if (o->min > 0) taut_json_kint(j, "minLength", 1);
    if (o->max >= o->min) taut_json_kint(j, "maxLength", o->max);
}

static void write_types(struct taut_json *j, const char *one, const char *two, const char *three) {
    const char *const types[] = {one, two, three};
    taut_json_kopen(j, "type", '[');
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (types[i]) taut_json_str(j, taut_str_z(types[i]));
    taut_json_close(j, ']');
}

static void write_pattern(struct taut_json *j, const char *pattern) {
    taut_json_kstr(j, "type", TAUT_LIT("string"));
    taut_json_kstr(j, "pattern", taut_str_z(pattern));
}

/* A number with a unit; a plain one when that means something. */
static void write_measure(struct taut_json *j, const char *pattern, bool may_be_plain) {
    write_types(j, "string", "integer", NULL);
    taut_json_kstr(j, "pattern", taut_str_z(pattern));
    taut_json_kint(j, "minimum", 0);
    if (!may_be_plain) taut_json_kint(j, "maximum", 0);
}

static taut_str url_pattern(struct arena *a, const struct taut_opt *o) {
    return arena_fmt(a, "^(%s)://[^/\\s][^\\s]*$", o->choices ? o->choices : "[a-z][a-z0-9+.-]*");
}

static void write_scalar(struct arena *a, struct taut_json *j, const struct taut_opt *o) {
    switch (o->type) {
    case TAUT_OPT_INT: taut_json_kstr(j, "type", TAUT_LIT("integer")), write_limits(j, o); break;
    case TAUT_OPT_FLOAT: taut_json_kstr(j, "type", TAUT_LIT("number")), write_limits(j, o); break;
    case TAUT_OPT_BOOL: taut_json_ktext(j, "enum", TAUT_LIT("[true,false,\"yes\",\"no\",\"on\",\"off\"]")); break;
    case TAUT_OPT_ENUM: write_words(a, j, o); break;
    case TAUT_OPT_DURATION: write_measure(j, "^[0-9]+(ms|s|m|h|d)$", false); break;
    case TAUT_OPT_BYTES: write_measure(j, "^[0-9]+(KiB|MiB|GiB)?$", true); break;
    case TAUT_OPT_ADDR: write_pattern(j, "^(\\[[0-9A-Fa-f:.%]+\\]|[^:/\\s]+):[0-9]{1,5}$"); break;
    case TAUT_OPT_NET: write_pattern(j, "^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$"); break;
    case TAUT_OPT_URL: write_pattern(j, url_pattern(a, o).ptr); break;
    case TAUT_OPT_PATH:
    case TAUT_OPT_REGEX: taut_json_kstr(j, "type", TAUT_LIT("string")); break;
    default: write_types(j, "string", "number", "boolean"), write_lengths(j, o); /* a text that looks like a number */
    }
}

/* ---- defaults ---- */

static void write_default_word(struct taut_json *j, const struct taut_opt *o, taut_str word) {
    bool is_number = o->type == TAUT_OPT_INT || o->type == TAUT_OPT_FLOAT;
    if (o->type == TAUT_OPT_BOOL)
        taut_json_bool(j, taut_str_is(word, "true") || taut_str_is(word, "yes") || taut_str_is(word, "on"));
    else if (is_number) taut_json_text(j, word);
    else taut_json_str(j, word);
}

static void write_default(struct taut_json *j, const struct taut_opt *o) {
    if (!o->dflt) return;
    taut_json_key(j, "default");
    if (o->type != TAUT_OPT_LIST && o->type != TAUT_OPT_FLAGS) {
        write_default_word(j, o, taut_str_z(o->dflt));
        return;
    }
    struct taut_opt item = o->type == TAUT_OPT_LIST ? option_item(o) : *o;
    taut_json_open(j, '[');
    for (const char *at = o->dflt; *at;) {
        size_t n = strcspn(at, ",");
        write_default_word(j, &item, taut_str_n(at, n));
        for (at += n + (at[n] == ','); *at == ' ';) at++;
    }
    taut_json_close(j, ']');
}

/* ---- options ---- */

static void write_list(struct arena *a, struct taut_json *j, const struct taut_opt *o) {
    struct taut_opt item = option_item(o);
    taut_json_kstr(j, "type", TAUT_LIT("array"));
    taut_json_kint(j, "maxItems", option_items_max(o));
    taut_json_kopen(j, "items", '{');
    if (item.type == TAUT_OPT_STRUCT) write_table(a, j, o->options, false);
    else write_value(a, j, &item);
    taut_json_close(j, '}');
}

static void write_flags(struct arena *a, struct taut_json *j, const struct taut_opt *o) {
    taut_json_kstr(j, "type", TAUT_LIT("array"));
    taut_json_kopen(j, "items", '{');
    write_words(a, j, o);
    taut_json_close(j, '}');
}

static void write_map(struct arena *a, struct taut_json *j, const struct taut_opt *o) {
    struct taut_opt item = option_item(o);
    taut_json_kstr(j, "type", TAUT_LIT("object"));
    taut_json_kint(j, "maxProperties", option_items_max(o));
    taut_json_kopen(j, "additionalProperties", '{');
    write_value(a, j, &item);
    taut_json_close(j, '}');
}

/* The members that say what may stand there. A scalar may also be a reference to the environment. */
static void write_value(struct arena *a, struct taut_json *j, const struct taut_opt *o) {
    switch (o->type) {
    case TAUT_OPT_STRUCT: write_table(a, j, o->options, false); return;
    case TAUT_OPT_LIST: write_list(a, j, o); return;
    case TAUT_OPT_FLAGS: write_flags(a, j, o); return;
    case TAUT_OPT_MAP: write_map(a, j, o); return;
    default: break;
    }
    taut_json_kopen(j, "anyOf", '[');
    taut_json_open(j, '{');
    write_scalar(a, j, o);
    taut_json_close(j, '}');
    taut_json_text(j, TAUT_LIT("{\"$ref\":\"" REFERENCE "\"}"));
    taut_json_close(j, ']');
}

static taut_str description(struct arena *a, const struct taut_opt *o) {
    taut_str text = taut_str_z(o->help), range = option_range_text(a, o);
    if (o->unit) text = arena_fmt(a, "%s, in %s", text.ptr, o->unit);
    if (range.len) text = arena_fmt(a, "%s (%s)", text.ptr, range.ptr);
    if (o->flags & TAUT_OPT_LIVE) text = arena_fmt(a, "%s; a reload applies it", text.ptr);
    return text;
}

static void write_option(struct arena *a, struct taut_json *j, const struct taut_opt *o) {
    taut_str text = description(a, o);
    taut_json_kopen(j, o->name, '{');
    if (text.len) taut_json_kstr(j, "description", text);
    write_value(a, j, o);
    write_default(j, o);
    taut_json_close(j, '}');
}

static bool has_required(struct taut_array opts) {
    for (uint32_t i = 0; i < opts.len; i++)
        if (option_at(opts, i).flags & TAUT_OPT_REQUIRED) return true;
    return false;
}

static void write_required(struct taut_json *j, struct taut_array opts) {
    if (!has_required(opts)) return;
    taut_json_kopen(j, "required", '[');
    for (uint32_t i = 0; i < opts.len; i++)
        if (option_at(opts, i).flags & TAUT_OPT_REQUIRED) taut_json_str(j, taut_str_z(option_at(opts, i).name));
    taut_json_close(j, ']');
}

static void write_options(struct arena *a, struct taut_json *j, struct taut_array opts) {
    for (uint32_t i = 0; i < opts.len; i++) {
        struct taut_opt o = option_at(opts, i);
        write_option(a, j, &o);
    }
}

/* The members of a map of options. */
static void write_table(struct arena *a, struct taut_json *j, struct taut_array opts, bool is_module) {
    taut_json_kstr(j, "type", TAUT_LIT("object"));
    taut_json_kbool(j, "additionalProperties", 0);
    write_required(j, opts);
    taut_json_kopen(j, "properties", '{');
    if (is_module)
        taut_json_ktext(j, "as",
                        TAUT_LIT("{\"type\":\"string\",\"pattern\":\"" NAME_PATTERN
                                 "\",\"description\":\"a name of its own, for a module that is listed twice\"}"));
    if (is_module) write_options(a, j, config_item_options);
    write_options(a, j, opts);
    taut_json_close(j, '}');
}

/* ---- the whole ---- */

static void write_section(struct arena *a, struct taut_json *j, const char *name, const char *text,
                          struct taut_array opts) {
    taut_json_kopen(j, name, '{');
    taut_json_kstr(j, "description", taut_str_z(text));
    write_table(a, j, opts, false);
    taut_json_close(j, '}');
}

static void write_module(struct arena *a, struct taut_json *j, const struct schema_module *m) {
    taut_json_kopen(j, m->name, '{');
    if (m->summary && *m->summary) taut_json_kstr(j, "description", taut_str_z(m->summary));
    taut_json_kopen(j, "anyOf", '[');
    taut_json_open(j, '{');
    write_table(a, j, m->options, true);
    taut_json_close(j, '}');
    if (!has_required(m->options)) taut_json_text(j, TAUT_LIT("{\"type\":\"null\"}"));
    taut_json_close(j, ']');
    taut_json_close(j, '}');
}

/* An item: a name, or a map from one name to its options. */
static void write_modules(struct arena *a, struct taut_json *j, const struct schema_module *list, uint32_t n) {
    uint32_t alone = 0;
    taut_json_kopen(j, "modules", '{');
    taut_json_kstr(j, "description", TAUT_LIT("what the server runs: names of modules, or a name with its options"));
    taut_json_kstr(j, "type", TAUT_LIT("array"));
    taut_json_kopen(j, "items", '{');
    taut_json_kopen(j, "anyOf", '[');
    for (uint32_t i = 0; i < n; i++) alone += !has_required(list[i].options);
    if (alone) {
        taut_json_open(j, '{');
        taut_json_kopen(j, "enum", '[');
        for (uint32_t i = 0; i < n; i++)
            if (!has_required(list[i].options)) taut_json_str(j, taut_str_z(list[i].name));
        taut_json_close(j, ']');
        taut_json_close(j, '}');
    }
    taut_json_open(j, '{');
    taut_json_kstr(j, "type", TAUT_LIT("object"));
    taut_json_kint(j, "minProperties", 1);
    taut_json_kint(j, "maxProperties", 1);
    taut_json_kbool(j, "additionalProperties", 0);
    taut_json_kopen(j, "properties", '{');
    for (uint32_t i = 0; i < n; i++) write_module(a, j, &list[i]);
    for (int i = 0; i < 2; i++) taut_json_close(j, '}');
    taut_json_close(j, ']');
    for (int i = 0; i < 2; i++) taut_json_close(j, '}');
}

void config_schema(struct arena *a, struct taut_json *j, const struct schema_module *list, uint32_t n) {
    taut_json_open(j, '{');
    taut_json_kstr(j, "$schema", TAUT_LIT("https://json-schema.org/draft/2020-12/schema"));
    taut_json_kstr(j, "title", TAUT_LIT("taut.yaml"));
    taut_json_kstr(j, "description",
                   TAUT_LIT("The configuration of a Taut server and the modules that are installed "
                            "with it."));
    taut_json_kstr(j, "type", TAUT_LIT("object"));
    taut_json_kbool(j, "additionalProperties", 0);
    taut_json_ktext(j, "required", TAUT_LIT("[\"modules\"]"));
    taut_json_kopen(j, "properties", '{');
    write_section(a, j, "server", "where it listens, where it keeps things, what it allows", config_server_options);
    write_section(a, j, "admin", "the listener for those who run it", config_admin_options);
    write_modules(a, j, list, n);
    taut_json_close(j, '}');
    taut_json_ktext(
        j, "$defs",
        TAUT_LIT("{\"reference\":{\"type\":\"string\",\"pattern\":\"\\\\$\\\\{env:[A-Za-z_][A-Za-z0-9_]*\\\\}\","
                 "\"description\":\"${env:NAME}: the value of an environment variable\"}}"));
    taut_json_close(j, '}');
}
