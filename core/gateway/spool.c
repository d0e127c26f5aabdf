/* spool.c - files without names in one directory, and the count of what they hold. A file that has no name from the
 * start goes with its last descriptor, whatever becomes of the server; where the file system has none of that kind, one
 * with a name is made and loses it at once. */
#define _GNU_SOURCE
#include "gateway/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct spool {
    int dir;
    int64_t max_bytes, max_files;
    struct spool_stats have;
};

static void empty(int dir) {
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (!d && fd >= 0) close(fd);
    for (const struct dirent *e; d && (e = readdir(d));) unlinkat(dir, e->d_name, 0); /* . and .. refuse */
    if (d) closedir(d);
}

struct spool *spool_open(const char *data, int64_t max_bytes, int64_t max_files, char **why) {
    char *path = xasprintf("%s/tmp", data);
    int dir =
        mkdir(path, 0700) == 0 || errno == EEXIST ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW) : -1;
    if (dir < 0)
        *why = xasprintf("%s: uploads cannot be kept there: %s; look at its owner and mode", path, strerror(errno));
    free(path);
    if (dir < 0) return NULL;
    empty(dir);
    struct spool *s = xcalloc(1, sizeof *s);
    s->dir = dir;
    s->max_bytes = max_bytes;
    s->max_files = max_files;
    return s;
}

void spool_close(struct spool *s) {
    if (!s) return;
    close(s->dir);
    free(s);
}

int64_t spool_max_bytes(const struct spool *s) {
    return s->max_bytes;
}

const struct spool_stats *spool_stats(const struct spool *s) {
    return &s->have;
}

static bool take(atomic_llong *have, int64_t n, int64_t max) {
    if (atomic_fetch_add(have, n) + n <= max) return true;
    atomic_fetch_sub(have, n);
    return false;
}

static bool take_both(struct spool *s, uint64_t bytes, uint32_t files) {
    if (bytes > (uint64_t)s->max_bytes || !take(&s->have.bytes, (int64_t)bytes, s->max_bytes)) return false;
    if (!files || take(&s->have.files, files, s->max_files)) return true;
    atomic_fetch_sub(&s->have.bytes, (int64_t)bytes);
    return false;
}

bool spool_take(struct spool *s, uint64_t bytes, uint32_t files) {
    if (take_both(s, bytes, files)) return true;
    atomic_fetch_add_explicit(&s->have.refused, 1, memory_order_relaxed);
    return false;
}

void spool_give_back(struct spool *s, uint64_t bytes, uint32_t files) {
    atomic_fetch_sub(&s->have.bytes, (int64_t)bytes);
    atomic_fetch_sub(&s->have.files, files);
}

int spool_file(struct spool *s) {
    int fd = openat(s->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL && errno != ENOENT)) return fd;
    char name[32];
    snprintf(name, sizeof name, "body-%016llx", (unsigned long long)random_u64());
    fd = openat(s->dir, name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0) unlinkat(s->dir, name, 0);
    return fd;
}
