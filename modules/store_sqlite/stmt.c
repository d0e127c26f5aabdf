/* stmt.c - the cache of prepared statements, and the SQL of each kind. Declared names are [a-z0-9_]+ (schema.c checks);
 * they stand in double quotes because some are words of SQL. */
#include "db.h"

enum { SLOTS_MIN = 64, STMTS_MAX = 512 };

/* The bits of a scan's signature. */
enum { SCAN_LO = 1, SCAN_LO_OPEN = 2, SCAN_HI = 4, SCAN_HI_OPEN = 8, SCAN_DESC = 16, SCAN_COUNT = 32 };
/* Places in stmt_key.arg of a scan; one byte for each prefix column follows: 1 when it is to be NULL. */
enum { SCAN_ARG_INDEX, SCAN_ARG_BITS, SCAN_ARG_PREFIX };

static size_t key_size(const struct stmt_key *k) {
    return offsetof(struct stmt_key, arg) + k->n;
}

static uint32_t key_hash(const struct stmt_key *k) {
    const unsigned char *p = (const unsigned char *)k;
    uint32_t h = 2166136261u;
    for (size_t i = 0, n = key_size(k); i < n; i++) h = (h ^ p[i]) * 16777619u;
    return h ^ h >> 15;
}

static void columns(sqlite3_str *sql, const struct table *t) {
    for (uint32_t i = 0; i < t->ncols; i++) sqlite3_str_appendf(sql, "%s\"%s\"", i ? "," : "", table_col(t, i)->name);
}

static void where_key(sqlite3_str *sql, const struct table *t, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        sqlite3_str_appendf(sql, "%s\"%s\"=?%u", i ? " AND " : " WHERE ", table_col(t, i)->name, i + 1);
}

static void insert_sql(sqlite3_str *sql, const struct table *t, bool upsert) {
    bool first = true;
    sqlite3_str_appendf(sql, "INSERT INTO \"%s\"(", t->name);
    columns(sql, t);
    sqlite3_str_appendall(sql, ") VALUES(");
    for (uint32_t i = 0; i < t->ncols; i++) sqlite3_str_appendf(sql, "%s?%u", i ? "," : "", i + 1);
    sqlite3_str_appendall(sql, ")");
    if (!upsert) return;
    sqlite3_str_appendall(sql, " ON CONFLICT(");
    for (uint32_t i = 0; i < t->key_cols; i++)
        sqlite3_str_appendf(sql, "%s\"%s\"", i ? "," : "", table_col(t, i)->name);
    sqlite3_str_appendall(sql, t->key_cols < t->ncols ? ") DO UPDATE SET " : ") DO NOTHING");
    for (uint32_t i = t->key_cols; i < t->ncols; i++, first = false)
        sqlite3_str_appendf(sql, "%s\"%s\"=excluded.\"%s\"", first ? "" : ",", table_col(t, i)->name,
                            table_col(t, i)->name);
}

static void update_sql(sqlite3_str *sql, const struct table *t, const struct stmt_key *k) {
    sqlite3_str_appendf(sql, "UPDATE \"%s\" SET ", t->name);
    for (uint32_t i = 0; i < k->n; i++) {
        const char *col = table_col(t, k->arg[i] & 63u)->name;
        uint32_t param = t->key_cols + i + 1;
        if (i) sqlite3_str_appendall(sql, ",");
        switch (k->arg[i] >> 6) {
        case TAUT_ADD: sqlite3_str_appendf(sql, "\"%s\"=ifnull(\"%s\",0)+?%u", col, col, param); break;
        case TAUT_MAX: sqlite3_str_appendf(sql, "\"%s\"=max(ifnull(\"%s\",?%u),?%u)", col, col, param, param); break;
        default: sqlite3_str_appendf(sql, "\"%s\"=?%u", col, param);
        }
    }
    where_key(sql, t, t->key_cols);
}

static void unique_sql(sqlite3_str *sql, const struct table *t, uint32_t index) {
    const struct taut_index *x = table_index(t, index);
    sqlite3_str_appendf(sql, "SELECT 1 FROM \"%s\"", t->name);
    for (uint32_t i = 0; i < x->ncols; i++)
        sqlite3_str_appendf(sql, "%s\"%s\"=?%u", i ? " AND " : " WHERE ", table_col(t, x->cols[i])->name, i + 1);
}

