/* table.h - tables that a module declares, their rows, reads inside a call, and batches of writes.
 *
 * A module declares tables; the storage provider creates them as real SQL tables named <module>_<table>. A table is
 * private to the module that declared it: others go through a service of that module.
 *
 * Thread: hub; the pure functions any. Since 1.0.
 */
#ifndef TAUT_TABLE_H
#define TAUT_TABLE_H

#include "taut/call.h"

enum { TAUT_NULL = 0, TAUT_INT = 1, TAUT_TEXT = 2, TAUT_BLOB = 3, TAUT_SEQ = 4 };

/* A value. INT: u.i. TEXT and BLOB: u.p with len. SEQ, in writes only: the seq that the store gives to the batch's
 * event number u.i, stored as an INT. Frozen. */
struct taut_val {
    uint32_t type;
    uint32_t len;
    union {
        int64_t i;
        const char *p;
    } u;
};

/* Values. Those of texts and blobs point to what they were made of, up to 4 GiB. */
static inline struct taut_val taut_v_null(void) {
    struct taut_val v = {TAUT_NULL, 0, {0}};
    return v;
}
static inline struct taut_val taut_v_int(int64_t i) {
    struct taut_val v = {TAUT_INT, 0, {0}};
    v.u.i = i;
    return v;
}
static inline struct taut_val taut_v_str(taut_str s) {
    struct taut_val v = {TAUT_TEXT, (uint32_t)s.len, {0}};
    v.u.p = s.ptr;
    return v;
}
static inline struct taut_val taut_v_blob(taut_str s) {
    struct taut_val v = {TAUT_BLOB, (uint32_t)s.len, {0}};
    v.u.p = s.ptr;
    return v;
}
/* NULL for an empty string, TEXT otherwise. */
static inline struct taut_val taut_v_opt(taut_str s) {
    return s.len ? taut_v_str(s) : taut_v_null();
}
static inline struct taut_val taut_v_seq(uint32_t event) {
    struct taut_val v = {TAUT_SEQ, 0, {0}};
    v.u.i = event;
    return v;
}

/* ---- declarations ---- */

struct taut_col {
    const char *name;
    uint32_t type; /* TAUT_INT, TAUT_TEXT or TAUT_BLOB; any column outside the key may be NULL */
    uint32_t flags;
};

enum {
    TAUT_INDEX_UNIQUE = 1,
    TAUT_INDEX_NOT_NULL = 2 /* rows in which the last column of the index is NULL are left out */
};

struct taut_index {
    const char *name;
    uint32_t flags;
    uint32_t ncols;
    uint32_t cols[6]; /* column numbers, in order */
};

struct taut_table {
    uint32_t size;
    uint32_t key_cols;       /* the first key_cols columns are the primary key, in order: at most 1,024 bytes */
    const char *name;        /* lower case, [a-z0-9_]+ */
    struct taut_array cols;  /* of struct taut_col; columns may be added at the end in a later version */
    struct taut_array index; /* of struct taut_index; may be empty */
};

/* ---- rows ---- */

/* A row as it was at one moment: immutable. vals has one value a declared column. Valid until its call ends. Frozen. */
struct taut_row {
    uint32_t ncols;
    uint32_t reserved;
    uint64_t as_of; /* the commit number of the snapshot in which it was read */
    const struct taut_val *vals;
};

/* A column of a row: 0, or "", when it is NULL, of another type, or not there. What a string points to lives as long as
 * the row. */
static inline int64_t taut_row_int(const struct taut_row *r, uint32_t col) {
    return col < r->ncols && r->vals[col].type == TAUT_INT ? r->vals[col].u.i : 0;
}
static inline taut_str taut_row_str(const struct taut_row *r, uint32_t col) {
    taut_str s = {"", 0};
    if (col < r->ncols && (r->vals[col].type == TAUT_TEXT || r->vals[col].type == TAUT_BLOB)) {
        s.ptr = r->vals[col].u.p;
        s.len = r->vals[col].len;
    }
    return s;
}
static inline int taut_row_null(const struct taut_row *r, uint32_t col) {
    return col >= r->ncols || r->vals[col].type == TAUT_NULL;
}

struct taut_rows {
    uint32_t size;
    uint32_t n;
    uint32_t more; /* 1 when the limit cut the answer */
    uint32_t reserved;
    uint64_t count; /* with count_only: how many rows; else n */
    uint64_t as_of; /* commit number of the snapshot */
    uint64_t seq;   /* the workspace's last seq in the snapshot (of scan.workspace; 0 when that was empty) */
    const struct taut_row *rows;
};

enum { TAUT_SCAN_PRIMARY = -1 };

/* Which rows: those whose first nprefix columns (of the primary key, or of the index) equal `prefix` and whose next
 * column lies between lo and hi. */
struct taut_scan {
    uint32_t size;
    int32_t index; /* TAUT_SCAN_PRIMARY or the number of a declared index */
    uint32_t nprefix;
    uint32_t reserved;
    const struct taut_val *prefix;
    struct taut_val lo, hi;   /* TAUT_NULL: unbounded */
    uint8_t lo_open, hi_open; /* 1: the bound itself is left out */
    uint8_t descending;
    uint8_t count_only;
    uint32_t limit; /* 1 … 10,000 */
    uint32_t offset;
    taut_str workspace; /* to have the log position of the snapshot (rows.seq) */
};

