/* store_harness.h - what the tests of this store need beside tests/conformance/store_kit.h: options by number, SQL
 * beside the store, cmocka's main. */
#ifndef TESTS_STORE_HARNESS_H
#define TESTS_STORE_HARNESS_H

#include <sqlite3.h>

#include "store_kit.h"
#include "store_options.h"

/* At once, for tests that open the store themselves; never while it is open. */
static inline void set_option(const char *name, int64_t n) {
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)n);
    kit_option(name, text);
    options_fill(&t);
}
/* The file is t.path. */
static inline void set_path(void) {
    kit_option("path", t.path);
    options_fill(&t);
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

static inline void sql(const char *text) {
    sqlite3 *db;
    char *why = NULL;
    assert_int_equal(sqlite3_open(t.path, &db), SQLITE_OK);
    if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK) fail_msg("%s: %s", text, why);
    sqlite3_close(db);
}
/* The integer that a statement selects. */
static inline int64_t sql_number(const char *text) {
    sqlite3 *db;
    sqlite3_stmt *st;
    assert_int_equal(sqlite3_open(t.path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    assert_int_equal(sqlite3_prepare_v2(db, text, -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    sqlite3_close(db);
    return n;
}

static inline void use_test_options(void) {
    kit_option("page_cache", "1MiB");
    kit_option("claims", "1000");
    kit_keep_options();
}

static inline int run_store_tests(const struct CMUnitTest *tests, size_t n) {
    if (!kit_load(TAUT_MODULE_DIR "/store_sqlite.so")) return 1;
    use_test_options();
    return _cmocka_run_group_tests("store_sqlite", tests, n, NULL, NULL);
}

#endif
