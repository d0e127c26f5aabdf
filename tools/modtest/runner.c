/* runner.c - the tests in their order, each run in a child, so that whatever a module does ends that run alone; and how
 * a run ended, as TAP. */
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"

enum { FAULTS_MAX = 5000, LOOK_MS = 20, SHOWN_LINES = 8 };

struct tally {
    uint32_t n, passed, failed;
};

/* Waits; kills one that does nothing for too long. */
static bool await_end(pid_t pid, const struct run_page *page, int64_t patience_ms, int *status) {
    uint32_t beats = 0;
    int64_t since = clock_real_ms();
    while (waitpid(pid, status, WNOHANG) == 0) {
        uint32_t now = atomic_load(&page->beats);
        if (now != beats) since = clock_real_ms();
        beats = now;
        if (clock_real_ms() - since > patience_ms) {
            kill(pid, SIGUSR1);
            poll(NULL, 0, LOOK_MS);
            kill(pid, SIGKILL);
            waitpid(pid, status, 0);
            return false;
        }
        poll(NULL, 0, clock_real_ms() - since < 50 ? 1 : LOOK_MS);
    }
    return true;
}

static char *read_all(int fd) {
    off_t n = lseek(fd, 0, SEEK_END);
    char *text = xcalloc(1, (size_t)(n < 0 ? 0 : n) + 1);
    if (n > 0 && pread(fd, text, (size_t)n, 0) < n) text[0] = 0;
    return text;
}

static taut_str line_at(const char *at) {
    return at ? taut_str_n(at, strcspn(at, "\n")) : TAUT_NONE;
}

/* What the core said as it stopped the process; what a sanitizer did. Empty: neither. */
static taut_str panic_in(const char *said) {
    static const char mark[] = "taut: fatal: ";
    const char *at = strstr(said, mark);
    return line_at(at ? at + sizeof mark - 1 : NULL);
}
static taut_str reason_in(const char *said) {
    const char *at = strstr(said, "ERROR: ");
    return line_at(at ? at : strstr(said, "runtime error: "));
}

/* How it ended that did not come to its end; why: what it said itself, or empty. */
static void say_death(const struct run_plan *p, const struct run_page *page, bool hung, int status, taut_str why,
                      FILE *to) {
    const char *in = page->said[0] ? ", in " : "";
    fputs("# ", to);
    if (page->line) fprintf(to, "%s:%u:%u: ", p->script->file, page->line, page->col);
    if (hung) fprintf(to, "hangs in \"%s\"%s%s\n", page->doing, in, page->said);
    else if (why.len) fprintf(to, "was stopped in \"%s\": %.*s\n", page->doing, (int)why.len, why.ptr);
    else if (WIFSIGNALED(status))
        fprintf(to, "crashed in \"%s\": %s%s%s\n", page->doing, strsignal(WTERMSIG(status)), in, page->said);
    else fprintf(to, "ended the process in \"%s\"\n", page->doing);
}

static void say_lines(const char *text, FILE *to) {
    uint32_t n = 0;
    for (const char *at = text; *at && n < SHOWN_LINES; n++) {
        size_t len = strcspn(at, "\n");
        fprintf(to, "#   %.*s\n", (int)len, at);
        at += len + (at[len] == '\n');
    }
}

/* Runs it. True: passed. What it has to say goes to *report, malloc'ed; *page: what was counted. */
static bool run_one(const struct run_plan *p, struct run_page *out, char **report) {
    struct run_page *page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int report_fd = memfd_create("report", 0), stderr_fd = memfd_create("stderr", 0), status = 0;
    if (page == MAP_FAILED || report_fd < 0 || stderr_fd < 0) panic("out of memory");
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) panic("fork: %s", strerror(errno));
    if (!pid) run_in_child(p, page, report_fd, stderr_fd);
    bool in_time = await_end(pid, page, p->settings->patience_ms, &status);
    char *said = read_all(stderr_fd), *lines = read_all(report_fd);
    size_t len;
    FILE *to = open_memstream(report, &len);
    fputs(lines, to);
    bool ok = page->ended && !page->failed;
    taut_str why = panic_in(said);
    if ((!ok && !why.len) || p->settings->verbose) say_lines(said, to);
    if (!page->ended) say_death(p, page, !in_time, status, why.len ? why : reason_in(said), to);
    fclose(to);
    *out = *page;
    free(said);
    free(lines);
    close(report_fd);
    close(stderr_fd);
    munmap(page, sizeof *page);
    return ok;
}

