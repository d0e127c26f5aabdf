/* test_store_sqlite.c - batches, their order, and claims, as storage/1 promises them. */
#include "store_harness.h"

/* ---- batches and conditions ---- */

static void a_committed_row_is_read_back_value_by_value(void **state) {
    (void)state;
    char bytes[] = "a\0b\0\xff";
    taut_str odd = taut_str_n(bytes, 5), uni = taut_str_z("Grüße, 世界 🎉");
    OK(WRITES(INSERT(S("T1"), I(1), taut_v_str(uni), I(INT64_MIN), taut_v_str(odd), taut_v_blob(odd))));
    struct host_slot s = get_many((struct taut_get_req[]){{0, 2, KEY(1)}, {0, 2, KEY(2)}}, 2);
    const struct taut_get_result *r = s.result;
    assert_int_equal(r->n, 2);
    assert_int_equal(r->rows[0].ncols, 6);
    assert_int_equal(r->rows[1].ncols, 0);
    assert_true(taut_str_eq(taut_row_str(&r->rows[0], TEXT), uni));
    assert_true(taut_row_int(&r->rows[0], NUM) == INT64_MIN);
    assert_true(taut_str_eq(taut_row_str(&r->rows[0], TAG), odd));
    assert_int_equal(r->rows[0].vals[DATA].type, TAUT_BLOB);
    assert_true(taut_str_eq(taut_row_str(&r->rows[0], DATA), odd));
    host_release(&s);
}

static void an_empty_text_is_no_null_and_missing_columns_are(void **state) {
    (void)state;
    OK(WRITES(NOTE(1, "")));
    struct host_slot s = get_many(&(struct taut_get_req){0, 2, KEY(1)}, 1);
    const struct taut_row *row = ((const struct taut_get_result *)s.result)->rows;
    assert_false(taut_row_null(row, TEXT));
    assert_true(taut_row_null(row, NUM));
    host_release(&s);
}

static void a_condition_that_does_not_hold_refuses_the_whole_batch(void **state) {
    (void)state;
    OK(WRITES(INSERT(S("T1"), I(1), S("a"), I(5))));
    const struct taut_cond wrong[] = {COND(TAUT_COND_ABSENT, 1), COND(TAUT_COND_PRESENT, 9), EQUALS(1, NUM, I(6)),
                                      EQUALS(9, NUM, NIL), EQUALS(1, TEXT, I(5))};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(commit(BATCH(CONDS(wrong[i]), WRITES(NOTE(2, "b")), EVENTS(EVENT("{}"))), NULL),
                         TAUT_E_CONFLICT);
    assert_false(note_is_there(2));
    assert_int_equal(last_seq("T1"), 0);
    OK(CONDS(COND(TAUT_COND_ABSENT, 2), COND(TAUT_COND_PRESENT, 1), EQUALS(1, NUM, I(5)), EQUALS(1, TAG, NIL)),
       WRITES(NOTE(2, "b")));
    assert_true(note_is_there(2));
}

static void a_refused_batch_costs_the_others_of_its_group_nothing(void **state) {
    (void)state;
    taut_op held = hold_writer();
    taut_op a = submit(BATCH(WRITES(NOTE(1, "a")), EVENTS(EVENT("{\"n\":1}"))));
    taut_op b = submit(BATCH(CONDS(COND(TAUT_COND_PRESENT, 99)), WRITES(NOTE(2, "b")), EVENTS(EVENT("{\"n\":2}"))));
    taut_op c = submit(BATCH(CONDS(COND(TAUT_COND_PRESENT, 1)), WRITES(NOTE(3, "c")), EVENTS(EVENT("{\"n\":3}"))));
    assert_int_equal(host_status(held), TAUT_OK);
    assert_int_equal(host_status(a), TAUT_OK);
    assert_int_equal(host_status(b), TAUT_E_CONFLICT);
    struct host_slot s = host_wait(c);
    assert_int_equal(s.status, TAUT_OK);
    assert_int_equal(((struct taut_commit_result *)s.result)->first_seq, 2); /* dense */
    host_release(&s);
}

