/* storage_values.c - values come back as they went in, and in their order. */
#include "storage_suite.h"

static void a_committed_row_is_read_back_value_by_value(void **state) {
    (void)state;
    char bytes[] = "a\0b\0\xff";
    taut_str odd = taut_str_n(bytes, 5), uni = taut_str_z("Grüße, 世界 🎉");
    OK(WRITES(INSERT(S("T1"), I(1), taut_v_str(uni), I(INT64_MIN), taut_v_str(odd), taut_v_blob(odd)),
              INSERT(S("T1"), I(INT64_MAX), NIL, I(INT64_MAX)), INSERT(S("T1"), I(INT64_MIN), NIL, I(0))));
    struct host_slot s = get_many(
        (struct taut_get_req[]){{0, 2, KEY(1)}, {0, 2, KEY(2)}, {0, 2, KEY(INT64_MAX)}, {0, 2, KEY(INT64_MIN)}}, 4);
    const struct taut_get_result *r = s.result;
    assert_int_equal(s.status, TAUT_OK);
    assert_int_equal(r->n, 4);
    assert_int_equal(r->rows[0].ncols, 6);
    assert_int_equal(r->rows[1].ncols, 0);
    assert_true(taut_str_eq(taut_row_str(&r->rows[0], WS), taut_str_z("T1")));
    assert_true(taut_str_eq(taut_row_str(&r->rows[0], TEXT), uni));
    assert_true(taut_row_int(&r->rows[0], NUM) == INT64_MIN);
    assert_int_equal(r->rows[0].vals[TAG].type, TAUT_TEXT);
    assert_true(taut_str_eq(taut_row_str(&r->rows[0], TAG), odd));
    assert_int_equal(r->rows[0].vals[DATA].type, TAUT_BLOB);
    assert_true(taut_str_eq(taut_row_str(&r->rows[0], DATA), odd));
    assert_true(taut_row_int(&r->rows[2], ID) == INT64_MAX && taut_row_int(&r->rows[2], NUM) == INT64_MAX);
    assert_true(taut_row_int(&r->rows[3], ID) == INT64_MIN);
    host_release(&s);
}

static void an_empty_text_is_no_null_and_missing_columns_are(void **state) {
    (void)state;
    OK(WRITES(INSERT(S("T1"), I(1), S(""), NIL, NIL, taut_v_blob(taut_str_z("")))));
    struct host_slot s = get_many(&(struct taut_get_req){0, 2, KEY(1)}, 1);
    const struct taut_row *row = ((const struct taut_get_result *)s.result)->rows;
    assert_int_equal(row->vals[TEXT].type, TAUT_TEXT);
    assert_int_equal(row->vals[TEXT].len, 0);
    assert_int_equal(row->vals[DATA].type, TAUT_BLOB);
    assert_true(taut_row_null(row, NUM));
    assert_true(taut_row_null(row, TAG));
    host_release(&s);
    OK(CONDS(EQUALS(1, TEXT, S("")), EQUALS(1, TAG, NIL)), WRITES(NOTE(2, "b")));
    REFUSED(TAUT_E_CONFLICT, CONDS(EQUALS(1, TEXT, NIL)));
    REFUSED(TAUT_E_CONFLICT, CONDS(EQUALS(1, TAG, S(""))));
}

static void numbers_keep_their_order_to_their_extremes(void **state) {
    static const int64_t ids[] = {INT64_MAX,      0, -1, INT64_MIN, 1, INT64_MAX - 1, INT64_MIN + 1, 1ll << 53,
                                  (1ll << 53) + 1};
    static const int64_t order[] = {INT64_MIN,       INT64_MIN + 1, -1,       0, 1, 1ll << 53,
                                    (1ll << 53) + 1, INT64_MAX - 1, INT64_MAX};
    enum { NIDS = sizeof ids / sizeof *ids };
    (void)state;
    for (int i = 0; i < NIDS; i++) OK(WRITES(INSERT(S("T1"), I(ids[i]), NIL, I(ids[i]))));
    for (int index = TAUT_SCAN_PRIMARY; index <= BY_NUM; index++) {
        struct host_slot s = scan(SCAN_OF(index, 100, ));
        const struct taut_rows *r = s.result;
        assert_int_equal(r->n, NIDS);
        for (int i = 0; i < NIDS; i++) assert_true(taut_row_int(&r->rows[i], ID) == order[i]);
        host_release(&s);
    }
    struct host_slot s = scan(SCAN(PREFIX(S("T1")), .lo = I((1ll << 53) + 1), .hi = I(INT64_MAX), .hi_open = 1));
    assert_int_equal(((const struct taut_rows *)s.result)->n, 2);
    host_release(&s);
}

