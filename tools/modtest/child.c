/* child.c - a run, in a process of its own: lives of a module, in which the steps of a test are taken. What it has to
 * say it writes to the report, a line each, "# …"; how far it got stands in its page, which the parent reads however it
 * ends. */
#include <pthread.h>
#include <signal.h>

#include "run.h"

enum { SHOWN_LINES = 8 };

extern int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

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

/* On a stack of its own: the other one may be what is used up. */
static void catch_crashes(struct run_page *page) {
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    static char stack[64 * 1024];
    struct sigaction crash = {.sa_handler = on_crash, .sa_flags = SA_ONSTACK};
    crash_page = page;
    signal(SIGUSR1, on_asked_where);
    if (__lsan_do_recoverable_leak_check) return; /* a sanitizer says more */
    sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL);
    for (size_t i = 0; i < COUNT_OF(signals); i++) sigaction(signals[i], &crash, NULL);
}

static void take_steps(struct world *w) {
    for (uint32_t i = 0; w->test && i < w->test->n && w->runs && !w->failed; i++) {
        const struct step s = step_filled(w, &w->test->steps[i]);
        now_doing(w, s.value, "%s: %s", s.kind->name, s.value->kind == NODE_SCALAR ? s.value->text.ptr : "…");
        if (!w->failed) s.kind->run(w, &s);
    }
}

/* After a refusal: whoever is asked still answers. */
static void ask_once_more(struct world *w) {
    for (uint32_t i = 0; w->test && i < w->test->n && w->runs && !w->failed && fault_happened(); i++) {
        const struct step filled = step_filled(w, &w->test->steps[i]), *s = &filled;
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

/* A module may pass on what goes wrong so that no step sees it; the server's log would name it. */
static void find_fault(struct world *w) {
    const struct line *l = w->failed || !is_judged(w) ? NULL : notes_fault(w->module->name);
    if (l)
        fail_at(w, NULL, "the core found a fault: %s: %.*s; if that is meant, a step \"log: %s\" says so", l->event,
                (int)l->text.len, l->text.ptr, l->event);
}

static void *end_at_once(void *arg) {
    return arg;
}

/* What libuv opens once for the whole process, and the thread that a sanitizer adds to the first one, are nobody's
 * leftovers. */
static void warm_up(void) {
    uv_loop_t loop;
    pthread_t thread;
    if (uv_loop_init(&loop) == 0) uv_loop_close(&loop);
    if (pthread_create(&thread, NULL, end_at_once, NULL) == 0) pthread_join(thread, NULL);
}

static void forget(struct world *w) {
    modules_free(w->modules);
    config_free(w->config);
    arena_free(&w->arena);
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
    if (p->only_load) {
        for (uint32_t i = 0; i < w.config->warnings.n; i++) fprintf(report, "# %s\n", w.config->warnings.list[i].ptr);
        forget(&w);
        return;
    }
    warm_up();
    descriptors_look(&before);
    uint32_t threads = thread_count();
    if (world_begin(&w)) {
        take_steps(&w);
        ask_once_more(&w);
    }
    world_end(&w);
    find_fault(&w);
    if (!w.hung) leftovers_after_loop(&w, &before, threads);
    page->failed |= w.failed;
    if (w.failed && !p->settings->verbose) show_warnings(&w);
    if (!w.hung) forget(&w);
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

_Noreturn void run_in_child(const struct run_plan *p, struct run_page *page, int report_fd, int stderr_fd) {
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
