/* schema.c - see schema.h. Tables only grow: columns at their end, indexes beside them. What does not fit is refused
 * with a line that says what to do; nothing is ever dropped but an index whose declaration changed. */
#include "schema.h"

#include "fault.h"
#include "restore.h"

int32_t schema_refuse(struct conn *c, const char *text) {
    struct store *s = c->store;
    taut_log(s->mod, TAUT_LOG_ERROR, "store_schema", "%s: %s", s->path, text);
    snprintf(s->refusal, sizeof s->refusal, "%s: %s", s->path, text);
    return TAUT_E_INVAL;
}

int32_t schema_failed(struct conn *c, const char *what) {
    conn_log(c, "store_open", what);
    return TAUT_E_IO;
}

static bool is_name(const char *z) {
    if (!z || !*z) return false;
    return strspn(z, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(z);
}

static const char *type_name(uint32_t type) {
    return type == TAUT_INT ? "INTEGER" : type == TAUT_TEXT ? "TEXT" : type == TAUT_BLOB ? "BLOB" : NULL;
}

/* NULL when the declaration is sound. */
static const char *fault_of(const struct table *t) {
    if (!is_name(t->name)) return "its name is not of [a-z0-9_]";
    if (t->ncols == 0 || t->ncols > COLS_MAX) return "it has no column or more than 60";
    if (t->key_cols == 0 || t->key_cols > t->ncols) return "its key has no column or more than the table";
    for (uint32_t i = 0; i < t->ncols; i++)
        if (!is_name(table_col(t, i)->name) || !type_name(table_col(t, i)->type))
            return "a column has no type or a name that is not of [a-z0-9_]";
    for (uint32_t i = 0; i < t->nindex; i++) {
        const struct taut_index *x = table_index(t, i);
        if (!is_name(x->name) || x->ncols == 0 || x->ncols > 6)
            return "an index has no column, more than 6, or no name";
        for (uint32_t j = 0; j < x->ncols; j++)
            if (x->cols[j] >= t->ncols) return "an index names a column that is not there";
    }
    return NULL;
}

static int32_t check_declarations(struct conn *c) {
    for (uint32_t i = 0; i < c->store->ntables; i++) {
        const struct table *t = &c->store->tables[i];
        const char *fault = fault_of(t);
        if (!fault) continue;
        char text[256];
        snprintf(text, sizeof text, "table \"%.100s\" cannot be declared so: %s", t->name, fault);
        return schema_refuse(c, text);
    }
    return TAUT_OK;
}

static int create_table(struct conn *c, const struct table *t) {
    sqlite3_str *sql = sqlite3_str_new(c->db);
    sqlite3_str_appendf(sql, "CREATE TABLE \"%s\"(", t->name);
    for (uint32_t i = 0; i < t->ncols; i++)
        sqlite3_str_appendf(sql, "\"%s\" %s, ", table_col(t, i)->name, type_name(table_col(t, i)->type));
    sqlite3_str_appendall(sql, "PRIMARY KEY(");
    for (uint32_t i = 0; i < t->key_cols; i++)
        sqlite3_str_appendf(sql, "%s\"%s\"", i ? ", " : "", table_col(t, i)->name);
    sqlite3_str_appendall(sql, ")) WITHOUT ROWID");
    char *text = sqlite3_str_finish(sql);
    int rc = text ? db_exec(c->db, text) : SQLITE_NOMEM;
    sqlite3_free(text);
    return rc;
}

static int32_t add_columns(struct conn *c, const struct table *t, uint32_t have) {
    for (uint32_t i = have; i < t->ncols; i++) {
        char *sql = sqlite3_mprintf("ALTER TABLE \"%s\" ADD COLUMN \"%s\" %s", t->name, table_col(t, i)->name,
                                    type_name(table_col(t, i)->type));
        int rc = sql ? db_exec(c->db, sql) : SQLITE_NOMEM;
        sqlite3_free(sql);
        if (rc != SQLITE_OK) return schema_failed(c, "cannot add a column");
    }
    return TAUT_OK;
}

/* Compares the columns that are there with those declared; *have of them are. */
static int32_t compare_columns(struct conn *c, const struct table *t, uint32_t *have) {
    char text[512] = "";
    sqlite3_stmt *st = db_prepare(c->db, "SELECT name, type, pk FROM pragma_table_info(?1) ORDER BY cid");
    if (!st) return schema_failed(c, "cannot read the schema");
    sqlite3_bind_text(st, 1, t->name, -1, SQLITE_STATIC);
    *have = 0;
    while (!*text && sqlite3_step(st) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(st, 0), *type = (const char *)sqlite3_column_text(st, 1);
        uint32_t i = (*have)++, key_place = (uint32_t)sqlite3_column_int(st, 2);
        if (i >= t->ncols)
            snprintf(text, sizeof text,
                     "table \"%s\" has a column \"%.64s\" that this version does not know: run the newer version, or "
                     "choose another data directory",
                     t->name, name);
        else if (strcmp(name, table_col(t, i)->name) != 0 || strcmp(type, type_name(table_col(t, i)->type)) != 0 ||
                 key_place != (i < t->key_cols ? i + 1 : 0))
            snprintf(text, sizeof text,
                     "table \"%s\" has \"%.64s\" %.16s as column %u, not \"%s\" %s as declared: columns may only be "
                     "added at the end",
                     t->name, name, type, i + 1, table_col(t, i)->name, type_name(table_col(t, i)->type));
    }
    sqlite3_finalize(st);
    return *text ? schema_refuse(c, text) : TAUT_OK;
}

static char *index_sql(struct conn *c, const struct table *t, const struct taut_index *x) {
    sqlite3_str *sql = sqlite3_str_new(c->db);
    sqlite3_str_appendf(sql, "CREATE %sINDEX \"%s_%s\" ON \"%s\"(", x->flags & TAUT_INDEX_UNIQUE ? "UNIQUE " : "",
                        t->name, x->name, t->name);
    for (uint32_t i = 0; i < x->ncols; i++)
        sqlite3_str_appendf(sql, "%s\"%s\"", i ? ", " : "", table_col(t, x->cols[i])->name);
    sqlite3_str_appendall(sql, ")");
    if (x->flags & TAUT_INDEX_NOT_NULL)
        sqlite3_str_appendf(sql, " WHERE \"%s\" IS NOT NULL", table_col(t, x->cols[x->ncols - 1])->name);
    return sqlite3_str_finish(sql);
}

/* 1: there as declared; 0: not there; -1: there, but otherwise. */
static int index_state(struct conn *c, const char *name, const char *sql) {
    int state = 0;
    sqlite3_stmt *st = db_prepare(c->db, "SELECT sql=?2 FROM sqlite_schema WHERE type='index' AND name=?1");
    if (!st) return 0;
    sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 2, sql, -1, SQLITE_STATIC);
    if (sqlite3_step(st) == SQLITE_ROW) state = sqlite3_column_int(st, 0) ? 1 : -1;
    sqlite3_finalize(st);
    return state;
}