#define TAUT_VALS(...)          \
    (const struct taut_val[]) { \
        __VA_ARGS__             \
    }
#define TAUT_NVALS(...) (uint32_t)(sizeof((const struct taut_val[]){__VA_ARGS__}) / sizeof(struct taut_val))
/* A key as the two arguments (values, count) of the calls below. C only. */
#define TAUT_KEY(...) TAUT_VALS(__VA_ARGS__), TAUT_NVALS(__VA_ARGS__)

/* ---- batches ---- */

enum { TAUT_COND_ABSENT = 1, TAUT_COND_PRESENT = 2, TAUT_COND_EQUALS = 3 };
enum { TAUT_SET = 1, TAUT_ADD = 2, TAUT_MAX = 3 };

/* One column of an update. ADD and MAX commute and never conflict. Frozen. */
struct taut_set {
    uint32_t col;
    uint32_t how;
    struct taut_val val;
};

/* ---- reads inside a call ---- */

/* The row of that key, or NULL in *row when there is none. Errors: TAUT_E_AGAIN (return it), TAUT_E_INVAL (not a table
 * or a key of this module), TAUT_E_UNAVAILABLE. */
static inline int32_t taut_get(struct taut_mod *m, struct taut_call *c, const struct taut_table *t,
                               const struct taut_val *key, uint32_t nkey, const struct taut_row **row) {
    return m->host->get(m, c, t, key, nkey, row);
}
/* Rows in order. Errors as taut_get. */
static inline int32_t taut_scan(struct taut_mod *m, struct taut_call *c, const struct taut_table *t,
                                const struct taut_scan *s, const struct taut_rows **rows) {
    return m->host->scan(m, c, t, s, rows);
}

/* ---- the batch of a call ---- */

/* The call's batch, empty at each run. It copies what it is given. Its workspace is the actor's. */
static inline struct taut_batch *taut_batch(struct taut_call *c) {
    return c->mod->host->batch(c);
}
/* For OPERATOR and SYSTEM calls: whose log the events go to. Before the first taut_append. */
static inline void taut_batch_workspace(struct taut_mod *m, struct taut_batch *b, taut_str workspace) {
    m->host->batch_workspace(b, workspace);
}
/* Bulk work: goes behind what people wait for. */
static inline void taut_background(struct taut_mod *m, struct taut_batch *b) {
    m->host->background(b);
}

/* Conditions: all of them are checked before anything is written. */
static inline void taut_expect_absent(struct taut_mod *m, struct taut_batch *b, const struct taut_table *t,
                                      const struct taut_val *key, uint32_t nkey) {
    m->host->expect(b, m, t, key, nkey, TAUT_COND_ABSENT, 0, NULL);
}
static inline void taut_expect_present(struct taut_mod *m, struct taut_batch *b, const struct taut_table *t,
                                       const struct taut_val *key, uint32_t nkey) {
    m->host->expect(b, m, t, key, nkey, TAUT_COND_PRESENT, 0, NULL);
}
/* The row is there and its column equals v. */
static inline void taut_expect_equals(struct taut_mod *m, struct taut_batch *b, const struct taut_table *t,
                                      const struct taut_val *key, uint32_t nkey, uint32_t col, struct taut_val v) {
    m->host->expect(b, m, t, key, nkey, TAUT_COND_EQUALS, col, &v);
}
/* A new row: all columns, or the first n (the rest NULL). A conflict when the key, or a unique index, has one already.
 */
static inline void taut_insert(struct taut_mod *m, struct taut_batch *b, const struct taut_table *t,
                               const struct taut_val *vals, uint32_t n) {
    m->host->insert(b, m, t, vals, n, 0);
}
/* The same, or in place of the row that is there. */
static inline void taut_upsert(struct taut_mod *m, struct taut_batch *b, const struct taut_table *t,
                               const struct taut_val *vals, uint32_t n) {
    m->host->insert(b, m, t, vals, n, 1);
}
/* Changes columns outside the key, each at most once. A row that is not there is left so: add a condition where that
 * matters. */
static inline void taut_update(struct taut_mod *m, struct taut_batch *b, const struct taut_table *t,
                               const struct taut_val *key, uint32_t nkey, const struct taut_set *sets, uint32_t nsets) {
    m->host->update(b, m, t, key, nkey, sets, nsets);
}
/* Deletes the rows whose first nkey key columns are these: one row, or a range. */
static inline void taut_delete(struct taut_mod *m, struct taut_batch *b, const struct taut_table *t,
                               const struct taut_val *key, uint32_t nkey) {
    m->host->remove(b, m, t, key, nkey);
}
/* Claims `key` (within the workspace) for 24 h. When it was claimed before, nothing is written and the handler runs
 * again with c->claimed set to the earlier value. At most one a batch; a batch with a claim has an event. */
static inline void taut_claim(struct taut_mod *m, struct taut_batch *b, taut_str key, taut_str value) {
    m->host->claim(b, key, value);
}

/* Submits the batch; the answer leaves when it is on disk. A batch with nothing in it but conditions answers at once.
 * To be returned by the handler. Errors: TAUT_E_INVAL: something in it is wrong (logged); a handler may then still
 * answer otherwise, a call that was held has ended by that (internal_error), and is not to be used any more. */
static inline int32_t taut_commit(struct taut_call *c, struct taut_batch *b) {
    return c->mod->host->commit(c, b);
}

#endif
