/* storage_claims.c - claims: a retry within a day gets the first answer and writes nothing. */
#include "storage_suite.h"

#define DAY_US (86400ll * 1000000)
#define SECOND_US 1000000ll

/* The value that the claim was refused with; it must have come with that seq. */
static const char *claimed(const struct taut_batch_view *b, uint64_t seq) {
    static char text[64];
    struct host_slot s = host_wait(submit(b));
    const struct taut_commit_result *r = s.result;
    assert_int_equal(s.status, TAUT_E_CLAIMED);
    assert_int_equal(r->claim_seq, seq);
    assert_int_equal(r->lsn, 0);
    snprintf(text, sizeof text, "%.*s", (int)r->claim_value.len, r->claim_value.ptr);
    host_release(&s);
    return text;
}
#define RETRY(k) BATCH(EVENTS(EVENT("{}")), CLAIM(k, "other"))

static void a_claim_is_answered_with_the_first_ones_value(void **state) {
    (void)state;
    OK(EVENTS(EVENT("{}")));
    OK(WRITES(NOTE(1, "a")), EVENTS(EVENT("{}"), EVENT("{}")), CLAIM("key", "answer"));
    assert_string_equal(
        claimed(BATCH(WRITES(NOTE(2, "b")), EVENTS(EVENT("{}")), CLAIM("key", "other"), CURSORS({TAUT_LIT("c"), 1})),
                2),
        "answer");
    assert_false(note_is_there(2));
    assert_string_equal(cursors_of("T1"), "");
    assert_int_equal(commit(BATCH_OF("T2", EVENTS(EVENT("{}")), CLAIM("key", "of another workspace")), NULL), TAUT_OK);
    OK(EVENTS(EVENT("{}")), CLAIM("key2", ""));
    assert_string_equal(claimed(RETRY("key2"), 4), "");
    assert_int_equal(last_seq("T1"), 4);
}

static void a_retry_gets_its_answer_though_its_first_effect_stands_in_its_way(void **state) {
    (void)state;
    struct taut_batch_view *b =
        BATCH(CONDS(COND(TAUT_COND_ABSENT, 1)), WRITES(NOTE(1, "a")), EVENTS(EVENT("{}")), CLAIM("key", "answer"));
    assert_int_equal(commit(b, NULL), TAUT_OK);
    assert_string_equal(claimed(b, 1), "answer");
}

static void a_claim_is_seen_inside_its_own_group(void **state) {
    (void)state;
    taut_op held = hold_writer();
    taut_op a = submit(BATCH(EVENTS(EVENT("{}")), CLAIM("key", "first")));
    assert_string_equal(claimed(BATCH(EVENTS(EVENT("{}")), CLAIM("key", "second")), 1), "first");
    assert_int_equal(host_status(a), TAUT_OK);
    host_status(held);
}

static void a_batch_that_was_refused_has_claimed_nothing(void **state) {
    (void)state;
    REFUSED(TAUT_E_CONFLICT, CONDS(COND(TAUT_COND_PRESENT, 1)), EVENTS(EVENT("{}")), CLAIM("a", "lost"));
    REFUSED(TAUT_E_CONFLICT, WRITES(NOTE(1, "a"), NOTE(1, "b")), EVENTS(EVENT("{}")), CLAIM("b", "lost"));
    REFUSED(TAUT_E_INVAL, WRITES(INSERT(S("T1"))), EVENTS(EVENT("{}")), CLAIM("c", "lost"));
    OK(EVENTS(EVENT("{}")), CLAIM("a", "kept"));
    OK(EVENTS(EVENT("{}")), CLAIM("b", "kept"));
    OK(EVENTS(EVENT("{}")), CLAIM("c", "kept"));
    assert_string_equal(claimed(RETRY("b"), 2), "kept");
}

static void a_claim_holds_for_24_hours_and_no_longer(void **state) {
    (void)state;
    OK(EVENTS(EVENT("{}")), CLAIM("key", "old"));
    host.clock_shift_us = DAY_US - 5 * SECOND_US;
    assert_string_equal(claimed(RETRY("key"), 1), "old");
    host.clock_shift_us = DAY_US + SECOND_US;
    OK(EVENTS(EVENT("{}")), CLAIM("key", "new"));
    host.clock_shift_us += DAY_US - 5 * SECOND_US;
    assert_string_equal(claimed(RETRY("key"), 2), "new");
    host.clock_shift_us += 6 * SECOND_US;
    OK(EVENTS(EVENT("{}")), CLAIM("key", "newer"));
}

