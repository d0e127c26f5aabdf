/* runner.c - the tests in their order, each run in a child, so that whatever a module does ends that run alone; and how
 * a run ended, as TAP. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "modtest.h"

enum { FAULTS_MAX = 5000, LOOK_MS = 20, SHOWN_LINES = 8 };

extern int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

/* One run: a life, or a test. */
struct run_plan {
    const struct settings *settings;
    const struct script *script;
    const struct test *test; /* NULL: only lives */
    uint32_t lives;
    uint32_t fault;
    bool only_open; /* is it a module? */
    bool only_load; /* is it configured rightly? */
};

struct tally {
    uint32_t n, passed, failed;
};

/* ---- in the child ---- */

static struct run_page *crash_page; /* for the signal handler */

static void say_where(void) {
    crumb_describe(crumb_here, crash_page->said, sizeof crash_page->said);
}
static void on_crash(int sig) {
    say_where();
    signal(sig, SIG_DFL);
    raise(sig);
}
/* It will be killed: it hangs. */
static void on_asked_where(int sig) {
    (void)sig;
    say_where();
}

static void catch_crashes(struct run_page *page) {
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    crash_page = page;
    signal(SIGUSR1, on_asked_where);
    if (__lsan_do_recoverable_leak_check) return; /* a sanitizer says more */
    for (size_t i = 0; i < COUNT_OF(signals); i++) signal(signals[i], on_crash);
}

static void take_steps(struct world *w) {
    for (uint32_t i = 0; w->test && i < w->test->n && !w->failed; i++) {
        const struct step *s = &w->test->steps[i];
        now_doing(w, s->value, "%s: %s", s->kind->name, s->value->kind == NODE_SCALAR ? s->value->text.ptr : "…");
        s->kind->run(w, s);
    }
}

/* After a refusal: whoever is asked still answers. */
static void ask_once_more(struct world *w) {
    for (uint32_t i = 0; w->test && i < w->test->n && !w->failed && fault_happened(); i++) {
        const struct step *s = &w->test->steps[i];
        if (!s->kind->asks || node_is_true(node_child(s->node, "pending"))) continue;
        now_doing(w, s->value, "%s again", s->kind->name);
        s->kind->run(w, s);
        return;
    }
}

/* What was logged may be why. */
static void show_warnings(const struct world *w) {
    const struct line *last[SHOWN_LINES];
    uint32_t n = 0;
    for (const struct line *l = notes_first(); l; l = l->next)
        if (l->level >= TAUT_LOG_WARN) last[n++ % SHOWN_LINES] = l;
    for (uint32_t i = n > SHOWN_LINES ? n - SHOWN_LINES : 0; i < n; i++) {
        const struct line *l = last[i % SHOWN_LINES];
        fprintf(w->report, "#   log: %s %s: %.*s\n", l->who, l->event, (int)l->text.len, l->text.ptr);
    }
}

/* What libuv opens once for the whole process is nobody's leftover. */
static void warm_up(void) {
    uv_loop_t loop;
    if (uv_loop_init(&loop) == 0) uv_loop_close(&loop);
}

static void live_once(const struct run_plan *p, struct run_page *page, FILE *report) {
    struct world w = {.settings = p->settings,
                      .script = p->script,
                      .test = p->test,
                      .page = page,
                      .report = report,
                      .fault = p->fault};
    struct descriptors before;
    notes_begin(&w, p->settings->verbose);
    now_doing(&w, NULL, "load");
    if (!world_load(&w, p->test ? p->test->options : NULL)) {
        for (uint32_t i = 0; i < w.config->errors.n; i++) fprintf(report, "# %s\n", w.config->errors.list[i].ptr);
        page->is_wrong = page->failed = true;
        return;
    }
    if (p->only_load) return;
    warm_up();
    descriptors_look(&before);
    uint32_t threads = thread_count();
    if (world_begin(&w)) {
        take_steps(&w);
        ask_once_more(&w);
    }
    world_end(&w);
    if (!w.hung) leftovers_after_loop(&w, &before, threads);
    page->failed |= w.failed;
    if (w.failed && !p->settings->verbose) show_warnings(&w);
    if (!w.hung) modules_free(w.modules);
    if (!w.hung) config_free(w.config);
    arena_free(&w.arena);
}

