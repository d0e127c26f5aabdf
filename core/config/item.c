/* item.c - what the core has in each item of `modules:` beside the module's own options: its name, whether it runs, and
 * how much memory it may take. */
#include "config/internal.h"

#define MEMORY(which, ...)                                                                                        \
    {                                                                                                             \
        .name = #which, .type = TAUT_OPT_BYTES, .offset = offsetof(struct item_config, memory.which) - MEMORY_AT, \
        .flags = TAUT_OPT_LIVE, .max = 1LL << 50, __VA_ARGS__                                                     \
    }
enum { MEMORY_AT = offsetof(struct item_config, memory) };

static const struct taut_opt memory_options[] = {
    MEMORY(soft, .dflt = "256MiB", .help = "memory of the host above which the module is shown as degraded; 0: any"),
    MEMORY(hard, .dflt = "1GiB", .help = "memory of the host above which it gets no more; 0: any"),
};
static const struct taut_opt item_options[] = {
    TAUT_OPT(
        struct item_config, enabled, TAUT_OPT_BOOL, .dflt = "true", .flags = TAUT_OPT_LIVE,
        .help =
            "run the module; one that is listed and not run can be started by a reload. What others need changes only "
            "with a restart"),
    {.name = "memory",
     .type = TAUT_OPT_STRUCT,
     .offset = MEMORY_AT,
     .options = TAUT_ARRAY(memory_options),
     .help = "how much memory the module may take of the host"},
};
const struct taut_array config_item_options = TAUT_ARRAY(item_options);

static bool is_option(taut_str key) {
    for (uint32_t i = 0; i < config_item_options.len; i++)
        if (taut_str_is(key, option_at(config_item_options, i).name)) return true;
    return false;
}

bool config_is_items_own(taut_str name) {
    return taut_str_is(name, "as") || is_option(name);
}

static void take_name(struct config *c, struct config_module *m, const struct node *n) {
    if (n->kind == NODE_SCALAR && name_is_valid(n->text)) {
        m->name = n->text;
        return;
    }
    config_error(c, n, arena_fmt(&c->arena, "modules.%s.as", m->module.ptr).ptr,
                 "\"%.*s\" is not a name; use a-z, 0-9 and _, at most %d characters, a letter first", (int)n->text.len,
                 n->text.ptr ? n->text.ptr : "", CONFIG_NAME_MAX);
}

void item_take_own(struct config *c, struct config_module *m) {
    struct node **end = NULL;
    for (struct node **at = &m->options->first; *at;) {
        struct node *n = *at;
        if (!config_is_items_own(n->key)) {
            at = &n->next;
            continue;
        }
        *at = n->next;
        n->next = NULL;
        if (taut_str_is(n->key, "as")) {
            take_name(c, m, n);
            continue;
        }
        if (!m->own) {
            m->own = arena_zalloc(&c->arena, sizeof *m->own);
            *m->own = (struct node){.kind = NODE_MAP, .line = m->options->line, .col = m->options->col};
            end = &m->own->first;
        }
        *end = n;
        end = &n->next;
    }
}

void config_apply_item(struct config *c, const struct config_module *m, struct item_config *into) {
    struct arena *a = &c->arena;
    const char *path = arena_fmt(a, "modules.%s", m->name.ptr).ptr;
    uint32_t errors = c->errors.n;
    config_apply(c, config_item_options, m->own, m->where, path, c->server.data, into);
    if (c->errors.n != errors || !into->memory.hard || into->memory.soft <= into->memory.hard) return;
    struct taut_opt soft = memory_options[0];
    config_error(c, config_find(m->own, "memory.soft", m->where), arena_fmt(a, "%s.memory.soft", path).ptr,
                 "%s is more than memory.hard (%s); make it less, or raise that",
                 option_number_text(a, &soft, into->memory.soft).ptr,
                 option_number_text(a, &soft, into->memory.hard).ptr);
}
