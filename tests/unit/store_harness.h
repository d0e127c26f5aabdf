/* store_harness.h - the built store module, opened on a fresh file for each test, and short ways to write batches and
 * read rows. The table: notes(ws, id | text, num, tag, data). */
#ifndef TESTS_STORE_HARNESS_H
#define TESTS_STORE_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "store_host.h"

/* ---- the store under test ---- */

static const struct taut_col note_cols[] = {{"ws", TAUT_TEXT, 0},  {"id", TAUT_INT, 0},   {"text", TAUT_TEXT, 0},
                                            {"num", TAUT_INT, 0},  {"tag", TAUT_TEXT, 0}, {"data", TAUT_BLOB, 0},
                                            {"later", TAUT_INT, 0}};
static const struct taut_index note_index[] = {
    {"by_num", 0, 1, {3}}, {"by_tag", TAUT_INDEX_UNIQUE | TAUT_INDEX_NOT_NULL, 2, {0, 4}}, {"by_text", 0, 1, {2}}};
enum { WS, ID, TEXT, NUM, TAG, DATA, LATER };
enum { BY_NUM, BY_TAG };

/* The first version of the table, and a later one with one more column and one more index. */
static const struct taut_table notes = {
    sizeof notes, 2, "notes", {note_cols, 6, sizeof note_cols[0]}, {note_index, 2, sizeof note_index[0]}};
static const struct taut_table notes_later = {
    sizeof notes, 2, "notes", {note_cols, 7, sizeof note_cols[0]}, {note_index, 3, sizeof note_index[0]}};

struct config { /* laid out by the module's own option table */
    char bytes[256];
};
static struct {
    void *dl;
    const struct taut_module *def;
    struct taut_mod mod;
    struct config config;
    char dir[64], path[96];
} t;

static inline void set_option(const char *name, int64_t n) {
    for (uint32_t i = 0; i < t.def->options.len; i++) {
        const struct taut_opt *o = TAUT_AT(t.def->options, struct taut_opt, i);
        if (strcmp(o->name, name) == 0) memcpy(t.config.bytes + o->offset, &n, sizeof n);
    }
}
static inline void set_path(void) {
    for (uint32_t i = 0; i < t.def->options.len; i++) {
        const struct taut_opt *o = TAUT_AT(t.def->options, struct taut_opt, i);
        taut_str path = taut_str_z(t.path);
        if (o->type == TAUT_OPT_PATH) memcpy(t.config.bytes + o->offset, &path, sizeof path);
    }
}

static inline taut_op start_opening(const struct taut_table *table) {
    static struct taut_table_ref ref;
    ref = (struct taut_table_ref){0, 0, "test_notes", table};
    host.ndurable = 0;
    host.log[0] = host.lines[0] = 0;
    t.mod = (struct taut_mod){sizeof t.mod, 0, &host_table, &t.config, NULL, "store_sqlite"};
    assert_int_equal(t.def->init(&t.mod), TAUT_OK);
    taut_op op = host_op();
    host.storage->open(host.self, &ref, 1, op);
    return op;
}
static inline int32_t open_with(const struct taut_table *table) {
    return host_status(start_opening(table));
}
static inline void close_store(void) {
    taut_op op = host_op();
    host.storage->close(host.self, op);
    assert_int_equal(host_status(op), TAUT_OK);
    t.def->fini(&t.mod);
}
static inline void reopen(void) {
    close_store();
    assert_int_equal(open_with(&notes), TAUT_OK);
}

static inline int setup(void **state) {
    (void)state;
    const char *tmp = getenv("TMPDIR");
    snprintf(t.dir, sizeof t.dir, "%.40s/taut-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(t.dir));
    snprintf(t.path, sizeof t.path, "%s/taut.db", t.dir);
    set_option("sync", 2);
    set_option("page_cache", 1 << 20);
    set_option("wal_limit", 64 << 20);
    set_option("claims", 1000);
    set_option("readers", 2);
    set_path();
    host.clock_shift_us = 0;
    return open_with(&notes) == TAUT_OK ? 0 : -1;
}
static inline void remove_files(void) {
    static const char *const ends[] = {"", "-wal", "-shm"};
    char path[128];
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s", t.path, ends[i]);
        unlink(path);
    }
    rmdir(t.dir);
}
static inline int teardown(void **state) {
    (void)state;
    close_store();
    remove_files();
    return 0;
}

