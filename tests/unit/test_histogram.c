/* test_histogram.c - in which bucket a value is counted, and what is read out of them. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "obs/histogram.h"

static uint64_t at(const struct histogram *h, size_t i) {
    return atomic_load(&h->buckets[i]);
}

static void a_value_is_in_the_first_bucket_whose_bound_it_does_not_pass(void **state) {
    (void)state;
    for (uint32_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
        assert_int_equal(histogram_bucket(histogram_bounds[i]), i);
        assert_int_equal(histogram_bucket(histogram_bounds[i] + 1), i + 1);
    }
    assert_int_equal(histogram_bucket(0), 0);
    assert_int_equal(histogram_bucket(UINT64_MAX), HISTOGRAM_BOUNDS);
}

/* The table of first bounds is a short cut: any value must land where the slow way lands. */
static void every_magnitude_is_put_where_a_search_from_the_first_bound_puts_it(void **state) {
    (void)state;
    for (unsigned bit = 0; bit < 64; bit++)
        for (int64_t off = -1; off <= 1; off++) {
            uint64_t v = ((uint64_t)1 << bit) + (uint64_t)off;
            uint32_t slow = 0;
            while (slow < HISTOGRAM_BOUNDS && v > histogram_bounds[slow]) slow++;
            assert_int_equal(histogram_bucket(v), slow);
        }
}

static void the_sum_and_the_count_are_those_of_what_was_added(void **state) {
    struct histogram h = {.sum = 0};
    (void)state;
    histogram_add(&h, 999);
    histogram_add(&h, 1000);
    histogram_add(&h, 2000000);
    histogram_add(&h, 20000000000u);
    assert_int_equal(histogram_count(&h), 4);
    assert_int_equal(atomic_load(&h.sum), 20002001999u);
    assert_int_equal(at(&h, 0), 2);
    assert_int_equal(at(&h, 10), 1);
    assert_int_equal(at(&h, HISTOGRAM_BOUNDS), 1);
}

static void a_quantile_lies_in_its_bucket_in_proportion(void **state) {
    struct histogram h = {.sum = 0};
    (void)state;
    assert_true(histogram_quantile(&h, 0.5) == 0.0);
    for (int i = 0; i < 100; i++) histogram_add(&h, i < 90 ? 2000 : 2000000); /* 1000 … 2500, 1 … 2.5 million */
    assert_true(histogram_quantile(&h, 0.45) == 1750.0);
    assert_true(histogram_quantile(&h, 0.9) == 2500.0);
    assert_true(histogram_quantile(&h, 0.95) == 1750000.0);
    for (int i = 0; i < 1000; i++) histogram_add(&h, UINT64_MAX / 2000);
    assert_true(histogram_quantile(&h, 0.99) == 1e10); /* over all bounds: it is not known by how much */
}

enum { THREADS = 4, ADDS = 20000 };

static void *add_many(void *histogram) {
    for (int i = 0; i < ADDS; i++) histogram_add_shared(histogram, 1000);
    return NULL;
}

static void of_what_several_threads_add_nothing_is_lost(void **state) {
    static struct histogram h;
    pthread_t threads[THREADS];
    (void)state;
    for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, add_many, &h);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    assert_int_equal(histogram_count(&h), THREADS * ADDS);
    assert_int_equal(atomic_load(&h.sum), THREADS * ADDS * 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_in_the_first_bucket_whose_bound_it_does_not_pass),
        cmocka_unit_test(every_magnitude_is_put_where_a_search_from_the_first_bound_puts_it),
        cmocka_unit_test(the_sum_and_the_count_are_those_of_what_was_added),
        cmocka_unit_test(a_quantile_lies_in_its_bucket_in_proportion),
        cmocka_unit_test(of_what_several_threads_add_nothing_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