static void an_insert_conflicts_on_its_key_and_on_a_unique_index(void **state) {
    (void)state;
    OK(WRITES(INSERT(S("T1"), I(1), S("a"), NIL, S("tag"))));
    assert_int_equal(commit(BATCH(WRITES(NOTE(1, "b"))), NULL), TAUT_E_CONFLICT);
    assert_int_equal(commit(BATCH(WRITES(NOTE(2, "b"), NOTE(1, "b"))), NULL), TAUT_E_CONFLICT);
    assert_int_equal(commit(BATCH(WRITES(INSERT(S("T1"), I(3), S("c"), NIL, S("tag")))), NULL), TAUT_E_CONFLICT);
    assert_int_equal(commit(BATCH(WRITES(NOTE(2, "b"), INSERT(S("T1"), I(3), S("c"), NIL, S("tag")))), NULL),
                     TAUT_E_CONFLICT);
    assert_false(note_is_there(2));
    assert_string_equal(note_text(1, TEXT), "a");
    OK(WRITES(INSERT(S("T1"), I(4), S("d"), NIL, NIL),
              INSERT(S("T1"), I(5), S("e"), NIL, NIL))); /* NULLs never clash */
    OK(WRITES(INSERT(S("T2"), I(1), S("f"), NIL, S("tag"))));
}

static void a_clash_found_after_the_first_write_refuses_that_batch_alone(void **state) {
    (void)state;
    OK(WRITES(INSERT(S("T1"), I(1), S("a"), NIL, S("taken"))));
    taut_op held = hold_writer();
    taut_op a = submit(BATCH(WRITES(NOTE(2, "b")), EVENTS(EVENT("{}")), CLAIM("k", "first")));
    taut_op b = submit(BATCH(WRITES(NOTE(3, "c"), NOTE(3, "c")), EVENTS(EVENT("{}"))));
    taut_op c = submit(BATCH(WRITES(NOTE(4, "d"), UPDATE(2, {TAG, TAUT_SET, S("taken")})), EVENTS(EVENT("{}"))));
    taut_op d = submit(BATCH(WRITES(NOTE(5, "e")), EVENTS(EVENT("{}"))));
    taut_op e = submit(BATCH(WRITES(NOTE(6, "f")), EVENTS(EVENT("{}")), CLAIM("k", "second")));
    assert_int_equal(host_status(held), TAUT_OK);
    assert_int_equal(host_status(a), TAUT_OK);
    assert_int_equal(host_status(b), TAUT_E_CONFLICT);
    assert_int_equal(host_status(c), TAUT_E_CONFLICT);
    assert_int_equal(host_status(d), TAUT_OK);
    assert_int_equal(host_status(e), TAUT_E_CLAIMED);
    assert_false(note_is_there(3));
    assert_false(note_is_there(4));
    assert_true(note_is_there(5));
    assert_int_equal(last_seq("T1"), 2);
}

static void updates_set_add_and_keep_the_maximum(void **state) {
    (void)state;
    OK(WRITES(INSERT(S("T1"), I(1), S("a"), I(10)), NOTE(2, "b")));
    OK(WRITES(UPDATE(1, {NUM, TAUT_ADD, I(5)}, {TEXT, TAUT_SET, S("z")}), UPDATE(2, {NUM, TAUT_ADD, I(7)})));
    assert_int_equal(note_int(1, NUM), 15);
    assert_int_equal(note_int(2, NUM), 7);
    assert_string_equal(note_text(1, TEXT), "z");
    OK(WRITES(UPDATE(1, {NUM, TAUT_MAX, I(3)}), UPDATE(2, {NUM, TAUT_MAX, I(30)})));
    assert_int_equal(note_int(1, NUM), 15);
    assert_int_equal(note_int(2, NUM), 30);
    OK(WRITES(UPDATE(9, {NUM, TAUT_SET, I(1)}), NOTE(3, "c"), UPDATE(3, {NUM, TAUT_MAX, I(-4)})));
    assert_false(note_is_there(9));
    assert_int_equal(note_int(3, NUM), -4);
}

