/* store_kit.h - a provider of storage/1 under test: loaded from its .so, opened on a fresh directory for each test,
 * with short ways to write batches and to read. The tests' tables are those of store_kit.c. */
#ifndef TESTS_STORE_KIT_H
#define TESTS_STORE_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store_host.h"

/* ---- the tables ---- */

enum { TABLE_NOTES, TABLE_WORDS, TABLE_BLOBS, KIT_TABLES };

/* notes(ws, id | text, num, tag, data), and later `later` with an index on text. */
enum { WS, ID, TEXT, NUM, TAG, DATA, LATER };
enum { BY_NUM, BY_TAG /* unique on ws, tag; without those that have no tag */, BY_TEXT };
extern const struct taut_table notes, notes_later;
/* words(word | n, m): unique on n, m. */
enum { WORD, WORD_N, WORD_M };
enum { BY_N_M };
/* blobs(bytes | n) */
enum { BYTES };

/* ---- the store under test ---- */

struct kit_option {
    char name[32], text[256];
};
enum { KIT_OPTIONS = 16 };
struct kit {
    void *dl;
    const struct taut_module *def;
    struct taut_mod mod;
    _Alignas(16) char config[1024]; /* laid out by the module's own option table */
    char *strings[KIT_OPTIONS * 2];
    uint32_t nstrings;
    struct kit_option options[KIT_OPTIONS]; /* instead of the module's defaults; "{dir}" in them is the directory */
    struct kit_option kept[KIT_OPTIONS];    /* with which each test begins */
    uint32_t noptions, nkept;
    char dir[64], path[96]; /* path: of the file that the module's PATH option names */
    bool persistent;        /* what is acknowledged outlives the process */
    bool own_clock;         /* it does not ask the host for the time */
    uint32_t seed;
};
extern struct kit t;

/* False: said why. */
bool kit_load(const char *so);
/* From the next opening on, in this test. */
void kit_option(const char *name, const char *text);
void kit_keep_options(void); /* those that are set now, in all tests */

/* A fresh directory with an open store in it, as cmocka's fixtures. */
int setup(void **state);
int teardown(void **state);
taut_op start_opening(const struct taut_table *notes_table);
int32_t open_with(const struct taut_table *notes_table);
void close_store(void);
void reopen(void);

/* ---- batches ---- */

#define S(z) taut_v_str(taut_str_z(z))
#define I(n) taut_v_int(n)
#define NIL taut_v_null()
#define KEY(id) TAUT_VALS(S("T1"), I(id))
#define CONDS(...) .conds = LIST(struct taut_cond, __VA_ARGS__)
#define WRITES(...) .writes = LIST(struct taut_write, __VA_ARGS__)
#define EVENTS(...) .events = LIST(struct taut_event_rec, __VA_ARGS__)
#define CURSORS(...) .cursors = LIST(struct taut_cursor, __VA_ARGS__)
#define LIST(type, ...) \
    { (type[]){__VA_ARGS__}, sizeof((type[]){__VA_ARGS__}) / sizeof(type), sizeof(type) }
#define INSERT(...) INSERT_TO(TABLE_NOTES, __VA_ARGS__)
#define UPSERT(...) UPSERT_TO(TABLE_NOTES, __VA_ARGS__)
#define DELETE(...) DELETE_OF(TABLE_NOTES, __VA_ARGS__)
#define INSERT_TO(t, ...) WRITE_OF(t, TAUT_W_INSERT, __VA_ARGS__)
#define UPSERT_TO(t, ...) WRITE_OF(t, TAUT_W_UPSERT, __VA_ARGS__)
#define DELETE_OF(t, ...) WRITE_OF(t, TAUT_W_DELETE, __VA_ARGS__)
#define WRITE_OF(t, k, ...) \
    { .table = (t), .kind = (k), .vals = TAUT_VALS(__VA_ARGS__), .nvals = TAUT_NVALS(__VA_ARGS__) }
#define NOTE(id, text) INSERT(S("T1"), I(id), S(text))
#define UPDATE(id, ...)                                                                               \
    {                                                                                                 \
        .kind = TAUT_W_UPDATE, .vals = KEY(id), .nvals = 2, .sets = (struct taut_set[]){__VA_ARGS__}, \
        .nsets = sizeof((struct taut_set[]){__VA_ARGS__}) / sizeof(struct taut_set)                   \
    }
#define EVENT(b) \
    { .topics = TAUT_LIT("C1"), .body = TAUT_LIT(b) }
extern const struct taut_event_rec an_event; /* EVENT("{}") */
#define COND(h, id) \
    { .how = (h), .key = KEY(id), .nkey = 2 }
#define EQUALS(id, c, v) \
    { .how = TAUT_COND_EQUALS, .key = KEY(id), .nkey = 2, .col = (c), .val = v }
#define BATCH_OF(ws, ...) \
    (&(struct taut_batch_view){.size = sizeof(struct taut_batch_view), .workspace = TAUT_LIT(ws), __VA_ARGS__})
#define BATCH(...) BATCH_OF("T1", __VA_ARGS__)
#define CLAIM(k, v) .claim_key = TAUT_LIT(k), .claim_value = TAUT_LIT(v)

taut_op submit(const struct taut_batch_view *b);
/* Waits. *out, when given, has no texts. */
int32_t commit(const struct taut_batch_view *b, struct taut_commit_result *out);
#define OK(...) assert_int_equal(commit(BATCH(__VA_ARGS__), NULL), TAUT_OK)
#define REFUSED(status, ...) assert_int_equal(commit(BATCH(__VA_ARGS__), NULL), status)

/* Holds the writer back for a while, so that what is submitted meanwhile is one group where groups are made: a large
 * batch goes first. */
taut_op hold_writer(void);

/* ---- reads ---- */

struct host_slot get_many(const struct taut_get_req *reqs, uint32_t n);
/* One column of a note of T1 as text or number; absent rows and NULLs give "" and -1. */
const char *note_text(int64_t id, uint32_t col);
int64_t note_int(int64_t id, uint32_t col);
bool note_is_there(int64_t id);

struct host_slot scan_of(uint32_t table, const struct taut_scan *s);
static inline struct host_slot scan(const struct taut_scan *s) {
    return scan_of(TABLE_NOTES, s);
}
int32_t scan_status(uint32_t table, const struct taut_scan *s);
/* The ids of a scan's notes as "1 2 3", then '+' when there are more. */
const char *scan_ids(const struct taut_scan *q);
#define SCAN_OF(which, max, ...) (&(struct taut_scan){.index = (which), .limit = (max), __VA_ARGS__})
#define SCAN(...) SCAN_OF(TAUT_SCAN_PRIMARY, 100, __VA_ARGS__)
#define PREFIX(...) .prefix = TAUT_VALS(__VA_ARGS__), .nprefix = TAUT_NVALS(__VA_ARGS__)

struct host_slot events(const char *ws, uint64_t after, uint32_t limit);
struct host_slot events_within(const char *ws, uint64_t after, uint32_t limit, uint32_t max_bytes);
uint64_t last_seq(const char *ws);
/* "a=1 b=2" */
const char *cursors_of(const char *ws);
/* "T1:1-5 T2:3-3" */
const char *log_ends(void);

/* Five notes: T1 has 1 to 4, T2 has 5. */
void fill(void);

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
