/* yaml.c - from libyaml's events to a tree of nodes that know their places.
 *
 * Refused, each with a clear error: anchors, aliases, tags, several documents, keys that are not plain text, duplicate
 * keys, nesting deeper than CONFIG_DEPTH_MAX, more than CONFIG_NODES_MAX values, what is not UTF-8. Nothing here
 * recurses.
 */
#include <yaml.h>

#include "config/internal.h"

struct frame {
    struct node *node;
    struct node **tail; /* where the next child goes */
    taut_str key;       /* MAP: the key that waits for its value */
    uint32_t key_line, key_col;
    bool has_key;
};

struct reader {
    struct config *config;
    struct frame stack[CONFIG_DEPTH_MAX];
    uint32_t depth;
    uint32_t documents, nodes;
    bool failed; /* the tree cannot be trusted: stop */
};

static uint32_t line_of(const yaml_mark_t *m) {
    return (uint32_t)m->line + 1;
}
static uint32_t col_of(const yaml_mark_t *m) {
    return (uint32_t)m->column + 1;
}

#define REFUSE(r, mark, ...)                                                          \
    do {                                                                              \
        config_error_at((r)->config, line_of(mark), col_of(mark), NULL, __VA_ARGS__); \
        (r)->failed = true;                                                           \
    } while (0)

/* "modules.store_sqlite" for what is being read now; NULL at the top. */
static const char *path_of(struct reader *r) {
    taut_str path = TAUT_LIT("");
    for (uint32_t i = 0; i < r->depth; i++) {
        taut_str key = r->stack[i].node->key;
        if (key.len)
            path = arena_fmt(&r->config->arena, "%.*s%s%.*s", (int)path.len, path.ptr, path.len ? "." : "",
                             (int)key.len, key.ptr);
    }
    return path.len ? path.ptr : NULL;
}

static void take_key(struct reader *r, struct frame *f, const yaml_event_t *e) {
    taut_str key = taut_str_n((const char *)e->data.scalar.value, e->data.scalar.length);
    f->key = arena_str(&r->config->arena, key);
    f->key_line = line_of(&e->start_mark), f->key_col = col_of(&e->start_mark);
    f->has_key = true;
    const struct node *n = f->node->first;
    while (n && !taut_str_eq(n->key, key)) n = n->next;
    if (n)
        config_error_at(r->config, f->key_line, f->key_col, path_of(r), "\"%.*s\" is given twice, first in line %u",
                        (int)key.len, key.ptr, n->key_line);
}

/* Puts the node where the innermost open container wants it. */
static void place(struct reader *r, struct node *n) {
    if (!r->depth) {
        r->config->root = n;
        return;
    }
    struct frame *f = &r->stack[r->depth - 1];
    if (f->node->kind == NODE_MAP) {
        n->key = f->key;
        n->key_line = f->key_line, n->key_col = f->key_col;
        f->has_key = false;
    }
    *f->tail = n;
    f->tail = &n->next;
}

static struct node *node_new(struct reader *r, enum node_kind kind, const yaml_event_t *e) {
    struct node *n = arena_zalloc(&r->config->arena, sizeof *n);
    n->kind = kind;
    n->line = line_of(&e->start_mark), n->col = col_of(&e->start_mark);
    return n;
}

/* Counts a value. False when there are too many. */
static bool count_node(struct reader *r, const yaml_event_t *e) {
    if (r->nodes++ < CONFIG_NODES_MAX) return true;
    REFUSE(r, &e->start_mark, "more than %d values in one file", CONFIG_NODES_MAX);
    return false;
}

static void on_scalar(struct reader *r, const yaml_event_t *e) {
    struct frame *f = r->depth ? &r->stack[r->depth - 1] : NULL;
    taut_str text = taut_str_n((const char *)e->data.scalar.value, e->data.scalar.length);
    if (text.len && memchr(text.ptr, 0, text.len)) {
        REFUSE(r, &e->start_mark, "there is a NUL character in this text");
    } else if (f && f->node->kind == NODE_MAP && !f->has_key) {
        take_key(r, f, e);
    } else if (count_node(r, e)) {
        struct node *n = node_new(r, NODE_SCALAR, e);
        n->quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
        n->text = arena_str(&r->config->arena, text);
        place(r, n);
    }
}

static void on_open(struct reader *r, enum node_kind kind, const yaml_event_t *e) {
    if (r->depth && r->stack[r->depth - 1].node->kind == NODE_MAP && !r->stack[r->depth - 1].has_key) {
        REFUSE(r, &e->start_mark, "a key must be plain text");
    } else if (r->depth == CONFIG_DEPTH_MAX) {
        REFUSE(r, &e->start_mark, "nested deeper than %d levels", CONFIG_DEPTH_MAX);
    } else if (count_node(r, e)) {
        struct node *n = node_new(r, kind, e);
        place(r, n);
        r->stack[r->depth++] = (struct frame){.node = n, .tail = &n->first};
    }
}