static void open_module(const struct run_plan *p, struct run_page *page, FILE *report) {
    char *why = NULL;
    snprintf(page->doing, sizeof page->doing, "load");
    struct loaded *l = loader_open(p->settings->module, &why);
    if (!l) fprintf(report, "# %s\n", why);
    page->failed = !l;
    loader_close(l);
    free(why);
}

_Noreturn static void be_child(const struct run_plan *p, struct run_page *page, int report_fd, int stderr_fd) {
    FILE *report = fdopen(report_fd, "w");
    dup2(stderr_fd, STDERR_FILENO);
    catch_crashes(page);
    if (p->only_open) open_module(p, page, report);
    for (uint32_t i = 0; i < p->lives && !page->failed; i++) live_once(p, page, report);
    if (!page->failed && !p->fault && __lsan_do_recoverable_leak_check && __lsan_do_recoverable_leak_check()) {
        fputs("# left over: memory that it took from malloc (LeakSanitizer)\n", report);
        page->failed = true;
    }
    fflush(report);
    page->ended = true;
    _exit(0);
}

/* ---- in the parent ---- */

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

static const char *line_at(const char *at) {
    return at ? xstrndup(at, strcspn(at, "\n")) : NULL;
}

/* What the core said as it stopped the process; what a sanitizer did. NULL: neither. */
static const char *panic_in(const char *said) {
    static const char mark[] = "taut: fatal: ";
    const char *at = strstr(said, mark);
    return line_at(at ? at + sizeof mark - 1 : NULL);
}
static const char *reason_in(const char *said) {
    const char *at = strstr(said, "ERROR: ");
    return line_at(at ? at : strstr(said, "runtime error: "));
}

/* How it ended that did not come to its end; why: what it said itself, or NULL. */
static void say_death(const struct run_plan *p, const struct run_page *page, bool hung, int status, const char *why,
                      FILE *to) {
    const char *in = page->said[0] ? ", in " : "";
    fputs("# ", to);
    if (page->line) fprintf(to, "%s:%u:%u: ", p->script->file, page->line, page->col);
    if (hung) fprintf(to, "hangs in \"%s\"%s%s\n", page->doing, in, page->said);
    else if (why) fprintf(to, "was stopped in \"%s\": %s\n", page->doing, why);
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
    struct run_page *page =
        mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int report_fd = memfd_create("report", 0), stderr_fd = memfd_create("stderr", 0), status = 0;
    if (page == MAP_FAILED || report_fd < 0 || stderr_fd < 0) panic("out of memory");
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) panic("fork: %s", strerror(errno));
    if (!pid) be_child(p, page, report_fd, stderr_fd);
    bool in_time = await_end(pid, page, p->settings->patience_ms, &status);
    char *said = read_all(stderr_fd), *lines = read_all(report_fd);
    size_t len;
    FILE *to = open_memstream(report, &len);
    fputs(lines, to);
    bool ok = page->ended && !page->failed;
    const char *why = panic_in(said);
    if ((!ok && !why) || p->settings->verbose) say_lines(said, to);
    if (!page->ended) say_death(p, page, !in_time, status, why ? why : reason_in(said), to);
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

/* The same again and again, each time with the next thing refused. */
static void run_faults(struct tally *t, struct run_plan p, uint32_t asked, const char *name) {
    struct run_page page;
    char *report = NULL, *title;
    bool ok = true;
    p.lives = 1;
    for (p.fault = 1; ok && p.fault <= asked && p.fault <= FAULTS_MAX; p.fault++) {
        free(report);
        ok = run_one(&p, &page, &report);
    }
    if (ok) title = xasprintf("%s, with each of its %u allocations failing in turn", name, asked);
    else title = xasprintf("%s, with its allocation %u of %u failing", name, p.fault - 1, asked);
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
        const struct run_plan p = {.settings = s, .script = script, .test = script->n ? &script->tests[i] : NULL, .lives = 1, .only_load = true};
        struct run_page page;
        char *report;
        (void)run_one(&p, &page, &report);
        ok = !page.is_wrong;
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
