/* datadir.c - the data directory: made 0700, held by one process at a time through flock on DIR/lock, which names the
 * holder's process for people. The kernel gives the lock back when its holder dies.
 *
 * Only those who fill a directory make one: for all others a missing one, or one without a lock file, is a typing
 * mistake in its path. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/internal.h"

/* As mkdir -p. */
static int make_path(const char *path) {
    char *z = xstrdup(path);
    int err = 0;
    for (char *p = z + 1; !err; p++) {
        char ch = *p;
        if (ch != '/' && ch != 0) continue;
        *p = 0;
        if (mkdir(z, 0700) != 0 && errno != EEXIST) err = errno;
        *p = ch;
        if (!ch) break;
    }
    free(z);
    errno = err;
    return err ? -1 : 0;
}

/* The last directory on the way that is there: which is in the way of all behind it. */
static char *nearest_directory(const char *path) {
    char *z = xstrdup(path), *slash;
    while (access(z, F_OK) != 0 && (slash = strrchr(z, '/')) && slash > z) *slash = 0;
    return z;
}

static long read_pid(int fd) {
    char text[32] = "";
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    return n > 0 ? strtol(text, NULL, 10) : 0;
}

static void write_pid(int fd) {
    char text[32];
    int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)n, 0) != n)
        fprintf(stderr, "taut: could not write the lock file: %s\n", strerror(errno)); /* the lock holds all the same */
}

static int32_t refuse(struct datadir *d, char *text, char **why) {
    *why = text;
    datadir_close(d);
    return TAUT_E_IO;
}

static int32_t cannot_use(struct datadir *d, char **why) {
    struct stat st;
    int err = errno;
    char *at = err == EACCES ? nearest_directory(d->path) : NULL;
    char *text =
        at && stat(at, &st) == 0
            ? xasprintf("the data directory %s cannot be used: %s; %s belongs to user %u and has mode %04o, and "
                        "this is user %u",
                        d->path, strerror(err), at, (unsigned)st.st_uid, (unsigned)st.st_mode & 07777,
                        (unsigned)geteuid())
            : xasprintf("the data directory %s cannot be used: %s", d->path, strerror(err));
    free(at);
    return refuse(d, text, why);
}

/* A lock that is no file, or that another user has made, as root who has restored a backup. */
static int32_t cannot_lock(struct datadir *d, char **why) {
    struct stat st;
    int err = errno;
    if (fstatat(d->dir_fd, "lock", &st, AT_SYMLINK_NOFOLLOW) != 0) {
        errno = err;
        return cannot_use(d, why);
    }
    if (!S_ISREG(st.st_mode))
        return refuse(d,
                      xasprintf("the data directory %s cannot be used: %s/lock is a %s; remove it, it is to be a file "
                                "that Taut makes itself",
                                d->path, d->path,
                                S_ISLNK(st.st_mode)   ? "link"
                                : S_ISDIR(st.st_mode) ? "folder"
                                                      : "device"),
                      why);
    return refuse(
        d,
        xasprintf("the data directory %s cannot be used: %s/lock: %s; it belongs to user %u and has mode %04o, "
                  "and this is user %u: chown what is in %s to the user that the server runs as",
                  d->path, d->path, strerror(err), (unsigned)st.st_uid, (unsigned)st.st_mode & 07777,
                  (unsigned)geteuid(), d->path),
        why);
}

/* What root makes in the directory of another is theirs. */
static void give_to_owner(const struct datadir *d) {
    struct stat st;
    if (geteuid() == 0 && fstat(d->dir_fd, &st) == 0 && st.st_uid != 0 && fchown(d->lock_fd, st.st_uid, st.st_gid) != 0)
        fprintf(stderr, "taut: could not give the lock file to the directory's owner: %s\n", strerror(errno));
}

static int32_t cannot_find(struct datadir *d, char **why) {
    if (errno != ENOENT) return cannot_use(d, why);
    const char *what = d->dir_fd < 0 ? "does not exist" : "is none of taut's: it has no lock file";
    return refuse(
        d, xasprintf("the data directory %s %s; look at --data, or at server.data of the configuration", d->path, what),
        why);
}

/* Whoever may write in it could put another store in the place of this one. */
static bool is_open_to_all(int fd, unsigned *mode) {
    struct stat st;
    if (fstat(fd, &st) != 0) return false;
    *mode = st.st_mode & 07777;
    return st.st_mode & S_IWOTH;
}

int32_t datadir_open(struct datadir *d, const char *path, bool create, long *holder, char **why) {
    unsigned mode;
    *d = (struct datadir){.path = xstrdup(path), .dir_fd = -1, .lock_fd = -1};
    if (create && make_path(path) != 0) return cannot_use(d, why);
    d->dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (d->dir_fd < 0) return cannot_find(d, why);
    if (is_open_to_all(d->dir_fd, &mode))
        return refuse(
            d,
            xasprintf("everybody on this machine may write in the data directory %s (mode %04o); change that: "
                      "chmod 700 %s",
                      path, mode, path),
            why);
    d->lock_fd = openat(d->dir_fd, "lock", O_RDWR | (create ? O_CREAT : 0) | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (d->lock_fd < 0) return errno == ENOENT ? cannot_find(d, why) : cannot_lock(d, why);
    give_to_owner(d);
    if (flock(d->lock_fd, LOCK_EX | LOCK_NB) == 0) {
        write_pid(d->lock_fd);
        return TAUT_OK;
    }
    if (errno != EWOULDBLOCK) return cannot_use(d, why);
    *holder = read_pid(d->lock_fd);
    close(d->lock_fd);
    d->lock_fd = -1;
    return TAUT_E_EXISTS;
}

bool datadir_look(struct datadir *d, const char *path) {
    *d = (struct datadir){.path = xstrdup(path), .lock_fd = -1};
    d->dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return d->dir_fd >= 0;
}

/* A lock is tried only while who has written its name there still lives: a server that just starts is not in its way.
 */
long datadir_holder(const struct datadir *d) {
    int fd = d->dir_fd < 0 ? -1 : openat(d->dir_fd, "lock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    long holder = fd < 0 ? 0 : read_pid(fd);
    if (holder && kill((pid_t)holder, 0) != 0 && errno == ESRCH) holder = 0;
    if (holder && flock(fd, LOCK_SH | LOCK_NB) == 0) holder = 0;
    if (fd >= 0) close(fd);
    return holder;
}

void datadir_close(struct datadir *d) {
    if (d->lock_fd >= 0) close(d->lock_fd);
    if (d->dir_fd >= 0) close(d->dir_fd);
    free(d->path);
    *d = (struct datadir){.dir_fd = -1, .lock_fd = -1};
}

void datadir_control_address(const struct datadir *d, struct sockaddr_un *to) {
    memset(to, 0, sizeof *to);
    to->sun_family = AF_UNIX;
    snprintf(to->sun_path, sizeof to->sun_path, "/proc/self/fd/%d/control.sock", d->dir_fd);
}