/* Ascending, byte by byte. */
static const taut_str texts[] = {{"", 0},
                                 {"\0", 1},
                                 {"\0a", 2},
                                 {"A", 1},
                                 {"a", 1},
                                 {"a\0", 2},
                                 {"a\0b", 3},
                                 {"aa", 2},
                                 {"b", 1},
                                 {"\x7f", 1},
                                 {"\xc3\xa4", 2},
                                 {"\xe4\xb8\x96", 3},
                                 {"\xf0\x9f\x8e\x89", 4},
                                 {"\xff", 1}};
enum { NTEXTS = sizeof texts / sizeof *texts };

static void assert_in_order(uint32_t table, bool descending) {
    struct host_slot s = scan_of(table, SCAN(.descending = descending));
    const struct taut_rows *r = s.result;
    assert_int_equal(s.status, TAUT_OK);
    assert_int_equal(r->n, NTEXTS);
    for (int i = 0; i < NTEXTS; i++)
        assert_true(taut_str_eq(taut_row_str(&r->rows[i], 0), texts[descending ? NTEXTS - 1 - i : i]));
    host_release(&s);
}

static void texts_and_blobs_are_ordered_byte_by_byte(void **state) {
    (void)state;
    for (int i = 0; i < NTEXTS; i++) {
        int k = (i * 5) % NTEXTS; /* in some other order */
        OK(WRITES(INSERT_TO(TABLE_WORDS, taut_v_str(texts[k]), I(k)),
                  INSERT_TO(TABLE_BLOBS, taut_v_blob(texts[k]), I(k))));
    }
    for (int descending = 0; descending < 2; descending++) {
        assert_in_order(TABLE_WORDS, descending);
        assert_in_order(TABLE_BLOBS, descending);
    }
    for (int i = 0; i < NTEXTS; i++) { /* each is found, and no other by its name */
        struct taut_val key = taut_v_str(texts[i]);
        struct host_slot s = get_many(&(struct taut_get_req){TABLE_WORDS, 1, &key}, 1);
        assert_int_equal(taut_row_int(((const struct taut_get_result *)s.result)->rows, WORD_N), i);
        host_release(&s);
    }
    struct host_slot s =
        scan_of(TABLE_WORDS, SCAN(.lo = taut_v_str(texts[4]), .hi = taut_v_str(texts[7]), .hi_open = 1));
    assert_int_equal(((const struct taut_rows *)s.result)->n, 3);
    host_release(&s);
}

static void a_megabyte_and_a_long_key_come_back(void **state) {
    enum { MIB = 1 << 20, LONG = 4000 };
    char *big = malloc(MIB), key[LONG];
    (void)state;
    for (int i = 0; i < MIB; i++) big[i] = (char)(i * 7 + i / 256);
    memset(key, 'k', sizeof key);
    struct taut_val blob = taut_v_blob(taut_str_n(big, MIB)), text = taut_v_str(taut_str_n(key, LONG));
    OK(WRITES(INSERT(S("T1"), I(1), NIL, NIL, NIL, blob), INSERT_TO(TABLE_WORDS, text, I(1))));
    text.len--; /* a shorter one */
    OK(WRITES(INSERT_TO(TABLE_WORDS, text, I(2)), UPDATE(1, {DATA, TAUT_SET, blob})));
    struct host_slot s = get_many((struct taut_get_req[]){{TABLE_NOTES, 2, KEY(1)}, {TABLE_WORDS, 1, &text}}, 2);
    const struct taut_get_result *r = s.result;
    assert_int_equal(s.status, TAUT_OK);
    assert_true(taut_str_eq(taut_row_str(&r->rows[0], DATA), taut_str_n(big, MIB)));
    assert_int_equal(taut_row_int(&r->rows[1], WORD_N), 2);
    host_release(&s);
    free(big);
}

static void an_event_of_a_megabyte_comes_back(void **state) {
    enum { MIB = 1 << 20 };
    char *big = malloc(MIB);
    (void)state;
    memset(big, 'e', MIB);
    for (int i = 0; i < 3; i++) OK(EVENTS({.topics = TAUT_LIT("C1"), .body = taut_str_n(big, MIB)}));
    uint64_t after = 0;
    while (after < 3) { /* an answer may be cut, but never empty */
        struct host_slot s = events("T1", after, 10);
        const struct taut_event_rows *r = s.result;
        assert_int_equal(s.status, TAUT_OK);
        assert_true(r->n > 0);
        assert_int_equal(r->events[0].seq, after + 1);
        assert_true(taut_str_eq(r->events[0].body, taut_str_n(big, MIB)));
        after += r->n;
        host_release(&s);
    }
    free(big);
}

static const struct suite_test values_tests[] = {
    T(a_committed_row_is_read_back_value_by_value), T(an_empty_text_is_no_null_and_missing_columns_are),
    T(numbers_keep_their_order_to_their_extremes),  T(texts_and_blobs_are_ordered_byte_by_byte),
    T(a_megabyte_and_a_long_key_come_back),         T(an_event_of_a_megabyte_comes_back),
};
PART(values);