/* Runs SQL beside the store. */
static inline void sql(const char *text) {
    sqlite3 *db;
    char *why = NULL;
    assert_int_equal(sqlite3_open(t.path, &db), SQLITE_OK);
    if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK) fail_msg("%s: %s", text, why);
    sqlite3_close(db);
}

/* ---- batches ---- */

#define S(z) taut_v_str(taut_str_z(z))
#define I(n) taut_v_int(n)
#define NIL taut_v_null()
#define KEY(id) TAUT_VALS(S("T1"), I(id))
#define CONDS(...) .conds = LIST(struct taut_cond, __VA_ARGS__)
#define WRITES(...) .writes = LIST(struct taut_write, __VA_ARGS__)
#define EVENTS(...) .events = LIST(struct taut_event_rec, __VA_ARGS__)
#define LIST(type, ...) \
    { (type[]){__VA_ARGS__}, sizeof((type[]){__VA_ARGS__}) / sizeof(type), sizeof(type) }
#define INSERT(...) \
    { .kind = TAUT_W_INSERT, .vals = TAUT_VALS(__VA_ARGS__), .nvals = TAUT_NVALS(__VA_ARGS__) }
#define UPSERT(...) \
    { .kind = TAUT_W_UPSERT, .vals = TAUT_VALS(__VA_ARGS__), .nvals = TAUT_NVALS(__VA_ARGS__) }
#define NOTE(id, text) INSERT(S("T1"), I(id), S(text))
#define UPDATE(id, ...)                                                                               \
    {                                                                                                 \
        .kind = TAUT_W_UPDATE, .vals = KEY(id), .nvals = 2, .sets = (struct taut_set[]){__VA_ARGS__}, \
        .nsets = sizeof((struct taut_set[]){__VA_ARGS__}) / sizeof(struct taut_set)                   \
    }
#define DELETE(...) \
    { .kind = TAUT_W_DELETE, .vals = TAUT_VALS(__VA_ARGS__), .nvals = TAUT_NVALS(__VA_ARGS__) }
#define EVENT(b) \
    { .topics = TAUT_LIT("C1"), .body = TAUT_LIT(b) }
#define COND(h, id) \
    { .how = (h), .key = KEY(id), .nkey = 2 }
#define EQUALS(id, c, v) \
    { .how = TAUT_COND_EQUALS, .key = KEY(id), .nkey = 2, .col = (c), .val = v }
#define BATCH_OF(ws, ...) \
    (&(struct taut_batch_view){.size = sizeof(struct taut_batch_view), .workspace = TAUT_LIT(ws), __VA_ARGS__})
#define BATCH(...) BATCH_OF("T1", __VA_ARGS__)
#define CLAIM(k, v) .claim_key = TAUT_LIT(k), .claim_value = TAUT_LIT(v)

static inline taut_op submit(const struct taut_batch_view *b) {
    taut_op op = host_op();
    host.storage->commit(host.self, b, op);
    return op;
}
static inline int32_t commit(const struct taut_batch_view *b, struct taut_commit_result *out) {
    struct host_slot s = host_wait(submit(b));
    if (out) memset(out, 0, sizeof *out);
    if (out && s.result) *out = *(struct taut_commit_result *)s.result;
    if (out) out->claim_value = out->why = taut_str_z("");
    host_release(&s);
    return s.status;
}
#define OK(...) assert_int_equal(commit(BATCH(__VA_ARGS__), NULL), TAUT_OK)

/* Holds the writer back so that what is submitted meanwhile is one group: a connection beside it has no way in, so a
 * large batch goes first. */
static struct taut_write slow_writes[3000];
static struct taut_val slow_vals[3000][3];
static inline taut_op hold_writer(void) {
    static struct taut_batch_view b;
    for (int i = 0; i < 3000; i++) {
        slow_vals[i][0] = S("hold");
        slow_vals[i][1] = I(i);
        slow_vals[i][2] = S("x");
        slow_writes[i] = (struct taut_write){.kind = TAUT_W_UPSERT, .vals = slow_vals[i], .nvals = 3};
    }
    b = (struct taut_batch_view){.size = sizeof b, .writes = {slow_writes, 3000, sizeof slow_writes[0]}};
    return submit(&b);
}