static void on_event(struct reader *r, const yaml_event_t *e) {
    const yaml_char_t *anchor = NULL, *tag = NULL;
    if (e->type == YAML_SCALAR_EVENT) anchor = e->data.scalar.anchor, tag = e->data.scalar.tag;
    if (e->type == YAML_MAPPING_START_EVENT) anchor = e->data.mapping_start.anchor, tag = e->data.mapping_start.tag;
    if (e->type == YAML_SEQUENCE_START_EVENT) anchor = e->data.sequence_start.anchor, tag = e->data.sequence_start.tag;
    if (e->type == YAML_ALIAS_EVENT || anchor)
        REFUSE(r, &e->start_mark, "anchors (&) and aliases (*) are not supported; write the value out");
    else if (tag) REFUSE(r, &e->start_mark, "tags (!) are not supported; write the value without one");
    else if (e->type == YAML_DOCUMENT_START_EVENT && r->documents++)
        REFUSE(r, &e->start_mark, "a second document begins here; one file holds one configuration");
    else if (e->type == YAML_SCALAR_EVENT) on_scalar(r, e);
    else if (e->type == YAML_MAPPING_START_EVENT) on_open(r, NODE_MAP, e);
    else if (e->type == YAML_SEQUENCE_START_EVENT) on_open(r, NODE_LIST, e);
    else if (e->type == YAML_MAPPING_END_EVENT || e->type == YAML_SEQUENCE_END_EVENT) r->depth--;
}

/* ---- what is no YAML ---- */

/* What people mean by it, behind what libyaml says. */
static const struct {
    const char *problem, *hint;
} hints[] = {
    {"mapping values are not allowed in this context",
     "check the indentation, or put text that contains \": \" in quotes"},
    {"block sequence entries are not allowed in this context", "a list begins on a line of its own, indented"},
    {"did not find expected key", "this line is indented differently from the options above it"},
    {"did not find expected '-' indicator", "this line is indented differently from the items above it"},
    {"did not find expected node content",
     "a value or a closing bracket is missing; in { } and [ ], put text that begins with : in quotes"},
    {"could not find expected ':'", "an option is written NAME: VALUE"},
    {"found character that cannot start any token", "put text that begins with %, @, ` or a tab in quotes"},
    {"found unexpected end of stream", "a closing quote is missing"},
    {"did not find expected ',' or '}'", "a closing bracket or a comma is missing; in { } and [ ], put ${…} in quotes"},
    {"did not find expected ',' or ']'", "a closing bracket or a comma is missing; in { } and [ ], put ${…} in quotes"},
    {"found unknown escape character", "in \"double quotes\" write \\\\ for a backslash, or use 'single quotes'"},
};

/* Is there a tab in what the line begins with, or that of the line above? */
static bool has_tab(taut_str yaml, size_t line) {
    size_t at = 0;
    for (size_t l = 0; l <= line && at < yaml.len; l++) {
        for (size_t i = at; l + 1 >= line && i < yaml.len && (yaml.ptr[i] == ' ' || yaml.ptr[i] == '\t'); i++)
            if (yaml.ptr[i] == '\t') return true;
        const char *end = memchr(yaml.ptr + at, '\n', yaml.len - at);
        at = end ? (size_t)(end - yaml.ptr) + 1 : yaml.len;
    }
    return false;
}

static const char *hint_for(taut_str yaml, const char *problem, size_t line) {
    if (has_tab(yaml, line)) return "a tab cannot indent; use spaces";
    for (size_t i = 0; i < COUNT_OF(hints); i++)
        if (!strcmp(problem, hints[i].problem)) return hints[i].hint;
    return NULL;
}

/* Line and column, from 0, of a byte. */
static yaml_mark_t mark_of(taut_str yaml, size_t offset) {
    yaml_mark_t m = {0};
    for (size_t i = 0; i < offset && i < yaml.len; i++) {
        if (yaml.ptr[i] == '\n') m.line++, m.column = 0;
        else if (((unsigned char)yaml.ptr[i] & 0xc0) != 0x80) m.column++;
    }
    return m;
}

static void on_problem(struct reader *r, taut_str yaml, const yaml_parser_t *parser) {
    const char *problem = parser->problem ? parser->problem : "unreadable";
    if (parser->error == YAML_READER_ERROR) {
        yaml_mark_t mark = mark_of(yaml, parser->problem_offset);
        bool is_control = strstr(problem, "control characters") != NULL;
        REFUSE(r, &mark, "not valid YAML: %s; %s", problem,
               is_control ? "in \"double quotes\" they can be written like \\x1b" : "save the file as UTF-8");
        return;
    }
    const char *hint = hint_for(yaml, problem, parser->problem_mark.line);
    REFUSE(r, &parser->problem_mark, "not valid YAML: %s%s%s", problem, hint ? "; " : "", hint ? hint : "");
}

void yaml_read(struct config *c, taut_str yaml) {
    struct reader r = {.config = c};
    yaml_parser_t parser;
    if (yaml.len >= 3 && !memcmp(yaml.ptr, "\xef\xbb\xbf", 3))
        yaml = taut_str_n(yaml.ptr + 3, yaml.len - 3); /* a BOM */
    if (!yaml_parser_initialize(&parser)) panic("out of memory");
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)yaml.ptr, yaml.len);
    for (bool more = true; more && !r.failed;) {
        yaml_event_t e;
        if (!yaml_parser_parse(&parser, &e)) {
            on_problem(&r, yaml, &parser);
            break;
        }
        more = e.type != YAML_STREAM_END_EVENT;
        on_event(&r, &e);
        yaml_event_delete(&e);
    }
    yaml_parser_delete(&parser);
    if (r.failed) c->root = NULL;
}
