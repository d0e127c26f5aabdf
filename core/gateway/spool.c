/* spool.c - files without names in one directory, and the count of what they hold. A file that has no name from the
 * start goes with its last descriptor, whatever becomes of the server; where the file system has none of that kind, one
 * with a name is made and loses it at once. */
#define _GNU_SOURCE
#include "gateway/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct holder {
    uint64_t whose;
    int64_t bytes, files;
};
struct spool {
    int dir;
    int64_t max_bytes, max_files;
    pthread_mutex_t lock; /* of what follows, though metrics read `have` without */
    struct spool_stats have;
    struct holder *holders; /* max_files of them: whoever holds anything holds a file */
    int64_t nholders;
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
    s->holders = xcalloc((size_t)max_files, sizeof *s->holders);
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

void spool_close(struct spool *s) {
    if (!s) return;
    close(s->dir);
    pthread_mutex_destroy(&s->lock);
    free(s->holders);
    free(s);
}

const struct spool_stats *spool_stats(const struct spool *s) {
    return &s->have;
}

/* ---- the bound ---- */

static struct holder *holder_of(struct spool *s, uint64_t whose) {
    int64_t i = 0;
    while (i < s->nholders && s->holders[i].whose != whose) i++;
    return i < s->nholders ? &s->holders[i] : NULL;
}

static struct holder *holder_add(struct spool *s, uint64_t whose) {
    ENSURE(s->nholders < s->max_files); /* each has a file */
    s->holders[s->nholders] = (struct holder){.whose = whose};
    return &s->holders[s->nholders++];
}

uint64_t spool_most(const struct spool *s, uint64_t whose) {
    return (uint64_t)(whose ? s->max_bytes / 2 : s->max_bytes);
}

static enum spool_room room_for(struct spool *s, uint64_t whose, uint64_t bytes, uint32_t files) {
    const struct holder *h = holder_of(s, whose);
    if (bytes > spool_most(s, whose)) return SPOOL_NEVER;
    if (whose && h && (h->bytes + (int64_t)bytes > s->max_bytes / 2 || h->files + files > s->max_files / 2))
        return SPOOL_SHARE_FULL;
    if (s->have.bytes + (int64_t)bytes > s->max_bytes || s->have.files + files > s->max_files) return SPOOL_FULL;
    return SPOOL_ROOM;
}

static void hold(struct spool *s, uint64_t whose, uint64_t bytes, uint32_t files) {
    struct holder *h = holder_of(s, whose);
    if (!h) h = holder_add(s, whose);
    h->bytes += (int64_t)bytes;
    h->files += files;
    s->have.bytes += (int64_t)bytes;
    s->have.files += files;
}

static enum spool_room ask(struct spool *s, uint64_t whose, uint64_t bytes, uint32_t files, bool takes) {
    pthread_mutex_lock(&s->lock);
    enum spool_room room = room_for(s, whose, bytes, files);
    if (room != SPOOL_ROOM) s->have.refused++;
    else if (takes) hold(s, whose, bytes, files);
    pthread_mutex_unlock(&s->lock);
    return room;
}

enum spool_room spool_look(struct spool *s, uint64_t whose, uint64_t bytes) {
    return ask(s, whose, bytes, 0, false);
}

enum spool_room spool_take(struct spool *s, uint64_t whose, uint64_t bytes, uint32_t files) {
    return ask(s, whose, bytes, files, true);
}

void spool_give_back(struct spool *s, uint64_t whose, uint64_t bytes, uint32_t files) {
    if (!bytes && !files) return;
    pthread_mutex_lock(&s->lock);
    struct holder *h = holder_of(s, whose);
    ENSURE(h && h->bytes >= (int64_t)bytes && h->files >= files);
    h->bytes -= (int64_t)bytes;
    h->files -= files;
    if (!h->bytes && !h->files) *h = s->holders[--s->nholders];
    s->have.bytes -= (int64_t)bytes;
    s->have.files -= files;
    pthread_mutex_unlock(&s->lock);
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
