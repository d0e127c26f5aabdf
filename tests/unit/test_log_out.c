/* test_log_out.c - where the lines of the log go, once its thread runs: to a file that may be moved away, is on a disk
 * that may be full, or to a pipe that nobody reads; and that nobody waits for any of them. */
#define _GNU_SOURCE /* F_SETPIPE_SZ */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "obs/log.h"
#include "obs/log_out.h"
#include "obs/metrics.h"
#include "taut/host.h"

static char dir[64], file[96], moved[96];
static char *text; /* of a file, as it is read last */

static int begin(void **state) {
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/taut-log-XXXXXX");
    if (!mkdtemp(dir)) return -1;
    snprintf(file, sizeof file, "%s/log", dir);
    snprintf(moved, sizeof moved, "%s/log.1", dir);
    return 0;
}

static int end(void **state) {
    (void)state;
    log_close();
    log_set_level(TAUT_LOG_INFO);
    unlink(file);
    unlink(moved);
    free(text);
    text = NULL;
    return rmdir(dir);
}

static const char *read_all(const char *path) {
    size_t n = 0, cap = 1 << 22;
    FILE *f = fopen(path, "r");
    free(text);
    text = xmalloc(cap);
    if (f) n = fread(text, 1, cap - 1, f);
    if (f) fclose(f);
    text[n] = 0;
    return text;
}

static int count(const char *in, const char *what) {
    int n = 0;
    for (const char *p = in; (p = strstr(p, what)); p += strlen(what)) n++;
    return n;
}

/* Waits until that is in the file. */
static const char *has(const char *path, const char *what) {
    for (int i = 0; i < 500; i++) {
        if (strstr(read_all(path), what)) return text;
        usleep(10000);
    }
    fail_msg("no \"%s\" in %s:\n%s", what, path, read_all(path));
    return text;
}

static void open_log(const char *path, enum log_format format) {
    const struct log_options o = {.level = TAUT_LOG_DEBUG, .format = format, .file = path};
    char *why = NULL;
    if (!log_open(&o, &why)) fail_msg("%s", why);
}

static double metric(const char *line) {
    char *all;
    size_t n;
    struct metrics *m = metrics_new();
    log_metrics(m);
    metrics_text(m, &all, &n);
    const char *at = strstr(all, line);
    double v = at ? strtod(at + strlen(line), NULL) : -1;
    free(all);
    metrics_free(m);
    return v;
}

/* ---- a file ---- */

static void what_is_said_is_in_the_file_in_order_when_the_log_is_closed(void **state) {
    char line[64];
    (void)state;
    open_log(file, LOG_TEXT);
    for (int i = 0; i < 1000; i++) log_fmt(TAUT_LOG_DEBUG, "test", "many", "number %04d", i);
    log_close();
    const char *p = read_all(file);
    for (int i = 0; i < 1000; i++) {
        snprintf(line, sizeof line, " debug test many: number %04d\n", i);
        p = strstr(p, line);
        if (!p) fail_msg("no%s", line);
    }
    assert_int_equal(count(text, "\n"), 1000);
}

static void a_file_that_cannot_be_opened_is_refused_with_the_reason(void **state) {
    const struct log_options o = {.level = TAUT_LOG_INFO, .file = "/nowhere/log"};
    char *why = NULL;
    (void)state;
    assert_false(log_open(&o, &why));
    assert_string_equal(why, "the log /nowhere/log cannot be opened: No such file or directory");
    free(why);
}

enum { WRITERS = 3, LINES_EACH = 20000 };

static void *write_many(void *arg) {
    const char *who = arg;
    for (int i = 0; i < LINES_EACH; i++) {
        while (log_out_waiting() > 128 * 1024) usleep(100);
        log_fmt(TAUT_LOG_DEBUG, who, "line", "%d;", i);
    }
    return NULL;
}

