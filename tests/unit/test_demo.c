/* test_demo.c - the words and numbers of the seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "../../modules/demo/words.c"

static void the_words_of_the_seed_are_all_different(void **state) {
    (void)state;
    static char seen[VOCABULARY][WORD_MAX];
    for (uint32_t i = 0; i < VOCABULARY; i++) {
        size_t n = word(i, seen[i]);
        assert_in_range(n, 2, WORD_MAX - 1);
        for (uint32_t k = 0; k < i; k++) assert_memory_not_equal(seen[i], seen[k], WORD_MAX);
    }
}

static void texts_are_the_same_for_the_same_number_and_follow_zipf(void **state) {
    (void)state;
    static double cum[VOCABULARY];
    uint32_t first = 0, second = 0;
    char a[TEXT_MAX], b[TEXT_MAX];
    zipf_init(cum, VOCABULARY);
    for (uint32_t i = 0; i < 1000; i++) {
        size_t n = text(cum, i, a);
        assert_int_equal(n, text(cum, i, b));
        assert_memory_equal(a, b, n);
        assert_true(n < TEXT_MAX);
    }
    for (uint64_t i = 0; i < 100000; i++) {
        uint32_t rank = zipf_pick(cum, VOCABULARY, mix(i, 0));
        assert_true(rank < VOCABULARY);
        first += rank == 0;
        second += rank == 1;
    }
    assert_in_range(first, 2 * second * 9 / 10, 2 * second * 11 / 10);
    assert_int_equal(zipf_pick(cum, VOCABULARY, UINT64_MAX), VOCABULARY - 1);
    assert_int_equal(zipf_pick(cum, VOCABULARY, 0), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_words_of_the_seed_are_all_different),
        cmocka_unit_test(texts_are_the_same_for_the_same_number_and_follow_zipf),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