/* ---- reads ---- */

static inline struct host_slot get_many(const struct taut_get_req *reqs, uint32_t n) {
    taut_op op = host_op();
    host.storage->get(host.self, reqs, n, op);
    return host_wait(op);
}
/* One column of a note as text or number; absent rows and NULLs give "" and -1. */
static inline const char *note_text(int64_t id, uint32_t col) {
    static char text[256];
    struct host_slot s = get_many(&(struct taut_get_req){0, 2, KEY(id)}, 1);
    assert_int_equal(s.status, TAUT_OK);
    const struct taut_get_result *r = s.result;
    taut_str v = taut_row_str(&r->rows[0], col);
    snprintf(text, sizeof text, "%.*s", (int)v.len, v.ptr);
    host_release(&s);
    return text;
}
static inline int64_t note_int(int64_t id, uint32_t col) {
    struct host_slot s = get_many(&(struct taut_get_req){0, 2, KEY(id)}, 1);
    const struct taut_get_result *r = s.result;
    int64_t v = taut_row_null(&r->rows[0], col) ? -1 : taut_row_int(&r->rows[0], col);
    host_release(&s);
    return v;
}
static inline bool note_is_there(int64_t id) {
    struct host_slot s = get_many(&(struct taut_get_req){0, 2, KEY(id)}, 1);
    bool there = ((const struct taut_get_result *)s.result)->rows[0].ncols > 0;
    host_release(&s);
    return there;
}
static inline struct host_slot scan(const struct taut_scan *s) {
    taut_op op = host_op();
    host.storage->scan(host.self, 0, s, op);
    return host_wait(op);
}
/* The ids of a scan's rows as "1 2 3", then '+' when there are more. */
static inline const char *scan_ids(const struct taut_scan *q) {
    static char text[256];
    struct host_slot s = scan(q);
    assert_int_equal(s.status, TAUT_OK);
    const struct taut_rows *r = s.result;
    size_t at = 0;
    text[0] = 0;
    for (uint32_t i = 0; i < r->n; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%d", i ? " " : "", (int)taut_row_int(&r->rows[i], ID));
    if (r->more) snprintf(text + at, sizeof text - at, "+");
    host_release(&s);
    return text;
}
#define SCAN_OF(which, max, ...) \
    (&(struct taut_scan){.size = sizeof(struct taut_scan), .index = (which), .limit = (max), __VA_ARGS__})
#define SCAN(...) SCAN_OF(TAUT_SCAN_PRIMARY, 100, __VA_ARGS__)
#define PREFIX(...) .prefix = TAUT_VALS(__VA_ARGS__), .nprefix = TAUT_NVALS(__VA_ARGS__)

static inline struct host_slot events(const char *ws, uint64_t after, uint32_t limit) {
    taut_op op = host_op();
    host.storage->events(host.self, taut_str_z(ws), after, limit, op);
    return host_wait(op);
}
static inline uint64_t last_seq(const char *ws) {
    struct host_slot s = events(ws, 0, 1);
    uint64_t last = ((const struct taut_event_rows *)s.result)->last;
    host_release(&s);
    return last;
}

/* Five notes: T1 has 1 to 4, T2 has 5. */
static inline void fill(void) {
    OK(WRITES(INSERT(S("T1"), I(1), S("a"), I(30), S("x")), INSERT(S("T1"), I(2), S("b"), I(20)),
              INSERT(S("T1"), I(3), S("c"), I(10), S("y")), INSERT(S("T1"), I(4), S("d"), I(20)),
              INSERT(S("T2"), I(5), S("e"), NIL, S("x"))),
       EVENTS(EVENT("{}")));
}

static inline int run_store_tests(const struct CMUnitTest *tests, size_t n) {
    t.dl = dlopen(TAUT_MODULE_DIR "/store_sqlite.so", RTLD_NOW | RTLD_LOCAL);
    if (!t.dl) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    t.def = dlsym(t.dl, "taut_module");
    return _cmocka_run_group_tests("store_sqlite", tests, n, NULL, NULL);
}
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