/* Column i of the scanned order: the index's own, then the key's. NULL past the end. */
static const char *scan_column(const struct table *t, const struct taut_index *x, uint32_t i) {
    if (x && i < x->ncols) return table_col(t, x->cols[i])->name;
    if (x) i -= x->ncols;
    return i < t->key_cols ? table_col(t, i)->name : NULL;
}

static void scan_where(sqlite3_str *sql, const struct table *t, const struct taut_index *x, const struct stmt_key *k) {
    uint32_t bits = k->arg[SCAN_ARG_BITS], prefix = (uint32_t)k->n - SCAN_ARG_PREFIX, param = 1;
    const char *and = " WHERE ";
    for (uint32_t i = 0; i < prefix; i++, and = " AND ")
        sqlite3_str_appendf(sql, "%s\"%s\" %s ?%u", and, scan_column(t, x, i), k->arg[SCAN_ARG_PREFIX + i] ? "IS" : "=",
                            param++);
    if (bits & SCAN_LO) {
        sqlite3_str_appendf(sql, "%s\"%s\">%s?%u", and, scan_column(t, x, prefix), bits & SCAN_LO_OPEN ? "" : "=",
                            param++);
        and = " AND ";
    }
    if (bits & SCAN_HI) {
        sqlite3_str_appendf(sql, "%s\"%s\"<%s?%u", and, scan_column(t, x, prefix), bits & SCAN_HI_OPEN ? "" : "=",
                            param++);
        and = " AND ";
    }
    if (x && x->flags & TAUT_INDEX_NOT_NULL)
        sqlite3_str_appendf(sql, "%s\"%s\" IS NOT NULL", and, table_col(t, x->cols[x->ncols - 1])->name);
}

/* Parameters: the prefix, lo, hi, limit, offset, as many of them as there are. */
static void scan_sql(sqlite3_str *sql, const struct table *t, const struct stmt_key *k) {
    const struct taut_index *x = k->arg[SCAN_ARG_INDEX] ? table_index(t, k->arg[SCAN_ARG_INDEX] - 1u) : NULL;
    uint32_t bits = k->arg[SCAN_ARG_BITS], total = (x ? x->ncols : 0) + t->key_cols;
    sqlite3_str_appendall(sql, "SELECT ");
    if (bits & SCAN_COUNT) sqlite3_str_appendall(sql, "count(*)");
    else columns(sql, t);
    sqlite3_str_appendf(sql, " FROM \"%s\"", t->name);
    if (x) sqlite3_str_appendf(sql, " INDEXED BY \"%s_%s\"", t->name, x->name);
    scan_where(sql, t, x, k);
    if (bits & SCAN_COUNT) return;
    sqlite3_str_appendall(sql, " ORDER BY ");
    for (uint32_t i = 0; i < total; i++)
        sqlite3_str_appendf(sql, "%s\"%s\"%s", i ? "," : "", scan_column(t, x, i), bits & SCAN_DESC ? " DESC" : "");
    sqlite3_str_appendall(sql, " LIMIT ? OFFSET ?");
}

static void build(sqlite3_str *sql, const struct table *t, const struct stmt_key *k) {
    switch ((enum stmt_kind)k->kind) {
    case STMT_INSERT: insert_sql(sql, t, false); break;
    case STMT_UPSERT: insert_sql(sql, t, true); break;
    case STMT_UPDATE: update_sql(sql, t, k); break;
    case STMT_UNIQUE: unique_sql(sql, t, k->arg[0]); break;
    case STMT_SCAN: scan_sql(sql, t, k); break;
    case STMT_DELETE:
        sqlite3_str_appendf(sql, "DELETE FROM \"%s\"", t->name);
        where_key(sql, t, k->arg[0]);
        break;
    case STMT_EXISTS:
        sqlite3_str_appendf(sql, "SELECT 1 FROM \"%s\"", t->name);
        where_key(sql, t, t->key_cols);
        break;
    case STMT_COLUMN:
        sqlite3_str_appendf(sql, "SELECT \"%s\" FROM \"%s\"", table_col(t, k->arg[0])->name, t->name);
        where_key(sql, t, t->key_cols);
        break;
    case STMT_GET:
        sqlite3_str_appendall(sql, "SELECT ");
        columns(sql, t);
        sqlite3_str_appendf(sql, " FROM \"%s\"", t->name);
        where_key(sql, t, t->key_cols);
        break;
    }
}

