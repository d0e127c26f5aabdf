/* storage.c - the conformance suite for storage/1: what any provider promises, in or out of the tree. It knows the
 * provider by its module ABI alone. README.md says how to run it.
 *
 * Each test runs in a child process, so that a provider that crashes or hangs fails one test. Prints TAP.
 */
#define _GNU_SOURCE /* memmem */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "storage_suite.h"
#include "store_options.h"

enum { TEST_S = 120, OUTPUT_MAX = 16384 };

static const struct suite_part *const parts[] = {&values_part, &batches_part, &claims_part, &order_part,
                                                 &reads_part,  &log_part,     &life_part,   &model_part};

static struct {
    const char *so, *only;
    bool first; /* stop at the first failure */
    int run, failed, skipped;
} suite;

static const char usage[] =
    "usage: conformance_storage MODULE.so [--persistent] [--own-clock] [--option NAME=VALUE]… [--seed N] [--only "
    "WORD]\n"
    "                           [--first]\n"
    "  --persistent   what it acknowledges outlives the process: reopening, kills and migrations are tested too\n"
    "  --own-clock    it does not ask the host for the time: the end of claims cannot be tested\n"
    "  --option       instead of the module's default; {dir} in VALUE is the test's fresh directory\n"
    "  --seed         of the random tests; printed with each run\n"
    "  --only         only tests whose PART/NAME contains WORD\n"
    "  --first        stop at the first failure\n";

/* ---- one test ---- */

static int ended(const char *name, CMUnitTestFunction run) {
    const struct CMUnitTest one = {name, run, NULL, NULL, NULL};
    return _cmocka_run_group_tests("storage", &one, 1, NULL, NULL);
}

static void opening(void **state) {
    assert_int_equal(setup(state), 0);
}

static void closing(void **state) {
    teardown(state);
    if (host.breach[0]) fail_msg("the provider broke the contract: %s", host.breach);
}

/* In the child, whose output is the parent's to show. A test that failed has left the provider with batches that are
 * there no more: the process ends at once then. */
static void run_here(const struct suite_test *test) {
    if (!kit_load(suite.so)) exit(2);
    for (uint32_t i = 0; i < t.noptions; i++)
        if (!options_has(&t, t.options[i].name)) {
            fprintf(stderr, "the module has no option %s\n", t.options[i].name);
            exit(2);
        }
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    bool ok = !ended("opening", opening) && !ended(test->name, test->run) && !ended("closing", closing);
    fflush(NULL);
    if (!ok) _exit(1);
    exit(0);
}

/* Reads to the end of the child's output, or to the end of its time. */
static size_t read_all(int fd, pid_t child, char *out, size_t max) {
    size_t n = 0;
    char rest[1024];
    for (;;) {
        ssize_t got = read(fd, n < max ? out + n : rest, n < max ? max - n : sizeof rest);
        if (got < 0 && errno == EINTR) {
            kill(child, SIGKILL);
            continue;
        }
        if (got <= 0) return n;
        if (n < max) n += (size_t)got;
    }
}

static void on_alarm(int sig) {
    (void)sig;
}

/* What a failure said, without the frame that is printed around each test. */
static bool is_news(const char *line, size_t len) {
    if (!len || memmem(line, len, "FAILED TEST", 11)) return false;
    return line[0] != '[' || memmem(line, len, "ERROR", 5) || memmem(line, len, "LINE", 4);
}

static void print_output(const char *out, size_t n) {
    const char *end = out + n;
    while (out < end) {
        const char *eol = memchr(out, '\n', (size_t)(end - out));
        size_t len = eol ? (size_t)(eol - out) : (size_t)(end - out);
        if (is_news(out, len)) printf("#   %.*s\n", (int)len, out);
        out += len + 1;
    }
}

static void run_one(const struct suite_part *part, const struct suite_test *test) {
    static char out[OUTPUT_MAX];
    int fds[2], status = 0;
    fflush(stdout);
    if (pipe(fds) != 0) exit(2);
    pid_t child = fork();
    if (child == 0) {
        dup2(fds[1], 1);
        dup2(fds[1], 2);
        close(fds[0]);
        close(fds[1]);
        run_here(test);
    }
    close(fds[1]);
    alarm(TEST_S);
    size_t n = read_all(fds[0], child, out, sizeof out);
    alarm(0);
    close(fds[0]);
    waitpid(child, &status, 0);
    bool ok = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    suite.failed += !ok;
    printf("%s %d - %s/%s", ok ? "ok" : "not ok", ++suite.run, part->name, test->name);
    if (WIFSIGNALED(status)) printf(" # signal %d after at most %d s", WTERMSIG(status), TEST_S);
    else if (!ok) printf(" # exit code %d", WEXITSTATUS(status));
    printf("\n");
    if (!ok) print_output(out, n);
}

/* ---- all of them ---- */

static bool is_wanted(const struct suite_part *part, const struct suite_test *test) {
    char name[256];
    snprintf(name, sizeof name, "%s/%s", part->name, test->name);
    return !suite.only || strstr(name, suite.only);
}

static const char *why_not(const struct suite_test *test) {
    if (test->needs & NEEDS_PERSISTENCE && !t.persistent) return "it persists nothing";
    if (test->needs & NEEDS_HOST_CLOCK && t.own_clock) return "it has a clock of its own";
    return NULL;
}

static void run_part(const struct suite_part *part) {
    for (size_t i = 0; i < part->n && !(suite.first && suite.failed); i++) {
        const struct suite_test *test = &part->tests[i];
        const char *why = why_not(test);
        if (!is_wanted(part, test)) continue;
        suite.skipped += why != NULL;
        if (why) printf("# skipped: %s/%s: %s\n", part->name, test->name, why);
        else run_one(part, test);
    }
}

static void add_option(char *text) {
    char *equals = strchr(text, '=');
    if (!equals) {
        fputs(usage, stderr);
        exit(2);
    }
    *equals = 0;
    kit_option(text, equals + 1);
    kit_keep_options();
}

static void read_args(int argc, char **argv) {
    t.seed = (uint32_t)time(NULL);
    for (int i = 1; i < argc; i++) {
        const char *next = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--persistent") == 0) t.persistent = true;
        else if (strcmp(argv[i], "--own-clock") == 0) t.own_clock = true;
        else if (strcmp(argv[i], "--first") == 0) suite.first = true;
        else if (strcmp(argv[i], "--option") == 0 && next) add_option(argv[++i]);
        else if (strcmp(argv[i], "--seed") == 0 && next) t.seed = (uint32_t)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--only") == 0 && next) suite.only = argv[++i];
        else if (argv[i][0] != '-' && !suite.so) suite.so = argv[i];
        else suite.so = NULL, i = argc;
    }
    if (suite.so) return;
    fputs(usage, stderr);
    exit(2);
}

int main(int argc, char **argv) {
    read_args(argc, argv);
    struct sigaction alarmed = {.sa_handler = on_alarm}; /* interrupts the read */
    sigaction(SIGALRM, &alarmed, NULL);
    printf("# %s, seed %u\n", suite.so, t.seed);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) run_part(parts[i]);
    printf("1..%d\n", suite.run);
    printf("# %d failed, %d skipped\n", suite.failed, suite.skipped);
    return suite.failed || !suite.run;
}