/* Moved away again and again while three threads write: every line is in one of the files, once, and whole. */
static void a_file_that_is_moved_away_and_reopened_loses_no_line(void **state) {
    enum { MOVES = 20 };
    static const char *const who[WRITERS] = {"one", "two", "three"};
    pthread_t threads[WRITERS];
    char *all = xcalloc(1, 1), name[128];
    size_t n = 0;
    (void)state;
    open_log(file, LOG_TEXT);
    for (int i = 0; i < WRITERS; i++) pthread_create(&threads[i], NULL, write_many, (void *)(uintptr_t)who[i]);
    for (int i = 0; i < MOVES; i++) {
        usleep(5000);
        snprintf(name, sizeof name, "%s/moved-%d", dir, i);
        if (rename(file, name) == 0) log_reopen();
    }
    for (int i = 0; i < WRITERS; i++) pthread_join(threads[i], NULL);
    log_close();
    for (int i = 0; i <= MOVES; i++) {
        if (i < MOVES) snprintf(name, sizeof name, "%s/moved-%d", dir, i);
        size_t more = strlen(read_all(i < MOVES ? name : file));
        all = xrealloc(all, n + more + 1);
        memcpy(all + n, text, more + 1);
        n += more;
        if (i < MOVES) unlink(name);
    }
    assert_int_equal(count(all, "\n"), WRITERS * LINES_EACH);
    for (int w = 0; w < WRITERS; w++) {
        const char *p = all;
        for (int i = 0; i < LINES_EACH; i++) {
            char want[64];
            snprintf(want, sizeof want, " debug %s line: %d;\n", who[w], i);
            p = strstr(p, want);
            if (!p) fail_msg("lost, or not in order:%s", want);
        }
    }
    free(all);
}

static void without_a_place_for_a_new_file_the_old_one_goes_on_and_says_so(void **state) {
    char away[80], want[256];
    (void)state;
    open_log(file, LOG_TEXT);
    snprintf(away, sizeof away, "%s.away", dir);
    assert_int_equal(rename(dir, away), 0);
    char *why = log_reopen();
    snprintf(want, sizeof want,
             "the log %s cannot be opened anew: No such file or directory; it goes on in the file that it had", file);
    assert_string_equal(why, want);
    free(why);
    log_line(TAUT_LOG_INFO, "test", "goes_on", TAUT_LIT("x"));
    log_close();
    assert_int_equal(rename(away, dir), 0);
    assert_non_null(strstr(read_all(file), "goes_on"));
    assert_non_null(strstr(text, want));
}

static void a_pipe_that_nobody_reads_is_no_place_for_a_log(void **state) {
    char away[sizeof file + 8];
    (void)state;
    open_log(file, LOG_TEXT);
    snprintf(away, sizeof away, "%s.away", file);
    assert_int_equal(rename(file, away), 0);
    assert_int_equal(mkfifo(file, 0600), 0);
    char *why = log_reopen(); /* and does not wait for a reader */
    assert_non_null(why);
    free(why);
    log_close();
    assert_int_equal(rename(away, file), 0);
}

/* ---- a full disk ---- */

static void set_room(rlim_t bytes) {
    struct rlimit r;
    getrlimit(RLIMIT_FSIZE, &r);
    r.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &r);
}

static void what_finds_no_room_is_counted_and_told_when_there_is_some_again(void **state) {
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    double before = metric("taut_log_dropped_total ");
    open_log(file, LOG_TEXT);
    log_line(TAUT_LOG_INFO, "test", "first", TAUT_LIT("x"));
    has(file, "first");
    set_room(strlen(text) + 10); /* the next line does not fit as a whole */
    for (int i = 0; i < 5; i++) log_fmt(TAUT_LOG_DEBUG, "test", "lost", "number %d", i);
    while (log_out_waiting()) usleep(1000);
    set_room(RLIM_INFINITY);
    log_line(TAUT_LOG_INFO, "test", "again", TAUT_LIT("x"));
    has(file, " warn  log dropped: 5 lines were dropped: ");
    assert_int_equal(count(text, "lost"), 0);
    assert_non_null(strstr(text, "\n20")); /* what was cut off does not run into the next line */
    const char *again = strstr(text, "test again: x\n");
    assert_non_null(again);
    while (again > text && again[-1] != '\n') again--;
    assert_int_equal(strncmp(again, "20", 2), 0);
    assert_true(metric("taut_log_dropped_total ") - before == 5.0);
}

static void a_device_that_is_always_full_stops_nobody_and_is_named(void **state) {
    const char *why;
    (void)state;
    open_log("/dev/full", LOG_TEXT);
    int64_t began = clock_mono_us();
    for (int i = 0; i < 20000; i++) log_fmt(TAUT_LOG_DEBUG, "test", "lost", "number %d", i);
    assert_true(clock_mono_us() - began < 5000000);
    while (log_out_waiting()) usleep(1000);
    log_out_lost(&why);
    assert_string_equal(why, "the disk was full");
    log_close();
}

/* ---- a pipe that nobody reads ---- */