static void an_upsert_takes_the_place_of_the_row_that_is_there(void **state) {
    (void)state;
    OK(WRITES(INSERT(S("T1"), I(1), S("a"), I(10), S("tag"))));
    OK(WRITES(UPSERT(S("T1"), I(1), S("b")), UPSERT(S("T1"), I(2), S("c"))));
    assert_string_equal(note_text(1, TEXT), "b");
    assert_int_equal(note_int(1, NUM), -1);
    assert_true(note_is_there(2));
}

static void a_delete_takes_one_row_or_a_range(void **state) {
    (void)state;
    OK(WRITES(NOTE(1, "a"), NOTE(2, "b"), NOTE(3, "c"), INSERT(S("T2"), I(1), S("d"))));
    OK(WRITES(DELETE(S("T1"), I(2))));
    assert_string_equal(scan_ids(SCAN(PREFIX(S("T1")))), "1 3");
    OK(WRITES(DELETE(S("T1"))));
    assert_string_equal(scan_ids(SCAN()), "1");
}

static void a_write_may_hold_the_seq_of_the_batchs_own_event(void **state) {
    (void)state;
    OK(EVENTS(EVENT("{}"), EVENT("{}")));
    OK(WRITES(INSERT(S("T1"), I(1), S("a"), taut_v_seq(1)), UPDATE(1, {NUM, TAUT_MAX, taut_v_seq(0)})),
       EVENTS(EVENT("{}"), EVENT("{}")));
    assert_int_equal(note_int(1, NUM), 4);
    assert_int_equal(commit(BATCH(WRITES(INSERT(S("T1"), I(2), S("a"), taut_v_seq(1))), EVENTS(EVENT("{}"))), NULL),
                     TAUT_E_INVAL);
}

static void a_seq_in_an_inserts_key_clashes_with_no_older_row(void **state) {
    (void)state;
    OK(WRITES(NOTE(0, "a"), NOTE(1, "b")), EVENTS(EVENT("{}")));
    OK(WRITES(NOTE(9, "c"), INSERT(S("T1"), taut_v_seq(0), S("d"))), EVENTS(EVENT("{}")));
    assert_string_equal(note_text(2, TEXT), "d");
}

static void a_batch_that_does_not_fit_its_tables_is_refused(void **state) {
    (void)state;
    const struct taut_write wrong[] = {{.table = 7, .kind = TAUT_W_DELETE, .vals = KEY(1), .nvals = 2},
                                       INSERT(S("T1")),
                                       INSERT(S("T1"), S("text for a number")),
                                       INSERT(S("T1"), NIL),
                                       UPDATE(1, {ID, TAUT_SET, I(2)}),
                                       UPDATE(1, {99, TAUT_SET, I(2)})};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(commit(BATCH(WRITES(wrong[i])), NULL), TAUT_E_INVAL);
    assert_int_equal(commit(BATCH(WRITES(NOTE(1, "a")), CLAIM("k", "v")), NULL), TAUT_E_INVAL);
}

/* ---- order ---- */

static void durable_names_batches_in_order_each_before_its_answer(void **state) {
    (void)state;
    enum { N = 50 };
    const struct taut_event_rec event = EVENT("{}");
    struct taut_batch_view batches[N];
    taut_op ops[N];
    for (int i = 0; i < N; i++) {
        batches[i] = *BATCH(.events = {&event, 1, sizeof event});
        ops[i] = submit(&batches[i]);
    }
    for (int i = 0; i < N; i++) {
        struct host_slot s = host_wait(ops[i]);
        pthread_mutex_lock(&host.lock);
        assert_true(host.ndurable > (uint32_t)i);
        struct taut_durable d = host.durable[i];
        pthread_mutex_unlock(&host.lock);
        assert_ptr_equal(d.batch, &batches[i]);
        assert_int_equal(d.lsn, i + 1);
        assert_int_equal(d.first_seq, i + 1);
        assert_int_equal(((struct taut_commit_result *)s.result)->lsn, i + 1);
        host_release(&s);
    }
}

