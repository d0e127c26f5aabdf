/* crash.c - see crash.h. The handler calls only what a signal handler may: everything that it needs was made before.
 *
 * Another thread may crash while this one reports: the second one waits until the process has ended. */
#define _GNU_SOURCE /* dl_iterate_phdr */
#include "obs/crash.h"

#include <dirent.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "obs/crumb.h"
#include "obs/log.h"

enum { MODULES_MAX = 4096, BUILD_ID_MAX = 41, FRAMES_MAX = 64, LINE_MAX_BYTES = 256, PREFIX = 6 };

static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
static struct sigaction before[COUNT_OF(signals)];

static struct {
    _Atomic int dir_fd; /* -1: none */
    bool installed;
    char version[64], modules[MODULES_MAX], build_id[BUILD_ID_MAX];
    atomic_flag reporting;
} self = {.dir_fd = -1, .reporting = ATOMIC_FLAG_INIT};

/* ---- text without stdio ---- */

struct text {
    char at[LINE_MAX_BYTES];
    size_t n;
};

static void add(struct text *t, const char *z) {
    while (*z && t->n < sizeof t->at) t->at[t->n++] = *z++;
}

static void add_number(struct text *t, uint64_t v, unsigned base, unsigned digits) {
    char out[24], *p = out + sizeof out - 1;
    *p = 0;
    do *--p = "0123456789abcdef"[v % base], v /= base;
    while (v || (size_t)(out + sizeof out - 1 - p) < digits);
    add(t, p);
}

/* "20260131T120000Z". gmtime_r may take a lock; this counts eras of 400 years that begin in March. */
static void add_time(struct text *t) {
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    int64_t s = ts.tv_sec, z = s / 86400 + 719468, era = z / 146097, doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153, month = mp < 10 ? mp + 3 : mp - 9;
    add_number(t, (uint64_t)(yoe + era * 400 + (month <= 2)), 10, 4);
    add_number(t, (uint64_t)month, 10, 2);
    add_number(t, (uint64_t)(doy - (153 * mp + 2) / 5 + 1), 10, 2);
    add(t, "T");
    add_number(t, (uint64_t)(s % 86400 / 3600), 10, 2);
    add_number(t, (uint64_t)(s % 3600 / 60), 10, 2);
    add_number(t, (uint64_t)(s % 60), 10, 2);
    add(t, "Z");
}

static void put(int fd, const struct text *t) {
    for (size_t at = 0; fd >= 0 && at < t->n;) {
        ssize_t n = write(fd, t->at + at, t->n - at);
        if (n <= 0) return;
        at += (size_t)n;
    }
}

static void put_z(int fd, const char *z) {
    for (size_t n = strlen(z); fd >= 0 && n;) {
        ssize_t done = write(fd, z, n);
        if (done <= 0) return;
        z += done, n -= (size_t)done;
    }
}

/* ---- the report ---- */

static const char *signal_name(int number) {
    static const char *const names[] = {"SIGSEGV", "SIGBUS", "SIGABRT", "SIGFPE", "SIGILL"};
    for (size_t i = 0; i < COUNT_OF(signals); i++)
        if (signals[i] == number) return names[i];
    return "signal";
}

static void add_thread(struct text *t) {
    char name[17] = "";
    prctl(PR_GET_NAME, name, 0, 0, 0);
    add(t, crumb_here ? crumb_here->name : name);
    add(t, " (");
    add_number(t, (uint64_t)syscall(SYS_gettid), 10, 1);
    add(t, ")");
}

static void add_running(struct text *t, const struct crumb_thread *thread) {
    char what[160];
    if (!thread) add(t, "not known");
    else add(t, crumb_describe(thread, what, sizeof what) ? what : "no callback of a module");
}

/* A fault has an address; a signal that was sent has a sender, who is named unless it is abort() of our own. */
static void add_origin(struct text *t, const siginfo_t *info) {
    bool was_sent = info->si_code <= 0;
    if (was_sent && info->si_pid == getpid()) return;
    add(t, was_sent ? " sent by process " : " at address 0x");
    add_number(t, was_sent ? (uintptr_t)info->si_pid : (uintptr_t)info->si_addr, was_sent ? 10 : 16, 1);
}

