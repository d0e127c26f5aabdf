/* storage_batches.c - conditions and writes: all of a batch or nothing, whatever the others do. */
#include "storage_suite.h"

/* ---- conditions ---- */

static void a_condition_that_does_not_hold_refuses_the_whole_batch(void **state) {
    (void)state;
    OK(WRITES(INSERT(S("T1"), I(1), S("a"), I(5))));
    const struct taut_cond wrong[] = {COND(TAUT_COND_ABSENT, 1), COND(TAUT_COND_PRESENT, 9), EQUALS(1, NUM, I(6)),
                                      EQUALS(9, NUM, NIL),       EQUALS(1, TEXT, I(5)),      EQUALS(1, NUM, NIL)};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        REFUSED(TAUT_E_CONFLICT, CONDS(COND(TAUT_COND_PRESENT, 1), wrong[i]),
                WRITES(NOTE(2, "b"), DELETE(S("T1"), I(1))), EVENTS(EVENT("{}")), CURSORS({TAUT_LIT("c"), 1}));
        assert_false(note_is_there(2));
    }
    assert_true(note_is_there(1));
    assert_int_equal(last_seq("T1"), 0);
    assert_string_equal(cursors_of("T1"), "");
    OK(CONDS(COND(TAUT_COND_ABSENT, 2), COND(TAUT_COND_PRESENT, 1), EQUALS(1, NUM, I(5)), EQUALS(1, TAG, NIL)),
       WRITES(NOTE(2, "b")));
    assert_true(note_is_there(2));
}

static void conditions_look_at_what_was_there_before_the_batch(void **state) {
    (void)state;
    OK(WRITES(INSERT(S("T1"), I(1), S("a"), I(1))));
    OK(CONDS(COND(TAUT_COND_ABSENT, 2), EQUALS(1, NUM, I(1))),
       WRITES(NOTE(2, "b"), UPDATE(1, {NUM, TAUT_SET, I(2)}), DELETE(S("T1"), I(1))));
    assert_false(note_is_there(1));
    REFUSED(TAUT_E_CONFLICT, CONDS(COND(TAUT_COND_PRESENT, 3)), WRITES(NOTE(3, "c")));
    OK(CONDS(COND(TAUT_COND_PRESENT, 2)), WRITES(DELETE(S("T1"), I(2))));
    assert_false(note_is_there(2));
}

static void conditions_see_the_batches_of_their_own_group(void **state) {
    (void)state;
    OK(WRITES(INSERT(S("T1"), I(1), S("a"), I(0))));
    taut_op held = hold_writer(), ops[6];
    ops[0] = submit(BATCH(WRITES(UPDATE(1, {NUM, TAUT_ADD, I(3)}))));
    ops[1] = submit(BATCH(CONDS(EQUALS(1, NUM, I(3))), WRITES(UPDATE(1, {NUM, TAUT_MAX, I(7)}))));
    ops[2] = submit(BATCH(CONDS(EQUALS(1, NUM, I(3))), WRITES(UPDATE(1, {NUM, TAUT_SET, I(99)}))));
    ops[3] = submit(BATCH(CONDS(EQUALS(1, NUM, I(7))), WRITES(DELETE(S("T1"), I(1)))));
    ops[4] = submit(BATCH(CONDS(COND(TAUT_COND_PRESENT, 1)), WRITES(NOTE(2, "b"))));
    ops[5] = submit(BATCH(CONDS(COND(TAUT_COND_ABSENT, 1)), WRITES(NOTE(1, "again"))));
    host_status(held);
    const int32_t want[] = {TAUT_OK, TAUT_OK, TAUT_E_CONFLICT, TAUT_OK, TAUT_E_CONFLICT, TAUT_OK};
    for (int i = 0; i < 6; i++) assert_int_equal(host_status(ops[i]), want[i]);
    assert_false(note_is_there(2));
    assert_string_equal(note_text(1, TEXT), "again");
    assert_int_equal(note_int(1, NUM), -1);
}

