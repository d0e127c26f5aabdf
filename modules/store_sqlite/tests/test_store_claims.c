/* test_store_claims.c - the claims in memory: their ring, its limit, and groups that fail. */
#include "store_harness.h"

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

static void claims_come_and_go_in_a_ring_of_their_limit(void **state) {
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
        TEST(a_group_that_fails_takes_its_claims_and_seqs_back),
        TEST(claims_beyond_the_limit_push_out_the_oldest_and_are_logged),
        TEST(claims_come_and_go_in_a_ring_of_their_limit),
    };
    return run_store_tests(tests, sizeof tests / sizeof *tests);
}
