/* rows.c - the rows that a script begins with: held against the tables of the modules that are loaded, and made a batch
 * that the store writes when it is opened. */
#include "modtest.h"
#include "store.h"

/* "hello_greetings", or "greetings" of the module under test. */
static const struct taut_table_ref *find_table(const struct world *w, taut_str name) {
    const struct modules *ms = w->modules;
    for (uint32_t i = 0; i < ms->ntables; i++)
        if (taut_str_is(name, ms->tables[i].sql_name)) return &ms->tables[i];
    for (uint32_t i = 0; i < w->module->ntables; i++)
        if (taut_str_is(name, ms->tables[w->module->first_table + i].table->name))
            return &ms->tables[w->module->first_table + i];
    return NULL;
}

static void no_table(const struct world *w, struct config *c, const struct node *rows) {
    const struct modules *ms = w->modules;
    uint32_t n = 0;
    const char **names = arena_alloc(&c->arena, (2 * ms->ntables + 1) * sizeof *names);
    for (uint32_t i = 0; i < w->module->ntables; i++) names[n++] = ms->tables[w->module->first_table + i].table->name;
    for (uint32_t i = 0; i < ms->ntables; i++) names[n++] = ms->tables[i].sql_name;
    const char *near = nearest(rows->key, names, n);
    config_error(c, rows, NULL, "there is no table \"%s\"%s%s%s", rows->key.ptr, near ? "; did you mean \"" : "",
                 near ? near : "", near ? "\"?" : "");
}

/* False: it does not fit its column. */
static bool read_value(const struct node *n, uint32_t type, struct taut_val *v) {
    char *end;
    if (n->kind != NODE_SCALAR) return false;
    bool is_null = !n->quoted && (!n->text.len || taut_str_is(n->text, "null"));
    *v = is_null ? taut_v_null() : type == TAUT_BLOB ? taut_v_blob(n->text) : taut_v_str(n->text);
    if (is_null || type != TAUT_INT) return true;
    *v = taut_v_int(strtoll(n->text.ptr, &end, 10));
    return n->text.len && !*end;
}

static void read_row(struct world *w, struct config *c, const struct taut_table_ref *t, const struct node *row,
                     struct taut_write *write) {
    static const char *const types[] = {"", "a whole number", "text", "text"};
    uint32_t cols = t->table->cols.len, n = 0;
    struct taut_val *vals = arena_zalloc(&w->arena, (cols + 1) * sizeof *vals);
    for (const struct node *i = row->first; i; i = i->next, n++) {
        if (n == cols) {
            config_error(c, i, NULL, "table \"%s\" has only %u columns", t->sql_name, cols);
            return;
        }
        const struct taut_col *col = TAUT_AT(t->table->cols, struct taut_col, n);
        if (!read_value(i, col->type, &vals[n]))
            config_error(c, i, NULL, "column \"%s\" of table \"%s\" takes %s", col->name, t->sql_name,
                         types[col->type & 3]);
    }
    if (n < t->table->key_cols)
        config_error(c, row, NULL, "the key of table \"%s\" has %u columns", t->sql_name, t->table->key_cols);
    *write = (struct taut_write){.table = t->id, .kind = TAUT_W_INSERT, .vals = vals, .nvals = n};
}

static uint32_t count_rows(const struct node *tables) {
    uint32_t n = 0;
    for (const struct node *t = tables->first; t; t = t->next)
        for (const struct node *r = t->first; r; r = r->next) n++;
    return n;
}

void rows_read(struct world *w, struct config *c) {
    const struct node *tables = w->script->rows;
    if (!tables) return;
    struct taut_write *writes = arena_zalloc(&w->arena, (count_rows(tables) + 1) * sizeof *writes);
    uint32_t n = 0;
    for (const struct node *t = tables->first; t; t = t->next) {
        const struct taut_table_ref *ref = find_table(w, t->key);
        if (!ref) no_table(w, c, t);
        for (const struct node *r = t->first; ref && r; r = r->next) read_row(w, c, ref, r, &writes[n++]);
    }
    w->rows = (struct taut_batch_view){.size = sizeof w->rows, .writes = {writes, n, sizeof *writes}};
}
