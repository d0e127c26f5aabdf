/* test_seen.c - what is seen of one instance: the metrics that it declared, the memory that it holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "obs/seen.h"

enum { SENT, DEPTH, TOOK, SIZE, PLAIN };
static const struct taut_metric declared[] = {
    [SENT] = {.name = "sent_total", .kind = TAUT_COUNTER, .help = "Mails.", .labels = "result=ok|bounced|\"odd\""},
    [DEPTH] = {.name = "queue", .kind = TAUT_GAUGE, .help = "What waits."},
    [TOOK] = {.name = "delivery", .kind = TAUT_HISTOGRAM, .unit = "seconds", .help = "Time of a delivery."},
    [SIZE] = {.name = "mail_bytes", .kind = TAUT_HISTOGRAM, .unit = "bytes", .help = "Size of a mail."},
    [PLAIN] = {.name = "tries", .kind = TAUT_COUNTER, .help = "Without its suffix."},
};

static struct seen *s;
static struct metrics *m;
static char *text;

static int begin(void **state) {
    (void)state;
    s = seen_new("mailer", (struct taut_array)TAUT_ARRAY(declared));
    m = metrics_new();
    seen_register(s, m);
    return 0;
}
static int end(void **state) {
    (void)state;
    metrics_free(m);
    seen_free(s);
    free(text);
    text = NULL;
    return 0;
}

static void shows(const char *line) {
    size_t n;
    char want[256];
    free(text);
    metrics_text(m, &text, &n);
    snprintf(want, sizeof want, "\n%s\n", line);
    if (!strstr(text, want)) fail_msg("no line \"%s\" in:\n%s", line, text);
}

static void counters_add_gauges_are_set_and_histograms_count(void **state) {
    (void)state;
    seen_measure(s, SENT, 0, 2);
    seen_measure(s, SENT, 0, 3);
    seen_measure(s, SENT, 1, 1);
    seen_measure(s, DEPTH, 0, 9);
    seen_measure(s, DEPTH, 0, -4);
    seen_measure(s, TOOK, 0, 3); /* microseconds */
    seen_measure(s, TOOK, 0, 2000000);
    seen_measure(s, SIZE, 0, 100);
    shows("taut_mod_mailer_sent_total{result=\"ok\"} 5");
    shows("taut_mod_mailer_sent_total{result=\"bounced\"} 1");
    shows("taut_mod_mailer_queue -4");
    shows("taut_mod_mailer_delivery_seconds_bucket{le=\"5e-06\"} 1");
    shows("taut_mod_mailer_delivery_seconds_sum 2.000003");
    shows("taut_mod_mailer_delivery_seconds_count 2");
    shows("taut_mod_mailer_mail_bytes_bucket{le=\"100.0\"} 1");
    shows("taut_mod_mailer_mail_bytes_sum 100");
}

static void a_counter_without_its_suffix_gets_it(void **state) {
    (void)state;
    seen_measure(s, PLAIN, 0, 1);
    shows("taut_mod_mailer_tries_total 1");
    shows("# TYPE taut_mod_mailer_tries counter");
}

static void the_values_of_labels_are_escaped(void **state) {
    (void)state;
    shows("taut_mod_mailer_sent_total{result=\"\\\"odd\\\"\"} 0");
}

static void what_was_not_declared_is_ignored(void **state) {
    (void)state;
    seen_measure(s, 99, 0, 1);
    seen_measure(s, SENT, 3, 1);
    seen_measure(s, UINT32_MAX, UINT32_MAX, 1);
    seen_measure(NULL, 0, 0, 1);
    shows("taut_mod_mailer_sent_total{result=\"ok\"} 0");
}

/* A module of an older header has a shorter struct; one of a newer a longer. */
static void tables_of_other_strides_are_read_as_far_as_both_know_them(void **state) {
    struct {
        struct taut_metric known;
        uint64_t unknown;
    } longer[2] = {{{.name = "a", .kind = TAUT_GAUGE}, 1}, {{.name = "b", .kind = TAUT_GAUGE, .help = "B."}, 2}};
    struct {
        const char *name;
        uint32_t kind, reserved;
        const char *help;
    } shorter[1] = {{"c", TAUT_GAUGE, 0, "C."}};
    (void)state;
    struct taut_metric b = seen_metric_at((struct taut_array){longer, 2, sizeof longer[0]}, 1);
    assert_string_equal(b.name, "b");
    assert_string_equal(b.help, "B.");
    struct taut_metric c = seen_metric_at((struct taut_array){shorter, 1, sizeof shorter[0]}, 0);
    assert_string_equal(c.help, "C.");
    assert_null(c.labels);
    assert_null(c.unit);
}

static void memory_is_counted_until_it_is_given_back(void **state) {
    (void)state;
    void *a = seen_alloc(s, 1000), *b = seen_alloc(s, 0);
    assert_non_null(b);
    assert_in_range(atomic_load(&s->memory_bytes), 1000, 1200);
    assert_int_equal(atomic_load(&s->memory_blocks), 2);
    a = seen_realloc(s, a, 100000);
    assert_in_range(atomic_load(&s->memory_bytes), 100000, 110000);
    assert_int_equal(atomic_load(&s->memory_blocks), 2);
    assert_int_equal(atomic_load(&s->allocations), 3);
    seen_release(s, a);
    seen_release(s, b);
    seen_release(s, NULL);
    assert_int_equal(atomic_load(&s->memory_bytes), 0);
    assert_int_equal(atomic_load(&s->memory_blocks), 0);
    void *c = seen_realloc(s, NULL, 10);
    assert_int_equal(atomic_load(&s->memory_blocks), 1);
    seen_release(s, c);
    shows("taut_module_allocations_total{module=\"mailer\"} 4");
    shows("taut_module_memory_blocks{module=\"mailer\"} 0");
}

static void health_is_shown_as_a_number(void **state) {
    (void)state;
    shows("taut_module_health{module=\"mailer\"} 0");
    health_set(&s->health, 2, "relay", taut_str_z("gone"));
    shows("taut_module_health{module=\"mailer\"} 2");
}

static void an_instance_of_another_name_has_metrics_of_its_own(void **state) {
    struct seen *other = seen_new("mailer_two", (struct taut_array)TAUT_ARRAY(declared));
    (void)state;
    seen_register(other, m);
    seen_measure(other, DEPTH, 0, 1);
    shows("taut_mod_mailer_queue 0");
    shows("taut_mod_mailer_two_queue 1");
    metrics_free(m);
    m = NULL;
    seen_free(other);
}

int main(void) {
#define SEEN_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        SEEN_TEST(counters_add_gauges_are_set_and_histograms_count),
        SEEN_TEST(a_counter_without_its_suffix_gets_it),
        SEEN_TEST(the_values_of_labels_are_escaped),
        SEEN_TEST(what_was_not_declared_is_ignored),
        SEEN_TEST(tables_of_other_strides_are_read_as_far_as_both_know_them),
        SEEN_TEST(memory_is_counted_until_it_is_given_back),
        SEEN_TEST(health_is_shown_as_a_number),
        SEEN_TEST(an_instance_of_another_name_has_metrics_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