static void a_claim_outlives_the_trimming_of_its_event(void **state) {
    (void)state;
    for (int i = 0; i < 5; i++) OK(EVENTS(EVENT("{}")));
    OK(EVENTS(EVENT("{}")), CLAIM("key", "answer"));
    for (int i = 0; i < 5; i++) OK(EVENTS(EVENT("{}")));
    OK(.trim = 9);
    assert_string_equal(log_ends(), "T1:10-11");
    for (int i = 0; i < 3; i++) {
        assert_string_equal(claimed(RETRY("key"), 6), "answer");
        usleep(20000); /* what deletes in the background may come first */
    }
}

static void claims_outlive_the_process_they_were_made_in(void **state) {
    (void)state;
    OK(EVENTS(EVENT("{}")), CLAIM("a", "1"));
    OK(EVENTS(EVENT("{}")), CLAIM("b", "2"));
    OK(EVENTS(EVENT("{}")));
    OK(.trim = 1);
    for (int i = 0; i < 2; i++) {
        reopen();
        assert_string_equal(claimed(RETRY("a"), 1), "1");
        assert_string_equal(claimed(RETRY("b"), 2), "2");
    }
    if (t.own_clock) return;
    host.clock_shift_us = DAY_US + SECOND_US;
    reopen();
    OK(EVENTS(EVENT("{}")), CLAIM("a", "3"));
    reopen();
    assert_string_equal(claimed(RETRY("a"), 4), "3");
}

enum { MANY = 5000, IN_FLIGHT = 500 };
static const char *key_of(int i) {
    static char keys[IN_FLIGHT][16];
    char *key = keys[i % IN_FLIGHT];
    snprintf(key, sizeof keys[0], "k%d", i);
    return key;
}

static void commit_many(int from, int to, int32_t status) {
    static struct taut_batch_view b[IN_FLIGHT];
    static taut_op ops[IN_FLIGHT];
    for (int i = from; i < to; i += IN_FLIGHT) {
        int n = to - i < IN_FLIGHT ? to - i : IN_FLIGHT;
        for (int k = 0; k < n; k++) {
            b[k] = *BATCH(.events = {&an_event, 1, sizeof an_event});
            b[k].claim_key = b[k].claim_value = taut_str_z(key_of(i + k));
            ops[k] = submit(&b[k]);
        }
        for (int k = 0; k < n; k++) {
            struct host_slot s = host_wait(ops[k]);
            const struct taut_commit_result *r = s.result;
            assert_int_equal(s.status, status);
            if (status == TAUT_E_CLAIMED) assert_true(taut_str_is(r->claim_value, key_of(i + k)));
            if (status == TAUT_E_CLAIMED) assert_int_equal(r->claim_seq, i + k + 1);
            host_release(&s);
        }
    }
}

static void thousands_of_claims_are_told_apart(void **state) {
    (void)state;
    commit_many(0, MANY, TAUT_OK);
    commit_many(0, MANY, TAUT_E_CLAIMED);
    if (t.persistent) reopen();
    commit_many(0, MANY, TAUT_E_CLAIMED);
    commit_many(MANY, MANY + 10, TAUT_OK);
}

static const struct suite_test claims_tests[] = {
    T(a_claim_is_answered_with_the_first_ones_value),
    T(a_retry_gets_its_answer_though_its_first_effect_stands_in_its_way),
    T(a_claim_is_seen_inside_its_own_group),
    T(a_batch_that_was_refused_has_claimed_nothing),
    T_IF(NEEDS_HOST_CLOCK, a_claim_holds_for_24_hours_and_no_longer),
    T(a_claim_outlives_the_trimming_of_its_event),
    T_IF(NEEDS_PERSISTENCE, claims_outlive_the_process_they_were_made_in),
    T(thousands_of_claims_are_told_apart),
};
PART(claims);
