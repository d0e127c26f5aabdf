/* descriptors.c - the limit of open files of this process. */
#include <errno.h>
#include <sys/resource.h>

#include "cli/internal.h"
#include "obs/log.h"

bool descriptors_set(const struct cli *cli, int64_t want, int64_t *now) {
    struct rlimit r;
    getrlimit(RLIMIT_NOFILE, &r);
    int64_t hard = r.rlim_max == RLIM_INFINITY ? INT64_MAX : (int64_t)r.rlim_max;
    if (hard < DESCRIPTORS_MIN) {
        fprintf(stderr,
                "taut %s: only %lld files may be open, and it needs %d at least; raise the limit: ulimit -n %lld\n",
                cli->command->name, (long long)hard, DESCRIPTORS_MIN, (long long)want);
        return false;
    }
    rlim_t before = r.rlim_cur;
    r.rlim_cur = (rlim_t)(want < hard ? want : hard);
    if (setrlimit(RLIMIT_NOFILE, &r) != 0) {
        log_fmt(TAUT_LOG_WARN, "server", "descriptors", "the limit of open files stays: %s", strerror(errno));
        r.rlim_cur = before;
    }
    *now = (int64_t)r.rlim_cur;
    return true;
}
