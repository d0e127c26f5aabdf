/* declared.c - is what a module declares about itself whole? Looked at once, when its file is opened, so that nobody
 * behind the loader meets a NULL, a foreign stride or a name that is none. Pure.
 *
 * Texts end in front of "; this is a fault of the module", which open.c adds.
 */
#include "module/internal.h"
#include "module/needs.h"

enum {
    ITEMS_MAX = 1024, /* of one table of a module */
    CONFIG_SIZE_MAX = 1 << 20,
    COLUMNS_MAX = 60,
    INDEX_COLUMNS_MAX = 6,
    LABEL_VALUES_MAX = 16,
    NAME_LEN_MAX = 32, /* of a module */
    TEXT_MAX = 100
};

#define UP_TO(type, member) (uint32_t)(offsetof(struct type, member) + sizeof(((struct type *)NULL)->member))

/* The tables of a module: where each lies, and how large its elements were when they were first released. */
static const struct {
    const char *name;
    size_t offset;
    uint32_t size_min;
} tables[] = {
    {"services", offsetof(struct taut_module, provides), sizeof(char *)},
    {"services", offsetof(struct taut_module, needs), sizeof(char *)},
    {"services", offsetof(struct taut_module, wants), sizeof(char *)},
    {"options", offsetof(struct taut_module, options), offsetof(struct taut_opt, help)},
    {"tables", offsetof(struct taut_module, tables), sizeof(struct taut_table *)},
    {"methods", offsetof(struct taut_module, methods), UP_TO(taut_method, run)},
    {"routes", offsetof(struct taut_module, routes), UP_TO(taut_route, max_body)},
    {"sockets", offsetof(struct taut_module, sockets), UP_TO(taut_socket_route, close)},
    {"commands", offsetof(struct taut_module, commands), UP_TO(taut_command, run)},
    {"hooks", offsetof(struct taut_module, hooks), UP_TO(taut_hook, provide)},
    {"metrics", offsetof(struct taut_module, metrics), UP_TO(taut_metric, labels)},
};

static char *array_fault(const struct taut_array *a, const char *name, uint32_t size_min) {
    if (!a->len) return NULL;
    if (!a->ptr || a->elem_size < size_min || a->elem_size % sizeof(void *))
        return xasprintf("its %s have an impossible size (%u bytes)", name, a->ptr ? a->elem_size : 0);
    if (a->len > ITEMS_MAX) return xasprintf("declares %u %s, more than %d", a->len, name, ITEMS_MAX);
    return NULL;
}

char *arrays_fault(const struct taut_module *def) {
    char *fault = NULL;
    for (size_t i = 0; i < COUNT_OF(tables) && !fault; i++)
        fault = array_fault((const struct taut_array *)(const void *)((const char *)def + tables[i].offset),
                            tables[i].name, tables[i].size_min);
    return fault;
}

/* ---- names ---- */

static bool has_only(const char *text, const char *letters) {
    size_t n = strlen(text);
    return n && n <= TEXT_MAX && strspn(text, letters) == n;
}

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static bool is_word(const char *text) {
    return has_only(text, LOWER DIGITS "_") && (text[0] < '0' || text[0] > '9');
}
static bool is_method_name(const char *text) {
    return has_only(text, LOWER UPPER DIGITS "._-");
}
static bool is_command_name(const char *text) {
    return has_only(text, LOWER DIGITS "_- ") && text[0] != ' ' && text[0] != '-' && text[strlen(text) - 1] != ' ' &&
           !strstr(text, "  ");
}
static bool is_path(const char *text) {
    return text[0] == '/' && strlen(text) <= TEXT_MAX * 2 && strcspn(text, "?# \t\r\n") == strlen(text);
}

/* "storage/1" */
static bool is_service_name(const char *text) {
    const char *slash = strchr(text, '/');
    char family[TEXT_MAX];
    if (!slash || slash == text || slash - text >= TEXT_MAX || slash[1] < '1' || slash[1] > '9') return false;
    memcpy(family, text, (size_t)(slash - text));
    family[slash - text] = 0;
    return is_word(family) && has_only(slash + 1, DIGITS) && strlen(slash + 1) <= 5;
}

static char *services_fault(const struct taut_array *a, const char *what) {
    for (uint32_t i = 0; i < a->len; i++) {
        const char *service = name_at(a, i);
        if (!service || !is_service_name(service))
            return xasprintf("%s \"%s\", which is no service; write it as \"storage/1\"", what, service ? service : "");
    }
    return NULL;
}

/* ---- methods, commands and their arguments ---- */

char *arguments_fault(const struct taut_array *args) {
    return array_fault(args, "arguments", UP_TO(taut_arg, help));
}

static char *args_fault(const struct taut_array *args, const char *what, const char *name) {
    for (uint32_t i = 0; i < args->len; i++) {
        const struct taut_arg *a = TAUT_AT(*args, struct taut_arg, i);
        if (!a->name || !a->name[0] || a->type < TAUT_ARG_STR || a->type > TAUT_ARG_JSON)
            return xasprintf("%s \"%s\": argument %u has no name or an unknown type", what, name, i);
        for (uint32_t k = 0; k < i; k++)
            if (!strcmp(TAUT_AT(*args, struct taut_arg, k)->name, a->name))
                return xasprintf("%s \"%s\" has two arguments \"%s\"", what, name, a->name);
    }
    return NULL;
}

