/* newfile.c - see newfile.h. */
#define _GNU_SOURCE /* renameat2 */
#include "newfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char tail[] = ".tmp-XXXXXX";

static bool is_there(const char *path) {
    struct stat st;
    return lstat(path, &st) == 0;
}

int newfile_begin(struct newfile *f, const char *path) {
    *f = (struct newfile){.fd = -1};
    if (is_there(path)) return EEXIST;
    f->path = strdup(path);
    f->tmp = malloc(strlen(path) + sizeof tail);
    if (!f->path || !f->tmp) return ENOMEM;
    sprintf(f->tmp, "%s%s", path, tail);
    f->fd = mkostemp(f->tmp, O_CLOEXEC); /* 0600 */
    if (f->fd >= 0) return 0;
    int err = errno;
    free(f->tmp);
    f->tmp = NULL;
    return err;
}

static int sync_directory_of(const char *path) {
    char *dir = strdup(path), *slash = dir ? strrchr(dir, '/') : NULL;
    int err = 0, fd;
    if (!dir) return ENOMEM;
    if (slash) slash[slash == dir] = 0;
    fd = open(slash ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0) err = errno;
    if (fd >= 0) close(fd);
    free(dir);
    return err;
}

/* Where the file system cannot rename without replacing, a second name that must be new does it. */
static int give_name(const char *tmp, const char *path) {
    if (renameat2(AT_FDCWD, tmp, AT_FDCWD, path, RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return errno;
    if (link(tmp, path) != 0) return errno;
    unlink(tmp);
    return 0;
}

int newfile_publish(struct newfile *f) {
    if (fsync(f->fd) != 0) return errno;
    int err = give_name(f->tmp, f->path);
    if (err) return err;
    free(f->tmp);
    f->tmp = NULL;
    err = sync_directory_of(f->path);
    if (err) unlink(f->path);
    return err;
}

/* NAME.tmp-XXXXXX, with what SQLite may have put beside it. */
static bool is_left_of(const char *entry, const char *name) {
    size_t n = strlen(name), tmp = strlen(tail) - strlen("XXXXXX");
    return !strncmp(entry, name, n) && !strncmp(entry + n, tail, tmp) && strlen(entry + n) >= strlen(tail);
}

/* Calls each for what is there until it returns false. */
static void each_left(const char *path, bool (*each)(void *arg, int dir, const char *entry), void *arg) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    char *folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
    DIR *dir = folder ? opendir(folder) : NULL;
    for (struct dirent *e; dir && (e = readdir(dir));)
        if (is_left_of(e->d_name, name) && !each(arg, dirfd(dir), e->d_name)) break;
    if (dir) closedir(dir);
    free(folder);
}

static bool take_name(void *left, int dir, const char *entry) {
    char **name = left;
    (void)dir;
    *name = strdup(entry);
    return false;
}

static bool remove_it(void *arg, int dir, const char *entry) {
    (void)arg;
    unlinkat(dir, entry, 0);
    return true;
}

char *newfile_left(const char *path) {
    char *name = NULL;
    each_left(path, take_name, &name);
    return name;
}

void newfile_remove_left(const char *path) {
    each_left(path, remove_it, NULL);
}

void newfile_end(struct newfile *f) {
    if (f->tmp) unlink(f->tmp);
    if (f->fd >= 0) close(f->fd);
    free(f->tmp);
    free(f->path);
    *f = (struct newfile){.fd = -1};
}