/* ---- refusals ---- */

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
    assert_int_equal(((struct taut_commit_result *)s.result)->first_seq, 2);
    host_release(&s);
    assert_int_equal(last_seq("T1"), 2);
}

static void a_clash_found_after_the_first_write_refuses_that_batch_alone(void **state) {
    (void)state;
    OK(WRITES(INSERT(S("T1"), I(1), S("a"), NIL, S("taken")), INSERT(S("T1"), I(9), S("i"), I(9))));
    taut_op held = hold_writer();
    taut_op a = submit(BATCH(WRITES(NOTE(2, "b")), EVENTS(EVENT("{}")), CLAIM("k", "first")));
    taut_op b = submit(BATCH(WRITES(NOTE(3, "c"), UPDATE(9, {NUM, TAUT_ADD, I(1)}), NOTE(3, "c")), EVENTS(EVENT("{}")),
                             CURSORS({TAUT_LIT("c"), 9})));
    taut_op c = submit(BATCH(WRITES(NOTE(4, "d"), DELETE(S("T1"), I(9)), UPDATE(2, {TAG, TAUT_SET, S("taken")})),
                             EVENTS(EVENT("{}"))));
    taut_op d = submit(BATCH(WRITES(NOTE(5, "e")), EVENTS(EVENT("{}"))));
    taut_op e = submit(BATCH(WRITES(NOTE(6, "f")), EVENTS(EVENT("{}")), CLAIM("k", "second")));
    taut_op f =
        submit(BATCH(WRITES(NOTE(7, "g"), UPSERT(S("T1"), I(8), S("h"), NIL, S("taken"))), EVENTS(EVENT("{}"))));
    assert_int_equal(host_status(held), TAUT_OK);
    assert_int_equal(host_status(a), TAUT_OK);
    assert_int_equal(host_status(b), TAUT_E_CONFLICT);
    assert_int_equal(host_status(c), TAUT_E_CONFLICT);
    assert_int_equal(host_status(d), TAUT_OK);
    assert_int_equal(host_status(e), TAUT_E_CLAIMED);
    assert_int_equal(host_status(f), TAUT_E_CONFLICT);
    assert_string_equal(scan_ids(SCAN(PREFIX(S("T1")))), "1 2 5 9");
    assert_int_equal(note_int(9, NUM), 9);
    assert_int_equal(last_seq("T1"), 2);
    assert_string_equal(cursors_of("T1"), "");
}

static void a_refusal_says_why_in_a_few_words(void **state) {
    (void)state;
    struct host_slot s = host_wait(submit(BATCH(CONDS(COND(TAUT_COND_PRESENT, 9)), WRITES(NOTE(1, "a")))));
    const struct taut_commit_result *r = s.result;
    assert_int_equal(s.status, TAUT_E_CONFLICT);
    assert_non_null(r);
    assert_true(r->why.len > 0 && r->why.len < 256);
    assert_null(memchr(r->why.ptr, '/', r->why.len));
    assert_int_equal(r->lsn, 0);
    assert_int_equal(r->first_seq, 0);
    host_release(&s);
}

/* ---- writes ---- */

static void an_insert_conflicts_on_its_key_and_on_a_unique_index(void **state) {
    (void)state;
    OK(WRITES(INSERT(S("T1"), I(1), S("a"), NIL, S("tag"))));
    REFUSED(TAUT_E_CONFLICT, WRITES(NOTE(1, "b")));
    REFUSED(TAUT_E_CONFLICT, WRITES(NOTE(2, "b"), NOTE(1, "b")));
    REFUSED(TAUT_E_CONFLICT, WRITES(INSERT(S("T1"), I(3), S("c"), NIL, S("tag"))));
    REFUSED(TAUT_E_CONFLICT, WRITES(NOTE(2, "b"), INSERT(S("T1"), I(3), S("c"), NIL, S("tag"))));
    REFUSED(TAUT_E_CONFLICT, WRITES(NOTE(2, "b"), NOTE(2, "c")));
    REFUSED(TAUT_E_CONFLICT, WRITES(DELETE(S("T1"), I(1)), NOTE(1, "b")));
    REFUSED(TAUT_E_CONFLICT,
            WRITES(INSERT(S("T1"), I(4), NIL, NIL, S("new")), INSERT(S("T1"), I(5), NIL, NIL, S("new"))));
    assert_string_equal(scan_ids(SCAN()), "1");
    assert_string_equal(note_text(1, TEXT), "a");
}