static void tell(struct tally *t, bool ok, const char *name, const char *report) {
    printf("%s %u - %s\n%s", ok ? "ok" : "not ok", ++t->n, name, report);
    fflush(stdout);
    *(ok ? &t->passed : &t->failed) += 1;
}

static char *faults_title(const char *name, bool ok, uint32_t failed_at, uint32_t asked) {
    if (!ok) return xasprintf("%s, with its allocation %u of %u failing", name, failed_at, asked);
    if (asked <= FAULTS_MAX) return xasprintf("%s, with each of its %u allocations failing in turn", name, asked);
    return xasprintf("%s, with each of the first %u of its %u allocations failing in turn", name, FAULTS_MAX, asked);
}

/* The same again and again, each time with the next thing refused. */
static void run_faults(struct tally *t, struct run_plan p, uint32_t asked, const char *name) {
    struct run_page page;
    char *report = NULL;
    bool ok = true;
    p.lives = 1;
    for (p.fault = 1; ok && p.fault <= asked && p.fault <= FAULTS_MAX; p.fault++) {
        free(report);
        ok = run_one(&p, &page, &report);
    }
    char *title = faults_title(name, ok, p.fault - 1, asked);
    tell(t, ok, title, report);
    free(title);
    free(report);
}

/* False: it failed. */
static bool run_plan(struct tally *t, const struct run_plan *p, const char *name, bool faults) {
    struct run_page page;
    char *report;
    bool ok = run_one(p, &page, &report);
    tell(t, ok, name, report);
    free(report);
    if (ok && faults && page.asked) run_faults(t, *p, page.asked, name);
    return ok;
}

/* Is everything right that can be known before a life begins? Printed if not. */
static bool is_loadable(const struct settings *s, const struct script *script) {
    bool ok = true;
    for (uint32_t i = 0; ok && i < (script->n ? script->n : 1); i++) {
        const struct run_plan p = {.settings = s,
                                   .script = script,
                                   .test = script->n ? &script->tests[i] : NULL,
                                   .lives = 1,
                                   .only_load = true};
        struct run_page page;
        char *report;
        (void)run_one(&p, &page, &report);
        ok = !page.is_wrong;
        if (ok && !i) fputs(report, stdout); /* warnings */
        for (char *at = report; !ok && *at;) {
            size_t n = strcspn(at, "\n");
            fprintf(stderr, "%.*s\n", (int)n - 2, at + 2);
            at += n + (at[n] == '\n');
        }
        free(report);
    }
    return ok;
}

static bool is_wanted(const struct test *test, const char *only) {
    return !only || strstr(test->name, only);
}

static bool is_any_wanted(struct script *const *scripts, uint32_t n, const char *only) {
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < scripts[i]->n; k++)
            if (is_wanted(&scripts[i]->tests[k], only)) return true;
    return !only;
}

static bool run_module(struct tally *t, const struct run_plan *p, const char *what, bool faults) {
    char *name = xasprintf("%s %s", p->settings->name, what);
    bool ok = run_plan(t, p, name, faults);
    free(name);
    return ok;
}

static void run_script(struct tally *t, const struct settings *s, const struct script *script, const char *only,
                       bool faults) {
    for (uint32_t i = 0; i < script->n; i++) {
        const struct run_plan p = {.settings = s, .script = script, .test = &script->tests[i], .lives = 1};
        if (is_wanted(p.test, only)) run_plan(t, &p, p.test->name, faults);
    }
}

int run_all(const struct settings *s, struct script *const *scripts, uint32_t n, const char *only, bool faults) {
    struct tally t = {0};
    if (!is_any_wanted(scripts, n, only)) {
        fprintf(stderr, "taut-modtest: no test has \"%s\" in its name\n", only);
        return EXIT_WRONG;
    }
    struct script *none = script_none();
    const struct run_plan module = {.settings = s, .script = none, .only_open = true};
    const struct run_plan life = {.settings = s, .script = n ? scripts[0] : none, .lives = 2};
    bool right = true, opens = run_module(&t, &module, "is a module", false);
    for (uint32_t i = 0; i < n && opens && right; i++) right = is_loadable(s, scripts[i]);
    if (opens && right && !only) run_module(&t, &life, "begins and ends, twice", faults);
    for (uint32_t i = 0; i < n && opens && right; i++) run_script(&t, s, scripts[i], only, faults);
    config_free(none->config);
    if (!right) return EXIT_WRONG;
    printf("1..%u\n%u passed, %u failed\n", t.n, t.passed, t.failed);
    return t.failed ? EXIT_FAILED : EXIT_SUCCESS;
}