static int32_t open_index(struct conn *c, const struct table *t, const struct taut_index *x) {
    char *sql = index_sql(c, t, x), *name = sqlite3_mprintf("%s_%s", t->name, x->name);
    char *drop = sqlite3_mprintf("DROP INDEX \"%s_%s\"", t->name, x->name);
    int rc = sql && name && drop ? SQLITE_OK : SQLITE_NOMEM, state = 0;
    if (rc == SQLITE_OK) state = index_state(c, name, sql);
    if (rc == SQLITE_OK && state < 0) rc = db_exec(c->db, drop);
    if (rc == SQLITE_OK && state <= 0) rc = db_exec(c->db, sql);
    int32_t err = TAUT_OK;
    if ((rc & 0xff) == SQLITE_CONSTRAINT) {
        char text[512];
        snprintf(text, sizeof text,
                 "the new unique index \"%s\" does not fit the rows of table \"%s\": two have the same", name, t->name);
        err = schema_refuse(c, text);
    } else if (rc != SQLITE_OK) err = schema_failed(c, "cannot create an index");
    sqlite3_free(sql);
    sqlite3_free(name);
    sqlite3_free(drop);
    return err;
}

static int32_t open_table(struct conn *c, const struct table *t) {
    uint32_t have;
    TAUT_TRY(compare_columns(c, t, &have));
    if (have == 0 && create_table(c, t) != SQLITE_OK) return schema_failed(c, "cannot create a table");
    if (have > 0) TAUT_TRY(add_columns(c, t, have));
    for (uint32_t i = 0; i < t->nindex; i++) TAUT_TRY(open_index(c, t, table_index(t, i)));
    return TAUT_OK;
}

static int32_t open_tables(struct conn *c) {
    for (uint32_t i = 0; i < c->store->ntables; i++) TAUT_TRY(open_table(c, &c->store->tables[i]));
    return TAUT_OK;
}

int32_t schema_in_transaction(struct conn *c, int32_t (*work)(struct conn *c)) {
    if (db_exec(c->db, "BEGIN IMMEDIATE") != SQLITE_OK) return schema_failed(c, "cannot lock the database");
    int32_t err = work(c);
    if (err == TAUT_OK) crash_point(&c->store->faults, CRASH_IN_MIGRATION);
    if (err == TAUT_OK && db_exec(c->db, "COMMIT") != SQLITE_OK) err = schema_failed(c, "cannot write the schema");
    if (!sqlite3_get_autocommit(c->db)) db_exec(c->db, "ROLLBACK");
    return err;
}

int32_t schema_open(struct conn *c, unsigned char claim_key[CLAIM_KEY_LEN]) {
    TAUT_TRY(check_declarations(c));
    TAUT_TRY(format_open(c));
    TAUT_TRY(restore_begin_logs(c));
    TAUT_TRY(schema_in_transaction(c, open_tables));
    return format_claim_key(c, claim_key);
}