static void write_report(int fd, int number, const siginfo_t *info) {
    struct text t = {.n = 0};
    void *frames[FRAMES_MAX];
    add(&t, "\ntaut: crash: ");
    add(&t, signal_name(number));
    add_origin(&t, info);
    add(&t, "\nversion: ");
    add(&t, self.version);
    add(&t, ", build ");
    add(&t, self.build_id);
    add(&t, "\ntime: ");
    add_time(&t);
    put(fd, &t);
    t.n = 0;
    if (panic_text[0]) {
        put_z(fd, "\npanic: ");
        put_z(fd, panic_text);
    }
    add(&t, "\nthread: ");
    add_thread(&t);
    add(&t, "\nrunning in this thread: ");
    add_running(&t, crumb_here);
    add(&t, "\nrunning in the hub: ");
    add_running(&t, crumb_thread_find("hub"));
    put(fd, &t);
    put_z(fd, "\nmodules:\n");
    put_z(fd, self.modules);
    put_z(fd, "backtrace:\n");
    int n = backtrace(frames, FRAMES_MAX);
    if (fd >= 0) backtrace_symbols_fd(frames, n, fd);
    put_z(fd, "\n");
}

static int open_file(struct text *name) {
    if (self.dir_fd < 0) return -1;
    name->n = 0;
    add(name, "crash-");
    add_time(name);
    add(name, ".txt");
    name->at[name->n] = 0;
    return openat(self.dir_fd, name->at, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

static void on_signal(int number, siginfo_t *info, void *context) {
    struct text name = {.n = 0};
    (void)context;
    if (atomic_flag_test_and_set(&self.reporting))
        for (;;) pause();
    for (size_t i = 0; i < COUNT_OF(signals); i++) sigaction(signals[i], &before[i], NULL); /* also for us */
    log_crash_drain();
    int fd = open_file(&name);
    write_report(STDERR_FILENO, number, info);
    write_report(fd, number, info);
    if (fd >= 0) {
        put_z(STDERR_FILENO, "taut: this report is also in the data directory, in ");
        put_z(STDERR_FILENO, name.at);
        put_z(STDERR_FILENO, "\n");
        close(fd);
    }
    if (info->si_code <= 0) raise(number); /* it was sent; else the fault comes again, and ends the process */
}

/* ---- before ---- */

static int find_build_id(struct dl_phdr_info *info, size_t size, void *arg) {
    (void)size, (void)arg;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
        if (ph->p_type != PT_NOTE) continue;
        const char *at = (const char *)(info->dlpi_addr + ph->p_vaddr), *end = at + ph->p_memsz;
        while (at + sizeof(ElfW(Nhdr)) <= end) {
            ElfW(Nhdr) head;
            memcpy(&head, at, sizeof head);
            const char *name = at + sizeof head, *desc = name + ((head.n_namesz + 3) & ~3u);
            if (head.n_type == NT_GNU_BUILD_ID && head.n_namesz == 4 && !memcmp(name, "GNU", 4))
                for (uint32_t k = 0; k < head.n_descsz && 2 * k + 2 < BUILD_ID_MAX; k++)
                    snprintf(self.build_id + 2 * k, 3, "%02x", (unsigned char)desc[k]);
            at = desc + ((head.n_descsz + 3) & ~3u);
        }
    }
    return 1; /* the first is the program */
}

static void install(void) {
    void *frames[4];
    snprintf(self.build_id, sizeof self.build_id, "unknown");
    dl_iterate_phdr(find_build_id, NULL);
    backtrace(frames, COUNT_OF(frames)); /* loads what it needs now, not in the handler */
    struct sigaction sa = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&sa.sa_mask);
    for (size_t i = 0; i < COUNT_OF(signals); i++) sigaction(signals[i], &sa, &before[i]);
    self.installed = true;
}

void crash_begin(const struct crash_info *info) {
    snprintf(self.version, sizeof self.version, "%s", info->version);
    snprintf(self.modules, sizeof self.modules, "%s", info->modules);
    self.dir_fd = info->dir_fd;
    if (!self.installed) install();
}

void crash_end(void) {
    self.dir_fd = -1;
    self.modules[0] = 0;
}

/* ---- after ---- */

char *crash_newest(int dir_fd, uint32_t *n) {
    char newest[NAME_MAX + 1] = "";
    int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    *n = 0;
    if (!d && fd >= 0) close(fd);
    for (struct dirent *e; d && (e = readdir(d));) {
        if (strncmp(e->d_name, "crash-", PREFIX) != 0) continue;
        ++*n;
        if (strcmp(e->d_name, newest) > 0) snprintf(newest, sizeof newest, "%s", e->d_name);
    }
    if (d) closedir(d);
    return *n ? xstrdup(newest) : NULL;
}
