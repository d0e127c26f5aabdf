/* test_log.c - the log of the process: what is left out, and that nobody waits for whoever reads it. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "obs/log.h"
#include "taut/host.h"

enum { TEXT_MAX = 256 * 1024 };

static int terminal, reader;
static char text[TEXT_MAX];

/* From here on stderr is a pipe that we read. */
static int into_pipe(void **state) {
    (void)state;
    int ends[2];
    if (pipe(ends) != 0) return -1;
    terminal = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    reader = ends[0];
    return fcntl(reader, F_SETFL, O_NONBLOCK);
}

static int out_of_pipe(void **state) {
    (void)state;
    dup2(terminal, STDERR_FILENO);
    close(terminal);
    return close(reader);
}

static void drain(void) {
    size_t n = 0;
    ssize_t got;
    while ((got = read(reader, text + n, sizeof text - 1 - n)) > 0) n += (size_t)got;
    text[n] = 0;
}

static int lines(void) {
    int n = 0;
    for (const char *p = text; *p; p++) n += *p == '\n';
    return n;
}

static void test_a_line_says_when_who_and_what(void **state) {
    (void)state;
    log_line(TAUT_LOG_WARN, "store", "open", TAUT_LIT("a\nb"));
    drain();
    assert_string_equal(text + strlen("2026-01-31T12:00:00.000Z"), " warn  store open: a\\x0ab\n");
    log_line(TAUT_LOG_DEBUG, "store", "open", TAUT_LIT("not wanted"));
    drain();
    assert_string_equal(text, "");
}

static void test_of_one_event_ten_lines_a_second_are_written(void **state) {
    (void)state;
    for (int i = 0; i < 100; i++) log_fmt(TAUT_LOG_INFO, "gateway", "refused", "number %d", i);
    log_line(TAUT_LOG_INFO, "gateway", "other", TAUT_LIT("x"));
    drain();
    assert_int_equal(lines(), 11);
    assert_non_null(strstr(text, "gateway refused: number 9\n"));
    usleep(1100000);
    log_line(TAUT_LOG_INFO, "server", "signal", TAUT_LIT("x"));
    drain();
    assert_int_equal(lines(), 2);
    assert_non_null(strstr(text, " info  gateway refused: 90 more such lines were left out\n"));
}

static void test_a_pipe_that_nobody_reads_stops_nobody(void **state) {
    (void)state;
    char event[16], expected[128];
    int n = 5000;
    for (int i = 0; i < n; i++) {
        snprintf(event, sizeof event, "event%d", i % 5000);
        log_line(TAUT_LOG_INFO, "server", event,
                 TAUT_LIT("sixty characters or so of text, to fill what the pipe holds"));
    }
    drain();
    int written = lines();
    assert_in_range(written, 1, n - 1);
    log_line(TAUT_LOG_INFO, "server", "read", TAUT_LIT("x"));
    drain();
    assert_int_equal(lines(), 2);
    snprintf(expected, sizeof expected, "log dropped: %d lines were dropped before this one: stderr was not read\n",
             n - written);
    assert_non_null(strstr(text, expected));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_line_says_when_who_and_what, into_pipe, out_of_pipe),
        cmocka_unit_test_setup_teardown(test_of_one_event_ten_lines_a_second_are_written, into_pipe, out_of_pipe),
        cmocka_unit_test_setup_teardown(test_a_pipe_that_nobody_reads_stops_nobody, into_pipe, out_of_pipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