static void a_unique_index_sees_no_clash_of_nulls(void **state) {
    (void)state;
    OK(WRITES(INSERT(S("T1"), I(1), S("a"), NIL, S("tag")), INSERT(S("T1"), I(4), S("d"), NIL, NIL),
              INSERT(S("T1"), I(5), S("e"), NIL, NIL)));
    OK(WRITES(INSERT(S("T2"), I(1), S("f"), NIL, S("tag"))));
    OK(WRITES(INSERT_TO(TABLE_WORDS, S("a"), I(1), NIL), INSERT_TO(TABLE_WORDS, S("b"), I(1), NIL),
              INSERT_TO(TABLE_WORDS, S("c"), NIL, NIL), INSERT_TO(TABLE_WORDS, S("d"), NIL, I(1)),
              INSERT_TO(TABLE_WORDS, S("e"), NIL, I(1)), INSERT_TO(TABLE_WORDS, S("f"), I(1), I(1))));
    REFUSED(TAUT_E_CONFLICT, WRITES(INSERT_TO(TABLE_WORDS, S("g"), I(1), I(1))));
    OK(WRITES(DELETE(S("T1"), I(1))));
    OK(WRITES(INSERT(S("T1"), I(6), NIL, NIL, S("tag")))); /* its holder is gone */
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
    OK(WRITES(
        UPDATE(1, {NUM, TAUT_SET, NIL}, {TAG, TAUT_SET, S("t")}, {DATA, TAUT_SET, taut_v_blob(taut_str_z("d"))})));
    assert_int_equal(note_int(1, NUM), -1);
    assert_string_equal(note_text(1, TAG), "t");
}

static void adds_and_maxima_of_one_group_come_to_what_their_order_says(void **state) {
    (void)state;
    OK(WRITES(INSERT(S("T1"), I(1), S("a"), I(1)), NOTE(2, "b")));
    const struct taut_batch_view *up =
                                     BATCH(WRITES(UPDATE(1, {NUM, TAUT_ADD, I(2)}), UPDATE(2, {NUM, TAUT_MAX, I(5)}))),
                                 *set = BATCH(
                                     WRITES(UPDATE(1, {NUM, TAUT_SET, I(100)}), UPDATE(2, {NUM, TAUT_SET, I(3)}))),
                                 *down =
                                     BATCH(WRITES(UPDATE(1, {NUM, TAUT_ADD, I(-1)}), UPDATE(2, {NUM, TAUT_MAX, I(4)})));
    taut_op held = hold_writer(), ops[40];
    for (int i = 0; i < 40; i++) ops[i] = submit(i < 20 ? up : i == 20 ? set : down);
    host_status(held);
    for (int i = 0; i < 40; i++) assert_int_equal(host_status(ops[i]), TAUT_OK);
    assert_int_equal(note_int(1, NUM), 81);
    assert_int_equal(note_int(2, NUM), 4);
}

static void an_upsert_takes_the_place_of_the_row_that_is_there(void **state) {
    (void)state;
    OK(WRITES(INSERT(S("T1"), I(1), S("a"), I(10), S("tag"))));
    OK(WRITES(UPSERT(S("T1"), I(1), S("b")), UPSERT(S("T1"), I(2), S("c"), NIL, S("tag"))));
    assert_string_equal(note_text(1, TEXT), "b");
    assert_int_equal(note_int(1, NUM), -1);
    assert_string_equal(note_text(2, TAG), "tag");
    REFUSED(TAUT_E_CONFLICT, WRITES(UPSERT(S("T1"), I(1), S("d"), NIL, S("tag"))));
    assert_string_equal(note_text(1, TEXT), "b");
}