static char *methods_fault(const struct taut_module *def) {
    for (uint32_t i = 0; i < def->methods.len; i++) {
        const struct taut_method *m = TAUT_AT(def->methods, struct taut_method, i);
        if (!m->name || !is_method_name(m->name)) return xasprintf("method %u has no name that a method can have", i);
        if (!m->run) return xasprintf("method \"%s\" has no function", m->name);
        if (m->rate > TAUT_RATE_SPECIAL) return xasprintf("method \"%s\" has an unknown rate (%u)", m->name, m->rate);
        char *fault = args_fault(&m->args, "method", m->name);
        if (fault) return fault;
    }
    return NULL;
}

bool loader_owns_command(const char *name) {
    static const char *const own[] = {"backup", "check",   "config", "help",   "hooks",  "module",
                                      "reload", "restore", "serve",  "status", "version"};
    size_t n = strcspn(name, " ");
    for (size_t i = 0; i < COUNT_OF(own); i++)
        if (strlen(own[i]) == n && !memcmp(own[i], name, n)) return true;
    return false;
}

static char *commands_fault(const struct taut_module *def) {
    for (uint32_t i = 0; i < def->commands.len; i++) {
        const struct taut_command *c = TAUT_AT(def->commands, struct taut_command, i);
        if (!c->name || !is_command_name(c->name))
            return xasprintf("command %u has no name that a command can have", i);
        if (loader_owns_command(c->name))
            return xasprintf("command \"%s\" begins with a word of the server's own commands; take another", c->name);
        if (!c->run) return xasprintf("command \"%s\" has no function", c->name);
        char *fault = args_fault(&c->args, "command", c->name);
        if (fault) return fault;
    }
    return NULL;
}

/* ---- routes and sockets ---- */