void stmt_clear(struct conn *c) {
    for (uint32_t i = 0; i < c->cap; i++) sqlite3_finalize(c->slots[i].stmt);
    if (c->slots) memset(c->slots, 0, c->cap * sizeof *c->slots);
    c->nslots = 0;
}

/* The slot of that key: its own, or the free one where it belongs. */
static struct stmt_slot *find(struct stmt_slot *slots, uint32_t cap, const struct stmt_key *k) {
    uint32_t i = key_hash(k) & (cap - 1);
    size_t n = key_size(k);
    while (slots[i].stmt && memcmp(&slots[i].key, k, n) != 0) i = (i + 1) & (cap - 1);
    return &slots[i];
}

static bool grow(struct conn *c) {
    uint32_t cap = c->cap ? c->cap * 2 : SLOTS_MIN;
    struct stmt_slot *slots = calloc(cap, sizeof *slots);
    if (!slots) return false;
    for (uint32_t i = 0; i < c->cap; i++)
        if (c->slots[i].stmt) *find(slots, cap, &c->slots[i].key) = c->slots[i];
    free(c->slots);
    c->slots = slots;
    c->cap = cap;
    return true;
}

static sqlite3_stmt *prepare(struct conn *c, const struct stmt_key *k) {
    sqlite3_str *sql = sqlite3_str_new(c->db);
    build(sql, &c->store->tables[k->table], k);
    char *text = sqlite3_str_finish(sql);
    sqlite3_stmt *st = text ? db_prepare(c->db, text) : NULL;
    sqlite3_free(text);
    return st;
}

sqlite3_stmt *stmt_for(struct conn *c, const struct stmt_key *k) {
    if (c->cap) {
        struct stmt_slot *slot = find(c->slots, c->cap, k);
        if (slot->stmt) return slot->stmt;
    }
    if (c->nslots >= STMTS_MAX) stmt_clear(c);
    if (c->nslots * 2 >= c->cap && !grow(c)) return NULL;
    sqlite3_stmt *st = prepare(c, k);
    if (!st) return NULL;
    struct stmt_slot *slot = find(c->slots, c->cap, k);
    slot->key = *k;
    slot->stmt = st;
    c->nslots++;
    return st;
}

sqlite3_stmt *stmt_scan(struct conn *c, uint32_t table, const struct taut_scan *s) {
    struct stmt_key k = {(uint16_t)table, STMT_SCAN, (uint8_t)(SCAN_ARG_PREFIX + s->nprefix), {0}};
    uint32_t bits = 0;
    int at = 1;
    if (s->lo.type) bits |= SCAN_LO | (s->lo_open ? SCAN_LO_OPEN : 0);
    if (s->hi.type) bits |= SCAN_HI | (s->hi_open ? SCAN_HI_OPEN : 0);
    if (s->count_only) bits |= SCAN_COUNT;
    else if (s->descending) bits |= SCAN_DESC;
    k.arg[SCAN_ARG_INDEX] = (uint8_t)(s->index + 1);
    k.arg[SCAN_ARG_BITS] = (uint8_t)bits;
    for (uint32_t i = 0; i < s->nprefix; i++) k.arg[SCAN_ARG_PREFIX + i] = s->prefix[i].type == TAUT_NULL;
    sqlite3_stmt *st = stmt_for(c, &k);
    if (!st) return NULL;
    for (uint32_t i = 0; i < s->nprefix; i++) bind_val(st, at++, &s->prefix[i], 0);
    if (s->lo.type) bind_val(st, at++, &s->lo, 0);
    if (s->hi.type) bind_val(st, at++, &s->hi, 0);
    if (s->count_only) return st;
    sqlite3_bind_int64(st, at++, (int64_t)s->limit + 1);
    sqlite3_bind_int64(st, at, s->offset);
    return st;
}
