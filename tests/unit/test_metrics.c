/* test_metrics.c - the text of /metrics, to the letter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "obs/metrics.h"

static struct metrics *m;
static atomic_llong seven = 7, big = 12345678901234;
static atomic_ullong ns = 2500000000;

static int begin(void **state) {
    (void)state;
    m = metrics_new();
    return 0;
}
static int end(void **state) {
    (void)state;
    metrics_free(m);
    return 0;
}

static void reads(const char *expected) {
    char *text;
    size_t n;
    metrics_text(m, &text, &n);
    assert_string_equal(text, expected);
    assert_int_equal(n, strlen(expected));
    free(text);
}

static void add(const char *name, const char *labels, enum metric_kind kind, const void *arg) {
    metrics_add(m, &(struct metric){name, labels, "What it is.", kind, metric_read_llong, arg});
}

static void an_empty_registry_is_its_end(void **state) {
    (void)state;
    reads("# EOF\n");
}

static void a_family_has_its_type_its_unit_and_its_help_once(void **state) {
    (void)state;
    add("a_bytes", NULL, METRIC_GAUGE, &seven);
    add("b_total", "k=\"1\"", METRIC_COUNTER, &seven);
    add("c", NULL, METRIC_GAUGE, &big);
    add("b_total", "k=\"2\"", METRIC_COUNTER, &big); /* joins the other */
    metrics_add(m, &(struct metric){"d_info", "version=\"1\"", "What it is.", METRIC_INFO, NULL, NULL});
    metrics_add(m, &(struct metric){"e_seconds", NULL, "What it is.", METRIC_GAUGE, metric_read_ns, &ns});
    reads("# TYPE a_bytes gauge\n# UNIT a_bytes bytes\n# HELP a_bytes What it is.\na_bytes 7\n"
          "# TYPE b counter\n# HELP b What it is.\nb_total{k=\"1\"} 7\nb_total{k=\"2\"} 12345678901234\n"
          "# TYPE c gauge\n# HELP c What it is.\nc 12345678901234\n"
          "# TYPE d info\n# HELP d What it is.\nd_info{version=\"1\"} 1\n"
          "# TYPE e_seconds gauge\n# UNIT e_seconds seconds\n# HELP e_seconds What it is.\ne_seconds 2.5\n"
          "# EOF\n");
}

static void what_the_format_does_not_let_stand_is_escaped(void **state) {
    char label[64], small[8];
    (void)state;
    assert_int_equal(metric_label(label, sizeof label, "k", "a\"b\\c\nd"), strlen("k=\"a\\\"b\\\\c\\nd\""));
    assert_string_equal(label, "k=\"a\\\"b\\\\c\\nd\"");
    assert_true(metric_label(small, sizeof small, "key", "a long value") < sizeof small);
    metrics_add(m, &(struct metric){"a", label, "one\ntwo \\ \"three\"", METRIC_GAUGE, metric_read_llong, &seven});
    reads("# TYPE a gauge\n# HELP a one\\ntwo \\\\ \\\"three\\\"\na{k=\"a\\\"b\\\\c\\nd\"} 7\n# EOF\n");
}

static void a_histogram_is_cumulative_and_ends_in_all(void **state) {
    struct histogram h = {.sum = 0};
    char *text;
    size_t n;
    (void)state;
    metrics_add(m, &(struct metric){"t_seconds", "k=\"v\"", "What it is.", METRIC_HISTOGRAM, NULL, &h});
    reads("# TYPE t_seconds histogram\n# UNIT t_seconds seconds\n# HELP t_seconds What it is.\n# EOF\n");
    histogram_add(&h, 900);          /* 0.9 us */
    histogram_add(&h, 3000000);      /* 3 ms */
    histogram_add(&h, 20000000000u); /* 20 s: over all bounds */
    metrics_text(m, &text, &n);
    assert_non_null(strstr(text, "t_seconds_bucket{k=\"v\",le=\"1e-06\"} 1\n"));
    assert_non_null(strstr(text, "t_seconds_bucket{k=\"v\",le=\"0.0025\"} 1\n"));
    assert_non_null(strstr(text, "t_seconds_bucket{k=\"v\",le=\"0.005\"} 2\n"));
    assert_non_null(strstr(text, "t_seconds_bucket{k=\"v\",le=\"1.0\"} 2\n"));
    assert_non_null(strstr(text, "t_seconds_bucket{k=\"v\",le=\"10.0\"} 2\n"));
    assert_non_null(strstr(text, "t_seconds_bucket{k=\"v\",le=\"+Inf\"} 3\n"));
    assert_non_null(strstr(text, "t_seconds_count{k=\"v\"} 3\nt_seconds_sum{k=\"v\"} 20.0030009\n"));
    free(text);
}

struct list {
    char text[256];
};
static void note(void *arg, const struct metric *series, uint32_t n) {
    struct list *l = arg;
    const char *unit = metric_unit(series);
    size_t at = strlen(l->text);
    snprintf(l->text + at, sizeof l->text - at, "%s %s %s %u; ", series->name, metric_kinds[series->kind],
             unit ? unit : "-", n);
}

static void the_reference_gets_each_family_with_all_its_series(void **state) {
    struct list l = {""};
    (void)state;
    add("a_bytes", NULL, METRIC_GAUGE, &seven);
    add("b_total", "k=\"1\"", METRIC_COUNTER, &seven);
    add("c_ratio", NULL, METRIC_GAUGE, &seven);
    add("b_total", "k=\"2\"", METRIC_COUNTER, &seven);
    metrics_each(m, note, &l);
    assert_string_equal(l.text, "a_bytes gauge bytes 1; b_total counter - 2; c_ratio gauge ratio 1; ");
}

static void the_process_is_measured_by_the_kernel(void **state) {
    char *text;
    size_t n;
    (void)state;
    metrics_add_process(m);
    metrics_text(m, &text, &n);
    const char *rss = strstr(text, "\nprocess_resident_memory_bytes "), *fds = strstr(text, "\nprocess_open_fds ");
    assert_non_null(rss);
    assert_true(strtod(strchr(rss, ' '), NULL) > 100000);
    assert_true(strtod(strchr(fds, ' '), NULL) >= 3);
    assert_non_null(strstr(text, "\nprocess_cpu_seconds_total "));
    free(text);
}

int main(void) {
#define METRICS_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        METRICS_TEST(an_empty_registry_is_its_end),
        METRICS_TEST(a_family_has_its_type_its_unit_and_its_help_once),
        METRICS_TEST(what_the_format_does_not_let_stand_is_escaped),
        METRICS_TEST(a_histogram_is_cumulative_and_ends_in_all),
        METRICS_TEST(the_reference_gets_each_family_with_all_its_series),
        METRICS_TEST(the_process_is_measured_by_the_kernel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