static char *routes_fault(const struct taut_module *def) {
    static const char *const verbs[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
    for (uint32_t i = 0; i < def->routes.len; i++) {
        const struct taut_route *r = TAUT_AT(def->routes, struct taut_route, i);
        bool known = false;
        for (size_t k = 0; k < COUNT_OF(verbs); k++) known |= r->method && !strcmp(r->method, verbs[k]);
        if (!r->path || !is_path(r->path)) return xasprintf("route %u has no path; a path begins with \"/\"", i);
        if (!known) return xasprintf("route \"%s\" has a method that no route can have", r->path);
        if (!r->run) return xasprintf("route \"%s\" has no function", r->path);
    }
    return NULL;
}

static char *sockets_fault(const struct taut_module *def) {
    for (uint32_t i = 0; i < def->sockets.len; i++) {
        const struct taut_socket_route *s = TAUT_AT(def->sockets, struct taut_socket_route, i);
        if (!s->prefix || !is_path(s->prefix) || s->prefix[strlen(s->prefix) - 1] != '/')
            return xasprintf("socket route %u has no prefix; one begins and ends with \"/\"", i);
        if (!s->name || !s->open || !s->frame || !s->close)
            return xasprintf("socket route \"%s\" lacks its name or one of its functions", s->prefix);
    }
    return NULL;
}

/* ---- hooks ---- */

/* What is not there hooks.c finds. */
static bool is_hook_name(const char *text) {
    return !text || has_only(text, LOWER UPPER DIGITS "._-/:");
}

static char *hooks_fault(const struct taut_module *def) {
    for (uint32_t i = 0; i < def->hooks.len; i++) {
        const struct taut_hook *h = TAUT_AT(def->hooks, struct taut_hook, i);
        if (!is_hook_name(h->point) || !is_hook_name(h->name))
            return xasprintf(
                "hook %u has a name or a point that none can have: use letters, digits, and . _ - / :, at most "
                "%d characters",
                i, TEXT_MAX);
    }
    return NULL;
}

/* ---- metrics ---- */

/* "result=ok|error" */
static bool are_labels(const char *labels) {
    const char *equals = strchr(labels, '=');
    char key[TEXT_MAX];
    uint32_t n = 1;
    if (!equals || equals - labels >= TEXT_MAX || !equals[1]) return false;
    memcpy(key, labels, (size_t)(equals - labels));
    key[equals - labels] = 0;
    for (const char *at = equals + 1; *at; at++) {
        if (*at == '|' && (at[1] == '|' || !at[1] || at == equals + 1)) return false;
        n += *at == '|';
    }
    return is_word(key) && n <= LABEL_VALUES_MAX && !strpbrk(equals + 1, "\"\\\n");
}

static char *metrics_fault(const struct taut_module *def) {
    if (def->metrics.len > METRICS_MAX)
        return xasprintf("declares %u metrics, more than %d", def->metrics.len, METRICS_MAX);
    for (uint32_t i = 0; i < def->metrics.len; i++) {
        const struct taut_metric *m = TAUT_AT(def->metrics, struct taut_metric, i);
        if (!m->name || !is_word(m->name) || m->kind < TAUT_COUNTER || m->kind > TAUT_HISTOGRAM)
            return xasprintf("metric %u has no name or an unknown kind", i);
        if (m->labels && !are_labels(m->labels))
            return xasprintf(
                "metric \"%s\" has the labels \"%s\"; write them as \"result=ok|error\", at most %d values", m->name,
                m->labels, LABEL_VALUES_MAX);
        for (uint32_t k = 0; k < i; k++)
            if (!strcmp(TAUT_AT(def->metrics, struct taut_metric, k)->name, m->name))
                return xasprintf("has two metrics \"%s\"", m->name);
    }
    return NULL;
}

/* ---- tables ---- */

static char *columns_fault(const struct taut_table *t) {
    char *fault = array_fault(&t->cols, "columns", UP_TO(taut_col, flags));
    if (fault) return fault;
    if (!t->cols.len || t->cols.len > COLUMNS_MAX)
        return xasprintf("table \"%s\" has %u columns; 1 to %d may be", t->name, t->cols.len, COLUMNS_MAX);
    if (!t->key_cols || t->key_cols > t->cols.len)
        return xasprintf("table \"%s\" has %u columns, but a key of %u", t->name, t->cols.len, t->key_cols);
    for (uint32_t i = 0; i < t->cols.len; i++) {
        const struct taut_col *c = TAUT_AT(t->cols, struct taut_col, i);
        if (!c->name || !is_word(c->name) || c->type < TAUT_INT || c->type > TAUT_BLOB)
            return xasprintf("table \"%s\": column %u has no name or an unknown type", t->name, i);
        for (uint32_t k = 0; k < i; k++)
            if (!strcmp(TAUT_AT(t->cols, struct taut_col, k)->name, c->name))
                return xasprintf("table \"%s\" has two columns \"%s\"", t->name, c->name);
    }
    return NULL;
}

static char *indexes_fault(const struct taut_table *t) {
    char *fault = array_fault(&t->index, "indexes", UP_TO(taut_index, cols));
    if (fault) return fault;
    for (uint32_t i = 0; i < t->index.len; i++) {
        const struct taut_index *x = TAUT_AT(t->index, struct taut_index, i);
        if (!x->name || !is_word(x->name)) return xasprintf("table \"%s\": index %u has no name", t->name, i);
        bool fits = x->ncols && x->ncols <= INDEX_COLUMNS_MAX;
        for (uint32_t k = 0; fits && k < x->ncols; k++) fits = x->cols[k] < t->cols.len;
        if (!fits) return xasprintf("table \"%s\": index \"%s\" names columns that are not there", t->name, x->name);
        for (uint32_t k = 0; k < i; k++)
            if (!strcmp(TAUT_AT(t->index, struct taut_index, k)->name, x->name))
                return xasprintf("table \"%s\" has two indexes \"%s\"", t->name, x->name);
    }
    return NULL;
}

typedef const struct taut_table *table_ptr;
static char *tables_fault(const struct taut_module *def) {
    for (uint32_t i = 0; i < def->tables.len; i++) {
        const struct taut_table *t = *TAUT_AT(def->tables, table_ptr, i);
        if (!t || t->size < UP_TO(taut_table, index))
            return xasprintf("table %u is not there or has an impossible size (%u bytes)", i, t ? t->size : 0);
        if (!t->name || !is_word(t->name)) return xasprintf("table %u has no name that a table can have", i);
        char *fault = columns_fault(t);
        if (!fault) fault = indexes_fault(t);
        if (fault) return fault;
    }
    return NULL;
}

/* The server's own options of an item of `modules:` stand beside those of the module. */
static char *reserved_fault(const struct taut_module *def) {
    for (uint32_t i = 0; i < def->options.len; i++) {
        const char *name = option_at(def->options, i).name;
        if (config_is_items_own(taut_str_z(name)))
            return xasprintf("option \"%s\" has a name that the server uses itself; take another", name);
    }
    return NULL;
}

char *declaration_fault(const struct taut_module *def) {
    char *(*const faults[])(const struct taut_module *) = {reserved_fault, methods_fault, commands_fault, routes_fault,
                                                           sockets_fault,  hooks_fault,   metrics_fault,  tables_fault};
    char *fault = NULL;
    if (!is_word(def->name) || strlen(def->name) > NAME_LEN_MAX)
        return xasprintf("has a name that is none: use a-z, 0-9 and _, at most %d characters", NAME_LEN_MAX);
    if (def->config_size > CONFIG_SIZE_MAX)
        return xasprintf("its options struct has %u bytes, more than %d", def->config_size, CONFIG_SIZE_MAX);
    if (def->options.len && !def->config_size)
        return xstrdup("has options, but its config_size is 0: say .config_size = sizeof(struct options)");
    if (!fault) fault = services_fault(&def->provides, "provides");
    if (!fault) fault = services_fault(&def->needs, "needs");
    if (!fault) fault = services_fault(&def->wants, "wants");
    if (!fault) fault = options_fault(def->options, def->config_size, 0);
    for (size_t i = 0; i < COUNT_OF(faults) && !fault; i++) fault = faults[i](def);
    return fault;
}
