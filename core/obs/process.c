/* process.c - metrics of the process itself, read from the kernel each time somebody asks. */
#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "obs/metrics.h"

static int64_t started_us; /* set once, by metrics_add_process */

static double read_memory(const void *arg) {
    (void)arg;
    long long pages = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (!f) return 0;
    if (fscanf(f, "%lld %lld", &pages, &resident) != 2) resident = 0;
    fclose(f);
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static double read_cpu_seconds(const void *arg) {
    (void)arg;
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static double read_open_fds(const void *arg) {
    (void)arg;
    int n = 0;
    DIR *d = opendir("/proc/self/fd");
    if (!d) return 0;
    for (struct dirent *e; (e = readdir(d));) n += e->d_name[0] != '.';
    closedir(d);
    return n - 1; /* not the directory's own */
}

static double read_max_fds(const void *arg) {
    (void)arg;
    struct rlimit r;
    getrlimit(RLIMIT_NOFILE, &r);
    return (double)r.rlim_cur;
}

static double read_uptime(const void *arg) {
    (void)arg;
    return (double)(clock_mono_us() - started_us) / 1e6;
}

void metrics_add_process(struct metrics *m) {
    static const struct metric list[] = {
        {"process_resident_memory_bytes", NULL, "Memory of the process that is in RAM.", METRIC_GAUGE, read_memory,
         NULL},
        {"process_cpu_seconds_total", NULL, "User and system CPU time.", METRIC_COUNTER, read_cpu_seconds, NULL},
        {"process_open_fds", NULL, "Open file descriptors.", METRIC_GAUGE, read_open_fds, NULL},
        {"process_max_fds", NULL, "Limit of open file descriptors.", METRIC_GAUGE, read_max_fds, NULL},
        {"taut_uptime_seconds", NULL, "Time since the server started.", METRIC_GAUGE, read_uptime, NULL},
    };
    started_us = clock_mono_us();
    for (size_t i = 0; i < COUNT_OF(list); i++) metrics_add(m, &list[i]);
}
