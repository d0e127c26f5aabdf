/* store_options.c - see store_options.h. */
#include "store_options.h"

static const struct {
    const char *suffix;
    int64_t factor;
} units[] = {{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"ms", 1}, {"s", 1000},
             {"m", 60000},     {"h", 3600000},   {"d", 86400000},  {"", 1}};

static void bad(const struct taut_opt *o, const char *text) {
    fprintf(stderr, "option %s: \"%s\" does not fit it\n", o->name, text);
    exit(2);
}

static int64_t number_of(const struct taut_opt *o, const char *text) {
    char *end;
    long long n = strtoll(text, &end, 10);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(end, units[i].suffix) == 0) return n * units[i].factor;
    bad(o, text);
    return 0;
}

static int64_t choice_of(const struct taut_opt *o, const char *text) {
    size_t n = strlen(text);
    const char *at = o->choices;
    if (text[0] >= '0' && text[0] <= '9') return number_of(o, text);
    for (int64_t i = 0; at; i++, at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL)
        if (strncmp(at, text, n) == 0 && (!at[n] || at[n] == '|')) return i;
    bad(o, text);
    return 0;
}

/* With "{dir}" replaced; a PATH is below the directory. Lives until the next filling. */
static taut_str string_of(struct kit *k, const struct taut_opt *o, const char *text) {
    const char *mark = strstr(text, "{dir}");
    char out[512];
    if (mark) snprintf(out, sizeof out, "%.*s%s%s", (int)(mark - text), text, k->dir, mark + 5);
    else if (o->type == TAUT_OPT_PATH && text[0] != '/') snprintf(out, sizeof out, "%s/%s", k->dir, text);
    else snprintf(out, sizeof out, "%s", text);
    if (o->type == TAUT_OPT_PATH) snprintf(k->path, sizeof k->path, "%.90s", out);
    if (k->nstrings == sizeof k->strings / sizeof *k->strings) bad(o, text);
    char *copy = k->strings[k->nstrings++] = strdup(out);
    return taut_str_z(copy);
}

static void set(struct kit *k, const struct taut_opt *o, const char *text) {
    int64_t n = 0;
    taut_str s;
    char *at = k->config + o->offset;
    switch (o->type) {
    case TAUT_OPT_BOOL: n = strcmp(text, "true") == 0 || strcmp(text, "yes") == 0 || strcmp(text, "on") == 0; break;
    case TAUT_OPT_ENUM: n = choice_of(o, text); break;
    case TAUT_OPT_INT:
    case TAUT_OPT_DURATION:
    case TAUT_OPT_BYTES: n = number_of(o, text); break;
    default:
        s = string_of(k, o, text);
        memcpy(at, &s, sizeof s);
        return;
    }
    memcpy(at, &n, sizeof n);
}

static const char *text_of(const struct kit *k, const struct taut_opt *o) {
    static const char *const none[] = {"", "", "", "0", "false"};
    for (uint32_t i = 0; i < k->noptions; i++)
        if (strcmp(k->options[i].name, o->name) == 0) return k->options[i].text;
    if (o->dflt) return o->dflt;
    return o->type < sizeof none / sizeof *none ? none[o->type] : o->type == TAUT_OPT_ADDR ? "" : "0";
}

bool options_has(const struct kit *k, const char *name) {
    for (uint32_t i = 0; i < k->def->options.len; i++)
        if (strcmp(TAUT_AT(k->def->options, struct taut_opt, i)->name, name) == 0) return true;
    return false;
}

void options_fill(struct kit *k) {
    for (uint32_t i = 0; i < k->nstrings; i++) free(k->strings[i]);
    k->nstrings = 0;
    memset(k->config, 0, sizeof k->config);
    if (k->def->config_size > sizeof k->config) {
        fprintf(stderr, "the module's options take more than %zu bytes\n", sizeof k->config);
        exit(2);
    }
    for (uint32_t i = 0; i < k->def->options.len; i++) {
        const struct taut_opt *o = TAUT_AT(k->def->options, struct taut_opt, i);
        const char *text = text_of(k, o);
        if (o->type == TAUT_OPT_ENUM && !*text) continue; /* the first choice */
        set(k, o, text);
    }
}