static void a_delete_takes_one_row_or_a_range(void **state) {
    (void)state;
    OK(WRITES(NOTE(1, "a"), NOTE(2, "b"), NOTE(3, "c"), INSERT(S("T2"), I(1), S("d")), INSERT(S("T"), I(7), S("e")),
              INSERT(S("T10"), I(8), S("f"))));
    OK(WRITES(DELETE(S("T1"), I(2)), DELETE(S("T1"), I(77))));
    assert_string_equal(scan_ids(SCAN(PREFIX(S("T1")))), "1 3");
    OK(WRITES(DELETE(S("T1"))));
    assert_string_equal(scan_ids(SCAN()), "7 8 1");
    OK(WRITES(NOTE(1, "a"), DELETE(S("T1")), NOTE(2, "b")));
    assert_string_equal(scan_ids(SCAN(PREFIX(S("T1")))), "2");
}

static void a_write_may_hold_the_seq_of_the_batchs_own_event(void **state) {
    (void)state;
    OK(EVENTS(EVENT("{}"), EVENT("{}")));
    OK(WRITES(INSERT(S("T1"), I(1), S("a"), taut_v_seq(1)), UPDATE(1, {NUM, TAUT_MAX, taut_v_seq(0)})),
       EVENTS(EVENT("{}"), EVENT("{}")));
    assert_int_equal(note_int(1, NUM), 4);
    OK(WRITES(NOTE(9, "c"), INSERT(S("T1"), taut_v_seq(0), S("d")), UPDATE(1, {NUM, TAUT_ADD, taut_v_seq(0)})),
       EVENTS(EVENT("{}")));
    assert_string_equal(note_text(5, TEXT), "d");
    assert_int_equal(note_int(1, NUM), 9);
    REFUSED(TAUT_E_INVAL, WRITES(INSERT(S("T1"), I(2), S("a"), taut_v_seq(1))), EVENTS(EVENT("{}")));
    REFUSED(TAUT_E_INVAL, WRITES(INSERT(S("T1"), I(2), taut_v_seq(0))), EVENTS(EVENT("{}")));
    REFUSED(TAUT_E_INVAL, WRITES(INSERT(S("T1"), I(2), S("a"), taut_v_seq(0))));
}

/* ---- what is wrong in itself ---- */

