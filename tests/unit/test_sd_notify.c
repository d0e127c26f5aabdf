/* test_sd_notify.c - what a service manager is told, on a socket of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/sd_notify.h"

static int manager = -1;
static char name[64];

/* abstract: a name without a file. */
static void listen_at(bool abstract) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(name, sizeof name, "%ctmp/taut-notify-%ld", abstract ? '@' : '/', (long)getpid());
    memcpy(at.sun_path, name, strlen(name) + 1);
    if (abstract) at.sun_path[0] = 0;
    else unlink(name);
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(
        bind(manager, (struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))), 0);
    setenv("NOTIFY_SOCKET", name, 1);
}

static int end(void **state) {
    (void)state;
    if (manager >= 0) close(manager);
    manager = -1;
    if (name[0] == '/') unlink(name);
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    sd_notify_begin();
    return 0;
}

/* The next datagram, or "". */
static const char *told(void) {
    static char text[4096];
    ssize_t n = recv(manager, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = 0;
    return text;
}

static void ready_arrives_as_it_was_said(void **state) {
    (void)state;
    listen_at(false);
    sd_notify_begin();
    sd_notify("READY=1\nSTATUS=all is well");
    assert_string_equal(told(), "READY=1\nSTATUS=all is well");
    assert_string_equal(told(), "");
}

static void an_abstract_socket_is_found_too(void **state) {
    (void)state;
    listen_at(true);
    sd_notify_begin();
    sd_notify("READY=1");
    assert_string_equal(told(), "READY=1");
}

static void a_reload_begins_with_the_monotonic_clock(void **state) {
    long long at = 0;
    (void)state;
    listen_at(false);
    sd_notify_begin();
    int64_t before = clock_mono_us();
    sd_notify_reloading();
    assert_int_equal(sscanf(told(), "RELOADING=1\nMONOTONIC_USEC=%lld", &at), 1);
    assert_in_range(at, before, clock_mono_us());
}

static void the_watchdog_is_fed_only_when_somebody_waits_for_it(void **state) {
    char pid[24];
    (void)state;
    listen_at(false);
    sd_notify_begin();
    sd_notify_alive();
    assert_int_equal(sd_watchdog_us(), 0);
    assert_string_equal(told(), "");

    setenv("NOTIFY_SOCKET", name, 1);
    setenv("WATCHDOG_USEC", "30000000", 1);
    snprintf(pid, sizeof pid, "%ld", (long)getpid());
    setenv("WATCHDOG_PID", pid, 1);
    sd_notify_begin();
    sd_notify_alive();
    assert_int_equal(sd_watchdog_us(), 30000000);
    assert_string_equal(told(), "WATCHDOG=1");

    setenv("NOTIFY_SOCKET", name, 1);
    setenv("WATCHDOG_USEC", "30000000", 1);
    setenv("WATCHDOG_PID", "1", 1); /* it waits for another process */
    sd_notify_begin();
    sd_notify_alive();
    assert_string_equal(told(), "");
}

static void children_do_not_inherit_it(void **state) {
    (void)state;
    listen_at(false);
    setenv("WATCHDOG_USEC", "1", 1);
    setenv("WATCHDOG_PID", "1", 1);
    sd_notify_begin();
    assert_null(getenv("NOTIFY_SOCKET"));
    assert_null(getenv("WATCHDOG_USEC"));
    assert_null(getenv("WATCHDOG_PID"));
}

static void without_a_manager_or_with_one_that_is_gone_nothing_happens(void **state) {
    char path[300];
    (void)state;
    sd_notify_begin();
    sd_notify("READY=1");
    setenv("NOTIFY_SOCKET", "/tmp/taut-no-such-socket", 1);
    sd_notify_begin();
    sd_notify("READY=1");
    setenv("NOTIFY_SOCKET", "not/absolute", 1);
    sd_notify_begin();
    sd_notify("READY=1");
    memset(path, 'x', sizeof path - 1);
    path[0] = '/';
    path[sizeof path - 1] = 0;
    setenv("NOTIFY_SOCKET", path, 1);
    sd_notify_begin();
    sd_notify("READY=1");
    sd_notify_alive();
    assert_int_equal(sd_watchdog_us(), 0);
}

static void a_manager_that_does_not_read_holds_nobody_up(void **state) {
    (void)state;
    listen_at(false);
    sd_notify_begin();
    int64_t began = clock_mono_us();
    for (int i = 0; i < 20000; i++) sd_notify("STATUS=again");
    assert_true(clock_mono_us() - began < 5000000);
}

int main(void) {
#define SD_TEST(f) cmocka_unit_test_teardown(f, end)
    const struct CMUnitTest tests[] = {
        SD_TEST(ready_arrives_as_it_was_said),
        SD_TEST(an_abstract_socket_is_found_too),
        SD_TEST(a_reload_begins_with_the_monotonic_clock),
        SD_TEST(the_watchdog_is_fed_only_when_somebody_waits_for_it),
        SD_TEST(children_do_not_inherit_it),
        SD_TEST(without_a_manager_or_with_one_that_is_gone_nothing_happens),
        SD_TEST(a_manager_that_does_not_read_holds_nobody_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