static void seq_is_dense_for_each_workspace_and_goes_on_after_reopening(void **state) {
    (void)state;
    struct taut_commit_result r;
    OK(EVENTS(EVENT("{}"), EVENT("{}")));
    commit(BATCH_OF("T2", EVENTS(EVENT("{}"))), &r);
    assert_int_equal(r.first_seq, 1);
    reopen();
    assert_int_equal(commit(BATCH(EVENTS(EVENT("{}"))), &r), TAUT_OK);
    assert_int_equal(r.first_seq, 3);
    assert_int_equal(r.lsn, 3);
}

/* ---- claims ---- */

/* The value that the claim was refused with. */
static const char *claimed(const struct taut_batch_view *b, uint64_t seq) {
    static char text[64];
    struct host_slot s = host_wait(submit(b));
    const struct taut_commit_result *r = s.result;
    assert_int_equal(s.status, TAUT_E_CLAIMED);
    assert_int_equal(r->claim_seq, seq);
    snprintf(text, sizeof text, "%.*s", (int)r->claim_value.len, r->claim_value.ptr);
    host_release(&s);
    return text;
}

static void a_claim_is_answered_with_the_first_ones_value_even_after_reopening(void **state) {
    (void)state;
    OK(EVENTS(EVENT("{}")));
    OK(WRITES(NOTE(1, "a")), EVENTS(EVENT("{}"), EVENT("{}")), CLAIM("key", "answer"));
    for (int i = 0; i < 2; i++) {
        assert_string_equal(claimed(BATCH(WRITES(NOTE(2, "b")), EVENTS(EVENT("{}")), CLAIM("key", "other")), 2),
                            "answer");
        assert_false(note_is_there(2));
        reopen();
    }
    assert_int_equal(commit(BATCH_OF("T2", EVENTS(EVENT("{}")), CLAIM("key", "of another workspace")), NULL), TAUT_OK);
    OK(EVENTS(EVENT("{}")), CLAIM("key2", ""));
    assert_string_equal(claimed(BATCH(EVENTS(EVENT("{}")), CLAIM("key2", "x")), 4), "");
}

static void a_retry_gets_its_answer_though_its_first_effect_stands_in_its_way(void **state) {
    (void)state;
    OK(CONDS(COND(TAUT_COND_ABSENT, 1)), WRITES(NOTE(1, "a")), EVENTS(EVENT("{}")), CLAIM("key", "answer"));
    assert_string_equal(claimed(BATCH(CONDS(COND(TAUT_COND_ABSENT, 1)), WRITES(NOTE(1, "a")), EVENTS(EVENT("{}")),
                                      CLAIM("key", "answer")),
                                1),
                        "answer");
}

static void a_claim_is_seen_inside_its_own_group(void **state) {
    (void)state;
    taut_op held = hold_writer();
    taut_op a = submit(BATCH(EVENTS(EVENT("{}")), CLAIM("key", "first")));
    assert_string_equal(claimed(BATCH(EVENTS(EVENT("{}")), CLAIM("key", "second")), 1), "first");
    assert_int_equal(host_status(a), TAUT_OK);
    host_status(held);
}

static void a_group_that_fails_takes_its_claims_and_seqs_back(void **state) {
    (void)state;
    OK(EVENTS(EVENT("{}")));
    close_store();
    sql("CREATE TRIGGER fail BEFORE UPDATE ON taut_heads WHEN NEW.seq=2 BEGIN SELECT RAISE(ABORT,'no'); END");
    assert_int_equal(open_with(&notes), TAUT_OK);
    assert_int_equal(commit(BATCH(WRITES(NOTE(1, "a")), EVENTS(EVENT("{}")), CLAIM("key", "lost")), NULL), TAUT_E_IO);
    assert_false(note_is_there(1));
    struct taut_commit_result r;
    assert_int_equal(commit(BATCH(EVENTS(EVENT("{}"), EVENT("{}")), CLAIM("key", "kept")), &r), TAUT_OK);
    assert_int_equal(r.first_seq, 2);
    assert_int_equal(r.lsn, 2);
}