static void a_reader_that_does_not_read_costs_lines_and_no_time(void **state) {
    int ends[2], terminal = dup(STDERR_FILENO);
    static char read_back[1 << 20];
    size_t n = 0;
    (void)state;
    assert_int_equal(pipe(ends), 0);
    fcntl(ends[1], F_SETPIPE_SZ, 4096);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    double before = metric("taut_log_dropped_total ");
    open_log(NULL, LOG_TEXT);
    int64_t began = clock_mono_us();
    enum { MANY = 8000 }; /* more than pipe and ring hold */
    for (int i = 0; i < MANY; i++) log_fmt(TAUT_LOG_DEBUG, "test", "line", "number %d of a lot of lines", i);
    assert_true(clock_mono_us() - began < 5000000);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    read_back[0] = 0;
    for (int i = 0; i < 500 && !strstr(read_back, "lines were dropped: nothing read the log fast enough"); i++) {
        ssize_t got;
        while ((got = read(ends[0], read_back + n, sizeof read_back - 1 - n)) > 0) n += (size_t)got;
        read_back[n] = 0;
        usleep(10000);
    }
    log_close();
    dup2(terminal, STDERR_FILENO);
    close(terminal);
    close(ends[0]);
    int written = count(read_back, "number ");
    double dropped = metric("taut_log_dropped_total ") - before;
    assert_in_range(written, 1, MANY - 1);
    assert_true(dropped == MANY - written);
}

/* ---- rate ---- */

static void of_one_who_and_event_ten_lines_a_second_are_written_and_debugging_is_not_limited(void **state) {
    (void)state;
    double before = metric("taut_log_left_out_total ");
    open_log(file, LOG_JSON);
    for (int i = 0; i < 100; i++) {
        log_fmt(TAUT_LOG_WARN, "one", "burst", "%d", i);
        log_fmt(TAUT_LOG_WARN, "two", "burst", "%d", i);
        log_fmt(TAUT_LOG_DEBUG, "one", "detail", "%d", i);
    }
    has(file, "\"event\":\"burst\",\"text\":\"90 more such lines were left out\",\"count\":\"90\"");
    log_close();
    read_all(file);
    assert_int_equal(count(text, "\"module\":\"one\",\"event\":\"burst\""), 11);
    assert_int_equal(count(text, "\"module\":\"two\",\"event\":\"burst\""), 11);
    assert_int_equal(count(text, "\"event\":\"detail\""), 100);
    assert_true(metric("taut_log_left_out_total ") - before == 180.0);
}

static void warnings_and_errors_are_remembered_once_an_event_the_newest_first(void **state) {
    struct log_recent list[LOG_RECENT];
    (void)state;
    open_log(file, LOG_TEXT);
    log_line(TAUT_LOG_ERROR, "test", "older", TAUT_LIT("one"));
    for (int i = 0; i < 30; i++) log_fmt(TAUT_LOG_WARN, "test", "newer", "number %d", i);
    log_line(TAUT_LOG_INFO, "test", "not_worth_it", TAUT_LIT("x"));
    uint32_t n = log_recent(list);
    assert_true(n >= 2);
    assert_string_equal(list[0].event, "newer");
    assert_string_equal(list[0].text, "number 29");
    assert_int_equal(list[0].count, 30); /* those that were left out too */
    assert_string_equal(list[1].event, "older");
    for (uint32_t i = 0; i < n; i++) assert_string_not_equal(list[i].event, "not_worth_it");
}

/* ---- when all is lost ---- */

static void a_crash_writes_what_waits(void **state) {
    (void)state;
    open_log(file, LOG_TEXT);
    for (int i = 0; i < 50; i++) log_fmt(TAUT_LOG_DEBUG, "test", "last", "%d;", i);
    log_crash_drain();
    read_all(file);
    for (int i = 0; i < 50; i++) {
        char want[32];
        snprintf(want, sizeof want, "last: %d;\n", i);
        assert_non_null(strstr(text, want));
    }
}

int main(void) {
#define LOG_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        LOG_TEST(what_is_said_is_in_the_file_in_order_when_the_log_is_closed),
        LOG_TEST(a_file_that_cannot_be_opened_is_refused_with_the_reason),
        LOG_TEST(a_file_that_is_moved_away_and_reopened_loses_no_line),
        LOG_TEST(without_a_place_for_a_new_file_the_old_one_goes_on_and_says_so),
        LOG_TEST(a_pipe_that_nobody_reads_is_no_place_for_a_log),
        LOG_TEST(what_finds_no_room_is_counted_and_told_when_there_is_some_again),
        LOG_TEST(a_device_that_is_always_full_stops_nobody_and_is_named),
        LOG_TEST(a_reader_that_does_not_read_costs_lines_and_no_time),
        LOG_TEST(of_one_who_and_event_ten_lines_a_second_are_written_and_debugging_is_not_limited),
        LOG_TEST(warnings_and_errors_are_remembered_once_an_event_the_newest_first),
        LOG_TEST(a_crash_writes_what_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