static void a_batch_that_does_not_fit_its_tables_is_refused_and_harms_nobody(void **state) {
    (void)state;
    const struct taut_write wrong[] = {{.table = 77, .kind = TAUT_W_DELETE, .vals = KEY(1), .nvals = 2},
                                       {.table = TABLE_NOTES, .kind = 77, .vals = KEY(1), .nvals = 2},
                                       INSERT(S("T1")),
                                       INSERT(S("T1"), S("text for a number")),
                                       INSERT(S("T1"), NIL),
                                       INSERT(S("T1"), I(3), NIL, NIL, NIL, NIL, NIL, NIL),
                                       UPSERT(NIL, I(3)),
                                       UPDATE(1, {ID, TAUT_SET, I(2)}),
                                       UPDATE(1, {99, TAUT_SET, I(2)}),
                                       UPDATE(1, {NUM, 99, I(2)}),
                                       UPDATE(1, {TEXT, TAUT_SET, I(2)}),
                                       UPDATE(1, {TEXT, TAUT_ADD, S("2")}),
                                       DELETE(S("T1"), I(1), I(1))};
    const struct taut_cond bad[] = {{.table = 77, .how = TAUT_COND_ABSENT, .key = KEY(1), .nkey = 2},
                                    {.how = TAUT_COND_ABSENT, .key = KEY(1), .nkey = 1},
                                    {.how = 77, .key = KEY(1), .nkey = 2},
                                    EQUALS(1, 77, NIL)};
    enum { NWRONG = sizeof wrong / sizeof *wrong, NBAD = sizeof bad / sizeof *bad, NALL = NWRONG + NBAD };
    struct taut_batch_view batches[NALL];
    taut_op ops[NALL], held = hold_writer(), good[NALL];
    for (int i = 0; i < NALL; i++) {
        batches[i] = *BATCH(.events = {0});
        if (i < NWRONG) batches[i].writes = (struct taut_array){&wrong[i], 1, sizeof wrong[0]};
        else batches[i].conds = (struct taut_array){&bad[i - NWRONG], 1, sizeof bad[0]};
        ops[i] = submit(&batches[i]);
        good[i] = submit(BATCH(WRITES(UPSERT(S("T1"), I(1), S("good"), I(1))), EVENTS(EVENT("{}"))));
        assert_int_equal(host_status(good[i]), TAUT_OK);
    }
    assert_int_equal(host_status(held), TAUT_OK);
    for (int i = 0; i < NALL; i++)
        if (host_status(ops[i]) != TAUT_E_INVAL) fail_msg("wrong batch %d was not refused as such", i);
    assert_string_equal(note_text(1, TEXT), "good");
    assert_int_equal(last_seq("T1"), NALL);
}

static void what_belongs_to_a_log_needs_a_workspace(void **state) {
    (void)state;
    assert_int_equal(commit(BATCH_OF("", EVENTS(EVENT("{}"))), NULL), TAUT_E_INVAL);
    assert_int_equal(commit(BATCH_OF("", CURSORS({TAUT_LIT("c"), 1})), NULL), TAUT_E_INVAL);
    assert_int_equal(commit(BATCH_OF("", .trim = 1), NULL), TAUT_E_INVAL);
    REFUSED(TAUT_E_INVAL, WRITES(NOTE(1, "a")), CLAIM("k", "v"));
    assert_int_equal(commit(BATCH_OF("", WRITES(NOTE(1, "a"))), NULL), TAUT_OK);
    assert_string_equal(log_ends(), "");
}

static void a_batch_of_an_older_core_ends_where_its_size_says(void **state) {
    (void)state;
    struct taut_batch_view old = *BATCH(EVENTS(EVENT("{}"), EVENT("{}")), CURSORS({TAUT_LIT("c"), 9}), .trim = 1);
    old.size = offsetof(struct taut_batch_view, cursors);
    assert_int_equal(commit(&old, NULL), TAUT_OK);
    assert_string_equal(cursors_of("T1"), "");
    assert_string_equal(log_ends(), "T1:1-2");
}

static const struct suite_test batches_tests[] = {
    T(a_condition_that_does_not_hold_refuses_the_whole_batch),
    T(conditions_look_at_what_was_there_before_the_batch),
    T(conditions_see_the_batches_of_their_own_group),
    T(a_refused_batch_costs_the_others_of_its_group_nothing),
    T(a_clash_found_after_the_first_write_refuses_that_batch_alone),
    T(a_refusal_says_why_in_a_few_words),
    T(an_insert_conflicts_on_its_key_and_on_a_unique_index),
    T(a_unique_index_sees_no_clash_of_nulls),
    T(updates_set_add_and_keep_the_maximum),
    T(adds_and_maxima_of_one_group_come_to_what_their_order_says),
    T(an_upsert_takes_the_place_of_the_row_that_is_there),
    T(a_delete_takes_one_row_or_a_range),
    T(a_write_may_hold_the_seq_of_the_batchs_own_event),
    T(a_batch_that_does_not_fit_its_tables_is_refused_and_harms_nobody),
    T(what_belongs_to_a_log_needs_a_workspace),
    T(a_batch_of_an_older_core_ends_where_its_size_says),
};
PART(batches);