static void a_claim_ends_after_24_hours(void **state) {
    (void)state;
    OK(EVENTS(EVENT("{}")), CLAIM("key", "old"));
    host.clock_shift_us = 86395ll * 1000000;
    claimed(BATCH(EVENTS(EVENT("{}")), CLAIM("key", "new")), 1);
    host.clock_shift_us = 86401ll * 1000000;
    reopen();
    OK(EVENTS(EVENT("{}")), CLAIM("key", "new"));
    host.clock_shift_us += 86401ll * 1000000;
    OK(EVENTS(EVENT("{}")), CLAIM("key", "newer"));
}

static void claims_beyond_the_limit_push_out_the_oldest_and_are_logged(void **state) {
    (void)state;
    close_store();
    set_option("claims", 2);
    assert_int_equal(open_with(&notes), TAUT_OK);
    OK(EVENTS(EVENT("{}")), CLAIM("a", "1"));
    OK(EVENTS(EVENT("{}")), CLAIM("b", "2"));
    OK(EVENTS(EVENT("{}")), CLAIM("c", "3"));
    assert_string_equal(host.log,
                        "store_claims: 1 claims were forgotten before their 24 hours were over: their retries "
                        "would be written twice; raise modules.store_sqlite.claims (now 2)");
    claimed(BATCH(EVENTS(EVENT("{}")), CLAIM("b", "x")), 2);
    claimed(BATCH(EVENTS(EVENT("{}")), CLAIM("c", "x")), 3);
    OK(EVENTS(EVENT("{}")), CLAIM("a", "again"));
}

static void ten_thousand_claims_come_and_go(void **state) {
    (void)state;
    char key[16];
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 2000; i++) {
            snprintf(key, sizeof key, "k%d", i + round * 1500);
            struct taut_batch_view b = *BATCH(EVENTS(EVENT("{}")));
            b.claim_key = taut_str_z(key);
            b.claim_value = taut_str_z(key);
            if (round && i < 500) assert_string_equal(claimed(&b, (uint64_t)(1501 + i)), key);
            else assert_int_equal(commit(&b, NULL), TAUT_OK);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_committed_row_is_read_back_value_by_value),
        TEST(an_empty_text_is_no_null_and_missing_columns_are),
        TEST(a_condition_that_does_not_hold_refuses_the_whole_batch),
        TEST(a_refused_batch_costs_the_others_of_its_group_nothing),
        TEST(an_insert_conflicts_on_its_key_and_on_a_unique_index),
        TEST(a_clash_found_after_the_first_write_refuses_that_batch_alone),
        TEST(updates_set_add_and_keep_the_maximum),
        TEST(an_upsert_takes_the_place_of_the_row_that_is_there),
        TEST(a_delete_takes_one_row_or_a_range),
        TEST(a_write_may_hold_the_seq_of_the_batchs_own_event),
        TEST(a_seq_in_an_inserts_key_clashes_with_no_older_row),
        TEST(a_batch_that_does_not_fit_its_tables_is_refused),
        TEST(durable_names_batches_in_order_each_before_its_answer),
        TEST(seq_is_dense_for_each_workspace_and_goes_on_after_reopening),
        TEST(a_claim_is_answered_with_the_first_ones_value_even_after_reopening),
        TEST(a_retry_gets_its_answer_though_its_first_effect_stands_in_its_way),
        TEST(a_claim_is_seen_inside_its_own_group),
        TEST(a_group_that_fails_takes_its_claims_and_seqs_back),
        TEST(a_claim_ends_after_24_hours),
        TEST(claims_beyond_the_limit_push_out_the_oldest_and_are_logged),
        TEST(ten_thousand_claims_come_and_go),
    };
    return run_store_tests(tests, sizeof tests / sizeof *tests);
}
